/* SPDX-License-Identifier: ISC */
#include "smtp/stuff.h"

static void end_line(struct stuff *stuff, struct buffer *to)
{
    buffer_put(to, BYTES("\r\n"));
    stuff->inside = stuff->cr = false;
}

/* The octets before the next CR or LF. */
static struct bytes plain_part(struct bytes text)
{
    size_t n = 0;

    while (n < text.n && text.at[n] != '\r' && text.at[n] != '\n')
        n++;
    return bytes_first(text, n);
}

void stuff_put(struct stuff *stuff, struct bytes text, struct buffer *to)
{
    while (text.n > 0) {
        char c = text.at[0];
        if (stuff->cr) {
            end_line(stuff, to);
            if (c == '\n') {
                text = bytes_skip(text, 1);
                continue;
            }
        }
        struct bytes part = plain_part(text);
        if (part.n == 0) {
            if (c == '\r')
                stuff->cr = true;
            else
                end_line(stuff, to);
            text = bytes_skip(text, 1);
            continue;
        }
        if (!stuff->inside && c == '.')
            buffer_put_char(to, '.');
        buffer_put(to, part);
        stuff->inside = true;
        text = bytes_skip(text, part.n);
    }
}

void stuff_finish(struct stuff *stuff, struct buffer *to)
{
    if (stuff->inside || stuff->cr)
        end_line(stuff, to);
    buffer_put(to, BYTES(".\r\n"));
}
