/* SPDX-License-Identifier: ISC
 *
 * sim/lane.h: the file operations of one process, in lanes, exactly as base/effects.h promises:
 * in a lane one after another, lanes beside each other, chains that end at the first failure,
 * quiet ones.
 *
 * Stands on the disk. Knows no time: the world says when an operation begins and when it ends,
 * and with what luck. A write becomes visible when it ends.
 */
#ifndef POSTERN_SIM_LANE_H
#define POSTERN_SIM_LANE_H

#include "base/effects.h"
#include "base/limits.h"
#include "sim/disk.h"

/* How an operation ends. */
enum lane_luck {
    LUCK_GOOD,
    LUCK_FAILS,         /* FAULT_IO: a sync loses what was dirty; a write may be there in part */
    LUCK_NO_SPACE,      /* FAULT_NO_SPACE: a write may be there in part */
};

/* What is to be told to the role: an EV_IO. */
struct lane_report {
    uint64_t token, number;
    enum fault fault;
    struct bytes bytes;         /* from room_new; room_free after it was told */
    enum io_kind kind;
};

struct lanes;

/* `disk` outlives it. */
struct lanes *lanes_new(struct disk *disk);
/* The process is gone: what had begun may have happened in part, says the chooser (none: nothing
   happens). */
void lanes_free(struct lanes *lanes, const struct chooser *chooser);

/* Take an operation (names are copied, data is taken over); after the last of a step, lanes_step.
   */
void lanes_put(struct lanes *lanes, const struct io *io);
void lanes_step(struct lanes *lanes);

/* The operation that a lane would begin now: NULL when it is busy or has none. Borrowed. */
const struct io *lanes_next(const struct lanes *lanes, unsigned lane);
void lanes_begin(struct lanes *lanes, unsigned lane);
/* The one under way, or NULL. */
const struct io *lanes_busy(const struct lanes *lanes, unsigned lane);
/* It ends: what is to be told of it, and of those behind it that are skipped, waits in
   lanes_report. Returns the fault of the operation itself. */
enum fault lanes_end(struct lanes *lanes, unsigned lane, enum lane_luck luck, struct chooser
chooser); /* Take the oldest report; false when there is none. */
bool lanes_report(struct lanes *lanes, struct lane_report *ret_report);

/* Operations waiting or under way. */
size_t lanes_count(const struct lanes *lanes);
/* The file in a slot, 0 when none is open there. */
disk_file lanes_file(const struct lanes *lanes, uint32_t slot);
/* What a role must not do (use a slot that is closed or taken, write beyond sense); NULL when it
   did not. */
const char *lanes_misuse(const struct lanes *lanes);

#endif
