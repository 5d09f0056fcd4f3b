/* SPDX-License-Identifier: ISC */
#include "bounce/text_int.h"

#include <string.h>

struct lines lines_of(struct bytes text)
{
    bool lf = text.n > 0 && memchr(text.at, '\n', text.n) != NULL;

    return (struct lines){ text.at, text.at + text.n, lf ? '\n' : '\r' };
}

bool lines_next(struct lines *lines, struct bytes *ret_line)
{
    size_t n = (size_t)(lines->end - lines->at);

    if (n == 0)
        return false;
    const char *stop = memchr(lines->at, lines->stop, n);
    struct bytes line = { lines->at, stop == NULL ? n : (size_t)(stop - lines->at) };
    lines->at = stop == NULL ? lines->end : stop + 1;
    while (line.n > 0 && line.at[line.n - 1] == '\r')
        line.n--;
    *ret_line = line;
    return true;
}

bool is_blank(struct bytes line)
{
    for (size_t i = 0; i < line.n; i++) {
        if (octet(line.at[i]) > ' ')
            return false;
    }
    return true;
}

struct bytes unquoted(struct bytes line)
{
    size_t i = 0;

    while (i < line.n && (line.at[i] == '>' || is_space(line.at[i])))
        i++;
    return bytes_skip(line, i);
}

bool has_word(struct bytes text, struct bytes word)
{
    char first = word.at[0];
    size_t k;

    if (text.n < word.n)
        return false;
    for (size_t i = 0; i <= text.n - word.n; i++) {
        if (to_lower(text.at[i]) != first)
            continue;
        for (k = 1; k < word.n && to_lower(text.at[i + k]) == word.at[k];)
            k++;
        if (k == word.n)
            return true;
    }
    return false;
}

/* Is what stands before a code the end of another word or number? */
static bool joined(struct bytes text, size_t at)
{
    if (at == 0)
        return false;
    char before = text.at[at - 1];
    return is_alnum(before) || before == '.' || before == '_' || before == '@'
        || octet(before) >= 0x80;
}

static struct status_code code_first(struct bytes text, const char *classes)
{
    for (size_t i = 0; i + 5 <= text.n; i++) {
        const char *dot = memchr(text.at + i + 1, '.', text.n - i - 1);
        if (dot == NULL)
            break;
        i = (size_t)(dot - text.at) - 1;
        struct status_code code;
        size_t used;
        if (!is_digit(text.at[i]) || !has_octet(bytes_of(classes), text.at[i]) || joined(text, i)
            || !status_parse(bytes_skip(text, i), &code, &used))
            continue;
        char after = i + used < text.n ? text.at[i + used] : ' ';
        if (!is_alpha(after) && after != '_' && after != '-')
            return code;
    }
    return (struct status_code){ 0 };
}

static bool is_reply(struct bytes text, size_t at)
{
    if (at + 3 > text.n || text.at[at] < '2' || text.at[at] > '5' || text.at[at] == '3'
        || text.at[at + 1] < '0' || text.at[at + 1] > '9' || !is_digit(text.at[at + 2]))
        return false;
    char after = at + 3 < text.n ? text.at[at + 3] : ' ';
    char next = at + 4 < text.n ? text.at[at + 4] : ' ';
    if (after == '-' || after == '#')
        return !is_digit(next) || after == '#' || (at + 5 < text.n && text.at[at + 5] == '.');
    return after == ' ' || after == '\t' || after == '\r' || after == '\n'
        || (after == ':' && !is_digit(next)) || (after == ',' && next == ' ')
        || (after == ';' && next == ' ') || after == '\'' || after == '"';
}

/* How surely a code stands where a reply begins: 2 at the start or behind a mark, 1 with an
   enhanced code behind it, 0 for a number in a sentence. */
static unsigned reply_place(struct bytes text, size_t at)
{
    size_t i = at;
    struct status_code code;
    size_t used;

    while (i > 0 && (is_space(text.at[i - 1]) || text.at[i - 1] == '"' || text.at[i - 1] == '\''))
        i--;
    if (i == 0 || text.at[i - 1] == '\n' || text.at[i - 1] == '\r')
        return 2;
    if (has_octet(BYTES(":;<>([#="), text.at[i - 1]))
        return 2;
    struct bytes rest = bytes_trim(bytes_skip(text, at + 4));
    if (rest.n > 0 && rest.at[0] == '#')
        rest = bytes_skip(rest, 1);
    return status_parse(rest, &code, &used) ? 1 : 0;
}

/* Does a reply code begin there that another server said? Behind it a quotation mark, or "<" or
   "... " before it. */
static bool is_quoted(struct bytes text, size_t i)
{
    if (i == 0 || i + 4 >= text.n)
        return false;
    const char *at = text.at + i;
    if ((at[0] != '4' && at[0] != '5') || !is_digit(at[1]) || !is_digit(at[2]))
        return false;
    if (at[3] == '-')
        return at[4] == '\'' || at[4] == '"';
    if (at[3] != ' ')
        return false;
    return (at[-1] == '<' && is_digit(at[4]))
        || (i > 4 && at[-1] == ' ' && memcmp(at - 4, "... ", 4) == 0);
}

/* Where the next three digits stand, at or behind `from`; the text's end: nowhere. Of three in a
   row one is met at each third place. */
static size_t number_at(struct bytes text, size_t from)
{
    for (size_t third = from + 2; third < text.n; third += 3) {
        if (!is_digit(text.at[third]))
            continue;
        for (size_t i = third - 2; i <= third && i + 2 < text.n; i++) {
            if (is_digit(text.at[i]) && is_digit(text.at[i + 1]) && is_digit(text.at[i + 2]))
                return i;
        }
    }
    return text.n;
}

/* Where the words of the other server begin in those of one who quotes it: "550-'5.1.1 ...",
   "<421 4.4.2 ...>", "554 <a@b>... 550 ..."; 0: nobody is quoted. */
static size_t quoted_at(struct bytes text)
{
    if (!has_octet(text, '<') && !has_octet(text, '"') && !has_octet(text, '\''))
        return 0;
    for (size_t i = number_at(text, 1); i < text.n; i = number_at(text, i + 1)) {
        if (is_quoted(text, i))
            return i;
    }
    return 0;
}

static struct status_code code_behind(struct bytes text, const char *classes, size_t quoted)
{
    struct status_code inner = { 0 };

    if (quoted > 0)
        inner = code_first(bytes_skip(text, quoted), classes);
    return inner.class != 0 ? inner : code_first(text, classes);
}

struct status_code code_in(struct bytes text, const char *classes)
{
    return code_behind(text, classes, quoted_at(text));
}

/* Nobody is quoted. */
static size_t reply_at(struct bytes text)
{
    size_t best = text.n;
    unsigned best_place = 0;

    for (size_t i = number_at(text, 0); i < text.n && (best_place < 2 || text.at[best] == '2');
         i = number_at(text, i + 1)) {
        if ((i > 0 && (is_alnum(text.at[i - 1])
            || text.at[i - 1] == '.' || text.at[i - 1] == '/' || text.at[i - 1] == '-'
            || text.at[i - 1] == '_' || text.at[i - 1] == '=')) || !is_reply(text, i))
            continue;
        unsigned place = reply_place(text, i);
        if (text.at[i] == '2' && i > 0)
            continue;               /* what went well before it failed */
        if (place > best_place || best == text.n || text.at[best] == '2') {
            best = i;
            best_place = place;
        }
    }
    return best;
}

static uint16_t reply_behind(struct bytes text, size_t quoted)
{
    size_t at = quoted > 0 ? quoted : reply_at(text);

    if (at == text.n)
        return 0;
    return (uint16_t)((text.at[at] - '0') * 100 + (text.at[at + 1] - '0') * 10
                      + (text.at[at + 2] - '0'));
}

uint16_t reply_in(struct bytes text)
{
    return reply_behind(text, quoted_at(text));
}

struct status_code codes_in(struct bytes text, const char *classes, uint16_t *ret_reply)
{
    size_t quoted = quoted_at(text);

    *ret_reply = reply_behind(text, quoted);
    return code_behind(text, classes, quoted);
}
