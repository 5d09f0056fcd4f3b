/* SPDX-License-Identifier: ISC
 *
 * role/admin.c: the role behind the control socket: answers the commands that ask.
 *
 * A client is in one of these states; each but FREE has a time limit, after which it is cut off:
 *   FREE -> REQUEST     it connected, and may (uid 0 or our own)      [on_accept]
 *   REQUEST -> STORE    its request is whole, the store was asked      [ask]
 *   STORE -> DRAIN      a page of the answer was sent                  [on_answer_end]
 *   DRAIN -> STORE      it took that page, the next one is asked for   [on_drained]
 *   any -> CLOSING      the answer, or a refusal, ends with its status [finish]
 *   any -> FREE         the connection is gone                         [on_closed]
 *
 * What a client sends can close that client and nothing else. An answer is made page by page, so
 * a list of any length costs one page of memory.
 */
#include "base/log.h"
#include "role/control.h"
#include "role/once.h"
#include "role/role.h"

#include <string.h>

enum {
    PAGE_ROWS = 100,
    REQUEST_MS = 10 * 1000,         /* for the whole request */
    STORE_MS = 60 * 1000,           /* for the store to answer */
    DRAIN_MS = 60 * 1000,           /* for the client to take a page */
    ANSWER_MOST = 1024 * 1024,      /* of one row, rendered */
    UNSENT_MOST = 8 * 1024 * 1024,  /* of one page */
};

enum client_state { CLIENT_FREE, CLIENT_REQUEST, CLIENT_STORE, CLIENT_DRAIN, CLIENT_CLOSING };

struct client {
    enum client_state state;
    uint32_t conn, uid;
    uint64_t deadline_ms;           /* monotonic */
    struct buffer request;
    struct once_request asks;       /* its slices lie in `request` */
    uint32_t token;                 /* of the question now with the store */
    size_t unsent;                  /* octets since the client last took all */
    size_t rows;                    /* of the page under way */
    enum trace_by ways[2];          /* trace: what the word may be, in order */
    size_t ways_n, way;
    struct once_queue queue;
    struct once_trace trace;
};

struct admin {
    struct client clients[LIMIT_CONTROL_CLIENTS];
    enum store_state store;
    bool store_up, stopping;
    uint32_t tokens;
    uint64_t alarm_ms;              /* as last asked for; UINT64_MAX: none */
    struct buffer text, frames;     /* for one row */
};

static const struct role_name to_store = { ROLE_STORE, 0 };

static struct client *client_of(struct admin *admin, uint32_t conn)
{
    for (size_t i = 0; i < COUNT(admin->clients); i++)
        if (admin->clients[i].state != CLIENT_FREE && admin->clients[i].conn == conn)
            return &admin->clients[i];
    return NULL;
}

/* The client that waits for this answer; NULL when it left meanwhile. */
static struct client *client_by_token(struct admin *admin, uint32_t token)
{
    for (size_t i = 0; i < COUNT(admin->clients); i++)
        if (admin->clients[i].state == CLIENT_STORE && admin->clients[i].token == token)
            return &admin->clients[i];
    return NULL;
}

/* ---- answers */

static void send_frames(struct admin *admin, struct client *client, struct effects *fx)
{
    if (admin->frames.bad)
        fx->bad = true;
    client->unsent += admin->frames.n;
    fx_send(fx, client->conn, fx_keep(fx, buffer_bytes(&admin->frames)));
}

/* What was rendered into admin->text, as frames. */
static void send_text(struct admin *admin, struct client *client, struct effects *fx)
{
    buffer_clear(&admin->frames);
    control_put(&admin->frames, CONTROL_OUT, buffer_bytes(&admin->text));
    if (admin->text.bad)
        control_put(&admin->frames, CONTROL_ERR, BYTES("A part of the answer is too long and was"
                                                       " left out.\n"));
    send_frames(admin, client, fx);
}

static void close_after(struct client *client, uint64_t now_ms, struct effects *fx)
{
    client->state = CLIENT_CLOSING;
    client->deadline_ms = now_ms + DRAIN_MS;
    fx_close(fx, client->conn);
}

/* The last of an answer: words for standard error (or none), the status, and goodbye. */
static void finish(struct admin *admin, struct client *client, const char *words, int status,
                   uint64_t now_ms, struct effects *fx)
{
    buffer_clear(&admin->frames);
    control_put(&admin->frames, CONTROL_ERR, bytes_of(words));
    control_put_exit(&admin->frames, status);
    send_frames(admin, client, fx);
    close_after(client, now_ms, fx);
}

static struct once_style style_of(const struct client *client, const struct event *event)
{
    return (struct once_style){ client->asks.json, client->asks.relative, event->now.wall_ms };
}

/* ---- questions to the store */

static void ask_trace(const struct client *client, struct effects *fx)
{
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

static void ask(struct admin *admin, struct client *client, uint64_t now_ms, struct effects *fx)
{
    if (!admin->store_up) {
        finish(admin, client, "The queue is being started. Ask again in a moment.\n", ONCE_NOT_NOW,
               now_ms, fx);
        return;
    }
    client->state = CLIENT_STORE;
    client->deadline_ms = now_ms + STORE_MS;
    client->token = ++admin->tokens;
    client->rows = 0;
    switch (client->asks.command) {
    case ONCE_QUEUE:
        wire_tell_queue_ask(fx, to_store, &(struct wire_queue_ask){
            client->token, client->queue.letter, PAGE_ROWS });
        break;
    case ONCE_TRACE:
        ask_trace(client, fx);
        break;
    case ONCE_STATUS:
        wire_tell_status_ask(fx, to_store, &(struct wire_status_ask){ client->token });
        break;
    case ONCE_COMMANDS:
        break;
    }
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

static void run_request(struct admin *admin, struct client *client, const struct event *event,
                        const struct bytes *words, size_t n, struct effects *fx)
{
    uint64_t now_ms = event->now.mono_ms;
    struct buffer flaw = buffer_with_most(1024);

    log_request(client, words, n, fx);
    fx_pause(fx, client->conn);
    if (!once_read(words, n, &client->asks, &flaw)) {
        buffer_put_char(&flaw, '\0');
        finish(admin, client, flaw.bad ? "This request cannot be read.\n" : flaw.at, ONCE_USAGE,
               now_ms, fx);
    } else if (client->asks.help) {
        buffer_clear(&admin->text);
        buffer_put_text(&admin->text, once_help(client->asks.command));
        send_text(admin, client, fx);
        finish(admin, client, "", ONCE_WELL, now_ms, fx);
    } else {
        struct once_style style = style_of(client, event);
        client->queue = (struct once_queue){ .style = style };
        client->trace = (struct once_trace){ .style = style };
        client->way = 0;
        client->ways_n = once_trace_ways(client->asks.subject, client->ways);
        ask(admin, client, now_ms, fx);
    }
    buffer_done(&flaw);
}

/* ---- what clients do */

static void refuse_client(struct admin *admin, const struct event *event, const char *words,
                          int status, struct effects *fx)
{
    struct buffer *line = fx_draft(fx);

    log_begin(line, "control-refused");
    log_uint(line, "uid", event->remote.uid);
    log_uint(line, "status", (uint64_t)status);
    fx_log(fx, LOG_WARN, fx_keep(fx, buffer_bytes(line)));
    buffer_clear(&admin->frames);
    control_put(&admin->frames, CONTROL_ERR, bytes_of(words));
    control_put_exit(&admin->frames, status);
    fx_send(fx, event->conn, fx_keep(fx, buffer_bytes(&admin->frames)));
    fx_close(fx, event->conn);
}

static void on_accept(struct admin *admin, const struct event *event, struct effects *fx)
{
    struct client *client = NULL;
    size_t same_uid = 0;

    if (!event->remote.unix_peer
        || (event->remote.uid != 0 && event->remote.uid != event->local.uid)) {
        refuse_client(admin, event, "Only root and the server's own user may ask this.\n",
                      ONCE_DENIED, fx);
        return;
    }
    for (size_t i = 0; i < COUNT(admin->clients); i++) {
        if (admin->clients[i].state == CLIENT_FREE)
            client = &admin->clients[i];
        else
            same_uid += admin->clients[i].uid == event->remote.uid;
    }
    if (client == NULL || same_uid >= LIMIT_CONTROL_PER_UID || admin->stopping) {
        refuse_client(admin, event, "Too many are asking. Try again in a moment.\n", ONCE_NOT_NOW,
                      fx);
        return;
    }
    client->state = CLIENT_REQUEST;
    client->conn = event->conn;
    client->uid = event->remote.uid;
    client->deadline_ms = event->now.mono_ms + REQUEST_MS;
    client->unsent = 0;
    client->request = buffer_with_most(LIMIT_CONTROL_FRAME + CONTROL_LENGTH);
}

static void on_bytes(struct admin *admin, struct client *client, const struct event *event,
                     struct effects *fx)
{
    struct bytes words[CONTROL_WORDS_MOST];
    enum control_took took = CONTROL_FLAW;
    size_t n = 0;

    if (client->state == CLIENT_CLOSING)
        return;
    if (client->state == CLIENT_REQUEST) {
        buffer_put(&client->request, event->bytes);
        if (!client->request.bad)
            took = control_take_request(buffer_bytes(&client->request), words, &n);
    }
    switch (took) {
    case CONTROL_TOOK:
        run_request(admin, client, event, words, n, fx);
        break;
    case CONTROL_NEEDS_MORE:
        break;
    case CONTROL_FLAW:
        finish(admin, client, "This is no request of the control socket.\n", ONCE_PROTOCOL,
               event->now.mono_ms, fx);
        break;
    }
}

static void on_end(struct client *client, const struct event *event, struct effects *fx)
{
    /* After its request it may close its half, and still reads. */
    if (client->state == CLIENT_REQUEST)
        close_after(client, event->now.mono_ms, fx);
}

static void on_closed(struct client *client)
{
    buffer_done(&client->request);
    client->state = CLIENT_FREE;
}

static void on_drained(struct admin *admin, struct client *client, const struct event *event,
                       struct effects *fx)
{
    client->unsent = 0;
    if (client->state == CLIENT_DRAIN)
        ask(admin, client, event->now.mono_ms, fx);
}

/* ---- what the store answers */

/* A row was rendered. A page that outgrows its bound (strange rows, or a search that finds too
   much) ends the answer, since the store cannot be told to pause. */
static void send_row(struct admin *admin, struct client *client, const struct event *event,
                     struct effects *fx)
{
    client->rows++;
    send_text(admin, client, fx);
    if (client->unsent > UNSENT_MOST)
        finish(admin, client, "This is too much to tell: ask for less.\n", ONCE_UNAVAILABLE,
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
    buffer_clear(&admin->text);
    once_queue_row(&client->queue, &row, &admin->text);
    send_row(admin, client, event, fx);
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

static void on_status_is(struct admin *admin, const struct event *event, struct effects *fx)
{
    struct wire_status_is status;
    struct client *client = NULL;

    if (wire_read_status_is(event->bytes, &status))
        client = client_by_token(admin, status.token);
    if (client == NULL || client->asks.command != ONCE_STATUS)
        return;
    struct once_style style = style_of(client, event);
    buffer_clear(&admin->text);
    once_status(&style, admin->store, &status, &admin->text);
    send_text(admin, client, fx);
    finish(admin, client, "", ONCE_WELL, event->now.mono_ms, fx);
}

static void end_trace(struct admin *admin, struct client *client, bool more,
                      const struct event *event, struct effects *fx)
{
    uint64_t now_ms = event->now.mono_ms;

    if (client->trace.letters == 0 && client->way + 1 < client->ways_n) {
        client->way++;
        ask(admin, client, now_ms, fx);
        return;
    }
    if (client->trace.letters == 0) {
        finish(admin, client, "Nothing is known of it: no such letter came here, or its history"
               " is no longer kept.\n", ONCE_FOUND_NOTHING, now_ms, fx);
        return;
    }
    buffer_clear(&admin->text);
    once_trace_end(&client->trace, more, &admin->text);
    send_text(admin, client, fx);
    finish(admin, client, "", ONCE_WELL, now_ms, fx);
}

/* A page of the queue ended: the next one when the client has taken it. A page without rows that
   says there are more would go on for ever. */
static void end_queue_page(struct admin *admin, struct client *client, bool more,
                           const struct event *event, struct effects *fx)
{
    uint64_t now_ms = event->now.mono_ms;

    if (more && client->rows == 0) {
        finish(admin, client, "The list broke off. Ask again.\n", ONCE_SOFTWARE, now_ms, fx);
    } else if (more && client->unsent == 0) {
        ask(admin, client, now_ms, fx);
    } else if (more) {
        client->state = CLIENT_DRAIN;
        client->deadline_ms = now_ms + DRAIN_MS;
    } else {
        buffer_clear(&admin->text);
        once_queue_end(&client->queue, &admin->text);
        send_text(admin, client, fx);
        finish(admin, client, "", ONCE_WELL, now_ms, fx);
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
        finish(admin, client, "The queue cannot tell this now. Ask again in a moment.\n",
               ONCE_NOT_NOW, event->now.mono_ms, fx);
    else if (client->asks.command == ONCE_TRACE)
        end_trace(admin, client, end.result == THERE_IS_MORE, event, fx);
    else if (client->asks.command == ONCE_QUEUE)
        end_queue_page(admin, client, end.result == THERE_IS_MORE, event, fx);
}

static void on_store_state(struct admin *admin, const struct event *event)
{
    struct wire_store_state state;

    if (wire_read_store_state(event->bytes, &state) && state.state <= STORE_READ_ONLY)
        admin->store = (enum store_state)state.state;
}

static void on_told(struct admin *admin, const struct event *event, struct effects *fx)
{
    enum wire_kind kind = wire_kind_of(event->bytes);

    if (event->peer.kind != ROLE_STORE)
        return;
    if (kind == WIRE_STORE_STATE_MESSAGE)
        on_store_state(admin, event);
    else if (kind == WIRE_QUEUE_ROW_MESSAGE)
        on_queue_row(admin, event, fx);
    else if (kind == WIRE_TRACE_ROW_MESSAGE)
        on_trace_row(admin, event, fx);
    else if (kind == WIRE_STATUS_IS_MESSAGE)
        on_status_is(admin, event, fx);
    else if (kind == WIRE_ANSWER_END_MESSAGE)
        on_answer_end(admin, event, fx);
}

/* ---- the store comes and goes, time passes, the end */

static void on_store_gone(struct admin *admin, const struct event *event, struct effects *fx)
{
    admin->store_up = false;
    admin->store = STORE_CLOSED;
    for (size_t i = 0; i < COUNT(admin->clients); i++)
        if (admin->clients[i].state == CLIENT_STORE || admin->clients[i].state == CLIENT_DRAIN)
            finish(admin, &admin->clients[i], "The queue is being restarted. Ask again in a"
                   " moment.\n", ONCE_NOT_NOW, event->now.mono_ms, fx);
}

static void on_late(struct admin *admin, struct client *client, uint64_t now_ms,
                    struct effects *fx)
{
    switch (client->state) {
    case CLIENT_FREE:
        break;
    case CLIENT_REQUEST:
        finish(admin, client, "The request did not come in time.\n", ONCE_PROTOCOL, now_ms, fx);
        break;
    case CLIENT_STORE:
        finish(admin, client, "The queue does not answer. Ask again in a moment.\n", ONCE_NOT_NOW,
               now_ms, fx);
        break;
    case CLIENT_DRAIN:
    case CLIENT_CLOSING:
        fx_abort(fx, client->conn);
        client->state = CLIENT_CLOSING;
        client->deadline_ms = UINT64_MAX;
        break;
    }
}

static void look_at_the_clock(struct admin *admin, uint64_t now_ms, struct effects *fx)
{
    uint64_t next_ms = UINT64_MAX;

    for (size_t i = 0; i < COUNT(admin->clients); i++) {
        struct client *client = &admin->clients[i];
        if (client->state != CLIENT_FREE && client->deadline_ms <= now_ms)
            on_late(admin, client, now_ms, fx);
        if (client->state != CLIENT_FREE && client->deadline_ms < next_ms)
            next_ms = client->deadline_ms;
    }
    if (next_ms != admin->alarm_ms)
        fx_alarm(fx, next_ms == UINT64_MAX ? 0 : next_ms);
    admin->alarm_ms = next_ms;
}

static void on_stop(struct admin *admin, uint64_t now_ms, struct effects *fx)
{
    admin->stopping = true;
    for (size_t i = 0; i < COUNT(admin->clients); i++) {
        struct client *client = &admin->clients[i];
        if (client->state != CLIENT_FREE && client->state != CLIENT_CLOSING)
            finish(admin, client, "The server is stopping.\n", ONCE_UNAVAILABLE, now_ms, fx);
    }
    fx_exit(fx, 0);
}

static void on_conn(struct admin *admin, const struct event *event, struct effects *fx)
{
    struct client *client = client_of(admin, event->conn);

    if (client == NULL)
        return;
    if (event->kind == EV_BYTES)
        on_bytes(admin, client, event, fx);
    else if (event->kind == EV_END)
        on_end(client, event, fx);
    else if (event->kind == EV_DRAINED)
        on_drained(admin, client, event, fx);
    else
        on_closed(client);
}

static void admin_step(void *role, const struct event *event, struct effects *fx)
{
    struct admin *admin = role;

    switch (event->kind) {
    case EV_ACCEPT:
        on_accept(admin, event, fx);
        break;
    case EV_BYTES: case EV_END: case EV_CLOSED: case EV_DRAINED:
        on_conn(admin, event, fx);
        break;
    case EV_TOLD:
        on_told(admin, event, fx);
        break;
    case EV_PEER_UP:
        admin->store_up = admin->store_up || event->peer.kind == ROLE_STORE;
        break;
    case EV_PEER_DOWN:
        if (event->peer.kind == ROLE_STORE)
            on_store_gone(admin, event, fx);
        break;
    case EV_STOP:
        on_stop(admin, event->now.mono_ms, fx);
        break;
    case EV_START: case EV_IO: case EV_ALARM: case EV_TURN: case EV_RELOAD: case EV_CHILD:
        break;
    }
    look_at_the_clock(admin, event->now.mono_ms, fx);
}

static void *admin_make(const struct conf *conf, uint32_t index)
{
    struct admin *admin = mem_new(sizeof(*admin));

    if (admin != NULL) {
        admin->alarm_ms = UINT64_MAX;
        admin->text = buffer_with_most(ANSWER_MOST);
        admin->frames = buffer_with_most(ANSWER_MOST + ANSWER_MOST / 1024);
    }
    return admin;
}

static void admin_free(void *role)
{
    struct admin *admin = role;

    if (admin == NULL)
        return;
    for (size_t i = 0; i < COUNT(admin->clients); i++)
        buffer_done(&admin->clients[i].request);
    buffer_done(&admin->text);
    buffer_done(&admin->frames);
    mem_free(admin);
}

const struct role_ops admin_ops = { "admin", admin_make, admin_step, admin_free };
