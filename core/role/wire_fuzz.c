/* SPDX-License-Identifier: ISC
 *
 * Any octets as a frame, in every direction: what reads as a message says the same octets again.
 */
#include "role/wire.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void check_same(const struct effects *fx, struct bytes frame)
{
    struct bytes head = fx->list[0].bytes, tail = fx->list[0].more;

    if (fx->n != 1 || head.n + tail.n != frame.n || !bytes_begins(frame, head)
        || !bytes_equal(bytes_skip(frame, head.n), tail))
        abort();
}

#define M(NAME, name)                                                               \
    static void try_##name(struct bytes frame)                                      \
    {                                                                               \
        struct wire_##name message;                                                 \
        struct effects fx = effects_none();                                         \
        if (wire_read_##name(frame, &message)) {                                    \
            if (wire_kind_of(frame) != WIRE_##NAME##_MESSAGE)                       \
                abort();                                                            \
            wire_tell_##name(&fx, (struct role_name){ ROLE_STORE, 0 }, &message);   \
            check_same(&fx, frame);                                                 \
        }                                                                           \
        effects_done(&fx);                                                          \
    }
WIRE_LIST(M)
#undef M

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct bytes frame = { (const char *)data, n };
    enum { FRAME_MOST = 60 * 1024 };

    if (n > FRAME_MOST)
        return 0;
#define M(NAME, name) try_##name(frame);
    WIRE_LIST(M)
#undef M
    return 0;
}
