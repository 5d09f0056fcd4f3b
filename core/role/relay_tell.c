/* SPDX-License-Identifier: ISC
 *
 * role/relay_tell.c: results, to the store and into the log.
 */
#include "role/relay_int.h"

#include "base/id.h"
#include "base/ip.h"
#include "base/log.h"
#include "base/plant.h"
#include "smtp/answer.h"

static const struct role_name to_store = { ROLE_STORE, 0 };

/* The server as a report names it: its name, "unix:" and a path, or an address literal. */
static struct bytes remote_of(struct relay *relay, const struct place *place,
                              const struct link *link)
{
    struct buffer *draft = fx_draft(relay->fx);

    if (place->dest != NULL && link == NULL)
        return BYTES_NONE;
    if (place->dest != NULL && link->host.n > 0) {
        buffer_put(draft, buffer_bytes(&link->host));
    } else if (place->dest == NULL && place->route.path.n > 0) {
        buffer_put(draft, BYTES("unix:"));
        buffer_put(draft, place->route.path);
    } else {
        buffer_put_char(draft, '[');
        ip_put(draft, place->dest != NULL ? link->at.ip : place->route.at.ip);
        buffer_put_char(draft, ']');
    }
    return fx_keep(relay->fx, buffer_bytes(draft));
}

/* Its reply as it said it, but in one line; nothing when the words are ours. */
static struct bytes reply_of(struct relay *relay, const struct client_result *result)
{
    struct buffer *draft = fx_draft(relay->fx);

    if (result->reply == 0)
        return BYTES_NONE;
    answer_put(draft, result->reply, result->coded, result->status, result->words);
    return fx_keep(relay->fx, buffer_bytes(draft));
}

void relay_tell(struct relay *relay, uint32_t number, enum job_outcome outcome,
                struct status_code code, struct bytes words)
{
    wire_tell_job_result(relay->fx, to_store, &(struct wire_job_result){
        .job = number, .outcome = (uint8_t)outcome, .class = code.class, .subject = code.subject,
        .detail = code.detail, .words = fx_keep(relay->fx, words) });
}

static const char *channel_words(const struct link *link)
{
    static const char *const words[] = {
        [LEVEL_UNKNOWN] = "", [LEVEL_CLEAR] = "clear", [LEVEL_TLS] = "tls",
        [LEVEL_NAME] = "verified", [LEVEL_DANE] = "dane",
    };

    return words[link->level];
}

static void log_result(struct relay *relay, const struct relay_job *job, const struct link *link,
                       size_t i, const struct client_result *result, uint64_t saved)
{
    struct buffer *line = fx_draft(relay->fx);
    struct buffer code = buffer_with_most(16), at = buffer_with_most(64);
    bool taken = result->outcome == CLIENT_TAKEN;
    char id[ID_TEXT];

    id_write(job->letter, id);
    status_put(&code, result->code);
    log_begin(line, taken ? "delivered" : result->outcome == CLIENT_LATER ? "delivery-waits"
                                                                          : "delivery-failed");
    log_ours(line, "letter", (struct bytes){ id, ID_TEXT });
    log_uint(line, "recipient", job->rcpts[i].recipient);
    log_theirs(line, "to", job->to[i].address);
    log_ours(line, "server", conf_destination_shown(job->place->name));
    if (job->place->dest != NULL && link != NULL) {
        net_address_put(&at, &link->at);
        log_theirs(line, "host", buffer_bytes(&link->host));
        log_ours(line, "at", buffer_bytes(&at));
        log_ours(line, "channel", bytes_of(channel_words(link)));
    }
    log_uint(line, "attempt", job->rcpts[i].attempt);
    log_ours(line, "code", buffer_bytes(&code));
    if (saved > 0)
        log_uint(line, "saved", saved);
    if (result->window) {
        log_ours(line, "window", BYTES("yes"));
        log_uint(line, "windows", ++relay->windows);
    }
    log_theirs(line, "why", result->words);
    buffer_done(&code);
    buffer_done(&at);
    fx_log(relay->fx, taken ? LOG_INFO : LOG_WARN, fx_keep(relay->fx, buffer_bytes(line)));
}

/* "mx.example said: ..." */
static void put_words(struct buffer *to, const struct place *place, const struct link *link,
                      const struct client_result *result)
{
    bool by_name = place->dest != NULL && link != NULL && link->host.n > 0;

    buffer_put(to, by_name ? buffer_bytes(&link->host) : conf_destination_shown(place->name));
    buffer_put_text(to, result->reply > 0 || place->dest == NULL ? " said: " : ": ");
    buffer_put(to, result->words);
    if (result->window)
        buffer_put(to, BYTES(" (it may have taken the letter all the same)"));
}

/* Who reports of what comes after (RFC 3461, 5.2); RFC 2852, 4.1.4: the sender who set a time hears
   of a server that does not keep it, or asked for a trace. */
static enum job_outcome outcome_away(const struct relay_job *job, const struct link *link)
{
    unsigned has = link == NULL ? 0 : smtp_client_extensions(link->client);

    if (job->envelope.by_trace
        || (job->envelope.by == BY_NOTIFY && (has & CLIENT_DELIVERBY) == 0))
        return JOB_TRACED;
    return (has & CLIENT_DSN) != 0 ? JOB_PASSED : JOB_RELAYED;
}

void relay_job_result(struct relay *relay, struct relay_job *job, const struct link *link, size_t i,
                      const struct client_result *result)
{
    static const enum job_outcome outcomes[] = {
        [CLIENT_TAKEN] = JOB_DELIVERED, [CLIENT_LATER] = JOB_LATER, [CLIENT_FAILED] = JOB_FAILED,
    };
    struct buffer words = buffer_with_most(2048);

    if (i >= job->n || job->rcpts[i].told)
        return;
    job->rcpts[i].told = true;
    job->left--;
    if (job->ask) {
        relay_ask_result(relay, job, result);
        return;
    }
    enum job_outcome outcome = outcomes[result->outcome];
    if (result->window && PLANTED(lost_reply_taken))
        outcome = JOB_DELIVERED;
    if (outcome == JOB_DELIVERED && job->place->dest != NULL)
        outcome = outcome_away(job, link);
    uint64_t saved = relay_raw_saved(job, result);
    log_result(relay, job, link, i, result, saved);
    put_words(&words, job->place, link, result);
    struct bytes reply = reply_of(relay, result), remote = remote_of(relay, job->place, link);
    wire_tell_job_result(relay->fx, to_store, &(struct wire_job_result){
        .job = job->rcpts[i].number, .outcome = (uint8_t)outcome,
        .class = result->code.class, .subject = result->code.subject,
        .detail = result->code.detail, .saved = saved, .remote = remote, .reply = reply,
        .words = fx_keep(relay->fx, buffer_bytes(&words)) });
    buffer_done(&words);
}

void relay_job_results(struct relay *relay, struct relay_job *job,
                       const struct client_result *result)
{
    for (size_t i = 0; i < job->n; i++)
        relay_job_result(relay, job, job->link, i, result);
}

void relay_job_again(struct relay *relay, struct relay_job *job)
{
    for (size_t i = 0; i < job->n; i++)
        if (!job->rcpts[i].told)
            relay_tell(relay, job->rcpts[i].number, JOB_BUSY, STATUS(4, 4, 2), BYTES_NONE);
    relay_job_free(relay, job);
}
