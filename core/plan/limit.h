/* SPDX-License-Identifier: ISC
 *
 * plan/limit.h: how much one address, and one network, may ask of us: connections open, new ones a
 * minute, recipients that do not exist an hour.
 *
 * An address is an IPv4 address or an IPv6 /64 (which is what one customer is given); a network is
 * a /24 or a /48. The table is of one size for ever. Where it is full the place that was unused
 * longest is taken; a place with an open connection is never taken, and when all are such a
 * newcomer goes uncounted: the limits may be too lax then, never too strict. The hash is keyed, so
 * that nobody can choose addresses that crowd each other out.
 *
 * Several fronts share the limits without a word between them: the kernel spreads the connections
 * of each address evenly by a hash of the ports, so each front grants a share (limit_share). All
 * together grant at most  limit + 2 * sqrt(limit * fronts) + fronts  connections; a client with as
 * many as the limit is refused some of them in about one of twenty cases, one with two thirds of
 * the limit practically never.
 */
#ifndef POSTERN_PLAN_LIMIT_H
#define POSTERN_PLAN_LIMIT_H

#include "base/bytes.h"

/* 0: no bound. */
struct limit_rules {
    uint64_t address_open, network_open;
    uint64_t address_new;           /* a minute; as many may come at once */
    uint64_t address_bad;           /* recipients an hour; as many may come at once */
};

enum limit_verdict {
    LIMIT_WITHIN,
    LIMIT_ADDRESS_OPEN,
    LIMIT_NETWORK_OPEN,
    LIMIT_ADDRESS_NEW,
    LIMIT_ADDRESS_BAD,
    LIMIT_VERDICTS
};

struct limits;

/* `places` bounds the memory: about 40 octets each. NULL: no memory. The caller frees. */
MUST_USE struct limits *limits_new(const struct limit_rules *rules, const uint8_t key[static 16],
                                   size_t places);
/* Other rules from now on; who is counted stays so. */
void limits_set(struct limits *limits, const struct limit_rules *rules);
void limits_free(struct limits *limits);

/* A connection from there. LIMIT_WITHIN: it is counted until limits_leave; else it is refused and
   not counted. */
MUST_USE enum limit_verdict limits_enter(struct limits *limits, const uint8_t ip[static 16],
                                         uint64_t mono_ms);
void limits_leave(struct limits *limits, const uint8_t ip[static 16], uint64_t mono_ms);

/* It named a recipient that does not exist. False: once too often. */
MUST_USE bool limits_bad_recipient(struct limits *limits, const uint8_t ip[static 16],
                                   uint64_t mono_ms);

/* What one of so many fronts grants of a limit; 0 stays 0. */
uint64_t limit_share(uint64_t limit, uint64_t fronts);

#endif
