/* SPDX-License-Identifier: ISC */
#include "mail/charset.h"

#include "base/charset.h"

/* UTF-7 stays as it is in a word: what it hides is not for a header. */
static const struct charset *find(struct bytes name)
{
    const struct charset *charset = charset_find(name);

    return charset == charset_find(BYTES("utf-7"))
        || charset == charset_find(BYTES("unicode-1-1-utf-7")) ? NULL : charset;
}

bool charset_known(struct bytes charset)
{
    return find(charset) != NULL;
}

/* CR and LF stand for themselves in every charset of ours, at a character's start: the text is
   decoded between them. */
bool charset_put(struct buffer *to, struct bytes charset, struct bytes octets)
{
    const struct charset *known = find(charset);

    if (known == NULL)
        return false;
    size_t from = to->n;
    charset_put_text(to, known, octets);
    size_t breaks = 0;
    for (size_t i = from; i < to->n; i++)
        breaks += to->at[i] == '\r' || to->at[i] == '\n';
    if (breaks == 0 || to->bad)
        return true;
    size_t n = to->n;
    if (!buffer_reserve(to, breaks * 2) || buffer_grow(to, breaks * 2) == NULL)
        return true;
    for (size_t put = to->n; n > from;) {
        char c = to->at[--n];
        if (c == '\r' || c == '\n') {
            to->at[--put] = '\xbd';
            to->at[--put] = '\xbf';
            to->at[--put] = '\xef';
        } else {
            to->at[--put] = c;
        }
    }
    return true;
}
