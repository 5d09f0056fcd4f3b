/* SPDX-License-Identifier: ISC */
#include "queue/company_int.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct company after(size_t last_n, unsigned letters, uint64_t at_ms)
{
    struct company company = { 0 };

    company_went(&company, last_n);
    for (unsigned i = 0; i < letters; i++)
        company_came(&company, at_ms);
    return company;
}

static void rows(void **state)
{
    static const struct {
        const char *name;
        size_t last_n;
        unsigned letters;
        uint64_t later_ms;
        size_t group;
        bool waits;
    } cases[] = {
        { "a letter alone", 0, 1, 0, 1, false },
        { "letters of one client in lock-step", 1, 40, 0, 1, false },
        { "stragglers under load", 8, 40, 0, 4, true },
        { "enough of them", 8, 40, 0, COMPANY_ENOUGH, false },
        { "load in the millisecond before", 8, 40, 1, 4, true },
        { "load that is over", 8, 40, 2, 4, false },
        { "little load", 8, COMPANY_THICK - 1, 0, 4, false },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct company company = after(cases[i].last_n, cases[i].letters, 100);
        bool waits = company_waits(&company, cases[i].group, 100 + cases[i].later_ms);
        if (waits != cases[i].waits)
            fail_msg("%s", cases[i].name);
        assert_int_equal(waits, company.until_ms != 0);
    }
}

static void nobody_waits_beyond_the_next_millisecond(void **state)
{
    struct company company = after(8, 40, 100);

    assert_true(company_waits(&company, 4, 100));
    assert_int_equal(company.until_ms, 101);
    assert_true(company_waits(&company, 5, 100));
    for (unsigned i = 0; i < 40; i++)
        company_came(&company, 101);
    assert_false(company_waits(&company, 6, 101));
    assert_int_equal(company.until_ms, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows),
        cmocka_unit_test(nobody_waits_beyond_the_next_millisecond),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
