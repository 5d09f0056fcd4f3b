/* SPDX-License-Identifier: ISC */
#include "queue/job_int.h"
#include "queue/queue_int.h"

#include "base/arena.h"
#include "base/hash.h"
#include "base/plant.h"

#include <assert.h>
#include <string.h>

void jobs_done(struct jobs *jobs)
{
    for (size_t i = 0; i < JOB_SLOTS; i++) {
        struct payload *payload = jobs->list[i].payload;
        if (payload != NULL && --payload->users == 0)
            mem_free(payload);
        mem_free(jobs->list[i].start);
    }
    payloads_unbury(jobs);
    cache_done(jobs);
    *jobs = (struct jobs){ 0 };
}

struct job *job_find(struct queue *q, uint32_t number)
{
    struct job *job = &q->jobs.list[number % JOB_SLOTS];

    return job->state != JOB_FREE && job->number == number ? job : NULL;
}

void job_end(struct queue *q, struct job *job, struct effects *fx)
{
    struct job *lead = job->lead == 0 ? NULL : job_find(q, job->lead);

    job->over = true;
    job->ends = false;
    if (job->companions > 0)
        return;                             /* its text is theirs too */
    if (job->open && !job->reading)
        body_read_close(fx, job->slot);     /* else when what is being read came: job_piece */
    if (job->payload != NULL && --job->payload->users == 0) {
        job->payload->next = q->jobs.buried;
        q->jobs.buried = job->payload;
    }
    mem_free(job->start);
    *job = (struct job){ .number = job->number + JOB_SLOTS };
    if (lead == NULL)
        q->jobs.busy--;
    else if (--lead->companions == 0 && lead->over)
        job_end(q, lead, fx);
}

/* Back to waiting: nothing is known of this attempt, or it never began. */
void job_fall_back(struct queue *q, struct job *job, bool recovered, uint64_t wait_ms,
                   struct effects *fx)
{
    struct letter *letter = index_find(&q->index, job->letter);
    struct rcpt *rcpt = letter == NULL ? NULL : letter_rcpt(letter, job->recipient);

    if (rcpt != NULL) {
        rcpt->state = RCPT_WAITS;
        rcpt->due = q->now.mono_ms + wait_ms;
        rcpt->recovered = rcpt->recovered || recovered;
        if (!index_wake(&q->index, job->letter, rcpt->due))
            q->bad = true;
    }
    job_end(q, job, fx);
}

void state_noted(struct queue *q, uint64_t id, struct bytes payload, uint64_t lsn)
{
    struct letter *letter = index_find(&q->index, id);
    struct state_record state;

    if (letter != NULL && state_record_read(payload, &state)
        && state.recipient < letter->recipients)
        letter_rcpt(letter, state.recipient)->note = lsn;
}

/* The letter cannot be read. When its octets are not what they were (fault OK) or gone, only a
   person can help: it is held. Else the trouble may pass. */
void job_unreadable(struct queue *q, struct job *job, enum fault fault, struct effects *fx)
{
    bool damaged = fault == OK || fault == FAULT_GONE, over = job->over || job->ends;
    job->damaged = job->damaged || !over;
    struct state_record held = { .outcome = QUEUE_FAILED, .class = 5, .subject = 3,
                                 .words = BYTES("the text of this letter is damaged on disk") };
    struct state_record later = { .outcome = QUEUE_LATER, .class = 4, .subject = 3,
                                  .words = BYTES("the text of this letter cannot be read now") };

    if (job->told && job->lead == 0)
        news_tell(q, &(struct queue_news){ .kind = NEWS_JOB_DROP, .job = job->number,
                                           .deliverer = job->deliverer });
    say_letter(fx, LOG_ERROR, "letter_unreadable", job->letter,
               damaged ? "held: its octets on disk are damaged" : "it will be tried again");
    convoy_unreadable(q, job, fault, fx);
    if (over)
        return;
    if (fault == FAULT_NO_MEMORY || fault == FAULT_TOO_MANY)
        job_fall_back(q, job, false, JOB_SOON_MS, fx);
    else
        job_conclude(q, job, damaged ? &held : &later, fx);
}

static void tell_text(struct queue *q, struct job *job, struct bytes text)
{
    while (text.n > 0) {
        struct bytes part = bytes_first(text, LIMIT_JOB_PART);
        news_tell(q, &(struct queue_news){ .kind = NEWS_JOB_TEXT, .job = job->number,
                                           .deliverer = job->deliverer, .text = part });
        text = bytes_skip(text, part.n);
        job->sent += part.n;
        job->credit -= part.n;
    }
}

static void tell_end(struct queue *q, struct job *job)
{
    job->state = JOB_SENT;
    news_tell(q, &(struct queue_news){ .kind = NEWS_JOB_END, .job = job->number,
                                       .deliverer = job->deliverer });
}

/* Ask for the next piece of the body file, when enough of it may be sent. */
static void read_on(struct queue *q, struct job *job, struct effects *fx)
{
    uint64_t left = job->record.size - job->sent, n = left < JOB_READ ? left : JOB_READ;
    uint64_t least = left < LIMIT_JOB_PART ? left : LIMIT_JOB_PART;

    if (job->reading || job->credit < least)
        return;
    if (!job->open) {
        if (!slot_take(q, &job->slot)) {
            job_unreadable(q, job, FAULT_TOO_MANY, fx);
            return;
        }
    }
    struct chain *chain = &q->jobs.chains[job->slot];
    struct token token = token_of(FOR_JOB, chain_begin(chain) * LIMIT_IO_FILES + job->slot);
    if (!job->open)
        body_open(fx, job->slot, job->record.body, token);
    job->open = true;
    job->reading = true;
    body_read(fx, job->slot, job->sent, n < job->credit ? n : job->credit, token);
}

/* Its result came, and it goes alone, or the results of all that go with it did. */
static bool nobody_wants_text(const struct job *job)
{
    return job->ends && job->companions == 0;
}

static void send_on(struct queue *q, struct job *job, struct effects *fx)
{
    uint64_t left = job->record.size - job->sent;

    if (job->state != JOB_SENDING || nobody_wants_text(job))
        return;
    if (job->record.body != 0 && left > 0) {
        read_on(q, job, fx);
        return;
    }
    uint64_t n = left < job->credit ? left : job->credit;
    tell_text(q, job, bytes_first(bytes_skip(job->record.text, job->sent), n));
    if (job->sent == job->record.size)
        tell_end(q, job);
}

static struct job *reader_of_slot(struct queue *q, uint32_t slot)
{
    for (size_t i = 0; i < JOB_SLOTS; i++)
        if (q->jobs.list[i].reading && q->jobs.list[i].slot == slot)
            return &q->jobs.list[i];
    return NULL;
}

static void take_piece(struct queue *q, struct job *job, struct bytes piece, struct effects *fx)
{
    struct bytes kept = fx_keep(fx, piece);

    if (kept.n != piece.n)
        return;
    if (job->sent == 0 && q->conf.report != NULL)
        job->start = payload_new(bytes_first(piece, REPORT_TEXT_MOST));
    if (nobody_wants_text(job))
        return;
    job->crc = crc32c(job->crc, kept);
    tell_text(q, job, kept);
    if (job->sent < job->record.size)
        read_on(q, job, fx);
    else if (job->crc != job->record.crc && !PLANTED(torn_tail_accepted))
        job_unreadable(q, job, OK, fx);
    else
        tell_end(q, job);
}

void job_piece(struct queue *q, struct token token, const struct event *event, struct effects *fx)
{
    uint32_t slot = (uint32_t)(token.data % LIMIT_IO_FILES);
    struct chain *chain = &q->jobs.chains[slot];
    struct job *job = reader_of_slot(q, slot);

    token.data /= LIMIT_IO_FILES;
    if (!chain_over(chain, token, event->fault))
        return;
    if (chain->not_open)
        slot_free(q, slot);
    else if (job == NULL)
        body_read_close(fx, slot);      /* the job ended meanwhile */
    if (job == NULL)
        return;
    job->reading = false;
    job->open = !chain->not_open;
    uint64_t left = job->record.size - job->sent;
    if (chain->fault == OK && event->bytes.n > 0 && event->bytes.n <= left
        && event->bytes.n <= job->credit)
        take_piece(q, job, event->bytes, fx);
    else if (!nobody_wants_text(job))
        job_unreadable(q, job, chain->fault, fx);
}

/* The payload is the job's own memory now. */
static void begin_job(struct queue *q, struct job *job, struct payload *payload,
                      struct effects *fx)
{
    struct letter *letter = index_find(&q->index, job->letter);
    struct rcpt *rcpt = letter == NULL ? NULL : letter_rcpt(letter, job->recipient);

    job->payload = payload;
    if (rcpt == NULL || !letter_record_read((struct bytes){ payload->at, payload->n }, &job->record)
        || job->recipient >= job->record.recipients) {
        job_unreadable(q, job, OK, fx);
        return;
    }
    if (job_overdue(q, job, fx))
        return;
    struct bytes to = recipients_nth(job->record.to, job->recipient);
    job->deliverer = q->conf.deliverer == NULL ? 0 : q->conf.deliverer(q->conf.of, to);
    if (!q->jobs.up[job->deliverer]) {
        rcpt->attempts--;
        job_fall_back(q, job, false, JOB_SOON_MS, fx);
        return;
    }
    job->state = JOB_SENDING;
    job->told = true;
    news_tell(q, &(struct queue_news){
        .kind = NEWS_JOB, .job = job->number, .id = job->letter, .recipient = job->recipient,
        .attempt = rcpt->attempts, .recovered = rcpt->recovered,
        .binary = (job->record.flags & LETTER_BINARY) != 0, .size = job->record.size,
        .received_ms = job->record.received_ms, .head = job->record.head, .to = to,
        .deliverer = job->deliverer });
    convoy_gather(q, job);
    send_on(q, job, fx);
}

void job_record(struct queue *q, uint32_t number, struct bytes payload, enum fault fault,
                struct effects *fx)
{
    struct job *job = job_find(q, number);

    if (job == NULL || job->state != JOB_READING)
        return;
    struct letter *letter = index_find(&q->index, job->letter);
    if (letter != NULL && letter->lsn != job->lsn) {
        /* Meanwhile its record was written anew, maybe for other recipients: read that. */
        letter_rcpt(letter, job->recipient)->attempts--;
        job_fall_back(q, job, false, 0, fx);
        return;
    }
    if (fault != OK || payload.n == 0) {
        job_unreadable(q, job, fault, fx);
        return;
    }
    struct payload *copy = payload_new(payload);
    if (copy == NULL)
        job_unreadable(q, job, FAULT_NO_MEMORY, fx);
    else
        begin_job(q, job, copy, fx);
}

struct job *job_place(struct queue *q, uint32_t first, uint32_t end)
{
    for (uint32_t i = first; i < end; i++)
        if (q->jobs.list[i].state == JOB_FREE) {
            if (q->jobs.list[i].number % JOB_SLOTS != i || q->jobs.list[i].number == 0)
                q->jobs.list[i].number = JOB_SLOTS + i;
            return &q->jobs.list[i];
        }
    return NULL;
}

/* In a build with this fault, the log says that it is delivered before anybody tried. */
static void done_too_early(struct queue *q, uint64_t id, uint32_t recipient)
{
    struct state_record state = { .outcome = QUEUE_DELIVERED, .recipient = recipient, .class = 2 };
    uint64_t lsn;

    q->bad = !log_state(q, id, &state, &lsn) || q->bad;
    log_urge(q);
}

static bool start(struct queue *q, struct letter *letter, uint32_t recipient, struct effects *fx)
{
    struct job *job = job_place(q, 0, q->conf.jobs);
    struct rcpt *rcpt = letter_rcpt(letter, recipient);
    struct payload *payload = cache_take(q, letter->id);

    if (payload == NULL
        && !record_fetch(q, letter->lsn, letter->length, READER_JOB, job->number, fx))
        return false;
    *job = (struct job){ .state = JOB_READING, .number = job->number, .letter = letter->id,
                         .recipient = recipient, .begun_ms = q->now.wall_ms,
                         .lsn = letter->lsn, .credit = LIMIT_LETTER_CREDIT };
    q->jobs.busy++;
    rcpt->state = RCPT_AT_WORK;
    rcpt->attempts++;
    if (PLANTED(done_before_delivery))
        done_too_early(q, letter->id, recipient);
    if (payload != NULL)
        begin_job(q, job, payload, fx);
    return true;
}

/* Start the first recipient of this letter that is due; the letter wakes again for the next one. */
static bool start_due(struct queue *q, uint64_t id, struct effects *fx)
{
    struct letter *letter = index_find(&q->index, id);
    uint32_t chosen = UINT32_MAX;
    uint64_t next = UINT64_MAX;

    for (uint32_t i = 0; letter != NULL && i < letter->recipients; i++) {
        struct rcpt *rcpt = letter_rcpt(letter, i);
        if (rcpt->state != RCPT_WAITS)
            continue;
        if (chosen == UINT32_MAX && rcpt->due <= q->now.mono_ms)
            chosen = i;
        else
            next = rcpt->due < next ? rcpt->due : next;
    }
    if (chosen == UINT32_MAX)
        return true;    /* who waits has a wake of his own */
    if (next != UINT64_MAX && next <= q->now.mono_ms && !index_wake(&q->index, id, next))
        q->bad = true;
    letter = index_find(&q->index, id);
    if (start(q, letter, chosen, fx))
        return true;
    if (!index_wake(&q->index, id, q->now.mono_ms))
        q->bad = true;
    return false;
}

static bool may_work(const struct queue *q)
{
    return (q->jobs.up[0] || q->jobs.up[1]) && keeps_are_known(q->keeps) && q->conf.deliver
        && q->jobs.busy < q->conf.jobs && q->log.mode != LOG_CLOSED && q->log.mode != LOG_DEAD
        && !q->bad;
}

void job_turn(struct queue *q, struct effects *fx)
{
    struct due due;

    while (may_work(q) && index_next(&q->index, &due) && due.at <= q->now.mono_ms) {
        index_woken(&q->index);
        if (!start_due(q, due.id, fx))
            break;
    }
}

uint64_t job_alarm(const struct queue *q)
{
    struct due due;

    uint64_t at = may_work(q) && index_next(&q->index, &due) ? due.at : 0;

    return at == 0 || (q->jobs.ripe_at != 0 && q->jobs.ripe_at < at) ? q->jobs.ripe_at : at;
}

void queue_deliverer(struct queue *q, uint8_t which, bool up, struct effects *fx)
{
    assert(which < QUEUE_DELIVERERS);
    q->jobs.up[which] = up;
    for (size_t i = 0; i < JOB_SLOTS; i++) {
        struct job *job = &q->jobs.list[i];
        if (!up && job->state != JOB_FREE && job->told && !job->over && !job->ends
            && job->deliverer == which)
            job_fall_back(q, job, true, 0, fx);
    }
    job_turn(q, fx);
}

void queue_job_credit(struct queue *q, uint32_t number, uint32_t octets, struct effects *fx)
{
    struct job *job = job_find(q, number);

    if (job == NULL)
        return;
    job->credit += octets;
    send_on(q, job, fx);
}

static void keep_said(struct job *job, const struct queue_result *result)
{
    struct ending *end = &job->end;

    end->remote = bytes_first(result->remote, QUEUE_REMOTE_MOST);
    end->reply = bytes_first(result->reply, QUEUE_REPLY_MOST);
    if (end->remote.n > 0)
        memcpy(job->said, end->remote.at, end->remote.n);
    if (end->reply.n > 0)
        memcpy(job->said + QUEUE_REMOTE_MOST, end->reply.at, end->reply.n);
    end->remote.at = job->said;
    end->reply.at = job->said + QUEUE_REMOTE_MOST;
}

void queue_job_result(struct queue *q, const struct queue_result *result, struct moment now,
                      struct effects *fx)
{
    struct job *job = job_find(q, result->job);
    struct state_record state = { .outcome = (uint8_t)result->outcome, .class = result->class,
                                  .subject = result->subject, .detail = result->detail,
                                  .words = bytes_first(result->words, STATE_WORDS) };

    q->now = now;
    if (job == NULL || !job->told || job->ends || job->over)
        return;
    if (result->outcome == QUEUE_BUSY) {
        struct letter *letter = index_find(&q->index, job->letter);
        if (letter != NULL)
            letter_rcpt(letter, job->recipient)->attempts--;
        job_fall_back(q, job, false, JOB_BUSY_MS, fx);
    } else {
        job->end.stays = result->stays;
        job->end.beyond = result->beyond;
        job->end.saved = result->saved;
        keep_said(job, result);
        job_conclude(q, job, &state, fx);
    }
}
