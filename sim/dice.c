/* SPDX-License-Identifier: ISC */
#include "sim/dice.h"

#include <string.h>

/* Steele, Lea, Flood: SplitMix64, to spread a small seed over the state. */
static uint64_t spread(uint64_t *state)
{
    uint64_t z = (*state += 0x9e3779b97f4a7c15u);

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

struct dice dice_of(uint64_t seed, uint64_t stream)
{
    uint64_t state = seed * 0x100000001b3u + stream * 0xd6e8feb86659fd93u;
    struct dice dice;

    for (size_t i = 0; i < COUNT(dice.state); i++)
        dice.state[i] = spread(&state);
    return dice;
}

static uint64_t turn_left(uint64_t x, unsigned by)
{
    return (x << by) | (x >> (64 - by));
}

/* Blackman, Vigna: xoshiro256**. */
uint64_t dice_throw(struct dice *dice)
{
    uint64_t *s = dice->state, out = turn_left(s[1] * 5, 7) * 9, t = s[1] << 17;

    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = turn_left(s[3], 45);
    return out;
}

uint64_t dice_below(struct dice *dice, uint64_t n)
{
    return n == 0 ? 0 : dice_throw(dice) % n;
}

uint64_t dice_between(struct dice *dice, uint64_t least, uint64_t most)
{
    return least + dice_below(dice, most - least + 1);
}

bool dice_chance(struct dice *dice, uint32_t odds)
{
    return odds > 0 && dice_below(dice, DICE_ALWAYS) < odds;
}

static uint64_t throw_for(void *ctx, uint64_t n)
{
    return dice_below(ctx, n);
}

struct chooser dice_chooser(struct dice *dice)
{
    return (struct chooser){ .pick = throw_for, .ctx = dice };
}

uint64_t mix(uint64_t hash, uint64_t number)
{
    uint64_t state = hash ^ (number * 0xff51afd7ed558ccdu);

    return spread(&state);
}

uint64_t mix_bytes(uint64_t hash, struct bytes text)
{
    hash = mix(hash, text.n);
    while (text.n >= 8) {
        uint64_t word;
        memcpy(&word, text.at, 8);
        hash = (hash ^ word) * 0x9e3779b97f4a7c15u;
        hash ^= hash >> 29;
        text = bytes_skip(text, 8);
    }
    for (size_t i = 0; i < text.n; i++)
        hash = (hash ^ octet(text.at[i])) * 0x100000001b3u;
    return mix(hash, 1);
}
