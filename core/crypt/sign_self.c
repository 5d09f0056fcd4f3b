/* SPDX-License-Identifier: ISC
 *
 * A certificate that nobody vouches for, for a server that was given none: mail from peers who look
 * at no certificate (nearly all of them, RFC 7435) is still enciphered on its way.
 */
#include "crypt/sign.h"

#include "base/arena.h"
#include "crypt/openssl_int.h"

enum { YEARS = 10, DAY_S = 24 * 60 * 60, COMMON_NAME_MOST = 64 };

static bool set_serial(X509 *x509)
{
    uint64_t serial;

    return RAND_bytes((uint8_t *)&serial, sizeof(serial)) == 1
        && ASN1_INTEGER_set_uint64(X509_get_serialNumber(x509), serial >> 1 | 1) == 1;
}

static bool set_name(X509 *x509, struct bytes host)
{
    struct bytes common = bytes_first(host, COMMON_NAME_MOST);
    X509_NAME *name = X509_get_subject_name(x509);

    return X509_NAME_add_entry_by_NID(name, NID_commonName, MBSTRING_UTF8,
                                      (const unsigned char *)common.at, (int)common.n, -1, 0) == 1
        && X509_set_issuer_name(x509, name) == 1;
}

static bool add_dns_name(X509 *x509, struct bytes host)
{
    GENERAL_NAMES *names = GENERAL_NAMES_new();
    GENERAL_NAME *name = GENERAL_NAME_new();
    ASN1_IA5STRING *text = ASN1_IA5STRING_new();
    bool done = names != NULL && name != NULL && text != NULL
             && ASN1_STRING_set(text, host.at, (int)host.n) == 1
             && sk_GENERAL_NAME_push(names, name) > 0;

    if (!done) {
        ASN1_IA5STRING_free(text);
        GENERAL_NAME_free(name);
        sk_GENERAL_NAME_free(names);
        return false;
    }
    GENERAL_NAME_set0_value(name, GEN_DNS, text);
    done = X509_add1_ext_i2d(x509, NID_subject_alt_name, names, 0, 0) == 1;
    GENERAL_NAMES_free(names);
    return done;
}

static bool fill(X509 *x509, EVP_PKEY *key, struct bytes host)
{
    return X509_set_version(x509, X509_VERSION_3) == 1 && set_serial(x509) && set_name(x509, host)
        && X509_gmtime_adj(X509_getm_notBefore(x509), -DAY_S) != NULL
        && X509_gmtime_adj(X509_getm_notAfter(x509), YEARS * 365L * DAY_S) != NULL
        && X509_set_pubkey(x509, key) == 1 && add_dns_name(x509, host)
        && X509_sign(x509, key, EVP_sha256()) > 0;
}

static bool write_pem(X509 *x509, EVP_PKEY *key, struct buffer *chain, struct buffer *secret)
{
    BIO *one = BIO_new(BIO_s_mem()), *other = BIO_new(BIO_s_secmem());
    char *at, *secret_at;
    bool done = one != NULL && other != NULL && PEM_write_bio_X509(one, x509) == 1
             && PEM_write_bio_PrivateKey(other, key, NULL, NULL, 0, NULL, NULL) == 1;

    if (done) {
        long n = BIO_get_mem_data(one, &at), secret_n = BIO_get_mem_data(other, &secret_at);
        buffer_put(chain, (struct bytes){ at, (size_t)n });
        buffer_put(secret, (struct bytes){ secret_at, (size_t)secret_n });
    }
    BIO_free(one);
    BIO_free(other);
    return done && !chain->bad && !secret->bad;
}

struct sign_key *sign_key_self_signed(struct bytes host, struct buffer *ret_chain)
{
    struct buffer secret = buffer_with_most(4096);
    struct sign_key *made = NULL;
    EVP_PKEY *key = OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL) == 1
                  ? EVP_EC_gen("P-256") : NULL;
    X509 *x509 = X509_new();

    if (key != NULL && x509 != NULL && fill(x509, key, host)
        && write_pem(x509, key, ret_chain, &secret))
        made = sign_key_read(buffer_bytes(&secret));
    if (secret.room > 0)
        mem_wipe(secret.at, secret.room);
    buffer_done(&secret);
    X509_free(x509);
    EVP_PKEY_free(key);
    ERR_clear_error();
    return made;
}
