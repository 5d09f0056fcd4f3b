/* SPDX-License-Identifier: ISC
 *
 * sim/script.h: what one client says in one session, line by line, before it says it: each line
 * has one reply, and lines that wait are not sent until all replies before them have come.
 */
#ifndef POSTERN_SIM_SCRIPT_H
#define POSTERN_SIM_SCRIPT_H

#include "sim/letter.h"

enum line_kind {
    LINE_GREETING,      /* nothing is sent, but a reply comes */
    LINE_HELLO,
    LINE_STARTTLS,      /* maybe with a command in clear behind it, that must come to nothing */
    LINE_HELLO_AGAIN,   /* inside TLS, when that came about */
    LINE_MAIL, LINE_RCPT, LINE_DATA,
    LINE_TEXT,          /* after 354: the text and the final dot */
    LINE_CHUNK,         /* BDAT and its octets, not the last */
    LINE_LAST,          /* BDAT LAST and its octets */
    LINE_CLEAR,         /* RSET, when a transaction is open or that cannot be known yet */
    LINE_RSET, LINE_NOOP, LINE_JUNK, LINE_QUIT,
};

enum line_state { LINE_WAITS, LINE_SENT, LINE_ANSWERED, LINE_SKIPPED };

struct line {
    enum line_kind kind;
    enum line_state state;
    bool wait;
    struct bytes octets;        /* its own */
    struct letter *letter;      /* MAIL to LAST */
    struct letter_recipient *recipient;     /* RCPT */
    bool injects;               /* STARTTLS: a NOOP is behind it */
    unsigned code;
};

/* How it ends, when it does not end well. */
enum leaving { LEAVE_QUIT, LEAVE_END, LEAVE_RESET, LEAVE_HALF };

struct script {
    struct line *lines;
    size_t n, room;
    enum leaving leaving;
    size_t leave_at;            /* RESET: at this line, after leave_octets of it */
    size_t leave_octets;
};

struct script_wish { bool half_close, tls; };

/* A session with those letters in it (alive as long as the script). */
void script_make(struct script *script, struct letter *const *letters, size_t n,
                 struct dice *dice, struct script_wish wish);
void script_done(struct script *script);

#endif
