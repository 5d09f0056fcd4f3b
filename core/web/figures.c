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

static void put_sample(struct buffer *to, const struct figure *row, uint64_t number)
{
    buffer_put_text(to, row->metric);
    buffer_put_text(to, row->suffix);
    if (row->labels[0] != '\0') {
        buffer_put_char(to, '{');
        buffer_put_text(to, row->labels);
        buffer_put_char(to, '}');
    }
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
        put_sample(to, &store_rows[i], numbers[i]);
    }
}

void web_put_metrics(struct buffer *to, const struct web_figures *figures, enum web_store store)
{
    static const struct figure up = {
        GAUGE, "postern_store_accepting", "", "", "1: the store is up and takes letters.",
    };

    put_head(to, &up);
    put_sample(to, &up, store == WEB_STORE_OPEN);
    if (figures->store_known)
        put_store(to, &figures->store);
}

void web_metrics(const struct web_asked *asked, struct web_response *response)
{
    static const struct web_figures none;

    response->status = 200;
    response->type = "text/plain; version=0.0.4; charset=utf-8";
    web_put_metrics(&response->body, asked->facts->figures == NULL ? &none : asked->facts->figures,
                    asked->facts->store);
}
