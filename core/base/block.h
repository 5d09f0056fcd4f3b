/* SPDX-License-Identifier: ISC
 *
 * base/block.h: 64 octets of text looked at together; bit i of a mask stands for octet i.
 */
#ifndef POSTERN_BASE_BLOCK_H
#define POSTERN_BASE_BLOCK_H

#include "base/bytes.h"

#include <string.h>

enum { BLOCK_OCTETS = 64 };

#if defined(__SSE2__)
typedef char block_lane __attribute__((vector_size(16)));

/* Where the 64 octets at `at` equal c. */
static inline uint64_t block_where(const char *at, char c)
{
    block_lane wanted = { c, c, c, c, c, c, c, c, c, c, c, c, c, c, c, c };
    uint64_t mask = 0;

    for (unsigned i = 0; i < 4; i++) {
        block_lane lane;
        memcpy(&lane, at + 16 * i, sizeof(lane));
        lane = (block_lane)(lane == wanted);
        mask |= (uint64_t)(uint16_t)__builtin_ia32_pmovmskb128(lane) << (16 * i);
    }
    return mask;
}
#else
static inline uint64_t block_where(const char *at, char c)
{
    uint64_t mask = 0;

    for (unsigned i = 0; i < BLOCK_OCTETS; i++)
        mask |= (uint64_t)(at[i] == c) << i;
    return mask;
}
#endif

#endif
