/* SPDX-License-Identifier: ISC */
#include "base/reader.h"

struct bytes read_bytes(struct reader *in, size_t n)
{
    if (in->bad || n > in->all.n - in->at) {
        in->bad = true;
        return BYTES_NONE;
    }
    struct bytes taken = { in->all.at + in->at, n };
    in->at += n;
    return taken;
}

static uint64_t read_little(struct reader *in, size_t n)
{
    struct bytes taken = read_bytes(in, n);
    uint64_t number = 0;

    for (size_t i = taken.n; i > 0; i--)
        number = number << 8 | octet(taken.at[i - 1]);
    return number;
}

uint8_t read_u8(struct reader *in) { return (uint8_t)read_little(in, 1); }
uint16_t read_u16(struct reader *in) { return (uint16_t)read_little(in, 2); }
uint32_t read_u32(struct reader *in) { return (uint32_t)read_little(in, 4); }
uint64_t read_u64(struct reader *in) { return read_little(in, 8); }

struct bytes read_block(struct reader *in)
{
    return read_bytes(in, read_u32(in));
}

struct bytes read_rest(struct reader *in)
{
    return read_bytes(in, in->bad ? 0 : in->all.n - in->at);
}

bool take_char(struct reader *in, char c)
{
    if (in->at == in->all.n || in->all.at[in->at] != c)
        return false;
    in->at++;
    return true;
}

bool take_nocase(struct reader *in, struct bytes text)
{
    if (!bytes_begins_nocase(reader_left(in), text))
        return false;
    in->at += text.n;
    return true;
}

struct bytes take_while(struct reader *in, bool (*class)(char))
{
    size_t from = in->at;

    while (in->at < in->all.n && class(in->all.at[in->at]))
        in->at++;
    return (struct bytes){ in->all.at + from, in->at - from };
}
