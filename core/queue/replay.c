/* SPDX-License-Identifier: ISC */
#include "queue/replay_int.h"

#include "base/arena.h"
#include "queue/queue.h"

void replay_done(struct replay *replay)
{
    mem_free(replay->done_bodies);
    replay->done_bodies = NULL;
    replay->done_n = replay->done_room = 0;
}

static bool body_is_done(struct replay *replay, uint64_t body)
{
    if (body == 0)
        return true;
    if (replay->done_n == replay->done_room) {
        size_t room = replay->done_room == 0 ? 64 : replay->done_room * 2;
        uint64_t *list = mem_resize(replay->done_bodies, room * sizeof(*list));
        if (list == NULL)
            return false;
        replay->done_bodies = list;
        replay->done_room = room;
    }
    replay->done_bodies[replay->done_n++] = body;
    return true;
}

/* A letter that was moved forward: its record and the states that follow in its group say
   everything. */
static void move(struct letter *letter, const struct record *record, uint64_t due)
{
    letter->lsn = record->lsn;
    letter->length = (uint32_t)record_size(record->length);
    letter_reset(letter, due);
}

static bool replay_letter(struct replay *replay, const struct record *record)
{
    struct letter_record read;
    struct letter *old = index_find(replay->index, record->id);

    if (!letter_record_read(record->payload, &read))
        /* its check is right: some newer version wrote it, and it stays there */
        return true;
    struct letter letter = { .id = record->id, .lsn = record->lsn, .size = read.size,
                             .length = (uint32_t)record_size(record->length),
                             .recipients = (uint16_t)read.recipients,
                             .flags = read.flags & (LETTER_BINARY | LETTER_BODY) };
    if (record->id > replay->last_id)
        replay->last_id = record->id;
    if (read.body > replay->last_id)
        replay->last_id = read.body;
    if (old == NULL)
        return index_add(replay->index, &letter, read.body, replay->now.mono_ms) != NULL;
    if (old->recipients == letter.recipients && (read.flags & LETTER_MOVED) != 0)
        move(old, record, replay->now.mono_ms);
    return true;
}

/* How long still to wait: the clock may have been set meanwhile, but not longer than it was
   meant. */
static uint64_t due_of(const struct replay *replay, const struct state_record *state)
{
    uint64_t wall = replay->now.wall_ms;
    uint64_t left = state->due_ms > wall ? state->due_ms - wall : 0;

    return replay->now.mono_ms + (left < state->wait_ms ? left : state->wait_ms);
}

static bool replay_state(struct replay *replay, const struct record *record)
{
    struct letter *letter = index_find(replay->index, record->id);
    struct state_record state;

    replay->states++;
    if (!state_record_read(record->payload, &state))
        return true;
    if (letter == NULL || state.recipient >= letter->recipients) {
        replay->lost++;
        return true;
    }
    struct rcpt *rcpt = letter_rcpt(letter, state.recipient);
    if (rcpt->state == RCPT_DELIVERED)
        return true;
    rcpt->attempts = state.attempt;
    rcpt->note = record->lsn;
    rcpt->due = due_of(replay, &state);
    bool done = state.outcome == QUEUE_DELIVERED || state.outcome == STATE_SETTLED;
    rcpt->delayed = rcpt->delayed || state.outcome == STATE_DELAYED;
    rcpt->state = done ? RCPT_DELIVERED
                : state.outcome == QUEUE_FAILED ? RCPT_HELD : RCPT_WAITS;
    if (rcpt->state == RCPT_DELIVERED && --letter->left == 0) {
        bool noted = body_is_done(replay, letter_body(letter));
        index_remove(replay->index, letter);
        return noted;
    }
    return true;
}

bool replay_record(struct replay *replay, const struct record *record)
{
    uint64_t last_id = 0;

    replay->records++;
    switch (record->kind) {
    case RECORD_LETTER:
        return replay_letter(replay, record);
    case RECORD_STATE:
        return replay_state(replay, record);
    case RECORD_MARK:
        if (mark_read(record->payload, &last_id) && last_id > replay->last_id)
            replay->last_id = last_id;
        return true;
    case RECORD_NONE:
    case RECORD_SEAL:
    case RECORD_CUT:
    case RECORD_KINDS:
        return true;
    }
    return true;
}
