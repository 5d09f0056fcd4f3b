/* SPDX-License-Identifier: ISC
 *
 * host/address.h: the kernel's socket addresses as ours, and back.
 */
#ifndef POSTERN_HOST_ADDRESS_H
#define POSTERN_HOST_ADDRESS_H

#include "base/event.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

struct address_buffer {
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
        struct sockaddr_un local;
    } at;
    socklen_t n;
};

/* Of a connected unix socket the peer's uid is asked for; false when the kernel does not say. */
MUST_USE bool address_read(const struct address_buffer *from, int fd,
                           struct net_address *ret_address);
/* What a socket is bound to. */
MUST_USE bool address_of_socket(int fd, struct net_address *ret_address);
/* An internet address for bind; IPv4 for a mapped one. */
struct address_buffer address_write(const struct net_address *address);
/* 0.0.0.0 or ::. */
bool address_is_any(const struct net_address *address);

#endif
