/* SPDX-License-Identifier: ISC */
#include "role/admin_int.h"

#include "base/log.h"
#include "web/top.h"

static const struct role_name to_store = { ROLE_STORE, 0 };

/* ---- answers */

static void send_frames(struct admin *admin, struct client *client, struct effects *fx)
{
    if (admin->frames.bad)
        fx->bad = true;
    client->unsent += admin->frames.n;
    fx_send(fx, client->conn, fx_keep(fx, buffer_bytes(&admin->frames)));
}

void admin_send_text(struct admin *admin, struct client *client, struct effects *fx)
{
    buffer_clear(&admin->frames);
    control_put(&admin->frames, CONTROL_OUT, buffer_bytes(&admin->text));
    if (admin->text.bad)
        control_put(&admin->frames, CONTROL_ERR, BYTES("A part of the answer is too long and was"
                                                       " left out.\n"));
    send_frames(admin, client, fx);
}

void admin_close(struct client *client, uint64_t now_ms, struct effects *fx)
{
    client->state = CLIENT_CLOSING;
    client->deadline_ms = now_ms + DRAIN_MS;
    fx_close(fx, client->conn);
}

void admin_finish(struct admin *admin, struct client *client, const char *words, int status,
                  uint64_t now_ms, struct effects *fx)
{
    buffer_clear(&admin->frames);
    control_put(&admin->frames, CONTROL_ERR, bytes_of(words));
    control_put_exit(&admin->frames, status);
    send_frames(admin, client, fx);
    admin_close(client, now_ms, fx);
}

struct once_style admin_style(const struct client *client, const struct event *event)
{
    return (struct once_style){ client->asks.json, client->asks.relative, event->now.wall_ms };
}

/* ---- questions to the store */

static void ask_trace(const struct client *client, struct effects *fx)
{
    if (client->asks.tls) {
        wire_tell_trace_ask(fx, to_store, &(struct wire_trace_ask){
            client->token, TRACE_BY_TLS, BYTES_NONE });
        return;
    }
    struct wire_trace_ask ask = { .token = client->token,
                                  .by = (uint8_t)client->ways[client->way] };
    struct buffer key = buffer_with_most(LIMIT_CONTROL_FRAME);

    once_trace_key(client->asks.subject, client->ways[client->way], &key);
    if (key.bad)
        fx->bad = true;
    ask.key = fx_keep(fx, buffer_bytes(&key));
    wire_tell_trace_ask(fx, to_store, &ask);
    buffer_done(&key);
}

void admin_ask(struct admin *admin, struct client *client, uint64_t now_ms, struct effects *fx)
{
    if (!admin->store_up) {
        admin_finish(admin, client, "The queue is being started. Ask again in a moment.\n",
                     ONCE_NOT_NOW, now_ms, fx);
        return;
    }
    client->state = CLIENT_STORE;
    client->deadline_ms = now_ms + STORE_MS;
    client->token = ++admin->tokens;
    client->rows = 0;
    switch (client->asks.command) {
    case ONCE_QUEUE:
        wire_tell_queue_ask(fx, to_store, &(struct wire_queue_ask){
            client->token, client->last_letter, PAGE_ROWS });
        break;
    case ONCE_TRACE:
        ask_trace(client, fx);
        break;
    case ONCE_STATUS:
        wire_tell_status_ask(fx, to_store, &(struct wire_status_ask){ client->token });
        break;
    case ONCE_BACKUP:
        wire_tell_backup_ask(fx, to_store, &(struct wire_backup_ask){ client->token, 1 });
        break;
    case ONCE_PEERS:
        wire_tell_peers_ask(fx, to_store, &(struct wire_peers_ask){
            .token = client->token, .after = (uint32_t)client->last_letter,
            .domain = client->asks.subject });
        break;
    case ONCE_TLSRPT:
        wire_tell_tlsrpt_ask(fx, to_store, &(struct wire_tlsrpt_ask){
            .token = client->token, .after = (uint32_t)client->last_letter,
            .send = client->asks.send, .domain = client->asks.subject });
        break;
    case ONCE_TOP: case ONCE_RELOAD: case ONCE_COMMANDS:
        break;
    }
}

void admin_release(struct admin *admin, struct client *client, bool told, uint64_t now_ms,
                   struct effects *fx)
{
    if (!client->holds)
        return;
    client->holds = false;
    client->token = ++admin->tokens;
    if (told) {
        client->state = CLIENT_STORE;
        client->deadline_ms = now_ms + STORE_MS;
    }
    wire_tell_backup_ask(fx, to_store, &(struct wire_backup_ask){ client->token, 0 });
}

void admin_figured(struct admin *admin, struct client *client, struct moment now,
                   struct effects *fx)
{
    if (client->asks.command == ONCE_STATUS || !admin->store_up) {
        admin_ask(admin, client, now.mono_ms, fx);
        return;
    }
    buffer_clear(&admin->text);
    top_put(&admin->text, &(struct top){ .store = (enum web_store)admin->store,
                                         .wall_ms = now.wall_ms }, &admin->gathering.figures);
    admin_send_text(admin, client, fx);
    admin_finish(admin, client, "", ONCE_WELL, now.mono_ms, fx);
}

static void begin_figures(struct admin *admin, struct client *client, struct moment now,
                          struct effects *fx)
{
    if (!admin->store_up) {
        admin_ask(admin, client, now.mono_ms, fx);
        return;
    }
    client->state = CLIENT_FIGURES;
    client->deadline_ms = now.mono_ms + STORE_MS;
    admin_gather(admin, now, fx);
}

static void log_request(const struct client *client, const struct bytes *words, size_t n,
                        struct effects *fx)
{
    struct buffer *line = fx_draft(fx);

    log_begin(line, "control");
    log_uint(line, "uid", client->uid);
    log_theirs(line, "command", n > 0 ? words[0] : BYTES_NONE);
    if (n > 1)
        log_theirs(line, "last", words[n - 1]);
    fx_log(fx, LOG_INFO, fx_keep(fx, buffer_bytes(line)));
}

void admin_run(struct admin *admin, struct client *client, const struct event *event, const struct
               bytes *words, size_t n, struct effects *fx)
{
    uint64_t now_ms = event->now.mono_ms;
    struct buffer flaw = buffer_with_most(1024);

    log_request(client, words, n, fx);
    fx_pause(fx, client->conn);
    if (!once_read(words, n, &client->asks, &flaw)) {
        buffer_put_char(&flaw, '\0');
        admin_finish(admin, client, flaw.bad ? "This request cannot be read.\n" : flaw.at,
                     ONCE_USAGE, now_ms, fx);
    } else if (client->asks.help) {
        buffer_clear(&admin->text);
        buffer_put_text(&admin->text, once_help(client->asks.command));
        admin_send_text(admin, client, fx);
        admin_finish(admin, client, "", ONCE_WELL, now_ms, fx);
    } else if (client->asks.command == ONCE_RELOAD) {
        client->state = CLIENT_WORLD;
        client->deadline_ms = now_ms + STORE_MS;
        fx_reload(fx);
    } else {
        struct once_style style = admin_style(client, event);
        client->queue = (struct once_queue){ .style = style };
        client->trace = (struct once_trace){ .style = style };
        client->orders = (struct once_orders){ .letters = 0 };
        client->orders_open = 0;
        client->order_letter = client->last_letter = 0;
        client->page_ended = client->more = false;
        client->way = 0;
        client->ways_n = client->asks.tls ? 0 : once_trace_ways(client->asks.subject, client->ways);
        if (client->asks.verb == ONCE_SUSPEND || client->asks.verb == ONCE_RESUME)
            admin_held_ask(admin, client, event->now, fx);
        else if (client->asks.command == ONCE_STATUS || client->asks.command == ONCE_TOP)
            begin_figures(admin, client, event->now, fx);
        else
            admin_ask(admin, client, now_ms, fx);
    }
    buffer_done(&flaw);
}
