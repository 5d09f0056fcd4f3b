/* SPDX-License-Identifier: ISC */
#include "base/utf8.h"

static bool is_tail(char c)
{
    return (octet(c) & 0xC0) == 0x80;
}

/* RFC 3629, 4: UTF8-2 .. UTF8-4; the least code point of each length rules overlong forms out. */
size_t utf8_take(struct bytes text, uint32_t *ret_point)
{
    static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };

    if (text.n == 0)
        return 0;
    uint8_t lead = octet(text.at[0]);
    if (lead < 0x80)
        return *ret_point = lead, 1;
    size_t n = lead >= 0xF8 ? 0 : lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC0 ? 2 : 0;
    if (n == 0 || text.n < n)
        return 0;
    uint32_t point = lead & (0x7Fu >> n);
    for (size_t i = 1; i < n; i++) {
        if (!is_tail(text.at[i]))
            return 0;
        point = point << 6 | (octet(text.at[i]) & 0x3Fu);
    }
    if (point < least[n] || point > 0x10FFFF || (point >= 0xD800 && point <= 0xDFFF))
        return 0;
    return *ret_point = point, n;
}

size_t utf8_ascii(struct bytes text)
{
    size_t i = 0;
    uint64_t eight;

    for (; i + 8 <= text.n; i += 8) {
        memcpy(&eight, text.at + i, 8);
        if ((eight & 0x8080808080808080) != 0)
            break;
    }
    while (i < text.n && octet(text.at[i]) < 0x80)
        i++;
    return i;
}

bool utf8_valid(struct bytes text)
{
    uint32_t point;

    for (text = bytes_skip(text, utf8_ascii(text)); text.n > 0;) {
        size_t n = octet(text.at[0]) < 0x80 ? utf8_ascii(text) : utf8_take(text, &point);
        if (n == 0)
            return false;
        text = bytes_skip(text, n);
    }
    return true;
}

bool utf8_is_unsafe(uint32_t point)
{
    return point < 0x20 || (point >= 0x7F && point < 0xA0) || point == 0xAD || point == 0x61C
        || (point >= 0x200B && point <= 0x200F) || (point >= 0x2028 && point <= 0x202E)
        || (point >= 0x2060 && point <= 0x206F) || point == 0xFEFF
        || (point >= 0xFFF0 && point < 0xFFFC)
        || point >= 0xE0000;
}
