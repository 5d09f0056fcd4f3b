/* SPDX-License-Identifier: ISC */
#include "queue/list_int.h"
#include "queue/queue_int.h"

enum { NOTE_MOST = 1024, STATE_READ = RECORD_HEAD + STATE_FIXED + STATE_WORDS + 7 };

/* Rows that were told just now still borrow from the payload: it goes at the next turn. */
static void end(struct queue *q, struct listing *listing, uint8_t more)
{
    news_tell(q, &(struct queue_news){ .kind = NEWS_ANSWER_END, .token = listing->token,
                                       .more = more });
    *listing = (struct listing){ .number = listing->number, .payload = listing->payload };
}

void listings_done(struct listings *listings)
{
    for (size_t i = 0; i < LISTINGS_MOST; i++)
        buffer_done(&listings->list[i].payload);
}

/* A record that is still being read for one of them finds it gone, or another question's number. */
void listings_forget(struct listings *listings)
{
    for (size_t i = 0; i < LISTINGS_MOST; i++) {
        struct listing *listing = &listings->list[i];
        buffer_done(&listing->payload);
        *listing = (struct listing){ .number = listing->number };
    }
}

/* What is to be read next, with an answer that is told from those of earlier questions. */
static bool fetch(struct queue *q, struct listing *listing, uint64_t lsn, uint32_t length,
                  struct effects *fx)
{
    uint32_t place = (uint32_t)(listing - q->listings.list);

    listing->number += LISTINGS_MOST;
    listing->fetching = record_fetch(q, lsn, length, READER_LISTING, listing->number + place, fx);
    return listing->fetching;
}

static void tell_row(struct queue *q, struct listing *listing, const struct letter *letter,
                     const struct rcpt *rcpt, struct bytes note, uint64_t noted_ms)
{
    struct letter_record record = { 0 };
    uint64_t wait = rcpt->due > q->now.mono_ms ? rcpt->due - q->now.mono_ms : 0;

    if (!letter_record_read(buffer_bytes(&listing->payload), &record))
        note = BYTES("its record on disk cannot be read");
    news_tell(q, &(struct queue_news){
        .kind = NEWS_ROW, .token = listing->token, .id = letter->id,
        .recipient = listing->recipient, .size = letter->size, .received_ms = record.received_ms,
        .attempt = rcpt->attempts, .failed = rcpt->state == RCPT_HELD,
        .at_work = rcpt->state == RCPT_AT_WORK,
        .due_ms = rcpt->state == RCPT_HELD ? 0 : q->now.wall_ms + wait, .head = record.head,
        .to = recipients_nth(record.to, listing->recipient), .note = note,
        .noted_ms = noted_ms });
    listing->rows -= listing->rows > 0;
    listing->recipient++;
}

/* "4.2.2 the mailbox is full" */
static struct bytes note_of(struct bytes payload, struct effects *fx, uint64_t *ret_at_ms)
{
    struct buffer *draft = fx_draft(fx);
    struct state_record state;

    if (!state_record_read(payload, &state))
        return BYTES_NONE;
    *ret_at_ms = state.at_ms;
    buffer_put_uint(draft, state.class);
    buffer_put_char(draft, '.');
    buffer_put_uint(draft, state.subject);
    buffer_put_char(draft, '.');
    buffer_put_uint(draft, state.detail);
    buffer_put_char(draft, ' ');
    buffer_put(draft, bytes_first(state.words, NOTE_MOST));
    return fx_keep(fx, buffer_bytes(draft));
}

/* The recipients of the letter whose record is there. False: something is being read first. */
static bool tell_letter(struct queue *q, struct listing *listing, struct effects *fx)
{
    struct letter *letter = index_find(&q->index, listing->letter);

    while (letter != NULL && listing->recipient < letter->recipients) {
        struct rcpt *rcpt = letter_rcpt(letter, listing->recipient);
        if (rcpt->state == RCPT_DELIVERED)
            listing->recipient++;
        else if (rcpt->note == 0)
            tell_row(q, listing, letter, rcpt, BYTES_NONE, 0);
        else if (fetch(q, listing, rcpt->note, STATE_READ, fx) || q->reads.n > 0)
            return false;       /* told when it was read, or asked for again at the next turn */
        else
            tell_row(q, listing, letter, rcpt, BYTES_NONE, 0);
    }
    listing->after = listing->letter;
    listing->letter = 0;
    listing->loaded = false;
    return true;
}

static void list_on(struct queue *q, struct listing *listing, struct effects *fx)
{
    while (listing->used && !listing->fetching) {
        if (listing->loaded) {
            if (!tell_letter(q, listing, fx))
                return;
            continue;
        }
        const struct letter *letter = index_after(&q->index, listing->after);
        if (letter == NULL || listing->rows == 0) {
            end(q, listing, letter == NULL ? 0 : 1);
            return;
        }
        listing->letter = letter->id;
        listing->recipient = 0;
        if (!fetch(q, listing, letter->lsn, letter->length, fx))
            return;         /* much is being read: at the next turn */
    }
}

void listing_turn(struct queue *q, struct effects *fx)
{
    for (size_t i = 0; i < LISTINGS_MOST; i++) {
        struct listing *listing = &q->listings.list[i];
        if (!listing->used)
            buffer_done(&listing->payload);
        else if (!listing->fetching)
            list_on(q, listing, fx);
    }
}

void listing_record(struct queue *q, uint32_t number, struct bytes payload, enum fault fault,
                    struct effects *fx)
{
    struct listing *listing = &q->listings.list[number % LISTINGS_MOST];

    if (!listing->used || !listing->fetching
        || listing->number / LISTINGS_MOST != number / LISTINGS_MOST)
        return;
    listing->fetching = false;
    struct letter *letter = index_find(&q->index, listing->letter);
    if (!listing->loaded) {
        buffer_clear(&listing->payload);
        if (fault == OK)
            buffer_put(&listing->payload, payload);
        listing->loaded = true;
    } else if (letter != NULL && listing->recipient < letter->recipients) {
        struct rcpt *rcpt = letter_rcpt(letter, listing->recipient);
        struct bytes note = BYTES_NONE;
        uint64_t noted_ms = 0;
        if (fault == OK)
            note = note_of(payload, fx, &noted_ms);
        if (rcpt->state == RCPT_DELIVERED)
            listing->recipient++;
        else
            tell_row(q, listing, letter, rcpt, note, noted_ms);
    }
    list_on(q, listing, fx);
}

void queue_list(struct queue *q, uint32_t token, uint64_t after, uint32_t most, struct effects *fx)
{
    for (size_t i = 0; i < LISTINGS_MOST; i++) {
        struct listing *listing = &q->listings.list[i];
        if (listing->used || q->log.mode == LOG_CLOSED)
            continue;
        buffer_done(&listing->payload);
        *listing = (struct listing){ .used = true, .token = token, .number = listing->number,
                                     .after = after, .rows = most,
                                     .payload = buffer_with_most(LIMIT_RECORD_BYTES) };
        if (most > LISTING_ROWS_MOST)
            listing->rows = LISTING_ROWS_MOST;
        list_on(q, listing, fx);
        return;
    }
    news_tell(q, &(struct queue_news){ .kind = NEWS_ANSWER_END, .token = token, .more = 2 });
}
