/* SPDX-License-Identifier: ISC */
#include "queue/image_test.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct image image;

static void letters_are_listed_and_taken_out(void **state)
{
    struct image_told told;
    struct buffer text = buffer_with_most(1000);

    image_begin(&image);
    assert_true(image_letter(&image, 5, BYTES("the first")));
    assert_true(image_letter(&image, 6, BYTES("the second")));
    assert_true(image_letter(&image, 7, BYTES("the third")));
    image_state(&image, 5, 0, 1);
    image_state(&image, 6, 0, 1);
    image_state(&image, 6, 1, 1);
    image_inspect(&image, &told);
    assert_int_equal(told.letters_n, 2);
    assert_int_equal(told.letters[0], 5);
    assert_int_equal(told.letters[1], 7);
    assert_int_equal(told.totals.letters, 2);
    assert_int_equal(told.totals.records, 6);
    assert_int_equal(told.totals.flaws, 0);
    assert_int_equal(image_take(&image, told.inspect, 7, &text), TAKE_END);
    assert_true(bytes_equal(buffer_bytes(&text), BYTES("the third")));
    assert_int_equal(image_take(&image, told.inspect, 6, &text), TAKE_DAMAGED);
    inspect_free(told.inspect);
    buffer_done(&text);
}

static void damage_is_told_and_the_rest_is_there(void **state)
{
    struct image_told told;

    image_begin(&image);
    assert_true(image_letter(&image, 5, BYTES("the first")));
    size_t hit = image.at;
    assert_true(image_letter(&image, 6, BYTES("the second")));
    image.durable = lsn_of(1, image.at);
    assert_true(image_letter(&image, 7, BYTES("the third")));
    image.octets[hit + 70] ^= 1;
    image_inspect(&image, &told);
    assert_int_equal(told.letters_n, 2);
    assert_int_equal(told.totals.damage, 1);
    inspect_free(told.inspect);
}

static void an_empty_spool_is_well(void **state)
{
    struct inspect *inspect = inspect_new(BYTES_NONE, BYTES("notes\n0000000000001\n"));

    assert_non_null(inspect);
    struct inspect_want want = inspect_next(inspect);
    assert_int_equal(want.need, INSPECT_ENDS);
    assert_int_equal(want.totals.flaws, 0);
    assert_int_equal(want.totals.bodies_unknown, 1);
    inspect_free(inspect);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(letters_are_listed_and_taken_out),
        cmocka_unit_test(damage_is_told_and_the_rest_is_there),
        cmocka_unit_test(an_empty_spool_is_well),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
