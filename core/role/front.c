/* SPDX-License-Identifier: ISC
 *
 * role/front.c: the role that speaks with clients. It holds their octets and nothing else worth
 * stealing: no file, no key. What a client may do it asks of the store; what he brings it gives to
 * the store, and says 250 only when the store has said that it is safe.
 */
#include "role/front_int.h"

#include "base/log.h"
#include "base/mark.h"
#include "role/role.h"

#include <assert.h>
#include <string.h>

const struct role_name front_to_store = { ROLE_STORE, 0 };

/* ---- the sessions to look at */

void front_mark(struct front *front, struct session *session)
{
    if (session->dirty_at != NULL)
        return;
    session->next_dirty = front->dirty;
    if (front->dirty != NULL)
        front->dirty->dirty_at = &session->next_dirty;
    session->dirty_at = &front->dirty;
    front->dirty = session;
}

void front_unmark(struct front *front, struct session *session)
{
    if (session->dirty_at == NULL)
        return;
    *session->dirty_at = session->next_dirty;
    if (session->next_dirty != NULL)
        session->next_dirty->dirty_at = session->dirty_at;
    session->dirty_at = NULL;
}

/* A turn may mark a session again, itself too: settled without the store, for example. */
static void look_at_dirty(struct front *front)
{
    while (front->dirty != NULL) {
        struct session *session = front->dirty;
        front_unmark(front, session);
        session_turn(front, session);
    }
}

struct session *front_session(const struct front *front, uint32_t conn, uint64_t number)
{
    struct session *session = conn < front->sessions_room ? front->sessions[conn] : NULL;

    return session != NULL && session->number == number ? session : NULL;
}

static void for_each(struct front *front, void (*act)(struct front *, struct session *))
{
    for (size_t i = 0; i < front->sessions_room; i++)
        if (front->sessions[i] != NULL)
            act(front, front->sessions[i]);
}

/* ---- the store */

static void set_low(struct front *front, struct session *session)
{
    smtp_server_set_low(session->smtp, front->store == STORE_LOW);
}

static void on_state(struct front *front, uint8_t state)
{
    front->store = state <= STORE_READ_ONLY ? (enum store_state)state : STORE_CLOSED;
    for_each(front, set_low);
}

static void on_store_down(struct front *front)
{
    front->store = STORE_CLOSED;
    log_store(front, "store-gone");
    MARK("the store dies while a front lives");
    ways_lost(front);
    recipients_lost(front);
}

/* False: a frame that does not read, or is not ours to get. */
static bool on_frame(struct front *front, struct bytes frame)
{
    struct wire_letter_taken taken;
    struct wire_credit credit;
    struct wire_mailbox_is is;
    struct wire_letter_refused refused;
    struct wire_store_state state;
    struct wire_figures_ask figures;

    if (wire_read_letter_taken(frame, &taken))
        return way_taken(front, &taken), true;
    if (wire_read_credit(frame, &credit))
        return way_credit(front, &credit), true;
    if (wire_read_mailbox_is(frame, &is))
        return recipient_is(front, &is), true;
    if (wire_read_letter_refused(frame, &refused))
        return way_refused(front, &refused), true;
    if (wire_read_figures_ask(frame, &figures))
        return counts_tell(front, figures.token), true;
    if (wire_read_store_state(frame, &state))
        return on_state(front, state.state), true;
    return false;
}

static void on_told(struct front *front, const struct event *event)
{
    bool known = event->peer.kind == ROLE_STORE ? on_frame(front, event->bytes)
               : event->peer.kind == ROLE_KEYS && front_tls_frame(front, event->bytes);

    if (!known)
        log_store(front, "bad-frame");
}

/* ---- the clients */

static void on_client(struct front *front, const struct event *event)
{
    struct session *session = event->conn < front->sessions_room ? front->sessions[event->conn]
                                                                  : NULL;

    if (event->kind == EV_CLOSED) {
        front->connected--;
        manners_look(front);
    }
    if (session == NULL)
        return;
    if (event->kind == EV_BYTES)
        session_bytes(front, session, event->bytes);
    else if (event->kind == EV_END)
        session_end(front, session);
    else if (event->kind == EV_DRAINED)
        session_drained(front, session);
    else if (event->kind == EV_CLOSED)
        session_closed(front, session);
}

/* ---- time and the end */

static void on_alarm(struct front *front)
{
    struct session *session;

    front->alarm_ms = FRONT_NEVER;
    while ((session = clock_take(front)) != NULL)
        session_late(front, session);
}

static void on_stop(struct front *front)
{
    if (front->stopping)
        return;
    front->stopping = true;
    front->stop_ms = front->now.mono_ms + FRONT_STOP_MS;
    for_each(front, session_stop);
}

/* The time for letters to end is over: who is still here is told so. */
static void say_the_last(struct front *front)
{
    if (!front->stopping || front->last_said || front->now.mono_ms < front->stop_ms)
        return;
    front->last_said = true;
    for_each(front, session_stop_now);
}

static void end_if_done(struct front *front)
{
    if (!front->stopping || front->over)
        return;
    if (front->connected > 0 && front->now.mono_ms < front->stop_ms + FRONT_LAST_MS)
        return;
    front->over = true;
    fx_exit(front->fx, 0);
}

static void set_conf(struct front *front, const struct conf *conf)
{
    front->conf = conf;
    front->settings.host = conf->host;
    front->settings.size_most = conf->size_most;
    front->settings.recipients_most = (uint32_t)conf->recipients_most;
    front->settings.recipes = conf->lossless_binary;
}

/* It was told the old size; the name must not outlive the old settings. */
static void session_reload(struct front *front, struct session *session)
{
    session->settings.host = front->settings.host;
}

/* Those who are connected go on; what they ask for next meets the new settings. */
static void on_reload(struct front *front, const struct conf *conf)
{
    set_conf(front, conf);
    for_each(front, session_reload);
    if (!recipients_make(front) || !manners_reload(front))
        front->fx->bad = true;
}

static void on_event(struct front *front, const struct event *event)
{
    switch (event->kind) {
    case EV_START:
        memcpy(front->key, event->bytes.at,
               event->bytes.n < sizeof(front->key) ? event->bytes.n : sizeof(front->key));
        if (!recipients_make(front) || !manners_make(front))
            front->fx->bad = true;
        break;
    case EV_ACCEPT:
        session_accept(front, event);
        break;
    case EV_BYTES: case EV_END: case EV_CLOSED: case EV_DRAINED:
        on_client(front, event);
        break;
    case EV_TOLD:
        on_told(front, event);
        break;
    case EV_PEER_DOWN:
        if (event->peer.kind == ROLE_STORE)
            on_store_down(front);
        if (event->peer.kind == ROLE_KEYS)
            front_tls_peer(front, false);
        break;
    case EV_PEER_UP:
        if (event->peer.kind == ROLE_KEYS)
            front_tls_peer(front, true);
        break;
    case EV_ALARM:
        on_alarm(front);
        break;
    case EV_TURN:
        look_at_dirty(front);
        break;
    case EV_STOP:
        on_stop(front);
        break;
    case EV_RELOAD:
        on_reload(front, event->conf);
        break;
    case EV_IO: case EV_CHILD: case EV_CONNECTED: case EV_ASKED: case EV_RESOLVED: case EV_FETCHED:
        break;
    }
}

static void front_step(void *role, const struct event *event, struct effects *fx)
{
    struct front *front = role;

    front->now = event->now;
    front->fx = fx;
    front->input = event->kind == EV_BYTES ? event->bytes : BYTES_NONE;
    on_event(front, event);
    say_the_last(front);
    end_if_done(front);
    clock_ask(front);
    front->fx = NULL;
}

static void *front_make(const struct conf *conf, uint32_t index)
{
    struct front *front = mem_new(sizeof(*front));

    if (front == NULL)
        return NULL;
    front->settings = (struct smtp_settings){ .notes = true };
    set_conf(front, conf);
    front->alarm_ms = FRONT_NEVER;
    front->head = buffer_with_most(LIMIT_FRAME_BYTES);
    front->to = buffer_with_most(LIMIT_FRAME_BYTES);
    front->expanded = buffer_with_most(LIMIT_RECORD_BYTES);
    front->targets = buffer_with_most(LIMIT_RECORD_BYTES * 4);
    front->hashes = buffer_with_most((LIMIT_RECIPIENTS_MOST + 1) * sizeof(uint64_t));
    front->address = buffer_with_most(4 * LIMIT_PATH);
    front->planted = buffer_with_most(LIMIT_FRAME_BYTES);
    return front;
}

static void front_free(void *role)
{
    struct front *front = role;
    struct effects fx = effects_none();

    if (front == NULL)
        return;
    front->fx = &fx;
    for_each(front, session_forget);
    effects_done(&fx);
    letters_done(front);
    ways_done(front);
    recipients_done(front);
    manners_done(front);
    front_tls_done(front);
    buffer_done(&front->head);
    buffer_done(&front->to);
    buffer_done(&front->expanded);
    buffer_done(&front->targets);
    buffer_done(&front->hashes);
    buffer_done(&front->address);
    buffer_done(&front->planted);
    mem_free(front->clock);
    mem_free(front->sessions);
    mem_free(front);
}

const struct role_ops front_ops = { "front", front_make, front_step, front_free };
