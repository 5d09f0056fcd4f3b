/* SPDX-License-Identifier: ISC
 *
 * dns/tlsrpt_int.h: what is counted for reports of TLS, as their files share it.
 */
#ifndef POSTERN_DNS_TLSRPT_INT_H
#define POSTERN_DNS_TLSRPT_INT_H

#include "base/arena.h"
#include "dns/tlsrpt.h"

enum { TLSRPT_BUCKETS = 1024, TLSRPT_DOMAIN_OCTETS = 32 * 1024 };

struct tlsrpt_failure {
    struct tlsrpt_failure *next;
    struct bytes result, host, ip, sending_ip, reason;
    uint64_t n;
};

struct tlsrpt_counts {
    struct tlsrpt_counts *next;
    enum tlsrpt_policy kind;
    struct bytes domain;                /* that has the policy */
    struct bytes text;
    uint64_t good, bad;
    struct tlsrpt_failure *failures, **end;
    size_t n;
};

struct tlsrpt_domain {
    struct tlsrpt_domain *next;         /* in its bucket */
    struct arena arena;                 /* of all below */
    struct bytes name;
    struct tlsrpt_counts *policies, **end;
    size_t n;
};

struct tlsrpt {
    uint8_t key[16];
    struct tlsrpt_domain *buckets[TLSRPT_BUCKETS];
    struct tlsrpt_domain *domains[TLSRPT_DOMAINS_MOST];
    size_t n;
};

/* Those counts, made when there are none yet; NULL: no place. What is told borrows nothing. */
struct tlsrpt_counts *tlsrpt_counts_of(struct tlsrpt *tlsrpt, const struct tlsrpt_session *session,
                                       struct tlsrpt_domain **ret_domain);
/* `n` sessions that failed like this one. */
void tlsrpt_failures_add(struct tlsrpt_domain *domain, struct tlsrpt_counts *counts,
                         const struct tlsrpt_session *session, uint64_t n);

#endif
