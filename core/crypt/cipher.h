/* SPDX-License-Identifier: ISC
 *
 * crypt/cipher.h: ciphers in pieces of any size. Single DES comes from OpenSSL's legacy provider:
 * its shared object must be on the machine. To load it takes 2 ms, so who works with several
 * ciphers keeps it in a value of his (struct ciphers); no state is kept elsewhere. DES is for mail
 * of another age; cipher_is_weak says so.
 */
#ifndef POSTERN_CRYPT_CIPHER_H
#define POSTERN_CRYPT_CIPHER_H

#include "base/buffer.h"

enum cipher_kind {
    CIPHER_DES_CBC,             /* key 8, IV 8; PKCS #5 padding */
    CIPHER_DES_EDE_CBC,         /* key 24, IV 8; PKCS #5 padding */
    CIPHER_DES_ECB,             /* key 8; whole blocks, no padding */
    CIPHER_DES_EDE_ECB,         /* key 16 (K1 K2, as RFC 1423, 1.1) ; whole blocks, no padding */
    CIPHER_AES_256_GCM,         /* key 32, nonce 12; a tag of 16 octets stands behind the text */
    CIPHER_AES_256_CBC,         /* key 32, IV 16; PKCS #5 padding */
    CIPHER_KINDS
};

enum { CIPHER_KEY_MOST = 32, CIPHER_IV_MOST = 16, CIPHER_TAG = 16 };

size_t cipher_key_size(enum cipher_kind kind);
size_t cipher_iv_size(enum cipher_kind kind);
bool cipher_is_weak(enum cipher_kind kind);

/* What was loaded; all zero at first. Outlives the ciphers that were made with it. */
struct ciphers {
    struct cipher_legacy *legacy;
};
void ciphers_done(struct ciphers *ciphers);

struct cipher;
enum cipher_way { CIPHER_OPEN, CIPHER_SEAL };
/* key and iv of cipher_key_size and cipher_iv_size octets (iv is not looked at when that is 0).
   NULL: out of memory, or the legacy provider is not there. The caller frees: it is wiped then. */
MUST_USE struct cipher *cipher_new(struct ciphers *ciphers, enum cipher_kind kind,
                                   enum cipher_way way, const uint8_t *key, const uint8_t *iv);
void cipher_free(struct cipher *cipher);
/* Put what the text gives behind what `to` holds; failure is sticky and cipher_end tells. What an
   opened text says is not to be shown to anyone before cipher_end said that it is well. */
void cipher_put(struct cipher *cipher, struct bytes text, struct buffer *to);
/* The last block, or the tag. False: padding or tag are wrong, a block is cut, or a failure. */
MUST_USE bool cipher_end(struct cipher *cipher, struct buffer *to);
/* All at once. */
MUST_USE bool cipher_run(struct ciphers *ciphers, enum cipher_kind kind, enum cipher_way way,
                         const uint8_t *key, const uint8_t *iv, struct bytes text,
                         struct buffer *to);

/* Each octet with odd parity in its lowest bit, as keys of DES are written. */
void cipher_set_parity(uint8_t *key, size_t n);

#endif
