/* SPDX-License-Identifier: ISC
 *
 * crypt/tls_int.h: what the files of the TLS engine share.
 *
 *   tls_context.c   the SSL_CTX, certificates, who is shown which
 *   tls.c           one session: its ports and its handshake
 *   tls_bio.c       OpenSSL's octets from and to a session's own buffers
 *   tls_hello.c     what a client says first: name, cipher suites; the choice of a certificate
 *   tls_ticket.c    resumption tickets
 *   tls_client.c    sessions that we open: whom they must prove, and by what
 *   tls_present.c   and the certificate of our own, for a server that asks
 *   tls_shown.c     what a server showed of itself, for people
 *   remote_key.c    keys whose signatures come from elsewhere
 */
#ifndef POSTERN_CRYPT_TLS_INT_H
#define POSTERN_CRYPT_TLS_INT_H

#include "base/arena.h"
#include "base/reader.h"
#include "crypt/openssl_int.h"
#include "crypt/tls.h"
#include "crypt/tls_client.h"

struct remote_methods;

/* RSA and EC: a client that cannot take the one gets the other. */
enum tls_key_kind { TLS_KEY_EC, TLS_KEY_RSA, TLS_KEY_KINDS };

struct tls_certificate {
    X509 *leaf;
    STACK_OF(X509) *above;
    EVP_PKEY *key;              /* a remote one */
    enum tls_key_kind kind;
    struct buffer names;        /* that it is good for, each a block */
};

struct tls_context {
    SSL_CTX *ctx;
    BIO_METHOD *bio;
    struct remote_methods *methods;
    EVP_MAC *hmac;
    EVP_CIPHER *aes;
    struct tls_certificate list[TLS_CERTIFICATES_MOST];
    size_t n;
    char host[TLS_NAME_MOST];
    size_t host_n;
    uint8_t now[TLS_TICKET_SECRET], before[TLS_TICKET_SECRET];
    bool has_now, has_before;
    size_t users;               /* sessions, and its owner */
    size_t jobs;                /* sessions that wait for a signature */
    struct tls *current;        /* whose handshake is being stepped */
};

enum tls_state { TLS_SHAKING, TLS_OPEN, TLS_IS_CLOSED, TLS_IS_FAILED };

struct tls {
    struct tls_context *context;
    SSL *ssl;
    enum tls_state state;
    uint32_t listener;
    struct bytes in;            /* of the step in hand */
    struct buffer kept;         /* input of steps before, not read yet */
    size_t kept_at;
    struct buffer plain, cipher;
    bool paused;                /* its fibre stands inside tls_sign */
    bool waits;                 /* for a signature */
    bool answered;
    bool doomed;                /* it is being freed: no signature will come */
    unsigned warnings;          /* that we said */
    struct tls_keyop keyop;
    struct buffer tbs, signature;
    struct tls_facts facts;
    char name[TLS_NAME_MOST];
    uint8_t offered[TLS_OFFERED_MOST];
    /* of one that we opened */
    enum tls_proof proof;
    bool must;
    bool presents;              /* a certificate of ours, when it is asked for */
    bool presented;
    bool asked;                 /* it was asked for: the handshake's rest is a fibre */
    struct tls_verdict verdict;
    struct buffer ticket;
};

/* tls.c. A session that is neither side's yet; NULL when memory is short. */
struct tls *tls_begin(struct tls_context *context);

/* tls_client.c. The handshake is over: what it showed. Nothing well for a server's side. */
void tls_client_note(struct tls *tls);

/* tls_present.c. The server asks for a certificate (SSL_CTX_set_cert_cb). */
int tls_on_asked(SSL *ssl, void *of);

/* tls_bio.c */
BIO_METHOD *tls_bio_method(void);
MUST_USE bool tls_bio_attach(struct tls *tls);

/* tls_hello.c */
int tls_on_hello(SSL *ssl, int *alert, void *of);
int tls_on_certificate(SSL *ssl, void *of);

/* tls_ticket.c */
int tls_on_ticket(SSL *ssl, unsigned char *name, unsigned char *iv, EVP_CIPHER_CTX *cipher,
                  EVP_MAC_CTX *mac, int sealing);

/* remote_key.c */
struct remote_methods *remote_methods_new(void);
void remote_methods_free(struct remote_methods *methods);
/* A key with the public half of that one, which asks context->current for its signatures. NULL
   when it is of no kind we use, or memory is short. */
EVP_PKEY *remote_key_new(struct tls_context *context, EVP_PKEY *public_half, uint32_t number);
/* Called inside a job: what `current` needs signed. 0 when it cannot be had. */
size_t tls_sign(struct tls_context *context, uint32_t number, enum sign_scheme scheme,
                const uint8_t *tbs, size_t tbs_n, uint8_t *ret_signature, size_t most);

/* tls_context.c. The certificates for a name: by kind, NULL where there is none. False: no
   certificate has it, and ret_list holds those of the default. */
bool tls_choose(const struct tls_context *context, struct bytes name,
                const struct tls_certificate *ret_list[TLS_KEY_KINDS]);

#endif
