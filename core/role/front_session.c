/* SPDX-License-Identifier: ISC
 *
 * role/front_session.c: one client. The machine of smtp/server.h is given octets and says what it
 * needs; what it cannot take now waits in `pending`. Nothing is sent before the instant's events
 * are through (session_turn), so that the answers to many commands make one send.
 */
#include "role/front_int.h"

#include "base/plant.h"

#include <assert.h>
#include <string.h>

enum { ROUNDS_MOST = 1000 };

/* ---- birth and death */

static struct session *session_new(struct front *front, const struct event *event)
{
    struct session *session = mem_new(sizeof(*session));

    if (session == NULL)
        return NULL;
    session->settings = front->settings;
    session->smtp = smtp_server_new(&session->settings);
    if (session->smtp == NULL) {
        mem_free(session);
        return NULL;
    }
    session->number = ++front->numbers;
    session->conn = event->conn;
    session->command_ms = front->now.mono_ms;
    session->pending = buffer_with_most(FRONT_PENDING_MOST);
    session->hows = buffer_with_most(LIMIT_RECIPIENTS_MOST + 1);
    session->story = buffer_with_most(LIMIT_LOG_LINE - 256);
    manners_begin(front, session, &event->remote);
    return session;
}

static bool make_room(struct front *front, uint32_t conn)
{
    size_t room = front->sessions_room == 0 ? 64 : front->sessions_room;

    while (room <= conn)
        room *= 2;
    if (room == front->sessions_room)
        return true;
    struct session **sessions = mem_resize(front->sessions, room * sizeof(struct session *));
    if (sessions == NULL)
        return false;
    memset(sessions + front->sessions_room, 0,
           (room - front->sessions_room) * sizeof(struct session *));
    front->sessions = sessions;
    front->sessions_room = room;
    return true;
}

void session_accept(struct front *front, const struct event *event)
{
    struct session *session = make_room(front, event->conn) ? session_new(front, event) : NULL;

    front->connected++;
    front->figures.connected++;
    manners_look(front);
    if (session == NULL) {
        fx_send(front->fx, event->conn, BYTES("421 4.3.2 Memory is short, try again later\r\n"));
        fx_close(front->fx, event->conn);
        return;
    }
    assert(front->sessions[event->conn] == NULL);
    front->sessions[event->conn] = session;
    front->sessions_n++;
    session->listener = event->listener;
    session->implicit = !event->remote.unix_peer
                     && conf_listen_is_tls(front->conf, event->listener);
    log_client(front, session, "connect");
    manners_come(front, session);
    front_mark(front, session);
}

void session_forget(struct front *front, struct session *session)
{
    front->sessions[session->conn] = NULL;
    front->sessions_n--;
    front->held -= session->held;
    manners_leave(front, session);
    recipient_forget(front, session);
    clock_forget(front, session);
    letter_drop(front, session);
    front_unmark(front, session);
    smtp_server_free(session->smtp);
    tls_free(session->tls);
    buffer_done(&session->pending);
    buffer_done(&session->hows);
    buffer_done(&session->story);
    mem_free(session);
}

void session_closed(struct front *front, struct session *session)
{
    log_story_lost(front, session);
    if (!session->quit)
        log_end(front, session, "closed-without-quit");
    session_forget(front, session);
}

static void hang_up(struct front *front, struct session *session)
{
    uint32_t conn = session->conn;

    log_story_lost(front, session);
    if (!session->quit)
        log_end(front, session, session->ended ? "closed-without-quit" : "closed-by-us");
    session_say_goodbye(front, session);
    session_forget(front, session);
    fx_close(front->fx, conn);
}

static void cut_off(struct front *front, struct session *session, const char *why)
{
    uint32_t conn = session->conn;

    log_story_lost(front, session);
    log_end(front, session, why);
    session_forget(front, session);
    fx_abort(front->fx, conn);
}

/* ---- what the machine says */

static bool waits(const struct front *front, const struct session *session)
{
    return session->asking || session->held_back_ms != 0 || letter_waits(front, session)
        || session->ahead > LIMIT_LETTER_CREDIT || session->unread > FRONT_UNREAD_MOST;
}

static void on_rcpt(struct front *front, struct session *session, struct address address)
{
    enum smtp_verdict verdict;

    if (recipient_ask(front, session, address, &verdict))
        manners_answer(front, session, verdict);
}

static void on_note(struct front *front, struct session *session)
{
    struct smtp_note note = smtp_server_note(session->smtp);

    session->command_ms = front->now.mono_ms;
    if (bytes_equal(note.verb, BYTES("MAIL")))
        session->mail_ms = front->now.wall_ms;
    session->quit = session->quit || bytes_equal(note.verb, BYTES("QUIT"));
    log_note(front, session, &note);
}

/* The last octets in clear leave; those that came in clear behind the command are thrown away
   (RFC 3207, 6; SRV-016, SRV-017). */
static void on_starttls(struct front *front, struct session *session, struct bytes *in)
{
    bool yes = session_secure(front, session);

    smtp_server_answer_starttls(session->smtp, yes);
    if (!yes)
        return;
    if (!PLANTED(clear_octets_kept)) {
        *in = bytes_skip(*in, in->n);
        buffer_done(&session->pending);
        session->pending_at = 0;
    }
    fx_send(front->fx, session->conn, fx_keep(front->fx, smtp_server_output(session->smtp)));
    smtp_server_sent(session->smtp);
}

/* Step until the machine needs something or all input is taken. */
static void run(struct front *front, struct session *session, struct bytes *in)
{
    while (!session->over && !waits(front, session)) {
        struct smtp_event event = smtp_server_step(session->smtp, in);
        switch (event.kind) {
        case SMTP_MORE:
            letter_keep(front, session);
            return;
        case SMTP_STARTTLS:
            on_starttls(front, session, in);
            break;
        case SMTP_ASK_RCPT:
            on_rcpt(front, session, event.address);
            break;
        case SMTP_TEXT:
            letter_text(front, session, event.text);
            break;
        case SMTP_END:
            letter_end(front, session, event.token);
            break;
        case SMTP_DROP:
            letter_drop(front, session);
            break;
        case SMTP_NOTE:
            on_note(front, session);
            break;
        case SMTP_XCLIENT:
            manners_xclient(front, session);
            break;
        case SMTP_CLOSE:
            session->over = true;
            break;
        }
    }
    letter_keep(front, session);
}

/* ---- input */

static bool has_pending(const struct session *session)
{
    return session->pending.n > session->pending_at;
}

static void run_pending(struct front *front, struct session *session)
{
    if (session->pending.bad)
        return;             /* octets are lost: what follows them is not what it seems to be */
    struct bytes in = bytes_skip(buffer_bytes(&session->pending), session->pending_at);

    run(front, session, &in);
    session->pending_at = session->pending.n - in.n;
    if (in.n == 0 || session->over) {
        buffer_done(&session->pending);
        session->pending_at = 0;
    }
}

static void keep_input(struct session *session, struct bytes bytes)
{
    buffer_drop(&session->pending, session->pending_at);
    session->pending_at = 0;
    buffer_put(&session->pending, bytes);
}

void session_bytes(struct front *front, struct session *session, struct bytes bytes)
{
    if (session->tls != NULL)
        session_cipher(front, session, bytes);
    else
        session_plain(front, session, bytes);
}

void session_plain(struct front *front, struct session *session, struct bytes bytes)
{
    front_mark(front, session);
    if (session->over || session->ended)
        return;
    if (session->stage != SESSION_OPEN) {
        if (!manners_in(front, session, bytes))
            cut_off(front, session, "bad-proxy-header");
        return;
    }
    if (!has_pending(session) && !session->pending.bad)
        run(front, session, &bytes);
    if (bytes.n > 0 && !session->over)
        keep_input(session, bytes);
}

void session_end(struct front *front, struct session *session)
{
    session->ended = true;
    front_mark(front, session);
}

void session_drained(struct front *front, struct session *session)
{
    session->unread = 0;
    front_mark(front, session);
}

/* ---- output */

/* A client whose commands are refused again and again is answered slowly, so that guessing names
   costs it time (SRV-109). It is not read meanwhile. */
static bool holds_back(struct front *front, struct session *session)
{
    if (session->over || !smtp_server_annoyed(session->smtp))
        return false;
    if (session->held_back_ms == 0)
        session->held_back_ms = front->now.mono_ms + FRONT_HOLD_BACK_MS;
    return session->held_back_ms > front->now.mono_ms;
}

/* True when there was something to send. */
static bool flush(struct front *front, struct session *session)
{
    struct bytes output = smtp_server_output(session->smtp);

    if (output.n == 0 || session->shaking || session->tls_over
        || (session->implicit && session->tls == NULL) || holds_back(front, session))
        return false;
    session->held_back_ms = 0;
    if (session->tls != NULL) {
        if (!session_send(front, session, output))
            session->over = session->tls_over = true;
        smtp_server_sent(session->smtp);
        return true;
    }
    fx_send(front->fx, session->conn, fx_keep(front->fx, output));
    smtp_server_sent(session->smtp);
    if (session->unread == 0)
        session->unread_ms = front->now.mono_ms;
    session->unread += output.n;
    return true;
}

static void run_and_flush(struct front *front, struct session *session)
{
    unsigned rounds = 0;

    do {
        run_pending(front, session);
    } while (flush(front, session) && !session->over && ++rounds < ROUNDS_MOST);
}

/* The client's side is closed, and all that came before was dealt with. */
static void end_input(struct front *front, struct session *session)
{
    if (!session->ended || session->over || has_pending(session) || waits(front, session))
        return;
    if (!session->ended_told) {
        session->ended_told = true;
        session->over = !smtp_server_end(session->smtp);
        run_and_flush(front, session);
    }
    session->over = session->over || session->unsettled == 0;
}

/* ---- at the end of an instant */

/* The time that we made the letter wait is not the client's. */
static void note_stuck(struct front *front, struct session *session)
{
    bool stuck = letter_waits(front, session);

    if (stuck && !session->stuck) {
        session->stuck_ms = front->now.mono_ms;
    } else if (!stuck && session->stuck && session->letter != NULL) {
        session->letter->begun_ms += front->now.mono_ms - session->stuck_ms;
        session->letter->octet_ms = front->now.mono_ms;
    }
    session->stuck = stuck;
}

static void pause_or_resume(struct front *front, struct session *session)
{
    size_t pending = session->pending.n - session->pending_at;
    bool pause = waits(front, session) ? !session->asking || pending > FRONT_PAUSE_BYTES
                                       : pending > FRONT_PAUSE_BYTES;

    if (pause && !session->paused)
        fx_pause(front->fx, session->conn);
    else if (!pause && session->paused)
        fx_resume(front->fx, session->conn);
    session->paused = pause;
}

/* Its share of the memory that this front may hold of strangers' text. */
static void count_held(struct front *front, struct session *session)
{
    size_t held = session->pending.room;

    if (session->letter != NULL)
        held += session->letter->text.room;
    front->held = front->held - session->held + held;
    session->held = held;
}

void session_turn(struct front *front, struct session *session)
{
    letter_go_on(front, session);
    run_and_flush(front, session);
    end_input(front, session);
    if (session->over) {
        hang_up(front, session);
        return;
    }
    if (session->pending.bad
        || (has_pending(session) && front->held > (size_t)2 * LIMIT_FRONT_TEXT)) {
        cut_off(front, session, "too-much-input");
        return;
    }
    note_stuck(front, session);
    pause_or_resume(front, session);
    count_held(front, session);
    clock_touch(front, session);
}

/* ---- time */

uint64_t session_due(const struct session *session, uint64_t idle_ms)
{
    const struct letter *letter = session->letter;

    if (session->stage != SESSION_OPEN)
        return session->stage_ms;
    uint64_t due = session->unread > 0 ? session->unread_ms + FRONT_DRAIN_MS : FRONT_NEVER;
    uint64_t other = FRONT_NEVER;

    if (session->shaking)
        other = session->command_ms + FRONT_HANDSHAKE_MS;
    else if (letter != NULL && !session->stuck) {
        uint64_t rate = letter->begun_ms + FRONT_GRACE_MS + FRONT_MS_PER_OCTET * letter->size;
        other = letter->octet_ms + idle_ms < rate ? letter->octet_ms + idle_ms : rate;
    } else if (session->held_back_ms != 0) {
        other = session->held_back_ms;
    } else if (letter == NULL && !session->asking && session->unsettled == 0) {
        other = session->command_ms + idle_ms;
    }
    return other < due ? other : due;
}

void session_late(struct front *front, struct session *session)
{
    if (session_due(session, manners_idle_ms(front, session)) > front->now.mono_ms) {
        clock_touch(front, session);
        return;
    }
    if (session->stage != SESSION_OPEN) {
        if (!manners_late(front, session))
            cut_off(front, session, "no-proxy-header");
        return;
    }
    if (session->unread > 0 && session->unread_ms + FRONT_DRAIN_MS <= front->now.mono_ms) {
        cut_off(front, session, "client-does-not-read");
        return;
    }
    if (session->held_back_ms != 0) {
        front_mark(front, session);
        return;
    }
    if (session->shaking) {
        log_tls(front, session, "tls-failed");
        cut_off(front, session, "timeout");
        return;
    }
    log_end(front, session, "timeout");
    smtp_server_timeout(session->smtp);
    front_mark(front, session);
}

void session_stop(struct front *front, struct session *session)
{
    manners_stop(front, session);
    smtp_server_stop(session->smtp);
    front_mark(front, session);
}

void session_stop_now(struct front *front, struct session *session)
{
    smtp_server_stop_now(session->smtp);
    front_mark(front, session);
}
