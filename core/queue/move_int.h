/* SPDX-License-Identifier: ISC
 *
 * queue/move_int.h: what still lives in the oldest segment is carried forward, so that it can go.
 *
 * A moved letter is a new record of it and one state for each recipient that has one, in an atomic
 * group: after a crash all of them count or none. Promise: the old place counts until the group is
 * durable, and the old segment stays until then.
 */
#ifndef POSTERN_QUEUE_MOVE_INT_H
#define POSTERN_QUEUE_MOVE_INT_H

#include "queue/log_int.h"

enum {
    MOVES_AT_ONCE = 16,
    MOVE_MS = 20,           /* so long between one handful and the next */
    /* so many segments beyond three times what lives are no reason to move */
    MOVE_SEGMENTS_FREE = 4,
    MOVE_LOOK = 4096,       /* index entries looked at in one turn */
};

struct moving {
    uint64_t letter;        /* 0: free */
    uint64_t lsn;           /* where it lay */
    bool gathered;          /* its group waits to be durable */
};

struct mover {
    struct moving list[MOVES_AT_ONCE];
    uint32_t busy;
    uint64_t after;         /* letters up to here were looked at */
    uint64_t at;            /* not before */
    uint32_t segment;       /* the one being emptied, or 0 */
};

void move_turn(struct queue *q, struct effects *fx);
uint64_t move_alarm(const struct queue *q);
void move_record(struct queue *q, uint32_t who, struct bytes payload, enum fault fault,
                 struct effects *fx);
void move_settle(struct queue *q, const struct fate *fate);
/* Move this letter at once, with a record of other recipients, as many as before. `notes`: two
   for each recipient, zeroes first, then 1 where it is another one; owned when true is returned:
   those are AT_WORK for nobody until it is durable, then wait. False: nothing has changed. */
MUST_USE bool move_anew(struct queue *q, struct letter *letter, struct bytes payload,
                        uint64_t *notes);
/* That group failed: who was there before is there again. */
void move_undo(struct queue *q, const struct fate *fate);
/* A group failed: what was being moved lies where it lay. */
void move_fail(struct queue *q);

#endif
