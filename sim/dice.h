/* SPDX-License-Identifier: ISC
 *
 * sim/dice.h: the only chance there is in a simulated world. The same seed, the same throws, on
 * any machine: integers only.
 *
 * Stands on base. Each concern (network, disk, clients) has a stream of its own, so that a change
 * in one does not shift all the others.
 */
#ifndef POSTERN_SIM_DICE_H
#define POSTERN_SIM_DICE_H

#include "base/bytes.h"

struct dice { uint64_t state[4]; };

/* Odds are in parts of a million. */
enum { DICE_ALWAYS = 1000000 };

struct dice dice_of(uint64_t seed, uint64_t stream);
uint64_t dice_throw(struct dice *dice);
/* 0 .. n - 1; 0 when n is 0. */
uint64_t dice_below(struct dice *dice, uint64_t n);
/* least .. most, both included; least <= most. */
uint64_t dice_between(struct dice *dice, uint64_t least, uint64_t most);
bool dice_chance(struct dice *dice, uint32_t odds);

/* Somebody who chooses: dice in a run, an exhaustive walk in the enumerator. `pick` answers 0 ..
   n - 1. */
struct chooser {
    uint64_t (*pick)(void *ctx, uint64_t n);
    void *ctx;
};
struct chooser dice_chooser(struct dice *dice);
static inline uint64_t choose(struct chooser chooser, uint64_t n)
{
    return n <= 1 ? 0 : chooser.pick(chooser.ctx, n);
}

/* An order-sensitive mixing of a number into a running hash, for the trace. */
uint64_t mix(uint64_t hash, uint64_t number);
/* The same of octets. */
uint64_t mix_bytes(uint64_t hash, struct bytes text);

#endif
