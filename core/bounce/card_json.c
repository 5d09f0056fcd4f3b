/* SPDX-License-Identifier: ISC
 *
 * A card as JSON: doc/explain-json.md is its description.
 */
#include "base/clock.h"
#include "bounce/card_int.h"

static void put_answer(struct json *json, const char *key, enum cause_answer answer)
{
    json_key(json, key);
    if (answer == CAUSE_UNSURE)
        json_put_null(json);
    else
        json_bool(json, answer == CAUSE_YES);
}

/* The text, or null for an empty one. */
static void put_text(struct json *json, const char *key, struct bytes text)
{
    json_key(json, key);
    if (text.n == 0)
        json_put_null(json);
    else
        json_text(json, text);
}

/* A text that `fill` was written into; the buffer is done. */
static void put_buffer(struct json *json, const char *key, struct buffer *text)
{
    put_text(json, key, buffer_bytes(text));
    json->to->bad = json->to->bad || text->bad;
    buffer_done(text);
}

static void put_moment(struct json *json, const char *key, int64_t seconds)
{
    struct buffer text = buffer_with_most(64);

    if (seconds > 0)
        clock_put(&text, (uint64_t)seconds * 1000);
    put_buffer(json, key, &text);
}

static void put_codes(struct json *json, const struct bounce_recipient *recipient)
{
    struct buffer text = buffer_with_most(32);

    if (card_status(recipient).class != 0)
        status_put(&text, card_status(recipient));
    put_buffer(json, "status", &text);
    json_key(json, "reply_code");
    if (card_reply_code(recipient) != 0)
        json_uint(json, card_reply_code(recipient));
    else
        json_put_null(json);
}

static void put_official(struct json *json, const struct bounce_recipient *recipient)
{
    struct buffer text = buffer_with_most(LANG_TEXT_MOST);
    struct bytes reference;

    json_key(json, "official");
    if (card_put_official(&text, recipient, &reference)) {
        json_put_object(json);
        put_buffer(json, "text", &text);
        put_text(json, "reference", reference);
        json_put_object_end(json);
    } else {
        json_put_null(json);
        buffer_done(&text);
    }
}

/* What the four answers are, and the words for them. */
static void put_cause(struct json *json, const struct bounce_recipient *recipient,
                      enum bounce_kind kind, const struct card_style *style)
{
    const struct cause *cause = &recipient->cause;
    bool failure = card_is_failure(recipient);
    struct buffer headline = buffer_with_most(LANG_TEXT_MOST);
    struct card_fix fixes[CAUSE_WHOS];

    put_text(json, "category",
             bytes_of(failure ? cause_category_name(cause->category) : ""));
    put_text(json, "family", bytes_of(failure ? cause_family_name(cause_family(cause)) : ""));
    put_answer(json, "over", cause->over);
    put_answer(json, "retry_would_help", failure ? cause->retry_would_help : CAUSE_UNSURE);
    put_text(json, "who", bytes_of(failure ? cause_who_name(cause->who) : ""));
    put_answer(json, "address_bad", cause->address_bad);
    put_moment(json, "retry_until", cause->retry_until);
    card_put_headline(&headline, recipient, kind, style);
    put_buffer(json, "headline", &headline);
    put_text(json, "summary", card_summary(recipient, kind, style->lang));
    json_key(json, "fix");
    json_put_array(json);
    for (size_t i = 0, n = failure ? card_fixes(cause, style->lang, fixes) : 0; i < n; i++)
        json_text(json, fixes[i].text);
    json_put_array_end(json);
    put_official(json, recipient);
}

static void put_evidence(struct json *json, const struct bounce_recipient *recipient)
{
    json_key(json, "evidence");
    json_put_array(json);
    for (size_t i = 0; i < recipient->evidence_n; i++) {
        json_put_object(json);
        json_put_text(json, "by", bytes_of(bounce_proof_name(recipient->evidence[i].proof)));
        json_put_text(json, "text", recipient->evidence[i].text);
        json_put_object_end(json);
    }
    json_put_array_end(json);
    json_put_uint(json, "confidence", recipient->confidence);
}

static void put_recipient(struct json *json, const struct bounce_recipient *recipient,
                          enum bounce_kind kind, const struct card_style *style)
{
    json_put_object(json);
    put_text(json, "recipient", recipient->recipient);
    put_text(json, "original_recipient", recipient->original_recipient);
    put_text(json, "action", bytes_of(bounce_action_name(recipient->action)));
    put_codes(json, recipient);
    put_cause(json, recipient, kind, style);
    put_text(json, "remote_mta", recipient->remote_mta);
    put_text(json, "reporting_mta", recipient->reporting_mta);
    put_text(json, "command", bytes_of(bounce_command_name(recipient->command)));
    put_text(json, "diagnostic", recipient->diagnostic);
    put_moment(json, "arrival", recipient->arrival);
    put_moment(json, "last_attempt", recipient->last_attempt);
    put_evidence(json, recipient);
    json_put_object_end(json);
}

void card_put_json(struct json *json, const struct bounce_report *report,
                   const struct card_style *style, struct bytes input)
{
    json_put_object(json);
    json_put_uint(json, "version", 1);
    json_put_text(json, "input", input);
    json_put_text(json, "kind", bytes_of(bounce_kind_name(report->kind)));
    json_put_text(json, "language", bytes_of(style->lang->code));
    json_key(json, "recipients");
    json_put_array(json);
    for (uint32_t i = 0; i < report->recipients_n && !json->to->bad; i++)
        put_recipient(json, &report->recipients[i], report->kind, style);
    json_put_array_end(json);
    json_put_uint(json, "recipients_found", report->recipients_all);
    json_key(json, "original");
    json_put_object(json);
    put_text(json, "message_id", report->message_id);
    put_text(json, "subject", report->subject);
    json_put_object_end(json);
    json_put_bool(json, "cut", report->cut);
    json_put_object_end(json);
}
