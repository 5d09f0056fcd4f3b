/* SPDX-License-Identifier: ISC
 *
 * queue/commit_int.h: what log.c and commit.c know of each other.
 */
#ifndef POSTERN_QUEUE_COMMIT_INT_H
#define POSTERN_QUEUE_COMMIT_INT_H

#include "queue/log_int.h"

/* Forget a group's records and fates; its memory for lists is kept. */
void group_clear(struct group *group);
/* A state change whose payload is written already. */
MUST_USE bool log_state_again(struct queue *q, uint64_t id, struct bytes payload,
                              uint64_t *ret_lsn);
/* Gather a mark, to say what is durable. */
void log_mark(struct queue *q);

#endif
