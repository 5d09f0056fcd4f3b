/* SPDX-License-Identifier: ISC */
#include "queue/queue_int.h"

#include "base/arena.h"
#include "base/id.h"

#include <assert.h>
#include <string.h>

struct queue *queue_new(const struct queue_conf *conf)
{
    struct queue *q = mem_new(sizeof(*q));

    assert(conf->segment_bytes >= 65536 && conf->segment_bytes <= LIMIT_SEGMENT_BYTES);
    assert(conf->segment_bytes % 4096 == 0 && conf->jobs >= 1 && conf->jobs <= LIMIT_JOBS);
    if (q == NULL)
        return NULL;
    q->conf = *conf;
    log_init(&q->log);
    story_init(&q->story);
    return q;
}

void queue_set(struct queue *q, const struct queue_conf *conf)
{
    struct queue_conf kept = q->conf;

    assert(conf->jobs >= 1 && conf->jobs <= LIMIT_JOBS);
    q->conf = *conf;
    q->conf.segment_bytes = kept.segment_bytes;
    q->conf.wants = kept.wants;
    q->conf.report = kept.report;
    q->conf.reporter = kept.reporter;
}

void queue_free(struct queue *q)
{
    if (q == NULL)
        return;
    recovery_done(&q->recovery);
    arrivals_done(&q->arrivals);
    jobs_done(&q->jobs);
    listings_done(&q->listings);
    orders_done(&q->orders);
    story_done(&q->story);
    log_done(&q->log);
    keeps_done(q->keeps);
    index_done(&q->index);
    buffer_done(&q->hold.bodies);
    mem_free(q->segments);
    mem_free(q->news);
    mem_free(q);
}

bool slot_take(struct queue *q, uint32_t *ret_slot)
{
    for (uint32_t i = 0; i < LIMIT_IO_FILES; i++)
        if (!q->slots[i]) {
            q->slots[i] = true;
            q->slots_used++;
            *ret_slot = i;
            return true;
        }
    return false;
}

void slot_free(struct queue *q, uint32_t slot)
{
    if (slot < LIMIT_IO_FILES && q->slots[slot]) {
        q->slots[slot] = false;
        q->slots_used--;
    }
}

size_t slots_free(const struct queue *q)
{
    return LIMIT_IO_FILES - q->slots_used;
}

uint64_t id_next(struct queue *q)
{
    uint64_t by_clock = q->now.wall_ms << 20;

    q->last_id = q->last_id + 1 > by_clock ? q->last_id + 1 : by_clock;
    return q->last_id;
}

void news_tell(struct queue *q, const struct queue_news *news)
{
    if (q->news_at == q->news_n)
        q->news_at = q->news_n = 0;
    if (q->news_n == q->news_room) {
        size_t room = q->news_room == 0 ? 64 : q->news_room * 2;
        struct queue_news *list = mem_resize(q->news, room * sizeof(*list));
        if (list == NULL) {
            q->bad = true;
            return;
        }
        q->news = list;
        q->news_room = room;
    }
    q->news[q->news_n++] = *news;
}

bool queue_news(struct queue *q, struct queue_news *ret_news)
{
    if (q->news_at == q->news_n)
        return false;
    *ret_news = q->news[q->news_at++];
    return true;
}

void news_refused(struct queue *q, struct queue_from from, enum queue_refusal why)
{
    news_tell(q, &(struct queue_news){ .kind = NEWS_REFUSED, .from = from, .why = why });
}

enum queue_state queue_state(const struct queue *q)
{
    return q->told;
}

bool queue_settled(const struct queue *queue)
{
    const struct log *log = &queue->log;
    const struct story *story = &queue->story;
    bool log_rests = log->mode == LOG_CLOSED || log->mode == LOG_DEAD
        || (log->mode == LOG_READY && log->groups_n == 0);

    return log_rests && queue->jobs.ending_n == 0 && story->log.n == 0
        && keeps_rest(queue->keeps)
        && (story->stage == STORY_CLOSED || story->stage == STORY_READY);
}

void queue_forget_answers(struct queue *q, struct effects *fx)
{
    listings_forget(&q->listings);
    seek_forget(q, fx);
}

uint64_t queue_letters(const struct queue *q)
{
    return index_count(&q->index);
}

struct queue_counts queue_counts(const struct queue *q)
{
    enum { MS_IN_ID = 20 };         /* see id_next */
    struct queue_counts counts = q->counts;
    const struct letter *oldest = index_count(&q->index) == 0 ? NULL : index_after(&q->index, 0);

    counts.oldest_ms = oldest == NULL ? 0 : oldest->id >> MS_IN_ID;
    return counts;
}

void say_place(struct effects *fx, enum log_level level, const char *event, uint64_t lsn,
               uint64_t octets, const char *words)
{
    struct buffer *line = fx_draft(fx);

    log_begin(line, event);
    log_uint(line, "segment", lsn_segment(lsn));
    log_uint(line, "offset", lsn_offset(lsn));
    log_uint(line, "octets", octets);
    log_ours(line, "what", bytes_of(words));
    fx_log(fx, level, fx_keep(fx, buffer_bytes(line)));
}

void say_letter(struct effects *fx, enum log_level level, const char *event, uint64_t id,
                const char *words)
{
    struct buffer *line = fx_draft(fx);
    char text[ID_TEXT];

    id_write(id, text);
    log_begin(line, event);
    log_ours(line, "id", (struct bytes){ text, ID_TEXT });
    log_ours(line, "what", bytes_of(words));
    fx_log(fx, level, fx_keep(fx, buffer_bytes(line)));
}

static enum queue_state state_now(const struct queue *q)
{
    bool mending = q->log.mode == LOG_MEND_BIRTH || q->log.mode == LOG_MEND_WRITE;

    if (q->log.mode == LOG_DEAD)
        return QUEUE_READ_ONLY;
    if (q->log.mode == LOG_CLOSED || (mending && q->told == QUEUE_CLOSED))
        return QUEUE_CLOSED;
    return q->space_low ? QUEUE_LOW : QUEUE_OPEN;
}

static void tell_state(struct queue *q)
{
    enum queue_state state = state_now(q);

    if (state == q->told)
        return;
    q->told = state;
    news_tell(q, &(struct queue_news){ .kind = NEWS_STATE, .state = state });
}

static void start(struct queue *q, const struct event *event, struct effects *fx)
{
    if (q->recovery.stage != RECOVERY_NOT_BEGUN)
        return;
    memcpy(q->key, event->bytes.at, event->bytes.n < STORE_KEY ? event->bytes.n : STORE_KEY);
    recovery_begin(q, fx);
    keeps_turn(q, fx);
}

static void io(struct queue *q, const struct event *event, struct effects *fx)
{
    struct token token = token_unpack(event->token);

    switch (token.purpose) {
    case FOR_LOG:
    case FOR_BIRTH:
        log_io(q, token, event->fault, fx);
        break;
    case FOR_SPARE:
    case FOR_LEAVE:
        segments_io(q, token, event->fault, fx);
        break;
    case FOR_RECOVERY:
        recovery_io(q, token, event, fx);
        break;
    case FOR_BODY:
    case FOR_BODY_END:
        arrive_io(q, token, event, fx);
        break;
    case FOR_RECORD:
        record_fetched(q, token, event, fx);
        break;
    case FOR_JOB:
        job_piece(q, token, event, fx);
        break;
    case FOR_HISTORY:
        story_io(q, token, event, fx);
        break;
    case FOR_SEARCH:
        seek_io(q, token, event, fx);
        break;
    case FOR_TIDY:
        tidy_io(q, event, fx);
        break;
    case FOR_SPACE:
        space_told(q, event->fault, event->number);
        break;
    case FOR_SLOT:
        slot_free(q, (uint32_t)token.data);
        break;
    case FOR_KEEP: case FOR_MEMORY:
        keep_io(q, token, event, fx);
        break;
    case FOR_NOTHING:
    case PURPOSES:
        break;
    }
}

static void turn(struct queue *q, struct effects *fx)
{
    if (q->log.mode == LOG_CLOSED)
        return;
    keeps_turn(q, fx);
    arrive_turn(q, fx);
    conclude_turn(q, fx);
    job_turn(q, fx);
    move_turn(q, fx);
    listing_turn(q, fx);
    order_turn(q, fx);
    log_turn(q, fx);
    segments_turn(q, fx);
    story_turn(q, fx);
}

void queue_step(struct queue *q, const struct event *event, struct effects *fx)
{
    q->now = event->now;
    payloads_unbury(&q->jobs);
    if (event->kind == EV_START)
        start(q, event, fx);
    else if (event->kind == EV_IO && token_ours(event->token))
        io(q, event, fx);
    else if (event->kind == EV_TURN || event->kind == EV_ALARM)
        turn(q, fx);
    tell_state(q);
    fx->bad = fx->bad || q->bad;
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
    return a == 0 ? b : b == 0 ? a : a < b ? a : b;
}

uint64_t queue_alarm(const struct queue *q)
{
    bool works = q->log.mode != LOG_CLOSED && q->log.mode != LOG_DEAD;

    return earlier(earlier(earlier(log_alarm(q), job_alarm(q)), story_alarm(q)),
                   earlier(move_alarm(q), works ? q->space_at : 0));
}
