/* SPDX-License-Identifier: ISC */
#include "sim/odds.h"

#include <inttypes.h>
#include <stdio.h>

struct odds odds_usual(void)
{
    return (struct odds){
#define O(name, usual, most, words) .name = usual,
        ODDS_LIST(O)
#undef O
    };
}

struct odds odds_none(void)
{
    return (struct odds){ .split = 0 };
}

/* Each is away in one run of three: what is always there hides what comes after it. */
static uint32_t draw(struct dice *dice, uint32_t most)
{
    return dice_below(dice, 3) == 0 ? 0 : (uint32_t)dice_below(dice, (uint64_t)most + 1);
}

struct odds odds_swarm(struct dice *dice)
{
    struct odds odds;

#define O(name, usual, most, words) odds.name = draw(dice, most);
    ODDS_LIST(O)
#undef O
    return odds;
}

void totals_add(struct totals *sum, const struct totals *more)
{
#define O(name, usual, most, words) sum->name += more->name;
    ODDS_LIST(O)
#undef O
#define T(name, words) sum->name += more->name;
    TOTALS_LIST(T)
#undef T
}

static void print(uint64_t count, const char *words)
{
    printf("%12" PRIu64 "  %s\n", count, words);
}

void totals_print(const struct totals *totals)
{
#define O(name, usual, most, words) print(totals->name, words);
    ODDS_LIST(O)
#undef O
#define T(name, words) print(totals->name, words);
    TOTALS_LIST(T)
#undef T
}
