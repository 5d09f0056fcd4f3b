/* SPDX-License-Identifier: ISC */
#include "crypt/der.h"

#include "base/clock.h"

#include <assert.h>
#include <string.h>

enum { LENGTH_OCTETS_MOST = 4, DAY = 86400 };

/* ---- reading */

struct element {
    struct bytes whole, content;
    unsigned tag;
};

/* X.690, 8.1.3 and 10.1. Tags are of one octet: nothing that is read here has others. */
static bool read_element(struct bytes text, struct element *ret)
{
    size_t head = 2, n;

    if (text.n < 2 || (octet(text.at[0]) & 0x1F) == 0x1F)
        return false;
    n = octet(text.at[1]);
    if (n >= 0x80) {
        size_t octets = n & 0x7F;
        if (octets == 0 || octets > LENGTH_OCTETS_MOST || text.n < 2 + octets)
            return false;
        n = 0;
        for (size_t i = 0; i < octets; i++)
            n = n << 8 | octet(text.at[2 + i]);
        if (n < 0x80 || n >> (8 * (octets - 1)) == 0)
            return false;
        head += octets;
    }
    if (n > text.n - head)
        return false;
    ret->tag = octet(text.at[0]);
    ret->whole = bytes_first(text, head + n);
    ret->content = bytes_skip(ret->whole, head);
    return true;
}

static struct bytes fail(struct der *in)
{
    in->bad = true;
    return BYTES_NONE;
}

bool der_is(const struct der *in, unsigned tag)
{
    return !in->bad && in->left.n > 0 && octet(in->left.at[0]) == tag;
}

struct bytes der_take_any(struct der *in, unsigned *ret_tag)
{
    struct element one;

    if (in->bad || !read_element(in->left, &one))
        return fail(in);
    in->left = bytes_skip(in->left, one.whole.n);
    *ret_tag = one.tag;
    return one.content;
}

struct bytes der_take(struct der *in, unsigned tag)
{
    unsigned found;

    return der_is(in, tag) ? der_take_any(in, &found) : fail(in);
}

struct bytes der_take_whole(struct der *in, unsigned tag)
{
    struct bytes before = in->left;

    (void)der_take(in, tag);
    return in->bad ? BYTES_NONE : bytes_first(before, before.n - in->left.n);
}

struct der der_enter(struct der *in, unsigned tag)
{
    struct bytes content = der_take(in, tag);

    return (struct der){ .left = content, .bad = in->bad };
}

/* X.690, 8.3.2: the first nine bits are not all the same. */
struct bytes der_take_integer(struct der *in)
{
    struct bytes n = der_take(in, DER_INTEGER);

    if (in->bad || n.n == 0)
        return fail(in);
    if (n.n > 1 && ((octet(n.at[0]) == 0 && octet(n.at[1]) < 0x80)
                    || (octet(n.at[0]) == 0xFF && octet(n.at[1]) >= 0x80)))
        return fail(in);
    return n;
}

struct bytes der_take_unsigned(struct der *in)
{
    struct bytes n = der_take_integer(in);

    if (in->bad || octet(n.at[0]) >= 0x80)
        return fail(in);
    return n.n > 1 && n.at[0] == 0 ? bytes_skip(n, 1) : n;
}

uint64_t der_take_small(struct der *in)
{
    struct bytes n = der_take_unsigned(in);
    uint64_t number = 0;

    if (n.n > sizeof(number)) {
        in->bad = true;
        return 0;
    }
    for (size_t i = 0; i < n.n; i++)
        number = number << 8 | octet(n.at[i]);
    return number;
}

struct bytes der_take_bits(struct der *in)
{
    struct bytes bits = der_take(in, DER_BITS);

    if (in->bad || bits.n == 0 || bits.at[0] != 0)
        return fail(in);
    return bytes_skip(bits, 1);
}

void der_skip_null(struct der *in)
{
    if (der_is(in, DER_NULL) && der_take(in, DER_NULL).n != 0)
        in->bad = true;
}

/* Two digits from *text, stepping over them; 100 when they are none. */
static unsigned two_digits(struct bytes *text)
{
    if (text->n < 2 || !is_digit(text->at[0]) || !is_digit(text->at[1]))
        return 100;
    unsigned number = (unsigned)(text->at[0] - '0') * 10 + (unsigned)(text->at[1] - '0');
    *text = bytes_skip(*text, 2);
    return number;
}

static unsigned days_of(unsigned year, unsigned month)
{
    static const uint8_t days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

    return days[month - 1] + (unsigned)(month == 2 && leap);
}

/* Days from 1970-01-01; years and leap days counted from year 0. */
static int64_t days_before(unsigned year, unsigned month, unsigned day)
{
    int64_t y = (int64_t)year - 1;
    int64_t days = y * 365 + y / 4 - y / 100 + y / 400 - 719162;

    for (unsigned m = 1; m < month; m++)
        days += days_of(year, m);
    return days + day - 1;
}

int64_t der_take_time(struct der *in)
{
    bool full = der_is(in, DER_TIME);
    struct bytes text = der_take(in, full ? DER_TIME : DER_UTC_TIME);
    unsigned high = full ? two_digits(&text) : 0, year = two_digits(&text);
    unsigned month = two_digits(&text), day = two_digits(&text);
    unsigned hour = two_digits(&text), minute = two_digits(&text), second = 0;

    if (text.n != 1)
        second = two_digits(&text);
    year = full ? high * 100 + year : year + (year < 50 ? 2000 : 1900);
    if (in->bad || high == 100 || year >= 10000 || year == 0 || month < 1 || month > 12 || day < 1
        || day > days_of(year, month) || hour > 23 || minute > 59 || second > 59
        || !bytes_equal(text, BYTES("Z"))) {
        in->bad = true;
        return 0;
    }
    return days_before(year, month, day) * DAY + hour * 3600 + minute * 60 + second;
}

/* ---- writing */

static size_t length_octets(size_t n)
{
    size_t octets = 0;

    for (; n > 0; n >>= 8)
        octets++;
    return octets;
}

void der_end(struct buffer *to, size_t begun, unsigned tag)
{
    size_t n = to->n - begun, more = n < 0x80 ? 0 : length_octets(n);

    if (to->bad || buffer_grow(to, 2 + more) == NULL)
        return;
    char *at = to->at + begun;
    memmove(at + 2 + more, at, n);
    at[0] = (char)tag;
    at[1] = (char)(more == 0 ? n : 0x80 | more);
    for (size_t i = 0; i < more; i++)
        at[2 + i] = (char)(n >> (8 * (more - 1 - i)));
}

void der_put(struct buffer *to, unsigned tag, struct bytes content)
{
    size_t begun = der_begin(to);

    buffer_put(to, content);
    der_end(to, begun, tag);
}

void der_put_unsigned(struct buffer *to, struct bytes octets)
{
    size_t begun = der_begin(to);

    while (octets.n > 0 && octets.at[0] == 0)
        octets = bytes_skip(octets, 1);
    if (octets.n == 0 || octet(octets.at[0]) >= 0x80)
        buffer_put_char(to, 0);
    buffer_put(to, octets);
    der_end(to, begun, DER_INTEGER);
}

void der_put_small(struct buffer *to, uint64_t number)
{
    char octets[8];

    for (size_t i = 0; i < sizeof(octets); i++)
        octets[i] = (char)(number >> (8 * (7 - i)));
    der_put_unsigned(to, (struct bytes){ octets, sizeof(octets) });
}

void der_put_bits(struct buffer *to, struct bytes octets)
{
    size_t begun = der_begin(to);

    buffer_put_char(to, 0);
    buffer_put(to, octets);
    der_end(to, begun, DER_BITS);
}

void der_put_time(struct buffer *to, int64_t seconds)
{
    size_t begun = der_begin(to);

    assert(seconds >= 0);
    struct civil at = civil_of((uint64_t)seconds * 1000);
    bool full = at.year >= 2050;
    buffer_put_uint_wide(to, full ? at.year : at.year % 100, full ? 4 : 2);
    buffer_put_uint_wide(to, at.month, 2);
    buffer_put_uint_wide(to, at.day, 2);
    buffer_put_uint_wide(to, at.hour, 2);
    buffer_put_uint_wide(to, at.minute, 2);
    buffer_put_uint_wide(to, at.second, 2);
    buffer_put_char(to, 'Z');
    der_end(to, begun, full ? DER_TIME : DER_UTC_TIME);
}
