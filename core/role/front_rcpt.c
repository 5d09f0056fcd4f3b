/* SPDX-License-Identifier: ISC
 *
 * role/front_rcpt.c: may this recipient? Only our domains; of those, only mailboxes that are there.
 * Other domains only for those who may relay (relay-from).
 *
 * Whether there is one, local knows; the store passes the question on. Answers are remembered for
 * a short while under a keyed hash of the address, so that nobody can choose two that collide, and
 * sessions that ask the same at the same time share one question.
 */
#include "role/front_int.h"

#include "base/hash.h"
#include "mail/domain.h"

#include <assert.h>

/* ---- our domains */

static size_t domain_place(const struct front *front, struct bytes domain)
{
    const struct recipients *recipients = &front->recipients;
    size_t at = siphash(front->key, domain) & (recipients->domains_room - 1);

    while (recipients->domains[at].at != NULL && !bytes_equal(recipients->domains[at], domain))
        at = (at + 1) & (recipients->domains_room - 1);
    return at;
}

static bool add_domain(struct front *front, struct bytes domain)
{
    struct buffer *normal = &front->address;

    buffer_clear(normal);
    domain_put_normal(domain, normal);
    struct bytes kept = arena_copy(&front->recipients.memory, buffer_bytes(normal));
    if (normal->bad || kept.at == NULL)
        return false;
    front->recipients.domains[domain_place(front, kept)] = kept;
    return true;
}

bool recipients_make(struct front *front)
{
    struct recipients *recipients = &front->recipients;
    size_t room = 8, n = front->conf->domains.n;
    struct route_flaw flaw;

    while (room < 2 * n)
        room *= 2;
    arena_done(&recipients->memory);
    mem_free(recipients->domains);
    recipients->domains = NULL;
    routes_free(front->routes);
    front->routes = routes_new(front->conf, &flaw);
    if (front->routes == NULL)
        return false;
    recipients->memory = arena_with_ceiling(room * LIMIT_DOMAIN * 2);
    recipients->domains = mem_new(room * sizeof(*recipients->domains));
    recipients->domains_room = room;
    for (size_t i = 0; i < n && recipients->domains != NULL; i++)
        if (!add_domain(front, front->conf->domains.list[i]))
            return false;
    return recipients->domains != NULL;
}

void recipients_done(struct front *front)
{
    routes_free(front->routes);
    arena_done(&front->recipients.memory);
    mem_free(front->recipients.domains);
    mem_free(front->recipients.cache);
    mem_free(front->recipients.asks);
}

/* The address in normal form, in front->address; false when its domain is not ours. "postmaster"
   without a domain (RFC 5321, 4.5.1) is that of the first domain. A literal is ours only when it is
   the very name this host goes by. */
static bool is_ours(struct front *front, struct address address)
{
    struct buffer *normal = &front->address;

    buffer_clear(normal);
    if (address.domain.n == 0 && front->conf->domains.n == 0)
        return false;
    if (address.domain.n == 0) {
        buffer_put(normal, BYTES("postmaster@"));
        domain_put_normal(front->conf->domains.list[0], normal);
        return true;
    }
    address_put_normal(normal, address);
    if (address.literal)
        return bytes_equal_nocase(address.domain, front->conf->host);
    struct bytes whole = buffer_bytes(normal);
    struct bytes domain = bytes_skip(whole, bytes_find_last(whole, '@') + 1);
    return front->recipients.domains[domain_place(front, domain)].at != NULL;
}

/* ---- answers remembered */

static struct answer *cache_set(struct front *front, uint64_t hash)
{
    struct recipients *recipients = &front->recipients;

    if (recipients->cache == NULL)
        recipients->cache = mem_new(LIMIT_MAILBOX_CACHE * sizeof(*recipients->cache));
    return recipients->cache == NULL ? NULL
         : recipients->cache + (hash >> 32) % CACHE_SETS * CACHE_WAYS;
}

static const struct answer *cache_find(struct front *front, uint64_t hash)
{
    const struct answer *set = cache_set(front, hash);

    for (size_t i = 0; set != NULL && i < CACHE_WAYS; i++)
        if (set[i].hash == hash && set[i].until_ms > front->now.mono_ms)
            return &set[i];
    return NULL;
}

/* In place of an older answer to the same, or of the one that ends first. */
static void cache_put(struct front *front, uint64_t hash, bool yes)
{
    struct answer *set = cache_set(front, hash), *into = set;

    for (size_t i = 0; set != NULL && i < CACHE_WAYS; i++) {
        if (set[i].hash == hash) {
            into = &set[i];
            break;
        }
        if (set[i].until_ms < into->until_ms)
            into = &set[i];
    }
    if (into != NULL)
        *into = (struct answer){ hash, front->now.mono_ms
                                 + (yes ? FRONT_CACHE_YES_MS : FRONT_CACHE_NO_MS), yes };
}

/* ---- questions under way */

static struct ask *ask_find(struct recipients *recipients, uint64_t hash)
{
    uint32_t at = recipients->buckets[hash % ASK_BUCKETS];

    while (at != 0 && recipients->asks[at - 1].hash != hash)
        at = recipients->asks[at - 1].next;
    return at == 0 ? NULL : &recipients->asks[at - 1];
}

static struct ask *ask_new(struct recipients *recipients, uint64_t hash)
{
    uint32_t at = recipients->spare;

    if (at == 0 && recipients->asks_n == recipients->asks_room) {
        uint32_t room = recipients->asks_room == 0 ? 16 : recipients->asks_room * 2;
        struct ask *asks = mem_resize(recipients->asks, room * sizeof(*asks));
        if (asks == NULL)
            return NULL;
        recipients->asks = asks;
        recipients->asks_room = room;
    }
    if (at != 0)
        recipients->spare = recipients->asks[at - 1].next;
    else
        at = ++recipients->asks_n;
    uint32_t *bucket = &recipients->buckets[hash % ASK_BUCKETS];
    recipients->asks[at - 1] = (struct ask){ .used = true, .hash = hash, .next = *bucket };
    *bucket = at;
    return &recipients->asks[at - 1];
}

/* Out of the table; those who waited for it, in a list. */
static struct session *ask_take(struct recipients *recipients, struct ask *ask)
{
    struct session *waiting = ask->waiting;
    uint32_t at = (uint32_t)(ask - recipients->asks) + 1;
    uint32_t *link = &recipients->buckets[ask->hash % ASK_BUCKETS];

    while (*link != at)
        link = &recipients->asks[*link - 1].next;
    *link = ask->next;
    *ask = (struct ask){ .next = recipients->spare };
    recipients->spare = at;
    return waiting;
}

static void tell_ask(struct front *front, const struct ask *ask)
{
    struct wire_mailbox_ask message = {
        .token = (uint32_t)(ask - front->recipients.asks), .address = buffer_bytes(&front->address),
    };

    wire_tell_mailbox_ask(front->fx, front_to_store, &message);
}

/* Is the mailbox in front->address there? True with the verdict; false: it is asked for. */
static bool mailbox_ask(struct front *front, struct session *session,
                        enum smtp_verdict *ret_verdict)
{
    if (front->store != STORE_OPEN && front->store != STORE_LOW)
        return *ret_verdict = SMTP_NOT_NOW, true;
    uint64_t hash = siphash(front->key, buffer_bytes(&front->address));
    const struct answer *known = cache_find(front, hash);
    if (known != NULL)
        return *ret_verdict = known->yes ? SMTP_YES : SMTP_NO_MAILBOX, true;
    struct ask *ask = ask_find(&front->recipients, hash);
    if (ask == NULL) {
        ask = ask_new(&front->recipients, hash);
        if (ask == NULL)
            return *ret_verdict = SMTP_NOT_NOW, true;
        tell_ask(front, ask);
    }
    session->asking = true;
    session->ask = (uint32_t)(ask - front->recipients.asks);
    session->next_asking = ask->waiting;
    ask->waiting = session;
    return false;
}

/* The mailbox that session->how speaks of, in front->address; false: there is no such thing. */
static bool name_mailbox(struct front *front, const struct session *session)
{
    struct buffer base = buffer_with_most(4 * LIMIT_PATH);
    bool there = true;

    (void)is_ours(front, session->rcpt);
    if (session->how == HOW_BASE) {
        there = routes_base(front->routes, buffer_bytes(&front->address), &base);
        buffer_clear(&front->address);
        buffer_put(&front->address, buffer_bytes(&base));
    }
    front->address.bad = front->address.bad || base.bad;
    buffer_done(&base);
    return there;
}

/* Try what is left to be tried, in order. True with the verdict; false: something is asked. */
static bool try_on(struct front *front, struct session *session, enum smtp_verdict *ret_verdict)
{
    for (; session->how != HOW_NONE; session->how++) {
        if (session->how == HOW_ALIAS || session->how == HOW_MISSING) {
            if (alias_decides(front, session, ret_verdict))
                return true;
            continue;
        }
        if (!name_mailbox(front, session))
            continue;
        if (front->address.bad)
            return *ret_verdict = SMTP_NOT_NOW, true;
        if (!mailbox_ask(front, session, ret_verdict))
            return false;
        if (*ret_verdict == SMTP_YES)
            return *ret_verdict = alias_take(front, session, 1), true;
        if (*ret_verdict != SMTP_NO_MAILBOX)
            return true;
    }
    return *ret_verdict = SMTP_NO_MAILBOX, true;
}

bool recipient_ask(struct front *front, struct session *session, struct address address,
                   enum smtp_verdict *ret_verdict)
{
    bool ours = is_ours(front, address);

    if (front->address.bad)             /* no memory: nothing is known of it, not even that */
        return *ret_verdict = SMTP_NOT_NOW, true;
    session->rcpt = address;
    if (session->remote.unix_peer
        && !conf_may_send_as(front->conf, session->remote.uid, smtp_server_sender(session->smtp)))
        return *ret_verdict = SMTP_NOT_YOURS, true;
    if (!ours && session->relays && address.domain.n > 0) {
        session->how = HOW_SELF;
        return *ret_verdict = alias_take(front, session, 1), true;
    }
    if (!ours)
        return *ret_verdict = SMTP_NO_RELAY, true;
    session->how = HOW_ALIAS;
    return try_on(front, session, ret_verdict);
}

/* Everybody who waited for that answer goes on with it; who must ask more, asks. */
static void go_on(struct front *front, struct session *waiting, enum smtp_verdict verdict)
{
    struct session *next;

    for (struct session *session = waiting; session != NULL; session = next) {
        enum smtp_verdict own = verdict;
        bool decided = true;
        next = session->next_asking;
        session->asking = false;
        if (verdict == SMTP_YES) {
            own = alias_take(front, session, 1);
        } else if (verdict == SMTP_NO_MAILBOX) {
            session->how++;
            decided = try_on(front, session, &own);
        }
        if (!decided)
            continue;
        session->command_ms = front->now.mono_ms;
        manners_answer(front, session, own);
        front_mark(front, session);
    }
}

void recipient_is(struct front *front, const struct wire_mailbox_is *is)
{
    if (is->token >= front->recipients.asks_n || !front->recipients.asks[is->token].used)
        return;
    struct ask *ask = &front->recipients.asks[is->token];
    if (is->verdict == MAILBOX_YES || is->verdict == MAILBOX_NO)
        cache_put(front, ask->hash, is->verdict == MAILBOX_YES);
    go_on(front, ask_take(&front->recipients, ask),
          is->verdict == MAILBOX_YES ? SMTP_YES
          : is->verdict == MAILBOX_NO ? SMTP_NO_MAILBOX : SMTP_NOT_NOW);
}

void recipients_lost(struct front *front)
{
    for (uint32_t i = 0; i < front->recipients.asks_n; i++)
        if (front->recipients.asks[i].used)
            go_on(front, ask_take(&front->recipients, &front->recipients.asks[i]), SMTP_NOT_NOW);
}

void recipient_forget(struct front *front, struct session *session)
{
    if (!session->asking)
        return;
    struct session **at = &front->recipients.asks[session->ask].waiting;
    while (*at != session)
        at = &(*at)->next_asking;
    *at = session->next_asking;
    session->asking = false;
}
