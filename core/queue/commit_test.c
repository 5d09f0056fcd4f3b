/* SPDX-License-Identifier: ISC */
#include "queue/world_test.h"

#include "base/event.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static struct test_world world, *const w = &world;

static void begin(void)
{
    struct queue_conf conf = test_conf();

    test_begin(w, &conf);
    test_start(w);
    queue_deliverer(w->queue, 0, true, &w->fx);
}

/* The first segment gets letters until only about so many octets are left in it. */
static void fill_to(size_t left)
{
    static char text[TEST_SEGMENT];
    const struct test_file *file = test_file(w, "log/0000000001");
    size_t end = 0;

    memset(text, 'x', sizeof(text));
    text[TEST_SEGMENT / 2] = '\0';
    test_put(w, 1, text);
    test_run(w);
    for (size_t i = 0; i < file->n; i++)
        end = file->at[i] != '\0' ? i + 1 : end;
    memset(text, 'x', sizeof(text));
    text[file->n - end - left] = '\0';
    test_put(w, 2, text);
    test_run(w);
}

/* A delivery's end is on record soon, wherever in a segment it comes: no other event has to come
   for it. For every place around the end of a segment. */
static void a_state_behind_a_segments_end_is_written_soon(void **state)
{
    for (size_t room = 200; room < 700; room += 8) {
        begin();
        fill_to(room);
        const struct test_news *job = test_last(w, NEWS_JOB);
        assert_non_null(job);
        queue_job_result(w->queue, &(struct queue_result){
            .job = job->is.job, .outcome = QUEUE_DELIVERED, .class = 2,
            .words = BYTES("kept") }, w->now, &w->fx);
        test_run(w);
        test_wait(w, 200);
        assert_int_equal(queue_letters(w->queue), 1);
        test_crash(w);
        test_start(w);
        assert_int_equal(queue_letters(w->queue), 1);
        test_end(w);
    }
}

/* What a store finds that another wrote and did not sync, it makes durable before it goes by it.
   Where that cannot be, nothing is taken and nothing handed out. */
static void what_cannot_be_kept_is_not_gone_by(void **state)
{
    begin();
    test_put(w, 1, "first");
    test_run(w);
    w->fail_kind = -1;
    w->fail_at = 2;
    w->fail_count = 1000;
    w->fail_with = FAULT_IO;
    w->ios = 0;
    test_put(w, 2, "second");
    test_run(w);
    test_kill(w);
    w->fail_kind = IO_SYNC;
    w->fail_at = 1;
    w->fail_count = 0;
    w->ios = 0;
    test_start(w);
    assert_int_equal(queue_state(w->queue), QUEUE_READ_ONLY);
    w->fail_at = 0;
    test_kill(w);
    test_start(w);
    assert_int_equal(queue_state(w->queue), QUEUE_OPEN);
    assert_int_equal(queue_letters(w->queue), 2);
    test_end(w);
}

/* However many segments a queue that nobody empties has: few of them are open, so that there are
   files for the texts of large letters. */
static void a_long_queue_does_not_use_up_the_files(void **state)
{
    static char text[TEST_SEGMENT / 2];
    struct queue_conf conf = test_conf();
    unsigned open = 0;

    test_begin(w, &conf);
    test_start(w);
    memset(text, 'x', sizeof(text) - 1);
    for (uint32_t i = 1; i <= 48; i++) {
        test_put(w, i, text);
        test_run(w);
    }
    assert_int_equal(queue_letters(w->queue), 48);
    assert_non_null(test_file(w, "log/0000000040"));
    for (size_t i = 0; i < LIMIT_IO_FILES; i++)
        open += w->slots[i] != 0;
    assert_in_range(open, 1, 40);
    test_end(w);
}

/* After a power cut amid a renaming a spare may be a segment under a second name: no spare of
   before is written to. */
static void spares_of_before_are_taken_away(void **state)
{
    char names[4][sizeof(w->files[0].name)];
    size_t n = 0;

    begin();
    test_put(w, 1, "a letter");
    test_run(w);
    test_wait(w, 2000);
    for (size_t i = 0; i < TEST_FILES && n < 4; i++)
        if (strncmp(w->files[i].name, "log/spare.", 10) == 0)
            strcpy(names[n++], w->files[i].name);
    assert_in_range(n, 1, 4);
    test_kill(w);
    test_start(w);
    for (size_t i = 0; i < n; i++)
        assert_null(test_file(w, names[i]));
    assert_int_equal(queue_letters(w->queue), 1);
    test_end(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_state_behind_a_segments_end_is_written_soon),
        cmocka_unit_test(what_cannot_be_kept_is_not_gone_by),
        cmocka_unit_test(a_long_queue_does_not_use_up_the_files),
        cmocka_unit_test(spares_of_before_are_taken_away),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
