/* SPDX-License-Identifier: ISC
 *
 * queue/report_int.h: the ends of attempts and the letter that tells their sender, as one.
 *
 * The owner writes the report (queue_conf.report); here its record and the states of the recipients
 * that it is about go into the log as one atomic group. Promise: after a crash, or a group that
 * failed, all of them count or none does; recipients whose group failed wait again, so that they
 * come to the same end again.
 */
#ifndef POSTERN_QUEUE_REPORT_INT_H
#define POSTERN_QUEUE_REPORT_INT_H

#include "queue/log_int.h"
#include "queue/queue.h"
#include "queue/record_int.h"

enum {
    REPORT_TEXT_MOST = 64 * 1024,   /* of a text in a body file, so much is kept for a report */
    REPORT_ENDS_MOST = 1000,        /* recipients of one report; the others have another */
};

enum reported {
    REPORTED_NOT,       /* there is none: the state goes alone */
    REPORTED,           /* both are gathered; the state lies at `lsn` */
    REPORTED_NOT_NOW,   /* the recipient failed, and its report cannot be kept now */
};

/* The end of an attempt for one recipient. */
struct ending {
    struct ending *next;            /* another of its letter */
    struct state_record state;
    bool stays;                     /* LATER, however old it is */
    uint8_t beyond;                 /* the owner's number */
    uint64_t saved;                 /* octets, for the history */
    struct bytes remote, reply;
    enum reported reported;
    uint64_t lsn;
};

/* The letter of which it is. */
struct about {
    uint64_t letter;
    const struct letter_record *record;
    struct bytes text;              /* its start, all of it when it has record->size octets */
};

struct queue;

/* Is its sender to hear of it? */
enum queue_report report_wanted(struct queue *q, const struct about *about,
                               const struct ending *end);
/* Ends of one outcome, of which the sender is to hear: sets `reported` and `lsn`, and changes the
   outcomes when they are told. They are in the index already, a failed recipient as held. */
void report_gather(struct queue *q, const struct about *about, struct ending *list);
/* A recipient that failed and was held is done with; nothing is written. */
void report_settle(struct queue *q, uint64_t letter, struct ending *end);
/* The group failed. */
void report_undo(struct queue *q, const struct fate *fate);

#endif
