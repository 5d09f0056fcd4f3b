/* SPDX-License-Identifier: ISC
 *
 * The second half of recovery: the log was walked; set right what was found, step by step, and open
 * it.
 */
#include "queue/queue_int.h"
#include "queue/recover_int.h"

#include "base/arena.h"
#include "base/mark.h"
#include "base/plant.h"

#include <assert.h>
#include <string.h>

/* For a chain of its own; the walk's answers have other numbers. */
static struct token new_chain(struct queue *q)
{
    return token_of(FOR_RECOVERY, chain_begin(&q->recovery.chain));
}

static void close_slot(struct queue *q, struct effects *fx)
{
    struct recovery *r = &q->recovery;

    if (r->open != 0)
        segment_close(fx, LANE_LOG, r->slot);
    r->open = 0;
}

static uint32_t last_segment(const struct recovery *r)
{
    return r->numbers[r->end.segments - 1];
}

/* Everyone who waits may have been delivered without our knowing; and each wants to be looked
   at. */
static void wake_all(struct queue *q)
{
    for (size_t i = 0; i < q->index.n && !q->bad; i++) {
        struct letter *letter = index_at(&q->index, i);
        uint64_t woken = UINT64_MAX;
        segment_gains(q, letter->lsn, letter->length);
        for (uint32_t n = 0; n < letter->recipients; n++) {
            struct rcpt *rcpt = letter_rcpt(letter, n);
            if (rcpt->state != RCPT_WAITS)
                continue;
            rcpt->recovered = true;
            if (rcpt->due != woken && !index_wake(&q->index, letter->id, rcpt->due))
                q->bad = true;
            woken = rcpt->due;
        }
    }
}

static bool body_known(const struct recovery *r, uint64_t body, size_t *ret_at)
{
    size_t low = 0, high = r->bodies_n;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (r->bodies[middle] < body)
            low = middle + 1;
        else
            high = middle;
    }
    *ret_at = low;
    return low < r->bodies_n && r->bodies[low] == body;
}

/* Body files of done letters go; those that nobody names too, unless a damaged record might
   have. */
static void sweep_bodies(struct queue *q, struct effects *fx)
{
    struct recovery *r = &q->recovery;
    bool *named = mem_new(r->bodies_n);
    size_t at;

    for (size_t i = 0; i < r->replay.done_n; i++)
        if (body_known(r, r->replay.done_bodies[i], &at))
            body_remove(fx, r->replay.done_bodies[i]);
    for (size_t i = 0; i < q->index.n; i++) {
        uint64_t body = letter_body(index_at(&q->index, i));
        if (body != 0 && !body_known(r, body, &at))
            say_letter(fx, LOG_ERROR, "body_missing", index_at(&q->index, i)->id,
                       "its text is gone");
        else if (body != 0 && named != NULL)
            named[at] = true;
    }
    for (size_t i = 0; i < r->bodies_n && named != NULL && !q->damaged; i++)
        if (!named[i])
            body_remove(fx, r->bodies[i]);
    mem_free(named);
}

static void take_segments(struct queue *q)
{
    struct recovery *r = &q->recovery;

    for (size_t i = 0; i < r->numbers_n; i++) {
        q->log.top = r->numbers[i] > q->log.top ? r->numbers[i] : q->log.top;
        if (i >= r->end.segments)
            continue;
        if (!segment_add(q, r->numbers[i])) {
            q->bad = true;
            return;
        }
        q->segments[q->segments_n - 1].suspect = r->walk.segments[i].failed;
    }
}

static void take_over(struct queue *q)
{
    struct recovery *r = &q->recovery;
    uint64_t ids[] = { r->end.last_id, r->replay.last_id,
                       r->bodies_n > 0 ? r->bodies[r->bodies_n - 1] : 0 };

    for (size_t i = 0; i < COUNT(ids); i++)
        q->last_id = ids[i] > q->last_id ? ids[i] : q->last_id;
    q->epoch = r->end.epoch + 1;
    if (!r->end.nothing)
        memcpy(q->key, r->walk.key, STORE_KEY);
    index_order(&q->index);
    take_segments(q);
    wake_all(q);
}

static void trim(struct queue *q, struct effects *fx)
{
    struct recovery *r = &q->recovery;

    r->stage = RECOVERY_TRIM;
    MARK("a segment behind the log's end is removed");
    segment_remove(fx, r->numbers[r->numbers_n - 1], new_chain(q));
}

/* What of the torn tail might be taken for a record of ours later is overwritten. */
static void zero(struct queue *q, struct effects *fx)
{
    struct recovery *r = &q->recovery;
    uint64_t at = lsn_offset(r->end.lsn);

    r->stage = RECOVERY_ZERO;
    MARK("a torn tail is zeroed");
    if (!slot_take(q, &r->slot)) {
        q->bad = true;
        return;
    }
    struct token token = new_chain(q);
    r->open = last_segment(r);
    segment_open(fx, LANE_LOG, r->slot, r->open, token);
    while (at < r->end.zero_to) {
        uint64_t left = r->end.zero_to - at, n = left < RECOVERY_PIECE ? left : RECOVERY_PIECE;
        char *zeroes = mem_new(n);
        if (zeroes == NULL) {
            q->bad = true;
            return;
        }
        segment_append(fx, r->slot, at, zeroes, n, token);
        at += n;
    }
    segment_sync(fx, r->slot, token);
}

static const struct walk_flaw *next_damage(struct recovery *r)
{
    while (r->damage < r->damages_n && r->saved >= r->damages[r->damage].octets) {
        r->damage++;
        r->saved = 0;
    }
    return r->damage < r->damages_n ? &r->damages[r->damage] : NULL;
}

static void save_read(struct queue *q, const struct walk_flaw *flaw, struct effects *fx)
{
    struct recovery *r = &q->recovery;
    uint64_t left = flaw->octets - r->saved;

    r->stage = RECOVERY_SAVE_READ;
    close_slot(q, fx);
    if (!slot_take(q, &r->slot)) {
        q->bad = true;
        return;
    }
    struct token token = new_chain(q);
    r->open = lsn_segment(flaw->lsn);
    segment_open(fx, LANE_LOG, r->slot, r->open, token);
    segment_read(fx, LANE_LOG, r->slot, lsn_offset(flaw->lsn) + r->saved,
                 left < RECOVERY_PIECE ? left : RECOVERY_PIECE, token);
}

static void save_write(struct queue *q, const struct event *event, struct effects *fx)
{
    struct recovery *r = &q->recovery;
    const struct walk_flaw *flaw = &r->damages[r->damage];
    char *copy = mem_resize(NULL, event->bytes.n + 1);

    if (copy == NULL || !slot_take(q, &r->save_slot)) {
        mem_free(copy);
        q->bad = true;
        return;
    }
    memcpy(copy, event->bytes.at, event->bytes.n);
    r->stage = RECOVERY_SAVE_WRITE;
    quarantine_keep(fx, r->save_slot, lsn_segment(flaw->lsn), lsn_offset(flaw->lsn) + r->saved,
                    copy, event->bytes.n, new_chain(q));
    r->saved += event->bytes.n;
}

/* From here on the last segment may lie in the page cache alone. */
static uint64_t unsure_from(const struct recovery *r)
{
    uint64_t from = r->kept;

    if (from < SEGMENT_HEAD)
        from = SEGMENT_HEAD;
    if (lsn_segment(r->end.durable) == last_segment(r) && lsn_offset(r->end.durable) > from)
        from = lsn_offset(r->end.durable);
    return from;
}

static bool is_unsure(const struct recovery *r)
{
    return !r->end.nothing && !r->end.fresh && !PLANTED(found_not_kept)
        && unsure_from(r) < lsn_offset(r->end.lsn);
}

static void keep_read(struct queue *q, struct effects *fx)
{
    struct recovery *r = &q->recovery;
    uint64_t from = unsure_from(r), left = lsn_offset(r->end.lsn) - from;

    r->stage = RECOVERY_KEEP_READ;
    r->kept = from;
    MARK("the end of the log is written again");
    close_slot(q, fx);
    if (!slot_take(q, &r->slot)) {
        q->bad = true;
        return;
    }
    struct token token = new_chain(q);
    r->open = last_segment(r);
    segment_open(fx, LANE_LOG, r->slot, r->open, token);
    segment_read(fx, LANE_LOG, r->slot, from, left < RECOVERY_PIECE ? left : RECOVERY_PIECE,
                 token);
}

static void keep_write(struct queue *q, struct bytes octets, struct effects *fx)
{
    struct recovery *r = &q->recovery;
    char *copy = mem_resize(NULL, octets.n);

    if (copy == NULL) {
        q->bad = true;
        return;
    }
    memcpy(copy, octets.at, octets.n);
    r->stage = RECOVERY_KEEP_WRITE;
    struct token token = new_chain(q);
    segment_append(fx, r->slot, r->kept, copy, octets.n, token);
    segment_sync(fx, r->slot, token);
    r->kept += octets.n;
}

/* What is in memory by now may not be on the disk, and cannot be brought there. */
static void cannot_keep(struct queue *q, struct effects *fx)
{
    struct recovery *r = &q->recovery;

    say_place(fx, LOG_ERROR, "log_failed", r->end.lsn, 0,
              "its end cannot be made durable: nothing is taken until a new start");
    MARK("the end of the log cannot be written again");
    close_slot(q, fx);
    r->stage = RECOVERY_OVER;
    q->log.mode = LOG_DEAD;
}

/* True: that is all there is to do now. */
static bool kept(struct queue *q, bool well, struct bytes octets, struct effects *fx)
{
    struct recovery *r = &q->recovery;

    if (r->stage != RECOVERY_KEEP_READ && r->stage != RECOVERY_KEEP_WRITE)
        return false;
    if (!well || (r->stage == RECOVERY_KEEP_READ && octets.n == 0)) {
        cannot_keep(q, fx);
        return true;
    }
    if (r->stage == RECOVERY_KEEP_WRITE)
        return false;
    keep_write(q, octets, fx);
    return true;
}

static void open_log(struct queue *q, struct effects *fx)
{
    struct recovery *r = &q->recovery;
    struct cut cuts[CUTS_MOST];
    size_t n = 0;

    bool opens = !r->end.nothing && !r->end.sealed;
    bool again = opens && !r->end.fresh && r->numbers_n == r->end.segments
              && lsn_offset(r->end.lsn) + 2 * SEAL_BYTES <= q->conf.segment_bytes;

    if (opens && !again)
        cuts[n++] = (struct cut){ last_segment(r), r->end.lsn };
    for (size_t i = r->end.segments; i < r->numbers_n && n < CUTS_MOST; i++)
        cuts[n++] = (struct cut){ r->numbers[i], lsn_of(r->numbers[i], SEGMENT_HEAD) };
    if (again && r->stage != RECOVERY_REOPEN) {
        r->stage = RECOVERY_REOPEN;
        close_slot(q, fx);
        if (!slot_take(q, &r->slot)) {
            q->bad = true;
            return;
        }
        struct token token = new_chain(q);
        r->open = last_segment(r);
        segment_open(fx, LANE_LOG, r->slot, r->open, token);
        segment_read(fx, LANE_LOG, r->slot, 0, 8, token);
        return;
    }
    sweep_bodies(q, fx);
    if (again) {
        segment_find(q, r->open)->slot = r->slot + 1;
        segment_find(q, r->open)->sure = true;
        log_open(q, r->open, r->slot, r->end.lsn);
    } else {
        close_slot(q, fx);
        log_open_new(q, cuts, n, fx);
    }
    recovery_done(r);
    r->stage = RECOVERY_OVER;
}

/* The next thing that is to be set right. */
static void mend_on(struct queue *q, struct effects *fx)
{
    struct recovery *r = &q->recovery;
    const struct walk_flaw *flaw;

    if (q->bad)
        return;
    if (r->numbers_n > r->end.segments && r->stage <= RECOVERY_TRIM && !r->untrimmed)
        trim(q, fx);
    else if (r->stage < RECOVERY_ZERO && is_unsure(r))
        keep_read(q, fx);
    else if (r->end.zero_to != 0 && !r->end.fresh && r->stage < RECOVERY_ZERO)
        zero(q, fx);
    else if ((flaw = next_damage(r)) != NULL)
        save_read(q, flaw, fx);
    else
        open_log(q, fx);
}

void recovery_walked(struct queue *q, struct effects *fx)
{
    struct recovery *r = &q->recovery;

    r->chain.number = r->generation;
    close_slot(q, fx);
    if (r->end.unreadable) {
        say_place(fx, LOG_ERROR, "log_unreadable", 0, 0,
                  "no segment has a head that reads: nothing is touched, nothing is taken");
        r->stage = RECOVERY_OVER;
        q->log.mode = LOG_DEAD;
        return;
    }
    take_over(q);
    mend_on(q, fx);
}

void recovery_mended(struct queue *q, struct token came, const struct event *event,
                     struct effects *fx)
{
    struct recovery *r = &q->recovery;

    if (!chain_over(&r->chain, came, event->fault))
        return;
    bool well = r->chain.fault == OK;
    if (r->chain.not_open) {
        slot_free(q, r->stage == RECOVERY_SAVE_WRITE ? r->save_slot : r->slot);
        r->open = r->stage == RECOVERY_SAVE_WRITE ? r->open : 0;
    } else if (r->stage == RECOVERY_SAVE_WRITE) {
        segment_close(fx, LANE_LOG, r->save_slot);
    }
    if (kept(q, well, event->bytes, fx))
        return;
    if (r->stage == RECOVERY_TRIM && well)
        r->numbers_n--;
    else if (r->stage == RECOVERY_TRIM)
        r->untrimmed = true;
    if ((r->stage == RECOVERY_ZERO || r->stage == RECOVERY_REOPEN) && !well) {
        r->end.fresh = true;            /* that file is not to be trusted: go on in another */
        r->stage = RECOVERY_SAVE_READ;
    }
    if (r->stage == RECOVERY_SAVE_READ && r->damage < r->damages_n) {
        if (well && event->bytes.n > 0) {
            save_write(q, event, fx);
            return;
        }
        r->saved = UINT64_MAX;
    }
    mend_on(q, fx);
}
