/* SPDX-License-Identifier: ISC
 *
 * crypt/https.h: what a web server's certificate is held to, for a library that does TLS by itself
 * through OpenSSL.
 *
 * Stands on base.
 */
#ifndef POSTERN_CRYPT_HTTPS_H
#define POSTERN_CRYPT_HTTPS_H

#include "base/bytes.h"

struct https_rules;

/* The authorities, as PEM; what cannot be read ends them. OpenSSL has read its own settings after
   this, and opens no file more. NULL: memory is short. */
MUST_USE struct https_rules *https_rules_new(struct bytes authorities);
void https_rules_free(struct https_rules *rules);

/* Lets `context`, an SSL_CTX, believe only a certificate that one of the authorities vouches for
   and that has the host (A-labels) in its subjectAltName: a name in its subject alone counts for
   nothing (RFC 8461, 3.3). False: memory is short; the context must not be used. */
MUST_USE bool https_rules_apply(struct https_rules *rules, void *context, struct bytes host);

#endif
