/* SPDX-License-Identifier: ISC
 *
 * Lanes: rows of operations put in one step, the order in which the world ends them, and what is
 * told.
 *
 *   c l N / C l N  create in slot 0 (C: linked)    w l / W l  write    s l / S l  sync    small q
 * before: quiet
 *   !l  end the head of that lane well    ?l  end it with a failure */
#include "sim/lane.h"

#include "sim/room.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

static uint64_t pick_first(void *ctx, uint64_t n) { return 0; }

/* Put: "Mc0" = make folder c in lane 0. Letters: M mkdir; name; lane; then L linked, Q quiet; F:
   must fail by itself (no such folder above it). Tokens are counted from 1. */
static void put(struct lanes *lanes, struct bytes word, uint64_t token)
{
    char name[4] = { 0 };
    struct io io = { .kind = IO_MKDIR, .root = IN_SPOOL, .token = token };
    size_t n = 0;

    if (bytes_find(word, 'F') < word.n)
        memcpy(name, "x/", n = 2);
    name[n++] = word.at[0];
    io.name = (struct bytes){ name, n };
    io.lane = (uint8_t)(word.at[1] - '0');
    io.linked = bytes_find(word, 'L') < word.n;
    io.quiet = bytes_find(word, 'Q') < word.n;
    lanes_put(lanes, &io);
}

static void tell(struct lanes *lanes, char *out, size_t room)
{
    struct lane_report report;
    size_t n = strlen(out);

    while (lanes_report(lanes, &report)) {
        n += (size_t)snprintf(out + n, room - n, "%u%s ", (unsigned)report.token,
                              report.fault == OK ? "" : report.fault == FAULT_SKIPPED ? "s" : "f");
        room_free((void *)(uintptr_t)report.bytes.at);
    }
}

static void end(struct lanes *lanes, unsigned lane, bool well)
{
    struct chooser chooser = { pick_first, NULL };

    assert_non_null(lanes_next(lanes, lane));
    lanes_begin(lanes, lane);
    assert_null(lanes_next(lanes, lane));
    (void)lanes_end(lanes, lane, well ? LUCK_GOOD : LUCK_FAILS, chooser);
}

static const struct { const char *name, *script, *told, *there; } rows[] = {
    { "one", "a0 / !0", "1 ", "a" },
    { "in order in a lane", "a0 b0 / !0 !0", "1 2 ", "ab" },
    { "lanes beside each other", "a0 b1 / !1 !0", "2 1 ", "ab" },
    { "not begun is not done", "a0 b0 / !0", "1 ", "a" },
    { "quiet and well", "a0Q b0 / !0 !0", "2 ", "ab" },
    { "quiet and failed", "a0QF b0 / !0 !0", "1f 2 ", "b" },
    { "not linked: the next is done", "a0F b0 / !0 !0", "1f 2 ", "b" },
    { "linked: the next is skipped", "a0FL b0 / !0", "1f 2s ", "" },
    { "a chain of three", "a0FL b0L c0 / !0", "1f 2s 3s ", "" },
    { "the chain's end is not skipped over", "a0FL b0 c0 / !0 !0", "1f 2s 3 ", "c" },
    { "the middle fails", "a0L b0FL c0 / !0 !0", "1 2f 3s ", "a" },
    { "skipped and quiet is silent", "a0FL b0Q / !0", "1f ", "" },
    { "skipped, one of them quiet", "a0FL b0LQ c0 / !0", "1f 3s ", "" },
    { "a chain is of one lane", "a0FL b1 c0 / !0 !1", "1f 3s 2 ", "b" },
    { "a chain ends with its step", "a0FL / b0 / !0 !0", "1f 2 ", "b" },
    { "linked and well", "a0L b0 / !0 !0", "1 2 ", "ab" },
    { "the world fails it", "a0L b0 / ?0", "1f 2s ", "" },
};

static void rules_hold(void **state)
{
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct disk *disk = disk_new(DISK_FREE);
        struct lanes *lanes = lanes_new(disk);
        struct bytes script = bytes_of(rows[i].script), word, names;
        char told[64] = "", there[16] = "";
        uint64_t token = 0;

        while (bytes_cut(&script, ' ', &word)) {
            if (word.at[0] == '/')
                lanes_step(lanes);
            else if (word.at[0] == '!' || word.at[0] == '?')
                end(lanes, (unsigned)(word.at[1] - '0'), word.at[0] == '!');
            else
                put(lanes, word, ++token);
            tell(lanes, told, sizeof(told));
        }
        assert_int_equal(disk_list(disk, IN_SPOOL, BYTES_NONE, &names), OK);
        for (size_t at = 0, n = 0; at < names.n; at += 2)
            there[n++] = names.at[at];
        room_free((void *)(uintptr_t)names.at);
        if (strcmp(told, rows[i].told) != 0 || strcmp(there, rows[i].there) != 0)
            fail_msg("%s: told '%s', there '%s'", rows[i].name, told, there);
        lanes_free(lanes, NULL);
        disk_free(disk);
    }
}

static struct io on_slot(enum io_kind kind, uint64_t token)
{
    return (struct io){ .kind = kind, .root = IN_SPOOL, .token = token, .name = BYTES("a"),
                        .count = 100 };
}

static struct lane_report done(struct lanes *lanes, struct io io, enum lane_luck luck)
{
    struct chooser chooser = { pick_first, NULL };
    struct lane_report report = { .fault = FAULT_SKIPPED };

    if (io.kind == IO_WRITE) {
        io.data = mem_new(4);
        assert_non_null(io.data);
        memcpy(io.data, "text", 4);
        io.data_n = 4;
    }
    lanes_put(lanes, &io);
    lanes_step(lanes);
    lanes_begin(lanes, io.lane);
    (void)lanes_end(lanes, io.lane, luck, chooser);
    assert_true(lanes_report(lanes, &report));
    return report;
}

static void files_are_written_and_read(void **state)
{
    struct disk *disk = disk_new(DISK_FREE);
    struct lanes *lanes = lanes_new(disk);

    assert_int_equal(done(lanes, on_slot(IO_OPEN, 1), LUCK_GOOD).fault, FAULT_GONE);
    assert_int_equal(done(lanes, on_slot(IO_CREATE, 1), LUCK_GOOD).fault, OK);
    assert_int_equal(done(lanes, on_slot(IO_WRITE, 2), LUCK_GOOD).fault, OK);
    struct lane_report read = done(lanes, on_slot(IO_READ, 3), LUCK_GOOD);
    assert_int_equal(read.number, 4);
    assert_memory_equal(read.bytes.at, "text", 4);
    room_free((void *)(uintptr_t)read.bytes.at);
    assert_int_equal(done(lanes, on_slot(IO_SYNC, 4), LUCK_FAILS).fault, FAULT_IO);
    assert_int_equal(done(lanes, on_slot(IO_WRITE, 5), LUCK_NO_SPACE).fault, FAULT_NO_SPACE);
    assert_null(lanes_misuse(lanes));
    assert_int_equal(done(lanes, on_slot(IO_CLOSE, 6), LUCK_GOOD).fault, OK);
    assert_int_equal(lanes_file(lanes, 0), 0);
    assert_int_equal(done(lanes, on_slot(IO_SYNC, 7), LUCK_GOOD).fault, FAULT_GONE);
    assert_int_equal(done(lanes, on_slot(IO_OPEN, 8), LUCK_GOOD).fault, OK);
    assert_null(lanes_misuse(lanes));
    assert_int_equal(done(lanes, on_slot(IO_OPEN, 9), LUCK_GOOD).fault, FAULT_TOO_MANY);
    assert_non_null(lanes_misuse(lanes));
    lanes_free(lanes, NULL);
    disk_free(disk);
}

/* A killed process: what was under way happens or not, what waited does not. */
static void the_killed_leave_little(void **state)
{
    for (unsigned happens = 0; happens < 2; happens++) {
        struct disk *disk = disk_new(DISK_FREE);
        struct lanes *lanes = lanes_new(disk);
        struct dice dice = dice_of(happens, 0);
        struct chooser chooser = dice_chooser(&dice);

        put(lanes, BYTES("a0"), 1);
        put(lanes, BYTES("b0"), 2);
        lanes_step(lanes);
        lanes_begin(lanes, 0);
        lanes_free(lanes, &chooser);
        assert_int_equal(disk_stat(disk, IN_SPOOL, BYTES("b")), 0);
        disk_free(disk);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rules_hold),
        cmocka_unit_test(files_are_written_and_read),
        cmocka_unit_test(the_killed_leave_little),
    };
    return cmocka_run_group_tests_name("sim/lane", tests, NULL, NULL);
}
