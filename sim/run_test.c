/* SPDX-License-Identifier: ISC
 *
 * The simulator's own proof: with a toy store all goes well in a world without faults, and the
 * judges see it when there are some, since the toy forgets. */
#include "sim/run.h"

#include "base/plant.h"
#include "sim/toy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

enum plant planted_fault = PLANT_none;

static void a_calm_world_keeps_all(void **state)
{
    for (uint64_t seed = 1; seed <= 3; seed++) {
        struct run_options options = { .seed = seed, .store = &toy_store_ops, .calm = true };
        struct run_result result = run_seed(&options);
        if (!result.kept)
            fail_msg("seed %u: %s", (unsigned)seed, result.words);
        assert_true(result.totals.letters >= 100);
        assert_true(result.totals.sessions >= 20);
        assert_true(result.totals.delivered >= result.totals.acked / 2);
        assert_true(run_seed(&options).hash == result.hash);
    }
}

static void judges_see_what_is_lost(void **state)
{
    bool seen = false;

    for (uint64_t seed = 1; seed <= 10 && !seen; seed++) {
        struct run_options options = { .seed = seed, .store = &toy_store_ops };
        seen = !run_seed(&options).kept;
    }
    assert_true(seen);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_calm_world_keeps_all),
        cmocka_unit_test(judges_see_what_is_lost),
    };
    return cmocka_run_group_tests_name("sim/run", tests, NULL, NULL);
}
