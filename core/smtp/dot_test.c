/* SPDX-License-Identifier: ISC */
#include "smtp/dot.h"

#include "base/buffer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *name;
    struct bytes input, text, rest;     /* `text` of a flawed one is not looked at */
    bool ended;
    enum text_flaw flaw;
    uint64_t line;
} rows[] = {
#define ROW(name, in, text, rest, ended, flaw, line) \
    { name, BYTES_INIT(in), BYTES_INIT(text), BYTES_INIT(rest), ended, flaw, line }
    ROW("empty text", ".\r\n", "", "", true, TEXT_FINE, 0),
    ROW("one line", "a\r\n.\r\n", "a\r\n", "", true, TEXT_FINE, 0),
    ROW("empty line", "\r\n.\r\n", "\r\n", "", true, TEXT_FINE, 0),
    ROW("what follows is left", "a\r\n.\r\nQUIT\r\n", "a\r\n", "QUIT\r\n", true, TEXT_FINE, 0),
    ROW("a dot behind the end is left", "a\r\n.\r\n.\r\n", "a\r\n", ".\r\n", true, TEXT_FINE, 0),
    ROW("SRV-013 two dots", "..\r\n.\r\n", ".\r\n", "", true, TEXT_FINE, 0),
    ROW("SRV-013 three dots", "...\r\n.\r\n", "..\r\n", "", true, TEXT_FINE, 0),
    ROW("SRV-013 dot and text", ".x\r\n.\r\n", "x\r\n", "", true, TEXT_FINE, 0),
    ROW("SRV-013 dots within", "a.\r\nb.c\r\n..d\r\n.\r\n", "a.\r\nb.c\r\n.d\r\n", "", true,
        TEXT_FINE, 0),
    ROW("no end yet", "a\r\n.\r", "a\r\n", "", false, TEXT_FINE, 0),
    ROW("no CRLF before the dot", "x.\r\n", "x.\r\n", "", false, TEXT_FINE, 0),
    ROW("tabs and high octets", "\ta\x80\xff\x7f\t\r\n.\r\n", "\ta\x80\xff\x7f\t\r\n", "", true,
        TEXT_FINE, 0),
    ROW("SRV-001 LF dot LF", "a\n.\nb\r\n.\r\n", "", "", true, TEXT_BARE_LF, 1),
    ROW("SRV-002 LF dot CRLF", "a\n.\r\nb\r\n.\r\n", "", "", true, TEXT_BARE_LF, 1),
    ROW("SRV-003 CR dot CRLF", "a\r.\r\nb\r\n.\r\n", "", "", true, TEXT_BARE_CR, 1),
    ROW("SRV-004 CR dot CR", "a\r.\rb\r\n.\r\n", "", "", true, TEXT_BARE_CR, 1),
    ROW("SRV-005 CR dot LF", "a\r.\nb\r\n.\r\n", "", "", true, TEXT_BARE_CR, 1),
    ROW("SRV-006 LF dot CR", "a\n.\rb\r\n.\r\n", "", "", true, TEXT_BARE_LF, 1),
    ROW("SRV-007 CRLF dot CR CRLF", "a\r\n.\r\r\nb\r\n.\r\n", "", "", true, TEXT_BARE_CR, 2),
    ROW("CRLF dot LF", "a\r\n.\nb\r\n.\r\n", "", "", true, TEXT_BARE_LF, 2),
    ROW("CRLF dot CR", "a\r\n.\rb\r\n.\r\n", "", "", true, TEXT_BARE_CR, 2),
    ROW("CRLF NUL dot CRLF", "a\r\n\0.\r\nb\r\n.\r\n", "", "", true, TEXT_NUL, 2),
    ROW("CRLF dot NUL CRLF", "a\r\n.\0\r\nb\r\n.\r\n", "", "", true, TEXT_NUL, 2),
    ROW("CRLF dot CR NUL LF", "a\r\n.\r\0\nb\r\n.\r\n", "", "", true, TEXT_BARE_CR, 2),
    ROW("CR CR LF", "a\r\r\n.\r\n", "", "", true, TEXT_BARE_CR, 1),
    ROW("LF LF", "a\r\n\n\n.\r\n.\r\n", "", "", true, TEXT_BARE_LF, 2),
    ROW("the first flaw is named", "a\r\nb\0c\nd\re\r\n.\r\n", "", "", true, TEXT_NUL, 2),
    ROW("SRV-014 bare LF alone", "a\nb\nc\r\n.\r\n", "", "", true, TEXT_BARE_LF, 1),
    ROW("CR at the very end", "a\r", "a\r", "", false, TEXT_FINE, 0),
#undef ROW
};

struct outcome {
    struct buffer text;
    struct dot dot;
    bool ended;
    size_t rest;
};

/* Feed it cut into pieces of `step` octets. */
static struct outcome feed(struct dot dot, struct bytes input, size_t step)
{
    struct outcome outcome = { .text = buffer_with_most(1 << 20), .dot = dot };

    while (input.n > 0 && !outcome.ended) {
        struct bytes piece = bytes_first(input, step);
        input = bytes_skip(input, piece.n);
        while (piece.n > 0 && !outcome.ended)
            buffer_put(&outcome.text, dot_take(&outcome.dot, &piece, &outcome.ended));
        outcome.rest = input.n + piece.n;
    }
    return outcome;
}

static void test_rows(void **state)
{
    for (size_t i = 0; i < COUNT(rows); i++) {
        for (size_t step = 1; step <= rows[i].input.n; step++) {
            struct outcome got = feed(dot_for_data(), rows[i].input, step);
            bool text_fits = rows[i].flaw != TEXT_FINE
                || bytes_equal(buffer_bytes(&got.text), rows[i].text);
            if (got.ended != rows[i].ended || got.dot.flaw != rows[i].flaw
                || got.dot.flaw_line != rows[i].line || got.rest != rows[i].rest.n || !text_fits)
                fail_msg("%s, %zu at a time: ended %d flaw %d line %d rest %zu text \"%.*s\"",
                         rows[i].name, step, got.ended, got.dot.flaw, (int)got.dot.flaw_line,
                         got.rest, (int)got.text.n, got.text.at == NULL ? "" : got.text.at);
            buffer_done(&got.text);
        }
    }
}

static const struct { const char *name; struct bytes input; enum text_flaw flaw; } framed[] = {
    { "dots are text", BYTES_INIT(".\r\n..\r\n\r\n.\r\n"), TEXT_FINE },
    { "no last CRLF", BYTES_INIT("a\r\nb"), TEXT_FINE },
    { "bare LF", BYTES_INIT("a\nb\r\n"), TEXT_BARE_LF },
    { "bare CR", BYTES_INIT("a\rb\r\n"), TEXT_BARE_CR },
    { "CR at the end", BYTES_INIT("a\r\nb\r"), TEXT_BARE_CR },
    { "NUL", BYTES_INIT("a\0"), TEXT_NUL },
    { "LF first", BYTES_INIT("\na"), TEXT_BARE_LF },
    { "nothing", BYTES_INIT(""), TEXT_FINE },
};

static void test_framed(void **state)
{
    for (size_t i = 0; i < COUNT(framed); i++) {
        for (size_t step = 1; step <= framed[i].input.n + 1; step++) {
            struct outcome got = feed(dot_for_chunks(), framed[i].input, step);
            dot_finish_chunks(&got.dot);
            if (got.ended || got.dot.flaw != framed[i].flaw
                || (got.dot.flaw == TEXT_FINE
                    && !bytes_equal(buffer_bytes(&got.text), framed[i].input)))
                fail_msg("%s, %zu at a time: flaw %d", framed[i].name, step, got.dot.flaw);
            buffer_done(&got.text);
        }
    }
}

static uint64_t roll(uint64_t *dice)
{
    *dice ^= *dice << 13;
    *dice ^= *dice >> 7;
    return *dice ^= *dice << 17;
}

/* The same decision made on the whole text at once, with no state: where does it end, and is all
   that stands before well formed? */
static bool whole_ended(struct bytes text, size_t *ret_end)
{
    if (bytes_begins(text, BYTES(".\r\n")))
        return *ret_end = 0, true;
    size_t at = bytes_search(text, BYTES("\r\n.\r\n"));
    return *ret_end = at + 2, at < text.n;
}

static bool whole_fine(struct bytes text)
{
    for (size_t i = 0; i < text.n; i++) {
        bool lf_next = i + 1 < text.n && text.at[i + 1] == '\n';
        if (text.at[i] == '\0' || (text.at[i] == '\r' && !lf_next)
            || (text.at[i] == '\n' && (i == 0 || text.at[i - 1] != '\r')))
            return false;
    }
    return true;
}

static void test_against_search(void **state)
{
    static const char letters[] = "\r\r\n\n..\0\tabc\x80";
    uint64_t dice = 7;

    for (unsigned round = 0; round < 100000; round++) {
        char text[64];
        size_t n = roll(&dice) % sizeof(text), end = 0;
        for (size_t i = 0; i < n; i++) {
            if (roll(&dice) % 3 == 0 && i + 2 < n) {
                text[i++] = '\r';
                text[i] = '\n';
            } else {
                text[i] = letters[roll(&dice) % (sizeof(letters) - 1)];
            }
        }
        struct bytes whole = { text, n };
        bool ended = whole_ended(whole, &end);
        struct outcome got = feed(dot_for_data(), whole, 1 + roll(&dice) % 9);
        assert_int_equal(got.ended, ended);
        if (ended) {
            assert_int_equal(got.rest, n - end - 3);
            assert_int_equal(got.dot.flaw == TEXT_FINE, whole_fine(bytes_first(whole, end)));
        }
        buffer_done(&got.text);
    }
}

/* Long runs go through whole blocks; an octet at a time none does. Both must say the same. */
static void test_blocks(void **state)
{
    uint64_t dice = 64;

    for (unsigned round = 0; round < 20000; round++) {
        char text[512];
        size_t n = 1 + roll(&dice) % sizeof(text);
        for (size_t i = 0; i < n; i++)
            text[i] = roll(&dice) % 40 == 0 ? "\r\n.\0"[roll(&dice) % 4] : 'x';
        for (size_t i = 0; i + 2 < n; i += 1 + roll(&dice) % 100)
            memcpy(text + i, "\r\n", 2);
        struct dot dot = round % 4 == 0 ? dot_for_chunks() : dot_for_data();
        struct outcome slow = feed(dot, (struct bytes){ text, n }, 1);
        struct outcome fast = feed(dot, (struct bytes){ text, n }, 1 + roll(&dice) % n);
        assert_int_equal(fast.ended, slow.ended);
        assert_int_equal(fast.rest, slow.rest);
        assert_int_equal(fast.dot.at, slow.dot.at);
        assert_int_equal(fast.dot.flaw, slow.dot.flaw);
        assert_int_equal(fast.dot.flaw_line, slow.dot.flaw_line);
        assert_int_equal(fast.dot.lines, slow.dot.lines);
        assert_true(bytes_equal(buffer_bytes(&fast.text), buffer_bytes(&slow.text)));
        buffer_done(&slow.text);
        buffer_done(&fast.text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_framed),
        cmocka_unit_test(test_against_search),
        cmocka_unit_test(test_blocks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
