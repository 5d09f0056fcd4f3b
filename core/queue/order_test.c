/* SPDX-License-Identifier: ISC
 *
 * An operator's orders: durable when they are answered, all recipients or none, and a redirected
 * letter goes to whom it was redirected, whatever the disk does.
 */
#include "queue/world_test.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct test_world world, *const w = &world;
static const char both[] = "\x03\0\0\0ann\x03\0\0\0bob", other[] = "\x03\0\0\0eve\x03\0\0\0joe";
static const uint32_t numbers[] = { 0, 1 };

static int begin(void **state)
{
    struct queue_conf conf = test_conf();

    test_begin(w, &conf);
    test_start(w);
    queue_put(w->queue, (struct queue_from){ 0, 1 },
              &(struct queue_letter){ .head = BYTES("head"), .to = { both, sizeof(both) - 1 },
                                      .text = BYTES("text") },
              (struct queue_keys){ NULL, 0 }, w->now, &w->fx);
    test_run(w);
    assert_int_equal(test_count(w, NEWS_TAKEN), 1);
    return 0;
}

static int end(void **state)
{
    test_end(w);
    return 0;
}

static void order(enum queue_verb verb, size_t n)
{
    queue_order(w->queue, &(struct queue_order){
        .token = 7, .verb = verb, .letter = test_last(w, NEWS_TAKEN)->is.id,
        .recipients = { (const char *)numbers, n * sizeof(numbers[0]) },
        .to = { other, sizeof(other) - 1 }, .reason = BYTES("so") }, w->now, &w->fx);
}

/* How many recipients the list has, and how many of them are held. */
struct seen { unsigned rows, held, others; };

static struct seen look(void)
{
    struct seen seen = { 0 };
    size_t from = w->news_n;

    queue_list(w->queue, 9, 0, 100, &w->fx);
    test_run(w);
    for (size_t i = from; i < w->news_n; i++) {
        if (w->news[i].is.kind != NEWS_ROW)
            continue;
        seen.rows++;
        seen.held += w->news[i].is.failed;
        struct bytes to = { w->news[i].to, w->news[i].to_n };
        seen.others += bytes_equal(to, BYTES("eve")) || bytes_equal(to, BYTES("joe"));
    }
    return seen;
}

static const struct {
    enum queue_verb verb;
    struct seen after;
} rows[] = {
    { QUEUE_KEEP, { 2, 2, 0 } }, { QUEUE_DELETE, { 0, 0, 0 } }, { QUEUE_REDIRECT, { 2, 0, 2 } },
    { QUEUE_RETRY, { 2, 0, 0 } }, { QUEUE_RELEASE, { 2, 0, 0 } },
};

static void is_seen(struct seen want)
{
    struct seen seen = look();

    assert_int_equal(seen.rows, want.rows);
    assert_int_equal(seen.held, want.held);
    assert_int_equal(seen.others, want.others);
}

static void what_is_answered_is_durable(void **state)
{
    for (size_t i = 0; i < COUNT(rows); i++) {
        order(rows[i].verb, 2);
        assert_int_equal(test_count(w, NEWS_ORDERED), 0);
        test_run(w);
        const struct test_news *news = test_last(w, NEWS_ORDERED);
        assert_non_null(news);
        assert_int_equal(news->is.more, QUEUE_ORDER_WELL);
        assert_int_equal(news->is.octets, rows[i].verb == QUEUE_RELEASE ? 0 : 2);
        test_crash(w);
        test_start(w);
        is_seen(rows[i].after);
        end(state);
        begin(state);
    }
}

/* Each operation of the disk fails in turn: an order answered as done is done, also after a crash;
   else all its recipients are as they were, or all are changed. */
static void each_operation_fails(void **state)
{
    for (size_t i = 0; i < COUNT(rows) - 2; i++) {
        for (unsigned at = 2; at < 24; at++) {
            order(rows[i].verb, 2);
            w->fail_kind = -1;
            w->fail_at = w->ios + at / 2;
            w->fail_count = at % 2;     /* and the one behind it */
            w->fail_with = FAULT_IO;
            test_run(w);
            const struct test_news *news = test_last(w, NEWS_ORDERED);
            bool well = news != NULL && news->is.more == QUEUE_ORDER_WELL;
            assert_non_null(news);
            w->fail_at = 0;
            test_wait(w, 1000);
            struct seen live = look();
            test_crash(w);
            test_start(w);
            struct seen seen = look();
            if (w->fail_count == 0)     /* else it is read-only, and a new start tells */
                assert_memory_equal(&live, &seen, sizeof(seen));
            bool done = memcmp(&seen, &rows[i].after, sizeof(seen)) == 0;
            assert_true(done || (!well && seen.rows == 2 && seen.held + seen.others == 0));
            end(state);
            begin(state);
        }
    }
}

static void one_of_two(void **state)
{
    order(QUEUE_REDIRECT, 1);
    test_run(w);
    is_seen((struct seen){ 2, 0, 1 });
    order(QUEUE_KEEP, 1);
    test_run(w);
    is_seen((struct seen){ 2, 1, 1 });
    order(QUEUE_REDIRECT, 2);       /* and one that is held waits again */
    test_run(w);
    is_seen((struct seen){ 2, 0, 2 });
}

/* Who is being delivered is left alone; nobody of that letter is redirected meanwhile. */
static void deliveries_go_on(void **state)
{
    queue_deliverer(w->queue, 0, true, &w->fx);
    test_run(w);
    assert_int_equal(test_count(w, NEWS_JOB), 2);
    for (size_t i = 0; i < COUNT(rows); i++) {
        order(rows[i].verb, 2);
        test_run(w);
        const struct test_news *news = test_last(w, NEWS_ORDERED);
        assert_int_equal(news->is.octets, 0);
        assert_int_equal(news->is.attempt, 2);
    }
    queue_job_result(w->queue, &(struct queue_result){
        .job = test_last(w, NEWS_JOB)->is.job, .outcome = QUEUE_LATER, .words = BYTES("later") },
        w->now, &w->fx);
    order(QUEUE_REDIRECT, 2);
    test_run(w);
    assert_int_equal(test_last(w, NEWS_ORDERED)->is.octets, 0);
    is_seen((struct seen){ 2, 0, 0 });
}

/* Numbers that name nobody, twice the same, a letter that is not there, nobody to report to. */
static void nonsense_changes_nothing(void **state)
{
    static const uint32_t strange[] = { 1, 1, 0, 2, UINT32_MAX };

    queue_order(w->queue, &(struct queue_order){
        .token = 7, .verb = QUEUE_KEEP, .letter = test_last(w, NEWS_TAKEN)->is.id,
        .recipients = { (const char *)strange, sizeof(strange) } }, w->now, &w->fx);
    test_run(w);
    is_seen((struct seen){ 2, 1, 0 });
    queue_order(w->queue, &(struct queue_order){ .token = 7, .verb = QUEUE_DELETE, .letter = 1,
                                                 .recipients = BYTES("\0\0\0") },
                w->now, &w->fx);
    order(QUEUE_BOUNCE, 2);
    test_run(w);
    assert_int_equal(test_last(w, NEWS_ORDERED)->is.more, QUEUE_ORDER_NO_REPORT);
    is_seen((struct seen){ 2, 1, 0 });
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_answered_is_durable, begin, end),
        cmocka_unit_test_setup_teardown(each_operation_fails, begin, end),
        cmocka_unit_test_setup_teardown(one_of_two, begin, end),
        cmocka_unit_test_setup_teardown(deliveries_go_on, begin, end),
        cmocka_unit_test_setup_teardown(nonsense_changes_nothing, begin, end),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
