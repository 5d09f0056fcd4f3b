/* SPDX-License-Identifier: ISC */
#include "role/local_int.h"

#include "mail/received.h"

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

void local_put_top(struct buffer *to, const struct envelope *envelope, struct bytes recipient,
                   uint64_t letter, bool binary)
{
    struct buffer fields = buffer_with_most(DELIVERY_FIELDS_MOST);
    struct line_ends ends = { 0 };

    delivery_put(&fields, envelope, recipient, letter);
    if (binary)
        buffer_put(to, buffer_bytes(&fields));
    else
        line_ends_put(&ends, buffer_bytes(&fields), to);
    to->bad = to->bad || fields.bad;
    buffer_done(&fields);
}
