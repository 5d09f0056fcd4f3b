/* SPDX-License-Identifier: ISC
 *
 * sim/world.h: a machine made from a seed: roles as processes, channels between them, a disk, a
 * network, time, and faults.
 *
 * Stands on the disk, the lanes and role. It knows no SMTP and no promise: clients (sim/client.h)
 * and judges (sim/judge.h) are told what happens and look in from outside. One world runs one
 * seed and is thrown away.
 */
#ifndef POSTERN_SIM_WORLD_H
#define POSTERN_SIM_WORLD_H

#include "base/arena.h"
#include "role/role.h"
#include "sim/disk.h"
#include "sim/future.h"
#include "sim/odds.h"

struct world_plan {
    uint64_t seed;
    const struct role_ops *cast[ROLE_KINDS];    /* NULL: there is no such role */
    /* The settings as of reload n, 0 at first, kept in that arena. False: that cannot be. */
    bool (*settings)(const struct world_plan *plan, uint64_t n, struct arena *arena,
                     struct conf *ret_conf);
    uint32_t fronts;
    struct odds odds;
    enum disk_order order;
    bool lmtp;                  /* our mailboxes lie with an LMTP server */
    unsigned kills;             /* kills, stops, reloads and power cuts, each between two steps */
    bool trace;                 /* print every event and effect */
};

/* What lies outside of the machine, for the roles names and fetch. False: no answer ever comes. */
struct world_outside {
    void *ctx;
    /* An answer as dns/answer.h codes it. */
    bool (*resolve)(void *ctx, uint16_t type, struct bytes name, struct buffer *ret_answer);
    /* The number of an EV_FETCHED, and the document. */
    bool (*fetch)(void *ctx, struct bytes url, uint64_t *ret_number, struct buffer *ret_body);
};

/* Somebody who looks on. A member may be NULL. */
struct world_watch {
    void *ctx;
    /* The machine is switched on; no role runs yet. */
    void (*power)(void *ctx);
    /* A frame arrived. */
    void (*frame)(void *ctx, struct role_name from, struct role_name to, struct bytes frame);
    /* A role asked for a file operation. */
    void (*asked)(void *ctx, enum role_kind who, const struct io *io);
    /* A file operation ended, as its role will be told. */
    void (*operation)(void *ctx, enum role_kind who, const struct io *io, enum fault fault);
    /* A process died (its operations under way may have happened), or an operation failed on
       purpose. */
    void (*fault)(void *ctx, enum role_kind who);
};

struct world *world_new(const struct world_plan *plan);
void world_free(struct world *world);
void world_watch(struct world *world, struct world_watch watch);
void world_outside(struct world *world, struct world_outside outside);
/* Switch the machine on, for the first time. */
void world_boot(struct world *world);
/* Let the next thing happen; false when nothing is left to happen or a promise is broken. */
bool world_next(struct world *world);

uint64_t world_now_us(const struct world *world);
struct moment world_moment(const struct world *world);
struct disk *world_disk(struct world *world);
struct totals *world_totals(struct world *world);
/* The role value of a living process, or NULL: for a look from outside. */
void *world_role(struct world *world, struct role_name name);
/* Over all events and effects so far. */
uint64_t world_hash(const struct world *world);
/* Kills and power cuts that are still to come. */
unsigned world_kills_left(const struct world *world);
/* No faults from now on: the disk is well and has room, what hangs is killed; at the end a kill of
   all or a power cut, so that what follows starts from what is on the disk; or neither, so that it
   starts from what the faults left. */
void world_calm(struct world *world);
/* Has everything started again after world_calm? */
bool world_all_up(const struct world *world);

/* A promise is broken: the first one is kept, and ends the run. */
void world_break(struct world *world, const char *format, ...) __attribute__((format(printf, 2,
3))); const char *world_broken(const struct world *world);

/* Something in the future, at now + after_us, and what it is to find: see sim/future.h. */
void world_later(struct world *world, uint64_t after_us, struct future future);
/* Dice for those outside: clients, readers. */
struct dice *world_dice(struct world *world);
struct odds *world_odds(struct world *world);

#endif
