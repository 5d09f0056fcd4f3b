/* SPDX-License-Identifier: ISC */
#include "mail/width.h"

#include "base/utf8.h"

#include <utf8proc.h>

static size_t take(struct bytes text, uint32_t *ret_point, size_t *ret_columns)
{
    size_t n = utf8_take(text, ret_point);

    if (n == 0) {
        *ret_point = '?';
        *ret_columns = 1;
        return text.n > 0 ? 1 : 0;
    }
    int width = utf8proc_charwidth((utf8proc_int32_t)*ret_point);
    *ret_columns = width > 0 ? (size_t)width : 0;
    return n;
}

size_t width_of(struct bytes text)
{
    size_t columns = 0, more;
    uint32_t point;

    while (text.n > 0) {
        text = bytes_skip(text, take(text, &point, &more));
        columns += more;
    }
    return columns;
}

/* What may not begin a line of Chinese or Japanese, and what may not end one. */
static bool closes(uint32_t point)
{
    static const uint32_t points[] = {
        0x2019, 0x201D, 0x2026, 0x3001, 0x3002, 0x3005, 0x3009, 0x300B, 0x300D, 0x300F, 0x3011,
        0x3015, 0x30FB, 0x30FC, 0x3041, 0x3043, 0x3045, 0x3047, 0x3049, 0x3063, 0x3083, 0x3085,
        0x3087, 0x30A1, 0x30A3, 0x30A5, 0x30A7, 0x30A9, 0x30C3, 0x30E3, 0x30E5, 0x30E7, 0xFF01,
        0xFF09, 0xFF0C, 0xFF0E, 0xFF1A, 0xFF1B, 0xFF1F, 0xFF3D, 0xFF5D,
        '!', ')', ',', '.', ':', ';', '?', ']', '}',
    };

    for (size_t i = 0; i < COUNT(points); i++)
        if (points[i] == point)
            return true;
    return false;
}

static bool opens(uint32_t point)
{
    static const uint32_t points[] = {
        0x2018, 0x201C, 0x3008, 0x300A, 0x300C, 0x300E, 0x3010, 0x3014, 0xFF08, 0xFF3B, 0xFF5B,
        '(', '[', '{',
    };

    for (size_t i = 0; i < COUNT(points); i++)
        if (points[i] == point)
            return true;
    return false;
}

/* A place where the line may end: what stands before it, and where the next begins. */
struct place {
    size_t end, next;
};

struct bytes width_line(struct bytes text, size_t columns, struct bytes *ret_rest)
{
    struct place best = { 0, 0 };
    size_t at = 0, used = 0, more, before_columns = 0;
    uint32_t before = ' ', point;

    while (at < text.n) {
        size_t n = take(bytes_skip(text, at), &point, &more);
        if (point == ' ' && before != ' ')
            best = (struct place){ at, at + 1 };
        else if (point == ' ' && best.next == at)
            best.next = at + 1;
        else if (at > 0 && (more == 2 || before_columns == 2) && more > 0 && before != ' '
                 && !closes(point) && !opens(before) && used <= columns)
            best = (struct place){ at, at };
        if (used + more > columns && point != ' ')
            break;
        at += n;
        used += more;
        before = point;
        before_columns = more == 0 ? before_columns : more;
    }
    if (at >= text.n)
        best = (struct place){ text.n, text.n };
    else if (best.end == 0)
        best = (struct place){ at > 0 ? at : take(text, &point, &more), 0 };
    best.next = best.next > best.end ? best.next : best.end;
    *ret_rest = bytes_skip(text, best.next);
    return bytes_first(text, best.end);
}

void width_put(struct buffer *to, struct bytes text, size_t column, size_t indent, size_t columns,
               const char *line_end)
{
    struct bytes rest = text;

    for (bool first = true; rest.n > 0; first = false) {
        size_t from = first ? column : indent;
        if (!first) {
            buffer_put_text(to, line_end);
            buffer_put_chars(to, ' ', indent);
        }
        buffer_put(to, width_line(rest, columns > from ? columns - from : 1, &rest));
    }
}
