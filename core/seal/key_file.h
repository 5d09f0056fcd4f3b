/* SPDX-License-Identifier: ISC
 *
 * seal/key_file.h: files of keys as people have them, read into items: RIPEM's public, private and
 * `crls` files (1.2 and 3.0), PEM as OpenSSL writes it, bare DER, and the files of our own store,
 * which are PEM with "User:" lines before it.
 *
 * In PEM, a public key right behind a sealed private one is its other half: so our store has them.
 * A record that is broken becomes an item that says so, with its line; the others are read.
 */
#ifndef POSTERN_SEAL_KEY_FILE_H
#define POSTERN_SEAL_KEY_FILE_H

#include "base/arena.h"
#include "seal/keyring.h"

enum {
    KEY_FILE_MOST = 8 << 20,            /* octets of a file */
    KEY_FILE_ITEMS_MOST = 20000,
    KEY_FILE_MEMORY = 64 << 20,         /* what an arena for it needs to hold */
};

enum key_item_kind {
    KEY_ITEM_CERT, KEY_ITEM_PUBLIC, KEY_ITEM_CRL,
    KEY_ITEM_SEALED,            /* EncryptedPrivateKeyInfo */
    KEY_ITEM_PRIVATE,           /* a private key in clear */
    KEY_ITEM_BROKEN,
};

struct key_item {
    struct key_item *next;
    enum key_item_kind kind;
    uint32_t line;              /* where it begins, from 1; 0 in bare DER */
    struct bytes names[KEYRING_NAMES_MOST];
    size_t names_n;
    struct bytes der;
    struct bytes half;          /* SEALED: the public key beside it, DER; empty when not known */
    const char *words;          /* BROKEN: why */
};

struct key_file {
    struct key_item *first;
    size_t n;
    bool bad;                   /* too long, too many, or out of memory: not all was read */
};

/* All that is in a text. Slices live in the arena or borrow from the text. A text without any key
   gives no items. */
void key_file_read(struct bytes text, struct arena *arena, struct key_file *ret_file);

/* Put an item into the ring. Private keys in clear, and broken items, are REFUSED. */
enum keyring_result key_item_add(struct keyring *ring, const struct key_item *item);

/* ---- the file `trust` of our store: a line for each key, "DIGEST DEPTH ROLE # whose" */

enum { CERT_DEPTH_MOST = 9 };
/* Each line's trust into the ring. Returns the number of the first line that is none, or 0. */
uint32_t key_trust_read(struct bytes text, struct keyring *ring);
void key_trust_put(struct buffer *to, const struct keyring_anchor *anchor, struct bytes whose);
/* "ca", "pca", "ipra": keyring_anchor.free_levels 0, 1, 2. */
MUST_USE bool key_role_of(struct bytes word, unsigned *ret_free_levels);
const char *key_role_name(unsigned free_levels);

/* ---- writing; LF line ends, base64 in lines of 64 */

/* -----BEGIN label----- with the names as "User:" lines before it. */
void key_put_armor(struct buffer *to, const char *label, struct bytes der,
                   const struct bytes *names, size_t names_n);
/* RIPEM's record of a public key. `old`: as 1.2 has it, between boundaries and with the key
   itself; else as 3.0, with the certificate alone. cert.n == 0: there is none. */
MUST_USE bool ripem_put_public(struct buffer *to, bool old, struct rsa_public key,
                               struct bytes cert, const struct bytes *names, size_t names_n);
/* RIPEM's private file: `sealed` is of pkcs8_seal(PKCS8_RIPEM). */
void ripem_put_private(struct buffer *to, struct bytes sealed, const struct bytes *names,
                       size_t names_n);
/* A record of RIPEM 3.0's `crls`. */
MUST_USE bool ripem_put_crl(struct buffer *to, const struct x509_crl *crl,
                            struct rsa_public issuer);

#endif
