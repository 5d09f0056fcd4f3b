/* SPDX-License-Identifier: ISC
 *
 * Figures on the wire and as Prometheus reads them: every line of the text format is looked at.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "web/figures.h"

static void come_back_from_the_wire(void **state)
{
    struct buffer octets = buffer_with_most(4096);
    struct web_store_figures told = { .uptime_ms = 1, .queued = UINT64_MAX, .failed = 7 };
    struct web_store_figures read = { .accepted = 9 };

    web_put_store_figures(&octets, &told);
    struct bytes all = buffer_bytes(&octets);
    assert_true(web_read_store_figures(all, &read));
    assert_memory_equal(&read, &told, sizeof(read));
    assert_false(web_read_store_figures(bytes_first(all, all.n - 1), &read));
    buffer_put_u8(&octets, 0);
    assert_false(web_read_store_figures(buffer_bytes(&octets), &read));
    assert_memory_equal(&read, &told, sizeof(read));
    buffer_done(&octets);
}

static bool is_name(char c)
{
    return is_alnum(c) || c == '_';
}

/* NAME [ "{" NAME=QUOTED *( "," NAME=QUOTED ) "}" ] SP NUMBER; the name begins with the metric. */
static void check_sample(struct bytes line, struct bytes metric)
{
    size_t at = 0;

    while (at < line.n && is_name(line.at[at]))
        at++;
    struct bytes name = bytes_first(line, at), rest = bytes_skip(line, at);
    assert_true(bytes_begins(name, BYTES("postern_")) && bytes_begins(name, metric));
    if (bytes_begins(rest, BYTES("{"))) {
        size_t end = bytes_find(rest, '}');
        struct bytes labels = bytes_skip(bytes_first(rest, end), 1), label;
        assert_true(end < rest.n && labels.n > 0);
        while (bytes_cut(&labels, ',', &label)) {
            size_t equals = bytes_search(label, BYTES("=\""));
            assert_true(equals > 0 && equals + 2 < label.n && label.at[label.n - 1] == '"');
        }
        rest = bytes_skip(rest, end + 1);
    }
    assert_true(bytes_begins(rest, BYTES(" ")) && rest.n > 1);
    for (size_t i = 1; i < rest.n; i++)
        assert_true(is_digit(rest.at[i]) || rest.at[i] == '.');
}

static bool was_before(const struct bytes *metrics, size_t n, struct bytes metric)
{
    for (size_t i = 0; i < n; i++)
        if (bytes_equal(metrics[i], metric))
            return true;
    return false;
}

/* HELP, then TYPE, then its samples; no metric twice; counters end in _total, as is the custom. */
static void check_text(struct bytes text)
{
    static struct bytes metrics[200];
    size_t n = 0;
    struct bytes line, metric = BYTES_NONE;

    assert_true(bytes_ends(text, BYTES("\n")));
    while (bytes_cut(&text, '\n', &line)) {
        if (!bytes_begins(line, BYTES("# HELP "))) {
            check_sample(line, metric);
            continue;
        }
        metric = bytes_upto(bytes_skip(line, 7), ' ');
        assert_true(line.n > 7 + metric.n + 10);
        assert_false(was_before(metrics, n, metric));
        assert_true(n < COUNT(metrics));
        metrics[n++] = metric;
        assert_true(bytes_cut(&text, '\n', &line) && bytes_begins(line, BYTES("# TYPE ")));
        line = bytes_skip(line, 7);
        assert_true(bytes_begins(line, metric));
        struct bytes type = bytes_skip(line, metric.n + 1);
        assert_true(bytes_equal(type, BYTES("counter")) == bytes_ends(metric, BYTES("_total")));
        assert_true(bytes_equal(type, BYTES("counter")) || bytes_equal(type, BYTES("gauge"))
                    || bytes_equal(type, BYTES("histogram")));
    }
    assert_true(n > 1);
}

/* The line of that sample says `n` thousand, or `n` when it is shown in seconds. */
static bool is_shown(struct bytes text, const char *name, const char *labels, uint64_t n)
{
    struct buffer start = buffer_with_most(1000), number = buffer_with_most(30);
    struct bytes line;
    bool shown = false;

    buffer_put_text(&start, name);
    buffer_put_text(&start, labels[0] == '\0' ? "" : "{");
    buffer_put_text(&start, labels);
    buffer_put_text(&start, labels[0] == '\0' ? " " : "} ");
    buffer_put_uint(&number, n);
    while (bytes_cut(&text, '\n', &line))
        if (bytes_begins(line, buffer_bytes(&start))) {
            struct bytes value = bytes_skip(line, start.n);
            shown = bytes_begins(value, buffer_bytes(&number))
                 && (bytes_equal(bytes_skip(value, number.n), BYTES("000"))
                     || bytes_equal(bytes_skip(value, number.n), BYTES(".000")));
        }
    buffer_done(&start);
    buffer_done(&number);
    return shown;
}

static void prometheus_can_read_them(void **state)
{
    struct buffer text = buffer_with_most(1 << 20);
    struct web_figures figures = { .store_known = true, .store = {
        .uptime_ms = 61005, .queued = 3, .delivered = 12 } };

    web_put_metrics(&text, &figures, WEB_STORE_OPEN);
    struct bytes all = buffer_bytes(&text);
    check_text(all);
    assert_true(bytes_search(all, BYTES("\npostern_store_uptime_seconds 61.005\n")) < all.n);
    assert_true(bytes_search(all, BYTES("\npostern_store_accepting 1\n")) < all.n);
    assert_true(bytes_search(all, BYTES("\npostern_deliveries_total{result=\"delivered\"} 12\n"))
                < all.n);
    buffer_done(&text);
}

/* Each row of web/figures.def is told, and shown under its name. */
static void every_row_is_shown(void **state)
{
    struct buffer text = buffer_with_most(1 << 20);
    struct web_figures figures = { .store_known = true, .front_known[3] = true };
    uint64_t n = 7000;

#define F(kind, field, ...) figures.store.field = ++n * 1000;
    FIGURES_STORE(F)
#undef F
#define F(kind, field, ...) figures.fronts[3].field = ++n * 1000;
    FIGURES_FRONT(F)
#undef F
    web_put_metrics(&text, &figures, WEB_STORE_OPEN);
    n = 7000;
#define F(kind, field, metric, suffix, labels, help) \
    assert_true(is_shown(buffer_bytes(&text), metric suffix, labels, ++n));
    FIGURES_STORE(F)
#undef F
#define F(kind, field, metric, suffix, labels, help) \
    assert_true(is_shown(buffer_bytes(&text), metric suffix, \
                         labels[0] == '\0' ? "front=\"3\"" : "front=\"3\"," labels, ++n));
    FIGURES_FRONT(F)
#undef F
    buffer_done(&text);
}

static void unknown_ones_are_left_out(void **state)
{
    struct buffer text = buffer_with_most(1 << 20);
    struct web_figures figures = { 0 };

    web_put_metrics(&text, &figures, WEB_STORE_CLOSED);
    struct bytes all = buffer_bytes(&text);
    assert_true(bytes_search(all, BYTES("\npostern_store_accepting 0\n")) < all.n);
    assert_true(bytes_search(all, BYTES("postern_queue_letters")) == all.n);
    buffer_done(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(come_back_from_the_wire),
        cmocka_unit_test(prometheus_can_read_them),
        cmocka_unit_test(every_row_is_shown),
        cmocka_unit_test(unknown_ones_are_left_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
