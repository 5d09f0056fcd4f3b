/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/safe.h"

static const struct {
    const char *name;
    struct bytes text;
    const char *quoted, *plain;
} cases[] = {
    { "plain", BYTES_INIT("a b"), "a b", "a b" },
    { "quote and backslash", BYTES_INIT("\"a\\\""), "\\\"a\\\\\\\"", "\"a\\\\\"" },
    { "line ends", BYTES_INIT("a\r\nb"), "a\\x0d\\x0ab", "a\\x0d\\x0ab" },
    { "NUL", BYTES_INIT("a\0b"), "a\\x00b", "a\\x00b" },
    { "escape sequence", BYTES_INIT("\x1b[2J"), "\\x1b[2J", "\\x1b[2J" },
    { "C1 control in UTF-8", BYTES_INIT("\xc2\x9b""2J"), "\\xc2\\x9b2J", "\\xc2\\x9b2J" },
    { "right-to-left override", BYTES_INIT("\xe2\x80\xae"), "\\xe2\\x80\\xae", "\\xe2\\x80\\xae" },
    { "good UTF-8", BYTES_INIT("\xc3\xa9"), "\xc3\xa9", "\xc3\xa9" },
    { "cut UTF-8", BYTES_INIT("\xc3"), "\\xc3", "\\xc3" },
    { "overlong", BYTES_INIT("\xc0\x8a"), "\\xc0\\x8a", "\\xc0\\x8a" },
    { "DEL", BYTES_INIT("\x7f"), "\\x7f", "\\x7f" },
    { "nothing", BYTES_INIT(""), "", "" },
};

static void escapes(void **state)
{
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct buffer quoted = buffer_with_most(256), plain = buffer_with_most(256);

        safe_put(&quoted, cases[i].text);
        safe_put_plain(&plain, cases[i].text);
        if (!bytes_equal(buffer_bytes(&quoted), bytes_of(cases[i].quoted))
            || !bytes_equal(buffer_bytes(&plain), bytes_of(cases[i].plain)))
            fail_msg("%s", cases[i].name);
        buffer_done(&quoted);
        buffer_done(&plain);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(escapes) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
