/* SPDX-License-Identifier: ISC */
#include "base/qp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <string.h>

static const struct { const char *text, *want; unsigned flaws; } rows[] = {
    { "", "", 0 },
    { "plain", "plain", 0 },
    { "a=3Db=c3=BC", "a=b\xc3\xbc", 0 },
    { "soft=\r\nbreak", "softbreak", 0 },
    { "soft=\nbreak", "softbreak", 0 },
    { "soft= \t\r\nbreak", "softbreak", 0 },
    { "soft at the end=", "soft at the end", 0 },
    { "soft at the end= ", "soft at the end", 0 },
    { "blanks  \r\nend\t\n", "blanks\r\nend\n", 0 },
    { "blanks at the end \t", "blanks at the end", 0 },
    { "a  b", "a  b", 0 },
    { "a =20\r\n", "a  \r\n", 0 },
    { "=\r\n=\r\n", "", 0 },
    { "=XY", "=XY", QP_BAD_ESCAPE },
    { "=4", "=4", QP_BAD_ESCAPE },
    { "=4\r\n", "=4\r\n", QP_BAD_ESCAPE },
    { "=4G", "=4G", QP_BAD_ESCAPE },
    { "==41", "=A", QP_BAD_ESCAPE },
    { "a= b", "a= b", QP_BAD_ESCAPE },
    { "a= =41", "a= A", QP_BAD_ESCAPE },
    { "a=\rb", "a=\rb", QP_BAD_ESCAPE },
    { "a \r b", "a \r b", 0 },
    { "raw \xc3\xbc", "raw \xc3\xbc", QP_8BIT },
    { "raw \x01", "raw \x01", QP_8BIT },
};

static void every_input_has_one_result(void **state)
{
    for (size_t i = 0; i < COUNT(rows); i++) {
        for (size_t size = 1; size <= strlen(rows[i].text) + 1; size++) {
            struct qp_decoder decoder = { .held_n = 0 };
            struct buffer to = buffer_with_most(256);
            struct bytes rest = bytes_of(rows[i].text);
            for (; rest.n > 0; rest = bytes_skip(rest, size))
                qp_decode(&decoder, bytes_first(rest, size), &to);
            qp_decode_end(&decoder, &to);
            if (!bytes_equal(buffer_bytes(&to), bytes_of(rows[i].want))
                || decoder.flaws != rows[i].flaws)
                fail_msg("%s: %.*s, flaws %x", rows[i].text, (int)to.n, to.at, decoder.flaws);
            buffer_done(&to);
        }
    }
}

static void long_space_is_bounded(void **state)
{
    struct buffer text = buffer_with_most(8192), to = buffer_with_most(8192);
    struct qp_decoder decoder = { .held_n = 0 };

    buffer_put_char(&text, '=');
    buffer_put_chars(&text, ' ', 5000);
    buffer_put_char(&text, '\n');
    qp_decode(&decoder, buffer_bytes(&text), &to);
    qp_decode_end(&decoder, &to);
    assert_true((decoder.flaws & QP_LONG_SPACE) != 0);
    assert_int_equal(to.at[to.n - 1], '\n');
    buffer_done(&text);
    buffer_done(&to);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_input_has_one_result),
        cmocka_unit_test(long_space_is_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
