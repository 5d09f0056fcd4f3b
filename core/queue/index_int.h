/* SPDX-License-Identifier: ISC
 *
 * queue/index_int.h: what is in the queue, in memory: an array of letters in order of id, and a
 * heap of the times at which they want something.
 *
 * Both lie in chunks, so that growing copies nothing and leaves no holes in the memory.
 * 64 octets a letter and 16 for its place in the heap; a letter with several recipients, or with
 * a body file, has 24 more for each recipient. Ids only grow, so a new letter goes to the end and
 * one is found by halving; removed ones leave holes, which are closed when they are the half of it.
 * Recovery may meet letters out of order (those that were moved): until index_order, a table finds
 * them.
 */
#ifndef POSTERN_QUEUE_INDEX_INT_H
#define POSTERN_QUEUE_INDEX_INT_H

#include "base/bytes.h"

/* DELIVERED: done with; it may have failed, when its sender was told. */
enum rcpt_state { RCPT_WAITS, RCPT_AT_WORK, RCPT_DELIVERED, RCPT_HELD };

struct rcpt {
    uint64_t due;           /* WAITS: monotonic ms */
    uint64_t note;          /* LSN of its last state record, or 0 */
    uint32_t attempts;
    uint8_t state;          /* enum rcpt_state */
    bool recovered;         /* an attempt may have come through without our knowing */
    bool delayed;           /* the sender was told that it is late */
};

struct rcpts {
    uint64_t body;          /* the number of the body file, or 0 */
    struct rcpt list[];
};

struct letter {
    uint64_t id;
    uint64_t lsn;           /* of its record */
    uint64_t size;          /* of its text */
    uint32_t length;        /* of its record, whole */
    uint16_t recipients;
    uint16_t left;          /* those not delivered */
    uint8_t flags;          /* LETTER_BINARY, LETTER_BODY */
    bool gone;              /* a hole */
    bool apart;             /* its recipients are in `many` */
    union {
        struct rcpt one;
        struct rcpts *many;
    };
};

struct due { uint64_t at, id; };

enum { LETTERS_SHIFT = 12, DUES_SHIFT = 14 };     /* chunks of 256 KiB */

struct index {
    struct letter **letters;    /* chunks */
    size_t letters_n, letters_room;
    size_t n, gone;
    struct due **dues;
    size_t dues_n, dues_room;
    size_t due_n;
    uint32_t *table;            /* only while out of order: places + 1, by hash of the id */
    size_t table_room;
    uint64_t last_id;
};

/* The letter at a place, from 0 to n - 1: holes too. */
static inline struct letter *index_at(const struct index *index, size_t place)
{
    return &index->letters[place >> LETTERS_SHIFT][place & ((1 << LETTERS_SHIFT) - 1)];
}

void index_done(struct index *index);

/* NULL when it is not there. The pointer is good until the next add, remove or order. */
struct letter *index_find(const struct index *index, uint64_t id);
/* A letter with room for its recipients, which all wait and are due at `due`. NULL without memory;
   also when that id is there already. */
MUST_USE struct letter *index_add(struct index *index, const struct letter *letter, uint64_t body,
                                  uint64_t due);
void index_remove(struct index *index, struct letter *letter);
/* Recovery has read everything: from now on the array is in order. */
void index_order(struct index *index);
static inline size_t index_count(const struct index *index) { return index->n - index->gone; }
/* The first letter with an id above `after` that is no hole; NULL when there is none. */
const struct letter *index_after(const struct index *index, uint64_t after);

static inline struct rcpt *letter_rcpt(struct letter *letter, uint32_t n)
{
    return letter->apart ? &letter->many->list[n] : &letter->one;
}
static inline uint64_t letter_body(const struct letter *letter)
{
    return letter->apart ? letter->many->body : 0;
}
/* All recipients as after acceptance: waiting, never tried. */
void letter_reset(struct letter *letter, uint64_t due);

/* The heap: letter `id` wants to be looked at. False: no memory. */
MUST_USE bool index_wake(struct index *index, uint64_t id, uint64_t at);
/* The earliest; false when the heap is empty. It stays until index_woken. */
bool index_next(const struct index *index, struct due *ret_due);
void index_woken(struct index *index);

#endif
