/* SPDX-License-Identifier: ISC */
#include "queue/inspect.h"

#include "base/arena.h"
#include "base/hash.h"
#include "base/id.h"
#include "queue/replay_int.h"
#include "queue/segment_int.h"
#include "queue/walk_int.h"

#include <assert.h>
#include <string.h>

enum { NAME_MOST = 64, TAKE_PIECE = 256 * 1024 };

enum inspect_stage { INSPECT_WALKING, INSPECT_LISTING, INSPECT_OVER, INSPECT_FAILED };
enum take_stage { TAKING_NOTHING, TAKING_RECORD, TAKING_HEAD, TAKING_TEXT, TAKING_BODY, TAKING_END,
                  TAKING_DAMAGED };

struct inspect {
    enum inspect_stage stage;
    struct log_walk walk;
    struct index index;
    struct replay replay;
    uint32_t *numbers;
    uint64_t *bodies;
    size_t bodies_n;
    uint64_t after;
    struct inspect_totals totals;
    struct buffer name;
    bool waits;
    enum take_stage taking;
    const struct letter *letter;
    struct buffer payload, piece;
    struct letter_record record;
    uint64_t taken;
    uint32_t crc;
};

static bool take_names(struct inspect *inspect, struct bytes log_names, struct bytes body_names)
{
    struct bytes rest = log_names, name;
    size_t lines = 0, n = 0, bodies = 0;

    while (bytes_cut(&rest, '\n', &name))
        lines++;
    rest = body_names;
    while (bytes_cut(&rest, '\n', &name))
        bodies++;
    inspect->numbers = mem_new((lines + 1) * sizeof(*inspect->numbers));
    inspect->bodies = mem_new((bodies + 1) * sizeof(*inspect->bodies));
    if (inspect->numbers == NULL || inspect->bodies == NULL)
        return false;
    while (bytes_cut(&log_names, '\n', &name)) {
        uint32_t number;
        if (segment_number(name, &number) && (n == 0 || inspect->numbers[n - 1] < number))
            inspect->numbers[n++] = number;
    }
    while (bytes_cut(&body_names, '\n', &name)) {
        uint64_t body;
        if (body_number(name, &body))
            inspect->bodies[inspect->bodies_n++] = body;
    }
    inspect->totals.segments = n;
    return log_walk_init(&inspect->walk, inspect->numbers, n);
}

struct inspect *inspect_new(struct bytes log_names, struct bytes body_names)
{
    struct inspect *inspect = mem_new(sizeof(*inspect));

    if (inspect == NULL)
        return NULL;
    inspect->replay.index = &inspect->index;
    inspect->name = buffer_with_most(NAME_MOST);
    inspect->payload = buffer_with_most(2 * LIMIT_RECORD_BYTES);
    inspect->piece = buffer_with_most(TAKE_PIECE);
    if (!take_names(inspect, log_names, body_names)) {
        inspect_free(inspect);
        return NULL;
    }
    return inspect;
}

void inspect_free(struct inspect *inspect)
{
    if (inspect == NULL)
        return;
    log_walk_done(&inspect->walk);
    index_done(&inspect->index);
    replay_done(&inspect->replay);
    mem_free(inspect->numbers);
    mem_free(inspect->bodies);
    buffer_done(&inspect->name);
    buffer_done(&inspect->payload);
    buffer_done(&inspect->piece);
    mem_free(inspect);
}

static struct bytes segment_path(struct inspect *inspect, uint32_t segment)
{
    buffer_clear(&inspect->name);
    buffer_put_text(&inspect->name, "log/");
    buffer_put_uint_wide(&inspect->name, segment, 10);
    return buffer_bytes(&inspect->name);
}

static struct bytes body_path(struct inspect *inspect, uint64_t body)
{
    char id[ID_TEXT];

    id_write(body, id);
    buffer_clear(&inspect->name);
    buffer_put_text(&inspect->name, "body/");
    buffer_put(&inspect->name, (struct bytes){ id, ID_TEXT });
    return buffer_bytes(&inspect->name);
}

static bool body_there(const struct inspect *inspect, uint64_t body)
{
    size_t low = 0, high = inspect->bodies_n;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (inspect->bodies[middle] < body)
            low = middle + 1;
        else
            high = middle;
    }
    return low < inspect->bodies_n && inspect->bodies[low] == body;
}

static void walk_ended(struct inspect *inspect)
{
    uint64_t named = 0;

    index_order(&inspect->index);
    for (size_t i = 0; i < inspect->index.n; i++) {
        uint64_t body = letter_body(index_at(&inspect->index, i));
        if (body == 0)
            continue;
        if (body_there(inspect, body))
            named++;
        else
            inspect->totals.bodies_missing++;
    }
    inspect->totals.bodies_unknown = inspect->bodies_n - named;
    inspect->totals.records = inspect->replay.records;
    inspect->totals.states = inspect->replay.states;
    inspect->totals.letters = index_count(&inspect->index);
    inspect->stage = INSPECT_LISTING;
}

static struct inspect_want want_flaw(struct inspect *inspect, const struct walk_flaw *flaw)
{
    inspect->totals.flaws++;
    inspect->totals.damage += !flaw->torn;
    return (struct inspect_want){ .need = INSPECT_FLAW, .flaw = {
        .segment = lsn_segment(flaw->lsn), .offset = lsn_offset(flaw->lsn),
        .octets = flaw->octets, .torn = flaw->torn, .id = flaw->id, .words = flaw->words } };
}

static struct inspect_want unreadable(struct inspect *inspect)
{
    struct walk_flaw flaw = { .words = "no segment has a head that reads: nothing can be told" };

    return want_flaw(inspect, &flaw);
}

static struct inspect_want failed(struct inspect *inspect)
{
    struct walk_flaw flaw = { .words = "there is not enough memory to look further" };

    inspect->stage = INSPECT_OVER;
    return want_flaw(inspect, &flaw);
}

/* One step of the walk; INSPECT_ENDS: nothing to tell yet. */
static struct inspect_want walk(struct inspect *inspect)
{
    struct walk_step step = log_walk_next(&inspect->walk);

    switch (step.need) {
    case WALK_READ:
        inspect->waits = true;
        return (struct inspect_want){ .need = INSPECT_NEEDS_READ, .offset = step.offset,
                                      .name = segment_path(inspect, step.segment),
                                      .count = step.count };
    case WALK_RECORD:
        if (!replay_record(&inspect->replay, &step.record))
            return failed(inspect);
        break;
    case WALK_FLAW:
        return want_flaw(inspect, &step.flaw);
    case WALK_END:
        walk_ended(inspect);
        if (step.end.unreadable)
            return unreadable(inspect);
        break;
    case WALK_NO_MEMORY:
        return failed(inspect);
    }
    return (struct inspect_want){ .need = INSPECT_ENDS };
}

static struct inspect_want tell_letter(struct inspect *inspect, const struct letter *found)
{
    struct letter letter = *found;
    struct inspect_want want = { .need = INSPECT_LETTER, .letter = {
        .id = letter.id, .size = letter.size, .received_ms = letter.id >> 20,
        .recipients = letter.recipients, .left = letter.left, .body = letter_body(&letter),
        .binary = (letter.flags & LETTER_BINARY) != 0, .segment = lsn_segment(letter.lsn),
        .offset = lsn_offset(letter.lsn) } };

    for (uint32_t i = 0; i < letter.recipients; i++)
        want.letter.held = want.letter.held || letter_rcpt(&letter, i)->state == RCPT_HELD;
    inspect->after = letter.id;
    return want;
}

struct inspect_want inspect_next(struct inspect *inspect)
{
    assert(!inspect->waits);
    while (inspect->stage == INSPECT_WALKING) {
        struct inspect_want want = walk(inspect);
        if (want.need != INSPECT_ENDS)
            return want;
    }
    if (inspect->stage == INSPECT_LISTING) {
        const struct letter *letter = index_after(&inspect->index, inspect->after);
        if (letter != NULL)
            return tell_letter(inspect, letter);
        inspect->stage = INSPECT_OVER;
    }
    return (struct inspect_want){ .need = INSPECT_ENDS, .totals = inspect->totals };
}

static void give_record(struct inspect *inspect, struct bytes octets)
{
    struct record record;

    inspect->taking = TAKING_DAMAGED;
    if (record_read(octets, inspect->letter->lsn, inspect->walk.key, &record) != RECORD_IS_WHOLE)
        return;
    buffer_clear(&inspect->payload);
    buffer_put(&inspect->payload, record.payload);
    if (!inspect->payload.bad
        && letter_record_read(buffer_bytes(&inspect->payload), &inspect->record))
        inspect->taking = TAKING_HEAD;
}

static void give_body(struct inspect *inspect, struct bytes octets)
{
    uint64_t left = inspect->record.size - inspect->taken;

    buffer_clear(&inspect->piece);
    buffer_put(&inspect->piece, bytes_first(octets, left));
    if (octets.n == 0 || inspect->piece.bad) {
        inspect->taking = TAKING_DAMAGED;
        return;
    }
    inspect->crc = crc32c(inspect->crc, buffer_bytes(&inspect->piece));
    inspect->taken += inspect->piece.n;
    inspect->taking = TAKING_TEXT;
}

void inspect_give(struct inspect *inspect, struct bytes octets)
{
    assert(inspect->waits);
    inspect->waits = false;
    if (inspect->taking == TAKING_RECORD) {
        give_record(inspect, octets);
    } else if (inspect->taking == TAKING_BODY) {
        give_body(inspect, octets);
    } else {
        inspect->totals.octets += octets.n;
        log_walk_give(&inspect->walk, octets, false);
    }
}

bool inspect_open(struct inspect *inspect, uint64_t id)
{
    inspect->letter = inspect->stage == INSPECT_OVER ? index_find(&inspect->index, id) : NULL;
    inspect->taking = inspect->letter == NULL ? TAKING_NOTHING : TAKING_RECORD;
    inspect->taken = 0;
    inspect->crc = 0;
    return inspect->letter != NULL;
}

static struct inspect_piece want_record(struct inspect *inspect)
{
    inspect->waits = true;
    return (struct inspect_piece){
        .kind = TAKE_NEEDS_READ, .name = segment_path(inspect, lsn_segment(inspect->letter->lsn)),
        .offset = lsn_offset(inspect->letter->lsn), .count = inspect->letter->length };
}

static struct inspect_piece want_body(struct inspect *inspect)
{
    uint64_t left = inspect->record.size - inspect->taken;

    inspect->waits = true;
    return (struct inspect_piece){
        .kind = TAKE_NEEDS_READ, .name = body_path(inspect, inspect->record.body),
        .offset = inspect->taken, .count = (uint32_t)(left < TAKE_PIECE ? left : TAKE_PIECE) };
}

/* The head goes out; what comes behind it? */
static struct inspect_piece tell_head(struct inspect *inspect)
{
    bool apart = inspect->record.body != 0 && inspect->record.size > 0;

    inspect->taking = apart ? TAKING_BODY : TAKING_TEXT;
    if (!apart) {
        buffer_clear(&inspect->piece);
        inspect->taken = inspect->record.size;
    }
    return (struct inspect_piece){ .kind = TAKE_HEAD, .head = inspect->record.head,
                                   .to = inspect->record.to };
}

static struct inspect_piece tell_text(struct inspect *inspect)
{
    struct bytes text = inspect->record.body == 0 ? inspect->record.text
                                                  : buffer_bytes(&inspect->piece);

    if (inspect->taken < inspect->record.size)
        inspect->taking = TAKING_BODY;
    else if (inspect->record.body != 0 && inspect->crc != inspect->record.crc)
        inspect->taking = TAKING_DAMAGED;
    else
        inspect->taking = TAKING_END;
    return (struct inspect_piece){ .kind = TAKE_TEXT, .text = text };
}

struct inspect_piece inspect_take(struct inspect *inspect)
{
    assert(!inspect->waits);
    switch (inspect->taking) {
    case TAKING_RECORD: return want_record(inspect);
    case TAKING_HEAD: return tell_head(inspect);
    case TAKING_TEXT: return tell_text(inspect);
    case TAKING_BODY: return want_body(inspect);
    case TAKING_END: return (struct inspect_piece){ .kind = TAKE_END };
    case TAKING_NOTHING:
    case TAKING_DAMAGED: break;
    }
    return (struct inspect_piece){ .kind = TAKE_DAMAGED };
}
