/* SPDX-License-Identifier: ISC
 *
 * queue/list_int.h: what `postern queue` asks: the unfinished recipients, letter by letter.
 */
#ifndef POSTERN_QUEUE_LIST_INT_H
#define POSTERN_QUEUE_LIST_INT_H

#include "base/buffer.h"
#include "queue/queue.h"

enum { LISTINGS_MOST = 8, LISTING_ROWS_MOST = 1000 };

struct listing {
    bool used;
    uint32_t token, number;     /* number: grows by LISTINGS_MOST with each question to the disk */
    uint64_t after;             /* the last letter that is done with */
    uint32_t rows;              /* that may still come */
    uint64_t letter;            /* being told, or 0 */
    uint32_t recipient;         /* the next one of it */
    struct buffer payload;      /* of its record; empty when that cannot be read */
    bool loaded;                /* the record was read: its recipients are being told */
    bool fetching;
};

struct listings {
    struct listing list[LISTINGS_MOST];
};

void listings_done(struct listings *listings);
void listings_forget(struct listings *listings);
void listing_turn(struct queue *q, struct effects *fx);
void listing_record(struct queue *q, uint32_t number, struct bytes payload, enum fault fault,
                    struct effects *fx);

#endif
