/* SPDX-License-Identifier: ISC */
#include "mail/convert_int.h"

#include "base/base64.h"
#include "base/utf8.h"

enum { LINE_MOST = 76, BASE64_LINE = 57, WORD_MOST = 75 };

static void put_hex(struct buffer *to, char c)
{
    static const char digits[] = "0123456789ABCDEF";

    buffer_put_char(to, '=');
    buffer_put_char(to, digits[octet(c) >> 4]);
    buffer_put_char(to, digits[octet(c) & 15]);
}

/* ---- quoted-printable */

/* A line, as written: what stands at its beginning or end, other programs might change. */
struct qp_line {
    struct buffer *to;          /* NULL: only count */
    size_t column, total;
};

static void put_unit(struct qp_line *line, char c, bool coded, bool last)
{
    size_t n = coded ? 3 : 1, room = last ? LINE_MOST : LINE_MOST - 1;

    if (line->column + n > room) {
        line->total += 3;
        line->column = 0;
        if (line->to != NULL)
            buffer_put(line->to, BYTES("=\r\n"));
    }
    line->column += n;
    line->total += n;
    if (line->to != NULL && coded)
        put_hex(line->to, c);
    else if (line->to != NULL)
        buffer_put_char(line->to, c);
}

static bool is_coded(struct bytes line, size_t i)
{
    char c = line.at[i];

    if (i == 0 && (bytes_begins(line, BYTES("From ")) || c == '.'))
        return true;
    if (c == ' ' || c == '\t')
        return i + 1 == line.n;
    return c < '!' || c > '~' || c == '=';
}

static size_t write_qp(struct buffer *to, struct bytes text)
{
    struct qp_line out = { .to = to };

    for (;;) {
        size_t end = bytes_search(text, BYTES("\r\n"));
        struct bytes line = bytes_first(text, end);
        for (size_t i = 0; i < line.n; i++)
            put_unit(&out, line.at[i], is_coded(line, i), i + 1 == line.n);
        if (end == text.n)
            return out.total;
        out.total += 2;
        out.column = 0;
        if (to != NULL)
            buffer_put(to, BYTES("\r\n"));
        text = bytes_skip(text, end + 2);
    }
}

void convert_put_qp(struct buffer *to, struct bytes text) { (void)write_qp(to, text); }

size_t convert_qp_size(struct bytes text) { return write_qp(NULL, text); }

/* ---- base64 */

void convert_put_base64(struct buffer *to, struct bytes data)
{
    while (data.n > 0) {
        base64_encode(to, bytes_first(data, BASE64_LINE));
        data = bytes_skip(data, BASE64_LINE);
        if (data.n > 0)
            buffer_put(to, BYTES("\r\n"));
    }
}

/* ---- encoded words */

/* Octets of the character at the text's beginning, or 1 where it is none. */
static size_t character(struct bytes text)
{
    size_t n = 1;

    while (n < text.n && (octet(text.at[n]) & 0xC0) == 0x80 && n < 4)
        n++;
    return n;
}

static bool is_plain(char c) { return is_alnum(c) || c == '!' || c == '*' || c == '+' || c == '-'; }

static size_t q_size(struct bytes text)
{
    size_t n = 0;

    for (size_t i = 0; i < text.n; i++)
        n += is_plain(text.at[i]) || text.at[i] == ' ' ? 1 : 3;
    return n;
}

static void put_q(struct buffer *to, struct bytes text)
{
    for (size_t i = 0; i < text.n; i++)
        if (text.at[i] == ' ')
            buffer_put_char(to, '_');
        else if (is_plain(text.at[i]))
            buffer_put_char(to, text.at[i]);
        else
            put_hex(to, text.at[i]);
}

/* As many characters as one word holds in the room there is; at least one. */
static struct bytes cut_word(struct bytes text, bool q, size_t room)
{
    size_t n = character(text);

    while (n < text.n) {
        size_t more = n + character(bytes_skip(text, n));
        size_t size = q ? q_size(bytes_first(text, more)) : (more + 2) / 3 * 4;
        if (size > room)
            break;
        n = more;
    }
    return bytes_first(text, n);
}

void convert_put_words(struct buffer *to, struct bytes text, size_t column)
{
    struct bytes charset = utf8_valid(text) ? BYTES("utf-8") : BYTES("unknown-8bit");
    bool q = q_size(text) <= (text.n + 2) / 3 * 6;      /* legible is worth half as much again */
    size_t frame = charset.n + 7;           /* =??Q??= */

    while (text.n > 0) {
        size_t room = WORD_MOST - frame;
        if (column + frame + 12 > LINE_MOST) {
            buffer_put(to, BYTES("\r\n "));
            column = 1;
        }
        if (column + frame + room > LINE_MOST)
            room = LINE_MOST - column - frame;
        struct bytes part = cut_word(text, q, room);
        size_t before = to->n;
        buffer_put(to, BYTES("=?"));
        buffer_put(to, charset);
        buffer_put_text(to, q ? "?Q?" : "?B?");
        if (q)
            put_q(to, part);
        else
            base64_encode(to, part);
        buffer_put(to, BYTES("?="));
        column += to->n - before;
        text = bytes_skip(text, part.n);
        if (text.n > 0) {
            buffer_put(to, BYTES("\r\n "));
            column = 1;
        }
    }
}
