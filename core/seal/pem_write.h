/* SPDX-License-Identifier: ISC
 *
 * seal/pem_write.h: messages written, for whom a profile says can read them.
 *
 * The profiles of old write what is weak today; who asks for one by name gets it, and
 * pem_order_is_weak says so. "modern" is an extension of ours: nobody but Postern reads it.
 */
#ifndef POSTERN_SEAL_PEM_WRITE_H
#define POSTERN_SEAL_PEM_WRITE_H

#include "crypt/rsa.h"
#include "seal/pem.h"
#include "seal/pem_reader.h"

enum pem_profile {
    PEM_PROFILE_PLAIN,      /* as RFC1421, with the strongest that its form can hold */
    PEM_PROFILE_RFC1421,
    PEM_PROFILE_RIPEM12,    /* for RIPEM 1.2a: RSA up to 1024 bits, MD5 or MD2 */
    PEM_PROFILE_RIPEM3,     /* for RIPEM 3.0: up to 2048 bits, SHA1 too */
    PEM_PROFILE_MODERN,     /* SHA256, AES-256-GCM, RSA of 3072 bits at least */
    PEM_PROFILES
};
/* "rfc1421" ...; "" for PLAIN. */
const char *pem_profile_name(enum pem_profile profile);
MUST_USE bool pem_profile_of(struct bytes name, enum pem_profile *ret_profile);

struct pem_to {
    struct bytes name;              /* mail address */
    struct rsa_public key;
    struct bytes issuer, serial;    /* of a certificate; empty when there is none */
};

enum { PEM_CHANCE = 48 };

struct pem_order {
    enum pem_profile profile;
    enum pem_type type;             /* ENCRYPTED, MIC-ONLY, MIC-CLEAR */
    bool has_mic, has_dek;          /* else as the profile has it */
    enum digest_kind mic;
    enum cipher_kind dek;
    struct bytes from;              /* the sender's name or address */
    const struct rsa_private *key;
    struct bytes certificate;       /* DER, or empty */
    const struct bytes *issuers;    /* DER certificates above it */
    size_t issuers_n;
    const struct pem_to *to;
    size_t to_n;
    uint8_t chance[PEM_CHANCE];     /* that nobody can guess; for ENCRYPTED */
};

/* Fill in what the order leaves to its profile. */
void pem_order_complete(struct pem_order *order);
/* Will what it writes be PEM_GOOD_WEAK? */
bool pem_order_is_weak(const struct pem_order *order);

/* The message of a text whose line ends are LF or CRLF, behind what `to` holds, with LF. False:
   reterr_flaw->words says why (its line is a line of the text, or 0); `to` may hold a part. */
MUST_USE bool pem_write(const struct pem_order *order, struct bytes text, struct buffer *to,
                        struct pem_flaw *reterr_flaw);

/* RFC 1421's symmetric key management: for readers with whom the sender shares a key. */
struct pem_shared_order {
    enum digest_kind mic;           /* MD2, MD5 or SHA256: of whole blocks */
    enum cipher_kind dek;           /* DES_CBC or DES_EDE_CBC */
    struct bytes from;
    const struct pem_interchange *to;
    size_t to_n;
    uint8_t chance[PEM_CHANCE];
};
/* As pem_write. */
MUST_USE bool pem_write_shared(const struct pem_shared_order *order, struct bytes text,
                               struct buffer *to, struct pem_flaw *reterr_flaw);

/* An enciphered message that was opened and found good, as MIC-ONLY or MIC-CLEAR with the
   originator's own fields and MIC (RFC 1421, 4.6.1.1.1), so that others can verify it. `text` is
   what the reader gave. */
MUST_USE bool pem_convert(const struct pem_found *found, enum pem_type type, struct bytes text,
                          struct buffer *to, struct pem_flaw *reterr_flaw);

/* For other messages of this form (certification requests, lists): boundaries, a field with
   base64 in lines of 64. */
void pem_put_begin(struct buffer *to, unsigned version, enum pem_type type);
void pem_put_end(struct buffer *to);
void pem_put_field(struct buffer *to, const char *name, struct bytes octets);
void pem_put_base64(struct buffer *to, const char *before, struct bytes octets);

#endif
