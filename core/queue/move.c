/* SPDX-License-Identifier: ISC */
#include "queue/move_int.h"
#include "queue/queue_int.h"

#include "base/arena.h"
#include "base/mark.h"
#include "base/plant.h"

#include <string.h>

/* Does the log take much more room than what lives in it? Then the oldest segment is to be
   emptied. */
static uint32_t to_empty(const struct queue *q)
{
    uint64_t live = 0;

    if (q->segments_n <= MOVE_SEGMENTS_FREE || q->segments[0].letters == 0)
        return 0;
    for (size_t i = 0; i < q->segments_n; i++)
        live += q->segments[i].bytes;
    uint64_t most = MOVE_SEGMENTS_FREE + 3 * live / q->conf.segment_bytes;
    bool mostly_dead = q->segments[0].bytes < q->conf.segment_bytes / 4;
    return q->segments_n > most || (mostly_dead && q->segments_n > 2 * MOVE_SEGMENTS_FREE)
         ? q->segments[0].number : 0;
}

static bool under_way(const struct mover *mover, uint64_t id)
{
    for (size_t i = 0; i < MOVES_AT_ONCE; i++)
        if (mover->list[i].letter == id)
            return true;
    return false;
}

static bool begin(struct queue *q, const struct letter *letter, struct effects *fx)
{
    for (uint32_t i = 0; i < MOVES_AT_ONCE; i++) {
        struct moving *moving = &q->mover.list[i];
        if (moving->letter != 0)
            continue;
        if (!record_fetch(q, letter->lsn, letter->length, READER_MOVER, i, fx))
            return false;
        *moving = (struct moving){ .letter = letter->id, .lsn = letter->lsn };
        q->mover.busy++;
        return true;
    }
    return false;
}

void move_turn(struct queue *q, struct effects *fx)
{
    struct mover *mover = &q->mover;

    if (mover->busy > 0 || q->log.mode != LOG_READY || q->now.mono_ms < mover->at)
        return;
    uint32_t segment = to_empty(q);
    mover->at = q->now.mono_ms + MOVE_MS;
    if (segment == 0)
        return;
    if (segment != mover->segment)
        mover->after = 0;
    mover->segment = segment;
    for (uint32_t looked = 0; looked < MOVE_LOOK; looked++) {
        const struct letter *letter = index_after(&q->index, mover->after);
        if (letter == NULL) {
            mover->after = 0;
            return;
        }
        bool there = lsn_segment(letter->lsn) == segment && !under_way(mover, letter->id);
        if (there && !begin(q, letter, fx))
            return;
        mover->after = letter->id;
    }
}

uint64_t move_alarm(const struct queue *q)
{
    return q->mover.busy == 0 && q->log.mode == LOG_READY && to_empty(q) != 0 ? q->mover.at : 0;
}

/* The state a recipient has, as a record; false when it has none yet. What the last attempt
   was told in words stays behind. */
static bool state_of(const struct queue *q, const struct rcpt *rcpt, uint32_t recipient,
                     struct state_record *ret_state)
{
    uint64_t wait = rcpt->due > q->now.mono_ms ? rcpt->due - q->now.mono_ms : 0;
    bool waits = rcpt->state == RCPT_WAITS || rcpt->state == RCPT_AT_WORK;
    uint32_t attempts = rcpt->attempts - (rcpt->state == RCPT_AT_WORK);

    *ret_state = (struct state_record){
        .outcome = rcpt->state == RCPT_DELIVERED ? (uint8_t)QUEUE_DELIVERED
                 : rcpt->state == RCPT_HELD ? (uint8_t)QUEUE_FAILED
                 : rcpt->delayed ? (uint8_t)STATE_DELAYED : (uint8_t)QUEUE_LATER,
        .recipient = recipient, .attempt = attempts, .at_ms = q->now.wall_ms,
        .due_ms = q->now.wall_ms + wait, .wait_ms = wait, .class = waits ? 4 : 5,
        .words = BYTES("moved within the log; what was said before is in the history"),
    };
    return !waits || attempts > 0;
}

static uint64_t group_size(const struct queue *q, struct letter *letter, uint64_t payload)
{
    uint64_t size = record_size(payload);

    for (uint32_t i = 0; i < letter->recipients; i++) {
        struct state_record state;
        if (state_of(q, letter_rcpt(letter, i), i, &state))
            size += record_size(state_record_size(&state));
    }
    return size;
}

static uint32_t states_count(const struct queue *q, struct letter *letter)
{
    struct state_record state;
    uint32_t count = 0;

    for (uint32_t i = 0; i < letter->recipients; i++)
        count += state_of(q, letter_rcpt(letter, i), i, &state);
    return count;
}

/* In a build with this fault the records of a group do not know of each other. */
static uint8_t flags_of(bool first, bool last)
{
    if (PLANTED(group_split))
        return 0;
    return (uint8_t)((first ? 0 : RECORD_GOES_ON) | (last ? 0 : RECORD_MORE));
}

static void gather(struct queue *q, struct letter *letter, struct bytes payload, uint64_t *notes,
                   bool anew)
{
    uint32_t left = states_count(q, letter);
    struct place place = log_place(q, RECORD_LETTER, letter->id, payload.n);
    struct fate fate = { .kind = FATE_MOVED, .notes = notes, .anew = anew,
                         .letter = { .id = letter->id, .lsn = place.record.lsn,
                                     .length = (uint32_t)record_size(payload.n),
                                     .recipients = letter->recipients } };

    memcpy(place.at + RECORD_HEAD, payload.at, payload.n);
    place.at[RECORD_HEAD + 1] = (char)(octet(place.at[RECORD_HEAD + 1]) | LETTER_MOVED);
    log_placed(q, &place, flags_of(true, left == 0));
    for (uint32_t i = 0; i < letter->recipients; i++) {
        struct state_record state;
        if (!state_of(q, letter_rcpt(letter, i), i, &state))
            continue;
        place = log_place(q, RECORD_STATE, letter->id, state_record_size(&state));
        state_record_write(place.at + RECORD_HEAD, &state);
        log_placed(q, &place, flags_of(false, --left == 0));
        notes[i] = place.record.lsn;
    }
    log_fate(q, &fate);
    MARK("a letter moves to a newer segment");
    log_urge(q);
}

static void give_up(struct queue *q, struct moving *moving)
{
    *moving = (struct moving){ 0 };
    q->mover.busy--;
    q->mover.after = 0;
}

void move_record(struct queue *q, uint32_t who, struct bytes payload, enum fault fault,
                 struct effects *fx)
{
    struct moving *moving = &q->mover.list[who % MOVES_AT_ONCE];
    struct letter *letter = moving->letter == 0 ? NULL : index_find(&q->index, moving->letter);
    struct letter_record record;

    if (moving->letter == 0 || moving->gathered)
        return;
    bool reads = fault == OK && letter_record_read(payload, &record);
    if (letter == NULL || letter->left == 0 || letter->lsn != moving->lsn || !reads) {
        if (!reads)
            say_letter(fx, LOG_ERROR, "letter_unreadable", moving->letter, "it stays where it is");
        give_up(q, moving);
        return;
    }
    uint64_t *notes = mem_new(letter->recipients * sizeof(*notes));
    if (notes == NULL || !log_fits(q, group_size(q, letter, payload.n), true)) {
        mem_free(notes);
        give_up(q, moving);
        return;
    }
    gather(q, letter, payload, notes, false);
    moving->gathered = true;
}

/* What a recipient was before, for move_undo: never 0. */
enum { WAS_STATE = 8, WAS_ATTEMPTS = 16 };

bool move_anew(struct queue *q, struct letter *letter, struct bytes payload, uint64_t *notes)
{
    struct mover *mover = &q->mover;
    struct moving *free_one = NULL;

    for (size_t i = 0; i < MOVES_AT_ONCE; i++)
        if (mover->list[i].letter == 0)
            free_one = &mover->list[i];
    if (free_one == NULL || under_way(mover, letter->id)
        || !log_fits(q, group_size(q, letter, payload.n), true))
        return false;
    mem_free(cache_take(q, letter->id));    /* it has the old ones */
    for (uint32_t i = 0; i < letter->recipients; i++) {
        struct rcpt *rcpt = letter_rcpt(letter, i);
        uint64_t *was = &notes[letter->recipients + i];
        if (*was == 0)
            continue;
        *was = 1 | (uint64_t)rcpt->state << WAS_STATE | (uint64_t)rcpt->attempts << WAS_ATTEMPTS;
        rcpt->state = RCPT_AT_WORK;
        rcpt->attempts = 1;         /* so that it has no state yet */
    }
    *free_one = (struct moving){ .letter = letter->id, .lsn = letter->lsn, .gathered = true };
    mover->busy++;
    gather(q, letter, payload, notes, true);
    return true;
}

static void wait_at_once(struct queue *q, uint64_t id, struct rcpt *rcpt)
{
    rcpt->due = q->now.mono_ms;
    if (!index_wake(&q->index, id, rcpt->due))
        q->bad = true;
}

void move_undo(struct queue *q, const struct fate *fate)
{
    struct letter *letter = index_find(&q->index, fate->letter.id);

    for (uint32_t i = 0; letter != NULL && i < letter->recipients; i++) {
        struct rcpt *rcpt = letter_rcpt(letter, i);
        uint64_t was = fate->notes[letter->recipients + i];
        if (was == 0)
            continue;
        rcpt->state = (uint8_t)(was >> WAS_STATE);
        rcpt->attempts = (uint32_t)(was >> WAS_ATTEMPTS);
        wait_at_once(q, letter->id, rcpt);
    }
}

/* Those who are new wait for their first attempt. */
static void settle_anew(struct queue *q, struct letter *letter, const struct fate *fate)
{
    for (uint32_t i = 0; i < letter->recipients; i++) {
        struct rcpt *rcpt = letter_rcpt(letter, i);
        if (fate->notes[letter->recipients + i] == 0)
            continue;
        *rcpt = (struct rcpt){ .state = RCPT_WAITS };
        wait_at_once(q, letter->id, rcpt);
    }
}

void move_settle(struct queue *q, const struct fate *fate)
{
    struct letter *letter = index_find(&q->index, fate->letter.id);

    for (size_t i = 0; i < MOVES_AT_ONCE; i++)
        if (q->mover.list[i].letter == fate->letter.id) {
            q->mover.list[i] = (struct moving){ 0 };
            q->mover.busy--;
        }
    if (letter == NULL)
        return;
    segment_loses(q, letter->lsn, letter->length);
    letter->lsn = fate->letter.lsn;
    letter->length = fate->letter.length;
    segment_gains(q, letter->lsn, letter->length);
    for (uint32_t i = 0; i < letter->recipients; i++) {
        struct rcpt *rcpt = letter_rcpt(letter, i);
        if (fate->notes[i] != 0 && rcpt->note < fate->notes[i])
            rcpt->note = fate->notes[i];
    }
    if (fate->anew)
        settle_anew(q, letter, fate);
}

void move_fail(struct queue *q)
{
    for (size_t i = 0; i < MOVES_AT_ONCE; i++)
        if (q->mover.list[i].letter != 0 && q->mover.list[i].gathered)
            give_up(q, &q->mover.list[i]);
}
