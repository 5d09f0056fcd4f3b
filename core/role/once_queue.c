/* SPDX-License-Identifier: ISC */
#include "role/once.h"

#include "base/clock.h"
#include "base/id.h"
#include "base/reader.h"
#include "mail/envelope.h"
#include "role/once_int.h"

/* A row in which nothing was tried yet waits for its first turn. */
static const char *state_of(const struct wire_queue_row *row)
{
    return row->held ? "held" : row->attempts == 0 ? "new" : "waiting";
}

static void put_letter(const struct once_style *style, const struct once_letter *letter,
                       struct buffer *to)
{
    struct envelope envelope;
    char id[ID_TEXT];
    uint64_t age = style->now_ms > letter->received_ms ? style->now_ms - letter->received_ms : 0;

    id_write(letter->id, id);
    buffer_put(to, (struct bytes){ id, ID_TEXT });
    buffer_put(to, BYTES("  "));
    span_put(to, age);
    buffer_put(to, BYTES(" old, "));
    octets_put(to, letter->size);
    buffer_put(to, BYTES(", from "));
    if (envelope_read(letter->head, &envelope))
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
    if (row->at_work)
        buffer_put(to, BYTES("  being delivered now: "));
    else if (row->held)
        buffer_put(to, BYTES("  held: kept until somebody acts; "));
    else
        buffer_put_text(to, row->attempts == 0 ? "  new: not tried yet" : "  waiting: ");
    if (row->attempts > 0)
        once_put_count(to, row->attempts, "attempt");
    if (!row->held && !row->at_work && row->attempts > 0) {
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

static void put_json_sender(struct json *json, struct bytes head)
{
    struct envelope envelope;

    json_key(json, "sender");
    if (envelope_read(head, &envelope))
        json_text(json, envelope.sender);
    else
        json_put_null(json);
}

static void put_json(const struct wire_queue_row *row, struct buffer *to)
{
    struct json json = json_to(to);

    json_put_object(&json);
    once_json_id(&json, "id", row->letter);
    once_json_moment(&json, "received", row->received_ms);
    json_put_uint(&json, "size", row->size);
    put_json_sender(&json, row->head);
    json_put_text(&json, "recipient", once_address(row->to));
    json_put_uint(&json, "recipient_number", row->recipient);
    json_put_text(&json, "state", bytes_of(state_of(row)));
    json_put_bool(&json, "in_flight", row->at_work != 0);
    json_put_uint(&json, "attempts", row->attempts);
    json_key(&json, "next_attempt");
    if (row->held || row->at_work || row->due_ms == 0) {
        json_put_null(&json);
    } else {
        struct buffer text = buffer_with_most(64);
        clock_put(&text, row->due_ms);
        json_text(&json, buffer_bytes(&text));
        buffer_done(&text);
    }
    json_put_text(&json, "reason", bytes_first(row->note, ONCE_WORDS_MOST));
    json_put_object_end(&json);
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
        put_letter(&queue->style, &(struct once_letter){
            .id = row->letter, .size = row->size, .received_ms = row->received_ms,
            .head = row->head }, to);
    put_recipient(&queue->style, row, to);
}

/* ---- as the files tell it */

static void put_letter_json(const struct once_letter *letter, struct buffer *to)
{
    struct reader in = reader_of(letter->to);
    struct json json = json_to(to);

    json_put_object(&json);
    once_json_id(&json, "id", letter->id);
    once_json_moment(&json, "received", letter->received_ms);
    json_put_uint(&json, "size", letter->size);
    put_json_sender(&json, letter->head);
    once_json_recipients(&json, &in);
    json_put_uint(&json, "unfinished", letter->left);
    json_put_bool(&json, "held", letter->held);
    json_put_object_end(&json);
    json_line_end(&json);
}

static void put_letter_recipients(const struct once_letter *letter, struct buffer *to)
{
    struct reader in = reader_of(letter->to);

    while (!reader_empty(&in)) {
        struct bytes entry = read_block(&in);
        if (!reader_ok(&in))
            break;
        buffer_put(to, BYTES("    "));
        once_put_path(to, once_address(entry));
        buffer_put_char(to, '\n');
    }
    buffer_put(to, BYTES("    "));
    buffer_put_uint(to, letter->left);
    buffer_put(to, BYTES(" of "));
    once_put_count(to, letter->recipients, "recipient");
    buffer_put_text(to, letter->held ? " not finished; one at least is held\n" : " not finished\n");
}

void once_queue_letter(struct once_queue *queue, const struct once_letter *letter,
                       struct buffer *to)
{
    queue->letters++;
    queue->octets += letter->size;
    queue->recipients += letter->left;
    if (queue->style.json) {
        put_letter_json(letter, to);
        return;
    }
    put_letter(&queue->style, letter, to);
    put_letter_recipients(letter, to);
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
