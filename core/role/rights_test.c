/* SPDX-License-Identifier: ISC */
#include "role/rights.h"
#include "base/limits.h"
#include "role/rights.def"
#include "role/wire.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

/* Every message of wire.def has a channel to pass on, and no channel is there for nothing. */
static void ways_and_channels_agree(void **state)
{
    (void)state;
    for (enum role_kind a = 0; a < ROLE_KINDS; a++) {
        for (enum role_kind b = 0; b < ROLE_KINDS; b++) {
            bool used = false;
            for (enum wire_kind kind = 0; kind < WIRE_KINDS; kind++) {
                bool passes = wire_allowed(kind, a, b) || wire_allowed(kind, b, a);
                used = used || passes;
                assert_true(!passes || rights_talk(a, b));
            }
            assert_int_equal(rights_talk(a, b), used);
        }
    }
}

static void only_one_role_holds_each_right(void **state)
{
    (void)state;
    static const enum right rights[] = {
        MAY_BIND, MAY_FORK, MAY_SMTP, MAY_SPOOL, MAY_MAIL, MAY_CONTROL, MAY_CONNECT, MAY_KEYS,
        MAY_HOME, MAY_DNS, MAY_FETCH,
    };
    for (size_t i = 0; i < COUNT(rights); i++) {
        unsigned holders = 0;
        for (enum role_kind kind = 0; kind < ROLE_KINDS; kind++)
            holders += (rights_of(kind)->may & rights[i]) != 0;
        assert_int_equal(holders, 1);
    }
}

static void files_need_threads(void **state)
{
    (void)state;
    for (enum role_kind kind = 0; kind < ROLE_KINDS; kind++) {
        bool files = (rights_of(kind)->may & (MAY_SPOOL | MAY_MAIL | MAY_KEYS | MAY_HOME)) != 0;
        assert_int_equal(files, rights_of(kind)->lanes > 0);
        assert_true(rights_of(kind)->lanes <= LIMIT_IO_LANES);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ways_and_channels_agree),
        cmocka_unit_test(only_one_role_holds_each_right),
        cmocka_unit_test(files_need_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
