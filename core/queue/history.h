/* SPDX-License-Identifier: ISC
 *
 * queue/history.h: what became of every letter: its events in daily files, and the search for them.
 *
 * Not synced: the log keeps the promise, this keeps the story. Below history/ lie, for each day
 * (UTC), YYYY-MM-DD.log with the events and YYYY-MM-DD.idx with sixteen octets (keyed hash,
 * offset) for each key of each event. The search is a value that says what it wants to read next,
 * so the store and a command that looks at the files while nothing runs use the same one.
 */
#ifndef POSTERN_QUEUE_HISTORY_H
#define POSTERN_QUEUE_HISTORY_H

#include "base/buffer.h"
#include "base/bytes.h"

/* The values are those of wire.h's enum trace_by. */
enum history_by {
    HISTORY_BY_ID = 1, HISTORY_BY_MESSAGE_ID, HISTORY_BY_ADDRESS,
    HISTORY_BY_ENVID = 5,   /* 4 is told of what is not here */
};

enum history_what {
    HISTORY_ACCEPTED = 1,
    HISTORY_DELIVERED,
    HISTORY_DEFERRED,       /* tried, and will be tried again */
    HISTORY_FAILED,         /* tried, and given up; the recipient is kept in the queue */
    /* what an operator did to a recipient */
    HISTORY_RETRIED,
    HISTORY_HELD,
    HISTORY_RELEASED,
    HISTORY_BOUNCED,
    HISTORY_DELETED,
    HISTORY_REDIRECTED,     /* `to`: the new entry */
    HISTORY_WHATS
};

struct history_event {
    enum history_what what;
    uint64_t id;            /* the letter */
    uint64_t at_ms;         /* wall clock */
    uint64_t begun_ms;      /* when the attempt began; 0 for ACCEPTED */
    uint64_t size;          /* ACCEPTED: octets of text; an operator's act: his uid; DELIVERED:
                               octets that were kept off the wire */
    uint32_t recipient;     /* its number in the letter, from 0; 0 for ACCEPTED */
    uint32_t attempt;       /* from 1; 0 for ACCEPTED */
    uint64_t due_ms;        /* DEFERRED: next attempt, wall clock */
    uint8_t class;          /* status of the attempt as three numbers */
    uint16_t subject, detail;
    struct bytes head;      /* ACCEPTED: the letter's head, as mail/envelope reads it */
    /* ACCEPTED: blocks (u32 length, entry), one a recipient; else that one's entry */
    struct bytes to;
    struct bytes words;     /* why */
};

/* The octets of one event (a WIRE_TRACE_ROW's tail), and back; slices borrow from the text. */
void history_put(struct buffer *to, const struct history_event *event);
MUST_USE bool history_read(struct bytes text, struct history_event *ret_event);

/* The key under which a text is found: Message-ID without brackets, an address in normal form, an
   id as 13 characters. The same everywhere: a hash that the files' own secret is put over later.
   */
uint64_t history_key(enum history_by by, struct bytes text);

/* A search. Give it the names of the folder (each ended by '\n', as IO_LIST tells), then ask what
   it needs. */
struct history_search;
MUST_USE struct history_search *history_search_new(enum history_by by, struct bytes key,
                                                   struct bytes names);
void history_search_free(struct history_search *search);

enum history_need {
    /* `count` octets at `offset` of history/`name`, or fewer at its end; then _give */
    HISTORY_NEEDS_READ,
    HISTORY_HAS_EVENT,      /* `event`: ready for history_read; lives until the next call */
    HISTORY_ENDS,           /* `more`: older letters were left out */
};
struct history_want {
    enum history_need need;
    struct bytes name;
    uint64_t offset;
    uint32_t count;
    struct bytes event;
    bool more;
};
/* What it needs now. Events come letter by letter, the oldest letter first, in order of time. */
struct history_want history_search_next(struct history_search *search);
/* What was read (empty when there is no such file or it failed). */
void history_search_give(struct history_search *search, struct bytes octets);

#endif
