/* SPDX-License-Identifier: ISC
 *
 * queue/recover_int.h: from what lies on the disk to a queue that takes letters.
 *
 * The order, each step only when the one before is on stable storage:
 *   folders made; names listed; the log walked (walk_int.h says what counts); segments behind the
 *   log's end removed; what was read and may lie in the page cache alone (whoever wrote it died
 *   before its sync, or the sync failed: a sync without a write would then say yes and do nothing)
 *   written again in its place and synced; the torn tail filled with zeroes and synced; damaged
 *   octets copied to quarantine/; only then the log is opened behind its end, letters may come, and
 *   those there go out.
 * Promise 1: stopped anywhere and begun again, it ends the same. Promise 2: body files that no
 * letter names go only when there is no damage, now or in quarantine/. Promise 3: nothing that it
 * does not know is touched.
 */
#ifndef POSTERN_QUEUE_RECOVER_INT_H
#define POSTERN_QUEUE_RECOVER_INT_H

#include "queue/replay_int.h"
#include "queue/segment_int.h"
#include "queue/walk_int.h"

enum recovery_stage {
    RECOVERY_NOT_BEGUN,
    RECOVERY_FOLDERS,
    RECOVERY_LOG_NAMES,
    RECOVERY_BODY_NAMES,
    RECOVERY_QUARANTINE_NAMES,
    RECOVERY_WALK,
    RECOVERY_TRIM,          /* segments behind the end go */
    RECOVERY_KEEP_READ,     /* the end of the log, as far as nothing says that it is durable, */
    RECOVERY_KEEP_WRITE,    /* piece by piece, written once more and synced */
    RECOVERY_ZERO,          /* the torn tail */
    RECOVERY_SAVE_READ,     /* damaged octets, piece by piece */
    RECOVERY_SAVE_WRITE,
    RECOVERY_REOPEN,        /* the last segment, to append to */
    RECOVERY_OVER,
};

enum { DAMAGES_MOST = 1000, RECOVERY_PIECE = 1024 * 1024, RECOVERY_TRIES = 3 };

struct recovery {
    enum recovery_stage stage;
    uint32_t generation;        /* answers of an older one are not wanted */
    uint32_t *numbers;          /* of segments */
    size_t numbers_n;
    uint64_t *bodies;           /* files there are, in order */
    size_t bodies_n;
    struct log_walk walk;
    struct walk_end end;
    struct replay replay;
    struct walk_flaw *damages;
    size_t damages_n, damage;
    uint64_t saved;             /* octets of that damage that are copied */
    uint32_t slot, open;        /* open: the segment in the slot, 0 none */
    uint32_t want_segment;      /* what the walk waits for */
    uint64_t want_offset;
    uint32_t want_count;
    uint64_t ahead;             /* octets asked for, beyond what the walk waits for: offset, or 0 */
    struct chain chain;         /* after the walk */
    bool untrimmed;             /* a segment behind the end could not be removed */
    unsigned tries;             /* of the read under way that failed */
    uint32_t save_slot;
    uint64_t kept;              /* octets of the last segment that are surely durable */
};

struct queue;

void recovery_begin(struct queue *q, struct effects *fx);
void recovery_io(struct queue *q, struct token token, const struct event *event,
                 struct effects *fx);
void recovery_done(struct recovery *recovery);

/* mend.c: the log was walked; set right what was found, and open it. */
void recovery_walked(struct queue *q, struct effects *fx);
void recovery_mended(struct queue *q, struct token came, const struct event *event,
                     struct effects *fx);

#endif
