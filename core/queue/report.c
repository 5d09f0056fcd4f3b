/* SPDX-License-Identifier: ISC */
#include "queue/report_int.h"

#include "base/arena.h"
#include "base/plant.h"
#include "queue/queue_int.h"

/* ---- what the owner is shown */

static struct queue_end shown(const struct about *about, const struct ending *end)
{
    const struct state_record *state = &end->state;

    return (struct queue_end){
        .at_ms = state->at_ms, .due_ms = state->due_ms, .recipient = state->recipient,
        .attempt = state->attempt, .outcome = state->outcome, .stays = end->stays,
        .beyond = end->beyond, .class = state->class, .subject = state->subject,
        .detail = state->detail, .words = state->words, .remote = end->remote,
        .reply = end->reply, .to = recipients_nth(about->record->to, state->recipient),
    };
}

static struct queue_verdict verdict_of(const struct queue *q, const struct about *about,
                                       const struct queue_end *ends, size_t n)
{
    uint64_t eighth = q->conf.segment_bytes / 8;

    return (struct queue_verdict){
        .id = about->letter, .size = about->record->size,
        .received_ms = about->record->received_ms, .head = about->record->head,
        .text = about->text, .ends = ends, .ends_n = n,
        .most = eighth < LIMIT_INLINE_TEXT ? eighth : LIMIT_INLINE_TEXT,
    };
}

enum queue_report report_wanted(struct queue *q, const struct about *about,
                               const struct ending *end)
{
    struct queue_end one = shown(about, end);
    struct queue_verdict verdict = verdict_of(q, about, &one, 1);
    struct letter *letter = index_find(&q->index, about->letter);

    if (one.outcome == QUEUE_LATER && letter_rcpt(letter, one.recipient)->delayed)
        return QUEUE_REPORT_NONE;
    return q->conf.wants(q->conf.reporter, &verdict);
}

/* ---- the group of records */

/* In a build with this fault the report and the states do not know of each other. */
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

static uint64_t place_state(struct queue *q, uint64_t id, const struct state_record *state,
                            bool more)
{
    struct place place = log_place(q, RECORD_STATE, id, state_record_size(state));

    state_record_write(place.at + RECORD_HEAD, state);
    log_placed(q, &place, flag_of(more ? RECORD_GOES_ON | RECORD_MORE : RECORD_GOES_ON));
    return place.record.lsn;
}

/* Delivered they are, whatever becomes of the report. */
static bool remember(struct queue *q, uint64_t id, const struct ending *list, size_t n)
{
    char payload[STATE_FIXED + STATE_WORDS];

    if (list->state.outcome != QUEUE_DELIVERED)
        return true;
    if (!buffer_reserve(&log_gathering(q)->states, n * (12 + sizeof(payload))))
        return false;
    for (size_t i = 0; i < n; i++, list = list->next) {
        state_record_write(payload, &list->state);
        if (!log_remember(q, id, (struct bytes){ payload, state_record_size(&list->state) }))
            return false;
    }
    return true;
}

static uint64_t size_of_states(const struct ending *list, size_t n)
{
    uint64_t size = 0;

    for (size_t i = 0; i < n; i++, list = list->next)
        size += record_size(state_record_size(&list->state));
    return size;
}

static void place_states(struct queue *q, uint64_t id, struct ending *list, size_t n,
                         uint64_t *ret_recipients)
{
    for (size_t i = 0; i < n; i++, list = list->next) {
        list->lsn = place_state(q, id, &list->state, i + 1 < n);
        list->reported = REPORTED;
        ret_recipients[i] = list->state.recipient;
    }
}

/* All of these records, or nothing. */
static bool gather(struct queue *q, const struct about *about, struct ending *list, size_t n,
                   const struct queue_letter *letter, struct queue_keys keys)
{
    struct letter_record record = {
        .flags = letter->binary ? LETTER_BINARY : 0, .received_ms = q->now.wall_ms,
        .size = letter->text.n, .head = letter->head, .to = letter->to, .text = letter->text,
    };
    uint64_t size = record_size(letter_record_size(&record));

    if (!recipients_count(letter->to, &record.recipients)
        || letter_record_size(&record) > LIMIT_RECORD_BYTES
        || !log_fits(q, size + size_of_states(list, n), true)
        || !remember(q, about->letter, list, n))
        return false;
    uint64_t *recipients = mem_new(n * sizeof(*recipients));
    if (recipients == NULL)
        return false;
    bool delivered = list->state.outcome == QUEUE_DELIVERED;
    uint64_t id = id_next(q);
    uint64_t lsn = place_letter(q, id, &record, keys);
    place_states(q, about->letter, list, n, recipients);
    log_fate(q, &(struct fate){
        .kind = FATE_REPORT, .about = about->letter, .notes = recipients,
        .recipient = (uint32_t)n, .delivered = delivered,
        .done = log_letter_done(q, about->letter),
        .letter = { .id = id, .lsn = lsn, .size = record.size, .length = (uint32_t)size,
                    .recipients = (uint16_t)record.recipients,
                    .flags = record.flags & LETTER_BINARY } });
    log_urge(q);
    return true;
}

/* ---- what it means for the recipients */

void report_settle(struct queue *q, uint64_t id, struct ending *end)
{
    struct letter *letter = index_find(&q->index, id);

    letter_rcpt(letter, end->state.recipient)->state = RCPT_DELIVERED;
    letter->left--;
    end->state.outcome = STATE_SETTLED;
}

static void set_told(struct queue *q, uint64_t id, struct ending *end)
{
    if (end->state.outcome == QUEUE_FAILED) {
        report_settle(q, id, end);
    } else if (end->state.outcome == QUEUE_LATER) {
        letter_rcpt(index_find(&q->index, id), end->state.recipient)->delayed = true;
        end->state.outcome = STATE_DELAYED;
    }
}

static void set_not_told(struct queue *q, uint64_t id, struct ending *end)
{
    struct letter *letter = index_find(&q->index, id);
    struct rcpt *rcpt = letter_rcpt(letter, end->state.recipient);

    if (end->state.outcome == STATE_SETTLED) {
        rcpt->state = RCPT_HELD;
        letter->left++;
        end->state.outcome = QUEUE_FAILED;
    } else if (end->state.outcome == STATE_DELAYED) {
        rcpt->delayed = false;
        end->state.outcome = QUEUE_LATER;
    }
}

static void each(struct queue *q, uint64_t id, struct ending *list, size_t n,
                 void (*set)(struct queue *q, uint64_t id, struct ending *end))
{
    for (size_t i = 0; i < n; i++, list = list->next)
        set(q, id, list);
}

static void set_not_now(struct queue *q, uint64_t id, struct ending *end)
{
    (void)q;
    (void)id;
    if (end->state.outcome == QUEUE_FAILED)
        end->reported = REPORTED_NOT_NOW;
}

/* ---- one report after the other */

static bool write_report(struct queue *q, const struct about *about, struct ending *list, size_t n,
                         const struct queue_letter *letter, struct queue_keys keys)
{
    q->counts.reports++;
    each(q, about->letter, list, n, set_told);
    if (gather(q, about, list, n, letter, keys))
        return true;
    each(q, about->letter, list, n, set_not_told);
    return false;
}

/* One report about the first n; false: it cannot hold so many. */
static bool report_of(struct queue *q, const struct about *about, struct ending *list, size_t n)
{
    struct queue_letter letter = { .head = BYTES_NONE };
    struct queue_keys keys = { NULL, 0 };
    struct queue_end *ends = mem_new(n * sizeof(*ends));
    enum queue_report answer = QUEUE_REPORT_NOT_NOW;
    const struct ending *end = list;

    for (size_t i = 0; ends != NULL && i < n; i++, end = end->next)
        ends[i] = shown(about, end);
    struct queue_verdict verdict = verdict_of(q, about, ends, n);
    if (ends != NULL)
        answer = q->conf.report(q->conf.reporter, &verdict, &letter, &keys);
    mem_free(ends);
    switch (answer) {
    case QUEUE_REPORT_NONE:
        if (list->state.outcome == QUEUE_FAILED)
            each(q, about->letter, list, n, report_settle);
        break;
    case QUEUE_REPORT_WRITTEN:
        if (!write_report(q, about, list, n, &letter, keys))
            each(q, about->letter, list, n, set_not_now);
        break;
    case QUEUE_REPORT_HOLD:
        break;
    case QUEUE_REPORT_NOT_NOW:
        each(q, about->letter, list, n, set_not_now);
        break;
    case QUEUE_REPORT_TOO_LARGE:
        return false;
    }
    return true;
}

/* So that a report and its states are at most half a segment. */
static size_t ends_most(const struct queue *q)
{
    size_t room = (size_t)(q->conf.segment_bytes / 4 / record_size(STATE_FIXED + STATE_WORDS));

    return room < REPORT_ENDS_MOST ? room : REPORT_ENDS_MOST;
}

void report_gather(struct queue *q, const struct about *about, struct ending *list)
{
    size_t most = ends_most(q);

    while (list != NULL) {
        size_t n = 0;
        for (struct ending *end = list; end != NULL && n < most; end = end->next)
            n++;
        while (!report_of(q, about, list, n)) {
            if (n == 1) {
                each(q, about->letter, list, 1, set_not_now);
                break;
            }
            n = most = n / 2;
        }
        for (; n > 0; n--)
            list = list->next;
    }
}

/* ---- the group failed */

static void undo(struct queue *q, struct letter *letter, uint32_t recipient)
{
    struct rcpt *rcpt = letter_rcpt(letter, recipient);

    rcpt->note = 0;
    rcpt->delayed = false;
    if (rcpt->state != RCPT_DELIVERED)
        return;
    rcpt->state = RCPT_WAITS;
    rcpt->recovered = true;
    rcpt->due = q->now.mono_ms + JOB_SOON_MS;
    letter->left++;
    if (!index_wake(&q->index, letter->id, rcpt->due))
        q->bad = true;
}

void report_undo(struct queue *q, const struct fate *fate)
{
    struct letter *letter = index_find(&q->index, fate->about);

    if (letter == NULL || fate->delivered)
        return;     /* delivered it is: that is written again, and the report is lost */
    for (uint32_t i = 0; i < fate->recipient; i++)
        undo(q, letter, (uint32_t)fate->notes[i]);
}
