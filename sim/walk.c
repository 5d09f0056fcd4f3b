/* SPDX-License-Identifier: ISC */
#include "sim/walk.h"

static uint64_t pick(void *ctx, uint64_t n)
{
    struct walk *walk = ctx;

    if (walk->depth == WALK_DEPTH)
        return 0;
    walk->of[walk->depth] = n;
    return walk->at[walk->depth++];
}

struct chooser walk_chooser(struct walk *walk)
{
    return (struct chooser){ .pick = pick, .ctx = walk };
}

void walk_round(struct walk *walk)
{
    walk->depth = 0;
}

bool walk_next(struct walk *walk)
{
    while (walk->depth > 0) {
        size_t last = walk->depth - 1;
        if (++walk->at[last] < walk->of[last])
            return true;
        walk->at[last] = 0;
        walk->depth--;
    }
    return false;
}
