/* SPDX-License-Identifier: ISC
 *
 * role/relay_job.c: letters on their way. A letter has one recipient at a server of ours, and at a
 * destination elsewhere all those that the store gave with it.
 */
#include "role/relay_int.h"

#include "mail/header.h"
#include "mail/received.h"

#include <string.h>

/* ---- the table */

static struct relay_job *find(struct relay *relay, uint32_t lead)
{
    for (struct place *place = relay->busy; place != NULL; place = place->next_busy)
        for (struct relay_job *job = place->jobs; job != NULL; job = job->next)
            if (!job->ask && job->left > 0 && job->lead == lead)
                return job;
    return NULL;
}

struct relay_job *relay_job_new(struct relay *relay, struct place *place)
{
    struct relay_job *job = mem_new(sizeof(*job));

    if (job == NULL)
        return NULL;
    job->place = place;
    job->came_ms = relay->now.mono_ms;
    job->kept = buffer_with_most(ENVELOPE_MOST);
    job->text = buffer_with_most(RELAY_TEXT_MOST);
    job->sender = buffer_with_most(2 * LIMIT_PATH);
    *place->jobs_end = job;
    place->jobs_end = &job->next;
    place->letters++;
    relay->letters++;
    relay_place_is_busy(relay, place);
    return job;
}

static bool widen(struct relay_job *job)
{
    size_t room = job->room == 0 ? 1 : job->room * 4;
    struct relay_rcpt *rcpts = mem_resize(job->rcpts, room * sizeof(*rcpts));

    if (rcpts == NULL)
        return false;
    job->rcpts = rcpts;
    struct recipient *to = mem_resize(job->to, room * sizeof(*to));
    if (to == NULL)
        return false;
    job->to = to;
    job->room = room;
    return true;
}

bool relay_job_add(struct relay_job *job, const struct relay_rcpt *rcpt, struct bytes entry)
{
    char *copy;

    if ((job->n == job->room && !widen(job)) || (copy = mem_new(entry.n + 1)) == NULL)
        return false;
    memcpy(copy, entry.at, entry.n);
    if (!recipient_read((struct bytes){ copy, entry.n }, &job->to[job->n])) {
        mem_free(copy);
        return false;
    }
    job->rcpts[job->n] = *rcpt;
    job->rcpts[job->n++].entry = copy;
    job->left++;
    return true;
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
    if (job->ask) {
        relay->asks--;
    } else {
        place->letters--;
        relay->letters--;
    }
    for (size_t i = 0; i < job->n; i++)
        mem_free(job->rcpts[i].entry);
    mem_free(job->rcpts);
    mem_free(job->to);
    buffer_done(&job->kept);
    buffer_done(&job->text);
    buffer_done(&job->sender);
    buffer_done(&job->recipe);
    mem_free(job);
}

void relay_job_rest(struct relay_job *job)
{
    size_t n = 0;

    for (size_t i = 0; i < job->n; i++) {
        if (job->rcpts[i].told) {
            mem_free(job->rcpts[i].entry);
            continue;
        }
        job->rcpts[n] = job->rcpts[i];
        job->to[n++] = job->to[i];
    }
    job->n = n;
}

/* ---- the text */

/* Return-Path is for the server to write, who delivers at last (RFC 5321, 4.4); but that it was
   with a mailbox of ours a forward that comes back must show, whatever that server does. */
static void put_top(struct relay_job *job)
{
    struct bytes only = job->n == 1 ? job->to[0].address : BYTES_NONE;

    job->made = true;
    if (job->place->dest == NULL) {
        buffer_put(&job->text, BYTES("Delivered-To: "));
        buffer_put(&job->text, only);
        buffer_put(&job->text, BYTES("\r\n"));
    }
    received_put(&job->text, &job->envelope, only, job->letter);
    job->added = job->text.n;
    job->size += job->added;
}

static bool is_wanted(struct bytes name)
{
    return bytes_equal_nocase(name, BYTES("TLS-Required"));
}

/* RFC 8689, 5: the sender would rather have it in clear than not at all. */
static void look(struct relay_job *job)
{
    struct header_reader reader = header_reader_for(is_wanted);
    struct bytes text = buffer_bytes(&job->text);
    struct header_field field;

    job->looked = true;
    while (header_next(&reader, &text, &field) == HEADER_FIELD)
        if (bytes_equal_nocase(bytes_trim(field.body), BYTES("no")))
            job->tls_optional = true;
    header_reader_done(&reader);
}

bool relay_job_is_ready(struct relay_job *job)
{
    if (job->link != NULL || job->left == 0)
        return false;
    if (job->ask)
        return true;
    if (!job->ended && (job->gathers || job->text.n < RELAY_BEGIN_BYTES))
        return false;
    if (!job->looked && job->place->dest != NULL && !job->cut)
        look(job);
    return true;
}

void relay_job_credit(struct relay *relay, struct relay_job *job, size_t handed)
{
    size_t ours = handed < job->added ? handed : job->added;

    job->added -= ours;
    if (handed > ours && job->left > 0)
        wire_tell_credit(relay->fx, (struct role_name){ ROLE_STORE, 0 },
                         &(struct wire_credit){ job->lead, (uint32_t)(handed - ours) });
}

void relay_job_gather(struct relay *relay, struct relay_job *job)
{
    if (job->text.n > job->handed)
        relay_job_credit(relay, job, job->text.n - job->handed);
    job->handed = job->text.n;
}

/* ---- frames */

/* A server that is silent holds no more than its share of the deliveries, so that others go on. */
static bool has_its_share(struct relay *relay, const struct place *place)
{
    return relay_is_stalled(relay, place)
        && (place->letters >= relay_share(relay, place)
            || (place->dest != NULL && relay_is_choked(relay)));
}

/* Words for what is dead now. */
static struct bytes rest_words(struct relay *relay, const struct place *place)
{
    struct buffer *words = fx_draft(relay->fx);

    buffer_put(words, conf_destination_shown(place->name));
    buffer_put(words, BYTES(" cannot be reached: "));
    buffer_put(words, buffer_bytes(&place->why));
    return fx_keep(relay->fx, buffer_bytes(words));
}

/* Where the copy for that address goes; NULL: *ret_refusal is what the store hears. */
struct refusal_now { enum job_outcome outcome; struct status_code code; struct bytes words; };
static struct place *place_of(struct relay *relay, struct bytes address,
                              struct refusal_now *ret_refusal)
{
    struct conf_route route = { 0 };
    bool known = true;
    enum route_place where = routes_place(relay->routes, address, &route);
    struct place *place = where == ROUTE_LMTP ? relay_place_ours(relay, &route)
                        : where == ROUTE_ELSEWHERE ? relay_place_away(relay, address, &known)
                                                   : NULL;

    *ret_refusal = (struct refusal_now){ JOB_BUSY, STATUS(4, 3, 0), BYTES_NONE };
    if (!known)
        *ret_refusal = (struct refusal_now){ JOB_FAILED, STATUS(5, 1, 2),
            BYTES("its domain is no name that the DNS could know") };
    return place;
}

static bool may_begin(struct relay *relay, struct place *place, struct bytes address,
                      struct refusal_now *ret_refusal)
{
    struct bytes words;

    if (relay_is_held(relay, place, address, &words))
        *ret_refusal = (struct refusal_now){ JOB_WAITS, STATUS(4, 3, 2), words };
    else if (place->rests_until_ms > relay->now.mono_ms)
        *ret_refusal = (struct refusal_now){ JOB_LATER, STATUS(4, 4, 1),
                                             rest_words(relay, place) };
    else if (has_its_share(relay, place) || relay->stopping || !relay_place_paces(relay, place))
        *ret_refusal = (struct refusal_now){ JOB_BUSY, STATUS(4, 4, 5), BYTES_NONE };
    else
        return true;
    return false;
}

static void refuse(struct relay *relay, uint32_t number, const struct refusal_now *refusal)
{
    relay_tell(relay, number, refusal->outcome, refusal->code, refusal->words);
}

static bool fill(struct relay_job *job, const struct wire_job_begin *begin)
{
    job->lead = begin->job;
    job->letter = begin->letter;
    job->size = begin->size;
    buffer_put(&job->kept, begin->head);
    if (job->kept.bad || !envelope_read(buffer_bytes(&job->kept), &job->envelope)
        || !relay_job_add(job, &(struct relay_rcpt){ .number = begin->job,
               .recipient = begin->recipient, .attempt = begin->attempt }, begin->to))
        return false;
    if (job->place->dest == NULL) {         /* of what is delivered the store reports itself */
        job->to[0].notify = 0;
        job->to[0].orcpt = job->envelope.envid = BYTES_NONE;
        job->envelope.ret = DSN_RET_UNSAID;
    }
    job->body = begin->binary != 0 ? BODY_BINARYMIME : job->envelope.body;
    job->smtputf8 = job->envelope.smtputf8;
    job->require_tls = job->envelope.require_tls && job->place->dest != NULL;
    return true;
}

void relay_job_begin(struct relay *relay, const struct wire_job_begin *begin)
{
    struct envelope envelope;
    struct recipient recipient;
    struct refusal_now refusal;

    if (!envelope_read(begin->head, &envelope) || !recipient_read(begin->to, &recipient)) {
        relay_tell(relay, begin->job, JOB_LATER, STATUS(4, 3, 0),
                   BYTES("the letter's envelope cannot be read"));
        return;
    }
    struct place *place = place_of(relay, recipient.address, &refusal);
    if (place == NULL || !may_begin(relay, place, recipient.address, &refusal)) {
        refuse(relay, begin->job, &refusal);
        return;
    }
    struct relay_job *job = relay_job_new(relay, place);
    if (job == NULL || !fill(job, begin)) {
        relay_tell(relay, begin->job, JOB_BUSY, STATUS(4, 3, 0), BYTES_NONE);
        if (job != NULL)
            relay_job_free(relay, job);
    }
}

/* With the one before it, if that was not refused and goes to the same place. */
void relay_job_also(struct relay *relay, const struct wire_job_also *also)
{
    struct relay_job *job = find(relay, also->with);
    struct relay_rcpt rcpt = { .number = also->job, .recipient = also->recipient,
                               .attempt = also->attempt };
    struct recipient recipient;
    struct refusal_now refusal = { JOB_BUSY, STATUS(4, 3, 0), BYTES_NONE };

    if (!recipient_read(also->to, &recipient)) {
        relay_tell(relay, also->job, JOB_LATER, STATUS(4, 3, 0),
                   BYTES("the letter's envelope cannot be read"));
        return;
    }
    struct place *place = place_of(relay, recipient.address, &refusal);
    struct bytes words;
    bool held = place != NULL && relay_is_held(relay, place, recipient.address, &words);
    if (!held && job != NULL && place == job->place && place->dest != NULL && job->link == NULL
        && !job->made && job->n < CLIENT_RECIPIENTS && relay_job_add(job, &rcpt, also->to))
        return;
    if (place != NULL && may_begin(relay, place, recipient.address, &refusal))
        refusal = (struct refusal_now){ JOB_BUSY, STATUS(4, 3, 0), BYTES_NONE };
    refuse(relay, also->job, &refusal);
}

static void go_on(struct relay *relay, struct relay_job *job)
{
    if (job->link != NULL)
        relay_link_go(relay, job->link);
}

void relay_job_part(struct relay *relay, const struct wire_job_part *part)
{
    struct relay_job *job = find(relay, part->job);

    if (job == NULL || job->ended)
        return;
    if (!job->made)
        put_top(job);
    if (job->from > 0) {
        buffer_drop(&job->text, job->from);
        job->from = job->handed = 0;
        job->cut = true;
    }
    buffer_put(&job->text, part->text);
    if (job->gathers)
        relay_job_gather(relay, job);
    go_on(relay, job);
}

void relay_job_end(struct relay *relay, uint32_t number)
{
    struct relay_job *job = find(relay, number);

    if (job == NULL || job->ended)
        return;
    if (!job->made)
        put_top(job);
    job->ended = true;
    go_on(relay, job);
}

/* As if they all had been told. */
static void silence(struct relay_job *job)
{
    for (size_t i = 0; i < job->n; i++)
        job->rcpts[i].told = true;
    job->left = 0;
}

/* Its text cannot be read on: the server must not get the end of it. */
void relay_job_drop(struct relay *relay, uint32_t number)
{
    struct relay_job *job = find(relay, number);

    if (job == NULL || job->ended)
        return;
    silence(job);
    if (job->link != NULL)
        relay_link_abort(relay, job->link);
    else
        relay_job_free(relay, job);
}

void relay_forget_all(struct relay *relay)
{
    for (struct place *place = relay->busy; place != NULL; place = place->next_busy) {
        struct relay_job *next;
        for (struct relay_job *job = place->jobs; job != NULL; job = next) {
            next = job->next;
            silence(job);
            if (job->link == NULL)
                relay_job_free(relay, job);
        }
    }
    for (size_t i = 0; i < RELAY_LINKS; i++)
        if (relay->links[i].job != NULL)
            relay_link_abort(relay, &relay->links[i]);
}
