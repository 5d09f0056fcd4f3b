/* SPDX-License-Identifier: ISC
 *
 * crypt/digest.h: message digests, in pieces of any size. MD2 (RFC 1319) is ours, since OpenSSL 3
 * has none; the others are OpenSSL's. MD2, MD5 and SHA1 prove nothing today: who reads them says
 * so (digest_is_weak).
 */
#ifndef POSTERN_CRYPT_DIGEST_H
#define POSTERN_CRYPT_DIGEST_H

#include "base/bytes.h"

enum digest_kind { DIGEST_MD2, DIGEST_MD5, DIGEST_SHA1, DIGEST_SHA256, DIGEST_KINDS };

enum {
    DIGEST_MOST = 32,           /* octets of the longest digest */
    DIGEST_INFO_MOST = 64,      /* octets of the longest DigestInfo */
};

size_t digest_size(enum digest_kind kind);
/* "MD2", "MD5", "SHA1", "SHA256". */
const char *digest_name(enum digest_kind kind);
/* No longer fit to prove that a text is unchanged. */
bool digest_is_weak(enum digest_kind kind);

struct digest;
/* NULL out of memory. The caller frees; NULL is taken well. */
MUST_USE struct digest *digest_new(enum digest_kind kind);
void digest_free(struct digest *digest);
/* The digest of what was put so far and of what will be put into the copy. NULL out of memory. */
MUST_USE struct digest *digest_copy(const struct digest *digest);
/* Failure of the library is sticky: digest_end tells. */
void digest_put(struct digest *digest, struct bytes text);
/* digest_size octets into ret; once. False: the library failed. */
MUST_USE bool digest_end(struct digest *digest, uint8_t ret[static DIGEST_MOST]);
/* All at once. */
MUST_USE bool digest_of(enum digest_kind kind, struct bytes text, uint8_t ret[static DIGEST_MOST]);

/* The DER of DigestInfo (RFC 8017, 9.2, note 1): the algorithm with NULL, then the digest of
   digest_size octets. Returns its length. */
size_t digest_info(enum digest_kind kind, const uint8_t *digest,
                   uint8_t ret[static DIGEST_INFO_MOST]);

#endif
