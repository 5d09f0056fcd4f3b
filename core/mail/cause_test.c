/* SPDX-License-Identifier: ISC */
#include "mail/cause.h"     /* and cause.def: each row of CAUSE_LIST is walked */

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <string.h>

static void names_are_read_back(void **state)
{
    (void)state;
    for (enum cause_category i = CAUSE_FIRST; i < CAUSE_COUNT; i++) {
        const char *name = cause_category_name(i);

        assert_true(strlen(name) > 0);
        assert_int_equal(cause_category_of(bytes_of(name)), i);
    }
    assert_int_equal(CAUSE_LAST - CAUSE_FIRST + 1, 20);
    assert_int_equal(cause_category_of(BYTES("USER_MISSING")), CAUSE_USER_MISSING);
    assert_int_equal(cause_category_of(BYTES("user-gone")), CAUSE_NONE);
    assert_int_equal(cause_category_of(BYTES_NONE), CAUSE_NONE);
}

static void what_is_still_tried_is_incomplete(void **state)
{
    (void)state;
    struct cause cause = cause_of(CAUSE_MAILBOX_FULL);

    assert_int_equal(cause_family(&cause), CAUSE_FAMILY_UNDELIVERED);
    cause.over = CAUSE_NO;
    assert_int_equal(cause_family(&cause), CAUSE_FAMILY_INCOMPLETE);
    cause = cause_of(CAUSE_COMPLAINT);
    cause.over = CAUSE_NO;
    assert_int_equal(cause_family(&cause), CAUSE_FAMILY_NONE);
}

/* Only an address that does not exist is bad; a full mailbox and a block are not. */
static void only_four_make_an_address_bad(void **state)
{
    (void)state;
    for (enum cause_category i = CAUSE_FIRST; i <= CAUSE_LAST; i++) {
        struct cause cause = cause_of(i);
        bool bad = i == CAUSE_USER_MISSING || i == CAUSE_DOMAIN_ISSUE || i == CAUSE_ADDRESS_INVALID
            || i == CAUSE_ADDRESS_CLOSED;

        assert_int_equal(cause.address_bad == CAUSE_YES, bad);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_read_back),
        cmocka_unit_test(what_is_still_tried_is_incomplete),
        cmocka_unit_test(only_four_make_an_address_bad),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
