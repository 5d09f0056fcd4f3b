/* SPDX-License-Identifier: ISC
 *
 * queue/inspect.h: look at a log while no server runs: check every record, list the letters, take
 * one out.
 *
 * It runs the very recovery that the server runs, over octets that the caller reads: it says
 * which octets of which file it wants and is given them. It writes nothing.
 */
#ifndef POSTERN_QUEUE_INSPECT_H
#define POSTERN_QUEUE_INSPECT_H

#include "base/buffer.h"
#include "base/bytes.h"

struct inspect;

/* `log_names` and `body_names`: the names below log/ and body/, each ended by '\n'. NULL without
   memory. */
MUST_USE struct inspect *inspect_new(struct bytes log_names, struct bytes body_names);
void inspect_free(struct inspect *inspect);

enum inspect_need {
    /* `count` octets at `offset` of the file `name` (below the spool), or fewer at its end; then
       inspect_give */
    INSPECT_NEEDS_READ,
    INSPECT_FLAW,           /* something is wrong: `flaw` */
    INSPECT_LETTER,         /* one unfinished letter, in order of id */
    INSPECT_ENDS,           /* `totals` */
};

struct inspect_flaw {
    uint32_t segment;
    uint64_t offset, octets;    /* of the segment's file */
    /* the tail of a log that was cut off by a crash: no harm, recovery drops it */
    bool torn;
    /* the letter whose record it was, when that can still be told; or 0 */
    uint64_t id;
    const char *words;          /* in plain words */
};

struct inspect_letter {
    uint64_t id, size, received_ms;
    uint32_t recipients, left;  /* all of them, and those not finished */
    bool held;                  /* a recipient failed and is kept */
    bool binary;
    /* the number of its file below body/, or 0: the text lies in the log */
    uint64_t body;
    uint32_t segment;
    uint64_t offset;
};

struct inspect_totals {
    uint64_t segments, octets, records, letters, states, flaws, damage;
    uint64_t bodies_missing, bodies_unknown;
};

struct inspect_want {
    enum inspect_need need;
    struct bytes name;
    uint64_t offset;
    uint32_t count;
    struct inspect_flaw flaw;
    struct inspect_letter letter;
    struct inspect_totals totals;
};

struct inspect_want inspect_next(struct inspect *inspect);
/* What was read; empty at or behind the file's end, or when it cannot be read. */
void inspect_give(struct inspect *inspect, struct bytes octets);

/* After INSPECT_ENDS: take one letter out. Then inspect_next needs reads again; each answer that
   is text is put behind `text` by the next inspect_take call. False: no such letter. */
MUST_USE bool inspect_open(struct inspect *inspect, uint64_t id);

enum inspect_taken { TAKE_NEEDS_READ, TAKE_HEAD, TAKE_TEXT, TAKE_END, TAKE_DAMAGED };
struct inspect_piece {
    enum inspect_taken kind;
    struct bytes name;          /* NEEDS_READ: as above; then inspect_give */
    uint64_t offset;
    uint32_t count;
    struct bytes head, to;      /* HEAD: the envelope; blocks (u32 length, entry) */
    /* TEXT: the next octets of the letter, to be written out as they are */
    struct bytes text;
};
struct inspect_piece inspect_take(struct inspect *inspect);

#endif
