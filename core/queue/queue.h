/* SPDX-License-Identifier: ISC
 *
 * queue/queue.h: the mail queue as a value: letters go in, are safe on disk, and come out as jobs.
 *
 * Stands on base alone and knows no mail: a letter is a head, recipients and a text, all of them
 * octets that somebody else can read. It knows no file either: it asks for file operations
 * (FX_IO) and is told how they ended (EV_IO). What it has to say to its owner, the store role, it
 * says as news, in order; the owner takes them all after every call. The promises and the format
 * on disk are in queue/README.md.
 */
#ifndef POSTERN_QUEUE_QUEUE_H
#define POSTERN_QUEUE_QUEUE_H

#include "base/effects.h"
#include "base/limits.h"

struct queue;

/* What became of one recipient. Slices live during the call. */
struct queue_end {
    uint64_t at_ms;
    uint64_t due_ms;            /* LATER: the next attempt, wall clock */
    uint32_t recipient, attempt;
    uint8_t outcome;            /* enum queue_outcome */
    bool stays;                 /* LATER: it is tried however old it is */
    uint8_t beyond;             /* as in the result */
    uint8_t class;
    uint16_t subject, detail;
    struct bytes words;
    struct bytes remote, reply; /* the server that said so, and how; may be empty */
    struct bytes to;            /* its entry */
};
/* What became of recipients of one letter, for the owner to say what its sender is to hear. */
struct queue_verdict {
    uint64_t id, size, received_ms;
    struct bytes head;
    struct bytes text;          /* the start of its text, all of it when it has `size` octets */
    uint64_t most;              /* octets that the report's text may have */
    const struct queue_end *ends;   /* at least one; in order of the recipients; all of the same
                                       outcome and `beyond` */
    size_t ends_n;
};
enum queue_report {
    QUEUE_REPORT_NONE,          /* nobody is to hear of it; a failed recipient is done with */
    QUEUE_REPORT_WRITTEN,       /* put this letter into the queue, in one group with the states */
    QUEUE_REPORT_HOLD,          /* a failed recipient stays in the queue until somebody looks */
    QUEUE_REPORT_NOT_NOW,       /* no memory: a failed recipient is tried once more, soon */
    QUEUE_REPORT_TOO_LARGE,     /* tell of fewer at once */
};

struct queue_letter;
struct queue_keys;

enum { QUEUE_REMOTE_MOST = 256, QUEUE_REPLY_MOST = 896 };
enum { QUEUE_RETRIES = 32, QUEUE_DELIVERERS = 2 };

/* How long and how often somebody is tried. */
struct queue_patience {
    /* how long to wait after the first attempt that failed for now, after the second, and so on;
       the last again and again. None: an hour */
    uint64_t retry_ms[QUEUE_RETRIES];
    size_t retries;
    uint64_t late_ms;           /* so old, a letter is looked at whatever the schedule says, so that
                                   its sender hears at that instant that it is late; 0: never */
    uint64_t give_up_ms;        /* so old, what fails for now has failed for good; 0: never */
    uint64_t until_ms;          /* who stays is looked at then at the latest, wall clock; 0: as the
                                   schedule says */
    uint64_t tell_ms;           /* wall clock: its sender hears then that it is late, not `late_ms`
                                   after it came. At or before it came, or 0: as `late_ms` says */
    uint64_t over_ms;           /* wall clock: from then on it is not handed out, and whoever was
                                   not delivered to, even who stays, has failed; 0: never */
};

struct queue_conf {
    /* Asked at each end of an attempt, of that recipient alone: WRITTEN when the sender is to hear
       of it. NULL, with `report`: a failed recipient stays in the queue until somebody looks. */
    enum queue_report (*wants)(void *reporter, const struct queue_verdict *verdict);
    /* The report about those that end together. The slices of the letter and the keys live until
       the next call. */
    enum queue_report (*report)(void *reporter, const struct queue_verdict *verdict,
                                struct queue_letter *ret_letter, struct queue_keys *ret_keys);
    void *reporter;
    /* Told how long each flush took that ended well. NULL: nobody is. */
    void (*flushed)(void *reporter, uint64_t ms);
    /* of a log file: 65536 .. LIMIT_SEGMENT_BYTES, a multiple of 4096 */
    uint64_t segment_bytes;
    uint64_t space_least;       /* free octets below which no letter is taken */
    struct queue_patience patience;
    /* Another one for that recipient: changes what it is given. NULL: all have the same. */
    void (*patience_for)(const void *of, struct bytes head, struct bytes to,
                         struct queue_patience *patience);
    unsigned jitter;            /* of waits of an hour or more: so many hundredths longer or
                                   shorter, by chance, so that not all come at once; at most 50 */
    /* Who delivers to that recipient: below QUEUE_DELIVERERS. NULL: the first does all. */
    uint8_t (*deliverer)(const void *of, struct bytes to);
    /* The way its copy goes: recipients of one letter with the same way go out together, as jobs of
       which only the first has a text. 0, or NULL: each goes alone. */
    uint64_t (*way)(const void *of, struct bytes to);
    const void *of;
    uint64_t history_keep_ms, history_most;
    uint32_t jobs;              /* deliveries at once, 1 .. LIMIT_JOBS */
    bool deliver;               /* false: no job is handed out */
};

/* Where a letter came from; the owner's own numbers, given back in the news about it. */
struct queue_from {
    uint32_t peer;              /* which front */
    uint32_t token;             /* of that front's choosing */
};

/* May letters be taken? */
enum queue_state { QUEUE_CLOSED, QUEUE_OPEN, QUEUE_LOW, QUEUE_READ_ONLY };
/* Why one was not. */
enum queue_refusal { QUEUE_NOT_NOW = 1, QUEUE_NO_SPACE, QUEUE_TOO_LARGE, QUEUE_UNKNOWN };
enum queue_outcome {
    QUEUE_DELIVERED = 1, QUEUE_LATER, QUEUE_FAILED,
    QUEUE_BUSY,                 /* the attempt was not begun, and does not count */
};

enum queue_news_kind {
    NEWS_STATE,         /* `state` is another now */
    NEWS_TAKEN,         /* the letter of `from` is on stable storage as `id` */
    NEWS_REFUSED,       /* it is not kept, or (QUEUE_UNKNOWN) nobody can say */
    NEWS_CREDIT,        /* `octets` more of that letter's text may be sent */
    NEWS_JOB,           /* deliver `to` (one recipient) of letter `id`: its text follows in parts */
    NEWS_JOB_TEXT,      /* `text`: the next part of at most LIMIT_JOB_PART octets */
    NEWS_JOB_END,       /* that was all of it, and its check is right */
    NEWS_JOB_DROP,      /* forget the job, deliver nothing of it: its text cannot be read */
    NEWS_ROW,           /* one unfinished recipient, for the listing `token` */
    /* one event of a letter's history, for the search `token`: history_read reads it */
    NEWS_EVENT,
    /* the listing or search `token` ends; `more`: 0 all was said, 1 there is more, 2 not now */
    NEWS_ANSWER_END,
    /* the order `token` is over; `more`: enum queue_ordered; `octets`: recipients that it changed;
       `attempt`: those that are being delivered and were left alone */
    NEWS_ORDERED,
    /* `token`: enum queue_keeping; `more`: enum queue_kept; READ: `text` is what queue_keep kept
       last, told once for each, before any job */
    NEWS_KEPT,
};

/* Slices live until the next call that takes a queue and an event. */
struct queue_news {
    enum queue_news_kind kind;
    enum queue_state state;
    enum queue_refusal why;
    struct queue_from from;
    uint32_t octets;
    uint32_t job;
    uint32_t token;
    uint8_t more;
    uint8_t deliverer;          /* JOB, JOB_TEXT, JOB_END, JOB_DROP: whose it is */
    uint32_t with;              /* JOB: another job, told before, whose text is its text too: no
                                   other news of text will come; 0: it has its own. That text goes
                                   on to its end whatever the result of its own job */
    /* JOB: an earlier attempt may have come through without our knowing */
    bool recovered;
    bool binary;                /* JOB: line ends are the sender's own */
    bool failed;                /* ROW: given up, and kept until somebody looks */
    bool at_work;               /* ROW: being delivered at this moment */
    uint64_t id;                /* the letter */
    uint32_t recipient, attempt;
    uint64_t size, received_ms, due_ms;
    uint64_t noted_ms;          /* ROW: when what the note says happened, or 0 */
    struct bytes head, to, text, note;
};

enum { LIMIT_JOB_PART = 60 * 1024 };

/* A queue that knows nothing yet; NULL without memory. The settings are copied. */
MUST_USE struct queue *queue_new(const struct queue_conf *conf);
void queue_free(struct queue *queue);
/* Other settings from now on. Its segments and its reporter stay as they are. */
void queue_set(struct queue *queue, const struct queue_conf *conf);

/* EV_START begins recovery. EV_IO, EV_ALARM and EV_TURN must all be handed on; other events are
   ignored, and so is an EV_IO that is not the queue's own (their tokens have the top bit set: see
   queue_owns). */
void queue_step(struct queue *queue, const struct event *event, struct effects *fx);
/* The monotonic time at which it wants an EV_ALARM, or 0. */
uint64_t queue_alarm(const struct queue *queue);
/* The next news, oldest first; false when there are no more. */
bool queue_news(struct queue *queue, struct queue_news *ret_news);

enum queue_state queue_state(const struct queue *queue);
/* Letters that are on disk and not finished. */
uint64_t queue_letters(const struct queue *queue);

/* What it counted since it began. */
struct queue_counts {
    uint64_t written;           /* octets of records */
    uint64_t reports;
    uint64_t space;             /* free octets, as last looked at */
    uint64_t oldest_ms;         /* when the oldest letter came, wall clock; 0: there is none */
};
struct queue_counts queue_counts(const struct queue *queue);

/* The segments that hold all that is safe on disk: `first` to `last`, of the last one so many
   octets. */
struct queue_image {
    uint32_t first, last;
    uint64_t octets;
};
/* From now on these octets, and all body files that they name, stay as they are. False: not now
   (the log is being mended, space is short, or it is held already). */
MUST_USE bool queue_hold(struct queue *queue, struct queue_image *ret_image);
/* No more. False: they did not stay until now (space ran short), or nothing was held. */
bool queue_release(struct queue *queue, struct effects *fx);

/* Nothing waits to be written, to the log or to the history, and nothing is being written: the
   moment to end a store that is asked to. */
bool queue_settled(const struct queue *queue);

/* What the history is to be found by beside the id: addresses and a Message-ID, as history_key
   wants them. */
struct queue_keys {
    const uint64_t *list;
    size_t n;
};

/* A whole small letter. `to`: blocks (u32 length, octets), one for each recipient, at least one.
   NEWS_TAKEN or NEWS_REFUSED answers. Everything is copied. */
struct queue_letter {
    struct bytes head, to, text;
    bool binary;
};
void queue_put(struct queue *queue, struct queue_from from, const struct queue_letter *letter,
               struct queue_keys keys, struct moment now, struct effects *fx);

/* A letter in pieces: begin, recipients, parts (LIMIT_LETTER_CREDIT octets may come unasked, then
   as much as NEWS_CREDIT says), end. What does not fit this order, or the credit, refuses the
   letter. False: the peer broke the protocol (an unknown token, a token twice) and is not to be
   listened to any more. */
bool queue_begin(struct queue *queue, struct queue_from from, bool binary, uint64_t size,
                 struct effects *fx);
bool queue_to(struct queue *queue, struct queue_from from, struct bytes to);
bool queue_part(struct queue *queue, struct queue_from from, struct bytes text, struct effects *fx);
bool queue_end(struct queue *queue, struct queue_from from, uint64_t size, struct bytes head,
               struct queue_keys keys, struct moment now, struct effects *fx);
/* The recipients that queue_to gathered, to make keys from; empty for an unknown letter. */
struct bytes queue_gathered(const struct queue *queue, struct queue_from from);
/* Forget a begun letter; nothing is answered. An unknown one is no mistake: it may just have been
   answered. */
void queue_drop(struct queue *queue, struct queue_from from, struct effects *fx);
/* All begun letters of a peer that died. */
void queue_drop_peer(struct queue *queue, uint32_t peer, struct effects *fx);

/* That deliverer is there, or gone: all its jobs fall back, and are marked as recovered. */
void queue_deliverer(struct queue *queue, uint8_t which, bool up, struct effects *fx);
/* It may be sent so many more octets of that job. An unknown job is no mistake. */
void queue_job_credit(struct queue *queue, uint32_t job, uint32_t octets, struct effects *fx);
struct queue_result {
    uint32_t job;
    enum queue_outcome outcome;
    uint8_t beyond;             /* DELIVERED: the owner's own number, given back in the verdict */
    uint8_t class;
    uint16_t subject, detail;
    bool stays;                 /* LATER: however old it is */
    uint64_t saved;             /* DELIVERED: octets that were kept off the wire, for the history */
    struct bytes words;
    struct bytes remote, reply; /* which server it was, and what it said; cut at these lengths */
};
/* The deliverer's word is final, also before it got all of the text: it may have found the
   letter already there. */
void queue_job_result(struct queue *queue, const struct queue_result *result, struct moment now,
                      struct effects *fx);

/* Octets of the owner's own, in place of those before; copied. NEWS_KEPT says when that is
   durable, or that it is not certain. False: not now. */
enum queue_keeping { QUEUE_KEEPS_HELD, QUEUE_KEEPS_MEMORY, QUEUE_KEEPS };
enum { QUEUE_KEEP_MOST = 256 * 1024, QUEUE_MEMORY_MOST = 8 * 1024 * 1024 };
enum queue_kept { QUEUE_KEPT_READ, QUEUE_KEPT_WELL, QUEUE_KEPT_NOT };
MUST_USE bool queue_keep(struct queue *queue, enum queue_keeping which, struct bytes octets,
                         struct effects *fx);

/* The letters after `after`, in order of id, at most `most` rows: NEWS_ROW, then NEWS_ANSWER_END.
   */
void queue_list(struct queue *queue, uint32_t token, uint64_t after, uint32_t most,
                struct effects *fx);
/* Whoever asked for listings and searches is gone: tell nothing more of them. */
void queue_forget_answers(struct queue *queue, struct effects *fx);
/* The history of what the key names (queue/history.h): NEWS_EVENT, then NEWS_ANSWER_END. */
void queue_trace(struct queue *queue, uint32_t token, uint8_t by, struct bytes key,
                 struct effects *fx);

/* What an operator wants with some recipients of a letter. */
enum queue_verb {
    QUEUE_RETRY = 1,    /* who waits is tried at once */
    QUEUE_KEEP,         /* who waits is held: not tried until somebody says so */
    QUEUE_RELEASE,      /* who is held is tried at once */
    QUEUE_BOUNCE,       /* it has failed: 5.7.0, and its sender is told */
    QUEUE_DELETE,       /* done with; nobody is told */
    QUEUE_REDIRECT,     /* another entry stands in its place, never tried yet */
};
enum queue_ordered {
    QUEUE_ORDER_WELL,           /* durable */
    QUEUE_ORDER_NOT_NOW,        /* nothing was changed */
    QUEUE_ORDER_NOT_CERTAIN,    /* writing it failed: look again */
    QUEUE_ORDER_NO_REPORT,      /* BOUNCE: there is nobody to tell; nothing was changed */
};
struct queue_order {
    uint32_t token;             /* of the answer, NEWS_ORDERED */
    enum queue_verb verb;
    uint64_t letter;
    uint32_t uid;               /* whoever wants it: for the history */
    struct bytes recipients;    /* their numbers, u32 each, growing; others are not touched */
    struct bytes to;            /* REDIRECT: for each of them a block, the new entry */
    struct bytes reason;        /* for the report and the history; may be empty */
    struct queue_keys keys;     /* REDIRECT: of the new entries, for the history */
};
/* Everything is copied. A recipient that the verb does not fit, or that is gone, is left alone. */
void queue_order(struct queue *queue, const struct queue_order *order, struct moment now,
                 struct effects *fx);

#endif
