/* SPDX-License-Identifier: ISC
 *
 * sim/future.h: what is still to happen, in order of time; what falls on the same microsecond, in
 * the order of the dice.
 */
#ifndef POSTERN_SIM_FUTURE_H
#define POSTERN_SIM_FUTURE_H

#include "base/bytes.h"

struct world;

/* One thing to come. `run` gets it by value; `bytes` is from room_new and freed after `run`. */
struct future {
    uint64_t at_us, tie;
    void (*run)(struct world *world, struct future *future);
    void *who;
    uint64_t life;              /* of `who`, so that what was meant for a dead one is told */
    uint64_t a, b;
    struct bytes bytes;
};

struct futures {
    struct future *heap;
    size_t n, room;
};

void futures_add(struct futures *futures, struct future future);
/* The next one; false when there is nothing more to come. */
bool futures_take(struct futures *futures, struct future *ret_future);
/* Its moment, or UINT64_MAX. */
uint64_t futures_next_us(const struct futures *futures);
void futures_done(struct futures *futures);

#endif
