/* SPDX-License-Identifier: ISC
 *
 * role/front_world_int.h: a world of clients and a store for the tests of front: what they say is
 * said by the test, what front says to them is kept.
 */
#ifndef POSTERN_ROLE_FRONT_WORLD_INT_H
#define POSTERN_ROLE_FRONT_WORLD_INT_H

#include "role/front_int.h"
#include "role/role.h"

enum { WORLD_CLIENTS = 8 };

struct client {
    struct buffer heard;        /* since it was last looked at */
    size_t sends;               /* FX_SENDs since then */
    bool paused, closed, aborted;
    bool deaf;                  /* it reads nothing of what is sent */
    bool undrained;
};

struct world {
    struct effects fx;
    void *front;
    struct conf conf;
    struct moment now;
    struct client clients[WORLD_CLIENTS];
    struct buffer frames;       /* to the store: blocks */
    size_t frames_at;           /* read up to here */
    struct buffer log;
    uint64_t alarm_ms;
    bool exited;
};

/* A front whose store is open. In two steps: between them w->conf may be changed. */
void world_prepare(struct world *w);
void world_open(struct world *w);
void world_start(struct world *w);
void world_stop(struct world *w);
/* One event at the present moment; true unless the front gave up for want of memory. */
bool world_step(struct world *w, struct event event);
void world_turn(struct world *w);
/* Time passes; an alarm that falls due rings when it does. */
void world_later(struct world *w, uint64_t ms);

void client_comes_from(struct world *w, uint32_t conn, const char *ip);
void client_comes(struct world *w, uint32_t conn);
void client_says(struct world *w, uint32_t conn, struct bytes text);
void client_event(struct world *w, uint32_t conn, enum event_kind kind);
/* Is this what it heard since the last look, all of it? Forgets it. */
void client_hears(struct world *w, uint32_t conn, const char *text);
/* The last line it heard begins so. Forgets all. */
void client_hears_last(struct world *w, uint32_t conn, const char *start);
/* EHLO, MAIL and RCPT of a mailbox that is there; front has answered all. */
void client_begins(struct world *w, uint32_t conn);

void store_tells(struct world *w, const struct effects *fx);
void store_state(struct world *w, enum store_state state);
void store_takes(struct world *w, uint32_t token, uint64_t id);
void store_refuses(struct world *w, uint32_t token, enum refusal why);
void store_credits(struct world *w, uint32_t token, uint32_t octets);
void mailbox_is(struct world *w, uint32_t token, enum mailbox_is verdict);
void store_dies(struct world *w);

/* The next frame the store got; its kind is WIRE_NOTHING when there is none. */
struct bytes store_hears(struct world *w);
/* The next one, which must be the question for this address; its token. */
uint32_t store_is_asked(struct world *w, const char *address);
bool store_hears_nothing(struct world *w);
/* The next one, which must be a whole letter. */
struct wire_letter store_gets_letter(struct world *w);
bool log_has(const struct world *w, const char *text);

#endif
