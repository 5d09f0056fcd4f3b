/* SPDX-License-Identifier: ISC
 *
 * role/relay_convert.c: letters that a server does not take as they are (no 8BITMIME, BINARYMIME or
 * SMTPUTF8) made into ones that it does. That needs all of a letter, so it waits until all is here;
 * a few at a time, for memory's sake.
 */
#include "role/relay_int.h"

#include "base/log.h"
#include "mail/convert.h"
#include "mail/domain.h"
#include "mail/xtext.h"

#include <string.h>

static bool is_ascii(struct bytes text)
{
    for (size_t i = 0; i < text.n; i++)
        if (octet(text.at[i]) > 127)
            return false;
    return true;
}

/* ---- addresses */

static const struct client_result no_memory = {
    .outcome = CLIENT_LATER, .code = { 4, 3, 0 }, .words = BYTES_INIT("memory is short here") };

/* With the domain as A-labels; false: its local part has no ASCII form, or memory is short. */
static bool put_lowered(struct buffer *to, struct bytes address)
{
    size_t at = bytes_find_last(address, '@');
    size_t begin = to->n;

    buffer_put(to, bytes_first(address, at + 1));
    return is_ascii(bytes_skip(buffer_bytes(to), begin))
        && domain_to_ascii(bytes_skip(address, at + 1), to) && !to->bad;
}

/* The original recipient in the form that every path takes (RFC 6533, 3); of an address that was
   lowered, the address as it was written, said or not. Left out when it grew too long. */
static void put_orcpt(struct buffer *to, const struct recipient *recipient)
{
    struct buffer said = buffer_with_most(ORCPT_MOST), form = buffer_with_most(ORCPT_MOST);

    if (recipient->orcpt.n == 0 && !is_ascii(recipient->address))
        orcpt_put(&form, recipient->address);
    else if (is_ascii(recipient->orcpt))
        buffer_put(&form, recipient->orcpt);
    else if (orcpt_decode(recipient->orcpt, true, &said) && !said.bad)
        orcpt_put(&form, bytes_skip(buffer_bytes(&said),
                                    bytes_find(buffer_bytes(&said), ';') + 1));
    if (!form.bad)
        buffer_put(to, buffer_bytes(&form));
    buffer_done(&said);
    buffer_done(&form);
}

/* On the stack: want of memory must not look like an address that cannot be written. */
static bool has_ascii_form(struct bytes address)
{
    char room[2 * LIMIT_PATH];
    struct buffer text = { .at = room, .room = sizeof(room), .most = sizeof(room) };

    return is_ascii(address) || put_lowered(&text, address);
}

/* Address and original recipient, in memory of its own, of one that has such a form; false: memory
   is short. */
static bool lower(struct relay_rcpt *rcpt, struct recipient *recipient)
{
    struct buffer text = buffer_with_most(2 * LIMIT_PATH + ORCPT_MOST);
    bool well = put_lowered(&text, recipient->address);
    size_t n = text.n;

    if (well)
        put_orcpt(&text, recipient);
    char *copy = well && !text.bad ? mem_new(text.n) : NULL;
    if (copy != NULL) {
        memcpy(copy, text.at, text.n);
        recipient->address = (struct bytes){ copy, n };
        recipient->orcpt = (struct bytes){ copy + n, text.n - n };
        mem_free(rcpt->entry);
        rcpt->entry = copy;
    }
    buffer_done(&text);
    return copy != NULL;
}

/* Those that have no ASCII form cannot be told there; the others go on. False: nobody is left. */
static bool lower_recipients(struct relay *relay, struct relay_job *job)
{
    for (size_t i = 0; i < job->n; i++) {
        struct recipient *to = &job->to[i];
        if (job->rcpts[i].told || (is_ascii(to->address) && is_ascii(to->orcpt)))
            continue;
        if (!has_ascii_form(to->address))
            relay_job_result(relay, job, NULL, i, &(struct client_result){
                .recipient = i, .outcome = CLIENT_FAILED, .code = STATUS(5, 6, 7),
                .words = BYTES("the address has UTF-8 before its @, and the next server offers "
                               "no SMTPUTF8: there is no other way to write it") });
        else if (!lower(&job->rcpts[i], to))
            relay_job_result(relay, job, NULL, i, &no_memory);
    }
    return job->left > 0;
}

static bool lower_sender(struct relay *relay, struct relay_job *job)
{
    if (is_ascii(job->envelope.sender))
        return true;
    if (!has_ascii_form(job->envelope.sender))
        return false;
    buffer_clear(&job->sender);
    if (put_lowered(&job->sender, job->envelope.sender))
        job->envelope.sender = buffer_bytes(&job->sender);
    else
        relay_job_results(relay, job, &no_memory);
    return !job->sender.bad;
}

/* Is there a way to write all of its addresses? */
static bool can_be_lowered(const struct relay_job *job)
{
    for (size_t i = 0; i < job->n; i++)
        if (!job->rcpts[i].told && !has_ascii_form(job->to[i].address))
            return false;
    return has_ascii_form(job->envelope.sender);
}

/* ---- the text */

/* Octets of the letters for that place that are held whole. */
static uint64_t held_whole(const struct place *place)
{
    uint64_t octets = 0;

    for (const struct relay_job *job = place->jobs; job != NULL; job = job->next)
        octets += job->whole ? job->size : 0;
    return octets;
}

/* No place may take more than half of the room, so that one that is slow leaves some to others. */
static bool has_room(const struct relay *relay, const struct relay_job *job, uint64_t most)
{
    uint64_t all = 0, here = held_whole(job->place);

    for (const struct place *place = relay->busy; place != NULL; place = place->next_busy)
        all += held_whole(place);
    return all + job->size <= most && (here == 0 || here + job->size <= most / 2);
}

bool relay_gathers(struct relay *relay, struct relay_job *job, uint64_t most)
{
    if (!job->whole && (job->size > RELAY_CONVERT_MOST || !has_room(relay, job, most)))
        return false;
    job->gathers = job->whole = true;
    job->text.most = RELAY_CONVERT_MOST;
    relay_job_gather(relay, job);
    return true;
}

/* The same of one that must be converted: it waits for room, but for one that never has any. */
static bool must_wait(struct relay *relay, struct relay_job *job)
{
    if (job->size > RELAY_CONVERT_MOST) {
        job->tried = true;
        job->cannot = "it is too large to be converted here";
        return false;
    }
    (void)relay_gathers(relay, job, RELAY_WHOLE_MOST);
    return true;
}

static void log_converted(struct relay *relay, const struct relay_job *job, size_t before)
{
    struct buffer *line = fx_draft(relay->fx);

    log_begin(line, "converted");
    log_ours(line, "server", conf_destination_shown(job->place->name));
    log_ours(line, "body", job->body == BODY_7BIT ? BYTES("7BIT") : BYTES("8BITMIME"));
    log_uint(line, "octets", before);
    log_uint(line, "now", job->text.n);
    fx_log(relay->fx, LOG_INFO, fx_keep(relay->fx, buffer_bytes(line)));
}

static void take_text(struct relay *relay, struct relay_job *job, struct buffer *text,
                      const struct convert_for *server)
{
    size_t before = job->text.n;

    buffer_done(&job->text);
    job->text = *text;
    job->handed = job->text.n;              /* credit was given for all of it */
    job->added = 0;
    job->size = job->text.n;
    if (job->body == BODY_BINARYMIME || !server->eight_bit)
        job->body = server->eight_bit ? BODY_8BITMIME : BODY_7BIT;
    log_converted(relay, job, before);
}

/* What cannot be converted is left as it is: the server's lack is then its failure. */
static void make_anew(struct relay *relay, struct relay_job *job,
                      const struct convert_for *server)
{
    struct buffer text = buffer_with_most(RELAY_CONVERT_MOST);
    bool lowers = job->smtputf8 && !server->utf8;

    job->gathers = false;
    job->tried = true;
    if (lowers && !lower_sender(relay, job))
        return;
    enum convert_verdict verdict = convert_letter(buffer_bytes(&job->text), job->smtputf8, server,
                                                  &text);
    switch (verdict) {
    case CONVERT_DONE: take_text(relay, job, &text, server); break;
    case CONVERT_NOT_NEEDED:
        if (job->body == BODY_BINARYMIME || !server->eight_bit)
            job->body = server->eight_bit ? BODY_8BITMIME : BODY_7BIT;
        buffer_done(&text);
        break;
    case CONVERT_NO_MEMORY:
        relay_job_results(relay, job, &no_memory);
        buffer_done(&text);
        return;
    case CONVERT_SIGNED: case CONVERT_FLAWED:
        job->cannot = convert_why(verdict);
        buffer_done(&text);
        return;
    }
    if (lowers && lower_recipients(relay, job))
        job->smtputf8 = false;
}

/* ---- does it fit? */

/* That host does not take it as it is: others are to be asked. */
static bool lacks(struct relay *relay, const struct link *link, struct relay_job *job)
{
    if (job->settles || job->ask || job->place->dest == NULL)
        return false;
    if (job->lacks_n == COUNT(job->lacks)) {
        job->settles = true;
        return false;
    }
    job->lacks[job->lacks_n++] = relay_host_key(relay, buffer_bytes(&link->host));
    return true;
}

/* Nobody takes it, and it cannot be made anew: both are said to the sender. */
static void fail(struct relay *relay, const struct link *link, struct relay_job *job,
                 struct status_code code, const char *lacking)
{
    struct buffer words = buffer_with_most(1024);

    buffer_put_text(&words, lacking);
    buffer_put_text(&words, "; it was not converted: ");
    buffer_put_text(&words, job->cannot);
    for (size_t i = 0; i < job->n; i++)
        relay_job_result(relay, job, link, i, &(struct client_result){ .recipient = i,
            .outcome = CLIENT_FAILED, .code = code, .words = buffer_bytes(&words) });
    buffer_done(&words);
    relay_job_free(relay, job);
}

/* Does it take the letter as it is now? False: not now, or the job is freed. True also when only
   the client machine will say what lacks. */
static bool takes(struct relay *relay, const struct link *link, struct relay_job *job)
{
    const char *words;
    struct client_letter letter = { .body = job->body, .smtputf8 = job->smtputf8,
                                    .require_tls = job->require_tls, .size = job->size };

    relay_letter_by(relay, job, &letter);
    struct status_code code = smtp_client_unfit(link->client, &letter, &words);
    if (code.class == 0 || (letter.by_return && letter.by_s < 0))
        return true;
    if (lacks(relay, link, job))
        return false;
    if (job->cannot == NULL || code.subject != 6)
        return true;
    fail(relay, link, job, code, words);
    return false;
}

static struct convert_for server_of(const struct link *link)
{
    unsigned has = smtp_client_extensions(link->client);

    return (struct convert_for){
        .eight_bit = (has & CLIENT_8BITMIME) != 0,
        .binary = (has & CLIENT_BINARYMIME) != 0 && (has & CLIENT_CHUNKING) != 0,
        .utf8 = (has & CLIENT_SMTPUTF8) != 0,
    };
}

static bool fits(const struct relay_job *job, const struct convert_for *server)
{
    return (!job->smtputf8 || server->utf8) && (job->body != BODY_BINARYMIME || server->binary)
        && (job->body != BODY_8BITMIME || server->eight_bit);
}

bool relay_converts(struct relay *relay, const struct link *link, struct relay_job *job)
{
    if (relay_lacks(job, relay_host_key(relay, buffer_bytes(&link->host))))
        return false;
    if (job->ask || job->place->dest == NULL || job->cut || job->text.bad
        || relay_raw_suits(relay, link, job))
        return takes(relay, link, job);
    if (!relay_raw_back(relay, job))
        return false;
    struct convert_for server = server_of(link);
    if (fits(job, &server))
        return !relay_raw_waits(relay, link, job) && takes(relay, link, job);
    server.eight_bit |= server.binary;
    if (job->tried)
        return takes(relay, link, job);
    if (job->smtputf8 && !server.utf8 && !can_be_lowered(job) && lacks(relay, link, job))
        return false;
    if (!job->ended && must_wait(relay, job))
        return false;
    if (job->ended)
        make_anew(relay, job, &server);
    if (job->left > 0)
        return takes(relay, link, job);
    relay_job_free(relay, job);
    return false;
}
