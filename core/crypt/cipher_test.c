/* SPDX-License-Identifier: ISC */
#include "crypt/cipher.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const uint8_t key[CIPHER_KEY_MOST] = {
    0x01, 0x23, 0x45, 0x67, 0x89, 0xAB, 0xCD, 0xEF, 0xFE, 0xDC, 0xBA, 0x98, 0x76, 0x54, 0x32, 0x10,
    0x01, 0x23, 0x45, 0x67, 0x89, 0xAB, 0xCD, 0xEF, 0xFE, 0xDC, 0xBA, 0x98, 0x76, 0x54, 0x32, 0x10,
};
static const uint8_t iv[CIPHER_IV_MOST] = {
    0x12, 0x34, 0x56, 0x78, 0x90, 0xAB, 0xCD, 0xEF, 0x12, 0x34, 0x56, 0x78, 0x90, 0xAB, 0xCD, 0xEF,
};

/* One for all tests: what one of them loaded serves the next. */
static struct ciphers ciphers;

/* FIPS 81, table C1: "Now is the time for all " under DES-CBC, without padding. */
static void test_des_known(void **state)
{
    static const uint8_t want[] = { 0xE5, 0xC7, 0xCD, 0xDE, 0x87, 0x2B, 0xF2, 0x7C, 0x43, 0xE9,
                                    0x34, 0x00, 0x8C, 0x38, 0x9C, 0x0F, 0x68, 0x37, 0x88, 0x49,
                                    0x9A, 0x7C, 0x05, 0xF6 };
    struct buffer out = buffer_with_most(64);

    assert_true(cipher_run(&ciphers, CIPHER_DES_CBC, CIPHER_SEAL, key, iv,
                           BYTES("Now is the time for all "),
                           &out));
    assert_int_equal(out.n, 32);
    assert_memory_equal(out.at, want, sizeof(want));
    buffer_done(&out);
}

static void test_there_and_back(void **state)
{
    struct bytes text = BYTES("48 octets: a whole number of blocks of any cipher");

    text.n = 48;
    for (size_t i = 0; i < CIPHER_KINDS; i++) {
        enum cipher_kind kind = (enum cipher_kind)i;
        struct buffer shut = buffer_with_most(256), clear = buffer_with_most(256);
        struct cipher *cipher = cipher_new(&ciphers, kind, CIPHER_OPEN, key, iv);
        assert_non_null(cipher);
        assert_true(cipher_run(&ciphers, kind, CIPHER_SEAL, key, iv, text, &shut));
        for (size_t at = 0; at < shut.n; at += 5)
            cipher_put(cipher, bytes_first(bytes_skip(buffer_bytes(&shut), at), 5), &clear);
        assert_true(cipher_end(cipher, &clear));
        assert_true(bytes_equal(buffer_bytes(&clear), text));
        cipher_free(cipher);
        buffer_done(&shut);
        buffer_done(&clear);
    }
}

/* An octet changed or left out is found where the cipher can find it. */
static void test_tag_guards(void **state)
{
    struct buffer shut = buffer_with_most(256), clear = buffer_with_most(256);

    assert_true(cipher_run(&ciphers, CIPHER_AES_256_GCM, CIPHER_SEAL, key, iv, BYTES("text"),
                           &shut));
    assert_int_equal(shut.n, 4 + CIPHER_TAG);
    for (size_t i = 0; i < shut.n; i++) {
        shut.at[i] ^= 1;
        assert_false(cipher_run(&ciphers, CIPHER_AES_256_GCM, CIPHER_OPEN, key, iv,
                                buffer_bytes(&shut),
                                &clear));
        shut.at[i] ^= 1;
        assert_false(cipher_run(&ciphers, CIPHER_AES_256_GCM, CIPHER_OPEN, key, iv,
                                bytes_first(buffer_bytes(&shut), i), &clear));
    }
    buffer_clear(&clear);
    assert_true(cipher_run(&ciphers, CIPHER_AES_256_GCM, CIPHER_OPEN, key, iv, buffer_bytes(&shut),
                           &clear));
    assert_false(cipher_run(&ciphers, CIPHER_DES_CBC, CIPHER_OPEN, key, iv, BYTES("1234567"),
                            &clear));
    assert_false(cipher_run(&ciphers, CIPHER_DES_CBC, CIPHER_OPEN, key, iv, BYTES_NONE, &clear));
    buffer_done(&shut);
    buffer_done(&clear);
}

/* Loaded once, however many ciphers are made; given back, and loaded again when needed. */
static void test_loaded_once(void **state)
{
    struct ciphers some = { 0 };
    struct buffer out = buffer_with_most(64);

    assert_true(cipher_run(&some, CIPHER_AES_256_GCM, CIPHER_SEAL, key, iv, BYTES("text"), &out));
    assert_true(cipher_run(&some, CIPHER_DES_EDE_CBC, CIPHER_SEAL, key, iv, BYTES("a"), &out));
    assert_null(some.legacy);
    assert_true(cipher_run(&some, CIPHER_DES_ECB, CIPHER_SEAL, key, iv, BYTES("8 octets"), &out));
    const struct cipher_legacy *loaded = some.legacy;
    assert_non_null(loaded);
    assert_true(cipher_run(&some, CIPHER_DES_CBC, CIPHER_SEAL, key, iv, BYTES("b"), &out));
    assert_ptr_equal(some.legacy, loaded);
    ciphers_done(&some);
    assert_null(some.legacy);
    assert_true(cipher_run(&some, CIPHER_DES_CBC, CIPHER_SEAL, key, iv, BYTES("c"), &out));
    ciphers_done(&some);
    buffer_done(&out);
}

static void test_parity(void **state)
{
    uint8_t some[] = { 0x00, 0x01, 0x02, 0x03, 0xFE, 0xFF };
    static const uint8_t odd[] = { 0x01, 0x01, 0x02, 0x02, 0xFE, 0xFE };

    cipher_set_parity(some, sizeof(some));
    assert_memory_equal(some, odd, sizeof(odd));
}

static int tear_down(void **state)
{
    ciphers_done(&ciphers);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_des_known),
        cmocka_unit_test(test_there_and_back),
        cmocka_unit_test(test_tag_guards),
        cmocka_unit_test(test_loaded_once),
        cmocka_unit_test(test_parity),
    };

    return cmocka_run_group_tests(tests, NULL, tear_down);
}
