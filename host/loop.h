/* SPDX-License-Identifier: ISC
 *
 * host/loop.h: the one loop of a process: it waits in epoll, steps the roles that live in it, and
 * sends what they asked for once a turn.
 *
 * A turn: wait; look at the clock; hand on what came (frames as they are read, then posted
 * events, file results, connections, the alarm, EV_TURN); send: files, channels, connections,
 * log, one call each.
 */
#ifndef POSTERN_HOST_LOOP_H
#define POSTERN_HOST_LOOP_H

#include "base/event.h"
#include "base/limits.h"
#include "host/log.h"

struct actor;

/* Whoever waits for a descriptor that is no client connection. Lives until loop_bury or
   loop_free. */
struct watcher {
    void (*ready)(struct watcher *watcher, uint32_t epoll_events);   /* NULL: it is dead */
};

/* Who starts and ends processes; for the effects of master, and for peers that send nonsense. */
struct spawner {
    void (*spawn)(struct spawner *spawner, struct role_name role);
    void (*kill)(struct spawner *spawner, struct role_name role, bool hard);
    /* `role` sent what it may not send: it must be started anew. */
    void (*flaw)(struct spawner *spawner, struct role_name role);
    /* That actor of this loop has ended; at the end of a turn. NULL: the loop's owner sees to
       it. */
    void (*ended)(struct spawner *spawner, struct actor *actor);
    /* local wants a child that is that system user, or (no name) the end of one. */
    void (*user)(struct spawner *spawner, uint32_t index, struct bytes name);
    /* The admin role wants the configuration read anew; EV_RELOAD follows. */
    void (*reload)(struct spawner *spawner);
};

enum {
    LOOP_ACTORS = LIMIT_FRONTS + ROLE_KINDS + LIMIT_USERS,
    LOOP_SCRATCH = 64 * 1024,   /* what is read from a connection at a time */
    LOOP_EVENTS = 256,          /* that one wait brings at most */
};

/* Something that lives in the loop beside its roles, and has a clock of its own. */
struct guest {
    uint64_t (*due_ms)(struct guest *guest);    /* monotonic; UINT64_MAX: only when called */
    void (*turn)(struct guest *guest);          /* once a turn */
};

struct grave;

struct loop {
    int epoll;
    struct moment now;          /* of this turn */
    struct log_sink *log;       /* borrowed */
    bool log_waits;
    char *scratch;
    uint64_t start_number;      /* EV_START.number of the roles to come */
    struct actor *actors[LOOP_ACTORS];
    struct spawner *spawner;    /* borrowed; may be NULL */
    struct guest *guest;        /* the same */
    struct grave *graves;
};

/* NULL and errno when the machine has no more descriptors or memory. */
MUST_USE struct loop *loop_new(struct log_sink *log);
/* The actors in it are freed too. */
void loop_free(struct loop *loop);

/* Wait for these epoll events on a descriptor; false and errno when that cannot be. */
MUST_USE bool loop_watch(struct loop *loop, int fd, uint32_t events, struct watcher *watcher);
bool loop_rewatch(struct loop *loop, int fd, uint32_t events, struct watcher *watcher);
/* Needed before closing a descriptor whose socket another descriptor or process has open as well:
   else epoll goes on about it. */
void loop_unwatch(struct loop *loop, int fd);
/* Free this memory at the end of the turn, when no event can point to it any more. */
void loop_bury(struct loop *loop, void *memory);

/* One turn that waits at most so long. */
void loop_turn(struct loop *loop, int wait_ms_most);
/* Turns until that actor has ended; its exit status. */
int loop_run(struct loop *loop, const struct actor *chief);

#endif
