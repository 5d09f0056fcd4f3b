/* SPDX-License-Identifier: ISC
 *
 * dns/guard.h: addresses that a name out there may not lead us to.
 *
 * Stands on base. Who controls a zone could otherwise make us speak to services behind our own
 * walls, or to ourselves (RFC 6890, the special-purpose registries).
 */
#ifndef POSTERN_DNS_GUARD_H
#define POSTERN_DNS_GUARD_H

#include "base/bytes.h"

enum guard_verdict {
    GUARD_OPEN,         /* an address of the open network */
    GUARD_OURSELVES,    /* loopback, or "this host" */
    GUARD_PRIVATE,      /* private, shared, link-local, unique-local */
    GUARD_NOBODY,       /* multicast, broadcast, documentation, reserved */
};

/* An address as in net_address. IPv4 inside IPv6 (mapped, NAT64, 6to4) counts as the IPv4 one. */
enum guard_verdict guard_look(const uint8_t ip[static 16]);
/* "an address of this very machine" and so on, for reports. */
const char *guard_words(enum guard_verdict verdict);

#endif
