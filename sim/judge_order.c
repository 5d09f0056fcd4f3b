/* SPDX-License-Identifier: ISC */
#include "sim/judge_int.h"

#include "mail/envelope.h"
#include "queue/queue.h"

#include <stdio.h>
#include <string.h>

/* Admin lists the queue more often. */
static const uint64_t LATELY_US = 60 * (uint64_t)1000 * 1000;

static struct letter_recipient *recipient_of(struct judge *judge, const struct wire_queue_row *row)
{
    struct envelope envelope;
    struct recipient to;
    char token[80];

    if (!envelope_read(row->head, &envelope) || !recipient_read(row->to, &to))
        return NULL;
    struct bytes id = bytes_upto(envelope.message_id, '@');
    int n = snprintf(token, sizeof(token), "[%.*s]", (int)(id.n < 64 ? id.n : 0), id.at);
    struct letter *letter = judge_letter_in(judge, (struct bytes){ token, (size_t)n });
    for (size_t i = 0; letter != NULL && i < letter->recipients_n; i++)
        if (bytes_equal(bytes_of(letter->recipients[i].mailbox->address), to.address))
            return &letter->recipients[i];
    return NULL;
}

void judge_row(struct judge *judge, const struct wire_queue_row *row)
{
    struct letter_recipient *recipient = recipient_of(judge, row);

    if (recipient == NULL)
        return;
    if (row->held != 0)
        recipient->held_us = world_now_us(judge->world);
    judge->rows[judge->rows_n++ % ROWS_MOST] = (struct judge_row){
        row->letter, row->recipient, recipient };
}

/* Whether anything came of it shows in the end: who was delivered to all the same has it, and of
   who was sent back the sender hears. */
static void note(struct letter_recipient *recipient, enum queue_verb verb)
{
    recipient->failed = recipient->failed || verb == QUEUE_BOUNCE;
    recipient->deleted = recipient->deleted || verb == QUEUE_DELETE;
}

void judge_order(struct judge *judge, const struct wire_queue_order *order)
{
    uint32_t recipient;

    if (order->recipients.n != sizeof(recipient))
        return;
    memcpy(&recipient, order->recipients.at, sizeof(recipient));
    world_totals(judge->world)->orders++;
    for (size_t i = 0; i < ROWS_MOST; i++) {
        const struct judge_row *row = &judge->rows[i];
        if (row->is != NULL && row->id == order->letter && row->recipient == recipient) {
            note(row->is, (enum queue_verb)order->verb);
            return;
        }
    }
}

bool judge_is_excused(const struct judge *judge, const struct letter_recipient *recipient)
{
    return recipient->deleted || (recipient->held_us != 0
        && world_now_us(judge->world) - recipient->held_us < LATELY_US);
}
