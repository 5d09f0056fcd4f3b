/* SPDX-License-Identifier: ISC */
#include "web/web_int.h"

#include "base/reader.h"

enum figure_kind { COUNTER, GAUGE, HISTOGRAM, MILLIS, AGE, HISTOGRAM_MS };

struct figure {
    enum figure_kind kind;
    const char *metric, *suffix, *labels, *help;
};

#define F(kind, field, metric, suffix, labels, help) { kind, metric, suffix, labels, help },
static const struct figure store_rows[] = { FIGURES_STORE(F) };
static const struct figure front_rows[] = { FIGURES_FRONT(F) };
#undef F

/* ---- on the wire */

void web_put_store_figures(struct buffer *to, const struct web_store_figures *figures)
{
#define F(kind, field, ...) buffer_put_u64(to, figures->field);
    FIGURES_STORE(F)
#undef F
}

bool web_read_store_figures(struct bytes octets, struct web_store_figures *ret_figures)
{
    struct reader in = reader_of(octets);
    struct web_store_figures figures = { 0 };

#define F(kind, field, ...) figures.field = read_u64(&in);
    FIGURES_STORE(F)
#undef F
    if (!reader_finished(&in))
        return false;
    *ret_figures = figures;
    return true;
}

void web_put_front_figures(struct buffer *to, const struct web_front_figures *figures)
{
#define F(kind, field, ...) buffer_put_u64(to, figures->field);
    FIGURES_FRONT(F)
#undef F
}

bool web_read_front_figures(struct bytes octets, struct web_front_figures *ret_figures)
{
    struct reader in = reader_of(octets);
    struct web_front_figures figures = { 0 };

#define F(kind, field, ...) figures.field = read_u64(&in);
    FIGURES_FRONT(F)
#undef F
    if (!reader_finished(&in))
        return false;
    *ret_figures = figures;
    return true;
}

/* u8 known, block store; for each front that is known: u32 which, block. */
void web_put_figures(struct buffer *to, const struct web_figures *figures)
{
    struct buffer one = buffer_with_most(4096);

    web_put_store_figures(&one, &figures->store);
    buffer_put_u8(to, figures->store_known);
    buffer_put_block(to, buffer_bytes(&one));
    for (uint32_t i = 0; i < LIMIT_FRONTS; i++) {
        if (!figures->front_known[i])
            continue;
        buffer_clear(&one);
        web_put_front_figures(&one, &figures->fronts[i]);
        buffer_put_u32(to, i);
        buffer_put_block(to, buffer_bytes(&one));
    }
    to->bad = to->bad || one.bad;
    buffer_done(&one);
}

bool web_read_figures(struct bytes octets, struct web_figures *ret_figures)
{
    struct reader in = reader_of(octets);
    struct web_figures figures = { .store_known = read_u8(&in) != 0 };

    if (!web_read_store_figures(read_block(&in), &figures.store))
        return false;
    while (reader_ok(&in) && !reader_empty(&in)) {
        uint32_t i = read_u32(&in);
        if (i >= LIMIT_FRONTS || !web_read_front_figures(read_block(&in), &figures.fronts[i]))
            return false;
        figures.front_known[i] = true;
    }
    if (!reader_finished(&in))
        return false;
    *ret_figures = figures;
    return true;
}

struct web_front_figures web_sum_fronts(const struct web_figures *figures)
{
    struct web_front_figures sum = { 0 };

    for (size_t i = 0; i < LIMIT_FRONTS; i++) {
        if (!figures->front_known[i])
            continue;
#define F(kind, field, ...) sum.field += figures->fronts[i].field;
        FIGURES_FRONT(F)
#undef F
    }
    return sum;
}

void web_count_flush(struct web_store_figures *figures, uint64_t ms)
{
    figures->flush_1 += ms <= 1;
    figures->flush_2 += ms <= 2;
    figures->flush_5 += ms <= 5;
    figures->flush_10 += ms <= 10;
    figures->flush_20 += ms <= 20;
    figures->flush_50 += ms <= 50;
    figures->flush_100 += ms <= 100;
    figures->flush_200 += ms <= 200;
    figures->flush_500 += ms <= 500;
    figures->flush_1000 += ms <= 1000;
    figures->flushes++;
    figures->flush_count++;
    figures->flush_ms += ms;
}

/* ---- Prometheus text format */

static const char *type_of(enum figure_kind kind)
{
    switch (kind) {
    case COUNTER: case MILLIS: return "counter";
    case GAUGE: case AGE: return "gauge";
    case HISTOGRAM: case HISTOGRAM_MS: return "histogram";
    }
    return "untyped";
}

static void put_head(struct buffer *to, const struct figure *row)
{
    buffer_put(to, BYTES("# HELP "));
    buffer_put_text(to, row->metric);
    buffer_put_char(to, ' ');
    buffer_put_text(to, row->help);
    buffer_put(to, BYTES("\n# TYPE "));
    buffer_put_text(to, row->metric);
    buffer_put_char(to, ' ');
    buffer_put_text(to, type_of(row->kind));
    buffer_put_char(to, '\n');
}

static void put_number(struct buffer *to, enum figure_kind kind, uint64_t number)
{
    if (kind != MILLIS && kind != AGE && kind != HISTOGRAM_MS) {
        buffer_put_uint(to, number);
        return;
    }
    buffer_put_uint(to, number / 1000);
    buffer_put_char(to, '.');
    buffer_put_uint_wide(to, number % 1000, 3);
}

/* `front`: which of them, or NOT_A_FRONT. */
enum { NOT_A_FRONT = LIMIT_FRONTS };

static void put_labels(struct buffer *to, const struct figure *row, size_t front)
{
    if (row->labels[0] == '\0' && front == NOT_A_FRONT)
        return;
    buffer_put_char(to, '{');
    if (front != NOT_A_FRONT) {
        buffer_put(to, BYTES("front=\""));
        buffer_put_uint(to, front);
        buffer_put_text(to, row->labels[0] == '\0' ? "\"" : "\",");
    }
    buffer_put_text(to, row->labels);
    buffer_put_char(to, '}');
}

static void put_sample(struct buffer *to, const struct figure *row, size_t front, uint64_t number)
{
    buffer_put_text(to, row->metric);
    buffer_put_text(to, row->suffix);
    put_labels(to, row, front);
    buffer_put_char(to, ' ');
    put_number(to, row->kind, number);
    buffer_put_char(to, '\n');
}

static bool begins_metric(const struct figure *rows, size_t i)
{
    return i == 0 || !bytes_equal(bytes_of(rows[i].metric), bytes_of(rows[i - 1].metric));
}

static void put_store(struct buffer *to, const struct web_store_figures *figures)
{
    uint64_t numbers[] = {
#define F(kind, field, ...) figures->field,
        FIGURES_STORE(F)
#undef F
    };

    for (size_t i = 0; i < COUNT(store_rows); i++) {
        if (begins_metric(store_rows, i))
            put_head(to, &store_rows[i]);
        put_sample(to, &store_rows[i], NOT_A_FRONT, numbers[i]);
    }
}

static uint64_t number_of(const struct web_front_figures *figures, size_t row)
{
    uint64_t numbers[] = {
#define F(kind, field, ...) figures->field,
        FIGURES_FRONT(F)
#undef F
    };

    return numbers[row];
}

static void put_fronts(struct buffer *to, const struct web_figures *figures)
{
    for (size_t i = 0; i < COUNT(front_rows); i++) {
        if (begins_metric(front_rows, i))
            put_head(to, &front_rows[i]);
        for (size_t front = 0; front < LIMIT_FRONTS; front++)
            if (figures->front_known[front])
                put_sample(to, &front_rows[i], front, number_of(&figures->fronts[front], i));
    }
}

void web_put_metrics(struct buffer *to, const struct web_figures *figures, enum web_store store)
{
    static const struct figure up = {
        GAUGE, "postern_store_accepting", "", "", "1: the store is up and takes letters.",
    };

    put_head(to, &up);
    put_sample(to, &up, NOT_A_FRONT, store == WEB_STORE_OPEN);
    if (figures->store_known)
        put_store(to, &figures->store);
    put_fronts(to, figures);
}

void web_metrics(const struct web_asked *asked, struct web_response *response)
{
    static const struct web_figures none;

    response->status = 200;
    response->type = "text/plain; version=0.0.4; charset=utf-8";
    web_put_metrics(&response->body, asked->facts->figures == NULL ? &none : asked->facts->figures,
                    asked->facts->store);
}
