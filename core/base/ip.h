/* SPDX-License-Identifier: ISC
 *
 * base/ip.h: internet addresses as text (RFC 4291, 2.2; RFC 5952) and as the 16 octets of
 * net_address.
 */
#ifndef POSTERN_BASE_IP_H
#define POSTERN_BASE_IP_H

#include "base/buffer.h"
#include "base/event.h"

/* Four decimal numbers 0..255 without leading zeros, all of the text; as an IPv4-mapped address. */
MUST_USE bool ip_parse_v4(struct bytes text, uint8_t ret_ip[static 16]);
/* RFC 4291, 2.2, all three forms, without a zone; all of the text. */
MUST_USE bool ip_parse_v6(struct bytes text, uint8_t ret_ip[static 16]);
bool ip_is_v4(const uint8_t ip[static 16]);
/* 192.0.2.1 or 2001:db8::1, as RFC 5952 has it. */
void ip_put(struct buffer *to, const uint8_t ip[static 16]);
/* With the port: 192.0.2.1:25 or [2001:db8::1]:25; a unix socket's peer as uid:1000. */
void net_address_put(struct buffer *to, const struct net_address *address);

#endif
