/* SPDX-License-Identifier: ISC
 *
 * Suspended destinations: durable before it is said, told to each relay before its first job, and
 * ended when their time is over. (That they are there after a crash: queue/keep_test.c.)
 */
#include "mail/envelope.h"
#include "role/store_int.h"
#include "role/store_world_int.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <string.h>

enum { HOUR = 3600 * 1000 };

static struct store_world world, *w = &world;

static void up(enum role_kind kind, bool is)
{
    store_world_step(w, (struct event){ .kind = is ? EV_PEER_UP : EV_PEER_DOWN,
                                        .peer = { kind, 0 } });
}

static int begin(void **state)
{
    store_world_begin(w);
    up(ROLE_ADMIN, true);
    up(ROLE_RELAY, true);
    up(ROLE_LOCAL, true);
    return 0;
}

static int end(void **state)
{
    store_world_end(w);
    return 0;
}

static void tell(struct effects *fx, enum role_kind from)
{
    struct buffer frame = buffer_with_most(LIMIT_FRAME_BYTES);

    assert_int_equal(fx->n, 1);
    buffer_put(&frame, fx->list[0].bytes);
    buffer_put(&frame, fx->list[0].more);
    store_world_tell(w, from, buffer_bytes(&frame));
    buffer_done(&frame);
    effects_done(fx);
}

static enum hold_result order(bool on, const char *name, uint64_t span_ms)
{
    struct effects fx = effects_none();
    struct wire_hold_ordered ordered;

    wire_tell_hold_order(&fx, (struct role_name){ ROLE_STORE, 0 }, &(struct wire_hold_order){
        .token = 5, .on = on, .until_ms = span_ms == 0 ? 0 : w->now.wall_ms + span_ms, .uid = 7,
        .destination = bytes_of(name), .reason = BYTES("moving") });
    tell(&fx, ROLE_ADMIN);
    const struct store_frame *frame = store_world_last(w, WIRE_HOLD_ORDERED_MESSAGE);
    assert_non_null(frame);
    assert_true(wire_read_hold_ordered((struct bytes){ frame->octets, frame->n }, &ordered));
    assert_int_equal(ordered.token, 5);
    return (enum hold_result)ordered.result;
}

/* What relay was told last; frames before `from` do not count. */
static bool told(size_t from, bool on, const char *name)
{
    struct wire_destination_hold hold;

    for (size_t i = from; i < w->frames_n; i++) {
        const struct store_frame *frame = &w->frames[i % STORE_FRAMES];
        if (wire_read_destination_hold((struct bytes){ frame->octets, frame->n }, &hold)
            && (hold.on != 0) == on && bytes_equal(hold.destination, bytes_of(name)))
            return true;
    }
    return false;
}

static size_t rows(void)
{
    struct effects fx = effects_none();
    size_t from = w->frames_n, n = 0;

    wire_tell_hold_ask(&fx, (struct role_name){ ROLE_STORE, 0 }, &(struct wire_hold_ask){ 6 });
    tell(&fx, ROLE_ADMIN);
    for (size_t i = from; i < w->frames_n; i++) {
        const struct store_frame *frame = &w->frames[i % STORE_FRAMES];
        n += wire_kind_of((struct bytes){ frame->octets, frame->n }) == WIRE_HOLD_ROW_MESSAGE;
    }
    return n;
}

static void each_relay_is_told(void **state)
{
    assert_int_equal(order(true, "a.example", 0), HOLD_WELL);
    assert_int_equal(order(true, "b.example", 0), HOLD_WELL);
    assert_int_equal(order(true, "b.example", 0), HOLD_WELL);       /* again: it is one */
    assert_true(told(0, true, "a.example") && told(0, true, "b.example"));
    assert_int_equal(rows(), 2);
    size_t before = w->frames_n;
    up(ROLE_RELAY, false);
    up(ROLE_RELAY, true);
    assert_true(told(before, true, "a.example") && told(before, true, "b.example"));
    before = w->frames_n;
    assert_int_equal(order(false, "a.example", 0), HOLD_WELL);
    assert_true(told(before, false, "a.example"));
    assert_int_equal(order(false, "a.example", 0), HOLD_NOT_THERE);
    assert_int_equal(rows(), 1);
}

static void it_ends_when_its_time_is_over(void **state)
{
    assert_int_equal(order(true, "a.example", 2 * HOUR), HOLD_WELL);
    assert_int_equal(order(true, "b.example", 0), HOLD_WELL);
    size_t before = w->frames_n;
    assert_true(w->alarm != 0 && w->alarm <= w->now.mono_ms + 2 * HOUR);
    w->now.mono_ms += 2 * HOUR - 1;
    w->now.wall_ms += 2 * HOUR - 1;
    store_world_step(w, (struct event){ .kind = EV_ALARM });
    assert_false(told(before, false, "a.example"));
    w->now.mono_ms += 1;
    w->now.wall_ms += 1;
    store_world_step(w, (struct event){ .kind = EV_ALARM });
    assert_true(told(before, false, "a.example"));
    assert_false(told(before, false, "b.example"));
    assert_int_equal(rows(), 1);
}

static void what_is_not_durable_is_not_said(void **state)
{
    w->fails = IO_RENAME;
    w->fault = FAULT_IO;
    assert_int_equal(order(true, "a.example", 0), HOLD_NOT_CERTAIN);
    assert_false(told(0, true, "a.example"));
    assert_int_equal(rows(), 0);
}

static void there_is_a_bound(void **state)
{
    char name[] = "d000.example";

    for (unsigned i = 0; i < 257; i++) {
        name[1] = (char)('0' + i / 100);
        name[2] = (char)('0' + i / 10 % 10);
        name[3] = (char)('0' + i % 10);
        assert_int_equal(order(true, name, 0), i < 256 ? HOLD_WELL : HOLD_TOO_MANY);
    }
}

static void put(const char *address)
{
    struct buffer head = buffer_with_most(4096), to = buffer_with_most(4096);
    struct buffer entry = buffer_with_most(4096);
    struct effects fx = effects_none();

    envelope_put(&head, &(struct envelope){ .sender = BYTES("s@x.example") });
    recipient_put(&entry, &(struct recipient){ .address = bytes_of(address) });
    buffer_put_block(&to, buffer_bytes(&entry));
    wire_tell_letter(&fx, (struct role_name){ ROLE_STORE, 0 }, &(struct wire_letter){
        .token = 1, .head = buffer_bytes(&head), .to = buffer_bytes(&to), .text = BYTES("x\r\n") });
    tell(&fx, ROLE_FRONT);
    buffer_done(&head);
    buffer_done(&to);
    buffer_done(&entry);
}

/* A domain of ours too: nothing is told to local until it is resumed. */
static void mail_for_a_domain_of_ours_waits_too(void **state)
{
    up(ROLE_FRONT, true);
    assert_int_equal(order(true, "example.org", 0), HOLD_WELL);
    put("you@example.org");
    assert_null(store_world_last(w, WIRE_JOB_BEGIN_MESSAGE));
    put("you@example.com");
    assert_non_null(store_world_last(w, WIRE_JOB_BEGIN_MESSAGE));
    assert_int_equal(order(false, "example.org", 0), HOLD_WELL);
    put("me@example.org");
    const struct store_frame *frame = store_world_last(w, WIRE_JOB_BEGIN_MESSAGE);
    assert_true(bytes_search((struct bytes){ frame->octets, frame->n }, BYTES("me@example.org"))
                < frame->n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_relay_is_told, begin, end),
        cmocka_unit_test_setup_teardown(it_ends_when_its_time_is_over, begin, end),
        cmocka_unit_test_setup_teardown(what_is_not_durable_is_not_said, begin, end),
        cmocka_unit_test_setup_teardown(there_is_a_bound, begin, end),
        cmocka_unit_test_setup_teardown(mail_for_a_domain_of_ours_waits_too, begin, end),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
