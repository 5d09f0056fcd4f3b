/* SPDX-License-Identifier: ISC
 *
 * smtp/line.h: command lines out of a stream of octets (RFC 5321, 2.3.8 and 4.5.3.1.4).
 *
 * Stands on base. Only CRLF ends a command. What a bare LF ends is answered, so that a person who
 * types learns why, but neither it nor what follows it up to the next CRLF is ever a command.
 */
#ifndef POSTERN_SMTP_LINE_H
#define POSTERN_SMTP_LINE_H

#include "base/buffer.h"
#include "base/bytes.h"

enum line_kind {
    LINE_MORE,          /* all was taken; no line has ended */
    LINE_WHOLE,
    LINE_LONG,          /* over LIMIT_COMMAND_LINE octets, its CRLF counted; said at its end */
    LINE_BARE_LF,       /* ended by a bare LF, or one stood before in the same line */
    LINE_NOT_TEXT,      /* a NUL or a bare CR stands in it */
    LINE_FLOOD,         /* over LIMIT_COMMAND_FLOOD octets and no end: the session cannot go on */
    LINE_TLS,           /* begins as a TLS record does: no line will ever come */
    LINE_NO_MEMORY,
};

struct line {
    struct buffer held;     /* the part that came before this input */
    uint32_t seen;          /* octets of this line */
    char last;              /* its last octet so far */
    bool over;              /* too long to be held */
    bool ended;             /* given out: the next call begins a new one */
    bool tainted;           /* a bare LF came since the last CRLF */
};

struct line line_none(void);
void line_done(struct line *line);

/* Take octets from *in up to the end of one line. For LINE_WHOLE *ret_text is the line without
   its CRLF; it borrows from the input or from `line` and lives until the next call. */
MUST_USE enum line_kind line_take(struct line *line, struct bytes *in, struct bytes *ret_text);

#endif
