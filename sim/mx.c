/* SPDX-License-Identifier: ISC */
#include "sim/mx.h"

#include "sim/letter.h"
#include "sim/room.h"
#include "sim/zone.h"

#include <string.h>

enum { DOMAINS_MOST = 16, DOWN_MOST = 2 * 3600, SECOND = 1000 * 1000, NAME_MOST = 80 };

struct mx_host {
    struct mx *mx;
    size_t domain;
    uint64_t back_us;
    char certificate[NAME_MOST];
    size_t certificate_n;
};

struct mx {
    struct server *server;
    struct mx_watch watch;
    struct mx_host hosts[DOMAINS_MOST][ZONE_HOSTS_MOST];
};

static bool chance(struct world *world, uint32_t odds)
{
    return odds > 0 && dice_chance(world_dice(world), odds);
}

static enum server_rcpt rcpt(void *at, const char *to, enum server_level level, uint64_t since_us)
{
    struct mx_host *host = at;
    const struct mx_watch *watch = &host->mx->watch;

    if (zone_domain_of(bytes_of(to)) != host->domain)
        return RCPT_NOBODY;
    watch->named(watch->ctx, to, host->domain, level, since_us);
    for (size_t i = 0; i < mailboxes_n; i++)
        if (mailboxes[i].refuses && strcmp(mailboxes[i].address, to) == 0)
            return RCPT_REFUSED;
    return RCPT_WELL;
}

/* What they take they never lose: whoever watches has it by then. */
static bool keep(void *at, const struct server_letter *letter, const char *to)
{
    struct totals *totals = world_totals(server_world(((struct mx_host *)at)->mx->server));

    totals->away++;
    totals->away_tls += letter->level != LEVEL_CLEAR;
    return true;
}

static bool may_refuse(void *at, const char *sender)
{
    return true;
}

static void put_tls(struct world *world, struct server_offers *offers)
{
    offers->starttls = true;
    if (!chance(world, world_odds(world)->tls_breaks))
        return;
    world_totals(world)->tls_breaks++;
    switch (dice_below(world_dice(world), 6)) {
    case 0: offers->starttls = false; break;
    case 1: offers->stranger = true; break;
    case 2: offers->tls = TLS_LATER; break;
    case 3: offers->tls = TLS_GARBLED; break;
    case 4: offers->tls = TLS_HANGS_UP; break;
    default: offers->tls = TLS_DEAF; break;
    }
}

static struct server_offers offers_of(struct mx_host *host)
{
    const struct zone_domain *domain = &zone_domains[host->domain];
    struct world *world = server_world(host->mx->server);
    uint64_t chance = dice_below(world_dice(world), 8);
    struct server_offers offers = {
        .name = domain->name, .pipelining = (chance & 1) != 0, .chunking = (chance & 2) != 0,
        .eight_bit = true, .dsn = (chance & 4) != 0, .require_tls = true,
        .certificate = { host->certificate, host->certificate_n } };

    if (domain->bare)
        return (struct server_offers){ .name = domain->name };
    put_tls(world, &offers);
    return offers;
}

/* False: nobody is there now. */
static bool is_up(struct mx_host *host)
{
    struct world *world = server_world(host->mx->server);
    struct dice *dice = world_dice(world);

    if (world_now_us(world) >= host->back_us && chance(world, world_odds(world)->server_down)) {
        world_totals(world)->server_down++;
        host->back_us = world_now_us(world)
                      + dice_between(dice, 1, DOWN_MOST) * (uint64_t)SECOND;
    }
    return world_now_us(world) >= host->back_us;
}

static void *accept_line(void *ctx, struct conn *conn, const struct net_address *at,
                         const struct net_client **ret_ops)
{
    static const struct server_face face = { false, rcpt, keep, may_refuse };
    struct mx *mx = ctx;
    size_t domain;
    unsigned n;

    if (at->port != 25 || !zone_host_at(at->ip, &domain, &n)) {
        world_break(server_world(mx->server), "relay dials where no mail server is");
        return NULL;
    }
    struct mx_host *host = &mx->hosts[domain][n];
    if (!is_up(host))
        return NULL;
    struct server_offers offers = offers_of(host);
    return server_accept(mx->server, &face, host, &offers, conn, ret_ops);
}

struct mx *mx_new(struct server *server, struct mx_watch watch)
{
    struct mx *mx = room_new(sizeof(*mx));

    *mx = (struct mx){ .server = server, .watch = watch };
    for (size_t domain = 0; domain < zone_domains_n; domain++)
        for (unsigned i = 0; i < zone_domains[domain].hosts; i++) {
            struct mx_host *host = &mx->hosts[domain][i];
            struct buffer text = buffer_with_most(sizeof(host->certificate));
            zone_put_certificate(&text, domain, i);
            *host = (struct mx_host){ .mx = mx, .domain = domain, .certificate_n = text.n };
            memcpy(host->certificate, text.at, text.n);
            buffer_done(&text);
        }
    net_serve(server_world(server), NET_ADDRESSES, (struct net_server){ accept_line, mx });
    return mx;
}

void mx_free(struct mx *mx) { room_free(mx); }

void mx_down(struct mx *mx, size_t domain, uint64_t until_us)
{
    for (size_t i = 0; i < ZONE_HOSTS_MOST; i++)
        mx->hosts[domain][i].back_us = until_us;
}

size_t mx_domain(const void *at)
{
    return ((const struct mx_host *)at)->domain;
}
