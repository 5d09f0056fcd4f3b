/* SPDX-License-Identifier: ISC
 *
 * Whatever a stranger sends, one event stays one line of printable text that is valid UTF-8.
 */
#include "base/limits.h"
#include "base/log.h"
#include "base/utf8.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct buffer line = buffer_with_most(8 * LIMIT_LOG_FIELD);

    log_theirs(&line, "k", (struct bytes){ (const char *)data, n });
    struct bytes rest = buffer_bytes(&line);
    if (line.bad || !utf8_valid(rest) || !bytes_begins(rest, BYTES(" k=")))
        abort();
    while (rest.n > 0) {
        uint32_t point;
        rest = bytes_skip(rest, utf8_take(rest, &point));
        if (utf8_is_unsafe(point))
            abort();
    }
    buffer_done(&line);
    return 0;
}
