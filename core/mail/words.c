/* SPDX-License-Identifier: ISC
 *
 * mail/words.c: RFC 2047, 2:  encoded-word = "=?" charset "?" encoding "?" encoded-text "?="
 * and RFC 2231, 5:            charset [ "*" language ]
 *
 * More is read than the RFC has: words longer than 75 octets, words with text straight before or
 * behind them, and spaces inside them, since all of that is sent.
 */
#include "mail/words.h"

#include "base/base64.h"
#include "base/qp.h"
#include "base/reader.h"
#include "mail/charset.h"
#include "mail/lex.h"

enum { CHARSET_MOST = 64 };

struct word {
    struct bytes charset, text;
    bool base64;
    size_t n;           /* octets of all of it */
};

static bool is_charset(char c) { return is_token(c) && c != '*'; }
static bool is_language(char c) { return is_alnum(c) || c == '-'; }

/* The end of encoded-text: the next "?=". The beginning of another word is not inside (but "=?="
   is the end of one), so no octet is looked at by more than two words. A word may be folded in the
   middle. */
static bool take_encoded_text(struct reader *in, struct bytes *ret_text)
{
    struct bytes rest = reader_left(in);

    for (size_t i = 0; i + 1 < rest.n; i++) {
        bool word = rest.at[i] == '=' && rest.at[i + 1] == '?';
        if (word && i + 2 < rest.n && rest.at[i + 2] != '=')
            return false;
        if (rest.at[i] == '?' && rest.at[i + 1] == '=') {
            *ret_text = bytes_first(rest, i);
            in->at += i + 2;
            return true;
        }
    }
    return false;
}

/* The encoded word that the text begins with. */
static bool word_parse(struct bytes text, struct word *ret_word)
{
    struct reader in = reader_of(text);
    struct word word = { 0 };

    if (!take_nocase(&in, BYTES("=?")))
        return false;
    word.charset = take_while(&in, is_charset);
    if (word.charset.n == 0 || word.charset.n > CHARSET_MOST || !charset_known(word.charset))
        return false;
    if (take_char(&in, '*'))
        take_while(&in, is_language);
    if (!take_char(&in, '?'))
        return false;
    word.base64 = take_nocase(&in, BYTES("B"));
    if ((!word.base64 && !take_nocase(&in, BYTES("Q"))) || !take_char(&in, '?')
        || !take_encoded_text(&in, &word.text))
        return false;
    word.n = in.at;
    *ret_word = word;
    return true;
}

static bool is_blank(char c) { return is_space(c) || c == '\r' || c == '\n'; }

/* RFC 2047, 4.2: "=" and two digits, "_" for a space; anything else is itself. A line end goes,
   and the white space behind it. */
static void q_decode(struct bytes text, struct buffer *to)
{
    bool folded = false;

    for (size_t i = 0; i < text.n; i++) {
        char c = text.at[i];
        int high = c == '=' && i + 2 < text.n ? hex_value(text.at[i + 1]) : -1;
        int low = high >= 0 ? hex_value(text.at[i + 2]) : -1;
        folded = c == '\r' || c == '\n' || (folded && is_space(c));
        if (folded)
            continue;
        buffer_put_char(to, low >= 0 ? (char)(uint8_t)(high << 4 | low) : c == '_' ? ' ' : c);
        i += low >= 0 ? 2 : 0;
    }
}

/* Octets of one or more words of one charset, not yet turned into text. */
struct run {
    struct bytes charset;
    struct buffer octets;
};

static void put_run(struct buffer *to, struct run *run)
{
    if (run->octets.n > 0)
        (void)charset_put(to, run->charset, buffer_bytes(&run->octets));
    to->bad = to->bad || run->octets.bad;
    buffer_clear(&run->octets);
}

static void add_word(struct buffer *to, struct run *run, struct word word)
{
    struct base64_decoder decoder = { 0 };

    if (!bytes_equal_nocase(run->charset, word.charset))
        put_run(to, run);
    run->charset = word.charset;
    if (!word.base64) {
        q_decode(word.text, &run->octets);
        return;
    }
    base64_decode(&decoder, word.text, &run->octets);
    base64_decode_end(&decoder, &run->octets);
}

static void put_plain(struct buffer *to, struct bytes text)
{
    for (size_t i = 0; i < text.n; i++) {
        if (text.at[i] != '\r' && text.at[i] != '\n')
            buffer_put_char(to, text.at[i]);
    }
}

/* From the start of the text to the next "=?", or all of it; one octet at least. */
static size_t plain_length(struct bytes text)
{
    size_t n = text.n == 0 ? 0 : 1 + bytes_search(bytes_skip(text, 1), BYTES("=?"));

    return n > text.n ? text.n : n;
}

void words_put(struct buffer *to, struct bytes text)
{
    struct run run = { .charset = BYTES_NONE, .octets = buffer_with_most(text.n + 1) };
    struct reader in = reader_of(text);
    bool behind_word = false;

    while (!reader_empty(&in)) {
        struct bytes blank = behind_word ? take_while(&in, is_blank) : BYTES_NONE;
        struct bytes rest = reader_left(&in);
        struct word word;
        if (word_parse(rest, &word)) {
            add_word(to, &run, word);
            in.at += word.n;
            behind_word = true;
            continue;
        }
        put_run(to, &run);
        put_plain(to, blank);
        size_t n = plain_length(rest);
        put_plain(to, bytes_first(rest, n));
        in.at += n;
        behind_word = false;
    }
    put_run(to, &run);
    buffer_done(&run.octets);
}
