/* SPDX-License-Identifier: ISC */
#include "mail/xtext.h"

#include "base/qp.h"
#include "base/reader.h"
#include "base/utf8.h"

enum { ADDR_TYPE_MOST = 40, HEXPOINT_MOST = 6 };

static bool is_xchar(char c)
{
    return octet(c) >= 33 && octet(c) <= 126 && c != '+' && c != '=';
}

static void put_char(struct buffer *to, char c)
{
    if (to != NULL)
        buffer_put_char(to, c);
}

/* Upper case alone, as the grammar has it. */
static int hex_digit(int c)
{
    return c >= 'a' && c <= 'f' ? -1 : hex_value((char)c);
}

static bool take_hexchar(struct reader *in, struct buffer *to)
{
    if (!take_char(in, '+') || reader_left(in).n < 2)
        return false;
    int high = hex_digit(read_u8(in)), low = hex_digit(read_u8(in));
    if (high < 0 || low < 0 || high * 16 + low < 32 || high * 16 + low > 126)
        return false;
    put_char(to, (char)(high * 16 + low));
    return true;
}

bool xtext_decode(struct bytes text, struct buffer *to)
{
    struct reader in = reader_of(text);

    while (!reader_empty(&in)) {
        int c = peek_octet(&in);
        if (is_xchar((char)c))
            put_char(to, (char)read_u8(&in));
        else if (!take_hexchar(&in, to))
            return false;
    }
    return true;
}

void xtext_put(struct buffer *to, struct bytes text)
{
    static const char digits[] = "0123456789ABCDEF";

    for (size_t i = 0; i < text.n; i++) {
        if (is_xchar(text.at[i])) {
            buffer_put_char(to, text.at[i]);
        } else {
            buffer_put_char(to, '+');
            buffer_put_char(to, digits[octet(text.at[i]) >> 4]);
            buffer_put_char(to, digits[octet(text.at[i]) & 15]);
        }
    }
}

/* RFC 3629. The point is below 0x110000 and no surrogate. */
static void put_point(struct buffer *to, uint32_t point)
{
    if (point < 0x80) {
        put_char(to, (char)point);
        return;
    }
    if (point < 0x800) {
        put_char(to, (char)(0xc0 | point >> 6));
    } else {
        if (point < 0x10000) {
            put_char(to, (char)(0xe0 | point >> 12));
        } else {
            put_char(to, (char)(0xf0 | point >> 18));
            put_char(to, (char)(0x80 | (point >> 12 & 0x3f)));
        }
        put_char(to, (char)(0x80 | (point >> 6 & 0x3f)));
    }
    put_char(to, (char)(0x80 | (point & 0x3f)));
}

/* EmbeddedUnicodeChar = "\x{" HEXPOINT "}": two to six digits, none of them a needless zero; the
   controls that the grammar would let through are refused. */
static bool take_embedded(struct reader *in, struct buffer *to)
{
    uint32_t point = 0;
    size_t n = 0;
    int digit;

    if (!take_nocase(in, BYTES("\\x{")))
        return false;
    bool zero = peek_octet(in) == '0';
    while ((digit = peek_octet(in) < 0 ? -1 : hex_value((char)peek_octet(in))) >= 0) {
        (void)read_u8(in);
        point = point * 16 + (uint32_t)digit;
        if (++n > HEXPOINT_MOST)
            return false;
    }
    bool surrogate = point >= 0xd800 && point <= 0xdfff;
    if (n < 2 || zero || surrogate || point > 0x10ffff || !take_char(in, '}')
        || utf8_is_unsafe(point))
        return false;
    put_point(to, point);
    return true;
}

static bool take_raw(struct reader *in, struct buffer *to)
{
    uint32_t point;
    size_t n = utf8_take(reader_left(in), &point);

    if (n < 2 || utf8_is_unsafe(point))
        return false;
    struct bytes raw = read_bytes(in, n);
    if (to != NULL)
        buffer_put(to, raw);
    return true;
}

static bool utf8_address(struct bytes text, bool utf8, struct buffer *to)
{
    struct reader in = reader_of(text);

    while (!reader_empty(&in)) {
        int c = peek_octet(&in);
        bool well = c == '\\' ? take_embedded(&in, to) : c >= 0x80 && utf8 && take_raw(&in, to);
        if (well)
            continue;
        if (c == '\\' || !is_xchar((char)c))
            return false;
        put_char(to, (char)read_u8(&in));
    }
    return true;
}

/* An atom of RFC 822 could hold more, but every registered type is letters, digits and hyphens. */
static bool is_type(struct bytes text)
{
    if (text.n == 0 || text.n > ADDR_TYPE_MOST)
        return false;
    for (size_t i = 0; i < text.n; i++)
        if (!is_alnum(text.at[i]) && text.at[i] != '-')
            return false;
    return true;
}

static bool is_ascii(struct bytes text)
{
    for (size_t i = 0; i < text.n; i++)
        if (octet(text.at[i]) > 126)
            return false;
    return true;
}

/* EmbeddedUnicodeChar. */
static void put_embedded(struct buffer *to, uint32_t point)
{
    static const char digits[] = "0123456789ABCDEF";
    unsigned shift = 20;

    buffer_put(to, BYTES("\\x{"));
    while (shift > 4 && point >> shift == 0)
        shift -= 4;
    for (;; shift -= 4) {
        buffer_put_char(to, digits[point >> shift & 15]);
        if (shift == 0)
            break;
    }
    buffer_put_char(to, '}');
}

void orcpt_put(struct buffer *to, struct bytes address)
{
    uint32_t point;

    if (is_ascii(address)) {
        buffer_put(to, BYTES("rfc822;"));
        xtext_put(to, address);
        return;
    }
    buffer_put(to, BYTES("utf-8;"));
    while (address.n > 0) {
        size_t n = utf8_take(address, &point);
        if (n == 0) {
            to->bad = true;
            return;
        }
        if (n == 1 && is_xchar(address.at[0]) && address.at[0] != '\\')
            buffer_put_char(to, address.at[0]);
        else
            put_embedded(to, point);
        address = bytes_skip(address, n);
    }
}

bool orcpt_decode(struct bytes text, bool utf8, struct buffer *to)
{
    struct bytes type = bytes_upto(text, ';'), address = bytes_skip(text, type.n + 1);

    if (type.n == text.n || !is_type(type) || address.n == 0)
        return false;
    if (to != NULL)
        buffer_put(to, bytes_first(text, type.n + 1));
    return bytes_equal_nocase(type, BYTES("utf-8")) ? utf8_address(address, utf8, to)
                                                    : xtext_decode(address, to);
}
