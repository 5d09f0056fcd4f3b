/* SPDX-License-Identifier: ISC
 *
 * TLS in front of the machine: cipher octets in, plain ones out to session_plain, and back. The
 * certificates and the signatures come from keys. A handshake that fails ends the connection: it is
 * never gone on with in clear.
 */
#include "role/front_int.h"

#include <string.h>

static const struct role_name to_keys = { ROLE_KEYS, 0 };

/* ---- certificates and tickets, as keys tells them */

static struct bytes secret_of(const struct front_tls *tls, bool now)
{
    return now ? (struct bytes){ tls->ticket_now, tls->ticket_now_n }
               : (struct bytes){ tls->ticket_before, tls->ticket_before_n };
}

static void begin_set(struct front *front)
{
    tls_context_free(front->tls.next);
    front->tls.next = tls_context_new(front->conf->host_ascii);
    if (front->tls.next == NULL)
        front->fx->bad = true;
}

static void add_certificate(struct front *front, const struct wire_keys_certificate *certificate)
{
    if (front->tls.next != NULL
        && !tls_context_add(front->tls.next, certificate->chain, certificate->key))
        log_store(front, "certificate-unusable");
}

static void add_authority(struct front *front, const struct wire_keys_authority *authority)
{
    if (front->tls.next != NULL && !tls_context_trust(front->tls.next, authority->authority))
        log_store(front, "authority-unusable");
}

/* Sessions that began with the set before go on with it. */
static void end_set(struct front *front)
{
    struct front_tls *tls = &front->tls;

    if (tls->next == NULL || !tls_context_ready(tls->next))
        return;
    tls_context_free(tls->context);
    tls->context = tls->next;
    tls->next = NULL;
    tls_context_tickets(tls->context, secret_of(tls, true), secret_of(tls, false));
    front->settings.starttls = true;
}

static void take_secret(struct bytes secret, char ret_secret[static TLS_TICKET_SECRET],
                        uint8_t *ret_n)
{
    *ret_n = secret.n == TLS_TICKET_SECRET ? TLS_TICKET_SECRET : 0;
    if (*ret_n > 0)
        memcpy(ret_secret, secret.at, TLS_TICKET_SECRET);
}

static void take_tickets(struct front *front, const struct wire_ticket_keys *keys)
{
    struct front_tls *tls = &front->tls;

    take_secret(keys->now, tls->ticket_now, &tls->ticket_now_n);
    take_secret(keys->before, tls->ticket_before, &tls->ticket_before_n);
    if (tls->context != NULL)
        tls_context_tickets(tls->context, secret_of(tls, true), secret_of(tls, false));
}

static void take_signature(struct front *front, const struct wire_keyop_done *done)
{
    struct session *session = front_session(front, done->conn, done->session);

    if (session == NULL || !session->shaking)
        return;
    tls_key_answer(session->tls, done->signature);
    session_cipher(front, session, BYTES_NONE);
}

bool front_tls_frame(struct front *front, struct bytes frame)
{
    struct wire_keys_begin begin;
    struct wire_keys_certificate certificate;
    struct wire_keys_authority authority;
    struct wire_keys_end end;
    struct wire_ticket_keys tickets;
    struct wire_keyop_done done;

    if (wire_read_keyop_done(frame, &done))
        return take_signature(front, &done), true;
    if (wire_read_keys_begin(frame, &begin))
        return begin_set(front), true;
    if (wire_read_keys_certificate(frame, &certificate))
        return add_certificate(front, &certificate), true;
    if (wire_read_keys_authority(frame, &authority))
        return add_authority(front, &authority), true;
    if (wire_read_keys_end(frame, &end))
        return end_set(front), true;
    if (wire_read_ticket_keys(frame, &tickets))
        return take_tickets(front, &tickets), true;
    return false;
}

static void without_keys(struct front *front, struct session *session)
{
    if (!session->shaking)
        return;
    tls_key_answer(session->tls, BYTES_NONE);
    session_cipher(front, session, BYTES_NONE);
}

/* Whoever waits for a signature will not get it (TLS-009); new ones hear 454 until keys is back. */
void front_tls_peer(struct front *front, bool up)
{
    front->tls.keys_up = up;
    for (size_t i = 0; i < front->sessions_room && !up; i++)
        if (front->sessions[i] != NULL)
            without_keys(front, front->sessions[i]);
}

void front_tls_done(struct front *front)
{
    tls_context_free(front->tls.context);
    tls_context_free(front->tls.next);
    mem_wipe(&front->tls, sizeof(front->tls));
}

/* ---- one session */

bool session_secure(struct front *front, struct session *session)
{
    if (front->tls.context == NULL || !front->tls.keys_up)
        return false;
    session->tls = tls_new(front->tls.context, session->listener);
    if (session->tls == NULL)
        return false;
    session->shaking = true;
    session->command_ms = front->now.mono_ms;
    return true;
}

static void send_cipher(struct front *front, struct session *session)
{
    struct bytes cipher = tls_cipher(session->tls);

    if (cipher.n == 0)
        return;
    fx_send(front->fx, session->conn, fx_keep(front->fx, cipher));
    tls_cipher_sent(session->tls);
    if (session->unread == 0)
        session->unread_ms = front->now.mono_ms;
    session->unread += cipher.n;
}

bool session_send(struct front *front, struct session *session, struct bytes plain)
{
    bool written = tls_write(session->tls, plain);

    send_cipher(front, session);
    return written;
}

static void ask_keys(struct front *front, struct session *session)
{
    struct tls_keyop keyop = tls_keyop(session->tls);

    if (!front->tls.keys_up) {
        tls_key_answer(session->tls, BYTES_NONE);
        return;
    }
    wire_tell_keyop(front->fx, to_keys, &(struct wire_keyop){
        session->number, session->conn, keyop.key, (uint8_t)keyop.scheme,
        fx_keep(front->fx, keyop.tbs) });
}

/* What the owner should know; the store gathers it from all fronts. */
static void tell_news(struct front *front, const struct session *session, enum tls_news what)
{
    struct tls_facts facts = tls_facts(session->tls);

    wire_tell_tls_news(front->fx, front_to_store, &(struct wire_tls_news){
        (uint8_t)what, facts.alerted ? facts.alert : 0, facts.alert_ours,
        { session->peer, session->peer_n }, facts.name, fx_keep(front->fx, facts.offered) });
}

static void opened(struct front *front, struct session *session)
{
    session->shaking = false;
    session->command_ms = front->now.mono_ms;
    log_tls(front, session, "tls");
    count_tls(front, tls_facts(session->tls).version);
    if (tls_facts(session->tls).name.n > 0 && !tls_facts(session->tls).name_known)
        tell_news(front, session, TLS_NEWS_NAME);
    smtp_server_secured(session->smtp);
    if (session->implicit)
        manners_greet(front, session);
}

static void failed(struct front *front, struct session *session)
{
    if (session->tls_over)
        return;
    log_tls(front, session, session->shaking ? "tls-failed" : "tls-broken");
    if (session->shaking) {
        count_tls(front, BYTES_NONE);
        tell_news(front, session, TLS_NEWS_FAILED);
    }
    session->tls_over = session->over = true;
}

/* Plain octets that came with the step just made. */
static void take_plain(struct front *front, struct session *session)
{
    struct bytes plain = tls_plain(session->tls);

    if (plain.n > 0)
        session_plain(front, session, plain);
    tls_plain_taken(session->tls);
}

void session_cipher(struct front *front, struct session *session, struct bytes bytes)
{
    enum { ROUNDS_MOST = 8 };

    front_mark(front, session);
    for (unsigned i = 0; i < ROUNDS_MOST && !session->over && !session->ended; i++) {
        enum tls_said said = tls_step(session->tls, bytes);
        bytes = BYTES_NONE;
        send_cipher(front, session);
        take_plain(front, session);
        switch (said) {
        case TLS_MORE: return;
        case TLS_KEYOP:
            ask_keys(front, session);
            if (front->tls.keys_up)
                return;
            break;
        case TLS_OPENED: opened(front, session); break;
        case TLS_CLOSED: session_end(front, session); return;
        case TLS_FAILED: failed(front, session); return;
        }
    }
}

void session_say_goodbye(struct front *front, struct session *session)
{
    if (session->tls == NULL || session->shaking)
        return;
    tls_close(session->tls);
    send_cipher(front, session);
}
