/* SPDX-License-Identifier: ISC */
#include "smtp/outbox.h"

#include "base/arena.h"
#include "base/limits.h"

#include <assert.h>
#include <string.h>

enum {
    REPLY_MOST = 2 * 1024,                  /* of one command; the longest is EHLO's */
    OUT_MOST = 3 * LIMIT_HELD_REPLIES,      /* its own, all that is held, and the holes' replies */
    KEPT_OUT = 512, KEPT_HELD = 256,
    RING_FIRST = 2, RING_KEPT = 4,
};

struct hole {
    uint64_t behind;            /* place among the held octets of what is said after it */
    uint32_t token;
    bool filled;
    uint8_t verdict;            /* enum smtp_verdict */
    uint8_t id_n;
    char id[SMTP_ID_MOST];
};

static const enum reply letter_replies[SMTP_VERDICTS] = {
    [SMTP_YES] = REPLY_LETTER_OK,
    [SMTP_NO_MAILBOX] = REPLY_NO_MAILBOX,
    [SMTP_NO_RELAY] = REPLY_NO_RELAY,
    [SMTP_NOT_YOURS] = REPLY_NOT_YOURS,
    [SMTP_NOT_NOW] = REPLY_NOT_NOW,
    [SMTP_NO_SPACE] = REPLY_NO_SPACE,
    [SMTP_TOO_LARGE] = REPLY_LETTER_TOO_BIG,
    [SMTP_LOOP] = REPLY_LOOP,
    [SMTP_BAD_HEADER] = REPLY_BAD_HEADER,
    [SMTP_BAD_RECIPE] = REPLY_BAD_RECIPE,
    [SMTP_SILENCE] = REPLY_NONE,
};

struct outbox outbox_none(void)
{
    return (struct outbox){
        .out = buffer_with_most(OUT_MOST),
        .held = buffer_with_most(LIMIT_HELD_REPLIES),
    };
}

void outbox_done(struct outbox *outbox)
{
    buffer_done(&outbox->out);
    buffer_done(&outbox->held);
    mem_free(outbox->ring);
    *outbox = outbox_none();
}

static struct hole *hole_at(struct outbox *outbox, uint32_t i)
{
    assert(i < outbox->room);
    return &outbox->ring[(outbox->first + i) % outbox->room];
}

static struct buffer *draft_of(struct outbox *outbox)
{
    return outbox->count == 0 ? &outbox->out : &outbox->held;
}

/* What was begun at `from` is taken back when it did not fit: no half reply is ever sent. */
static void take_back(struct buffer *draft, size_t from)
{
    if (draft->bad)
        draft->n = from;
}

void outbox_say(struct outbox *outbox, enum reply reply, struct reply_words words)
{
    struct buffer *draft = draft_of(outbox);
    size_t from = draft->n;

    if (outbox_broken(outbox))
        return;
    reply_put(draft, reply, words);
    take_back(draft, from);
}

void outbox_say_text(struct outbox *outbox, struct bytes text)
{
    if (!outbox_broken(outbox))
        buffer_put(draft_of(outbox), text);
}

/* The ring's room doubles; the holes are laid out anew from its start. */
static bool grow(struct outbox *outbox)
{
    uint32_t room = outbox->room == 0 ? RING_FIRST : outbox->room * 2;
    struct hole *ring = mem_new(room * sizeof(*ring));

    if (ring == NULL)
        return false;
    for (uint32_t i = 0; i < outbox->count; i++)
        ring[i] = *hole_at(outbox, i);
    mem_free(outbox->ring);
    outbox->ring = ring;
    outbox->room = room;
    outbox->first = 0;
    return true;
}

bool outbox_hole(struct outbox *outbox, uint32_t token)
{
    if (outbox->count == outbox->room && !grow(outbox))
        return false;
    outbox->count++;
    *hole_at(outbox, outbox->count - 1) =
        (struct hole){ .behind = outbox->held_from + outbox->held.n, .token = token };
    return true;
}

/* What stands between the first hole and the next one may go, and the first hole's own reply
   before. */
static void release_first(struct outbox *outbox)
{
    struct hole *hole = hole_at(outbox, 0);
    uint64_t end = outbox->count > 1 ? hole_at(outbox, 1)->behind
                                     : outbox->held_from + outbox->held.n;
    struct bytes held = bytes_skip(buffer_bytes(&outbox->held), hole->behind - outbox->held_from);

    size_t from = outbox->out.n;

    reply_put(&outbox->out, letter_replies[hole->verdict],
              (struct reply_words){ .word = { hole->id, hole->id_n } });
    buffer_put(&outbox->out, bytes_first(held, end - hole->behind));
    take_back(&outbox->out, from);
    outbox->shut = outbox->out.bad;
    outbox->first = (outbox->first + 1) % outbox->room;
    outbox->count--;
}

/* Give back what the released ones took; moves at most as many octets as were released. */
static void tidy(struct outbox *outbox)
{
    bool empty = outbox->count == 0;
    uint64_t end = outbox->held_from + outbox->held.n;
    size_t gone = (size_t)((empty ? end : hole_at(outbox, 0)->behind) - outbox->held_from);

    if (!empty && gone < outbox->held.n / 2)
        return;
    outbox->held_from += gone;
    if (!empty) {
        buffer_drop(&outbox->held, gone);
        return;
    }
    bool bad = outbox->held.bad;
    buffer_shrink(&outbox->held, KEPT_HELD);
    outbox->held.bad = bad;
    if (outbox->room > RING_KEPT) {
        mem_free(outbox->ring);
        outbox->ring = NULL;
        outbox->room = outbox->first = 0;
    }
}

static void release(struct outbox *outbox)
{
    while (outbox->count > 0 && hole_at(outbox, 0)->filled && !outbox->shut) {
        if (hole_at(outbox, 0)->verdict == SMTP_SILENCE) {
            outbox->shut = true;
            break;
        }
        release_first(outbox);
    }
    tidy(outbox);
}

void outbox_fill(struct outbox *outbox, uint32_t token, enum smtp_verdict verdict, struct bytes id)
{
    struct hole *hole = NULL;

    assert(verdict < SMTP_VERDICTS && id.n <= SMTP_ID_MOST);
    for (uint32_t i = 0; i < outbox->count && hole == NULL; i++) {
        if (hole_at(outbox, i)->token == token)
            hole = hole_at(outbox, i);
    }
    if (hole == NULL || hole->filled)
        return;
    hole->filled = true;
    hole->verdict = (uint8_t)verdict;
    hole->id_n = (uint8_t)id.n;
    if (id.n > 0)
        memcpy(hole->id, id.at, id.n);
    if (verdict == SMTP_SILENCE)
        outbox->hushed = true;
    release(outbox);
}

bool outbox_has_room(const struct outbox *outbox)
{
    return !outbox->hushed && outbox->count < LIMIT_COMMITS_AHEAD
        && outbox->out.n <= LIMIT_HELD_REPLIES - REPLY_MOST
        && outbox->held.n <= LIMIT_HELD_REPLIES - REPLY_MOST;
}

void outbox_sent(struct outbox *outbox)
{
    bool bad = outbox->out.bad;

    buffer_shrink(&outbox->out, KEPT_OUT);
    outbox->out.bad = bad;
}
