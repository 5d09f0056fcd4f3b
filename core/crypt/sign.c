/* SPDX-License-Identifier: ISC
 *
 * Private keys, for the one role that holds them. What comes to be signed was written by a process
 * that speaks with strangers: only what a TLS 1.2 or 1.3 server signs has a form that is let by.
 */
#include "crypt/sign.h"

#include "base/arena.h"
#include "crypt/openssl_int.h"

#include <string.h>

enum { RSA_BITS_LEAST = 2048, RSA_BITS_MOST = 8192, DIGEST_MOST = 64 };

struct sign_key {
    EVP_PKEY *key;
    bool rsa;
    size_t size;            /* RSA: octets of its modulus */
};

/* ---- reading */

/* A pass phrase would have to stand somewhere beside the key: there is none. */
static int no_phrase(char *to, int n, int writing, void *of)
{
    (void)to, (void)n, (void)writing, (void)of;
    return -1;
}

static bool is_usable(struct sign_key *key)
{
    int bits = EVP_PKEY_get_bits(key->key);
    char group[32];

    key->rsa = EVP_PKEY_get_base_id(key->key) == EVP_PKEY_RSA;
    key->size = (size_t)bits / 8;
    if (key->rsa)
        return bits >= RSA_BITS_LEAST && bits <= RSA_BITS_MOST && bits % 8 == 0;
    return EVP_PKEY_get_base_id(key->key) == EVP_PKEY_EC
        && EVP_PKEY_get_group_name(key->key, group, sizeof(group), NULL) == 1
        && (strcmp(group, "prime256v1") == 0 || strcmp(group, "secp384r1") == 0);
}

static struct sign_key *key_of(EVP_PKEY *one)
{
    struct sign_key *key = one == NULL ? NULL : mem_new(sizeof(*key));

    if (key == NULL) {
        EVP_PKEY_free(one);
        return NULL;
    }
    key->key = one;
    if (is_usable(key))
        return key;
    sign_key_free(key);
    return NULL;
}

static bool begin(void)
{
    return OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL) == 1;
}

struct sign_key *sign_key_read(struct bytes pem)
{
    struct sign_key *key = NULL;
    BIO *in = begin() && pem.n <= INT32_MAX ? BIO_new_mem_buf(pem.at, (int)pem.n) : NULL;

    if (in != NULL)
        key = key_of(PEM_read_bio_PrivateKey(in, NULL, no_phrase, NULL));
    BIO_free(in);
    ERR_clear_error();
    return key;
}

void sign_key_free(struct sign_key *key)
{
    if (key == NULL)
        return;
    EVP_PKEY_free(key->key);
    mem_free(key);
}

bool sign_key_fits(const struct sign_key *key, struct bytes chain)
{
    BIO *in = chain.n <= INT32_MAX ? BIO_new_mem_buf(chain.at, (int)chain.n) : NULL;
    X509 *leaf = in == NULL ? NULL : PEM_read_bio_X509(in, NULL, NULL, NULL);
    bool fits = leaf != NULL && EVP_PKEY_eq(X509_get0_pubkey(leaf), key->key) == 1;

    X509_free(leaf);
    BIO_free(in);
    ERR_clear_error();
    return fits;
}

bool sign_chain_names(struct bytes chain, struct bytes host)
{
    BIO *in = chain.n <= INT32_MAX && host.n > 0 ? BIO_new_mem_buf(chain.at, (int)chain.n) : NULL;
    X509 *leaf = in == NULL ? NULL : PEM_read_bio_X509(in, NULL, NULL, NULL);
    bool names = leaf != NULL && X509_check_host(leaf, host.at, host.n,
                                                 X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS, NULL) == 1;

    X509_free(leaf);
    BIO_free(in);
    ERR_clear_error();
    return names;
}

/* ---- signing */

/* DB ^= MGF1(H): RFC 8017, B.2.1. */
static bool unmask(const EVP_MD *digest, const uint8_t *seed, size_t seed_n, uint8_t *db, size_t n)
{
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    uint8_t mask[EVP_MAX_MD_SIZE];
    bool well = md != NULL;

    for (uint32_t i = 0; well && i * seed_n < n; i++) {
        uint8_t count[4] = { (uint8_t)(i >> 24), (uint8_t)(i >> 16), (uint8_t)(i >> 8),
                             (uint8_t)i };
        well = EVP_DigestInit_ex(md, digest, NULL) == 1
            && EVP_DigestUpdate(md, seed, seed_n) == 1
            && EVP_DigestUpdate(md, count, sizeof(count)) == 1
            && EVP_DigestFinal_ex(md, mask, NULL) == 1;
        for (size_t j = 0; well && j < seed_n && i * seed_n + j < n; j++)
            db[i * seed_n + j] ^= mask[j];
    }
    EVP_MD_CTX_free(md);
    return well;
}

/* RFC 8017, 9.1.1: maskedDB || H || 0xbc, where DB is zeroes, 0x01 and a salt as long as H. */
static bool is_pss(struct bytes tbs, const EVP_MD *digest)
{
    size_t hash = (size_t)EVP_MD_get_size(digest);
    uint8_t db[SIGN_TBS_MOST];

    if (tbs.n > sizeof(db) || tbs.n < 2 * hash + 2 || octet(tbs.at[tbs.n - 1]) != 0xBC
        || (octet(tbs.at[0]) & 0x80) != 0)
        return false;
    size_t n = tbs.n - hash - 1, zeroes = n - hash - 1;
    memcpy(db, tbs.at, n);
    if (!unmask(digest, (const uint8_t *)tbs.at + n, hash, db, n))
        return false;
    db[0] &= 0x7F;
    for (size_t i = 0; i < zeroes; i++)
        if (db[i] != 0)
            return false;
    return db[zeroes] == 1;
}

static bool is_digest(struct bytes tbs, size_t n)
{
    return tbs.n == n;
}

/* Is it what the scheme signs, and the scheme this key's? */
static bool may_sign(const struct sign_key *key, enum sign_scheme scheme, struct bytes tbs)
{
    switch (scheme) {
    case SIGN_ECDSA:
        return !key->rsa && (is_digest(tbs, 32) || is_digest(tbs, 48) || is_digest(tbs, 64));
    case SIGN_RSA_SHA256: return key->rsa && is_digest(tbs, 32);
    case SIGN_RSA_SHA384: return key->rsa && is_digest(tbs, 48);
    case SIGN_RSA_SHA512: return key->rsa && is_digest(tbs, 64);
    case SIGN_RSA_PSS:
        return key->rsa && tbs.n == key->size
            && (is_pss(tbs, EVP_sha256()) || is_pss(tbs, EVP_sha384())
                || is_pss(tbs, EVP_sha512()));
    case SIGN_SCHEMES: break;
    }
    return false;
}

static bool set_padding(EVP_PKEY_CTX *ctx, enum sign_scheme scheme)
{
    const EVP_MD *digest = scheme == SIGN_RSA_SHA256 ? EVP_sha256()
                         : scheme == SIGN_RSA_SHA384 ? EVP_sha384() : EVP_sha512();

    if (scheme == SIGN_ECDSA)
        return true;
    if (scheme == SIGN_RSA_PSS)
        return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_NO_PADDING) == 1;
    return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) == 1
        && EVP_PKEY_CTX_set_signature_md(ctx, digest) == 1;
}

bool sign_key_sign(const struct sign_key *key, enum sign_scheme scheme, struct bytes tbs,
                   struct buffer *ret_signature)
{
    uint8_t signature[SIGNATURE_MOST];
    size_t n = sizeof(signature);
    EVP_PKEY_CTX *ctx = may_sign(key, scheme, tbs) ? EVP_PKEY_CTX_new(key->key, NULL) : NULL;
    bool done = ctx != NULL && EVP_PKEY_sign_init(ctx) == 1 && set_padding(ctx, scheme)
             && EVP_PKEY_sign(ctx, signature, &n, (const uint8_t *)tbs.at, tbs.n) == 1;

    EVP_PKEY_CTX_free(ctx);
    ERR_clear_error();
    if (done)
        buffer_put(ret_signature, (struct bytes){ (const char *)signature, n });
    return done && !ret_signature->bad;
}

bool sign_random(struct buffer *ret_octets, size_t n)
{
    size_t before = ret_octets->n;
    char *at = begin() ? buffer_grow(ret_octets, n) : NULL;

    if (at == NULL)
        return false;
    if (RAND_bytes((uint8_t *)at, (int)n) == 1)
        return true;
    ret_octets->n = before;
    return false;
}
