/* SPDX-License-Identifier: ISC */
#include "queue/index_int.h"

#include "base/arena.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static struct letter *add(struct index *index, uint64_t id, uint16_t recipients, uint64_t body)
{
    return index_add(index, &(struct letter){ .id = id, .recipients = recipients }, body, 5);
}

static void letters_are_found_and_removed(void **state)
{
    struct index index = { 0 };

    for (uint64_t id = 2; id <= 20000; id += 2)
        assert_non_null(add(&index, id, id % 100 == 0 ? 3 : 1, id % 200 == 0 ? id : 0));
    assert_null(add(&index, 20000, 1, 0));
    assert_non_null(index_find(&index, 4000));
    assert_int_equal(letter_body(index_find(&index, 4000)), 4000);
    assert_int_equal(letter_rcpt(index_find(&index, 4000), 2)->due, 5);
    assert_null(index_find(&index, 4001));
    for (uint64_t id = 2; id <= 18000; id += 2)
        index_remove(&index, index_find(&index, id));
    assert_int_equal(index_count(&index), 1000);
    assert_true(index.letters_n <= 3);          /* memory was given back */
    assert_null(index_find(&index, 18000));
    assert_int_equal(index_after(&index, 0)->id, 18002);
    assert_int_equal(index_after(&index, 18002)->id, 18004);
    assert_null(index_after(&index, 20000));
    assert_null(index_after(&index, UINT64_MAX));
    index_done(&index);
}

static void out_of_order_until_order_is_made(void **state)
{
    struct index index = { 0 };

    for (uint64_t i = 0; i < 5000; i++)
        assert_non_null(add(&index, (i * 2557) % 5000 + 1, 1, 0));
    assert_null(add(&index, 77, 1, 0));
    for (uint64_t id = 1; id <= 5000; id += 5)
        index_remove(&index, index_find(&index, id));
    assert_null(index_find(&index, 1));
    assert_non_null(index_find(&index, 2));
    index_order(&index);
    assert_int_equal(index_count(&index), 4000);
    uint64_t last = 0;
    for (size_t i = 0; i < index.n; i++) {
        assert_true(index_at(&index, i)->id > last);
        last = index_at(&index, i)->id;
    }
    assert_non_null(add(&index, 6000, 1, 0));
    assert_non_null(index_find(&index, 6000));
    index_done(&index);
}

static void the_heap_gives_the_earliest(void **state)
{
    struct index index = { 0 };
    struct due due;
    uint64_t last = 0;

    assert_false(index_next(&index, &due));
    for (uint64_t i = 0; i < 40000; i++)
        assert_true(index_wake(&index, i, (i * 7919) % 40000));
    for (uint64_t i = 0; i < 40000; i++) {
        assert_true(index_next(&index, &due));
        assert_true(due.at >= last);
        last = due.at;
        index_woken(&index);
    }
    assert_false(index_next(&index, &due));
    assert_true(index.dues_n <= 2);
    index_done(&index);
}

static void without_memory_nothing_changes(void **state)
{
    for (uint64_t at = 1; at < 8; at++) {
        struct index index = { 0 };
        mem_fail_at(at);
        bool added = add(&index, 9, 5, 1) != NULL && index_wake(&index, 9, 1)
                  && add(&index, 3, 1, 0) != NULL;
        mem_fail_at(0);
        assert_int_equal(index_count(&index) == 2, added);
        index_order(&index);
        index_done(&index);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(letters_are_found_and_removed),
        cmocka_unit_test(out_of_order_until_order_is_made),
        cmocka_unit_test(the_heap_gives_the_earliest),
        cmocka_unit_test(without_memory_nothing_changes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
