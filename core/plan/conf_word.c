/* SPDX-License-Identifier: ISC */
#include "plan/conf_int.h"

#include "base/utf8.h"

static bool is_bare(char c)
{
    return octet(c) > ' ' && c != '"' && c != '#' && c != '\\' && c != 0x7F;
}

/* The octets of one character, for a flaw to point at. */
static struct bytes one_character(struct bytes text)
{
    uint32_t point;
    size_t n = utf8_take(text, &point);

    return bytes_first(text, n == 0 ? 1 : n);
}

/* Valid UTF-8 without controls and invisible characters: what an owner cannot see is not meant. */
static bool check_visible(struct conf_reading *reading, struct bytes text)
{
    while (text.n > 0) {
        uint32_t point;
        size_t n = utf8_take(text, &point);
        if (n == 0)
            return conf_refuse(reading, bytes_first(text, 1), "text in UTF-8", NULL);
        if (utf8_is_unsafe(point))
            return conf_refuse(reading, bytes_first(text, n), "a character that can be seen", NULL);
        text = bytes_skip(text, n);
    }
    return true;
}

static bool take_bare(struct conf_reading *reading, struct bytes rest, struct conf_word *ret_word)
{
    size_t n = 0;

    while (n < rest.n && is_bare(rest.at[n]))
        n++;
    struct bytes after = bytes_skip(rest, n), bare = bytes_first(rest, n);
    if (!check_visible(reading, bare))
        return false;
    if (after.n > 0 && !is_space(after.at[0]))
        return conf_refuse(reading, one_character(after),
                           "a blank, or quotes around a value that holds this", NULL);
    *ret_word = (struct conf_word){ .text = bare, .written = bare };
    return true;
}

/* rest begins behind the opening quote. Octets of the value go to `to`; returns how many were read
   with the closing quote, or 0 after a flaw. */
static size_t unquote(struct conf_reading *reading, struct bytes rest, char *to, size_t *ret_n)
{
    size_t n = 0;

    for (size_t i = 0; i < rest.n; i++) {
        char c = rest.at[i];
        if (c == '"')
            return *ret_n = n, i + 1;
        if (c == '\\') {
            char next = i + 1 < rest.n ? rest.at[i + 1] : ' ';
            if (next != '"' && next != '\\') {
                conf_refuse(reading, bytes_first(bytes_skip(rest, i), 2),
                            "\\\\ or \\\" inside quotes", NULL);
                return 0;
            }
            c = next;
            i++;
        }
        to[n++] = c;
    }
    conf_refuse(reading, bytes_skip(rest, rest.n), "a closing quote before the line ends", NULL);
    return 0;
}

static bool take_quoted(struct conf_reading *reading, struct bytes rest, struct conf_word *ret_word)
{
    struct bytes inside = bytes_skip(rest, 1);
    char *to = arena_take(reading->arena, rest.n);
    size_t n = 0;

    if (to == NULL)
        return conf_refuse(reading, rest, "less text: memory is short", NULL);
    size_t used = unquote(reading, inside, to, &n);
    if (used == 0 || !check_visible(reading, bytes_first(inside, used - 1)))
        return false;
    struct bytes after = bytes_skip(inside, used);
    if (after.n > 0 && !is_space(after.at[0]))
        return conf_refuse(reading, one_character(after), "a blank after the closing quote", NULL);
    *ret_word = (struct conf_word){ { to, n }, bytes_first(rest, used + 1) };
    return true;
}

enum conf_took conf_take_word(struct conf_reading *reading, struct conf_word *ret_word)
{
    while (reading->at < reading->line.n && is_space(reading->line.at[reading->at]))
        reading->at++;
    struct bytes rest = bytes_skip(reading->line, reading->at);
    if (rest.n == 0 || rest.at[0] == '#')
        return CONF_TOOK_END;
    bool taken = rest.at[0] == '"' ? take_quoted(reading, rest, ret_word)
                                   : take_bare(reading, rest, ret_word);
    if (!taken)
        return CONF_TOOK_FLAW;
    reading->at += ret_word->written.n;
    return CONF_TOOK_WORD;
}
