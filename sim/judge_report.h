/* SPDX-License-Identifier: ISC
 *
 * sim/judge_report.h: promise 4: of each recipient that failed its sender hears once, when it has a
 * name and NOTIFY allows; of nothing else does anybody hear.
 */
#ifndef POSTERN_SIM_JUDGE_REPORT_H
#define POSTERN_SIM_JUDGE_REPORT_H

#include "sim/letter.h"

/* A file in REPORTS_FOLDER, about that letter (NULL: about none that was sent): notes it with the
   recipient; else what is wrong with it. */
const char *report_seen(struct bytes text, struct letter *letter);
/* At rest, of a recipient that refuses: what is wrong, or NULL. `excused`: it need not be
   finished. */
const char *report_judge(const struct letter *letter, const struct letter_recipient *recipient,
                         bool excused);

#endif
