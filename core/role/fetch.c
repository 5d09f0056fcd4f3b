/* SPDX-License-Identifier: ISC
 *
 * role/fetch.c: the role that fetches documents over HTTPS, and brings reports. The world under it
 * connects and speaks; here is said where it may go, how many at once, how long, and whose turn it
 * is: those that asked first, but never more than a few to one network, so that the servers of one
 * stranger who answer slowly do not hold all places.
 */
#include "base/arena.h"
#include "base/ip.h"
#include "base/log.h"
#include "dns/answer.h"
#include "dns/fetch.h"
#include "dns/guard.h"
#include "role/role.h"
#include "role/wire.h"

#include <string.h>

enum {
    FETCH_ITEMS = 16384,                /* known; more are answered "not now" at once */
    FETCH_OCTETS = 16 * 1024 * 1024,    /* of their texts */
    FETCH_RUNS = 20,                    /* under way at once */
    FETCH_RUNS_NETWORK = 4,             /* of these to one network */
    FETCH_NAMED_MOST = 64,              /* whose addresses are being asked for at once */
    FETCH_TIME_MS = 60 * 1000,          /* for one, from its connecting on (RFC 8461, 3.3) */
    FETCH_NAMING_MS = 30 * 1000,        /* for its addresses */
    FETCH_PATIENCE_MS = 10 * 60 * 1000, /* until it begins */
};

/* PARKED: enough is under way to its network. */
enum state { WAITS, NAMING, READY, PARKED, RUNS, STATES };

struct item {
    struct item *next, **at;            /* in the list of its state */
    uint32_t number;                    /* of a run, or of its questions to names */
    uint32_t token;                     /* of who asked */
    struct role_name asker;
    enum state state;
    enum fetch_kind kind;
    uint64_t due_ms;                    /* of this state */
    uint64_t begin_ms;                  /* not begun by then: given up */
    unsigned answers;                   /* of names, that are still to come */
    size_t addresses;
    uint8_t ips[FETCH_ADDRESSES_MOST][16];
    struct bytes url, body;             /* behind this struct */
};

struct list {
    struct item *first, **last;         /* in the order they came */
    size_t n;
};

struct fetch {
    bool allow_private;
    bool names_up;
    struct list lists[STATES];
    size_t n, octets;
    uint32_t next;
    uint64_t alarm_ms;
    struct moment now;
    struct effects *fx;
};

static void log_item(struct fetch *fetch, enum log_level level, const char *event,
                     const struct item *item, const char *why)
{
    struct buffer *line = fx_draft(fetch->fx);

    log_begin(line, event);
    log_theirs(line, "url", item->url);
    log_ours(line, "why", bytes_of(why));
    fx_log(fetch->fx, level, fx_keep(fetch->fx, buffer_bytes(line)));
}

/* ---- the end of one */

static void answer(struct fetch *fetch, struct role_name asker, uint32_t token,
                   enum fetch_result result, uint16_t status, struct bytes body)
{
    wire_tell_fetch_is(fetch->fx, asker, &(struct wire_fetch_is){ token, (uint8_t)result, status,
                                                                  body });
}

static void take_out(struct fetch *fetch, struct item *item)
{
    struct list *list = &fetch->lists[item->state];

    *item->at = item->next;
    if (item->next != NULL)
        item->next->at = item->at;
    else
        list->last = item->at;
    list->n--;
}

static void set_alarm(struct fetch *fetch, uint64_t due_ms)
{
    if (fetch->alarm_ms != 0 && fetch->alarm_ms <= due_ms)
        return;                         /* one that rings too early is set again */
    fetch->alarm_ms = due_ms;
    fx_alarm(fetch->fx, due_ms);
}

static void put_in(struct fetch *fetch, struct item *item, enum state state, uint64_t time_ms)
{
    struct list *list = &fetch->lists[state];

    item->state = state;
    item->next = NULL;
    item->at = list->last;
    *list->last = item;
    list->last = &item->next;
    list->n++;
    item->due_ms = fetch->now.mono_ms + time_ms;
    if (state != RUNS && item->due_ms > item->begin_ms)
        item->due_ms = item->begin_ms;
    set_alarm(fetch, item->due_ms);
}

static void enter(struct fetch *fetch, struct item *item, enum state state, uint64_t time_ms)
{
    take_out(fetch, item);
    put_in(fetch, item, state, time_ms);
}

static struct bytes network_of(const struct item *item)
{
    const uint8_t *ip = item->ips[0];

    return (struct bytes){ (const char *)ip, ip_is_v4(ip) ? 15 : 6 };
}

/* A place to that network is free: who waits for it longest may have it. */
static void unpark(struct fetch *fetch, const struct item *ended)
{
    struct item *item = fetch->lists[PARKED].first;

    while (item != NULL && !bytes_equal(network_of(item), network_of(ended)))
        item = item->next;
    if (item != NULL)
        enter(fetch, item, READY, FETCH_PATIENCE_MS);
}

static void forget(struct fetch *fetch, struct item *item)
{
    take_out(fetch, item);
    if (item->state == RUNS)
        unpark(fetch, item);
    fetch->n--;
    fetch->octets -= item->url.n + item->body.n;
    mem_free(item);
}

static void end(struct fetch *fetch, struct item *item, enum fetch_result result, uint16_t status,
                struct bytes body)
{
    answer(fetch, item->asker, item->token, result, status, body);
    if (result != FETCH_WELL)
        log_item(fetch, LOG_INFO, "not-fetched", item, fetch_result_words(result));
    forget(fetch, item);
}

/* ---- the way of one */

static void ask_names(struct fetch *fetch, struct item *item)
{
    static const struct role_name names = { ROLE_NAMES, 0 };
    static const enum dns_type types[] = { DNS_A, DNS_AAAA };
    struct fetch_url url = { .host = BYTES_NONE };

    (void)!fetch_url_read(item->url, &url);     /* it was read when it came */
    enter(fetch, item, NAMING, FETCH_NAMING_MS);
    item->answers = COUNT(types);
    for (size_t i = 0; i < COUNT(types); i++)
        wire_tell_name_ask(fetch->fx, names, &(struct wire_name_ask){
            item->number * 2 + (uint32_t)i, types[i], url.host });
}

static bool is_crowded(const struct fetch *fetch, const struct item *wanted)
{
    size_t same = 0;

    for (const struct item *item = fetch->lists[RUNS].first; item != NULL; item = item->next)
        same += bytes_equal(network_of(item), network_of(wanted));
    return same >= FETCH_RUNS_NETWORK;
}

static void run(struct fetch *fetch, struct item *item)
{
    struct buffer *order = fx_draft(fetch->fx);

    enter(fetch, item, RUNS, FETCH_TIME_MS);
    fetch_order_put(order, &(struct fetch_order){
        item->kind, item->url, { (const char *)item->ips, 16 * item->addresses }, item->body });
    fx_fetch(fetch->fx, item->number, fx_keep(fetch->fx, buffer_bytes(order)));
}

/* Those that came first begin first, as far as there are places. */
static void move_on(struct fetch *fetch)
{
    struct item *item;

    while ((item = fetch->lists[WAITS].first) != NULL && fetch->names_up
           && fetch->lists[NAMING].n < FETCH_NAMED_MOST)
        ask_names(fetch, item);
    while ((item = fetch->lists[READY].first) != NULL && fetch->lists[RUNS].n < FETCH_RUNS) {
        if (is_crowded(fetch, item))
            enter(fetch, item, PARKED, FETCH_PATIENCE_MS);
        else
            run(fetch, item);
    }
}

/* ---- what is told */

static void on_ask(struct fetch *fetch, struct role_name asker, const struct wire_fetch_ask *wanted)
{
    struct fetch_url url;
    size_t octets = wanted->url.n + wanted->body.n;
    bool known = wanted->kind == FETCH_POLICY || wanted->kind == FETCH_REPORT;

    if (!known || !fetch_url_read(wanted->url, &url)) {
        answer(fetch, asker, wanted->token, FETCH_NO_ADDRESS, 0, BYTES_NONE);
        return;
    }
    if (fetch->n >= FETCH_ITEMS || fetch->octets + octets > FETCH_OCTETS) {
        answer(fetch, asker, wanted->token, FETCH_NOT_NOW, 0, BYTES_NONE);
        return;
    }
    struct item *item = mem_new(sizeof(*item) + octets);
    if (item == NULL) {
        answer(fetch, asker, wanted->token, FETCH_NOT_NOW, 0, BYTES_NONE);
        return;
    }
    char *text = (char *)(item + 1);
    memcpy(text, wanted->url.at, wanted->url.n);
    memcpy(text + wanted->url.n, wanted->body.at, wanted->body.n);
    *item = (struct item){
        .number = ++fetch->next & 0x7fffffff, .token = wanted->token, .asker = asker,
        .kind = (enum fetch_kind)wanted->kind,
        .begin_ms = fetch->now.mono_ms + FETCH_PATIENCE_MS,
        .url = { text, wanted->url.n }, .body = { text + wanted->url.n, wanted->body.n },
    };
    put_in(fetch, item, WAITS, FETCH_PATIENCE_MS);
    fetch->n++;
    fetch->octets += octets;
}

static struct item *find(struct fetch *fetch, uint64_t number, enum state state)
{
    struct item *item = fetch->lists[state].first;

    while (item != NULL && item->number != number)
        item = item->next;
    return item;
}

static void add_addresses(const struct fetch *fetch, struct item *item,
                          const struct dns_answer *told)
{
    uint8_t ips[FETCH_ADDRESSES_MOST / 2][16];
    size_t n = dns_found(told) ? dns_addresses(told, ips, COUNT(ips)) : 0;

    for (size_t i = 0; i < n && item->addresses < FETCH_ADDRESSES_MOST; i++) {
        enum guard_verdict verdict = guard_look(ips[i]);
        if (verdict == GUARD_OPEN || (fetch->allow_private && verdict != GUARD_NOBODY))
            memcpy(item->ips[item->addresses++], ips[i], 16);
    }
}

static void on_name(struct fetch *fetch, const struct wire_name_is *is)
{
    struct item *item = find(fetch, is->token / 2, NAMING);
    struct dns_answer told;

    if (item == NULL)
        return;
    if (dns_answer_read(is->answer, &told))
        add_addresses(fetch, item, &told);
    if (--item->answers > 0)
        return;
    if (item->addresses == 0)
        end(fetch, item, FETCH_NO_ADDRESS, 0, BYTES_NONE);
    else
        enter(fetch, item, READY, FETCH_PATIENCE_MS);
}

static void on_told(struct fetch *fetch, const struct event *event)
{
    struct wire_fetch_ask wanted;
    struct wire_name_is is;

    if (wire_read_fetch_ask(event->bytes, &wanted))
        on_ask(fetch, event->peer, &wanted);
    else if (wire_read_name_is(event->bytes, &is))
        on_name(fetch, &is);
}

static void on_fetched(struct fetch *fetch, const struct event *event)
{
    struct item *item = find(fetch, event->token, RUNS);
    uint64_t result = event->number & 0xff;

    if (item == NULL)
        return;                         /* it was given up meanwhile */
    if (result < FETCH_WELL || result >= FETCH_RESULTS || event->bytes.n > FETCH_BODY_MOST)
        result = FETCH_GARBLED;
    end(fetch, item, (enum fetch_result)result, (uint16_t)(event->number >> 8),
        result == FETCH_WELL ? event->bytes : BYTES_NONE);
}

/* Those of a list that are due; the others say when the next alarm is. */
static void end_late(struct fetch *fetch, enum state state)
{
    for (struct item *item = fetch->lists[state].first, *next; item != NULL; item = next) {
        next = item->next;
        if (item->due_ms > fetch->now.mono_ms) {
            set_alarm(fetch, item->due_ms);
            continue;
        }
        if (state == RUNS)
            fx_fetch_end(fetch->fx, item->number);
        end(fetch, item, state == NAMING ? FETCH_NO_ADDRESS : FETCH_LATE, 0, BYTES_NONE);
    }
}

static void on_alarm(struct fetch *fetch)
{
    fetch->alarm_ms = 0;
    for (enum state state = 0; state < STATES; state++)
        end_late(fetch, state);
}

static void forget_asker(struct fetch *fetch, enum state state, struct role_name asker)
{
    for (struct item *item = fetch->lists[state].first, *next; item != NULL; item = next) {
        next = item->next;
        if (item->asker.kind != asker.kind || item->asker.index != asker.index)
            continue;
        if (state == RUNS)
            fx_fetch_end(fetch->fx, item->number);
        forget(fetch, item);
    }
}

/* What it was asked is asked again when it is back. */
static void on_names_down(struct fetch *fetch)
{
    struct item *item;

    fetch->names_up = false;
    while ((item = fetch->lists[NAMING].first) != NULL) {
        item->addresses = 0;
        enter(fetch, item, WAITS, FETCH_PATIENCE_MS);
    }
}

static void on_peer_down(struct fetch *fetch, struct role_name peer)
{
    if (peer.kind == ROLE_NAMES)
        on_names_down(fetch);
    for (enum state state = 0; state < STATES; state++)
        forget_asker(fetch, state, peer);
}

/* ---- the role */

static void fetch_step(void *role, const struct event *event, struct effects *fx)
{
    struct fetch *fetch = role;

    fetch->now = event->now;
    fetch->fx = fx;
    switch (event->kind) {
    case EV_TOLD: on_told(fetch, event); break;
    case EV_FETCHED: on_fetched(fetch, event); break;
    case EV_PEER_DOWN: on_peer_down(fetch, event->peer); break;
    case EV_PEER_UP: fetch->names_up = fetch->names_up || event->peer.kind == ROLE_NAMES; break;
    case EV_ALARM: on_alarm(fetch); break;
    case EV_RELOAD:
        if (event->conf != NULL)
            fetch->allow_private = event->conf->allow_private;
        break;
    case EV_TURN: move_on(fetch); break;
    case EV_STOP: fx_exit(fx, 0); break;
    case EV_START: case EV_ACCEPT: case EV_BYTES: case EV_END: case EV_CLOSED: case EV_DRAINED:
    case EV_IO: case EV_CONNECTED: case EV_ASKED: case EV_CHILD: case EV_RESOLVED:
        break;
    }
    fetch->fx = NULL;
}

static void *fetch_make(const struct conf *conf, uint32_t index)
{
    struct fetch *fetch = mem_new(sizeof(*fetch));

    (void)index;
    if (fetch != NULL) {
        fetch->allow_private = conf->allow_private;
        for (enum state state = 0; state < STATES; state++)
            fetch->lists[state].last = &fetch->lists[state].first;
    }
    return fetch;
}

static void fetch_free(void *role)
{
    struct fetch *fetch = role;

    for (enum state state = 0; state < STATES; state++)
        while (fetch->lists[state].first != NULL)
            forget(fetch, fetch->lists[state].first);
    mem_free(fetch);
}

const struct role_ops fetch_ops = { "fetch", fetch_make, fetch_step, fetch_free };
