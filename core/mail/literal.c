/* SPDX-License-Identifier: ISC */
#include "mail/literal.h"

#include "base/ip.h"
#include "base/reader.h"

#include <string.h>

/* Snum = 1*3DIGIT, 0 .. 255; unlike ip_parse_v4's numbers, zeros may stand in front. */
static bool take_snum(struct reader *in, uint8_t *ret_number)
{
    struct bytes digits = take_while(in, is_digit);
    unsigned number = 0;

    if (digits.n == 0 || digits.n > 3)
        return false;
    for (size_t i = 0; i < digits.n; i++)
        number = number * 10 + (unsigned)(digits.at[i] - '0');
    if (number > 255)
        return false;
    *ret_number = (uint8_t)number;
    return true;
}

/* IPv4-address-literal = Snum 3("." Snum) */
static bool parse_ipv4(struct bytes text, uint8_t ret_ip[static 16])
{
    struct reader in = reader_of(text);
    uint8_t quad[4];

    if (!take_snum(&in, &quad[0]) || !take_char(&in, '.') || !take_snum(&in, &quad[1])
        || !take_char(&in, '.') || !take_snum(&in, &quad[2]) || !take_char(&in, '.')
        || !take_snum(&in, &quad[3]) || !reader_empty(&in))
        return false;
    memset(ret_ip, 0, 10);
    ret_ip[10] = ret_ip[11] = 0xFF;
    memcpy(ret_ip + 12, quad, 4);
    return true;
}

/* IPv6-addr = IPv6-full / IPv6-comp / IPv6v4-full / IPv6v4-comp. Narrower than RFC 4291: "::"
   stands for at least two groups of zeros, so no more than six others (or four and an IPv4) may be
   there. */
static bool parse_ipv6(struct bytes text, uint8_t ret_ip[static 16])
{
    struct bytes rest = text, piece;
    unsigned groups = 0;
    bool squeezed = bytes_search(text, BYTES("::")) < text.n;

    while (bytes_cut(&rest, ':', &piece)) {
        if (piece.n > 0)
            groups += bytes_find(piece, '.') < piece.n ? 2 : 1;
    }
    return (!squeezed || groups <= 6) && ip_parse_v6(text, ret_ip);
}

/* dcontent = %d33-90 / %d94-126 */
static bool is_dcontent(char c) { return (c >= 33 && c <= 90) || (c >= 94 && c <= 126); }
static bool is_ldh(char c) { return is_alnum(c) || c == '-'; }

/* General-address-literal = Standardized-tag ":" 1*dcontent,  Standardized-tag = Ldh-str */
static bool parse_general(struct bytes text)
{
    struct reader in = reader_of(text);
    struct bytes tag = take_while(&in, is_ldh);

    return tag.n > 0 && is_alnum(tag.at[tag.n - 1]) && take_char(&in, ':')
        && take_while(&in, is_dcontent).n > 0 && reader_empty(&in);
}

/* address-literal = "[" ( IPv4- / IPv6- / General-address-literal ) "]" */
bool literal_parse(struct bytes text, struct literal *ret_literal)
{
    struct literal literal = { .kind = LITERAL_GENERAL };

    if (text.n < 2 || text.at[0] != '[' || text.at[text.n - 1] != ']')
        return false;
    struct bytes inside = bytes_first(bytes_skip(text, 1), text.n - 2);
    if (parse_ipv4(inside, literal.ip)) {
        literal.kind = LITERAL_IPV4;
    } else if (bytes_begins_nocase(inside, BYTES("IPv6:"))) {
        literal.kind = LITERAL_IPV6;
        if (!parse_ipv6(bytes_skip(inside, BYTES("IPv6:").n), literal.ip))
            return false;
    } else if (!parse_general(inside)) {
        return false;
    }
    *ret_literal = literal;
    return true;
}

void literal_put_normal(struct buffer *to, struct bytes text)
{
    struct literal literal;

    if (literal_parse(text, &literal) && literal.kind != LITERAL_GENERAL) {
        buffer_put_char(to, '[');
        if (literal.kind == LITERAL_IPV6)
            buffer_put_text(to, ip_is_v4(literal.ip) ? "ipv6:::ffff:" : "ipv6:");
        ip_put(to, literal.ip);
        buffer_put_char(to, ']');
        return;
    }
    for (size_t i = 0; i < text.n; i++)
        buffer_put_char(to, to_lower(text.at[i]));
}
