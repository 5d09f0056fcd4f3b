/* SPDX-License-Identifier: ISC
 *
 * `postern queue VERB`: the rows of a page that the filter names become orders, one a letter; the
 * next page is asked for when all of them were answered.
 */
#include "role/admin_int.h"

static const struct role_name to_store = { ROLE_STORE, 0 };

_Static_assert((int)ONCE_RETRY == (int)QUEUE_RETRY && (int)ONCE_REDIRECT == (int)QUEUE_REDIRECT
               && (int)ONCE_HOLD == (int)QUEUE_KEEP, "the verbs are told as they are");

/* Give the order that was gathered. */
static void give(struct client *client, struct effects *fx)
{
    const struct once_request *asks = &client->asks;

    if (client->order_letter == 0)
        return;
    if (client->order_recipients.bad || client->order_to.bad) {
        fx->bad = true;
        return;
    }
    client->orders_open++;
    wire_tell_queue_order(fx, to_store, &(struct wire_queue_order){
        .token = client->token, .verb = (uint8_t)asks->verb, .letter = client->order_letter,
        .uid = client->uid, .recipients = fx_keep(fx, buffer_bytes(&client->order_recipients)),
        .to = fx_keep(fx, buffer_bytes(&client->order_to)), .reason = asks->reason });
    client->order_letter = 0;
    buffer_clear(&client->order_recipients);
    buffer_clear(&client->order_to);
}

void admin_order_row(struct admin *admin, struct client *client, const struct wire_queue_row *row,
                     const struct event *event, struct effects *fx)
{
    client->rows++;
    if (client->order_letter != row->letter)
        give(client, fx);
    if (!once_verb_fits(client->asks.verb, row)
        || !once_filter_matches(&client->asks.filter, row, event->now.wall_ms))
        return;
    if (client->asks.dry_run) {
        buffer_clear(&admin->text);
        once_queue_row(&client->queue, row, &admin->text);
        admin_send_text(admin, client, fx);
        return;
    }
    if (client->order_letter == 0) {
        client->order_recipients = client->order_recipients.most > 0 ? client->order_recipients
            : buffer_with_most(LIMIT_RECIPIENTS_MOST * sizeof(uint32_t));
        client->order_to = client->order_to.most > 0 ? client->order_to
            : buffer_with_most(ORDER_TO_MOST);
    }
    /* One order fits one frame: a crowd is several, each atomic. */
    if (client->order_to.n + LIMIT_PATH * 2 > ORDER_TO_MOST)
        give(client, fx);
    client->order_letter = row->letter;
    buffer_put_u32(&client->order_recipients, row->recipient);
    if (client->asks.verb == ONCE_REDIRECT)
        once_redirect_put(&client->order_to, row->to, client->asks.redirect);
}

static void end(struct admin *admin, struct client *client, const struct event *event,
                struct effects *fx)
{
    struct once_style style = admin_style(client, event);

    if (client->asks.dry_run)
        client->orders = (struct once_orders){ .letters = client->queue.letters,
                                               .recipients = client->queue.recipients,
                                               .dry_run = true };
    buffer_clear(&admin->text);
    once_orders_put(&style, client->asks.verb, &client->orders, &admin->text);
    admin_send_text(admin, client, fx);
    admin_finish(admin, client, "",
                 client->orders.unanswered > 0 || client->orders.busy > 0 ? ONCE_NOT_NOW
                 : client->orders.recipients == 0 ? ONCE_FOUND_NOTHING : ONCE_WELL,
                 event->now.mono_ms, fx);
}

static void go_on(struct admin *admin, struct client *client, const struct event *event,
                  struct effects *fx)
{
    if (!client->page_ended || client->orders_open > 0)
        return;
    client->page_ended = false;
    if (!client->more) {
        end(admin, client, event, fx);
    } else if (client->unsent == 0) {
        admin_ask(admin, client, event->now.mono_ms, fx);
    } else {
        client->state = CLIENT_DRAIN;
        client->deadline_ms = event->now.mono_ms + DRAIN_MS;
    }
}

void admin_order_page(struct admin *admin, struct client *client, bool more,
                      const struct event *event, struct effects *fx)
{
    give(client, fx);
    client->page_ended = true;
    client->more = more && client->rows > 0;
    go_on(admin, client, event, fx);
}

void admin_ordered(struct admin *admin, struct client *client,
                   const struct wire_queue_ordered *ordered, const struct event *event,
                   struct effects *fx)
{
    struct once_orders *orders = &client->orders;

    if (client->orders_open == 0)
        return;
    client->orders_open--;
    client->deadline_ms = event->now.mono_ms + STORE_MS;
    orders->letters += ordered->changed > 0;
    orders->recipients += ordered->changed;
    orders->busy += ordered->busy;
    orders->unanswered += ordered->result == QUEUE_ORDER_NOT_NOW
                       || ordered->result == QUEUE_ORDER_NOT_CERTAIN;
    orders->unreported += ordered->result == QUEUE_ORDER_NO_REPORT;
    go_on(admin, client, event, fx);
}
