/* SPDX-License-Identifier: ISC */
#include "queue/world_test.h"

#include "base/arena.h"
#include "base/event.h"
#include "queue/history.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

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
    mem_fail_at(0);
    test_end(w);
    return 0;
}

static void result(uint32_t job, enum queue_outcome outcome)
{
    queue_job_result(w->queue, &(struct queue_result){ .job = job, .outcome = outcome, .class = 2,
                                                       .words = BYTES("words") }, w->now, &w->fx);
    test_run(w);
}

static void restart(bool crash)
{
    if (crash)
        test_crash(w);
    else
        test_kill(w);
    test_start(w);
}

static void a_letter_is_taken_when_it_is_synced(void **state)
{
    assert_int_equal(queue_state(w->queue), QUEUE_OPEN);
    test_put(w, 5, "text");
    assert_int_equal(test_count(w, NEWS_TAKEN), 0);
    test_run(w);
    assert_int_equal(test_count(w, NEWS_TAKEN), 1);
    assert_int_equal(test_last(w, NEWS_TAKEN)->is.from.token, 5);
    restart(true);
    assert_int_equal(queue_letters(w->queue), 1);
}

static void one_sync_serves_all_that_came(void **state)
{
    for (uint32_t i = 0; i < 100; i++)
        test_put(w, i, "text");
    w->fail_kind = IO_SYNC;
    w->ios = 0;
    test_run(w);
    assert_int_equal(test_count(w, NEWS_TAKEN), 100);
    assert_int_equal(w->ios, 1);
}

static void a_letter_is_delivered_and_leaves(void **state)
{
    queue_deliverer(w->queue, 0, true, &w->fx);
    test_put(w, 1, "Subject: x\r\n\r\ntext\r\n");
    test_run(w);
    const struct test_news *job = test_last(w, NEWS_JOB);
    assert_non_null(job);
    assert_false(job->is.recovered);
    assert_int_equal(job->is.attempt, 1);
    assert_int_equal(w->letter_n, 20);
    assert_memory_equal(w->letter, "Subject: x\r\n\r\ntext\r\n", 20);
    assert_int_equal(test_count(w, NEWS_JOB_END), 1);
    result(job->is.job, QUEUE_DELIVERED);
    test_wait(w, 100);
    assert_int_equal(queue_letters(w->queue), 0);
    restart(true);
    assert_int_equal(queue_letters(w->queue), 0);
}

static void after_a_crash_a_job_says_that_it_may_be_the_second(void **state)
{
    queue_deliverer(w->queue, 0, true, &w->fx);
    test_put(w, 1, "text");
    test_run(w);
    result(test_last(w, NEWS_JOB)->is.job, QUEUE_DELIVERED);
    restart(true);      /* the result waits 50 ms for company: it was not written */
    queue_deliverer(w->queue, 0, true, &w->fx);
    test_run(w);
    assert_true(test_last(w, NEWS_JOB)->is.recovered);
}

static void a_deferred_letter_waits_longer_each_time(void **state)
{
    queue_deliverer(w->queue, 0, true, &w->fx);
    test_put(w, 1, "text");
    test_run(w);
    for (uint32_t attempt = 1; attempt <= 5; attempt++) {
        assert_int_equal(test_count(w, NEWS_JOB), attempt);
        result(test_last(w, NEWS_JOB)->is.job, QUEUE_LATER);
        test_wait(w, (UINT64_C(1000) << (attempt - 1)) - 1);
        assert_int_equal(test_count(w, NEWS_JOB), attempt);
        test_wait(w, 1);
    }
    result(test_last(w, NEWS_JOB)->is.job, QUEUE_LATER);
    test_wait(w, 100);
    test_crash(w);
    w->now.wall_ms -= 3600 * 1000 * 24;     /* SPL-019: put back: not beyond the wait */
    test_start(w);
    queue_deliverer(w->queue, 0, true, &w->fx);
    test_wait(w, 32 * 1000);
    assert_int_equal(test_count(w, NEWS_JOB), 1);
    assert_int_equal(test_last(w, NEWS_JOB)->is.attempt, 7);
}

/* Two days by the default schedule, in a moment: every try at its very instant, the last when the
   patience ends; then it has failed, with the last reason in its words. */
static void patience_ends_to_the_instant(void **state)
{
    static const uint64_t MINUTE = 60 * 1000, LIFE = UINT64_C(48) * 60 * 60 * 1000;
    static const uint64_t first[] = { 1, 5, 15, 30, 60 };
    uint64_t at = 0;
    size_t tries = 0;

    test_kill(w);
    for (size_t i = 0; i < COUNT(first); i++)
        w->conf.patience.retry_ms[i] = first[i] * MINUTE;
    w->conf.patience.retries = COUNT(first);
    w->conf.patience.give_up_ms = LIFE;
    test_start(w);
    uint64_t began = w->now.wall_ms;
    queue_deliverer(w->queue, 0, true, &w->fx);
    test_put(w, 1, "text");
    test_run(w);
    while (at < LIFE) {
        assert_int_equal(test_count(w, NEWS_JOB), ++tries);
        assert_int_equal(w->now.wall_ms - began, at);
        result(test_last(w, NEWS_JOB)->is.job, QUEUE_LATER);
        uint64_t wait = first[tries <= COUNT(first) ? tries - 1 : COUNT(first) - 1] * MINUTE;
        wait = wait < LIFE - at ? wait : LIFE - at;
        test_wait(w, wait - 1);
        assert_int_equal(test_count(w, NEWS_JOB), tries);
        test_wait(w, 1);
        at += wait;
    }
    assert_int_equal(test_count(w, NEWS_JOB), tries + 1);
    result(test_last(w, NEWS_JOB)->is.job, QUEUE_LATER);
    test_wait(w, LIFE);
    assert_int_equal(test_count(w, NEWS_JOB), tries + 1);
    queue_list(w->queue, 7, 0, 10, &w->fx);
    test_run(w);
    const struct test_news *row = test_last(w, NEWS_ROW);
    assert_non_null(row);
    assert_true(row->is.failed);
}

static void who_is_busy_has_not_tried(void **state)
{
    queue_deliverer(w->queue, 0, true, &w->fx);
    test_put(w, 1, "text");
    test_run(w);
    for (int i = 0; i < 3; i++) {
        result(test_last(w, NEWS_JOB)->is.job, QUEUE_BUSY);
        test_wait(w, 10000);
        assert_int_equal(test_last(w, NEWS_JOB)->is.attempt, 1);
    }
    assert_int_equal(test_count(w, NEWS_JOB), 4);
}

static uint8_t second_does_all(const void *of, struct bytes to)
{
    (void)of;
    (void)to;
    return 1;
}

static void a_job_goes_to_the_deliverer_it_is_for(void **state)
{
    test_kill(w);
    w->conf.deliverer = second_does_all;
    test_start(w);
    queue_deliverer(w->queue, 0, true, &w->fx);
    test_put(w, 1, "text");
    test_run(w);
    assert_int_equal(test_count(w, NEWS_JOB), 0);
    queue_deliverer(w->queue, 1, true, &w->fx);
    test_wait(w, 1000);
    assert_int_equal(test_count(w, NEWS_JOB), 1);
    assert_int_equal(test_last(w, NEWS_JOB)->is.deliverer, 1);
    queue_deliverer(w->queue, 0, false, &w->fx);    /* not its own: nothing falls back */
    test_run(w);
    result(test_last(w, NEWS_JOB)->is.job, QUEUE_DELIVERED);
    test_wait(w, 100);
    assert_int_equal(queue_letters(w->queue), 0);
}

static void what_failed_for_good_stays_and_says_why(void **state)
{
    queue_deliverer(w->queue, 0, true, &w->fx);
    test_put(w, 1, "text");
    test_run(w);
    result(test_last(w, NEWS_JOB)->is.job, QUEUE_FAILED);
    test_wait(w, 3600 * 1000);
    restart(true);
    queue_deliverer(w->queue, 0, true, &w->fx);
    test_wait(w, 3600 * 1000);
    assert_int_equal(test_count(w, NEWS_JOB), 0);
    queue_list(w->queue, 9, 0, 10, &w->fx);
    test_run(w);
    const struct test_news *row = test_last(w, NEWS_ROW);
    assert_non_null(row);
    assert_true(row->is.failed);
    assert_int_equal(row->text_n, 11);
    assert_memory_equal(row->text, "2.0.0 words", 11);
    assert_int_equal(test_last(w, NEWS_ANSWER_END)->is.more, 0);
}

static void a_dead_deliverer_gives_its_jobs_back(void **state)
{
    queue_deliverer(w->queue, 0, true, &w->fx);
    test_put(w, 1, "text");
    test_run(w);
    uint32_t job = test_last(w, NEWS_JOB)->is.job;
    queue_deliverer(w->queue, 0, false, &w->fx);
    result(job, QUEUE_DELIVERED);       /* of a job that is no more */
    queue_deliverer(w->queue, 0, true, &w->fx);
    test_run(w);
    assert_int_equal(test_count(w, NEWS_JOB), 2);
    assert_true(test_last(w, NEWS_JOB)->is.recovered);
    assert_int_equal(test_last(w, NEWS_JOB)->is.attempt, 2);
}

static void send_large(uint32_t token, size_t parts, bool ends)
{
    static char part[32768];
    struct queue_from from = { 1, token };
    size_t credits = test_count(w, NEWS_CREDIT);
    uint64_t sent = 0, leave = LIMIT_LETTER_CREDIT;

    memset(part, 'p', sizeof(part));
    assert_true(queue_begin(w->queue, from, false, 0, &w->fx));
    assert_true(queue_to(w->queue, from, BYTES("\x01\0\0\0a\x01\0\0\0b")));
    for (size_t i = 0; i < parts; i++) {
        assert_true(sent + sizeof(part) <= leave);
        assert_true(queue_part(w->queue, from, (struct bytes){ part, sizeof(part) }, &w->fx));
        sent += sizeof(part);
        test_run(w);
        for (size_t n = 0; n < w->news_n; n++)
            if (w->news[n].is.kind == NEWS_CREDIT && credits > 0)
                credits--;
            else if (w->news[n].is.kind == NEWS_CREDIT)
                leave += w->news[n].is.octets;
        w->news_n = 0;
    }
    if (ends)
        assert_true(queue_end(w->queue, from, sent, BYTES("head"), (struct queue_keys){ NULL, 0 },
                              w->now, &w->fx));
    test_run(w);
}

static size_t body_files(void)
{
    size_t count = 0;

    for (size_t i = 0; i < TEST_FILES; i++)
        count += strncmp(w->files[i].name, "body/", 5) == 0;
    return count;
}

static void a_large_letter_has_a_file_of_its_own(void **state)
{
    send_large(3, 40, true);
    assert_int_equal(test_count(w, NEWS_TAKEN), 1);
    assert_int_equal(body_files(), 1);
    restart(true);
    assert_int_equal(body_files(), 1);
    queue_deliverer(w->queue, 0, true, &w->fx);
    test_run(w);
    for (uint32_t n = 0; n < 2; n++) {
        size_t jobs = test_count(w, NEWS_JOB);
        for (size_t i = 0; i < w->news_n; i++)
            if (w->news[i].is.kind == NEWS_JOB && w->news[i].is.recipient == n) {
                queue_job_credit(w->queue, w->news[i].is.job, 1 << 20, &w->fx);
                test_run(w);
                result(w->news[i].is.job, QUEUE_DELIVERED);
                break;
            }
        assert_int_equal(jobs, 2);
    }
    test_wait(w, 100);
    assert_int_equal(queue_letters(w->queue), 0);
    assert_int_equal(body_files(), 0);
}

static void a_dropped_letter_leaves_no_file(void **state)
{
    send_large(3, 10, false);
    queue_drop_peer(w->queue, 1, &w->fx);
    test_run(w);
    assert_int_equal(body_files(), 0);
    send_large(4, 10, false);
    restart(true);
    assert_int_equal(body_files(), 0);      /* swept: no letter names it */
    assert_int_equal(queue_letters(w->queue), 0);
}

static void more_than_the_credit_is_refused(void **state)
{
    struct queue_from from = { 1, 8 };
    static char part[60000];

    assert_true(queue_begin(w->queue, from, false, 0, &w->fx));
    assert_false(queue_begin(w->queue, from, false, 0, &w->fx));
    for (int i = 0; i < 8; i++)
        assert_true(queue_part(w->queue, from, (struct bytes){ part, sizeof(part) }, &w->fx));
    assert_false(queue_part(w->queue, from, (struct bytes){ part, sizeof(part) }, &w->fx));
    test_run(w);
    assert_int_equal(test_last(w, NEWS_REFUSED)->is.from.token, 8);
    assert_true(queue_part(w->queue, from, BYTES("x"), &w->fx));   /* was on its way: no mistake */
}

/* A failed sync: refused, never read back; what else was there lives; the store goes on. */
static void a_failed_sync_is_not_repeated(void **state)
{
    test_put(w, 1, "kept");
    test_run(w);
    w->fail_kind = IO_SYNC;
    w->fail_with = FAULT_IO;
    w->ios = 0;
    w->fail_at = 1;
    test_put(w, 2, "lost");
    test_run(w);
    assert_int_equal(test_count(w, NEWS_TAKEN), 1);
    assert_int_equal(test_last(w, NEWS_REFUSED)->is.from.token, 2);
    assert_int_equal(test_last(w, NEWS_REFUSED)->is.why, QUEUE_NOT_NOW);
    assert_int_equal(queue_letters(w->queue), 1);
    test_put(w, 3, "kept");
    test_run(w);
    assert_int_equal(test_count(w, NEWS_TAKEN), 2);
    restart(false);     /* also where the pages of the failed sync are still there to be read */
    assert_int_equal(queue_letters(w->queue), 2);
    restart(true);
    assert_int_equal(queue_letters(w->queue), 2);
}

static void two_failures_make_it_read_only(void **state)
{
    w->fail_kind = IO_SYNC;
    w->fail_with = FAULT_IO;
    w->ios = 0;
    w->fail_at = 1;
    w->fail_count = 10;
    test_put(w, 2, "who knows");
    test_run(w);
    assert_int_equal(queue_state(w->queue), QUEUE_READ_ONLY);
    assert_int_equal(test_last(w, NEWS_REFUSED)->is.why, QUEUE_UNKNOWN);
    test_put(w, 3, "not now");
    test_run(w);
    assert_int_equal(test_last(w, NEWS_REFUSED)->is.from.token, 3);
    assert_int_equal(test_last(w, NEWS_REFUSED)->is.why, QUEUE_NOT_NOW);
}

static void a_result_survives_a_failed_sync(void **state)
{
    queue_deliverer(w->queue, 0, true, &w->fx);
    test_put(w, 1, "text");
    test_run(w);
    result(test_last(w, NEWS_JOB)->is.job, QUEUE_DELIVERED);
    w->fail_kind = IO_SYNC;
    w->fail_with = FAULT_IO;
    w->ios = 0;
    w->fail_at = 1;
    test_wait(w, 100);
    w->fail_at = 0;
    assert_int_equal(queue_letters(w->queue), 0);
    restart(true);
    assert_int_equal(queue_letters(w->queue), 0);
}

static void low_space_is_told(void **state)
{
    w->space = 10;
    test_wait(w, 2000);
    assert_int_equal(queue_state(w->queue), QUEUE_LOW);
    test_put(w, 1, "text");
    test_run(w);
    assert_int_equal(test_last(w, NEWS_REFUSED)->is.why, QUEUE_NO_SPACE);
    w->space = 1 << 30;
    test_wait(w, 2000);
    assert_int_equal(queue_state(w->queue), QUEUE_OPEN);
}

/* Whatever operation fails, with whatever fault: what was taken is there after a crash. */
static void any_operation_may_fail(void **state)
{
    static const enum fault faults[] = { FAULT_NO_SPACE, FAULT_IO };

    test_end(w);
    for (size_t f = 0; f < COUNT(faults); f++)
        for (unsigned at = 1; at < 60; at++) {
            struct queue_conf conf = test_conf();
            size_t taken = 0;
            test_begin(w, &conf);
            w->fail_with = faults[f];
            w->fail_at = at;
            test_start(w);
            for (uint32_t i = 0; i < 4; i++) {
                test_put(w, i, "text");
                test_wait(w, 1500);
                taken = test_count(w, NEWS_TAKEN);
            }
            w->fail_at = 0;
            restart(true);
            assert_true(queue_letters(w->queue) >= taken);
            assert_int_equal(queue_state(w->queue), QUEUE_OPEN);
            test_end(w);
        }
    begin(state);
}

/* SPL-012: the folder's sync fails: not acknowledged, and nothing of it stays. */
static void a_failed_folder_sync_is_no_promise(void **state)
{
    w->fail_kind = IO_SYNC_DIR;
    w->fail_with = FAULT_IO;
    w->ios = 0;
    w->fail_at = 1;
    send_large(3, 40, true);
    assert_int_equal(test_count(w, NEWS_TAKEN), 0);
    assert_int_equal(test_last(w, NEWS_REFUSED)->is.why, QUEUE_NOT_NOW);
    assert_int_equal(body_files(), 0);
    w->fail_at = 0;
    restart(true);
    assert_int_equal(queue_letters(w->queue), 0);
}

/* SPL-016: the power goes before any operation (all later ones fail and change nothing): what
   was taken is there, what is there reads, and a second crash during recovery changes nothing. */
static void the_power_may_go_at_any_operation(void **state)
{
    test_end(w);
    for (unsigned at = 1; at < 80; at++) {
        struct queue_conf conf = test_conf();
        size_t taken;
        test_begin(w, &conf);
        w->fail_with = FAULT_IO;
        w->fail_at = at;
        w->fail_count = UINT32_MAX / 2;
        test_start(w);
        for (uint32_t i = 0; i < 3; i++) {
            test_put(w, i, "text");
            test_wait(w, 1500);
        }
        taken = test_count(w, NEWS_TAKEN);
        test_crash(w);
        w->ios = 0;
        w->fail_at = at;
        test_start(w);
        w->fail_at = 0;
        restart(true);
        assert_true(queue_letters(w->queue) >= taken);
        assert_true(queue_letters(w->queue) <= 3);
        assert_int_equal(queue_state(w->queue), QUEUE_OPEN);
        test_end(w);
    }
    begin(state);
}

/* OS-001: each allocation in turn; the role may give up, but what was taken is there. */
static void any_allocation_may_fail(void **state)
{
    test_end(w);
    for (uint64_t at = 1; at < 120; at++) {
        struct queue_conf conf = test_conf();
        size_t taken = 0;
        test_begin(w, &conf);
        mem_fail_at(at);
        test_start(w);
        if (!w->bad && w->queue != NULL) {
            queue_deliverer(w->queue, 0, true, &w->fx);
            test_put(w, 1, "text");
            test_run(w);
            taken = test_count(w, NEWS_TAKEN);
        }
        mem_fail_at(0);
        restart(true);
        assert_true(queue_letters(w->queue) >= taken);
        mem_fail_at(at);
        restart(true);
        mem_fail_at(0);
        restart(true);
        assert_true(queue_letters(w->queue) >= taken);
        test_end(w);
    }
    begin(state);
}

/* Segments fill, die and come back; what is deferred is carried along. */
static void segments_come_and_go(void **state)
{
    static char text[4001];
    uint32_t deferred = 0;

    memset(text, 'x', 4000);
    queue_deliverer(w->queue, 0, true, &w->fx);
    for (uint32_t i = 0; i < 400; i++) {
        test_put(w, i, text);
        test_wait(w, 30);
        const struct test_news *job = test_last(w, NEWS_JOB);
        if (job != NULL)
            result(job->is.job, i == 0 ? QUEUE_FAILED : QUEUE_DELIVERED);
        deferred += i == 0;
        assert_int_equal(test_last(w, NEWS_TAKEN)->is.from.token, i);
        w->news_n = 0;
    }
    for (int i = 0; i < 50; i++)
        test_wait(w, 100);
    size_t segments = 0;
    for (size_t i = 0; i < TEST_FILES; i++)
        segments += strncmp(w->files[i].name, "log/0", 5) == 0;
    assert_in_range(segments, 1, 12);
    assert_int_equal(queue_letters(w->queue), deferred);
    restart(true);
    assert_int_equal(queue_letters(w->queue), deferred);
    queue_list(w->queue, 1, 0, 10, &w->fx);
    test_run(w);
    assert_true(test_last(w, NEWS_ROW)->is.failed);
    restart(true);      /* I7: recovered twice, the same */
    assert_int_equal(queue_letters(w->queue), deferred);
}

static void the_history_is_found_by_id_and_key(void **state)
{
    uint64_t keys[] = { history_key(HISTORY_BY_ADDRESS, BYTES("a@example.org")) };
    struct queue_letter letter = { .head = BYTES("head"), .to = BYTES("\x03\0\0\0rcp"),
                                   .text = BYTES("text") };
    struct history_event event;

    queue_deliverer(w->queue, 0, true, &w->fx);
    queue_put(w->queue, (struct queue_from){ 1, 1 }, &letter, (struct queue_keys){ keys, 1 },
              w->now,
              &w->fx);
    test_run(w);
    result(test_last(w, NEWS_JOB)->is.job, QUEUE_DELIVERED);
    test_put(w, 2, "another");
    test_run(w);
    queue_trace(w->queue, 7, HISTORY_BY_ADDRESS, BYTES("a@example.org"), &w->fx);
    test_run(w);
    assert_int_equal(test_count(w, NEWS_EVENT), 2);
    const struct test_news *last = test_last(w, NEWS_EVENT);
    assert_true(history_read((struct bytes){ last->text, last->text_n }, &event));
    assert_int_equal(event.what, HISTORY_DELIVERED);
    assert_int_equal(test_last(w, NEWS_ANSWER_END)->is.more, 0);
    queue_trace(w->queue, 8, HISTORY_BY_ADDRESS, BYTES("b@example.org"), &w->fx);
    test_run(w);
    assert_int_equal(test_count(w, NEWS_EVENT), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_letter_is_taken_when_it_is_synced, begin, end),
        cmocka_unit_test_setup_teardown(one_sync_serves_all_that_came, begin, end),
        cmocka_unit_test_setup_teardown(a_letter_is_delivered_and_leaves, begin, end),
        cmocka_unit_test_setup_teardown(after_a_crash_a_job_says_that_it_may_be_the_second, begin,
                                        end),
        cmocka_unit_test_setup_teardown(a_deferred_letter_waits_longer_each_time, begin, end),
        cmocka_unit_test_setup_teardown(patience_ends_to_the_instant, begin, end),
        cmocka_unit_test_setup_teardown(who_is_busy_has_not_tried, begin, end),
        cmocka_unit_test_setup_teardown(a_job_goes_to_the_deliverer_it_is_for, begin, end),
        cmocka_unit_test_setup_teardown(what_failed_for_good_stays_and_says_why, begin, end),
        cmocka_unit_test_setup_teardown(a_dead_deliverer_gives_its_jobs_back, begin, end),
        cmocka_unit_test_setup_teardown(a_large_letter_has_a_file_of_its_own, begin, end),
        cmocka_unit_test_setup_teardown(a_dropped_letter_leaves_no_file, begin, end),
        cmocka_unit_test_setup_teardown(more_than_the_credit_is_refused, begin, end),
        cmocka_unit_test_setup_teardown(a_failed_sync_is_not_repeated, begin, end),
        cmocka_unit_test_setup_teardown(two_failures_make_it_read_only, begin, end),
        cmocka_unit_test_setup_teardown(a_result_survives_a_failed_sync, begin, end),
        cmocka_unit_test_setup_teardown(low_space_is_told, begin, end),
        cmocka_unit_test_setup_teardown(any_operation_may_fail, begin, end),
        cmocka_unit_test_setup_teardown(a_failed_folder_sync_is_no_promise, begin, end),
        cmocka_unit_test_setup_teardown(the_power_may_go_at_any_operation, begin, end),
        cmocka_unit_test_setup_teardown(any_allocation_may_fail, begin, end),
        cmocka_unit_test_setup_teardown(segments_come_and_go, begin, end),
        cmocka_unit_test_setup_teardown(the_history_is_found_by_id_and_key, begin, end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
