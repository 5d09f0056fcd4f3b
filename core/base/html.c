/* SPDX-License-Identifier: ISC */
#include "base/html.h"

#include "base/utf8.h"

static const char *reference_of(char c)
{
    static const struct { char c; const char *text; } rows[] = {
        { '\n', "&#10;" }, { '&', "&amp;" }, { '<', "&lt;" }, { '>', "&gt;" },
        { '"', "&quot;" }, { '\'', "&#39;" },
    };

    for (size_t i = 0; i < COUNT(rows); i++)
        if (rows[i].c == c)
            return rows[i].text;
    return NULL;
}

void html_put(struct buffer *to, struct bytes text)
{
    while (text.n > 0) {
        uint32_t point;
        size_t n = utf8_take(text, &point);
        const char *reference = n == 1 ? reference_of(text.at[0]) : NULL;

        if (reference != NULL)
            buffer_put_text(to, reference);
        else if (n > 0 && (!utf8_is_unsafe(point) || point == '\t'))
            buffer_put(to, bytes_first(text, n));
        else if (n != 1 || point != '\r')
            buffer_put(to, BYTES("\xef\xbf\xbd"));
        text = bytes_skip(text, n == 0 ? 1 : n);
    }
}
