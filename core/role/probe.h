/* SPDX-License-Identifier: ISC
 *
 * role/probe.h: one call on a mail server, with no letter: greeting, EHLO, STARTTLS, QUIT; what it
 * said and showed goes into a visit (dns/checkup.h).
 *
 * A value, as roles are: octets in, octets out; it knows no socket and no clock. It decides nothing
 * and proves nobody: TLS is begun with whoever answers, and his certificates are judged afterwards
 * in each of the ways that a letter could ask for.
 */
#ifndef POSTERN_ROLE_PROBE_H
#define POSTERN_ROLE_PROBE_H

#include "crypt/tls_client.h"
#include "dns/checkup.h"
#include "plan/conf.h"

/* Slices and the context outlive the probe. */
struct probe_want {
    struct bytes hello;             /* our name */
    struct bytes host;              /* of the MX record */
    struct bytes base;              /* where its TLSA records stand (RFC 7672, 2.2.2) */
    struct bytes domain;            /* of the mail, where its MX records are secure; or empty */
    const struct bytes *tlsa;       /* data of the records; none: not asked for */
    size_t tlsa_n;
    struct tls_context *tls;        /* tls_context_new_client */
    uint64_t now_ms;                /* wall clock */
};

struct probe;

/* `visit` is filled in, and outlives it too. NULL when memory is short. */
MUST_USE struct probe *probe_new(const struct probe_want *want, struct checkup_visit *visit);
void probe_free(struct probe *probe);

/* Octets from the server; false: it is over, send the output and close. */
MUST_USE bool probe_step(struct probe *probe, struct bytes in);
/* For the server, and: it was sent. */
struct bytes probe_output(const struct probe *probe);
void probe_sent(struct probe *probe);
/* The connection ended, or there was no patience left, before probe_step said false: why, in our
   own words. */
void probe_lost(struct probe *probe, struct bytes words);

/* What the configuration asks of connections for that domain's mail (A-labels). */
enum channel_policy probe_policy(const struct conf *conf, struct bytes domain);

#endif
