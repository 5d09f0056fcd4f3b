/* SPDX-License-Identifier: ISC
 *
 * queue/report_int.h: the end of an attempt and the letter that tells its sender, as one.
 *
 * The owner writes the report (queue_conf.report); here its record and the recipient's state go
 * into the log as one atomic group. Promise: after a crash, or a group that failed, both count or
 * neither does; a recipient whose group failed waits again, so that it comes to the same end again.
 */
#ifndef POSTERN_QUEUE_REPORT_INT_H
#define POSTERN_QUEUE_REPORT_INT_H

#include "queue/job_int.h"
#include "queue/log_int.h"

/* Of a text in a body file, so much is kept for a report. */
enum { REPORT_TEXT_MOST = 64 * 1024 };

enum reported {
    REPORTED_NOT,       /* there is none: the state goes alone */
    REPORTED,           /* both are gathered; the state lies at *ret_lsn */
    REPORTED_NOT_NOW,   /* the recipient failed, and its report cannot be kept now */
};
/* The job's outcome is in the index already, a failed recipient as held; state->outcome is changed
   when the recipient is done with. */
enum reported report_gather(struct queue *q, const struct job *job, struct state_record *state,
                            uint64_t *ret_lsn);
/* The group failed. */
void report_undo(struct queue *q, const struct fate *fate);

#endif
