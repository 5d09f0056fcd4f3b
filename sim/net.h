/* SPDX-License-Identifier: ISC
 *
 * sim/net.h: connections of clients to fronts. Octets keep their order; everything else about
 * them is chance: pieces, delays, a reset at any octet.
 */
#ifndef POSTERN_SIM_NET_H
#define POSTERN_SIM_NET_H

#include "sim/world.h"

struct conn;

/* A client's side. After `closed` its connection is not to be used any more. */
struct net_client {
    void (*opened)(void *client);
    void (*bytes)(void *client, struct bytes bytes);
    /* It was refused, reset, or ended by the other side. */
    void (*closed)(void *client);
};

/* Ask for a connection to that front; one of opened and closed follows, later. */
struct conn *net_dial(struct world *world, uint32_t front, const struct net_client *ops,
                      void *client);

/* A server that roles may dial, at unix sockets or at addresses. NULL from `accept`: nobody answers
   there. What it returns is the client of that connection's `ret_ops`; `opened` is not called. */
struct net_server {
    void *(*accept)(void *ctx, struct conn *conn, const struct net_address *at,
                    const struct net_client **ret_ops);
    void *ctx;
};
enum net_place { NET_PATHS, NET_ADDRESSES };
void net_serve(struct world *world, enum net_place place, struct net_server server);

void net_send(struct conn *conn, struct bytes bytes);
/* Send no more; what comes is still read. */
void net_end(struct conn *conn);
/* Gone without a word; `closed` is not called. */
void net_reset(struct conn *conn);

#endif
