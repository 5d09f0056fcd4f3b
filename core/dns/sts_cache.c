/* SPDX-License-Identifier: ISC */
#include "dns/sts_cache.h"

#include "base/arena.h"
#include "base/hash.h"
#include "dns/name.h"

#include <string.h>

enum {
    BUCKETS = 8192,
    RECORD_LEAST_MS = 60 * 1000,            /* that the answer for a record is believed */
    POLICY_LEAST_MS = 60 * 1000,            /* a shorter max_age would be a fetch for each letter */
    BUSY_MS = 30 * 1000,
    FRESH_MS = 24 * 60 * 60 * 1000,         /* then a policy is fetched anew, whatever its id */
};

struct domain {
    struct domain *next;                    /* in its bucket */
    struct domain *newer, *older;           /* by when it was last asked for */
    uint64_t record_until_ms;               /* until then the record is known */
    bool unknown;                           /* the record could not be found out */
    bool announced;                         /* by a record with this id */
    char id[STS_ID_MOST], held_id[STS_ID_MOST];
    size_t id_n, held_id_n;
    char *text;                             /* the policy that is held; NULL: none */
    size_t text_n;
    uint64_t fetched_ms, until_ms;
    uint64_t again_ms;                      /* not fetched before */
    bool busy;                              /* for no fault of theirs */
    const char *failure;
    size_t name_n;
    char name[DNS_NAME_MOST + 1];
};

struct sts_cache {
    uint8_t key[16];
    struct domain *buckets[BUCKETS];
    struct domain *newest, *oldest;
    size_t n, octets;
    struct sts_policy shown;
};

struct sts_cache *sts_cache_new(const uint8_t key[static 16])
{
    struct sts_cache *cache = mem_new(sizeof(*cache));

    if (cache != NULL)
        memcpy(cache->key, key, sizeof(cache->key));
    return cache;
}

/* ---- the table */

static struct bytes name_of(const struct domain *domain)
{
    return (struct bytes){ domain->name, domain->name_n };
}

static struct domain **place_of(struct sts_cache *cache, struct bytes name)
{
    struct domain **at = &cache->buckets[siphash(cache->key, name) % BUCKETS];

    while (*at != NULL && !bytes_equal(name_of(*at), name))
        at = &(*at)->next;
    return at;
}

static void take_out(struct sts_cache *cache, struct domain *domain)
{
    *(domain->newer != NULL ? &domain->newer->older : &cache->newest) = domain->older;
    *(domain->older != NULL ? &domain->older->newer : &cache->oldest) = domain->newer;
    domain->newer = domain->older = NULL;
}

static void put_first(struct sts_cache *cache, struct domain *domain)
{
    domain->older = cache->newest;
    if (cache->newest != NULL)
        cache->newest->newer = domain;
    else
        cache->oldest = domain;
    cache->newest = domain;
}

static void drop_policy(struct sts_cache *cache, struct domain *domain)
{
    cache->octets -= domain->text_n;
    mem_free(domain->text);
    domain->text = NULL;
    domain->text_n = 0;
}

static void forget(struct sts_cache *cache, struct domain *domain)
{
    struct domain **at = place_of(cache, name_of(domain));

    *at = domain->next;
    take_out(cache, domain);
    drop_policy(cache, domain);
    cache->n--;
    mem_free(domain);
}

/* One that may go: without a policy if there is such a one among those longest not asked for. */
static struct domain *victim(const struct sts_cache *cache, const struct domain *but)
{
    enum { LOOKS = 256 };
    struct domain *domain = cache->oldest, *any = NULL;

    for (unsigned i = 0; i < LOOKS && domain != NULL; i++, domain = domain->newer) {
        if (domain == but)
            continue;
        if (domain->text == NULL)
            return domain;
        if (any == NULL)
            any = domain;
    }
    return any;
}

static void make_room(struct sts_cache *cache, const struct domain *but)
{
    while (cache->n > STS_DOMAINS_MOST || cache->octets > STS_OCTETS_MOST) {
        struct domain *domain = victim(cache, but);
        if (domain == NULL)
            return;
        forget(cache, domain);
    }
}

static struct domain *find_or_add(struct sts_cache *cache, struct bytes name)
{
    struct domain **at = place_of(cache, name), *domain = *at;

    if (domain != NULL || name.n > DNS_NAME_MOST)
        return domain;
    domain = mem_new(sizeof(*domain));
    if (domain == NULL)
        return NULL;
    memcpy(domain->name, name.at, name.n);
    domain->name_n = name.n;
    domain->failure = "";
    *at = domain;
    put_first(cache, domain);
    cache->n++;
    make_room(cache, domain);
    return domain;
}

void sts_cache_free(struct sts_cache *cache)
{
    if (cache == NULL)
        return;
    while (cache->oldest != NULL)
        forget(cache, cache->oldest);
    mem_free(cache);
}

size_t sts_cache_count(const struct sts_cache *cache)
{
    return cache->n;
}

/* ---- what holds */

static bool is_stale(const struct domain *domain, uint64_t now_ms)
{
    return domain->text == NULL || now_ms - domain->fetched_ms >= FRESH_MS
        || domain->id_n != domain->held_id_n
        || memcmp(domain->id, domain->held_id, domain->id_n) != 0;
}

static enum sts_want want_of(const struct domain *domain, uint64_t now_ms)
{
    if (domain->record_until_ms <= now_ms)
        return STS_WANT_RECORD;
    if (domain->announced && domain->again_ms <= now_ms && is_stale(domain, now_ms))
        return STS_WANT_POLICY;
    return STS_WANT_NOTHING;
}

struct sts_view sts_cache_look(struct sts_cache *cache, uint64_t now_ms, struct bytes name)
{
    struct sts_view view = { .want = STS_WANT_RECORD, .must_wait = true, .mode = STS_NONE,
                             .text = BYTES_NONE, .failure = "" };
    struct domain *domain = *place_of(cache, name);
    struct sts_flaw flaw;

    if (domain == NULL)
        return view;
    take_out(cache, domain);
    put_first(cache, domain);
    if (domain->text != NULL && domain->until_ms <= now_ms)
        drop_policy(cache, domain);
    view.want = want_of(domain, now_ms);
    view.must_wait = domain->text == NULL
        && (view.want != STS_WANT_NOTHING
            || (domain->announced && domain->busy && domain->again_ms > now_ms));
    view.unsure = domain->text == NULL && (domain->unknown || domain->announced);
    view.failure = domain->failure;
    if (domain->text == NULL)
        return view;
    view.text = (struct bytes){ domain->text, domain->text_n };
    if (sts_policy_read(view.text, &cache->shown, &flaw)) {
        view.policy = &cache->shown;
        view.mode = cache->shown.mode;
    }
    return view;
}

/* ---- what came */

void sts_cache_record(struct sts_cache *cache, uint64_t now_ms, struct bytes name,
                      const struct dns_answer *txt)
{
    struct domain *domain = find_or_add(cache, name);
    struct buffer id = buffer_with_most(STS_ID_MOST);
    uint64_t ttl_ms = (uint64_t)txt->ttl * 1000;

    if (domain == NULL)
        return;
    domain->unknown = !dns_found(txt) && !dns_is_negative(txt);
    if (domain->unknown) {
        domain->record_until_ms = now_ms + STS_RETRY_MS;
        return;
    }
    domain->record_until_ms = now_ms + (ttl_ms < RECORD_LEAST_MS ? RECORD_LEAST_MS : ttl_ms);
    domain->announced = sts_record_read(txt, &id);
    if (domain->announced) {
        if (id.n != domain->id_n || memcmp(domain->id, id.at, id.n) != 0)
            domain->again_ms = 0;           /* something changed there: worth another try */
        memcpy(domain->id, id.at, id.n);
        domain->id_n = id.n;
    } else {
        domain->failure = "";
    }
    buffer_done(&id);
}

/* The text before stays when there is no memory for this one. */
static bool hold(struct sts_cache *cache, struct domain *domain, struct bytes text)
{
    char *kept = mem_new(text.n);

    if (kept == NULL)
        return false;
    memcpy(kept, text.at, text.n);
    drop_policy(cache, domain);
    domain->text = kept;
    domain->text_n = text.n;
    cache->octets += text.n;
    memcpy(domain->held_id, domain->id, domain->id_n);
    domain->held_id_n = domain->id_n;
    make_room(cache, domain);
    return true;
}

struct sts_flaw sts_cache_fetched(struct sts_cache *cache, uint64_t now_ms, struct bytes name,
                                  enum fetch_result result, struct bytes body)
{
    struct domain *domain = find_or_add(cache, name);
    struct sts_flaw flaw = { 0, NULL };

    if (domain == NULL)
        return flaw;
    domain->busy = result == FETCH_NOT_NOW;
    if (result != FETCH_WELL) {
        domain->failure = fetch_result_tlsrpt(result);
        domain->again_ms = now_ms + (result == FETCH_NOT_NOW ? BUSY_MS : STS_RETRY_MS);
        return flaw;
    }
    if (!sts_policy_read(body, &cache->shown, &flaw)) {
        domain->failure = "sts-policy-invalid";
        domain->again_ms = now_ms + STS_RETRY_MS;
        return flaw;
    }
    uint64_t age_ms = (uint64_t)cache->shown.max_age * 1000;
    domain->failure = "";
    domain->again_ms = now_ms + BUSY_MS;
    if (hold(cache, domain, body)) {
        domain->fetched_ms = now_ms;
        domain->until_ms = now_ms + (age_ms < POLICY_LEAST_MS ? POLICY_LEAST_MS : age_ms);
    }
    return (struct sts_flaw){ 0, NULL };
}

/* ---- kept elsewhere, and brought back */

bool sts_cache_next(const struct sts_cache *cache, uint64_t now_ms, const void **cursor,
                    struct sts_kept *ret_kept)
{
    const struct domain *last = *cursor, *domain = last == NULL ? cache->newest : last->older;

    while (domain != NULL && (domain->text == NULL || domain->until_ms <= now_ms))
        domain = domain->older;
    if (domain == NULL)
        return false;
    *cursor = domain;
    *ret_kept = (struct sts_kept){ .domain = name_of(domain),
                                   .id = { domain->held_id, domain->held_id_n },
                                   .text = { domain->text, domain->text_n },
                                   .left_ms = domain->until_ms - now_ms };
    return true;
}

void sts_cache_restore(struct sts_cache *cache, uint64_t now_ms, const struct sts_kept *kept)
{
    struct sts_flaw flaw;

    if (!dns_name_is_plain(kept->domain) || kept->id.n > STS_ID_MOST
        || !sts_policy_read(kept->text, &cache->shown, &flaw))
        return;
    uint64_t most_ms = (uint64_t)cache->shown.max_age * 1000;
    struct domain *domain = find_or_add(cache, kept->domain);
    if (domain == NULL || domain->text != NULL || !hold(cache, domain, kept->text))
        return;
    memcpy(domain->held_id, kept->id.at, kept->id.n);
    domain->held_id_n = kept->id.n;
    domain->fetched_ms = now_ms;
    domain->until_ms = now_ms + (kept->left_ms < most_ms ? kept->left_ms : most_ms);
}

void sts_url_put(struct buffer *to, struct bytes domain)
{
    buffer_put(to, BYTES("https://mta-sts."));
    buffer_put(to, domain);
    buffer_put(to, BYTES("/.well-known/mta-sts.txt"));
}
