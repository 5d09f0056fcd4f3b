/* SPDX-License-Identifier: ISC
 *
 * Where an address stands in a text that some program wrote.
 */
#include "bounce/match_int.h"

#include <string.h>

/* The marks that an atom may hold beside letters and digits (RFC 5322, 3.2.3), and the dot. */
static bool is_local(uint8_t c)
{
    static const bool marks[128] = {
        ['!'] = true, ['#'] = true, ['$'] = true, ['%'] = true, ['&'] = true, ['\''] = true,
        ['*'] = true, ['+'] = true, ['-'] = true, ['/'] = true, ['='] = true, ['?'] = true,
        ['^'] = true, ['_'] = true, ['`'] = true, ['{'] = true, ['|'] = true, ['}'] = true,
        ['~'] = true, ['.'] = true,
    };

    return c >= 0x80 || is_alnum((char)c) || marks[c];
}

static bool is_domain(uint8_t c)
{
    return is_alnum((char)c) || c >= 0x80 || c == '-' || c == '.' || c == '_';
}

/* Does an ideograph or a mark of such a script end before `i`, while the word so far is ASCII? No
   space parts such a text from an address in it. */
static bool ideograph_ends(struct bytes text, size_t from, size_t i, size_t at)
{
    size_t lead = i - 1;

    if (octet(text.at[lead]) < 0x80 || i == at || octet(text.at[i]) >= 0x80)
        return false;
    while (lead > from && (octet(text.at[lead]) & 0xc0) == 0x80)
        lead--;
    return octet(text.at[lead]) >= 0xe2;
}

/* Where the local part that ends before `at` begins: quoted, or atoms. */
static size_t local_begin(struct bytes text, size_t from, size_t at)
{
    size_t i = at;

    if (i > from && text.at[i - 1] == '"') {
        for (i--; i > from && at - i < 80; i--) {
            if (text.at[i - 1] == '"')
                return i - 1;
        }
        return at;
    }
    while (i > from && at - i < 320 && is_local(octet(text.at[i - 1]))
           && !ideograph_ends(text, from, i, at))
        i--;
    while (i < at && (text.at[i] == '\'' || text.at[i] == '*'
                      || (text.at[i] == '=' && text.at[i + 1] != '?')))
        i++;
    return i;
}

static size_t domain_end(struct bytes text, size_t at)
{
    size_t i = at;

    if (i < text.n && text.at[i] == '[') {
        while (i < text.n && text.at[i] != ']' && i - at < 60)
            i++;
        return i < text.n && text.at[i] == ']' ? i + 1 : at;
    }
    while (i < text.n && i - at < 256 && is_domain(octet(text.at[i]))
           && !(i > at && octet(text.at[i]) >= 0xe2 && octet(text.at[i - 1]) < 0x80))
        i++;
    while (i > at && (text.at[i - 1] == '.' || text.at[i - 1] == '-' || text.at[i - 1] == '_'))
        i--;
    return i;
}

bool address_in(struct bytes text, size_t from, size_t *ret_at, size_t *ret_end)
{
    while (from < text.n) {
        const char *mark = memchr(text.at + from, '@', text.n - from);
        if (mark == NULL)
            return false;
        size_t at = (size_t)(mark - text.at);
        size_t begin = local_begin(text, from, at), end = domain_end(text, at + 1);
        if (begin < at && end > at + 1) {
            *ret_at = begin;
            *ret_end = end;
            return true;
        }
        from = at + 1;
    }
    return false;
}
