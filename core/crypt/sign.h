/* SPDX-License-Identifier: ISC
 *
 * crypt/sign.h: private keys, and what may be signed with them. The holder's side of a TLS_KEYOP.
 */
#ifndef POSTERN_CRYPT_SIGN_H
#define POSTERN_CRYPT_SIGN_H

#include "base/buffer.h"
#include "base/bytes.h"

/* What stands in `tbs`. Nothing else is ever signed, and nothing is deciphered. */
enum sign_scheme {
    SIGN_ECDSA = 1,         /* a digest of 32, 48 or 64 octets */
    SIGN_RSA_SHA256,        /* a digest, for PKCS #1 v1.5 (RFC 8017, 8.2) */
    SIGN_RSA_SHA384,
    SIGN_RSA_SHA512,
    SIGN_RSA_PSS,           /* a whole EMSA-PSS block (RFC 8017, 9.1.1); its form is checked */
    SIGN_SCHEMES
};

enum { SIGN_TBS_MOST = 1024, SIGNATURE_MOST = 1024 };   /* RSA of 8192 bits */

struct sign_key;

/* The private key in a PEM text without a pass phrase: RSA of 2048 to 8192 bits, or P-256, or
   P-384. NULL when it is none of these. The caller frees; it is wiped then. */
MUST_USE struct sign_key *sign_key_read(struct bytes pem);
/* A new P-256 key and a certificate that it signed itself (PEM, put behind `ret_chain`) for that
   name, good for ten years. NULL when that could not be done. The clock is OpenSSL's. */
MUST_USE struct sign_key *sign_key_self_signed(struct bytes host, struct buffer *ret_chain);
void sign_key_free(struct sign_key *key);
/* Is it the key of the first certificate of that chain? */
bool sign_key_fits(const struct sign_key *key, struct bytes chain);
/* Does the first certificate of that chain name that host (its DNS names, a wildcard for one label;
   the common name when there are none)? False when it does not read. */
bool sign_chain_names(struct bytes chain, struct bytes host);
/* Put the signature behind *ret_signature; false when the scheme is not this key's, or tbs is not
   what the scheme wants. */
MUST_USE bool sign_key_sign(const struct sign_key *key, enum sign_scheme scheme, struct bytes tbs,
                            struct buffer *ret_signature);

/* n octets that nobody can guess. */
MUST_USE bool sign_random(struct buffer *ret_octets, size_t n);

#endif
