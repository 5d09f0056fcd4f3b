/* SPDX-License-Identifier: ISC
 *
 * What the owner keeps: there again after every crash, whole; and known before the first job.
 */
#include "queue/world_test.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct test_world world, *const w = &world;
static const struct bytes first = BYTES_INIT("first"), second = BYTES_INIT("second, and longer");

/* Each test is run for both files. */
static enum queue_keeping which;

static int begin(void **state)
{
    struct queue_conf conf = test_conf();

    test_begin(w, &conf);
    test_start(w);
    return 0;
}

static int begin_held(void **state)
{
    which = QUEUE_KEEPS_HELD;
    return begin(state);
}

static int begin_memory(void **state)
{
    which = QUEUE_KEEPS_MEMORY;
    return begin(state);
}

static int end(void **state)
{
    test_end(w);
    return 0;
}

static bool was_read(struct bytes want)
{
    for (size_t i = w->news_n; i-- > 0;)
        if (w->news[i].is.kind == NEWS_KEPT && w->news[i].is.more == QUEUE_KEPT_READ
            && w->news[i].is.token == which)
            return bytes_equal((struct bytes){ w->news[i].text, w->news[i].text_n }, want);
    return false;
}

static enum queue_kept keep(struct bytes octets)
{
    assert_true(queue_keep(w->queue, which, octets, &w->fx));
    test_run(w);
    return (enum queue_kept)test_last(w, NEWS_KEPT)->is.more;
}

static void what_is_kept_is_there_after_a_crash(void **state)
{
    assert_true(was_read(BYTES_NONE));
    assert_int_equal(keep(first), QUEUE_KEPT_WELL);
    assert_int_equal(keep(second), QUEUE_KEPT_WELL);
    test_crash(w);
    test_start(w);
    assert_true(was_read(second));
    assert_int_equal(keep(BYTES_NONE), QUEUE_KEPT_WELL);
    test_crash(w);
    test_start(w);
    assert_true(was_read(BYTES_NONE));
}

/* Each operation fails in turn, and the machine stops: the one or the other, and the new one when
   it was said to be kept. */
static void it_is_never_half(void **state)
{
    for (unsigned at = 1; at < 9; at++) {
        assert_int_equal(keep(first), QUEUE_KEPT_WELL);
        w->fail_kind = -1;
        w->fail_at = w->ios + at;
        w->fail_with = FAULT_IO;
        bool well = keep(second) == QUEUE_KEPT_WELL;
        w->fail_at = 0;
        test_crash(w);
        test_start(w);
        assert_true(was_read(second) || (!well && was_read(first)));
        assert_true(well || at < 8);
        end(state);
        begin(state);
    }
}

/* It cannot be read, or not at once: no job before that is known. */
static void no_job_before_it_is_known(void **state)
{
    test_put(w, 1, "text");
    test_run(w);
    assert_int_equal(keep(first), QUEUE_KEPT_WELL);
    test_kill(w);
    w->fail_kind = IO_OPEN;
    w->fail_at = 1;
    w->ios = 0;
    w->fail_with = FAULT_IO;
    w->news_n = 0;
    w->queue = queue_new(&w->conf);
    queue_deliverer(w->queue, 0, true, &w->fx);
    queue_step(w->queue, &(struct event){ .kind = EV_START, .now = w->now,
                                          .bytes = BYTES("0123456789abcdef") }, &w->fx);
    test_run(w);
    size_t kept = 0, job = 0;
    for (size_t i = 0; i < w->news_n; i++) {
        kept = w->news[i].is.kind == NEWS_KEPT ? i : kept;
        job = w->news[i].is.kind == NEWS_JOB ? i : job;
    }
    assert_int_equal(test_count(w, NEWS_KEPT), QUEUE_KEEPS);
    assert_true(job > kept);
    assert_true(was_read(first));
}

static void damage_is_seen(void **state)
{
    assert_int_equal(keep(first), QUEUE_KEPT_WELL);
    test_kill(w);
    test_file(w, which == QUEUE_KEEPS_HELD ? "kept" : "memory")->at[5] ^= 1;
    test_start(w);
    assert_true(was_read(BYTES_NONE));
    assert_int_equal(keep(second), QUEUE_KEPT_WELL);
}

static void one_at_a_time(void **state)
{
    assert_true(queue_keep(w->queue, which, first, &w->fx));
    assert_false(queue_keep(w->queue, which, second, &w->fx));
    test_run(w);
    assert_true(queue_keep(w->queue, which, second, &w->fx));
    test_run(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_kept_is_there_after_a_crash, begin_held, end),
        cmocka_unit_test_setup_teardown(what_is_kept_is_there_after_a_crash, begin_memory, end),
        cmocka_unit_test_setup_teardown(it_is_never_half, begin_held, end),
        cmocka_unit_test_setup_teardown(it_is_never_half, begin_memory, end),
        cmocka_unit_test_setup_teardown(no_job_before_it_is_known, begin_held, end),
        cmocka_unit_test_setup_teardown(no_job_before_it_is_known, begin_memory, end),
        cmocka_unit_test_setup_teardown(damage_is_seen, begin_held, end),
        cmocka_unit_test_setup_teardown(damage_is_seen, begin_memory, end),
        cmocka_unit_test_setup_teardown(one_at_a_time, begin_held, end),
        cmocka_unit_test_setup_teardown(one_at_a_time, begin_memory, end),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
