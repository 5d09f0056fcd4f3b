/* SPDX-License-Identifier: ISC */
#include "bounce/card_int.h"

#include "base/utf8.h"

const struct lang *card_lang(struct bytes wanted, const struct bounce_report *report)
{
    const struct lang *lang = lang_of_list(wanted);

    if (lang == NULL)
        lang = lang_find(report->language);
    return lang != NULL ? lang : lang_english();
}

/* ---- kinds */

static const struct {
    enum lang_text headline, summary;
} kinds[BOUNCE_KINDS] = {
    [BOUNCE_NOT_A_REPORT] = { LANG_NOT_A_REPORT_HEADLINE, LANG_NOT_A_REPORT_SUMMARY },
    [BOUNCE_FAILURE] = { LANG_NOT_A_REPORT_HEADLINE, LANG_NOT_A_REPORT_SUMMARY },
    [BOUNCE_DELAY] = { LANG_NOT_A_REPORT_HEADLINE, LANG_NOT_A_REPORT_SUMMARY },
    [BOUNCE_SUCCESS] = { LANG_DELIVERED_HEADLINE, LANG_DELIVERED_SUMMARY },
    [BOUNCE_RELAYED] = { LANG_RELAYED_HEADLINE, LANG_RELAYED_SUMMARY },
    [BOUNCE_AUTOREPLY] = { LANG_AUTOREPLY_HEADLINE, LANG_AUTOREPLY_SUMMARY },
    [BOUNCE_COMPLAINT] = { LANG_COMPLAINT_HEADLINE, LANG_COMPLAINT_SUMMARY },
    [BOUNCE_CHALLENGE] = { LANG_CHALLENGE_HEADLINE, LANG_CHALLENGE_SUMMARY },
};

enum lang_text card_kind_headline(enum bounce_kind kind) { return kinds[kind].headline; }
enum lang_text card_kind_summary(enum bounce_kind kind) { return kinds[kind].summary; }

bool card_is_failure(const struct bounce_recipient *recipient)
{
    enum cause_category category = recipient->cause.category;

    return category >= CAUSE_FIRST && category <= CAUSE_LAST;
}

/* What did not fail is told by the recipient, since one report may have both; else by the kind. */
static enum bounce_kind kind_of(const struct bounce_recipient *recipient, enum bounce_kind kind)
{
    if (recipient->action == ACTION_RELAYED || recipient->action == ACTION_EXPANDED)
        return BOUNCE_RELAYED;
    if (recipient->action == ACTION_DELIVERED || recipient->cause.category == CAUSE_DELIVERED)
        return BOUNCE_SUCCESS;
    if (recipient->cause.category == CAUSE_COMPLAINT)
        return BOUNCE_COMPLAINT;
    if (recipient->cause.category == CAUSE_CHALLENGE)
        return BOUNCE_CHALLENGE;
    if (recipient->cause.category == CAUSE_AUTO_REPLY
        || recipient->cause.category == CAUSE_RECEIPT)
        return BOUNCE_AUTOREPLY;
    return kind;
}

void card_put_headline(struct buffer *to, const struct bounce_recipient *recipient,
                       enum bounce_kind kind, const struct card_style *style)
{
    if (card_is_failure(recipient))
        lang_put_headline(to, style->lang, &recipient->cause);
    else
        buffer_put(to, lang_text(style->lang, card_kind_headline(kind_of(recipient, kind))));
}

struct bytes card_summary(const struct bounce_recipient *recipient, enum bounce_kind kind,
                          const struct lang *lang)
{
    if (recipient->cause.quotes)
        return lang_text(lang, LANG_QUOTES_SUMMARY);
    if (card_is_failure(recipient))
        return lang_card(lang, recipient->cause.category, CARD_SUMMARY);
    return lang_text(lang, card_kind_summary(kind_of(recipient, kind)));
}

/* ---- the four answers */

/* By its code, or, without any, because the same letter would pass later. */
static bool is_for_now(const struct cause *cause)
{
    if (cause->status.class != 0)
        return cause->status.class == 4;
    if (cause->reply_code != 0)
        return cause->reply_code >= 400 && cause->reply_code < 500;
    return cause->retry_would_help == CAUSE_YES;
}

static enum lang_text retry_text(const struct cause *cause, int64_t now)
{
    if (cause->over == CAUSE_UNSURE && is_for_now(cause))
        return LANG_RETRY_REPLY;
    if (cause->over != CAUSE_NO)
        return cause->retry_would_help == CAUSE_NO ? LANG_RETRY_OVER : LANG_RETRY_LATER;
    if (cause->retry_until <= 0)
        return LANG_RETRY_WAITING;
    if (now <= 0)
        return LANG_RETRY_UNTIL;
    return cause->retry_until <= now ? LANG_RETRY_PAST : LANG_RETRY_LEFT;
}

void card_put_retry(struct buffer *to, const struct cause *cause, const struct card_style *style)
{
    struct buffer when = buffer_with_most(512), span = buffer_with_most(128);

    if (cause->retry_until > 0)
        lang_put_date(&when, style->lang, cause->retry_until, style->zone_minutes);
    if (style->now > 0 && cause->retry_until > style->now)
        lang_put_span(&span, style->lang, (uint64_t)(cause->retry_until - style->now));
    struct lang_slot slots[] = {
        { "when", buffer_bytes(&when) }, { "span", buffer_bytes(&span) },
    };
    lang_put(to, style->lang, retry_text(cause, style->now), slots, COUNT(slots));
    to->bad = to->bad || when.bad || span.bad;
    buffer_done(&when);
    buffer_done(&span);
}

enum lang_text card_who(enum cause_who who)
{
    switch (who) {
    case CAUSE_WHO_NOBODY: return LANG_WHO_NOBODY;
    case CAUSE_WHO_SENDER: return LANG_WHO_SENDER;
    case CAUSE_WHO_SENDER_ADMIN: return LANG_WHO_SENDER_ADMIN;
    case CAUSE_WHO_RECIPIENT: return LANG_WHO_RECIPIENT;
    case CAUSE_WHO_RECIPIENT_ADMIN: return LANG_WHO_RECIPIENT_ADMIN;
    case CAUSE_WHO_ANYONE:
    case CAUSE_WHOS: break;
    }
    return LANG_WHO_ANYONE;
}

enum lang_text card_fix_for(enum cause_who who)
{
    switch (who) {
    case CAUSE_WHO_SENDER_ADMIN: return LANG_FIX_FOR_SENDER_ADMIN;
    case CAUSE_WHO_RECIPIENT: return LANG_FIX_FOR_RECIPIENT;
    case CAUSE_WHO_RECIPIENT_ADMIN: return LANG_FIX_FOR_RECIPIENT_ADMIN;
    case CAUSE_WHO_SENDER:
    case CAUSE_WHO_NOBODY:
    case CAUSE_WHO_ANYONE:
    case CAUSE_WHOS: break;
    }
    return LANG_FIX_FOR_SENDER;
}

static const struct {
    enum cause_who who;
    enum lang_card part;
} fix_parts[] = {
    { CAUSE_WHO_SENDER, CARD_SENDER }, { CAUSE_WHO_SENDER_ADMIN, CARD_SENDER_ADMIN },
    { CAUSE_WHO_RECIPIENT, CARD_RECIPIENT }, { CAUSE_WHO_RECIPIENT_ADMIN, CARD_RECIPIENT_ADMIN },
};

size_t card_fixes(const struct cause *cause, const struct lang *lang,
                  struct card_fix ret_fixes[static CAUSE_WHOS])
{
    size_t n = 0;

    if (cause->quotes) {
        ret_fixes[0] = (struct card_fix){ CAUSE_WHO_SENDER, lang_text(lang, LANG_QUOTES_SENDER) };
        ret_fixes[1] = (struct card_fix){ CAUSE_WHO_RECIPIENT_ADMIN,
                                          lang_text(lang, LANG_QUOTES_RECIPIENT_ADMIN) };
        return 2;
    }
    for (size_t i = 0; i < COUNT(fix_parts); i++) {
        struct bytes text = lang_card(lang, cause->category, fix_parts[i].part);
        if (text.n > 0)
            ret_fixes[n++] = (struct card_fix){ fix_parts[i].who, text };
    }
    return n;
}

/* ---- codes */

struct status_code card_status(const struct bounce_recipient *recipient)
{
    return recipient->status.class != 0 ? recipient->status : recipient->cause.status;
}

uint16_t card_reply_code(const struct bounce_recipient *recipient)
{
    return recipient->reply_code != 0 ? recipient->reply_code : recipient->cause.reply_code;
}

bool card_put_official(struct buffer *to, const struct bounce_recipient *recipient,
                       struct bytes *ret_reference)
{
    struct status_code status = card_status(recipient);
    const struct status_entry *entry = status_find(status);
    const struct basic_entry *basic = basic_find(card_reply_code(recipient));
    size_t before = to->n;

    *ret_reference = BYTES_NONE;
    if (recipient->cause.quotes)        /* the code that was said speaks of something else */
        return false;
    if (status.class != 0) {
        const char *subject = entry != NULL ? entry->text
                              : status_subject_text(status.subject);
        buffer_put_text(to, status_class_text(status.class));
        buffer_put_text(to, to->n > before && subject[0] != '\0' ? " " : "");
        buffer_put_text(to, subject);
        *ret_reference = bytes_of(entry != NULL ? entry->reference
                                  : status_subject_reference(status.subject));
    } else if (basic != NULL) {
        buffer_put_text(to, basic->text);
        *ret_reference = bytes_of(basic->reference);
    }
    return to->n > before;
}

/* ---- recipients */

bool card_is_in(const struct card_group *group, const struct bounce_recipient *recipient)
{
    const struct cause *a = &group->first->cause, *b = &recipient->cause;

    return a->category == b->category && a->who == b->who && a->over == b->over
           && a->retry_would_help == b->retry_would_help && a->address_bad == b->address_bad
           && a->quotes == b->quotes
           && a->retry_until == b->retry_until && group->first->action == recipient->action;
}

static bool was_shown(const struct bounce_report *report, uint32_t i)
{
    for (uint32_t before = 0; before < i; before++) {
        struct card_group group = { .first = &report->recipients[before] };
        if (card_is_in(&group, &report->recipients[i]))
            return true;
    }
    return false;
}

bool card_next_group(const struct bounce_report *report, uint32_t *at,
                     struct card_group *ret_group)
{
    while (*at < report->recipients_n && was_shown(report, *at))
        ++*at;
    if (*at >= report->recipients_n)
        return false;
    *ret_group = (struct card_group){ .first = &report->recipients[*at], .at = *at };
    for (uint32_t i = *at; i < report->recipients_n; i++)
        ret_group->members += card_is_in(ret_group, &report->recipients[i]);
    ++*at;
    return true;
}

struct bytes card_cut(struct bytes text, bool *ret_cut)
{
    size_t n = text.n < CARD_FIELD_MOST ? text.n : CARD_FIELD_MOST;

    *ret_cut = n < text.n;
    while (*ret_cut && n > 0 && (octet(text.at[n]) & 0xC0) == 0x80)
        n--;
    return bytes_first(text, n);
}
