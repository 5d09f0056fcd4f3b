/* SPDX-License-Identifier: ISC */
#include "base/qp.h"

int hex_value(char c)
{
    if (is_digit(c))
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static struct bytes held(const struct qp_decoder *decoder)
{
    return (struct bytes){ decoder->held, decoder->held_n };
}

static void let_go(struct qp_decoder *decoder, struct buffer *to)
{
    buffer_put(to, held(decoder));
    decoder->held_n = 0;
}

static void hold(struct qp_decoder *decoder, char c, struct buffer *to)
{
    if (decoder->held_n == QP_HELD_MOST) {
        decoder->flaws |= QP_LONG_SPACE;
        let_go(decoder, to);
    }
    decoder->held[decoder->held_n++] = c;
}

static void take_plain(struct qp_decoder *decoder, char c, struct buffer *to)
{
    if (c == '=' || is_space(c)) {
        hold(decoder, c, to);
        return;
    }
    if (octet(c) > 126 || (octet(c) < 32 && c != '\r' && c != '\n'))
        decoder->flaws |= QP_8BIT;
    buffer_put_char(to, c);
}

/* White space is held: text behind it makes it text, a line end takes it away. A CR might be one.
   */
static void take_behind_space(struct qp_decoder *decoder, char c, struct buffer *to)
{
    bool cr = decoder->held[decoder->held_n - 1] == '\r';

    if (c == '\n') {
        decoder->held_n = 0;
        buffer_put_text(to, cr ? "\r\n" : "\n");
    } else if (!cr && (is_space(c) || c == '\r')) {
        hold(decoder, c, to);
    } else {
        let_go(decoder, to);
        take_plain(decoder, c, to);
    }
}

static void refuse_escape(struct qp_decoder *decoder, char c, struct buffer *to)
{
    decoder->flaws |= QP_BAD_ESCAPE;
    if (decoder->held_n > 1 && is_space(decoder->held[1])) {
        /* the "=" is text; the white space behind it may still end the line */
        buffer_put_char(to, '=');
        decoder->held_n--;
        for (size_t i = 0; i < decoder->held_n; i++)
            decoder->held[i] = decoder->held[i + 1];
        take_behind_space(decoder, c, to);
        return;
    }
    let_go(decoder, to);
    take_plain(decoder, c, to);
}

/* "=" is held, and perhaps a hexadecimal digit, or white space, or a CR. */
static void take_escape(struct qp_decoder *decoder, char c, struct buffer *to)
{
    char last = decoder->held[decoder->held_n - 1];
    int low = hex_value(c), high = decoder->held_n == 2 ? hex_value(last) : -1;

    if (high >= 0 && low >= 0) {
        decoder->held_n = 0;
        buffer_put_char(to, (char)(uint8_t)(high << 4 | low));
    } else if (high < 0 && c == '\n') {
        decoder->held_n = 0;
    } else if (decoder->held_n == 1 && low >= 0) {
        hold(decoder, c, to);
    } else if (high < 0 && last != '\r' && (is_space(c) || c == '\r')
               && decoder->held_n < QP_HELD_MOST) {
        hold(decoder, c, to);
    } else {
        refuse_escape(decoder, c, to);
    }
}

static bool is_itself(char c)
{
    return c > ' ' && c < 127 && c != '=';
}

/* How much of the text from `at` on stands for itself: words, and single spaces between them. */
static size_t itself(struct bytes text, size_t at)
{
    size_t i = at;

    while (i < text.n && (is_itself(text.at[i])
                          || (text.at[i] == ' ' && i + 1 < text.n && is_itself(text.at[i + 1]))))
        i++;
    return i - at;
}

void qp_decode(struct qp_decoder *decoder, struct bytes text, struct buffer *to)
{
    for (size_t i = 0; i < text.n; i++) {
        size_t n = decoder->held_n == 0 ? itself(text, i) : 0;
        buffer_put(to, (struct bytes){ text.at + i, n });
        i += n;
        if (i == text.n)
            return;
        if (decoder->held_n == 0)
            take_plain(decoder, text.at[i], to);
        else if (decoder->held[0] == '=')
            take_escape(decoder, text.at[i], to);
        else
            take_behind_space(decoder, text.at[i], to);
    }
}

void qp_decode_end(struct qp_decoder *decoder, struct buffer *to)
{
    bool soft = decoder->held_n > 0 && decoder->held[0] == '=' && (decoder->held_n == 1
        || hex_value(decoder->held[1]) < 0);
    bool cr = decoder->held_n > 0 && decoder->held[decoder->held_n - 1] == '\r';

    if (decoder->held_n > 0 && decoder->held[0] == '=' && (!soft || cr)) {
        decoder->flaws |= QP_BAD_ESCAPE;
        let_go(decoder, to);
    } else if (cr) {
        let_go(decoder, to);
    }
    decoder->held_n = 0;
}
