/* SPDX-License-Identifier: ISC
 *
 * queue/walk_int.h: the walk over a whole log after a stop: which records count, and where it ends.
 *
 * Pure: it says which octets it wants next and is given them; recovery and `postern store check`
 * drive it. It goes through the segments in order and tells each record that counts, atomic groups
 * whole or not at all. Where no whole record lies, the octets are
 *   - behind a SEAL or a CUT: nothing at all;
 *   - a torn tail, when no record anywhere says that something at or above this place was durable:
 *     the log ends here;
 *   - else damage: something that was once on stable storage cannot be read. It looks on, record by
 *     record, and keeps all that reads.
 * Promise 1: no record behind a torn tail counts, none before it is lost. Promise 2: damage never
 * ends the log. Promise 3: the same octets give the same answer, however they come in pieces.
 */
#ifndef POSTERN_QUEUE_WALK_INT_H
#define POSTERN_QUEUE_WALK_INT_H

#include "queue/scan_int.h"

enum walk_need {
    WALK_READ,          /* octets of a segment; then log_walk_give */
    WALK_RECORD,        /* a record that counts */
    WALK_FLAW,          /* octets that do not read */
    WALK_END,
    WALK_NO_MEMORY,
};

struct walk_flaw {
    uint64_t lsn, octets;
    uint64_t id;            /* of the letter whose record's head is still right there, or 0 */
    bool torn;
    const char *words;
};

struct walk_end {
    bool nothing;           /* there is no segment */
    bool unreadable;        /* there are, but none has a head: their key is lost */
    bool sealed;            /* the last one is full */
    bool fresh;             /* it must not be written again: part of it cannot be read */
    uint64_t lsn;           /* the log ends here */
    uint64_t zero_to;       /* octets of the torn tail reach up to this offset; 0: there is none */
    uint64_t durable;
    uint32_t epoch;
    uint64_t last_id;       /* by the heads */
    size_t segments;        /* those after this many hold nothing */
};

struct walk_step {
    enum walk_need need;
    uint32_t segment, count;    /* READ */
    uint64_t offset;
    struct record record;       /* RECORD: borrows until the next call */
    struct walk_flaw flaw;
    struct walk_end end;
};

enum { WALK_FIRST = 256, WALK_HEAD = SEGMENT_HEAD + WALK_FIRST };
struct walk_segment {
    uint32_t number;
    bool read, head_right, failed;
    uint64_t end;               /* by a CUT: the offset where it ends; 0: none says so */
    char first[WALK_FIRST];     /* the octets behind the head */
    size_t first_n;
};

enum walk_mode { WALK_HEADS, WALK_APPLY, WALK_PEEK, WALK_SEEK, WALK_OVER };

struct log_walk {
    enum walk_mode mode;
    struct walk_segment *segments;
    size_t n, at;
    bool key_known, waits, begun, bad;
    uint8_t key[STORE_KEY];
    struct scan scan;
    uint64_t next_offset;       /* of the next octets to read */
    uint32_t piece, asked;      /* how many at once; small where some could not be read */
    uint64_t flaw, flaw_offset; /* while PEEK or SEEK: LSN of what is lost, and where to look on */
    size_t flaw_at;
    uint32_t flaw_epoch;
    uint64_t flaw_ours;         /* what the flaw's segment claims, while others are peeked into */
    uint64_t group;             /* LSN of the first record of an open atomic group, or 0 */
    struct buffer grouped;      /* its payloads */
    struct record *records;     /* those, and which of them are told */
    size_t records_n, records_room, records_told;
    struct walk_end end;
    struct walk_flaw told;
    bool has_flaw;
};

/* Numbers in growing order. False: no memory. */
MUST_USE bool log_walk_init(struct log_walk *walk, const uint32_t *numbers, size_t n);
void log_walk_done(struct log_walk *walk);
struct walk_step log_walk_next(struct log_walk *walk);
/* Fewer octets than asked for: the file ends there. `failed`: they could not be read. */
void log_walk_give(struct log_walk *walk, struct bytes octets, bool failed);

#endif
