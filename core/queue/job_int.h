/* SPDX-License-Identifier: ISC
 *
 * queue/job_int.h: deliveries: who is due, the text of each on its way, and what came of it.
 *
 * A recipient (enum rcpt_state) goes
 *   WAITS -> AT_WORK       it was due and a job was free                     [job_turn]
 *   AT_WORK -> DELIVERED   the deliverer said so; its state is gathered      [queue_job_result]
 *   AT_WORK -> WAITS       not now: due again after a wait, as the settings say
 *   AT_WORK -> HELD        not now, and it is too old to be tried again: 4.4.7
 *   AT_WORK -> DELIVERED   it failed for good, and its sender was told, or wants no word (report.c)
 *   AT_WORK -> HELD        it failed for good, or its text is damaged: kept, seen in the queue
 *   AT_WORK -> WAITS       the deliverer died: due at once, and marked as recovered
 * Promise 1: at most one job for a recipient at a time. Promise 2: a recipient of which no state
 * says DELIVERED is never taken for delivered; one whose last attempt may have come through is
 * handed out with `recovered`. Promise 3: no text whose check is wrong is ended with NEWS_JOB_END.
 *
 * A result is written down at the next turn (conclude.c); what failed, or is late, waits for the
 * others of its letter that are at work, so that those that end together are one report.
 *
 * Recipients of one letter that go the same way are a convoy (convoy.c): the first is its lead and
 * has the text, the others are companions, each a job with a result of its own. A lead whose own
 * result came stays, without a recipient, until its last companion has ended.
 */
#ifndef POSTERN_QUEUE_JOB_INT_H
#define POSTERN_QUEUE_JOB_INT_H

#include "queue/index_int.h"
#include "queue/queue.h"
#include "queue/record_int.h"
#include "queue/report_int.h"
#include "queue/segment_int.h"

enum {
    JOB_READ = 4 * LIMIT_JOB_PART,          /* of a body file, at once */
    JOB_RETRY_MS = 3600 * 1000,             /* when the settings name no wait */
    JOB_BUSY_MS = 10 * 1000,                /* after a deliverer was too busy */
    JOB_SOON_MS = 1000,                     /* after our own troubles: memory, descriptors */
    REPORT_CONVOY_MS = 600 * 1000,          /* what failed waits for its convoy, */
    REPORT_COMPANY_MS = 1000,               /* and for others of its letter, to be told with them */
    CACHE_BYTES = 16 * 1024 * 1024,
    CACHE_LETTERS = 16 * 1024,
    /* with more letters waiting, the new ones are not next */
    CACHE_DUE_MOST = 1024,
    READS_MOST = 128,
    CONVOY_MOST = 100,                      /* recipients; RFC 5321, 4.5.3.1.8 */
    COMPANIONS_MOST = 256,                  /* of all convoys */
    JOB_SLOTS = LIMIT_JOBS + COMPANIONS_MOST,
};

enum job_state {
    JOB_FREE, JOB_READING, JOB_SENDING, JOB_SENT,
};

/* The payload of a letter's record. What news points into lives until the next step: it is
   buried first. */
struct payload {
    struct payload *next;
    size_t n;
    uint32_t users;             /* jobs that borrow from it */
    char at[];
};

struct job {
    enum job_state state;
    uint32_t number;            /* its place here, and how often that was used */
    uint64_t letter, begun_ms;
    uint64_t lsn;               /* READING: of the record that is being read */
    uint32_t recipient;
    uint64_t credit;            /* octets that may still be sent */
    struct payload *payload;    /* owned, with the others of its convoy */
    struct letter_record record;    /* borrows from payload */
    uint64_t sent;
    uint32_t crc, slot;
    uint8_t deliverer;
    bool told;                  /* NEWS_JOB was */
    bool open, reading;         /* the body file */
    bool damaged;               /* the text cannot be had: nothing is reported */
    uint32_t lead;              /* of its convoy; 0: it is the lead, or alone */
    uint32_t companions;        /* of a lead: those that have not ended */
    bool over;                  /* of a lead: its own recipient has its result */
    struct payload *start;      /* of the body file, for a report; owned; or NULL */
    bool ends;                  /* its result is known, and is written down at a turn */
    bool judged;                /* ends: ... what its sender is to hear is `answer` */
    enum queue_report answer;
    uint64_t ended_ms;          /* ends: since then, monotonic */
    struct ending end;          /* borrows from `words` and `said` */
    char words[STATE_WORDS];
    char said[QUEUE_REMOTE_MOST + QUEUE_REPLY_MOST];
};

/* Payloads of letters just accepted, oldest first: saves the read when delivery follows at once. */
struct cached {
    uint64_t id;
    struct payload *payload;    /* NULL: taken */
};

struct jobs {
    struct job list[JOB_SLOTS];     /* companions have the places from LIMIT_JOBS on */
    size_t busy;                    /* without companions */
    struct chain chains[LIMIT_IO_FILES];    /* by file slot: the reads of body files */
    uint16_t ending[JOB_SLOTS]; /* places of those that end, in the order of their results */
    size_t ending_n;
    uint64_t ripe_at;           /* one of them waits no longer than until then; 0: none does */
    bool up[QUEUE_DELIVERERS];  /* is that deliverer there? */
    struct cached *cache;       /* a ring of CACHE_LETTERS */
    size_t cache_first, cache_n, cache_bytes;
    struct payload *buried;
};

void jobs_done(struct jobs *jobs);
/* NULL: there is none of that number. */
struct job *job_find(struct queue *q, uint32_t number);
/* A place among those from `first` to before `end` that is free, with its number; NULL: none is. */
struct job *job_place(struct queue *q, uint32_t first, uint32_t end);
/* The job is over; a lead with companions stays for their sake. */
void job_end(struct queue *q, struct job *job, struct effects *fx);
/* Back to waiting: nothing is known of this attempt, or it never began. */
void job_fall_back(struct queue *q, struct job *job, bool recovered, uint64_t wait_ms,
                   struct effects *fx);
/* conclude.c: that came of the attempt; job->end says the rest. At the turn it is written down. */
void job_conclude(struct queue *q, struct job *job, const struct state_record *state,
                  struct effects *fx);
/* The time by which its sender wants it delivered is over: so it ends, without an attempt. */
MUST_USE bool job_overdue(struct queue *q, struct job *job, struct effects *fx);
void conclude_turn(struct queue *q, struct effects *fx);
/* The letter cannot be read; `fault` OK: its octets are not what they were. */
void job_unreadable(struct queue *q, struct job *job, enum fault fault, struct effects *fx);
/* convoy.c: those that go with this job, which was told and whose text was not; and the end of all
   of them but the lead, for its text cannot be read. */
void convoy_gather(struct queue *q, struct job *lead);
void convoy_unreadable(struct queue *q, const struct job *lead, enum fault fault,
                       struct effects *fx);
/* The start of its text, for a report; or NULL. */
const struct payload *convoy_start(struct queue *q, const struct job *job);
void job_turn(struct queue *q, struct effects *fx);
uint64_t job_alarm(const struct queue *q);
/* The record of a job's letter was read; empty with fault OK: it is not what it was. */
void job_record(struct queue *q, uint32_t number, struct bytes payload, enum fault fault,
                struct effects *fx);
/* A piece of a body file was read. */
void job_piece(struct queue *q, struct token token, const struct event *event, struct effects *fx);
/* A state record lies there: recovery and the log tell. */
void state_noted(struct queue *q, uint64_t id, struct bytes payload, uint64_t lsn);

void cache_keep(struct queue *q, uint64_t id, struct bytes payload);
/* Owned by the caller; NULL when it is not there. */
struct payload *cache_take(struct queue *q, uint64_t id);
void cache_done(struct jobs *jobs);
struct payload *payload_new(struct bytes text);
/* Free those of the step before. */
void payloads_unbury(struct jobs *jobs);

/* Reading records back. */
enum reader_kind { READER_JOB, READER_LISTING, READER_MOVER, READER_ORDER };
struct reading {
    bool used, opened;
    bool skipped;               /* the segment did not open, and why is still to come */
    enum fault fault;           /* why */
    enum reader_kind reader;
    uint32_t who, times;
    uint32_t segment, length;
    uint64_t lsn;
};
struct reads {
    struct reading list[READS_MOST];
    size_t n;
};
/* Read a record of that whole length; false when too much is being read already. The answer goes to
   job_record, listing_record, move_record or order_record, with `who`. */
MUST_USE bool record_fetch(struct queue *q, uint64_t lsn, uint32_t length, enum reader_kind reader,
                           uint32_t who, struct effects *fx);
void record_fetched(struct queue *q, struct token token, const struct event *event,
                    struct effects *fx);

#endif
