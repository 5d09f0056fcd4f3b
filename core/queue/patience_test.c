/* SPDX-License-Identifier: ISC
 *
 * A recipient's own patience, and that of a letter with a time set (RFC 2852), in virtual time.
 * (That of all: queue_test.c.)
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
static void others_patience(const void *of, struct bytes head, struct bytes to,
                            struct queue_patience *patience)
{
    (void)of;
    (void)head;
    if (bytes_equal(to, BYTES("own")))
        *patience = (struct queue_patience){ { 7000, 9000 }, 2, 0, 20000, 0, 0, 0 };
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
static void until_patience(const void *of, struct bytes head, struct bytes to,
                            struct queue_patience *patience)
{
    (void)of;
    (void)head;
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

/* RFC 2852. The letters say in their head what was asked for; they come at NOW. */
static const uint64_t NOW = UINT64_C(1767225600000);

static void asked_patience(const void *of, struct bytes head, struct bytes to,
                           struct queue_patience *patience)
{
    (void)of;
    (void)to;
    patience->retry_ms[0] = 3600 * 1000;
    patience->retries = 1;
    patience->give_up_ms = 48 * 3600 * 1000;
    patience->late_ms = 4 * 3600 * 1000;
    if (bytes_equal(head, BYTES("R")))
        patience->over_ms = NOW + 90000;
    if (bytes_equal(head, BYTES("N")))
        patience->tell_ms = NOW + 90000;
    if (bytes_equal(head, BYTES("past")))
        patience->tell_ms = NOW - 1;
}

/* The last end of an attempt; nobody is to hear of it. */
static struct queue_end last;
static bool last_busy;      /* the words say so */

static enum queue_report wants(void *reporter, const struct queue_verdict *verdict)
{
    (void)reporter;
    last = verdict->ends[0];
    last_busy = bytes_ends(last.words, BYTES("busy"));
    return QUEUE_REPORT_NONE;
}

static enum queue_report report(void *reporter, const struct queue_verdict *verdict,
                                struct queue_letter *ret_letter, struct queue_keys *ret_keys)
{
    (void)reporter, (void)verdict, (void)ret_letter, (void)ret_keys;
    fail_msg("nobody asked for a report");
    return QUEUE_REPORT_NONE;
}

/* A letter that is due for the first time. */
static void begin_with(struct bytes head)
{
    test_kill(w);
    last = (struct queue_end){ 0 };
    w->conf.wants = wants;
    w->conf.report = report;
    w->conf.patience_for = asked_patience;
    test_start(w);
    queue_deliverer(w->queue, 0, true, &w->fx);
    queue_put(w->queue, (struct queue_from){ 1, 1 },
              &(struct queue_letter){ .head = head, .to = BYTES("\x03\0\0\0all"),
                                      .text = BYTES("text") },
              (struct queue_keys){ NULL, 0 }, w->now, &w->fx);
    test_run(w);
    assert_int_equal(test_count(w, NEWS_JOB), 1);
}

static void came_back(uint32_t attempts)
{
    test_wait(w, 100);          /* the state alone waits for company */
    assert_int_equal(test_count(w, NEWS_JOB), attempts);
    assert_int_equal(last.outcome, QUEUE_FAILED);
    assert_true(last.class == 5 && last.subject == 4 && last.detail == 7);
    assert_int_equal(queue_letters(w->queue), 0);
}

/* Mode R: at that instant, without another attempt. */
static void it_comes_back_to_the_instant(void **state)
{
    begin_with(BYTES("R"));
    assert_int_equal(w->now.wall_ms, NOW);
    result(test_last(w, NEWS_JOB)->is.job, QUEUE_LATER);
    assert_int_equal(last.due_ms, NOW + 90000);
    test_wait(w, 89999);
    assert_int_equal(last.outcome, QUEUE_LATER);
    assert_int_equal(queue_letters(w->queue), 1);
    test_wait(w, 1);
    assert_int_equal(last.at_ms, NOW + 90000);
    came_back(1);
}

/* An attempt that was under way then may still deliver it; if not, it was the last, whoever wants
   it to stay. */
static void an_attempt_over_the_end_is_the_last(void **state)
{
    begin_with(BYTES("R"));
    test_wait(w, 90001);
    queue_job_result(w->queue, &(struct queue_result){
        .job = test_last(w, NEWS_JOB)->is.job, .outcome = QUEUE_LATER, .stays = true, .class = 4,
        .words = BYTES("busy") }, w->now, &w->fx);
    test_run(w);
    came_back(1);
    assert_true(last_busy);
}

/* However long nobody was there: it is not handed out again. */
static void it_comes_back_after_a_long_night(void **state)
{
    begin_with(BYTES("R"));
    result(test_last(w, NEWS_JOB)->is.job, QUEUE_LATER);
    test_wait(w, 1000);
    test_crash(w);
    w->now.wall_ms += 8 * 3600 * 1000;
    test_start(w);
    queue_deliverer(w->queue, 0, true, &w->fx);
    size_t jobs = test_count(w, NEWS_JOB);
    test_wait(w, 90000);
    came_back((uint32_t)jobs);
}

static void it_comes_back_after_a_crash(void **state)
{
    begin_with(BYTES("R"));
    result(test_last(w, NEWS_JOB)->is.job, QUEUE_LATER);
    test_wait(w, 1000);
    test_crash(w);
    test_start(w);
    queue_deliverer(w->queue, 0, true, &w->fx);
    size_t jobs = test_count(w, NEWS_JOB);
    test_wait(w, 88999);
    assert_int_equal(queue_letters(w->queue), 1);
    test_wait(w, 1);
    assert_int_equal(last.outcome, QUEUE_FAILED);
    came_back((uint32_t)jobs);
}

/* Mode N: its sender hears at that instant, and no other; it goes on. A time that was over when it
   came is no instant. */
static void its_sender_hears_to_the_instant(void **state)
{
    begin_with(BYTES("N"));
    result(test_last(w, NEWS_JOB)->is.job, QUEUE_LATER);
    test_wait(w, 89999);
    assert_int_equal(test_count(w, NEWS_JOB), 1);
    test_wait(w, 1);
    assert_int_equal(test_count(w, NEWS_JOB), 2);
    result(test_last(w, NEWS_JOB)->is.job, QUEUE_LATER);
    assert_int_equal(last.at_ms, NOW + 90000);
    assert_int_equal(last.outcome, QUEUE_LATER);
    assert_int_equal(last.due_ms, NOW + 90000 + 3600 * 1000);
}

static void a_time_that_was_over_is_no_instant(void **state)
{
    begin_with(BYTES("past"));
    result(test_last(w, NEWS_JOB)->is.job, QUEUE_LATER);
    assert_int_equal(last.due_ms, NOW + 3600 * 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(one_has_a_patience_of_its_own, begin, end),
        cmocka_unit_test_setup_teardown(who_stays_is_looked_at_when_that_ends, begin, end),
        cmocka_unit_test_setup_teardown(it_comes_back_to_the_instant, begin, end),
        cmocka_unit_test_setup_teardown(an_attempt_over_the_end_is_the_last, begin, end),
        cmocka_unit_test_setup_teardown(it_comes_back_after_a_crash, begin, end),
        cmocka_unit_test_setup_teardown(it_comes_back_after_a_long_night, begin, end),
        cmocka_unit_test_setup_teardown(its_sender_hears_to_the_instant, begin, end),
        cmocka_unit_test_setup_teardown(a_time_that_was_over_is_no_instant, begin, end),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
