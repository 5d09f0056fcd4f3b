/* SPDX-License-Identifier: ISC
 *
 * queue/log_int.h: the writer of the log: records are gathered in groups, each is written and
 * synced as one chain, and what hangs on its records is done when it is durable.
 *
 * A record is in one of three states, and each instant has one function:
 *   GATHERED -> WRITTEN   the chain of its group is under way    [log_turn]
 *   WRITTEN  -> DURABLE   the sync of its group succeeded        [log_io]  <- instant of the 250
 *   GATHERED, WRITTEN -> DROPPED   a write, sync or birth failed [log_fail]
 * Promise 1: one chain at a time; a group is written only when all before it is durable.
 * Promise 2: a fate is settled in the order of the log, once, and never before its record is
 *   DURABLE.
 * Promise 3: a sync that failed is not repeated. The log goes on in a new segment, whose first
 *   record says where the old one ends (CUT); dropped letters are answered when that is durable;
 *   state changes are written again behind it.
 * Promise 4: a segment gets its first record only when it and its name are durable and the one
 *   before it is sealed or cut; so whoever finds a record in segment N+1 knows that N is whole.
 */
#ifndef POSTERN_QUEUE_LOG_INT_H
#define POSTERN_QUEUE_LOG_INT_H

#include "queue/company_int.h"
#include "queue/index_int.h"
#include "queue/queue.h"
#include "queue/record_int.h"
#include "queue/segment_int.h"

enum {
    LOG_GROUPS = 8,
    LOG_WAITING_MOST = 128 * 1024 * 1024,   /* octets gathered and not yet durable */
    LOG_STATES_WAIT_MS = 50,                /* a state change alone waits so long for company */
    LOG_MARK_MS = 1000,
    LOG_EAGER_BYTES = 256 * 1024,           /* so much is not held back for the turn's end */
};

/* A piece of a group's octets; the memory is given to the world when it is written. */
struct block {
    char *at;
    size_t n, room;
};

enum fate_kind {
    FATE_LETTER,        /* durable: into the index, and the 250 */
    FATE_DONE,          /* durable: out of the index, its body file goes */
    FATE_MOVED,         /* durable: the letter lies here now */
    FATE_ORDER,         /* durable: whoever ordered it is told */
    FATE_REPORT,        /* durable: a report is in the queue, and recipients are done with */
};
struct fate {
    enum fate_kind kind;
    struct queue_from from;
    struct letter letter;
    uint64_t body;
    uint64_t *notes;    /* MOVED: for each recipient the LSN of its copied state, or 0; REPORT: the
                           recipients that it speaks of; owned */
    bool anew;          /* MOVED: behind them for each what move_anew marked */
    uint64_t about;     /* REPORT: the letter that it speaks of; ORDER: recipients it changed */
    uint32_t recipient; /* REPORT: how many `notes`; ORDER: recipients it left alone */
    bool delivered;     /* REPORT: they were */
    bool done;          /* REPORT: that was the letter's last recipient */
};

struct group {
    uint32_t segment;
    uint64_t from, to;          /* LSNs */
    bool urgent;                /* somebody waits for it */
    bool marks_only;            /* nothing in it needs a mark to call it durable */
    struct block *blocks;
    size_t blocks_n, blocks_room;
    struct fate *fates;
    size_t fates_n, fates_room;
    struct buffer states;       /* its state changes: u64 id, block payload */
    struct buffer story;        /* history of its letters, told when it is durable */
};

enum log_mode {
    LOG_CLOSED,         /* recovery is not done */
    LOG_READY,
    LOG_WRITING,        /* the chain of the first group is under way */
    LOG_BIRTH,          /* the segment of the first group is being made */
    LOG_MEND_BIRTH,     /* a segment is being made in which to say where the failed one ends */
    LOG_MEND_WRITE,     /* and that is being written */
    LOG_DEAD,           /* that failed too: read-only */
};

struct refused {
    struct queue_from from;
    uint64_t body;
};

struct log {
    enum log_mode mode;
    uint32_t segment, slot;     /* open for appending, on disk */
    uint32_t top;               /* the highest number any segment has had */
    uint32_t fill;              /* the next record goes into this segment (perhaps not yet made) */
    uint64_t fill_offset;
    uint64_t durable;
    struct chain chain;         /* the one under way */
    uint32_t birth_spare;
    struct group groups[LOG_GROUPS];    /* a ring */
    size_t first, groups_n;
    size_t waiting;             /* octets */
    uint64_t flush_at, mark_at; /* monotonic ms, or 0 */
    struct company company;
    struct cut cuts[CUTS_MOST];
    size_t cuts_n;
    struct buffer again;        /* state changes of dropped groups */
    struct refused *refused;
    size_t refused_n, refused_room;
    enum queue_refusal why;
};

struct queue;

void log_init(struct log *log);
void log_done(struct log *log);

/* Where a record is being built: its payload goes to `at` + RECORD_HEAD. */
struct place {
    char *at;
    struct record record;
};
/* Can `size` octets of records (of one atomic group, record_size each) be gathered now, in one
   segment, and two fates? Takes all the memory that this needs; seals the segment and goes on in
   the next when it must. `letters`: they may not take the last spare. False: nothing has changed.
   */
MUST_USE bool log_fits(struct queue *q, uint64_t size, bool letters);
/* Room for one record, after log_fits. */
struct place log_place(struct queue *q, enum record_kind kind, uint64_t id, uint64_t payload);
void log_placed(struct queue *q, struct place *place, uint8_t flags);
/* What shall be done when all gathered so far is durable; after log_fits. */
void log_fate(struct queue *q, const struct fate *fate);
struct group *log_gathering(struct queue *q);
/* Make sure the gathered is written at the next turn. */
void log_urge(struct queue *q);

/* When its record is durable, the letter goes, if all its recipients are done with. */
bool log_letter_done(const struct queue *q, uint64_t id);
/* Remember a state of the gathered group, to be written again should the group fail. */
MUST_USE bool log_remember(struct queue *q, uint64_t id, struct bytes payload);

/* A state change: gathered, and remembered until it is durable. False: no memory or no room. */
MUST_USE bool log_state(struct queue *q, uint64_t id, const struct state_record *state,
                        uint64_t *ret_lsn);

void log_turn(struct queue *q, struct effects *fx);
void log_io(struct queue *q, struct token token, enum fault fault, struct effects *fx);
/* Something failed: drop what is not durable and go on in a new segment. */
void log_fail(struct queue *q, enum fault fault, struct effects *fx);
/* The time at which it wants a turn, or 0. */
uint64_t log_alarm(const struct queue *q);

/* Recovery is done: go on in this segment, whose slot is open, at this LSN. */
void log_open(struct queue *q, uint32_t segment, uint32_t slot, uint64_t lsn);
/* Or begin a new segment, cutting the old ones off. */
void log_open_new(struct queue *q, const struct cut *cuts, size_t n, struct effects *fx);

#endif
