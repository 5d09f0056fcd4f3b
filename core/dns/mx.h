/* SPDX-License-Identifier: ISC
 *
 * dns/mx.h: which hosts a domain's mail goes to, in which order (RFC 5321, 5.1; RFC 7505).
 *
 * Stands on base. A negative answer and an answer that failed are never the same here: a time-out
 * must not make a domain "without MX".
 */
#ifndef POSTERN_DNS_MX_H
#define POSTERN_DNS_MX_H

#include "dns/answer.h"

enum { MX_HOSTS_MOST = 20 };    /* those of the best preferences; the others are not tried */

enum mx_verdict {
    MX_HOSTS,           /* there are hosts, best first */
    MX_IMPLICIT,        /* no MX record: the domain's own addresses are tried */
    MX_NULL,            /* the domain takes no mail (RFC 7505): 5.1.10 */
    MX_NO_DOMAIN,       /* there is no such domain */
    MX_UNUSABLE,        /* there are MX records, and none names a host */
    MX_LATER,           /* not known now: bogus or failed */
};

struct mx_host {
    uint16_t preference;
    char name[DNS_NAME_MOST];
    uint8_t n;
};

struct mx_list {
    enum mx_verdict verdict;
    bool secure;        /* the answer was: needed for DANE (RFC 7672, 2.2.1) */
    size_t n;           /* of hosts, for MX_HOSTS */
    struct mx_host hosts[MX_HOSTS_MOST];
};

/* What the answer to the question for the MX records means. Hosts of one preference stand in an
   order that `chance` chooses, another for another number: the same number gives the same. A name
   that comes twice stands where it is best. */
void mx_read(const struct dns_answer *answer, uint64_t chance, struct mx_list *ret_list);

/* Keeps only hosts better than `host`, when that is one of them: the way on leads away from us
   (RFC 5321, 5.1). False: it is the best itself, none is left, and the mail would loop (5.4.6). */
bool mx_drop_from(struct mx_list *list, struct bytes host);

static inline struct bytes mx_name(const struct mx_host *host)
{
    return (struct bytes){ host->name, host->n };
}

#endif
