/* SPDX-License-Identifier: ISC */
#include "dns/name.h"

static bool is_plain(char c) { return is_alnum(c) || c == '-' || c == '_'; }

static void put_octet(struct buffer *to, char c)
{
    if (is_plain(c)) {
        buffer_put_char(to, to_lower(c));
        return;
    }
    buffer_put_char(to, '\\');
    buffer_put_char(to, (char)('0' + octet(c) / 100));
    buffer_put_char(to, (char)('0' + octet(c) / 10 % 10));
    buffer_put_char(to, (char)('0' + octet(c) % 10));
}

bool dns_name_read(struct reader *in, struct buffer *to)
{
    size_t before = to->n, octets = 0;

    for (;;) {
        unsigned length = read_u8(in);
        if (length == 0 || length > DNS_LABEL_MOST)
            in->bad |= length > 0;
        if (in->bad || length == 0)
            break;
        struct bytes label = read_bytes(in, length);
        octets += length + 1;
        in->bad |= octets > DNS_NAME_MOST + 1;
        if (in->bad)
            break;
        if (to->n > before)
            buffer_put_char(to, '.');
        for (size_t i = 0; i < label.n; i++)
            put_octet(to, label.at[i]);
    }
    if (in->bad || to->bad)
        to->n = before;
    return !in->bad && !to->bad;
}

bool dns_name_is_plain(struct bytes text)
{
    size_t label = 0;

    if (text.n == 0 || text.n > DNS_NAME_MOST)
        return false;
    for (size_t i = 0; i < text.n; i++) {
        if (text.at[i] == '.' && label == 0)
            return false;
        label = text.at[i] == '.' ? 0 : label + 1;
        if (label > DNS_LABEL_MOST || (label > 0 && !is_plain(text.at[i])))
            return false;
    }
    return label > 0;
}
