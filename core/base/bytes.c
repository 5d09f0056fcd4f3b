/* SPDX-License-Identifier: ISC */
#include "base/bytes.h"

#include <string.h>

bool bytes_equal_nocase(struct bytes a, struct bytes b)
{
    return a.n == b.n && bytes_begins_nocase(a, b);
}

bool bytes_begins_nocase(struct bytes text, struct bytes start)
{
    if (text.n < start.n)
        return false;
    for (size_t i = 0; i < start.n; i++)
        if (to_lower(text.at[i]) != to_lower(start.at[i]))
            return false;
    return true;
}

bool bytes_ends(struct bytes text, struct bytes end)
{
    return text.n >= end.n && bytes_equal(bytes_skip(text, text.n - end.n), end);
}

int bytes_compare(struct bytes a, struct bytes b)
{
    size_t n = a.n < b.n ? a.n : b.n;
    int order = n == 0 ? 0 : memcmp(a.at, b.at, n);

    if (order != 0)
        return order;
    return (a.n > b.n) - (a.n < b.n);
}

size_t bytes_find_last(struct bytes text, char c)
{
    for (size_t i = text.n; i > 0; i--)
        if (text.at[i - 1] == c)
            return i - 1;
    return text.n;
}

size_t bytes_search(struct bytes text, struct bytes part)
{
    if (part.n == 0)
        return 0;
    for (size_t from = 0; text.n - from >= part.n; from++) {
        from += bytes_find(bytes_skip(text, from), part.at[0]);
        if (text.n - from < part.n)
            break;
        if (memcmp(text.at + from, part.at, part.n) == 0)
            return from;
    }
    return text.n;
}

static bool is_blank(char c)
{
    return is_space(c) || c == '\r' || c == '\n';
}

struct bytes bytes_trim(struct bytes text)
{
    while (text.n > 0 && is_blank(text.at[0]))
        text = bytes_skip(text, 1);
    while (text.n > 0 && is_blank(text.at[text.n - 1]))
        text.n--;
    return text;
}

bool bytes_cut(struct bytes *rest, char stop, struct bytes *ret_piece)
{
    if (rest->n == 0)
        return false;
    *ret_piece = bytes_upto(*rest, stop);
    *rest = bytes_skip(*rest, ret_piece->n + 1);
    return true;
}
