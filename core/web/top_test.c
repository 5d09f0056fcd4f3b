/* SPDX-License-Identifier: ISC
 *
 * The screen of postern top: it fits any terminal, and its rates are differences.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "web/top.h"

static const struct top early = { WEB_STORE_OPEN, 1790000000000 };
static const struct top late = { WEB_STORE_OPEN, 1790000002000 };

static struct web_figures sample(uint64_t n)
{
    struct web_figures figures = { .store_known = true, .front_known = { true, true } };

    figures.store.uptime_ms = 90061000;
    figures.store.queued = n;
    figures.store.oldest_ms = 3600000;
    figures.store.delivered = 10 * n;
    figures.store.disk_free = 3ull << 30;
    figures.store.flush_count = n;
    figures.store.flush_ms = 3 * n;
    figures.fronts[0].letters = 5 * n;
    figures.fronts[1].letters = 6 * n;
    figures.fronts[0].sessions = 3;
    figures.fronts[1].sessions = 4;
    figures.fronts[0].sessions_most = figures.fronts[1].sessions_most = 2000;
    return figures;
}

/* The lines of a frame: how many, and the widest. */
static void measure(struct bytes text, unsigned *ret_lines, size_t *ret_width)
{
    struct bytes line;

    *ret_lines = 0;
    *ret_width = 0;
    while (bytes_cut(&text, '\n', &line)) {
        ++*ret_lines;
        *ret_width = line.n > *ret_width ? line.n : *ret_width;
    }
}

static void fits_every_terminal(void **state)
{
    struct buffer text = buffer_with_most(1 << 16);
    struct web_figures figures = sample(UINT64_MAX / 20);
    struct top_frame frame = { .now = &late, .before = &early, .figures = &figures,
                               .figures_before = &figures };
    unsigned lines;
    size_t width;

    for (frame.columns = 1; frame.columns < 120; frame.columns += 7)
        for (frame.rows = 1; frame.rows < 40; frame.rows += 3) {
            buffer_clear(&text);
            top_show(&text, &frame);
            measure(buffer_bytes(&text), &lines, &width);
            assert_false(text.bad);
            assert_true(lines <= frame.rows && width <= frame.columns);
        }
    frame.columns = 80;
    frame.rows = 23;
    figures = sample(7);
    buffer_clear(&text);
    top_show(&text, &frame);
    measure(buffer_bytes(&text), &lines, &width);
    assert_int_equal(lines, 23);
    assert_true(width <= 80 && text.at[text.n - 1] == '\n');
    struct bytes all = buffer_bytes(&text);
    assert_true(bytes_search(all, BYTES("Turned away")) < all.n);
    buffer_done(&text);
}

static void must_hold(const struct buffer *text, const char *wanted)
{
    struct bytes all = buffer_bytes(text);

    if (bytes_search(all, bytes_of(wanted)) == all.n)
        fail_msg("no \"%s\" in\n%.*s", wanted, (int)all.n, all.at);
}

static void rates_are_differences(void **state)
{
    struct buffer text = buffer_with_most(1 << 16);
    struct web_figures before = sample(1), after = sample(3);
    struct top_frame frame = { .now = &late, .before = &early, .figures = &after,
                               .figures_before = &before, .columns = 80 };

    top_show(&text, &frame);
    must_hold(&text, "Postern: takes letters, up 1 d 01:01:01");
    must_hold(&text, "Queue                             3 letters, the oldest 01:00:00 old\n");
    must_hold(&text, "Free on its disk                  3.0 G\n");
    must_hold(&text, "Clients connected                 7 of 4000; at the fronts: 3, 4\n");
    must_hold(&text, "A flush takes                     3.0 ms\n");
    must_hold(&text, "Letters received                              11.0              33\n");
    must_hold(&text, "Delivered                                     10.0              30\n");
    buffer_clear(&text);
    frame.before = NULL;
    top_show(&text, &frame);
    must_hold(&text, "Letters received                                 -              33\n");
    buffer_clear(&text);
    frame.before = &early;
    before = sample(9);             /* a store that began anew meanwhile */
    top_show(&text, &frame);
    must_hold(&text, "Delivered                                     15.0              30\n");
    buffer_done(&text);
}

static void colour_is_only_colour(void **state)
{
    struct buffer plain = buffer_with_most(1 << 16), bright = buffer_with_most(1 << 16);
    struct web_figures figures = { 0 };
    struct top closed = { WEB_STORE_CLOSED, 1790000000000 };
    struct top_frame frame = { .now = &closed, .figures = &figures, .columns = 80 };

    top_show(&plain, &frame);
    struct bytes all = buffer_bytes(&plain);
    assert_true(bytes_find(all, '\x1b') == all.n);
    must_hold(&plain, "not ready");
    must_hold(&plain, "does not answer");
    frame.colour = true;
    top_show(&bright, &frame);
    must_hold(&bright, "\x1b[1;31m");
    buffer_done(&plain);
    buffer_done(&bright);
}

static void comes_back_from_the_wire(void **state)
{
    struct buffer octets = buffer_with_most(1 << 16), json = buffer_with_most(1 << 16);
    struct web_figures told = sample(5), read;
    struct top top;

    top_put(&octets, &late, &told);
    struct bytes all = buffer_bytes(&octets);
    assert_true(top_read(all, &top, &read));
    assert_int_equal(top.wall_ms, late.wall_ms);
    assert_memory_equal(&read, &told, sizeof(read));
    for (size_t n = 0; n < all.n; n++) {
        bool whole = top_read(bytes_first(all, n), &top, &read);
        assert_true(!whole || read.front_known[1] == false);
    }
    top_json(&json, &late, &told);
    must_hold(&json, "\"queued\":5");
    must_hold(&json, "{\"front\":1,\"sessions\":4,");
    buffer_done(&octets);
    buffer_done(&json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fits_every_terminal),
        cmocka_unit_test(rates_are_differences),
        cmocka_unit_test(colour_is_only_colour),
        cmocka_unit_test(comes_back_from_the_wire),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
