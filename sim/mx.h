/* SPDX-License-Identifier: ISC
 *
 * sim/mx.h: the mail servers of the domains of sim/zone.h, each host for itself: down for hours, or
 * silent, or with TLS that breaks, or with somebody in between.
 */
#ifndef POSTERN_SIM_MX_H
#define POSTERN_SIM_MX_H

#include "sim/server.h"

struct mx;

struct mx_watch {
    void *ctx;
    /* That address was named to a host of the domain. */
    void (*named)(void *ctx, const char *to, size_t domain, enum server_level level,
                  uint64_t since_us);
};

/* Their dialogue is that server's, which outlives it. Free it after the world. */
struct mx *mx_new(struct server *server, struct mx_watch watch);
void mx_free(struct mx *mx);
/* All hosts of that domain are down until then. */
void mx_down(struct mx *mx, size_t domain, uint64_t until_us);
/* `at` of struct server_watch: which domain. */
size_t mx_domain(const void *at);

#endif
