/* SPDX-License-Identifier: ISC */
#include "sim/trace.h"
#include "sim/world_int.h"

#include "role/wire.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>

static const char *const event_names[] = {
    [EV_START] = "start", [EV_ACCEPT] = "accept", [EV_BYTES] = "bytes", [EV_END] = "end",
    [EV_CLOSED] = "closed", [EV_DRAINED] = "drained", [EV_TOLD] = "told", [EV_PEER_UP] = "peer-up",
    [EV_PEER_DOWN] = "peer-down", [EV_IO] = "io", [EV_ALARM] = "alarm", [EV_TURN] = "turn",
    [EV_RELOAD] = "reload", [EV_STOP] = "stop", [EV_CHILD] = "child",
    [EV_CONNECTED] = "connected", [EV_ASKED] = "asked", [EV_RESOLVED] = "resolved",
    [EV_FETCHED] = "fetched",
};

static const char *const effect_names[] = {
    [FX_SEND] = "send", [FX_PAUSE] = "pause", [FX_RESUME] = "resume", [FX_CLOSE] = "close",
    [FX_ABORT] = "abort", [FX_DIAL] = "dial",
    [FX_TELL] = "tell", [FX_ALARM] = "alarm", [FX_IO] = "io",
    [FX_LOG] = "log", [FX_SPAWN] = "spawn", [FX_KILL] = "kill", [FX_RELOAD] = "reload",
    [FX_ANSWER] = "answer", [FX_USER] = "user",
    [FX_EXIT] = "exit", [FX_RESOLVE] = "resolve", [FX_FETCH] = "fetch",
    [FX_FETCH_END] = "fetch-end",
};

static const char *const io_names[] = {
    [IO_CREATE] = "create", [IO_OPEN] = "open", [IO_WRITE] = "write", [IO_READ] = "read",
    [IO_EXTEND] = "extend", [IO_TRUNCATE] = "truncate", [IO_SYNC] = "sync", [IO_CLOSE] = "close",
    [IO_RENAME] = "rename", [IO_LINK_NEW] = "link", [IO_UNLINK] = "unlink", [IO_MKDIR] = "mkdir",
    [IO_SYNC_DIR] = "sync-folder", [IO_LIST] = "list", [IO_STAT] = "stat", [IO_SPACE] = "space",
};

static const char *const fault_names[] = {
    [OK] = "", [FAULT_NO_SPACE] = "no-space", [FAULT_IO] = "io-error", [FAULT_GONE] = "gone",
    [FAULT_EXISTS] = "exists", [FAULT_DENIED] = "denied", [FAULT_TOO_MANY] = "too-many",
    [FAULT_NO_MEMORY] = "no-memory", [FAULT_SKIPPED] = "skipped",
    [FAULT_UNREACHED] = "unreached", [FAULT_QUOTA] = "quota",
};

void trace_print_text(struct bytes text)
{
    struct bytes shown = bytes_first(text, 100);

    putchar(' ');
    putchar('"');
    for (size_t i = 0; i < shown.n; i++) {
        char c = shown.at[i];
        if (c == '\r' || c == '\n')
            printf(c == '\r' ? "\\r" : "\\n");
        else
            putchar(isprint(octet(c)) ? c : '.');
    }
    printf("\"%s", text.n > shown.n ? "..." : "");
}

static void print_start(const struct world *world, const struct actor *actor, const char *sign)
{
    printf("%10.6f %s", (double)world->now_us / 1e6, sign);
    if (actor != NULL)
        printf(" %s%" PRIu32, actor->ops->name, actor->name.index);
}

void trace_note(struct world *world, const char *what, const struct actor *actor)
{
    world->hash = mix_bytes(world->hash, bytes_of(what));
    if (!world->plan.trace)
        return;
    print_start(world, actor, "**");
    printf(" %s\n", what);
}

void trace_event(const struct actor *actor, const struct event *event)
{
    struct world *world = actor->world;
    uint64_t who = (uint64_t)actor->name.kind << 32 | actor->name.index;

    world->hash = mix(world->hash, world->now_us);
    world->hash = mix(world->hash, who << 8 | (uint64_t)event->kind);
    world->hash = mix(world->hash, event->token ^ event->number ^ (uint64_t)event->fault << 60);
    world->hash = mix(world->hash, event->now.wall_ms ^ event->conn);
    world->hash = mix_bytes(world->hash, event->bytes);
    if (!world->plan.trace)
        return;
    print_start(world, actor, "->");
    printf(" %s", event_names[event->kind]);
    if (event->kind == EV_TOLD)
        printf(" %s", wire_name(wire_kind_of(event->bytes)));
    if (event->kind == EV_IO)
        printf(" token %" PRIx64 " number %" PRIu64 " %s", event->token, event->number,
               fault_names[event->fault]);
    if (event->kind >= EV_ACCEPT && event->kind <= EV_DRAINED)
        printf(" conn %" PRIu32, event->conn);
    if (event->kind == EV_BYTES || event->kind == EV_TOLD)
        trace_print_text(event->bytes);
    if (event->kind == EV_PEER_UP || event->kind == EV_PEER_DOWN)
        printf(" kind %d index %" PRIu32, (int)event->peer.kind, event->peer.index);
    putchar('\n');
}

void trace_print_io(const struct io *io)
{
    printf(" %s lane %u slot %u token %" PRIx64 "%s%s", io_names[io->kind], io->lane, io->file,
           io->token, io->linked ? " linked" : "", io->quiet ? " quiet" : "");
    if (io->name.n > 0)
        printf(" %.*s", (int)io->name.n, io->name.at);
    if (io->to.n > 0)
        printf(" to %.*s", (int)io->to.n, io->to.at);
    printf(" at %" PRIu64 " count %" PRIu64, io->offset,
           io->kind == IO_WRITE ? (uint64_t)io->data_n : io->count);
}

static void print_effect(const struct actor *actor, const struct effect *effect)
{
    print_start(actor->world, actor, "<-");
    printf(" %s", effect_names[effect->kind]);
    if (effect->kind == FX_TELL)
        printf(" %s to kind %d index %" PRIu32, wire_name(wire_kind_of(effect->bytes)),
               (int)effect->to.kind, effect->to.index);
    if (effect->kind == FX_IO)
        trace_print_io(&effect->io);
    if (effect->kind <= FX_ABORT)
        printf(" conn %" PRIu32, effect->conn);
    if (effect->kind == FX_ALARM || effect->kind == FX_EXIT)
        printf(" %" PRIu64, effect->number);
    if (effect->kind == FX_LOG)
        printf(" %.*s", (int)effect->bytes.n, effect->bytes.at);
    else if (effect->bytes.n > 0)
        trace_print_text(effect->bytes);
    putchar('\n');
}

void trace_effect(const struct actor *actor, const struct effect *effect)
{
    struct world *world = actor->world;
    const struct io *io = &effect->io;

    world->hash = mix(world->hash, (uint64_t)effect->kind << 48 | effect->conn);
    world->hash = mix(world->hash, effect->number);
    world->hash = mix_bytes(world->hash, effect->bytes);
    if (effect->more.n > 0)
        world->hash = mix_bytes(world->hash, effect->more);
    if (effect->kind == FX_IO) {
        world->hash = mix(world->hash, (uint64_t)io->kind << 32 | (uint64_t)io->lane << 16 |
        io->file); world->hash = mix(world->hash, io->offset ^ io->count << 32);
        world->hash = mix_bytes(world->hash, io->name);
        world->hash = mix_bytes(world->hash, io->to);
        if (io->data != NULL)
            world->hash = mix_bytes(world->hash, (struct bytes){ io->data, io->data_n });
    }
    if (world->plan.trace)
        print_effect(actor, effect);
}
