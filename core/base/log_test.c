/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/limits.h"
#include "base/log.h"
#include "base/utf8.h"

static const struct {
    const char *name;
    struct bytes value;
    const char *want;
} cases[] = {
    { "word", BYTES_INIT("mx.example.org"), " k=mx.example.org" },
    { "nothing", BYTES_INIT(""), " k=\"\"" },
    { "space", BYTES_INIT("a b"), " k=\"a b\"" },
    { "pair inside", BYTES_INIT("a=b"), " k=\"a=b\"" },
    { "quote", BYTES_INIT("a\"b"), " k=\"a\\\"b\"" },
    { "second line", BYTES_INIT("a\nevent=forged"), " k=\"a\\x0aevent=forged\"" },
    { "second line, CR", BYTES_INIT("a\revent"), " k=\"a\\x0devent\"" },
    { "NUL", BYTES_INIT("a\0b"), " k=\"a\\x00b\"" },
    { "terminal", BYTES_INIT("\x1b]0;x\x07"), " k=\"\\x1b]0;x\\x07\"" },
    { "next line, C1", BYTES_INIT("\xc2\x85"), " k=\"\\xc2\\x85\"" },
    { "line separator", BYTES_INIT("\xe2\x80\xa8"), " k=\"\\xe2\\x80\\xa8\"" },
    { "bidirectional", BYTES_INIT("\xe2\x80\xae""abc"), " k=\"\\xe2\\x80\\xae""abc\"" },
    { "not UTF-8", BYTES_INIT("\xff\xfe"), " k=\"\\xff\\xfe\"" },
    { "UTF-8", BYTES_INIT("jos\xc3\xa9"), " k=\"jos\xc3\xa9\"" },
    { "backslash", BYTES_INIT("a\\x0a"), " k=\"a\\\\x0a\"" },
};

static void escapes(void **state)
{
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct buffer theirs = buffer_with_most(256), ours = buffer_with_most(256);
        log_theirs(&theirs, "k", cases[i].value);
        log_ours(&ours, "k", cases[i].value);
        if (!bytes_equal(buffer_bytes(&theirs), bytes_of(cases[i].want))
            || !bytes_equal(buffer_bytes(&ours), bytes_of(cases[i].want)))
            fail_msg("%s", cases[i].name);
        buffer_done(&theirs);
        buffer_done(&ours);
    }
}

static void makes_a_line(void **state)
{
    struct buffer line = buffer_with_most(LIMIT_LOG_LINE);

    log_begin(&line, "rcpt");
    log_theirs(&line, "to", BYTES("\"a b\"@example.org"));
    log_ours(&line, "code", BYTES("5.1.1"));
    log_uint(&line, "octets", UINT64_MAX);
    assert_true(bytes_equal(buffer_bytes(&line),
        BYTES("event=rcpt to=\"\\\"a b\\\"@example.org\" code=5.1.1 octets=18446744073709551615")));
    buffer_done(&line);
}

static void cuts_what_is_long(void **state)
{
    static char text[LIMIT_LOG_FIELD + 1];
    struct buffer line = buffer_with_most(LIMIT_LOG_LINE);

    for (size_t i = 0; i < sizeof(text); i++)
        text[i] = 'a';
    log_theirs(&line, "k", (struct bytes){ text, LIMIT_LOG_FIELD });
    assert_int_equal(line.n, LIMIT_LOG_FIELD + 3);
    buffer_clear(&line);
    log_theirs(&line, "k", (struct bytes){ text, LIMIT_LOG_FIELD + 1 });
    assert_int_equal(line.n, LIMIT_LOG_FIELD + 6);
    assert_true(bytes_ends(buffer_bytes(&line), BYTES("a...")));
    buffer_done(&line);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(escapes), cmocka_unit_test(makes_a_line),
        cmocka_unit_test(cuts_what_is_long),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
