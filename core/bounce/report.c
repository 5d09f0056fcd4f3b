/* SPDX-License-Identifier: ISC */
#include "bounce/report.h"

#include "base/id.h"
#include "base/utf8.h"
#include "bounce/compose_int.h"
#include "bounce/returned_int.h"
#include "bounce/words_int.h"
#include "mail/xtext.h"

#include <assert.h>

enum { BOUNDARY = 2 + ID_TEXT + 1 };

void report_put_safe(struct buffer *to, struct bytes text, bool utf8)
{
    size_t end = to->n + REPORT_FIELD_MOST;

    while (text.n > 0 && to->n + 4 <= end && !to->bad) {
        uint32_t point;
        size_t n = utf8_take(text, &point);
        bool safe = n == 1 ? point >= 32 && point < 127 : n > 1 && utf8 && !utf8_is_unsafe(point);
        buffer_put(to, safe ? bytes_first(text, n) : BYTES("?"));
        text = bytes_skip(text, n == 0 ? 1 : n);
    }
}

void report_id_put(struct buffer *to, const struct report *report)
{
    static const char letters[REPORT_ACTIONS] = { 'F', 'L', 'D', 'R', 'E' };
    char id[ID_TEXT];

    id_write(report->letter, id);
    buffer_put_text(to, "report.");
    buffer_put(to, (struct bytes){ id, ID_TEXT });
    buffer_put_char(to, '.');
    buffer_put_uint(to, report->serial);
    buffer_put_char(to, letters[report->action]);
    buffer_put_char(to, '@');
    report_put_safe(to, report->host, false);
}

/* ---- the header */

static void put_line(struct buffer *to, const char *name, struct bytes value, bool utf8)
{
    buffer_put_text(to, name);
    report_put_safe(to, bytes_trim(value), utf8);
    buffer_put_text(to, "\r\n");
}

static void put_header(struct buffer *to, const struct report *report, struct bytes boundary,
                       struct bytes subject)
{
    const struct envelope *envelope = report->envelope;

    compose_date(to, "Date: ", report->now_ms);
    buffer_put_text(to, "From: Mail delivery <postmaster@");
    report_put_safe(to, report->host, false);
    buffer_put_text(to, ">\r\nTo: <");
    report_put_safe(to, envelope->sender, envelope->smtputf8);
    buffer_put_text(to, ">\r\nSubject: ");
    compose_subject(to, subject);
    buffer_put_text(to, "\r\nMessage-ID: <");
    report_id_put(to, report);
    buffer_put_text(to, ">\r\n");
    if (compose_is_plain_id(envelope->message_id)) {
        compose_id(to, "In-Reply-To: ", envelope->message_id);
        compose_id(to, "References: ", envelope->message_id);
    }
    /* RFC 3834, 5; RFC 6522, 3: the report type is the subtype of the second part. */
    buffer_put_text(to, "Auto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n"
                        "Content-Type: multipart/report; report-type=");
    buffer_put_text(to, envelope->smtputf8 ? "global-delivery-status" : "delivery-status");
    buffer_put_text(to, ";\r\n\tboundary=\"");
    buffer_put(to, boundary);
    buffer_put_text(to, "\"\r\n\r\n");
}

/* ---- the facts: RFC 3464, 2; RFC 6533, 4 and 5 */

static const char *const actions[REPORT_ACTIONS] = {
    [REPORT_FAILED] = "failed", [REPORT_DELAYED] = "delayed", [REPORT_DELIVERED] = "delivered",
    [REPORT_RELAYED] = "relayed", [REPORT_EXPANDED] = "expanded",
};

/* What xtext says; nothing, when it is not well formed after all. */
static void put_decoded(struct buffer *to, const char *name, struct bytes text, bool address,
                        bool utf8)
{
    struct buffer said = buffer_with_most(REPORT_FIELD_MOST);
    bool well = address ? orcpt_decode(text, utf8, &said) : xtext_decode(text, &said);
    struct bytes value = buffer_bytes(&said);

    if (well && !utf8 && !compose_is_ascii(value))
        value = text;               /* a 7-bit report has it in its 7-bit form */
    if (well && text.n > 0)
        put_line(to, name, value, utf8);
    to->bad = to->bad || said.bad;
    buffer_done(&said);
}

static void put_about_letter(struct buffer *to, const struct report *report)
{
    const struct envelope *envelope = report->envelope;

    put_decoded(to, "Original-Envelope-Id: ", envelope->envid, false, false);
    put_line(to, "Reporting-MTA: dns; ", report->host, false);
    if (envelope->helo.n > 0)
        put_line(to, "Received-From-MTA: dns; ", envelope->helo, false);
    compose_date(to, "Arrival-Date: ", envelope->received_ms);
}

/* In a 7-bit report an address in UTF-8 stands in its 7-bit form (RFC 6533, 3). */
static void put_final_recipient(struct buffer *to, struct bytes address, bool utf8)
{
    struct buffer form = buffer_with_most(REPORT_FIELD_MOST);
    bool ascii = compose_is_ascii(address);

    if (!ascii && !utf8)
        orcpt_put(&form, address);
    if (form.n > 0 && !form.bad)
        put_line(to, "Final-Recipient: ", buffer_bytes(&form), false);
    else
        put_line(to, ascii ? "Final-Recipient: rfc822; " : "Final-Recipient: utf-8; ", address,
                 utf8);
    buffer_done(&form);
}

static void put_about_recipient(struct buffer *to, const struct report *report,
                                const struct report_group *group)
{
    bool utf8 = report->envelope->smtputf8;
    char id[ID_TEXT];

    buffer_put_text(to, "\r\n");
    put_decoded(to, "Original-Recipient: ", group->recipient.orcpt, true, utf8);
    put_final_recipient(to, group->recipient.address, utf8);
    put_line(to, "Action: ", bytes_of(actions[report->action]), false);
    buffer_put_text(to, "Status: ");
    status_put(to, group->code);
    buffer_put_text(to, "\r\n");
    if (bytes_begins(group->remote, BYTES("unix:")))
        put_line(to, "Remote-MTA: x-unix; ", bytes_skip(group->remote, 5), false);
    else if (group->remote.n > 0)
        put_line(to, "Remote-MTA: dns; ", group->remote, false);
    if (group->reply.n > 0)
        put_line(to, "Diagnostic-Code: smtp; ", group->reply, utf8);
    else if (group->words.n > 0)
        put_line(to, "Diagnostic-Code: x-postern; ", group->words, utf8);
    if (group->attempt_ms != 0)
        compose_date(to, "Last-Attempt-Date: ", group->attempt_ms);
    if (group->remote.n == 0) {         /* then our number for the letter is the last (2.3.8) */
        buffer_put_text(to, "Final-Log-ID: ");
        id_write(report->letter, id);
        buffer_put(to, (struct bytes){ id, ID_TEXT });
        buffer_put_text(to, "\r\n");
    }
    if (report->action == REPORT_DELAYED && group->retry_until_ms != 0)
        compose_date(to, "Will-Retry-Until: ", group->retry_until_ms);
}

/* ---- parts */

/* The card in HTML stands beside the text unless the report must be small, or it does not fit. */
static void put_words(struct buffer *to, const struct report_words *words)
{
    enum { ROOM_FOR_HTML = 128 * 1024, HTML_MOST = 24 * 1024 };
    struct buffer text = buffer_with_most(to->most), html = buffer_with_most(HTML_MOST);

    report_words_text(&text, words);
    if (words->report->most >= ROOM_FOR_HTML)
        report_words_html(&html, words);
    if (html.n > 0 && !html.bad)
        compose_both(to, words->report->letter, words->lang->code, &text, &html);
    else
        compose_text_part(to, "text/plain", words->lang->code, &text);
    buffer_done(&text);
    buffer_done(&html);
}

static bool put_status(struct buffer *to, const struct report *report)
{
    struct buffer status = buffer_with_most(to->most);

    put_about_letter(&status, report);
    for (size_t i = 0; i < report->groups_n; i++)
        put_about_recipient(&status, report, &report->groups[i]);
    bool ascii = compose_is_ascii(buffer_bytes(&status));
    buffer_put_text(to, report->envelope->smtputf8
                    ? "Content-Type: message/global-delivery-status\r\n"
                    : "Content-Type: message/delivery-status\r\n");
    buffer_put_text(to, ascii ? "\r\n" : "Content-Transfer-Encoding: 8bit\r\n\r\n");
    buffer_put(to, buffer_bytes(&status));
    to->bad = to->bad || status.bad;
    buffer_done(&status);
    return !ascii;
}

/* In quoted-printable no "=_" can stand, and no field of ours begins so; what goes back as it is
   must not hold it. */
static void make_boundary(char ret_boundary[static BOUNDARY], const struct report *report)
{
    ret_boundary[0] = '=';
    ret_boundary[1] = '_';
    id_write(report->letter, ret_boundary + 2);
    ret_boundary[BOUNDARY - 1] = (char)('a' + report->action);
}

void report_write(struct buffer *to, const struct report *report, struct report_needs *ret_needs)
{
    char boundary_text[BOUNDARY];
    struct bytes boundary = { boundary_text, BOUNDARY };
    struct report_words words;

    assert(report->groups_n > 0 && report->action < REPORT_ACTIONS);
    make_boundary(boundary_text, report);
    struct returned returned = returned_of(report, boundary);
    report_words_begin(&words, report);
    put_header(to, report, boundary, report_words_subject(&words));
    buffer_put_text(to, "This is a report in three parts (RFC 3464).\r\n");
    compose_delimiter(to, boundary, "");
    put_words(to, &words);
    report_words_done(&words);
    compose_delimiter(to, boundary, "");
    bool eight_bit = put_status(to, report);
    compose_delimiter(to, boundary, "");
    returned_put(to, &returned);
    compose_delimiter(to, boundary, "--");
    returned_done(&returned);
    *ret_needs = (struct report_needs){ .eight_bit = eight_bit || returned.eight_bit,
                                        .utf8 = report->envelope->smtputf8 };
}
