/* SPDX-License-Identifier: ISC
 *
 * sim/rig_int.h: what the files of the rig share.
 *
 *   rig.c          the store's world: operations, time, fronts, local
 *   rig_admin.c    what admin asks and orders
 */
#ifndef POSTERN_SIM_RIG_INT_H
#define POSTERN_SIM_RIG_INT_H

#include "sim/lane.h"
#include "sim/rig.h"

enum { RIG_JOBS = 256, ORDERS = 16 };

struct rig_order { enum queue_verb verb; uint32_t letter, from, n; };

struct rig_job {
    uint32_t job, recipient;
    uint32_t with;              /* the job whose text is its text too; 0: it has its own */
    bool used;
    struct buffer text;
    struct bytes to;
};

struct rig {
    struct rig_plan plan;
    struct lanes *lanes;
    void *role;
    struct effects fx;
    uint64_t now_us, alarm_us;
    bool open, ended, stopped, asked, local_up;
    uint64_t operations, syncs, rows, counting;
    struct rig_job jobs[RIG_JOBS];
    unsigned handed[LEDGER_LETTERS][LEDGER_TO];
    struct rig_order orders[ORDERS];
    uint32_t orders_n;
    unsigned alarms;
    const char *flaw;
    struct buffer frames;           /* from the store, waiting: u8 role kind, block */
    struct dice dice;
};

/* rig.c: frames for the store are made by the same functions that roles use. */
struct effects *rig_tell_begin(struct effects *fx);
void rig_tell_end(struct rig *rig, struct role_name from, struct effects *fx);

/* rig_admin.c */
void rig_hear_as_admin(struct rig *rig, struct bytes frame);

#endif
