/* SPDX-License-Identifier: ISC
 *
 * What a report says to people: the cards, in the language of the letter's sender.
 */
#include "base/arena.h"
#include "base/id.h"
#include "bounce/card.h"
#include "bounce/compose_int.h"
#include "bounce/page.h"
#include "bounce/words_int.h"
#include "mail/header.h"
#include "mail/words.h"

enum { COLUMNS = 76 };      /* so that plain text needs no coding (RFC 2045, 6.7) */

/* ---- the letter */

static bool of_letter(struct bytes name)
{
    return bytes_equal_nocase(name, BYTES("Subject"))
        || bytes_equal_nocase(name, BYTES("Accept-Language"))
        || bytes_equal_nocase(name, BYTES("Content-Language"));
}

static void take_field(struct report_words *words, const struct header_field *field)
{
    struct buffer line = buffer_with_most(REPORT_FIELD_MOST);

    header_unfold(&line, bytes_first(field->body, REPORT_FIELD_MOST));
    if (bytes_equal_nocase(field->name, BYTES("Subject"))) {
        buffer_clear(&words->subject);
        words_put(&words->subject, buffer_bytes(&line));
    } else if (!words->lang_known) {
        const struct lang *lang = lang_of_list(buffer_bytes(&line));
        words->lang_known = lang != NULL;
        words->lang = lang != NULL ? lang : words->lang;
    }
    buffer_done(&line);
}

static void read_letter(struct report_words *words, struct bytes text)
{
    struct header_reader reader = header_reader_for(of_letter);
    struct header_field field;

    while (header_next(&reader, &text, &field) == HEADER_FIELD)
        take_field(words, &field);
    if (!reader.ended && header_finish(&reader, &field) == HEADER_FIELD)
        take_field(words, &field);
    header_reader_done(&reader);
}

/* ---- what happened */

/* Codes that say little: then a server's own words may tell more. */
static bool says_little(struct status_code code, enum cause_category category)
{
    return category < CAUSE_FIRST || category >= CAUSE_LAST || code.detail == 0
        || (code.subject == 7 && code.detail == 1);
}

/* One reader serves all recipients: to make one takes longer than to read. NULL: no memory. */
static struct bounce_reader *reader_of_words(struct report_words *words)
{
    struct rules **rules = words->report->rules != NULL ? words->report->rules : &words->rules;

    if (*rules == NULL)
        *rules = rules_builtin();
    if (words->reader == NULL && *rules != NULL)
        words->reader = bounce_reader_new(*rules);
    return words->reader;
}

/* A code that says what a local part in quotation marks is often refused with, and words that speak
   of nothing else: quotes.c. */
static void know_quotes(struct report_words *words, const struct report_group *group,
                        struct bounce_recipient *recipient)
{
    bool of_sender = bytes_search(group->reply, BYTES("sender")) < group->reply.n;
    struct bytes address = of_sender ? words->report->envelope->sender : group->recipient.address;
    struct bounce_reader *reader;
    struct bounce_report said;

    if (!bytes_begins(address, BYTES("\"")) || (reader = reader_of_words(words)) == NULL)
        return;
    bounce_explain_reply(reader, group->reply, &said);
    bool by_words = said.recipients_n > 0 && quotes_by_words(&said.recipients[0])
        && said.recipients[0].cause.category != CAUSE_ADDRESS_INVALID;
    quotes_know(recipient, address, by_words);
}

static enum cause_category by_words(struct report_words *words, struct bytes reply,
                                    enum cause_category otherwise)
{
    struct bounce_reader *reader = reader_of_words(words);
    struct bounce_report said;

    if (reader == NULL)
        return otherwise;
    bounce_explain_reply(reader, reply, &said);
    return said.recipients_n > 0 && card_is_failure(&said.recipients[0])
        && said.recipients[0].cause.category != CAUSE_UNKNOWN
         ? said.recipients[0].cause.category : otherwise;
}

static enum cause_category category_of(struct report_words *words,
                                       const struct report_group *group)
{
    enum cause_category category = page_of(group->code).words->category;

    if (group->reply.n > 0 && says_little(group->code, category))
        category = by_words(words, group->reply, category);
    return category >= CAUSE_FIRST && category <= CAUSE_LAST ? category : CAUSE_UNKNOWN;
}

static uint16_t reply_code_of(struct bytes reply)
{
    unsigned code = 0;

    for (size_t i = 0; i < 3; i++) {
        if (i >= reply.n || !is_digit(reply.at[i]))
            return 0;
        code = code * 10 + (unsigned)(reply.at[i] - '0');
    }
    return code >= 200 && code < 600 ? (uint16_t)code : 0;
}

static struct bounce_recipient recipient_of(struct report_words *words,
                                            const struct report_group *group,
                                            enum report_action action)
{
    static const enum bounce_action actions[REPORT_ACTIONS] = {
        [REPORT_FAILED] = ACTION_FAILED, [REPORT_DELAYED] = ACTION_DELAYED,
        [REPORT_DELIVERED] = ACTION_DELIVERED, [REPORT_RELAYED] = ACTION_RELAYED,
        [REPORT_EXPANDED] = ACTION_EXPANDED,
    };
    bool failure = action == REPORT_FAILED || action == REPORT_DELAYED;
    struct bounce_recipient recipient = {
        .recipient = group->recipient.address, .action = actions[action],
        .status = group->code, .reply_code = reply_code_of(group->reply),
        .diagnostic = group->reply.n > 0 ? group->reply : group->words,
        .remote_mta = group->remote,
        .cause = cause_of(failure ? category_of(words, group) : CAUSE_DELIVERED), .confidence = 100,
    };

    recipient.cause.status = group->code;
    if (failure)
        know_quotes(words, group, &recipient);
    recipient.cause.over = action == REPORT_DELAYED ? CAUSE_NO : CAUSE_YES;
    if (action == REPORT_DELAYED)
        recipient.cause.retry_until = (int64_t)(group->retry_until_ms / 1000);
    return recipient;
}

void report_words_begin(struct report_words *ret_words, const struct report *report)
{
    struct report_words words = {
        .report = report, .lang = lang_english(),
        .subject = buffer_with_most(4 * REPORT_FIELD_MOST),
        .recipients = mem_new(report->groups_n * sizeof(*words.recipients)),
    };

    read_letter(&words, report->text);
    for (size_t i = 0; words.recipients != NULL && i < report->groups_n; i++)
        words.recipients[i] = recipient_of(&words, &report->groups[i], report->action);
    *ret_words = words;
}

void report_words_done(struct report_words *words)
{
    buffer_done(&words->subject);
    bounce_reader_free(words->reader);
    rules_free(words->rules);
    mem_free(words->recipients);
}

/* ---- the pieces */

static const struct {
    enum bounce_kind kind;
    enum lang_text subject, opening;
} actions[REPORT_ACTIONS] = {
    [REPORT_FAILED] = { BOUNCE_FAILURE, LANG_REPORT_FAILED_SUBJECT, LANG_REPORT_FAILED_OPENING },
    [REPORT_DELAYED] = { BOUNCE_DELAY, LANG_REPORT_DELAYED_SUBJECT,
                         LANG_REPORT_DELAYED_OPENING },
    [REPORT_DELIVERED] = { BOUNCE_SUCCESS, LANG_REPORT_DELIVERED_SUBJECT,
                           LANG_REPORT_DELIVERED_OPENING },
    [REPORT_RELAYED] = { BOUNCE_RELAYED, LANG_REPORT_RELAYED_SUBJECT,
                         LANG_REPORT_RELAYED_OPENING },
    [REPORT_EXPANDED] = { BOUNCE_RELAYED, LANG_REPORT_EXPANDED_SUBJECT,
                          LANG_REPORT_EXPANDED_OPENING },
};

struct bytes report_words_subject(const struct report_words *words)
{
    return lang_text(words->lang, actions[words->report->action].subject);
}

static struct bounce_report shown(const struct report_words *words)
{
    uint32_t n = words->recipients == NULL ? 0 : (uint32_t)words->report->groups_n;

    return (struct bounce_report){
        .kind = actions[words->report->action].kind, .recipients = words->recipients,
        .recipients_n = n, .recipients_all = n, .subject = buffer_bytes(&words->subject),
        .message_id = words->report->envelope->message_id,
    };
}

static struct card_style style_of(const struct report_words *words)
{
    return (struct card_style){ .lang = words->lang, .columns = COLUMNS,
                                .now = (int64_t)(words->report->now_ms / 1000) };
}

static void put_from(struct buffer *to, const struct report_words *words)
{
    struct buffer host = buffer_with_most(REPORT_FIELD_MOST + 8);

    report_put_safe(&host, words->report->host, false);
    struct lang_slot slot = { "host", buffer_bytes(&host) };
    lang_put(to, words->lang, LANG_REPORT_FROM, &slot, 1);
    to->bad = to->bad || host.bad;
    buffer_done(&host);
}

static void put_arrived(struct buffer *to, const struct report_words *words)
{
    struct buffer when = buffer_with_most(512);
    char id[ID_TEXT];

    id_write(words->report->letter, id);
    lang_put_date(&when, words->lang, (int64_t)(words->report->envelope->received_ms / 1000), 0);
    struct lang_slot slots[] = {
        { "when", buffer_bytes(&when) }, { "id", { id, ID_TEXT } },
    };
    lang_put(to, words->lang, LANG_REPORT_ARRIVED, slots, COUNT(slots));
    to->bad = to->bad || when.bad;
    buffer_done(&when);
}

/* A paragraph: the texts one behind the other. */
static void put_paragraph(struct buffer *to, struct bytes text)
{
    card_put_paragraph(to, text, COLUMNS);
    buffer_put_char(to, '\n');
}

void report_words_text(struct buffer *to, const struct report_words *words)
{
    struct buffer text = buffer_with_most(to->most), line = buffer_with_most(LANG_TEXT_MOST);
    struct bounce_report report = shown(words);
    struct card_style style = style_of(words);

    put_from(&line, words);
    put_paragraph(&text, buffer_bytes(&line));
    put_paragraph(&text, lang_text(words->lang, actions[words->report->action].opening));
    card_put_text(&text, &report, &style);
    buffer_put_char(&text, '\n');
    buffer_clear(&line);
    put_arrived(&line, words);
    put_paragraph(&text, buffer_bytes(&line));
    card_put_paragraph(&text, lang_text(words->lang, LANG_REPORT_REST), COLUMNS);
    compose_lines(to, &text);
    to->bad = to->bad || line.bad || words->recipients == NULL;
    buffer_done(&text);
    buffer_done(&line);
}

void report_words_html(struct buffer *to, const struct report_words *words)
{
    struct buffer text = buffer_with_most(to->most), line = buffer_with_most(LANG_TEXT_MOST);
    struct bounce_report report = shown(words);
    struct card_style style = style_of(words);

    card_put_html_begin(&text, words->lang, report_words_subject(words));
    compose_html_paragraph(&text, lang_text(words->lang, actions[words->report->action].opening));
    card_put_html(&text, &report, &style, 1);
    put_from(&line, words);
    buffer_put_char(&line, ' ');
    put_arrived(&line, words);
    compose_html_paragraph(&text, buffer_bytes(&line));
    card_put_html_end(&text);
    compose_lines(to, &text);
    to->bad = to->bad || line.bad || words->recipients == NULL;
    buffer_done(&text);
    buffer_done(&line);
}
