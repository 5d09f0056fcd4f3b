/* SPDX-License-Identifier: ISC
 *
 * The gathering side of the log; commit.c writes, settles and fails.
 */
#include "queue/commit_int.h"
#include "queue/log_int.h"
#include "queue/queue_int.h"

#include "base/arena.h"
#include "base/reader.h"

#include <assert.h>
#include <string.h>

enum { BLOCK_FIRST = 16 * 1024, BLOCK_MOST = 1024 * 1024, STATES_MOST = 16 * 1024 * 1024,
       STORY_MOST = LOG_WAITING_MOST };

void log_init(struct log *log)
{
    *log = (struct log){ .again = buffer_with_most(STATES_MOST) };
    for (size_t i = 0; i < LOG_GROUPS; i++) {
        log->groups[i].states = buffer_with_most(STATES_MOST);
        log->groups[i].story = buffer_with_most(STORY_MOST);
    }
}

void group_clear(struct group *group)
{
    for (size_t i = 0; i < group->blocks_n; i++)
        mem_free(group->blocks[i].at);
    for (size_t i = 0; i < group->fates_n; i++)
        mem_free(group->fates[i].notes);
    group->blocks_n = 0;
    group->fates_n = 0;
    group->urgent = false;
    buffer_shrink(&group->states, BLOCK_MOST);
    buffer_shrink(&group->story, BLOCK_MOST);
}

void log_done(struct log *log)
{
    for (size_t i = 0; i < LOG_GROUPS; i++) {
        struct group *group = &log->groups[i];
        group_clear(group);
        mem_free(group->blocks);
        mem_free(group->fates);
        buffer_done(&group->states);
        buffer_done(&group->story);
    }
    buffer_done(&log->again);
    mem_free(log->refused);
}

/* Is the last group of the ring one that can still take records for the segment being filled? */
static struct group *open_group(struct queue *q)
{
    struct log *log = &q->log;
    bool writing = log->mode == LOG_WRITING || log->mode == LOG_MEND_WRITE;

    if (log->groups_n == 0 || (writing && log->groups_n == 1))
        return NULL;
    struct group *group = &log->groups[(log->first + log->groups_n - 1) % LOG_GROUPS];
    return group->segment == log->fill ? group : NULL;
}

struct group *log_gathering(struct queue *q)
{
    struct log *log = &q->log;
    struct group *group = open_group(q);

    if (group != NULL || log->groups_n == LOG_GROUPS)
        return group;
    group = &log->groups[(log->first + log->groups_n) % LOG_GROUPS];
    group_clear(group);
    group->segment = log->fill;
    group->from = group->to = lsn_of(log->fill, log->fill_offset);
    group->marks_only = true;
    log->groups_n++;
    return group;
}

static bool block_room(struct group *group, uint64_t size)
{
    struct block *last = group->blocks_n == 0 ? NULL : &group->blocks[group->blocks_n - 1];

    if (last != NULL && last->room - last->n >= size)
        return true;
    if (group->blocks_n == group->blocks_room) {
        size_t room = group->blocks_room == 0 ? 8 : group->blocks_room * 2;
        struct block *blocks = mem_resize(group->blocks, room * sizeof(*blocks));
        if (blocks == NULL)
            return false;
        group->blocks = blocks;
        group->blocks_room = room;
    }
    size_t room = group->blocks_n < 6 ? (size_t)BLOCK_FIRST << group->blocks_n : BLOCK_MOST;
    room = room > size ? room : size;
    char *at = mem_resize(NULL, room);
    if (at == NULL)
        return false;
    group->blocks[group->blocks_n++] = (struct block){ .at = at, .room = room };
    return true;
}

/* For two: an order may end a letter. */
static bool fates_room(struct group *group)
{
    if (group->fates_n + 2 <= group->fates_room)
        return true;
    size_t room = group->fates_room == 0 ? 64 : group->fates_room * 2;
    struct fate *fates = mem_resize(group->fates, room * sizeof(*fates));
    if (fates == NULL)
        return false;
    group->fates = fates;
    group->fates_room = room;
    return true;
}

static bool takes_records(const struct log *log)
{
    return log->mode == LOG_READY || log->mode == LOG_WRITING || log->mode == LOG_BIRTH;
}

static bool room_for(struct queue *q, uint64_t size)
{
    struct group *group = log_gathering(q);

    return group != NULL && block_room(group, size) && fates_room(group);
}

/* The segment has no more room: say so in it, and fill the next. */
static bool seal(struct queue *q)
{
    struct log *log = &q->log;

    if (!room_for(q, SEAL_BYTES))
        return false;
    struct place place = log_place(q, RECORD_SEAL, 0, 0);
    log_placed(q, &place, 0);
    uint32_t next = log->fill + 1 > log->top + 1 ? log->fill + 1 : log->top + 1;
    log->fill = next;
    log->fill_offset = SEGMENT_HEAD;
    return true;
}

bool log_fits(struct queue *q, uint64_t size, bool letters)
{
    struct log *log = &q->log;

    if (!takes_records(log) || size > q->conf.segment_bytes - SEGMENT_HEAD - SEAL_BYTES)
        return false;
    if (letters && log->waiting + size > LOG_WAITING_MOST)
        return false;
    if (log->fill_offset + size + SEAL_BYTES <= q->conf.segment_bytes)
        return room_for(q, size);
    if ((letters && !spares_for_letters(q)) || log->groups_n + 2 > LOG_GROUPS)
        return false;
    return seal(q) && room_for(q, size);
}

struct place log_place(struct queue *q, enum record_kind kind, uint64_t id, uint64_t payload)
{
    struct log *log = &q->log;
    struct group *group = log_gathering(q);
    struct block *block = &group->blocks[group->blocks_n - 1];
    uint64_t size = record_size(payload), base = lsn_of(log->fill, SEGMENT_HEAD);
    struct place place = {
        .at = block->at + block->n,
        .record = { .lsn = lsn_of(log->fill, log->fill_offset), .kind = kind, .id = id,
                    .length = (uint32_t)payload, .epoch = q->epoch,
                    .durable = log->durable > base ? log->durable : base },
    };

    assert(block->room - block->n >= size);
    assert(log->fill_offset + size <= q->conf.segment_bytes);
    block->n += size;
    log->fill_offset += size;
    log->waiting += size;
    group->to += size;
    if (kind != RECORD_MARK)
        group->marks_only = false;
    return place;
}

void log_placed(struct queue *q, struct place *place, uint8_t flags)
{
    place->record.flags = flags;
    record_finish(place->at, &place->record, q->key);
}

void log_fate(struct queue *q, const struct fate *fate)
{
    struct group *group = log_gathering(q);

    assert(group->fates_n < group->fates_room);
    group->fates[group->fates_n++] = *fate;
    if (fate->kind == FATE_LETTER)
        company_came(&q->log.company, q->now.mono_ms);
}

void log_urge(struct queue *q)
{
    struct group *group = takes_records(&q->log) ? log_gathering(q) : NULL;

    if (group != NULL)
        group->urgent = true;
}

/* Remembered as (u64 id, block payload) until durable, to be written again should the group
   fail. */
static bool remember(struct buffer *to, uint64_t id, struct bytes payload)
{
    if (!buffer_reserve(to, 12 + payload.n))
        return false;
    buffer_put_u64(to, id);
    buffer_put_block(to, payload);
    return true;
}

bool log_letter_done(const struct queue *q, uint64_t id)
{
    struct letter *letter = index_find(&q->index, id);

    return letter != NULL && letter->left == 0;
}

bool log_remember(struct queue *q, uint64_t id, struct bytes payload)
{
    return remember(&log_gathering(q)->states, id, payload);
}

/* The state of a letter whose recipients are all done takes it out of the queue when it is
   durable. */
static void fate_of_done(struct queue *q, uint64_t id)
{
    if (log_letter_done(q, id))
        log_fate(q, &(struct fate){ .kind = FATE_DONE, .letter = { .id = id } });
}

bool log_state_again(struct queue *q, uint64_t id, struct bytes payload, uint64_t *ret_lsn)
{
    struct group *group;

    if (!log_fits(q, record_size(payload.n), false))
        return false;
    group = log_gathering(q);
    if (!remember(&group->states, id, payload))
        return false;
    struct place place = log_place(q, RECORD_STATE, id, payload.n);
    memcpy(place.at + RECORD_HEAD, payload.at, payload.n);
    log_placed(q, &place, 0);
    fate_of_done(q, id);
    if (q->log.flush_at == 0)
        q->log.flush_at = q->now.mono_ms + LOG_STATES_WAIT_MS;
    *ret_lsn = place.record.lsn;
    return true;
}

bool log_state(struct queue *q, uint64_t id, const struct state_record *state, uint64_t *ret_lsn)
{
    char payload[STATE_FIXED + STATE_WORDS];
    struct state_record cut = *state;

    cut.words = bytes_first(cut.words, STATE_WORDS);
    state_record_write(payload, &cut);
    struct bytes text = { payload, state_record_size(&cut) };
    *ret_lsn = 0;
    if (q->log.mode == LOG_MEND_BIRTH || q->log.mode == LOG_MEND_WRITE)
        return remember(&q->log.again, id, text);
    return log_state_again(q, id, text, ret_lsn);
}

uint64_t log_alarm(const struct queue *q)
{
    const struct log *log = &q->log;

    if (log->mode != LOG_READY)
        return 0;
    if (log->groups_n == 0)
        return log->mark_at;
    return log->company.until_ms != 0 ? log->company.until_ms : log->flush_at;
}
