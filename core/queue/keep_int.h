/* SPDX-License-Identifier: ISC
 *
 * queue/keep_int.h: octets of the owner's own beside the letters, in the files `kept` and `memory`:
 * a check (CRC-32C, little-endian), then the octets.
 *
 * Written whole under another name, synced, renamed, and the folder synced: after a crash all of it
 * is there as it was, or as it was to be; and as it was to be when NEWS_KEPT said so. It is read
 * before the first job is handed out.
 */
#ifndef POSTERN_QUEUE_KEEP_INT_H
#define POSTERN_QUEUE_KEEP_INT_H

#include "queue/queue.h"
#include "queue/segment_int.h"

enum { KEEP_TRIES = 3, KEEP_CHECK = 4 };

enum keep_stage { KEEP_NOT_READ, KEEP_READING, KEEP_RESTS, KEEP_WRITING };
struct keep {
    enum keep_stage stage;
    struct chain chain;
    uint32_t slot;
    unsigned tries;
    struct buffer octets;           /* as read */
};

void keeps_done(struct keep keeps[static QUEUE_KEEPS]);
/* At the start; and as often as there was no file slot. */
void keeps_turn(struct queue *q, struct effects *fx);
void keep_io(struct queue *q, struct token token, const struct event *event, struct effects *fx);
/* Is it known what was kept? */
bool keeps_are_known(const struct keep keeps[static QUEUE_KEEPS]);
/* Is none of it being written? */
bool keeps_rest(const struct keep keeps[static QUEUE_KEEPS]);

#endif
