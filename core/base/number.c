/* SPDX-License-Identifier: ISC */
#include "base/number.h"

bool number_parse(struct bytes text, uint64_t *ret_number)
{
    uint64_t number = 0;

    if (text.n == 0 || text.n > 20)
        return false;
    for (size_t i = 0; i < text.n; i++) {
        if (!is_digit(text.at[i]) || !multiply_fits(number, 10, &number)
            || !add_fits(number, (uint64_t)(text.at[i] - '0'), &number))
            return false;
    }
    *ret_number = number;
    return true;
}
