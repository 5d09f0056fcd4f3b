/* SPDX-License-Identifier: ISC
 *
 * Frames to the store, from each of its peers: the input is (u8 who, u16 length, octets) over and
 * over. Bit 7 of who: that peer goes down and comes up again first.
 */
#include "role/store_world_int.h"

#include "base/reader.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void come_and_go(struct store_world *w, struct role_name peer, bool down)
{
    if (down)
        store_world_step(w, (struct event){ .kind = EV_PEER_DOWN, .peer = peer });
    store_world_step(w, (struct event){ .kind = EV_PEER_UP, .peer = peer });
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static const enum role_kind peers[] = { ROLE_FRONT, ROLE_LOCAL, ROLE_ADMIN, ROLE_MASTER };
    static struct store_world world;
    struct reader in = reader_of((struct bytes){ (const char *)data, n });

    store_world_begin(&world);
    for (size_t i = 0; i < 3; i++)
        come_and_go(&world, (struct role_name){ peers[i], 0 }, false);
    for (int frames = 0; frames < 200 && !reader_empty(&in) && reader_ok(&in); frames++) {
        uint8_t who = read_u8(&in);
        struct role_name peer = { peers[who % 4], 0 };
        uint16_t length = read_u16(&in);
        struct bytes left = reader_left(&in);
        struct bytes frame = read_bytes(&in, length < left.n ? length : left.n);
        if ((who & 128) != 0)
            come_and_go(&world, peer, true);
        world.now.mono_ms += 20;
        world.now.wall_ms += 20;
        store_world_tell(&world, peer.kind, frame);
    }
    store_world_end(&world);
    return 0;
}
