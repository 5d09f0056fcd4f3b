/* SPDX-License-Identifier: ISC */
#include "mail/date.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* A date that was read and can be written comes back as the same second. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct buffer text = buffer_with_most(64);
    struct date date, again;

    if (date_parse((struct bytes){ (const char *)data, n }, &date)) {
        assert(date.seconds > -100000000000 && date.seconds < 300000000000);
        assert(date.zone_minutes > -1440 && date.zone_minutes < 1440);
        if (date.seconds >= 0 && date.seconds < 253402300800) {
            date_put(&text, (uint64_t)date.seconds * 1000);
            bool read = date_parse(buffer_bytes(&text), &again);
            assert(read && again.seconds == date.seconds);
        }
    }
    buffer_done(&text);
    return 0;
}
