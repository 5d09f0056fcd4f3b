/* SPDX-License-Identifier: ISC */
#include "plan/limit.h"

#include "base/arena.h"
#include "base/hash.h"
#include "base/ip.h"
#include "plan/net.h"

#include <string.h>

enum { WAYS = 8, MINUTE_MS = 60 * 1000, HOUR_MS = 60 * MINUTE_MS };

/* Of an address or a network. `new_us` and `bad_us` are when all that came will be forgiven: each
   new one puts it off by a limit's part of the minute (the hour), and it may not lie further away
   than all of it (the generic cell rate algorithm, ITU-T I.371). */
struct place {
    uint64_t hash;              /* 0: free */
    uint64_t seen_ms;
    uint64_t new_us, bad_us;
    uint64_t open;
};

struct limits {
    struct limit_rules rules;
    uint8_t key[16];
    size_t sets;
    struct place *places;       /* sets * WAYS */
};

struct limits *limits_new(const struct limit_rules *rules, const uint8_t key[static 16],
                          size_t places)
{
    struct limits *limits = mem_new(sizeof(*limits));

    if (limits == NULL)
        return NULL;
    limits->rules = *rules;
    memcpy(limits->key, key, sizeof(limits->key));
    limits->sets = places < WAYS ? 1 : places / WAYS;
    limits->places = mem_new(limits->sets * WAYS * sizeof(*limits->places));
    if (limits->places == NULL) {
        mem_free(limits);
        return NULL;
    }
    return limits;
}

void limits_set(struct limits *limits, const struct limit_rules *rules)
{
    limits->rules = *rules;
}

void limits_free(struct limits *limits)
{
    if (limits == NULL)
        return;
    mem_free(limits->places);
    mem_free(limits);
}

static uint64_t hash_of(const struct limits *limits, const uint8_t ip[static 16], bool network)
{
    bool v4 = ip_is_v4(ip);
    unsigned bits = v4 ? (network ? 120 : 128) : (network ? 48 : 64);
    char text[17];

    memcpy(text + 1, ip, 16);
    net_mask((uint8_t *)text + 1, bits);
    text[0] = network ? 'n' : 'a';
    uint64_t hash = siphash(limits->key, (struct bytes){ text, sizeof(text) });
    return hash == 0 ? 1 : hash;
}

/* Its place; when it has none yet and `make` is set, a new one. NULL: none. */
static struct place *place_of(struct limits *limits, uint64_t hash, bool make, uint64_t mono_ms)
{
    struct place *set = limits->places + hash % limits->sets * WAYS, *into = NULL;

    for (size_t i = 0; i < WAYS; i++) {
        if (set[i].hash == hash) {
            set[i].seen_ms = mono_ms;
            return &set[i];
        }
        if (set[i].open == 0 && (into == NULL || set[i].seen_ms < into->seen_ms))
            into = &set[i];
    }
    if (!make || into == NULL)
        return NULL;
    *into = (struct place){ .hash = hash, .seen_ms = mono_ms };
    return into;
}

/* Is there room for one more? `of_ms` is what the limit counts in. */
static bool may_spend(uint64_t until_us, uint64_t limit, uint64_t of_ms, uint64_t mono_ms)
{
    uint64_t now = mono_ms * 1000;

    return limit == 0 || until_us <= now
        || until_us - now + of_ms * 1000 / limit <= of_ms * 1000;
}

static void spend(uint64_t *until_us, uint64_t limit, uint64_t of_ms, uint64_t mono_ms)
{
    uint64_t now = mono_ms * 1000;

    if (limit > 0)
        *until_us = (*until_us > now ? *until_us : now) + of_ms * 1000 / limit;
}

static bool is_full(const struct place *place, uint64_t limit)
{
    return limit > 0 && place != NULL && place->open >= limit;
}

enum limit_verdict limits_enter(struct limits *limits, const uint8_t ip[static 16],
                                uint64_t mono_ms)
{
    const struct limit_rules *rules = &limits->rules;
    struct place *address = place_of(limits, hash_of(limits, ip, false), true, mono_ms);

    if (is_full(address, rules->address_open))
        return LIMIT_ADDRESS_OPEN;
    if (address != NULL && !may_spend(address->bad_us, rules->address_bad, HOUR_MS, mono_ms))
        return LIMIT_ADDRESS_BAD;
    if (address != NULL && !may_spend(address->new_us, rules->address_new, MINUTE_MS, mono_ms))
        return LIMIT_ADDRESS_NEW;
    if (address != NULL)
        address->open++;        /* before the other is sought: that might take its place */
    struct place *network = place_of(limits, hash_of(limits, ip, true), true, mono_ms);
    if (is_full(network, rules->network_open)) {
        if (address != NULL)
            address->open--;
        return LIMIT_NETWORK_OPEN;
    }
    if (network != NULL)
        network->open++;
    if (address != NULL)
        spend(&address->new_us, rules->address_new, MINUTE_MS, mono_ms);
    return LIMIT_WITHIN;
}

void limits_leave(struct limits *limits, const uint8_t ip[static 16], uint64_t mono_ms)
{
    for (int network = 0; network < 2; network++) {
        struct place *place = place_of(limits, hash_of(limits, ip, network != 0), false, mono_ms);
        if (place != NULL && place->open > 0)   /* none: it came while all places were taken */
            place->open--;
    }
}

bool limits_bad_recipient(struct limits *limits, const uint8_t ip[static 16], uint64_t mono_ms)
{
    uint64_t limit = limits->rules.address_bad;
    struct place *place = place_of(limits, hash_of(limits, ip, false), true, mono_ms);

    if (place == NULL)
        return true;
    bool within = may_spend(place->bad_us, limit, HOUR_MS, mono_ms);
    if (within)
        spend(&place->bad_us, limit, HOUR_MS, mono_ms);
    return within;
}

static uint64_t root_of(uint64_t number)
{
    uint64_t root = 0;

    while ((root + 1) * (root + 1) <= number)
        root++;
    return root;
}

uint64_t limit_share(uint64_t limit, uint64_t fronts)
{
    if (fronts <= 1)
        return limit;
    uint64_t even = limit / fronts + (limit % fronts > 0);
    uint64_t share = even + 2 * root_of(even);
    return share < limit ? share : limit;
}
