/* SPDX-License-Identifier: ISC
 *
 * What the store's file `memory` says to relay: nothing in it can stop relay, and relay can tell
 * what it made of it, and be told that again.
 */
#include "role/role.h"

#include "plan/conf.h"
#include "role/wire.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static struct effects fx;
static void *relay;

static void step(struct event event, uint64_t mono_ms)
{
    event.now = (struct moment){ mono_ms, UINT64_C(1767225600000) + mono_ms };
    effects_clear(&fx);
    relay_ops.step(relay, &event, &fx);
    if (fx.bad)
        abort();                        /* memory is not short here */
    for (size_t i = 0; i < fx.n; i++) {
        if (fx.list[i].kind == FX_TELL
            && fx.list[i].bytes.n + fx.list[i].more.n > LIMIT_FRAME_BYTES)
            abort();
    }
}

static void told(struct effects *frame, uint64_t mono_ms)
{
    struct buffer octets = buffer_with_most(LIMIT_FRAME_BYTES);

    buffer_put(&octets, frame->list[0].bytes);
    buffer_put(&octets, frame->list[0].more);
    step((struct event){ .kind = EV_TOLD, .peer = { ROLE_STORE, 0 },
                         .bytes = buffer_bytes(&octets) }, mono_ms);
    buffer_done(&octets);
    effects_done(frame);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static const struct role_name to = { ROLE_RELAY, 0 };
    static struct conf conf = { .host = BYTES_INIT("us.example"), .jobs = 4, .tlsrpt = true,
                                .destination_most = 4, .authorities_text = BYTES_INIT("") };
    struct effects frame = effects_none();
    struct bytes octets = { (const char *)data, n < 60000 ? n : 60000 };

    fx = effects_none();
    relay = relay_ops.make(&conf, 0);
    if (relay == NULL)
        abort();
    step((struct event){ .kind = EV_START, .bytes = BYTES("0123456789abcdef0123456789abcdef") },
         1000);
    wire_tell_memory(&frame, to, &(struct wire_memory){ 1, octets });
    told(&frame, 1000);
    wire_tell_peers_ask(&frame, to, &(struct wire_peers_ask){ 1, 0, BYTES_NONE });
    told(&frame, 1000);
    wire_tell_tlsrpt_ask(&frame, to, &(struct wire_tlsrpt_ask){ 2, 0, 0, BYTES_NONE });
    told(&frame, 1000);
    for (unsigned day = 1; day < 4; day++) {
        step((struct event){ .kind = EV_ALARM }, day * UINT64_C(86400000));
        step((struct event){ .kind = EV_TURN }, day * UINT64_C(86400000));
    }
    relay_ops.free(relay);
    effects_done(&fx);
    return 0;
}
