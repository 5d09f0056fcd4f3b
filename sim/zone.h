/* SPDX-License-Identifier: ISC
 *
 * sim/zone.h: the names of the world outside: domains with their hosts, addresses, TLSA records and
 * MTA-STS policies, as a resolver and a web server would tell of them; by the odds they tell
 * nothing, or something else.
 *
 * What is signed is never told of as unsigned: that is what signatures are for. All else may be
 * forged, kept back or broken.
 */
#ifndef POSTERN_SIM_ZONE_H
#define POSTERN_SIM_ZONE_H

#include "base/buffer.h"
#include "sim/world.h"

enum zone_kind {
    ZONE_HOSTS,         /* MX records */
    ZONE_IMPLICIT,      /* none: the domain is its own host */
    ZONE_NULL_MX,       /* takes no mail, and says so */
    ZONE_NOBODY,        /* there is no such domain */
};

enum { ZONE_HOSTS_MOST = 3 };

struct zone_domain {
    const char *name;
    enum zone_kind kind;
    unsigned hosts;
    bool is_signed, dane, sts;
    bool bare;          /* its servers offer nothing at all */
};
extern const struct zone_domain zone_domains[];
extern const size_t zone_domains_n;

/* Of an address, or of a name in a domain: which one; zone_domains_n: none of them. */
size_t zone_domain_of(struct bytes name);
/* The host at that address. */
bool zone_host_at(const uint8_t ip[static 16], size_t *ret_domain, unsigned *ret_host);
/* What its server shows in TLS (sim/tls_stand_in.h). */
void zone_put_certificate(struct buffer *to, size_t domain, unsigned host);

struct zone;
/* It answers names and fetch of that world. Free it after the world. */
struct zone *zone_new(struct world *world);
void zone_free(struct zone *zone);
/* Was enough said to believe that nothing is there for good: proved, or twice, minutes apart? */
bool zone_says_no(const struct zone *zone, size_t domain);
/* When it was last said, and forged, that the domain has no policy; 0: never. */
uint64_t zone_hidden_us(const struct zone *zone, size_t domain);

#endif
