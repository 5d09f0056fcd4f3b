/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/bytes.h"

#include <string.h>

static void compares(void **state)
{
    static const struct {
        const char *a, *b;
        bool equal, nocase, begins, ends;
        int order;
    } cases[] = {
        { "", "", true, true, true, true, 0 },
        { "a", "", false, false, true, true, 1 },
        { "", "a", false, false, false, false, -1 },
        { "abc", "abc", true, true, true, true, 0 },
        { "abc", "ABC", false, true, false, false, 1 },
        { "abc", "ab", false, false, true, false, 1 },
        { "abc", "bc", false, false, false, true, -1 },
        { "[", "{", false, false, false, false, -1 },
        { "@", "`", false, false, false, false, -1 },
        { "\xc3\xa9", "\xc3\x89", false, false, false, false, 1 },
        { "\x80", "\x7f", false, false, false, false, 1 },
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        struct bytes a = bytes_of(cases[i].a), b = bytes_of(cases[i].b);
        int order = bytes_compare(a, b), back = bytes_compare(b, a);
        if (bytes_equal(a, b) != cases[i].equal || bytes_equal_nocase(a, b) != cases[i].nocase
            || bytes_begins(a, b) != cases[i].begins || bytes_ends(a, b) != cases[i].ends
            || (order > 0) - (order < 0) != cases[i].order
            || (back > 0) - (back < 0) != -cases[i].order)
            fail_msg("%zu: '%s' and '%s'", i, cases[i].a, cases[i].b);
    }
    assert_true(bytes_begins_nocase(BYTES("Mail FROM:"), BYTES("MAIL from")));
    assert_false(bytes_begins_nocase(BYTES("MAI"), BYTES("MAIL")));
}

/* A C string would end at the NUL and call these equal. */
static void nul_is_an_octet(void **state)
{
    assert_false(bytes_equal(BYTES("a\0b"), BYTES("a\0c")));
    assert_int_equal(bytes_find(BYTES("a\0b"), 'b'), 2);
    assert_int_equal(bytes_find(BYTES("a\0b"), '\0'), 1);
    assert_int_equal(BYTES("a\0b").n, 3);
}

static void finds(void **state)
{
    static const struct { const char *text, *part; size_t first, last, whole; } cases[] = {
        { "", "x", 0, 0, 0 },
        { "x", "x", 0, 0, 0 },
        { "abx", "x", 2, 2, 2 },
        { "axbx", "x", 1, 3, 1 },
        { "abc", "x", 3, 3, 3 },
        { "aab", "ab", 0, 1, 1 },
        { "ababac", "abac", 0, 4, 2 },
        { "abab", "abac", 0, 2, 4 },
        { "ab", "abc", 0, 0, 2 },
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        struct bytes text = bytes_of(cases[i].text), part = bytes_of(cases[i].part);
        if (bytes_find(text, part.at[0]) != cases[i].first
            || bytes_find_last(text, part.at[0]) != cases[i].last
            || bytes_search(text, part) != cases[i].whole)
            fail_msg("'%s' in '%s'", cases[i].part, cases[i].text);
    }
    assert_int_equal(bytes_search(BYTES("abc"), BYTES_NONE), 0);
}

static void cuts(void **state)
{
    struct bytes rest = BYTES("a,,b"), piece;
    static const char *const want[] = { "a", "", "b" };

    for (size_t i = 0; i < COUNT(want); i++) {
        assert_true(bytes_cut(&rest, ',', &piece));
        assert_true(bytes_equal(piece, bytes_of(want[i])));
    }
    assert_false(bytes_cut(&rest, ',', &piece));
    rest = BYTES("a,");
    assert_true(bytes_cut(&rest, ',', &piece));
    assert_false(bytes_cut(&rest, ',', &piece));
}

static void slices(void **state)
{
    struct bytes text = BYTES("hello");

    assert_true(bytes_equal(bytes_first(text, 2), BYTES("he")));
    assert_true(bytes_equal(bytes_first(text, 99), text));
    assert_true(bytes_equal(bytes_skip(text, 2), BYTES("llo")));
    assert_int_equal(bytes_skip(text, 99).n, 0);
    assert_true(bytes_equal(bytes_upto(text, 'l'), BYTES("he")));
    assert_true(bytes_equal(bytes_upto(text, 'x'), text));
    assert_true(bytes_equal(bytes_trim(BYTES(" \t\r\na b\r\n")), BYTES("a b")));
    assert_int_equal(bytes_trim(BYTES(" \t ")).n, 0);
}

/* Every octet, against the definition: a table of the C library would depend on the locale. */
static void classes(void **state)
{
    for (int i = 0; i < 256; i++) {
        char c = (char)i;
        bool upper = i >= 'A' && i <= 'Z', lower = i >= 'a' && i <= 'z';
        bool digit = i >= '0' && i <= '9';
        assert_int_equal(is_digit(c), digit);
        assert_int_equal(is_alpha(c), upper || lower);
        assert_int_equal(is_alnum(c), upper || lower || digit);
        assert_int_equal(is_space(c), i == ' ' || i == '\t');
        assert_int_equal(octet(to_lower(c)), upper ? i + 32 : i);
        assert_int_equal(octet(to_upper(c)), lower ? i - 32 : i);
        assert_int_equal(octet(c), i);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(compares), cmocka_unit_test(nul_is_an_octet), cmocka_unit_test(finds),
        cmocka_unit_test(cuts), cmocka_unit_test(slices), cmocka_unit_test(classes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
