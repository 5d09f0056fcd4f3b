/* SPDX-License-Identifier: ISC
 *
 * What the sender of a letter hears of a recipient's end. Who is told what is bounce/decide.h, what
 * a report says bounce/report.h; here they get their facts, and the report its envelope.
 */
#include "role/store_int.h"

#include "base/arena.h"
#include "base/id.h"
#include "base/log.h"
#include "base/plant.h"
#include "base/reader.h"
#include "mail/envelope.h"

enum { KEPT_TEXT = 64 * 1024, REPORT_TARGETS = 16 * 1024 };

void store_reports_init(struct store *store)
{
    store->report_head = buffer_with_most(ENVELOPE_MOST);
    store->report_to = buffer_with_most(2 * REPORT_TARGETS);
    store->report_entry = buffer_with_most(RECIPIENT_MOST);
    store->report_text = buffer_with_most(LIMIT_RECORD_BYTES / 2);
    store->report_id = buffer_with_most(ENVELOPE_ID_MOST);
}

void store_reports_done(struct store *store)
{
    buffer_done(&store->report_head);
    buffer_done(&store->report_to);
    buffer_done(&store->report_entry);
    buffer_done(&store->report_text);
    buffer_done(&store->report_id);
    mem_free(store->limit);
    rules_free(store->rules);
}

/* They all have the same. */
static enum report_action action_of(const struct queue_verdict *verdict)
{
    bool away = verdict->ends->beyond == JOB_RELAYED || verdict->ends->beyond == JOB_TRACED;

    return verdict->ends->outcome == QUEUE_DELIVERED ? (away ? REPORT_RELAYED : REPORT_DELIVERED)
         : verdict->ends->outcome == QUEUE_LATER ? REPORT_DELAYED : REPORT_FAILED;
}

static bool is_late_unasked(const struct bounce_facts *facts)
{
    return facts->action == REPORT_DELAYED && facts->notify == 0
        && facts->age_ms >= facts->delay_ms;
}

/* RFC 2852: the sender who set a time hears when it is over, not when all others do; one that was
   over when the letter came was told of by another server. */
static void set_by(const struct queue_verdict *verdict, const struct envelope *envelope,
                   struct bounce_facts *facts)
{
    if (facts->action == REPORT_RELAYED)
        facts->by = verdict->ends->beyond == JOB_TRACED;
    if (facts->action != REPORT_DELAYED || envelope->by != BY_NOTIFY
        || envelope->by_ms <= verdict->received_ms)
        return;
    facts->by = true;
    facts->delay_ms = envelope->by_ms - verdict->received_ms;
}

static void put_recipient(struct store *store, struct bytes address)
{
    struct buffer *entry = &store->report_entry;
    struct recipient recipient = { .address = address, .notify = DSN_NEVER, .orcpt = BYTES_NONE };

    buffer_clear(entry);
    recipient_put(entry, &recipient);
    buffer_put_block(&store->report_to, buffer_bytes(entry));
    store->report_to.bad = store->report_to.bad || entry->bad;
}

/* The sender, or those that it stands for when it is an alias of ours, as when a letter comes for
   it from outside. One that stands for a crowd, or for itself in a circle, is taken as it is. */
static void put_recipients(struct store *store, struct bytes sender)
{
    struct buffer names = buffer_with_most(REPORT_TARGETS);

    buffer_clear(&store->report_to);
    if (routes_expand(store->routes, sender, false, &names) == ROUTES_CHANGED && !names.bad) {
        struct reader in = reader_of(buffer_bytes(&names));
        while (!reader_empty(&in) && reader_ok(&in))
            put_recipient(store, read_block(&in));
    } else {
        put_recipient(store, sender);
    }
    buffer_done(&names);
}

bool store_put_head(struct store *store, struct envelope *envelope, struct bytes address)
{
    envelope->sender = BYTES_NONE;
    buffer_clear(&store->report_head);
    envelope_put(&store->report_head, envelope);
    put_recipients(store, address);
    return !store->report_head.bad && !store->report_to.bad;
}

/* The letter that carries it, from the null sender to the sender; false: no memory. */
static bool put_envelope(struct store *store, const struct envelope *about,
                         const struct report *report, struct report_needs needs)
{
    struct envelope envelope = {
        .sender = BYTES_NONE, .body = needs.eight_bit ? BODY_8BITMIME : BODY_7BIT,
        .smtputf8 = needs.utf8, .received_ms = report->now_ms, .protocol = BYTES("LOCAL"),
        .helo = report->host, .peer = BYTES("report"), .host = report->host,
        .message_id = buffer_bytes(&store->report_id), .envid = BYTES_NONE,
        .priority = about->priority,        /* RFC 6710 */
    };

    return store_put_head(store, &envelope, about->sender);
}

/* Without memory for all of them, NULL. The entries were read before: store_wants. */
static struct report_group *groups_of(const struct store *store,
                                      const struct queue_verdict *verdict,
                                      const struct envelope *envelope)
{
    bool back = envelope->by == BY_RETURN;
    struct report_group *groups = mem_new(verdict->ends_n * sizeof(*groups));

    for (size_t i = 0; groups != NULL && i < verdict->ends_n; i++) {
        const struct queue_end *end = &verdict->ends[i];
        groups[i] = (struct report_group){
            .words = end->words, .remote = end->remote, .reply = end->reply,
            .code = STATUS(end->class, end->subject, end->detail), .attempt_ms = end->at_ms,
        };
        if (!recipient_read(end->to, &groups[i].recipient))
            groups[i].recipient = (struct recipient){ .address = BYTES_NONE };
        struct conf_for what;
        conf_for_address(store->conf, groups[i].recipient.address, &what);
        uint64_t until_ms = verdict->received_ms + what.give_up_ms;
        if (back && envelope->by_ms < until_ms)
            until_ms = envelope->by_ms;
        groups[i].retry_until_ms = end->stays && !back ? 0 : until_ms;
    }
    return groups;
}

static enum queue_report put_report(struct store *store, const struct queue_verdict *verdict,
                                    const struct envelope *envelope)
{
    struct report_group *groups = groups_of(store, verdict, envelope);
    struct report_needs needs;
    struct report report = {
        .action = action_of(verdict), .envelope = envelope, .letter = verdict->id,
        .serial = verdict->ends->recipient * 1000 + verdict->ends->attempt,
        .host = store->conf->host, .now_ms = verdict->ends->at_ms, .groups = groups,
        .groups_n = verdict->ends_n, .text = verdict->text,
        .whole = verdict->text.n == verdict->size, .most = verdict->most,
        .rules = &store->rules,
    };

    if (groups == NULL)
        return QUEUE_REPORT_NOT_NOW;
    buffer_shrink(&store->report_text, KEPT_TEXT);
    buffer_clear(&store->report_id);
    report_write(&store->report_text, &report, &needs);
    report_id_put(&store->report_id, &report);
    mem_free(groups);
    if (verdict->ends_n > 1
        && (store->report_text.bad || store->report_text.n > verdict->most))
        return QUEUE_REPORT_TOO_LARGE;
    return !store->report_text.bad && !store->report_id.bad
        && put_envelope(store, envelope, &report, needs)
         ? QUEUE_REPORT_WRITTEN : QUEUE_REPORT_NOT_NOW;
}

static void say(struct store *store, const struct queue_verdict *verdict, const char *what,
                const char *why)
{
    char id[ID_TEXT];
    struct buffer *line = fx_draft(store->fx);

    id_write(verdict->id, id);
    log_begin(line, what);
    log_ours(line, "id", (struct bytes){ id, ID_TEXT });
    log_uint(line, "recipient", verdict->ends->recipient);
    log_uint(line, "recipients", verdict->ends_n);
    log_ours(line, "why", bytes_of(why));
    fx_log(store->fx, LOG_WARN, fx_keep(store->fx, buffer_bytes(line)));
}

static enum queue_report hold(struct store *store, const struct queue_verdict *verdict,
                              const char *why)
{
    if (verdict->ends->outcome == QUEUE_FAILED) {
        say(store, verdict, "report_held", why);
        return QUEUE_REPORT_HOLD;
    }
    say(store, verdict, "report_none", why);
    return QUEUE_REPORT_NONE;
}

enum queue_report store_wants(void *of, const struct queue_verdict *verdict)
{
    struct store *store = of;
    const struct queue_end *end = verdict->ends;
    struct envelope envelope;
    struct recipient recipient;

    if (end->outcome == QUEUE_FAILED && PLANTED(report_lost))
        return QUEUE_REPORT_NONE;
    if (!envelope_read(verdict->head, &envelope) || !recipient_read(end->to, &recipient))
        return QUEUE_REPORT_HOLD;
    if (end->outcome == QUEUE_DELIVERED && end->beyond == JOB_PASSED)
        return QUEUE_REPORT_NONE;       /* the next server tells what the sender asked for */
    if (store_tlsrpt_is(&envelope))
        return QUEUE_REPORT_NONE;       /* nobody was promised it, and tomorrow's comes anyway */
    struct conf_for what;
    conf_for_address(store->conf, recipient.address, &what);
    struct bounce_facts facts = {
        .action = action_of(verdict), .notify = recipient.notify,
        .null_sender = envelope.sender.n == 0, .delay_ms = what.delay_report_ms,
        .age_ms = end->at_ms > verdict->received_ms ? end->at_ms - verdict->received_ms : 0,
    };
    set_by(verdict, &envelope, &facts);
    facts.bulk = is_late_unasked(&facts) && bounce_is_bulk(verdict->text);
    switch (bounce_decide(&facts)) {
    case BOUNCE_TELL:
        return QUEUE_REPORT_WRITTEN;
    case BOUNCE_SILENT:
        return QUEUE_REPORT_NONE;
    case BOUNCE_HOLD:
        return hold(store, verdict, "the letter has no sender to tell");
    }
    return QUEUE_REPORT_HOLD;
}

enum queue_report store_report(void *of, const struct queue_verdict *verdict,
                               struct queue_letter *ret_letter, struct queue_keys *ret_keys)
{
    struct store *store = of;
    uint64_t now_ms = verdict->ends->at_ms;
    struct envelope envelope;

    if (!envelope_read(verdict->head, &envelope))
        return QUEUE_REPORT_HOLD;
    if (store->limit == NULL)
        store->limit = mem_new(sizeof(*store->limit));
    if (store->limit == NULL)
        return QUEUE_REPORT_NOT_NOW;
    if (!bounce_limit_take(store->limit, envelope.sender, now_ms,
                           (uint32_t)store->conf->reports_per_hour))
        return hold(store, verdict, "the sender was told often enough in this hour");
    enum queue_report answer = put_report(store, verdict, &envelope);
    if (answer != QUEUE_REPORT_WRITTEN) {
        bounce_limit_give_back(store->limit, envelope.sender, now_ms);
        return answer;
    }
    *ret_letter = (struct queue_letter){ .head = buffer_bytes(&store->report_head),
                                         .to = buffer_bytes(&store->report_to),
                                         .text = buffer_bytes(&store->report_text) };
    *ret_keys = store_keys(store, ret_letter->head, ret_letter->to);
    return QUEUE_REPORT_WRITTEN;
}
