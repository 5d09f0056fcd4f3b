/* SPDX-License-Identifier: ISC */
#include "queue/walk_int.h"

#include "base/arena.h"
#include "base/mark.h"
#include "base/plant.h"

#include <assert.h>
#include <string.h>

bool log_walk_init(struct log_walk *walk, const uint32_t *numbers, size_t n)
{
    static const uint8_t none[STORE_KEY];

    *walk = (struct log_walk){ .n = n, .piece = SCAN_PIECE,
                               .grouped = buffer_with_most(4 * LIMIT_RECORD_BYTES) };
    scan_init(&walk->scan, none);
    if (n == 0)
        return true;
    walk->segments = mem_new(n * sizeof(*walk->segments));
    if (walk->segments == NULL)
        return false;
    for (size_t i = 0; i < n; i++) {
        assert(i == 0 || numbers[i - 1] < numbers[i]);
        walk->segments[i].number = numbers[i];
    }
    return true;
}

void log_walk_done(struct log_walk *walk)
{
    mem_free(walk->segments);
    mem_free(walk->records);
    buffer_done(&walk->grouped);
    scan_done(&walk->scan);
    *walk = (struct log_walk){ .mode = WALK_OVER };
}

enum { WALK_PIECE_LEAST = 64 * 1024 };

static struct walk_step ask(struct log_walk *walk, uint64_t offset, uint32_t count)
{
    walk->waits = true;
    return (struct walk_step){ .need = WALK_READ, .segment = walk->segments[walk->at].number,
                               .offset = offset, .count = count };
}

/* The head of one segment came. */
static void give_head(struct log_walk *walk, struct bytes octets)
{
    struct walk_segment *segment = &walk->segments[walk->at];
    struct segment_head head = { 0 };
    struct bytes first = bytes_first(bytes_skip(octets, SEGMENT_HEAD), WALK_FIRST);

    segment->head_right = segment_head_read(bytes_first(octets, SEGMENT_HEAD), &head, NULL)
                       && head.number == segment->number
                       && (!walk->key_known || memcmp(head.key, walk->key, STORE_KEY) == 0);
    if (segment->head_right) {
        walk->key_known = true;
        memcpy(walk->key, head.key, STORE_KEY);
        if (head.last_id > walk->end.last_id)
            walk->end.last_id = head.last_id;
        if (head.epoch > walk->end.epoch)
            walk->end.epoch = head.epoch;
    }
    memcpy(segment->first, first.at, first.n);
    segment->first_n = first.n;
    walk->at++;
}

/* Which segments end before their end? Only the first record of a later one may say so. */
static void read_cuts(struct log_walk *walk)
{
    for (size_t i = 0; i < walk->n; i++) {
        struct walk_segment *segment = &walk->segments[i];
        struct bytes text = { segment->first, segment->first_n };
        struct cut cuts[CUTS_MOST];
        struct record record;
        if (record_read(text, lsn_of(segment->number, SEGMENT_HEAD), walk->key, &record)
            != RECORD_IS_WHOLE || record.kind != RECORD_CUT)
            continue;
        size_t n = cut_read(record.payload, cuts);
        for (size_t c = 0; c < n; c++)
            for (size_t s = 0; s < i; s++)
                if (walk->segments[s].number == cuts[c].segment
                    && lsn_segment(cuts[c].end) == cuts[c].segment)
                    walk->segments[s].end = lsn_offset(cuts[c].end);
    }
}

static void begin_at(struct log_walk *walk, size_t at, uint64_t offset)
{
    walk->at = at;
    walk->begun = at < walk->n;
    if (walk->begun)
        scan_begin(&walk->scan, walk->segments[at].number, offset);
    walk->next_offset = offset;
}

static void heads_done(struct log_walk *walk)
{
    walk->end.segments = walk->n;
    if (walk->n == 0 || !walk->key_known) {
        walk->end.nothing = walk->n == 0;
        walk->end.unreadable = walk->n != 0;
        walk->mode = WALK_OVER;
        return;
    }
    read_cuts(walk);
    memcpy(walk->scan.key, walk->key, STORE_KEY);
    walk->mode = WALK_APPLY;
    begin_at(walk, 0, SEGMENT_HEAD);
}

/* Where many octets could not be read, try fewer; where few could not, take them for zeroes:
   what lay there is lost, what lies behind may not be. */
static void give_failed(struct log_walk *walk)
{
    walk->segments[walk->at].failed = true;
    if (walk->piece > WALK_PIECE_LEAST) {
        walk->piece = WALK_PIECE_LEAST;
        return;
    }
    walk->next_offset += walk->asked;
    walk->bad = !scan_give_zeroes(&walk->scan, walk->asked);
    walk->scan.at_end = walk->next_offset >= LIMIT_SEGMENT_BYTES;
}

void log_walk_give(struct log_walk *walk, struct bytes octets, bool failed)
{
    assert(walk->waits);
    walk->waits = false;
    if (walk->mode == WALK_HEADS) {
        walk->segments[walk->at].failed = failed;
        give_head(walk, octets);
        return;
    }
    if (failed) {
        give_failed(walk);
        return;
    }
    bool at_end = octets.n < walk->asked || walk->next_offset + octets.n >= LIMIT_SEGMENT_BYTES;
    walk->next_offset += octets.n;
    walk->piece = walk->piece < SCAN_PIECE / 2 ? walk->piece * 2 : SCAN_PIECE;
    walk->bad = !scan_give(&walk->scan, octets, at_end);
}

static void next_segment(struct log_walk *walk)
{
    if (walk->at + 1 < walk->n) {
        begin_at(walk, walk->at + 1, SEGMENT_HEAD);
        return;
    }
    walk->end.sealed = true;
    walk->end.lsn = lsn_of(walk->scan.segment, scan_offset(&walk->scan));
    walk->end.segments = walk->n;
    walk->mode = WALK_OVER;
}

static void drop_group(struct log_walk *walk)
{
    buffer_clear(&walk->grouped);
    walk->records_n = walk->records_told = 0;
    walk->group = 0;
}

/* A part of an atomic group: kept until its last one was seen. */
static void group_add(struct log_walk *walk, const struct record *record)
{
    if (walk->records_n == walk->records_room) {
        size_t room = walk->records_room == 0 ? 16 : walk->records_room * 2;
        struct record *list = mem_resize(walk->records, room * sizeof(*list));
        walk->bad = walk->bad || list == NULL;
        if (list == NULL)
            return;
        walk->records = list;
        walk->records_room = room;
    }
    buffer_put(&walk->grouped, record->payload);
    walk->bad = walk->bad || walk->grouped.bad;
    walk->records[walk->records_n++] = *record;
}

/* The payloads of a whole group lie behind each other in the buffer. */
static void group_settle(struct log_walk *walk)
{
    size_t at = 0;

    for (size_t i = 0; i < walk->records_n; i++) {
        struct record *record = &walk->records[i];
        record->payload = bytes_first(bytes_skip(buffer_bytes(&walk->grouped), at), record->length);
        at += record->length;
    }
    walk->group = 0;
}

/* True: this record alone counts now. */
static bool take_record(struct log_walk *walk, const struct record *record)
{
    bool goes_on = (record->flags & RECORD_GOES_ON) != 0, more = (record->flags & RECORD_MORE) != 0;

    if (record->durable > walk->end.durable)
        walk->end.durable = record->durable;
    if (!goes_on && walk->group != 0)
        drop_group(walk);
    if (record->kind == RECORD_SEAL) {
        next_segment(walk);
        return false;
    }
    if (goes_on && walk->group == 0)
        return false;           /* the rest of a group whose start was damaged */
    if (!goes_on && !more)
        return true;
    if (walk->group == 0)
        walk->group = record->lsn;
    group_add(walk, record);
    if (!more)
        group_settle(walk);
    return false;
}

static void meet_flaw(struct log_walk *walk)
{
    walk->flaw_offset = scan_offset(&walk->scan);
    walk->flaw = walk->group != 0 ? walk->group : lsn_of(walk->scan.segment, walk->flaw_offset);
    walk->flaw_at = walk->at;
    walk->flaw_epoch = walk->scan.epoch;
    drop_group(walk);
    bool known = walk->end.durable > walk->flaw || walk->segments[walk->at].failed;
    walk->mode = known && !PLANTED(damage_taken_for_tail) ? WALK_SEEK : WALK_PEEK;
}

static void tell_flaw(struct log_walk *walk, uint64_t to_offset, bool torn)
{
    uint64_t from = lsn_offset(walk->flaw);

    walk->told = (struct walk_flaw){
        .lsn = walk->flaw, .octets = to_offset > from ? to_offset - from : 0, .torn = torn,
        .id = walk->scan.broken_id,
        .words = torn ? "written but never confirmed before a crash: dropped, nothing is lost"
                      : "was on stable storage once and cannot be read any more",
    };
    walk->scan.broken_id = 0;
    walk->has_flaw = true;
}

static void end_torn(struct log_walk *walk)
{
    bool some = walk->flaw_ours > lsn_offset(walk->flaw);

    walk->end.lsn = walk->flaw;
    walk->end.zero_to = some ? walk->flaw_ours : 0;
    walk->end.segments = walk->flaw_at + 1;
    walk->mode = WALK_OVER;
    if (some)
        tell_flaw(walk, walk->flaw_ours, true);
}

/* Look through all that follows a flaw for a record that calls its place durable. */
static bool peek(struct log_walk *walk)
{
    struct record record;

    switch (scan_seek(&walk->scan)) {
    case SCAN_HUNGRY:
        return true;
    case SCAN_RECORD:
        if (scan_next(&walk->scan, &record) != SCAN_RECORD || record.durable <= walk->flaw
            || PLANTED(damage_taken_for_tail))
            break;
        walk->end.durable = record.durable;
        walk->mode = WALK_SEEK;
        walk->scan.epoch = walk->flaw_epoch;
        begin_at(walk, walk->flaw_at, walk->flaw_offset);
        break;
    case SCAN_END:
    case SCAN_FLAW:
        if (walk->at == walk->flaw_at)
            walk->flaw_ours = walk->scan.ours;
        if (walk->at + 1 < walk->n)
            begin_at(walk, walk->at + 1, SEGMENT_HEAD);
        else
            end_torn(walk);
        break;
    }
    return false;
}

/* The rest of a damaged segment holds no record. */
static void seek_ended(struct log_walk *walk)
{
    uint64_t to = walk->scan.ours;

    MARK("damage: the rest of a segment is lost");
    if (lsn_segment(walk->end.durable) == walk->scan.segment && lsn_offset(walk->end.durable) > to)
        to = lsn_offset(walk->end.durable);
    if (walk->segments[walk->at].end != 0)
        to = walk->segments[walk->at].end;
    tell_flaw(walk, to, false);
    walk->mode = WALK_APPLY;
    if (walk->at + 1 < walk->n) {
        next_segment(walk);
        return;
    }
    walk->end.lsn = walk->flaw;
    walk->end.fresh = true;
    walk->end.segments = walk->n;
    walk->mode = WALK_OVER;
}

static bool behind_cut(const struct log_walk *walk)
{
    uint64_t end = walk->segments[walk->at].end;

    return end != 0 && scan_offset(&walk->scan) >= end;
}

static bool seek(struct log_walk *walk)
{
    switch (scan_seek(&walk->scan)) {
    case SCAN_HUNGRY:
        return true;
    case SCAN_RECORD:
        if (behind_cut(walk)) {
            seek_ended(walk);
            break;
        }
        tell_flaw(walk, scan_offset(&walk->scan), false);
        walk->mode = WALK_APPLY;
        break;
    case SCAN_END:
    case SCAN_FLAW:
        seek_ended(walk);
        break;
    }
    return false;
}

static bool apply(struct log_walk *walk, struct walk_step *ret_step)
{
    struct record record;

    if (behind_cut(walk)) {
        drop_group(walk);
        next_segment(walk);
        return false;
    }
    switch (scan_next(&walk->scan, &record)) {
    case SCAN_HUNGRY:
        return true;
    case SCAN_RECORD:
        if (take_record(walk, &record))
            *ret_step = (struct walk_step){ .need = WALK_RECORD, .record = record };
        break;
    case SCAN_FLAW:
    case SCAN_END:
        meet_flaw(walk);
        break;
    }
    return false;
}

static struct walk_step read_on(struct log_walk *walk)
{
    walk->asked = walk->piece;
    return ask(walk, walk->next_offset, walk->asked);
}

/* What was found and not told yet. */
static bool pending(struct log_walk *walk, struct walk_step *ret_step)
{
    if (walk->has_flaw) {
        walk->has_flaw = false;
        *ret_step = (struct walk_step){ .need = WALK_FLAW, .flaw = walk->told };
        return true;
    }
    if (walk->group != 0 || walk->records_told == walk->records_n)
        return false;
    *ret_step = (struct walk_step){ .need = WALK_RECORD,
                                    .record = walk->records[walk->records_told++] };
    return true;
}

static struct walk_step over(struct log_walk *walk)
{
    if (walk->scan.epoch > walk->end.epoch)
        walk->end.epoch = walk->scan.epoch;
    if (walk->end.segments > 0 && walk->segments[walk->end.segments - 1].failed)
        walk->end.fresh = true;
    return (struct walk_step){ .need = WALK_END, .end = walk->end };
}

struct walk_step log_walk_next(struct log_walk *walk)
{
    struct walk_step step = { .need = WALK_READ };

    assert(!walk->waits);
    while (!walk->bad) {
        bool hungry = false;
        if (pending(walk, &step))
            return step;
        if (walk->group == 0 && walk->records_n > 0)
            drop_group(walk);
        switch (walk->mode) {
        case WALK_HEADS:
            if (walk->at < walk->n)
                return ask(walk, 0, WALK_HEAD);
            heads_done(walk);
            break;
        case WALK_APPLY: hungry = apply(walk, &step); break;
        case WALK_PEEK: hungry = peek(walk); break;
        case WALK_SEEK: hungry = seek(walk); break;
        case WALK_OVER: return over(walk);
        }
        if (hungry)
            return read_on(walk);
        if (step.need == WALK_RECORD)
            return step;
    }
    return (struct walk_step){ .need = WALK_NO_MEMORY };
}
