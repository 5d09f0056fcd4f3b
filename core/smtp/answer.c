/* SPDX-License-Identifier: ISC */
#include "smtp/answer.h"

#include <string.h>

struct answer answer_new(void)
{
    return (struct answer){ .line = buffer_with_most(ANSWER_LINE_MOST),
                            .words = buffer_with_most(ANSWER_WORDS_MOST) };
}

void answer_done(struct answer *answer)
{
    buffer_done(&answer->line);
    buffer_done(&answer->words);
}

void answer_put(struct buffer *to, unsigned code, bool coded, struct status_code status,
                struct bytes words)
{
    buffer_put_uint(to, code);
    if (coded) {
        buffer_put_char(to, ' ');
        status_put(to, status);
    }
    if (words.n > 0)
        buffer_put_char(to, ' ');
    buffer_put(to, words);
}

static enum answer_state flaw(struct answer *answer)
{
    answer->flaw = true;
    return ANSWER_FLAW;
}

static bool is_same(struct status_code a, struct status_code b)
{
    return a.class == b.class && a.subject == b.subject && a.detail == b.detail;
}

/* RFC 2034: the code stands first in each line; the one of the first line counts. */
static void take_status(struct answer *answer, struct bytes *text)
{
    struct status_code status;
    size_t used;

    if (!status_parse(*text, &status, &used) || status.class != answer->code / 100)
        return;
    if (answer->lines == 0) {
        answer->status = status;
        answer->coded = true;
    } else if (!answer->coded || !is_same(status, answer->status)) {
        return;         /* another than the first line's: it stays among the words */
    }
    *text = bytes_trim(bytes_skip(*text, used));
}

static void keep_words(struct answer *answer, struct bytes text)
{
    size_t room = ANSWER_WORDS_MOST - answer->words.n;

    if (answer->words.n > 0 && text.n > 0 && room > 1) {
        buffer_put_char(&answer->words, ' ');
        room--;
    }
    buffer_put(&answer->words, bytes_first(text, room));
}

static enum answer_state take_line(struct answer *answer, struct bytes line)
{
    unsigned code = 0;

    for (size_t i = 0; i < 3; i++) {
        if (line.n < 3 || !is_digit(line.at[i]))
            return flaw(answer);
        code = code * 10 + (unsigned)(line.at[i] - '0');
    }
    char sign = line.n == 3 ? ' ' : line.at[3];
    bool first = answer->lines == 0;
    if (code < 200 || code > 599 || (sign != ' ' && sign != '-') || (!first && code != answer->code)
        || answer->lines >= ANSWER_LINES_MOST)
        return flaw(answer);
    answer->code = code;
    if (first) {
        answer->status = STATUS((uint8_t)(code / 100), 0, 0);
        answer->coded = false;
    }
    answer->text = bytes_trim(bytes_skip(line, 4));
    struct bytes text = answer->text;
    take_status(answer, &text);
    keep_words(answer, text);
    answer->lines++;
    answer->whole = sign == ' ';
    return answer->whole ? ANSWER_WHOLE : ANSWER_LINE;
}

enum answer_state answer_step(struct answer *answer, struct bytes *in)
{
    const char *end = in->n == 0 ? NULL : memchr(in->at, '\n', in->n);
    size_t n = end == NULL ? in->n : (size_t)(end - in->at) + 1;
    struct bytes line;

    if (answer->flaw)
        return ANSWER_FLAW;
    if (answer->line.n > 0 && answer->line.at[answer->line.n - 1] == '\n')
        buffer_clear(&answer->line);
    if (answer->whole) {
        answer->whole = false;
        answer->lines = 0;
        buffer_clear(&answer->words);
    }
    buffer_put(&answer->line, bytes_first(*in, n));
    *in = bytes_skip(*in, n);
    if (answer->line.bad)
        return flaw(answer);
    if (end == NULL)
        return ANSWER_MORE;
    line = buffer_bytes(&answer->line);
    line.n--;
    if (line.n > 0 && line.at[line.n - 1] == '\r')
        line.n--;
    return take_line(answer, line);
}
