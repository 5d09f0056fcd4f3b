/* SPDX-License-Identifier: ISC
 *
 * queue/order_int.h: what an operator wants done with recipients of one letter.
 *
 * An order reads the letter's record, changes those of its recipients that may be changed, and is
 * answered when that is durable. Promise: the changes of one order are one atomic group (a bounce:
 * one for each report, with the recipients that it is about); a recipient that is being delivered
 * is left alone; an order whose group failed is answered as not certain, never as done.
 */
#ifndef POSTERN_QUEUE_ORDER_INT_H
#define POSTERN_QUEUE_ORDER_INT_H

#include "base/buffer.h"
#include "queue/queue.h"

enum { ORDERS_MOST = 128 };

struct order {
    bool used, fetching;
    uint32_t number;            /* grows by ORDERS_MOST with each question to the disk */
    uint32_t token, uid;
    enum queue_verb verb;
    uint64_t letter, lsn;
    size_t wanted;              /* recipients that it names */
    struct buffer octets;       /* what follows lies in it */
    struct bytes recipients, to, reason, keys;
};

struct orders {
    struct order list[ORDERS_MOST];
    size_t n;
};

struct fate;

void orders_done(struct orders *orders);
void order_turn(struct queue *q, struct effects *fx);
/* The record of its letter was read. */
void order_record(struct queue *q, uint32_t number, struct bytes payload, enum fault fault,
                  struct effects *fx);
/* The group of a FATE_ORDER is durable, or failed. */
void order_settle(struct queue *q, const struct fate *fate, bool well);

#endif
