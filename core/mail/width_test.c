/* SPDX-License-Identifier: ISC */
#include "mail/width.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <string.h>

static const struct {
    const char *text;
    size_t columns;
} widths[] = {
    { "", 0 }, { "abc", 3 }, { "\xc3\xa9t\xc3\xa9", 3 }, { "e\xcc\x81", 1 },
    { "\xe6\x97\xa5\xe6\x9c\xac", 4 }, { "\xff\xfe", 2 }, { "\xe3\x80\x82", 2 },
    { "\xf0\x9f\x98\x80", 2 },
};

static void test_widths(void **state)
{
    for (size_t i = 0; i < COUNT(widths); i++)
        assert_int_equal(width_of(bytes_of(widths[i].text)), widths[i].columns);
}

static const struct {
    const char *text;
    size_t columns;
    const char *lines;
} wraps[] = {
    { "", 10, "" },
    { "one two three", 20, "one two three" },
    { "one two three", 8, "one two|  three" },
    { "one two three", 7, "one two|  three" },
    { "one  two", 6, "one|  two" },
    { "verylongword x", 6, "verylo|  ngwo|  rd x" },
    { "x verylongword", 6, "x|  very|  long|  word" },
    /* between wide characters, never before what closes */
    { "\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e", 4, "\xe6\x97\xa5\xe6\x9c\xac|  \xe8\xaa\x9e" },
    { "\xe6\x97\xa5\xe6\x9c\xac\xe3\x80\x82\xe8\xaa\x9e", 4,
      "\xe6\x97\xa5|  \xe6\x9c\xac|  \xe3\x80\x82|  \xe8\xaa\x9e" },
    { "\xe6\x97\xa5\xe6\x9c\xac\xe3\x80\x82\xe8\xaa\x9e", 5,
      "\xe6\x97\xa5|  \xe6\x9c\xac|  \xe3\x80\x82|  \xe8\xaa\x9e" },
    { "\xe6\x97\xa5 a\xe6\x9c\xac", 5, "\xe6\x97\xa5 a|  \xe6\x9c\xac" },
    { "ab(\xe6\x97\xa5\xe6\x9c\xac", 5, "ab(\xe6\x97\xa5|  \xe6\x9c\xac" },
};

static void test_wraps(void **state)
{
    for (size_t i = 0; i < COUNT(wraps); i++) {
        struct buffer out = buffer_with_most(1000);
        width_put(&out, bytes_of(wraps[i].text), 0, 2, wraps[i].columns, "|");
        buffer_put_char(&out, '\0');
        assert_false(out.bad);
        assert_string_equal(out.at, wraps[i].lines);
        buffer_done(&out);
    }
}

/* Whatever the width, no line is wider, unless one character alone is, and no character is lost. */
static void test_any_width(void **state)
{
    struct bytes text = BYTES("The \xe6\x97\xa5\xe6\x9c\xac\xe3\x80\x8c\xe8\xaa\x9e\xe3\x80\x8d, "
                              "averyveryverylongwordindeed (and) \xff more.");

    for (size_t columns = 1; columns < 60; columns++) {
        struct bytes rest = text, line;
        size_t seen = 0;
        while (rest.n > 0) {
            line = width_line(rest, columns, &rest);
            assert_true(line.n > 0);
            assert_true(width_of(line) <= (columns < 2 ? 2 : columns));
            for (size_t i = 0; i < line.n; i++)
                seen += line.at[i] != ' ';
        }
        size_t wanted = 0;
        for (size_t i = 0; i < text.n; i++)
            wanted += text.at[i] != ' ';
        assert_int_equal(seen, wanted);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_widths), cmocka_unit_test(test_wraps),
        cmocka_unit_test(test_any_width),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
