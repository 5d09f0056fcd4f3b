/* SPDX-License-Identifier: ISC */
#include "sim/world_int.h"

#include "sim/room.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { MS = 1000, SECOND = 1000 * MS, NET_MOST = 256 << 20 };

static void move_in(struct conn *conn);
static void move_out(struct conn *conn);

static uint64_t delay(struct world *world)
{
    struct dice *dice = &world->net_dice;

    if (dice_chance(dice, world->plan.odds.slow_net)) {
        world->totals.slow_net++;
        return dice_between(dice, 200 * MS, 5 * SECOND);
    }
    return dice_between(dice, 20, 5 * MS);
}

/* How many of n octets come now. */
static size_t piece(struct world *world, size_t n)
{
    struct dice *dice = &world->net_dice;

    if (n <= 1 || !dice_chance(dice, world->plan.odds.split))
        return n;
    world->totals.split++;
    switch (dice_below(dice, 3)) {
    case 0: return (size_t)dice_between(dice, 1, n < 8 ? n : 8);
    case 1: return n - (size_t)dice_between(dice, 1, n < 8 ? n - 1 : 7);
    default: return (size_t)dice_between(dice, 1, n);
    }
}

static bool role_listens(const struct conn *conn)
{
    return conn->accepted && !conn->over && !conn->role_closes
        && conn->actor->life == conn->life;
}

/* Neither side has it any more. The role is told when it still lives. */
static void finish(struct conn *conn, bool tell_client)
{
    void *client = conn->client;

    buffer_done(&conn->in);
    buffer_done(&conn->out);
    conn->client = NULL;
    if (!conn->over) {
        conn->over = true;
        if (conn->accepted && conn->actor->life == conn->life)
            actor_later(conn->actor, dice_below(&conn->world->order, 500), (struct event){
                .kind = EV_CLOSED, .conn = conn->number });
    }
    if (tell_client && client != NULL)
        conn->ops->closed(client);
}

/* The number is free once the role has been told. */
static uint32_t free_number(struct actor *actor)
{
    uint32_t number = 0;

    while (number < actor->conns_room && actor->conns[number] != NULL)
        number++;
    actor->conns = room_for(actor->conns, &actor->conns_room, number + 1u,
                            sizeof(struct conn *));
    return number;
}

static struct net_address somewhere(struct dice *dice, uint16_t port)
{
    struct net_address address = { .port = port };

    address.ip[10] = address.ip[11] = 0xff;
    memcpy(address.ip + 12, (uint8_t[]){ 192, 0, 2, (uint8_t)dice_below(dice, 256) }, 4);
    if (dice_below(dice, 3) == 0)
        memcpy(address.ip, (uint8_t[]){ 0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 1 }, 12);
    return address;
}

static void accepted(struct world *world, struct future *future)
{
    struct conn *conn = future->who;
    struct actor *actor = conn->actor;

    if (conn->client == NULL)
        return;
    if (!actor_alive(actor)) {
        finish(conn, true);
        return;
    }
    conn->accepted = true;
    conn->life = actor->life;
    conn->number = free_number(actor);
    actor->conns[conn->number] = conn;
    conn->ops->opened(conn->client);
    actor_step(actor, (struct event){
        .kind = EV_ACCEPT, .conn = conn->number,
        .remote = somewhere(&world->net_dice, (uint16_t)dice_between(&world->net_dice, 1024,
        65535)), .local = somewhere(&world->net_dice, 25) });
    move_in(conn);
}

struct conn *net_dial(struct world *world, uint32_t front, const struct net_client *ops,
                      void *client)
{
    struct conn *conn = room_new(sizeof(*conn));

    *conn = (struct conn){
        .world = world, .actor = actor_of(world, (struct role_name){ ROLE_FRONT, front }),
        .ops = ops, .client = client, .in = buffer_with_most(NET_MOST),
        .out = buffer_with_most(NET_MOST), .next = world->conns,
    };
    world->conns = conn;
    world_later(world, delay(world), (struct future){ .run = accepted, .who = conn });
    return conn;
}

/* ---- a role dials */

void net_serve(struct world *world, enum net_place place, struct net_server server)
{
    world->servers[place] = server;
}

static void dialled(struct world *world, struct future *future)
{
    struct conn *conn = future->who;
    struct actor *actor = conn->actor;
    struct event event = { .kind = EV_CONNECTED, .token = future->a };
    const struct net_server *server = &world->servers[conn->by_path ? NET_PATHS : NET_ADDRESSES];

    if (actor->life != future->life || !actor_alive(actor)) {
        conn->over = true;
        return;
    }
    if (!dice_chance(&world->net_dice, world->plan.odds.cut) && server->accept != NULL)
        conn->client = server->accept(server->ctx, conn, &conn->at, &conn->ops);
    if (conn->client == NULL || conn->over) {
        conn->over = true;
        event.fault = FAULT_UNREACHED;
        actor_step(actor, event);
        return;
    }
    conn->accepted = true;
    conn->life = actor->life;
    conn->number = free_number(actor);
    actor->conns[conn->number] = conn;
    event.conn = conn->number;
    actor_step(actor, event);
    move_in(conn);
}

void net_role_dials(struct actor *actor, const struct effect *effect)
{
    struct world *world = actor->world;
    struct conn *conn = room_new(sizeof(*conn));
    uint64_t after_us = delay(world);

    *conn = (struct conn){ .world = world, .actor = actor, .in = buffer_with_most(NET_MOST),
                           .out = buffer_with_most(NET_MOST), .next = world->conns,
                           .at = effect->address, .by_path = effect->bytes.n > 0 };
    world->conns = conn;
    if (!conn->by_path && dice_chance(&world->net_dice, world->plan.odds.black_hole)) {
        world->totals.black_hole++;
        after_us += dice_between(&world->net_dice, 10 * SECOND, 130 * SECOND);
    }
    world_later(world, after_us, (struct future){
        .run = dialled, .who = conn, .life = actor->life, .a = effect->number });
}

/* ---- towards the role */

static void in_arrives(struct world *world, struct future *future)
{
    struct conn *conn = future->who;
    size_t n = piece(world, conn->in.n);

    conn->in_due = false;
    if (conn->over || conn->paused)
        return;
    if (dice_chance(&world->net_dice, world->plan.odds.cut)) {
        world->totals.cut++;
        finish(conn, true);
        return;
    }
    if (n > 0 && role_listens(conn)) {
        struct bytes all = buffer_bytes(&conn->in);
        char *copy = room_copy(bytes_first(all, n));
        buffer_drop(&conn->in, n);
        actor_step(conn->actor, (struct event){
            .kind = EV_BYTES, .conn = conn->number, .bytes = { copy, n } });
        room_free(copy);
    } else if (n > 0) {
        buffer_drop(&conn->in, n);
    }
    if (conn->in.n == 0 && conn->client_ended && !conn->end_told && role_listens(conn)) {
        conn->end_told = true;
        actor_step(conn->actor, (struct event){ .kind = EV_END, .conn = conn->number });
    }
    move_in(conn);
}

static void move_in(struct conn *conn)
{
    bool something = conn->in.n > 0 || (conn->client_ended && !conn->end_told);

    if (conn->in_due || conn->over || conn->paused || !conn->accepted || !something
        || conn->role_closes)
        return;
    conn->in_due = true;
    world_later(conn->world, delay(conn->world), (struct future){ .run = in_arrives, .who = conn });
}

void net_send(struct conn *conn, struct bytes bytes)
{
    if (conn->over)
        return;
    buffer_put(&conn->in, bytes);
    if (conn->in.bad)
        abort();
    move_in(conn);
}

void net_end(struct conn *conn)
{
    conn->client_ended = true;
    move_in(conn);
}

void net_reset(struct conn *conn)
{
    conn->client = NULL;
    if (!conn->over)
        finish(conn, false);
}

/* ---- towards the client */

static void out_arrives(struct world *world, struct future *future)
{
    struct conn *conn = future->who;
    size_t n = piece(world, conn->out.n);

    conn->out_due = false;
    if (conn->over)
        return;
    if (dice_chance(&world->net_dice, world->plan.odds.cut)) {
        world->totals.cut++;
        finish(conn, true);
        return;
    }
    if (n > 0) {
        char *copy = room_copy(bytes_first(buffer_bytes(&conn->out), n));
        buffer_drop(&conn->out, n);
        if (conn->client != NULL)
            conn->ops->bytes(conn->client, (struct bytes){ copy, n });
        room_free(copy);
        if (conn->over)
            return;
        if (conn->out.n == 0 && role_listens(conn))
            actor_step(conn->actor, (struct event){ .kind = EV_DRAINED, .conn = conn->number });
    }
    move_out(conn);
}

static void move_out(struct conn *conn)
{
    if (conn->over || conn->out_due)
        return;
    if (conn->out.n == 0 && conn->role_closes) {
        finish(conn, true);
        return;
    }
    if (conn->out.n == 0)
        return;
    conn->out_due = true;
    world_later(conn->world, delay(conn->world), (struct future){ .run = out_arrives, .who = conn
    });
}

static void close_later(struct world *world, struct future *future)
{
    struct conn *conn = future->who;

    if (!conn->over)
        move_out(conn);
}

/* ---- what a role asks for */

void net_effect(struct actor *actor, const struct effect *effect)
{
    struct world *world = actor->world;
    struct conn *conn = effect->conn < actor->conns_room ? actor->conns[effect->conn] : NULL;

    if (conn == NULL) {
        world_break(world, "%s uses a connection it does not have", actor->ops->name);
        return;
    }
    if (conn->over || conn->role_closes)
        return;
    if (effect->kind == FX_SEND) {
        buffer_put(&conn->out, effect->bytes);
        move_out(conn);
    } else if (effect->kind == FX_PAUSE) {
        conn->paused = true;
    } else if (effect->kind == FX_RESUME) {
        conn->paused = false;
        move_in(conn);
    } else if (effect->kind == FX_CLOSE) {
        conn->role_closes = true;
        world_later(world, dice_below(&world->order, 100),
                    (struct future){ .run = close_later, .who = conn });
    } else {
        finish(conn, true);
    }
}

void net_cut_all(struct actor *actor)
{
    for (size_t i = 0; i < actor->conns_room; i++) {
        struct conn *conn = actor->conns[i];
        actor->conns[i] = NULL;
        if (conn != NULL && !conn->over)
            finish(conn, true);
    }
}

void net_done(struct world *world)
{
    struct conn *conn = world->conns;

    while (conn != NULL) {
        struct conn *next = conn->next;
        buffer_done(&conn->in);
        buffer_done(&conn->out);
        room_free(conn);
        conn = next;
    }
    for (size_t i = 0; i < world->actors_n; i++)
        room_free(world->actors[i].conns);
}
