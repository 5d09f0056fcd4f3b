/* SPDX-License-Identifier: ISC
 *
 * Private keys: read, made, written. What a key is, is its RSAPrivateKey (RFC 8017, A.1.2);
 * OpenSSL's form of it stands beside it for the work.
 */
#include "base/arena.h"
#include "crypt/openssl_int.h"
#include "crypt/rsa_int.h"

#include <string.h>

struct rsa_private {
    EVP_PKEY *pkey;
    struct rsa_public half;         /* borrows from der */
    size_t n;
    char der[];
};

static bool begin(void)
{
    return OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL) == 1;
}

void rsa_private_free(struct rsa_private *key)
{
    if (key == NULL)
        return;
    EVP_PKEY_free(key->pkey);
    mem_wipe(key, sizeof(*key) + key->n);
    mem_free(key);
}

/* RSAPrivateKey: version 0, the public numbers, then six more; their truth is tried, not read. */
static bool check_form(struct bytes der, struct rsa_public *ret_half)
{
    struct der in = der_of(der), numbers = der_enter(&in, DER_SEQUENCE);
    uint64_t version = der_take_small(&numbers);

    *ret_half = rsa_take_numbers(&numbers);
    for (unsigned i = 0; i < 6; i++)
        if (der_take_unsigned(&numbers).n > RSA_OCTETS_MOST)
            return false;
    return der_finished(&in) && der_finished(&numbers) && version == 0;
}

enum { N, E, D, P, Q, DP, DQ, QI, NUMBERS, SPARE = NUMBERS, SPARES };

/* d = dp modulo p - 1, and e d = 1 there: what an exponent must do for one of the primes. */
static bool exponents_fit(BIGNUM *const x[SPARES], int prime, int part, BN_CTX *ctx)
{
    BIGNUM *less = BN_dup(x[prime]);
    bool fit = less != NULL && BN_sub_word(less, 1) == 1 && !BN_is_zero(less)
            && BN_mod(x[SPARE], x[D], less, ctx) == 1 && BN_cmp(x[SPARE], x[part]) == 0
            && BN_mod_mul(x[SPARE], x[SPARE], x[E], less, ctx) == 1 && BN_is_one(x[SPARE]);

    BN_clear_free(less);
    return fit;
}

/* RFC 8017, 3.2: the numbers are of one key. An octet that went wrong in the file would not be
   seen at work, since OpenSSL mends what the primes give with what d gives. */
static bool numbers_fit(BIGNUM *const x[SPARES], BN_CTX *ctx)
{
    return BN_mul(x[SPARE], x[P], x[Q], ctx) == 1 && BN_cmp(x[SPARE], x[N]) == 0
        && exponents_fit(x, P, DP, ctx) && exponents_fit(x, Q, DQ, ctx)
        && BN_mod_mul(x[SPARE], x[QI], x[Q], x[P], ctx) == 1 && BN_is_one(x[SPARE])
        && BN_cmp(x[QI], x[P]) < 0;
}

static bool halves_fit(const struct rsa_private *key)
{
    struct der in = der_of((struct bytes){ key->der, key->n });
    struct der numbers = der_enter(&in, DER_SEQUENCE);
    BN_CTX *ctx = BN_CTX_new();
    BIGNUM *x[SPARES] = { 0 };
    bool fit = ctx != NULL;

    (void)der_take_small(&numbers);
    for (int i = 0; i < NUMBERS; i++) {
        struct bytes number = der_take_unsigned(&numbers);
        x[i] = BN_bin2bn((const uint8_t *)number.at, (int)number.n, NULL);
        fit = fit && x[i] != NULL && !BN_is_zero(x[i]);
    }
    x[SPARE] = BN_new();
    fit = fit && x[SPARE] != NULL && numbers_fit(x, ctx);
    for (int i = 0; i < SPARES; i++)
        BN_clear_free(x[i]);
    BN_CTX_free(ctx);
    return fit;
}

static struct rsa_private *from_pkcs1(struct bytes der)
{
    struct rsa_public half;
    struct rsa_private *key;

    if (der.n > RSA_PKCS8_MOST || !check_form(der, &half) || !begin())
        return NULL;
    key = mem_new(sizeof(*key) + der.n);
    if (key == NULL)
        return NULL;
    key->n = der.n;
    memcpy(key->der, der.at, der.n);
    const unsigned char *at = (const unsigned char *)key->der;
    key->pkey = d2i_PrivateKey(EVP_PKEY_RSA, NULL, &at, (long)der.n);
    if (check_form((struct bytes){ key->der, key->n }, &key->half) && key->pkey != NULL
        && halves_fit(key)) {
        ERR_clear_error();
        return key;
    }
    ERR_clear_error();
    rsa_private_free(key);
    return NULL;
}

/* PrivateKeyInfo (RFC 5208, 5); its attributes say nothing that is used here. */
static bool unwrap(struct bytes der, struct bytes *ret_pkcs1)
{
    struct der in = der_of(der), info = der_enter(&in, DER_SEQUENCE);
    uint64_t version = der_take_small(&info);
    struct der algorithm = der_enter(&info, DER_SEQUENCE);
    struct bytes name = der_take(&algorithm, DER_OID);
    struct bytes inner = der_take(&info, DER_OCTETS);

    if (!der_finished(&in) || info.bad || algorithm.bad || version > 1
        || !(bytes_equal(name, OID_RSA_1989) || bytes_equal(name, OID_RSA_ENCRYPTION)))
        return false;
    *ret_pkcs1 = inner;
    return true;
}

struct rsa_private *rsa_private_read(struct bytes der)
{
    struct bytes pkcs1;

    return from_pkcs1(unwrap(der, &pkcs1) ? pkcs1 : der);
}

struct rsa_private *rsa_private_make(size_t bits)
{
    struct rsa_private *key = NULL;
    unsigned char *der = NULL;
    EVP_PKEY *made = NULL;

    if (bits >= RSA_MAKE_LEAST && bits <= RSA_BITS_MOST && bits % 8 == 0 && begin())
        made = EVP_RSA_gen(bits);
    int n = made == NULL ? -1 : i2d_PrivateKey(made, &der);
    if (n > 0) {
        key = from_pkcs1((struct bytes){ (const char *)der, (size_t)n });
        mem_wipe(der, (size_t)n);
    }
    OPENSSL_free(der);
    EVP_PKEY_free(made);
    ERR_clear_error();
    return key;
}

struct rsa_public rsa_private_public(const struct rsa_private *key)
{
    return key->half;
}

void rsa_private_put(const struct rsa_private *key, struct buffer *to)
{
    size_t whole = der_begin(to);

    der_put_small(to, 0);
    size_t algorithm = der_begin(to);
    der_put(to, DER_OID, OID_RSA_ENCRYPTION);
    der_put_null(to);
    der_end(to, algorithm, DER_SEQUENCE);
    der_put(to, DER_OCTETS, (struct bytes){ key->der, key->n });
    der_end(to, whole, DER_SEQUENCE);
}

bool rsa_raw_private(const struct rsa_private *key, struct bytes block, uint8_t *ret_block)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key->pkey, NULL);
    size_t n = rsa_octets(key->half);
    bool done = ctx != NULL && EVP_PKEY_decrypt_init(ctx) == 1
             && EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_NO_PADDING) == 1
             && EVP_PKEY_decrypt(ctx, ret_block, &n, (const uint8_t *)block.at, block.n) == 1
             && n == rsa_octets(key->half);

    EVP_PKEY_CTX_free(ctx);
    ERR_clear_error();
    return done;
}

bool rsa_oaep_private(const struct rsa_private *key, struct bytes block,
                      uint8_t ret_secret[static RSA_OCTETS_MOST], size_t *ret_n)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key->pkey, NULL);
    size_t n = RSA_OCTETS_MOST;
    bool done = ctx != NULL && EVP_PKEY_decrypt_init(ctx) == 1 && rsa_set_oaep(ctx)
             && EVP_PKEY_decrypt(ctx, ret_secret, &n, (const uint8_t *)block.at, block.n) == 1;

    EVP_PKEY_CTX_free(ctx);
    ERR_clear_error();
    *ret_n = n;
    return done;
}
