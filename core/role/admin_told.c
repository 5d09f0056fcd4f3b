/* SPDX-License-Identifier: ISC */
#include "role/admin_int.h"

/* The client that waits for this answer; NULL when it left meanwhile. */
static struct client *client_by_token(struct admin *admin, uint32_t token)
{
    for (size_t i = 0; i < COUNT(admin->clients); i++)
        if (admin->clients[i].state == CLIENT_STORE && admin->clients[i].token == token)
            return &admin->clients[i];
    return NULL;
}

/* A row was rendered. A page that outgrows its bound (strange rows, or a search that finds too
   much) ends the answer, since the store cannot be told to pause. */
static void send_row(struct admin *admin, struct client *client, const struct event *event,
                     struct effects *fx)
{
    client->rows++;
    admin_send_text(admin, client, fx);
    if (client->unsent > UNSENT_MOST)
        admin_finish(admin, client, "This is too much to tell: ask for less.\n", ONCE_UNAVAILABLE,
                     event->now.mono_ms, fx);
}

static void on_queue_row(struct admin *admin, const struct event *event, struct effects *fx)
{
    struct wire_queue_row row;
    struct client *client = NULL;

    if (wire_read_queue_row(event->bytes, &row))
        client = client_by_token(admin, row.token);
    if (client == NULL || client->asks.command != ONCE_QUEUE)
        return;
    client->last_letter = row.letter;
    if (client->asks.verb != ONCE_LIST) {
        admin_order_row(admin, client, &row, event, fx);
        return;
    }
    if (!once_filter_matches(&client->asks.filter, &row, event->now.wall_ms)) {
        client->rows++;
        return;
    }
    if (client->asks.destinations) {
        client->rows++;
        fx->bad = !admin_dests_row(client, &row) || fx->bad;
        return;
    }
    buffer_clear(&admin->text);
    once_queue_row(&client->queue, &row, &admin->text);
    send_row(admin, client, event, fx);
}

static void on_hold_row(struct admin *admin, const struct event *event)
{
    struct wire_hold_row row;
    struct client *client = NULL;

    if (wire_read_hold_row(event->bytes, &row))
        client = client_by_token(admin, row.token);
    if (client != NULL && client->asks.destinations)
        admin_dests_hold(client, &row);
}

static void on_hold_ordered(struct admin *admin, const struct event *event, struct effects *fx)
{
    struct wire_hold_ordered ordered;
    struct client *client = NULL;

    if (wire_read_hold_ordered(event->bytes, &ordered) && ordered.result <= HOLD_TOO_MANY)
        client = client_by_token(admin, ordered.token);
    if (client != NULL
        && (client->asks.verb == ONCE_SUSPEND || client->asks.verb == ONCE_RESUME))
        admin_held_told(admin, client, (enum hold_result)ordered.result, event, fx);
}

static void on_ordered(struct admin *admin, const struct event *event, struct effects *fx)
{
    struct wire_queue_ordered ordered;
    struct client *client = NULL;

    if (wire_read_queue_ordered(event->bytes, &ordered))
        client = client_by_token(admin, ordered.token);
    if (client != NULL && client->asks.command == ONCE_QUEUE)
        admin_ordered(admin, client, &ordered, event, fx);
}

static void on_trace_row(struct admin *admin, const struct event *event, struct effects *fx)
{
    struct wire_trace_row row;
    struct history_event what;
    struct client *client = NULL;

    if (wire_read_trace_row(event->bytes, &row) && history_read(row.event, &what))
        client = client_by_token(admin, row.token);
    if (client == NULL || client->asks.command != ONCE_TRACE)
        return;
    buffer_clear(&admin->text);
    once_trace_event(&client->trace, &what, &admin->text);
    send_row(admin, client, event, fx);
}

static void on_tls_row(struct admin *admin, const struct event *event, struct effects *fx)
{
    struct wire_tls_row row;
    struct client *client = NULL;

    if (wire_read_tls_row(event->bytes, &row))
        client = client_by_token(admin, row.token);
    if (client == NULL || !client->asks.tls)
        return;
    struct once_style style = admin_style(client, event);
    buffer_clear(&admin->text);
    once_tls_row(&style, &row, &admin->text);
    send_row(admin, client, event, fx);
}

static void on_tlsrpt_row(struct admin *admin, const struct event *event, struct effects *fx)
{
    struct wire_tlsrpt_row row;
    struct client *client = NULL;

    if (wire_read_tlsrpt_row(event->bytes, &row))
        client = client_by_token(admin, row.token);
    if (client == NULL || client->asks.command != ONCE_TLSRPT)
        return;
    struct once_style style = admin_style(client, event);
    client->last_letter++;
    buffer_clear(&admin->text);
    once_tlsrpt_row(&style, &row, &admin->text);
    send_row(admin, client, event, fx);
}

static void on_peer_row(struct admin *admin, const struct event *event, struct effects *fx)
{
    struct wire_peer_row row;
    struct client *client = NULL;

    if (wire_read_peer_row(event->bytes, &row))
        client = client_by_token(admin, row.token);
    if (client == NULL || client->asks.command != ONCE_PEERS)
        return;
    struct once_style style = admin_style(client, event);
    client->last_letter = row.at;
    buffer_clear(&admin->text);
    once_peer_row(&style, row.entry, &admin->text);
    send_row(admin, client, event, fx);
}

static void on_tlsrpt_sent(struct admin *admin, const struct event *event, struct effects *fx)
{
    struct wire_tlsrpt_sent sent;
    struct client *client = NULL;

    if (wire_read_tlsrpt_sent(event->bytes, &sent))
        client = client_by_token(admin, sent.token);
    if (client == NULL || client->asks.command != ONCE_TLSRPT)
        return;
    struct once_style style = admin_style(client, event);
    buffer_clear(&admin->text);
    once_tlsrpt_sent(&style, sent.domains, &admin->text);
    admin_send_text(admin, client, fx);
    admin_finish(admin, client, "", sent.domains > 0 ? ONCE_WELL : ONCE_FOUND_NOTHING,
                 event->now.mono_ms, fx);
}

static void on_status_is(struct admin *admin, const struct event *event, struct effects *fx)
{
    struct wire_status_is status;
    struct client *client = NULL;

    if (wire_read_status_is(event->bytes, &status))
        client = client_by_token(admin, status.token);
    if (client == NULL || client->asks.command != ONCE_STATUS)
        return;
    struct once_style style = admin_style(client, event);
    buffer_clear(&admin->text);
    once_status(&style, admin->store, &status, &admin->gathering.figures, &admin->text);
    admin_send_text(admin, client, fx);
    admin_finish(admin, client, "", ONCE_WELL, event->now.mono_ms, fx);
}

/* The hold began: the client copies now, and closes its half when it is done. Or it ended. */
static void on_backup_is(struct admin *admin, const struct event *event, struct effects *fx)
{
    struct wire_backup_is is;
    struct client *client = NULL;
    bool asked_to_end;

    if (wire_read_backup_is(event->bytes, &is))
        client = client_by_token(admin, is.token);
    if (client == NULL || client->asks.command != ONCE_BACKUP)
        return;
    asked_to_end = client->rows > 0;
    if (is.well == 0 || asked_to_end) {
        admin_finish(admin, client, is.well != 0 ? "" : asked_to_end
                     ? "The copy is not whole: the server's disk ran short of space meanwhile.\n"
                     : "The queue cannot be copied now: it is being mended, its disk is nearly"
                       " full, or another copy is being made.\n",
                     is.well != 0 ? ONCE_WELL : ONCE_NOT_NOW, event->now.mono_ms, fx);
        return;
    }
    client->rows = 1;
    client->holds = true;
    client->state = CLIENT_BACKUP;
    client->deadline_ms = event->now.mono_ms + BACKUP_MS;
    buffer_clear(&admin->text);
    buffer_put_uint(&admin->text, is.first);
    buffer_put_char(&admin->text, ' ');
    buffer_put_uint(&admin->text, is.last);
    buffer_put_char(&admin->text, ' ');
    buffer_put_uint(&admin->text, is.octets);
    buffer_put_char(&admin->text, '\n');
    admin_send_text(admin, client, fx);
    fx_resume(fx, client->conn);
}

static void end_trace(struct admin *admin, struct client *client, bool more,
                      const struct event *event, struct effects *fx)
{
    uint64_t now_ms = event->now.mono_ms;

    if (client->trace.letters == 0 && client->way + 1 < client->ways_n) {
        client->way++;
        admin_ask(admin, client, now_ms, fx);
        return;
    }
    if (client->trace.letters == 0) {
        admin_finish(admin, client,
                     "Nothing is known of it: no such letter came here, or its history"
                     " is no longer kept.\n", ONCE_FOUND_NOTHING, now_ms, fx);
        return;
    }
    buffer_clear(&admin->text);
    once_trace_end(&client->trace, more, &admin->text);
    admin_send_text(admin, client, fx);
    admin_finish(admin, client, "", ONCE_WELL, now_ms, fx);
}

static void end_list(struct admin *admin, struct client *client, uint64_t now_ms,
                     struct effects *fx)
{
    if (client->asks.command == ONCE_PEERS || client->asks.command == ONCE_TLSRPT) {
        admin_finish(admin, client, client->last_letter > 0 || client->asks.json ? ""
                     : client->asks.command == ONCE_PEERS
                     ? "No mail went to another server yet, or none to that one.\n"
                     : "No session with another domain's servers was counted since midnight"
                       " (UTC).\n",
                     client->last_letter > 0 ? ONCE_WELL : ONCE_FOUND_NOTHING, now_ms, fx);
        return;
    }
    buffer_clear(&admin->text);
    once_queue_end(&client->queue, &admin->text);
    admin_send_text(admin, client, fx);
    admin_finish(admin, client, "", ONCE_WELL, now_ms, fx);
}

/* A page of the queue, or of reports, ended: the next one when the client has taken it. A page
   without rows that says there are more would go on for ever. */
static void end_queue_page(struct admin *admin, struct client *client, bool more,
                           const struct event *event, struct effects *fx)
{
    uint64_t now_ms = event->now.mono_ms;

    if (more && client->rows == 0) {
        admin_finish(admin, client, "The list broke off. Ask again.\n", ONCE_SOFTWARE, now_ms, fx);
    } else if (more && client->unsent == 0) {
        admin_ask(admin, client, now_ms, fx);
    } else if (more) {
        client->state = CLIENT_DRAIN;
        client->deadline_ms = now_ms + DRAIN_MS;
    } else if (client->asks.destinations) {
        admin_dests_holds(admin, client, now_ms, fx);
    } else {
        end_list(admin, client, now_ms, fx);
    }
}

static void on_answer_end(struct admin *admin, const struct event *event, struct effects *fx)
{
    enum { ALL_SAID, THERE_IS_MORE, NOT_NOW };
    struct wire_answer_end end;
    struct client *client = NULL;

    if (wire_read_answer_end(event->bytes, &end))
        client = client_by_token(admin, end.token);
    if (client == NULL)
        return;
    if (end.result != ALL_SAID && end.result != THERE_IS_MORE)
        admin_finish(admin, client, "The queue cannot tell this now. Ask again in a moment.\n",
                     ONCE_NOT_NOW, event->now.mono_ms, fx);
    else if (client->asks.tls)
        admin_finish(admin, client,
                     client->rows > 0 || client->asks.json ? ""
                     : "Nobody failed at TLS and came back in clear, and no unknown name was"
                       " asked for, since the store began.\n",
                     ONCE_WELL, event->now.mono_ms, fx);
    else if (client->asks.command == ONCE_TRACE)
        end_trace(admin, client, end.result == THERE_IS_MORE, event, fx);
    else if (client->asks.command == ONCE_QUEUE && client->asks.verb != ONCE_LIST)
        admin_order_page(admin, client, end.result == THERE_IS_MORE, event, fx);
    else if (client->asks.command == ONCE_QUEUE && client->asks.destinations && client->more)
        admin_dests_end(admin, client, event, fx);
    else if (client->asks.command == ONCE_QUEUE || client->asks.command == ONCE_TLSRPT
             || client->asks.command == ONCE_PEERS)
        end_queue_page(admin, client, end.result == THERE_IS_MORE, event, fx);
}

static void on_store_state(struct admin *admin, const struct event *event)
{
    struct wire_store_state state;

    if (wire_read_store_state(event->bytes, &state) && state.state <= STORE_READ_ONLY)
        admin->store = (enum store_state)state.state;
}

void admin_told(struct admin *admin, const struct event *event, struct effects *fx)
{
    enum wire_kind kind = wire_kind_of(event->bytes);

    if (event->peer.kind != ROLE_STORE)
        return;
    if (kind == WIRE_STORE_STATE_MESSAGE)
        on_store_state(admin, event);
    else if (kind == WIRE_QUEUE_ROW_MESSAGE)
        on_queue_row(admin, event, fx);
    else if (kind == WIRE_QUEUE_ORDERED_MESSAGE)
        on_ordered(admin, event, fx);
    else if (kind == WIRE_HOLD_ROW_MESSAGE)
        on_hold_row(admin, event);
    else if (kind == WIRE_HOLD_ORDERED_MESSAGE)
        on_hold_ordered(admin, event, fx);
    else if (kind == WIRE_TRACE_ROW_MESSAGE)
        on_trace_row(admin, event, fx);
    else if (kind == WIRE_TLS_ROW_MESSAGE)
        on_tls_row(admin, event, fx);
    else if (kind == WIRE_TLSRPT_ROW_MESSAGE)
        on_tlsrpt_row(admin, event, fx);
    else if (kind == WIRE_PEER_ROW_MESSAGE)
        on_peer_row(admin, event, fx);
    else if (kind == WIRE_TLSRPT_SENT_MESSAGE)
        on_tlsrpt_sent(admin, event, fx);
    else if (kind == WIRE_STATUS_IS_MESSAGE)
        on_status_is(admin, event, fx);
    else if (kind == WIRE_BACKUP_IS_MESSAGE)
        on_backup_is(admin, event, fx);
    else if (kind == WIRE_FIGURES_STORE_MESSAGE || kind == WIRE_FIGURES_FRONT_MESSAGE)
        admin_figures(admin, event, fx);
    else if (kind == WIRE_ANSWER_END_MESSAGE)
        on_answer_end(admin, event, fx);
}

/* Who asks while another's reload is under way is told of that one: it read the same file. */
void admin_reloaded(struct admin *admin, const struct event *event, struct effects *fx)
{
    int status = event->number > 0 && event->number < 128 ? (int)event->number : ONCE_WELL;

    for (size_t i = 0; i < COUNT(admin->clients); i++) {
        struct client *client = &admin->clients[i];
        if (client->state != CLIENT_WORLD)
            continue;
        buffer_clear(&admin->text);
        buffer_put(&admin->text, event->bytes);
        buffer_put_text(&admin->text, status != ONCE_WELL ? "All stays as it was.\n"
                                    : event->bytes.n == 0 ? "No setting has changed; certificates"
                                      " and tables were read anew.\n" : "");
        if (status == ONCE_WELL)
            admin_send_text(admin, client, fx);
        else
            buffer_put_char(&admin->text, '\0');
        admin_finish(admin, client, status == ONCE_WELL ? "" : admin->text.bad
                     ? "The configuration is refused; see the log.\n" : admin->text.at, status,
                     event->now.mono_ms, fx);
    }
}
