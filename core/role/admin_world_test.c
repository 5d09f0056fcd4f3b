/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "role/admin_world_int.h"

void world_begin(struct world *world)
{
    *world = (struct world){ .fx = effects_none(), .store = effects_none(), .now_ms = 1000 };
    world->role = admin_ops.make(NULL, 0);
    assert_non_null(world->role);
}

void world_end(struct world *world)
{
    admin_ops.free(world->role);
    effects_done(&world->fx);
    effects_done(&world->store);
}

void step(struct world *world, struct event event)
{
    event.now = (struct moment){ world->now_ms, NOW_WALL };
    effects_clear(&world->fx);
    admin_ops.step(world->role, &event, &world->fx);
    assert_false(world->fx.bad);
}

void store_up(struct world *world)
{
    step(world, (struct event){ .kind = EV_PEER_UP, .peer = { ROLE_STORE, 0 } });
}

void accept_from(struct world *world, uint32_t conn, uint32_t uid)
{
    step(world, (struct event){ .kind = EV_ACCEPT, .conn = conn,
                                .remote = { .unix_peer = true, .uid = uid },
                                .local = { .unix_peer = true, .uid = OURS } });
}

void send_octets(struct world *world, uint32_t conn, struct bytes octets)
{
    step(world, (struct event){ .kind = EV_BYTES, .conn = conn, .bytes = octets });
}

void send_words(struct world *world, uint32_t conn, const char *a, const char *b)
{
    struct buffer request = buffer_with_most(4096);
    struct bytes words[] = { bytes_of(a), b == NULL ? BYTES_NONE : bytes_of(b) };

    control_put_request(&request, words, b == NULL ? 1 : 2);
    send_octets(world, conn, buffer_bytes(&request));
    buffer_done(&request);
}

/* The store tells the last thing that was put into world->store. */
void tell(struct world *world)
{
    struct buffer frame = buffer_with_most(LIMIT_FRAME_BYTES);
    const struct effect *effect = &world->store.list[world->store.n - 1];

    buffer_put(&frame, effect->bytes);
    buffer_put(&frame, effect->more);
    step(world, (struct event){ .kind = EV_TOLD, .peer = { ROLE_STORE, 0 },
                                .bytes = buffer_bytes(&frame) });
    buffer_done(&frame);
    effects_clear(&world->store);
}

const struct role_name admin_name = { ROLE_ADMIN, 0 };

void tell_row(struct world *world, uint32_t token, uint64_t letter)
{
    struct buffer head = buffer_with_most(4096), to = buffer_with_most(4096);

    envelope_put(&head, &(struct envelope){ .sender = BYTES("a@b") });
    recipient_put(&to, &(struct recipient){ .address = BYTES("c@d") });
    wire_tell_queue_row(&world->store, admin_name, &(struct wire_queue_row){
        .token = token, .letter = letter, .size = 1, .received_ms = NOW_WALL,
        .head = buffer_bytes(&head), .to = buffer_bytes(&to) });
    tell(world);
    buffer_done(&head);
    buffer_done(&to);
}

void tell_end(struct world *world, uint32_t token, uint8_t result)
{
    wire_tell_answer_end(&world->store, admin_name, &(struct wire_answer_end){ token, result });
    tell(world);
}

/* The n-th effect of that kind in this step, or NULL. */
const struct effect *effect_of(const struct world *world, enum effect_kind kind, size_t n)
{
    for (size_t i = 0; i < world->fx.n; i++)
        if (world->fx.list[i].kind == kind && n-- == 0)
            return &world->fx.list[i];
    return NULL;
}

/* What this step sent to a connection: text of all frames of one kind; returns the exit status, or
   -1 when there was none. */
int sent(const struct world *world, uint32_t conn, enum control_kind kind,
                struct buffer *ret_text)
{
    int status = -1;

    for (size_t i = 0; i < world->fx.n; i++) {
        struct bytes octets = world->fx.list[i].bytes;
        struct control_frame frame;
        size_t used;
        if (world->fx.list[i].kind != FX_SEND || world->fx.list[i].conn != conn)
            continue;
        for (; octets.n > 0; octets = bytes_skip(octets, used)) {
            assert_int_equal(control_take(octets, &frame, &used), CONTROL_TOOK);
            if (frame.kind == kind)
                buffer_put(ret_text, frame.octets);
            if (frame.kind == CONTROL_EXIT)
                status = frame.status;
        }
    }
    return status;
}

void check_sent(const struct world *world, uint32_t conn, enum control_kind kind,
                       const char *want, int status)
{
    struct buffer text = buffer_with_most(1 << 20);

    assert_int_equal(sent(world, conn, kind, &text), status);
    buffer_put_char(&text, '\0');
    assert_string_equal(text.at, want);
    buffer_done(&text);
}

void tell_figures(struct world *world, uint32_t token, uint32_t fronts)
{
    struct buffer octets = buffer_with_most(4096);

    web_put_store_figures(&octets, &(struct web_store_figures){ .queued = 17 });
    wire_tell_figures_store(&world->store, admin_name, &(struct wire_figures_store){
        token, fronts, buffer_bytes(&octets) });
    tell(world);
    buffer_done(&octets);
}

void tell_front(struct world *world, uint32_t token, uint32_t front, uint64_t sessions)
{
    struct buffer octets = buffer_with_most(4096);

    web_put_front_figures(&octets, &(struct web_front_figures){ .sessions = sessions });
    wire_tell_figures_front(&world->store, admin_name, &(struct wire_figures_front){
        token, front, buffer_bytes(&octets) });
    tell(world);
    buffer_done(&octets);
}
