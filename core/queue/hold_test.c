/* SPDX-License-Identifier: ISC
 *
 * While the files are held, nothing is used again; after it, all goes as it would have gone.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "queue/world_test.h"

static struct test_world world, *w = &world;
static size_t answered;         /* news that were looked at for jobs */

static int begin(void **state)
{
    struct queue_conf conf = test_conf();

    test_begin(w, &conf);
    test_start(w);
    queue_deliverer(w->queue, 0, true, &w->fx);
    test_run(w);
    w->news_n = answered = 0;
    return 0;
}

static int end(void **state)
{
    test_end(w);
    return 0;
}

/* So many letters come, and are delivered. */
static void pass_letters(unsigned n)
{
    static char text[4000];

    memset(text, 'x', sizeof(text) - 1);
    for (unsigned i = 0; i < n; i++) {
        test_put(w, i, text);
        test_run(w);
        for (; answered < w->news_n; answered++)
            if (w->news[answered].is.kind == NEWS_JOB)
                queue_job_result(w->queue, &(struct queue_result){
                    .job = w->news[answered].is.job, .outcome = QUEUE_DELIVERED,
                    .words = BYTES_NONE }, w->now, &w->fx);
        test_wait(w, 100);
        w->news_n = answered = 0;
    }
}

static void segments_stay(void **state)
{
    struct queue_image image, again;

    pass_letters(3);
    assert_true(queue_hold(w->queue, &image));
    assert_int_equal(image.first, 1);
    assert_int_equal(image.last, 1);
    assert_true(image.octets > 0 && image.octets < TEST_SEGMENT);
    assert_false(queue_hold(w->queue, &again));         /* one at a time */
    struct test_file *file = test_file(w, "log/0000000001");
    assert_non_null(file);
    static char before[TEST_SEGMENT];
    memcpy(before, file->at, image.octets);
    assert_memory_equal(file->at, file->synced, image.octets);
    pass_letters(60);
    test_wait(w, 5000);
    file = test_file(w, "log/0000000001");
    assert_non_null(file);
    assert_memory_equal(file->at, before, image.octets);
    assert_true(queue_release(w->queue, &w->fx));
    assert_false(queue_release(w->queue, &w->fx));      /* it is over */
    pass_letters(2);
    test_wait(w, 5000);
    assert_null(test_file(w, "log/0000000001"));
}

static void want_of_space_ends_it(void **state)
{
    struct queue_image image;

    assert_true(queue_hold(w->queue, &image));
    w->space = 0;
    test_wait(w, 2000);
    test_wait(w, 2000);
    assert_false(queue_release(w->queue, &w->fx));
    assert_false(queue_hold(w->queue, &image));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(segments_stay, begin, end),
        cmocka_unit_test_setup_teardown(want_of_space_ends_it, begin, end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
