/* SPDX-License-Identifier: ISC */
#include "role/once.h"

#include "base/clock.h"
#include "base/id.h"
#include "base/reader.h"
#include "base/safe.h"
#include "mail/envelope.h"
#include "mail/status.h"
#include "role/once_int.h"

#include <string.h>

enum { SHOWN_RECIPIENTS = 20 };

static const char *const body_names[] = {
    [BODY_7BIT] = "7bit", [BODY_8BITMIME] = "8bitmime", [BODY_BINARYMIME] = "binarymime",
};

static const char *what_name(enum history_what what)
{
    static const char *const names[HISTORY_WHATS] = {
        [HISTORY_ACCEPTED] = "accepted", [HISTORY_DELIVERED] = "delivered",
        [HISTORY_DEFERRED] = "deferred", [HISTORY_FAILED] = "failed",
        [HISTORY_RETRIED] = "retried", [HISTORY_HELD] = "held",
        [HISTORY_RELEASED] = "released", [HISTORY_BOUNCED] = "bounced",
        [HISTORY_DELETED] = "deleted", [HISTORY_REDIRECTED] = "redirected",
    };

    return what < HISTORY_WHATS && names[what] != NULL ? names[what] : "unknown";
}

/* ---- in words */

static void put_time(const struct once_trace *trace, uint64_t at_ms, struct buffer *to)
{
    buffer_put(to, BYTES("  "));
    once_put_moment(to, &trace->style, at_ms);
    buffer_put(to, BYTES("  "));
}

static void put_received(const struct once_trace *trace, const struct envelope *envelope,
                         uint64_t size, struct buffer *to)
{
    put_time(trace, envelope->received_ms, to);
    buffer_put(to, BYTES("received from "));
    safe_put_plain(to, envelope->peer);
    buffer_put(to, BYTES(", which called itself "));
    safe_put_plain(to, envelope->helo);
    buffer_put(to, BYTES(", by "));
    safe_put_plain(to, envelope->host);
    buffer_put(to, BYTES(" with "));
    safe_put_plain(to, envelope->protocol);
    buffer_put(to, BYTES("\n      from "));
    once_put_path(to, envelope->sender);
    buffer_put(to, BYTES(", "));
    octets_put(to, size);
    if (envelope->message_id.n > 0) {
        buffer_put(to, BYTES(", Message-ID "));
        once_put_path(to, envelope->message_id);
    }
    buffer_put_char(to, '\n');
}

/* One line each, the first few by name. */
static void put_recipients(const struct once_trace *trace, struct bytes list, struct buffer *to)
{
    struct reader in = reader_of(list);

    for (uint32_t i = 0; i < SHOWN_RECIPIENTS && !reader_empty(&in); i++) {
        struct bytes entry = read_block(&in);
        if (!reader_ok(&in))
            return;
        buffer_put(to, BYTES("      for "));
        once_put_path(to, once_address(entry));
        buffer_put_char(to, '\n');
    }
    if (!reader_empty(&in)) {
        buffer_put(to, BYTES("      and "));
        once_put_count(to, trace->recipients - SHOWN_RECIPIENTS, "more recipient");
        buffer_put_char(to, '\n');
    }
}

static void put_accepted(const struct once_trace *trace, const struct history_event *event,
                         struct buffer *to)
{
    struct envelope envelope;

    if (envelope_read(event->head, &envelope)) {
        put_received(trace, &envelope, event->size, to);
        put_recipients(trace, event->to, to);
    }
    put_time(trace, event->at_ms, to);
    buffer_put(to, BYTES("safe on disk; only now it was answered with 250\n"));
}

static void put_code(const struct history_event *event, struct buffer *to)
{
    status_put(to, STATUS(event->class, event->subject, event->detail));
    if (event->words.n > 0)
        buffer_put_char(to, ' ');
    once_put_words(to, event->words);
}

static uint64_t saved_octets(const struct history_event *event)
{
    return event->what == HISTORY_DELIVERED ? event->size : 0;
}

static void put_attempt(const struct once_trace *trace, const struct history_event *event,
                        struct buffer *to)
{
    static const char *const words[HISTORY_WHATS] = {
        [HISTORY_DELIVERED] = "delivered to ",
        [HISTORY_DEFERRED] = "not delivered yet to ",
        [HISTORY_FAILED] = "could not be delivered to ",
    };

    put_time(trace, event->at_ms, to);
    buffer_put_text(to, words[event->what]);
    once_put_path(to, once_address(event->to));
    buffer_put(to, BYTES(": "));
    put_code(event, to);
    buffer_put(to, BYTES(" (attempt "));
    buffer_put_uint(to, event->attempt);
    if (event->begun_ms > 0 && event->begun_ms <= event->at_ms) {
        buffer_put(to, BYTES(", "));
        buffer_put_uint(to, event->at_ms - event->begun_ms);
        buffer_put(to, BYTES(" ms"));
    }
    if (saved_octets(event) > 0) {
        buffer_put(to, BYTES(", "));
        octets_put(to, saved_octets(event));
        buffer_put(to, BYTES(" saved"));
    }
    buffer_put(to, BYTES(")\n"));
    if (event->what == HISTORY_DEFERRED) {
        buffer_put(to, BYTES("      next attempt at "));
        once_put_moment(to, &trace->style, event->due_ms);
        buffer_put_char(to, '\n');
    }
}

/* What an operator did. */
static bool is_act(const struct history_event *event)
{
    return event->what >= HISTORY_RETRIED;
}

static void put_act(const struct once_trace *trace, const struct history_event *event,
                    struct buffer *to)
{
    static const char *const words[HISTORY_WHATS] = {
        [HISTORY_RETRIED] = "to be tried at once for ",
        [HISTORY_HELD] = "held for ",
        [HISTORY_RELEASED] = "released for ",
        [HISTORY_BOUNCED] = "sent back to the sender in place of ",
        [HISTORY_DELETED] = "deleted for ",
        [HISTORY_REDIRECTED] = "redirected to ",
    };

    put_time(trace, event->at_ms, to);
    buffer_put_text(to, words[event->what]);
    once_put_path(to, once_address(event->to));
    buffer_put(to, BYTES(", by uid "));
    buffer_put_uint(to, event->size);
    if (event->words.n > 0) {
        buffer_put(to, BYTES(": "));
        once_put_words(to, event->words);
    }
    buffer_put_char(to, '\n');
}

/* ---- where it lies now */

static uint32_t count_ends(const struct once_trace *trace, enum history_what what)
{
    uint32_t n = 0;

    for (size_t i = 0; i < COUNT(trace->ends); i++)
        n += trace->ends[i] == what;
    return n;
}

static void put_clause(struct buffer *to, bool *first, uint32_t n, const char *after)
{
    if (n == 0)
        return;
    buffer_put_text(to, *first ? "" : "; ");
    once_put_count(to, n, "recipient");
    buffer_put_text(to, after);
    *first = false;
}

static void put_now(const struct once_trace *trace, struct buffer *to)
{
    uint32_t delivered = count_ends(trace, HISTORY_DELIVERED);
    uint32_t deferred = count_ends(trace, HISTORY_DEFERRED);
    uint32_t failed = count_ends(trace, HISTORY_FAILED);
    uint32_t bounced = count_ends(trace, HISTORY_BOUNCED);
    uint32_t deleted = count_ends(trace, HISTORY_DELETED);
    uint32_t held = count_ends(trace, HISTORY_HELD);
    uint32_t ended = delivered + deferred + failed + bounced + deleted + held;
    uint32_t untried = trace->recipients > ended ? trace->recipients - ended : 0;
    bool first = true;

    buffer_put(to, BYTES("  Now: "));
    put_clause(to, &first, delivered, ": in the mailbox");
    put_clause(to, &first, untried, ": in the queue, not tried yet");
    put_clause(to, &first, deferred, ": in the queue, to be tried again");
    put_clause(to, &first, failed, ": failed, and kept in the queue");
    put_clause(to, &first, held, ": held in the queue");
    put_clause(to, &first, bounced, ": sent back to the sender");
    put_clause(to, &first, deleted, ": deleted");
    buffer_put_text(to, first ? "nothing is known.\n" : ".\n");
}

/* ---- as JSON */

static void put_json_accepted(struct json *json, const struct history_event *event)
{
    struct reader in = reader_of(event->to);
    struct envelope envelope;

    if (envelope_read(event->head, &envelope)) {
        once_json_moment(json, "received", envelope.received_ms);
        json_put_text(json, "peer", envelope.peer);
        json_put_text(json, "helo", envelope.helo);
        json_put_text(json, "protocol", envelope.protocol);
        json_put_text(json, "host", envelope.host);
        json_put_text(json, "sender", envelope.sender);
        json_put_text(json, "message_id", envelope.message_id);
        json_put_text(json, "body", bytes_of(body_names[envelope.body]));
        json_put_bool(json, "smtputf8", envelope.smtputf8);
    }
    json_put_uint(json, "size", event->size);
    json_key(json, "recipients");
    json_put_array(json);
    while (!reader_empty(&in)) {
        struct bytes entry = read_block(&in);
        if (!reader_ok(&in))
            break;
        json_text(json, once_address(entry));
    }
    json_put_array_end(json);
}

static void put_json_attempt(struct json *json, const struct history_event *event)
{
    struct buffer code = buffer_with_most(32);

    json_put_text(json, "recipient", once_address(event->to));
    json_put_uint(json, "recipient_number", event->recipient);
    json_put_uint(json, "attempt", event->attempt);
    if (event->begun_ms > 0 && event->begun_ms <= event->at_ms)
        json_put_uint(json, "took_ms", event->at_ms - event->begun_ms);
    status_put(&code, STATUS(event->class, event->subject, event->detail));
    json_put_text(json, "code", buffer_bytes(&code));
    json_put_text(json, "text", bytes_first(event->words, ONCE_WORDS_MOST));
    if (event->what == HISTORY_DEFERRED)
        once_json_moment(json, "next_attempt", event->due_ms);
    if (saved_octets(event) > 0)
        json_put_uint(json, "octets_saved", saved_octets(event));
    buffer_done(&code);
}

static void put_json_act(struct json *json, const struct history_event *event)
{
    json_put_text(json, "recipient", once_address(event->to));
    json_put_uint(json, "recipient_number", event->recipient);
    json_put_uint(json, "uid", event->size);
    json_put_text(json, "text", bytes_first(event->words, ONCE_WORDS_MOST));
}

static void put_json(const struct history_event *event, struct buffer *to)
{
    struct json json = json_to(to);

    json_put_object(&json);
    json_put_text(&json, "event", bytes_of(what_name(event->what)));
    once_json_id(&json, "id", event->id);
    once_json_moment(&json, "time", event->at_ms);
    if (event->what == HISTORY_ACCEPTED)
        put_json_accepted(&json, event);
    else if (is_act(event))
        put_json_act(&json, event);
    else
        put_json_attempt(&json, event);
    json_put_object_end(&json);
    json_line_end(&json);
}

/* ---- the story */

static void end_letter(struct once_trace *trace, struct buffer *to)
{
    if (trace->letters > 0 && !trace->style.json)
        put_now(trace, to);
}

static void begin_letter(struct once_trace *trace, const struct history_event *event,
                         struct buffer *to)
{
    char id[ID_TEXT];

    end_letter(trace, to);
    if (trace->letters > 0 && !trace->style.json)
        buffer_put_char(to, '\n');
    trace->letters++;
    trace->letter = event->id;
    trace->recipients = 0;
    memset(trace->ends, 0, sizeof(trace->ends));
    if (trace->style.json)
        return;
    id_write(event->id, id);
    buffer_put(to, BYTES("Letter "));
    buffer_put(to, (struct bytes){ id, ID_TEXT });
    buffer_put_char(to, '\n');
    if (event->what != HISTORY_ACCEPTED)
        buffer_put(to, BYTES("  (the beginning of its story is not kept)\n"));
}

static uint32_t count_blocks(struct bytes list)
{
    struct reader in = reader_of(list);
    uint32_t n = 0;

    while (!reader_empty(&in)) {
        (void)read_block(&in);
        if (!reader_ok(&in))
            break;
        n++;
    }
    return n;
}

static void remember(struct once_trace *trace, const struct history_event *event)
{
    if (event->what == HISTORY_ACCEPTED) {
        trace->recipients = count_blocks(event->to);
        return;
    }
    if (event->recipient < COUNT(trace->ends))
        trace->ends[event->recipient] = (uint8_t)event->what;
}

void once_trace_event(struct once_trace *trace, const struct history_event *event,
                      struct buffer *to)
{
    if (event->what < HISTORY_ACCEPTED || event->what >= HISTORY_WHATS)
        return;
    if (trace->letters == 0 || trace->letter != event->id)
        begin_letter(trace, event, to);
    remember(trace, event);
    if (trace->style.json)
        put_json(event, to);
    else if (event->what == HISTORY_ACCEPTED)
        put_accepted(trace, event, to);
    else if (is_act(event))
        put_act(trace, event, to);
    else
        put_attempt(trace, event, to);
}

void once_trace_end(struct once_trace *trace, bool more, struct buffer *to)
{
    end_letter(trace, to);
    if (more && !trace->style.json)
        buffer_put(to, BYTES("\nThere are more letters than are told here: ask for one of them by"
                             " its id or Message-ID.\n"));
}
