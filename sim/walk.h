/* SPDX-License-Identifier: ISC
 *
 * sim/walk.h: a chooser that goes through every sequence of choices, one sequence a round.
 *
 *   struct walk walk = walk_start();
 *   do { walk_round(&walk); ... use walk_chooser(&walk) ... } while (walk_next(&walk));
 */
#ifndef POSTERN_SIM_WALK_H
#define POSTERN_SIM_WALK_H

#include "sim/dice.h"

enum { WALK_DEPTH = 256 };      /* choices of one round; those beyond it take the first answer */

struct walk {
    uint64_t at[WALK_DEPTH], of[WALK_DEPTH];
    size_t depth;
};

static inline struct walk walk_start(void) { return (struct walk){ .depth = 0 }; }
void walk_round(struct walk *walk);
/* Prepare the next round; false when all were gone through. */
bool walk_next(struct walk *walk);
struct chooser walk_chooser(struct walk *walk);

#endif
