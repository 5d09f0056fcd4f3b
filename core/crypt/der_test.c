/* SPDX-License-Identifier: ISC */
#include "crypt/der.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static const struct {
    struct bytes der;
    bool well;
} integers[] = {
    { BYTES_INIT("\x02\x01\x00"), true },
    { BYTES_INIT("\x02\x01\x7F"), true },
    { BYTES_INIT("\x02\x02\x00\x80"), true },
    { BYTES_INIT("\x02\x01\x80"), true },               /* -128 */
    { BYTES_INIT("\x02\x00"), false },
    { BYTES_INIT("\x02\x02\x00\x7F"), false },          /* not the shortest */
    { BYTES_INIT("\x02\x02\xFF\x80"), false },
    { BYTES_INIT("\x02\x02\x01"), false },              /* cut */
    { BYTES_INIT("\x02"), false },
    { BYTES_INIT(""), false },
    { BYTES_INIT("\x02\x80\x01\x00\x00"), false },      /* indefinite */
    { BYTES_INIT("\x02\x81\x01\x05"), false },          /* a length not in its shortest form */
    { BYTES_INIT("\x02\x82\x00\x81"), false },
    { BYTES_INIT("\x02\x84\xFF\xFF\xFF\xFF"), false },
    { BYTES_INIT("\x02\x85\x00\x00\x00\x00\x01\x05"), false },
    { BYTES_INIT("\x02\x88\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF"), false },
    { BYTES_INIT("\x1F\x81\x01\x01\x05"), false },      /* a tag of more than an octet */
    { BYTES_INIT("\x04\x01\x05"), false },
};

static void test_integers(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(integers); i++) {
        struct der in = der_of(integers[i].der);
        (void)der_take_integer(&in);
        assert_int_equal(der_finished(&in), integers[i].well);
    }
}

static void test_negative(void **state)
{
    struct der in = der_of(BYTES("\x02\x01\x80"));

    (void)state;
    (void)der_take_unsigned(&in);
    assert_true(in.bad);
    in = der_of(BYTES("\x02\x09\x01\x00\x00\x00\x00\x00\x00\x00\x00"));
    (void)der_take_small(&in);
    assert_true(in.bad);
    in = der_of(BYTES("\x02\x09\x00\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF"));
    assert_true(der_take_small(&in) == UINT64_MAX && !in.bad);
}

/* An element inside another cannot be longer than that. */
static void test_nested(void **state)
{
    struct der in = der_of(BYTES("\x30\x03\x04\x7F\x00" "\x00\x00\x00"));
    struct der inner = der_enter(&in, DER_SEQUENCE);

    (void)state;
    assert_false(in.bad);
    (void)der_take(&inner, DER_OCTETS);
    assert_true(inner.bad);
    (void)der_take(&inner, DER_OCTETS);
    assert_true(inner.bad);
}

static const struct {
    const char *text;
    bool full, well;
    int64_t seconds;
} times[] = {
    { "700101000000Z", false, true, 0 },
    { "931202194438Z", false, true, 754861478 },
    { "491231235959Z", false, true, 2524607999 },
    { "500101000000Z", false, true, -631152000 },
    { "9109041838Z", false, true, 684009480 },      /* RFC 1422: seconds may be missing */
    { "000229000000Z", false, true, 951782400 },
    { "20500101000000Z", true, true, 2524608000 },
    { "99991231235959Z", true, true, 253402300799 },
    { "010229000000Z", false, false, 0 },
    { "21000229000000Z", true, false, 0 },
    { "701301000000Z", false, false, 0 },
    { "700100000000Z", false, false, 0 },
    { "700101240000Z", false, false, 0 },
    { "700101006000Z", false, false, 0 },
    { "700101000060Z", false, false, 0 },
    { "700101000000", false, false, 0 },
    { "700101000000+0100", false, false, 0 },
    { "700101000000.5Z", false, false, 0 },
    { "7001010000 0Z", false, false, 0 },
    { "", false, false, 0 },
    { "00000101000000Z", true, false, 0 },
};

static void test_times(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(times); i++) {
        struct buffer der = buffer_with_most(64);
        der_put(&der, times[i].full ? DER_TIME : DER_UTC_TIME, bytes_of(times[i].text));
        struct der in = der_of(buffer_bytes(&der));
        int64_t seconds = der_take_time(&in);
        assert_int_equal(der_finished(&in), times[i].well);
        if (times[i].well)
            assert_true(seconds == times[i].seconds);
        buffer_done(&der);
    }
}

/* What is written is read again, for lengths around each step of the length's form. */
static void test_written(void **state)
{
    static const size_t lengths[] = { 0, 1, 127, 128, 255, 256, 65535, 65536 };
    static const int64_t moments[] = { 0, 1795289924, 2524607999, 2524608000, 4102444800 };

    (void)state;
    for (size_t i = 0; i < COUNT(lengths); i++) {
        struct buffer der = buffer_with_most(1 << 20);
        size_t begun = der_begin(&der);
        buffer_put_chars(&der, 'x', lengths[i]);
        der_end(&der, begun, DER_OCTETS);
        der_end(&der, begun, DER_SEQUENCE);
        struct der in = der_of(buffer_bytes(&der)), inner = der_enter(&in, DER_SEQUENCE);
        assert_int_equal(der_take(&inner, DER_OCTETS).n, lengths[i]);
        assert_true(der_finished(&in) && der_finished(&inner));
        buffer_done(&der);
    }
    for (size_t i = 0; i < COUNT(moments); i++) {
        struct buffer der = buffer_with_most(64);
        der_put_time(&der, moments[i]);
        struct der in = der_of(buffer_bytes(&der));
        assert_true(der_take_time(&in) == moments[i] && der_finished(&in));
        buffer_done(&der);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_integers), cmocka_unit_test(test_negative),
        cmocka_unit_test(test_nested), cmocka_unit_test(test_times),
        cmocka_unit_test(test_written),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
