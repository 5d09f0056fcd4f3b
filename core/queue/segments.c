/* SPDX-License-Identifier: ISC
 *
 * The segments there are, their end, and the spares that the next ones are made of.
 *
 * Segments leave in order, the oldest first: a record of a later one may say that a letter of an
 * earlier one is done, so it must not be gone before that letter is. move.c carries what lives in
 * the oldest forward, so that it can leave.
 */
#include "queue/queue_int.h"

#include "base/arena.h"
#include "base/mark.h"

#include <assert.h>
#include <string.h>

struct segment *segment_find(struct queue *q, uint32_t number)
{
    size_t low = 0, high = q->segments_n;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (q->segments[middle].number < number)
            low = middle + 1;
        else
            high = middle;
    }
    return low < q->segments_n && q->segments[low].number == number ? &q->segments[low] : NULL;
}

bool segment_add(struct queue *q, uint32_t number)
{
    assert(q->segments_n == 0 || q->segments[q->segments_n - 1].number < number);
    if (q->segments_n == q->segments_room) {
        size_t room = q->segments_room == 0 ? 16 : q->segments_room * 2;
        struct segment *list = mem_resize(q->segments, room * sizeof(*list));
        if (list == NULL)
            return false;
        q->segments = list;
        q->segments_room = room;
    }
    q->segments[q->segments_n++] = (struct segment){ .number = number };
    return true;
}

void segment_gains(struct queue *q, uint64_t lsn, uint32_t length)
{
    struct segment *segment = segment_find(q, lsn_segment(lsn));

    if (segment != NULL) {
        segment->letters++;
        segment->bytes += length;
    }
}

void segment_loses(struct queue *q, uint64_t lsn, uint32_t length)
{
    struct segment *segment = segment_find(q, lsn_segment(lsn));

    if (segment != NULL) {
        assert(segment->letters > 0 && segment->bytes >= length);
        segment->letters--;
        segment->bytes -= length;
    }
}

void segment_close_one(struct queue *q, struct effects *fx)
{
    size_t open = 0;
    struct segment *idle = NULL;

    for (size_t i = 0; i < q->segments_n; i++) {
        struct segment *segment = &q->segments[i];
        open += segment->slot != 0;
        if (segment->slot != 0 && segment->reads == 0 && segment->number != q->log.segment)
            idle = idle == NULL ? segment : idle;
    }
    if (open < SEGMENTS_OPEN || idle == NULL)
        return;
    segment_close(fx, LANE_READ, idle->slot - 1);
    idle->slot = 0;
}

void letter_leaves(struct queue *q, uint64_t id, struct effects *fx)
{
    struct letter *letter = index_find(&q->index, id);

    if (letter == NULL || letter->left > 0)
        return;
    segment_loses(q, letter->lsn, letter->length);
    if (letter_body(letter) != 0 && !hold_body(q, letter_body(letter)))
        body_remove(fx, letter_body(letter));
    index_remove(&q->index, letter);
}

uint32_t spare_take(struct queue *q, bool *ret_fresh)
{
    struct spares *spares = &q->spares;

    *ret_fresh = spares->n == 0;
    if (*ret_fresh)
        MARK("no spare: a segment is made when it is needed");
    return *ret_fresh ? spares->next++ : spares->list[--spares->n];
}

/* Segments that gathered records wait for already. */
static size_t spares_promised(const struct queue *q)
{
    const struct log *log = &q->log;
    size_t promised = 0;

    for (size_t i = 0; i < log->groups_n; i++) {
        uint32_t number = log->groups[(log->first + i) % LOG_GROUPS].segment;
        bool counted = i > 0 && log->groups[(log->first + i - 1) % LOG_GROUPS].segment == number;
        if (number > log->segment && !counted)
            promised++;
    }
    return promised;
}

bool spares_for_letters(const struct queue *q)
{
    return !q->spares.failed || q->spares.n > spares_promised(q) + 1;
}

static void make_spare(struct queue *q, struct effects *fx)
{
    struct spares *spares = &q->spares;

    if (spares->making || spares->failed || spares->n >= SPARES_WANTED || q->space_low
        || !slot_take(q, &spares->slot))
        return;
    spares->making = true;
    spares->number = spares->next++;
    segment_spare(fx, spares->slot, spares->number, q->conf.segment_bytes,
                  token_of(FOR_SPARE, chain_begin(&spares->chain)));
}

static void spare_made(struct queue *q, struct effects *fx)
{
    struct spares *spares = &q->spares;

    spares->making = false;
    if (spares->chain.not_open)
        slot_free(q, spares->slot);
    else
        segment_close(fx, LANE_HOUSE, spares->slot);
    if (spares->chain.fault == OK && spares->n < SPARES_MOST) {
        spares->list[spares->n++] = spares->number;
        return;
    }
    spares->failed = spares->chain.fault != OK;
    if (!spares->chain.not_open)
        spare_remove(fx, spares->number);
}

/* The oldest segment goes when nothing in it lives and nobody reads it. */
static void let_leave(struct queue *q, struct effects *fx)
{
    struct segment *oldest = q->segments;
    struct token token;

    if (q->hold.on || q->leaving || q->segments_n < 2 || oldest->letters > 0 || oldest->reads > 0
        || oldest->number >= q->log.segment || q->log.mode != LOG_READY
        || q->now.mono_ms < q->leave_at)
        return;
    if (oldest->slot != 0)
        segment_close(fx, LANE_HOUSE, oldest->slot - 1);
    oldest->slot = 0;
    q->leaving = true;
    q->leave_spare = 0;
    token = token_of(FOR_LEAVE, chain_begin(&q->leave));
    if (!oldest->suspect && q->spares.n + q->spares.making < SPARES_MOST)
        q->leave_spare = q->spares.next++;
    if (q->leave_spare == 0)
        segment_remove(fx, oldest->number, token);
    else
        segment_recycle(fx, oldest->number, q->leave_spare, token);
}

static void has_left(struct queue *q)
{
    q->leaving = false;
    if (q->leave.fault != OK && q->leave.fault != FAULT_GONE) {
        q->leave_at = q->now.mono_ms + 10 * SPACE_LOOK_MS;
        return;
    }
    q->segments_n--;
    memmove(q->segments, q->segments + 1, q->segments_n * sizeof(*q->segments));
    if (q->leave_spare != 0 && q->leave.fault == OK && q->spares.n < SPARES_MOST) {
        q->spares.list[q->spares.n++] = q->leave_spare;
        q->spares.failed = false;
    }
}

void segments_turn(struct queue *q, struct effects *fx)
{
    if (q->log.mode == LOG_CLOSED || q->log.mode == LOG_DEAD)
        return;
    hold_turn(q, fx);
    make_spare(q, fx);
    let_leave(q, fx);
    if (q->now.mono_ms >= q->space_at) {
        q->space_at = q->now.mono_ms + SPACE_LOOK_MS;
        fx_io(fx, (struct io){ .kind = IO_SPACE, .root = IN_SPOOL, .lane = LANE_HOUSE,
                               .token = token_pack(token_of(FOR_SPACE, 0)) });
    }
}

void segments_io(struct queue *q, struct token token, enum fault fault, struct effects *fx)
{
    if (token.purpose == FOR_SPARE && chain_over(&q->spares.chain, token, fault))
        spare_made(q, fx);
    else if (token.purpose == FOR_LEAVE && chain_over(&q->leave, token, fault))
        has_left(q);
}

void space_told(struct queue *q, enum fault fault, uint64_t octets)
{
    uint64_t least = q->conf.space_least;

    if (fault != OK)
        return;
    q->counts.space = octets;
    q->space_low = octets < (q->space_low ? least + least / 8 : least);
    if (!q->space_low)
        q->spares.failed = false;
}
