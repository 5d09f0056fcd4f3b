/* SPDX-License-Identifier: ISC */
#include "queue/record_int.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const uint8_t key[STORE_KEY] = "a secret of ours";
enum { AT = 8192 };

/* A record with a 2 KiB letter, envelope octets with LF, NUL and CR among them (SPL-005). */
static size_t make(char *ret, size_t text_n)
{
    static char text[4096];
    struct letter_record letter = { .recipients = 1, .received_ms = 7, .size = text_n,
                                    .head = BYTES("he\nad\0\r"), .to = BYTES("\x04\0\0\0a\n\0b"),
                                    .text = { text, text_n } };
    struct record record = { .lsn = lsn_of(1, AT), .kind = RECORD_LETTER, .id = 42, .epoch = 3,
                             .durable = lsn_of(1, SEGMENT_HEAD),
                             .length = (uint32_t)letter_record_size(&letter) };

    memset(text, 'x', sizeof(text));
    letter_record_write(ret + RECORD_HEAD, &letter);
    record_finish(ret, &record, key);
    return record_size(record.length);
}

static enum record_is look(const char *at, size_t n)
{
    struct record record;

    return record_read((struct bytes){ at, n }, lsn_of(1, AT), key, &record);
}

static void a_record_reads_as_it_was_written(void **state)
{
    char octets[4096];
    struct record record;
    struct letter_record letter;
    size_t n = make(octets, 100);

    assert_int_equal(n % 8, 0);
    assert_int_equal(record_read((struct bytes){ octets, n }, lsn_of(1, AT), key, &record),
                     RECORD_IS_WHOLE);
    assert_int_equal(record.id, 42);
    assert_int_equal(record.epoch, 3);
    assert_true(letter_record_read(record.payload, &letter));
    assert_true(bytes_equal(letter.head, BYTES("he\nad\0\r")));
    assert_true(bytes_equal(recipients_nth(letter.to, 0), BYTES("a\n\0b")));
    assert_int_equal(letter.text.n, 100);
}

/* SPL-001: cut at every length. */
static void a_record_cut_short_is_never_whole(void **state)
{
    char octets[4096];
    size_t n = make(octets, 2000);

    for (size_t cut = 0; cut < n; cut++)
        assert_int_equal(look(octets, cut), cut < RECORD_HEAD ? RECORD_IS_NOT : RECORD_IS_SHORT);
    assert_int_equal(look(octets, n), RECORD_IS_WHOLE);
}

/* SPL-002: each single bit of a 2 KiB record. */
static void a_flipped_bit_is_found(void **state)
{
    char octets[4096];
    size_t n = make(octets, 2000);

    for (size_t bit = 0; bit < 8 * n; bit++) {
        octets[bit / 8] = (char)(octets[bit / 8] ^ (1 << bit % 8));
        enum record_is is = look(octets, n);
        assert_true(is == RECORD_IS_NOT || is == RECORD_IS_BROKEN);
        octets[bit / 8] = (char)(octets[bit / 8] ^ (1 << bit % 8));
    }
}

/* SPL-003: any mix of old and new 512-octet sectors is either the new record or none. */
static void a_torn_write_is_found(void **state)
{
    char fresh[4096], old[4096] = { 0 }, mixed[4096];
    size_t n = make(fresh, 2000), sectors = (n + 511) / 512;

    for (unsigned which = 0; which < 1u << sectors; which++) {
        for (size_t s = 0; s < sectors; s++)
            memcpy(mixed + 512 * s, (which >> s & 1) != 0 ? fresh + 512 * s : old + 512 * s, 512);
        assert_int_equal(look(mixed, n) == RECORD_IS_WHOLE, memcmp(mixed, fresh, n) == 0);
    }
}

/* SPL-004: lengths and kinds that cannot be, with a check that says they are ours. */
static void odd_lengths_and_kinds_are_no_records(void **state)
{
    static const struct { size_t at, n; uint64_t value; } rows[] = {
        { 8, 4, UINT64_C(1) << 31 }, { 8, 4, UINT32_MAX }, { 8, 4, LIMIT_RECORD_BYTES + 1 },
        { 12, 1, 0 }, { 12, 1, RECORD_KINDS }, { 12, 1, 255 }, { 13, 1, 255 },
        { 0, 8, UINT64_C(1) << 63 }, { 24, 8, UINT64_MAX }, { 20, 4, 1 },
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        char octets[4096];
        size_t n = make(octets, 10);
        for (size_t b = 0; b < rows[i].n; b++)
            octets[rows[i].at + b] = (char)(rows[i].value >> (8 * b));
        assert_int_equal(look(octets, n), RECORD_IS_NOT);
    }
    assert_int_equal(look("", 0), RECORD_IS_NOT);
}

static void another_store_or_place_is_not_ours(void **state)
{
    static const uint8_t other[STORE_KEY] = "another's secret";
    char octets[4096];
    struct record record;
    size_t n = make(octets, 10);
    struct bytes text = { octets, n };

    assert_int_equal(record_read(text, lsn_of(1, AT), other, &record), RECORD_IS_NOT);
    assert_int_equal(record_read(text, lsn_of(2, AT), key, &record), RECORD_IS_NOT);
    assert_int_equal(record_read(text, lsn_of(1, AT + 8), key, &record), RECORD_IS_NOT);
}

static void a_segment_head_stands_twice(void **state)
{
    char page[SEGMENT_HEAD];
    struct segment_head head = { .number = 7, .epoch = 2, .last_id = 99, .wall_ms = 5 }, read;
    bool damaged;

    memcpy(head.key, key, STORE_KEY);
    segment_head_write(page, &head);
    for (size_t bit = 0; bit < 8 * 64; bit++) {
        page[bit / 8] = (char)(page[bit / 8] ^ (1 << bit % 8));
        assert_true(segment_head_read((struct bytes){ page, sizeof(page) }, &read, &damaged));
        assert_true(damaged);
        assert_int_equal(read.last_id, 99);
        page[bit / 8] = (char)(page[bit / 8] ^ (1 << bit % 8));
    }
    page[0] = page[2048] = 'x';
    assert_false(segment_head_read((struct bytes){ page, sizeof(page) }, &read, NULL));
    assert_false(segment_head_read((struct bytes){ page, 30 }, &read, NULL));
}

static void payloads_of_states_marks_and_cuts(void **state)
{
    char octets[256];
    struct state_record written = { .outcome = 2, .recipient = 3, .attempt = 4, .at_ms = 5,
                                    .due_ms = 6, .wait_ms = 7, .class = 4, .subject = 2,
                                    .detail = 259, .words = BYTES("later") }, read;
    struct cut cuts[CUTS_MOST] = { { 1, 77 }, { 2, 88 } };
    uint64_t last;

    state_record_write(octets, &written);
    size_t n = state_record_size(&written);
    assert_true(state_record_read((struct bytes){ octets, n }, &read));
    assert_int_equal(read.detail, 259);
    assert_true(bytes_equal(read.words, written.words));
    for (size_t cut = 0; cut < STATE_FIXED; cut++)
        assert_false(state_record_read((struct bytes){ octets, cut }, &read));
    cut_write(octets, cuts, 2);
    assert_int_equal(cut_read((struct bytes){ octets, 2 * CUT_BYTES }, cuts), 2);
    assert_int_equal(cut_read((struct bytes){ octets, 2 * CUT_BYTES - 1 }, cuts), 1);
    assert_int_equal(cuts[0].end, 77);
    mark_write(octets, 9, 10);
    assert_true(mark_read((struct bytes){ octets, MARK_BYTES }, &last));
    assert_int_equal(last, 9);
    assert_false(mark_read((struct bytes){ octets, MARK_BYTES - 1 }, &last));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_record_reads_as_it_was_written),
        cmocka_unit_test(a_record_cut_short_is_never_whole),
        cmocka_unit_test(a_flipped_bit_is_found),
        cmocka_unit_test(a_torn_write_is_found),
        cmocka_unit_test(odd_lengths_and_kinds_are_no_records),
        cmocka_unit_test(another_store_or_place_is_not_ours),
        cmocka_unit_test(a_segment_head_stands_twice),
        cmocka_unit_test(payloads_of_states_marks_and_cuts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
