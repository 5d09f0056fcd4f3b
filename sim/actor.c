/* SPDX-License-Identifier: ISC
 *
 * A process: it is started, stepped, its effects are done, it dies. */
#include "sim/world_int.h"

#include "sim/room.h"

#include <string.h>
#include <sysexits.h>

enum { MS = 1000, SECOND = 1000 * MS };

struct actor *actor_of(struct world *world, struct role_name name)
{
    for (size_t i = 0; i < world->actors_n; i++)
        if (world->actors[i].name.kind == name.kind && world->actors[i].name.index == name.index)
            return &world->actors[i];
    return NULL;
}

static void start_now(struct world *world, struct future *future)
{
    struct actor *actor = future->who;

    if (actor->life == future->life && !actor_alive(actor))
        actor_start(actor);
}

static void start_later(struct actor *actor, uint64_t after_us)
{
    world_later(actor->world, after_us, (struct future){
        .run = start_now, .who = actor, .life = actor->life });
}

static bool take_settings(struct actor *actor)
{
    const struct world_plan *plan = &actor->world->plan;

    actor->settings = arena_with_ceiling(1 << 20);
    actor->conf = arena_take(&actor->settings, sizeof(*actor->conf));
    return actor->conf != NULL
        && plan->settings(plan, actor->world->reloads, &actor->settings, actor->conf);
}

void actor_start(struct actor *actor)
{
    struct world *world = actor->world;
    uint64_t secret[4];

    if (take_settings(actor))
        actor->role = actor->ops->make(actor->conf, actor->name.index);
    if (actor->role == NULL) {
        world_break(world, "%s cannot be made", actor->ops->name);
        return;
    }
    actor->fx = effects_none();
    actor->lanes = lanes_new(world->disk);
    for (size_t i = 0; i < COUNT(secret); i++)
        secret[i] = dice_throw(&world->fate);
    trace_note(world, "starts", actor);
    actor_step(actor, (struct event){
        .kind = EV_START, .bytes = { (const char *)secret, sizeof(secret) } });
    if (actor_alive(actor))
        channels_open(actor);
}

static void count_kill(struct actor *actor)
{
    struct totals *totals = &actor->world->totals;

    if (actor->name.kind == ROLE_STORE)
        totals->kills_store++;
    else if (actor->name.kind == ROLE_LOCAL)
        totals->kills_local++;
    else if (actor->name.kind == ROLE_FRONT)
        totals->kills_front++;
    else
        totals->kills_others++;
}

void actor_die(struct actor *actor, bool power)
{
    struct world *world = actor->world;
    struct chooser chooser = dice_chooser(&world->disk_dice);

    if (!actor_alive(actor)) {
        actor->life += power;           /* a restart that was due does not happen without power */
        return;
    }
    trace_note(world, "dies", actor);
    if (!power)
        count_kill(actor);
    lanes_free(actor->lanes, &chooser);
    actor->ops->free(actor->role);
    effects_done(&actor->fx);
    arena_done(&actor->settings);
    actor->role = NULL;
    actor->lanes = NULL;
    actor->life++;
    actor->turn_due = false;
    if (world->watch.fault != NULL)
        world->watch.fault(world->watch.ctx, actor->name.kind);
    channels_cut(actor);
    net_cut_all(actor);
    if (!power)
        start_later(actor, dice_between(&world->fate, 10 * MS, 3 * SECOND));
}

/* ---- file operations */

static void pump_lanes(struct actor *actor);

static void tell_reports(struct actor *actor)
{
    struct world *world = actor->world;
    struct lane_report report;

    while (lanes_report(actor->lanes, &report)) {
        uint64_t at = world->now_us + dice_below(&world->order, 50);
        actor->told_io_us = at > actor->told_io_us ? at : actor->told_io_us + 1;
        actor_later(actor, actor->told_io_us - world->now_us, (struct event){
            .kind = EV_IO, .token = report.token, .fault = report.fault,
            .number = report.number, .bytes = report.bytes });
        room_free((void *)(uintptr_t)report.bytes.at);
    }
}

static void space_returns(struct world *world, struct future *future)
{
    world->full = false;
    disk_set_space(world->disk, (uint64_t)4 << 30);
}

/* What the disk does of its own accord, on the occasion of an operation. */
static void disk_moods(struct world *world)
{
    struct dice *dice = &world->disk_dice;

    if (dice_chance(dice, world->plan.odds.write_back)) {
        world->totals.write_back++;
        disk_write_back(world->disk, dice_chooser(dice));
    }
    if (!world->full && dice_chance(dice, world->plan.odds.space_ends)) {
        world->totals.space_ends++;
        world->full = true;
        disk_set_space(world->disk, dice_below(dice, 2) == 0 ? 0 : dice_below(dice, 1 << 20));
        world_later(world, dice_between(dice, 100 * MS, 20 * SECOND),
                    (struct future){ .run = space_returns });
    }
}

static void lane_ends(struct world *world, struct future *future)
{
    struct actor *actor = future->who;
    unsigned lane = (unsigned)future->a;

    if (actor->life != future->life)
        return;
    struct io io = *lanes_busy(actor->lanes, lane);
    char *name = room_copy(io.name), *to = room_copy(io.to);
    io.name.at = name;
    io.to.at = to;
    enum fault fault = lanes_end(actor->lanes, lane, (enum lane_luck)future->b,
                                 dice_chooser(&world->disk_dice));
    world->totals.operations++;
    if (world->watch.operation != NULL)
        world->watch.operation(world->watch.ctx, actor->name.kind, &io, fault);
    if ((enum lane_luck)future->b != LUCK_GOOD && world->watch.fault != NULL)
        world->watch.fault(world->watch.ctx, actor->name.kind);
    room_free(name);
    room_free(to);
    if (lanes_misuse(actor->lanes) != NULL)
        world_break(world, "%s: %s", actor->ops->name, lanes_misuse(actor->lanes));
    disk_moods(world);
    tell_reports(actor);
    pump_lanes(actor);
}

static void end_of_patience(struct world *world, struct future *future)
{
    struct actor *actor = future->who;

    if (actor->life == future->life)
        actor_die(actor, false);
}

enum { WRITES, SYNCS, OTHERS };

static unsigned class_of(enum io_kind kind)
{
    switch (kind) {
    case IO_WRITE: case IO_EXTEND: case IO_TRUNCATE: case IO_CREATE: return WRITES;
    case IO_SYNC: case IO_SYNC_DIR: return SYNCS;
    case IO_OPEN: case IO_READ: case IO_CLOSE: case IO_RENAME: case IO_LINK_NEW: case IO_UNLINK:
    case IO_MKDIR: case IO_LIST: case IO_STAT: case IO_SPACE: return OTHERS;
    }
    return OTHERS;
}

static enum lane_luck luck_of(struct world *world, unsigned class)
{
    const struct odds *odds = &world->plan.odds;
    struct totals *totals = &world->totals;
    uint32_t fails[] = { odds->write_fails, odds->sync_fails, odds->other_fails };
    uint64_t *counts[] = { &totals->write_fails, &totals->sync_fails, &totals->other_fails };

    if (!dice_chance(&world->disk_dice, fails[class]))
        return LUCK_GOOD;
    ++*counts[class];
    return class == WRITES && dice_below(&world->disk_dice, 2) == 0 ? LUCK_NO_SPACE : LUCK_FAILS;
}

static bool is_endless(struct world *world, unsigned class)
{
    const struct odds *odds = &world->plan.odds;

    if (class == WRITES && dice_chance(&world->disk_dice, odds->write_endless))
        return ++world->totals.write_endless > 0;
    if (class == SYNCS && dice_chance(&world->disk_dice, odds->sync_endless))
        return ++world->totals.sync_endless > 0;
    return false;
}

static uint64_t duration(struct world *world, unsigned class)
{
    struct dice *dice = &world->disk_dice;

    if (dice_chance(dice, world->plan.odds.slow_disk)) {
        world->totals.slow_disk++;
        return dice_between(dice, 100 * MS, 10 * SECOND);
    }
    return class == SYNCS ? dice_between(dice, 100, 20 * MS) : dice_between(dice, 5, 500);
}

static void begin(struct actor *actor, unsigned lane)
{
    struct world *world = actor->world;
    unsigned class = class_of(lanes_next(actor->lanes, lane)->kind);

    lanes_begin(actor->lanes, lane);
    if (is_endless(world, class)) {
        world_later(world, dice_between(&world->fate, 5 * SECOND, 60 * SECOND), (struct future){
            .run = end_of_patience, .who = actor, .life = actor->life });
        return;
    }
    world_later(world, duration(world, class), (struct future){
        .run = lane_ends, .who = actor, .life = actor->life, .a = lane,
        .b = luck_of(world, class) });
}

static void pump_lanes(struct actor *actor)
{
    for (unsigned lane = 0; lane < LIMIT_IO_LANES; lane++)
        if (lanes_next(actor->lanes, lane) != NULL)
            begin(actor, lane);
}

/* ---- steps */

static void deliver(struct world *world, struct future *future)
{
    struct actor *actor = future->who;
    struct event event;

    if (actor->life != future->life || !actor_alive(actor))
        return;
    memcpy(&event, future->bytes.at, sizeof(event));
    event.bytes.at = future->bytes.at + sizeof(event);
    actor_step(actor, event);
}

void actor_later(struct actor *actor, uint64_t after_us, struct event event)
{
    char *at = room_new(sizeof(event) + event.bytes.n);

    memcpy(at, &event, sizeof(event));
    if (event.bytes.n > 0)
        memcpy(at + sizeof(event), event.bytes.at, event.bytes.n);
    world_later(actor->world, after_us, (struct future){
        .run = deliver, .who = actor, .life = actor->life,
        .bytes = { at, sizeof(event) + event.bytes.n } });
}

static void turn(struct world *world, struct future *future)
{
    struct actor *actor = future->who;

    if (actor->life != future->life)
        return;
    actor->turn_due = false;
    actor_step(actor, (struct event){ .kind = EV_TURN });
}

static void turn_later(struct actor *actor)
{
    struct world *world = actor->world;
    uint64_t most = 100;

    if (actor->turn_due)
        return;
    actor->turn_due = true;
    if (dice_chance(&world->order, world->plan.odds.late_turn)) {
        world->totals.late_turn++;
        most = 10 * MS;
    }
    world_later(world, dice_below(&world->order, most), (struct future){
        .run = turn, .who = actor, .life = actor->life });
}

static void alarm_rings(struct world *world, struct future *future)
{
    struct actor *actor = future->who;

    if (actor->life == future->life && actor->alarms == future->a)
        actor_step(actor, (struct event){ .kind = EV_ALARM });
}

static void set_alarm(struct actor *actor, uint64_t mono_ms)
{
    struct world *world = actor->world;
    uint64_t at_us = world->boot_us + mono_ms * MS, wait = 0;

    actor->alarms++;
    if (mono_ms == 0)
        return;
    if (at_us > world->now_us)
        wait = at_us - world->now_us;
    world_later(world, wait + dice_below(&world->order, 2 * MS), (struct future){
        .run = alarm_rings, .who = actor, .life = actor->life, .a = actor->alarms });
}

/* False: the role is to end. */
static bool do_effect(struct actor *actor, struct effect *effect)
{
    trace_effect(actor, effect);
    switch (effect->kind) {
    case FX_SEND: case FX_PAUSE: case FX_RESUME: case FX_CLOSE: case FX_ABORT:
        net_effect(actor, effect);
        return true;
    case FX_DIAL: net_role_dials(actor, effect); return true;
    case FX_TELL: channel_tell(actor, effect); return true;
    case FX_ALARM: set_alarm(actor, effect->number); return true;
    case FX_IO:
        if (actor->world->watch.asked != NULL)
            actor->world->watch.asked(actor->world->watch.ctx, actor->name.kind, &effect->io);
        lanes_put(actor->lanes, &effect->io);
        effect->io.data = NULL;
        return true;
    case FX_LOG: return true;
    case FX_EXIT: return false;
    case FX_RESOLVE: case FX_FETCH: case FX_FETCH_END:
        outside_effect(actor, effect);
        return true;
    case FX_SPAWN: case FX_KILL: case FX_RELOAD: case FX_ANSWER: case FX_USER:
        world_break(actor->world, "%s does what only master may", actor->ops->name);
        return false;
    }
    return false;
}

static void do_effects(struct actor *actor)
{
    bool goes_on = !actor->fx.bad;

    for (size_t i = 0; i < actor->fx.n && goes_on; i++)
        goes_on = do_effect(actor, &actor->fx.list[i]);
    for (size_t i = 0; i < actor->fx.n; i++)
        if (actor->fx.list[i].kind == FX_IO)
            mem_free(actor->fx.list[i].io.data);
    if (goes_on) {
        lanes_step(actor->lanes);
        pump_lanes(actor);
        return;
    }
    trace_note(actor->world, actor->fx.bad ? "gives up" : "ends", actor);
    actor->world->totals.gave_up++;
    actor_die(actor, false);
}

static void moods(struct world *world)
{
    /* OS-010 */
    if (dice_chance(&world->fate, world->plan.odds.clock_jump)) {
        int64_t most = 2 * 3600 * 1000;
        world->totals.clock_jump++;
        world->wall_jump_ms = (int64_t)dice_below(&world->fate, 2 * (uint64_t)most) - most;
    }
    if (dice_chance(&world->fate, world->plan.odds.no_memory)) {
        world->totals.no_memory++;
        mem_fail_at(dice_between(&world->fate, 1, 12));
    }
}

void actor_step(struct actor *actor, struct event event)
{
    struct world *world = actor->world;

    if (!actor_alive(actor))
        return;
    event.now = world_moment(world);
    trace_event(actor, &event);
    if (event.kind == EV_CLOSED)
        actor->conns[event.conn] = NULL;        /* the number is free again */
    effects_clear(&actor->fx);
    moods(world);
    actor->ops->step(actor->role, &event, &actor->fx);
    mem_fail_at(0);
    world->totals.steps++;
    if (world->kill_in_steps > 0)
        world->kill_in_steps--;
    uint64_t life = actor->life;
    do_effects(actor);
    if (actor->life == life && event.kind != EV_TURN)
        turn_later(actor);
}

void actor_reload(struct actor *actor)
{
    struct arena before = actor->settings;

    if (!actor_alive(actor) || !take_settings(actor))
        return;
    actor_step(actor, (struct event){ .kind = EV_RELOAD, .conf = actor->conf });
    arena_done(&before);
}

void actor_stop(struct actor *actor)
{
    struct world *world = actor->world;

    if (!actor_alive(actor))
        return;
    world->totals.stops++;
    world_later(world, dice_between(&world->fate, 5 * SECOND, 60 * SECOND), (struct future){
        .run = end_of_patience, .who = actor, .life = actor->life });
    actor_step(actor, (struct event){ .kind = EV_STOP });
}
