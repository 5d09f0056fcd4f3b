/* SPDX-License-Identifier: ISC
 *
 * seal/pem_keys.h: what a message asks of the keys at hand: who signed it, and which of our own
 * keys opens it.
 */
#ifndef POSTERN_SEAL_PEM_KEYS_H
#define POSTERN_SEAL_PEM_KEYS_H

#include "seal/cert.h"
#include "seal/keyring.h"
#include "seal/pem.h"

enum { PEM_TRIED_KEYS_MOST = 16, PEM_NAME_MOST = 1024 };

/* One of our own keys, opened. */
struct pem_own {
    const struct rsa_private *key;
    struct bytes name;              /* whose it is, when known; for messages that only name users */
};

/* A key that both sides know (RFC 1421, 4.6.2.1): 8 octets for DES-ECB, 16 for DES-EDE. */
struct pem_interchange {
    struct bytes entity, issuer, version;
    uint8_t key[16];
    size_t n;
};

struct pem_keys {
    const struct keyring *ring;     /* of others; NULL: none */
    const struct pem_own *own;
    size_t own_n;
    const struct pem_interchange *interchange;
    size_t interchange_n;
    struct cert_rules rules;
};

/* Who signed, as far as header and keyring tell. */
struct pem_sender {
    bool known;                     /* there is a key to verify with */
    struct rsa_public tries[PEM_TRIED_KEYS_MOST];   /* more than one only for a mere name */
    size_t tries_n;
    bool from_message;              /* the key came with the message */
    bool certified;
    struct cert_path path;          /* when certified */
    bool trusted;
    struct x509 cert;
};

/* False: a certificate in the header cannot be read. */
MUST_USE bool pem_find_sender(const struct pem_keys *keys, const struct pem_header *header,
                              struct pem_sender *ret_sender, struct pem_flaw *reterr_flaw);
/* Is the key that verified trusted, and its path? For senders with several keys. */
void pem_judge_sender(const struct pem_keys *keys, struct rsa_public key,
                      struct pem_sender *sender);
/* The recipient (or originator) of the message whose key is ours. NULL: none. */
const struct pem_party *pem_find_own(const struct pem_keys *keys, const struct pem_header *header,
                                     const struct rsa_private **ret_key);
/* The same for keys that both sides know. */
const struct pem_party *pem_find_interchange(const struct pem_keys *keys,
                                             const struct pem_header *header,
                                             const struct pem_interchange **ret_key);
struct pem_found;
/* The verdict on a message of type CRL or CRL-RETRIEVAL-REQUEST: are its lists as their issuers
   signed them? */
void pem_judge_lists(const struct pem_keys *keys, struct pem_found *found);
/* Who the sender is, in words: the subject's name or the claim of the header; for people. */
void pem_put_sender(const struct pem_header *header, const struct pem_sender *sender,
                    struct buffer *to);

#endif
