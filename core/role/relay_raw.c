/* SPDX-License-Identifier: ISC
 *
 * role/relay_raw.c: lossless binary (core/mail/README.md). The base64 of a letter goes raw: with a
 * recipe to a Postern that reads them, without one to others where the configuration says so and
 * nothing is signed. It is tried at a first attempt only, and what hinders it lets the letter go as
 * it is.
 */
#include "role/relay_memo_int.h"

#include "base/log.h"
#include "crypt/digest.h"
#include "mail/convert.h"
#include "mail/recipe.h"

#include <string.h>

/* In which form would it go there, as far as server, settings and what was tried say? */
static enum relay_form form_for(struct relay *relay, const struct link *link,
                                const struct relay_job *job)
{
    const struct memo *memo = relay_memo_link(relay, link);
    unsigned has = smtp_client_extensions(link->client);

    if (memo != NULL && memo->quirk_until_ms > relay->now.mono_ms)
        has &= ~memo->avoid;
    if (job->plain || (has & CLIENT_CHUNKING) == 0 || (has & CLIENT_BINARYMIME) == 0)
        return FORM_PLAIN;
    for (size_t i = 0; i < job->n; i++)
        if (!job->rcpts[i].told && job->rcpts[i].attempt > 1)
            return FORM_PLAIN;
    if (relay->conf->lossless_binary && (has & CLIENT_RECIPE) != 0)
        return FORM_RECIPE;
    return relay->conf->lossless_unsigned ? FORM_RAW : FORM_PLAIN;
}

/* Does its beginning speak of base64? */
static bool promises(const struct relay_job *job)
{
    struct bytes text = bytes_first(buffer_bytes(&job->text), RELAY_BEGIN_BYTES);

    if (text.n < RECIPE_LEAST)
        return false;
    while (text.n >= 6) {
        size_t at = bytes_find(text, '6');
        struct bytes word = bytes_first(bytes_skip(text, at < 4 ? 0 : at - 4), 6);
        if (bytes_equal_nocase(word, BYTES("base64")))
            return true;
        text = bytes_skip(text, at + 1);
    }
    return false;
}

static void forget_form(struct relay_job *job)
{
    buffer_done(&job->recipe);
    job->form = FORM_PLAIN;
    job->saves = 0;
}

/* The text is another from now on; credit was given for all of it. */
static void take_text(struct relay_job *job, struct buffer *text)
{
    buffer_done(&job->text);
    job->text = *text;
    job->handed = job->text.n;
    job->from = job->added = 0;
}

/* The recipe in front of the raw form. */
static void put_in_front(struct buffer *raw, struct bytes recipe)
{
    size_t n = raw->n;

    if (buffer_grow(raw, recipe.n) == NULL)
        return;
    memmove(raw->at + recipe.n, raw->at, n);
    memcpy(raw->at, recipe.at, recipe.n);
}

static bool make(struct relay_job *job, enum relay_form form, struct buffer *raw)
{
    struct bytes letter = buffer_bytes(&job->text);
    uint8_t sum[DIGEST_MOST];

    job->recipe = buffer_with_most(RECIPE_MOST);
    if ((form == FORM_RAW && convert_is_signed(letter))
        || !recipe_make(letter, job->body, &job->recipe, raw)
        || !digest_of(DIGEST_SHA256, letter, sum))
        return false;
    recipe_set_sum(&job->recipe, sum);
    if (form == FORM_RECIPE)
        put_in_front(raw, buffer_bytes(&job->recipe));
    return !raw->bad && raw->n < letter.n;
}

/* All of it is here: another form of it, if there is one to gain by. */
static void make_raw(struct relay_job *job, enum relay_form form)
{
    struct buffer raw = buffer_with_most(RELAY_CONVERT_MOST);
    uint64_t before = job->text.n;

    job->gathers = false;
    if (!make(job, form, &raw)) {
        buffer_done(&raw);
        forget_form(job);
        job->plain = true;
        return;
    }
    take_text(job, &raw);
    job->form = (uint8_t)form;
    job->plain_body = job->body;
    job->plain_size = job->size;
    job->body = BODY_BINARYMIME;
    job->saves = before - job->text.n;
    if (form == FORM_RAW)
        job->size = job->text.n;
}

bool relay_raw_back(struct relay *relay, struct relay_job *job)
{
    struct buffer text = buffer_with_most(RELAY_CONVERT_MOST);
    struct bytes raw = buffer_bytes(&job->text);
    struct recipe recipe;

    if (job->form == FORM_PLAIN)
        return true;
    if (job->form == FORM_RECIPE)
        raw = bytes_skip(raw, job->recipe.n);
    if (!recipe_read(buffer_bytes(&job->recipe), &recipe) || !recipe_apply(raw, &recipe, &text)) {
        buffer_done(&text);
        relay_job_again(relay, job);        /* memory is short: the store has it still */
        return false;
    }
    take_text(job, &text);
    job->body = job->plain_body;
    job->size = job->plain_size;
    forget_form(job);
    return true;
}

bool relay_raw_suits(struct relay *relay, const struct link *link, const struct relay_job *job)
{
    return job->form != FORM_PLAIN && form_for(relay, link, job) == (enum relay_form)job->form;
}

bool relay_raw_waits(struct relay *relay, const struct link *link, struct relay_job *job)
{
    enum relay_form form = form_for(relay, link, job);

    if (form == FORM_PLAIN || !promises(job))
        return false;
    if (!job->ended)
        return relay_gathers(relay, job, RELAY_RAW_MOST);
    make_raw(job, form);
    return false;
}

/* ---- what came of it */

/* Not for the address, the mailbox or a rule, but perhaps for the form (RFC 3463, 3). */
static bool may_be_the_form(struct status_code code)
{
    return code.subject == 0 || code.subject == 3 || code.subject == 5 || code.subject == 6;
}

/* For a day no letter goes that way to that host. */
static void remember(struct relay *relay, const struct link *link, enum relay_form form,
                     struct bytes words)
{
    struct memo *memo = relay_memo_link(relay, link);
    struct buffer *line = fx_draft(relay->fx);

    if (memo == NULL)
        return;
    memo->quirk_until_ms = relay->now.mono_ms + RELAY_QUIRK_MS;
    memo->avoid |= form == FORM_RECIPE ? CLIENT_RECIPE : CLIENT_BINARYMIME;
    log_begin(line, "server-quirk");
    log_ours(line, "server", conf_destination_shown(link->place->name));
    log_theirs(line, "host", buffer_bytes(&link->host));
    log_ours(line, "from-now", form == FORM_RECIPE ? BYTES("no CONTENT-RECIPE")
                                                   : BYTES("no BINARYMIME"));
    log_theirs(line, "why", words);
    fx_log(relay->fx, LOG_WARN, fx_keep(relay->fx, buffer_bytes(line)));
}

bool relay_raw_refused(struct relay *relay, const struct link *link, struct relay_job *job,
                       const struct client_result *result)
{
    struct status_code code = result->code;

    if (job->form == FORM_PLAIN || result->outcome != CLIENT_FAILED || result->reply == 0
        || !may_be_the_form(code) || job->text.bad)
        return false;
    if (!job->plain && (code.subject == 5 || (code.subject == 6 && code.detail == 5)))
        remember(relay, link, (enum relay_form)job->form, result->words);
    job->plain = true;
    return true;
}

uint64_t relay_raw_saved(struct relay_job *job, const struct client_result *result)
{
    bool counts = job->counts && result->outcome == CLIENT_TAKEN;

    job->counts = job->counts && !counts;
    return counts ? job->saves : 0;
}
