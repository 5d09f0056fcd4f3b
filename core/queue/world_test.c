/* SPDX-License-Identifier: ISC */
#include "queue/world_test.h"

#include "base/arena.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct queue_conf test_conf(void)
{
    return (struct queue_conf){ .segment_bytes = TEST_SEGMENT, .space_least = 1000,
                                .patience = { { 1000, 2000, 4000, 8000, 16000, 32000 }, 6, 0, 0,
                                              0 },
                                .history_keep_ms = 86400000, .history_most = 1 << 20, .jobs = 4,
                                .deliver = true };
}

void test_begin(struct test_world *w, const struct queue_conf *conf)
{
    *w = (struct test_world){ .conf = *conf, .fx = effects_none(), .space = 1 << 30,
                              .now = { 1000, UINT64_C(1767225600000) }, .fail_kind = -1 };
}

void test_end(struct test_world *w)
{
    test_kill(w);
    for (size_t i = 0; i < TEST_FILES; i++) {
        free(w->files[i].at);
        free(w->files[i].synced);
    }
    free(w->letter);
    effects_done(&w->fx);
}

static void drop_effects(struct test_world *w)
{
    for (size_t i = 0; i < w->fx.n; i++)
        if (w->fx.list[i].kind == FX_IO)
            mem_free(w->fx.list[i].io.data);
    effects_clear(&w->fx);
}

void test_kill(struct test_world *w)
{
    drop_effects(w);
    queue_free(w->queue);
    w->queue = NULL;
    memset(w->slots, 0, sizeof(w->slots));
}

void test_crash(struct test_world *w)
{
    test_kill(w);
    for (size_t i = 0; i < TEST_FILES; i++) {
        struct test_file *file = &w->files[i];
        memcpy(file->name, file->synced_name, sizeof(file->name));
        file->n = file->synced_n;
        if (file->n > 0) {
            file->at = realloc(file->at, file->n);
            memcpy(file->at, file->synced, file->n);
        }
    }
}

struct test_file *test_file(struct test_world *w, const char *name)
{
    for (size_t i = 0; i < TEST_FILES; i++)
        if (w->files[i].name[0] != '\0' && strcmp(w->files[i].name, name) == 0)
            return &w->files[i];
    return NULL;
}

static void text_of(struct bytes text, char ret[64])
{
    assert(text.n < 64);
    if (text.n > 0)
        memcpy(ret, text.at, text.n);
    ret[text.n] = '\0';
}

static struct test_file *new_file(struct test_world *w, const char *name)
{
    for (size_t i = 0; i < TEST_FILES; i++) {
        struct test_file *file = &w->files[i];
        if (file->name[0] != '\0' || file->synced_name[0] != '\0')
            continue;
        memcpy(file->name, name, strlen(name) + 1);
        file->n = 0;
        return file;
    }
    abort();
}

static void grow(struct test_file *file, size_t n)
{
    if (n <= file->n)
        return;
    file->at = realloc(file->at, n);
    memset(file->at + file->n, 0, n - file->n);
    file->n = n;
}

/* "": the root itself. */
static bool is_in(const char *folder, const char *name)
{
    size_t n = strlen(folder);

    return n == 0 ? strchr(name, '/') == NULL : strncmp(name, folder, n) == 0 && name[n] == '/';
}

static void sync_names(struct test_world *w, const char *folder)
{
    for (size_t i = 0; i < TEST_FILES; i++) {
        struct test_file *file = &w->files[i];
        if (is_in(folder, file->name) || is_in(folder, file->synced_name))
            memcpy(file->synced_name, file->name, sizeof(file->name));
    }
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Names below a folder, sorted, as IO_LIST tells. */
static size_t list(struct test_world *w, const char *folder, char *ret_text)
{
    const char *names[TEST_FILES];
    size_t n = 0, skip = strlen(folder) + 1, at = 0;

    for (size_t i = 0; i < TEST_FILES; i++)
        if (strncmp(w->files[i].name, folder, skip - 1) == 0 && w->files[i].name[skip - 1] == '/')
            names[n++] = w->files[i].name + skip;
    qsort(names, n, sizeof(*names), by_name);
    for (size_t i = 0; i < n; i++) {
        memcpy(ret_text + at, names[i], strlen(names[i]));
        at += strlen(names[i]);
        ret_text[at++] = '\n';
    }
    return at;
}

static enum fault open_or_make(struct test_world *w, const struct io *io, const char *name,
                               uint64_t *ret_number)
{
    struct test_file *file = test_file(w, name);

    assert(w->slots[io->file] == 0);
    if (io->kind == IO_CREATE && file != NULL)
        return FAULT_EXISTS;
    if (io->kind == IO_OPEN && file == NULL)
        return FAULT_GONE;
    file = file == NULL ? new_file(w, name) : file;
    w->slots[io->file] = (int)(file - w->files) + 1;
    *ret_number = file->n;
    return OK;
}

static enum fault do_on_slot(struct test_world *w, const struct io *io, struct event *event)
{
    assert(w->slots[io->file] != 0);
    struct test_file *file = &w->files[w->slots[io->file] - 1];

    if (io->kind == IO_WRITE) {
        grow(file, io->offset + io->data_n);
        memcpy(file->at + io->offset, io->data, io->data_n);
    } else if (io->kind == IO_READ) {
        size_t from = io->offset < file->n ? io->offset : file->n;
        event->bytes = file->n == 0 ? BYTES_NONE
                     : (struct bytes){ file->at + from, file->n - from };
        event->bytes = bytes_first(event->bytes, io->count);
        event->number = event->bytes.n;
    } else if (io->kind == IO_EXTEND) {
        grow(file, io->count);
    } else if (io->kind == IO_SYNC) {
        file->synced = realloc(file->synced, file->n + 1);
        if (file->n > 0)
            memcpy(file->synced, file->at, file->n);
        file->synced_n = file->n;
    } else if (io->kind == IO_CLOSE) {
        w->slots[io->file] = 0;
    }
    return OK;
}

static enum fault do_on_name(struct test_world *w, const struct io *io, struct event *event)
{
    static char names[TEST_FILES * 64];
    char name[64], to[64];

    text_of(io->name, name);
    text_of(io->to, to);
    struct test_file *file = test_file(w, name);
    if (io->kind == IO_OPEN || io->kind == IO_CREATE)
        return open_or_make(w, io, name, &event->number);
    if (io->kind == IO_SYNC_DIR)
        sync_names(w, name);
    if (io->kind == IO_LIST)
        event->bytes = (struct bytes){ names, list(w, name, names) };
    if (io->kind == IO_SPACE)
        event->number = w->space;
    if (io->kind != IO_UNLINK && io->kind != IO_RENAME)
        return OK;
    if (file == NULL)
        return FAULT_GONE;
    struct test_file *old = io->kind == IO_RENAME ? test_file(w, to) : NULL;
    memset(file->name, 0, sizeof(file->name));
    if (old != NULL)
        memset(old->name, 0, sizeof(old->name));
    if (io->kind == IO_RENAME)
        memcpy(file->name, to, strlen(to) + 1);
    return OK;
}

static bool fails_now(struct test_world *w, const struct io *io)
{
    if (w->fail_kind >= 0 && (int)io->kind != w->fail_kind)
        return false;
    w->ios++;
    return w->fail_at != 0 && w->ios >= w->fail_at && w->ios < w->fail_at + w->fail_count + 1;
}

static enum fault do_io(struct test_world *w, const struct io *io, struct event *event)
{
    if (io->kind != IO_CLOSE && fails_now(w, io))
        return w->fail_with;
    switch (io->kind) {
    case IO_WRITE: case IO_READ: case IO_EXTEND: case IO_SYNC: case IO_CLOSE: case IO_TRUNCATE:
        return do_on_slot(w, io, event);
    case IO_CREATE: case IO_OPEN: case IO_RENAME: case IO_LINK_NEW: case IO_UNLINK: case IO_MKDIR:
    case IO_SYNC_DIR: case IO_LIST: case IO_STAT: case IO_SPACE:
        return do_on_name(w, io, event);
    }
    return OK;
}

static void keep_news(struct test_world *w)
{
    struct queue_news news;

    while (w->queue != NULL && queue_news(w->queue, &news)) {
        assert(w->news_n < TEST_NEWS);
        struct test_news *kept = &w->news[w->news_n++];
        struct bytes text =
            bytes_first(news.text.n > 0 ? news.text : news.note, sizeof(kept->text));
        kept->is = news;
        kept->text_n = text.n;
        if (text.n > 0)
            memcpy(kept->text, text.at, text.n);
        kept->to_n = news.to.n < sizeof(kept->to) ? news.to.n : sizeof(kept->to);
        if (kept->to_n > 0)
            memcpy(kept->to, news.to.at, kept->to_n);
        if (news.kind == NEWS_JOB_TEXT) {
            w->letter = realloc(w->letter, w->letter_n + news.text.n);
            memcpy(w->letter + w->letter_n, news.text.at, news.text.n);
            w->letter_n += news.text.n;
        } else if (news.kind == NEWS_JOB) {
            w->letter_n = 0;
        }
    }
}

static void step(struct test_world *w, struct event event, struct effects *fx)
{
    event.now = w->now;
    queue_step(w->queue, &event, fx);
    keep_news(w);
    w->bad = w->bad || fx->bad;
}

/* Do all effects of one step; what they answer goes back, and what that asks is done in turn. */
static void do_effects(struct test_world *w)
{
    struct effects fx = w->fx;
    bool skip[LIMIT_IO_LANES] = { false };

    w->fx = effects_none();
    for (size_t i = 0; i < fx.n; i++) {
        struct io *io = &fx.list[i].io;
        struct event event = { .kind = EV_IO, .token = io->token };
        if (fx.list[i].kind != FX_IO)
            continue;
        bool skipped = skip[io->lane];
        event.fault = skipped ? FAULT_SKIPPED : do_io(w, io, &event);
        mem_free(io->data);
        skip[io->lane] = io->linked && event.fault != OK;
        if (!w->bad && (!io->quiet || (event.fault != OK && !skipped)))
            step(w, event, &w->fx);
    }
    effects_done(&fx);
}

void test_run(struct test_world *w)
{
    keep_news(w);
    for (int turns = 0; turns < 1000 && !w->bad; turns++) {
        while (w->fx.n > 0 && !w->bad)
            do_effects(w);
        if (!w->bad)
            step(w, (struct event){ .kind = EV_TURN }, &w->fx);
        if (w->fx.n == 0)
            return;
    }
}

void test_wait(struct test_world *w, uint64_t ms)
{
    w->now.mono_ms += ms;
    w->now.wall_ms += ms;
    test_run(w);
}

void test_start(struct test_world *w)
{
    static const char dice[] = "0123456789abcdef0123456789abcdef";

    w->bad = false;
    w->news_n = 0;
    w->queue = queue_new(&w->conf);
    if (w->queue == NULL) {
        w->bad = true;
        return;
    }
    step(w, (struct event){ .kind = EV_START, .bytes = { dice, 32 } }, &w->fx);
    test_run(w);
}

void test_put(struct test_world *w, uint32_t token, const char *text)
{
    struct queue_letter letter = { .head = BYTES("head"), .to = BYTES("\x03\0\0\0rcp"),
                                   .text = bytes_of(text) };

    queue_put(w->queue, (struct queue_from){ 1, token }, &letter, (struct queue_keys){ NULL, 0 },
              w->now, &w->fx);
}

size_t test_count(const struct test_world *w, enum queue_news_kind kind)
{
    size_t count = 0;

    for (size_t i = 0; i < w->news_n; i++)
        count += w->news[i].is.kind == kind;
    return count;
}

const struct test_news *test_last(const struct test_world *w, enum queue_news_kind kind)
{
    for (size_t i = w->news_n; i > 0; i--)
        if (w->news[i - 1].is.kind == kind)
            return &w->news[i - 1];
    return NULL;
}
