/* SPDX-License-Identifier: ISC */
#include "base/safe.h"

#include "base/utf8.h"

static void put_hex(struct buffer *to, uint8_t c)
{
    static const char digits[] = "0123456789abcdef";

    buffer_put(to, BYTES("\\x"));
    buffer_put_char(to, digits[c >> 4]);
    buffer_put_char(to, digits[c & 15]);
}

static void put_escaped(struct buffer *to, struct bytes text, bool in_quotes)
{
    while (text.n > 0) {
        uint32_t point;
        size_t n = utf8_take(text, &point);

        if (n == 1 && (point == '\\' || (point == '"' && in_quotes))) {
            buffer_put_char(to, '\\');
            buffer_put_char(to, text.at[0]);
        } else if (n > 0 && !utf8_is_unsafe(point)) {
            buffer_put(to, bytes_first(text, n));
        } else {
            n = n == 0 ? 1 : n;
            for (size_t i = 0; i < n; i++)
                put_hex(to, octet(text.at[i]));
        }
        text = bytes_skip(text, n);
    }
}

void safe_put(struct buffer *to, struct bytes text)
{
    put_escaped(to, text, true);
}

void safe_put_plain(struct buffer *to, struct bytes text)
{
    put_escaped(to, text, false);
}
