/* SPDX-License-Identifier: ISC
 *
 * utf8_valid and utf8_take agree on every text, and neither steps over its end.
 */
#include "base/utf8.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct bytes text = { (const char *)data, n }, rest = text;
    uint32_t point;
    size_t took;

    while (rest.n > 0 && (took = utf8_take(rest, &point)) > 0) {
        if (took > rest.n || point > 0x10FFFF)
            abort();
        rest = bytes_skip(rest, took);
    }
    if (utf8_valid(text) != (rest.n == 0))
        abort();
    return 0;
}
