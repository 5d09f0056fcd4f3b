/* SPDX-License-Identifier: ISC
 *
 * Recipients of one letter that go together: one text for all, and a result for each, in whatever
 * order the results come.
 */
#include "queue/world_test.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

enum { TO = 4 };

static struct test_world world, *const w = &world;

/* By the first letter; "-" goes alone. */
static uint64_t way(const void *of, struct bytes to)
{
    (void)of;
    return to.n == 0 || to.at[0] == '-' ? 0 : (uint64_t)(unsigned char)to.at[0];
}

static int begin(void **state)
{
    struct queue_conf conf = test_conf();

    (void)state;
    conf.way = way;
    test_begin(w, &conf);
    test_start(w);
    queue_deliverer(w->queue, 0, true, &w->fx);
    return 0;
}

static int end(void **state)
{
    (void)state;
    test_end(w);
    return 0;
}

static void put(const char *const to[TO])
{
    struct buffer blocks = buffer_with_most(512);

    for (size_t i = 0; i < TO; i++)
        buffer_put_block(&blocks, bytes_of(to[i]));
    queue_put(w->queue, (struct queue_from){ 0, 1 },
              &(struct queue_letter){ .head = BYTES("head"), .to = buffer_bytes(&blocks),
                                      .text = BYTES("text") },
              (struct queue_keys){ NULL, 0 }, w->now, &w->fx);
    buffer_done(&blocks);
    test_run(w);
}

static void result(uint32_t job, enum queue_outcome outcome)
{
    queue_job_result(w->queue, &(struct queue_result){ .job = job, .outcome = outcome, .class = 2,
                                                       .words = BYTES("words") }, w->now, &w->fx);
    test_run(w);
}

/* The jobs told, in order; how many. */
static size_t jobs(uint32_t *ret_jobs, size_t most)
{
    size_t n = 0;

    for (size_t i = 0; i < w->news_n && n < most; i++)
        if (w->news[i].is.kind == NEWS_JOB)
            ret_jobs[n++] = w->news[i].is.job;
    return n;
}

static const char *const together[TO] = { "a1", "a2", "b1", "a3" };

static void those_of_one_way_share_a_text(void **state)
{
    uint32_t list[8];

    (void)state;
    put(together);
    assert_int_equal(jobs(list, COUNT(list)), TO);
    assert_int_equal(test_count(w, NEWS_JOB_END), 2);
    assert_int_equal(test_count(w, NEWS_JOB_TEXT), 2);
    for (size_t i = 0; i < TO; i++)
        result(list[i], QUEUE_DELIVERED);
    test_wait(w, 100);
    assert_int_equal(queue_letters(w->queue), 0);
}

/* The lead's result first, last, or in the middle: what is deferred alone comes again. */
static void each_has_its_own_result(void **state)
{
    (void)state;
    for (size_t later = 0; later < TO; later++)
        for (size_t first = 0; first < TO; first++) {
            uint32_t list[8];
            end(NULL);
            begin(NULL);
            put(together);
            size_t n = jobs(list, COUNT(list));
            for (size_t i = 0; i < n; i++) {
                size_t at = (first + i) % n;
                result(list[at], at == later ? QUEUE_LATER : QUEUE_DELIVERED);
            }
            assert_int_equal(queue_letters(w->queue), 1);
            test_wait(w, 3600 * 1000);
            assert_int_equal(test_count(w, NEWS_JOB), TO + 1);
            result(test_last(w, NEWS_JOB)->is.job, QUEUE_DELIVERED);
            test_wait(w, 100);
            assert_int_equal(queue_letters(w->queue), 0);
        }
}

static void nobody_is_told_twice(void **state)
{
    uint32_t list[8];

    (void)state;
    put(together);
    (void)jobs(list, COUNT(list));
    result(list[0], QUEUE_DELIVERED);
    result(list[0], QUEUE_LATER);           /* its result was told: this is nothing */
    for (size_t i = 1; i < TO; i++)
        result(list[i], QUEUE_BUSY);
    test_wait(w, 60 * 1000);
    assert_int_equal(test_count(w, NEWS_JOB), TO + 3);
}

static void a_dead_deliverer_gives_them_all_back(void **state)
{
    uint32_t list[16];

    (void)state;
    put(together);
    (void)jobs(list, COUNT(list));
    result(list[0], QUEUE_DELIVERED);
    queue_deliverer(w->queue, 0, false, &w->fx);
    test_run(w);
    queue_deliverer(w->queue, 0, true, &w->fx);
    test_run(w);
    assert_int_equal(jobs(list, COUNT(list)), TO + 3);
    for (size_t i = TO; i < TO + 3; i++)
        result(list[i], QUEUE_DELIVERED);
    test_wait(w, 100);
    assert_int_equal(queue_letters(w->queue), 0);
}

static void who_goes_alone_has_a_text(void **state)
{
    static const char *const alone[TO] = { "-1", "-2", "-3", "-4" };

    (void)state;
    put(alone);
    assert_int_equal(test_count(w, NEWS_JOB), TO);
    assert_int_equal(test_count(w, NEWS_JOB_END), TO);
}

/* Long waits differ from letter to letter, within a tenth; short ones are exact. */
static void long_waits_have_jitter(void **state)
{
    enum { HOUR = 3600 * 1000 };
    static const char *const alone[TO] = { "-1", "-2", "-3", "-4" };
    uint32_t list[16];
    size_t before = 0;

    (void)state;
    end(NULL);
    struct queue_conf conf = test_conf();
    conf.patience.retry_ms[0] = HOUR;
    conf.patience.retries = 1;
    conf.jitter = 10;
    test_begin(w, &conf);
    test_start(w);
    queue_deliverer(w->queue, 0, true, &w->fx);
    put(alone);
    size_t n = jobs(list, COUNT(list));
    assert_int_equal(n, TO);
    for (size_t i = 0; i < n; i++)
        result(list[i], QUEUE_LATER);
    test_wait(w, HOUR / 10 * 9 - 1000);
    assert_int_equal(jobs(list, COUNT(list)), TO);
    for (unsigned i = 0; i < 20; i++) {
        size_t now = jobs(list, COUNT(list));
        before += now > TO && now < 2 * TO;
        test_wait(w, HOUR / 100);
    }
    assert_int_equal(jobs(list, COUNT(list)), 2 * TO);
    assert_true(before > 0);                /* they did not come all at once */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(those_of_one_way_share_a_text, begin, end),
        cmocka_unit_test_setup_teardown(each_has_its_own_result, begin, end),
        cmocka_unit_test_setup_teardown(nobody_is_told_twice, begin, end),
        cmocka_unit_test_setup_teardown(a_dead_deliverer_gives_them_all_back, begin, end),
        cmocka_unit_test_setup_teardown(who_goes_alone_has_a_text, begin, end),
        cmocka_unit_test_setup_teardown(long_waits_have_jitter, begin, end),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
