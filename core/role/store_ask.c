/* SPDX-License-Identifier: ISC */
#include "role/store_int.h"

#include "base/arena.h"

static void tell_front(uint32_t front, uint32_t token, uint8_t verdict, struct effects *fx)
{
    wire_tell_mailbox_is(fx, (struct role_name){ ROLE_FRONT, front },
                         &(struct wire_mailbox_is){ token, verdict });
}

/* A free place, looked for from where the last one was found. */
static struct store_ask *free_place(struct store *store)
{
    if (store->asks == NULL)
        store->asks = mem_new(STORE_ASKS_MOST * sizeof(*store->asks));
    if (store->asks == NULL || store->asks_n == STORE_ASKS_MOST)
        return NULL;
    while (store->asks[store->asks_next].used)
        store->asks_next = (store->asks_next + 1) % STORE_ASKS_MOST;
    return &store->asks[store->asks_next];
}

bool store_keeps(const struct store *store, struct bytes address)
{
    enum route_place place = routes_place(store->routes, address, NULL);

    return place == ROUTE_MAILBOX || place == ROUTE_SYSTEM;
}

void store_ask(struct store *store, uint32_t front, const struct wire_mailbox_ask *ask,
               struct effects *fx)
{
    bool here = store_keeps(store, ask->address);
    enum role_kind asked = here ? ROLE_LOCAL : ROLE_RELAY;
    bool up = here ? store->local : store->relay;
    struct store_ask *place = up ? free_place(store) : NULL;

    if (place == NULL) {
        tell_front(front, ask->token, MAILBOX_UNKNOWN, fx);
        return;
    }
    *place = (struct store_ask){ .used = true, .times = place->times + 1, .front = front,
                                 .token = ask->token, .asked = asked };
    uint32_t token = place->times * STORE_ASKS_MOST + (uint32_t)(place - store->asks);
    store->asks_n++;
    store->asks_next = (store->asks_next + 1) % STORE_ASKS_MOST;
    wire_tell_mailbox_ask(fx, (struct role_name){ asked, 0 },
                          &(struct wire_mailbox_ask){ token, ask->address });
}

static void forget(struct store *store, struct store_ask *place)
{
    place->used = false;
    store->asks_n--;
}

void store_answer(struct store *store, enum role_kind from, const struct wire_mailbox_is *is,
                  struct effects *fx)
{
    struct store_ask *place = store->asks == NULL ? NULL
        : &store->asks[is->token % STORE_ASKS_MOST];
    uint32_t times = is->token / STORE_ASKS_MOST;

    if (place == NULL || !place->used || place->asked != from
        || times != place->times % (UINT32_MAX / STORE_ASKS_MOST + 1)
        || is->verdict > MAILBOX_UNKNOWN)
        return;
    forget(store, place);
    tell_front(place->front, place->token, is->verdict, fx);
}

void store_asks_down(struct store *store, struct role_name peer, struct effects *fx)
{
    for (uint32_t i = 0; store->asks_n > 0 && i < STORE_ASKS_MOST; i++) {
        struct store_ask *place = &store->asks[i];
        bool concerns = peer.kind == ROLE_FRONT ? place->front == peer.index
                                                : place->asked == peer.kind;
        if (!place->used || !concerns)
            continue;
        forget(store, place);
        if (peer.kind != ROLE_FRONT)
            tell_front(place->front, place->token, MAILBOX_UNKNOWN, fx);
    }
}
