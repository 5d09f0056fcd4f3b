/* SPDX-License-Identifier: ISC */
#include "queue/story_int.h"
#include "queue/queue_int.h"

#include "base/arena.h"
#include "base/hash.h"
#include "base/id.h"
#include "base/reader.h"

#include <assert.h>
#include <string.h>

void story_init(struct story *story)
{
    story->log = buffer_with_most(STORY_HELD);
    story->idx = buffer_with_most(STORY_HELD);
}

void story_done(struct story *story)
{
    seek_done(story);
    tidy_done(&story->tidy);
    buffer_done(&story->log);
    buffer_done(&story->idx);
}

/* The longest list of whole blocks within so many octets. */
static struct bytes blocks_within(struct bytes blocks, size_t most)
{
    struct reader in = reader_of(blocks);
    size_t end = 0;

    if (blocks.n <= most)
        return blocks;
    while (reader_ok(&in) && in.at <= most) {
        end = in.at;
        read_block(&in);
    }
    return bytes_first(blocks, end);
}

void story_accepted(struct queue *q, uint64_t id, const struct letter_record *letter,
                    struct queue_keys keys)
{
    story_staged(q, &(struct history_event){
        .what = HISTORY_ACCEPTED, .id = id, .at_ms = letter->received_ms, .size = letter->size,
        .head = letter->head.n <= EVENT_MOST / 2 ? letter->head : BYTES_NONE,
        .to = blocks_within(letter->to, EVENT_MOST / 2 - 1024) }, keys);
}

void story_staged(struct queue *q, const struct history_event *event, struct queue_keys keys)
{
    struct buffer *to = &log_gathering(q)->story;
    size_t before = to->n, start;

    buffer_put_u32(to, (uint32_t)keys.n);
    buffer_put(to, (struct bytes){ (const char *)keys.list, keys.n * sizeof(*keys.list) });
    buffer_put_u32(to, 0);
    start = to->n;
    history_put(to, event);
    if (to->bad) {      /* no memory: this one letter is not in the history */
        to->bad = false;
        to->n = before;
        q->story.dropped++;
        return;
    }
    uint32_t n = (uint32_t)(to->n - start);
    memcpy(to->at + start - 4, &n, sizeof(n));
}

static void put_key(struct story *story, uint64_t key, uint64_t offset)
{
    char *at = buffer_grow(&story->idx, IDX_ENTRY);

    if (at != NULL) {
        day_store(at, key);
        day_store(at + 8, offset);
    }
}

static uint64_t key_of_id(uint64_t id)
{
    char text[ID_TEXT];

    id_write(id, text);
    return history_key(HISTORY_BY_ID, (struct bytes){ text, ID_TEXT });
}

static void add(struct queue *q, uint64_t id, struct bytes event, struct queue_keys keys)
{
    struct story *story = &q->story;
    uint64_t offset = story->log.n;

    if (!buffer_reserve(&story->log, EVENT_HEAD + event.n)
        || !buffer_reserve(&story->idx, (keys.n + 1) * IDX_ENTRY)) {
        story->log.bad = story->idx.bad = false;
        story->dropped++;
        return;
    }
    buffer_put_u32(&story->log, (uint32_t)event.n);
    buffer_put_u32(&story->log, crc32c(0, event));
    buffer_put(&story->log, event);
    put_key(story, key_of_id(id), offset);
    for (size_t i = 0; i < keys.n; i++)
        put_key(story, keys.list[i], offset);
    if (story->flush_at == 0)
        story->flush_at = q->now.mono_ms + STORY_WAIT_MS;
}

void story_settle(struct queue *q, struct bytes staged)
{
    struct reader in = reader_of(staged);

    while (!reader_empty(&in)) {
        uint32_t count = read_u32(&in), n = 0;
        struct bytes list = read_bytes(&in, count * sizeof(uint64_t));
        memcpy(&n, read_bytes(&in, sizeof(n)).at, sizeof(n));
        struct bytes event = read_bytes(&in, n);
        assert(reader_ok(&in));
        uint64_t keys[STORY_KEYS_AT_ONCE];
        size_t some = count < COUNT(keys) ? count : COUNT(keys);
        memcpy(keys, list.at, some * sizeof(*keys));
        struct history_event read;
        if (history_read(event, &read))
            add(q, read.id, event, (struct queue_keys){ keys, some });
    }
}

void story_event(struct queue *q, const struct history_event *event)
{
    struct buffer text = buffer_with_most(EVENT_MOST);

    history_put(&text, event);
    if (text.bad)
        q->story.dropped++;
    else
        add(q, event->id, buffer_bytes(&text), (struct queue_keys){ NULL, 0 });
    buffer_done(&text);
}

struct bytes story_name(struct effects *fx, struct bytes name)
{
    struct buffer *draft = fx_draft(fx);

    buffer_put_text(draft, "history/");
    buffer_put(draft, name);
    return fx_keep(fx, buffer_bytes(draft));
}

static void put_io(struct queue *q, struct io io, struct effects *fx)
{
    io.root = IN_SPOOL;
    io.lane = LANE_HISTORY;
    io.token = token_pack(token_of(FOR_HISTORY, ++q->story.serial));
    fx_io(fx, io);
}

static void open_file(struct queue *q, enum story_stage stage, struct effects *fx)
{
    struct story *story = &q->story;
    bool idx = stage == STORY_OPEN_IDX || stage == STORY_MAKE_IDX;
    bool make = stage == STORY_MAKE_LOG || stage == STORY_MAKE_IDX;
    char name[DAY_NAME];

    story->stage = stage;
    day_write(story->day, idx, name);
    put_io(q, (struct io){ .kind = make ? IO_CREATE : IO_OPEN,
                           .file = idx ? story->idx_slot : story->log_slot,
                           .name = story_name(fx, (struct bytes){ name, DAY_NAME }) }, fx);
}

static void close_files(struct queue *q, struct effects *fx)
{
    struct story *story = &q->story;
    uint32_t slots[] = { story->log_slot, story->idx_slot };
    bool open[] = { story->log_open, story->idx_open };

    for (size_t i = 0; i < 2; i++) {
        if (open[i])
            segment_close(fx, LANE_HISTORY, slots[i]);
        else
            slot_free(q, slots[i]);
    }
    story->log_open = story->idx_open = false;
    story->stage = STORY_CLOSED;
}

static void open_day(struct queue *q, uint64_t day, struct effects *fx)
{
    struct story *story = &q->story;

    if (!slot_take(q, &story->log_slot))
        return;
    if (!slot_take(q, &story->idx_slot)) {
        slot_free(q, story->log_slot);
        return;
    }
    story->day = day;
    open_file(q, STORY_OPEN_LOG, fx);
}

/* The same for each file of a day, so that a head written again reads the entries behind it. */
static void secret_of_day(const struct queue *q, uint8_t ret_secret[static 16])
{
    char text[9];

    day_store(text, q->story.day);
    for (unsigned i = 0; i < 2; i++) {
        text[8] = (char)('a' + i);
        uint64_t half = siphash(q->key, (struct bytes){ text, sizeof(text) });
        day_store((char *)ret_secret + 8 * i, half);
    }
}

static void write_head(struct queue *q, struct effects *fx)
{
    uint8_t secret[16];
    char *head = mem_resize(NULL, IDX_HEAD);

    if (head == NULL) {
        q->bad = true;
        return;
    }
    secret_of_day(q, secret);
    idx_head_write(head, secret);
    q->story.stage = STORY_WRITING;
    put_io(q, (struct io){ .kind = IO_WRITE, .file = q->story.idx_slot, .data = head,
                           .data_n = IDX_HEAD }, fx);
}

/* Keys become hashes, offsets in what is written now become offsets in the file. */
static void make_ready(struct queue *q)
{
    struct story *story = &q->story;
    uint8_t secret[16];

    secret_of_day(q, secret);
    for (size_t at = 0; at + IDX_ENTRY <= story->idx.n; at += IDX_ENTRY) {
        char *entry = story->idx.at + at;
        day_store(entry, idx_hash(secret, day_load(entry)));
        day_store(entry + 8, day_load(entry + 8) + story->log_at);
    }
}

static void write_out(struct queue *q, struct effects *fx)
{
    struct story *story = &q->story;
    struct io io = { .kind = IO_WRITE, .file = story->log_slot, .offset = story->log_at,
                     .data = story->log.at, .data_n = story->log.n, .quiet = true };

    make_ready(q);
    put_io(q, io, fx);
    story->log_at += io.data_n;
    io = (struct io){ .kind = IO_WRITE, .file = story->idx_slot, .offset = story->idx_at,
                      .data = story->idx.at, .data_n = story->idx.n };
    put_io(q, io, fx);
    story->idx_at += io.data_n;
    story->log = buffer_with_most(STORY_HELD);
    story->idx = buffer_with_most(STORY_HELD);
    story->stage = STORY_WRITING;
    story->flush_at = 0;
}

void story_flush(struct queue *q, struct effects *fx)
{
    struct story *story = &q->story;
    uint64_t today = q->now.wall_ms / DAY_MS;

    if (story->log.n == 0 || q->now.mono_ms < story->again_at)
        return;
    if (story->stage == STORY_READY && story->day != today)
        close_files(q, fx);
    if (story->stage == STORY_CLOSED)
        open_day(q, today, fx);
    else if (story->stage == STORY_READY)
        write_out(q, fx);
}

void story_turn(struct queue *q, struct effects *fx)
{
    struct story *story = &q->story;

    if (story->log.n >= STORY_EAGER || (story->flush_at != 0 && q->now.mono_ms >= story->flush_at))
        story_flush(q, fx);
    seek_turn(q, fx);
    tidy_turn(q, fx);
}

uint64_t story_alarm(const struct queue *q)
{
    const struct story *story = &q->story;
    bool idle = story->stage == STORY_CLOSED || story->stage == STORY_READY;

    if (!idle || story->flush_at == 0)
        return 0;
    return story->flush_at > story->again_at ? story->flush_at : story->again_at;
}

static void opened_idx(struct queue *q, uint64_t size, struct effects *fx)
{
    uint64_t entries = size > IDX_HEAD ? (size - IDX_HEAD + IDX_ENTRY - 1) / IDX_ENTRY : 0;

    q->story.idx_at = IDX_HEAD + entries * IDX_ENTRY;
    write_head(q, fx);
}

/* An opening ended well, with a file of that size. */
static void opened(struct queue *q, uint64_t size, struct effects *fx)
{
    struct story *story = &q->story;

    if (story->stage == STORY_OPEN_IDX || story->stage == STORY_MAKE_IDX) {
        story->idx_open = true;
        opened_idx(q, size, fx);
        return;
    }
    story->log_open = true;
    story->log_at = size;
    open_file(q, STORY_OPEN_IDX, fx);
}

void story_io(struct queue *q, struct token token, const struct event *event, struct effects *fx)
{
    struct story *story = &q->story;
    bool made = story->stage == STORY_MAKE_LOG || story->stage == STORY_MAKE_IDX;

    if (token.data != story->serial)
        return;         /* a write that failed: those events are not found, that is all */
    if (event->fault == FAULT_GONE && story->stage == STORY_OPEN_LOG) {
        open_file(q, STORY_MAKE_LOG, fx);
    } else if (event->fault == FAULT_GONE && story->stage == STORY_OPEN_IDX) {
        open_file(q, STORY_MAKE_IDX, fx);
    } else if (event->fault != OK) {
        story->again_at = q->now.mono_ms + STORY_AGAIN_MS;
        close_files(q, fx);
    } else if (story->stage == STORY_WRITING) {
        story->stage = STORY_READY;
        if (story->log.n >= STORY_EAGER)
            story_flush(q, fx);
    } else {
        opened(q, made ? 0 : event->number, fx);
    }
    seek_turn(q, fx);
}
