/* SPDX-License-Identifier: ISC */
#include "sim/world_int.h"

#include "sim/room.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { MS = 1000, SECOND = 1000 * MS };

/* 2026-01-01, so that times look like times. */
static const uint64_t WALL_START_MS = (uint64_t)1767225600 * 1000;

enum stream { STREAM_ORDER = 1, STREAM_DISK, STREAM_NET, STREAM_FATE, STREAM_OUTSIDE };

static void add_actor(struct world *world, enum role_kind kind, uint32_t index)
{
    if (world->plan.cast[kind] == NULL)
        return;
    world->actors[world->actors_n++] = (struct actor){
        .world = world, .name = { kind, index }, .ops = world->plan.cast[kind] };
}

struct world *world_new(const struct world_plan *plan)
{
    struct world *world = room_new(sizeof(*world));

    world->plan = *plan;
    world->now_us = 1010 * (uint64_t)SECOND;    /* the clock began before we did */
    world->off = true;
    world->order = dice_of(plan->seed, STREAM_ORDER);
    world->disk_dice = dice_of(plan->seed, STREAM_DISK);
    world->net_dice = dice_of(plan->seed, STREAM_NET);
    world->fate = dice_of(plan->seed, STREAM_FATE);
    world->others = dice_of(plan->seed, STREAM_OUTSIDE);
    world->disk = disk_new(plan->order);
    world->kills_left = plan->kills;
    add_actor(world, ROLE_STORE, 0);
    add_actor(world, ROLE_LOCAL, 0);
    add_actor(world, ROLE_ADMIN, 0);
    add_actor(world, ROLE_RELAY, 0);
    add_actor(world, ROLE_KEYS, 0);
    add_actor(world, ROLE_NAMES, 0);
    add_actor(world, ROLE_FETCH, 0);
    for (uint32_t i = 0; i < plan->fronts; i++)
        add_actor(world, ROLE_FRONT, i);
    channels_make(world);
    return world;
}

void world_free(struct world *world)
{
    world->watch = (struct world_watch){ .ctx = NULL };
    world->plan.trace = false;
    for (size_t i = 0; i < world->actors_n; i++)
        actor_die(&world->actors[i], true);
    net_done(world);
    room_free(world->flows);
    futures_done(&world->futures);
    disk_free(world->disk);
    room_free(world);
}

void world_watch(struct world *world, struct world_watch watch)
{
    world->watch = watch;
}

void world_outside(struct world *world, struct world_outside outside)
{
    world->outside = outside;
}

static void power_on(struct world *world, struct future *future)
{
    if (!world->off)
        return;
    world->off = false;
    world->boot_us = world->now_us - 1000 * (uint64_t)MS;
    disk_set_space(world->disk, (uint64_t)4 << 30);
    world->full = false;
    if (world->watch.power != NULL)
        world->watch.power(world->watch.ctx);
    for (size_t i = 0; i < world->actors_n; i++)
        if (!actor_alive(&world->actors[i]))
            actor_start(&world->actors[i]);
}

static void plan_kill(struct world *world)
{
    world->kill_in_steps = dice_between(&world->fate, 100, 3000);
}

void world_boot(struct world *world)
{
    power_on(world, NULL);
    plan_kill(world);
}

static void add_losses(struct totals *totals, const struct disk_losses *losses)
{
    totals->sectors_lost += losses->sectors[CUT_LOST];
    totals->sectors_kept += losses->sectors[CUT_KEPT];
    totals->sectors_torn += losses->sectors[CUT_TORN];
    totals->names_lost += losses->names[0];
    totals->names_kept += losses->names[1];
}

static void power_cut(struct world *world)
{
    struct disk_losses losses = { { 0 }, { 0 } };

    trace_note(world, "the power goes", NULL);
    world->totals.power_cuts++;
    world->off = true;
    for (size_t i = 0; i < world->actors_n; i++)
        actor_die(&world->actors[i], true);
    disk_crash(world->disk, dice_chooser(&world->disk_dice), false, &losses);
    add_losses(&world->totals, &losses);
    world_later(world, dice_between(&world->fate, SECOND, 20 * SECOND),
                (struct future){ .run = power_on });
}

static void reload(struct world *world)
{
    world->totals.reloads++;
    world->reloads++;
    for (size_t i = 0; i < world->actors_n; i++)
        actor_reload(&world->actors[i]);
}

/* Many are power cuts, or hit the store; the rest hit anybody. */
static void kill_now(struct world *world)
{
    struct actor *actor = &world->actors[dice_below(&world->fate, world->actors_n)];

    switch (dice_below(&world->fate, 8)) {
    case 0: case 1: case 2: power_cut(world); break;
    case 3: case 4:
        actor_die(actor_of(world, (struct role_name){ ROLE_STORE, 0 }), false);
        break;
    case 5: case 6: actor_die(actor, false); break;
    default: actor_stop(actor); break;
    }
    if (dice_below(&world->fate, 3) == 0)
        reload(world);
}

static void planned_kill(struct world *world)
{
    if (world->kills_left == 0 || world->kill_in_steps > 0 || world->calm)
        return;
    world->kills_left--;
    kill_now(world);
    plan_kill(world);
}

bool world_next(struct world *world)
{
    struct future future;

    if (world->broken[0] != '\0' || !futures_take(&world->futures, &future))
        return false;
    world->now_us = future.at_us;
    future.run(world, &future);
    room_free((void *)(uintptr_t)future.bytes.at);
    planned_kill(world);
    return world->broken[0] == '\0';
}

void world_later(struct world *world, uint64_t after_us, struct future future)
{
    future.at_us = world->now_us + after_us;
    future.tie = dice_throw(&world->order);
    futures_add(&world->futures, future);
}

uint64_t world_now_us(const struct world *world) { return world->now_us; }

struct moment world_moment(const struct world *world)
{
    uint64_t wall = WALL_START_MS + world->now_us / MS;

    return (struct moment){
        .mono_ms = (world->now_us - world->boot_us) / MS,
        .wall_ms = wall + (uint64_t)world->wall_jump_ms,
    };
}

struct disk *world_disk(struct world *world) { return world->disk; }
struct totals *world_totals(struct world *world) { return &world->totals; }
uint64_t world_hash(const struct world *world) { return world->hash; }
unsigned world_kills_left(const struct world *world) { return world->kills_left; }
struct dice *world_dice(struct world *world) { return &world->others; }
struct odds *world_odds(struct world *world) { return &world->plan.odds; }

void *world_role(struct world *world, struct role_name name)
{
    struct actor *actor = actor_of(world, name);

    return actor == NULL ? NULL : actor->role;
}

void world_calm(struct world *world)
{
    uint32_t split = world->plan.odds.split;

    world->calm = true;
    world->plan.odds = odds_none();
    world->plan.odds.split = split;
    uint64_t how = dice_below(&world->fate, 3);
    if (how == 0) {
        power_cut(world);
        return;
    }
    disk_set_space(world->disk, (uint64_t)4 << 30);
    world->full = false;
    if (how == 1)
        return;             /* what the faults left behind heals without a restart */
    for (size_t i = 0; i < world->actors_n; i++)
        actor_die(&world->actors[i], false);
}

bool world_all_up(const struct world *world)
{
    for (size_t i = 0; i < world->actors_n; i++)
        if (!actor_alive(&world->actors[i]))
            return false;
    return true;
}

void world_break(struct world *world, const char *format, ...)
{
    va_list list;

    if (world->broken[0] != '\0')
        return;
    va_start(list, format);
    vsnprintf(world->broken, sizeof(world->broken), format, list);
    va_end(list);
}

const char *world_broken(const struct world *world)
{
    return world->broken[0] == '\0' ? NULL : world->broken;
}
