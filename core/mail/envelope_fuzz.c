/* SPDX-License-Identifier: ISC */
#include "mail/envelope.h"
#include "mail/received.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* What can be read is written back octet for octet, and its trace fields are lines and nothing
   else. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct bytes text = { (const char *)data, n };
    struct buffer again = buffer_with_most(ENVELOPE_MOST);
    struct buffer fields = buffer_with_most(DELIVERY_FIELDS_MOST);
    struct envelope envelope;
    struct recipient recipient;

    if (envelope_read(text, &envelope)) {
        envelope_put(&again, &envelope);
        assert(!again.bad && bytes_equal(buffer_bytes(&again), text));
        delivery_put(&fields, &envelope, BYTES("a@example.org"), 1);
        assert(!fields.bad);
        for (size_t i = 0; i < fields.n; i++) {
            assert(fields.at[i] != '\0');
            assert(fields.at[i] != '\n' || (i > 0 && fields.at[i - 1] == '\r'));
            assert(fields.at[i] != '\r' || (i + 1 < fields.n && fields.at[i + 1] == '\n'));
        }
    }
    if (recipient_read(text, &recipient)) {
        buffer_clear(&again);
        recipient_put(&again, &recipient);
        assert(!again.bad && bytes_equal(buffer_bytes(&again), text));
    }
    buffer_done(&again);
    buffer_done(&fields);
    return 0;
}
