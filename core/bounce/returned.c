/* SPDX-License-Identifier: ISC */
#include "bounce/returned_int.h"

#include "base/utf8.h"
#include "mail/convert.h"
#include "mail/header.h"

/* ---- what a text is made of */

struct make {
    size_t line;                /* the longest */
    bool eight_bit, odd;        /* odd: NUL, another control, or a bare CR or LF */
};

static struct make make_of(struct bytes text)
{
    struct make make = { .line = 0 };
    size_t begin = 0;

    for (size_t i = 0; i < text.n; i++) {
        char c = text.at[i];
        bool crlf = c == '\r' && i + 1 < text.n && text.at[i + 1] == '\n';
        make.eight_bit = make.eight_bit || octet(c) > 127;
        make.odd = make.odd || (octet(c) < 32 && c != '\t' && !crlf) || c == 127;
        if (crlf) {
            i++;
            begin = i + 1;
        }
        make.line = i + 1 - begin > make.line && i >= begin ? i + 1 - begin : make.line;
    }
    return make;
}

bool returned_is_plain(struct bytes text, size_t most)
{
    struct make make = make_of(text);

    return !make.eight_bit && !make.odd && make.line <= most;
}

/* ---- quoted-printable */

static bool ends_line(struct bytes text, size_t at)
{
    return at + 1 < text.n && text.at[at] == '\r' && text.at[at + 1] == '\n';
}

void returned_put_qp(struct buffer *to, struct bytes text)
{
    static const char digits[] = "0123456789ABCDEF";
    size_t column = 0;

    for (size_t i = 0; i < text.n; i++) {
        char c = text.at[i];
        if (ends_line(text, i)) {
            buffer_put_text(to, "\r\n");
            column = 0;
            i++;
            continue;
        }
        bool last = i + 1 == text.n || ends_line(text, i + 1);
        bool plain = (octet(c) > 32 && octet(c) < 127 && c != '=') || (is_space(c) && !last);
        if (column + 3 > RETURNED_SHORT_LINE - 1) {
            buffer_put_text(to, "=\r\n");
            column = 0;
        }
        if (plain) {
            buffer_put_char(to, c);
            column++;
        } else {
            buffer_put_char(to, '=');
            buffer_put_char(to, digits[octet(c) >> 4]);
            buffer_put_char(to, digits[octet(c) & 15]);
            column += 3;
        }
    }
}

/* ---- which of it */

static bool no_field(struct bytes name)
{
    (void)name;
    return false;
}

/* The header section; of one that is too long, or of which more is to come, its whole fields. */
static struct bytes header_of(struct bytes text, bool whole, size_t most)
{
    struct header_reader reader = header_reader_for(no_field);
    struct header_field field;
    struct bytes piece = text;
    size_t end = text.n;

    if (header_next(&reader, &piece, &field) == HEADER_END)
        end = (size_t)reader.body_at;
    bool cut = end > most || (end == text.n && !whole && !reader.ended);
    header_reader_done(&reader);
    if (!cut)
        return bytes_first(text, end);
    end = end < most ? end : most;
    while (end > 0 && !(text.at[end - 1] == '\n' && end < text.n && !is_space(text.at[end])))
        end--;
    return bytes_first(text, end);
}

static bool holds(struct bytes text, struct bytes part)
{
    return bytes_search(text, part) < text.n;
}

static bool may_go_whole(const struct report *report)
{
    const struct envelope *envelope = report->envelope;
    uint64_t most = envelope->ret == DSN_RET_FULL ? report->most : REPORT_WHOLE_MOST;
    uint64_t room = report->most / 4 * 3;

    return report->action == REPORT_FAILED && report->whole && envelope->ret != DSN_RET_HDRS
        && envelope->body != BODY_BINARYMIME && report->text.n <= (most < room ? most : room);
}

/* Can it stand in the report as it is? */
static bool stands(struct bytes text, struct bytes boundary, bool eight_bit)
{
    struct make make = make_of(text);

    return !make.odd && make.line <= RETURNED_LONG_LINE && !holds(text, boundary)
        && (eight_bit || !make.eight_bit);
}

/* With 8-bit octets it goes back in 7 bits: a message in a message has no coding of its own, and
   whoever coded it on the way would break what was signed meanwhile. */
static bool take_seven_bits(struct returned *returned, const struct report *report)
{
    const struct convert_for seven_bits = { .eight_bit = false };

    if (report->envelope->smtputf8 || !make_of(report->text).eight_bit)
        return false;
    returned->made = buffer_with_most((size_t)report->most / 4 * 3);
    if (convert_letter(report->text, false, &seven_bits, &returned->made) == CONVERT_DONE)
        return true;
    buffer_done(&returned->made);
    return false;
}

static bool take_whole(struct returned *returned, const struct report *report,
                       struct bytes boundary)
{
    if (!may_go_whole(report))
        return false;
    returned->text = take_seven_bits(returned, report) ? buffer_bytes(&returned->made)
                                                       : report->text;
    return stands(returned->text, boundary, report->envelope->smtputf8);
}

struct returned returned_of(const struct report *report, struct bytes boundary)
{
    bool utf8 = report->envelope->smtputf8;
    uint64_t most = report->most / 6;       /* three times as much in quoted-printable */
    struct returned returned = { .type = utf8 ? "message/global" : "message/rfc822",
                                 .made = buffer_with_most(0) };

    if (!take_whole(&returned, report, boundary)) {
        most = most < REPORT_HEADERS_MOST ? most : REPORT_HEADERS_MOST;
        returned.type = utf8 ? "message/global-headers" : "text/rfc822-headers";
        returned.text = header_of(report->text, report->whole, (size_t)most);
        returned.qp = !stands(returned.text, boundary, utf8 && utf8_valid(returned.text));
    }
    returned.eight_bit = !returned.qp && make_of(returned.text).eight_bit;
    return returned;
}

void returned_done(struct returned *returned)
{
    buffer_done(&returned->made);
}

void returned_put(struct buffer *to, const struct returned *returned)
{
    buffer_put_text(to, "Content-Type: ");
    buffer_put_text(to, returned->type);
    if (returned->qp)
        buffer_put_text(to, "\r\nContent-Transfer-Encoding: quoted-printable");
    else if (returned->eight_bit)
        buffer_put_text(to, "\r\nContent-Transfer-Encoding: 8bit");
    buffer_put_text(to, "\r\n\r\n");
    if (returned->qp)
        returned_put_qp(to, returned->text);
    else
        buffer_put(to, returned->text);
}
