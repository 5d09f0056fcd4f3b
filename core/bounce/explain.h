/* SPDX-License-Identifier: ISC
 *
 * bounce/explain.h: one door for whatever somebody was left with: a message, a line of a log, a
 * reply, a code. Stands on base and mail; read.h reads it, card.h shows it.
 */
#ifndef POSTERN_BOUNCE_EXPLAIN_H
#define POSTERN_BOUNCE_EXPLAIN_H

#include "bounce/card.h"

enum explain_form { EXPLAIN_TEXT, EXPLAIN_HTML, EXPLAIN_JSON, EXPLAIN_FORMS };

/* Any text; of an mbox its first message, of several lines of a log the first that is about a
   delivery. Empty text, and what nothing can be said of, is no report. */
void explain_read(struct bounce_reader *reader, struct bytes text,
                  struct bounce_report *ret_report);

/* The report in that form: text with its line end, HTML as <article>, JSON as one object without a
   line end. `serial`, `input`: see card.h. */
void explain_put(struct buffer *to, const struct bounce_report *report, enum explain_form form,
                 const struct card_style *style, struct bytes input, unsigned serial);

#endif
