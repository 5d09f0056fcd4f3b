/* SPDX-License-Identifier: ISC */
#include "queue/arrive_int.h"
#include "queue/queue_int.h"

#include "base/arena.h"
#include "base/hash.h"
#include "base/reader.h"

#include <assert.h>
#include <string.h>

enum { TOKEN_OCTETS_BITS = 20 };
_Static_assert(LIMIT_LETTER_CREDIT < 1 << TOKEN_OCTETS_BITS, "what one write is about");

static uint64_t key_of(struct queue_from from)
{
    return (uint64_t)from.peer << 32 | from.token;
}

static struct arriving *find(const struct queue *q, struct queue_from from)
{
    return table_get(&q->arrivals.by_from, key_of(from));
}

static void free_letter(struct arriving *a)
{
    buffer_done(&a->to);
    buffer_done(&a->text);
    buffer_done(&a->head);
    buffer_done(&a->keys);
    mem_free(a);
}

void arrivals_done(struct arrivals *arrivals)
{
    for (size_t i = 0; i < arrivals->by_serial.room; i++)
        if (arrivals->by_serial.cells[i].value != NULL)
            free_letter(arrivals->by_serial.cells[i].value);
    table_done(&arrivals->by_serial);
    table_done(&arrivals->by_from);
}

static void unwait(struct arrivals *arrivals, struct arriving *a)
{
    struct arriving **at = &arrivals->waiting;

    while (*at != NULL && *at != a)
        at = &(*at)->next;
    if (*at == a)
        *at = a->next;
}

static void leave_file(struct arriving *a, bool keep, struct effects *fx)
{
    if (a->state != ARRIVING_IN_FILE && a->state != ARRIVING_CLOSING)
        return;
    body_close(fx, a->slot, a->body);
    if (!keep)
        body_remove(fx, a->body);
}

/* Out of the tables and the memory. Its file, if it has one, is closed; `keep` it or let it go. */
static void forget(struct queue *q, struct arriving *a, bool keep, struct effects *fx)
{
    if (a->state == ARRIVING_WAITS)
        unwait(&q->arrivals, a);
    leave_file(a, keep, fx);
    q->arrivals.held -= a->text.n;
    buffer_clear(&a->text);
    if (a->state != ARRIVING_DEAD)
        table_remove(&q->arrivals.by_from, key_of(a->from));
    if (a->state == ARRIVING_MAKES) {
        a->state = ARRIVING_DEAD;
        return;
    }
    table_remove(&q->arrivals.by_serial, a->serial);
    free_letter(a);
}

static void refuse(struct queue *q, struct arriving *a, enum queue_refusal why, struct effects *fx)
{
    news_refused(q, a->from, why);
    forget(q, a, false, fx);
}

static enum queue_refusal refusal_of(enum fault fault)
{
    return fault == FAULT_NO_SPACE || fault == FAULT_QUOTA
         ? QUEUE_NO_SPACE : QUEUE_NOT_NOW;
}

static bool closed(const struct queue *q, enum queue_refusal *ret_why)
{
    *ret_why = q->told == QUEUE_LOW ? QUEUE_NO_SPACE : QUEUE_NOT_NOW;
    return q->told != QUEUE_OPEN;
}

bool queue_begin(struct queue *q, struct queue_from from, bool binary, uint64_t size,
                 struct effects *fx)
{
    enum queue_refusal why;

    if (find(q, from) != NULL)
        return false;
    struct arriving *a = NULL;
    if (closed(q, &why) || q->arrivals.by_from.n >= ARRIVING_MOST
        || (a = mem_new(sizeof(*a))) == NULL) {
        news_refused(q, from, why);
        return true;
    }
    *a = (struct arriving){ .from = from, .binary = binary, .serial = ++q->arrivals.last_serial,
                            .allowed = LIMIT_LETTER_CREDIT, .declared = size,
                            .to = buffer_with_most(ARRIVING_TO),
                            .text = buffer_with_most(LIMIT_LETTER_CREDIT),
                            .head = buffer_with_most(LIMIT_ENVELOPE_BYTES),
                            .keys = buffer_with_most(1 << 20) };
    if (!table_put(&q->arrivals.by_serial, a->serial, a)) {
        free_letter(a);
        news_refused(q, from, QUEUE_NOT_NOW);
    } else if (!table_put(&q->arrivals.by_from, key_of(from), a)) {
        refuse(q, a, QUEUE_NOT_NOW, fx);
    }
    return true;
}

bool queue_to(struct queue *q, struct queue_from from, struct bytes to)
{
    struct arriving *a = find(q, from);

    if (a != NULL)
        buffer_put(&a->to, to);
    return a == NULL || !a->ended;
}

struct bytes queue_gathered(const struct queue *q, struct queue_from from)
{
    const struct arriving *a = find(q, from);

    return a == NULL ? BYTES_NONE : buffer_bytes(&a->to);
}

/* The letter, and how many octets that write was about. */
static uint64_t body_token(uint64_t serial, size_t n)
{
    assert(n < 1 << TOKEN_OCTETS_BITS);
    return serial << TOKEN_OCTETS_BITS | n;
}

static bool open_file(struct queue *q, struct arriving *a, struct effects *fx)
{
    if (slots_free(q) <= ARRIVING_SLOTS_LEFT || !slot_take(q, &a->slot))
        return false;
    a->body = id_next(q);
    a->state = ARRIVING_MAKES;
    body_create(fx, a->slot, a->body, token_of(FOR_BODY, body_token(a->serial, 0)));
    return true;
}

/* Hand the gathered octets over to be written; the buffer's memory goes with them. */
static void write_out(struct queue *q, struct arriving *a, struct effects *fx)
{
    if (a->text.n == 0)
        return;
    body_write(fx, a->slot, a->body, a->written, a->text.at, a->text.n,
               token_of(FOR_BODY, body_token(a->serial, a->text.n)));
    a->written += a->text.n;
    q->arrivals.held -= a->text.n;
    a->text = buffer_with_most(LIMIT_LETTER_CREDIT);
}

static void to_file(struct queue *q, struct arriving *a, struct effects *fx)
{
    if (a->state != ARRIVING_SMALL)
        return;
    if (open_file(q, a, fx))
        return;
    a->state = ARRIVING_WAITS;
    struct arriving **at = &q->arrivals.waiting;
    while (*at != NULL)
        at = &(*at)->next;
    a->next = NULL;
    *at = a;
}

static uint64_t inline_most(const struct queue *q)
{
    uint64_t eighth = q->conf.segment_bytes / 8;
    uint64_t most = q->arrivals.held > ARRIVING_HELD ? ARRIVING_SMALL_WHEN_FULL : LIMIT_INLINE_TEXT;

    return most < eighth ? most : eighth;
}

bool queue_part(struct queue *q, struct queue_from from, struct bytes text, struct effects *fx)
{
    struct arriving *a = find(q, from);

    if (a == NULL)
        return true;
    if (a->ended || a->allowed - a->size < text.n) {
        refuse(q, a, QUEUE_NOT_NOW, fx);
        return false;
    }
    buffer_put(&a->text, text);
    if (a->text.bad) {
        a->text.bad = false;
        refuse(q, a, QUEUE_NOT_NOW, fx);
        return true;
    }
    q->arrivals.held += text.n;
    a->size += text.n;
    a->crc = crc32c(a->crc, text);
    if (a->size > inline_most(q) || a->declared > inline_most(q))
        to_file(q, a, fx);
    if (a->state == ARRIVING_IN_FILE && a->text.n >= ARRIVING_PIECE)
        write_out(q, a, fx);
    return true;
}

static void close_file(struct queue *q, struct arriving *a, struct effects *fx)
{
    write_out(q, a, fx);
    a->state = ARRIVING_CLOSING;
    body_finish(fx, a->slot, a->body, token_of(FOR_BODY_END, body_token(a->serial, 0)));
}

/* Why log_fits said no. */
static enum queue_refusal why_not(const struct queue *q)
{
    bool full = q->log.mode == LOG_READY || q->log.mode == LOG_WRITING || q->log.mode == LOG_BIRTH;

    return full ? QUEUE_NO_SPACE : QUEUE_NOT_NOW;
}

/* Gather the record of a letter; 0 when it was, else why not. */
static enum queue_refusal gather(struct queue *q, struct queue_from from,
                                 const struct letter_record *letter, struct queue_keys keys)
{
    uint64_t payload = letter_record_size(letter), size = record_size(payload);

    if (payload > LIMIT_RECORD_BYTES
        || size > q->conf.segment_bytes - SEGMENT_HEAD - SEAL_BYTES)
        return QUEUE_TOO_LARGE;
    if (!log_fits(q, size, true))
        return why_not(q);
    uint64_t id = id_next(q);
    story_accepted(q, id, letter, keys);
    struct place place = log_place(q, RECORD_LETTER, id, payload);
    letter_record_write(place.at + RECORD_HEAD, letter);
    log_placed(q, &place, 0);
    log_fate(q, &(struct fate){
        .kind = FATE_LETTER, .from = from, .body = letter->body,
        .letter = { .id = id, .lsn = place.record.lsn, .size = letter->size,
                    .length = (uint32_t)size, .recipients = (uint16_t)letter->recipients,
                    .flags = letter->flags & (LETTER_BINARY | LETTER_BODY) } });
    log_urge(q);
    cache_keep(q, id, (struct bytes){ place.at + RECORD_HEAD, payload });
    return 0;
}

void queue_put(struct queue *q, struct queue_from from, const struct queue_letter *letter,
               struct queue_keys keys, struct moment now, struct effects *fx)
{
    struct letter_record record = {
        .flags = letter->binary ? LETTER_BINARY : 0, .received_ms = now.wall_ms,
        .size = letter->text.n, .head = letter->head, .to = letter->to, .text = letter->text,
    };
    enum queue_refusal why;

    q->now = now;
    if (!closed(q, &why))
        why = recipients_count(letter->to, &record.recipients)
            ? gather(q, from, &record, keys) : QUEUE_TOO_LARGE;
    if (why != 0)
        news_refused(q, from, why);
}

/* The end of a letter that is all in memory: as if it had come in one piece. */
static void end_small(struct queue *q, struct arriving *a, struct bytes head,
                      struct queue_keys keys, struct effects *fx)
{
    struct queue_from from = a->from;
    struct queue_letter letter = { .head = head, .to = buffer_bytes(&a->to),
                                   .text = buffer_bytes(&a->text), .binary = a->binary };

    queue_put(q, from, &letter, keys, q->now, fx);
    forget(q, a, false, fx);
}

static bool fits_record(const struct queue *q, const struct arriving *a, struct bytes head)
{
    uint64_t most = q->conf.segment_bytes - SEGMENT_HEAD - SEAL_BYTES - RECORD_HEAD - 8;
    uint64_t payload = 64 + head.n + a->to.n + a->text.n;

    return payload <= most && payload <= LIMIT_RECORD_BYTES;
}

bool queue_end(struct queue *q, struct queue_from from, uint64_t size, struct bytes head,
               struct queue_keys keys, struct moment now, struct effects *fx)
{
    struct arriving *a = find(q, from);

    q->now = now;
    if (a == NULL)
        return true;
    if (a->ended || a->size != size || a->to.bad) {
        bool ours = a->to.bad && !a->ended;
        refuse(q, a, QUEUE_NOT_NOW, fx);
        return ours;
    }
    if (a->state == ARRIVING_SMALL && fits_record(q, a, head)) {
        end_small(q, a, head, keys, fx);
        return true;
    }
    to_file(q, a, fx);
    buffer_put(&a->head, head);
    buffer_put(&a->keys, (struct bytes){ (const char *)keys.list, keys.n * sizeof(*keys.list) });
    if (a->head.bad || a->keys.bad) {
        refuse(q, a, QUEUE_NOT_NOW, fx);
        return true;
    }
    a->ended = true;
    if (a->state == ARRIVING_IN_FILE)
        close_file(q, a, fx);
    return true;
}

/* The body file is safe: now the record that names it. */
static void body_safe(struct queue *q, struct arriving *a, struct effects *fx)
{
    struct letter_record record = {
        .flags = (uint8_t)(LETTER_BODY | (a->binary ? LETTER_BINARY : 0)), .crc = a->crc,
        .received_ms = q->now.wall_ms, .size = a->size, .body = a->body,
        .head = buffer_bytes(&a->head), .to = buffer_bytes(&a->to),
    };
    const uint64_t *list = (const uint64_t *)(const void *)a->keys.at;
    struct queue_keys keys = { list, a->keys.n / sizeof(uint64_t) };
    enum queue_refusal why = QUEUE_TOO_LARGE;

    if (recipients_count(record.to, &record.recipients))
        why = gather(q, a->from, &record, keys);
    if (why != 0)
        refuse(q, a, why, fx);
    else
        forget(q, a, true, fx);
}

/* Its file is there, or not. */
static void made(struct queue *q, struct arriving *a, enum fault fault, struct effects *fx)
{
    bool dead = a->state == ARRIVING_DEAD;

    if (fault != OK) {
        slot_free(q, a->slot);
        a->state = ARRIVING_SMALL;
    } else {
        a->state = ARRIVING_IN_FILE;
    }
    if (dead) {
        leave_file(a, false, fx);
        table_remove(&q->arrivals.by_serial, a->serial);
        free_letter(a);
    } else if (fault != OK) {
        refuse(q, a, refusal_of(fault), fx);
    } else if (a->ended) {
        close_file(q, a, fx);
    } else {
        write_out(q, a, fx);
    }
}

void arrive_io(struct queue *q, struct token token, const struct event *event, struct effects *fx)
{
    struct arriving *a = table_get(&q->arrivals.by_serial, token.data >> TOKEN_OCTETS_BITS);
    uint32_t octets = (uint32_t)(token.data & ((1 << TOKEN_OCTETS_BITS) - 1));

    if (a == NULL)
        return;
    if (a->state == ARRIVING_MAKES || a->state == ARRIVING_DEAD) {
        made(q, a, event->fault, fx);
        return;
    }
    if (event->fault != OK && event->fault != FAULT_SKIPPED && a->fault == OK)
        a->fault = event->fault;
    if (token.purpose == FOR_BODY_END && !token.step) {
        enum fault fault = a->fault != OK ? a->fault : event->fault;
        if (fault == OK)
            body_safe(q, a, fx);
        else
            refuse(q, a, refusal_of(fault), fx);
    } else if (a->fault != OK && a->state == ARRIVING_IN_FILE) {
        refuse(q, a, refusal_of(a->fault), fx);
    } else if (token.purpose == FOR_BODY && a->state == ARRIVING_IN_FILE) {
        a->allowed += octets;
        news_tell(q, &(struct queue_news){ .kind = NEWS_CREDIT, .from = a->from,
                                           .octets = octets });
    }
}

void arrive_turn(struct queue *q, struct effects *fx)
{
    struct arriving *a;

    while ((a = q->arrivals.waiting) != NULL && open_file(q, a, fx))
        q->arrivals.waiting = a->next;
}

void queue_drop(struct queue *q, struct queue_from from, struct effects *fx)
{
    struct arriving *a = find(q, from);

    if (a != NULL)
        forget(q, a, false, fx);
}

void queue_drop_peer(struct queue *q, uint32_t peer, struct effects *fx)
{
    struct table *table = &q->arrivals.by_serial;
    struct arriving *list = NULL;

    for (size_t i = table->room; i > 0; i--) {
        struct arriving *a = table->cells[i - 1].value;
        if (a == NULL || a->from.peer != peer || a->state == ARRIVING_DEAD)
            continue;
        a->doomed = list;
        list = a;
    }
    while (list != NULL) {
        struct arriving *next = list->doomed;
        forget(q, list, false, fx);
        list = next;
    }
}
