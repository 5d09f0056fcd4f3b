/* SPDX-License-Identifier: ISC
 *
 * crypt/tls_peer_int.h: for the tests of this folder: certificates made on the spot, and a session
 * with OpenSSL's own client at its other end, in memory.
 */
#ifndef POSTERN_CRYPT_TLS_PEER_INT_H
#define POSTERN_CRYPT_TLS_PEER_INT_H

#include "crypt/openssl_int.h"
#include "crypt/tls.h"

enum peer_kind { PEER_P256, PEER_P384, PEER_RSA };

enum { PEER_KEYS = 16 };

/* Who holds the keys in these tests. */
struct holder {
    struct sign_key *keys[PEER_KEYS];
    uint32_t n;
    bool refuses;
    unsigned asked;             /* signatures so far */
    enum sign_scheme scheme;    /* the last one's */
};

/* A certificate for these names (ended by NULL), its key with the holder; added to the context. */
void holder_add(struct holder *holder, struct tls_context *context, enum peer_kind kind,
                const char *const *names);
void holder_done(struct holder *holder);

/* A certificate in PEM, by `above` (NULL: by itself). The caller frees both. */
X509 *peer_certificate(EVP_PKEY *key, const char *const *names, X509 *above, EVP_PKEY *above_key);
EVP_PKEY *peer_key(enum peer_kind kind);
/* The key as the role that signs has it. */
struct sign_key *peer_hold(EVP_PKEY *key);
void peer_put_pem(struct buffer *to, X509 *x509);

struct pair {
    struct holder *holder;
    struct tls *server;
    SSL *client;
    BIO *from_server, *from_client;
    bool opened, closed, failed;        /* what the server said */
    struct buffer got;                  /* plain, by the server */
};

/* A session and a client that asks for `name` (NULL: for none). `ctx` is borrowed. */
struct pair pair_new(struct tls_context *context, struct holder *holder, SSL_CTX *ctx,
                     const char *name, uint32_t listener);
void pair_done(struct pair *pair);
/* Carry octets both ways, at most `cut` at once, until nobody has anything to say. */
void pair_run(struct pair *pair, size_t cut);
/* Step the server with these octets, answer what it asks, gather what it says. */
void pair_feed(struct pair *pair, struct bytes in);
/* The names in the certificate that the client was shown: is this one of them? */
bool pair_shown(const struct pair *pair, const char *name);
bool pair_shown_rsa(const struct pair *pair);
SSL_CTX *client_new(int version, const char *suites);

#endif
