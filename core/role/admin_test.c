/* SPDX-License-Identifier: ISC
 *
 * The admin role by its events and effects, with a store made of frames.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "role/admin_world_int.h"

/* ---- */

static void lists_page_by_page(void **state)
{
    struct world world;
    struct wire_queue_ask ask;

    world_begin(&world);
    store_up(&world);
    accept_from(&world, 7, OURS);
    send_words(&world, 7, "queue", NULL);
    const struct effect *told = effect_of(&world, FX_TELL, 0);
    assert_true(told != NULL && wire_read_queue_ask(told->bytes, &ask));
    assert_int_equal(ask.after, 0);
    tell_row(&world, ask.token, 5);
    assert_non_null(effect_of(&world, FX_SEND, 0));
    tell_end(&world, ask.token, 1);
    assert_null(effect_of(&world, FX_TELL, 0));     /* not before the client has taken this page */
    step(&world, (struct event){ .kind = EV_DRAINED, .conn = 7 });
    told = effect_of(&world, FX_TELL, 0);
    assert_true(told != NULL && wire_read_queue_ask(told->bytes, &ask));
    assert_int_equal(ask.after, 5);
    tell_row(&world, ask.token, 6);
    step(&world, (struct event){ .kind = EV_DRAINED, .conn = 7 });
    tell_end(&world, ask.token, 1);                 /* all is taken already: no need to wait */
    told = effect_of(&world, FX_TELL, 0);
    assert_true(told != NULL && wire_read_queue_ask(told->bytes, &ask));
    assert_int_equal(ask.after, 6);
    tell_end(&world, ask.token, 0);
    check_sent(&world, 7, CONTROL_OUT, "2 letters, 2 recipients, 2 octets.\n", 0);
    assert_non_null(effect_of(&world, FX_CLOSE, 0));
    step(&world, (struct event){ .kind = EV_CLOSED, .conn = 7 });
    world_end(&world);
}

static void a_page_without_progress_ends(void **state)
{
    struct world world;

    world_begin(&world);
    store_up(&world);
    accept_from(&world, 1, OURS);
    send_words(&world, 1, "queue", NULL);
    tell_end(&world, 1, 1);
    check_sent(&world, 1, CONTROL_ERR, "The list broke off. Ask again.\n", ONCE_SOFTWARE);
    world_end(&world);
}

static void tell_event(struct world *world, uint32_t token)
{
    struct buffer octets = buffer_with_most(4096), to = buffer_with_most(4096);

    recipient_put(&to, &(struct recipient){ .address = BYTES("c@d") });
    history_put(&octets, &(struct history_event){ .what = HISTORY_DELIVERED, .id = 1,
        .at_ms = NOW_WALL, .attempt = 1, .class = 2, .subject = 1, .detail = 5,
        .to = buffer_bytes(&to) });
    wire_tell_trace_row(&world->store, admin_name,
                        &(struct wire_trace_row){ token, buffer_bytes(&octets) });
    tell(world);
    buffer_done(&octets);
    buffer_done(&to);
}

static void traces_in_each_way(void **state)
{
    struct world world;
    struct wire_trace_ask ask;

    world_begin(&world);
    store_up(&world);
    accept_from(&world, 2, 0);
    send_words(&world, 2, "trace", "A@B.example");
    const struct effect *told = effect_of(&world, FX_TELL, 0);
    assert_true(told != NULL && wire_read_trace_ask(told->bytes, &ask));
    assert_int_equal(ask.by, TRACE_BY_ADDRESS);
    assert_true(bytes_equal(told->more, BYTES("A@b.example")));
    tell_end(&world, 1, 0);         /* nothing by that address: is it a Message-ID? */
    told = effect_of(&world, FX_TELL, 0);
    assert_true(told != NULL && wire_read_trace_ask(told->bytes, &ask));
    assert_int_equal(ask.by, TRACE_BY_MESSAGE_ID);
    assert_true(bytes_equal(told->more, BYTES("A@B.example")));
    tell_event(&world, 2);
    tell_end(&world, 2, 0);
    check_sent(&world, 2, CONTROL_OUT, "  Now: 1 recipient: in the mailbox.\n", 0);
    world_end(&world);
}

static void says_when_nothing_is_known(void **state)
{
    struct world world;

    world_begin(&world);
    store_up(&world);
    accept_from(&world, 2, OURS);
    send_words(&world, 2, "trace", "0000000000001");
    tell_end(&world, 1, 0);
    check_sent(&world, 2, CONTROL_ERR, "Nothing is known of it: no such letter came here, or its"
               " history is no longer kept.\n", ONCE_FOUND_NOTHING);
    world_end(&world);
}

static void tells_the_status(void **state)
{
    struct world world;

    world_begin(&world);
    store_up(&world);
    wire_tell_store_state(&world.store, admin_name, &(struct wire_store_state){ STORE_OPEN });
    tell(&world);
    accept_from(&world, 2, OURS);
    send_words(&world, 2, "status", "--json");
    tell_figures(&world, 1, 2);
    tell_front(&world, 1, 0, 3);
    assert_null(effect_of(&world, FX_TELL, 0));     /* not before the other front has answered */
    tell_front(&world, 1, 1, 4);
    assert_non_null(effect_of(&world, FX_TELL, 0));
    wire_tell_status_is(&world.store, admin_name, &(struct wire_status_is){ .token = 2 });
    tell(&world);
    check_sent(&world, 2, CONTROL_OUT, "{\"state\":\"open\",\"since\":\"1970-01-01T00:00:00.000Z\","
               "\"queued\":0,\"accepted\":0,\"delivered\":0,\"deferred\":0,\"failed\":0,"
               "\"sessions\":7,\"sessions_limit\":0,\"fronts\":2}\n", 0);
    world_end(&world);
}

static void only_root_and_ours_may_ask(void **state)
{
    struct world world;

    world_begin(&world);
    accept_from(&world, 1, 1000);
    check_sent(&world, 1, CONTROL_ERR, "Only root and the server's own user may ask this.\n",
               ONCE_DENIED);
    assert_non_null(effect_of(&world, FX_CLOSE, 0));
    send_words(&world, 1, "queue", NULL);       /* it may still have sent something: no client */
    assert_null(effect_of(&world, FX_SEND, 0));
    step(&world, (struct event){ .kind = EV_ACCEPT, .conn = 2 });       /* not a unix socket */
    assert_non_null(effect_of(&world, FX_CLOSE, 0));
    world_end(&world);
}

/* 1,000 connections held open: 32 stay, root still finds a place, and all are cut off in time. */
static void connections_held_open(void **state)
{
    struct world world;
    size_t taken = 0, ended = 0;

    world_begin(&world);
    store_up(&world);
    for (uint32_t conn = 0; conn < 1000; conn++) {
        accept_from(&world, conn, OURS);
        taken += effect_of(&world, FX_CLOSE, 0) == NULL;
    }
    assert_int_equal(taken, LIMIT_CONTROL_PER_UID);
    accept_from(&world, 2000, 0);
    assert_null(effect_of(&world, FX_CLOSE, 0));
    send_words(&world, 2000, "queue", NULL);
    assert_non_null(effect_of(&world, FX_TELL, 0));
    world.now_ms += 10 * 1000;
    step(&world, (struct event){ .kind = EV_ALARM });
    while (effect_of(&world, FX_CLOSE, ended) != NULL)
        ended++;
    assert_int_equal(ended, LIMIT_CONTROL_PER_UID);
    for (uint32_t conn = 0; conn < LIMIT_CONTROL_PER_UID; conn++)
        step(&world, (struct event){ .kind = EV_CLOSED, .conn = conn });
    accept_from(&world, 3, OURS);
    assert_null(effect_of(&world, FX_CLOSE, 0));
    world_end(&world);
}

static void one_octet_a_second_is_too_slow(void **state)
{
    struct world world;
    struct bytes request = BYTES("\x06\0\0\0queue\0");

    world_begin(&world);
    store_up(&world);
    accept_from(&world, 4, OURS);
    const struct effect *alarm = effect_of(&world, FX_ALARM, 0);
    assert_true(alarm != NULL && alarm->number == world.now_ms + 10000);
    for (size_t i = 0; i + 1 < request.n; i++) {
        world.now_ms += 1000;
        send_octets(&world, 4, bytes_first(bytes_skip(request, i), 1));
    }
    world.now_ms = 11000;
    step(&world, (struct event){ .kind = EV_ALARM });
    check_sent(&world, 4, CONTROL_ERR, "The request did not come in time.\n", ONCE_PROTOCOL);
    world.now_ms += 60000;      /* and does not even take the goodbye */
    step(&world, (struct event){ .kind = EV_ALARM });
    assert_non_null(effect_of(&world, FX_ABORT, 0));
    world_end(&world);
}

static void garbage_closes_only_its_sender(void **state)
{
    static const struct bytes garbage[] = {
        BYTES_INIT("\xff\xff\xff\xff"), BYTES_INIT("\0\0\0\0"),
        BYTES_INIT("GET / HTTP/1.1\r\n\r\n"),
        BYTES_INIT("\x05\0\0\0queue"), BYTES_INIT("\x06\0\0\0queue\0more"),
        BYTES_INIT("\x13\0\0\0................." "..\0"),
    };
    struct world world;

    world_begin(&world);
    store_up(&world);
    accept_from(&world, 100, OURS);
    for (uint32_t i = 0; i < COUNT(garbage); i++) {
        accept_from(&world, i, OURS);
        send_octets(&world, i, garbage[i]);
        const struct effect *closed = effect_of(&world, FX_CLOSE, 0);
        if (closed == NULL || closed->conn != i || effect_of(&world, FX_CLOSE, 1) != NULL)
            fail_msg("garbage %u", i);
        send_octets(&world, i, garbage[i]);     /* more of it changes nothing */
        assert_int_equal(world.fx.n, 0);
        step(&world, (struct event){ .kind = EV_CLOSED, .conn = i });
    }
    send_words(&world, 100, "queue", NULL);
    assert_non_null(effect_of(&world, FX_TELL, 0));
    world_end(&world);
}

static void half_a_request_then_gone(void **state)
{
    struct world world;

    world_begin(&world);
    accept_from(&world, 1, OURS);
    send_octets(&world, 1, BYTES("\x06\0\0"));
    step(&world, (struct event){ .kind = EV_END, .conn = 1 });
    assert_non_null(effect_of(&world, FX_CLOSE, 0));
    step(&world, (struct event){ .kind = EV_CLOSED, .conn = 1 });
    accept_from(&world, 1, OURS);       /* the number is free again, and nothing is left of it */
    send_words(&world, 1, "queue", NULL);
    check_sent(&world, 1, CONTROL_ERR, "The queue is being started. Ask again in a moment.\n",
               ONCE_NOT_NOW);
    world_end(&world);
}

static void a_client_that_dies_is_forgotten(void **state)
{
    struct world world;

    world_begin(&world);
    store_up(&world);
    accept_from(&world, 1, OURS);
    send_words(&world, 1, "queue", NULL);
    tell_row(&world, 1, 5);
    step(&world, (struct event){ .kind = EV_CLOSED, .conn = 1 });
    tell_row(&world, 1, 6);
    assert_int_equal(world.fx.n, 0);
    accept_from(&world, 1, OURS);       /* another with the same number gets none of it */
    tell_row(&world, 1, 7);
    tell_end(&world, 1, 0);
    assert_int_equal(world.fx.n, 0);
    world_end(&world);
}

static void a_store_that_dies_is_told(void **state)
{
    struct world world;

    world_begin(&world);
    store_up(&world);
    accept_from(&world, 1, OURS);
    accept_from(&world, 2, OURS);
    send_words(&world, 1, "queue", NULL);
    step(&world, (struct event){ .kind = EV_PEER_DOWN, .peer = { ROLE_STORE, 0 } });
    check_sent(&world, 1, CONTROL_ERR, "The queue is being restarted. Ask again in a moment.\n",
               ONCE_NOT_NOW);
    store_up(&world);
    send_words(&world, 2, "queue", NULL);
    assert_non_null(effect_of(&world, FX_TELL, 0));
    tell_end(&world, 2, 2);
    check_sent(&world, 2, CONTROL_ERR, "The queue cannot tell this now. Ask again in a moment.\n",
               ONCE_NOT_NOW);
    world_end(&world);
}

static void bad_words_are_answered(void **state)
{
    struct world world;

    world_begin(&world);
    store_up(&world);
    accept_from(&world, 1, OURS);
    send_words(&world, 1, "trace", "../../etc/passwd\n\x1b[2J");
    check_sent(&world, 1, CONTROL_ERR, "expected a letter's id (13 letters and digits), a"
               " Message-ID or an address, found \"../../etc/passwd\\x0a\\x1b[2J\"\n", ONCE_USAGE);
    struct bytes line = effect_of(&world, FX_LOG, 0)->bytes;
    assert_true(bytes_equal(line, BYTES("event=control uid=500 command=trace"
                                        " last=\"../../etc/passwd\\x0a\\x1b[2J\"")));
    world_end(&world);
}

static void strange_frames_of_the_store_are_ignored(void **state)
{
    static const struct bytes frames[] = {
        BYTES_INIT(""), BYTES_INIT("\xff"), BYTES_INIT("\x12"), BYTES_INIT("\x13\1\0\0\0"),
        BYTES_INIT("\x14\1\0\0\0garbage"), BYTES_INIT("\x15\1\0\0\0"), BYTES_INIT("\x01\xff"),
    };
    struct world world;

    world_begin(&world);
    store_up(&world);
    accept_from(&world, 1, OURS);
    send_words(&world, 1, "trace", "0000000000001");
    for (size_t i = 0; i < COUNT(frames); i++) {
        step(&world, (struct event){ .kind = EV_TOLD, .peer = { ROLE_STORE, 0 },
                                     .bytes = frames[i] });
        assert_int_equal(world.fx.n, 0);
    }
    tell_row(&world, 1, 7);     /* a row of the queue is no answer to this */
    assert_int_equal(world.fx.n, 0);
    world_end(&world);
}

/* How it went is told to who asked; a reload that nobody here asked for is told to nobody. */
static void a_reload_is_told(void **state)
{
    static const struct {
        const char *words, *out, *err;
        uint64_t status;
    } rows[] = {
        { "retry: 1m -> 2m\n", "retry: 1m -> 2m\n", "", 0 },
        { "", "No setting has changed; certificates and tables were read anew.\n", "", 0 },
        { "c:1:1: no\n", "", "c:1:1: no\nAll stays as it was.\n", 78 },
        { "c: odd\n", "c: odd\n", "", 300 },        /* no exit status */
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct world world;
        world_begin(&world);
        accept_from(&world, 1, OURS);
        accept_from(&world, 2, OURS);
        send_words(&world, 1, "reload", NULL);
        assert_non_null(effect_of(&world, FX_RELOAD, 0));
        struct event went = { .kind = EV_RELOAD, .bytes = bytes_of(rows[i].words),
                              .number = rows[i].status };
        step(&world, went);
        int status = rows[i].status < 128 ? (int)rows[i].status : 0;
        check_sent(&world, 1, CONTROL_OUT, rows[i].out, status);
        check_sent(&world, 1, CONTROL_ERR, rows[i].err, status);
        check_sent(&world, 2, CONTROL_OUT, "", -1);
        step(&world, went);
        assert_null(effect_of(&world, FX_SEND, 0));
        world_end(&world);
    }
}

static void stops_cleanly(void **state)
{
    struct world world;

    world_begin(&world);
    store_up(&world);
    accept_from(&world, 1, OURS);
    send_words(&world, 1, "queue", NULL);
    step(&world, (struct event){ .kind = EV_STOP });
    check_sent(&world, 1, CONTROL_ERR, "The server is stopping.\n", ONCE_UNAVAILABLE);
    assert_non_null(effect_of(&world, FX_EXIT, 0));
    world_end(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_page_by_page),
        cmocka_unit_test(a_page_without_progress_ends),
        cmocka_unit_test(traces_in_each_way),
        cmocka_unit_test(says_when_nothing_is_known),
        cmocka_unit_test(tells_the_status),
        cmocka_unit_test(only_root_and_ours_may_ask),
        cmocka_unit_test(connections_held_open),
        cmocka_unit_test(one_octet_a_second_is_too_slow),
        cmocka_unit_test(garbage_closes_only_its_sender),
        cmocka_unit_test(half_a_request_then_gone),
        cmocka_unit_test(a_client_that_dies_is_forgotten),
        cmocka_unit_test(a_store_that_dies_is_told),
        cmocka_unit_test(bad_words_are_answered),
        cmocka_unit_test(strange_frames_of_the_store_are_ignored),
        cmocka_unit_test(a_reload_is_told),
        cmocka_unit_test(stops_cleanly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
