/* SPDX-License-Identifier: ISC
 *
 * base/number.h: numbers from text and arithmetic that says when it does not fit.
 */
#ifndef POSTERN_BASE_NUMBER_H
#define POSTERN_BASE_NUMBER_H

#include "base/bytes.h"

/* All of the text is 1 to 20 decimal digits, nothing else, and fits; else false. */
MUST_USE bool number_parse(struct bytes text, uint64_t *ret_number);

static inline MUST_USE bool add_fits(uint64_t a, uint64_t b, uint64_t *ret_sum)
{
    return !__builtin_add_overflow(a, b, ret_sum);
}

static inline MUST_USE bool multiply_fits(uint64_t a, uint64_t b, uint64_t *ret_product)
{
    return !__builtin_mul_overflow(a, b, ret_product);
}

#endif
