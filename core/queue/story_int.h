/* SPDX-License-Identifier: ISC
 *
 * queue/story_int.h: the writer of the history (queue/history.h, queue/day_int.h), and its
 * searches.
 *
 * Events are gathered in memory and written a moment later, many at once; nothing waits for them
 * and nothing is synced. When they cannot be written they are dropped and counted: the log keeps
 * the promises.
 */
#ifndef POSTERN_QUEUE_STORY_INT_H
#define POSTERN_QUEUE_STORY_INT_H

#include "base/buffer.h"
#include "queue/day_int.h"
#include "queue/history.h"
#include "queue/queue.h"
#include "queue/record_int.h"
#include "queue/segment_int.h"

enum {
    STORY_HELD = 8 * 1024 * 1024,   /* events that wait to be written; more are dropped */
    STORY_EAGER = 256 * 1024,
    STORY_WAIT_MS = 50,
    STORY_AGAIN_MS = 10 * 1000,     /* after a failure */
    STORY_TIDY_MS = 3600 * 1000,
    SEARCHES_MOST = 8,
    STORY_KEYS_AT_ONCE = LIMIT_RECIPIENTS_MOST + 8,
};

enum story_stage {
    STORY_CLOSED,
    STORY_OPEN_LOG, STORY_MAKE_LOG, STORY_OPEN_IDX, STORY_MAKE_IDX,     /* under way */
    STORY_READY,
    STORY_WRITING,
};

struct seeking {
    bool used, opened, forgotten;
    uint32_t token, slot;
    uint64_t times;                 /* how many operations this place has asked for */
    struct history_search *search;  /* NULL: not begun, or the names are being listed */
    bool listing;
    enum history_by by;
    struct buffer key;
    char name[DAY_NAME];            /* of the file in the slot */
};

/* Old days go: by age, then until all are small enough. */
enum tidy_stage { TIDY_IDLE, TIDY_LISTING, TIDY_MEASURING };
struct tidy {
    enum tidy_stage stage;
    uint64_t at;                    /* the next time */
    uint64_t *days, *sizes;         /* in order */
    size_t n, next;                 /* next: twice the day's place, and one for its .idx */
    uint32_t slot;
    bool opened;
};

struct story {
    enum story_stage stage;
    uint64_t day;                   /* of the open files */
    uint32_t log_slot, idx_slot;
    bool log_open, idx_open;
    uint64_t log_at, idx_at;        /* where the next octets go */
    struct buffer log, idx;         /* idx: (key, offset in `log`), made ready when it is written */
    uint64_t flush_at, again_at;
    uint64_t dropped;
    uint64_t serial;                /* of what is under way */
    struct seeking seeking[SEARCHES_MOST];
    struct tidy tidy;
};

void story_init(struct story *story);
void story_done(struct story *story);
/* A letter is gathered: its event waits with its group. */
void story_accepted(struct queue *q, uint64_t id, const struct letter_record *letter,
                    struct queue_keys keys);
/* The group is durable: its events go to the history. */
/* The same for any event: told when the group being gathered is durable. */
void story_staged(struct queue *q, const struct history_event *event, struct queue_keys keys);
void story_settle(struct queue *q, struct bytes staged);
void story_event(struct queue *q, const struct history_event *event);
void story_turn(struct queue *q, struct effects *fx);
void story_io(struct queue *q, struct token token, const struct event *event, struct effects *fx);
uint64_t story_alarm(const struct queue *q);
/* The files a search or the tidying may use. */
struct bytes story_name(struct effects *fx, struct bytes name);
void story_flush(struct queue *q, struct effects *fx);

/* seek.c: begin those searches for which all that is known is written. tidy.c */
void seek_turn(struct queue *q, struct effects *fx);
void seek_io(struct queue *q, struct token token, const struct event *event, struct effects *fx);
void seek_done(struct story *story);
/* Nobody wants to know any more: they end when what they read has come. */
void seek_forget(struct queue *q, struct effects *fx);
void tidy_turn(struct queue *q, struct effects *fx);
void tidy_io(struct queue *q, const struct event *event, struct effects *fx);
void tidy_done(struct tidy *tidy);

#endif
