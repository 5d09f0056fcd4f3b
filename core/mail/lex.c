/* SPDX-License-Identifier: ISC */
#include "mail/lex.h"

#include "base/limits.h"

bool take_comment(struct reader *in, struct buffer *to)
{
    unsigned depth = 0;
    size_t from = in->at + 1;

    for (; in->at < in->all.n; in->at++) {
        char c = in->all.at[in->at];
        if (c == '\\' && in->at + 1 < in->all.n) {
            in->at++;
        } else if (c == '(') {
            if (++depth > LIMIT_COMMENT_DEPTH)
                return false;
        } else if (c == ')' && --depth == 0) {
            if (to != NULL)
                buffer_put(to, (struct bytes){ in->all.at + from, in->at - from });
            in->at++;
            return true;
        }
    }
    return false;
}

static bool is_blank(char c) { return is_space(c) || c == '\r' || c == '\n'; }

bool skip_cfws(struct reader *in)
{
    for (;;) {
        take_while(in, is_blank);
        if (peek_octet(in) != '(')
            return true;
        if (!take_comment(in, NULL))
            return false;
    }
}

bool take_quoted(struct reader *in, struct buffer *to)
{
    in->at++;
    while (in->at < in->all.n) {
        char c = in->all.at[in->at++];
        if (c == '"')
            return true;
        if (c == '\\' && in->at < in->all.n)
            buffer_put_char(to, in->all.at[in->at++]);
        else if (c != '\r' && c != '\n')
            buffer_put_char(to, c);
    }
    return false;
}

bool is_token(char c)
{
    static const struct bytes specials = BYTES_INIT("()<>@,;:\\\"/[]?=");

    return c > 32 && c < 127 && bytes_find(specials, c) == specials.n;
}
