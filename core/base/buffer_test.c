/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/arena.h"
#include "base/buffer.h"

static void assert_text(const struct buffer *buffer, struct bytes want)
{
    struct bytes text = buffer_bytes(buffer);

    assert_int_equal(text.n, want.n);
    assert_memory_equal(text.at, want.at, want.n);
}

static void writes(void **state)
{
    struct buffer out = buffer_with_most(1024);

    assert_text(&out, BYTES_NONE);
    buffer_put(&out, BYTES("a\0b"));
    buffer_put_char(&out, '-');
    buffer_put_chars(&out, '=', 3);
    buffer_put_chars(&out, '!', 0);
    buffer_put_text(&out, "text");
    assert_text(&out, BYTES("a\0b-===text"));
    buffer_clear(&out);
    assert_text(&out, BYTES_NONE);
    buffer_done(&out);
    buffer_done(&out);
}

static void writes_numbers(void **state)
{
    static const struct { uint64_t number; unsigned width; const char *want; } cases[] = {
        { 0, 1, "0" }, { 0, 0, "0" }, { 7, 3, "007" }, { 1234, 3, "1234" },
        { UINT64_MAX, 1, "18446744073709551615" },
        { 1, 32, "00000000000000000000000000000001" },
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        struct buffer out = buffer_with_most(64);
        buffer_put_uint_wide(&out, cases[i].number, cases[i].width);
        assert_text(&out, bytes_of(cases[i].want));
        buffer_done(&out);
    }
}

static void writes_little_endian(void **state)
{
    struct buffer out = buffer_with_most(64);

    buffer_put_u8(&out, 0x01);
    buffer_put_u16(&out, 0x0302);
    buffer_put_u32(&out, 0x07060504);
    buffer_put_u64(&out, 0x0F0E0D0C0B0A0908);
    buffer_put_block(&out, BYTES("xy"));
    assert_text(&out, BYTES("\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f"
                            "\x02\0\0\0xy"));
    buffer_done(&out);
}

/* What does not fit is left out whole and remembered; what fits after it is still written. */
static void keeps_to_its_most(void **state)
{
    for (size_t most = 0; most < 200; most++) {
        struct buffer out = buffer_with_most(most);
        for (size_t i = 0; i < most; i++)
            buffer_put_char(&out, 'x');
        assert_false(out.bad);
        assert_int_equal(out.n, most);
        assert_true(out.room <= most);
        buffer_put(&out, BYTES("yz"));
        assert_true(out.bad);
        assert_int_equal(out.n, most);
        buffer_clear(&out);
        assert_false(out.bad);
        buffer_done(&out);
    }
}

static void huge_requests_do_not_wrap(void **state)
{
    struct buffer out = buffer_with_most(100);

    buffer_put(&out, BYTES("abc"));
    assert_null(buffer_grow(&out, SIZE_MAX));
    assert_null(buffer_grow(&out, SIZE_MAX - 2));
    assert_false(buffer_reserve(&out, 98));
    assert_true(buffer_reserve(&out, 97));
    buffer_put_chars(&out, 'x', SIZE_MAX - 1);
    assert_text(&out, BYTES("abc"));
    assert_true(out.bad);
    buffer_done(&out);
}

static void no_memory_is_bad_and_well_again(void **state)
{
    struct buffer out = buffer_with_most(1000);

    mem_fail_at(1);
    buffer_put(&out, BYTES("lost"));
    assert_true(out.bad);
    buffer_clear(&out);
    buffer_put(&out, BYTES("kept"));
    mem_fail_at(1);
    buffer_put_chars(&out, 'x', 500);
    assert_true(out.bad);
    assert_text(&out, BYTES("kept"));
    buffer_done(&out);
}

static void drops_and_shrinks(void **state)
{
    struct buffer out = buffer_with_most(1000);

    buffer_put(&out, BYTES("abcdef"));
    buffer_drop(&out, 0);
    buffer_drop(&out, 2);
    assert_text(&out, BYTES("cdef"));
    buffer_drop(&out, 4);
    assert_text(&out, BYTES_NONE);
    buffer_put_chars(&out, 'x', 500);
    buffer_shrink(&out, 1000);
    assert_true(out.room >= 500);
    buffer_shrink(&out, 100);
    assert_int_equal(out.room, 0);
    assert_int_equal(out.most, 1000);
    buffer_done(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes), cmocka_unit_test(writes_numbers),
        cmocka_unit_test(writes_little_endian), cmocka_unit_test(keeps_to_its_most),
        cmocka_unit_test(huge_requests_do_not_wrap),
        cmocka_unit_test(no_memory_is_bad_and_well_again), cmocka_unit_test(drops_and_shrinks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
