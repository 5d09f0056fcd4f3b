/* SPDX-License-Identifier: ISC */
#include "base/id.h"

static const char alphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

void id_write(uint64_t id, char ret_text[static ID_TEXT])
{
    for (size_t i = ID_TEXT; i > 0; i--) {
        ret_text[i - 1] = alphabet[id & 31];
        id >>= 5;
    }
}

static int digit_of(char c)
{
    c = to_upper(c);
    if (c == 'I' || c == 'L')
        c = '1';
    if (c == 'O')
        c = '0';
    for (int i = 0; i < 32; i++)
        if (alphabet[i] == c)
            return i;
    return -1;
}

bool id_parse(struct bytes text, uint64_t *ret_id)
{
    uint64_t id = 0;

    if (text.n != ID_TEXT)
        return false;
    for (size_t i = 0; i < text.n; i++) {
        int digit = digit_of(text.at[i]);
        if (digit < 0 || id >> 59 != 0)
            return false;
        id = id << 5 | (uint64_t)digit;
    }
    *ret_id = id;
    return true;
}
