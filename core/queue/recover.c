/* SPDX-License-Identifier: ISC */
#include "queue/recover_int.h"
#include "queue/queue_int.h"

#include "base/arena.h"
#include "base/mark.h"

#include <assert.h>
#include <string.h>

void recovery_done(struct recovery *recovery)
{
    mem_free(recovery->numbers);
    mem_free(recovery->bodies);
    mem_free(recovery->damages);
    log_walk_done(&recovery->walk);
    replay_done(&recovery->replay);
    *recovery = (struct recovery){ .stage = recovery->stage };
}

static struct token token(struct queue *q)
{
    return token_of(FOR_RECOVERY, q->recovery.generation);
}

void recovery_begin(struct queue *q, struct effects *fx)
{
    q->recovery.stage = RECOVERY_FOLDERS;
    segment_folders(fx, token(q));
}

/* How many numbers of one kind stand among the names. Spares of before are taken away: a power cut
   amid a renaming may have left both names, and then a spare is a segment that counts. */
static bool take_log_names(struct queue *q, struct bytes names, struct effects *fx)
{
    struct recovery *r = &q->recovery;
    struct bytes rest = names, name;
    size_t lines = 0;

    while (bytes_cut(&rest, '\n', &name))
        lines++;
    r->numbers = mem_resize(NULL, (lines + 1) * sizeof(*r->numbers));
    if (r->numbers == NULL)
        return false;
    q->spares.next = 1;
    while (bytes_cut(&names, '\n', &name)) {
        uint32_t number;
        if (segment_number(name, &number)) {
            assert(r->numbers_n <= lines);
            if (r->numbers_n == 0 || r->numbers[r->numbers_n - 1] < number)
                r->numbers[r->numbers_n++] = number;
        } else if (spare_number(name, &number) && number < UINT32_MAX / 2) {
            spare_remove(fx, number);
            q->spares.next = number >= q->spares.next ? number + 1 : q->spares.next;
        }
    }
    return true;
}

static bool take_body_names(struct queue *q, struct bytes names)
{
    struct recovery *r = &q->recovery;
    struct bytes rest = names, name;
    size_t lines = 0;

    while (bytes_cut(&rest, '\n', &name))
        lines++;
    r->bodies = mem_resize(NULL, (lines + 1) * sizeof(*r->bodies));
    if (r->bodies == NULL)
        return false;
    while (bytes_cut(&names, '\n', &name)) {
        uint64_t body;
        if (body_number(name, &body))
            r->bodies[r->bodies_n++] = body;
    }
    return true;
}

static void ask(struct queue *q, uint32_t segment, uint64_t offset, uint32_t count,
                struct effects *fx)
{
    struct recovery *r = &q->recovery;

    if (r->open != segment) {
        if (r->open != 0)
            segment_close(fx, LANE_LOG, r->slot);
        r->open = 0;
        if (!slot_take(q, &r->slot)) {
            q->bad = true;
            return;
        }
        r->open = segment;
        segment_open(fx, LANE_LOG, r->slot, segment, token(q));
    }
    segment_read(fx, LANE_LOG, r->slot, offset, count, token(q));
}

/* The walk waits for these octets; while they come, the ones behind them are asked for too. */
static void walk_wants(struct queue *q, const struct walk_step *step, struct effects *fx)
{
    struct recovery *r = &q->recovery;
    bool opens = r->open != step->segment;
    bool coming = r->ahead != 0 && r->open == step->segment && r->ahead == step->offset
               && r->want_count == step->count;

    if (!coming) {
        r->generation++;
        r->ahead = 0;
        ask(q, step->segment, step->offset, step->count, fx);
    }
    r->want_segment = step->segment;
    r->want_offset = step->offset;
    r->want_count = step->count;
    r->ahead = 0;
    if (!opens && step->count == SCAN_PIECE && step->offset + step->count < q->conf.segment_bytes) {
        r->ahead = step->offset + step->count;
        ask(q, step->segment, r->ahead, step->count, fx);
    }
}

static bool add_damage(struct recovery *r, const struct walk_flaw *flaw)
{
    if (r->damages_n == DAMAGES_MOST)
        return true;
    if (r->damages == NULL)
        r->damages = mem_new(DAMAGES_MOST * sizeof(*r->damages));
    if (r->damages == NULL)
        return false;
    r->damages[r->damages_n++] = *flaw;
    return true;
}

static void take_flaw(struct queue *q, const struct walk_flaw *flaw, struct effects *fx)
{
    if (flaw->torn) {
        say_place(fx, LOG_WARN, "log_torn", flaw->lsn, flaw->octets, flaw->words);
        return;
    }
    say_place(fx, LOG_ERROR, "log_damage", flaw->lsn, flaw->octets, flaw->words);
    if (flaw->id != 0)
        say_letter(fx, LOG_ERROR, "letter_lost", flaw->id, flaw->words);
    q->damaged = true;
    if (!add_damage(&q->recovery, flaw))
        q->bad = true;
}

static void walk_on(struct queue *q, struct effects *fx)
{
    struct recovery *r = &q->recovery;

    for (;;) {
        struct walk_step step = log_walk_next(&r->walk);
        switch (step.need) {
        case WALK_READ:
            walk_wants(q, &step, fx);
            return;
        case WALK_RECORD:
            if (!replay_record(&r->replay, &step.record)) {
                q->bad = true;
                return;
            }
            break;
        case WALK_FLAW:
            take_flaw(q, &step.flaw, fx);
            break;
        case WALK_END:
            r->end = step.end;
            recovery_walked(q, fx);
            return;
        case WALK_NO_MEMORY:
            q->bad = true;
            return;
        }
    }
}

static void begin_walk(struct queue *q, struct effects *fx)
{
    struct recovery *r = &q->recovery;

    r->stage = RECOVERY_WALK;
    r->replay = (struct replay){ .index = &q->index, .now = q->now };
    if (!log_walk_init(&r->walk, r->numbers, r->numbers_n)) {
        q->bad = true;
        return;
    }
    walk_on(q, fx);
}

/* A disk that fails once may do better: octets that it keeps back count as damage, and a CUT
   among them would let dropped letters come back. */
static void read_again(struct queue *q, enum fault fault, struct effects *fx)
{
    struct recovery *r = &q->recovery;

    MARK("recovery reads again after an error");
    if (fault == FAULT_SKIPPED) {
        slot_free(q, r->slot);
        r->open = 0;
    }
    r->ahead = 0;
    r->generation++;
    ask(q, r->want_segment, r->want_offset, r->want_count, fx);
}

static void walk_answer(struct queue *q, struct token came, const struct event *event,
                        struct effects *fx)
{
    struct recovery *r = &q->recovery;

    if (came.step)
        return;         /* the read behind it tells */
    if (event->fault != OK && r->tries++ < RECOVERY_TRIES) {
        read_again(q, event->fault, fx);
        return;
    }
    r->tries = 0;
    log_walk_give(&r->walk, event->fault == OK ? event->bytes : BYTES_NONE, event->fault != OK);
    if (event->fault != OK) {
        if (event->fault == FAULT_SKIPPED) {    /* the file did not open */
            slot_free(q, r->slot);
            r->open = 0;
        }
        r->ahead = 0;
    }
    walk_on(q, fx);
}

static void cannot_begin(struct queue *q, struct effects *fx)
{
    say_place(fx, LOG_ERROR, "spool_unusable", 0, 0,
              "its folders cannot be made or read: nothing is taken until a new start");
    q->recovery.stage = RECOVERY_OVER;
    q->log.mode = LOG_DEAD;
    MARK("recovery cannot begin");
}

void recovery_io(struct queue *q, struct token came, const struct event *event, struct effects *fx)
{
    struct recovery *r = &q->recovery;

    if (q->bad || (r->stage <= RECOVERY_WALK && came.data != r->generation))
        return;
    if (r->stage < RECOVERY_WALK && event->fault != OK) {
        if (!came.step)
            cannot_begin(q, fx);
        return;
    }
    switch (r->stage) {
    case RECOVERY_FOLDERS:
        r->stage = RECOVERY_LOG_NAMES;
        segment_list(fx, "log", token(q));
        break;
    case RECOVERY_LOG_NAMES:
        q->bad = !take_log_names(q, event->bytes, fx);
        r->stage = RECOVERY_BODY_NAMES;
        segment_list(fx, "body", token(q));
        break;
    case RECOVERY_BODY_NAMES:
        q->bad = !take_body_names(q, event->bytes);
        r->stage = RECOVERY_QUARANTINE_NAMES;
        segment_list(fx, "quarantine", token(q));
        break;
    case RECOVERY_QUARANTINE_NAMES:
        q->damaged = event->bytes.n > 0;
        begin_walk(q, fx);
        break;
    case RECOVERY_WALK:
        walk_answer(q, came, event, fx);
        break;
    case RECOVERY_TRIM:
    case RECOVERY_KEEP_READ: case RECOVERY_KEEP_WRITE: case RECOVERY_ZERO:
    case RECOVERY_SAVE_READ:
    case RECOVERY_SAVE_WRITE:
    case RECOVERY_REOPEN:
        recovery_mended(q, came, event, fx);
        break;
    case RECOVERY_NOT_BEGUN:
    case RECOVERY_OVER:
        break;
    }
}
