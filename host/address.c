/* SPDX-License-Identifier: ISC */
#include "host/address.h"

#include "base/ip.h"

#include <arpa/inet.h>
#include <string.h>
#include <unistd.h>

static void read_v4(const struct sockaddr_in *from, struct net_address *address)
{
    address->ip[10] = address->ip[11] = 0xFF;
    memcpy(address->ip + 12, &from->sin_addr, 4);
    address->port = ntohs(from->sin_port);
}

static bool read_peer(int fd, struct net_address *address)
{
    struct ucred peer;
    socklen_t n = sizeof(peer);

    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &n) < 0)
        return false;
    address->unix_peer = true;
    address->uid = peer.uid;
    return true;
}

bool address_read(const struct address_buffer *from, int fd, struct net_address *ret_address)
{
    struct net_address address = { 0 };

    if (from->at.any.sa_family == AF_INET) {
        read_v4(&from->at.v4, &address);
    } else if (from->at.any.sa_family == AF_INET6) {
        memcpy(address.ip, &from->at.v6.sin6_addr, 16);
        address.port = ntohs(from->at.v6.sin6_port);
    } else if (!read_peer(fd, &address)) {
        return false;
    }
    *ret_address = address;
    return true;
}

bool address_of_socket(int fd, struct net_address *ret_address)
{
    struct address_buffer own = { .n = sizeof(own.at) };

    if (getsockname(fd, &own.at.any, &own.n) < 0)
        return false;
    if (own.at.any.sa_family == AF_UNIX) {
        *ret_address = (struct net_address){ .unix_peer = true, .uid = geteuid() };
        return true;
    }
    return address_read(&own, fd, ret_address);
}

struct address_buffer address_write(const struct net_address *address)
{
    struct address_buffer to = { 0 };

    if (ip_is_v4(address->ip)) {
        to.n = sizeof(to.at.v4);
        to.at.v4.sin_family = AF_INET;
        to.at.v4.sin_port = htons(address->port);
        memcpy(&to.at.v4.sin_addr, address->ip + 12, 4);
    } else {
        to.n = sizeof(to.at.v6);
        to.at.v6.sin6_family = AF_INET6;
        to.at.v6.sin6_port = htons(address->port);
        memcpy(&to.at.v6.sin6_addr, address->ip, 16);
    }
    return to;
}

bool address_is_any(const struct net_address *address)
{
    size_t from = ip_is_v4(address->ip) ? 12 : 0;

    for (size_t i = from; i < 16; i++)
        if (address->ip[i] != 0)
            return false;
    return !address->unix_peer;
}
