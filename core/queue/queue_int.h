/* SPDX-License-Identifier: ISC
 *
 * queue/queue_int.h: the queue's parts together. Each part has its file; queue.c steps them.
 */
#ifndef POSTERN_QUEUE_QUEUE_INT_H
#define POSTERN_QUEUE_QUEUE_INT_H

#include "base/log.h"
#include "queue/arrive_int.h"
#include "queue/job_int.h"
#include "queue/keep_int.h"
#include "queue/list_int.h"
#include "queue/log_int.h"
#include "queue/move_int.h"
#include "queue/order_int.h"
#include "queue/queue.h"
#include "queue/recover_int.h"
#include "queue/report_int.h"
#include "queue/story_int.h"

struct segment {
    uint32_t number;
    uint32_t letters;       /* unfinished ones that lie here */
    uint64_t bytes;         /* of their records */
    uint32_t slot;          /* + 1; 0: not open */
    bool sure;              /* it is open; else it is being opened */
    uint32_t reads;         /* under way */
    bool suspect;           /* a sync of it failed, or it cannot all be read: never used again */
};

/* Spares are files with numbers of their own. */
enum { SPARES_WANTED = 2, SPARES_MOST = 4, SPACE_LOOK_MS = 1000, SEGMENTS_OPEN = 32 };
struct spares {
    uint32_t list[SPARES_MOST];
    size_t n;
    uint32_t next;          /* number of the next to be made */
    uint32_t slot, number;  /* of the one being made */
    struct chain chain;
    bool making;
    bool failed;            /* one could not be made: not again before the next look at space */
};

/* Files stay for whoever copies them: hold.c. */
enum { HOLD_BODIES_MOST = 8 * 1024 * 1024 };
struct hold {
    bool on;
    struct buffer bodies;   /* u64 each: files to be removed when it ends */
};

struct queue {
    struct queue_conf conf;
    struct moment now;
    enum queue_state told;          /* the state that the owner knows */
    bool space_low;
    uint64_t space_at;              /* when to look at the space again */
    uint8_t key[STORE_KEY];
    uint32_t epoch;
    uint64_t last_id;
    bool damaged;                   /* no body file is removed by inference */
    bool slots[LIMIT_IO_FILES];
    size_t slots_used;
    struct segment *segments;       /* in order of number */
    size_t segments_n, segments_room;
    bool leaving;                   /* the first of them is being recycled or removed */
    struct chain leave;
    uint32_t leave_spare;           /* the number it gets as a spare, or 0 */
    uint64_t leave_at;              /* not before: the last try failed */
    struct spares spares;
    struct index index;
    struct log log;
    struct recovery recovery;
    struct arrivals arrivals;
    struct jobs jobs;
    struct reads reads;
    struct listings listings;
    struct orders orders;
    struct mover mover;
    struct story story;
    struct hold hold;
    struct keep keeps[QUEUE_KEEPS];
    struct queue_counts counts;
    uint64_t flush_began_ms;
    struct queue_news *news;
    size_t news_n, news_at, news_room;
    bool bad;                       /* out of memory where it cannot be borne: the role ends */
};

/* A free file slot; false when all that this purpose may have are taken. */
MUST_USE bool slot_take(struct queue *q, uint32_t *ret_slot);
void slot_free(struct queue *q, uint32_t slot);
size_t slots_free(const struct queue *q);

void news_tell(struct queue *q, const struct queue_news *news);
void news_refused(struct queue *q, struct queue_from from, enum queue_refusal why);

/* segments.c: the table of segments and spares, and their end. */
struct segment *segment_find(struct queue *q, uint32_t number);
MUST_USE bool segment_add(struct queue *q, uint32_t number);
/* A letter's record lies there, or no longer does. */
void segment_gains(struct queue *q, uint64_t lsn, uint32_t length);
void segment_loses(struct queue *q, uint64_t lsn, uint32_t length);
/* Close one that nobody reads or writes, when many are open: before another is opened. */
void segment_close_one(struct queue *q, struct effects *fx);
/* A spare for a new segment: its number; *ret_fresh: it must be made. */
uint32_t spare_take(struct queue *q, bool *ret_fresh);
bool spares_for_letters(const struct queue *q);
void segments_turn(struct queue *q, struct effects *fx);
void segments_io(struct queue *q, struct token token, enum fault fault, struct effects *fx);
void space_told(struct queue *q, enum fault fault, uint64_t octets);

/* hold.c: true: that body file is kept for now. */
bool hold_body(struct queue *q, uint64_t body);
void hold_turn(struct queue *q, struct effects *fx);

/* A letter and its body file leave the queue. */
void letter_leaves(struct queue *q, uint64_t id, struct effects *fx);

/* The next id: above all before, and near the wall clock. */
uint64_t id_next(struct queue *q);

/* A log line about a place of the log, or a letter. */
void say_place(struct effects *fx, enum log_level level, const char *event, uint64_t lsn,
               uint64_t octets, const char *words);
void say_letter(struct effects *fx, enum log_level level, const char *event, uint64_t id,
                const char *words);

#endif
