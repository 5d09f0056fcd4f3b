/* SPDX-License-Identifier: ISC */
#include "role/relay_int.h"

#include "base/hash.h"
#include "base/id.h"
#include "base/ip.h"
#include "base/log.h"
#include "mail/received.h"

#include <string.h>

static const struct role_name to_store = { ROLE_STORE, 0 };

/* ---- what is told */

/* The server as a report names it: "unix:" and a path, or an address literal. */
static struct bytes remote_of(struct relay *relay, const struct place *place)
{
    struct buffer *draft = fx_draft(relay->fx);

    if (place->route.path.n > 0) {
        buffer_put(draft, BYTES("unix:"));
        buffer_put(draft, place->route.path);
    } else {
        buffer_put_char(draft, '[');
        ip_put(draft, place->route.at.ip);
        buffer_put_char(draft, ']');
    }
    return fx_keep(relay->fx, buffer_bytes(draft));
}

/* Its reply as it stood on the wire, but in one line; nothing when the words are ours. */
static struct bytes reply_of(struct relay *relay, const struct client_result *result)
{
    struct buffer *draft = fx_draft(relay->fx);

    if (result->reply == 0)
        return BYTES_NONE;
    buffer_put_uint(draft, result->reply);
    buffer_put_char(draft, ' ');
    buffer_put(draft, result->words);
    return fx_keep(relay->fx, buffer_bytes(draft));
}

static void tell_result(struct relay *relay, uint32_t number, enum job_outcome outcome,
                        struct status_code code, struct bytes words)
{
    wire_tell_job_result(relay->fx, to_store, &(struct wire_job_result){
        .job = number, .outcome = (uint8_t)outcome, .class = code.class, .subject = code.subject,
        .detail = code.detail, .words = fx_keep(relay->fx, words) });
}

static void answer_ask(struct relay *relay, uint32_t token, enum mailbox_is verdict)
{
    wire_tell_mailbox_is(relay->fx, to_store,
                         &(struct wire_mailbox_is){ token, (uint8_t)verdict });
}

/* The server cannot say now. Who was there before may get letters, which wait here; of others it
   is not known, so that no letter is taken that would come back. */
static enum mailbox_is guess(const struct relay *relay, struct bytes address)
{
    uint64_t hash = siphash(relay->key, address);

    return relay->known[hash % RELAY_KNOWN] == hash ? MAILBOX_YES : MAILBOX_UNKNOWN;
}

static void learn(struct relay *relay, struct bytes address, enum mailbox_is verdict)
{
    uint64_t hash = siphash(relay->key, address), *place = &relay->known[hash % RELAY_KNOWN];

    if (verdict == MAILBOX_YES)
        *place = hash;
    else if (verdict == MAILBOX_NO && *place == hash)
        *place = 0;
}

/* A full mailbox is there. "No" is only what the server says of the address itself. */
static enum mailbox_is verdict_of(const struct client_result *result)
{
    if (result->outcome == CLIENT_TAKEN || result->code.subject == 2)
        return MAILBOX_YES;
    if (result->outcome == CLIENT_FAILED
        && (result->code.subject == 1 || result->code.subject == 0))
        return MAILBOX_NO;
    return MAILBOX_UNKNOWN;
}

static void log_result(struct relay *relay, const struct relay_job *job,
                       const struct client_result *result)
{
    struct buffer *line = fx_draft(relay->fx);
    struct buffer code = buffer_with_most(16);
    bool taken = result->outcome == CLIENT_TAKEN;
    char id[ID_TEXT];

    id_write(job->letter, id);
    status_put(&code, result->code);
    log_begin(line, taken ? "delivered" : result->outcome == CLIENT_LATER ? "delivery-waits"
                                                                          : "delivery-failed");
    log_ours(line, "letter", (struct bytes){ id, ID_TEXT });
    log_uint(line, "recipient", job->recipient);
    log_theirs(line, "to", job->address);
    log_ours(line, "server", job->place->name);
    log_uint(line, "attempt", job->attempt);
    log_ours(line, "code", buffer_bytes(&code));
    if (result->window) {
        log_ours(line, "window", BYTES("yes"));
        log_uint(line, "windows", ++relay->windows);
    }
    log_theirs(line, "why", result->words);
    buffer_done(&code);
    fx_log(relay->fx, taken ? LOG_INFO : LOG_WARN, fx_keep(relay->fx, buffer_bytes(line)));
}

void relay_job_result(struct relay *relay, struct relay_job *job,
                      const struct client_result *result)
{
    static const enum job_outcome outcomes[] = {
        [CLIENT_TAKEN] = JOB_DELIVERED, [CLIENT_LATER] = JOB_LATER, [CLIENT_FAILED] = JOB_FAILED,
    };
    struct buffer words = buffer_with_most(2048);

    if (job->told)
        return;
    job->told = true;
    if (job->ask) {
        enum mailbox_is verdict = verdict_of(result);
        learn(relay, job->address, verdict);
        answer_ask(relay, job->number,
                   verdict == MAILBOX_UNKNOWN ? guess(relay, job->address) : verdict);
        return;
    }
    log_result(relay, job, result);
    buffer_put(&words, job->place->name);
    buffer_put(&words, BYTES(" said: "));
    buffer_put(&words, result->words);
    if (result->window)
        buffer_put(&words, BYTES(" (it may have taken the letter all the same)"));
    struct bytes reply = reply_of(relay, result), remote = remote_of(relay, job->place);
    wire_tell_job_result(relay->fx, to_store, &(struct wire_job_result){
        .job = job->number, .outcome = (uint8_t)outcomes[result->outcome],
        .class = result->code.class, .subject = result->code.subject,
        .detail = result->code.detail, .remote = remote, .reply = reply,
        .words = fx_keep(relay->fx, buffer_bytes(&words)) });
    buffer_done(&words);
}

void relay_job_again(struct relay *relay, struct relay_job *job)
{
    tell_result(relay, job->number, JOB_BUSY, STATUS(4, 4, 2), BYTES_NONE);
    relay_job_free(relay, job);
}

void relay_job_credit(struct relay *relay, struct relay_job *job, size_t handed)
{
    size_t ours = handed < job->added ? handed : job->added;

    job->added -= ours;
    if (handed > ours && !job->told)
        wire_tell_credit(relay->fx, to_store,
                         &(struct wire_credit){ job->number, (uint32_t)(handed - ours) });
}

/* ---- the table */

static struct relay_job *find(struct relay *relay, uint32_t number)
{
    for (size_t i = 0; i < relay->places_n; i++)
        for (struct relay_job *job = relay->places[i].jobs; job != NULL; job = job->next)
            if (!job->ask && !job->told && job->number == number)
                return job;
    return NULL;
}

void relay_job_free(struct relay *relay, struct relay_job *job)
{
    struct place *place = job->place;
    struct relay_job **at = &place->jobs;

    while (*at != job)
        at = &(*at)->next;
    *at = job->next;
    if (place->jobs_end == &job->next)
        place->jobs_end = at;
    if (job->ask)
        relay->asks--;
    else
        place->letters--;
    buffer_done(&job->kept);
    buffer_done(&job->text);
    mem_free(job);
}

struct relay_job *relay_job_next(struct place *place)
{
    struct relay_job *job = place->jobs;

    while (job != NULL && (job->link != NULL
                           || !(job->ask || job->ended || job->text.n >= RELAY_BEGIN_BYTES)))
        job = job->next;
    return job;
}

static struct relay_job *add(struct relay *relay, struct place *place, struct bytes sender,
                             struct bytes address)
{
    struct relay_job *job = mem_new(sizeof(*job));

    if (job == NULL)
        return NULL;
    job->place = place;
    job->kept = buffer_with_most(2 * LIMIT_PATH);
    job->text = buffer_with_most(RELAY_TEXT_MOST);
    buffer_put(&job->kept, sender);
    buffer_put(&job->kept, address);
    if (job->kept.bad) {
        buffer_done(&job->kept);
        mem_free(job);
        return NULL;
    }
    struct bytes kept = buffer_bytes(&job->kept);
    job->sender = bytes_first(kept, sender.n);
    job->address = bytes_skip(kept, sender.n);
    job->to.address = job->address;
    *place->jobs_end = job;
    place->jobs_end = &job->next;
    return job;
}

static struct place *place_of(struct relay *relay, const struct conf_route *route)
{
    for (size_t i = 0; i < relay->places_n; i++) {
        struct place *place = &relay->places[i];
        if (bytes_equal(place->route.path, route->path)
            && (route->path.n > 0 || memcmp(&place->route.at, &route->at, sizeof(route->at)) == 0))
            return place;
    }
    return NULL;
}

/* ---- letters */

/* Words for what is dead now, and when it is tried again. */
static struct bytes rest_words(struct relay *relay, const struct place *place)
{
    struct buffer *words = fx_draft(relay->fx);

    buffer_put(words, place->name);
    buffer_put(words, BYTES(" cannot be reached: "));
    buffer_put(words, buffer_bytes(&place->why));
    return fx_keep(relay->fx, buffer_bytes(words));
}

/* A server that is silent holds no more than its share of the deliveries, so that others go on. */
static bool has_its_share(struct relay *relay, const struct place *place)
{
    return place->letters >= relay_share(relay) && relay_is_stalled(relay, place);
}

size_t relay_share(const struct relay *relay)
{
    return relay->conf->jobs / 2 < 1 ? 1 : (size_t)relay->conf->jobs / 2;
}

void relay_shed(struct relay *relay, struct place *place)
{
    struct relay_job *next;

    for (struct relay_job *job = place->jobs; job != NULL; job = next) {
        next = job->next;
        if (job->ask && !job->told) {
            job->told = true;
            answer_ask(relay, job->number, guess(relay, job->address));
        }
        bool sheds = job->link == NULL && (job->ask || place->letters > relay_share(relay));
        if (!sheds)
            continue;
        if (!job->ask)
            tell_result(relay, job->number, JOB_BUSY, STATUS(4, 4, 5), BYTES_NONE);
        relay_job_free(relay, job);
    }
}

static void begin_at(struct relay *relay, struct place *place, const struct wire_job_begin *begin,
                     const struct envelope *envelope, struct bytes address)
{
    struct relay_job *job;

    if (place->rests_until_ms > relay->now.mono_ms) {
        tell_result(relay, begin->job, JOB_LATER, STATUS(4, 4, 1), rest_words(relay, place));
        return;
    }
    if (has_its_share(relay, place) || relay->stopping) {
        tell_result(relay, begin->job, JOB_BUSY, STATUS(4, 4, 5), BYTES_NONE);
        return;
    }
    job = add(relay, place, envelope->sender, address);
    if (job == NULL) {
        tell_result(relay, begin->job, JOB_BUSY, STATUS(4, 3, 0), BYTES_NONE);
        return;
    }
    place->letters++;
    job->number = begin->job;
    job->letter = begin->letter;
    job->recipient = begin->recipient;
    job->attempt = begin->attempt;
    job->body = begin->binary != 0 ? BODY_BINARYMIME : envelope->body;
    job->smtputf8 = envelope->smtputf8;
    /* Return-Path is for the server to write, who delivers at last (RFC 5321, 4.4); but that it was
       here a forward that comes back must show, whatever that server does. */
    buffer_put(&job->text, BYTES("Delivered-To: "));
    buffer_put(&job->text, address);
    buffer_put(&job->text, BYTES("\r\n"));
    received_put(&job->text, envelope, address, begin->letter);
    job->added = job->text.n;
    job->size = begin->size + job->added;
}

void relay_job_begin(struct relay *relay, const struct wire_job_begin *begin)
{
    struct envelope envelope;
    struct recipient recipient;
    struct conf_route route = { 0 };

    if (!envelope_read(begin->head, &envelope) || !recipient_read(begin->to, &recipient)) {
        tell_result(relay, begin->job, JOB_LATER, STATUS(4, 3, 0),
                    BYTES("the letter's envelope cannot be read"));
        return;
    }
    enum route_place where = routes_place(relay->routes, recipient.address, &route);
    struct place *place = where == ROUTE_LMTP ? place_of(relay, &route) : NULL;
    if (place != NULL)
        begin_at(relay, place, begin, &envelope, recipient.address);
    else
        tell_result(relay, begin->job, JOB_WAITS, STATUS(4, 4, 4),
                    BYTES("no route yet: mail for other servers is kept until it can be sent"));
}

void relay_job_part(struct relay *relay, const struct wire_job_part *part)
{
    struct relay_job *job = find(relay, part->job);

    if (job == NULL || job->ended)
        return;
    if (job->from > 0) {
        buffer_drop(&job->text, job->from);
        job->from = job->handed = 0;
        job->cut = true;
    }
    buffer_put(&job->text, part->text);
    if (job->link != NULL)
        relay_link_go(relay, job->link);
    else
        relay_place_turn(relay, job->place);
}

void relay_job_end(struct relay *relay, uint32_t number)
{
    struct relay_job *job = find(relay, number);

    if (job == NULL || job->ended)
        return;
    job->ended = true;
    if (job->link != NULL)
        relay_link_go(relay, job->link);
    else
        relay_place_turn(relay, job->place);
}

/* Its text cannot be read on: the server must not get the end of it. */
void relay_job_drop(struct relay *relay, uint32_t number)
{
    struct relay_job *job = find(relay, number);

    if (job == NULL || job->ended)
        return;
    job->told = true;
    if (job->link != NULL)
        relay_link_abort(relay, job->link);
    else
        relay_job_free(relay, job);
}

void relay_forget_all(struct relay *relay)
{
    for (size_t i = 0; i < relay->places_n; i++) {
        struct relay_job *next;
        for (struct relay_job *job = relay->places[i].jobs; job != NULL; job = next) {
            next = job->next;
            job->told = true;
            if (job->link == NULL)
                relay_job_free(relay, job);
        }
    }
    for (size_t i = 0; i < RELAY_LINKS; i++)
        if (relay->links[i].job != NULL)
            relay_link_abort(relay, &relay->links[i]);
}

void relay_give_up_waiting(struct relay *relay, struct place *place, struct status_code code,
                           struct bytes words)
{
    struct client_result result = { .outcome = CLIENT_LATER, .code = code, .words = words };
    struct relay_job *next;

    for (struct relay_job *job = place->jobs; job != NULL; job = next) {
        next = job->next;
        if (job->link != NULL)
            continue;
        relay_job_result(relay, job, &result);
        relay_job_free(relay, job);
    }
}

/* ---- questions */

void relay_ask(struct relay *relay, const struct wire_mailbox_ask *ask)
{
    struct conf_route route = { 0 };
    enum route_place where = routes_place(relay->routes, ask->address, &route);
    struct place *place = where == ROUTE_LMTP ? place_of(relay, &route) : NULL;

    if (place == NULL) {        /* the store asks for our domains alone: memory is short */
        answer_ask(relay, ask->token, MAILBOX_UNKNOWN);
        return;
    }
    if (place->rests_until_ms > relay->now.mono_ms || relay_is_stalled(relay, place)) {
        answer_ask(relay, ask->token, guess(relay, ask->address));
        return;
    }
    struct relay_job *job = relay->asks < RELAY_ASKS
        ? add(relay, place, BYTES_NONE, ask->address) : NULL;
    if (job == NULL) {
        answer_ask(relay, ask->token, MAILBOX_UNKNOWN);
        return;
    }
    relay->asks++;
    job->ask = true;
    job->number = ask->token;
    for (size_t i = 0; i < ask->address.n; i++)
        job->smtputf8 = job->smtputf8 || octet(ask->address.at[i]) > 127;
    relay_place_turn(relay, place);
}
