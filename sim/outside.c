/* SPDX-License-Identifier: ISC
 *
 * What the roles names and fetch ask of the world outside: late, or never answered. */
#include "sim/world_int.h"

#include "dns/fetch.h"
#include "sim/room.h"

enum { MS = 1000, SECOND = 1000 * MS, ANSWER_MOST = 64 * 1024 };

static uint64_t delay(struct world *world)
{
    struct dice *dice = &world->net_dice;

    if (dice_chance(dice, world->plan.odds.slow_net))
        return dice_between(dice, 200 * MS, 25 * SECOND);
    return dice_between(dice, 100, 50 * MS);
}

static void resolve(struct actor *actor, const struct effect *effect)
{
    struct world *world = actor->world;
    struct buffer answer = buffer_with_most(ANSWER_MOST);

    if (world->outside.resolve(world->outside.ctx, (uint16_t)effect->conn, effect->bytes, &answer))
        actor_later(actor, delay(world), (struct event){
            .kind = EV_RESOLVED, .token = effect->number, .bytes = buffer_bytes(&answer) });
    buffer_done(&answer);
}

static void fetch(struct actor *actor, const struct effect *effect)
{
    struct world *world = actor->world;
    struct buffer body = buffer_with_most(ANSWER_MOST);
    struct fetch_order order;
    uint64_t number;

    if (!fetch_order_read(effect->bytes, &order))
        world_break(world, "fetch asks for what is no order");
    else if (order.addresses.n == 0)
        world_break(world, "fetch asks nobody");
    else if (world->outside.fetch(world->outside.ctx, order.url, &number, &body))
        actor_later(actor, delay(world), (struct event){
            .kind = EV_FETCHED, .token = effect->number, .number = number,
            .bytes = buffer_bytes(&body) });
    buffer_done(&body);
}

void outside_effect(struct actor *actor, const struct effect *effect)
{
    bool names = actor->name.kind == ROLE_NAMES, fetches = actor->name.kind == ROLE_FETCH;
    bool there = actor->world->outside.resolve != NULL;

    if (effect->kind == FX_RESOLVE && names && there)
        resolve(actor, effect);
    else if (effect->kind == FX_FETCH && fetches && there)
        fetch(actor, effect);
    else if (effect->kind != FX_FETCH_END || !fetches)  /* what it gave up it does not listen to */
        world_break(actor->world, "%s does what it may not", actor->ops->name);
}
