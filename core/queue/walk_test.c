/* SPDX-License-Identifier: ISC
 *
 * The walk over logs that the test writes octet by octet: cut, flipped, torn, forged.
 */
#include "queue/walk_int.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const uint8_t key[STORE_KEY] = "a secret of ours";
enum { SIZE = 16384, SEGMENTS = 3, SEEN = 64 };

/* Segments 1 .. SEGMENTS, and where the next record goes. */
static char disk[SEGMENTS][SIZE];
static size_t size[SEGMENTS], at[SEGMENTS];
static uint64_t durable;

/* What the walk told. */
static uint64_t seen[SEEN];
static size_t seen_n;
static struct walk_flaw flaws[SEEN];
static size_t flaws_n;
static struct walk_end last;

static void make_segment(unsigned segment)
{
    struct segment_head head = { .number = segment + 1, .epoch = 1 };

    memset(disk[segment], 0, SIZE);
    memcpy(head.key, key, STORE_KEY);
    segment_head_write(disk[segment], &head);
    size[segment] = SIZE;
    at[segment] = SEGMENT_HEAD;
}

static void clear(unsigned segments)
{
    memset(size, 0, sizeof(size));
    for (unsigned i = 0; i < segments; i++)
        make_segment(i);
    durable = lsn_of(1, SEGMENT_HEAD);
}

/* A record of some octets in the segment (from 0). Returns its offset. */
static size_t put(unsigned segment, enum record_kind kind, uint64_t id, struct bytes payload,
                  uint8_t flags)
{
    char *to = disk[segment] + at[segment];
    uint64_t base = lsn_of(segment + 1, SEGMENT_HEAD);
    struct record record = { .lsn = lsn_of(segment + 1, at[segment]), .kind = kind, .id = id,
                             .epoch = 1, .length = (uint32_t)payload.n, .flags = flags,
                             .durable = durable > base ? durable : base };
    size_t was = at[segment];

    memcpy(to + RECORD_HEAD, payload.at, payload.n);
    record_finish(to, &record, key);
    at[segment] += record_size(payload.n);
    return was;
}

static size_t put_state(unsigned segment, uint64_t id)
{
    return put(segment, RECORD_STATE, id, BYTES("a payload of some octets, not looked at"), 0);
}

static void synced(unsigned segment)
{
    durable = lsn_of(segment + 1, at[segment]);
}

static void walk_all(void)
{
    struct log_walk walk;
    uint32_t numbers[SEGMENTS];
    size_t n = 0;

    seen_n = flaws_n = 0;
    for (unsigned i = 0; i < SEGMENTS; i++)
        if (size[i] > 0)
            numbers[n++] = i + 1;
    assert_true(log_walk_init(&walk, numbers, n));
    for (int steps = 0; steps < 100000; steps++) {
        struct walk_step step = log_walk_next(&walk);
        if (step.need == WALK_END) {
            last = step.end;
            break;
        }
        assert_int_not_equal(step.need, WALK_NO_MEMORY);
        if (step.need == WALK_RECORD && seen_n < SEEN && step.record.id != 0)
            seen[seen_n++] = step.record.id;
        if (step.need == WALK_FLAW && flaws_n < SEEN)
            flaws[flaws_n++] = step.flaw;
        if (step.need != WALK_READ)
            continue;
        size_t s = step.segment - 1, from = step.offset < size[s] ? step.offset : size[s];
        struct bytes all =
            bytes_first((struct bytes){ disk[s] + from, size[s] - from }, step.count);
        log_walk_give(&walk, all, false);
    }
    log_walk_done(&walk);
}

static bool saw(uint64_t id)
{
    for (size_t i = 0; i < seen_n; i++)
        if (seen[i] == id)
            return true;
    return false;
}

static void an_empty_log(void **state)
{
    clear(0);
    walk_all();
    assert_true(last.nothing);
    clear(1);
    walk_all();
    assert_false(last.nothing);
    assert_int_equal(last.lsn, lsn_of(1, SEGMENT_HEAD));
    assert_int_equal(flaws_n, 0);
}

static void all_records_in_order(void **state)
{
    clear(2);
    for (uint64_t id = 1; id <= 5; id++)
        put_state(0, id);
    put(0, RECORD_SEAL, 0, BYTES_NONE, 0);
    put_state(1, 6);
    walk_all();
    assert_int_equal(seen_n, 6);
    for (uint64_t id = 1; id <= 6; id++)
        assert_int_equal(seen[id - 1], id);
    assert_int_equal(last.lsn, lsn_of(2, at[1]));
    assert_int_equal(flaws_n, 0);
    assert_int_equal(last.zero_to, 0);
}

/* SPL-001: cut the file at every length: what remains reads as an earlier moment of the same
   log. */
static void every_prefix(void **state)
{
    size_t ends[4];

    clear(1);
    for (uint64_t id = 1; id <= 4; id++) {
        put_state(0, id);
        ends[id - 1] = at[0];
    }
    for (size_t cut = SEGMENT_HEAD; cut <= at[0] + 100; cut++) {
        size_t whole = 0;
        size[0] = cut;
        while (whole < 4 && ends[whole] <= cut)
            whole++;
        walk_all();
        assert_int_equal(seen_n, whole);
        for (size_t i = 0; i < flaws_n; i++)
            assert_true(flaws[i].torn);
        assert_int_equal(last.lsn, lsn_of(1, whole == 0 ? SEGMENT_HEAD : ends[whole - 1]));
    }
}

/* SPL-002: each single bit: every record but the one that was hit is kept, that one is never
   told. */
static void every_bit(void **state)
{
    size_t starts[4];

    clear(1);
    for (uint64_t id = 1; id <= 4; id++)
        starts[id - 1] = put_state(0, id);
    synced(0);
    put(0, RECORD_MARK, 0, BYTES("0123456789abcdef"), 0);
    for (size_t bit = 8 * starts[0]; bit < 8 * (starts[3] + 96); bit++) {
        size_t hit = (bit / 8 - starts[0]) / 96;
        disk[0][bit / 8] = (char)(disk[0][bit / 8] ^ (1 << bit % 8));
        walk_all();
        assert_int_equal(seen_n, 3);
        assert_false(saw(hit + 1));
        assert_int_equal(flaws_n, 1);
        assert_false(flaws[0].torn);
        assert_int_equal(flaws[0].lsn, lsn_of(1, starts[hit]));
        assert_int_equal(flaws[0].octets, 96);
        disk[0][bit / 8] = (char)(disk[0][bit / 8] ^ (1 << bit % 8));
    }
}

/* The same flaw is a torn tail when nothing says that it was durable, and damage when
   something does. */
static void a_torn_tail_is_told_from_damage(void **state)
{
    clear(1);
    put_state(0, 1);
    size_t flaw = put_state(0, 2);
    put_state(0, 3);
    disk[0][flaw + 60] ^= 1;
    walk_all();
    assert_int_equal(seen_n, 1);
    assert_true(flaws[0].torn);
    assert_int_equal(last.lsn, lsn_of(1, flaw));
    assert_int_equal(last.zero_to, at[0]);      /* what came later is not to be found again */
    durable = lsn_of(1, flaw);                  /* exactly up to the flaw: still torn */
    put_state(0, 4);
    walk_all();
    assert_int_equal(seen_n, 1);
    durable = lsn_of(1, flaw + 8);
    put_state(0, 5);
    walk_all();
    assert_int_equal(seen_n, 4);
    assert_false(flaws[0].torn);
    assert_int_equal(flaws[0].id, 2);           /* its head is whole: the letter can be named */
}

static void durable_octets_that_are_gone_are_damage(void **state)
{
    clear(2);
    put_state(0, 1);
    put_state(1, 2);        /* says that all of segment 1 was durable; but it has no seal */
    walk_all();
    assert_int_equal(seen_n, 2);
    assert_int_equal(flaws_n, 1);
    assert_false(flaws[0].torn);
}

/* SPL-003: a torn last write, in any mix of sectors: the record or nothing. */
static void torn_sectors(void **state)
{
    char whole[SIZE], payload[1500];

    clear(1);
    put_state(0, 1);
    memset(payload, 'p', sizeof(payload));
    size_t start = at[0];
    memcpy(whole, disk[0], SIZE);
    put(0, RECORD_STATE, 2, (struct bytes){ payload, sizeof(payload) }, 0);
    size_t first = start / 512, sectors = (at[0] + 511) / 512 - first;
    char full[SIZE];
    memcpy(full, disk[0], SIZE);
    for (unsigned which = 0; which < 1u << sectors; which++) {
        memcpy(disk[0], whole, SIZE);
        for (size_t s = 0; s < sectors; s++)
            if ((which >> s & 1) != 0)
                memcpy(disk[0] + 512 * (first + s), full + 512 * (first + s), 512);
        bool is_whole = memcmp(disk[0], full, at[0]) == 0;
        walk_all();
        assert_int_equal(seen_n, is_whole ? 2 : 1);
        assert_int_equal(last.lsn, lsn_of(1, is_whole ? at[0] : start));
    }
}

/* A letter whose text is real records of this very log, at their places or at its own, forges
   none. */
static void a_text_of_records_forges_nothing(void **state)
{
    static char text[3000];

    clear(1);
    size_t start = put_state(0, 7);
    memcpy(text, disk[0] + start, 96);
    size_t victim = at[0];
    for (size_t i = 0; i + 96 <= sizeof(text); i += 96) {
        uint64_t lsn = lsn_of(1, victim + RECORD_HEAD + i);
        memcpy(text + i, text, 96);
        for (unsigned b = 0; b < 8; b++)        /* the place it will lie at, but not the secret */
            text[i + b] = (char)(lsn >> (8 * b));
    }
    put(0, RECORD_LETTER, 8, (struct bytes){ text, sizeof(text) }, 0);
    synced(0);
    put_state(0, 9);
    disk[0][victim + 20] ^= 1;
    walk_all();
    assert_int_equal(seen_n, 2);
    assert_true(saw(7) && saw(9));
}

static void an_atomic_group_counts_whole_or_not(void **state)
{
    size_t starts[3];

    for (int hit = -1; hit < 3; hit++)
        for (int known = 0; known < 2; known++) {
            clear(1);
            put_state(0, 1);
            starts[0] = put(0, RECORD_LETTER, 2, BYTES("one"), RECORD_MORE);
            starts[1] = put(0, RECORD_STATE, 3, BYTES("two"), RECORD_MORE | RECORD_GOES_ON);
            starts[2] = put(0, RECORD_STATE, 4, BYTES("three"), RECORD_GOES_ON);
            if (known != 0)
                synced(0);
            put_state(0, 5);
            if (hit >= 0)
                disk[0][starts[hit] + 57] ^= 1;
            walk_all();
            bool group = hit < 0;
            assert_true(saw(1));
            assert_int_equal(saw(2), group);
            assert_int_equal(saw(3), group);
            assert_int_equal(saw(4), group);
            assert_int_equal(saw(5), group || known != 0);
            if (!group && known == 0)
                assert_int_equal(last.lsn, lsn_of(1, starts[0]));
        }
}

static void an_unfinished_group_is_dropped(void **state)
{
    clear(1);
    put_state(0, 1);
    size_t start = put(0, RECORD_LETTER, 2, BYTES("one"), RECORD_MORE);
    walk_all();
    assert_int_equal(seen_n, 1);
    assert_int_equal(last.lsn, lsn_of(1, start));
    assert_int_equal(last.zero_to, at[0]);
}

static void a_cut_ends_a_segment(void **state)
{
    char payload[CUT_BYTES];

    clear(2);
    put_state(0, 1);
    struct cut cut = { 1, lsn_of(1, at[0]) };
    put_state(0, 2);        /* of the group whose sync failed: never read back */
    cut_write(payload, &cut, 1);
    put(1, RECORD_CUT, 0, (struct bytes){ payload, sizeof(payload) }, 0);
    put_state(1, 3);
    walk_all();
    assert_int_equal(seen_n, 2);
    assert_true(saw(1) && saw(3));
    assert_int_equal(flaws_n, 0);
}

/* The octets that a segment held before it was recycled: other places, other epoch. */
static void old_octets_are_not_ours(void **state)
{
    clear(2);
    for (uint64_t id = 1; id <= 8; id++)
        put_state(0, id);
    make_segment(1);
    memcpy(disk[1] + SEGMENT_HEAD, disk[0] + SEGMENT_HEAD, SIZE - SEGMENT_HEAD);
    at[1] = SEGMENT_HEAD;
    put(0, RECORD_SEAL, 0, BYTES_NONE, 0);
    put_state(1, 9);
    walk_all();
    assert_int_equal(seen_n, 9);
    assert_int_equal(flaws_n, 0);
    assert_int_equal(last.lsn, lsn_of(2, at[1]));
}

static void a_lost_head_loses_no_record(void **state)
{
    clear(2);
    put_state(0, 1);
    put(0, RECORD_SEAL, 0, BYTES_NONE, 0);
    put_state(1, 2);
    memset(disk[0], 0, SEGMENT_HEAD);
    walk_all();
    assert_int_equal(seen_n, 2);
    memset(disk[1], 0, SEGMENT_HEAD);
    walk_all();
    assert_true(last.unreadable);
    assert_int_equal(seen_n, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_log),
        cmocka_unit_test(all_records_in_order),
        cmocka_unit_test(every_prefix),
        cmocka_unit_test(every_bit),
        cmocka_unit_test(a_torn_tail_is_told_from_damage),
        cmocka_unit_test(durable_octets_that_are_gone_are_damage),
        cmocka_unit_test(torn_sectors),
        cmocka_unit_test(a_text_of_records_forges_nothing),
        cmocka_unit_test(an_atomic_group_counts_whole_or_not),
        cmocka_unit_test(an_unfinished_group_is_dropped),
        cmocka_unit_test(a_cut_ends_a_segment),
        cmocka_unit_test(old_octets_are_not_ours),
        cmocka_unit_test(a_lost_head_loses_no_record),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
