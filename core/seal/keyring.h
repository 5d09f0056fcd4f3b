/* SPDX-License-Identifier: ISC
 *
 * seal/keyring.h: the keys one person knows, as a value: public keys and certificates of others,
 * lists of revoked ones, sealed private keys, and whom to trust how far.
 *
 * Files are read elsewhere and added here; nothing here is judged (seal/cert.h does). Everything
 * that is added is copied; what is found borrows from the ring and lives until the ring is added
 * to again, or freed.
 */
#ifndef POSTERN_SEAL_KEYRING_H
#define POSTERN_SEAL_KEYRING_H

#include "crypt/rsa.h"
#include "crypt/x509.h"

enum {
    KEYRING_ENTRIES_MOST = 20000,       /* of each kind */
    KEYRING_OCTETS_MOST = 64 << 20,
    KEYRING_NAMES_MOST = 16,            /* of one key */
    KEYRING_NAME_MOST = 512,
    KEY_DIGEST = 32,                    /* octets of keyring_digest */
};

/* A public key with what is known of its owner. */
struct keyring_key {
    struct bytes names[KEYRING_NAMES_MOST];     /* users, mail addresses; as the file said */
    size_t names_n;
    struct rsa_public key;
    bool certified;
    struct x509 cert;                           /* when certified */
};

/* A private key that a pass phrase protects (crypt/pkcs8.h). */
struct keyring_secret {
    struct bytes names[KEYRING_NAMES_MOST];
    size_t names_n;
    bool half_known;
    struct rsa_public half;                     /* when half_known */
    struct bytes sealed;                        /* EncryptedPrivateKeyInfo */
};

/* Whom to trust: a key, and how many certificates below its own it may vouch for; 0: for itself,
   as RIPEM trusts correspondents. A trusted key vouches for what it signed, its own self-signed
   certificate included; that it belongs to whom others certified it for, is said by the digest of
   that certificate. */
struct keyring_anchor {
    uint8_t digest[KEY_DIGEST];     /* keyring_digest of a key, or SHA-256 of a certificate */
    unsigned depth;
    /* RFC 1422: names below it are free for so many levels: 2 an IPRA, 1 a PCA, 0 a CA. */
    unsigned free_levels;
};

struct keyring;
/* An empty ring; NULL out of memory. The caller frees. */
MUST_USE struct keyring *keyring_new(void);
void keyring_free(struct keyring *ring);

/* What adding came to. */
enum keyring_result { KEYRING_ADDED, KEYRING_KNOWN, KEYRING_REFUSED, KEYRING_FULL };

/* A certificate; its own mail addresses and common name are names of it without being said. */
enum keyring_result keyring_add_cert(struct keyring *ring, struct bytes der,
                                     const struct bytes *names, size_t names_n);
/* A public key without a certificate, as rsa_public_read takes it. */
enum keyring_result keyring_add_public(struct keyring *ring, struct bytes der,
                                       const struct bytes *names, size_t names_n);
/* A list of revoked certificates. Two of one issuer are both kept: seal/cert.h takes the newest
   that its issuer's key signed. */
enum keyring_result keyring_add_crl(struct keyring *ring, struct bytes der);
/* A sealed private key; half NULL when its public half is not known yet. */
enum keyring_result keyring_add_secret(struct keyring *ring, struct bytes sealed,
                                       const struct rsa_public *half, const struct bytes *names,
                                       size_t names_n);
/* Trust; a second word on the same key replaces the first. */
enum keyring_result keyring_add_anchor(struct keyring *ring, const struct keyring_anchor *anchor);

/* What is looked for; members that are empty (or NULL) do not matter. */
struct keyring_query {
    struct bytes name;                  /* a user or mail address; case set aside */
    const struct rsa_public *key;
    struct bytes issuer, serial;        /* both; as x509.h has them */
    struct bytes digest;                /* hex: the first 8 digits at least of keyring_digest, or
                                           MD5 or SHA-256 of the certificate; blanks and colons are
                                           passed over, case is set aside */
};
/* The next that fits, behind `after` (NULL: the first); NULL when there is no more. */
const struct keyring_key *keyring_find(const struct keyring *ring,
                                       const struct keyring_query *query,
                                       const struct keyring_key *after);
/* The same among private keys; issuer and serial are looked up by the certificates here. */
const struct keyring_secret *keyring_find_secret(const struct keyring *ring,
                                                 const struct keyring_query *query,
                                                 const struct keyring_secret *after);
/* NULL when nobody said that this key is trusted. */
const struct keyring_anchor *keyring_trust(const struct keyring *ring, struct rsa_public key);

/* The same of this very certificate. */
const struct keyring_anchor *keyring_trust_cert(const struct keyring *ring,
                                                const struct x509 *cert);
/* All of whom somebody said so. */
size_t keyring_anchors(const struct keyring *ring, const struct keyring_anchor **ret_anchors);
/* Trust no more; false: there was no trust. */
bool keyring_drop_anchor(struct keyring *ring, const uint8_t digest[static KEY_DIGEST]);
size_t keyring_crls(const struct keyring *ring, const struct x509_crl **ret_crls);

/* SHA-256 of the SubjectPublicKeyInfo with rsaEncryption: one digest for a key, whichever way it is
   wrapped. False: the machine failed. */
MUST_USE bool keyring_digest(struct rsa_public key, uint8_t ret_digest[static KEY_DIGEST]);
/* MD5 of the SubjectPublicKeyInfo that RIPEM writes (2.5.8.1.1): its MD5OfPublicKey. */
MUST_USE bool keyring_ripem_digest(struct rsa_public key, uint8_t ret_digest[static 16]);

#endif
