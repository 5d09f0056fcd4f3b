/* SPDX-License-Identifier: ISC
 *
 * queue/story_int.h: the writer of the history (queue/history.h), and its searches.
 */
#ifndef POSTERN_QUEUE_STORY_INT_H
#define POSTERN_QUEUE_STORY_INT_H

#include "base/buffer.h"
#include "queue/history.h"
#include "queue/queue.h"
#include "queue/record_int.h"
#include "queue/segment_int.h"

struct story {
    struct buffer log, idx;
};

void story_init(struct story *story);
void story_done(struct story *story);
/* A letter is gathered: its event waits with its group. False: no memory. */
MUST_USE bool story_accepted(struct queue *q, uint64_t id, const struct letter_record *letter,
                             struct queue_keys keys);
/* The group is durable: its events go to the history. */
void story_settle(struct queue *q, struct bytes staged);
void story_event(struct queue *q, const struct history_event *event);
void story_turn(struct queue *q, struct effects *fx);
void story_io(struct queue *q, struct token token, const struct event *event, struct effects *fx);
void story_begin(struct queue *q, struct effects *fx);

#endif
