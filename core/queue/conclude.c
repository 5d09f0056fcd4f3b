/* SPDX-License-Identifier: ISC
 *
 * The end of an attempt: what it means for the recipient, and who ends with whom.
 */
#include "queue/job_int.h"
#include "queue/queue_int.h"

#include "base/hash.h"
#include "base/plant.h"

#include <string.h>

/* ---- patience */

static struct queue_patience patience_of(const struct queue *q, const struct job *job)
{
    struct queue_patience patience = q->conf.patience;

    if (q->conf.patience_for != NULL && job->payload != NULL)
        q->conf.patience_for(q->conf.of, job->record.head,
                             recipients_nth(job->record.to, job->recipient), &patience);
    return patience;
}

static uint64_t wait_after(const struct queue_patience *patience, uint32_t attempt)
{
    size_t i = attempt == 0 ? 0 : attempt - 1, n = patience->retries;

    return n == 0 ? JOB_RETRY_MS : patience->retry_ms[i < n ? i : n - 1];
}

/* The same letter, recipient and attempt have the same chance. */
static uint64_t jittered(const struct queue *q, const struct job *job, uint32_t attempt,
                         uint64_t wait_ms)
{
    static const uint8_t fixed[16] = "postern: jitter";
    uint64_t what[] = { job->letter, job->recipient, attempt };
    uint64_t span = wait_ms / 100 * q->conf.jitter;

    if (span == 0 || wait_ms < JOB_RETRY_MS)
        return wait_ms;
    return wait_ms - span
         + siphash(fixed, (struct bytes){ (const char *)what, sizeof(what) }) % (2 * span + 1);
}

/* When a letter's patience ends (wall clock), or UINT64_MAX. */
static uint64_t patience_ends(const struct queue_patience *patience, const struct job *job)
{
    bool known = patience->give_up_ms != 0 && job->payload != NULL;

    if (known && PLANTED(gives_up_early))
        return job->record.received_ms + patience->give_up_ms / 4096;
    return known ? job->record.received_ms + patience->give_up_ms : UINT64_MAX;
}

/* The time by which its sender wants it delivered is over. */
static bool is_over(const struct queue *q, const struct queue_patience *patience)
{
    return patience->over_ms != 0 && q->now.wall_ms >= patience->over_ms;
}

/* When its sender is to hear that it is late (wall clock), or UINT64_MAX: that was, or never is. */
static uint64_t is_late_at(const struct queue_patience *patience, const struct job *job,
                           const struct rcpt *rcpt)
{
    bool known = patience->late_ms != 0 && job->payload != NULL && !rcpt->delayed;

    if (patience->tell_ms > job->record.received_ms && !rcpt->delayed)
        return patience->tell_ms;
    return known ? job->record.received_ms + patience->late_ms : UINT64_MAX;
}

static uint64_t no_later_than(uint64_t wait_ms, uint64_t at_ms, uint64_t instant)
{
    return at_ms < instant && wait_ms > instant - at_ms ? instant - at_ms : wait_ms;
}

/* A try is at the very instant when the letter becomes late, and the last at the very end of the
   patience. */
static void wait_on(struct queue *q, const struct job *job, struct state_record *state)
{
    const struct rcpt *rcpt = letter_rcpt(index_find(&q->index, job->letter), job->recipient);
    struct queue_patience patience = patience_of(q, job);
    uint64_t ends = !job->end.stays ? patience_ends(&patience, job)
                  : patience.until_ms != 0 ? patience.until_ms : UINT64_MAX;

    state->wait_ms = jittered(q, job, rcpt->attempts, wait_after(&patience, rcpt->attempts));
    state->wait_ms = no_later_than(state->wait_ms, state->at_ms, ends);
    state->wait_ms = no_later_than(state->wait_ms, state->at_ms, is_late_at(&patience, job, rcpt));
    if (patience.over_ms != 0)
        state->wait_ms = no_later_than(state->wait_ms, state->at_ms, patience.over_ms);
    state->due_ms = state->at_ms + state->wait_ms;
}

/* ---- the result is known */

static void keep_words(struct job *job, struct bytes before, struct bytes words)
{
    size_t n = before.n;

    if (n > 0)
        memcpy(job->words, before.at, n);
    words = bytes_first(words, STATE_WORDS - n);
    if (words.n > 0)
        memcpy(job->words + n, words.at, words.n);
    job->end.state.words = (struct bytes){ job->words, n + words.n };
}

/* Not now, and it has been tried for long enough: it has failed (RFC 3463: 4.4.7). */
static void give_up(struct job *job, struct bytes words)
{
    struct state_record *state = &job->end.state;

    keep_words(job, BYTES("given up after many tries; the last: "), words);
    state->outcome = QUEUE_FAILED;
    state->class = 4;
    state->subject = 4;
    state->detail = 7;
}

/* RFC 2852, 4.1.2: 5.4.7, for it was asked to come back. */
static void come_back(struct job *job, struct bytes words)
{
    keep_words(job, words.n == 0
               ? BYTES("the time by which its sender wanted it delivered is over")
               : BYTES("the time by which its sender wanted it delivered is over; the last try: "),
               words);
    job->end.stays = false;
    job->end.state.outcome = QUEUE_FAILED;
    job->end.state.class = 5;
    job->end.state.subject = 4;
    job->end.state.detail = 7;
}

bool job_overdue(struct queue *q, struct job *job, struct effects *fx)
{
    struct queue_patience patience = patience_of(q, job);

    if (!is_over(q, &patience))
        return false;
    job_conclude(q, job, &(struct state_record){ .outcome = QUEUE_LATER, .words = BYTES_NONE },
                 fx);
    return true;
}

void job_conclude(struct queue *q, struct job *job, const struct state_record *state,
                  struct effects *fx)
{
    struct letter *letter = index_find(&q->index, job->letter);
    struct rcpt *rcpt = letter == NULL ? NULL : letter_rcpt(letter, job->recipient);

    if (rcpt == NULL) {
        job_end(q, job, fx);
        return;
    }
    job->ends = true;
    job->ended_ms = q->now.mono_ms;
    job->end.state = *state;
    job->end.state.recipient = job->recipient;
    job->end.state.attempt = rcpt->attempts;
    job->end.state.at_ms = q->now.wall_ms;
    rcpt->recovered = false;
    struct queue_patience patience = patience_of(q, job);
    if (state->outcome == QUEUE_LATER && is_over(q, &patience))
        come_back(job, state->words);
    else if (state->outcome == QUEUE_LATER && !job->end.stays
        && q->now.wall_ms >= patience_ends(&patience, job))
        give_up(job, state->words);
    else
        keep_words(job, BYTES_NONE, state->words);
    q->jobs.ending[q->jobs.ending_n++] = (uint16_t)(job - q->jobs.list);
}

/* ---- it is written down */

static void tell_story(struct queue *q, const struct job *job)
{
    static const enum history_what whats[] = {
        [QUEUE_DELIVERED] = HISTORY_DELIVERED, [QUEUE_LATER] = HISTORY_DEFERRED,
        [QUEUE_FAILED] = HISTORY_FAILED, [STATE_SETTLED] = HISTORY_FAILED,
        [STATE_DELAYED] = HISTORY_DEFERRED,
    };
    const struct state_record *state = &job->end.state;

    story_event(q, &(struct history_event){
        .what = whats[state->outcome], .id = job->letter, .at_ms = state->at_ms,
        .begun_ms = job->begun_ms, .recipient = job->recipient, .attempt = state->attempt,
        .due_ms = state->due_ms, .class = state->class, .subject = state->subject,
        .detail = state->detail, .words = state->words,
        .size = state->outcome == QUEUE_DELIVERED ? job->end.saved : 0,
        .to = job->payload == NULL ? BYTES_NONE : recipients_nth(job->record.to, job->recipient) });
}

/* Of the index; what failed is held, until its sender is told. */
static void change(struct queue *q, struct job *job)
{
    struct letter *letter = index_find(&q->index, job->letter);
    struct rcpt *rcpt = letter_rcpt(letter, job->recipient);
    struct state_record *state = &job->end.state;

    if (state->outcome == QUEUE_DELIVERED) {
        rcpt->state = RCPT_DELIVERED;
        letter->left--;
    } else if (state->outcome == QUEUE_LATER) {
        rcpt->state = RCPT_WAITS;
        rcpt->due = PLANTED(retry_forgotten) ? UINT64_MAX / 2 : job->ended_ms + state->wait_ms;
        q->bad = !index_wake(&q->index, job->letter, rcpt->due) || q->bad;
    } else {
        rcpt->state = RCPT_HELD;
    }
}

/* Into the log, unless it went there with a report; the job is over. */
static void write_down(struct queue *q, struct job *job, struct effects *fx)
{
    struct rcpt *rcpt = letter_rcpt(index_find(&q->index, job->letter), job->recipient);
    struct ending *end = &job->end;

    if (end->reported == REPORTED_NOT_NOW) {
        job_fall_back(q, job, true, JOB_SOON_MS, fx);
        return;
    }
    if (end->state.outcome == QUEUE_LATER && rcpt->delayed)
        end->state.outcome = STATE_DELAYED;
    if (end->reported == REPORTED || log_state(q, job->letter, &end->state, &end->lsn))
        rcpt->note = end->lsn;
    else if (q->log.mode != LOG_DEAD)
        q->bad = true;
    tell_story(q, job);
    job_end(q, job, fx);
}

static struct about about(struct queue *q, const struct job *job)
{
    const struct payload *start = convoy_start(q, job);
    bool apart = job->record.body != 0;

    return (struct about){
        .letter = job->letter, .record = &job->record,
        .text = !apart ? job->record.text
              : start == NULL ? BYTES_NONE : (struct bytes){ start->at, start->n } };
}

static void conclude_alone(struct queue *q, struct job *job, struct effects *fx)
{
    change(q, job);
    if (job->end.state.outcome == QUEUE_FAILED && job->answer == QUEUE_REPORT_NONE)
        report_settle(q, job->letter, &job->end);
    if (job->end.state.outcome == QUEUE_FAILED && job->answer == QUEUE_REPORT_NOT_NOW)
        job->end.reported = REPORTED_NOT_NOW;
    write_down(q, job, fx);
}

/* ---- together: those of one letter whose end is the same, in one report */

static bool goes_with(const struct job *job, const struct job *other)
{
    return other->ends && other->judged && other->letter == job->letter
        && other->answer == QUEUE_REPORT_WRITTEN
        && other->end.state.outcome == job->end.state.outcome
        && other->end.beyond == job->end.beyond;
}

/* In order of the recipients. */
static void put_in_list(struct ending **list, struct ending *end)
{
    while (*list != NULL && (*list)->state.recipient < end->state.recipient)
        list = &(*list)->next;
    end->next = *list;
    *list = end;
}

static void conclude_together(struct queue *q, struct job *job, struct effects *fx)
{
    struct about letter = about(q, job);
    struct ending *list = NULL;
    uint16_t members[JOB_SLOTS];
    size_t n = 0;

    for (size_t i = 0; i < q->jobs.ending_n; i++) {
        struct job *other = &q->jobs.list[q->jobs.ending[i]];
        if (!goes_with(job, other))
            continue;
        members[n++] = q->jobs.ending[i];
        change(q, other);
        put_in_list(&list, &other->end);
        if (letter.text.n == 0)
            letter.text = about(q, other).text;
    }
    report_gather(q, &letter, list);
    for (size_t i = 0; i < n; i++)
        write_down(q, &q->jobs.list[members[i]], fx);
}

/* ---- who waits for whom */

/* A report gives back the start of the letter, which is just being read: when it came. Without
   memory for it the report says less. */
static bool waits_for_text(struct queue *q, const struct job *job)
{
    const struct job *lead = job->lead == 0 ? job : job_find(q, job->lead);

    return q->conf.report != NULL && lead != NULL && lead->reading && lead->start == NULL
        && !job->damaged;
}

static uint32_t convoy_of(const struct job *job)
{
    return job->lead == 0 ? job->number : job->lead;
}

struct at_work { uint64_t letter; uint32_t convoy; };

static size_t gather_at_work(const struct queue *q, struct at_work ret_list[static JOB_SLOTS])
{
    size_t n = 0;

    for (size_t i = 0; i < JOB_SLOTS; i++) {
        const struct job *job = &q->jobs.list[i];
        if (job->state != JOB_FREE && !job->over && !job->ends)
            ret_list[n++] = (struct at_work){ job->letter, convoy_of(job) };
    }
    return n;
}

/* At most so long; a delivery is written down at once, and who is late is due again then. */
static uint64_t patience(const struct job *job, bool same_convoy)
{
    uint64_t most = same_convoy ? REPORT_CONVOY_MS : REPORT_COMPANY_MS;
    const struct state_record *state = &job->end.state;

    if (state->outcome == QUEUE_LATER)
        return state->wait_ms < most ? state->wait_ms : most;
    return state->outcome == QUEUE_FAILED ? most : 0;
}

/* What failed, or is late, waits for the others of its letter that are at work, so that the sender
   gets one report: for those of its convoy long, for others a moment. 0: no longer. */
static uint64_t waits_until(const struct queue *q, const struct job *job,
                            const struct at_work *list, size_t n)
{
    uint64_t until = 0;

    for (size_t i = 0; i < n; i++) {
        if (list[i].letter != job->letter)
            continue;
        uint64_t end = job->ended_ms + patience(job, list[i].convoy == convoy_of(job));
        until = end > until ? end : until;
    }
    return until > q->now.mono_ms ? until : 0;
}

static enum queue_report judge(struct queue *q, const struct job *job)
{
    struct about letter = about(q, job);

    if (q->conf.report == NULL || job->payload == NULL || job->damaged)
        return QUEUE_REPORT_HOLD;
    return report_wanted(q, &letter, &job->end);
}

static void judge_all(struct queue *q, struct effects *fx)
{
    for (size_t i = 0; i < q->jobs.ending_n; i++) {
        struct job *job = &q->jobs.list[q->jobs.ending[i]];
        if (!job->ends || job->judged || waits_for_text(q, job))
            continue;
        job->judged = true;
        if (job->end.state.outcome == QUEUE_LATER)
            wait_on(q, job, &job->end.state);
        job->answer = judge(q, job);
        if (job->answer != QUEUE_REPORT_WRITTEN)
            conclude_alone(q, job, fx);
    }
}

static void forget_concluded(struct jobs *jobs)
{
    size_t n = 0;

    for (size_t i = 0; i < jobs->ending_n; i++)
        if (jobs->list[jobs->ending[i]].ends)
            jobs->ending[n++] = jobs->ending[i];
    jobs->ending_n = n;
}

void conclude_turn(struct queue *q, struct effects *fx)
{
    struct at_work list[JOB_SLOTS];

    q->jobs.ripe_at = 0;
    if (q->jobs.ending_n == 0)
        return;
    judge_all(q, fx);
    forget_concluded(&q->jobs);
    if (q->jobs.ending_n == 0)
        return;
    size_t n = gather_at_work(q, list);
    for (size_t i = 0; i < q->jobs.ending_n; i++) {
        struct job *job = &q->jobs.list[q->jobs.ending[i]];
        if (!job->ends || !job->judged)
            continue;
        uint64_t until = waits_until(q, job, list, n);
        if (until == 0)
            conclude_together(q, job, fx);
        else if (q->jobs.ripe_at == 0 || until < q->jobs.ripe_at)
            q->jobs.ripe_at = until;
    }
    forget_concluded(&q->jobs);
}
