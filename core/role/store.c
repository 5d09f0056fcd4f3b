/* SPDX-License-Identifier: ISC */
#include "role/store_int.h"

#include "base/arena.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/plant.h"
#include "mail/envelope.h"

#include <string.h>

enum {
    END_WITHIN_MS = 2000,
    STORE_HEAL_MS = 30 * 1000,
    STORE_DISK_FAILED = 74,         /* EX_IOERR */
    STORE_JITTER = 10,
};

static struct queue_from from_of(const struct event *event, uint32_t token)
{
    return (struct queue_from){ .peer = event->peer.index, .token = token };
}

static bool on_letter(struct store *store, const struct event *event, struct effects *fx)
{
    struct wire_letter letter;

    if (!wire_read_letter(event->bytes, &letter))
        return false;
    store_tls_letter(store, letter.head, event->now);
    queue_put(store->queue, from_of(event, letter.token),
              &(struct queue_letter){ .head = letter.head, .to = letter.to, .text = letter.text,
                                      .binary = letter.binary != 0 },
              store_keys(store, letter.head, letter.to), event->now, fx);
    return true;
}

static bool on_begin(struct store *store, const struct event *event, struct effects *fx)
{
    struct wire_letter_begin begin;

    return wire_read_letter_begin(event->bytes, &begin)
        && queue_begin(store->queue, from_of(event, begin.token), begin.binary != 0, begin.size,
                       fx);
}

static bool on_to(struct store *store, const struct event *event)
{
    struct wire_letter_to to;

    return wire_read_letter_to(event->bytes, &to)
        && queue_to(store->queue, from_of(event, to.token), to.to);
}

static bool on_part(struct store *store, const struct event *event, struct effects *fx)
{
    struct wire_letter_part part;

    return wire_read_letter_part(event->bytes, &part)
        && queue_part(store->queue, from_of(event, part.token), part.text, fx);
}

static bool on_end(struct store *store, const struct event *event, struct effects *fx)
{
    struct wire_letter_end end;

    if (!wire_read_letter_end(event->bytes, &end))
        return false;
    store_tls_letter(store, end.head, event->now);
    struct queue_from from = from_of(event, end.token);
    return queue_end(store->queue, from, end.size, end.head,
                     store_keys(store, end.head, queue_gathered(store->queue, from)), event->now,
                     fx);
}

static bool on_drop(struct store *store, const struct event *event, struct effects *fx)
{
    struct wire_letter_drop drop;

    if (!wire_read_letter_drop(event->bytes, &drop))
        return false;
    queue_drop(store->queue, from_of(event, drop.token), fx);
    return true;
}

static bool on_mailbox_ask(struct store *store, const struct event *event, struct effects *fx)
{
    struct wire_mailbox_ask ask;

    if (!wire_read_mailbox_ask(event->bytes, &ask))
        return false;
    store_ask(store, event->peer.index, &ask, fx);
    return true;
}

static bool on_tls_news(struct store *store, const struct event *event)
{
    struct wire_tls_news news;

    if (!wire_read_tls_news(event->bytes, &news))
        return false;
    store_tls_news(store, &news, event->now);
    return true;
}

static bool on_refused(struct store *store, const struct event *event)
{
    struct wire_refused_news news;

    if (!wire_read_refused_news(event->bytes, &news))
        return false;
    store_refused_line(store, news.line, event->now);
    return true;
}

static bool from_front(struct store *store, const struct event *event, struct effects *fx)
{
    enum wire_kind kind = wire_kind_of(event->bytes);

    return kind == WIRE_LETTER_MESSAGE ? on_letter(store, event, fx)
         : kind == WIRE_LETTER_PART_MESSAGE ? on_part(store, event, fx)
         : kind == WIRE_LETTER_BEGIN_MESSAGE ? on_begin(store, event, fx)
         : kind == WIRE_LETTER_TO_MESSAGE ? on_to(store, event)
         : kind == WIRE_LETTER_END_MESSAGE ? on_end(store, event, fx)
         : kind == WIRE_LETTER_DROP_MESSAGE ? on_drop(store, event, fx)
         : kind == WIRE_TLS_NEWS_MESSAGE ? on_tls_news(store, event)
         : kind == WIRE_REFUSED_NEWS_MESSAGE ? on_refused(store, event)
         : kind == WIRE_FIGURES_FRONT_MESSAGE ? store_front_figures(store, event, fx)
         : kind == WIRE_MAILBOX_ASK_MESSAGE && on_mailbox_ask(store, event, fx);
}

static bool on_result(struct store *store, const struct event *event, struct effects *fx)
{
    struct wire_job_result result;

    if (!wire_read_job_result(event->bytes, &result) || result.outcome < JOB_DELIVERED
        || result.outcome > JOB_TRACED)
        return false;
    bool stays = result.outcome == JOB_WAITS, beyond = result.outcome > JOB_WAITS;
    enum queue_outcome outcome = stays ? QUEUE_LATER : beyond ? QUEUE_DELIVERED
                               : (enum queue_outcome)result.outcome;
    store->outcomes[outcome]++;
    store->figures.octets_saved += outcome == QUEUE_DELIVERED ? result.saved : 0;
    queue_job_result(store->queue, &(struct queue_result){
        .job = result.job, .outcome = outcome, .stays = stays,
        .beyond = beyond ? result.outcome : 0, .class = result.class,
        .subject = result.subject, .detail = result.detail, .words = result.words,
        .saved = result.saved, .remote = result.remote, .reply = result.reply },
        event->now, fx);
    return true;
}

/* Local, or relay. */
static bool from_deliverer(struct store *store, const struct event *event, struct effects *fx)
{
    struct wire_credit credit;
    struct wire_mailbox_is is;
    struct wire_known_ask known;
    struct wire_tlsrpt_letter letter;
    struct wire_memory memory;

    if (event->peer.kind == ROLE_RELAY && wire_read_memory(event->bytes, &memory))
        store_memory_part(store, &memory, fx);
    else if (event->peer.kind == ROLE_RELAY && wire_read_tlsrpt_letter(event->bytes, &letter))
        store_tlsrpt_letter(store, &letter, event->now, fx);
    else if (event->peer.kind == ROLE_RELAY
             && (store_tlsrpt_told(event, fx) || store_peers_told(event, fx)))
        return true;
    else if (wire_read_known_ask(event->bytes, &known) && event->peer.kind == ROLE_LOCAL)
        store_known_ask(store, &known, fx);
    else if (wire_read_credit(event->bytes, &credit))
        queue_job_credit(store->queue, credit.token, credit.octets, fx);
    else if (wire_read_mailbox_is(event->bytes, &is))
        store_answer(store, event->peer.kind, &is, fx);
    else
        return on_result(store, event, fx);
    return true;
}

static void tell_status(const struct store *store, uint32_t token, struct effects *fx)
{
    wire_tell_status_is(fx, (struct role_name){ ROLE_ADMIN, 0 }, &(struct wire_status_is){
        .token = token, .since_ms = store->since_ms, .letters = queue_letters(store->queue),
        .accepted = store->accepted, .delivered = store->outcomes[JOB_DELIVERED],
        .deferred = store->outcomes[JOB_LATER], .failed = store->outcomes[JOB_FAILED] });
}

static void tell_backup(struct store *store, const struct wire_backup_ask *ask,
                        struct effects *fx)
{
    struct queue_image image = { 0 };
    bool well = ask->hold != 0 ? queue_hold(store->queue, &image)
                               : queue_release(store->queue, fx);

    wire_tell_backup_is(fx, (struct role_name){ ROLE_ADMIN, 0 }, &(struct wire_backup_is){
        ask->token, well, image.first, image.last, image.octets });
}

/* False: no such verb. */
static bool on_order(struct store *store, const struct wire_queue_order *order,
                     const struct event *event, struct effects *fx)
{
    if (order->verb < QUEUE_RETRY || order->verb > QUEUE_REDIRECT)
        return false;
    queue_order(store->queue, &(struct queue_order){
        .token = order->token, .verb = (enum queue_verb)order->verb, .letter = order->letter,
        .uid = order->uid, .recipients = order->recipients, .to = order->to,
        .reason = order->reason, .keys = store_keys(store, BYTES_NONE, order->to) },
        event->now, fx);
    return true;
}

static bool from_admin(struct store *store, const struct event *event, struct effects *fx)
{
    struct wire_queue_ask queue;
    struct wire_trace_ask trace;
    struct wire_status_ask status;
    struct wire_figures_ask figures;
    struct wire_backup_ask backup;
    struct wire_queue_order order;
    struct wire_hold_order hold;
    struct wire_hold_ask holds;
    struct wire_tlsrpt_ask reports;
    struct wire_peers_ask peers;

    if (wire_read_queue_order(event->bytes, &order))
        return on_order(store, &order, event, fx);
    if (wire_read_hold_order(event->bytes, &hold))
        return store_held_order(store, &hold, event->now, fx), true;
    if (wire_read_hold_ask(event->bytes, &holds))
        return store_held_ask(store, holds.token, fx), true;
    if (wire_read_queue_ask(event->bytes, &queue))
        queue_list(store->queue, queue.token, queue.after, queue.most, fx);
    else if (wire_read_trace_ask(event->bytes, &trace) && trace.by == TRACE_BY_TLS)
        store_tls_tell(store, trace.token, fx);
    else if (wire_read_trace_ask(event->bytes, &trace))
        queue_trace(store->queue, trace.token, trace.by, trace.key, fx);
    else if (wire_read_status_ask(event->bytes, &status))
        tell_status(store, status.token, fx);
    else if (wire_read_backup_ask(event->bytes, &backup))
        tell_backup(store, &backup, fx);
    else if (wire_read_figures_ask(event->bytes, &figures))
        store_tell_figures(store, figures.token, event->now, fx);
    else if (wire_read_tlsrpt_ask(event->bytes, &reports))
        store_tlsrpt_ask(store, &reports, fx);
    else if (wire_read_peers_ask(event->bytes, &peers))
        store_peers_ask(store, &peers, fx);
    else
        return false;
    return true;
}

static void on_told(struct store *store, const struct event *event, struct effects *fx)
{
    bool well = event->peer.kind == ROLE_FRONT ? from_front(store, event, fx)
              : event->peer.kind == ROLE_LOCAL || event->peer.kind == ROLE_RELAY
                ? from_deliverer(store, event, fx)
              : event->peer.kind == ROLE_ADMIN && from_admin(store, event, fx);

    if (well)
        return;
    struct buffer *line = fx_draft(fx);
    log_begin(line, "bad-frame");
    log_ours(line, "kind", bytes_of(wire_name(wire_kind_of(event->bytes))));
    log_uint(line, "octets", event->bytes.n);
    fx_log(fx, LOG_ERROR, fx_keep(fx, buffer_bytes(line)));
}

static void on_peer(struct store *store, const struct event *event, bool up, struct effects *fx)
{
    struct role_name peer = event->peer;

    if (up)
        store_counts_begin(store, peer.kind);
    if (peer.kind == ROLE_FRONT && peer.index < LIMIT_FRONTS) {
        store->fronts[peer.index] = up;
        if (!up)
            queue_drop_peer(store->queue, peer.index, fx);
    } else if (peer.kind == ROLE_LOCAL) {
        store->local = up;
        store_known_forget(store);
        queue_deliverer(store->queue, STORE_LOCAL, up, fx);
    } else if (peer.kind == ROLE_RELAY) {
        store->relay = up;
        if (up)
            store_held_tell(store, fx);
        if (up)
            store_memory_tell(store, fx);
        else
            store_memory_lost(store);
        queue_deliverer(store->queue, STORE_RELAY, up, fx);
    } else if (peer.kind == ROLE_ADMIN) {
        store->admin = up;
        if (!up) {
            queue_forget_answers(store->queue, fx);
            store_known_lost(store, fx);
            (void)queue_release(store->queue, fx);
        }
    }
    if (!up)
        store_asks_down(store, peer, fx);
    else if (peer.kind == ROLE_FRONT || peer.kind == ROLE_ADMIN)
        store_tell_state(store, peer, fx);
}

/* Asked to end: first let what was just done reach the disk, for else the next store would do it
   again; but do not wait for a disk that does not answer. */
static void end_when_settled(struct store *store, uint64_t now_ms, struct effects *fx)
{
    if (store->end_by == 0 || store->over)
        return;
    if (queue_settled(store->queue) || now_ms >= store->end_by) {
        store->over = true;
        fx_exit(fx, 0);
    }
}

/* The disk failed so that nothing can be written any more, or the spool could not be read as it
   began. It stays as long as is needed to answer whoever asks, and ends: the one that master starts
   next takes what is on the disk, as after any crash, and if the disk is well by then, all is
   well. */
static void end_when_dead(struct store *store, uint64_t now_ms, struct effects *fx)
{
    if (queue_state(store->queue) != QUEUE_READ_ONLY || store->over || PLANTED(never_heals))
        return;
    if (store->heal_at == 0)
        store->heal_at = now_ms + STORE_HEAL_MS;
    if (now_ms < store->heal_at)
        return;
    store->over = true;
    fx_exit(fx, STORE_DISK_FAILED);
}

static uint64_t sooner(uint64_t alarm, uint64_t other)
{
    return other != 0 && (alarm == 0 || alarm > other) ? other : alarm;
}

static uint8_t deliverer_of(const void *of, struct bytes to)
{
    const struct store *store = of;
    struct recipient recipient;

    return recipient_read(to, &recipient) && !store_keeps(store, recipient.address)
         ? STORE_RELAY : STORE_LOCAL;
}

/* Mail for elsewhere goes by destination; a mailbox of ours gets its copy alone. */
static uint64_t way_of(const void *of, struct bytes to)
{
    static const uint8_t fixed[16] = "postern: the way";
    const struct store *store = of;
    struct recipient recipient;
    struct buffer name = buffer_with_most(LIMIT_PATH);
    uint64_t way = 0;

    if (recipient_read(to, &recipient)
        && routes_place(store->routes, recipient.address, NULL) == ROUTE_ELSEWHERE
        && conf_destination_put(store->conf, recipient.address, &name))
        way = siphash(fixed, buffer_bytes(&name));
    buffer_done(&name);
    return way;
}

/* As the settings of its domain say. What is suspended for a while is looked at when that is over,
   and everybody knows. */
static void patience_for(const void *of, struct bytes head, struct bytes to,
                         struct queue_patience *patience)
{
    enum { SLACK_MS = 1000 };
    const struct store *store = of;
    uint64_t until_ms = store_held_until(store, to);
    struct envelope envelope;
    struct recipient recipient;
    struct conf_for what;

    if (store->conf->for_domain.n > 0 && recipient_read(to, &recipient)) {
        conf_for_address(store->conf, recipient.address, &what);
        memcpy(patience->retry_ms, what.retry.ms, sizeof(patience->retry_ms));
        patience->retries = what.retry.n;
        patience->give_up_ms = what.give_up_ms;
        patience->late_ms = what.delay_report_ms;
    }
    if (envelope_read(head, &envelope) && envelope.by == BY_RETURN)
        patience->over_ms = envelope.by_ms;
    else if (envelope_read(head, &envelope) && envelope.by == BY_NOTIFY)
        patience->tell_ms = envelope.by_ms;
    patience->until_ms = until_ms == UINT64_MAX || until_ms == 0 ? 0 : until_ms + SLACK_MS;
}

static struct queue_conf queue_conf_of(struct store *store, const struct conf *conf)
{
    struct queue_conf settings = {
        .segment_bytes = conf->segment / 4096 * 4096, .space_least = conf->space_least,
        .patience = { .give_up_ms = conf->give_up_ms, .late_ms = conf->delay_report_ms,
                      .retries = conf->retry.n },
        .patience_for = patience_for, .deliverer = deliverer_of, .way = way_of, .of = store,
        .history_keep_ms = conf->history_keep_ms,
        .history_most = conf->history_most, .jobs = (uint32_t)conf->jobs,
        .deliver = conf->deliver, .wants = store_wants,
        .report = store_report, .reporter = store,
        .flushed = store_counts_flush };

    settings.jitter = STORE_JITTER;
    memcpy(settings.patience.retry_ms, conf->retry.ms, sizeof(settings.patience.retry_ms));
    return settings;
}

/* Whoever read the tables found that they make sense: only memory can be short. */
static void on_reload(struct store *store, const struct conf *conf, struct effects *fx)
{
    struct queue_conf settings = queue_conf_of(store, conf);
    struct route_flaw flaw;
    struct routes *routes = routes_new(conf, &flaw);

    if (routes == NULL) {
        fx->bad = true;
        return;
    }
    routes_free(store->routes);
    store->routes = routes;
    store->conf = conf;
    queue_set(store->queue, &settings);
}

static void store_step(void *role, const struct event *event, struct effects *fx)
{
    struct store *store = role;

    store->fx = fx;
    store->now = event->now;
    queue_step(store->queue, event, fx);
    switch (event->kind) {
    case EV_TOLD:
        on_told(store, event, fx);
        break;
    case EV_PEER_UP:
    case EV_PEER_DOWN:
        on_peer(store, event, event->kind == EV_PEER_UP, fx);
        break;
    case EV_STOP:
        if (store->end_by == 0)
            store->end_by = event->now.mono_ms + END_WITHIN_MS;
        break;
    case EV_START:
        store->since_ms = event->now.wall_ms;
        break;
    case EV_RELOAD:
        on_reload(store, event->conf, fx);
        break;
    case EV_IO: case EV_ALARM: case EV_TURN: case EV_ACCEPT: case EV_BYTES: case EV_END:
    case EV_CLOSED: case EV_DRAINED: case EV_CHILD: case EV_CONNECTED: case EV_ASKED:
    case EV_RESOLVED: case EV_FETCHED:
        break;
    }
    store_tell_news(store, fx);
    uint64_t refused = store_refused_go(store, event->now, fx);
    uint64_t held = store_held_go(store, event->now, fx);
    end_when_settled(store, event->now.mono_ms, fx);
    end_when_dead(store, event->now.mono_ms, fx);
    uint64_t alarm = sooner(sooner(queue_alarm(store->queue), store->end_by),
                            sooner(sooner(store->heal_at, refused), held));
    if (alarm != store->alarm)
        fx_alarm(fx, alarm);
    store->alarm = alarm;
}

static void store_free(void *role)
{
    struct store *store = role;

    if (store == NULL)
        return;
    queue_free(store->queue);
    routes_free(store->routes);
    mem_free(store->asks);
    mem_free(store->tls);
    store_known_done(store);
    store_refused_done(store);
    store_held_done(store);
    store_memory_done(store);
    store_reports_done(store);
    buffer_done(&store->keys);
    buffer_done(&store->normal);
    mem_free(store);
}

_Static_assert((int)QUEUE_RETRIES == CONF_SPANS, "the settings' schedule fits");
_Static_assert((int)QUEUE_BUSY == JOB_BUSY, "the outcomes are told as they are");

static void *store_make(const struct conf *conf, uint32_t index)
{
    struct store *store = mem_new(sizeof(*store));
    struct route_flaw flaw;

    if (store == NULL)
        return NULL;
    store->conf = conf;
    store_reports_init(store);
    store->keys = buffer_with_most(STORE_KEYS_MOST * sizeof(uint64_t));
    store->normal = buffer_with_most(LIMIT_ADDRESS * 4);
    struct queue_conf settings = queue_conf_of(store, conf);
    store->queue = queue_new(&settings);
    store->routes = routes_new(conf, &flaw);
    if (store->queue == NULL || store->routes == NULL) {
        store_free(store);
        return NULL;
    }
    return store;
}

const struct role_ops store_ops = { "store", store_make, store_step, store_free };
