/* SPDX-License-Identifier: ISC
 *
 * bounce/words_int.h: what a report of ours says to people, as text and as HTML: the cards of
 * card.h in the language of the letter's sender (its Accept-Language or Content-Language), else
 * English.
 */
#ifndef POSTERN_BOUNCE_WORDS_INT_H
#define POSTERN_BOUNCE_WORDS_INT_H

#include "bounce/lang.h"
#include "bounce/read.h"
#include "bounce/report.h"

struct report_words {
    const struct report *report;
    const struct lang *lang;
    bool lang_known;
    struct buffer subject;                  /* of the letter, decoded */
    struct bounce_recipient *recipients;    /* one a group; NULL: no memory */
    struct rules *rules;                    /* for this report alone; or NULL */
    struct bounce_reader *reader;
};

void report_words_begin(struct report_words *ret_words, const struct report *report);
void report_words_done(struct report_words *words);
/* Of the report; UTF-8. */
struct bytes report_words_subject(const struct report_words *words);
/* UTF-8, its lines ended by CRLF. to->bad also when there was no memory. */
void report_words_text(struct buffer *to, const struct report_words *words);
void report_words_html(struct buffer *to, const struct report_words *words);

#endif
