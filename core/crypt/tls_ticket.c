/* SPDX-License-Identifier: ISC
 *
 * Resumption tickets (RFC 5077, 4; RFC 8446, 4.6.1). What seals one is made from the secret that
 * all fronts share and from the listener: a ticket of the relay port is unknown to the submission
 * port, even before OpenSSL compares what the session was bound to.
 */
#include "crypt/tls_int.h"

#include <string.h>

enum { NAME_BYTES = 16, AES_BYTES = 32, MAC_BYTES = 32, DIGEST_BYTES = 32 };

struct ticket_keys {
    uint8_t name[DIGEST_BYTES], aes[AES_BYTES], mac[MAC_BYTES];
};

/* HMAC-SHA256(secret, label listener). */
static bool derive(const struct tls_context *context, const uint8_t *secret, uint8_t label,
                   uint32_t listener, uint8_t ret[static DIGEST_BYTES])
{
    char digest[] = "SHA256";
    uint8_t text[5] = { label, (uint8_t)(listener >> 24), (uint8_t)(listener >> 16),
                        (uint8_t)(listener >> 8), (uint8_t)listener };
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_end(),
    };
    EVP_MAC_CTX *mac = EVP_MAC_CTX_new(context->hmac);
    size_t n = 0;
    bool done = mac != NULL && EVP_MAC_init(mac, secret, TLS_TICKET_SECRET, params) == 1
             && EVP_MAC_update(mac, text, sizeof(text)) == 1
             && EVP_MAC_final(mac, ret, &n, DIGEST_BYTES) == 1;

    EVP_MAC_CTX_free(mac);
    return done && n == DIGEST_BYTES;
}

static bool make_keys(const struct tls_context *context, const uint8_t *secret, uint32_t listener,
                      struct ticket_keys *ret_keys)
{
    return derive(context, secret, 1, listener, ret_keys->name)
        && derive(context, secret, 2, listener, ret_keys->aes)
        && derive(context, secret, 3, listener, ret_keys->mac);
}

static bool use(const struct tls_context *context, struct ticket_keys *keys,
                const unsigned char *iv, EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac, int sealing)
{
    char digest[] = "SHA256";
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, keys->mac, MAC_BYTES),
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_end(),
    };

    return EVP_MAC_CTX_set_params(mac, params) == 1
        && EVP_CipherInit_ex2(cipher, context->aes, keys->aes, iv, sealing, NULL) == 1;
}

/* 0: no such ticket, make a whole handshake; 1: good; 2: good, and give a new one; -1: trouble. */
static int open_ticket(struct tls *tls, const unsigned char *name, const unsigned char *iv,
                       EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac, struct ticket_keys *keys)
{
    const struct tls_context *context = tls->context;

    if (!make_keys(context, context->now, tls->listener, keys))
        return -1;
    if (memcmp(name, keys->name, NAME_BYTES) == 0)
        return use(context, keys, iv, cipher, mac, 0) ? 1 : -1;
    if (!context->has_before || !make_keys(context, context->before, tls->listener, keys))
        return 0;
    if (memcmp(name, keys->name, NAME_BYTES) != 0)
        return 0;
    return use(context, keys, iv, cipher, mac, 0) ? 2 : -1;
}

static int seal_ticket(struct tls *tls, unsigned char *name, unsigned char *iv,
                       EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac, struct ticket_keys *keys)
{
    const struct tls_context *context = tls->context;

    if (!make_keys(context, context->now, tls->listener, keys)
        || RAND_bytes(iv, EVP_CIPHER_get_iv_length(context->aes)) != 1)
        return -1;
    memcpy(name, keys->name, NAME_BYTES);
    return use(context, keys, iv, cipher, mac, 1) ? 1 : -1;
}

int tls_on_ticket(SSL *ssl, unsigned char *name, unsigned char *iv, EVP_CIPHER_CTX *cipher,
                  EVP_MAC_CTX *mac, int sealing)
{
    struct tls *tls = SSL_get_app_data(ssl);
    struct ticket_keys keys;
    int said;

    if (!tls->context->has_now)
        return 0;
    said = sealing ? seal_ticket(tls, name, iv, cipher, mac, &keys)
                   : open_ticket(tls, name, iv, cipher, mac, &keys);
    mem_wipe(&keys, sizeof(keys));
    return said;
}
