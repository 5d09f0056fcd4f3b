/* SPDX-License-Identifier: ISC
 *
 * crypt/pkcs8.h: private keys under a pass phrase: EncryptedPrivateKeyInfo (RFC 5208, 6), with the
 * schemes of PKCS #5 (RFC 8018).
 *
 * Written: scrypt with AES-256, for ourselves; MD5 with DES, for RIPEM alone. Read: these, MD2 with
 * DES, PBKDF2 with HMAC of SHA1, SHA256 or SHA512, and triple DES. What a stranger's file asks of
 * memory and time is bounded.
 */
#ifndef POSTERN_CRYPT_PKCS8_H
#define POSTERN_CRYPT_PKCS8_H

#include "crypt/rsa.h"

enum {
    PKCS8_PASSWORD_MOST = 1024,
    PKCS8_ROUNDS_MOST = 10 * 1000 * 1000,       /* of PBKDF2 and of PKCS #5 v1.5 */
    PKCS8_SCRYPT_MOST = 256 << 20,              /* octets that scrypt may take */
    PKCS8_SCRYPT_WAYS_MOST = 64,                /* its p */
};

enum pkcs8_way {
    PKCS8_MODERN,           /* scrypt N=16384 r=8 p=5, AES-256-CBC */
    PKCS8_RIPEM,            /* pbeWithMD5AndDES-CBC, 100 rounds: as RIPEM 1.2 and 3.0 read it */
};

enum pkcs8_result {
    PKCS8_OPENED,
    PKCS8_WRONG_PASSWORD,   /* or the sealed octets were changed: nobody can tell */
    PKCS8_UNSUPPORTED,      /* a scheme that is not read, or that asks for too much */
    PKCS8_BROKEN,           /* not an EncryptedPrivateKeyInfo */
    PKCS8_FAILED,           /* out of memory */
};

/* Is the text an EncryptedPrivateKeyInfo, of whatever scheme? */
bool pkcs8_is_sealed(struct bytes der);
/* Is it sealed in a way that still protects it? False for MD2, MD5 and single DES. */
bool pkcs8_is_strong(struct bytes der);

/* The caller frees *ret_key, which is written only for PKCS8_OPENED. It takes a tenth of a second
   by design. */
MUST_USE enum pkcs8_result pkcs8_open(struct bytes der, struct bytes password,
                                      struct rsa_private **ret_key);
/* Behind what `to` holds. */
MUST_USE bool pkcs8_seal(const struct rsa_private *key, enum pkcs8_way way, struct bytes password,
                         struct buffer *to);

#endif
