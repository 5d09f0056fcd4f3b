/* SPDX-License-Identifier: ISC */
#include "queue/history.h"

#include "base/id.h"
#include "queue/day_int.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void days_are_written_and_read(void **state)
{
    static const struct { uint64_t day; const char *name; } rows[] = {
        { 0, "1970-01-01.log" }, { 59, "1970-03-01.log" }, { 789, "1972-02-29.log" },
        { 790, "1972-03-01.log" }, { 11016, "2000-02-29.log" }, { 20778, "2026-11-21.log" },
        { 47540, "2100-02-28.log" }, { 47541, "2100-03-01.log" }, { 364, "1970-12-31.log" },
    };
    char name[DAY_NAME];
    uint64_t day;
    bool idx;

    for (size_t i = 0; i < COUNT(rows); i++) {
        day_write(rows[i].day, false, name);
        assert_memory_equal(name, rows[i].name, DAY_NAME);
        assert_true(day_read(bytes_of(rows[i].name), &day, &idx));
        assert_int_equal(day, rows[i].day);
        assert_false(idx);
    }
    for (uint64_t d = 0; d < 60000; d += 7) {
        day_write(d, true, name);
        assert_true(day_read((struct bytes){ name, DAY_NAME }, &day, &idx));
        assert_int_equal(day, d);
        assert_true(idx);
    }
}

static void other_names_are_no_days(void **state)
{
    static const char *const rows[] = { "", "2026-11-21", "2026-13-01.log", "2026-02-30.log",
                                        "2026-11-21.lox", "2026-11-2x.log", "2026/11/21.log",
                                        "1969-01-01.log", "2026-11-21.log~", ".2026-11-21.lo" };
    uint64_t day;
    bool idx;

    for (size_t i = 0; i < COUNT(rows); i++)
        assert_false(day_read(bytes_of(rows[i]), &day, &idx));
}

static void an_event_reads_as_it_was_put(void **state)
{
    struct history_event written = {
        .what = HISTORY_DEFERRED, .id = 7, .at_ms = 8, .begun_ms = 9, .size = 10, .recipient = 11,
        .attempt = 12, .due_ms = 13, .class = 4, .subject = 2, .detail = 300, .head = BYTES("h\n"),
        .to = BYTES("to"), .words = BYTES("why\0not") }, read;
    struct buffer text = buffer_with_most(1000);

    history_put(&text, &written);
    assert_true(history_read(buffer_bytes(&text), &read));
    assert_int_equal(read.detail, 300);
    assert_int_equal(read.due_ms, 13);
    assert_true(bytes_equal(read.words, written.words));
    for (size_t cut = 0; cut + written.words.n < text.n; cut++)
        assert_false(history_read(bytes_first(buffer_bytes(&text), cut), &read));
    text.at[1] = HISTORY_WHATS;
    assert_false(history_read(buffer_bytes(&text), &read));
    buffer_done(&text);
}

static void keys_of_different_kinds_differ(void **state)
{
    struct bytes text = BYTES("a@example.org");

    assert_int_equal(history_key(HISTORY_BY_ADDRESS, text), history_key(HISTORY_BY_ADDRESS, text));
    assert_int_not_equal(history_key(HISTORY_BY_ADDRESS, text),
                         history_key(HISTORY_BY_MESSAGE_ID, text));
}

static void nothing_is_found_where_nothing_is(void **state)
{
    struct history_search *s = history_search_new(HISTORY_BY_ID, BYTES("not an id"), BYTES("x\n"));

    assert_non_null(s);
    assert_int_equal(history_search_next(s).need, HISTORY_ENDS);
    history_search_free(s);
    s = history_search_new(HISTORY_BY_ADDRESS, BYTES("a@b"), BYTES("2026-01-01.idx\n"));
    assert_non_null(s);
    struct history_want want = history_search_next(s);
    assert_int_equal(want.need, HISTORY_NEEDS_READ);
    assert_true(bytes_equal(want.name, BYTES("2026-01-01.idx")));
    history_search_give(s, BYTES_NONE);
    want = history_search_next(s);
    assert_int_equal(want.need, HISTORY_ENDS);
    assert_false(want.more);
    history_search_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(days_are_written_and_read),
        cmocka_unit_test(other_names_are_no_days),
        cmocka_unit_test(an_event_reads_as_it_was_put),
        cmocka_unit_test(keys_of_different_kinds_differ),
        cmocka_unit_test(nothing_is_found_where_nothing_is),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
