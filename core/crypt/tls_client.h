/* SPDX-License-Identifier: ISC
 *
 * crypt/tls_client.h: sessions that we open with a mail server (RFC 3207, 7672, 8461; RFC 9325).
 *
 * Stands on base. A session is the same value as in tls.h, with the same ports; only its birth
 * differs, and what is to be learned of the other side. Whether a session may go on though nobody
 * was proved is the caller's to say: it knows what the domain asked for.
 */
#ifndef POSTERN_CRYPT_TLS_CLIENT_H
#define POSTERN_CRYPT_TLS_CLIENT_H

#include "crypt/tls.h"

/* What all sessions share: rules, and the authorities that are believed, as PEM (empty: none is).
   *ret_n is how many were read; what does not read is left out. NULL when memory is short.
   tls_context_add gives it a certificate of our own, to be presented; of several the first with
   each kind of key. */
MUST_USE struct tls_context *tls_context_new_client(struct bytes authorities, size_t *ret_n);

enum tls_proof {
    TLS_PROVE_NOTHING,  /* encrypt; the certificate is looked at and noted, no more */
    TLS_PROVE_NAME,     /* an authority vouches for the name (RFC 8461, 4.2; RFC 9525) */
    TLS_PROVE_DANE,     /* TLSA records do (RFC 7672) */
};

struct tls_want {
    enum tls_proof proof;
    bool must;                  /* without the proof the handshake fails; else it is only noted */
    struct bytes name;          /* of the server: asked for (SNI), and to be in the certificate; for
                                   DANE the TLSA base domain */
    const struct bytes *more;   /* further names that will do (RFC 7672, 3.2.2) */
    size_t more_n;
    const struct bytes *tlsa;   /* data of the TLSA records, for TLS_PROVE_DANE */
    size_t tlsa_n;
    uint64_t now_ms;            /* wall clock that dates of certificates are held to */
    struct bytes ticket;        /* of an earlier session with the same server and the same want (a
                                   proof is not made again then); or empty */
    bool presents;              /* to a server that asks for a certificate: the context's, signed
                                   for by TLS_KEYOP. Else such a server gets none */
};

/* How many of the records can be used: DANE-TA(2) and DANE-EE(3) with a selector, matching type and
   length that we know (RFC 7672, 3.1; usages 0 and 1 are not for mail, 3.1.3). */
size_t tls_tlsa_usable(const struct bytes *tlsa, size_t n);

/* A session that begins with our ClientHello: step it with no input first. NULL when memory is
   short, or for DANE without a record that can be used. The caller frees with tls_free. */
MUST_USE struct tls *tls_client_new(struct tls_context *context, const struct tls_want *want);

/* Why a server was not proved (RFC 8460, 4.3, has these words). */
enum tls_trouble {
    TLS_TROUBLE_NONE,
    TLS_TROUBLE_EXPIRED,        /* certificate-expired */
    TLS_TROUBLE_NAME,           /* certificate-host-mismatch */
    TLS_TROUBLE_UNTRUSTED,      /* certificate-not-trusted */
    TLS_TROUBLE_TLSA,           /* no record fits: validation-failure */
    TLS_TROUBLE_OTHER,          /* validation-failure */
};

struct tls_verdict {
    bool proved;                /* what was wanted; never for TLS_PROVE_NOTHING */
    enum tls_trouble trouble;   /* also without `must`, and for TLS_PROVE_NOTHING by authorities */
    const char *words;          /* what was wrong, for people; "" */
    int depth;                  /* DANE: of the certificate that a record fits; -1: none */
};

/* After the handshake, or when it failed. */
struct tls_verdict tls_client_verdict(const struct tls *tls);
/* "certificate-expired" and so on; "" for none. */
const char *tls_trouble_name(enum tls_trouble trouble);
/* To go on with later; empty: none yet, or none new. It comes with the server's first octets after
   the handshake. A secret. */
struct bytes tls_client_ticket(const struct tls *tls);

/* Was our certificate presented, with a signature? Also when the handshake failed afterwards. */
bool tls_client_presented(const struct tls *tls);

/* What a server showed of itself. */
struct tls_shown {
    size_t chain;               /* certificates, its own first */
    bool names_it;              /* its own has the name of a host (RFC 8461, 4.1) */
    uint64_t from_ms, until_ms; /* its own holds between them; wall clock */
};

enum {
    TLS_SHOWN_NAMES = 20,           /* DNS names of a certificate that are told; more are not */
    TLS_ISSUER_MOST = 400,          /* octets */
};

/* After the handshake; false: it showed no certificate, or memory is short. The DNS names of its
   own go to `names`, each a block, a stranger's octets; the whole chain to `pem`. */
MUST_USE bool tls_client_shown(const struct tls *tls, struct bytes host, struct buffer *names,
                               struct buffer *pem, struct tls_shown *ret_shown);

/* Who issued its own, as the certificate says: a stranger's octets, behind what `to` holds. Nothing
   when it showed none. */
void tls_client_issuer(const struct tls *tls, struct buffer *to);

/* What would be said of that chain (PEM, the server's own certificate first)? Never for a session
   that is to be used. */
struct tls_verdict tls_client_judge(struct tls *tls, struct bytes chain);

#endif
