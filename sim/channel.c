/* SPDX-License-Identifier: ISC
 *
 * Channels: frames in order, late, and lost when one side dies. */
#include "sim/world_int.h"

#include "role/rights.h"
#include "role/wire.h"
#include "sim/room.h"

#include <assert.h>
#include <string.h>

enum { MS = 1000 };

void channels_make(struct world *world)
{
    for (size_t a = 0; a < world->actors_n; a++)
        for (size_t b = a + 1; b < world->actors_n; b++) {
            struct actor *one = &world->actors[a], *two = &world->actors[b];
            if (!rights_talk(one->name.kind, two->name.kind))
                continue;
            assert(world->channels_n < WORLD_CHANNELS);
            world->channels[world->channels_n++] = (struct channel){ .side = { one, two } };
        }
}

static void say_up(struct world *world, struct future *future)
{
    struct channel *channel = future->who;
    unsigned side = (unsigned)future->a;

    if (!channel->open || channel->epoch != future->life)
        return;
    channel->told_up[side] = true;
    actor_step(channel->side[side], (struct event){
        .kind = EV_PEER_UP, .peer = channel->side[1 - side]->name });
}

static void open_channel(struct world *world, struct channel *channel)
{
    uint64_t base = dice_below(&world->order, 5 * MS);

    if (channel->open || !actor_alive(channel->side[0]) || !actor_alive(channel->side[1]))
        return;
    channel->open = true;
    channel->epoch++;
    for (unsigned side = 0; side < 2; side++) {
        uint64_t after = base + dice_below(&world->order, 2 * MS);
        channel->told_up[side] = false;
        channel->last_us[side] = world->now_us + after;
        world_later(world, after, (struct future){
            .run = say_up, .who = channel, .life = channel->epoch, .a = side });
    }
}

void channels_open(struct actor *actor)
{
    struct world *world = actor->world;

    for (size_t i = 0; i < world->channels_n; i++) {
        struct channel *channel = &world->channels[i];
        if (channel->side[0] == actor || channel->side[1] == actor)
            open_channel(world, channel);
    }
}

/* The survivor reads what the dead one had sent, up to a moment, and then learns of its death. */
static void cut(struct world *world, struct channel *channel, unsigned dead)
{
    unsigned survivor = 1 - dead;
    uint64_t after = dice_below(&world->order, 2 * MS);

    if (!channel->open)
        return;
    channel->open = false;
    channel->survivor = survivor;
    channel->cut_us = world->now_us + after;
    if (channel->told_up[survivor] && actor_alive(channel->side[survivor]))
        actor_later(channel->side[survivor], after + 1, (struct event){
            .kind = EV_PEER_DOWN, .peer = channel->side[dead]->name });
}

void channels_cut(struct actor *actor)
{
    struct world *world = actor->world;

    for (size_t i = 0; i < world->channels_n; i++)
        for (unsigned side = 0; side < 2; side++)
            if (world->channels[i].side[side] == actor)
                cut(world, &world->channels[i], side);
}

static void arrive(struct world *world, struct future *future)
{
    struct channel *channel = future->who;
    unsigned side = (unsigned)future->a;
    struct actor *to = channel->side[side];
    bool current = channel->open && channel->epoch == future->life;
    bool last_words = !channel->open && channel->epoch == future->life && side == channel->survivor
        && world->now_us <= channel->cut_us;

    if ((!current && !last_words) || to->life != future->b || !actor_alive(to)) {
        world->totals.frames_lost++;
        return;
    }
    credit_arrived(world, channel, future->bytes);
    if (world->watch.frame != NULL)
        world->watch.frame(world->watch.ctx, channel->side[1 - side]->name, to->name,
                           future->bytes);
    actor_step(to, (struct event){
        .kind = EV_TOLD, .peer = channel->side[1 - side]->name, .bytes = future->bytes });
}

static struct channel *between(struct world *world, const struct actor *from,
                               const struct actor *to)
{
    for (size_t i = 0; i < world->channels_n; i++) {
        struct channel *channel = &world->channels[i];
        if ((channel->side[0] == from && channel->side[1] == to)
            || (channel->side[0] == to && channel->side[1] == from))
            return channel;
    }
    return NULL;
}

static void check_frame(struct actor *from, const struct effect *effect)
{
    enum wire_kind kind = wire_kind_of(effect->bytes);

    if (!wire_allowed(kind, from->name.kind, effect->to.kind))
        world_break(from->world, "%s may not send %s there", from->ops->name, wire_name(kind));
    if (effect->bytes.n + effect->more.n > LIMIT_FRAME_BYTES)
        world_break(from->world, "%s sends too large a frame", from->ops->name);
}

void channel_tell(struct actor *from, const struct effect *effect)
{
    struct world *world = from->world;
    struct actor *to = actor_of(world, effect->to);
    struct channel *channel = between(world, from, to);

    check_frame(from, effect);
    unsigned side = channel != NULL && channel->side[0] == to ? 0 : 1;
    if (channel == NULL || !channel->open || !channel->told_up[1 - side]) {
        world->totals.frames_lost++;
        return;
    }
    char *at = room_new(effect->bytes.n + effect->more.n);
    memcpy(at, effect->bytes.at, effect->bytes.n);
    if (effect->more.n > 0)
        memcpy(at + effect->bytes.n, effect->more.at, effect->more.n);
    credit_sent(world, channel, (struct bytes){ at, effect->bytes.n + effect->more.n });
    uint64_t arrival = world->now_us + dice_between(&world->order, 5, 300);
    if (arrival <= channel->last_us[side])
        arrival = channel->last_us[side] + 1;
    channel->last_us[side] = arrival;
    world_later(world, arrival - world->now_us, (struct future){
        .run = arrive, .who = channel, .life = channel->epoch, .a = side, .b = to->life,
        .bytes = { at, effect->bytes.n + effect->more.n } });
}
