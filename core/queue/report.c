/* SPDX-License-Identifier: ISC */
#include "queue/report_int.h"

#include "base/plant.h"
#include "queue/queue_int.h"

#include <string.h>

/* What the owner is shown. */
static struct queue_verdict verdict_of(struct queue *q, const struct job *job,
                                       const struct state_record *state)
{
    uint64_t eighth = q->conf.segment_bytes / 8;
    struct queue_verdict verdict = {
        .id = job->letter, .size = job->record.size, .received_ms = job->record.received_ms,
        .at_ms = state->at_ms, .due_ms = state->due_ms, .recipient = state->recipient,
        .attempt = state->attempt, .outcome = state->outcome, .class = state->class,
        .stays = job->stays, .beyond = job->beyond,
        .subject = state->subject, .detail = state->detail,
        .words = bytes_first(state->words, STATE_WORDS), .remote = job->remote,
        .reply = job->reply, .head = job->record.head,
        .to = recipients_nth(job->record.to, job->recipient), .text = job->record.text,
        .most = eighth < LIMIT_INLINE_TEXT ? eighth : LIMIT_INLINE_TEXT,
    };

    const struct payload *start = convoy_start(q, job);

    if (job->record.body != 0)
        verdict.text = start == NULL ? BYTES_NONE : (struct bytes){ start->at, start->n };
    return verdict;
}

/* In a build with this fault the report and the state do not know of each other. */
static uint8_t flag_of(uint8_t flag)
{
    return PLANTED(report_split) ? 0 : flag;
}

static uint64_t place_letter(struct queue *q, uint64_t id, const struct letter_record *record,
                             struct queue_keys keys)
{
    uint64_t payload = letter_record_size(record);

    story_accepted(q, id, record, keys);
    struct place place = log_place(q, RECORD_LETTER, id, payload);
    letter_record_write(place.at + RECORD_HEAD, record);
    log_placed(q, &place, flag_of(RECORD_MORE));
    cache_keep(q, id, (struct bytes){ place.at + RECORD_HEAD, payload });
    return place.record.lsn;
}

static uint64_t place_state(struct queue *q, uint64_t id, const struct state_record *state)
{
    struct place place = log_place(q, RECORD_STATE, id, state_record_size(state));

    state_record_write(place.at + RECORD_HEAD, state);
    log_placed(q, &place, flag_of(RECORD_GOES_ON));
    return place.record.lsn;
}

/* Both records, or nothing. */
static bool gather(struct queue *q, const struct job *job, const struct state_record *state,
                   const struct queue_letter *letter, struct queue_keys keys, uint64_t *ret_lsn)
{
    struct letter_record record = {
        .flags = letter->binary ? LETTER_BINARY : 0, .received_ms = q->now.wall_ms,
        .size = letter->text.n, .head = letter->head, .to = letter->to, .text = letter->text,
    };
    struct state_record cut = *state;
    char payload[STATE_FIXED + STATE_WORDS];

    cut.words = bytes_first(cut.words, STATE_WORDS);
    uint64_t size = record_size(letter_record_size(&record));
    if (!recipients_count(letter->to, &record.recipients)
        || letter_record_size(&record) > LIMIT_RECORD_BYTES
        || !log_fits(q, size + record_size(state_record_size(&cut)), true))
        return false;
    state_record_write(payload, &cut);
    if (cut.outcome == QUEUE_DELIVERED
        && !log_remember(q, job->letter, (struct bytes){ payload, state_record_size(&cut) }))
        return false;
    uint64_t id = id_next(q);
    uint64_t lsn = place_letter(q, id, &record, keys);
    *ret_lsn = place_state(q, job->letter, &cut);
    log_fate(q, &(struct fate){
        .kind = FATE_REPORT, .about = job->letter, .recipient = state->recipient,
        .delivered = state->outcome == QUEUE_DELIVERED, .done = log_letter_done(q, job->letter),
        .letter = { .id = id, .lsn = lsn, .size = record.size, .length = (uint32_t)size,
                    .recipients = (uint16_t)record.recipients,
                    .flags = record.flags & LETTER_BINARY } });
    log_urge(q);
    return true;
}

/* A failed recipient is done with, or held after all. */
static void set_done(struct queue *q, const struct job *job, struct state_record *state, bool done)
{
    struct letter *letter = index_find(&q->index, job->letter);
    struct rcpt *rcpt = letter_rcpt(letter, state->recipient);

    if (done == (rcpt->state == RCPT_DELIVERED))
        return;
    rcpt->state = done ? RCPT_DELIVERED : RCPT_HELD;
    letter->left = (uint16_t)(done ? letter->left - 1 : letter->left + 1);
    state->outcome = done ? (uint8_t)STATE_SETTLED : (uint8_t)QUEUE_FAILED;
}

/* A letter that is late and of which the sender knows. */
static void set_delayed(struct queue *q, const struct job *job, struct state_record *state,
                        bool delayed)
{
    letter_rcpt(index_find(&q->index, job->letter), state->recipient)->delayed = delayed;
    state->outcome = delayed ? (uint8_t)STATE_DELAYED : (uint8_t)QUEUE_LATER;
}

static bool known_late(const struct queue *q, const struct job *job,
                       const struct state_record *state)
{
    return state->outcome == QUEUE_LATER
        && letter_rcpt(index_find(&q->index, job->letter), state->recipient)->delayed;
}

static enum reported written(struct queue *q, const struct job *job, struct state_record *state,
                             const struct queue_letter *letter, struct queue_keys keys,
                             uint64_t *ret_lsn)
{
    bool failed = state->outcome == QUEUE_FAILED, late = state->outcome == QUEUE_LATER;

    if (failed)
        set_done(q, job, state, true);
    if (late)
        set_delayed(q, job, state, true);
    if (gather(q, job, state, letter, keys, ret_lsn))
        return REPORTED;
    if (failed)
        set_done(q, job, state, false);
    if (late)
        set_delayed(q, job, state, false);
    return failed ? REPORTED_NOT_NOW : REPORTED_NOT;
}

enum reported report_gather(struct queue *q, const struct job *job, struct state_record *state,
                            uint64_t *ret_lsn)
{
    struct queue_letter letter = { .head = BYTES_NONE };
    struct queue_keys keys = { NULL, 0 };

    if (q->conf.report == NULL || job->payload == NULL || job->damaged)
        return REPORTED_NOT;
    if (known_late(q, job, state)) {
        state->outcome = STATE_DELAYED;
        return REPORTED_NOT;
    }
    struct queue_verdict verdict = verdict_of(q, job, state);
    bool failed = state->outcome == QUEUE_FAILED;
    switch (q->conf.report(q->conf.reporter, &verdict, &letter, &keys)) {
    case QUEUE_REPORT_NONE:
        if (failed)
            set_done(q, job, state, true);
        return REPORTED_NOT;
    case QUEUE_REPORT_WRITTEN:
        q->counts.reports++;
        return written(q, job, state, &letter, keys, ret_lsn);
    case QUEUE_REPORT_HOLD:
        return REPORTED_NOT;
    case QUEUE_REPORT_NOT_NOW:
        return failed ? REPORTED_NOT_NOW : REPORTED_NOT;
    }
    return REPORTED_NOT;
}

void report_undo(struct queue *q, const struct fate *fate)
{
    struct letter *letter = index_find(&q->index, fate->about);
    struct rcpt *rcpt = letter == NULL ? NULL : letter_rcpt(letter, fate->recipient);

    if (rcpt == NULL || fate->delivered)
        return;     /* delivered it is: that is written again, and the report is lost */
    rcpt->note = 0;
    rcpt->delayed = false;
    if (rcpt->state != RCPT_DELIVERED)
        return;
    rcpt->state = RCPT_WAITS;
    rcpt->recovered = true;
    rcpt->due = q->now.mono_ms + JOB_SOON_MS;
    letter->left++;
    if (!index_wake(&q->index, fate->about, rcpt->due))
        q->bad = true;
}
