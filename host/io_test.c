/* SPDX-License-Identifier: ISC */
#include "host/io.h"
#include "host/testing.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>

enum { DONE_MOST = 4096 };

struct ground {
    char folder[64];
    struct files files;
    struct lanes *lanes;
    size_t n;
    struct { uint64_t token; enum fault fault; uint64_t number; char text[16]; } done[DONE_MOST];
};

static int begin(void **state)
{
    struct ground *ground = test_calloc(1, sizeof(*ground));
    sigset_t all, before;

    testing_folder(ground->folder, sizeof(ground->folder));
    files_init(&ground->files);
    ground->files.roots[IN_SPOOL] = open(ground->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, &before);
    ground->lanes = lanes_new(2, &ground->files);
    sigprocmask(SIG_SETMASK, &before, NULL);
    assert_non_null(ground->lanes);
    *state = ground;
    return 0;
}

static int end(void **state)
{
    struct ground *ground = *state;

    lanes_free(ground->lanes);
    files_done(&ground->files);
    testing_remove(ground->folder);
    test_free(ground);
    return 0;
}

static void add(struct ground *ground, struct io io)
{
    assert_true(lanes_add(ground->lanes, &io));
}

static char *data_of(const char *text)
{
    char *data = mem_new(strlen(text));

    memcpy(data, text, strlen(text));
    return data;
}

static void on_done(void *of, uint64_t token, const struct file_result *result)
{
    struct ground *ground = of;

    assert_true(ground->n < DONE_MOST);
    ground->done[ground->n].token = token;
    ground->done[ground->n].fault = result->fault;
    ground->done[ground->n].number = result->number;
    if (result->data != NULL)
        memcpy(ground->done[ground->n].text, result->data,
               result->data_n < 15 ? result->data_n : 15);
    ground->n++;
}

/* Hand over and wait until all is done; what is silent is not told. What wakes us is read before
   we look, so that each wait is one for something new, however slow the threads are. */
static void finish(struct ground *ground)
{
    enum { WAIT_MS = 60 * 1000 };
    uint64_t told;

    lanes_go(ground->lanes);
    for (;;) {
        struct pollfd wait = { .fd = lanes_fd(ground->lanes), .events = POLLIN };
        (void)!read(wait.fd, &told, sizeof(told));
        lanes_take(ground->lanes, ground, on_done);
        if (lanes_busy(ground->lanes) == 0)
            return;
        assert_int_equal(poll(&wait, 1, WAIT_MS), 1);
    }
}

static void a_chain_runs_in_order(void **state)
{
    struct ground *ground = *state;
    char name[] = "file";

    add(ground, (struct io){ .kind = IO_CREATE, .name = bytes_of(name), .linked = true,
                             .token = 1 });
    memcpy(name, "gone", 4);    /* the slice lives only as long as the step */
    add(ground, (struct io){ .kind = IO_WRITE, .data = data_of("letter"), .data_n = 6,
                             .linked = true, .quiet = true, .token = 2 });
    add(ground, (struct io){ .kind = IO_SYNC, .linked = true, .token = 3 });
    add(ground, (struct io){ .kind = IO_READ, .count = 10, .token = 4 });
    lanes_end_step(ground->lanes);
    finish(ground);
    assert_int_equal(ground->n, 3);
    assert_int_equal(ground->done[0].token, 1);
    assert_int_equal(ground->done[1].token, 3);
    assert_int_equal(ground->done[2].token, 4);
    assert_int_equal(ground->done[2].fault, OK);
    assert_string_equal(ground->done[2].text, "letter");
    assert_int_equal(faccessat(ground->files.roots[IN_SPOOL], "file", F_OK, 0), 0);
}

static void a_failure_skips_the_rest_of_its_chain(void **state)
{
    struct ground *ground = *state;

    add(ground, (struct io){ .kind = IO_OPEN, .name = BYTES("none"), .linked = true, .quiet = true,
                             .token = 1 });
    add(ground, (struct io){ .kind = IO_WRITE, .data = data_of("x"), .data_n = 1, .linked = true,
                             .quiet = true, .token = 2 });
    add(ground, (struct io){ .kind = IO_SYNC, .linked = true, .token = 3 });
    add(ground, (struct io){ .kind = IO_CLOSE, .token = 4 });
    add(ground, (struct io){ .kind = IO_LIST, .token = 5 });
    lanes_end_step(ground->lanes);
    finish(ground);
    assert_int_equal(ground->n, 4);
    assert_int_equal(ground->done[0].token, 1);
    assert_int_equal(ground->done[0].fault, FAULT_GONE);
    assert_int_equal(ground->done[1].token, 3);
    assert_int_equal(ground->done[1].fault, FAULT_SKIPPED);
    assert_int_equal(ground->done[2].token, 4);
    assert_int_equal(ground->done[2].fault, FAULT_SKIPPED);
    assert_int_equal(ground->done[3].token, 5);
    assert_int_equal(ground->done[3].fault, OK);
}

static void a_chain_ends_with_its_step(void **state)
{
    struct ground *ground = *state;

    add(ground, (struct io){ .kind = IO_OPEN, .name = BYTES("none"), .linked = true, .token = 1 });
    lanes_end_step(ground->lanes);
    add(ground, (struct io){ .kind = IO_LIST, .token = 2 });
    lanes_end_step(ground->lanes);
    finish(ground);
    assert_int_equal(ground->done[0].fault, FAULT_GONE);
    assert_int_equal(ground->done[1].fault, OK);
}

/* Chains of one lane do not touch those of another. */
static void lanes_are_apart(void **state)
{
    struct ground *ground = *state;

    add(ground, (struct io){ .kind = IO_OPEN, .name = BYTES("none"), .linked = true, .token = 1 });
    add(ground, (struct io){ .kind = IO_LIST, .lane = 1, .token = 2 });
    add(ground, (struct io){ .kind = IO_LIST, .token = 3 });
    lanes_end_step(ground->lanes);
    finish(ground);
    assert_int_equal(ground->n, 3);
    for (size_t i = 0; i < 3; i++) {
        enum fault want = ground->done[i].token == 1 ? FAULT_GONE
                        : ground->done[i].token == 2 ? OK : FAULT_SKIPPED;
        assert_int_equal(ground->done[i].fault, want);
    }
}

static void a_lane_keeps_its_order_over_many_batches(void **state)
{
    struct ground *ground = *state;

    add(ground, (struct io){ .kind = IO_CREATE, .name = BYTES("f"), .quiet = true });
    for (uint64_t i = 1; i <= 1000; i++) {
        add(ground, (struct io){ .kind = IO_TRUNCATE, .count = i, .token = i });
        if (i % 7 == 0)
            lanes_go(ground->lanes);
    }
    finish(ground);
    assert_int_equal(ground->n, 1000);
    for (uint64_t i = 0; i < 1000; i++)
        assert_int_equal(ground->done[i].token, i + 1);
}

/* Ended with work under way: it is done, and nothing leaks (the sanitizer's to see). */
static void ending_finishes_what_was_handed_over(void **state)
{
    struct ground *ground = *state;

    add(ground, (struct io){ .kind = IO_CREATE, .name = BYTES("f") });
    for (unsigned i = 0; i < 100; i++)
        add(ground, (struct io){ .kind = IO_WRITE, .offset = i, .data = data_of("x"),
                                 .data_n = 1 });
    lanes_go(ground->lanes);
    add(ground, (struct io){ .kind = IO_WRITE, .offset = 500, .data = data_of("x"), .data_n = 1 });
    lanes_free(ground->lanes);
    ground->lanes = NULL;
    assert_int_equal(lseek(atomic_load(&ground->files.slots[0]), 0, SEEK_END), 100);
}

/* OS-001: no memory for an operation: the data is freed, the caller is told. */
static void without_memory_nothing_leaks(void **state)
{
    struct ground *ground = *state;

    for (unsigned at = 1; at <= 2; at++) {
        struct io io = { .kind = IO_WRITE, .name = BYTES("n"), .data = data_of("x"), .data_n = 1 };
        mem_fail_at(at);
        assert_false(lanes_add(ground->lanes, &io));
        mem_fail_at(0);
    }
    assert_false(lanes_add(ground->lanes, &(struct io){ .kind = IO_LIST, .lane = 7 }));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_chain_runs_in_order, begin, end),
        cmocka_unit_test_setup_teardown(a_failure_skips_the_rest_of_its_chain, begin, end),
        cmocka_unit_test_setup_teardown(a_chain_ends_with_its_step, begin, end),
        cmocka_unit_test_setup_teardown(lanes_are_apart, begin, end),
        cmocka_unit_test_setup_teardown(a_lane_keeps_its_order_over_many_batches, begin, end),
        cmocka_unit_test_setup_teardown(ending_finishes_what_was_handed_over, begin, end),
        cmocka_unit_test_setup_teardown(without_memory_nothing_leaks, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
