/* SPDX-License-Identifier: ISC */
#include "lib/postern.h"

#include "base/arena.h"
#include "bounce/explain.h"
#include "bounce/page.h"

#define EXPORT __attribute__((visibility("default")))

enum { ANSWER_MOST = CARD_MOST + PAGE_MOST + 64 * 1024 };

struct postern {
    struct rules *rules;
    struct bounce_reader *reader;
    struct bounce_report report;
    const struct lang *lang;        /* NULL: that of the message */
    struct card_style style;
    struct buffer answer, field;
};

EXPORT struct postern *postern_new(void)
{
    struct postern *postern = mem_new(sizeof(*postern));

    if (postern == NULL)
        return NULL;
    postern->answer = buffer_with_most(ANSWER_MOST);
    postern->field = buffer_with_most(READ_MEMORY_MOST);
    postern->rules = rules_builtin();
    postern->reader = postern->rules == NULL ? NULL : bounce_reader_new(postern->rules);
    if (postern->reader != NULL)
        return postern;
    postern_free(postern);
    return NULL;
}

EXPORT void postern_free(struct postern *postern)
{
    if (postern == NULL)
        return;
    bounce_reader_free(postern->reader);
    rules_free(postern->rules);
    buffer_done(&postern->answer);
    buffer_done(&postern->field);
    mem_free(postern);
}

EXPORT int postern_set_language(struct postern *postern, const char *language)
{
    bool wanted = language != NULL && language[0] != '\0';

    postern->lang = wanted ? lang_of_list(bytes_of(language)) : NULL;
    return wanted && postern->lang == NULL ? -1 : 0;
}

EXPORT void postern_set_time(struct postern *postern, int64_t now, int zone_minutes)
{
    bool sound = zone_minutes > -24 * 60 && zone_minutes < 24 * 60;

    postern->style.now = now > 0 ? now : 0;
    postern->style.zone_minutes = sound ? zone_minutes : 0;
}

EXPORT int postern_read(struct postern *postern, const void *octets, size_t n)
{
    struct bytes text = { n == 0 ? "" : octets, n };

    explain_read(postern->reader, text, &postern->report);
    postern->style.lang = postern->lang != NULL ? postern->lang
                          : card_lang(BYTES_NONE, &postern->report);
    return (int)postern->report.recipients_n;
}

/* The answer as a C string, or NULL when not all of it is there. */
static const char *finish(struct buffer *answer, size_t *ret_n)
{
    if (ret_n != NULL)
        *ret_n = answer->n;
    buffer_put_char(answer, '\0');
    return answer->bad ? NULL : answer->at;
}

static const struct card_style *style_of(struct postern *postern)
{
    if (postern->style.lang == NULL)
        postern->style.lang = lang_english();
    return &postern->style;
}

EXPORT const char *postern_show(struct postern *postern, enum postern_form form, size_t *ret_n)
{
    static const enum explain_form forms[] = {
        [POSTERN_TEXT] = EXPLAIN_TEXT, [POSTERN_HTML] = EXPLAIN_HTML,
        [POSTERN_JSON] = EXPLAIN_JSON,
    };
    const struct card_style *style = style_of(postern);
    struct buffer *answer = &postern->answer;

    if ((size_t)form >= COUNT(forms))
        return NULL;
    buffer_clear(answer);
    if (form == POSTERN_HTML)
        card_put_html_begin(answer, style->lang, lang_text(style->lang, LANG_PAGE_TITLE));
    explain_put(answer, &postern->report, forms[form], style, BYTES_NONE, 1);
    if (form == POSTERN_HTML)
        card_put_html_end(answer);
    return finish(answer, ret_n);
}

EXPORT const char *postern_code(struct postern *postern, const char *code,
                                enum postern_form form, size_t *ret_n)
{
    struct json json = json_to(&postern->answer);
    struct page page;

    buffer_clear(&postern->answer);
    if (code == NULL || !page_find(bytes_of(code), &page))
        return NULL;
    if (form == POSTERN_JSON)
        page_put_json(&json, &page);
    else if (form == POSTERN_HTML)
        page_put_html(&postern->answer, &page);
    else
        page_put_text(&postern->answer, &page, false);
    return finish(&postern->answer, ret_n);
}

EXPORT const char *postern_kind(const struct postern *postern)
{
    return bounce_kind_name(postern->report.kind);
}

static void put_field(struct postern *postern, const struct bounce_recipient *recipient,
                      enum postern_field field)
{
    struct buffer *to = &postern->field;
    const struct cause *cause = &recipient->cause;
    bool failure = card_is_failure(recipient);

    switch (field) {
    case POSTERN_RECIPIENT: buffer_put(to, recipient->recipient); break;
    case POSTERN_ORIGINAL_RECIPIENT: buffer_put(to, recipient->original_recipient); break;
    case POSTERN_ACTION: buffer_put_text(to, bounce_action_name(recipient->action)); break;
    case POSTERN_STATUS:
        if (card_status(recipient).class != 0)
            status_put(to, card_status(recipient));
        break;
    case POSTERN_CATEGORY:
        buffer_put_text(to, failure ? cause_category_name(cause->category) : "");
        break;
    case POSTERN_FAMILY:
        buffer_put_text(to, failure ? cause_family_name(cause_family(cause)) : "");
        break;
    case POSTERN_WHO: buffer_put_text(to, failure ? cause_who_name(cause->who) : ""); break;
    case POSTERN_HEADLINE:
        card_put_headline(to, recipient, postern->report.kind, style_of(postern));
        break;
    case POSTERN_SUMMARY:
        buffer_put(to, card_summary(recipient, postern->report.kind, style_of(postern)->lang));
        break;
    case POSTERN_RETRY:
        if (failure)
            card_put_retry(to, cause, style_of(postern));
        break;
    case POSTERN_REMOTE_MTA: buffer_put(to, recipient->remote_mta); break;
    case POSTERN_DIAGNOSTIC: buffer_put(to, recipient->diagnostic); break;
    }
}

EXPORT const char *postern_field(struct postern *postern, size_t i, enum postern_field field)
{
    if (i >= postern->report.recipients_n)
        return NULL;
    buffer_clear(&postern->field);
    put_field(postern, &postern->report.recipients[i], field);
    return finish(&postern->field, NULL);
}

EXPORT int postern_answer(const struct postern *postern, size_t i,
                          enum postern_answer_to question)
{
    static const int values[] = { [CAUSE_UNSURE] = -1, [CAUSE_NO] = 0, [CAUSE_YES] = 1 };

    if (i >= postern->report.recipients_n)
        return -1;
    const struct cause *cause = &postern->report.recipients[i].cause;
    switch (question) {
    case POSTERN_OVER: return values[cause->over];
    case POSTERN_RETRY_WOULD_HELP: return values[cause->retry_would_help];
    case POSTERN_ADDRESS_BAD: return values[cause->address_bad];
    }
    return -1;
}

EXPORT const char *postern_version(void)
{
    return POSTERN_VERSION;
}
