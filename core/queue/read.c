/* SPDX-License-Identifier: ISC
 *
 * Records read back: from the disk, or from the memory of what was just accepted.
 */
#include "queue/job_int.h"
#include "queue/queue_int.h"

#include "base/arena.h"

#include <assert.h>
#include <string.h>

struct payload *payload_new(struct bytes text)
{
    struct payload *payload = mem_resize(NULL, sizeof(*payload) + text.n);

    if (payload != NULL) {
        *payload = (struct payload){ .n = text.n, .users = 1 };
        memcpy(payload->at, text.at, text.n);
    }
    return payload;
}

void payloads_unbury(struct jobs *jobs)
{
    while (jobs->buried != NULL) {
        struct payload *next = jobs->buried->next;
        mem_free(jobs->buried);
        jobs->buried = next;
    }
}

static struct cached *cached_at(struct jobs *jobs, size_t n)
{
    return &jobs->cache[(jobs->cache_first + n) % CACHE_LETTERS];
}

static void cache_drop_oldest(struct jobs *jobs)
{
    struct cached *oldest = cached_at(jobs, 0);

    if (oldest->payload != NULL)
        jobs->cache_bytes -= oldest->payload->n;
    mem_free(oldest->payload);
    jobs->cache_first = (jobs->cache_first + 1) % CACHE_LETTERS;
    jobs->cache_n--;
}

void cache_done(struct jobs *jobs)
{
    while (jobs->cache_n > 0)
        cache_drop_oldest(jobs);
    mem_free(jobs->cache);
    jobs->cache = NULL;
}

void cache_keep(struct queue *q, uint64_t id, struct bytes text)
{
    struct jobs *jobs = &q->jobs;

    if (!(jobs->up[0] || jobs->up[1]) || !q->conf.deliver || q->index.due_n > CACHE_DUE_MOST)
        return;
    if (jobs->cache == NULL)
        jobs->cache = mem_new(CACHE_LETTERS * sizeof(*jobs->cache));
    if (jobs->cache == NULL)
        return;
    while (jobs->cache_n > 0 && (jobs->cache_n == CACHE_LETTERS
        || jobs->cache_bytes + text.n > CACHE_BYTES || cached_at(jobs, 0)->payload == NULL))
        cache_drop_oldest(jobs);
    struct payload *payload = payload_new(text);
    if (payload == NULL)
        return;
    *cached_at(jobs, jobs->cache_n) = (struct cached){ id, payload };
    jobs->cache_n++;
    jobs->cache_bytes += text.n;
}

struct payload *cache_take(struct queue *q, uint64_t id)
{
    struct jobs *jobs = &q->jobs;
    size_t low = 0, high = jobs->cache_n;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (cached_at(jobs, middle)->id < id)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == jobs->cache_n || cached_at(jobs, low)->id != id)
        return NULL;
    struct payload *payload = cached_at(jobs, low)->payload;
    cached_at(jobs, low)->payload = NULL;
    if (payload != NULL)
        jobs->cache_bytes -= payload->n;
    return payload;
}

static bool open_segment(struct queue *q, struct segment *segment, struct token token,
                         struct effects *fx)
{
    uint32_t slot;

    segment_close_one(q, fx);
    if (!slot_take(q, &slot))
        return false;
    segment->slot = slot + 1;
    segment->sure = false;
    segment_open(fx, LANE_READ, slot, segment->number, token);
    return true;
}

static struct reading *free_reading(struct reads *reads)
{
    for (size_t i = 0; i < READS_MOST; i++)
        if (!reads->list[i].used)
            return &reads->list[i];
    return NULL;
}

bool record_fetch(struct queue *q, uint64_t lsn, uint32_t length, enum reader_kind reader,
                  uint32_t who, struct effects *fx)
{
    struct segment *segment = segment_find(q, lsn_segment(lsn));
    struct reading *reading = q->reads.n == READS_MOST ? NULL : free_reading(&q->reads);

    if (segment == NULL || reading == NULL || (segment->slot != 0 && !segment->sure))
        return false;
    uint32_t times = reading->times + 1;
    uint64_t place = (uint64_t)(reading - q->reads.list);
    struct token token = token_of(FOR_RECORD, (uint64_t)times * READS_MOST + place);
    bool opens = segment->slot == 0;
    if (opens && !open_segment(q, segment, token, fx))
        return false;
    *reading = (struct reading){ .used = true, .opened = opens, .reader = reader, .who = who,
                                 .times = times, .segment = segment->number, .length = length,
                                 .lsn = lsn };
    q->reads.n++;
    segment->reads++;
    segment_read(fx, LANE_READ, segment->slot - 1, lsn_offset(lsn), length, token);
    return true;
}

/* The payload that was read; empty when its octets are not what they were. */
static enum fault take(struct queue *q, const struct reading *reading, const struct event *event,
                       struct bytes *ret_payload)
{
    struct record record;

    if (event->fault != OK)
        return event->fault;
    if (record_read(event->bytes, reading->lsn, q->key, &record) == RECORD_IS_WHOLE)
        *ret_payload = record.payload;
    return OK;
}

/* The file did not open, and now it is known why. */
static void not_opened(struct queue *q, struct segment *segment, struct event *event,
                       const struct reading *reading)
{
    slot_free(q, segment->slot - 1);
    segment->slot = 0;
    event->fault = reading->fault;
}

void record_fetched(struct queue *q, struct token token, const struct event *came,
                    struct effects *fx)
{
    struct reading *reading = &q->reads.list[token.data % READS_MOST];
    struct bytes payload = BYTES_NONE;
    struct event event = *came;

    if (!reading->used || reading->times != token.data / READS_MOST)
        return;
    reading->fault = token.step ? event.fault : reading->fault;
    reading->skipped = reading->skipped || event.fault == FAULT_SKIPPED;
    if (token.step ? !reading->skipped : reading->skipped && reading->fault == OK)
        return;
    struct reading was = *reading;
    struct segment *segment = segment_find(q, was.segment);
    reading->used = false;
    q->reads.n--;
    assert(segment != NULL && segment->reads > 0);
    segment->reads--;
    if (was.skipped)
        not_opened(q, segment, &event, &was);
    else
        segment->sure = true;
    enum fault fault = take(q, &was, &event, &payload);
    switch (was.reader) {
    case READER_JOB: job_record(q, was.who, payload, fault, fx); break;
    case READER_LISTING: listing_record(q, was.who, payload, fault, fx); break;
    case READER_MOVER: move_record(q, was.who, payload, fault, fx); break;
    case READER_ORDER: order_record(q, was.who, payload, fault, fx); break;
    }
}
