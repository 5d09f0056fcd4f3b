/* SPDX-License-Identifier: ISC */
#include "crypt/tls_peer_int.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct sign_key *held(enum peer_kind kind)
{
    struct holder holder = { 0 };
    struct tls_context *context = tls_context_new(BYTES("mx.test"));
    static const char *const names[] = { "mx.test", NULL };

    holder_add(&holder, context, kind, names);
    tls_context_free(context);
    return holder.keys[0];
}

static const char octets[SIGN_TBS_MOST] = { 1 };

static void test_only_what_a_server_signs(void **state)
{
    static const struct {
        enum peer_kind kind;
        enum sign_scheme scheme;
        size_t n;
        bool want;
    } rows[] = {
        { PEER_P256, SIGN_ECDSA, 32, true }, { PEER_P256, SIGN_ECDSA, 48, true },
        { PEER_P384, SIGN_ECDSA, 48, true }, { PEER_P256, SIGN_ECDSA, 64, true },
        { PEER_P256, SIGN_ECDSA, 31, false }, { PEER_P256, SIGN_ECDSA, 0, false },
        { PEER_P256, SIGN_ECDSA, 256, false }, { PEER_P256, SIGN_RSA_SHA256, 32, false },
        { PEER_P256, SIGN_RSA_PSS, 256, false }, { PEER_P256, SIGN_SCHEMES, 32, false },
        { PEER_P256, (enum sign_scheme)0, 32, false },
        { PEER_P256, (enum sign_scheme)99, 32, false },
        { PEER_RSA, SIGN_RSA_SHA256, 32, true }, { PEER_RSA, SIGN_RSA_SHA384, 48, true },
        { PEER_RSA, SIGN_RSA_SHA512, 64, true }, { PEER_RSA, SIGN_RSA_SHA256, 48, false },
        { PEER_RSA, SIGN_RSA_SHA512, 32, false }, { PEER_RSA, SIGN_ECDSA, 32, false },
        /* a block of the right length that is not one: it could be anything enciphered for us */
        { PEER_RSA, SIGN_RSA_PSS, 256, false }, { PEER_RSA, SIGN_RSA_PSS, 255, false },
        { PEER_RSA, SIGN_RSA_PSS, 32, false },
    };
    struct sign_key *keys[] = { held(PEER_P256), held(PEER_P384), held(PEER_RSA) };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct buffer signature = buffer_with_most(SIGNATURE_MOST);
        bool done = sign_key_sign(keys[rows[i].kind], rows[i].scheme,
                                  (struct bytes){ octets, rows[i].n }, &signature);
        if (done != rows[i].want || (signature.n > 0) != rows[i].want)
            fail_msg("row %zu: %d", i, done);
        buffer_done(&signature);
    }
    for (size_t i = 0; i < COUNT(keys); i++)
        sign_key_free(keys[i]);
}

static void test_reads_no_other_text(void **state)
{
    static const char *const texts[] = {
        "", "x", "-----BEGIN PRIVATE KEY-----\n", "-----BEGIN PRIVATE KEY-----\nAAAA\n"
        "-----END PRIVATE KEY-----\n", "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIIB\n"
        "-----END ENCRYPTED PRIVATE KEY-----\n",
    };
    static const char *const curves[] = { "secp256k1", "P-521" };

    (void)state;
    for (size_t i = 0; i < COUNT(texts); i++)
        assert_null(sign_key_read(bytes_of(texts[i])));
    for (size_t i = 0; i < COUNT(curves); i++) {
        BIO *bio = BIO_new(BIO_s_mem());
        EVP_PKEY *key = EVP_EC_gen(curves[i]);
        char *at;
        PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL);
        long n = BIO_get_mem_data(bio, &at);
        assert_null(sign_key_read((struct bytes){ at, (size_t)n }));
        BIO_free(bio);
        EVP_PKEY_free(key);
    }
}

static void test_signs_its_own_certificate(void **state)
{
    struct buffer chain = buffer_with_most(65536), other = buffer_with_most(65536);
    struct sign_key *key = sign_key_self_signed(BYTES("mx.test"), &chain);
    struct sign_key *another = sign_key_self_signed(BYTES("mx.test"), &other);

    (void)state;
    assert_non_null(key);
    assert_non_null(another);
    assert_true(sign_key_fits(key, buffer_bytes(&chain)));
    assert_false(sign_key_fits(key, buffer_bytes(&other)));
    assert_false(sign_key_fits(key, BYTES("no certificate")));
    struct tls_context *context = tls_context_new(BYTES("mx.test"));
    assert_false(tls_context_ready(context));
    assert_true(tls_context_add(context, buffer_bytes(&chain), 0));
    assert_true(tls_context_ready(context));
    assert_true(tls_context_serves(context, BYTES("MX.test")));
    tls_context_free(context);
    sign_key_free(key);
    sign_key_free(another);
    buffer_done(&chain);
    buffer_done(&other);
}

static void test_random(void **state)
{
    struct buffer a = buffer_with_most(64), b = buffer_with_most(64);

    (void)state;
    assert_true(sign_random(&a, 32));
    assert_true(sign_random(&b, 32));
    assert_int_equal(a.n, 32);
    assert_memory_not_equal(a.at, b.at, 32);
    assert_false(sign_random(&a, 64));
    buffer_done(&a);
    buffer_done(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_only_what_a_server_signs), cmocka_unit_test(test_reads_no_other_text),
        cmocka_unit_test(test_signs_its_own_certificate), cmocka_unit_test(test_random),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
