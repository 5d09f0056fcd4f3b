/* SPDX-License-Identifier: ISC */
#include "crypt/der.h"
#include "crypt/rsa.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <string.h>

enum { ROOM = 16384 };

/* The forms of a public key go in and out. */
static void test_forms(void **state)
{
    static const enum rsa_form forms[] = { RSA_SPKI, RSA_SPKI_1989, RSA_PKCS1 };
    struct rsa_private *key = rsa_private_make(512);
    struct rsa_public read;

    (void)state;
    assert_non_null(key);
    assert_int_equal(rsa_bits(rsa_private_public(key)), 512);
    for (size_t i = 0; i < COUNT(forms); i++) {
        struct buffer der = buffer_with_most(ROOM);
        rsa_public_put(rsa_private_public(key), forms[i], &der);
        assert_true(rsa_public_read(buffer_bytes(&der), &read));
        assert_true(rsa_equal(read, rsa_private_public(key)));
        for (size_t n = 0; n < der.n; n++)
            assert_false(rsa_public_read(bytes_first(buffer_bytes(&der), n), &read));
        buffer_put_char(&der, 0);
        assert_false(rsa_public_read(buffer_bytes(&der), &read));
        buffer_done(&der);
    }
    rsa_private_free(key);
}

/* A key of these numbers is refused, or taken. */
static bool takes(size_t modulus_n, uint8_t first, uint8_t last, struct bytes exponent)
{
    struct buffer der = buffer_with_most(ROOM);
    char *modulus = buffer_grow(&der, modulus_n);
    struct buffer whole = buffer_with_most(ROOM);
    struct rsa_public key;

    memset(modulus, 0x55, modulus_n);
    modulus[0] = (char)first;
    modulus[modulus_n - 1] = (char)last;
    size_t begun = der_begin(&whole);
    der_put_unsigned(&whole, buffer_bytes(&der));
    der_put_unsigned(&whole, exponent);
    der_end(&whole, begun, DER_SEQUENCE);
    bool taken = rsa_public_read(buffer_bytes(&whole), &key);
    buffer_done(&der);
    buffer_done(&whole);
    return taken;
}

static void test_limits(void **state)
{
    struct bytes f4 = BYTES("\x01\x00\x01");

    (void)state;
    assert_true(takes(64, 0x08, 0x01, f4));                 /* 508 bits */
    assert_false(takes(64, 0x07, 0x01, f4));
    assert_false(takes(64, 0x80, 0x02, f4));                /* even */
    assert_true(takes(1024, 0x80, 0x01, f4));
    assert_false(takes(1025, 0x01, 0x01, f4));
    assert_true(takes(64, 0x80, 0x01, BYTES("\x03")));
    assert_false(takes(64, 0x80, 0x01, BYTES("\x01")));
    assert_false(takes(64, 0x80, 0x01, BYTES("\x02")));
    assert_false(takes(64, 0x80, 0x01, BYTES("")));
    assert_true(takes(64, 0x80, 0x01, BYTES("\x80\x00\x00\x87")));
    assert_true(takes(64, 0x80, 0x01, BYTES("\x80\x00\x00\x00\x00\x00\x00\x01")));
    assert_false(takes(64, 0x80, 0x01, BYTES("\x01\x00\x00\x00\x00\x00\x00\x00\x01")));
}

static void test_sign(void **state)
{
    struct rsa_private *key = rsa_private_make(512);
    struct buffer signature = buffer_with_most(ROOM);
    struct bytes info = BYTES("what a DigestInfo is, is not asked");

    (void)state;
    assert_true(rsa_sign(key, info, &signature));
    assert_int_equal(signature.n, 64);
    assert_true(rsa_signed(rsa_private_public(key), buffer_bytes(&signature), info));
    assert_false(rsa_signed(rsa_private_public(key), buffer_bytes(&signature),
                            bytes_first(info, info.n - 1)));
    assert_false(rsa_signed(rsa_private_public(key), BYTES_NONE, info));
    signature.at[63] ^= 1;
    assert_false(rsa_signed(rsa_private_public(key), buffer_bytes(&signature), info));
    memset(signature.at, 0xFF, 64);                         /* not below the modulus */
    assert_false(rsa_signed(rsa_private_public(key), buffer_bytes(&signature), info));
    buffer_put_char(&signature, 0);
    assert_false(rsa_signed(rsa_private_public(key), buffer_bytes(&signature), info));
    char long_info[54] = { 0 };                             /* 64 - 11 is the most */
    assert_false(rsa_sign(key, (struct bytes){ long_info, 54 }, &signature));
    assert_true(rsa_sign(key, (struct bytes){ long_info, 53 }, &signature));
    buffer_done(&signature);
    rsa_private_free(key);
}

/* A wrong block, a wrong length, a wrong key: other octets, and no word about it. */
static void test_encipher(void **state)
{
    struct rsa_private *key = rsa_private_make(512), *other = rsa_private_make(1024);
    struct buffer block = buffer_with_most(ROOM);
    struct bytes secret = BYTES("12345678");
    uint8_t got[32], again[32];

    (void)state;
    assert_true(rsa_encipher(rsa_private_public(key), RSA_WRAP_PKCS1, secret, &block));
    assert_true(rsa_decipher(key, RSA_WRAP_PKCS1, buffer_bytes(&block), 8, got));
    assert_memory_equal(got, secret.at, 8);
    assert_true(rsa_decipher(key, RSA_WRAP_PKCS1, buffer_bytes(&block), 24, got));
    assert_true(rsa_decipher(key, RSA_WRAP_PKCS1, buffer_bytes(&block), 24, again));
    assert_memory_not_equal(got, again, 24);
    assert_true(rsa_decipher(other, RSA_WRAP_PKCS1, buffer_bytes(&block), 8, got));
    assert_memory_not_equal(got, secret.at, 8);
    assert_true(rsa_decipher(key, RSA_WRAP_PKCS1, BYTES_NONE, 8, got));
    assert_true(rsa_decipher(key, RSA_WRAP_PKCS1, BYTES("x"), 8, got));
    block.at[5] ^= 1;
    assert_true(rsa_decipher(key, RSA_WRAP_PKCS1, buffer_bytes(&block), 8, got));
    assert_memory_not_equal(got, secret.at, 8);
    memset(block.at, 0xFF, block.n);
    assert_true(rsa_decipher(key, RSA_WRAP_PKCS1, buffer_bytes(&block), 8, got));
    buffer_done(&block);
    rsa_private_free(key);
    rsa_private_free(other);
}

/* The same of OAEP: each octet changed gives another key, never a word; the two wrappings are not
   taken for each other. */
static void test_oaep(void **state)
{
    struct rsa_private *key = rsa_private_make(1024), *small = rsa_private_make(512);
    struct buffer block = buffer_with_most(ROOM), again = buffer_with_most(ROOM);
    struct bytes secret = BYTES("12345678901234567890123456789012");
    uint8_t got[32];

    (void)state;
    assert_false(rsa_encipher(rsa_private_public(small), RSA_WRAP_OAEP, secret, &block));
    assert_true(rsa_encipher(rsa_private_public(key), RSA_WRAP_OAEP, secret, &block));
    assert_true(rsa_encipher(rsa_private_public(key), RSA_WRAP_OAEP, secret, &again));
    assert_int_equal(block.n, 128);
    assert_false(bytes_equal(buffer_bytes(&block), buffer_bytes(&again)));
    assert_true(rsa_decipher(key, RSA_WRAP_OAEP, buffer_bytes(&block), 32, got));
    assert_memory_equal(got, secret.at, 32);
    assert_true(rsa_decipher(key, RSA_WRAP_PKCS1, buffer_bytes(&block), 32, got));
    assert_memory_not_equal(got, secret.at, 32);
    assert_true(rsa_decipher(key, RSA_WRAP_OAEP, buffer_bytes(&block), 24, got));
    assert_memory_not_equal(got, secret.at, 24);
    assert_true(rsa_decipher(key, RSA_WRAP_OAEP, bytes_first(buffer_bytes(&block), 127), 32, got));
    assert_memory_not_equal(got, secret.at, 32);
    for (size_t i = 0; i < block.n; i += 9) {
        block.at[i] ^= 1;
        assert_true(rsa_decipher(key, RSA_WRAP_OAEP, buffer_bytes(&block), 32, got));
        assert_memory_not_equal(got, secret.at, 32);
        block.at[i] ^= 1;
    }
    buffer_done(&block);
    buffer_done(&again);
    rsa_private_free(key);
    rsa_private_free(small);
}

static void test_private(void **state)
{
    struct rsa_private *key = rsa_private_make(512), *again;
    struct buffer der = buffer_with_most(ROOM);

    (void)state;
    rsa_private_put(key, &der);
    again = rsa_private_read(buffer_bytes(&der));
    assert_non_null(again);
    assert_true(rsa_equal(rsa_private_public(key), rsa_private_public(again)));
    rsa_private_free(again);
    for (size_t n = 0; n < der.n; n++)
        assert_null(rsa_private_read(bytes_first(buffer_bytes(&der), n)));
    der.at[60] ^= 2;                                        /* within the modulus */
    assert_null(rsa_private_read(buffer_bytes(&der)));
    assert_null(rsa_private_make(504));
    assert_null(rsa_private_make(513));
    buffer_done(&der);
    rsa_private_free(key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forms), cmocka_unit_test(test_limits), cmocka_unit_test(test_sign),
        cmocka_unit_test(test_encipher), cmocka_unit_test(test_oaep),
        cmocka_unit_test(test_private),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
