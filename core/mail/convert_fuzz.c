/* SPDX-License-Identifier: ISC */
#include "mail/convert.h"

#include "mail/convert_int.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The first octet chooses the server. Converted twice is converted once, and what was made for a
   server without 8BITMIME is ASCII. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes letter = { (const char *)data + 1, size - 1 };
    struct buffer once = buffer_with_most(1 << 22), twice = buffer_with_most(1 << 22);

    if (size > 0) {
        struct convert_for server = { data[0] & 1, (data[0] & 3) == 3, data[0] & 4 };
        bool utf8 = data[0] & 8;
        bool seven = !server.eight_bit && !server.binary && !server.utf8;
        enum convert_verdict verdict = convert_letter(letter, utf8, &server, &once);
        if (seven && verdict <= CONVERT_DONE
            && !convert_is_ascii(verdict == CONVERT_DONE ? buffer_bytes(&once) : letter))
            abort();
        if (verdict == CONVERT_DONE) {
            enum convert_verdict again = convert_letter(buffer_bytes(&once), utf8, &server, &twice);
            if (again == CONVERT_SIGNED)
                abort();
        } else if (once.n > 0) {
            abort();
        }
    }
    buffer_done(&once);
    buffer_done(&twice);
    return 0;
}
