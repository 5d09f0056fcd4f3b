/* SPDX-License-Identifier: ISC
 *
 * crypt/tls.h: the server's side of TLS (RFC 5246, RFC 8446, as RFC 9325 wants them), as a value.
 *
 * Stands on base; the files behind it are the only ones that name OpenSSL. A session has four
 * ports and no socket:
 *
 *     network -- tls_step -->  [ session ]  -- tls_plain -->  the mail server
 *     network <- tls_cipher -- [ session ] <-- tls_write ---  the mail server
 *
 * It holds no private key. Where one is needed the session stops with TLS_KEYOP, and goes on when
 * tls_key_answer brings the signature: the handshake is a fibre of its own meanwhile (ASYNC_JOB).
 * Keys are known by number; who holds them is not its affair.
 */
#ifndef POSTERN_CRYPT_TLS_H
#define POSTERN_CRYPT_TLS_H

#include "base/buffer.h"
#include "base/bytes.h"
#include "crypt/sign.h"

/* ---- what all sessions of a server share */

struct tls_context;

enum {
    TLS_CERTIFICATES_MOST = 256,    /* of one context */
    TLS_JOBS_MOST = 1024,           /* handshakes of one context that wait for a signature */
    TLS_TICKET_SECRET = 32,
    TLS_NAME_MOST = 255,            /* of a name asked for (RFC 6066, 3): the rest is cut */
    TLS_OFFERED_MOST = 64,          /* octets of cipher suites that tls_facts keeps */
};

/* Without a certificate yet. `host`: the name whose certificate is shown to whoever asks for a name
   that none has, or for no name. NULL when memory is short. The caller lets it go. */
MUST_USE struct tls_context *tls_context_new(struct bytes host);
/* One more certificate with the chain above it, as PEM, and the number of its private key. False
   when it does not read, has a key that is neither RSA nor on P-256 or P-384, or there are too
   many: the context is as before. Add them in the order of their names: when `host` is in none,
   the first is the one shown. */
MUST_USE bool tls_context_add(struct tls_context *context, struct bytes chain, uint32_t key);
/* An authority, as PEM: from then on clients are asked for a certificate, which they need not
   have. False when it does not read. */
MUST_USE bool tls_context_trust(struct tls_context *context, struct bytes authority);
/* Are there certificates? */
bool tls_context_ready(const struct tls_context *context);
/* Is there a certificate for that name (any case; a wildcard stands for one label)? */
bool tls_context_serves(const struct tls_context *context, struct bytes name);
/* Seal resumption tickets with `now`, and take those sealed with `before` too (its n may be 0).
   Each has TLS_TICKET_SECRET octets. Until then no tickets are given. */
void tls_context_tickets(struct tls_context *context, struct bytes now, struct bytes before);
/* It lives on until its last session is freed. Nothing well. */
void tls_context_free(struct tls_context *context);

/* ---- one session */

struct tls;

enum tls_said {
    TLS_MORE,           /* all input was taken: nothing to do now */
    TLS_KEYOP,          /* a signature is needed: tls_keyop says which; said once. Input may come
                           meanwhile */
    TLS_OPENED,         /* the handshake is over; said once */
    TLS_CLOSED,         /* the peer said close_notify: no octet from now on is looked at */
    TLS_FAILED,         /* send tls_cipher (an alert may lie there), then close */
};

struct tls_keyop {
    uint32_t key;
    enum sign_scheme scheme;
    struct bytes tbs;           /* sign.h; lives until the answer */
};

/* What is to be known of a session. Slices live as long as it. */
struct tls_facts {
    struct bytes version;       /* "TLSv1.3"; empty before TLS_OPENED */
    struct bytes cipher;        /* "TLS_AES_256_GCM_SHA384" */
    unsigned bits;
    bool verified;              /* the client showed a certificate of an authority we trust */
    bool resumed;
    struct bytes name;          /* that the client asked for (a stranger's octets), or empty */
    bool name_known;            /* a certificate has it */
    bool alerted, alert_ours;   /* a fatal alert was received, or (ours) sent */
    uint8_t alert;              /* its number (RFC 8446, 6) */
    struct bytes offered;       /* the client's cipher suites, two octets each: the first ones */
};

/* A session that waits for a ClientHello. `listener`: tickets of one are worth nothing to another.
   NULL when memory is short. The caller frees. */
MUST_USE struct tls *tls_new(struct tls_context *context, uint32_t listener);
void tls_free(struct tls *tls);

/* Octets from the network; all are taken. After TLS_OPENED step again, with none: more may have
   come with the end of the handshake. After CLOSED and FAILED it says the same again. */
enum tls_said tls_step(struct tls *tls, struct bytes in);
/* After TLS_KEYOP, until the answer. */
struct tls_keyop tls_keyop(const struct tls *tls);
/* The signature; empty: it cannot be had, and the handshake will fail. Then step. */
void tls_key_answer(struct tls *tls, struct bytes signature);

/* Plain octets from the peer, and: they were taken. */
struct bytes tls_plain(const struct tls *tls);
void tls_plain_taken(struct tls *tls);
/* Octets for the network, and: they were sent. */
struct bytes tls_cipher(const struct tls *tls);
void tls_cipher_sent(struct tls *tls);
/* Send plain octets, after TLS_OPENED. False: it has failed. */
MUST_USE bool tls_write(struct tls *tls, struct bytes plain);
/* Say close_notify, when that can still be said. */
void tls_close(struct tls *tls);

struct tls_facts tls_facts(const struct tls *tls);
/* "internal_error" for 80, and so on (RFC 8446, 6); "?" for what has no name. */
const char *tls_alert_name(uint8_t alert);

#endif
