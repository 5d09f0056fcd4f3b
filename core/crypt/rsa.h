/* SPDX-License-Identifier: ISC
 *
 * crypt/rsa.h: RSA keys as values, from 508 bits up as Privacy-Enhanced Mail has them, and the four
 * things that are done with them.
 *
 * Old keys are read so that old mail can be; what such a key still proves is for others to say.
 * Nothing here asks a clock. Random octets are OpenSSL's.
 */
#ifndef POSTERN_CRYPT_RSA_H
#define POSTERN_CRYPT_RSA_H

#include "base/buffer.h"
#include "base/bytes.h"

enum {
    RSA_BITS_LEAST = 508,           /* RFC 1423, 4.1.2 */
    RSA_BITS_MOST = 8192,
    RSA_OCTETS_MOST = RSA_BITS_MOST / 8,
    RSA_EXPONENT_MOST = 8,          /* octets of a public exponent */
    RSA_MAKE_LEAST = 512,           /* the least that can be made */
    RSA_PKCS8_MOST = 8192,          /* octets of a private key as DER, encrypted or not */
};

/* Modulus and exponent, most significant octet first, the first octet not zero. Borrows from
   where it was read. */
struct rsa_public {
    struct bytes modulus, exponent;
};

size_t rsa_bits(struct rsa_public key);
/* Octets of the modulus, and so of every signature and enciphered block. */
static inline size_t rsa_octets(struct rsa_public key) { return key.modulus.n; }
bool rsa_equal(struct rsa_public a, struct rsa_public b);

/* How a public key is wrapped. */
enum rsa_form {
    RSA_SPKI,               /* SubjectPublicKeyInfo with rsaEncryption (RFC 8017) */
    RSA_SPKI_1989,          /* with rsa, 2.5.8.1.1, and the modulus' size: RFC 1423, RIPEM */
    RSA_PKCS1,              /* RSAPublicKey alone */
};

/* A key in any of the three forms, with nothing behind it. Refused: a modulus that is even or not
   of RSA_BITS_LEAST to RSA_BITS_MOST, an exponent that is even, 1, or of more than 64 bits.
   Borrows from der. */
MUST_USE bool rsa_public_read(struct bytes der, struct rsa_public *ret_key);
void rsa_public_put(struct rsa_public key, enum rsa_form form, struct buffer *to);

/* A private key. Opaque; wiped when it is freed. */
struct rsa_private;

/* PKCS #8 without encryption (RFC 5208; the algorithm may be either of the two), or PKCS #1
   RSAPrivateKey. A key whose halves do not fit each other is refused. The caller frees. */
MUST_USE struct rsa_private *rsa_private_read(struct bytes der);
/* A new key of that many bits, a multiple of 8 from RSA_MAKE_LEAST on, with exponent 65537. NULL
   when it could not be made. It takes seconds when long. The caller frees. */
MUST_USE struct rsa_private *rsa_private_make(size_t bits);
void rsa_private_free(struct rsa_private *key);
/* Borrows from the key. */
struct rsa_public rsa_private_public(const struct rsa_private *key);
/* PKCS #8 without encryption. A secret: the buffer is the caller's to wipe. */
void rsa_private_put(const struct rsa_private *key, struct buffer *to);

/* Behind *ret_signature the block that signs `info`, which is a whole DigestInfo: PKCS #1 block
   type 1 (RFC 8017, 9.2). False: info is too long for the key, or no memory. */
MUST_USE bool rsa_sign(const struct rsa_private *key, struct bytes info,
                       struct buffer *ret_signature);
/* Is that the signature of exactly this DigestInfo? The whole block is compared, nothing in it is
   parsed. Missing octets at the left of the signature count as zero, up to eight of them. */
MUST_USE bool rsa_signed(struct rsa_public key, struct bytes signature, struct bytes info);

/* How a short secret, a content key, is wrapped before it is enciphered. */
enum rsa_wrap {
    RSA_WRAP_PKCS1,         /* block type 2 of PKCS #1 (RFC 8017, 7.2) */
    RSA_WRAP_OAEP,          /* OAEP with SHA256 and MGF1 of SHA256, no label (RFC 8017, 7.1) */
};
MUST_USE bool rsa_encipher(struct rsa_public key, enum rsa_wrap wrap, struct bytes secret,
                           struct buffer *ret_block);
/* Decipher a block that should hold a secret of exactly n octets. What comes out of a block that
   does not, or is no block of this key, is n random octets, in the same time: so nobody learns from
   us which it was (Bleichenbacher 1998). False only when the machine fails. n <= 256. */
MUST_USE bool rsa_decipher(const struct rsa_private *key, enum rsa_wrap wrap, struct bytes block,
                           size_t n, uint8_t *ret_secret);

#endif
