/* SPDX-License-Identifier: ISC
 *
 * host/conn.h: the client connections and the listeners of one role.
 *
 * Connections are edge-triggered: registered once when accepted, and what epoll says is
 * remembered here. So pausing and resuming cost no call, and a short read needs no second one. An
 * idle connection holds 32 octets and no buffer.
 */
#ifndef POSTERN_HOST_CONN_H
#define POSTERN_HOST_CONN_H

#include "host/loop.h"

enum {
    CONN_READ_BELOW = 64 * 1024,            /* read only while less than this waits to be sent */
    CONN_WAITING_MOST = 64 * 1024 * 1024,   /* to be sent; above, it is closed */
    CONN_LINGER_MS = 2000,                  /* to read what a client still sends after FX_CLOSE */
    CONN_LINGERING_MOST = 1024,
    CONN_FLUSH_MS = 300 * 1000,             /* to take anything of what is left after FX_CLOSE */
    ACCEPT_REST_MS = 100,                   /* when the machine has no descriptor for one more */
    ACCEPT_AT_ONCE = 64,
};

struct conn;
struct listener;

struct conn_list {
    uint32_t first, last, n;
};

struct conns {
    struct loop *loop;
    uint8_t owner;              /* the role's place in loop->actors */
    void *of;
    void (*tell)(void *of, struct event *event);
    struct bytes label;         /* the role, for log lines */
    struct conn *list;
    uint32_t n, room, most;     /* used so far (a high mark), places, the most that may be open */
    uint32_t open;
    uint32_t free;              /* first of the free numbers below n */
    uint32_t *ready, *serving, *dirty;
    uint32_t n_ready, n_dirty;
    struct conn_list flushing, lingering;   /* closing ones, the longest first */
    struct listener *listeners;
    uint32_t n_listeners;
    int reserve_fd;             /* given up to get rid of a client when there is no other */
};

/* `tell` steps the role. At most `most` connections; more wait in the backlog. */
void conns_init(struct conns *conns, struct loop *loop, uint8_t owner, void *of,
                void (*tell)(void *of, struct event *event), uint32_t most);
void conns_done(struct conns *conns);
/* Take over a listening socket, non-blocking. `index` is EV_ACCEPT.listener. False: no memory. */
MUST_USE bool conns_listen(struct conns *conns, int fd, uint32_t index);

/* Listen on nothing any more; who was accepted stays. */
void conns_unlisten(struct conns *conns);

/* What epoll said; `tag` is its data. */
bool conn_tag_is(uint64_t tag);
uint8_t conn_tag_owner(uint64_t tag);
void conns_event(struct conns *conns, uint64_t tag, uint32_t events);
/* Accept, read, and hand on what came. */
void conns_turn(struct conns *conns);
/* One send for each that has something. */
void conns_flush(struct conns *conns);
/* When conns_turn must be called at the latest, monotonic; UINT64_MAX: when something comes. */
uint64_t conns_due_ms(const struct conns *conns);

/* FX_DIAL: `tell` gets EV_CONNECTED in a later turn. False: no memory. */
MUST_USE bool conns_dial(struct conns *conns, uint32_t token, const struct net_address *address,
                         struct bytes path);

/* The effects. A number that is not in use is the role's own mistake. */
void conns_send(struct conns *conns, uint32_t number, struct bytes bytes);
void conns_pause(struct conns *conns, uint32_t number, bool pause);
void conns_close(struct conns *conns, uint32_t number);
void conns_abort(struct conns *conns, uint32_t number);

#endif
