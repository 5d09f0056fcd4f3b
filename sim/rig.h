/* SPDX-License-Identifier: ISC
 *
 * sim/rig.h: a store alone on a disk, with a script in the place of front and local; one file
 * operation after another, so that a story can be stopped between any two of them.
 */
#ifndef POSTERN_SIM_RIG_H
#define POSTERN_SIM_RIG_H

#include "queue/queue.h"
#include "role/role.h"
#include "sim/disk.h"
#include "sim/ledger.h"

enum rig_local {
    RIG_DELIVERS,       /* every job, well */
    RIG_DEFERS,         /* every job: try again later */
    RIG_HOLDS,          /* takes them and says nothing */
    RIG_KEEPS_SOME,     /* delivers all, but of the letters 0 to 3 only the last recipient */
    RIG_FAILS,          /* those that are reported fail for good */
    RIG_AWAY,           /* there is no local */
};

struct rig;

struct rig_plan {
    const struct role_ops *store;
    const struct conf *conf;
    struct disk *disk;              /* outlives the rig */
    struct ledger *ledger;          /* kept up to date */
    enum rig_local local;
    /* Called before each operation is done: may look at disk and ledger. False: stop here. */
    bool (*before)(void *ctx, struct rig *rig, const struct io *io);
    void *ctx;
    uint64_t seed;                  /* for the order of operations in different lanes */
    bool trace;                     /* print what happens */
    uint64_t fail_at;               /* the n-th sync fails, from 1; 0: none */
};

struct rig *rig_new(const struct rig_plan *plan);
void rig_free(struct rig *rig);
void rig_set_local(struct rig *rig, enum rig_local local);

/* Hand that letter of the ledger to the store, as a front would. */
void rig_send(struct rig *rig, uint32_t letter);
/* Order something of so many of its recipients from that one on, as admin would (queue/queue.h);
   what is redirected goes to the recipient that would follow the letter's last. */
void rig_order(struct rig *rig, enum queue_verb verb, uint32_t letter, uint32_t from, uint32_t n);
/* Go on until nothing is to be done within that time. False: stopped by `before`, or the store
   ended. */
bool rig_run(struct rig *rig, uint64_t patience_ms);
/* The same, but no further than to the store's word that it takes letters. */
bool rig_run_to_opening(struct rig *rig, uint64_t patience_ms);
/* Go on until the store has nothing queued, or for long enough. */
bool rig_drain(struct rig *rig);

bool rig_open(const struct rig *rig);       /* it has said that it takes letters */
uint64_t rig_operations(const struct rig *rig);
uint64_t rig_syncs(const struct rig *rig);
uint64_t rig_rows(const struct rig *rig);   /* of the last listing */
/* How often that recipient was handed out whole since the rig began. */
unsigned rig_handed(const struct rig *rig, uint32_t letter, uint32_t recipient);
/* Lines of the log at level error so far. */
unsigned rig_alarms(const struct rig *rig);
/* What is wrong whatever the story is (a text that nobody sent, a wrong head); NULL: nothing. */
const char *rig_flaw(const struct rig *rig);

#endif
