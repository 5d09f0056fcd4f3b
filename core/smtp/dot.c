/* SPDX-License-Identifier: ISC */
#include "smtp/dot.h"

#include "base/block.h"

struct dot dot_for_data(void)
{
    return (struct dot){ .at = DOT_LINE_START };
}

struct dot dot_for_chunks(void)
{
    return (struct dot){ .at = DOT_TEXT, .framed = true };
}

static void flawed(struct dot *dot, enum text_flaw flaw)
{
    if (dot->flaw != TEXT_FINE)
        return;
    dot->flaw = flaw;
    dot->flaw_line = dot->lines + 1;
}

/* Eight octets as a number, the first in the lowest place: compilers make one load of it. */
static inline uint64_t load(const char *at)
{
    uint64_t word = 0;

    for (unsigned i = 0; i < 8; i++)
        word |= (uint64_t)octet(at[i]) << (8 * i);
    return word;
}

/* A mark in the top bit of octets below 14: CR, LF and NUL are, and little else in a letter but
   the tab. Borrowing can mark an octet above a true one wrongly, never below it: so the lowest
   mark is true. */
static inline uint64_t low_octets(uint64_t word)
{
    const uint64_t ones = 0x0101010101010101;

    return (word - 14 * ones) & ~word & (0x80 * ones);
}

static inline bool is_special(char c)
{
    return c == '\r' || c == '\n' || c == '\0';
}

/* The index of the first CR, LF or NUL from `at` on; n when there is none. Most of a letter passes
   through this loop, a word at a time. */
static size_t skip_plain(const char *text, size_t at, size_t n)
{
    while (n - at >= 8) {
        uint64_t marks = low_octets(load(text + at));
        if (marks == 0) {
            at += 8;
            continue;
        }
        at += (size_t)__builtin_ctzll(marks) / 8;
        if (is_special(text[at]))
            return at;
        at++;
    }
    while (at < n && !is_special(text[at]))
        at++;
    return at;
}

/* Step over whole blocks in which nothing is to be decided: each CR with its LF and each LF with
   its CR, no NUL, no dot that begins a line. Nearly all of a letter is such blocks. */
static size_t skip_blocks(struct dot *dot, const char *text, size_t at, size_t n)
{
    for (; n - at >= BLOCK_OCTETS; at += BLOCK_OCTETS) {
        uint64_t cr = block_where(text + at, '\r'), lf = block_where(text + at, '\n');
        uint64_t behind_cr = cr << 1 | (dot->at == DOT_CR);
        uint64_t starts = dot->framed ? 0 : lf << 1 | (dot->at == DOT_LINE_START);

        if (lf != behind_cr || block_where(text + at, '\0') != 0
            || (starts != 0 && (starts & block_where(text + at, '.')) != 0))
            break;
        dot->at = cr >> 63 ? DOT_CR : lf >> 63 && !dot->framed ? DOT_LINE_START : DOT_TEXT;
        for (; lf != 0; lf &= lf - 1)
            dot->lines++;
    }
    return at;
}

/* How many octets of the input are text that may go out as one slice: up to a dot that begins a
   line. */
static size_t text_run(struct dot *dot, const char *text, size_t n)
{
    size_t at = 0;

    while (at < n) {
        at = skip_blocks(dot, text, at, n);
        if (at == n || (at > 0 && dot->at == DOT_LINE_START && text[at] == '.'))
            return at;
        if (dot->at == DOT_CR && text[at] == '\n') {
            at++;
            dot->lines++;
            dot->at = dot->framed ? DOT_TEXT : DOT_LINE_START;
            if (at == n || (text[at] == '.' && !dot->framed))
                return at;
        } else if (dot->at == DOT_CR) {
            flawed(dot, TEXT_BARE_CR);
        }
        dot->at = DOT_TEXT;
        at = skip_plain(text, at, n);
        if (at == n)
            return n;
        char c = text[at++];
        if (c == '\r')
            dot->at = DOT_CR;
        else
            flawed(dot, c == '\n' ? TEXT_BARE_LF : TEXT_NUL);
    }
    return at;
}

/* Step over what belongs to the frame and not to the text. True at the end of the text.
     line start  "." -> dot          dot  CR -> dot CR          dot CR  LF -> the end
   Whatever else comes there is text; the dot before it was stuffed, the CR before it was bare. */
static bool take_frame(struct dot *dot, struct bytes *in)
{
    for (; in->n > 0; *in = bytes_skip(*in, 1)) {
        char c = in->at[0];
        if (dot->at == DOT_LINE_START && c == '.') {
            dot->at = DOT_DOT;
        } else if (dot->at == DOT_DOT && c == '\r') {
            dot->at = DOT_DOT_CR;
        } else if (dot->at == DOT_DOT_CR && c == '\n') {
            *in = bytes_skip(*in, 1);
            return true;
        } else {
            if (dot->at == DOT_DOT_CR)
                flawed(dot, TEXT_BARE_CR);
            if (dot->at != DOT_CR)
                dot->at = DOT_TEXT;
            return false;
        }
    }
    return false;
}

struct bytes dot_take(struct dot *dot, struct bytes *in, bool *ret_ended)
{
    *ret_ended = take_frame(dot, in);
    if (*ret_ended)
        return BYTES_NONE;
    struct bytes text = bytes_first(*in, text_run(dot, in->at, in->n));
    *in = bytes_skip(*in, text.n);
    return text;
}

void dot_finish_chunks(struct dot *dot)
{
    if (dot->at == DOT_CR)
        flawed(dot, TEXT_BARE_CR);
}
