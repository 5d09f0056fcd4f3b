/* SPDX-License-Identifier: ISC */
#include "role/once.h"

#include "base/clock.h"
#include "base/id.h"
#include "base/safe.h"
#include "mail/envelope.h"
#include "role/once_int.h"

/* A row in which nothing was tried yet waits for its first turn. */
static const char *state_of(const struct wire_queue_row *row)
{
    return row->held ? "held" : row->attempts == 0 ? "new" : "waiting";
}

static void put_letter(const struct once_style *style, const struct wire_queue_row *row,
                       struct buffer *to)
{
    struct envelope envelope;
    char id[ID_TEXT];
    uint64_t age = style->now_ms > row->received_ms ? style->now_ms - row->received_ms : 0;

    id_write(row->letter, id);
    buffer_put(to, (struct bytes){ id, ID_TEXT });
    buffer_put(to, BYTES("  "));
    span_put(to, age);
    buffer_put(to, BYTES(" old, "));
    octets_put(to, row->size);
    buffer_put(to, BYTES(", from "));
    if (envelope_read(row->head, &envelope))
        once_put_path(to, envelope.sender);
    else
        buffer_put(to, BYTES("a sender that cannot be read"));
    buffer_put_char(to, '\n');
}

static void put_recipient(const struct once_style *style, const struct wire_queue_row *row,
                          struct buffer *to)
{
    buffer_put(to, BYTES("    "));
    once_put_path(to, once_address(row->to));
    if (row->held)
        buffer_put(to, BYTES("  held: it cannot be delivered and is kept; "));
    else
        buffer_put_text(to, row->attempts == 0 ? "  new: not tried yet" : "  waiting: ");
    if (row->attempts > 0)
        once_put_count(to, row->attempts, "attempt");
    if (!row->held && row->attempts > 0) {
        buffer_put(to, BYTES(", next at "));
        once_put_moment(to, style, row->due_ms);
    }
    buffer_put_char(to, '\n');
    if (row->note.n > 0) {
        buffer_put(to, BYTES("        "));
        once_put_words(to, row->note);
        buffer_put_char(to, '\n');
    }
}

static void put_json(const struct wire_queue_row *row, struct buffer *to)
{
    struct json json = json_to(to);
    struct envelope envelope;

    json_object(&json);
    once_json_id(&json, "id", row->letter);
    once_json_moment(&json, "received", row->received_ms);
    json_put_uint(&json, "size", row->size);
    json_key(&json, "sender");
    if (envelope_read(row->head, &envelope))
        json_text(&json, envelope.sender);
    else
        json_null(&json);
    json_put_text(&json, "recipient", once_address(row->to));
    json_put_uint(&json, "recipient_number", row->recipient);
    json_put_text(&json, "state", bytes_of(state_of(row)));
    json_put_uint(&json, "attempts", row->attempts);
    json_key(&json, "next_attempt");
    if (row->held || row->due_ms == 0) {
        json_null(&json);
    } else {
        struct buffer text = buffer_with_most(64);
        clock_put(&text, row->due_ms);
        json_text(&json, buffer_bytes(&text));
        buffer_done(&text);
    }
    json_put_text(&json, "reason", bytes_first(row->note, ONCE_WORDS_MOST));
    json_object_end(&json);
    json_line_end(&json);
}

void once_queue_row(struct once_queue *queue, const struct wire_queue_row *row, struct buffer *to)
{
    bool another = queue->recipients == 0 || queue->letter != row->letter;

    if (another) {
        queue->letters++;
        queue->octets += row->size;
        queue->letter = row->letter;
    }
    queue->recipients++;
    if (queue->style.json) {
        put_json(row, to);
        return;
    }
    if (another)
        put_letter(&queue->style, row, to);
    put_recipient(&queue->style, row, to);
}

void once_queue_end(const struct once_queue *queue, struct buffer *to)
{
    if (queue->style.json)
        return;
    if (queue->letters == 0) {
        buffer_put(to, BYTES("The queue is empty.\n"));
        return;
    }
    once_put_count(to, queue->letters, "letter");
    buffer_put(to, BYTES(", "));
    once_put_count(to, queue->recipients, "recipient");
    buffer_put(to, BYTES(", "));
    octets_put(to, queue->octets);
    buffer_put(to, BYTES(".\n"));
}

/* ---- status */

static const char *state_name(enum store_state state)
{
    static const char *const names[] = {
        [STORE_CLOSED] = "closed", [STORE_OPEN] = "open", [STORE_LOW] = "low",
        [STORE_READ_ONLY] = "read-only",
    };

    return names[state];
}

static const char *state_words(enum store_state state)
{
    static const char *const words[] = {
        [STORE_CLOSED] = "It is not ready yet: no letter is taken.",
        [STORE_OPEN] = "It takes letters.",
        [STORE_LOW] = "Its disk is nearly full: letters are refused for now (452 4.3.1).",
        [STORE_READ_ONLY] = "Its disk failed: letters are refused for now (451 4.3.0).",
    };

    return words[state];
}

static void put_status_json(enum store_state state, const struct wire_status_is *status,
                            struct buffer *to)
{
    struct json json = json_to(to);

    json_object(&json);
    json_put_text(&json, "state", bytes_of(state_name(state)));
    once_json_moment(&json, "since", status->since_ms);
    json_put_uint(&json, "queued", status->letters);
    json_put_uint(&json, "accepted", status->accepted);
    json_put_uint(&json, "delivered", status->delivered);
    json_put_uint(&json, "deferred", status->deferred);
    json_put_uint(&json, "failed", status->failed);
    json_object_end(&json);
    json_line_end(&json);
}

void once_status(const struct once_style *style, enum store_state state,
                 const struct wire_status_is *status, struct buffer *to)
{
    if (style->json) {
        put_status_json(state, status, to);
        return;
    }
    buffer_put(to, BYTES("The store runs since "));
    once_put_moment(to, style, status->since_ms);
    buffer_put(to, BYTES(". "));
    buffer_put_text(to, state_words(state));
    buffer_put_char(to, '\n');
    once_put_count(to, status->letters, "letter");
    buffer_put(to, BYTES(" in the queue.\nSince then: "));
    once_put_count(to, status->accepted, "letter");
    buffer_put(to, BYTES(" accepted; "));
    once_put_count(to, status->delivered, "recipient");
    buffer_put(to, BYTES(" delivered; "));
    once_put_count(to, status->deferred, "attempt");
    buffer_put(to, BYTES(" to be repeated, "));
    buffer_put_uint(to, status->failed);
    buffer_put(to, BYTES(" failed for good.\n"));
}
