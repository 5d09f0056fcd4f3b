/* SPDX-License-Identifier: ISC */
#include "role/local_int.h"

#include <string.h>

void line_ends_put(struct line_ends *ends, struct bytes text, struct buffer *to)
{
    if (text.n == 0)
        return;
    if (ends->held && text.at[0] != '\n')
        buffer_put_char(to, '\r');
    ends->held = false;
    while (text.n > 0) {
        const char *cr = memchr(text.at, '\r', text.n);
        size_t n = cr == NULL ? text.n : (size_t)(cr - text.at);

        buffer_put(to, bytes_first(text, n));
        if (cr == NULL)
            return;
        text = bytes_skip(text, n + 1);
        if (text.n == 0)
            ends->held = true;
        else if (text.at[0] != '\n')
            buffer_put_char(to, '\r');
    }
}

void line_ends_finish(struct line_ends *ends, struct buffer *to)
{
    if (ends->held)
        buffer_put_char(to, '\r');
    ends->held = false;
}

static void put_line(struct buffer *to, const char *name, struct bytes value, bool binary)
{
    buffer_put_text(to, name);
    buffer_put(to, value);
    buffer_put(to, binary ? BYTES("\r\n") : BYTES("\n"));
}

/* RFC 5321, 4.4: Return-Path at final delivery, Received by everyone. */
void local_put_top(struct buffer *to, const struct envelope *envelope, struct bytes recipient,
                   uint64_t letter, bool binary)
{
    buffer_put(to, BYTES("Return-Path: <"));
    buffer_put(to, envelope->sender);
    put_line(to, "", BYTES(">"), binary);
    put_line(to, "Delivered-To: ", recipient, binary);
}
