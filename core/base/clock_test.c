/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/clock.h"

static void check(void (*put)(struct buffer *, uint64_t), uint64_t number, const char *want)
{
    struct buffer out = buffer_with_most(64);

    put(&out, number);
    buffer_put_char(&out, '\0');
    assert_string_equal(out.at, want);
    buffer_done(&out);
}

static void writes_moments(void **state)
{
    static const struct { uint64_t ms; unsigned weekday; const char *want; } cases[] = {
        { 0, 4, "1970-01-01T00:00:00.000Z" },
        { 951782399999, 1, "2000-02-28T23:59:59.999Z" },
        { 951782400000, 2, "2000-02-29T00:00:00.000Z" },
        { 951868800000, 3, "2000-03-01T00:00:00.000Z" },
        { 1795296488123, 6, "2026-11-21T21:28:08.123Z" },
        { 4107542399000, 0, "2100-02-28T23:59:59.000Z" },
        { 4107542400000, 1, "2100-03-01T00:00:00.000Z" },
        { 253402300799999, 5, "9999-12-31T23:59:59.999Z" },
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        check(clock_put, cases[i].ms, cases[i].want);
        assert_int_equal(civil_of(cases[i].ms).weekday, cases[i].weekday);
    }
    struct buffer out = buffer_with_most(64);
    clock_put(&out, UINT64_MAX);        /* a stranger's number: any text, but no harm */
    assert_false(out.bad);
    buffer_done(&out);
}

static void writes_spans(void **state)
{
    check(span_put, 0, "0 seconds");
    check(span_put, 1999, "1 second");
    check(span_put, 59999, "59 seconds");
    check(span_put, 60000, "1 minute");
    check(span_put, 7200000, "2 hours");
    check(span_put, 86400000, "1 day");
    check(span_put, 172799999, "1 day");
}

static void writes_octets(void **state)
{
    check(octets_put, 0, "0 octets");
    check(octets_put, 1, "1 octet");
    check(octets_put, 1023, "1023 octets");
    check(octets_put, 1024, "1.0 KiB");
    check(octets_put, 12595, "12.2 KiB");
    check(octets_put, 1048575, "1023.9 KiB");
    check(octets_put, 52428800, "50.0 MiB");
    check(octets_put, UINT64_MAX, "15.9 EiB");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_moments),
        cmocka_unit_test(writes_spans),
        cmocka_unit_test(writes_octets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
