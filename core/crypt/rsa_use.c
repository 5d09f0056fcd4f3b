/* SPDX-License-Identifier: ISC
 *
 * Signing, checking, enciphering, deciphering. OpenSSL does the arithmetic; the blocks are made and
 * compared here, since OpenSSL 3.0 answers a wrong block of type 2 with an error.
 */
#include "base/arena.h"
#include "crypt/openssl_int.h"
#include "crypt/rsa_int.h"

#include <string.h>

enum { PADDING_LEAST = 8, AROUND = 3 + PADDING_LEAST, SECRET_MOST = 256, SHORTER_MOST = 8 };

static EVP_PKEY *public_pkey(struct rsa_public key)
{
    struct buffer der = buffer_with_most(RSA_PKCS8_MOST);
    EVP_PKEY *pkey = NULL;

    rsa_public_put(key, RSA_PKCS1, &der);
    const unsigned char *at = (const unsigned char *)der.at;
    if (!der.bad && OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL) == 1)
        pkey = d2i_PublicKey(EVP_PKEY_RSA, NULL, &at, (long)der.n);
    buffer_done(&der);
    return pkey;
}

bool rsa_raw_public(struct rsa_public key, struct bytes block, uint8_t *ret_block)
{
    EVP_PKEY *pkey = public_pkey(key);
    EVP_PKEY_CTX *ctx = pkey == NULL ? NULL : EVP_PKEY_CTX_new(pkey, NULL);
    size_t n = rsa_octets(key);
    bool done = ctx != NULL && EVP_PKEY_encrypt_init(ctx) == 1
             && EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_NO_PADDING) == 1
             && EVP_PKEY_encrypt(ctx, ret_block, &n, (const uint8_t *)block.at, block.n) == 1
             && n == rsa_octets(key);

    EVP_PKEY_CTX_free(ctx);
    EVP_PKEY_free(pkey);
    ERR_clear_error();
    return done;
}

bool rsa_set_oaep(EVP_PKEY_CTX *ctx)
{
    return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_OAEP_PADDING) == 1
        && EVP_PKEY_CTX_set_rsa_oaep_md(ctx, EVP_sha256()) == 1
        && EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, EVP_sha256()) == 1;
}

static bool oaep_public(struct rsa_public key, struct bytes secret, uint8_t *ret_block)
{
    EVP_PKEY *pkey = public_pkey(key);
    EVP_PKEY_CTX *ctx = pkey == NULL ? NULL : EVP_PKEY_CTX_new(pkey, NULL);
    size_t n = rsa_octets(key);
    bool done = ctx != NULL && EVP_PKEY_encrypt_init(ctx) == 1 && rsa_set_oaep(ctx)
             && EVP_PKEY_encrypt(ctx, ret_block, &n, (const uint8_t *)secret.at, secret.n) == 1
             && n == rsa_octets(key);

    EVP_PKEY_CTX_free(ctx);
    EVP_PKEY_free(pkey);
    ERR_clear_error();
    return done;
}

/* 00 01 FF .. FF 00 info. */
static bool make_block_1(size_t n, struct bytes info, uint8_t *block)
{
    if (info.n + AROUND > n)
        return false;
    memset(block, 0xFF, n);
    block[0] = 0;
    block[1] = 1;
    block[n - info.n - 1] = 0;
    memcpy(block + n - info.n, info.at, info.n);
    return true;
}

static bool put_result(bool done, const uint8_t *block, size_t n, struct buffer *to)
{
    if (done)
        buffer_put(to, (struct bytes){ (const char *)block, n });
    return done && !to->bad;
}

bool rsa_sign(const struct rsa_private *key, struct bytes info, struct buffer *ret_signature)
{
    uint8_t block[RSA_OCTETS_MOST], signature[RSA_OCTETS_MOST];
    size_t n = rsa_octets(rsa_private_public(key));
    bool done = make_block_1(n, info, block)
             && rsa_raw_private(key, (struct bytes){ (const char *)block, n }, signature);

    return put_result(done, signature, n, ret_signature);
}

bool rsa_signed(struct rsa_public key, struct bytes signature, struct bytes info)
{
    uint8_t whole[RSA_OCTETS_MOST] = { 0 }, block[RSA_OCTETS_MOST], wanted[RSA_OCTETS_MOST];
    size_t n = rsa_octets(key);

    if (signature.n > n || n - signature.n > SHORTER_MOST || !make_block_1(n, info, wanted))
        return false;
    memcpy(whole + n - signature.n, signature.at, signature.n);
    return rsa_raw_public(key, (struct bytes){ (const char *)whole, n }, block)
        && memcmp(block, wanted, n) == 0;
}

/* 00 02, octets that are not zero, 00, secret. */
static bool make_block_2(size_t n, struct bytes secret, uint8_t *block)
{
    size_t end = n - secret.n - 1;

    if (secret.n + AROUND > n || OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL) != 1
        || RAND_bytes(block, (int)n) != 1)
        return false;
    for (size_t i = 2; i < end; i++)
        for (unsigned tries = 0; block[i] == 0; tries++)
            if (tries == 100 || RAND_bytes(block + i, 1) != 1)
                return false;
    block[0] = 0;
    block[1] = 2;
    block[end] = 0;
    memcpy(block + end + 1, secret.at, secret.n);
    return true;
}

bool rsa_encipher(struct rsa_public key, enum rsa_wrap wrap, struct bytes secret,
                  struct buffer *ret_block)
{
    uint8_t block[RSA_OCTETS_MOST], result[RSA_OCTETS_MOST];
    size_t n = rsa_octets(key);
    bool done = secret.n <= SECRET_MOST;

    if (wrap == RSA_WRAP_OAEP)
        done = done && oaep_public(key, secret, result);
    else
        done = done && make_block_2(n, secret, block)
            && rsa_raw_public(key, (struct bytes){ (const char *)block, n }, result);
    mem_wipe(block, sizeof(block));
    return put_result(done, result, n, ret_block);
}

/* 0xFF when the octet is zero, else 0; without a branch. */
static uint8_t mask_zero(unsigned octet_)
{
    return (uint8_t)((octet_ - 1) >> 8 & 0xFF);
}

/* 0xFF when the block is one of type 2 with n octets in it, else 0; in the same time. */
static uint8_t mask_block_2(const uint8_t *block, size_t size, size_t n)
{
    size_t end = size - n - 1;
    uint8_t good = (uint8_t)(mask_zero(block[0]) & mask_zero(block[1] ^ 2U)
                             & mask_zero(block[end]));

    for (size_t i = 2; i < end; i++)
        good &= (uint8_t)~mask_zero(block[i]);
    return good;
}

/* The last n octets of *ret_block are the secret when what is returned is 0xFF, else 0. */
static uint8_t open_block_2(const struct rsa_private *key, struct bytes whole, size_t n,
                            uint8_t ret_block[static RSA_OCTETS_MOST])
{
    bool done = rsa_raw_private(key, whole, ret_block);

    return done && n + AROUND <= whole.n ? mask_block_2(ret_block, whole.n, n) : 0;
}

/* The same; OpenSSL looks at this wrapping in one time, whatever is wrong with it. */
static uint8_t open_oaep(const struct rsa_private *key, struct bytes whole, size_t n,
                         uint8_t ret_block[static RSA_OCTETS_MOST])
{
    size_t got;
    bool done = rsa_oaep_private(key, whole, ret_block, &got) && got == n && n <= whole.n;

    if (done)
        memmove(ret_block + whole.n - n, ret_block, n);
    return done ? 0xFF : 0;
}

bool rsa_decipher(const struct rsa_private *key, enum rsa_wrap wrap, struct bytes block, size_t n,
                  uint8_t *ret_secret)
{
    uint8_t dice[SECRET_MOST], octets[RSA_OCTETS_MOST] = { 0 }, result[RSA_OCTETS_MOST] = { 0 };
    size_t size = rsa_octets(rsa_private_public(key));
    struct bytes whole = { (const char *)octets, size };
    uint8_t good;

    if (n > SECRET_MOST || RAND_bytes(dice, (int)n) != 1)
        return false;
    if (block.n <= size)
        memcpy(octets + size - block.n, block.at, block.n);
    if (wrap == RSA_WRAP_OAEP)
        good = open_oaep(key, whole, n, result);
    else
        good = open_block_2(key, whole, n, result);
    good = block.n == size ? good : 0;
    for (size_t i = 0; i < n; i++) {
        uint8_t said = n <= size ? result[size - n + i] : 0;
        ret_secret[i] = (uint8_t)((said & good) | (dice[i] & ~good));
    }
    mem_wipe(result, sizeof(result));
    mem_wipe(dice, sizeof(dice));
    return true;
}
