/* SPDX-License-Identifier: ISC
 *
 * crypt/x509_int.h: what certificates and lists of revoked ones share: both are a signed part, an
 * algorithm and a signature.
 */
#ifndef POSTERN_CRYPT_X509_INT_H
#define POSTERN_CRYPT_X509_INT_H

#include "crypt/x509.h"

struct x509_frame {
    struct bytes signed_part;       /* the whole element */
    struct bytes algorithm;         /* the whole AlgorithmIdentifier */
    struct bytes signature;
};

/* X.509's SIGNED macro, alone in the text. */
bool x509_read_frame(struct bytes der, struct x509_frame *ret_frame);
/* Which digest an AlgorithmIdentifier names; false for one that is not read here. */
bool x509_read_algorithm(struct bytes der, enum digest_kind *ret_digest);
void x509_put_algorithm(struct buffer *to, enum digest_kind digest);
/* Close the signed part that began at `begun`, and put algorithm and signature behind it. */
bool x509_sign_frame(struct buffer *to, size_t begun, enum digest_kind digest,
                     const struct rsa_private *issuer);
bool x509_check(struct bytes signed_part, enum digest_kind digest, struct bytes signature,
                struct rsa_public key);
/* Step over a name and give it whole; `in` is bad when it is none. */
struct bytes x509_take_name(struct der *in);

#endif
