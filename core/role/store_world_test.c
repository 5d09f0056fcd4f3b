/* SPDX-License-Identifier: ISC
 *
 * The world of store_world_int.h; store_test.c and store_fuzz.c are linked with it.
 */
#include "role/store_world_int.h"

#include "base/arena.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static void do_effects(struct store_world *w);

static void step(struct store_world *w, struct event event)
{
    event.now = w->now;
    if (w->gone)
        return;
    store_ops.step(w->store, &event, &w->fx);
    w->gone = w->fx.bad;
}

static void keep_frame(struct store_world *w, const struct effect *effect)
{
    struct store_frame *frame = &w->frames[w->frames_n % STORE_FRAMES];
    size_t n = effect->bytes.n + effect->more.n;

    assert(wire_allowed(wire_kind_of(effect->bytes), ROLE_STORE, effect->to.kind));
    w->frames_n++;
    frame->to = effect->to;
    frame->n = n < sizeof(frame->octets) ? n : sizeof(frame->octets);
    size_t head = effect->bytes.n < frame->n ? effect->bytes.n : frame->n;
    memcpy(frame->octets, effect->bytes.at, head);
    if (frame->n > head)
        memcpy(frame->octets + head, effect->more.at, frame->n - head);
}

/* A disk that says yes to everything, but for what is planned, and remembers nothing. */
static void answer(struct store_world *w, struct io *io)
{
    struct event event = { .kind = EV_IO, .token = io->token, .bytes = BYTES_NONE };

    mem_free(io->data);
    if (io->kind == w->fails && w->fault != OK)
        event.fault = w->fault;
    if (io->kind == IO_SPACE)
        event.number = UINT64_C(1) << 40;
    if (!io->quiet || event.fault != OK)
        step(w, event);
}

static void left(struct store_world *w, uint64_t status)
{
    w->exited = true;
    w->status = status;
}

static void do_effects(struct store_world *w)
{
    for (int rounds = 0; w->fx.n > 0 && rounds < 10000; rounds++) {
        struct effects fx = w->fx;
        w->fx = effects_none();
        for (size_t i = 0; i < fx.n; i++) {
            if (fx.list[i].kind == FX_TELL)
                keep_frame(w, &fx.list[i]);
            else if (fx.list[i].kind == FX_IO)
                answer(w, &fx.list[i].io);
            else if (fx.list[i].kind == FX_ALARM)
                w->alarm = fx.list[i].number;
            else if (fx.list[i].kind == FX_EXIT)
                left(w, fx.list[i].number);
        }
        effects_done(&fx);
    }
}

void store_world_step(struct store_world *w, struct event event)
{
    step(w, event);
    for (int turns = 0; turns < 4; turns++) {
        do_effects(w);
        step(w, (struct event){ .kind = EV_TURN });
    }
    do_effects(w);
}

void store_world_tell(struct store_world *w, enum role_kind from, struct bytes frame)
{
    store_world_step(w, (struct event){ .kind = EV_TOLD, .peer = { from, 0 }, .bytes = frame });
}

void store_world_begin(struct store_world *w)
{
    store_world_begin_on(w, IO_LIST, OK);
}

void store_world_begin_on(struct store_world *w, enum io_kind fails, enum fault fault)
{
    static const char dice[] = "0123456789abcdef0123456789abcdef";
    static const struct bytes domains[] = { BYTES_INIT("example.org"), BYTES_INIT("example.com") };
    static const struct conf conf = {
        .domains = { domains, COUNT(domains) },
        .segment = 65536, .space_least = 1, .jobs = 4, .deliver = true, .retry = { { 1000 }, 1 },
        .refused_report_ms = 3 * 3600 * 1000, .history_keep_ms = 86400000, .history_most = 1 << 20,
    };

    *w = (struct store_world){ .fx = effects_none(), .fails = fails, .fault = fault,
                               .now = { 1000, UINT64_C(1767225600000) } };
    w->store = store_ops.make(&conf, 0);
    assert(w->store != NULL);
    store_world_step(w, (struct event){ .kind = EV_START, .bytes = { dice, 32 } });
}

void store_world_end(struct store_world *w)
{
    store_ops.free(w->store);
    effects_done(&w->fx);
}

const struct store_frame *store_world_last(const struct store_world *w, enum wire_kind kind)
{
    size_t n = w->frames_n < STORE_FRAMES ? w->frames_n : STORE_FRAMES;

    for (size_t i = 0; i < n; i++) {
        const struct store_frame *frame = &w->frames[(w->frames_n - 1 - i) % STORE_FRAMES];
        if (wire_kind_of((struct bytes){ frame->octets, frame->n }) == kind)
            return frame;
    }
    return NULL;
}
