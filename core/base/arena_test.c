/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/arena.h"

#include <stdalign.h>
#include <string.h>

static bool is_zero(const char *at, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (at[i] != 0)
            return false;
    return true;
}

static void gives_zeroed_and_aligned(void **state)
{
    struct arena arena = arena_with_ceiling(1 << 20);

    for (size_t round = 0; round < 3; round++) {
        for (size_t n = 0; n < 300; n++) {
            char *taken = arena_take(&arena, n);
            assert_non_null(taken);
            assert_int_equal((uintptr_t)taken % alignof(max_align_t), 0);
            assert_true(is_zero(taken, n));
            memset(taken, 0xAA, n);
        }
        arena_reset(&arena);
    }
    arena_done(&arena);
}

static void keeps_to_its_ceiling(void **state)
{
    struct arena arena = arena_with_ceiling(10000);
    size_t given = 0;

    while (arena_take(&arena, 100) != NULL)
        given += 100;
    assert_true(given <= 10000 && given > 8000);
    assert_true(arena.full);
    assert_null(arena_take(&arena, SIZE_MAX));
    assert_null(arena_take(&arena, SIZE_MAX - 8));
    assert_null(arena_take(&arena, 10001));
    arena_reset(&arena);
    assert_false(arena.full);
    assert_non_null(arena_take(&arena, 10000));
    assert_null(arena_take(&arena, 1));
    arena_done(&arena);
    assert_non_null(arena_take(&arena, 5000));
    arena_done(&arena);
}

/* No request, however chosen, is given more than the ceiling says in all. */
static void alignment_counts(void **state)
{
    struct arena arena = arena_with_ceiling(64);
    size_t taken = 0;

    while (taken < 100 && arena_take(&arena, 1) != NULL)
        taken++;
    assert_int_equal(taken, 64 / alignof(max_align_t));
    arena_done(&arena);
}

static void copies(void **state)
{
    struct arena arena = arena_with_ceiling(100);
    struct bytes copy = arena_copy(&arena, BYTES("a\0b"));

    assert_true(bytes_equal(copy, BYTES("a\0b")));
    copy = arena_copy(&arena, BYTES_NONE);
    assert_non_null(copy.at);
    assert_int_equal(copy.n, 0);
    copy = arena_copy(&arena, (struct bytes){ "", 1000 });
    assert_null(copy.at);
    assert_int_equal(copy.n, 0);
    arena_done(&arena);
}

static void large_ones_and_resets(void **state)
{
    struct arena arena = arena_with_ceiling(1 << 20);

    for (size_t round = 0; round < 3; round++) {
        char *large = arena_take(&arena, 100000), *small = arena_take(&arena, 10);
        assert_true(is_zero(large, 100000) && is_zero(small, 10));
        memset(large, 1, 100000);
        memset(small, 1, 10);
        arena_reset(&arena);
        assert_int_equal(arena.used, 0);
    }
    arena_done(&arena);
}

/* Each allocation in turn fails once: NULL, never a crash, and all is well after. */
static void no_memory(void **state)
{
    for (uint64_t n = 1; n <= 4; n++) {
        struct arena arena = arena_with_ceiling(1 << 20);
        unsigned refused = 0;
        mem_fail_at(n);
        for (unsigned i = 0; i < 4; i++)
            refused += arena_take(&arena, 5000) == NULL;
        assert_int_equal(refused, 1);
        assert_true(arena.full);
        assert_non_null(arena_take(&arena, 5000));
        arena_done(&arena);
    }
    mem_fail_at(1);
    assert_null(mem_new(1));
    char *at = mem_new(0);
    assert_non_null(at);
    mem_fail_at(1);
    assert_null(mem_resize(at, 10));
    at = mem_resize(at, 10);
    assert_non_null(at);
    memset(at, 1, 10);
    mem_wipe(at, 10);
    assert_true(is_zero(at, 10));
    mem_free(at);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_zeroed_and_aligned), cmocka_unit_test(keeps_to_its_ceiling),
        cmocka_unit_test(alignment_counts), cmocka_unit_test(copies),
        cmocka_unit_test(large_ones_and_resets), cmocka_unit_test(no_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
