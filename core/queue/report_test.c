/* SPDX-License-Identifier: ISC
 *
 * A recipient's end and its report: both or neither, whatever happens to the disk.
 */
#include "queue/world_test.h"

#include "base/buffer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct test_world world, *const w = &world;

/* What the owner says, and what it was shown. */
static struct {
    enum queue_report answer;
    unsigned asked;
    size_t most, told;      /* recipients that one report holds (0: all); those told in all */
    unsigned reports;
    struct queue_end last;
    size_t ends;
    uint64_t size;
    char text[128];
    size_t text_n;
} owner;

static enum queue_report wants(void *reporter, const struct queue_verdict *verdict)
{
    assert_ptr_equal(reporter, &owner);
    assert_int_equal(verdict->ends_n, 1);
    if (bytes_begins(verdict->text, BYTES("report")))
        return QUEUE_REPORT_HOLD;
    owner.last = verdict->ends[0];
    return owner.answer;
}

static enum queue_report report(void *reporter, const struct queue_verdict *verdict,
                                struct queue_letter *ret_letter, struct queue_keys *ret_keys)
{
    static const char to[] = "\x06\0\0\0sender";

    assert_ptr_equal(reporter, &owner);
    owner.asked++;
    owner.last = verdict->ends[0];
    owner.ends = verdict->ends_n;
    owner.size = verdict->size;
    owner.text_n = verdict->text.n < sizeof(owner.text) ? verdict->text.n : sizeof(owner.text);
    memcpy(owner.text, verdict->text.at, owner.text_n);
    *ret_letter = (struct queue_letter){ .head = BYTES("head"), .to = { to, sizeof(to) - 1 },
                                         .text = BYTES("report") };
    *ret_keys = (struct queue_keys){ NULL, 0 };
    if (owner.most != 0 && verdict->ends_n > owner.most)
        return QUEUE_REPORT_TOO_LARGE;
    owner.reports++;
    owner.told += verdict->ends_n;
    return owner.answer;
}

static int begin(void **state)
{
    struct queue_conf conf = test_conf();

    memset(&owner, 0, sizeof(owner));
    owner.answer = QUEUE_REPORT_WRITTEN;
    conf.wants = wants;
    conf.report = report;
    conf.reporter = &owner;
    test_begin(w, &conf);
    test_start(w);
    queue_deliverer(w->queue, 0, true, &w->fx);
    return 0;
}

static int end(void **state)
{
    test_end(w);
    return 0;
}

static void result(enum queue_outcome outcome)
{
    const struct test_news *job = test_last(w, NEWS_JOB);

    assert_non_null(job);
    queue_job_result(w->queue, &(struct queue_result){
        .job = job->is.job, .outcome = outcome, .class = 5, .subject = 1, .detail = 1,
        .words = BYTES("words") }, w->now, &w->fx);
    queue_step(w->queue, &(struct event){ .kind = EV_TURN, .now = w->now }, &w->fx);
}

/* Letters in the queue, after a crash too. */
static void crash_to(uint64_t letters)
{
    test_crash(w);
    test_start(w);
    assert_int_equal(queue_letters(w->queue), letters);
}

static void a_failure_and_its_report_are_one(void **state)
{
    test_put(w, 1, "original");
    test_run(w);
    result(QUEUE_FAILED);
    test_run(w);
    assert_int_equal(owner.asked, 1);
    assert_int_equal(owner.last.outcome, QUEUE_FAILED);
    assert_int_equal(owner.text_n, 8);
    assert_memory_equal(owner.text, "original", 8);
    assert_int_equal(test_count(w, NEWS_TAKEN), 1);     /* nobody asked for the report */
    assert_int_equal(queue_letters(w->queue), 1);
    assert_memory_equal(w->letter, "report", 6);        /* it goes out at once */
    crash_to(1);
}

static void before_the_sync_there_is_neither(void **state)
{
    test_put(w, 1, "original");
    test_run(w);
    result(QUEUE_FAILED);
    crash_to(1);
    queue_deliverer(w->queue, 0, true, &w->fx);
    test_run(w);
    assert_memory_equal(w->letter, "original", 8);
    assert_true(test_last(w, NEWS_JOB)->is.recovered);
    result(QUEUE_FAILED);
    test_run(w);
    crash_to(1);
    assert_int_equal(owner.asked, 2);
}

static void when_the_group_fails_the_recipient_waits_again(void **state)
{
    test_put(w, 1, "original");
    test_run(w);
    w->fail_kind = IO_SYNC;
    w->ios = 0;
    w->fail_at = 1;
    w->fail_with = FAULT_IO;
    result(QUEUE_FAILED);
    test_run(w);
    w->fail_at = 0;
    assert_int_equal(queue_letters(w->queue), 1);
    test_wait(w, 2000);
    assert_memory_equal(w->letter, "original", 8);
    result(QUEUE_FAILED);
    test_wait(w, 100);
    assert_int_equal(owner.asked, 2);
    assert_int_equal(queue_letters(w->queue), 1);
    assert_memory_equal(w->letter, "report", 6);
    crash_to(1);
}

/* Whatever the schedule, to the millisecond; and then the schedule goes on. */
static void it_is_late_to_the_instant(void **state)
{
    enum { HOUR = 3600 * 1000 };

    test_kill(w);
    w->conf.patience.retry_ms[0] = 3 * HOUR;
    w->conf.patience.retries = 1;
    w->conf.patience.late_ms = 4 * HOUR;
    test_start(w);
    queue_deliverer(w->queue, 0, true, &w->fx);
    uint64_t began = w->now.wall_ms;
    test_put(w, 1, "original");
    test_run(w);
    owner.answer = QUEUE_REPORT_NONE;
    static const unsigned hours[] = { 3, 4, 7, 10 };
    for (size_t i = 0; i < COUNT(hours); i++) {
        result(QUEUE_LATER);
        test_wait(w, hours[i] * HOUR - (w->now.wall_ms - began) - 1);
        assert_int_equal(test_count(w, NEWS_JOB), i + 1);
        test_wait(w, 1);
        assert_int_equal(test_count(w, NEWS_JOB), i + 2);
    }
    assert_int_equal(owner.last.at_ms - began, 7 * HOUR);
}

static void a_delivery_whose_group_fails_is_still_delivered(void **state)
{
    test_put(w, 1, "original");
    test_run(w);
    w->fail_kind = IO_SYNC;
    w->ios = 0;
    w->fail_at = 1;
    w->fail_with = FAULT_IO;
    result(QUEUE_DELIVERED);
    test_run(w);
    w->fail_at = 0;
    test_wait(w, 2000);
    assert_int_equal(queue_letters(w->queue), 0);
    assert_int_equal(test_count(w, NEWS_JOB), 1);
    crash_to(0);
}

static void nobody_is_to_hear_of_it(void **state)
{
    owner.answer = QUEUE_REPORT_NONE;
    test_put(w, 1, "original");
    test_run(w);
    result(QUEUE_FAILED);
    test_wait(w, 100);
    assert_int_equal(queue_letters(w->queue), 0);
    crash_to(0);
}

static void it_stays_until_somebody_looks(void **state)
{
    owner.answer = QUEUE_REPORT_HOLD;
    test_put(w, 1, "original");
    test_run(w);
    result(QUEUE_FAILED);
    test_wait(w, 3600 * 1000);
    crash_to(1);
    queue_deliverer(w->queue, 0, true, &w->fx);
    test_wait(w, 3600 * 1000);
    assert_int_equal(test_count(w, NEWS_JOB), 0);
}

static void without_memory_it_comes_again(void **state)
{
    owner.answer = QUEUE_REPORT_NOT_NOW;
    test_put(w, 1, "original");
    test_run(w);
    result(QUEUE_FAILED);
    owner.answer = QUEUE_REPORT_WRITTEN;
    test_wait(w, 2000);
    assert_int_equal(test_count(w, NEWS_JOB), 2);
    result(QUEUE_FAILED);
    test_wait(w, 100);
    crash_to(1);
}

static void a_delay_is_told_once(void **state)
{
    test_put(w, 1, "original");
    test_run(w);
    result(QUEUE_LATER);
    test_run(w);
    assert_int_equal(queue_letters(w->queue), 2);
    assert_int_equal(owner.asked, 1);
    assert_int_equal(owner.last.outcome, QUEUE_LATER);
    assert_true(owner.last.due_ms > owner.last.at_ms);
    crash_to(2);
    queue_deliverer(w->queue, 0, true, &w->fx);
    for (unsigned i = 0; i < 3; i++) {
        test_wait(w, 3600 * 1000);
        result(i == 0 ? QUEUE_FAILED : QUEUE_LATER);    /* the report's own fate too */
    }
    assert_int_equal(owner.asked, 1 + (unsigned)(owner.last.outcome == QUEUE_FAILED));
}

/* A body file is read for the report, also when the word comes before any of it was sent. */
static void the_start_of_a_large_text_is_shown(void **state)
{
    enum { SIZE = 40000 };
    static char text[SIZE];
    struct queue_from from = { 0, 9 };

    memset(text, 'x', sizeof(text));
    memcpy(text, "Subject: big", 12);
    assert_true(queue_begin(w->queue, from, false, SIZE, &w->fx));
    assert_true(queue_to(w->queue, from, (struct bytes){ "\x01\0\0\0a", 5 }));
    assert_true(queue_part(w->queue, from, (struct bytes){ text, SIZE }, &w->fx));
    test_run(w);
    assert_true(queue_end(w->queue, from, SIZE, BYTES("head"), (struct queue_keys){ NULL, 0 },
                          w->now, &w->fx));
    test_run(w);
    result(QUEUE_FAILED);
    test_run(w);
    assert_int_equal(owner.asked, 1);
    assert_int_equal(owner.size, SIZE);
    assert_memory_equal(owner.text, "Subject: big", 12);
    crash_to(1);
}

/* ---- several recipients of one letter */

enum { TO = 4 };

/* By the first letter. */
static uint64_t way(const void *of, struct bytes to)
{
    return to.n == 0 ? 0 : octet(to.at[0]);
}

static void put_many(const char *const to[], size_t n)
{
    struct buffer blocks = buffer_with_most(1 << 20);

    test_kill(w);
    w->conf.way = way;
    test_start(w);
    queue_deliverer(w->queue, 0, true, &w->fx);
    for (size_t i = 0; i < n; i++)
        buffer_put_block(&blocks, bytes_of(to[i]));
    queue_put(w->queue, (struct queue_from){ 0, 1 },
              &(struct queue_letter){ .head = BYTES("head"), .to = buffer_bytes(&blocks),
                                      .text = BYTES("original") },
              (struct queue_keys){ NULL, 0 }, w->now, &w->fx);
    buffer_done(&blocks);
    test_run(w);
}

/* The n-th job that was told ends so. */
static void result_of(size_t n, enum queue_outcome outcome)
{
    for (size_t i = 0; i < w->news_n; i++)
        if (w->news[i].is.kind == NEWS_JOB && n-- == 0)
            queue_job_result(w->queue, &(struct queue_result){
                .job = w->news[i].is.job, .outcome = outcome, .class = 5,
                .words = BYTES("words") }, w->now, &w->fx);
}

static const char *const one_way[TO] = { "a1", "a2", "a3", "a4" };

/* However far apart the words of the server come. */
static void a_convoy_that_fails_has_one_report(void **state)
{
    put_many(one_way, TO);
    for (size_t i = 0; i < TO; i++) {
        assert_int_equal(owner.asked, 0);
        test_wait(w, 60 * 1000);
        result_of(TO - 1 - i, QUEUE_FAILED);
    }
    test_run(w);
    assert_int_equal(owner.asked, 1);
    assert_int_equal(owner.ends, TO);
    assert_int_equal(owner.last.recipient, 0);          /* in order, whoever was first */
    assert_int_equal(owner.text_n, 8);
    assert_int_equal(queue_letters(w->queue), 1);
    crash_to(1);
}

/* Who was delivered is so at once, and does not wait for the others. */
static void a_delivery_waits_for_nobody(void **state)
{
    put_many(one_way, TO);
    owner.answer = QUEUE_REPORT_NONE;
    result_of(0, QUEUE_DELIVERED);
    test_run(w);
    test_wait(w, 100);
    owner.answer = QUEUE_REPORT_WRITTEN;
    crash_to(1);
    queue_deliverer(w->queue, 0, true, &w->fx);
    test_run(w);
    assert_int_equal(test_count(w, NEWS_JOB), TO - 1);
    for (size_t i = 0; i < TO - 1; i++)
        result_of(i, QUEUE_FAILED);
    test_run(w);
    assert_int_equal(owner.ends, TO - 1);
}

/* A server that keeps the others waiting does not keep the sender from hearing. */
static void nobody_waits_for_ever(void **state)
{
    put_many(one_way, TO);
    result_of(1, QUEUE_FAILED);
    result_of(2, QUEUE_FAILED);
    test_wait(w, 599 * 1000);
    assert_int_equal(owner.asked, 0);
    assert_true(queue_alarm(w->queue) <= w->now.mono_ms + 1000);
    test_wait(w, 1000);
    assert_int_equal(owner.asked, 1);
    assert_int_equal(owner.ends, 2);
    result_of(0, QUEUE_FAILED);
    result_of(3, QUEUE_FAILED);
    test_run(w);
    assert_int_equal(owner.asked, 2);
    assert_int_equal(owner.ends, 2);
    assert_int_equal(queue_letters(w->queue), 2);
}

/* Of different ways: those that fail within a second. */
static void others_are_waited_for_a_moment(void **state)
{
    static const char *const ways[TO] = { "a", "b", "c", "d" };

    put_many(ways, TO);
    result_of(0, QUEUE_FAILED);
    result_of(1, QUEUE_FAILED);
    test_run(w);
    assert_int_equal(owner.asked, 0);
    test_wait(w, 1000);
    assert_int_equal(owner.asked, 1);
    assert_int_equal(owner.ends, 2);
    result_of(2, QUEUE_FAILED);
    result_of(3, QUEUE_FAILED);
    test_run(w);
    assert_int_equal(owner.asked, 2);
    assert_int_equal(owner.ends, 2);
}

/* The deliverer dies: those whose result was told fail, the others come again. */
static void what_was_said_of_some_holds(void **state)
{
    put_many(one_way, TO);
    result_of(0, QUEUE_FAILED);
    result_of(2, QUEUE_FAILED);
    test_run(w);
    queue_deliverer(w->queue, 0, false, &w->fx);
    test_run(w);
    assert_int_equal(owner.asked, 1);
    assert_int_equal(owner.ends, 2);
    crash_to(2);
    queue_deliverer(w->queue, 0, true, &w->fx);
    test_run(w);
    assert_int_equal(test_count(w, NEWS_JOB), 3);       /* two of them, and the report */
}

/* One group of records: after a sync that failed all of them come again, and have one report. */
static void all_of_a_group_or_none(void **state)
{
    put_many(one_way, TO);
    w->fail_kind = IO_SYNC;
    w->ios = 0;
    w->fail_at = 1;
    w->fail_with = FAULT_IO;
    for (size_t i = 0; i < TO; i++)
        result_of(i, QUEUE_FAILED);
    test_run(w);
    w->fail_at = 0;
    assert_int_equal(queue_letters(w->queue), 1);
    test_wait(w, 2000);
    assert_int_equal(test_count(w, NEWS_JOB), 2 * TO);
    for (size_t i = TO; i < 2 * TO; i++)
        result_of(i, QUEUE_FAILED);
    test_wait(w, 100);
    assert_int_equal(owner.asked, 2);
    assert_int_equal(owner.ends, TO);
    crash_to(1);
}

static void a_delay_of_several_is_told_once(void **state)
{
    put_many(one_way, TO);
    for (size_t i = 0; i < TO; i++) {
        result_of(i, QUEUE_LATER);
        test_wait(w, 100);
    }
    assert_int_equal(owner.asked, 1);
    assert_int_equal(owner.ends, TO);
    crash_to(2);
}

/* The schedule is kept to the millisecond all the same; here the first wait is a second. */
static void who_is_late_is_due_as_it_was(void **state)
{
    put_many(one_way, TO);
    result_of(0, QUEUE_LATER);
    test_wait(w, 700);
    result_of(1, QUEUE_LATER);
    assert_int_equal(owner.asked, 0);
    test_wait(w, 299);
    assert_int_equal(test_count(w, NEWS_JOB), TO);
    test_wait(w, 1);
    assert_int_equal(owner.asked, 1);
    assert_int_equal(owner.ends, 2);
    assert_int_equal(test_count(w, NEWS_JOB), TO + 1 + 1);      /* the first, and the report */
    test_wait(w, 699);
    assert_int_equal(test_count(w, NEWS_JOB), TO + 2);
    test_wait(w, 1);
    assert_int_equal(test_count(w, NEWS_JOB), TO + 3);
}

/* More than a report may hold: as many reports as are needed, each recipient in one. */
static void too_many_have_several_reports(void **state)
{
    enum { MANY = 90 };
    const char *to[MANY];

    for (size_t i = 0; i < MANY; i++)
        to[i] = "a";
    put_many(to, MANY);
    owner.most = 10;
    for (size_t i = 0; i < MANY; i++)
        result_of(i, QUEUE_FAILED);
    test_run(w);
    assert_true(owner.ends <= 10);
    assert_int_equal(owner.told, MANY);
    assert_int_equal(queue_letters(w->queue), owner.reports);
    crash_to(owner.reports);
}

static void bounce(size_t n, uint64_t letter)
{
    static const uint32_t numbers[TO] = { 0, 1, 2, 3 };

    queue_order(w->queue, &(struct queue_order){
        .token = 7, .verb = QUEUE_BOUNCE, .letter = letter, .reason = BYTES("so"),
        .recipients = { (const char *)numbers, n * sizeof(numbers[0]) } }, w->now, &w->fx);
    test_run(w);
}

/* The operator sends several back: one report; those whom he left alone are still there. */
static void what_is_sent_back_has_one_report(void **state)
{
    put_many(one_way, TO);
    for (size_t i = 0; i < TO; i++)
        result_of(i, QUEUE_LATER);
    test_run(w);
    assert_int_equal(owner.asked, 1);
    bounce(TO - 1, test_last(w, NEWS_TAKEN)->is.id);
    assert_int_equal(test_last(w, NEWS_ORDERED)->is.more, QUEUE_ORDER_WELL);
    assert_int_equal(test_last(w, NEWS_ORDERED)->is.octets, TO - 1);
    assert_int_equal(owner.asked, 2);
    assert_int_equal(owner.ends, TO - 1);
    assert_int_equal(owner.last.outcome, QUEUE_FAILED);
    crash_to(3);                                        /* the letter, and both reports */
}

/* With nobody to tell, nothing is sent back, and all is as it was. */
static void what_nobody_can_be_told_is_not_sent_back(void **state)
{
    put_many(one_way, TO);
    owner.answer = QUEUE_REPORT_NONE;
    for (size_t i = 0; i < TO; i++)
        result_of(i, QUEUE_LATER);
    test_run(w);
    owner.answer = QUEUE_REPORT_HOLD;
    bounce(TO, test_last(w, NEWS_TAKEN)->is.id);
    assert_int_equal(test_last(w, NEWS_ORDERED)->is.more, QUEUE_ORDER_NO_REPORT);
    test_wait(w, 2 * 3600 * 1000);
    assert_int_equal(test_count(w, NEWS_JOB), 2 * TO);
}

int main(void)
{
#define WITH(test) cmocka_unit_test_setup_teardown(test, begin, end)
    const struct CMUnitTest tests[] = {
        WITH(it_is_late_to_the_instant),
        WITH(a_failure_and_its_report_are_one),
        WITH(before_the_sync_there_is_neither),
        WITH(when_the_group_fails_the_recipient_waits_again),
        WITH(a_delivery_whose_group_fails_is_still_delivered),
        WITH(nobody_is_to_hear_of_it),
        WITH(it_stays_until_somebody_looks),
        WITH(without_memory_it_comes_again),
        WITH(a_delay_is_told_once),
        WITH(the_start_of_a_large_text_is_shown),
        WITH(a_convoy_that_fails_has_one_report),
        WITH(a_delivery_waits_for_nobody),
        WITH(nobody_waits_for_ever),
        WITH(others_are_waited_for_a_moment),
        WITH(what_was_said_of_some_holds),
        WITH(all_of_a_group_or_none),
        WITH(a_delay_of_several_is_told_once),
        WITH(who_is_late_is_due_as_it_was),
        WITH(too_many_have_several_reports),
        WITH(what_is_sent_back_has_one_report),
        WITH(what_nobody_can_be_told_is_not_sent_back),
    };
#undef WITH

    return cmocka_run_group_tests(tests, NULL, NULL);
}
