/* SPDX-License-Identifier: ISC
 *
 * queue/arrive_int.h: letters that come in pieces, until their record is gathered.
 *
 *   SMALL -> MAKES     more came (or was declared) than lies in a record: its body file is made
 *   MAKES -> IN_FILE   that succeeded; from now on text is written, and credit given back
 *   SMALL -> (gone)    the end came: it is gathered as a whole record
 *   IN_FILE -> CLOSING the end came: the last octets are written, the file and its folder synced
 *   CLOSING -> (gone)  that succeeded: its record, which names the file, is gathered
 * Promise 1: a record that names a body file is gathered only when all of that file and its name
 * are on stable storage. Promise 2: a file whose write or sync failed is removed, never read or
 * synced again. Promise 3: one letter holds at most LIMIT_LETTER_CREDIT octets not written.
 */
#ifndef POSTERN_QUEUE_ARRIVE_INT_H
#define POSTERN_QUEUE_ARRIVE_INT_H

#include "base/buffer.h"
#include "queue/queue.h"
#include "queue/segment_int.h"
#include "queue/table_int.h"

enum arriving_state {
    ARRIVING_SMALL,
    ARRIVING_WAITS,         /* for a file slot */
    ARRIVING_MAKES,         /* its file is being made */
    ARRIVING_IN_FILE,
    ARRIVING_CLOSING,
    ARRIVING_DEAD,          /* forgotten while its file was being made */
};

enum {
    ARRIVING_PIECE = 128 * 1024,            /* written at once to a body file */
    ARRIVING_TO = LIMIT_RECORD_BYTES,       /* what has more recipients fits no record */
    ARRIVING_HELD = 64 * 1024 * 1024,       /* above it, text goes to a file sooner */
    ARRIVING_SMALL_WHEN_FULL = 16 * 1024,
    ARRIVING_MOST = 100 * 1000,             /* letters begun at the same time */
    ARRIVING_SLOTS_LEFT = 96,               /* file slots that stay free for everything else */
};

struct arriving {
    struct queue_from from;
    uint64_t serial;            /* for its file operations */
    enum arriving_state state;
    bool binary, ended;
    struct buffer to, text;     /* text: what is not written yet */
    uint64_t size, declared;    /* octets that came, and that the client spoke of (or 0) */
    uint64_t allowed;           /* octets that may have come, by credit */
    uint32_t crc;
    uint64_t body, written;
    uint32_t slot;
    enum fault fault;
    struct buffer head, keys;   /* CLOSING */
    struct arriving *next;      /* of those that wait for a slot */
    struct arriving *doomed;    /* of those whose peer died */
};

struct arrivals {
    struct table by_from, by_serial;
    uint64_t last_serial;
    uint64_t held;              /* octets in memory of all of them */
    struct arriving *waiting;   /* oldest first */
};

void arrivals_done(struct arrivals *arrivals);
void arrive_io(struct queue *q, struct token token, const struct event *event, struct effects *fx);
/* A slot may have become free. */
void arrive_turn(struct queue *q, struct effects *fx);

#endif
