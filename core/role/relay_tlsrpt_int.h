/* SPDX-License-Identifier: ISC
 *
 * role/relay_tlsrpt_int.h: reports of TLS (RFC 8460), as relay_tlsrpt.c counts and
 * relay_tlsrpt_send.c sends them.
 */
#ifndef POSTERN_ROLE_RELAY_TLSRPT_INT_H
#define POSTERN_ROLE_RELAY_TLSRPT_INT_H

#include "dns/tlsrpt.h"
#include "role/relay_told_int.h"

enum {
    REPORT_BATCHES = 4,                     /* sent, or waiting for their moment */
    REPORT_ERRANDS = 4,                     /* under way at once */
    REPORT_JITTER_MS = 4 * 60 * 60 * 1000,  /* RFC 8460, 4.1: not all at midnight */
    REPORT_AGAIN_MS = 15 * 60 * 1000,       /* after a failure; doubled each time */
    REPORT_PATIENCE_MS = 24 * 60 * 60 * 1000,   /* 5.5: so long it is tried again */
    REPORT_STUCK_MS = 30 * 60 * 1000,       /* an errand without an end is one that failed */
    REPORT_LOOK_MS = 60 * 60 * 1000,        /* the clock on the wall may be set meanwhile */
};

/* How far the report for one domain came. */
struct report_state {
    uint64_t due_ms;                /* wall clock; UINT64_MAX: it is over */
    uint8_t tries;
    uint8_t sent;                   /* a bit for each of the record's URIs */
    bool under_way;
};

/* Days, or parts of them, that are over. */
struct report_batch {
    struct tlsrpt *counts;          /* NULL: free */
    uint64_t from_ms, to_ms;        /* wall clock */
    struct report_state *states;    /* one for each domain */
    size_t open;                    /* that are not over */
};

/* One report on its way: its record is asked for, then it goes to each URI of that. */
struct report_errand {
    struct report_batch *batch;     /* NULL: free */
    size_t domain;
    uint16_t turn;
    uint64_t since_ms;              /* monotonic */
    struct buffer text;             /* what `record` borrows from */
    struct tlsrpt_record record;
    uint8_t waits;                  /* a bit for each URI that has no answer yet */
    uint8_t failed;
    bool asks;                      /* for the record */
};
_Static_assert(TLSRPT_URIS_MOST <= 8, "a bit for each");

struct relay_reports {
    struct tlsrpt *counts;          /* of today */
    uint64_t day;                   /* since 1970 */
    uint64_t from_ms;               /* wall clock: since when */
    struct report_batch batches[REPORT_BATCHES];
    struct report_errand errands[REPORT_ERRANDS];
    uint64_t next_ms;               /* wall clock: nothing is due before */
};

/* The batch that begins now with what was counted so far; of one domain alone when `only` is not
   empty. NULL: nothing was counted, or there is no memory. Each of its reports is due at `due_ms`
   and up to `spread_ms` later. */
struct report_batch *report_batch_begin(struct relay *relay, struct bytes only, uint64_t due_ms,
                                        uint64_t spread_ms);
void report_batch_free(struct relay_reports *reports, struct report_batch *batch);
struct tlsrpt_sender report_sender(struct relay *relay, const struct report_batch *batch,
                                   struct buffer *contact);

/* ---- relay_tlsrpt_send.c */

/* Begin what is due. */
void report_send_due(struct relay *relay);

#endif
