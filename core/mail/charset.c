/* SPDX-License-Identifier: ISC */
#include "mail/charset.h"

#include "base/utf8.h"

enum charset { UNKNOWN, UTF_8, US_ASCII, ISO_8859_1 };

/* The names and aliases of the IANA registry that are met in mail. */
static enum charset charset_of(struct bytes name)
{
    static const struct { const char *name; enum charset charset; } names[] = {
        { "utf-8", UTF_8 }, { "utf8", UTF_8 }, { "us-ascii", US_ASCII }, { "ascii", US_ASCII },
        { "ansi_x3.4-1968", US_ASCII }, { "ansi-x3.4-1968", US_ASCII }, { "l1", ISO_8859_1 },
        { "iso-8859-1", ISO_8859_1 }, { "iso8859-1", ISO_8859_1 }, { "iso_8859-1", ISO_8859_1 },
        { "latin1", ISO_8859_1 },
    };

    for (size_t i = 0; i < COUNT(names); i++) {
        if (bytes_equal_nocase(name, bytes_of(names[i].name)))
            return names[i].charset;
    }
    return UNKNOWN;
}

bool charset_known(struct bytes charset)
{
    return charset_of(charset) != UNKNOWN;
}

static bool breaks_lines(uint32_t point)
{
    return point == '\r' || point == '\n' || point == '\0';
}

/* The character the octets begin with, as UTF-8; returns how many octets it took. */
static size_t put_one(struct buffer *to, enum charset charset, struct bytes octets)
{
    uint32_t point = octet(octets.at[0]);
    size_t n = charset == UTF_8 ? utf8_take(octets, &point) : 1;
    bool bad = n == 0 || breaks_lines(point) || (charset == US_ASCII && point > 127);

    if (bad) {
        buffer_put_text(to, "\xef\xbf\xbd");
    } else if (charset == ISO_8859_1 && point > 127) {
        buffer_put_char(to, (char)(uint8_t)(0xC0 | point >> 6));
        buffer_put_char(to, (char)(uint8_t)(0x80 | (point & 0x3F)));
    } else {
        buffer_put(to, bytes_first(octets, n));
    }
    return n == 0 ? 1 : n;
}

bool charset_put(struct buffer *to, struct bytes charset, struct bytes octets)
{
    enum charset known = charset_of(charset);

    if (known == UNKNOWN)
        return false;
    while (octets.n > 0)
        octets = bytes_skip(octets, put_one(to, known, octets));
    return true;
}
