/* SPDX-License-Identifier: ISC
 *
 * role/relay_link.c: connections to servers. One letter at a time on each; several beside each
 * other; kept for the next letter, and ended when there is none for a while.
 */
#include "role/relay_memo_int.h"

#include "base/ip.h"
#include "base/log.h"
#include "base/plant.h"

#include <string.h>

static struct link *link_of(struct relay *relay, uint32_t conn)
{
    struct link *hint = &relay->links[relay->hints[conn % RELAY_LINKS]];

    for (size_t i = 0; i <= RELAY_LINKS; i++) {
        struct link *link = i == 0 ? hint : &relay->links[i - 1];
        if (link->conn == conn && (link->state == LINK_OPEN || link->state == LINK_CLOSES)) {
            relay->hints[conn % RELAY_LINKS] = (uint8_t)(link - relay->links);
            return link;
        }
    }
    return NULL;
}

void relay_link_touch(struct relay *relay, struct link *link)
{
    uint64_t most = RELAY_IDLE_MS;

    if (link->state == LINK_DIALS)
        most = RELAY_DIAL_MS;
    else if (link->present.waits != 0)
        most = RELAY_SIGN_MS;
    else if (link->client != NULL && smtp_client_at_end(link->client))
        most = RELAY_END_MS;
    else if (link->job != NULL || link->shaking
             || (link->client != NULL && smtp_client_waits(link->client)))
        most = RELAY_REPLY_MS;
    link->since_ms = relay->now.mono_ms;
    link->due_ms = relay->now.mono_ms + most;
}

static void leave_place(struct link *link)
{
    struct link **at = &link->place->first;

    while (*at != link)
        at = &(*at)->next;
    *at = link->next;
    link->place->links--;
}

void relay_link_free(struct link *link)
{
    smtp_client_free(link->client);
    tls_free(link->tls);
    buffer_done(&link->host);
    buffer_done(&link->tlsa);
    buffer_done(&link->base);
    if (link->place != NULL)
        leave_place(link);
    *link = (struct link){ .state = LINK_FREE };
}

/* ---- what failed */

/* An address elsewhere that could not be spoken with: others are tried first from now on. What
   several connections lost at the same time is one failure. */
static void address_rests(struct relay *relay, const struct link *link, struct status_code code,
                          struct bytes words)
{
    struct memo *memo = relay_memo_at(relay, &link->at);
    uint64_t rest_ms = RELAY_AWAY_REST_MS;
    unsigned before = memo == NULL ? 0 : memo->failures - !memo_is_news(memo, link);
    struct buffer *line = fx_draft(relay->fx);
    struct buffer at = buffer_with_most(64);

    if (memo == NULL)
        return;
    for (unsigned i = 0; i < before && rest_ms < RELAY_AWAY_REST_MOST_MS; i++)
        rest_ms *= 2;
    if (memo_bad(relay, memo, link, rest_ms, STATUS(4, code.subject, code.detail), words))
        link->place->width = link->place->width / 2 < 1 ? 1 : link->place->width / 2;
    net_address_put(&at, &link->at);
    log_begin(line, "server-unreachable");
    log_ours(line, "server", conf_destination_shown(link->place->name));
    log_theirs(line, "host", buffer_bytes(&link->host));
    log_ours(line, "at", buffer_bytes(&at));
    log_theirs(line, "why", words);
    log_uint(line, "last-for-ms", rest_ms);
    fx_log(relay->fx, LOG_WARN, fx_keep(relay->fx, buffer_bytes(line)));
    buffer_done(&at);
}

static void unreached(struct relay *relay, struct link *link, struct status_code code,
                      struct bytes words)
{
    if (link->place->dest == NULL)
        relay_place_rest(relay, link->place, code, words);
    else
        address_rests(relay, link, code, words);
}

static struct bytes fault_words(enum fault fault)
{
    switch (fault) {
    case FAULT_GONE: return BYTES("there is no such socket; is the server running?");
    case FAULT_DENIED: return BYTES("the socket may not be used; give it to the relay's user");
    case FAULT_TOO_MANY: return BYTES("too many files are open here");
    case FAULT_NO_MEMORY: return BYTES("memory is short here");
    case OK: case FAULT_NO_SPACE: case FAULT_IO: case FAULT_EXISTS: case FAULT_SKIPPED:
    case FAULT_UNREACHED: case FAULT_QUOTA: return BYTES("nobody answers there");
    }
    return BYTES("nobody answers there");
}

/* ---- events of the client machine */

void relay_letter_by(const struct relay *relay, const struct relay_job *job,
                     struct client_letter *letter)
{
    enum { BY_SECONDS_MOST = 999999999 };
    const struct envelope *envelope = &job->envelope;
    bool past = relay->now.wall_ms > envelope->by_ms;
    uint64_t far_ms = past ? relay->now.wall_ms - envelope->by_ms
                           : envelope->by_ms - relay->now.wall_ms;
    int64_t seconds = far_ms / 1000 < BY_SECONDS_MOST ? (int64_t)(far_ms / 1000) : BY_SECONDS_MOST;

    if (envelope->by == BY_NOT_GIVEN || job->ask)
        return;
    /* 0 would say that there is none */
    letter->by_s = seconds == 0 ? -1 : past ? -seconds : seconds;
    letter->by_return = envelope->by == BY_RETURN;
    letter->by_trace = envelope->by_trace;
}

void relay_link_begin(struct relay *relay, struct link *link, struct relay_job *job)
{
    size_t most = smtp_client_rcpt_most(link->client);
    struct client_letter letter = {
        .sender = job->envelope.sender, .recipients = job->to, .body = job->body,
        .smtputf8 = job->smtputf8, .size = job->size, .ask_only = job->ask,
        .require_tls = job->require_tls, .ret = job->envelope.ret, .envid = job->envelope.envid,
        .recipe = job->form == FORM_RECIPE ? (uint32_t)job->recipe.n : 0,
    };

    relay_letter_by(relay, job, &letter);
    letter.priority = job->ask ? 0 : job->envelope.priority;
    letter.has_priority = letter.priority != 0;
    if (job->ask)
        letter.sender = letter.envid = BYTES_NONE;
    if (link->place->dest != NULL) {
        struct memo *memo = relay_memo_link(relay, link);
        if (memo != NULL)
            memo_count(relay, memo);
    }
    relay_job_rest(job);
    most = most < CLIENT_RECIPIENTS ? most : CLIENT_RECIPIENTS;
    job->said = letter.n = job->n < most || most == 0 ? job->n : most;
    link->job = job;
    link->heard = link->taken = false;
    job->link = link;
    job->counts = job->form != FORM_PLAIN;
    smtp_client_begin(link->client, &letter);
    relay_link_touch(relay, link);
}

/* All that is left of it goes out anew, as its text was never let go. */
static bool has_more(const struct relay_job *job)
{
    return job->left > 0 && !job->cut && !job->text.bad;
}

static void end_job(struct relay *relay, struct link *link)
{
    struct relay_job *job = link->job;

    link->job = NULL;
    if (job == NULL)
        return;
    job->link = NULL;
    job->from = 0;
    if (job->left == 0)
        relay_job_free(relay, job);
    else if (!has_more(job))
        relay_job_again(relay, job);
}

static void leave(struct relay *relay, struct link *link)
{
    smtp_client_quit(link->client);
    relay_link_touch(relay, link);
}

static void take_next(struct relay *relay, struct link *link)
{
    struct relay_job *job = NULL;
    struct conf_for what;

    relay_place_settings(relay, link->place, &what);
    uint64_t most = link->place->dest == NULL || what.connection_letters == 0
                  ? UINT64_MAX : what.connection_letters;
    bool full = link->letters >= most || link->letters >= smtp_client_mail_most(link->client);
    if (!full && !relay->stopping)
        job = relay_next_for(relay, link);
    if (full)
        leave(relay, link);
    else if (job != NULL)
        relay_link_begin(relay, link, job);
    else
        relay_link_touch(relay, link);
}

static void is_ready(struct relay *relay, struct link *link)
{
    struct memo *memo = link->place->dest == NULL ? NULL : relay_memo_at(relay, &link->at);

    link->place->failures = 0;
    link->greeted = true;
    if (memo != NULL)
        memo_well(memo);
    if (link->place->dest != NULL)
        relay_tls_note(relay, link);
    if (link->level >= LEVEL_TLS && (memo = relay_memo_link(relay, link)) != NULL)
        memo_well(memo);
    take_next(relay, link);
}

/* The other side, or its nonsense, ends it. */
static void close_link(struct relay *relay, struct link *link)
{
    struct status_code code;
    struct bytes why = smtp_client_why(link->client, &code);

    if (!link->gone)
        fx_close(relay->fx, link->conn);
    link->state = LINK_CLOSES;
    if (link->greeted)
        return;
    if (smtp_client_lacks_tls(link->client))
        relay_tls_lacks(relay, link, "starttls-not-supported", why);
    else
        unreached(relay, link, link->place->dest == NULL ? STATUS(4, 4, 1) : code, why);
}

static void send_out(struct relay *relay, struct link *link)
{
    struct bytes out = smtp_client_output(link->client);

    if (out.n == 0 || link->gone)
        return;
    link->ahead += out.n;
    bool sent = true;
    if (link->tls != NULL)
        sent = relay_tls_send(relay, link, out);
    else
        fx_send(relay->fx, link->conn, fx_keep(relay->fx, out));
    smtp_client_sent(link->client);
    if (!sent)
        smtp_client_lost(link->client, BYTES("TLS failed"));
}

/* Hand text on, as much as the server takes. */
static void feed(struct relay *relay, struct link *link)
{
    struct relay_job *job = link->job;

    while (job != NULL && job->left > 0 && smtp_client_wants_text(link->client)
           && link->ahead < RELAY_AHEAD) {
        struct bytes left = bytes_skip(buffer_bytes(&job->text), job->from);
        struct bytes piece = bytes_first(left, RELAY_PIECE);
        bool last = job->ended && piece.n == left.n;
        if (job->text.bad) {
            relay_link_abort(relay, link);
            return;
        }
        if (!last && piece.n < RELAY_PIECE)
            return;
        smtp_client_text(link->client, piece, last);
        if (last && PLANTED(taken_before_reply))
            relay_job_results(relay, job, &(struct client_result){
                .outcome = CLIENT_TAKEN, .code = STATUS(2, 0, 0), .words = BYTES("surely") });
        job->from += piece.n;
        if (job->from > job->handed) {
            relay_job_credit(relay, job, job->from - job->handed);
            job->handed = job->from;
        }
        send_out(relay, link);
    }
}

static void on_result(struct relay *relay, struct link *link, const struct client_result *result)
{
    struct relay_job *job = link->job;

    link->taken = link->taken || result->outcome == CLIENT_TAKEN;
    if (job == NULL || (result->again && !job->cut)
        || relay_raw_refused(relay, link, job, result))
        return;                             /* in the next transaction */
    relay_job_result(relay, job, link, result->recipient, result);
    if (PLANTED(answers_crossed))
        relay_job_results(relay, job, result);
}

static void is_done(struct relay *relay, struct link *link)
{
    struct place *place = link->place;
    struct conf_for what;

    relay_place_settings(relay, place, &what);
    if (link->taken && place->width < what.destination_most)
        place->width++;
    link->letters++;
    if (link->taken)
        relay_quirk_well(relay, link);
    relay_quirk_lies(relay, link);
    end_job(relay, link);
    if (smtp_client_ready(link->client))
        take_next(relay, link);
}

/* False: the link is over, or its octets are others from now on. */
static bool take_event(struct relay *relay, struct link *link, const struct client_event *event)
{
    switch (event->kind) {
    case CLIENT_MORE: break;
    case CLIENT_READY: is_ready(relay, link); break;
    case CLIENT_RESULT: on_result(relay, link, &event->result); break;
    case CLIENT_DONE: is_done(relay, link); break;
    case CLIENT_STARTTLS:
        send_out(relay, link);
        relay_tls_begin(relay, link);
        return false;
    case CLIENT_CLOSE:
        send_out(relay, link);
        close_link(relay, link);
        return false;
    }
    return true;
}

void relay_link_step(struct relay *relay, struct link *link, struct bytes in)
{
    struct client_event event;

    do {
        event = smtp_client_step(link->client, &in);
        if (!take_event(relay, link, &event))
            return;
        if (event.kind == CLIENT_MORE) {
            send_out(relay, link);
            feed(relay, link);
        }
    } while (link->state == LINK_OPEN && (event.kind != CLIENT_MORE || in.n > 0
                                          || smtp_client_lacks_memory(link->client)));
    if (link->state == LINK_OPEN)
        send_out(relay, link);
}

void relay_link_go(struct relay *relay, struct link *link)
{
    if (link->state == LINK_OPEN && !link->shaking)
        relay_link_step(relay, link, BYTES_NONE);
}

/* ---- events of the world */

static void set_up(struct relay *relay, struct link *link)
{
    struct memo *memo = relay_memo_link(relay, link);
    enum channel_need need = link->channel.need;
    struct bytes rest = relay->conf->login_text, user, password;

    smtp_client_set_tls(link->client, need == CHANNEL_CLEAR ? CLIENT_TLS_NEVER
                                    : need == CHANNEL_ANY ? CLIENT_TLS_MAY : CLIENT_TLS_MUST);
    if (memo != NULL && memo->quirk_until_ms > relay->now.mono_ms) {
        smtp_client_avoid(link->client, memo->avoid);
        if (memo->helo && need != CHANNEL_ENCRYPT && need != CHANNEL_NAME && need != CHANNEL_DANE)
            smtp_client_say_helo(link->client);
    }
    rest = bytes_trim(rest);
    user = bytes_first(rest, bytes_find(rest, ' ') < bytes_find(rest, '\n')
                             ? bytes_find(rest, ' ') : bytes_find(rest, '\n'));
    password = bytes_trim(bytes_skip(rest, user.n));
    if (link->place->dest->signs_in && (need == CHANNEL_NAME || need == CHANNEL_DANE))
        smtp_client_sign_in(link->client, bytes_trim(user), password);
}

void relay_connected(struct relay *relay, const struct event *event)
{
    struct link *link = event->token < RELAY_LINKS ? &relay->links[event->token] : NULL;

    if (link == NULL || link->state != LINK_DIALS)
        return;
    if (event->fault != OK) {
        if (!link->late)
            unreached(relay, link, STATUS(4, 4, 1), fault_words(event->fault));
        relay_link_free(link);
        return;
    }
    link->conn = event->conn;
    memcpy(link->from_ip, event->local.ip, sizeof(link->from_ip));
    link->client = link->late ? NULL
        : smtp_client_new(link->place->dest == NULL ? CLIENT_LMTP : CLIENT_SMTP,
                          relay->conf->host);
    if (link->client == NULL) {
        link->state = LINK_CLOSES;
        fx_abort(relay->fx, link->conn);
        return;
    }
    link->state = LINK_OPEN;
    if (link->place->dest != NULL)
        set_up(relay, link);
    relay_link_touch(relay, link);
}

void relay_bytes(struct relay *relay, uint32_t conn, struct bytes bytes)
{
    struct link *link = link_of(relay, conn);

    if (link == NULL || link->state != LINK_OPEN)
        return;
    relay_link_touch(relay, link);
    link->heard = link->spoke = true;
    if (link->tls != NULL)
        relay_tls_bytes(relay, link, bytes);
    else
        relay_link_step(relay, link, bytes);
    if (link->state == LINK_OPEN)
        relay_link_touch(relay, link);
}

void relay_drained(struct relay *relay, uint32_t conn)
{
    struct link *link = link_of(relay, conn);

    if (link == NULL || link->state != LINK_OPEN)
        return;
    link->ahead = 0;
    relay_link_touch(relay, link);
    relay_link_go(relay, link);
}

/* A kept connection was dead before its letter began, as when the server was started anew: that is
   no failure of the letter's. It goes out once more, on another connection, at once; but when all
   of it had left, the store begins it anew, for so each time that the server may have taken it is
   an attempt of its own. */
static void begin_anew(struct relay *relay, struct link *link)
{
    struct relay_job *job = link->job;
    struct place *place = link->place;

    if (link->state != LINK_OPEN || link->letters == 0 || link->heard || job == NULL
        || job->left == 0 || job->cut || job->text.bad || relay->stopping
        || place->rests_until_ms > relay->now.mono_ms)
        return;
    struct buffer *line = fx_draft(relay->fx);
    log_begin(line, "kept-connection-lost");
    log_ours(line, "server", conf_destination_shown(place->name));
    fx_log(relay->fx, LOG_INFO, fx_keep(relay->fx, buffer_bytes(line)));
    link->job = NULL;
    job->link = NULL;
    job->from = 0;
    if (smtp_client_at_end(link->client))
        relay_job_again(relay, job);
    if (!link->gone)
        fx_abort(relay->fx, link->conn);
    link->state = LINK_CLOSES;
}

void relay_closed(struct relay *relay, uint32_t conn, bool end)
{
    struct link *link = link_of(relay, conn);

    if (link == NULL)
        return;
    struct place *place = link->place;
    link->gone = !end;
    if (link->state == LINK_OPEN && link->shaking)
        relay_tls_stuck(relay, link, "validation-failure",
                        BYTES("the connection was lost in the TLS handshake"));
    begin_anew(relay, link);
    if (link->state == LINK_OPEN) {
        relay_quirk_suspect(relay, link);
        smtp_client_lost(link->client, BYTES("the connection was lost"));
        relay_link_step(relay, link, BYTES_NONE);
    }
    if (!end)
        relay_link_free(link);
    relay_place_is_busy(relay, place);
}

void relay_link_drop(struct relay *relay, struct link *link)
{
    link->state = LINK_CLOSES;
    if (!link->gone)
        fx_abort(relay->fx, link->conn);
}

void relay_link_abort(struct relay *relay, struct link *link)
{
    if (link->state != LINK_OPEN)
        return;
    if (link->job != NULL) {
        struct client_result result = { .outcome = CLIENT_LATER, .code = STATUS(4, 3, 0),
                                        .words = BYTES("the delivery was broken off here") };
        relay_job_results(relay, link->job, &result);
    }
    end_job(relay, link);
    relay_link_drop(relay, link);
}

/* ---- time */

static void late(struct relay *relay, struct link *link)
{
    if (link->state == LINK_DIALS) {
        link->late = true;
        link->due_ms = UINT64_MAX;
        unreached(relay, link, STATUS(4, 4, 1), BYTES("nobody answers there"));
    } else if (link->state == LINK_OPEN && link->shaking) {
        relay_tls_stuck(relay, link, "validation-failure",
                        BYTES("the server was silent in the TLS handshake"));
    } else if (link->state == LINK_OPEN && link->job == NULL && smtp_client_ready(link->client)) {
        leave(relay, link);
        relay_link_step(relay, link, BYTES_NONE);
    } else if (link->state == LINK_OPEN) {
        smtp_client_lost(link->client, BYTES("the server was silent for too long"));
        relay_link_step(relay, link, BYTES_NONE);
    }
}

void relay_links_late(struct relay *relay)
{
    for (size_t i = 0; i < RELAY_LINKS; i++) {
        struct link *link = &relay->links[i];
        bool timed = link->state == LINK_DIALS || link->state == LINK_OPEN;
        if (timed && link->due_ms <= relay->now.mono_ms) {
            relay_place_is_busy(relay, link->place);
            late(relay, link);
        }
    }
}

bool relay_is_quiet(const struct relay *relay)
{
    for (size_t i = 0; i < RELAY_LINKS; i++)
        if (relay->links[i].job != NULL)
            return false;
    return true;
}

void relay_links_done(struct relay *relay)
{
    for (size_t i = 0; i < RELAY_LINKS; i++)
        if (relay->links[i].state != LINK_FREE)
            relay_link_free(&relay->links[i]);
}
