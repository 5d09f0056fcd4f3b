/* SPDX-License-Identifier: ISC */
#include "bounce/compose_int.h"

#include "base/base64.h"
#include "base/html.h"
#include "base/id.h"
#include "bounce/report.h"
#include "bounce/returned_int.h"
#include "mail/date.h"

bool compose_is_plain_id(struct bytes id)
{
    for (size_t i = 0; i < id.n; i++)
        if (octet(id.at[i]) < 33 || octet(id.at[i]) > 126 || id.at[i] == '<' || id.at[i] == '>')
            return false;
    return id.n > 0 && id.n <= REPORT_FIELD_MOST;
}

void compose_date(struct buffer *to, const char *name, uint64_t wall_ms)
{
    buffer_put_text(to, name);
    date_put(to, wall_ms);
    buffer_put_text(to, "\r\n");
}

void compose_id(struct buffer *to, const char *name, struct bytes id)
{
    buffer_put_text(to, name);
    buffer_put_char(to, '<');
    buffer_put(to, id);
    buffer_put_text(to, ">\r\n");
}

bool compose_is_ascii(struct bytes text)
{
    for (size_t i = 0; i < text.n; i++)
        if (octet(text.at[i]) > 126)
            return false;
    return true;
}

void compose_subject(struct buffer *to, struct bytes text)
{
    enum { OCTETS_MOST = 45 };      /* 60 of base64, and "=?utf-8?B??=" */

    if (compose_is_ascii(text)) {
        buffer_put(to, text);
        return;
    }
    while (text.n > 0) {
        size_t n = text.n < OCTETS_MOST ? text.n : OCTETS_MOST;
        while (n < text.n && n > 1 && (octet(text.at[n]) & 0xC0) == 0x80)
            n--;
        buffer_put_text(to, "=?utf-8?B?");
        base64_encode(to, bytes_first(text, n));
        buffer_put_text(to, n < text.n ? "?=\r\n " : "?=");
        text = bytes_skip(text, n);
    }
}

void compose_delimiter(struct buffer *to, struct bytes boundary, const char *end)
{
    buffer_put_text(to, "\r\n--");
    buffer_put(to, boundary);
    buffer_put_text(to, end);
    buffer_put_text(to, "\r\n");
}

void compose_text_part(struct buffer *to, const char *type, const char *lang,
                       const struct buffer *text)
{
    bool plain = returned_is_plain(buffer_bytes(text), RETURNED_SHORT_LINE)
              && bytes_search(buffer_bytes(text), BYTES("=_")) == text->n;

    buffer_put_text(to, "Content-Type: ");
    buffer_put_text(to, type);
    buffer_put_text(to, "; charset=utf-8\r\nContent-Language: ");
    buffer_put_text(to, lang);
    buffer_put_text(to, plain ? "\r\n\r\n"
                              : "\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n");
    if (plain)
        buffer_put(to, buffer_bytes(text));
    else
        returned_put_qp(to, buffer_bytes(text));
    to->bad = to->bad || text->bad;
}

void compose_both(struct buffer *to, uint64_t letter, const char *lang, const struct buffer *text,
                  const struct buffer *html)
{
    char boundary_text[3 + ID_TEXT] = "=_+";
    struct bytes boundary = { boundary_text, sizeof(boundary_text) };

    id_write(letter, boundary_text + 3);
    buffer_put_text(to, "Content-Type: multipart/alternative;\r\n\tboundary=\"");
    buffer_put(to, boundary);
    buffer_put_text(to, "\"\r\n\r\n");
    compose_delimiter(to, boundary, "");
    compose_text_part(to, "text/plain", lang, text);
    compose_delimiter(to, boundary, "");
    compose_text_part(to, "text/html", lang, html);
    compose_delimiter(to, boundary, "--");
}

void compose_lines(struct buffer *to, const struct buffer *text)
{
    struct bytes rest = buffer_bytes(text), line;

    while (bytes_cut(&rest, '\n', &line)) {
        buffer_put(to, line);
        buffer_put(to, BYTES("\r\n"));
    }
    to->bad = to->bad || text->bad;
}

void compose_html_paragraph(struct buffer *to, struct bytes text)
{
    buffer_put_text(to, "<p>");
    html_put(to, text);
    buffer_put_text(to, "</p>\n");
}
