/* SPDX-License-Identifier: ISC
 *
 * Recipients of one letter that go the same way, together: one text for all of them.
 */
#include "queue/job_int.h"
#include "queue/queue_int.h"

#include "base/reader.h"

static void join(struct queue *q, struct job *lead, struct job *job, uint32_t recipient,
                 struct bytes to)
{
    struct rcpt *rcpt = letter_rcpt(index_find(&q->index, lead->letter), recipient);

    *job = (struct job){ .state = JOB_SENT, .number = job->number, .letter = lead->letter,
                         .recipient = recipient, .begun_ms = q->now.wall_ms, .told = true,
                         .payload = lead->payload, .record = lead->record,
                         .deliverer = lead->deliverer, .lead = lead->number };
    lead->payload->users++;
    lead->companions++;
    rcpt->state = RCPT_AT_WORK;
    rcpt->attempts++;
    news_tell(q, &(struct queue_news){
        .kind = NEWS_JOB, .job = job->number, .with = lead->number, .id = job->letter,
        .recipient = recipient, .attempt = rcpt->attempts, .recovered = rcpt->recovered,
        .binary = (job->record.flags & LETTER_BINARY) != 0, .size = job->record.size,
        .received_ms = job->record.received_ms, .head = job->record.head, .to = to,
        .deliverer = job->deliverer });
}

static bool is_due(struct queue *q, uint64_t id, uint32_t recipient)
{
    const struct rcpt *rcpt = letter_rcpt(index_find(&q->index, id), recipient);

    return rcpt->state == RCPT_WAITS && rcpt->due <= q->now.mono_ms;
}

void convoy_gather(struct queue *q, struct job *lead)
{
    struct reader in = reader_of(lead->record.to);
    uint64_t way = 0;

    if (q->conf.way != NULL && lead->record.recipients > 1)
        way = q->conf.way(q->conf.of, recipients_nth(lead->record.to, lead->recipient));
    for (uint32_t i = 0; way != 0 && i < lead->record.recipients; i++) {
        struct bytes to = read_block(&in);
        if (!is_due(q, lead->letter, i) || q->conf.way(q->conf.of, to) != way)
            continue;
        struct job *job = job_place(q, LIMIT_JOBS, JOB_SLOTS);
        if (job == NULL || lead->companions == CONVOY_MOST - 1)
            return;
        join(q, lead, job, i, to);
    }
}

void convoy_unreadable(struct queue *q, const struct job *lead, enum fault fault,
                       struct effects *fx)
{
    uint32_t number = lead->number, left = lead->companions;

    for (size_t i = LIMIT_JOBS; i < JOB_SLOTS && left > 0; i++) {
        struct job *job = &q->jobs.list[i];
        if (job->state == JOB_FREE || job->lead != number)
            continue;
        left--;
        job_unreadable(q, job, fault, fx);
    }
}

const struct payload *convoy_start(struct queue *q, const struct job *job)
{
    const struct job *lead = job->lead == 0 ? job : job_find(q, job->lead);

    return lead == NULL ? NULL : lead->start;
}
