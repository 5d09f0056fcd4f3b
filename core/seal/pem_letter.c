/* SPDX-License-Identifier: ISC */
#include "seal/pem_letter.h"

#include "mail/list.h"

static struct bytes without_cr(struct bytes line)
{
    return bytes_ends(line, BYTES("\r")) ? bytes_first(line, line.n - 1) : line;
}

static bool is_field(struct bytes line)
{
    size_t colon = bytes_find(line, ':');

    for (size_t i = 0; i < colon; i++)
        if (octet(line.at[i]) <= ' ' || octet(line.at[i]) >= 0x7F)
            return false;
    return colon > 0 && colon < line.n;
}

void pem_letter_split(struct bytes text, struct bytes *ret_header, struct bytes *ret_body)
{
    struct bytes rest = text, line;
    bool first = true;

    *ret_header = bytes_first(text, 0);
    *ret_body = text;
    while (bytes_cut(&rest, '\n', &line)) {
        line = without_cr(line);
        if (line.n == 0 && !first) {
            *ret_body = rest;
            *ret_header = bytes_first(text, text.n - rest.n);
            return;
        }
        if (!is_field(line) && (first || !is_space(line.at[0])))
            return;
        first = false;
    }
}

static bool has(const struct bytes *all, size_t n, struct bytes one)
{
    for (size_t i = 0; i < n; i++)
        if (bytes_equal_nocase(all[i], one))
            return true;
    return false;
}

static size_t take_list(struct bytes body, struct arena *arena, struct bytes *ret, size_t n,
                        size_t most)
{
    struct list_reader list = list_of(body);
    struct list_item item;

    while (n < most && list_next(&list, &item)) {
        if (item.address.n == 0 || item.group_itself || has(ret, n, item.address))
            continue;
        ret[n] = arena_copy(arena, item.address);
        n += ret[n].at != NULL;
    }
    list_done(&list);
    return n;
}

size_t pem_letter_recipients(struct bytes header, struct arena *arena, struct bytes *ret,
                             size_t most)
{
    size_t n = 0;

    while (header.n > 0) {
        struct bytes field = header, line;
        (void)bytes_cut(&header, '\n', &line);
        while (header.n > 0 && is_space(header.at[0]))
            (void)bytes_cut(&header, '\n', &line);
        field.n -= header.n;
        size_t colon = bytes_find(field, ':');
        struct bytes name = bytes_trim(bytes_first(field, colon));
        if (bytes_equal_nocase(name, BYTES("To")) || bytes_equal_nocase(name, BYTES("Cc")))
            n = take_list(bytes_skip(field, colon + 1), arena, ret, n, most);
    }
    return n;
}
