/* SPDX-License-Identifier: ISC */
#include "sim/armour.h"

enum { HEAD = 3, RECORD_MOST = 16384 };

static void put_record(struct buffer *to, char kind, struct bytes text)
{
    buffer_put_char(to, kind);
    buffer_put_u16(to, (uint16_t)text.n);
    buffer_put(to, text);
}

void armour_hello(struct buffer *to, struct bytes name) { put_record(to, 'H', name); }
void armour_through(struct buffer *to) { put_record(to, 'F', BYTES_NONE); }

void armour_wrap(struct buffer *to, struct bytes text, struct dice *dice)
{
    bool small = dice_below(dice, 4) == 0;

    while (text.n > 0) {
        size_t n = (size_t)dice_between(dice, 1, small ? 200 : RECORD_MOST);
        put_record(to, 'D', bytes_first(text, n));
        text = bytes_skip(text, n);
    }
}

void armour_certificate(struct buffer *to, struct bytes certificate)
{
    put_record(to, 'h', certificate);
}

/* `greeting`: the kind of record that the other side begins with. */
static enum armour_said take(struct buffer *from, struct buffer *plain, char greeting)
{
    struct bytes all = buffer_bytes(from);

    if (all.n < HEAD)
        return ARMOUR_MORE;
    char kind = all.at[0];
    size_t n = (size_t)octet(all.at[1]) | (size_t)octet(all.at[2]) << 8;
    if (kind != 'D' && kind != greeting && (kind != 'F' || greeting != 'H'))
        return ARMOUR_OVER;
    if (all.n < HEAD + n)
        return ARMOUR_MORE;
    if (kind == 'D')
        buffer_put(plain, bytes_first(bytes_skip(all, HEAD), n));
    buffer_drop(from, HEAD + n);
    return kind == greeting ? ARMOUR_READY : ARMOUR_TEXT;
}

enum armour_said armour_take(struct buffer *from, struct buffer *plain)
{
    return take(from, plain, 'h');
}

enum armour_said armour_take_served(struct buffer *from, struct buffer *plain)
{
    return take(from, plain, 'H');
}
