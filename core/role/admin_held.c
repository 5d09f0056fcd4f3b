/* SPDX-License-Identifier: ISC
 *
 * `postern queue suspend`, `resume` and `--destinations`.
 */
#include "role/admin_int.h"

static const struct role_name to_store = { ROLE_STORE, 0 };

/* ---- suspend, resume */

void admin_held_ask(struct admin *admin, struct client *client, struct moment now,
                    struct effects *fx)
{
    const struct once_request *asks = &client->asks;
    struct buffer name = buffer_with_most(LIMIT_PATH);

    if (!admin->store_up) {
        admin_ask(admin, client, now.mono_ms, fx);      /* which says so */
        return;
    }
    client->state = CLIENT_STORE;
    client->deadline_ms = now.mono_ms + STORE_MS;
    client->token = ++admin->tokens;
    client->until_ms = asks->for_ms == 0 ? 0 : now.wall_ms + asks->for_ms;
    if (!once_destination_put(&name, asks->destination) || name.bad)
        fx->bad = true;                                 /* it was one when it was read */
    wire_tell_hold_order(fx, to_store, &(struct wire_hold_order){
        .token = client->token, .on = asks->verb == ONCE_SUSPEND, .until_ms = client->until_ms,
        .uid = client->uid, .destination = fx_keep(fx, buffer_bytes(&name)),
        .reason = asks->reason });
    buffer_done(&name);
}

/* What waits for it is tried now. */
static void retry(struct admin *admin, struct client *client, uint64_t now_ms, struct effects *fx)
{
    client->asks.verb = ONCE_RETRY;
    client->asks.filter = (struct once_filter){ .some = true,
                                                .domain = client->asks.destination };
    client->asks.reason = BYTES("the destination was resumed");
    admin_ask(admin, client, now_ms, fx);
}

void admin_held_told(struct admin *admin, struct client *client, enum hold_result result,
                     const struct event *event, struct effects *fx)
{
    static const char *const words[] = {
        [HOLD_WELL] = "",
        [HOLD_NOT_NOW] = "The queue cannot do this now. Ask again in a moment.\n",
        [HOLD_NOT_CERTAIN] = "Writing it to the disk failed: look with postern queue"
                             " --destinations, and ask again.\n",
        [HOLD_NOT_THERE] = "That destination is not suspended.\n",
        [HOLD_TOO_MANY] = "Too many destinations are suspended: resume others first.\n",
    };
    struct once_style style = admin_style(client, event);
    uint64_t now_ms = event->now.mono_ms;

    if (result != HOLD_WELL) {
        admin_finish(admin, client, words[result],
                     result == HOLD_NOT_THERE ? ONCE_FOUND_NOTHING : ONCE_NOT_NOW, now_ms, fx);
        return;
    }
    buffer_clear(&admin->text);
    once_held_put(&style, &client->asks, client->until_ms, &admin->text);
    admin_send_text(admin, client, fx);
    if (client->asks.verb == ONCE_RESUME)
        retry(admin, client, now_ms, fx);
    else
        admin_finish(admin, client, "", ONCE_WELL, now_ms, fx);
}

/* ---- --destinations */

bool admin_dests_row(struct client *client, const struct wire_queue_row *row)
{
    if (client->dests == NULL)
        client->dests = once_dests_new();
    if (client->dests != NULL)
        once_dests_add(client->dests, row);
    return client->dests != NULL;
}

void admin_dests_holds(struct admin *admin, struct client *client, uint64_t now_ms,
                       struct effects *fx)
{
    if (client->dests == NULL)
        client->dests = once_dests_new();
    fx->bad = fx->bad || client->dests == NULL;
    client->token = ++admin->tokens;
    client->deadline_ms = now_ms + STORE_MS;
    client->more = true;                                /* the next end is that of the holds */
    wire_tell_hold_ask(fx, to_store, &(struct wire_hold_ask){ client->token });
}

void admin_dests_hold(struct client *client, const struct wire_hold_row *row)
{
    if (client->dests != NULL)
        once_dests_hold(client->dests, row);
}

void admin_dests_end(struct admin *admin, struct client *client, const struct event *event,
                     struct effects *fx)
{
    struct once_style style = admin_style(client, event);
    bool another = true;

    for (size_t i = 0; another && client->unsent <= UNSENT_MOST; i++) {
        buffer_clear(&admin->text);
        another = once_dests_put(client->dests, &style, i, &admin->text);
        admin_send_text(admin, client, fx);
    }
    admin_finish(admin, client, "", ONCE_WELL, event->now.mono_ms, fx);
}
