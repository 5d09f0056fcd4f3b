/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/utf8.h"

static void takes_one(void **state)
{
    static const struct {
        const char *name;
        struct bytes text;
        size_t n;
        uint32_t point;
    } cases[] = {
        { "nothing", BYTES_INIT(""), 0, 0 },
        { "NUL", BYTES_INIT("\0"), 1, 0 },
        { "last of one", BYTES_INIT("\x7f"), 1, 0x7F },
        { "first of two", BYTES_INIT("\xc2\x80"), 2, 0x80 },
        { "last of two", BYTES_INIT("\xdf\xbf"), 2, 0x7FF },
        { "first of three", BYTES_INIT("\xe0\xa0\x80"), 3, 0x800 },
        { "before the surrogates", BYTES_INIT("\xed\x9f\xbf"), 3, 0xD7FF },
        { "after them", BYTES_INIT("\xee\x80\x80"), 3, 0xE000 },
        { "last of three", BYTES_INIT("\xef\xbf\xbf"), 3, 0xFFFF },
        { "first of four", BYTES_INIT("\xf0\x90\x80\x80"), 4, 0x10000 },
        { "last of all", BYTES_INIT("\xf4\x8f\xbf\xbf"), 4, 0x10FFFF },
        { "more follows", BYTES_INIT("\xc3\xa9x"), 2, 0xE9 },
        { "tail alone", BYTES_INIT("\x80"), 0, 0 },
        { "overlong of two", BYTES_INIT("\xc0\x80"), 0, 0 },
        { "overlong of two, last", BYTES_INIT("\xc1\xbf"), 0, 0 },
        { "overlong of three", BYTES_INIT("\xe0\x9f\xbf"), 0, 0 },
        { "overlong of four", BYTES_INIT("\xf0\x8f\xbf\xbf"), 0, 0 },
        { "surrogate", BYTES_INIT("\xed\xa0\x80"), 0, 0 },
        { "last surrogate", BYTES_INIT("\xed\xbf\xbf"), 0, 0 },
        { "above all", BYTES_INIT("\xf4\x90\x80\x80"), 0, 0 },
        { "five octets", BYTES_INIT("\xf8\x88\x80\x80\x80"), 0, 0 },
        { "FF", BYTES_INIT("\xff\x80\x80\x80"), 0, 0 },
        { "cut", BYTES_INIT("\xe2\x82"), 0, 0 },
        { "wrong tail", BYTES_INIT("\xe2\x82x"), 0, 0 },
        { "wrong second", BYTES_INIT("\xe2x\x82"), 0, 0 },
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        uint32_t point = 0xDEAD;
        size_t n = utf8_take(cases[i].text, &point);
        if (n != cases[i].n || point != (n == 0 ? 0xDEAD : cases[i].point))
            fail_msg("%s: %zu octets, U+%X", cases[i].name, n, point);
        bool whole = n == cases[i].text.n;
        assert_true(n == 0 || utf8_valid(cases[i].text) || !whole);
        assert_int_equal(utf8_valid(cases[i].text), n > 0 || cases[i].text.n == 0);
    }
}

static size_t encode(uint32_t point, char out[static 4])
{
    if (point < 0x80)
        return out[0] = (char)point, 1;
    size_t n = point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
    for (size_t i = n - 1; i > 0; i--, point >>= 6)
        out[i] = (char)(0x80 | (point & 0x3F));
    static const unsigned lead[] = { 0, 0, 0xC0, 0xE0, 0xF0 };
    out[0] = (char)(lead[n] | point);
    return n;
}

/* There and back for each code point there is, and a few that are not. */
static void every_code_point(void **state)
{
    for (uint32_t point = 0; point < 0x110400; point++) {
        char text[4];
        uint32_t got = 0;
        size_t n = encode(point, text), took = utf8_take((struct bytes){ text, n }, &got);
        bool real = point <= 0x10FFFF && (point < 0xD800 || point > 0xDFFF);
        if (took != (real ? n : 0) || (real && got != point))
            fail_msg("U+%X", point);
    }
}

static void unsafe_ones(void **state)
{
    static const uint32_t bad[] = {
        0, 7, 0x0A, 0x1B, 0x1F, 0x7F, 0x85, 0x9B, 0x9F, 0xAD, 0x61C, 0x200B, 0x200E,
        0x2028, 0x202A, 0x202E, 0x2060, 0x2066, 0x2069, 0xFEFF, 0xFFFB, 0xE0001,
        0x10FFFF,
    };
    static const uint32_t good[] = {
        ' ', 'a', '~', 0xA0, 0xE9, 0x3B1, 0x4E2D, 0x20AC, 0xFFFD, 0x1F600,
    };

    for (size_t i = 0; i < COUNT(bad); i++)
        assert_true(utf8_is_unsafe(bad[i]));
    for (size_t i = 0; i < COUNT(good); i++)
        assert_false(utf8_is_unsafe(good[i]));
}

/* Eight octets are looked at at once: an octet above 127 is found at each place of them. */
static void runs_of_ascii(void **state)
{
    (void)state;
    char text[40];

    for (size_t at = 0; at < sizeof(text); at++) {
        memset(text, 'a', sizeof(text));
        text[at] = (char)0xe4;
        assert_int_equal(utf8_ascii((struct bytes){ text, sizeof(text) }), at);
        assert_int_equal(utf8_ascii((struct bytes){ text, at }), at);
        assert_false(utf8_valid((struct bytes){ text, sizeof(text) }));
        assert_true(utf8_valid((struct bytes){ text, at }));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_one), cmocka_unit_test(every_code_point),
        cmocka_unit_test(unsafe_ones), cmocka_unit_test(runs_of_ascii),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
