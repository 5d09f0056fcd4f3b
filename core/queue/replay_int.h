/* SPDX-License-Identifier: ISC
 *
 * queue/replay_int.h: from the records that count to the letters there are. Recovery and
 * inspection.
 */
#ifndef POSTERN_QUEUE_REPLAY_INT_H
#define POSTERN_QUEUE_REPLAY_INT_H

#include "base/event.h"
#include "queue/index_int.h"
#include "queue/record_int.h"

struct replay {
    struct index *index;        /* filled */
    struct moment now;
    uint64_t last_id;
    uint64_t records, states;
    uint64_t lost;              /* states of letters that are not there: done long ago, or lost */
    uint64_t *done_bodies;      /* body files of letters that are done: they may go */
    size_t done_n, done_room;
};

/* False: no memory. */
MUST_USE bool replay_record(struct replay *replay, const struct record *record);
void replay_done(struct replay *replay);

#endif
