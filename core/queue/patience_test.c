/* SPDX-License-Identifier: ISC
 *
 * A recipient's own patience, in virtual time. (That of all: queue_test.c.)
 */
#include "queue/world_test.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct test_world world, *const w = &world;

static int begin(void **state)
{
    struct queue_conf conf = test_conf();

    test_begin(w, &conf);
    test_start(w);
    return 0;
}

static int end(void **state)
{
    test_end(w);
    return 0;
}

static void result(uint32_t job, enum queue_outcome outcome)
{
    queue_job_result(w->queue, &(struct queue_result){ .job = job, .outcome = outcome, .class = 4,
                                                       .words = BYTES("not now") },
                     w->now, &w->fx);
    test_run(w);
}

/* Its own waits, its own end, beside one that has what all have. */
static void others_patience(const void *of, struct bytes to, struct queue_patience *patience)
{
    (void)of;
    if (bytes_equal(to, BYTES("own")))
        *patience = (struct queue_patience){ { 7000, 9000 }, 2, 0, 20000, 0 };
}

static void put_to(uint32_t token, struct bytes to)
{
    queue_put(w->queue, (struct queue_from){ 1, token },
              &(struct queue_letter){ .head = BYTES("head"), .to = to, .text = BYTES("text") },
              (struct queue_keys){ NULL, 0 }, w->now, &w->fx);
}

static void one_has_a_patience_of_its_own(void **state)
{
    static const uint64_t waits[] = { 7000, 9000, 4000 };   /* the last cut: 20 s are over */

    test_kill(w);
    w->conf.patience_for = others_patience;
    test_start(w);
    queue_deliverer(w->queue, 0, true, &w->fx);
    put_to(1, BYTES("\x03\0\0\0own"));
    test_run(w);
    for (size_t i = 0; i < COUNT(waits); i++) {
        assert_int_equal(test_count(w, NEWS_JOB), i + 1);
        result(test_last(w, NEWS_JOB)->is.job, QUEUE_LATER);
        test_wait(w, waits[i] - 1);
        assert_int_equal(test_count(w, NEWS_JOB), i + 1);
        test_wait(w, 1);
    }
    result(test_last(w, NEWS_JOB)->is.job, QUEUE_LATER);
    test_wait(w, 100000);
    assert_int_equal(test_count(w, NEWS_JOB), COUNT(waits) + 1);
    put_to(2, BYTES("\x03\0\0\0all"));
    test_run(w);
    result(test_last(w, NEWS_JOB)->is.job, QUEUE_LATER);
    test_wait(w, 1000);
    assert_int_equal(test_count(w, NEWS_JOB), COUNT(waits) + 3);
}

/* Who is suspended is looked at when that ends, however old it is. */
static void until_patience(const void *of, struct bytes to, struct queue_patience *patience)
{
    (void)of;
    (void)to;
    patience->retry_ms[0] = 3600 * 1000;
    patience->give_up_ms = 1;
    patience->until_ms = UINT64_C(1767225600000) + 5000;
}

static void who_stays_is_looked_at_when_that_ends(void **state)
{
    test_kill(w);
    w->conf.patience_for = until_patience;
    test_start(w);
    queue_deliverer(w->queue, 0, true, &w->fx);
    test_put(w, 1, "text");
    test_run(w);
    queue_job_result(w->queue, &(struct queue_result){
        .job = test_last(w, NEWS_JOB)->is.job, .outcome = QUEUE_LATER, .stays = true, .class = 4,
        .words = BYTES("suspended") }, w->now, &w->fx);
    test_run(w);
    test_wait(w, 4999);
    assert_int_equal(test_count(w, NEWS_JOB), 1);
    test_wait(w, 1);
    assert_int_equal(test_count(w, NEWS_JOB), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(one_has_a_patience_of_its_own, begin, end),
        cmocka_unit_test_setup_teardown(who_stays_is_looked_at_when_that_ends, begin, end),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
