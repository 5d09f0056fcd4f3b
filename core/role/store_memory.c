/* SPDX-License-Identifier: ISC
 *
 * role/store_memory.c: what relay must not forget (relay_memory.c), kept on disk for it and told to
 * it when it begins, before its first job. The store does not look inside.
 */
#include "role/store_int.h"

enum { PART_OCTETS = 60 * 1024 };

static const struct role_name to_relay = { ROLE_RELAY, 0 };

void store_memory_tell(struct store *store, struct effects *fx)
{
    struct bytes octets = buffer_bytes(&store->memory.octets), part;

    if (!store->memory.known)
        return;
    do {
        part = bytes_first(octets, PART_OCTETS);
        octets = bytes_skip(octets, part.n);
        wire_tell_memory(fx, to_relay, &(struct wire_memory){ .last = octets.n == 0,
                                                              .octets = fx_keep(fx, part) });
    } while (octets.n > 0);
}

static void keep(struct store *store, struct effects *fx)
{
    bool begun = queue_keep(store->queue, QUEUE_KEEPS_MEMORY,
                            buffer_bytes(&store->memory.octets), fx);

    store->memory.writes = store->memory.writes || begun;
    store->memory.newer = !begun;
}

void store_memory_part(struct store *store, const struct wire_memory *part, struct effects *fx)
{
    struct store_memory *memory = &store->memory;

    if (memory->comes.most == 0)
        memory->comes = buffer_with_most(QUEUE_MEMORY_MOST);
    buffer_put(&memory->comes, part->octets);
    if (part->last == 0)
        return;
    if (!memory->comes.bad) {
        buffer_done(&memory->octets);
        memory->octets = memory->comes;
        memory->comes = buffer_with_most(QUEUE_MEMORY_MOST);
        memory->known = true;
        keep(store, fx);
    }
    buffer_done(&memory->comes);
}

void store_memory_lost(struct store *store)
{
    buffer_done(&store->memory.comes);
}

void store_memory_kept(struct store *store, const struct queue_news *news, struct effects *fx)
{
    struct store_memory *memory = &store->memory;

    if (news->more == QUEUE_KEPT_READ && !memory->known) {
        memory->known = true;
        memory->octets = buffer_with_most(QUEUE_MEMORY_MOST);
        buffer_put(&memory->octets, news->text);
        fx->bad = fx->bad || memory->octets.bad;
        if (store->relay)
            store_memory_tell(store, fx);
    } else if (news->more != QUEUE_KEPT_READ) {
        memory->writes = false;
    }
    if (memory->newer && !memory->writes)
        keep(store, fx);
}

void store_memory_done(struct store *store)
{
    buffer_done(&store->memory.octets);
    buffer_done(&store->memory.comes);
}

bool store_peers_told(const struct event *event, struct effects *fx)
{
    struct wire_peer_row row;

    if (!wire_read_peer_row(event->bytes, &row))
        return false;
    wire_tell_peer_row(fx, (struct role_name){ ROLE_ADMIN, 0 }, &row);
    return true;
}

void store_peers_ask(struct store *store, const struct wire_peers_ask *ask, struct effects *fx)
{
    enum { NOT_NOW = 2 };

    if (store->relay)
        wire_tell_peers_ask(fx, to_relay, ask);
    else
        wire_tell_answer_end(fx, (struct role_name){ ROLE_ADMIN, 0 },
                             &(struct wire_answer_end){ ask->token, NOT_NOW });
}
