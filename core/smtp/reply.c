/* SPDX-License-Identifier: ISC */
#include "smtp/reply.h"

struct row {
    struct bytes line;          /* as it is sent, with its marks */
    uint16_t basic;
    struct status_code code;
};

static const struct row rows[REPLY_COUNT] = {
#define ROW_R(NAME, b, c, s, d, text) \
    [REPLY_##NAME] = { BYTES_INIT(#b " " #c "." #s "." #d " " text "\r\n"), \
                       (b), { (c), (s), (d) } },
#define ROW_P(NAME, b, text) [REPLY_##NAME] = { BYTES_INIT(#b " " text "\r\n"), (b), { 0, 0, 0 } },
    REPLY_LIST(ROW_R, ROW_P)
#undef ROW_R
#undef ROW_P
};

unsigned reply_basic(enum reply reply)
{
    return rows[reply].basic;
}

struct status_code reply_code(enum reply reply)
{
    return rows[reply].code;
}

void reply_put(struct buffer *to, enum reply reply, struct reply_words words)
{
    struct bytes line = rows[reply].line;
    size_t from = 0;

    for (size_t i = 0; i < line.n; i++) {
        bool word = line.at[i] == '{', number = line.at[i] == '#';
        if (!word && !number)
            continue;
        buffer_put(to, (struct bytes){ line.at + from, i - from });
        if (word)
            buffer_put(to, words.word);
        else
            buffer_put_uint(to, words.number);
        i += word;              /* its closing brace */
        from = i + 1;
    }
    buffer_put(to, bytes_skip(line, from));
}
