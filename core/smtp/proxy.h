/* SPDX-License-Identifier: ISC
 *
 * smtp/proxy.h: the header by which a load balancer names its client, PROXY protocol version 2
 * (haproxy's proxy-protocol.txt, 2.2), before the first octet of SMTP or TLS. Version 1 is text
 * and is not read.
 *
 *   header = signature version-command family length ( addresses *tlv )
 *   version-command: %x20 LOCAL (the balancer itself), %x21 PROXY
 *   family: %x00 unknown, %x11 TCP over IPv4, %x21 TCP over IPv6;  length, ports: big-endian
 */
#ifndef POSTERN_SMTP_PROXY_H
#define POSTERN_SMTP_PROXY_H

#include "base/event.h"

enum proxy_taken {
    PROXY_MORE,             /* well so far, and not whole yet */
    PROXY_CLIENT,           /* whole: it is spoken for another */
    PROXY_OWN,              /* whole: the balancer speaks for itself, or does not say for whom */
    PROXY_BAD,              /* this is none, or not well formed, or longer than PROXY_MOST */
};

enum { PROXY_MOST = 2048 };     /* the fixed 16 octets, addresses, and what follows them */

/* All octets that have come so far. PROXY_CLIENT and PROXY_OWN: *ret_used of them are the header;
   PROXY_CLIENT: *ret_client is whom it names. Else both are untouched. */
MUST_USE enum proxy_taken proxy_take(struct bytes in, size_t *ret_used,
                                     struct net_address *ret_client);

#endif
