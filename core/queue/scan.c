/* SPDX-License-Identifier: ISC */
#include "queue/scan_int.h"

#include "base/arena.h"

#include <assert.h>
#include <string.h>

void scan_init(struct scan *scan, const uint8_t key[static STORE_KEY])
{
    *scan = (struct scan){ .window = buffer_with_most(SCAN_PIECE + 2 * LIMIT_RECORD_BYTES) };
    memcpy(scan->key, key, STORE_KEY);
}

void scan_done(struct scan *scan)
{
    buffer_done(&scan->window);
}

void scan_begin(struct scan *scan, uint32_t segment, uint64_t offset)
{
    assert(offset % 8 == 0);
    buffer_clear(&scan->window);
    scan->segment = segment;
    scan->used = 0;
    scan->start = offset;
    scan->at_end = false;
    scan->ours = 0;
    scan->broken_id = 0;
}

static void drop_used(struct scan *scan)
{
    buffer_drop(&scan->window, scan->used);
    scan->start += scan->used;
    scan->used = 0;
}

bool scan_give(struct scan *scan, struct bytes octets, bool at_end)
{
    drop_used(scan);
    buffer_put(&scan->window, octets);
    scan->at_end = at_end;
    return !scan->window.bad;
}

bool scan_give_zeroes(struct scan *scan, size_t n)
{
    drop_used(scan);
    buffer_put_chars(&scan->window, '\0', n);
    return !scan->window.bad;
}

static struct bytes ahead(const struct scan *scan)
{
    return bytes_skip(buffer_bytes(&scan->window), scan->used);
}

static enum record_is look(struct scan *scan, struct record *ret_record)
{
    uint64_t lsn = lsn_of(scan->segment, scan_offset(scan));
    enum record_is is = record_read(ahead(scan), lsn, scan->key, ret_record);

    return is != RECORD_IS_NOT && ret_record->epoch < scan->epoch ? RECORD_IS_NOT : is;
}

enum scan_is scan_next(struct scan *scan, struct record *ret_record)
{
    struct record record;

    if (ahead(scan).n == 0 && scan->at_end)
        return SCAN_END;
    if (ahead(scan).n < RECORD_HEAD)
        return scan->at_end ? SCAN_FLAW : SCAN_HUNGRY;
    enum record_is is = look(scan, &record);
    if (is == RECORD_IS_SHORT)
        return scan->at_end ? SCAN_FLAW : SCAN_HUNGRY;
    if (is != RECORD_IS_WHOLE)
        return SCAN_FLAW;
    scan->used += record_size(record.length);
    scan->ours = scan_offset(scan);
    scan->epoch = record.epoch;
    *ret_record = record;
    return SCAN_RECORD;
}

static uint64_t load(const char *at)
{
    uint64_t word = 0;

    for (unsigned i = 0; i < 8; i++)
        word |= (uint64_t)octet(at[i]) << (8 * i);
    return word;
}

/* Step on to octets that name their own place as their LSN: they are, or once were, a record
   of this segment. False: there are none in the window. */
static bool find_claim(struct scan *scan)
{
    const char *at = scan->window.at;
    size_t used = scan->used, n = scan->window.n;
    uint64_t lsn = lsn_of(scan->segment, scan_offset(scan));

    while (n - used >= RECORD_HEAD && load(at + used) != lsn) {
        used += 8;
        lsn += 8;
    }
    scan->used = used;
    return n - used >= RECORD_HEAD;
}

static void note_ours(struct scan *scan, enum record_is is, const struct record *record)
{
    uint64_t end =
        scan_offset(scan) + (is == RECORD_IS_NOT ? RECORD_HEAD : record_size(record->length));

    if (end > scan->ours)
        scan->ours = end;
    if (is == RECORD_IS_BROKEN && scan->broken_id == 0)
        scan->broken_id = record->id;
}

enum scan_is scan_seek(struct scan *scan)
{
    while (find_claim(scan)) {
        struct record record;
        enum record_is is = look(scan, &record);
        if (is == RECORD_IS_WHOLE)
            return SCAN_RECORD;
        if (is == RECORD_IS_SHORT && !scan->at_end)
            return SCAN_HUNGRY;
        note_ours(scan, is, &record);
        scan->used += 8;
    }
    if (!scan->at_end)
        return SCAN_HUNGRY;
    scan->used = scan->window.n;
    return SCAN_END;
}
