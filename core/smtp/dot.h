/* SPDX-License-Identifier: ISC
 *
 * smtp/dot.h: the one recogniser of the end of a letter's text (RFC 5321, 4.1.1.4 and 4.5.2).
 *
 * Stands on base. Nothing else in the tree decides where a text ends or takes stuffed dots away.
 * Only CRLF ends a line and only CRLF "." CRLF ends the text. A bare CR, a bare LF and a NUL are
 * flaws: the first is remembered with its line, and the text is read on to its true end all the
 * same.
 */
#ifndef POSTERN_SMTP_DOT_H
#define POSTERN_SMTP_DOT_H

#include "base/bytes.h"

enum text_flaw { TEXT_FINE, TEXT_BARE_CR, TEXT_BARE_LF, TEXT_NUL };

enum dot_at {
    DOT_LINE_START,     /* behind CRLF, or at the very start */
    DOT_TEXT,           /* inside a line */
    DOT_CR,             /* behind a CR that is text */
    DOT_DOT,            /* behind a dot that began a line; it is not given out yet */
    DOT_DOT_CR,         /* behind that dot and a CR: a LF now ends the text */
};

/* Carries everything over any split of the input. */
struct dot {
    enum dot_at at;
    enum text_flaw flaw;    /* the first one */
    bool framed;            /* a BDAT chunk: dots are text, its length ends it */
    uint64_t lines;         /* CRLFs so far */
    uint64_t flaw_line;     /* the line of the flaw, counted from 1 */
};

struct dot dot_for_data(void);
struct dot dot_for_chunks(void);

/* Take octets from *in. Returns text, a slice of what was taken (so it borrows from the input; it
   may be empty although octets were taken), or sets *ret_ended when the end was met: then *in
   stands right behind it. Call again until *in is empty. Once there is a flaw what is returned is
   of no use. */
struct bytes dot_take(struct dot *dot, struct bytes *in, bool *ret_ended);

/* The last chunk has ended here: a CR that waited for its LF was bare. */
void dot_finish_chunks(struct dot *dot);

#endif
