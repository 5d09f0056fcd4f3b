/* SPDX-License-Identifier: ISC
 *
 * The writing side of the log: one chain at a time, what hangs on it, and what is done when it
 * fails.
 */
#include "queue/commit_int.h"
#include "queue/queue_int.h"

#include "base/arena.h"
#include "base/mark.h"
#include "base/reader.h"

#include <assert.h>
#include <string.h>

static struct group *front(struct log *log)
{
    return &log->groups[log->first];
}

static void pop(struct log *log)
{
    struct group *group = front(log);

    log->waiting -= group->to - group->from;
    group_clear(group);
    log->first = (log->first + 1) % LOG_GROUPS;
    log->groups_n--;
}

static void write_group(struct queue *q, struct effects *fx)
{
    struct log *log = &q->log;
    struct group *group = front(log);
    uint64_t offset = lsn_offset(group->from);
    struct token token = token_of(FOR_LOG, chain_begin(&log->chain));

    assert(group->segment == log->segment && group->from >= log->durable);
    if (log->groups_n == 1)
        log->flush_at = 0;      /* else the states of the next one are due still */
    q->flush_began_ms = q->now.mono_ms;
    q->counts.written += group->to - group->from;
    company_went(&log->company, group->fates_n);
    for (size_t i = 0; i < group->blocks_n; i++) {
        struct block *block = &group->blocks[i];
        if (block->n > 0)
            segment_append(fx, log->slot, offset, block->at, block->n, token);
        else
            mem_free(block->at);
        offset += block->n;
        block->at = NULL;
    }
    segment_sync(fx, log->slot, token);
}

static void give_birth(struct queue *q, uint32_t number, struct effects *fx)
{
    struct log *log = &q->log;
    struct segment_head head = { .number = number, .epoch = q->epoch, .last_id = q->last_id,
                                 .wall_ms = q->now.wall_ms };
    char *page = mem_resize(NULL, SEGMENT_HEAD);
    uint32_t slot = 0;
    bool fresh = false;

    segment_close_one(q, fx);
    if (page == NULL || !slot_take(q, &slot)) {
        mem_free(page);
        q->bad = true;
        return;
    }
    memcpy(head.key, q->key, STORE_KEY);
    segment_head_write(page, &head);
    log->slot = slot;
    log->segment = number;
    log->top = number > log->top ? number : log->top;
    log->birth_spare = spare_take(q, &fresh);
    segment_birth(fx, slot, log->birth_spare, fresh, number, q->conf.segment_bytes, page,
                  token_of(FOR_BIRTH, chain_begin(&log->chain)));
}

static bool urgent(const struct queue *q)
{
    const struct log *log = &q->log;

    return log->groups[log->first].urgent || log->groups_n > 1
        || (log->flush_at != 0 && q->now.mono_ms >= log->flush_at);
}

/* Send the first group on its way, or make the segment that it needs. */
static void go_on(struct queue *q, struct effects *fx)
{
    struct log *log = &q->log;

    if (log->mode != LOG_READY || log->groups_n == 0)
        return;
    if (front(log)->segment != log->segment) {
        log->mode = LOG_BIRTH;
        give_birth(q, front(log)->segment, fx);
    } else {
        log->mode = LOG_WRITING;
        write_group(q, fx);
    }
}

void log_turn(struct queue *q, struct effects *fx)
{
    struct log *log = &q->log;

    if (log->mode != LOG_READY)
        return;
    if (log->groups_n == 0 && log->mark_at != 0 && q->now.mono_ms >= log->mark_at)
        log_mark(q);
    if (log->groups_n > 0 && urgent(q)
        && (log->groups_n > 1
            || !company_waits(&log->company, front(log)->fates_n, q->now.mono_ms)))
        go_on(q, fx);
}

void log_mark(struct queue *q)
{
    if (!log_fits(q, record_size(MARK_BYTES), false))
        return;
    struct place place = log_place(q, RECORD_MARK, 0, MARK_BYTES);
    mark_write(place.at + RECORD_HEAD, q->last_id, q->now.wall_ms);
    log_placed(q, &place, 0);
    log_urge(q);
    q->log.mark_at = 0;
}

static void settle_letter(struct queue *q, const struct fate *fate)
{
    uint64_t due = q->now.mono_ms;

    if (index_add(&q->index, &fate->letter, fate->body, due) == NULL
        || !index_wake(&q->index, fate->letter.id, due)) {
        q->bad = true;      /* it is on disk: the next start finds it */
        return;
    }
    segment_gains(q, fate->letter.lsn, fate->letter.length);
    if (fate->kind == FATE_LETTER)
        news_tell(q, &(struct queue_news){ .kind = NEWS_TAKEN, .from = fate->from,
                                       .id = fate->letter.id });
}

static void settle(struct queue *q, struct group *group, struct effects *fx)
{
    for (size_t i = 0; i < group->fates_n; i++) {
        struct fate *fate = &group->fates[i];
        switch (fate->kind) {
        case FATE_LETTER:
            settle_letter(q, fate);
            break;
        case FATE_DONE:
            letter_leaves(q, fate->letter.id, fx);
            break;
        case FATE_MOVED:
            move_settle(q, fate);
            break;
        case FATE_ORDER:
            order_settle(q, fate, true);
            break;
        case FATE_REPORT:
            settle_letter(q, fate);
            if (fate->done)
                letter_leaves(q, fate->about, fx);
            break;
        }
    }
    story_settle(q, buffer_bytes(&group->story));
}

static void group_durable(struct queue *q, struct effects *fx)
{
    struct log *log = &q->log;
    struct group *group = front(log);

    log->durable = group->to;
    if (!group->marks_only)
        log->mark_at = q->now.mono_ms + LOG_MARK_MS;
    settle(q, group, fx);
    pop(log);
}

/* Letters of dropped groups wait for their answer; state changes to be written again. */
static void drop_group(struct queue *q, const struct group *group)
{
    struct log *log = &q->log;

    for (size_t i = 0; i < group->fates_n; i++) {
        const struct fate *fate = &group->fates[i];
        if (fate->kind == FATE_REPORT)
            report_undo(q, fate);
        if (fate->kind == FATE_MOVED && fate->anew)
            move_undo(q, fate);
        if (fate->kind == FATE_ORDER)
            order_settle(q, fate, false);
        if (fate->kind != FATE_LETTER)
            continue;
        if (log->refused_n == log->refused_room) {
            size_t room = log->refused_room == 0 ? 64 : log->refused_room * 2;
            struct refused *list = mem_resize(log->refused, room * sizeof(*list));
            if (list == NULL) {
                q->bad = true;
                return;
            }
            log->refused = list;
            log->refused_room = room;
        }
        log->refused[log->refused_n++] = (struct refused){ fate->from, fate->body };
    }
    buffer_put(&log->again, buffer_bytes(&group->states));
    q->bad = q->bad || log->again.bad;
}

static void answer_refused(struct queue *q, enum queue_refusal why, struct effects *fx)
{
    struct log *log = &q->log;

    for (size_t i = 0; i < log->refused_n; i++) {
        news_refused(q, log->refused[i].from, why);
        if (log->refused[i].body != 0 && why != QUEUE_UNKNOWN)
            body_remove(fx, log->refused[i].body);
    }
    mem_free(log->refused);
    log->refused = NULL;
    log->refused_n = log->refused_room = 0;
}

/* A segment could not be made: its slot is free again, when the file was opened after it is
   closed. */
static void not_born(struct queue *q, struct effects *fx)
{
    if (q->log.chain.not_open)
        slot_free(q, q->log.slot);
    else
        segment_close(fx, LANE_LOG, q->log.slot);
}

static void give_up(struct queue *q, struct effects *fx)
{
    struct log *log = &q->log;

    if (log->mode == LOG_MEND_BIRTH)
        not_born(q, fx);
    log->mode = LOG_DEAD;
    MARK("writing failed twice: read-only");
    while (log->groups_n > 0) {
        drop_group(q, front(log));
        pop(log);
    }
    say_place(fx, LOG_ERROR, "log_dead", log->durable, 0,
              "writing failed twice: nothing is taken until a new start");
    answer_refused(q, QUEUE_UNKNOWN, fx);
}

void log_fail(struct queue *q, enum fault fault, struct effects *fx)
{
    struct log *log = &q->log;
    struct segment *segment = segment_find(q, log->segment);
    struct cut cut = { .segment = log->segment,
                       .end = log->groups_n > 0 ? front(log)->from : log->durable };

    log->why = fault == FAULT_NO_SPACE || fault == FAULT_QUOTA ? QUEUE_NO_SPACE : QUEUE_NOT_NOW;
    if (segment != NULL)
        segment->suspect = true;
    else
        not_born(q, fx);
    while (log->groups_n > 0) {
        drop_group(q, front(log));
        pop(log);
    }
    say_place(fx, LOG_ERROR, "log_failed", cut.end, 0, "the log goes on in a new segment");
    move_fail(q);
    log->cuts[0] = cut;
    log->cuts_n = 1;
    log->flush_at = log->mark_at = 0;
    log->mode = LOG_MEND_BIRTH;
    give_birth(q, log->top + 1, fx);
}

/* Those state changes of dropped groups that fit; the rest stays. */
static void write_again(struct queue *q)
{
    struct log *log = &q->log;
    struct reader in = reader_of(buffer_bytes(&log->again));
    size_t done = 0;

    while (!reader_empty(&in)) {
        uint64_t id = read_u64(&in), lsn;
        struct bytes payload = read_block(&in);
        assert(reader_ok(&in));
        if (!log_state_again(q, id, payload, &lsn))
            break;
        state_noted(q, id, payload, lsn);
        done = in.at;
    }
    buffer_drop(&log->again, done);
}

/* A new segment is there: its first record says where the others end, the states follow. */
static void begin_segment(struct queue *q, struct effects *fx)
{
    struct log *log = &q->log;

    log->fill = log->segment;
    log->fill_offset = SEGMENT_HEAD;
    log->durable = lsn_of(log->segment, SEGMENT_HEAD);
    log->mode = LOG_READY;
    if (log->cuts_n == 0) {
        log_mark(q);
    } else if (log_fits(q, record_size(CUT_BYTES * log->cuts_n), false)) {
        struct place place = log_place(q, RECORD_CUT, 0, CUT_BYTES * log->cuts_n);
        cut_write(place.at + RECORD_HEAD, log->cuts, log->cuts_n);
        log_placed(q, &place, 0);
        log_urge(q);
    }
    if (log->groups_n == 0) {
        q->bad = true;
        return;
    }
    write_again(q);
    log->mode = LOG_MEND_WRITE;
    write_group(q, fx);
}

static void born(struct queue *q, struct effects *fx)
{
    struct log *log = &q->log;

    if (!segment_add(q, log->segment)) {
        q->bad = true;
        return;
    }
    segment_find(q, log->segment)->slot = log->slot + 1;
    segment_find(q, log->segment)->sure = true;
    if (log->mode == LOG_MEND_BIRTH) {
        begin_segment(q, fx);
        return;
    }
    log->durable = lsn_of(log->segment, SEGMENT_HEAD);
    log->mode = LOG_READY;
    go_on(q, fx);
}

static void written(struct queue *q, struct effects *fx)
{
    struct log *log = &q->log;
    bool mended = log->mode == LOG_MEND_WRITE;

    if (q->conf.flushed != NULL)
        q->conf.flushed(q->conf.reporter, q->now.mono_ms - q->flush_began_ms);
    group_durable(q, fx);
    log->mode = LOG_READY;
    if (mended) {
        answer_refused(q, log->why, fx);
        write_again(q);
    }
    if (log->waiting >= LOG_EAGER_BYTES)
        go_on(q, fx);
}

void log_io(struct queue *q, struct token token, enum fault fault, struct effects *fx)
{
    struct log *log = &q->log;

    if (!chain_over(&log->chain, token, fault))
        return;
    enum fault whole = log->chain.fault;
    bool well = whole == OK;
    switch (log->mode) {
    case LOG_WRITING:
        if (well)
            written(q, fx);
        else
            log_fail(q, whole, fx);
        break;
    case LOG_BIRTH:
        if (well)
            born(q, fx);
        else
            log_fail(q, whole, fx);
        break;
    case LOG_MEND_BIRTH:
        if (well)
            born(q, fx);
        else
            give_up(q, fx);
        break;
    case LOG_MEND_WRITE:
        if (well)
            written(q, fx);
        else
            give_up(q, fx);
        break;
    case LOG_CLOSED:
    case LOG_READY:
    case LOG_DEAD:
        break;
    }
}

void log_open(struct queue *q, uint32_t segment, uint32_t slot, uint64_t lsn)
{
    struct log *log = &q->log;

    log->segment = log->fill = segment;
    log->top = segment > log->top ? segment : log->top;
    log->slot = slot;
    log->fill_offset = lsn_offset(lsn);
    log->durable = lsn;
    log->mode = LOG_READY;
    log_mark(q);
}

void log_open_new(struct queue *q, const struct cut *cuts, size_t n, struct effects *fx)
{
    struct log *log = &q->log;

    assert(n <= CUTS_MOST);
    for (size_t i = 0; i < n; i++)
        log->cuts[i] = cuts[i];
    log->cuts_n = n;
    log->mode = LOG_MEND_BIRTH;
    give_birth(q, log->top + 1, fx);
}
