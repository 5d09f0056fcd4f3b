/* SPDX-License-Identifier: ISC */
#include "bounce/cover.h"

#include "base/id.h"
#include "bounce/card.h"
#include "bounce/compose_int.h"
#include "bounce/head_int.h"
#include "bounce/report.h"

#include <string.h>

enum { COLUMNS = 76, BOUNDARY = 2 + ID_TEXT + 1, LINE_MOST = 998 };

bool cover_may(const struct envelope *envelope)
{
    struct bytes local = bytes_upto(envelope->sender, '@');
    bool own = bytes_equal(envelope->protocol, BYTES("LOCAL"))
            && bytes_equal(envelope->peer, BYTES("report"));

    return !own && (local.n == 0 || bytes_equal_nocase(local, BYTES("MAILER-DAEMON")));
}

/* ---- what it is */

static bool is_signed(struct bytes text)
{
    struct lines lines = lines_of(text);
    struct head head;

    head_read(&lines, &head);
    struct bytes type = bytes_trim(head.field[HEAD_CONTENT_TYPE]);
    while (type.n > 0 && (type.at[0] == '\r' || type.at[0] == '\n' || is_space(type.at[0])))
        type = bytes_skip(type, 1);
    return bytes_begins_nocase(type, BYTES("multipart/signed"))
        || bytes_begins_nocase(type, BYTES("application/pkcs7-mime"))
        || bytes_begins_nocase(type, BYTES("application/x-pkcs7-mime"));
}

static bool is_bounce(const struct bounce_report *report)
{
    return report->kind == BOUNCE_FAILURE || report->kind == BOUNCE_DELAY;
}

/* The first such field, wherever it stands. */
static void find_envid(struct bytes text, struct buffer *to)
{
    const struct bytes name = BYTES("Original-Envelope-Id:");
    struct bytes line;

    while (bytes_cut(&text, '\n', &line)) {
        if (!bytes_begins_nocase(line, name))
            continue;
        struct bytes id = bytes_trim(bytes_upto(bytes_skip(line, name.n), '\r'));
        if (compose_is_plain_id(id) && id.n <= ENVID_MOST)
            buffer_put(to, id);
        return;
    }
}

bool cover_wanted(const struct rules *rules, struct bytes text, struct buffer *ret_message_id,
                  struct buffer *ret_envid)
{
    struct bounce_reader *reader = is_signed(text) ? NULL : bounce_reader_new(rules);
    struct bounce_report report;
    bool wanted = false;

    if (reader != NULL) {
        bounce_read(reader, text, &report);
        wanted = is_bounce(&report);
        if (wanted && compose_is_plain_id(report.message_id))
            buffer_put(ret_message_id, report.message_id);
        if (wanted)
            find_envid(text, ret_envid);
    }
    bounce_reader_free(reader);
    return wanted;
}

/* ---- the card */

static struct bytes subject_of(const struct cover *cover, const struct bounce_report *report,
                               const struct lang *lang)
{
    return lang_text(lang, !cover->known ? LANG_UNCONFIRMED_HEADLINE
                         : report->kind == BOUNCE_DELAY ? LANG_REPORT_DELAYED_SUBJECT
                                                        : LANG_REPORT_FAILED_SUBJECT);
}

static void put_paragraph(struct buffer *to, struct bytes text)
{
    card_put_paragraph(to, text, COLUMNS);
    buffer_put_char(to, '\n');
}

static void put_text(struct buffer *to, const struct cover *cover,
                     const struct bounce_report *report, const struct card_style *style)
{
    struct buffer text = buffer_with_most(to->most);

    if (cover->known) {
        card_put_text(&text, report, style);
        buffer_put_char(&text, '\n');
    } else {
        put_paragraph(&text, subject_of(cover, report, style->lang));
        put_paragraph(&text, lang_text(style->lang, LANG_UNCONFIRMED_SUMMARY));
    }
    card_put_paragraph(&text, lang_text(style->lang, LANG_ENCLOSED), COLUMNS);
    compose_lines(to, &text);
    buffer_done(&text);
}

static void put_html(struct buffer *to, const struct cover *cover,
                     const struct bounce_report *report, const struct card_style *style)
{
    struct buffer text = buffer_with_most(to->most);

    card_put_html_begin(&text, style->lang, subject_of(cover, report, style->lang));
    if (cover->known)
        card_put_html(&text, report, style, 1);
    else
        compose_html_paragraph(&text, lang_text(style->lang, LANG_UNCONFIRMED_SUMMARY));
    compose_html_paragraph(&text, lang_text(style->lang, LANG_ENCLOSED));
    card_put_html_end(&text);
    compose_lines(to, &text);
    buffer_done(&text);
}

/* HTML that does not fit is left out; the text says the same. */
static void put_card(struct buffer *to, const struct cover *cover,
                     const struct bounce_report *report, const struct card_style *style)
{
    enum { TEXT_MOST = 40 * 1024, HTML_MOST = 36 * 1024 };  /* quoted-printable: at most thrice */
    struct buffer text = buffer_with_most(TEXT_MOST), html = buffer_with_most(HTML_MOST);

    put_text(&text, cover, report, style);
    put_html(&html, cover, report, style);
    if (html.bad)
        compose_text_part(to, "text/plain", style->lang->code, &text);
    else
        compose_both(to, cover->letter, style->lang->code, &text, &html);
    to->bad = to->bad || text.bad;
    buffer_done(&text);
    buffer_done(&html);
}

/* ---- the message around it */

/* What the text is (RFC 2045, 2.7 to 2.9), whatever its client called it. */
static const char *coding_of(struct bytes text)
{
    const char *coding = "7bit";
    size_t line = 0;

    for (size_t i = 0; i < text.n; i++) {
        bool cr = text.at[i] == '\r', lf = text.at[i] == '\n';
        bool pair = cr ? i + 1 < text.n && text.at[i + 1] == '\n' : i > 0 && text.at[i - 1] == '\r';
        line = cr || lf ? 0 : line + 1;
        if (text.at[i] == '\0' || ((cr || lf) && !pair) || line > LINE_MOST)
            return "binary";
        if (octet(text.at[i]) > 127)
            coding = "8bit";
    }
    return coding;
}

/* One that no line of the bounce begins with. */
static bool make_boundary(char ret_boundary[static BOUNDARY], const struct cover *cover)
{
    char delimiter[2 + BOUNDARY] = "--=_";
    char *last = &delimiter[sizeof(delimiter) - 1];

    id_write(cover->letter, delimiter + 4);
    for (*last = 'm'; *last <= 'z'; ++*last)
        if (bytes_search(cover->text, (struct bytes){ delimiter, sizeof(delimiter) })
            == cover->text.n) {
            memcpy(ret_boundary, delimiter + 2, BOUNDARY);
            return true;
        }
    return false;
}

static void put_message_id(struct buffer *to, const struct cover *cover)
{
    char id[ID_TEXT];

    id_write(cover->letter, id);
    buffer_put_text(to, "\r\nMessage-ID: <card.");
    buffer_put(to, (struct bytes){ id, ID_TEXT });
    buffer_put_char(to, '.');
    buffer_put_uint(to, cover->number);
    buffer_put_char(to, '@');
    report_put_safe(to, cover->envelope->host, false);
    buffer_put_text(to, ">\r\n");
}

static void put_header(struct buffer *to, const struct cover *cover,
                       const struct bounce_report *report, const struct lang *lang)
{
    compose_date(to, "Date: ", cover->envelope->received_ms);
    buffer_put_text(to, "From: Mail delivery <postmaster@");
    report_put_safe(to, cover->envelope->host, false);
    buffer_put_text(to, ">\r\nTo: <");
    report_put_safe(to, cover->recipient, cover->envelope->smtputf8);
    buffer_put_text(to, ">\r\nSubject: ");
    compose_subject(to, subject_of(cover, report, lang));
    put_message_id(to, cover);
    if (cover->known && compose_is_plain_id(report->message_id)) {
        compose_id(to, "In-Reply-To: ", report->message_id);
        compose_id(to, "References: ", report->message_id);
    }
    buffer_put_text(to, "Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n");
}

static void put_message(struct buffer *to, const struct cover *cover,
                        const struct bounce_report *report, struct bytes boundary)
{
    const char *coding = coding_of(cover->text);
    struct card_style style = { .lang = card_lang(BYTES_NONE, report), .columns = COLUMNS,
                                .now = (int64_t)(cover->envelope->received_ms / 1000) };

    put_header(to, cover, report, style.lang);
    buffer_put_text(to, "Content-Type: multipart/mixed;\r\n\tboundary=\"");
    buffer_put(to, boundary);
    buffer_put_text(to, "\"\r\nContent-Transfer-Encoding: ");
    buffer_put_text(to, coding);
    buffer_put_text(to, "\r\n\r\n");
    compose_delimiter(to, boundary, "");
    put_card(to, cover, report, &style);
    compose_delimiter(to, boundary, "");
    /* RFC 6532, 3.7: a message with UTF-8 in its header */
    buffer_put_text(to, cover->envelope->smtputf8 ? "Content-Type: message/global\r\n"
                                                  : "Content-Type: message/rfc822\r\n");
    buffer_put_text(to, "Content-Transfer-Encoding: ");
    buffer_put_text(to, coding);
    buffer_put_text(to, "\r\nContent-Disposition: inline\r\n\r\n");
    buffer_put(to, cover->text);
    compose_delimiter(to, boundary, "--");
}

void cover_put(struct buffer *to, const struct rules *rules, const struct cover *cover)
{
    struct bounce_reader *reader = bounce_reader_new(rules);
    char boundary[BOUNDARY];
    struct bounce_report report = { 0 };

    if (reader != NULL)
        bounce_read(reader, cover->text, &report);
    if (is_bounce(&report) && make_boundary(boundary, cover))
        put_message(to, cover, &report, (struct bytes){ boundary, BOUNDARY });
    else
        to->bad = true;
    bounce_reader_free(reader);
}
