/* SPDX-License-Identifier: ISC
 *
 * crypt/rsa_int.h: what a private key is made of, for the files that read, write and use it.
 */
#ifndef POSTERN_CRYPT_RSA_INT_H
#define POSTERN_CRYPT_RSA_INT_H

#include "crypt/der.h"
#include "crypt/openssl_int.h"
#include "crypt/rsa.h"

/* The content of object identifiers. */
#define OID_RSA_ENCRYPTION BYTES("\x2A\x86\x48\x86\xF7\x0D\x01\x01\x01")
#define OID_RSA_1989 BYTES("\x55\x08\x01\x01")

/* A modulus and an exponent that stand next; `in` is bad when they are none that is taken. */
struct rsa_public rsa_take_numbers(struct der *in);
void rsa_put_numbers(struct rsa_public key, struct buffer *to);

/* The two operations without any padding: block and result are as long as the modulus. */
bool rsa_raw_public(struct rsa_public key, struct bytes block, uint8_t *ret_block);
bool rsa_raw_private(const struct rsa_private *key, struct bytes block, uint8_t *ret_block);
/* The same with RSA_WRAP_OAEP taken off: *ret_n octets. False: it is not so wrapped. */
MUST_USE bool rsa_oaep_private(const struct rsa_private *key, struct bytes block,
                               uint8_t ret_secret[static RSA_OCTETS_MOST], size_t *ret_n);
MUST_USE bool rsa_set_oaep(EVP_PKEY_CTX *ctx);

#endif
