/* SPDX-License-Identifier: ISC
 *
 * host/conn_int.h: what conn.c, conn_out.c and accept.c share.
 */
#ifndef POSTERN_HOST_CONN_INT_H
#define POSTERN_HOST_CONN_INT_H

#include "host/conn.h"

#define CONN_NONE UINT32_MAX

enum conn_flag {
    CONN_USED = 1 << 0,
    CONN_READABLE = 1 << 1,     /* there may be something to read */
    CONN_UNBLOCKED = 1 << 2,    /* epoll said that it takes octets again */
    CONN_BLOCKED = 1 << 3,      /* it took only a part of what was sent */
    CONN_OUT_WATCHED = 1 << 4,  /* epoll was told to say when it does */
    CONN_HUNG = 1 << 5,         /* the peer closed its side: the next read comes to the end */
    CONN_GONE = 1 << 6,         /* broken, or aborted: EV_CLOSED is due */
    CONN_PAUSED = 1 << 7,
    CONN_ENDED = 1 << 8,        /* EV_END was told */
    CONN_CLOSING = 1 << 9,      /* FX_CLOSE: nothing but EV_CLOSED is told any more */
    CONN_LINGERS = 1 << 10,     /* all is sent and our side shut; what comes is thrown away */
    CONN_QUEUED = 1 << 11,      /* in `ready` */
    CONN_DIRTY = 1 << 12,       /* in `dirty` */
    CONN_DEAD = 1 << 13,        /* both sides are closed: after EV_END comes EV_CLOSED */
    CONN_DIALS = 1 << 14,       /* connecting: `before` is an errno, `due_ms` the token */
};

struct out {
    uint32_t n, sent, room;
    char data[];
};

struct conn {
    int fd;
    uint16_t flags;             /* enum conn_flag */
    uint16_t generation;        /* so that an event for an earlier holder of the number is known */
    uint32_t before, after;     /* in flushing or lingering; `after` also among the free numbers */
    uint32_t due_ms;            /* in those lists: when its time is over, cut to 32 bits */
    struct out *out;            /* NULL when nothing waits */
};

struct listener {
    struct watcher watch;
    struct conns *conns;
    int fd;
    uint32_t index;
    bool ready;                 /* there may be somebody in the backlog */
    bool any_local;             /* bound to all addresses: each connection has its own */
    uint64_t rests_until_ms;
    struct net_address local;
};

/* conn.c */
void conn_queue(struct conns *conns, uint32_t number);
/* CONN_NONE, and the descriptor is closed: no memory. */
uint32_t conn_open(struct conns *conns, int fd);
/* A number without a descriptor; CONN_NONE: no memory. */
uint32_t conn_take(struct conns *conns);
/* Have epoll watch it; false when that cannot be. */
MUST_USE bool conn_watch(struct conns *conns, uint32_t number, uint32_t events);
void conn_give_back(struct conns *conns, uint32_t number);
void conn_gone(struct conns *conns, uint32_t number);
void conn_list_put(struct conns *conns, struct conn_list *to, uint32_t number, uint32_t ms);
void conn_list_remove(struct conns *conns, uint32_t number);
void conns_log(const struct conns *conns, enum log_level level, const char *event, int error);

static inline bool conn_reads(const struct conn *conn)
{
    uint32_t waiting = conn->out == NULL ? 0 : conn->out->n - conn->out->sent;

    return (conn->flags & CONN_READABLE) && waiting < CONN_READ_BELOW
        && !(conn->flags & (CONN_PAUSED | CONN_ENDED | CONN_CLOSING | CONN_GONE));
}

/* conn_out.c: send what waits; afterwards it may be blocked, lingering or gone. True when it was
   blocked and is no more. */
bool conn_flush(struct conns *conns, uint32_t number);

/* dial.c: the connecting ended, well or not. */
void conn_dialled(struct conns *conns, uint32_t number);

/* accept.c */
void listener_turn(struct conns *conns, struct listener *listener);

#endif
