/* SPDX-License-Identifier: ISC
 *
 * host/actor.h: one role living in a loop: its value, and what it has of this machine.
 */
#ifndef POSTERN_HOST_ACTOR_H
#define POSTERN_HOST_ACTOR_H

#include "host/conn.h"
#include "host/fetch.h"
#include "host/file.h"
#include "host/http.h"
#include "host/io.h"
#include "host/link.h"
#include "host/loop.h"
#include "host/resolve.h"
#include "role/role.h"

struct actor {
    struct loop *loop;
    uint8_t slot;               /* its place in loop->actors */
    struct role_name name;
    char label[16];             /* front.0, store, ... */
    const struct role_ops *ops;
    void *role;
    struct effects fx;
    uint64_t alarm_ms;          /* 0: none */
    struct buffer inbox, reading;   /* posted events, each a struct event and its octets */
    struct conns conns;
    struct links links;
    struct files files;
    struct resolver *resolver;  /* NULL: it does not ask the DNS */
    struct fetcher *fetcher;    /* NULL: it does not fetch */
    struct http *http;          /* NULL: it is not asked over HTTP */
    struct lanes *lanes;        /* NULL: no files */
    struct watcher lanes_watch;
    bool io_done;               /* a lane has something for us */
    bool stepped;               /* in this turn */
    bool ended;                 /* no step any more */
    int status;                 /* then: its exit status */
};

enum { ACTOR_GAVE_UP = 75 };    /* EX_TEMPFAIL: the machine was short of something */

/* Make the role and put it into the loop. It has nothing yet; EV_START is posted. NULL: no
   memory, or no place left. */
MUST_USE struct actor *actor_new(struct loop *loop, struct role_name name,
                                 const struct role_ops *ops, const struct conf *conf);
/* Take it out of the loop and free it, with all it has. */
void actor_free(struct actor *actor);

/* Threads for its files; actor->files must have its folders by then. */
MUST_USE bool actor_open_lanes(struct actor *actor, unsigned n);

/* Step it with this event in the next turn, after those posted before. The octets are copied. */
void actor_post(struct actor *actor, const struct event *event);
/* Answer over HTTP on this socket, which is taken over. */
MUST_USE bool actor_open_web(struct actor *actor, int fd);
/* Resolve names for it; `anchor`: the text of the file of the root's keys. */
MUST_USE bool actor_open_resolver(struct actor *actor, struct conf_texts servers,
                                  struct bytes anchor);
/* Fetch over HTTPS for it; `authorities` as PEM. */
MUST_USE bool actor_open_fetcher(struct actor *actor, struct bytes authorities);
/* Step it with all that was posted, now. */
void actor_read_inbox(struct actor *actor);
/* Step it now, and do what it asks for. */
void actor_step(struct actor *actor, struct event *event);
/* Step it with EV_RELOAD, now; not from within its own step. `conf` may go when the next has been
   told. NULL: nothing changed. */
void actor_reload(struct actor *actor, const struct conf *conf, struct bytes words, int status);
/* End it: nothing is asked of it any more. */
void actor_end(struct actor *actor, int status);
/* End it with ACTOR_GAVE_UP, and say why in the log. */
void actor_give_up(struct actor *actor, const char *why);

/* A line of the world about this role. */
void actor_log(const struct actor *actor, enum log_level level, const struct buffer *line);

/* The parts of a turn. */
void actor_turn(struct actor *actor);
void actor_flush(struct actor *actor);
/* When it must have a turn at the latest; UINT64_MAX: when something comes. */
uint64_t actor_due_ms(const struct actor *actor);

#endif
