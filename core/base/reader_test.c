/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/buffer.h"
#include "base/reader.h"

static void reads_what_was_written(void **state)
{
    struct buffer out = buffer_with_most(256);

    buffer_put_u8(&out, 0xFE);
    buffer_put_u16(&out, 0xFEDC);
    buffer_put_u32(&out, 0xFEDCBA98);
    buffer_put_u64(&out, 0xFEDCBA9876543210);
    buffer_put_block(&out, BYTES("a\0b"));
    buffer_put_block(&out, BYTES_NONE);
    buffer_put(&out, BYTES("rest"));
    struct reader in = reader_of(buffer_bytes(&out));
    assert_int_equal(read_u8(&in), 0xFE);
    assert_int_equal(read_u16(&in), 0xFEDC);
    assert_int_equal(read_u32(&in), 0xFEDCBA98);
    assert_true(read_u64(&in) == 0xFEDCBA9876543210);
    assert_true(bytes_equal(read_block(&in), BYTES("a\0b")));
    assert_int_equal(read_block(&in).n, 0);
    assert_false(reader_finished(&in));
    assert_true(bytes_equal(read_rest(&in), BYTES("rest")));
    assert_true(reader_finished(&in));
    buffer_done(&out);
}

/* Cut the text anywhere: never a read past the end, and it is known at the end. */
static void every_cut_is_bad(void **state)
{
    struct buffer out = buffer_with_most(256);

    buffer_put_u64(&out, 1);
    buffer_put_block(&out, BYTES("block"));
    buffer_put_u16(&out, 2);
    for (size_t n = 0; n <= out.n; n++) {
        struct reader in = reader_of(bytes_first(buffer_bytes(&out), n));
        read_u64(&in);
        read_block(&in);
        read_u16(&in);
        assert_int_equal(reader_finished(&in), n == out.n);
        assert_true(in.at <= n);
    }
    buffer_done(&out);
}

static void failure_sticks(void **state)
{
    struct reader in = reader_of(BYTES("abc"));

    assert_int_equal(read_u32(&in), 0);
    assert_false(reader_ok(&in));
    assert_int_equal(read_u8(&in), 0);
    assert_int_equal(read_bytes(&in, 0).n, 0);
    assert_int_equal(read_rest(&in).n, 0);
    assert_false(reader_finished(&in));
}

static void lies_about_lengths(void **state)
{
    struct reader in = reader_of(BYTES("\xff\xff\xff\xff" "abc"));

    assert_int_equal(read_block(&in).n, 0);
    assert_true(in.bad);
    in = reader_of(BYTES("abc"));
    assert_int_equal(read_bytes(&in, SIZE_MAX).n, 0);
    assert_true(in.bad);
}

static void takes(void **state)
{
    struct reader in = reader_of(BYTES("MAIL from:<123>"));

    assert_int_equal(peek_octet(&in), 'M');
    assert_false(take_nocase(&in, BYTES("RCPT")));
    assert_true(take_nocase(&in, BYTES("mail ")));
    assert_true(take_nocase(&in, BYTES("FROM:")));
    assert_false(take_char(&in, '>'));
    assert_true(take_char(&in, '<'));
    assert_true(bytes_equal(take_while(&in, is_digit), BYTES("123")));
    assert_int_equal(take_while(&in, is_digit).n, 0);
    assert_true(bytes_equal(reader_left(&in), BYTES(">")));
    assert_true(take_char(&in, '>'));
    assert_true(reader_empty(&in));
    assert_int_equal(peek_octet(&in), -1);
    assert_false(take_char(&in, '>'));
    assert_int_equal(take_while(&in, is_digit).n, 0);
    in = reader_of(BYTES("\xff"));
    assert_int_equal(peek_octet(&in), 0xFF);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_what_was_written), cmocka_unit_test(every_cut_is_bad),
        cmocka_unit_test(failure_sticks), cmocka_unit_test(lies_about_lengths),
        cmocka_unit_test(takes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
