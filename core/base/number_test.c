/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/number.h"

static void parses(void **state)
{
    static const struct { struct bytes text; bool well; uint64_t want; } cases[] = {
        { BYTES_INIT("0"), true, 0 },
        { BYTES_INIT("00000000000000000007"), true, 7 },
        { BYTES_INIT("000000000000000000007"), false, 0 },
        { BYTES_INIT("18446744073709551615"), true, UINT64_MAX },
        { BYTES_INIT("18446744073709551616"), false, 0 },
        { BYTES_INIT("20000000000000000000"), false, 0 },
        { BYTES_INIT("99999999999999999999"), false, 0 },
        { BYTES_INIT(""), false, 0 },
        { BYTES_INIT(" 1"), false, 0 },
        { BYTES_INIT("1 "), false, 0 },
        { BYTES_INIT("+1"), false, 0 },
        { BYTES_INIT("-1"), false, 0 },
        { BYTES_INIT("0x10"), false, 0 },
        { BYTES_INIT("1\0"), false, 0 },
        { BYTES_INIT("\xd9\xa1"), false, 0 },
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        uint64_t number = 4711;
        bool well = number_parse(cases[i].text, &number);
        if (well != cases[i].well || number != (well ? cases[i].want : 4711))
            fail_msg("'%.*s'", (int)cases[i].text.n, cases[i].text.at);
    }
}

static void says_when_it_does_not_fit(void **state)
{
    uint64_t n;

    assert_true(add_fits(UINT64_MAX - 1, 1, &n) && n == UINT64_MAX);
    assert_false(add_fits(UINT64_MAX, 1, &n));
    assert_true(multiply_fits(UINT64_MAX / 3, 3, &n) && n == UINT64_MAX);
    assert_false(multiply_fits(UINT64_MAX / 3 + 1, 3, &n));
    assert_true(multiply_fits(UINT64_MAX, 0, &n) && n == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parses), cmocka_unit_test(says_when_it_does_not_fit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
