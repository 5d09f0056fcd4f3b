/* SPDX-License-Identifier: ISC
 *
 * What OpenSSL's program and RIPEM wrote is opened in tests/e2e/keystore.py and in
 * core/seal/key_file_test.c.
 */
#include "crypt/pkcs8.h"

#include "crypt/der.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <string.h>

static void test_both_ways(void **state)
{
    static const enum pkcs8_way ways[] = { PKCS8_MODERN, PKCS8_RIPEM };
    struct rsa_private *key = rsa_private_make(512), *again;

    (void)state;
    for (size_t i = 0; i < COUNT(ways); i++) {
        struct buffer der = buffer_with_most(RSA_PKCS8_MOST);
        assert_true(pkcs8_seal(key, ways[i], BYTES("pass"), &der));
        assert_true(pkcs8_is_sealed(buffer_bytes(&der)));
        assert_int_equal(pkcs8_is_strong(buffer_bytes(&der)), ways[i] == PKCS8_MODERN);
        assert_int_equal(pkcs8_open(buffer_bytes(&der), BYTES("pass"), &again), PKCS8_OPENED);
        assert_true(rsa_equal(rsa_private_public(key), rsa_private_public(again)));
        rsa_private_free(again);
        assert_int_equal(pkcs8_open(buffer_bytes(&der), BYTES("Pass"), &again),
                         PKCS8_WRONG_PASSWORD);
        assert_int_equal(pkcs8_open(bytes_first(buffer_bytes(&der), der.n - 1), BYTES("pass"),
                                    &again), PKCS8_BROKEN);
        der.at[der.n - 20] ^= 1;
        assert_int_equal(pkcs8_open(buffer_bytes(&der), BYTES("pass"), &again),
                         PKCS8_WRONG_PASSWORD);
        buffer_done(&der);
    }
    rsa_private_free(key);
}

/* SEAL-021: scrypt's numbers are the writer's to choose: what asks for too much is refused before
   it is begun. */
static const struct {
    uint64_t n, r, p;
} greedy[] = {
    { 1 << 20, 1 << 20, 1 }, { 1ULL << 62, 8, 1 }, { 16384, 8, 1ULL << 40 }, { 16384, 0, 1 },
    { 16384, 8, 0 }, { 0, 8, 1 }, { 1, 8, 1 }, { 12345, 8, 1 }, { 1 << 22, 8, 1 },
};

static void test_greedy(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(greedy); i++) {
        struct buffer der = buffer_with_most(4096);
        struct rsa_private *key;
        der_put(&der, DER_OID, BYTES("\x2A\x86\x48\x86\xF7\x0D\x01\x05\x0D"));
        size_t both = der_begin(&der);
        der_put(&der, DER_OID, BYTES("\x2B\x06\x01\x04\x01\xDA\x47\x04\x0B"));
        size_t params = der_begin(&der);
        der_put(&der, DER_OCTETS, BYTES("saltsalt"));
        der_put_small(&der, greedy[i].n);
        der_put_small(&der, greedy[i].r);
        der_put_small(&der, greedy[i].p);
        der_end(&der, params, DER_SEQUENCE);
        der_end(&der, both, DER_SEQUENCE);
        size_t cipher = der_begin(&der);
        der_put(&der, DER_OID, BYTES("\x60\x86\x48\x01\x65\x03\x04\x01\x2A"));
        der_put(&der, DER_OCTETS, BYTES("0123456789abcdef"));
        der_end(&der, cipher, DER_SEQUENCE);
        der_end(&der, both, DER_SEQUENCE);
        der_end(&der, 0, DER_SEQUENCE);
        der_put(&der, DER_OCTETS, BYTES("0123456789abcdef"));
        der_end(&der, 0, DER_SEQUENCE);
        assert_true(pkcs8_is_sealed(buffer_bytes(&der)));
        assert_int_equal(pkcs8_open(buffer_bytes(&der), BYTES("x"), &key), PKCS8_UNSUPPORTED);
        buffer_done(&der);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_both_ways), cmocka_unit_test(test_greedy),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
