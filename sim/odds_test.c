/* SPDX-License-Identifier: ISC
 *
 * Every row of odds.def: sensible odds, a total under its name, drawn in some swarms and absent
 * in others. */
#include "sim/odds.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <string.h>

static void each_row_is_sensible(void **state)
{
#define O(name, usual, most, words)                                     \
    assert_true((usual) > 0 && (usual) <= (most) && (most) <= DICE_ALWAYS);  \
    assert_true(odds_usual().name == (usual) && odds_none().name == 0); \
    assert_true(strlen(words) > 0);
    ODDS_LIST(O)
#undef O
}

static void swarms_draw_each_and_leave_each_out(void **state)
{
    struct totals drawn = { .steps = 0 }, absent = { .steps = 0 };

    for (uint64_t seed = 0; seed < 100; seed++) {
        struct dice dice = dice_of(seed, 1);
        struct odds odds = odds_swarm(&dice);
#define O(name, usual, most, words)     \
        drawn.name += odds.name > 0;    \
        absent.name += odds.name == 0;
        ODDS_LIST(O)
#undef O
    }
#define O(name, usual, most, words) assert_true(drawn.name > 0 && absent.name > 0);
    ODDS_LIST(O)
#undef O
}

static void totals_are_summed(void **state)
{
    struct totals sum = { .steps = 1 }, more = { .steps = 2 };

#define O(name, usual, most, words) more.name = usual;
    ODDS_LIST(O)
#undef O
    totals_add(&sum, &more);
    totals_add(&sum, &more);
    assert_int_equal(sum.steps, 5);
#define O(name, usual, most, words) assert_true(sum.name == 2 * (uint64_t)(usual));
    ODDS_LIST(O)
#undef O
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_row_is_sensible),
        cmocka_unit_test(swarms_draw_each_and_leave_each_out),
        cmocka_unit_test(totals_are_summed),
    };
    return cmocka_run_group_tests_name("sim/odds", tests, NULL, NULL);
}
