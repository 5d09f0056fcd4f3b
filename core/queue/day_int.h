/* SPDX-License-Identifier: ISC
 *
 * queue/day_int.h: the history's files are named by day (UTC), and what stands in them.
 *
 *   YYYY-MM-DD.log   events, each: u32 length, u32 CRC-32C, octets (history_put)
 *   YYYY-MM-DD.idx   32 octets: magic, 16 octets of secret, zeroes; then for each key of an
 *                    event 16: u64 SipHash of its key with that secret, u64 offset in the .log
 */
#ifndef POSTERN_QUEUE_DAY_INT_H
#define POSTERN_QUEUE_DAY_INT_H

#include "base/buffer.h"

enum { DAY_MS = 86400000, DAY_NAME = 14, IDX_HEAD = 32, IDX_ENTRY = 16, EVENT_HEAD = 8,
       EVENT_MOST = 56 * 1024 };

/* "2026-11-21.log" of days since 1970; `idx`: "2026-11-21.idx". */
void day_write(uint64_t day, bool idx, char ret_name[static DAY_NAME]);
MUST_USE bool day_read(struct bytes name, uint64_t *ret_day, bool *ret_idx);

void idx_head_write(char ret_head[static IDX_HEAD], const uint8_t secret[static 16]);
MUST_USE bool idx_head_read(struct bytes head, uint8_t ret_secret[static 16]);
/* What stands in the index for a history_key. */
uint64_t idx_hash(const uint8_t secret[static 16], uint64_t key);

static inline uint64_t day_load(const char *at)
{
    uint64_t word = 0;

    for (unsigned i = 0; i < 8; i++)
        word |= (uint64_t)octet(at[i]) << (8 * i);
    return word;
}
static inline void day_store(char *at, uint64_t word)
{
    for (unsigned i = 0; i < 8; i++)
        at[i] = (char)(uint8_t)(word >> (8 * i));
}

#endif
