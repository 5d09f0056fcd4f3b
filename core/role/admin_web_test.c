/* SPDX-License-Identifier: ISC
 *
 * The admin role asked over HTTP, with a store made of frames.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "role/admin_world_int.h"

static const struct web_request asks_metrics = {
    .method = BYTES_INIT("GET"), .target = BYTES_INIT("/metrics"),
};
static const struct web_request asks_health = {
    .method = BYTES_INIT("GET"), .target = BYTES_INIT("/healthz"),
};

static void ask_web(struct world *world, uint64_t token, const struct web_request *request)
{
    step(world, (struct event){ .kind = EV_ASKED, .token = token, .web = request });
}

/* This step answered that question: with this status, and this in the body. */
static void check_answer(const struct world *world, size_t n, uint64_t token, unsigned status,
                         const char *wanted)
{
    const struct effect *answer = effect_of(world, FX_ANSWER, n);

    assert_non_null(answer);
    assert_int_equal(answer->number, token);
    assert_int_equal(answer->web->status, status);
    struct bytes body = buffer_bytes(&answer->web->body);
    assert_true(bytes_search(body, bytes_of(wanted)) < body.n);
}

static void answers_over_http(void **state)
{
    struct world world;

    world_begin(&world);
    ask_web(&world, 0, &asks_health);
    check_answer(&world, 0, 0, 503, "being started");
    ask_web(&world, 0, &asks_metrics);              /* no store: nothing to wait for */
    check_answer(&world, 0, 0, 200, "postern_store_accepting 0");
    store_up(&world);
    wire_tell_store_state(&world.store, admin_name, &(struct wire_store_state){ STORE_OPEN });
    tell(&world);
    ask_web(&world, 0, &asks_health);
    check_answer(&world, 0, 0, 200, "ok");
    ask_web(&world, 5, &asks_metrics);
    assert_null(effect_of(&world, FX_ANSWER, 0));
    assert_non_null(effect_of(&world, FX_TELL, 0));
    ask_web(&world, 6, &asks_metrics);              /* the same question serves both */
    assert_null(effect_of(&world, FX_TELL, 0));
    tell_figures(&world, 1, 1);
    tell_front(&world, 1, 2, 3);
    check_answer(&world, 0, 5, 200, "postern_queue_letters 17");
    check_answer(&world, 1, 6, 200, "postern_sessions_open{front=\"2\"} 3");
    step(&world, (struct event){ .kind = EV_TURN });
    world_end(&world);
}

static void late_figures_are_left_out(void **state)
{
    struct world world;

    world_begin(&world);
    store_up(&world);
    ask_web(&world, 5, &asks_metrics);
    const struct effect *alarm = effect_of(&world, FX_ALARM, 0);
    assert_non_null(alarm);
    tell_figures(&world, 1, 2);
    tell_front(&world, 1, 0, 3);
    world.now_ms = alarm->number;
    step(&world, (struct event){ .kind = EV_ALARM });
    check_answer(&world, 0, 5, 200, "postern_sessions_open{front=\"0\"} 3");
    tell_front(&world, 1, 1, 3);                    /* too late: nobody waits */
    assert_null(effect_of(&world, FX_ANSWER, 0));
    ask_web(&world, 6, &asks_metrics);
    step(&world, (struct event){ .kind = EV_PEER_DOWN, .peer = { ROLE_STORE, 0 } });
    check_answer(&world, 0, 6, 200, "postern_store_accepting 0");
    world_end(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_over_http),
        cmocka_unit_test(late_figures_are_left_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
