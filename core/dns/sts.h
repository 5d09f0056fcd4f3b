/* SPDX-License-Identifier: ISC
 *
 * dns/sts.h: MTA-STS (RFC 8461): the record that announces a policy, the policy, and which hosts it
 * lets be spoken with.
 *
 * Stands on base. Nothing is fetched here. A policy borrows from its text: who keeps one keeps the
 * text and reads it again.
 */
#ifndef POSTERN_DNS_STS_H
#define POSTERN_DNS_STS_H

#include "dns/answer.h"

enum {
    STS_ID_MOST = 32,
    STS_POLICY_MOST = 64 * 1024,        /* octets of a policy (RFC 8461, 3.3) */
    STS_MX_MOST = 100,                  /* patterns that are kept of one */
    STS_AGE_MOST = 31557600,            /* seconds (3.2) */
};

/* The id in the TXT records of _mta-sts.DOMAIN, behind what `to` holds. False: there is no policy:
   no record that begins with v=STSv1, more than one (3.1), or one that is wrong. */
MUST_USE bool sts_record_read(const struct dns_answer *answer, struct buffer *to);

enum sts_mode { STS_NONE, STS_TESTING, STS_ENFORCE };

struct sts_policy {
    enum sts_mode mode;
    uint32_t max_age;                   /* seconds */
    size_t n;
    struct bytes mx[STS_MX_MOST];       /* patterns, as written */
};

/* What is wrong with a policy, in words for its owner (TLSRPT's sts-policy-invalid). */
struct sts_flaw {
    unsigned line;                      /* from 1; 0: all of it */
    const char *words;
};

/* Reads a policy (3.2), its lines ended by CRLF or LF. Of a field that comes twice the first holds;
   fields not known are left out. False: *ret_flaw says why, *ret_policy is untouched. */
MUST_USE bool sts_policy_read(struct bytes text, struct sts_policy *ret_policy,
                              struct sts_flaw *ret_flaw);

/* May that host (A-labels, any case) take the domain's mail (4.1)? "*." stands for exactly one
   label. Whatever the mode. */
bool sts_allows(const struct sts_policy *policy, struct bytes host);

const char *sts_mode_name(enum sts_mode mode);

#endif
