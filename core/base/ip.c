/* SPDX-License-Identifier: ISC */
#include "base/ip.h"

#include "base/number.h"
#include "base/reader.h"

#include <string.h>

static const uint8_t mapped[12] = { [10] = 0xFF, [11] = 0xFF };

bool ip_is_v4(const uint8_t ip[static 16])
{
    return memcmp(ip, mapped, sizeof(mapped)) == 0;
}

static bool parse_quad(struct bytes text, uint8_t ret_quad[static 4])
{
    uint8_t quad[4];
    struct reader in = reader_of(text);

    for (size_t i = 0; i < 4; i++) {
        uint64_t number;
        if (i > 0 && !take_char(&in, '.'))
            return false;
        struct bytes digits = take_while(&in, is_digit);
        if (!number_parse(digits, &number) || number > 255 || (digits.n > 1 && digits.at[0] == '0'))
            return false;
        quad[i] = (uint8_t)number;
    }
    if (!reader_finished(&in))
        return false;
    memcpy(ret_quad, quad, 4);
    return true;
}

bool ip_parse_v4(struct bytes text, uint8_t ret_ip[static 16])
{
    uint8_t quad[4];

    if (!parse_quad(text, quad))
        return false;
    memcpy(ret_ip, mapped, 12);
    memcpy(ret_ip + 12, quad, 4);
    return true;
}

static bool parse_group(struct bytes text, unsigned *ret_group)
{
    unsigned group = 0;

    if (text.n == 0 || text.n > 4)
        return false;
    for (size_t i = 0; i < text.n; i++) {
        char c = to_lower(text.at[i]);
        if (!is_digit(c) && !(c >= 'a' && c <= 'f'))
            return false;
        group = group << 4 | (unsigned)(is_digit(c) ? c - '0' : c - 'a' + 10);
    }
    *ret_group = group;
    return true;
}

/* Groups of one side of "::" (or of the whole address), the last of which may be a dotted quad.
   Returns how many octets were written, or 17 when the text is no such list. */
static size_t parse_groups(struct bytes text, bool quad_allowed, uint8_t *to, size_t room)
{
    size_t n = 0;
    struct bytes piece;

    while (bytes_cut(&text, ':', &piece)) {
        unsigned group;
        bool last = text.n == 0;
        if (last && quad_allowed && room - n >= 4 && parse_quad(piece, to + n))
            return n + 4;
        if (room - n < 2 || !parse_group(piece, &group))
            return 17;
        to[n++] = (uint8_t)(group >> 8);
        to[n++] = (uint8_t)group;
    }
    return n;
}

bool ip_parse_v6(struct bytes text, uint8_t ret_ip[static 16])
{
    uint8_t ip[16] = { 0 }, tail[16];
    size_t gap = bytes_search(text, BYTES("::"));

    if (text.n > 45)
        return false;
    struct bytes left = bytes_first(text, gap), right = bytes_skip(text, gap + 2);
    if (bytes_ends(left, BYTES(":")) || bytes_ends(right, BYTES(":"))
        || bytes_search(right, BYTES("::")) < right.n)
        return false;
    size_t head_n = parse_groups(left, gap == text.n, ip, 16);
    size_t tail_n = gap == text.n ? 0 : parse_groups(right, true, tail, 16);
    if (head_n > 16 || tail_n > 16 || (gap == text.n ? head_n != 16 : head_n + tail_n > 14))
        return false;
    memcpy(ip + 16 - tail_n, tail, tail_n);
    memcpy(ret_ip, ip, 16);
    return true;
}

static unsigned group_at(const uint8_t ip[static 16], unsigned i)
{
    return (unsigned)ip[2 * i] << 8 | ip[2 * i + 1];
}

static void put_group(struct buffer *to, unsigned group)
{
    static const char digits[] = "0123456789abcdef";
    bool begun = false;

    for (unsigned shift = 16; shift > 0;) {
        shift -= 4;
        unsigned digit = group >> shift & 15;
        begun = begun || digit != 0 || shift == 0;
        if (begun)
            buffer_put_char(to, digits[digit]);
    }
}

/* RFC 5952, 4.2: the longest run of two or more zero groups, the first of equal ones. */
static unsigned longest_zeros(const uint8_t ip[static 16], unsigned *ret_from)
{
    unsigned best = 1, run = 0;

    for (unsigned i = 0; i < 8; i++) {
        run = group_at(ip, i) == 0 ? run + 1 : 0;
        if (run > best) {
            best = run;
            *ret_from = i + 1 - run;
        }
    }
    return best > 1 ? best : 0;
}

static void put_quad(struct buffer *to, const uint8_t quad[static 4])
{
    for (unsigned i = 0; i < 4; i++) {
        if (i > 0)
            buffer_put_char(to, '.');
        buffer_put_uint(to, quad[i]);
    }
}

void ip_put(struct buffer *to, const uint8_t ip[static 16])
{
    unsigned from = 8;
    unsigned zeros = longest_zeros(ip, &from);

    if (ip_is_v4(ip)) {
        put_quad(to, ip + 12);
        return;
    }
    for (unsigned i = 0; i < 8; i++) {
        if (zeros > 0 && i == from) {
            buffer_put(to, BYTES("::"));
            i += zeros - 1;
            continue;
        }
        if (i > 0 && !(zeros > 0 && i == from + zeros))
            buffer_put_char(to, ':');
        put_group(to, group_at(ip, i));
    }
}

void net_address_put(struct buffer *to, const struct net_address *address)
{
    bool bare = ip_is_v4(address->ip);

    if (address->unix_peer) {
        buffer_put(to, BYTES("uid:"));
        buffer_put_uint(to, address->uid);
        return;
    }
    if (!bare)
        buffer_put_char(to, '[');
    ip_put(to, address->ip);
    if (!bare)
        buffer_put_char(to, ']');
    buffer_put_char(to, ':');
    buffer_put_uint(to, address->port);
}
