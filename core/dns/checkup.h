/* SPDX-License-Identifier: ISC
 *
 * dns/checkup.h: how a domain's mail is found and protected, as facts and in one verdict: its MX
 * records, DNSSEC, DANE, MTA-STS and TLSRPT.
 *
 * Stands on base and mail. Asks nobody: who asked fills in what was said.
 */
#ifndef POSTERN_DNS_CHECKUP_H
#define POSTERN_DNS_CHECKUP_H

#include "dns/channel.h"
#include "dns/mx.h"

struct checkup_host {
    struct bytes name;
    uint16_t preference;
    size_t addresses;
    bool address_secure;
    enum dns_verdict tlsa;      /* 0: not asked for, as addresses are not signed */
    size_t tlsa_usable;
    bool sts_allows;
    struct channel channel;     /* by checkup_judge */
};

struct checkup {
    struct bytes domain;
    enum mx_verdict mx;
    bool mx_secure;
    struct checkup_host hosts[MX_HOSTS_MOST];
    size_t n;
    bool sts_announced;         /* by a record */
    bool sts_held;              /* its policy was had */
    enum sts_mode sts;
    uint32_t sts_age;           /* max_age, seconds */
    const char *sts_why;        /* announced and not had: why */
    bool tlsrpt;                /* it wants reports */
};

enum checkup_verdict {
    CHECKUP_DANE = 1,       /* every host that may be used is proved by TLSA records */
    CHECKUP_STS,            /* ... or by an authority, as a policy asks */
    CHECKUP_OPEN,           /* some host may be spoken with unproved: who sits between can listen */
    CHECKUP_WAITS,          /* no host may be used as things stand */
    CHECKUP_NO_MAIL,        /* the domain says that it takes none, or is not there */
    CHECKUP_UNKNOWN,        /* the DNS could not be asked */
};

/* What somebody typed as the domain, as A-labels in lower case, behind what `to` holds. False: it
   is none. */
MUST_USE bool checkup_domain_put(struct buffer *to, struct bytes word);

/* Decides for each host what a connection to it must be (dns/channel.h), and for all of them. */
enum checkup_verdict checkup_judge(struct checkup *checkup);

/* For people, in lines; or one JSON object and a line end. After checkup_judge. */
void checkup_put_text(struct buffer *to, const struct checkup *checkup,
                      enum checkup_verdict verdict);
void checkup_put_json(struct buffer *to, const struct checkup *checkup,
                      enum checkup_verdict verdict);

#endif
