/* SPDX-License-Identifier: ISC
 *
 * The searches of the history that the store does for others: they read while everything else goes
 * on.
 */
#include "queue/queue_int.h"

#include <string.h>

static void ask(struct queue *q, struct seeking *seeking, struct io io, struct effects *fx)
{
    uint64_t place = (uint64_t)(seeking - q->story.seeking);

    io.root = IN_SPOOL;
    io.lane = LANE_SEARCH;
    io.file = seeking->slot;
    io.token = token_pack(token_of(FOR_SEARCH, ++seeking->times * SEARCHES_MOST + place));
    fx_io(fx, io);
}

static void close_file(struct seeking *seeking, struct effects *fx)
{
    if (seeking->opened)
        segment_close(fx, LANE_SEARCH, seeking->slot);
    seeking->opened = false;
}

static void end(struct queue *q, struct seeking *seeking, uint8_t more, struct effects *fx)
{
    close_file(seeking, fx);
    history_search_free(seeking->search);
    buffer_done(&seeking->key);
    bool forgotten = seeking->forgotten;
    *seeking = (struct seeking){ .times = seeking->times, .token = seeking->token };
    if (!forgotten)
        news_tell(q, &(struct queue_news){ .kind = NEWS_ANSWER_END, .token = seeking->token,
                                           .more = more });
}

void seek_forget(struct queue *q, struct effects *fx)
{
    for (size_t i = 0; i < SEARCHES_MOST; i++) {
        struct seeking *seeking = &q->story.seeking[i];
        seeking->forgotten = seeking->used;
        if (seeking->used && seeking->search == NULL && !seeking->listing)
            end(q, seeking, 2, fx);
    }
}

void seek_done(struct story *story)
{
    for (size_t i = 0; i < SEARCHES_MOST; i++) {
        history_search_free(story->seeking[i].search);
        buffer_done(&story->seeking[i].key);
    }
}

void queue_trace(struct queue *q, uint32_t token, uint8_t by, struct bytes key, struct effects *fx)
{
    struct seeking *seeking = NULL;

    for (size_t i = 0; i < SEARCHES_MOST && seeking == NULL; i++)
        if (!q->story.seeking[i].used)
            seeking = &q->story.seeking[i];
    bool known = (by >= HISTORY_BY_ID && by <= HISTORY_BY_ADDRESS) || by == HISTORY_BY_ENVID;
    if (seeking == NULL || !known
        || q->log.mode == LOG_CLOSED) {
        news_tell(q, &(struct queue_news){ .kind = NEWS_ANSWER_END, .token = token, .more = 2 });
        return;
    }
    *seeking = (struct seeking){ .used = true, .token = token, .times = seeking->times,
                                 .by = (enum history_by)by,
                                 .key = buffer_with_most(LIMIT_FRAME_BYTES) };
    buffer_put(&seeking->key, key);
    seek_turn(q, fx);
}

/* Is everything that happened written, or cannot be? Else it is being written now. */
static bool all_written(struct queue *q, struct effects *fx)
{
    struct story *story = &q->story;
    bool idle = story->stage == STORY_CLOSED || story->stage == STORY_READY;

    if (idle && story->log.n > 0)
        story_flush(q, fx);
    return (story->log.n == 0 || q->now.mono_ms < story->again_at)
        && (story->stage == STORY_CLOSED || story->stage == STORY_READY);
}

void seek_turn(struct queue *q, struct effects *fx)
{
    for (size_t i = 0; i < SEARCHES_MOST; i++) {
        struct seeking *seeking = &q->story.seeking[i];
        if (!seeking->used || seeking->search != NULL || seeking->listing || !all_written(q, fx))
            continue;
        seeking->listing = true;
        ask(q, seeking, (struct io){ .kind = IO_LIST, .name = BYTES("history") }, fx);
    }
}

/* Open the file if another one is open, and read. */
static void read_file(struct queue *q, struct seeking *seeking, const struct history_want *want,
                      struct effects *fx)
{
    bool same = seeking->opened
             && bytes_equal(want->name, (struct bytes){ seeking->name, DAY_NAME });

    if (!same) {
        close_file(seeking, fx);
        if (want->name.n != DAY_NAME || !slot_take(q, &seeking->slot)) {
            end(q, seeking, 2, fx);
            return;
        }
        memcpy(seeking->name, want->name.at, DAY_NAME);
        seeking->opened = true;
        struct io io = { .kind = IO_OPEN, .linked = true, .quiet = true };
        io.name = story_name(fx, want->name);
        ask(q, seeking, io, fx);
    }
    ask(q, seeking, (struct io){ .kind = IO_READ, .offset = want->offset, .count = want->count },
        fx);
}

static void seek_on(struct queue *q, struct seeking *seeking, struct effects *fx)
{
    for (;;) {
        struct history_want want = history_search_next(seeking->search);
        switch (want.need) {
        case HISTORY_NEEDS_READ:
            read_file(q, seeking, &want, fx);
            return;
        case HISTORY_HAS_EVENT:
            news_tell(q, &(struct queue_news){ .kind = NEWS_EVENT, .token = seeking->token,
                                               .text = fx_keep(fx, want.event) });
            break;
        case HISTORY_ENDS:
            end(q, seeking, want.more ? 1 : 0, fx);
            return;
        }
    }
}

void seek_io(struct queue *q, struct token token, const struct event *event, struct effects *fx)
{
    struct seeking *seeking = &q->story.seeking[token.data % SEARCHES_MOST];

    if (!seeking->used || seeking->times != token.data / SEARCHES_MOST)
        return;     /* also an open that failed: the read behind it is skipped, and tells */
    if (seeking->forgotten) {
        seeking->opened = seeking->opened && event->fault != FAULT_SKIPPED;
        if (event->fault == FAULT_SKIPPED)
            slot_free(q, seeking->slot);
        end(q, seeking, 2, fx);
        return;
    }
    if (seeking->listing) {
        seeking->listing = false;
        seeking->search = event->fault != OK ? NULL
            : history_search_new(seeking->by, buffer_bytes(&seeking->key), event->bytes);
        if (seeking->search == NULL) {
            end(q, seeking, 2, fx);
            return;
        }
    } else {
        if (event->fault == FAULT_SKIPPED) {
            slot_free(q, seeking->slot);
            seeking->opened = false;
        }
        history_search_give(seeking->search, event->fault == OK ? event->bytes : BYTES_NONE);
    }
    seek_on(q, seeking, fx);
}
