/* SPDX-License-Identifier: ISC */
#include "sim/zone.h"

#include "dns/answer.h"
#include "dns/fetch.h"
#include "sim/room.h"

#include <string.h>

const struct zone_domain zone_domains[] = {
    { "plain.example", ZONE_HOSTS, .hosts = 2 },
    { "dane.example", ZONE_HOSTS, .hosts = 2, .is_signed = true, .dane = true },
    { "sts.example", ZONE_HOSTS, .hosts = 2, .sts = true },
    { "bare.example", ZONE_IMPLICIT, .hosts = 1, .bare = true },
    { "null.example", ZONE_NULL_MX, .hosts = 0, .is_signed = true },
    { "gone.example", ZONE_NOBODY, .hosts = 0, .is_signed = true },
    { "lost.example", ZONE_NOBODY, .hosts = 0 },
    { "client.example", ZONE_HOSTS, .hosts = 1 },
};
const size_t zone_domains_n = COUNT(zone_domains);

enum {
    TTL = 120,
    CONFIRM_US = 150 * 1000 * 1000,     /* three minutes, less what an answer is on its way */
    NAME_MOST = 300, POLICY_MOST = 512,
};

struct zone_news {
    uint64_t no_us;             /* when nobody could prove it and it was said first; 0: never */
    bool says_no;
    uint64_t hidden_us;         /* its policy was said not to be there */
};

struct zone {
    struct world *world;
    struct zone_news news[COUNT(zone_domains)];
};

/* ---- who is who */

static bool is_in(struct bytes name, struct bytes domain)
{
    return bytes_equal_nocase(name, domain)
        || (name.n > domain.n && bytes_ends(name, domain)
            && strchr(".@", name.at[name.n - domain.n - 1]) != NULL);
}

size_t zone_domain_of(struct bytes name)
{
    size_t i = 0;

    while (i < zone_domains_n && !is_in(name, bytes_of(zone_domains[i].name)))
        i++;
    return i;
}

static void put_host(struct buffer *to, size_t domain, unsigned host)
{
    if (zone_domains[domain].kind == ZONE_HOSTS) {
        buffer_put_text(to, "mx");
        buffer_put_uint(to, host + 1);
        buffer_put_char(to, '.');
    }
    buffer_put_text(to, zone_domains[domain].name);
}

static void put_key(struct buffer *to, size_t domain, unsigned host)
{
    buffer_put_text(to, "key-");
    buffer_put_uint(to, domain);
    buffer_put_char(to, '-');
    buffer_put_uint(to, host);
}

void zone_put_certificate(struct buffer *to, size_t domain, unsigned host)
{
    buffer_put_char(to, zone_domains[domain].sts ? '+' : '-');
    put_host(to, domain, host);
    buffer_put_char(to, ' ');
    put_key(to, domain, host);
}

/* 45.1.DOMAIN.HOST, and 2a01::DOMAIN:HOST; the last host of several has no IPv6. */
static const uint8_t v4[12] = { [10] = 0xff, [11] = 0xff };
static const uint8_t v6[12] = { 0x2a, 0x01 };

bool zone_host_at(const uint8_t ip[static 16], size_t *ret_domain, unsigned *ret_host)
{
    bool four = memcmp(ip, v4, sizeof(v4)) == 0 && ip[12] == 45 && ip[13] == 1;
    bool six = memcmp(ip, v6, sizeof(v6)) == 0 && ip[12] == 0 && ip[13] == 0;

    if ((!four && !six) || ip[14] >= zone_domains_n || ip[15] >= zone_domains[ip[14]].hosts)
        return false;
    *ret_domain = ip[14];
    *ret_host = ip[15];
    return true;
}

/* ---- answers */

static bool chance(struct zone *zone, uint32_t odds)
{
    return odds > 0 && dice_chance(world_dice(zone->world), odds);
}

static void put_name(struct buffer *to, struct bytes text)
{
    struct bytes label;

    while (bytes_cut(&text, '.', &label)) {
        buffer_put_char(to, (char)label.n);
        buffer_put(to, label);
    }
    buffer_put_char(to, '\0');
}

static void put_hosts(struct buffer *records, size_t domain)
{
    for (unsigned i = 0; i < zone_domains[domain].hosts; i++) {
        struct buffer data = buffer_with_most(NAME_MOST), name = buffer_with_most(NAME_MOST);
        put_host(&name, domain, i);
        buffer_put_char(&data, '\0');
        buffer_put_char(&data, (char)(10 * (i / 2)));
        put_name(&data, buffer_bytes(&name));
        buffer_put_block(records, buffer_bytes(&data));
        buffer_done(&data);
        buffer_done(&name);
    }
}

static void put_address(struct buffer *records, uint16_t type, size_t domain, unsigned host)
{
    uint8_t four[4] = { 45, 1, (uint8_t)domain, (uint8_t)host };
    uint8_t six[16] = { 0x2a, 0x01, [14] = (uint8_t)domain, [15] = (uint8_t)host };

    if (type == DNS_A)
        buffer_put_block(records, (struct bytes){ (const char *)four, sizeof(four) });
    else if (host == 0)
        buffer_put_block(records, (struct bytes){ (const char *)six, sizeof(six) });
}

static void put_tlsa(struct buffer *records, size_t domain, unsigned host)
{
    struct buffer data = buffer_with_most(NAME_MOST);

    buffer_put(&data, BYTES("\3\1\1"));
    put_key(&data, domain, host);
    buffer_put_block(records, buffer_bytes(&data));
    buffer_done(&data);
}

/* Which host of the domain has that name? hosts: none. */
static unsigned host_named(size_t domain, struct bytes name)
{
    unsigned i = 0;

    for (; i < zone_domains[domain].hosts; i++) {
        struct buffer host = buffer_with_most(NAME_MOST);
        put_host(&host, domain, i);
        bool it = bytes_equal(buffer_bytes(&host), name);
        buffer_done(&host);
        if (it)
            break;
    }
    return i;
}

static void put_records(struct buffer *records, size_t domain, uint16_t type, struct bytes name)
{
    const struct zone_domain *at = &zone_domains[domain];
    const struct bytes port = BYTES("_25._tcp."), policy = BYTES("_mta-sts.");
    bool is_web = bytes_begins(name, BYTES("mta-sts."));
    unsigned host = host_named(domain, name);

    if (type == DNS_MX && bytes_equal(name, bytes_of(at->name)) && at->kind == ZONE_NULL_MX)
        buffer_put_block(records, BYTES("\0\0\0"));
    else if (type == DNS_MX && bytes_equal(name, bytes_of(at->name)) && at->kind == ZONE_HOSTS)
        put_hosts(records, domain);
    else if (type == DNS_TXT && at->sts && bytes_begins(name, policy))
        buffer_put_block(records, BYTES("\x10v=STSv1; id=one;"));
    else if (type == DNS_A && at->sts && is_web)
        put_address(records, type, domain, 200);
    else if ((type == DNS_A || type == DNS_AAAA) && host < at->hosts)
        put_address(records, type, domain, host);
    else if (type == DNS_TLSA && at->dane && bytes_begins(name, port)
             && (host = host_named(domain, bytes_skip(name, port.n))) < at->hosts)
        put_tlsa(records, domain, host);
}

/* Somebody forges a "no", where nobody could tell. */
static bool is_forged(struct zone *zone, size_t domain)
{
    return !zone_domains[domain].is_signed
        && chance(zone, world_odds(zone->world)->names_forged);
}

static void says_no(struct zone *zone, size_t domain)
{
    struct zone_news *news = &zone->news[domain];
    uint64_t now_us = world_now_us(zone->world);

    if (news->no_us == 0)
        news->no_us = now_us;
    news->says_no = news->says_no || zone_domains[domain].is_signed
        || now_us - news->no_us >= CONFIRM_US;
}

static void tell(struct zone *zone, size_t domain, uint16_t type, struct bytes name,
                 struct buffer *to)
{
    bool is_signed = zone_domains[domain].is_signed, forged = is_forged(zone, domain);
    struct buffer records = buffer_with_most(DNS_ANSWER_MOST);
    struct dns_answer answer = { .proved = is_signed, .ttl = TTL, .canonical = BYTES_NONE };

    world_totals(zone->world)->names_forged += forged;
    if (forged && type == DNS_TXT)
        zone->news[domain].hidden_us = world_now_us(zone->world);
    if (!forged)
        put_records(&records, domain, type, name);
    answer.records = buffer_bytes(&records);
    answer.verdict = is_signed ? DNS_SECURE : DNS_INSECURE;
    if (records.n > 0) {
        answer.proved = false;
    } else {
        bool gone = forged || zone_domains[domain].kind == ZONE_NOBODY;
        answer.verdict = gone ? DNS_NXDOMAIN : DNS_NODATA;
    }
    if (type != DNS_TXT && type != DNS_TLSA
        && (records.n == 0 || zone_domains[domain].kind == ZONE_NULL_MX))
        says_no(zone, domain);
    dns_answer_put(to, &answer);
    buffer_done(&records);
}

/* False: no answer ever comes. */
static bool resolve(void *ctx, uint16_t type, struct bytes name, struct buffer *ret_answer)
{
    struct zone *zone = ctx;
    const struct odds *odds = world_odds(zone->world);
    struct totals *totals = world_totals(zone->world);
    size_t domain = zone_domain_of(name);
    struct dns_answer nothing = { .verdict = DNS_FAILED, .canonical = BYTES_NONE,
                                  .records = BYTES_NONE };

    totals->questions++;
    if (chance(zone, odds->names_silent)) {
        totals->names_silent++;
        return false;
    }
    if (chance(zone, odds->names_fail)) {
        totals->names_fail++;
    } else if (domain < zone_domains_n && zone_domains[domain].is_signed
               && chance(zone, odds->names_bogus)) {
        totals->names_bogus++;
        nothing.verdict = DNS_BOGUS;
    } else if (domain < zone_domains_n) {
        tell(zone, domain, type, name, ret_answer);
        return true;
    }
    dns_answer_put(ret_answer, &nothing);
    return true;
}

/* ---- policies */

static void put_policy(struct buffer *to, size_t domain)
{
    buffer_put_text(to, "version: STSv1\nmode: enforce\n");
    for (unsigned i = 0; i < zone_domains[domain].hosts; i++) {
        buffer_put_text(to, "mx: ");
        put_host(to, domain, i);
        buffer_put_char(to, '\n');
    }
    buffer_put_text(to, "max_age: 604800\n");
}

static bool fetch(void *ctx, struct bytes url, uint64_t *ret_number, struct buffer *ret_body)
{
    struct zone *zone = ctx;
    const struct bytes start = BYTES("https://mta-sts.");
    struct bytes host = bytes_upto(bytes_skip(url, start.n), '/');
    size_t domain = bytes_begins(url, start) ? zone_domain_of(host) : zone_domains_n;
    enum fetch_result result = FETCH_WELL;

    if (domain == zone_domains_n || !zone_domains[domain].sts) {
        result = FETCH_UNREACHED;
    } else if (chance(zone, world_odds(zone->world)->fetch_fails)) {
        world_totals(zone->world)->fetch_fails++;
        result = (enum fetch_result)dice_between(world_dice(zone->world), FETCH_STATUS,
                                                 FETCH_RESULTS);
        if (result == FETCH_RESULTS)
            return false;
    } else {
        put_policy(ret_body, domain);
    }
    *ret_number = (uint64_t)result | (uint64_t)(result == FETCH_WELL ? 200 : 404) << 8;
    return true;
}

/* ---- */

struct zone *zone_new(struct world *world)
{
    struct zone *zone = room_new(sizeof(*zone));

    *zone = (struct zone){ .world = world };
    world_outside(world, (struct world_outside){ zone, resolve, fetch });
    return zone;
}

void zone_free(struct zone *zone) { room_free(zone); }

bool zone_says_no(const struct zone *zone, size_t domain)
{
    return zone->news[domain].says_no;
}

uint64_t zone_hidden_us(const struct zone *zone, size_t domain)
{
    return zone->news[domain].hidden_us;
}
