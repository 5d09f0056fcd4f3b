/* SPDX-License-Identifier: ISC */
#include "mail/header.h"
#include "mail/scan.h"

#include "base/arena.h"
#include "base/limits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <string.h>

/* `want`: each field as "name|body;", bodies with their folding; then "=" and the offset of the
   body. */
static const struct {
    const char *name;
    struct bytes text;
    const char *want;
    unsigned flaws;
} rows[] = {
    { "two fields", BYTES_INIT("A: b\r\nC: d\r\n\r\nbody"), "A| b;C| d;=14", 0 },
    { "folded", BYTES_INIT("A: b\r\n c\r\n\td\r\n\r\n"), "A| b\r\n c\r\n\td;=16", 0 },
    { "no empty line", BYTES_INIT("A: b\r\n"), "A| b;=6", 0 },
    { "no line end", BYTES_INIT("A: b"), "A| b;=4", 0 },
    { "nothing", BYTES_INIT(""), "=0", 0 },
    { "empty line first", BYTES_INIT("\r\nA: b\r\n"), "=2", 0 },
    { "LF alone", BYTES_INIT("A: b\n c\n\nbody"), "A| b\n c;=9", HEADER_BARE_LF },
    { "empty body", BYTES_INIT("A:\r\nB:\r\n\r\n"), "A|;B|;=10", 0 },
    { "line of spaces goes on", BYTES_INIT("A: b\r\n \r\nC: d\r\n\r\n"), "A| b\r\n ;C| d;=17", 0 },
    { "SRV-098 no colon", BYTES_INIT("A: b\r\nhello\r\nC: d\r\n"), "A| b;=6", HEADER_NO_COLON },
    { "SRV-098 no header at all", BYTES_INIT("hello\r\nthere: you\r\n"), "=0", HEADER_NO_COLON },
    { "SRV-098 text without colon or end", BYTES_INIT("hello"), "=0", HEADER_NO_COLON },
    { "SRV-098 leading space", BYTES_INIT(" x\r\nA: b\r\n\r\n"), "A| b;=12", HEADER_LEADING_SPACE },
    { "SRV-098 space in the name", BYTES_INIT("A: b\r\nC d: e\r\n\r\n"), "A| b;=6",
      HEADER_BAD_NAME },
    { "SRV-098 NUL in the name", BYTES_INIT("A\0: b\r\n\r\n"), "=0", HEADER_BAD_NAME },
    { "SRV-098 8-bit in the name", BYTES_INIT("A: b\r\n\xc3\xbc: c\r\n"), "A| b;=6",
      HEADER_BAD_NAME },
    { "space before the colon", BYTES_INIT("A \t: b\r\n\r\n"), "A| b;=10",
      HEADER_SPACE_BEFORE_COLON },
    { "no name", BYTES_INIT(": b\r\nC: d\r\n\r\n"), "| b;C| d;=13", HEADER_EMPTY_NAME },
    { "SRV-099 mbox line", BYTES_INIT("From a@b Sat\r\nA: b\r\n\r\n"), "A| b;=22",
      HEADER_MBOX_LINE },
    { "quoted mbox line", BYTES_INIT(">From a@b\nA: b\n\n"), "A| b;=16",
      HEADER_MBOX_LINE | HEADER_BARE_LF },
    { "mbox line later", BYTES_INIT("A: b\r\nFrom a@b\r\n"), "A| b;=6", HEADER_BAD_NAME },
    { "From: is no mbox line", BYTES_INIT("From: a@b\r\n\r\n"), "From| a@b;=13", 0 },
    { "NUL in the text", BYTES_INIT("A: b\0c\r\n\r\n"), NULL, HEADER_NUL },
    { "8-bit in the text", BYTES_INIT("A: \xc3\xbc\r\n\r\n"), "A| \xc3\xbc;=9", HEADER_8BIT },
    { "MIM-027 bare CR", BYTES_INIT("A: b\rC: d\r\n\r\n"), "A| b\rC: d;=13", HEADER_BARE_CR },
    { "two CR", BYTES_INIT("A: b\r\r\n\r\n"), "A| b\r;=9", HEADER_BARE_CR },
    { "CR first on a line", BYTES_INIT("A: b\r\n\rC: d\r\n"), "A| b;=6",
      HEADER_BARE_CR | HEADER_BAD_NAME },
    { "MIM-028 line separators", BYTES_INIT("A: b\xe2\x80\xa8" "C: d\xc2\x85" "E: f\r\n\r\n"),
      "A| b\xe2\x80\xa8" "C: d\xc2\x85" "E: f;=21", HEADER_8BIT },
    { "MIM-018 odd names", BYTES_INIT("__proto__: 1\r\nconstructor: 2\r\n\r\n"),
      "__proto__| 1;constructor| 2;=32", 0 },
};

static void put_field(struct buffer *to, const struct header_field *field)
{
    buffer_put(to, field->name);
    buffer_put_char(to, '|');
    buffer_put(to, field->body);
    buffer_put_char(to, ';');
}

/* The text in pieces of at most `size` octets, the first one of `first`; each in memory of its
   own, so that a look beyond it is seen by the sanitizer. */
static unsigned read_in_pieces(struct buffer *to, struct bytes text, size_t first, size_t size)
{
    struct header_reader reader = header_reader_for(NULL);
    struct header_field field;
    size_t n = first;

    for (struct bytes rest = text; rest.n > 0 && !reader.ended; n = size) {
        struct bytes part = bytes_first(rest, n);
        char *copy = mem_new(part.n);
        assert_non_null(copy);
        memcpy(copy, part.at, part.n);
        struct bytes piece = { copy, part.n };
        while (header_next(&reader, &piece, &field) == HEADER_FIELD)
            put_field(to, &field);
        mem_free(copy);
        rest = bytes_skip(rest, part.n);
    }
    while (header_finish(&reader, &field) == HEADER_FIELD)
        put_field(to, &field);
    buffer_put_char(to, '=');
    buffer_put_uint(to, reader.body_at);
    unsigned flaws = reader.flaws;
    header_reader_done(&reader);
    return flaws;
}

static void sections_are_read(void **state)
{
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct buffer seen = buffer_with_most(4096);
        unsigned flaws = read_in_pieces(&seen, rows[i].text, rows[i].text.n, rows[i].text.n);

        if (flaws != rows[i].flaws)
            fail_msg("%s: flaws %x", rows[i].name, flaws);
        if (rows[i].want != NULL && !bytes_equal(buffer_bytes(&seen), bytes_of(rows[i].want)))
            fail_msg("%s: %.*s", rows[i].name, (int)seen.n, seen.at);
        buffer_done(&seen);
    }
}

static void any_split_gives_the_same(void **state)
{
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct buffer whole = buffer_with_most(4096), split = buffer_with_most(4096);
        struct bytes text = rows[i].text;
        unsigned flaws = read_in_pieces(&whole, text, text.n, text.n);

        for (size_t at = 1; at < text.n; at++) {
            buffer_clear(&split);
            unsigned others = read_in_pieces(&split, text, at, at % 2 == 0 ? 1 : text.n);
            if (others != flaws || !bytes_equal(buffer_bytes(&whole), buffer_bytes(&split)))
                fail_msg("%s, cut at %zu: %.*s", rows[i].name, at, (int)split.n, split.at);
        }
        buffer_done(&whole);
        buffer_done(&split);
    }
}

static void offsets_name_the_octets(void **state)
{
    struct header_reader reader = header_reader_for(NULL);
    struct bytes text = BYTES("A: b\r\n c\r\nD: e\r\n\r\n"), piece = text;
    struct header_field field;

    assert_int_equal(header_next(&reader, &piece, &field), HEADER_FIELD);
    assert_int_equal(field.at, 0);
    assert_int_equal(field.end, 10);
    assert_int_equal(header_next(&reader, &piece, &field), HEADER_FIELD);
    assert_int_equal(field.at, 10);
    assert_int_equal(field.end, 16);
    assert_int_equal(header_next(&reader, &piece, &field), HEADER_END);
    assert_true(reader.empty_line);
    assert_int_equal(reader.fields, 2);
    header_reader_done(&reader);
}

static void a_section_has_an_end(void **state)
{
    struct buffer text = buffer_with_most(LIMIT_HEADER_BYTES * 2);
    struct header_field field;

    buffer_put_text(&text, "A: ");
    buffer_put_chars(&text, 'x', LIMIT_HEADER_BYTES + 10);
    buffer_put_text(&text, "\r\n\r\n");
    assert_false(text.bad);
    for (size_t size = text.n; size > 1000; size = size / 3) {
        struct header_reader reader = header_reader_for(NULL);
        struct bytes rest = buffer_bytes(&text);
        while (rest.n > 0 && !reader.ended) {
            struct bytes piece = bytes_first(rest, size);
            assert_int_not_equal(header_next(&reader, &piece, &field), HEADER_FIELD);
            rest = bytes_skip(rest, size);
        }
        assert_true((reader.flaws & HEADER_TOO_LONG) != 0);
        assert_int_equal(reader.body_at, LIMIT_HEADER_BYTES);
        header_reader_done(&reader);
    }
    buffer_done(&text);
}

static void memory_that_fails_cuts_a_field(void **state)
{
    struct header_reader reader = header_reader_for(NULL);
    struct bytes first = BYTES("A: b"), second = BYTES("c\r\n\r\n");
    struct header_field field;

    mem_fail_at(1);
    assert_int_equal(header_next(&reader, &first, &field), HEADER_MORE);
    mem_fail_at(0);
    assert_int_equal(header_next(&reader, &second, &field), HEADER_FIELD);
    assert_true(field.cut);
    assert_int_equal(header_next(&reader, &second, &field), HEADER_END);
    header_reader_done(&reader);
}

static void the_scan_tells_what_the_front_needs(void **state)
{
    struct bytes text = BYTES("Received: a\r\n by b\r\nreceived: c\r\nMessage-Id: (x) <1@y>\r\n"
        "Delivered-To: a@b\r\nDelivered-To:\r\n c@d\r\nmessage-id: <2@z>\r\nX: y\r\n\r\n"
        "Received: z\r\n");
    struct header_scan scan = header_scan_new();

    for (size_t size = 1; size <= text.n; size++) {
        header_scan_clear(&scan);
        for (struct bytes rest = text; rest.n > 0; rest = bytes_skip(rest, size))
            header_scan_feed(&scan, bytes_first(rest, size));
        header_scan_finish(&scan);
        assert_int_equal(scan.received, 2);
        assert_int_equal(scan.message_ids, 2);
        assert_int_equal(scan.delivered, 2);
        assert_true(bytes_equal(header_scan_message_id(&scan), BYTES("1@y")));
        assert_true(header_scan_was_delivered_to(&scan, BYTES("C@d")));
        assert_false(header_scan_was_delivered_to(&scan, BYTES("d")));
        assert_int_equal(scan.reader.flaws, 0);
        assert_int_equal(scan.reader.fields, 7);
    }
    header_scan_clear(&scan);
    header_scan_feed(&scan, BYTES("Message-ID: 3@w "));
    header_scan_finish(&scan);
    assert_true(bytes_equal(header_scan_message_id(&scan), BYTES("3@w")));
    header_scan_clear(&scan);
    header_scan_feed(&scan, BYTES("Message-ID: <a\0b>\r\n\r\n"));
    assert_int_equal(header_scan_message_id(&scan).n, 0);
    header_scan_done(&scan);
}

static void unfolding_takes_line_ends_away(void **state)
{
    struct buffer to = buffer_with_most(64);

    header_unfold(&to, BYTES(" a\r\n b\n\tc \r\n"));
    assert_true(bytes_equal(buffer_bytes(&to), BYTES("a b\tc")));
    buffer_done(&to);
    assert_string_equal(header_flaw_name(0), "");
    assert_string_equal(header_flaw_name(HEADER_8BIT | HEADER_NUL), "nul");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sections_are_read),
        cmocka_unit_test(any_split_gives_the_same),
        cmocka_unit_test(offsets_name_the_octets),
        cmocka_unit_test(a_section_has_an_end),
        cmocka_unit_test(memory_that_fails_cuts_a_field),
        cmocka_unit_test(the_scan_tells_what_the_front_needs),
        cmocka_unit_test(unfolding_takes_line_ends_away),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
