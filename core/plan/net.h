/* SPDX-License-Identifier: ISC
 *
 * plan/net.h: networks of addresses, as the configuration names them: 192.0.2.0/24, 2001:db8::/32,
 * 127.0.0.1.
 */
#ifndef POSTERN_PLAN_NET_H
#define POSTERN_PLAN_NET_H

#include "base/arena.h"
#include "plan/conf.h"

struct net {
    uint8_t ip[16];         /* IPv4 mapped, as in net_address; no bit set behind `bits` */
    uint8_t bits;           /* of all 128: an IPv4 network of /24 has 120 */
};

struct nets {
    const struct net *list;
    size_t n;
};

/* IPV4 [ "/" 0-32 ] or IPV6 [ "/" 0-128 ], all of the text. Bits that are set behind the prefix are
   refused: who writes 10.0.0.1/8 meant something else. */
MUST_USE bool net_parse(struct bytes text, struct net *ret_net);
bool net_holds(const struct net *net, const uint8_t ip[static 16]);
/* Set to zero all but the first `bits`. */
void net_mask(uint8_t ip[static 16], unsigned bits);

/* The networks of a setting; what does not parse (the reader of the configuration refused it) is
   left out. False: no memory in the arena. */
MUST_USE bool nets_take(struct conf_texts texts, struct arena *arena, struct nets *ret_nets);
bool nets_hold(const struct nets *nets, const uint8_t ip[static 16]);

#endif
