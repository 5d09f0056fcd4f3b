/* SPDX-License-Identifier: ISC
 *
 * A card as text: lines of at most 80 columns.
 */
#include "base/safe.h"
#include "bounce/card_int.h"
#include "mail/width.h"

enum { INDENT = 2 };

static size_t columns_of(const struct card_style *style)
{
    return style->columns != 0 ? style->columns : CARD_COLUMNS;
}

void card_put_paragraph(struct buffer *to, struct bytes text, size_t columns)
{
    width_put(to, text, 0, 0, columns, "\n");
    buffer_put_char(to, '\n');
}

static void put_wrapped(struct buffer *to, const struct card_style *style, struct bytes text,
                        size_t indent)
{
    buffer_put_chars(to, ' ', indent);
    width_put(to, text, indent, indent, columns_of(style), "\n");
    buffer_put_char(to, '\n');
}

/* A headline, and a line of dashes as long below it. */
static void put_headline(struct buffer *to, struct bytes text, const struct card_style *style)
{
    struct bytes rest = text;
    size_t longest = 0;

    buffer_put_text(to, style->colour ? "\x1b[1m" : "");
    while (rest.n > 0) {
        struct bytes line = width_line(rest, columns_of(style), &rest);
        size_t columns = width_of(line);
        longest = columns > longest ? columns : longest;
        buffer_put(to, line);
        buffer_put_char(to, rest.n > 0 ? '\n' : ' ');
    }
    if (to->n > 0 && !to->bad)
        to->n--;
    buffer_put_text(to, style->colour ? "\x1b[0m\n" : "\n");
    buffer_put_chars(to, '-', longest);
    buffer_put_text(to, "\n\n");
}

/* "Label: value", with the colon of the language; the value is safe. */
static void put_labelled(struct buffer *to, const struct card_style *style, enum lang_text label,
                         struct bytes value, size_t indent)
{
    struct buffer line = buffer_with_most(LANG_TEXT_MOST + 8 * CARD_FIELD_MOST);
    struct lang_slot slots[] = {
        { "family", lang_text(style->lang, label) }, { "cause", value },
    };

    lang_put(&line, style->lang, LANG_HEADLINE, slots, COUNT(slots));
    buffer_put_chars(to, ' ', INDENT);
    width_put(to, buffer_bytes(&line), INDENT, indent, columns_of(style), "\n");
    buffer_put_char(to, '\n');
    to->bad = to->bad || line.bad;
    buffer_done(&line);
}

/* "Label: value", the value a stranger's. */
static void put_field(struct buffer *to, const struct card_style *style, enum lang_text label,
                      struct bytes value)
{
    struct buffer safe = buffer_with_most(8 * CARD_FIELD_MOST);
    bool cut;

    if (value.n == 0)
        return;
    safe_put_plain(&safe, card_cut(value, &cut));
    buffer_put_text(&safe, cut ? " ..." : "");
    put_labelled(to, style, label, buffer_bytes(&safe), 2 * INDENT);
    to->bad = to->bad || safe.bad;
    buffer_done(&safe);
}

static void put_more(struct buffer *to, const struct card_style *style, uint64_t more)
{
    if (more == 0)
        return;
    buffer_put_chars(to, ' ', 2 * INDENT);
    lang_put_count(to, style->lang, LANG_MORE_RECIPIENTS, more);
    buffer_put_char(to, '\n');
}

static void put_recipients(struct buffer *to, const struct bounce_report *report,
                           const struct card_group *group, const struct card_style *style)
{
    uint32_t named = 0;

    for (uint32_t i = group->at; i < report->recipients_n && named < CARD_ADDRESSES_MOST; i++) {
        const struct bounce_recipient *recipient = &report->recipients[i];
        if (!card_is_in(group, recipient))
            continue;
        named++;
        put_field(to, style, LANG_LABEL_RECIPIENT, recipient->recipient);
        put_field(to, style, LANG_LABEL_ORIGINAL, recipient->original_recipient);
    }
    put_more(to, style, group->members - named);
    put_field(to, style, LANG_LABEL_SUBJECT, report->subject);
}

static void put_title(struct buffer *to, const struct card_style *style, enum lang_text title)
{
    buffer_put_char(to, '\n');
    buffer_put_text(to, style->colour ? "\x1b[1m" : "");
    buffer_put(to, lang_text(style->lang, title));
    buffer_put_text(to, style->colour ? "\x1b[0m\n" : "\n");
}

static void put_fixes(struct buffer *to, const struct cause *cause,
                      const struct card_style *style)
{
    struct card_fix fixes[CAUSE_WHOS];
    size_t n = card_fixes(cause, style->lang, fixes);

    put_title(to, style, LANG_FIX_TITLE);
    for (size_t i = 0; i < n; i++)
        put_labelled(to, style, card_fix_for(fixes[i].who), fixes[i].text, INDENT);
    if (cause->address_bad == CAUSE_YES)
        put_wrapped(to, style, lang_text(style->lang, LANG_BAD_ADDRESS), INDENT);
}

static void put_retry(struct buffer *to, const struct cause *cause,
                      const struct card_style *style)
{
    struct buffer line = buffer_with_most(LANG_TEXT_MOST);

    put_title(to, style, LANG_RETRY_TITLE);
    card_put_retry(&line, cause, style);
    put_wrapped(to, style, buffer_bytes(&line), INDENT);
    to->bad = to->bad || line.bad;
    buffer_done(&line);
}

static void put_codes(struct buffer *to, const struct bounce_recipient *recipient,
                      const struct card_style *style)
{
    struct buffer text = buffer_with_most(LANG_TEXT_MOST);
    struct bytes reference;

    if (card_status(recipient).class != 0)
        status_put(&text, card_status(recipient));
    put_field(to, style, LANG_LABEL_STATUS, buffer_bytes(&text));
    buffer_clear(&text);
    if (card_reply_code(recipient) != 0)
        buffer_put_uint(&text, card_reply_code(recipient));
    put_field(to, style, LANG_LABEL_REPLY, buffer_bytes(&text));
    buffer_clear(&text);
    if (card_put_official(&text, recipient, &reference) && reference.n > 0) {
        buffer_put_text(&text, " (");
        buffer_put(&text, reference);
        buffer_put_char(&text, ')');
    }
    put_field(to, style, LANG_LABEL_MEANING, buffer_bytes(&text));
    to->bad = to->bad || text.bad;
    buffer_done(&text);
}

static void put_details(struct buffer *to, const struct bounce_report *report,
                        const struct bounce_recipient *recipient, const struct card_style *style)
{
    struct buffer rows = buffer_with_most(CARD_MOST);

    put_codes(&rows, recipient, style);
    put_field(&rows, style, LANG_LABEL_SERVER, recipient->remote_mta);
    put_field(&rows, style, LANG_LABEL_SAID, recipient->diagnostic);
    put_field(&rows, style, LANG_LABEL_MESSAGE_ID, report->message_id);
    for (size_t i = 0; i < recipient->evidence_n; i++)
        if (!bytes_equal(recipient->evidence[i].text, recipient->diagnostic))
            put_field(&rows, style, LANG_LABEL_EVIDENCE, recipient->evidence[i].text);
    if (rows.n > 0) {
        put_title(to, style, LANG_LABEL_DETAILS);
        buffer_put(to, buffer_bytes(&rows));
    }
    to->bad = to->bad || rows.bad;
    buffer_done(&rows);
}

static void put_group(struct buffer *to, const struct bounce_report *report,
                      const struct card_group *group, const struct card_style *style)
{
    const struct bounce_recipient *first = group->first;
    struct buffer headline = buffer_with_most(LANG_TEXT_MOST);

    card_put_headline(&headline, first, report->kind, style);
    put_headline(to, buffer_bytes(&headline), style);
    to->bad = to->bad || headline.bad;
    buffer_done(&headline);
    size_t before = to->n;
    put_recipients(to, report, group, style);
    buffer_put_text(to, to->n > before ? "\n" : "");
    put_wrapped(to, style, card_summary(first, report->kind, style->lang), 0);
    if (card_is_failure(first)) {
        put_title(to, style, LANG_WHO_TITLE);
        put_wrapped(to, style, lang_text(style->lang, card_who(first->cause.who)), INDENT);
        put_fixes(to, &first->cause, style);
        put_retry(to, &first->cause, style);
    }
    put_details(to, report, first, style);
}

void card_put_text(struct buffer *to, const struct bounce_report *report,
                   const struct card_style *style)
{
    struct card_group group;
    uint32_t at = 0, cards = 0;

    while (cards < CARD_GROUPS_MOST && card_next_group(report, &at, &group)) {
        buffer_put_text(to, cards++ > 0 ? "\n\n" : "");
        put_group(to, report, &group, style);
    }
    if (cards == 0) {
        put_headline(to, lang_text(style->lang, card_kind_headline(report->kind)), style);
        put_wrapped(to, style, lang_text(style->lang, card_kind_summary(report->kind)), 0);
    }
    if (report->recipients_all > report->recipients_n)
        put_more(to, style, report->recipients_all - report->recipients_n);
}
