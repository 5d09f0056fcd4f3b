/* SPDX-License-Identifier: ISC */
#include "sim/asker.h"

#include "mail/envelope.h"
#include "queue/queue.h"
#include "role/wire.h"
#include "sim/dice.h"

#include <string.h>

enum { ASK_MS = 5000, ROWS_MOST = 100, ONE_OF = 40 };

struct asker {
    bool up, open;                  /* open: the store said that it is */
    uint32_t token;
    uint64_t rows, after;           /* of the listing under way */
    uint64_t answers, last_rows;
    bool orders;                    /* it is to order this and that */
    struct dice dice;
    uint32_t ordered;
};

static const struct role_name to_store = { ROLE_STORE, 0 };

static void *asker_make(const struct conf *conf, uint32_t index)
{
    return mem_new(sizeof(struct asker));
}

static void asker_free(void *role)
{
    mem_free(role);
}

static void ask(struct asker *asker, struct effects *fx)
{
    if (asker->up)
        wire_tell_queue_ask(fx, to_store, &(struct wire_queue_ask){
            .token = ++asker->token, .after = asker->after, .most = ROWS_MOST });
}

/* Will the store be done with it? Not with what waits for a person; nor, for there are no other
   servers in this world, with the report that a letter is late, whose sender is a client. */
static bool is_to_end(const struct wire_queue_row *row)
{
    struct recipient to;
    bool client = recipient_read(row->to, &to)
        && (bytes_ends(to.address, BYTES("@client.example"))
            || bytes_ends(to.address, BYTES("@[192.0.2.7]")));

    return !row->held && !client;
}

/* One row of many, if it is no report: those are owed to somebody. */
static void order(struct asker *asker, const struct wire_queue_row *row, struct effects *fx)
{
    static const enum queue_verb verbs[] = {
        QUEUE_RETRY, QUEUE_KEEP, QUEUE_KEEP, QUEUE_BOUNCE, QUEUE_DELETE };
    struct envelope envelope;
    struct buffer one = buffer_with_most(sizeof(uint32_t));

    if (!asker->orders || !envelope_read(row->head, &envelope) || envelope.sender.n == 0
        || dice_below(&asker->dice, row->held != 0 ? 2 : ONE_OF) != 0)
        return;
    buffer_put_u32(&one, row->recipient);
    if (!one.bad)
        wire_tell_queue_order(fx, to_store, &(struct wire_queue_order){
            .token = ++asker->ordered, .letter = row->letter, .recipients = buffer_bytes(&one),
            .verb = (uint8_t)(row->held != 0 ? QUEUE_RELEASE
                                             : verbs[dice_below(&asker->dice, COUNT(verbs))]),
            .to = BYTES_NONE, .reason = BYTES_NONE });
    buffer_done(&one);
}

static void on_told(struct asker *asker, struct bytes frame, struct effects *fx)
{
    struct wire_queue_row row;
    struct wire_answer_end end;
    struct wire_store_state is;

    if (wire_read_store_state(frame, &is))
        asker->open = is.state == STORE_OPEN;
    if (wire_read_queue_row(frame, &row) && row.token == asker->token) {
        asker->rows += is_to_end(&row);
        order(asker, &row, fx);
        asker->after = row.letter;
    } else if (wire_read_answer_end(frame, &end) && end.token == asker->token) {
        if (end.result == 1) {
            ask(asker, fx);
        } else if (end.result == 0) {
            asker->answers += asker->open;      /* of one that cannot read its disk none counts */
            asker->last_rows = asker->rows;
        }
    }
}

static void asker_step(void *role, const struct event *event, struct effects *fx)
{
    struct asker *asker = role;

    if (event->kind == EV_PEER_UP || event->kind == EV_PEER_DOWN) {
        asker->up = event->kind == EV_PEER_UP;
        asker->open = asker->open && asker->up;
    }
    if (event->kind == EV_TOLD)
        on_told(asker, event->bytes, fx);
    if (event->kind == EV_START)
        memcpy(&asker->dice, event->bytes.at, sizeof(asker->dice) < event->bytes.n
                                              ? sizeof(asker->dice) : event->bytes.n);
    if (event->kind == EV_START || event->kind == EV_ALARM) {
        asker->rows = asker->after = 0;
        ask(asker, fx);
        fx_alarm(fx, event->now.mono_ms + ASK_MS);
    }
}

const struct role_ops asker_ops = {
    .name = "asker", .make = asker_make, .step = asker_step, .free = asker_free,
};

uint64_t asker_answers(const void *role) { return ((const struct asker *)role)->answers; }
uint64_t asker_rows(const void *role) { return ((const struct asker *)role)->last_rows; }
void asker_set_orders(void *role, bool on) { ((struct asker *)role)->orders = on; }
