/* SPDX-License-Identifier: ISC */
#include "web/top.h"

#include "base/json.h"
#include "base/reader.h"

enum { WIDTH_MOST = 512, NAME_WIDTH = 34, COLUMN_WIDTH = 16, SECOND_MS = 1000 };

void top_put(struct buffer *to, const struct top *top, const struct web_figures *figures)
{
    buffer_put_u8(to, (uint8_t)top->store);
    buffer_put_u64(to, top->wall_ms);
    web_put_figures(to, figures);
}

bool top_read(struct bytes octets, struct top *ret_top, struct web_figures *ret_figures)
{
    struct reader in = reader_of(octets);
    uint8_t store = read_u8(&in);
    uint64_t wall_ms = read_u64(&in);

    if (store > WEB_STORE_READ_ONLY || !web_read_figures(reader_left(&in), ret_figures))
        return false;
    *ret_top = (struct top){ (enum web_store)store, wall_ms };
    return true;
}

/* ---- pieces */

static const char *words_of(enum web_store store)
{
    switch (store) {
    case WEB_STORE_CLOSED: return "not ready";
    case WEB_STORE_OPEN: return "takes letters";
    case WEB_STORE_LOW: return "DISK NEARLY FULL";
    case WEB_STORE_READ_ONLY: return "DISK FAILED";
    }
    return "";
}

static void put_padded(struct buffer *to, uint64_t number, unsigned width)
{
    buffer_put_uint_wide(to, number, width);
}

/* "3 d 04:05:06" */
static void put_span(struct buffer *to, uint64_t ms)
{
    uint64_t s = ms / SECOND_MS;

    if (s >= 86400) {
        buffer_put_uint(to, s / 86400);
        buffer_put(to, BYTES(" d "));
    }
    put_padded(to, s / 3600 % 24, 2);
    buffer_put_char(to, ':');
    put_padded(to, s / 60 % 60, 2);
    buffer_put_char(to, ':');
    put_padded(to, s % 60, 2);
}

/* 1234 -> "1234", 12345678 -> "11.7 M": at most 7 characters. */
static void put_octets(struct buffer *to, uint64_t n)
{
    static const char units[] = " KMGTPE";
    size_t unit = 0;
    uint64_t tenths = n > UINT64_MAX / 10 ? UINT64_MAX : n * 10;

    while (tenths >= 10240 && units[unit + 1] != '\0') {
        tenths /= 1024;
        unit++;
    }
    buffer_put_uint(to, tenths / 10);
    if (unit > 0) {
        buffer_put_char(to, '.');
        buffer_put_uint(to, tenths % 10);
        buffer_put_char(to, ' ');
        buffer_put_char(to, units[unit]);
    }
}

/* To the right edge of its column. */
static void put_column(struct buffer *to, const struct buffer *text)
{
    if (text->n < COLUMN_WIDTH)
        buffer_put_chars(to, ' ', COLUMN_WIDTH - text->n);
    buffer_put(to, buffer_bytes(text));
}

/* ---- lines */

struct screen {
    struct buffer *to;
    const struct top_frame *frame;
    unsigned lines;
    struct buffer line;         /* plain text, cut to the width when it is done */
};

/* Bold when it is a headline, red when it should be seen. */
enum look { LOOK_PLAIN, LOOK_HEAD, LOOK_ALARM };

static void end_line(struct screen *screen, enum look look)
{
    static const char *const before[] = { "", "\x1b[1m", "\x1b[1;31m" };
    bool coloured = screen->frame->colour && look != LOOK_PLAIN;

    if (screen->frame->rows == 0 || screen->lines < screen->frame->rows) {
        buffer_put_text(screen->to, coloured ? before[look] : "");
        buffer_put(screen->to, bytes_first(buffer_bytes(&screen->line), screen->frame->columns));
        buffer_put_text(screen->to, coloured ? "\x1b[0m" : "");
        buffer_put_char(screen->to, '\n');
        screen->lines++;
    }
    buffer_clear(&screen->line);
}

static void name(struct screen *screen, const char *text)
{
    size_t n = screen->line.n;

    buffer_put_text(&screen->line, text);
    if (screen->line.n - n < NAME_WIDTH)
        buffer_put_chars(&screen->line, ' ', NAME_WIDTH - (screen->line.n - n));
}

/* How much a counter grew in a second. One that fell began anew. */
static void put_rate(struct screen *screen, uint64_t now, uint64_t before, bool octets)
{
    const struct top_frame *frame = screen->frame;
    struct buffer text = buffer_with_most(40);
    uint64_t ms = frame->before == NULL || frame->now->wall_ms <= frame->before->wall_ms ? 0
                : frame->now->wall_ms - frame->before->wall_ms;
    uint64_t grown = now < before ? now : now - before;

    if (ms == 0) {
        buffer_put_char(&text, '-');
    } else if (octets) {
        put_octets(&text, grown > UINT64_MAX / SECOND_MS ? 0 : grown * SECOND_MS / ms);
    } else {
        uint64_t tenths = grown > UINT64_MAX / (10 * SECOND_MS) ? 0 : grown * 10 * SECOND_MS / ms;
        buffer_put_uint(&text, tenths / 10);
        buffer_put_char(&text, '.');
        buffer_put_uint(&text, tenths % 10);
    }
    put_column(&screen->line, &text);
    buffer_done(&text);
}

static void row(struct screen *screen, const char *text, uint64_t now, uint64_t before,
                bool octets)
{
    struct buffer total = buffer_with_most(40);

    name(screen, text);
    put_rate(screen, now, before, octets);
    if (octets)
        put_octets(&total, now);
    else
        buffer_put_uint(&total, now);
    put_column(&screen->line, &total);
    end_line(screen, LOOK_PLAIN);
    buffer_done(&total);
}

static void put_head(struct screen *screen)
{
    const struct top *now = screen->frame->now;
    const struct web_figures *figures = screen->frame->figures;

    buffer_put(&screen->line, BYTES("Postern: "));
    buffer_put_text(&screen->line, words_of(now->store));
    if (figures->store_known) {
        buffer_put(&screen->line, BYTES(", up "));
        put_span(&screen->line, figures->store.uptime_ms);
    }
    buffer_put(&screen->line, BYTES("          "));
    put_span(&screen->line, now->wall_ms % 86400000);
    buffer_put(&screen->line, BYTES(" UTC"));
    end_line(screen, now->store == WEB_STORE_OPEN ? LOOK_HEAD : LOOK_ALARM);
    end_line(screen, LOOK_PLAIN);
}

static void put_queue(struct screen *screen, const struct web_store_figures *store)
{
    name(screen, "Queue");
    buffer_put_uint(&screen->line, store->queued);
    buffer_put_text(&screen->line, store->queued == 1 ? " letter" : " letters");
    if (store->queued > 0) {
        buffer_put(&screen->line, BYTES(", the oldest "));
        put_span(&screen->line, store->oldest_ms);
        buffer_put(&screen->line, BYTES(" old"));
    }
    end_line(screen, LOOK_PLAIN);
    name(screen, "Free on its disk");
    put_octets(&screen->line, store->disk_free);
    end_line(screen, LOOK_PLAIN);
}

static void put_clients(struct screen *screen, const struct web_front_figures *sum)
{
    const struct web_figures *figures = screen->frame->figures;
    bool first = true;

    name(screen, "Clients connected");
    buffer_put_uint(&screen->line, sum->sessions);
    buffer_put(&screen->line, BYTES(" of "));
    buffer_put_uint(&screen->line, sum->sessions_most);
    buffer_put(&screen->line, BYTES("; at the fronts: "));
    for (size_t i = 0; i < LIMIT_FRONTS; i++) {
        if (!figures->front_known[i])
            continue;
        buffer_put_text(&screen->line, first ? "" : ", ");
        buffer_put_uint(&screen->line, figures->fronts[i].sessions);
        first = false;
    }
    end_line(screen, sum->stressed > 0 ? LOOK_ALARM : LOOK_PLAIN);
}

/* The mean of those since the frame before; of all, on the first. */
static void put_flush(struct screen *screen, const struct web_store_figures *now,
                      const struct web_store_figures *before)
{
    uint64_t n = now->flush_count - before->flush_count, ms = now->flush_ms - before->flush_ms;

    name(screen, "A flush takes");
    if (n == 0 || now->flush_count < before->flush_count) {
        buffer_put_char(&screen->line, '-');
    } else {
        buffer_put_uint(&screen->line, ms / n);
        buffer_put_char(&screen->line, '.');
        buffer_put_uint(&screen->line, ms * 10 / n % 10);
        buffer_put(&screen->line, BYTES(" ms"));
    }
    end_line(screen, LOOK_PLAIN);
}

static uint64_t limits_of(const struct web_front_figures *sum)
{
    return sum->limit_address + sum->limit_network + sum->limit_rate + sum->limit_bad
         + sum->limit_full + sum->limit_early;
}

static void put_rates(struct screen *screen, const struct web_front_figures *f,
                      const struct web_front_figures *g, const struct web_store_figures *s,
                      const struct web_store_figures *t)
{
    end_line(screen, LOOK_PLAIN);
    name(screen, "");
    buffer_put(&screen->line, BYTES("        a second     since start"));
    end_line(screen, LOOK_HEAD);
    row(screen, "Letters received", f->letters, g->letters, false);
    row(screen, "  their octets", f->octets, g->octets, true);
    row(screen, "Letters refused for now (4xx)", f->letters_4, g->letters_4, false);
    row(screen, "Letters refused (5xx)", f->letters_5, g->letters_5, false);
    row(screen, "Recipients refused (4xx, 5xx)", f->rcpts_4 + f->rcpts_5, g->rcpts_4 + g->rcpts_5,
        false);
    row(screen, "Delivered", s->delivered, t->delivered, false);
    row(screen, "Deferred", s->deferred, t->deferred, false);
    row(screen, "Failed", s->failed, t->failed, false);
    row(screen, "Reports written", s->reports, t->reports, false);
    row(screen, "Flushes", s->flush_count, t->flush_count, false);
    row(screen, "Connections", f->connected, g->connected, false);
    row(screen, "TLS 1.3", f->tls_13, g->tls_13, false);
    row(screen, "TLS 1.2", f->tls_12, g->tls_12, false);
    row(screen, "TLS failed", f->tls_failed, g->tls_failed, false);
    row(screen, "Turned away at a limit", limits_of(f), limits_of(g), false);
}

void top_show(struct buffer *to, const struct top_frame *frame)
{
    static const struct web_figures none;
    const struct web_figures *before = frame->before == NULL ? &none : frame->figures_before;
    struct web_front_figures now_sum = web_sum_fronts(frame->figures);
    struct web_front_figures before_sum = web_sum_fronts(before);
    struct screen screen = { .to = to, .frame = frame, .line = buffer_with_most(WIDTH_MOST) };

    put_head(&screen);
    if (frame->figures->store_known) {
        put_queue(&screen, &frame->figures->store);
        put_clients(&screen, &now_sum);
        put_flush(&screen, &frame->figures->store, &before->store);
        put_rates(&screen, &now_sum, &before_sum, &frame->figures->store, &before->store);
    } else {
        buffer_put(&screen.line, BYTES("The queue does not answer."));
        end_line(&screen, LOOK_ALARM);
    }
    to->bad = to->bad || screen.line.bad;
    buffer_done(&screen.line);
}

/* ---- JSON */

static void put_front_json(struct json *json, const struct web_front_figures *figures)
{
#define F(kind, field, ...) json_put_uint(json, #field, figures->field);
    FIGURES_FRONT(F)
#undef F
}

void top_json(struct buffer *to, const struct top *top, const struct web_figures *figures)
{
    struct json json = json_to(to);

    json_put_object(&json);
    json_put_bool(&json, "accepting", top->store == WEB_STORE_OPEN);
    if (figures->store_known) {
#define F(kind, field, ...) json_put_uint(&json, #field, figures->store.field);
        FIGURES_STORE(F)
#undef F
    }
    json_key(&json, "fronts");
    json_put_array(&json);
    for (size_t i = 0; i < LIMIT_FRONTS; i++) {
        if (!figures->front_known[i])
            continue;
        json_put_object(&json);
        json_put_uint(&json, "front", i);
        put_front_json(&json, &figures->fronts[i]);
        json_put_object_end(&json);
    }
    json_put_array_end(&json);
    json_put_object_end(&json);
    json_line_end(&json);
}
