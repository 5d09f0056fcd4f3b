/* SPDX-License-Identifier: ISC
 *
 * dns/channel.h: what a connection to one host must be before a letter goes over it: DANE (RFC
 * 7672), MTA-STS (RFC 8461), REQUIRETLS and TLS-Required (RFC 8689), and what the configuration
 * asks.
 *
 * Stands on base and mail. A pure decision: with other facts it is made again. What could not be
 * found out is never taken for leave to send in clear.
 */
#ifndef POSTERN_DNS_CHANNEL_H
#define POSTERN_DNS_CHANNEL_H

#include "dns/answer.h"
#include "dns/sts.h"
#include "mail/status.h"

/* What the configuration asks of a destination. */
enum channel_policy {
    CHANNEL_POLICY_MAY,         /* TLS when it is offered */
    CHANNEL_POLICY_ENCRYPT,     /* never in clear */
    CHANNEL_POLICY_VERIFY,      /* and an authority vouches for the host's name */
    CHANNEL_POLICY_DANE,        /* and TLSA records do; without them the letter waits */
    CHANNEL_POLICY_NONE,        /* in clear: a server whose TLS is beyond repair */
};

struct channel_facts {
    bool route_secure;          /* the host's name came from the configuration, or from an answer
                                   that is secure */
    bool address_secure;        /* the answer for its addresses is */
    const struct dns_answer *tlsa;  /* at _25._tcp of the host; NULL when it was not asked for, as
                                       it need not be where addresses are not secure (2.2.2) */
    size_t tlsa_usable;         /* records in it that can be used */
    enum sts_mode sts;          /* of the domain's policy in force; STS_NONE: none */
    bool sts_allows;            /* and this host */
    bool require_tls;           /* the letter came with REQUIRETLS */
    bool tls_optional;          /* its header says TLS-Required: no */
    enum channel_policy policy;
    bool broken;                /* its TLS failed a while ago, when nothing asked for a proof */
    bool sts_unsure;            /* STS_NONE only since it could not be found out */
    bool held;                  /* the destination had TLS whenever it was met, and mail waits for
                                   that (dns/ledger.h) */
};

enum channel_need {
    CHANNEL_WAIT,       /* it cannot be known now what it must be: not over this host, not now */
    CHANNEL_NOT_HERE,   /* over this host never, as things stand */
    CHANNEL_CLEAR,      /* no TLS, though it may be offered */
    CHANNEL_ANY,        /* TLS when it is offered and works, else in clear */
    CHANNEL_ENCRYPT,    /* TLS, whoever answers */
    CHANNEL_NAME,       /* TLS, and an authority vouches for the name */
    CHANNEL_DANE,       /* TLS, and the TLSA records fit */
};

struct channel {
    enum channel_need need;
    bool test;                  /* a name is to be proved and the outcome told, but a letter goes
                                   over it all the same (MTA-STS, mode testing) */
    struct status_code code;    /* WAIT and NOT_HERE: what the letter gets if no host is better;
                                   else what it gets when the need cannot be met */
    const char *why;            /* the reason, one clause, for the log and for reports */
    const char *result;         /* WAIT and NOT_HERE: RFC 8460, 4.3; or "" */
};

/* Are the TLSA records of this host to be asked for (RFC 7672, 2.2)? */
bool channel_wants_tlsa(const struct channel_facts *facts);

struct channel channel_decide(const struct channel_facts *facts);

/* Is TLS asked for for no other reason than that it always was there? */
bool channel_is_held(const struct channel *channel);

/* "dane", "sts" and the like, for the log. */
const char *channel_need_name(enum channel_need need);

#endif
