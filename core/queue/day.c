/* SPDX-License-Identifier: ISC */
#include "queue/day_int.h"

#include "base/hash.h"
#include "base/number.h"

#include <string.h>

/* Days since 1970-01-01 to year, month, day and back: years begin in March, so that the leap day is
   the last, and come in cycles of 400. */
enum { CYCLE_DAYS = 146097, EPOCH_SHIFT = 719468, YEAR_MOST = 9999 };

static uint64_t days_of(uint64_t year, uint64_t month, uint64_t day)
{
    uint64_t from_march = (month + 9) % 12;

    year -= month <= 2;
    uint64_t in_cycle = year % 400;
    uint64_t in_year = (153 * from_march + 2) / 5 + day - 1;
    return year / 400 * CYCLE_DAYS + in_cycle * 365 + in_cycle / 4 - in_cycle / 100 + in_year
         - EPOCH_SHIFT;
}

static void put_digits(char *at, uint64_t number, size_t n)
{
    for (size_t i = n; i > 0; i--) {
        at[i - 1] = (char)('0' + number % 10);
        number /= 10;
    }
}

void day_write(uint64_t day, bool idx, char ret_name[static DAY_NAME])
{
    uint64_t last = days_of(YEAR_MOST, 12, 31);
    uint64_t shifted = (day < last ? day : last) + EPOCH_SHIFT, in_cycle = shifted % CYCLE_DAYS;
    uint64_t year = (in_cycle - in_cycle / 1460 + in_cycle / 36524 - in_cycle / 146096) / 365;
    uint64_t in_year = in_cycle - (365 * year + year / 4 - year / 100);
    uint64_t from_march = (5 * in_year + 2) / 153, month = (from_march + 2) % 12 + 1;

    memcpy(ret_name, idx ? "0000-00-00.idx" : "0000-00-00.log", DAY_NAME);
    put_digits(ret_name, year + shifted / CYCLE_DAYS * 400 + (month <= 2), 4);
    put_digits(ret_name + 5, month, 2);
    put_digits(ret_name + 8, in_year - (153 * from_march + 2) / 5 + 1, 2);
}

bool day_read(struct bytes name, uint64_t *ret_day, bool *ret_idx)
{
    uint64_t year, month, day;
    char again[DAY_NAME];

    if (name.n != DAY_NAME || !number_parse(bytes_first(name, 4), &year)
        || !number_parse(bytes_first(bytes_skip(name, 5), 2), &month)
        || !number_parse(bytes_first(bytes_skip(name, 8), 2), &day)
        || year < 1970 || month < 1 || month > 12 || day < 1 || day > 31)
        return false;
    bool idx = bytes_ends(name, BYTES(".idx"));
    uint64_t days = days_of(year, month, day);
    day_write(days, idx, again);
    if (!bytes_equal(name, (struct bytes){ again, DAY_NAME }))
        return false;
    *ret_day = days;
    *ret_idx = idx;
    return true;
}

static const struct bytes magic = BYTES_INIT("PSTNIDX\n");

void idx_head_write(char ret_head[static IDX_HEAD], const uint8_t secret[static 16])
{
    memset(ret_head, 0, IDX_HEAD);
    memcpy(ret_head, magic.at, magic.n);
    memcpy(ret_head + 8, secret, 16);
}

bool idx_head_read(struct bytes head, uint8_t ret_secret[static 16])
{
    if (head.n < IDX_HEAD || !bytes_begins(head, magic))
        return false;
    memcpy(ret_secret, head.at + 8, 16);
    return true;
}

uint64_t idx_hash(const uint8_t secret[static 16], uint64_t key)
{
    char text[8];

    day_store(text, key);
    return siphash(secret, (struct bytes){ text, sizeof(text) });
}
