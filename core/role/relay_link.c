/* SPDX-License-Identifier: ISC
 *
 * role/relay_link.c: connections to servers. One letter at a time on each; several beside each
 * other; kept for the next letter, and ended when there is none for a while.
 */
#include "role/relay_int.h"

#include "base/log.h"
#include "base/plant.h"

#include <string.h>

static struct link *link_of(struct relay *relay, uint32_t conn)
{
    for (size_t i = 0; i < RELAY_LINKS; i++) {
        struct link *link = &relay->links[i];
        if (link->conn == conn && (link->state == LINK_OPEN || link->state == LINK_CLOSES))
            return link;
    }
    return NULL;
}

static void touch(struct relay *relay, struct link *link)
{
    uint64_t most = RELAY_IDLE_MS;

    if (link->state == LINK_DIALS)
        most = RELAY_DIAL_MS;
    else if (link->client != NULL && smtp_client_at_end(link->client))
        most = RELAY_END_MS;
    else if (link->job != NULL || (link->client != NULL && smtp_client_waits(link->client)))
        most = RELAY_REPLY_MS;
    link->since_ms = relay->now.mono_ms;
    link->due_ms = relay->now.mono_ms + most;
}

static void link_free(struct link *link)
{
    smtp_client_free(link->client);
    *link = (struct link){ .state = LINK_FREE };
}

/* ---- a server that cannot be reached */

static void log_rest(struct relay *relay, const struct place *place, uint64_t rest_ms)
{
    struct buffer *line = fx_draft(relay->fx);

    log_begin(line, "server-unreachable");
    log_ours(line, "server", place->name);
    log_theirs(line, "why", buffer_bytes(&place->why));
    log_uint(line, "rests-ms", rest_ms);
    fx_log(relay->fx, LOG_WARN, fx_keep(relay->fx, buffer_bytes(line)));
}

static void rest(struct relay *relay, struct place *place, struct status_code code,
                 struct bytes words)
{
    uint64_t rest_ms = RELAY_REST_MS;

    for (unsigned i = 0; i < place->failures && rest_ms < RELAY_REST_MOST_MS; i++)
        rest_ms *= 2;
    place->failures++;
    place->rests_until_ms = relay->now.mono_ms + rest_ms;
    buffer_clear(&place->why);
    buffer_put(&place->why, bytes_first(words, 512));
    log_rest(relay, place, rest_ms);
    relay_give_up_waiting(relay, place, code, words);
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

static void begin(struct relay *relay, struct link *link, struct relay_job *job)
{
    struct client_letter letter = {
        .sender = job->sender, .recipients = &job->to, .n = 1, .body = job->body,
        .smtputf8 = job->smtputf8, .size = job->size, .ask_only = job->ask,
    };

    link->job = job;
    link->heard = false;
    job->link = link;
    smtp_client_begin(link->client, &letter);
    touch(relay, link);
}

static void end_job(struct relay *relay, struct link *link)
{
    struct relay_job *job = link->job;

    link->job = NULL;
    if (job != NULL)
        relay_job_free(relay, job);
}

static void take_next(struct relay *relay, struct link *link)
{
    struct relay_job *job = relay->stopping ? NULL : relay_job_next(link->place);

    if (job != NULL)
        begin(relay, link, job);
    else
        touch(relay, link);
}

/* The other side, or its nonsense, ends it. */
static void close_link(struct relay *relay, struct link *link)
{
    struct status_code code;
    struct bytes why = smtp_client_why(link->client, &code);

    if (!link->gone)
        fx_close(relay->fx, link->conn);
    link->state = LINK_CLOSES;
    if (!link->greeted)
        rest(relay, link->place, STATUS(4, 4, 1), why);
}

static void send_out(struct relay *relay, struct link *link)
{
    struct bytes out = smtp_client_output(link->client);

    if (out.n == 0 || link->gone)
        return;
    link->ahead += out.n;
    fx_send(relay->fx, link->conn, fx_keep(relay->fx, out));
    smtp_client_sent(link->client);
}

/* Hand text on, as much as the server takes. */
static void feed(struct relay *relay, struct link *link)
{
    struct relay_job *job = link->job;

    while (job != NULL && !job->told && smtp_client_wants_text(link->client)
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
            relay_job_result(relay, job, &(struct client_result){
                .outcome = CLIENT_TAKEN, .code = STATUS(2, 0, 0), .words = BYTES("surely") });
        job->from += piece.n;
        if (job->from > job->handed) {
            relay_job_credit(relay, job, job->from - job->handed);
            job->handed = job->from;
        }
        send_out(relay, link);
    }
}

/* False: the link is over. */
static bool take_event(struct relay *relay, struct link *link, const struct client_event *event)
{
    switch (event->kind) {
    case CLIENT_MORE: break;
    case CLIENT_READY:
        link->place->failures = 0;
        link->greeted = true;
        take_next(relay, link);
        break;
    case CLIENT_RESULT: relay_job_result(relay, link->job, &event->result); break;
    case CLIENT_DONE:
        end_job(relay, link);
        link->kept = true;
        if (smtp_client_ready(link->client))
            take_next(relay, link);
        break;
    case CLIENT_STARTTLS: break;        /* LMTP is spoken in clear */
    case CLIENT_CLOSE:
        send_out(relay, link);
        close_link(relay, link);
        return false;
    }
    return true;
}

static void step(struct relay *relay, struct link *link, struct bytes in)
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
    } while (link->state == LINK_OPEN && (event.kind != CLIENT_MORE || in.n > 0));
    if (link->state == LINK_OPEN)
        send_out(relay, link);
}

void relay_link_go(struct relay *relay, struct link *link)
{
    if (link->state == LINK_OPEN)
        step(relay, link, BYTES_NONE);
}

/* ---- events of the world */

void relay_connected(struct relay *relay, const struct event *event)
{
    struct link *link = event->token < RELAY_LINKS ? &relay->links[event->token] : NULL;

    if (link == NULL || link->state != LINK_DIALS)
        return;
    struct place *place = link->place;
    if (event->fault != OK) {
        bool late = link->late;
        link_free(link);
        if (!late)
            rest(relay, place, STATUS(4, 4, 1), fault_words(event->fault));
        return;
    }
    link->conn = event->conn;
    link->client = link->late ? NULL : smtp_client_new(CLIENT_LMTP, relay->conf->host);
    if (link->client == NULL) {
        link->state = LINK_CLOSES;
        fx_abort(relay->fx, link->conn);
        return;
    }
    link->state = LINK_OPEN;
    touch(relay, link);
}

void relay_bytes(struct relay *relay, uint32_t conn, struct bytes bytes)
{
    struct link *link = link_of(relay, conn);

    if (link == NULL || link->state != LINK_OPEN)
        return;
    touch(relay, link);
    link->heard = true;
    step(relay, link, bytes);
    if (link->state == LINK_OPEN)
        touch(relay, link);
}

void relay_drained(struct relay *relay, uint32_t conn)
{
    struct link *link = link_of(relay, conn);

    if (link == NULL || link->state != LINK_OPEN)
        return;
    link->ahead = 0;
    touch(relay, link);
    relay_link_go(relay, link);
}

/* A kept connection was dead before its letter began, as when the server was started anew: that is
   no failure of the letter's. It goes out once more, on another connection, at once; but when all
   of it had left, the store begins it anew, for so each time that the server may have taken it is
   an attempt of its own. */
static bool begin_anew(struct relay *relay, struct link *link)
{
    struct relay_job *job = link->job;
    struct place *place = link->place;

    if (link->state != LINK_OPEN || !link->kept || link->heard || job == NULL || job->told
        || job->cut || job->text.bad || relay->stopping
        || place->rests_until_ms > relay->now.mono_ms)
        return false;
    struct buffer *line = fx_draft(relay->fx);
    log_begin(line, "kept-connection-lost");
    log_ours(line, "server", place->name);
    if (smtp_client_at_end(link->client)) {     /* all was said in one flight: it may have it */
        log_ours(line, "window", BYTES("yes"));
        log_uint(line, "windows", ++relay->windows);
    }
    fx_log(relay->fx, LOG_INFO, fx_keep(relay->fx, buffer_bytes(line)));
    link->job = NULL;
    job->link = NULL;
    job->from = 0;
    if (smtp_client_at_end(link->client))
        relay_job_again(relay, job);
    if (!link->gone)
        fx_abort(relay->fx, link->conn);
    link->state = LINK_CLOSES;
    return true;
}

void relay_closed(struct relay *relay, uint32_t conn, bool end)
{
    struct link *link = link_of(relay, conn);

    if (link == NULL)
        return;
    struct place *place = link->place;
    link->gone = !end;
    bool anew = begin_anew(relay, link);
    if (link->state == LINK_OPEN) {
        smtp_client_lost(link->client, BYTES("the connection was lost"));
        step(relay, link, BYTES_NONE);
    }
    if (!end)
        link_free(link);
    if (anew)
        relay_place_turn(relay, place);
}

void relay_link_abort(struct relay *relay, struct link *link)
{
    if (link->state != LINK_OPEN)
        return;
    if (link->job != NULL && !link->job->told) {
        struct client_result result = { .outcome = CLIENT_LATER, .code = STATUS(4, 3, 0),
                                        .words = BYTES("the delivery was broken off here") };
        relay_job_result(relay, link->job, &result);
    }
    end_job(relay, link);
    link->state = LINK_CLOSES;
    fx_abort(relay->fx, link->conn);
}

/* ---- new connections */

static size_t links_most(const struct relay *relay)
{
    size_t most = relay_share(relay);

    return most > RELAY_LINKS / 4 ? RELAY_LINKS / 4 : most;
}

static struct link *idle_link(struct relay *relay, const struct place *place)
{
    for (size_t i = 0; i < RELAY_LINKS; i++) {
        struct link *link = &relay->links[i];
        if (link->place == place && link->state == LINK_OPEN && link->job == NULL
            && smtp_client_ready(link->client))
            return link;
    }
    return NULL;
}

static size_t count(const struct relay *relay, const struct place *place, bool dialling)
{
    size_t n = 0;

    for (size_t i = 0; i < RELAY_LINKS; i++) {
        const struct link *link = &relay->links[i];
        bool young = link->state == LINK_DIALS
                  || (link->state == LINK_OPEN && link->job == NULL);
        n += link->place == place && link->state != LINK_FREE && (!dialling || young);
    }
    return n;
}

static size_t waiting(const struct place *place)
{
    size_t n = 0;

    for (const struct relay_job *job = place->jobs; job != NULL; job = job->next)
        n += job->link == NULL;
    return n;
}

static void dial(struct relay *relay, struct place *place)
{
    for (uint32_t i = 0; i < RELAY_LINKS; i++) {
        struct link *link = &relay->links[i];
        if (link->state != LINK_FREE)
            continue;
        *link = (struct link){ .state = LINK_DIALS, .place = place };
        touch(relay, link);
        fx_dial(relay->fx, i, &place->route.at, place->route.path);
        return;
    }
}

void relay_place_turn(struct relay *relay, struct place *place)
{
    struct link *link;
    struct relay_job *job;

    while ((link = idle_link(relay, place)) != NULL && (job = relay_job_next(place)) != NULL) {
        begin(relay, link, job);
        relay_link_go(relay, link);
    }
    if (place->rests_until_ms > relay->now.mono_ms || relay->stopping)
        return;
    while (waiting(place) > count(relay, place, true)
           && count(relay, place, false) < links_most(relay))
        dial(relay, place);
}

/* ---- time */

static void late(struct relay *relay, struct link *link)
{
    if (link->state == LINK_DIALS) {
        link->late = true;
        link->due_ms = UINT64_MAX;
        rest(relay, link->place, STATUS(4, 4, 1), BYTES("nobody answers there"));
    } else if (link->state == LINK_OPEN && link->job == NULL && smtp_client_ready(link->client)) {
        smtp_client_quit(link->client);
        touch(relay, link);
        step(relay, link, BYTES_NONE);
    } else if (link->state == LINK_OPEN) {
        smtp_client_lost(link->client, BYTES("the server was silent for too long"));
        step(relay, link, BYTES_NONE);
    }
}

void relay_links_late(struct relay *relay)
{
    for (size_t i = 0; i < RELAY_LINKS; i++) {
        struct link *link = &relay->links[i];
        bool timed = link->state == LINK_DIALS || link->state == LINK_OPEN;
        if (timed && link->due_ms <= relay->now.mono_ms)
            late(relay, link);
    }
}

/* Does it owe us a word? */
static bool is_busy(const struct link *link)
{
    return link->state == LINK_DIALS
        || (link->state == LINK_OPEN && (link->job != NULL || !link->greeted));
}

uint64_t relay_links_due(const struct relay *relay)
{
    uint64_t due = UINT64_MAX;

    for (size_t i = 0; i < RELAY_LINKS; i++) {
        const struct link *link = &relay->links[i];
        bool timed = link->state == LINK_DIALS || link->state == LINK_OPEN;
        if (timed && link->due_ms < due)
            due = link->due_ms;
        uint64_t stalls = link->since_ms + RELAY_STALL_MS;
        if (is_busy(link) && stalls > relay->now.mono_ms && stalls < due)
            due = stalls;
    }
    return due;
}

bool relay_is_stalled(const struct relay *relay, const struct place *place)
{
    for (size_t i = 0; i < RELAY_LINKS; i++) {
        const struct link *link = &relay->links[i];
        if (link->place == place && is_busy(link)
            && relay->now.mono_ms - link->since_ms >= RELAY_STALL_MS)
            return true;
    }
    return false;
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
        smtp_client_free(relay->links[i].client);
}
