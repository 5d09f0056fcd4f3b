/* SPDX-License-Identifier: ISC */
#include "host/clock.h"
#include "host/testing.h"

static const struct { uint64_t ms; const char *text; } moments[] = {
    { 0, "1970-01-01T00:00:00.000Z" },
    { 951782399999, "2000-02-28T23:59:59.999Z" },
    { 951782400000, "2000-02-29T00:00:00.000Z" },
    { 951868800000, "2000-03-01T00:00:00.000Z" },
    { 1795295978123, "2026-11-21T21:19:38.123Z" },
    { 1709164800000, "2024-02-29T00:00:00.000Z" },
    { 4107542400000, "2100-03-01T00:00:00.000Z" },
    { 1735689599000, "2024-12-31T23:59:59.000Z" },
    { 253402300799999, "9999-12-31T23:59:59.999Z" },
    { UINT64_MAX, "9999-12-31T23:59:59.999Z" },
};

static void moments_are_written(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(moments); i++) {
        char text[CLOCK_TEXT];
        clock_put_text(moments[i].ms, text);
        assert_memory_equal(text, moments[i].text, CLOCK_TEXT);
    }
}

static void time_does_not_step_back(void **state)
{
    struct moment before = clock_now(), after = clock_now();

    (void)state;
    assert_true(after.mono_ms >= before.mono_ms);
    assert_true(before.wall_ms > 1700000000000);
}

static void chance_fills_all_of_it(void **state)
{
    uint8_t octets[300] = { 0 };
    size_t zeroes = 0;

    (void)state;
    /* OS-011: it ends the process rather than go on without chance; here it must give some. */
    entropy_fill(octets, sizeof(octets));
    for (size_t i = 0; i < sizeof(octets); i++)
        zeroes += octets[i] == 0;
    assert_true(zeroes < 30);
    assert_true(octets[299] != 0 || octets[298] != 0 || octets[297] != 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(moments_are_written),
        cmocka_unit_test(time_does_not_step_back),
        cmocka_unit_test(chance_fills_all_of_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
