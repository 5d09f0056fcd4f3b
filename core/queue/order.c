/* SPDX-License-Identifier: ISC */
#include "queue/order_int.h"
#include "queue/queue_int.h"

#include "base/arena.h"
#include "base/plant.h"
#include "base/reader.h"

#include <string.h>

enum { ORDER_OCTETS_MOST = 1024 * 1024, STATE_ROOM = STATE_FIXED + STATE_WORDS };

void orders_done(struct orders *orders)
{
    for (size_t i = 0; i < ORDERS_MOST; i++)
        buffer_done(&orders->list[i].octets);
    *orders = (struct orders){ 0 };
}

static void answer(struct queue *q, uint32_t token, uint8_t result, uint32_t changed,
                   uint32_t busy)
{
    news_tell(q, &(struct queue_news){ .kind = NEWS_ORDERED, .token = token, .more = result,
                                       .octets = changed, .attempt = busy });
}

static void forget(struct queue *q, struct order *order)
{
    buffer_done(&order->octets);
    *order = (struct order){ .number = order->number };
    q->orders.n--;
}

/* Without having changed anything. */
static void end(struct queue *q, struct order *order, uint8_t result, uint32_t busy)
{
    answer(q, order->token, result, 0, busy);
    forget(q, order);
}

void order_settle(struct queue *q, const struct fate *fate, bool well)
{
    answer(q, fate->from.token, well ? QUEUE_ORDER_WELL : QUEUE_ORDER_NOT_CERTAIN,
           (uint32_t)fate->about, fate->recipient);
}

/* ---- which recipients */

static uint32_t nth(const struct order *order, size_t i)
{
    uint32_t recipient;

    memcpy(&recipient, order->recipients.at + i * sizeof(recipient), sizeof(recipient));
    return recipient;
}

/* May it be changed so now? */
static bool may(enum queue_verb verb, const struct rcpt *rcpt)
{
    switch (verb) {
    case QUEUE_RETRY: case QUEUE_KEEP:
        return rcpt->state == RCPT_WAITS;
    case QUEUE_RELEASE:
        return rcpt->state == RCPT_HELD;
    case QUEUE_BOUNCE: case QUEUE_DELETE: case QUEUE_REDIRECT:
        return rcpt->state == RCPT_WAITS || rcpt->state == RCPT_HELD;
    }
    return false;
}

struct chosen { uint32_t n, busy; };

static struct chosen choose(const struct order *order, struct letter *letter)
{
    struct chosen chosen = { 0 };

    for (size_t i = 0; i < order->wanted; i++) {
        uint32_t recipient = nth(order, i);
        if (recipient >= letter->recipients || (i > 0 && recipient <= nth(order, i - 1)))
            continue;       /* in order, and each once */
        const struct rcpt *rcpt = letter_rcpt(letter, recipient);
        chosen.n += may(order->verb, rcpt);
        chosen.busy += rcpt->state == RCPT_AT_WORK;
    }
    return chosen;
}

static bool is_chosen(const struct order *order, struct letter *letter, size_t i)
{
    uint32_t recipient = nth(order, i);

    return recipient < letter->recipients && (i == 0 || recipient > nth(order, i - 1))
        && may(order->verb, letter_rcpt(letter, recipient));
}

/* ---- the story */

static void tell_story(struct queue *q, const struct order *order, uint32_t recipient,
                       struct bytes entry)
{
    static const enum history_what whats[] = {
        [QUEUE_RETRY] = HISTORY_RETRIED, [QUEUE_KEEP] = HISTORY_HELD,
        [QUEUE_RELEASE] = HISTORY_RELEASED, [QUEUE_BOUNCE] = HISTORY_BOUNCED,
        [QUEUE_DELETE] = HISTORY_DELETED, [QUEUE_REDIRECT] = HISTORY_REDIRECTED,
    };

    story_staged(q, &(struct history_event){
        .what = whats[order->verb], .id = order->letter, .at_ms = q->now.wall_ms,
        .size = order->uid, .recipient = recipient, .to = entry,
        .words = bytes_first(order->reason, STATE_WORDS) },
        (struct queue_keys){ (const uint64_t *)(const void *)order->keys.at,
                             order->keys.n / sizeof(uint64_t) });
}

/* ---- states alone: retry, hold, release, delete */

static void change(struct queue *q, const struct order *order, struct letter *letter,
                   struct rcpt *rcpt)
{
    bool waits = order->verb == QUEUE_RETRY || order->verb == QUEUE_RELEASE;

    rcpt->state = waits ? RCPT_WAITS : order->verb == QUEUE_KEEP ? RCPT_HELD : RCPT_DELIVERED;
    letter->left = (uint16_t)(letter->left - (rcpt->state == RCPT_DELIVERED));
    if (!waits)
        return;
    rcpt->due = q->now.mono_ms;
    if (!index_wake(&q->index, letter->id, rcpt->due))
        q->bad = true;
}

static struct bytes state_words(const struct order *order)
{
    return order->reason.n > 0 ? order->reason
         : order->verb == QUEUE_KEEP ? BYTES("held by the postmaster")
         : order->verb == QUEUE_RELEASE ? BYTES("released by the postmaster")
         : order->verb == QUEUE_DELETE ? BYTES("deleted by the postmaster")
         : BYTES("to be tried at once, says the postmaster");
}

static struct state_record state_of(const struct queue *q, const struct order *order,
                                    uint32_t recipient, const struct rcpt *rcpt)
{
    return (struct state_record){
        .outcome = order->verb == QUEUE_KEEP ? (uint8_t)QUEUE_FAILED
                 : order->verb == QUEUE_DELETE ? (uint8_t)STATE_SETTLED
                 : rcpt->delayed ? (uint8_t)STATE_DELAYED : (uint8_t)QUEUE_LATER,
        .recipient = recipient, .attempt = rcpt->attempts, .at_ms = q->now.wall_ms,
        .due_ms = q->now.wall_ms, .class = order->verb == QUEUE_DELETE ? 5 : 4, .subject = 3,
        .detail = 2, .words = bytes_first(state_words(order), STATE_WORDS) };
}

static uint64_t place_state(struct queue *q, uint64_t id, const struct state_record *state,
                            uint8_t flags)
{
    struct place place = log_place(q, RECORD_STATE, id, state_record_size(state));

    state_record_write(place.at + RECORD_HEAD, state);
    log_placed(q, &place, flags);
    return place.record.lsn;
}

static void finish(struct queue *q, struct order *order, struct chosen chosen)
{
    if (PLANTED(order_before_sync))
        answer(q, order->token, QUEUE_ORDER_WELL, chosen.n, chosen.busy);
    log_fate(q, &(struct fate){ .kind = FATE_ORDER, .from = { .token = order->token },
                                .about = chosen.n, .recipient = chosen.busy });
    log_urge(q);
    forget(q, order);
}

static void gather_states(struct queue *q, struct order *order, struct letter *letter,
                          const struct letter_record *record, struct chosen chosen)
{
    uint32_t left = chosen.n;

    if (!log_fits(q, chosen.n * record_size(STATE_ROOM), false)
        || !buffer_reserve(&log_gathering(q)->states, chosen.n * (12 + (size_t)STATE_ROOM))) {
        end(q, order, QUEUE_ORDER_NOT_NOW, chosen.busy);
        return;
    }
    for (size_t i = 0; i < order->wanted; i++) {
        if (!is_chosen(order, letter, i))
            continue;
        uint32_t recipient = nth(order, i);
        struct rcpt *rcpt = letter_rcpt(letter, recipient);
        struct state_record state = state_of(q, order, recipient, rcpt);
        char payload[STATE_ROOM];
        uint8_t flags = (uint8_t)((left == chosen.n ? 0 : RECORD_GOES_ON)
                                  | (left == 1 ? 0 : RECORD_MORE));
        left--;
        state_record_write(payload, &state);
        if (!log_remember(q, order->letter, (struct bytes){ payload, state_record_size(&state) }))
            q->bad = true;
        rcpt->note = place_state(q, order->letter, &state, flags);
        change(q, order, letter, rcpt);
        tell_story(q, order, recipient, recipients_nth(record->to, recipient));
    }
    if (letter->left == 0)
        log_fate(q, &(struct fate){ .kind = FATE_DONE, .letter = { .id = order->letter } });
    finish(q, order, chosen);
}

/* ---- bounce: a failure that the operator says */

struct bounce {
    struct ending end;
    enum queue_report answer;
    uint8_t before;             /* enum rcpt_state */
};

static struct bounce bounce_of(struct queue *q, const struct order *order,
                               const struct about *about, uint32_t recipient, struct rcpt *rcpt)
{
    struct bounce bounce = {
        .before = rcpt->state,
        .end.state = {
            .outcome = QUEUE_FAILED, .recipient = recipient, .attempt = rcpt->attempts,
            .at_ms = q->now.wall_ms, .class = 5, .subject = 7, .detail = 0,
            .words = order->reason.n > 0 ? bytes_first(order->reason, STATE_WORDS)
                   : BYTES("the postmaster sent the message back") } };

    rcpt->state = RCPT_HELD;
    bounce.answer = q->conf.report == NULL ? QUEUE_REPORT_HOLD
                  : report_wanted(q, about, &bounce.end);
    return bounce;
}

/* False: nothing came of it, and it is as it was. */
static bool conclude_bounce(struct queue *q, const struct order *order, struct letter *letter,
                            struct bounce *bounce)
{
    struct rcpt *rcpt = letter_rcpt(letter, bounce->end.state.recipient);

    if (bounce->answer == QUEUE_REPORT_NONE)
        report_settle(q, order->letter, &bounce->end);
    if (bounce->end.reported == REPORTED) {
        rcpt->note = bounce->end.lsn;
        return true;
    }
    if (rcpt->state == RCPT_DELIVERED) {
        /* The sender wants no word of it: the state alone. */
        uint64_t lsn = 0;
        q->bad = !log_state(q, order->letter, &bounce->end.state, &lsn) || q->bad;
        return true;
    }
    rcpt->state = bounce->before;
    return false;
}

/* Those of whom the sender hears, in one list. */
static size_t gather_list(struct queue *q, const struct order *order, struct letter *letter,
                          const struct about *about, struct bounce *bounces)
{
    struct ending *list = NULL, **last = &list;
    size_t n = 0;

    for (size_t i = 0; i < order->wanted; i++) {
        if (!is_chosen(order, letter, i))
            continue;
        uint32_t recipient = nth(order, i);
        struct bounce *bounce = &bounces[n++];
        *bounce = bounce_of(q, order, about, recipient, letter_rcpt(letter, recipient));
        if (bounce->answer != QUEUE_REPORT_WRITTEN)
            continue;
        *last = &bounce->end;
        last = &bounce->end.next;
    }
    report_gather(q, about, list);
    return n;
}

static void gather_bounces(struct queue *q, struct order *order, struct letter *letter,
                           const struct letter_record *record, struct chosen chosen)
{
    struct about about = { .letter = order->letter, .record = record, .text = record->text };
    struct chosen done = { .busy = chosen.busy };
    struct bounce *bounces = mem_new(chosen.n * sizeof(*bounces));
    size_t n = bounces == NULL ? 0 : gather_list(q, order, letter, &about, bounces);

    for (size_t i = 0; i < n; i++) {
        uint32_t recipient = bounces[i].end.state.recipient;
        if (!conclude_bounce(q, order, letter, &bounces[i]))
            continue;
        done.n++;
        if (log_fits(q, record_size(MARK_BYTES), false))
            tell_story(q, order, recipient, recipients_nth(record->to, recipient));
    }
    if (bounces == NULL)
        end(q, order, QUEUE_ORDER_NOT_NOW, chosen.busy);
    else if (done.n == 0)
        end(q, order, QUEUE_ORDER_NO_REPORT, chosen.busy);
    else if (!log_fits(q, record_size(MARK_BYTES), false))
        end(q, order, QUEUE_ORDER_NOT_CERTAIN, chosen.busy);
    else
        finish(q, order, done);
    mem_free(bounces);
}

/* ---- redirect: the letter's record is written anew, with other recipients */

static void put_recipients(const struct order *order, struct letter *letter,
                           const struct letter_record *record, struct buffer *to)
{
    struct reader old = reader_of(record->to), entries = reader_of(order->to);
    size_t i = 0;
    bool chosen = false;

    for (uint32_t n = 0; n < letter->recipients; n++) {
        struct bytes entry = read_block(&old), other = BYTES_NONE;
        for (chosen = false; i < order->wanted && nth(order, i) <= n; i++) {
            other = read_block(&entries);
            chosen = chosen || (nth(order, i) == n && is_chosen(order, letter, i));
        }
        buffer_put_block(to, chosen && reader_ok(&entries) ? other : entry);
    }
}

static bool write_anew(struct queue *q, struct order *order, struct letter *letter,
                       const struct letter_record *record, uint64_t *marks)
{
    struct buffer to = buffer_with_most(LIMIT_RECORD_BYTES);
    struct buffer payload = buffer_with_most(LIMIT_RECORD_BYTES);
    struct letter_record anew = *record;
    bool well = false;

    put_recipients(order, letter, record, &to);
    anew.to = buffer_bytes(&to);
    if (!to.bad && letter_record_size(&anew) <= LIMIT_RECORD_BYTES) {
        char *at = buffer_grow(&payload, letter_record_size(&anew));
        if (at != NULL)
            letter_record_write(at, &anew);
        well = at != NULL && move_anew(q, letter, buffer_bytes(&payload), marks);
    }
    buffer_done(&to);
    buffer_done(&payload);
    return well;
}

static void gather_redirect(struct queue *q, struct order *order, struct letter *letter,
                            const struct letter_record *record, struct chosen chosen)
{
    uint64_t *marks = mem_new(2 * letter->recipients * sizeof(*marks));

    for (uint32_t i = 0; i < letter->recipients && chosen.busy == 0; i++)
        chosen.busy += letter_rcpt(letter, i)->state == RCPT_AT_WORK;
    if (marks == NULL || chosen.busy > 0) {
        mem_free(marks);
        end(q, order, marks == NULL ? QUEUE_ORDER_NOT_NOW : QUEUE_ORDER_WELL, chosen.busy);
        return;
    }
    for (size_t i = 0; i < order->wanted; i++)
        if (is_chosen(order, letter, i))
            marks[letter->recipients + nth(order, i)] = 1;
    if (!write_anew(q, order, letter, record, marks)) {
        mem_free(marks);
        end(q, order, QUEUE_ORDER_NOT_NOW, 0);
        return;
    }
    struct reader entries = reader_of(order->to);
    for (size_t i = 0; i < order->wanted; i++) {
        struct bytes entry = read_block(&entries);
        if (nth(order, i) < letter->recipients && marks[letter->recipients + nth(order, i)] != 0)
            tell_story(q, order, nth(order, i), entry);
    }
    finish(q, order, chosen);
}

/* ---- the way of an order */

static bool fetch(struct queue *q, struct order *order, const struct letter *letter,
                  struct effects *fx)
{
    order->number = order->number / ORDERS_MOST * ORDERS_MOST + ORDERS_MOST
                  + (uint32_t)(order - q->orders.list);
    order->lsn = letter->lsn;
    order->fetching = record_fetch(q, letter->lsn, letter->length, READER_ORDER, order->number,
                                   fx);
    return order->fetching;
}

static void begin(struct queue *q, struct order *order, struct effects *fx)
{
    const struct letter *letter = index_find(&q->index, order->letter);

    if (letter == NULL)
        end(q, order, QUEUE_ORDER_WELL, 0);
    else
        (void)fetch(q, order, letter, fx);      /* else at the next turn */
}

void order_turn(struct queue *q, struct effects *fx)
{
    for (size_t i = 0; q->orders.n > 0 && i < ORDERS_MOST; i++)
        if (q->orders.list[i].used && !q->orders.list[i].fetching)
            begin(q, &q->orders.list[i], fx);
}

static void run(struct queue *q, struct order *order, struct letter *letter,
                const struct letter_record *record)
{
    struct chosen chosen = choose(order, letter);

    if (chosen.n == 0) {
        end(q, order, QUEUE_ORDER_WELL, chosen.busy);
    } else if (order->verb == QUEUE_REDIRECT) {
        gather_redirect(q, order, letter, record, chosen);
    } else if (order->verb == QUEUE_BOUNCE) {
        gather_bounces(q, order, letter, record, chosen);
    } else {
        gather_states(q, order, letter, record, chosen);
    }
}

void order_record(struct queue *q, uint32_t number, struct bytes payload, enum fault fault,
                  struct effects *fx)
{
    struct order *order = &q->orders.list[number % ORDERS_MOST];
    struct letter_record record;

    if (!order->used || !order->fetching || order->number != number)
        return;
    order->fetching = false;
    struct letter *letter = index_find(&q->index, order->letter);
    if (letter == NULL)
        end(q, order, QUEUE_ORDER_WELL, 0);
    else if (letter->lsn != order->lsn)
        begin(q, order, fx);            /* it was moved meanwhile */
    else if (fault != OK || !letter_record_read(payload, &record)
             || record.recipients != letter->recipients)
        end(q, order, QUEUE_ORDER_NOT_NOW, 0);
    else
        run(q, order, letter, &record);
}

/* All in one buffer; false: no memory. */
static bool keep(struct order *order, const struct queue_order *wanted)
{
    struct buffer *octets = &order->octets;
    const struct bytes parts[] = { { (const char *)wanted->keys.list,
                                     wanted->keys.n * sizeof(*wanted->keys.list) },
                                   wanted->recipients, wanted->to, wanted->reason };

    *octets = buffer_with_most(ORDER_OCTETS_MOST);
    for (size_t i = 0; i < COUNT(parts); i++)
        buffer_put(octets, parts[i]);
    if (octets->bad)
        return false;
    struct bytes all = buffer_bytes(octets);
    struct bytes *const kept[] = { &order->keys, &order->recipients, &order->to, &order->reason };
    for (size_t i = 0; i < COUNT(parts); i++) {
        *kept[i] = bytes_first(all, parts[i].n);
        all = bytes_skip(all, parts[i].n);
    }
    order->wanted = order->recipients.n / sizeof(uint32_t);
    return true;
}

void queue_order(struct queue *q, const struct queue_order *wanted, struct moment now,
                 struct effects *fx)
{
    struct order *order = NULL;

    q->now = now;
    for (size_t i = 0; i < ORDERS_MOST && order == NULL; i++)
        if (!q->orders.list[i].used)
            order = &q->orders.list[i];
    if (order == NULL || q->log.mode == LOG_CLOSED || q->log.mode == LOG_DEAD) {
        answer(q, wanted->token, QUEUE_ORDER_NOT_NOW, 0, 0);
        return;
    }
    *order = (struct order){ .used = true, .number = order->number, .token = wanted->token,
                             .uid = wanted->uid, .verb = wanted->verb,
                             .letter = wanted->letter };
    q->orders.n++;
    if (keep(order, wanted))
        begin(q, order, fx);
    else
        end(q, order, QUEUE_ORDER_NOT_NOW, 0);
}
