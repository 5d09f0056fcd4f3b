/* SPDX-License-Identifier: ISC */
#include "sim/rig_int.h"

#include "role/wire.h"

enum { ORDER_TOKENS = 100 };

static const struct role_name rig_admin = { ROLE_ADMIN, 0 };

/* Before it is known what came of it, both may be. */
static void is_ordered(struct rig *rig, const struct rig_order *order)
{
    struct ledger_letter *letter = &rig->plan.ledger->letters[order->letter];

    for (uint32_t i = order->from; i < order->from + order->n; i++) {
        letter->to[i].told = letter->to[i].told || order->verb == QUEUE_DELETE;
        letter->to[i].held = letter->to[i].held && order->verb != QUEUE_RELEASE
            && order->verb != QUEUE_REDIRECT;
        if (order->verb == QUEUE_REDIRECT)
            letter->to[i].moved = TO_PERHAPS;
    }
}

static void is_done(struct rig *rig, const struct wire_queue_ordered *ordered)
{
    const struct rig_order *order = &rig->orders[ordered->token - ORDER_TOKENS];
    struct ledger_letter *letter = &rig->plan.ledger->letters[order->letter];

    if (ordered->result != QUEUE_ORDER_WELL || ordered->changed != order->n)
        return;
    for (uint32_t i = order->from; i < order->from + order->n; i++) {
        letter->to[i].settled = letter->to[i].settled || order->verb == QUEUE_DELETE;
        letter->to[i].held = letter->to[i].held || order->verb == QUEUE_KEEP;
        if (order->verb == QUEUE_REDIRECT)
            letter->to[i].moved = TO_OTHER;
    }
}

void rig_order(struct rig *rig, enum queue_verb verb, uint32_t letter, uint32_t from, uint32_t n)
{
    struct buffer recipients = buffer_with_most(64), to = buffer_with_most(4096);
    struct rig_order *order = &rig->orders[rig->orders_n % ORDERS];
    struct effects fx;

    *order = (struct rig_order){ verb, letter, from, n };
    for (uint32_t i = from; i < from + n; i++) {
        struct buffer one = buffer_with_most(1024);
        buffer_put_u32(&recipients, i);
        ledger_put_recipient(letter, LEDGER_TO, &one);
        buffer_put_block(&to, buffer_bytes(&one));
        buffer_done(&one);
    }
    is_ordered(rig, order);
    wire_tell_queue_order(rig_tell_begin(&fx), rig_admin, &(struct wire_queue_order){
        .token = ORDER_TOKENS + rig->orders_n++ % ORDERS, .verb = (uint8_t)verb,
        .letter = rig->plan.ledger->letters[letter].id, .recipients = buffer_bytes(&recipients),
        .to = verb == QUEUE_REDIRECT ? buffer_bytes(&to) : BYTES_NONE, .reason = BYTES_NONE });
    rig_tell_end(rig, rig_admin, &fx);
    buffer_done(&recipients);
    buffer_done(&to);
}

/* At the end of a story all that is held is let go. */
static void hear_row(struct rig *rig, const struct wire_queue_row *row)
{
    rig->counting++;
    for (uint32_t i = 0; i < rig->plan.ledger->n && row->held != 0; i++)
        if (rig->plan.ledger->letters[i].id == row->letter && row->letter != 0)
            rig_order(rig, QUEUE_RELEASE, i, row->recipient, 1);
}

void rig_hear_as_admin(struct rig *rig, struct bytes frame)
{
    struct wire_queue_row row;
    struct wire_answer_end end;
    struct wire_queue_ordered ordered;

    if (wire_read_queue_row(frame, &row)) {
        hear_row(rig, &row);
    } else if (wire_read_queue_ordered(frame, &ordered) && ordered.token >= ORDER_TOKENS
               && ordered.token < ORDER_TOKENS + ORDERS) {
        is_done(rig, &ordered);
    } else if (wire_read_answer_end(frame, &end)) {
        rig->rows = end.result == 2 ? 1 : rig->counting;
        rig->asked = false;
    }
}
