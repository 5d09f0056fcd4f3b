/* SPDX-License-Identifier: ISC */
#include "smtp/line.h"

#include "base/limits.h"

enum { KEPT_BETWEEN_LINES = 256, TLS_HANDSHAKE_RECORD = 0x16 };

struct line line_none(void)
{
    return (struct line){ .held = buffer_with_most(LIMIT_COMMAND_LINE) };
}

void line_done(struct line *line)
{
    buffer_done(&line->held);
}

static void begin(struct line *line)
{
    buffer_shrink(&line->held, KEPT_BETWEEN_LINES);
    line->seen = 0;
    line->last = '\0';
    line->over = line->ended = false;
}

static void hold(struct line *line, struct bytes part)
{
    if (line->over || part.n > LIMIT_COMMAND_LINE - line->held.n) {
        line->over = true;
        buffer_clear(&line->held);
        return;
    }
    buffer_put(&line->held, part);
}

/* A line that ended: `text` is all of it with its LF, unless it was too long to be held. */
static enum line_kind judge(struct line *line, struct bytes text, bool crlf, struct bytes *ret_text)
{
    bool tainted = line->tainted || !crlf;

    line->tainted = !crlf;
    if (line->over || text.n > LIMIT_COMMAND_LINE)
        return LINE_LONG;
    if (tainted)
        return LINE_BARE_LF;
    text = bytes_first(text, text.n - 2);
    if (bytes_find(text, '\r') < text.n || bytes_find(text, '\0') < text.n)
        return LINE_NOT_TEXT;
    *ret_text = text;
    return LINE_WHOLE;
}

enum line_kind line_take(struct line *line, struct bytes *in, struct bytes *ret_text)
{
    if (line->ended)
        begin(line);
    if (in->n == 0)
        return LINE_MORE;
    if (line->seen == 0 && octet(in->at[0]) == TLS_HANDSHAKE_RECORD)
        return LINE_TLS;
    size_t stop = bytes_find(*in, '\n');
    bool first = line->seen == 0, whole = stop < in->n;
    struct bytes part = bytes_first(*in, whole ? stop + 1 : stop);

    *in = bytes_skip(*in, part.n);
    if (part.n > LIMIT_COMMAND_FLOOD - line->seen)
        return LINE_FLOOD;
    line->seen += (uint32_t)part.n;
    bool crlf = whole && (part.n >= 2 ? part.at[part.n - 2] : line->last) == '\r';
    line->last = part.at[part.n - 1];
    line->ended = whole;
    if (whole && first)
        return judge(line, part, crlf, ret_text);
    hold(line, part);
    if (line->held.bad)
        return LINE_NO_MEMORY;
    return whole ? judge(line, buffer_bytes(&line->held), crlf, ret_text) : LINE_MORE;
}
