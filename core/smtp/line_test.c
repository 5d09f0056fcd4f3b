/* SPDX-License-Identifier: ISC */
#include "smtp/line.h"

#include "base/limits.h"
#include "smtp/chunk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <stdio.h>

/* What each line came out as: W<text> whole, L long, F bare LF, N not text, X flood, T TLS. */
static const struct { const char *name; struct bytes input; const char *want; } rows[] = {
    { "nothing", BYTES_INIT(""), "" },
    { "two", BYTES_INIT("a\r\nbc\r\n"), "Wa;Wbc;" },
    { "empty ones", BYTES_INIT("\r\n\r\n"), "W;W;" },
    { "no end yet", BYTES_INIT("a\r\nb\r"), "Wa;" },
    { "bare LF", BYTES_INIT("a\n"), "F;" },
    { "bare LF first", BYTES_INIT("\na\r\nb\r\n"), "F;F;Wb;" },
    { "what follows a bare LF is no command", BYTES_INIT("NOOP\nQUIT\r\nRSET\r\n"),
      "F;F;WRSET;" },
    { "several bare LF", BYTES_INIT("a\nb\nc\nd\r\ne\r\n"), "F;F;F;F;We;" },
    { "bare CR", BYTES_INIT("a\rb\r\nc\r\n"), "N;Wc;" },
    { "CR CR LF", BYTES_INIT("a\r\r\n"), "N;" },
    { "NUL", BYTES_INIT("a\0b\r\n\0\r\n"), "N;N;" },
    { "TLS", BYTES_INIT("a\r\n\x16\x03\x01"), "Wa;T;" },
    { "the octet of TLS inside a line", BYTES_INIT("a\x16\r\n"), "Wa\x16;" },
};

static void take_all(struct line *line, struct bytes piece, struct buffer *to)
{
    static const char letters[] = { [LINE_WHOLE] = 'W', [LINE_LONG] = 'L', [LINE_BARE_LF] = 'F',
        [LINE_NOT_TEXT] = 'N', [LINE_FLOOD] = 'X', [LINE_TLS] = 'T', [LINE_NO_MEMORY] = 'M' };

    for (;;) {
        struct bytes text = BYTES_NONE;
        enum line_kind kind = line_take(line, &piece, &text);
        if (kind == LINE_MORE)
            return;
        buffer_put_char(to, letters[kind]);
        if (kind == LINE_WHOLE)
            buffer_put(to, text);
        buffer_put_char(to, ';');
        if (kind == LINE_FLOOD || kind == LINE_TLS)
            return;
    }
}

static void test_rows(void **state)
{
    for (size_t i = 0; i < COUNT(rows); i++) {
        for (size_t step = 1; step <= rows[i].input.n; step++) {
            struct line line = line_none();
            struct buffer got = buffer_with_most(1 << 16);
            struct bytes rest = rows[i].input;
            for (; rest.n > 0 && !bytes_ends(buffer_bytes(&got), BYTES("T;"));
                 rest = bytes_skip(rest, step))
                take_all(&line, bytes_first(rest, step), &got);
            if (!bytes_equal(buffer_bytes(&got), bytes_of(rows[i].want)))
                fail_msg("%s, %zu at a time: %.*s", rows[i].name, step, (int)got.n, got.at);
            buffer_done(&got);
            line_done(&line);
        }
    }
}

static const struct { size_t n; size_t step; const char *want; } sizes[] = {
    /* SRV-040: n octets before the CRLF */
    { 510, 510, "W" }, { 511, 1, "W" }, { 2046, 77, "W" },
    { 4094, 5000, "W" }, { 4094, 1, "W" }, { 4095, 5000, "L" }, { 4095, 1, "L" },
    { 4096, 4096, "L" }, { 65534, 65536, "L" }, { 65534, 1000, "L" },
    { 65535, 70000, "X" }, { 65535, 1, "X" }, { 70000, 512, "X" },
};

static void test_sizes(void **state)
{
    static char text[70002];

    for (size_t i = 0; i < COUNT(sizes); i++) {
        struct line line = line_none();
        struct buffer got = buffer_with_most(1 << 20);
        for (size_t j = 0; j < sizes[i].n; j++)
            text[j] = 'x';
        text[sizes[i].n] = '\r';
        text[sizes[i].n + 1] = '\n';
        for (struct bytes rest = { text, sizes[i].n + 2 }; rest.n > 0 && got.n == 0;
             rest = bytes_skip(rest, sizes[i].step))
            take_all(&line, bytes_first(rest, sizes[i].step), &got);
        if (!bytes_begins(buffer_bytes(&got), bytes_of(sizes[i].want)))
            fail_msg("SRV-040 %zu octets, %zu at a time", sizes[i].n, sizes[i].step);
        assert_true(line.held.room <= LIMIT_COMMAND_LINE);
        buffer_done(&got);
        line_done(&line);
    }
}

static const struct { struct bytes text; enum chunk_kind kind; struct chunk chunk; } chunks[] = {
    { BYTES_INIT("0"), CHUNK_FINE, { 0, false } },
    { BYTES_INIT("0 LAST"), CHUNK_FINE, { 0, true } },
    { BYTES_INIT("86 last"), CHUNK_FINE, { 86, true } },
    { BYTES_INIT("18446744073709551615"), CHUNK_FINE, { UINT64_MAX, false } },
    { BYTES_INIT("18446744073709551616"), CHUNK_UNKNOWN, { 0, false } },
    { BYTES_INIT("99999999999999999999999 LAST"), CHUNK_UNKNOWN, { 0, false } },
    { BYTES_INIT("-1"), CHUNK_UNKNOWN, { 0, false } },
    { BYTES_INIT("+5"), CHUNK_UNKNOWN, { 0, false } },
    { BYTES_INIT("0x10"), CHUNK_UNKNOWN, { 0, false } },
    { BYTES_INIT("1e9"), CHUNK_UNKNOWN, { 0, false } },
    { BYTES_INIT("5LAST"), CHUNK_UNKNOWN, { 0, false } },
    { BYTES_INIT(""), CHUNK_UNKNOWN, { 0, false } },
    { BYTES_INIT(" 5"), CHUNK_UNKNOWN, { 0, false } },
    { BYTES_INIT("LAST"), CHUNK_UNKNOWN, { 0, false } },
    { BYTES_INIT("05"), CHUNK_MALFORMED, { 5, false } },
    { BYTES_INIT("00"), CHUNK_MALFORMED, { 0, false } },
    { BYTES_INIT("5 LASTX"), CHUNK_MALFORMED, { 5, false } },
    { BYTES_INIT("5 "), CHUNK_MALFORMED, { 5, false } },
    { BYTES_INIT("5  LAST"), CHUNK_MALFORMED, { 5, false } },
    { BYTES_INIT("5 LAST x"), CHUNK_MALFORMED, { 5, false } },
};

static void test_chunks(void **state)
{
    for (size_t i = 0; i < COUNT(chunks); i++) {
        struct chunk chunk = { 0 };
        enum chunk_kind kind = chunk_parse(chunks[i].text, &chunk);
        if (kind != chunks[i].kind || chunk.octets != chunks[i].chunk.octets
            || chunk.last != chunks[i].chunk.last)
            fail_msg("BDAT %.*s: %d", (int)chunks[i].text.n, chunks[i].text.at, (int)kind);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_chunks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
