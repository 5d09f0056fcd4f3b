/* SPDX-License-Identifier: ISC */
#include "bounce/mbox.h"

#include "base/buffer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <string.h>

/* The messages of a file read `step` octets at a time through a window of `room`, "|" behind each.
   */
static void split(struct bytes file, size_t step, size_t room, struct buffer *to)
{
    struct buffer window = buffer_with_most(room);
    struct mbox mbox = { 0 };
    bool over = false;

    while (!over) {
        struct bytes message;
        size_t used = 0, left = room - window.n;
        enum mbox_answer answer = mbox_next(&mbox, buffer_bytes(&window), window.n == room,
                                            file.n == 0, &message, &used);
        if (answer == MBOX_MORE) {
            struct bytes next = bytes_first(file, step < left ? step : left);
            buffer_put(&window, next);
            file = bytes_skip(file, next.n);
        }
        if (answer == MBOX_MESSAGE) {
            buffer_put(to, message);
            buffer_put_char(to, '|');
        }
        if (answer == MBOX_MESSAGE || answer == MBOX_DROP)
            buffer_drop(&window, used);
        over = answer == MBOX_END;
    }
    buffer_done(&window);
}

static const struct {
    const char *file, *messages;
} rows[] = {
    { "", "" },
    { "From a\nx\n", "From a\nx\n|" },
    { "From a\nx\n\nFrom b\ny\n", "From a\nx\n\n|From b\ny\n|" },
    { "From a\nx\n>From b\ny\n", "From a\nx\n>From b\ny\n|" },
    { "From a\n\nFrom b\n\nFrom c\n", "From a\n\n|From b\n\n|From c\n|" },
    { "From a\nx\n\nFrom", "From a\nx\n\nFrom|" },
    { "no mbox\nFrom x", "no mbox\n|From x|" },
};

static void test_rows(void **state)
{
    for (size_t i = 0; i < COUNT(rows); i++)
        for (size_t step = 1; step < 40; step++) {
            struct buffer out = buffer_with_most(1000);
            split(bytes_of(rows[i].file), step, 64, &out);
            buffer_put_char(&out, '\0');
            assert_string_equal(out.at, rows[i].messages);
            buffer_done(&out);
        }
}

/* A message longer than the window is cut, and none behind it is lost. */
static void test_too_long(void **state)
{
    for (size_t step = 1; step < 40; step++) {
        struct buffer out = buffer_with_most(1000);
        split(BYTES("From a\n0123456789012345678901234567890123456789\n\nFrom b\ny\n"), step, 24,
              &out);
        buffer_put_char(&out, '\0');
        assert_string_equal(out.at, "From a\n01234567890|From b\ny\n|");
        buffer_done(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows), cmocka_unit_test(test_too_long),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
