/* SPDX-License-Identifier: ISC
 *
 * role/admin.c: the role behind the control socket: answers the commands that ask.
 *
 * A client is in one of these states; each but FREE has a time limit, after which it is cut off:
 *   FREE -> REQUEST     it connected, and may (uid 0 or our own)      [on_accept]
 *   REQUEST -> STORE    its request is whole, the store was asked      [ask]
 *   REQUEST -> FIGURES   ... the store and the fronts were asked      [admin_gather]
 *   FIGURES -> STORE      all have said theirs, or some late           [admin_figured]
 *   REQUEST -> WORLD    ... the world was asked to reload              [run]
 *   STORE -> BACKUP       the store keeps its files while it copies    [on_backup_is]
 *   BACKUP -> STORE       it has closed its half: was that so?        [on_end]
 *   STORE -> DRAIN      a page of the answer was sent                  [on_answer_end]
 *   DRAIN -> STORE      it took that page, the next one is asked for   [on_drained]
 *   any -> CLOSING      the answer, or a refusal, ends with its status [finish]
 *   any -> FREE         the connection is gone                         [on_closed]
 * Who asks over HTTP (admin_web.c) is the world's client: one question, one answer.
 *
 * What a client sends can close that client and nothing else. An answer is made page by page, so
 * a list of any length costs one page of memory.
 */
#include "role/admin_int.h"

#include "base/log.h"
#include "role/role.h"

static struct client *client_of(struct admin *admin, uint32_t conn)
{
    for (size_t i = 0; i < COUNT(admin->clients); i++)
        if (admin->clients[i].state != CLIENT_FREE && admin->clients[i].conn == conn)
            return &admin->clients[i];
    return NULL;
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
    client->holds = false;
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
        admin_run(admin, client, event, words, n, fx);
        break;
    case CONTROL_NEEDS_MORE:
        break;
    case CONTROL_FLAW:
        admin_finish(admin, client, "This is no request of the control socket.\n", ONCE_PROTOCOL,
                     event->now.mono_ms, fx);
        break;
    }
}

static void on_end(struct admin *admin, struct client *client, const struct event *event,
                   struct effects *fx)
{
    if (client->state == CLIENT_BACKUP)
        admin_release(admin, client, true, event->now.mono_ms, fx);
    /* After its request it may close its half, and still reads. */
    if (client->state == CLIENT_REQUEST)
        admin_close(client, event->now.mono_ms, fx);
}

static void client_done(struct client *client)
{
    buffer_done(&client->request);
    buffer_done(&client->order_recipients);
    buffer_done(&client->order_to);
    once_dests_free(client->dests);
    client->dests = NULL;
}

static void on_closed(struct admin *admin, struct client *client, const struct event *event,
                      struct effects *fx)
{
    admin_release(admin, client, false, event->now.mono_ms, fx);
    client_done(client);
    client->state = CLIENT_FREE;
}

static void on_drained(struct admin *admin, struct client *client, const struct event *event,
                       struct effects *fx)
{
    client->unsent = 0;
    if (client->state == CLIENT_DRAIN)
        admin_ask(admin, client, event->now.mono_ms, fx);
}

/* ---- the store comes and goes, time passes, the end */

static void on_store_gone(struct admin *admin, const struct event *event, struct effects *fx)
{
    admin->store_up = false;
    admin->store = STORE_CLOSED;
    admin->gathering.figures.store_known = false;
    admin_figures_end(admin, event->now, fx);
    for (size_t i = 0; i < COUNT(admin->clients); i++) {
        struct client *client = &admin->clients[i];
        client->holds = false;
        if (client->state == CLIENT_STORE || client->state == CLIENT_DRAIN
            || client->state == CLIENT_BACKUP)
            admin_finish(admin, client, "The queue is being restarted. Ask again in a moment.\n",
                         ONCE_NOT_NOW, event->now.mono_ms, fx);
    }
}

static void on_late(struct admin *admin, struct client *client, uint64_t now_ms,
                    struct effects *fx)
{
    switch (client->state) {
    case CLIENT_FREE:
        break;
    case CLIENT_REQUEST:
        admin_finish(admin, client, "The request did not come in time.\n", ONCE_PROTOCOL, now_ms,
                     fx);
        break;
    case CLIENT_FIGURES: case CLIENT_STORE:
        admin_finish(admin, client, "The queue does not answer. Ask again in a moment.\n",
                     ONCE_NOT_NOW, now_ms, fx);
        break;
    case CLIENT_BACKUP:
        admin_finish(admin, client, "The copy takes too long: it is not whole.\n", ONCE_NOT_NOW,
                     now_ms, fx);
        break;
    case CLIENT_WORLD:
        admin_finish(admin, client, "The server does not say how the reload went: see its log.\n",
                     ONCE_NOT_NOW, now_ms, fx);
        break;
    case CLIENT_DRAIN:
    case CLIENT_CLOSING:
        fx_abort(fx, client->conn);
        client->state = CLIENT_CLOSING;
        client->deadline_ms = UINT64_MAX;
        break;
    }
}

static void look_at_the_clock(struct admin *admin, struct moment now, struct effects *fx)
{
    uint64_t now_ms = now.mono_ms, next_ms = UINT64_MAX;

    if (admin->gathering.open && admin->gathering.deadline_ms <= now_ms)
        admin_figures_end(admin, now, fx);
    for (size_t i = 0; i < COUNT(admin->clients); i++) {
        struct client *client = &admin->clients[i];
        if (client->state != CLIENT_FREE && client->deadline_ms <= now_ms)
            on_late(admin, client, now_ms, fx);
        if (client->state != CLIENT_FREE && client->deadline_ms < next_ms)
            next_ms = client->deadline_ms;
    }
    if (admin->gathering.open && admin->gathering.deadline_ms < next_ms)
        next_ms = admin->gathering.deadline_ms;
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
            admin_finish(admin, client, "The server is stopping.\n", ONCE_UNAVAILABLE, now_ms, fx);
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
        on_end(admin, client, event, fx);
    else if (event->kind == EV_DRAINED)
        on_drained(admin, client, event, fx);
    else
        on_closed(admin, client, event, fx);
}

static void admin_step(void *role, const struct event *event, struct effects *fx)
{
    struct admin *admin = role;

    admin_web_clear(admin);
    switch (event->kind) {
    case EV_ACCEPT:
        on_accept(admin, event, fx);
        break;
    case EV_BYTES: case EV_END: case EV_CLOSED: case EV_DRAINED:
        on_conn(admin, event, fx);
        break;
    case EV_TOLD:
        admin_told(admin, event, fx);
        break;
    case EV_PEER_UP:
        admin->store_up = admin->store_up || event->peer.kind == ROLE_STORE;
        break;
    case EV_PEER_DOWN:
        if (event->peer.kind == ROLE_STORE)
            on_store_gone(admin, event, fx);
        break;
    case EV_ASKED:
        admin_asked(admin, event, fx);
        break;
    case EV_STOP:
        on_stop(admin, event->now.mono_ms, fx);
        break;
    case EV_RELOAD:
        admin_reloaded(admin, event, fx);
        break;
    case EV_START: case EV_IO: case EV_ALARM: case EV_TURN: case EV_CHILD: case EV_CONNECTED:
    case EV_RESOLVED: case EV_FETCHED:
        break;
    }
    look_at_the_clock(admin, event->now, fx);
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
        client_done(&admin->clients[i]);
    for (size_t i = 0; i < COUNT(admin->web); i++)
        web_response_done(&admin->web[i].response);
    buffer_done(&admin->text);
    buffer_done(&admin->frames);
    mem_free(admin);
}

const struct role_ops admin_ops = { "admin", admin_make, admin_step, admin_free };
