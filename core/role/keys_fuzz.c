/* SPDX-License-Identifier: ISC
 *
 * Frames between keys and front, in both directions: the input is (u8 whom, u16 length, octets)
 * over and over. Whom: bit 0 keys (from a front), else front (from keys); bit 1 the folder's answer
 * to keys; bit 2 a client's octets to front.
 */
#include "role/role.h"

#include "base/reader.h"
#include "role/wire.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

struct actor {
    const struct role_ops *ops;
    void *role;
    struct effects fx;
    uint64_t token;             /* of the last operation asked for */
};

static struct conf conf;

static void step(struct actor *actor, struct event event)
{
    if (actor->role == NULL || actor->fx.bad)
        return;
    event.now = (struct moment){ 5000, 1700000000000 };
    effects_clear(&actor->fx);
    actor->ops->step(actor->role, &event, &actor->fx);
    for (size_t i = 0; i < actor->fx.n; i++) {
        if (actor->fx.list[i].kind == FX_IO)
            actor->token = actor->fx.list[i].io.token;
        if (actor->fx.list[i].kind == FX_TELL
            && actor->fx.list[i].bytes.n + actor->fx.list[i].more.n > LIMIT_FRAME_BYTES)
            abort();
    }
}

static struct actor begin(const struct role_ops *ops, struct role_name peer)
{
    struct actor actor = { .ops = ops, .role = ops->make(&conf, 0), .fx = effects_none() };

    step(&actor, (struct event){
        .kind = EV_START, .bytes = BYTES("01234567890123456789012345678901") });
    step(&actor, (struct event){ .kind = EV_PEER_UP, .peer = peer, .bytes = BYTES_NONE });
    return actor;
}

static void end(struct actor *actor)
{
    if (actor->role != NULL)
        actor->ops->free(actor->role);
    effects_done(&actor->fx);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static const struct bytes domains[] = { BYTES_INIT("example.org") };
    const struct role_name to_front = { ROLE_FRONT, 0 }, to_keys = { ROLE_KEYS, 0 };
    struct reader in = reader_of((struct bytes){ (const char *)data, n });

    conf = (struct conf){
        .host = BYTES("mx.test"), .host_ascii = BYTES("mx.test"), .connections = 4,
        .domains = { domains, 1 }, .domains_ascii = { domains, 1 }, .size_most = 65536,
        .recipients_most = 100, .idle_ms = 1000, .listen_tls = 1, .fronts = 1,
        .certificates = n > 0 && data[0] & 64 ? BYTES("/keys") : BYTES_NONE,
    };
    struct actor keys = begin(&keys_ops, to_front), front = begin(&front_ops, to_keys);
    for (int frames = 0; frames < 100 && !reader_empty(&in) && reader_ok(&in); frames++) {
        uint8_t whom = read_u8(&in);
        uint16_t length = read_u16(&in);
        struct bytes left = reader_left(&in), text = read_bytes(&in, length < left.n ? length
                                                                                     : left.n);
        if (whom & 4) {
            step(&front, (struct event){ .kind = EV_ACCEPT, .conn = (uint32_t)frames,
                                         .bytes = BYTES_NONE });
            step(&front, (struct event){ .kind = EV_BYTES, .conn = (uint32_t)frames,
                                         .bytes = text });
            step(&front, (struct event){ .kind = EV_TURN, .bytes = BYTES_NONE });
        } else if (whom & 2) {
            step(&keys, (struct event){ .kind = EV_IO, .token = keys.token, .bytes = text });
        } else if (whom & 1) {
            step(&keys, (struct event){ .kind = EV_TOLD, .peer = to_front, .bytes = text });
        } else {
            step(&front, (struct event){ .kind = EV_TOLD, .peer = to_keys, .bytes = text });
        }
    }
    end(&keys);
    end(&front);
    return 0;
}
