/* SPDX-License-Identifier: ISC */
#include "web/web_int.h"

#include "base/utf8.h"

static int hex_of(char c)
{
    return is_digit(c) ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10
         : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* RFC 3986, 2.1: "%" and two hexadecimal digits stand for an octet. `plus`: "+" for a blank, as
   forms have it. False: a bad escape, or what they stand for is no text. */
static bool decode(struct bytes text, bool plus, struct buffer *to)
{
    for (size_t i = 0; i < text.n; i++) {
        char c = text.at[i];
        if (c == '%') {
            int high = i + 2 < text.n ? hex_of(text.at[i + 1]) : -1;
            int low = i + 2 < text.n ? hex_of(text.at[i + 2]) : -1;
            if (high < 0 || low < 0)
                return false;
            c = (char)(high * 16 + low);
            i += 2;
        } else if (c == '+' && plus) {
            c = ' ';
        }
        buffer_put_char(to, c);
    }
    return !to->bad && utf8_valid(buffer_bytes(to));
}

static bool is_plain(struct bytes text)
{
    for (size_t i = 0; i < text.n; i++)
        if (octet(text.at[i]) < ' ' || octet(text.at[i]) == 0x7F)
            return false;
    return true;
}

/* No way up, and one name for one page. */
static bool is_path(struct bytes path)
{
    struct bytes rest = bytes_skip(path, 1), segment;

    if (!bytes_begins(path, BYTES("/")) || !is_plain(path))
        return false;
    while (bytes_cut(&rest, '/', &segment))
        if (segment.n == 0 || bytes_equal(segment, BYTES(".")) || bytes_equal(segment, BYTES("..")))
            return false;
    return true;
}

bool web_read_target(struct bytes target, struct buffer *ret_path, struct bytes *ret_query)
{
    struct bytes path = bytes_upto(target, '?');

    buffer_clear(ret_path);
    *ret_query = bytes_skip(target, path.n + 1);
    return decode(path, false, ret_path) && is_path(buffer_bytes(ret_path));
}

bool web_read_field(struct bytes query, struct bytes name, struct buffer *ret_value)
{
    struct bytes piece;

    while (bytes_cut(&query, '&', &piece)) {
        struct bytes key = bytes_upto(piece, '=');
        if (!bytes_equal(key, name))
            continue;
        buffer_clear(ret_value);
        return decode(bytes_skip(piece, key.n + 1), true, ret_value);
    }
    return false;
}
