/* SPDX-License-Identifier: ISC
 *
 * smtp/answer.h: replies of a server, read from octets that come in any pieces.
 *
 *   reply = *( code "-" [ text ] CRLF ) code [ SP [ text ] ] CRLF       (RFC 5321, 4.2)
 *
 * Lenient where other servers are lax (a line may end with LF alone, a code may stand alone),
 * bounded in everything. A line that is no reply is a flaw, and stays one: who answers nonsense
 * cannot be understood later either.
 */
#ifndef POSTERN_SMTP_ANSWER_H
#define POSTERN_SMTP_ANSWER_H

#include "base/buffer.h"
#include "mail/status.h"

enum {
    ANSWER_LINE_MOST = 2048,    /* RFC 5321 says 512 */
    ANSWER_LINES_MOST = 128,
    ANSWER_WORDS_MOST = 1024,   /* kept of one reply; what is more is left out */
};

enum answer_state { ANSWER_MORE, ANSWER_LINE, ANSWER_WHOLE, ANSWER_FLAW };

struct answer {
    unsigned code;              /* 200 to 599 */
    struct status_code status;  /* as sent when its class fits the code's, else CLASS.0.0 */
    bool coded;                 /* it was sent, and does not stand in the words */
    unsigned lines;
    struct buffer line;         /* an unfinished line */
    struct buffer words;        /* the lines' texts, with a blank between them */
    struct bytes text;          /* ANSWER_LINE and WHOLE: this line's text, without the code */
    bool whole, flaw;
};

struct answer answer_new(void);
void answer_done(struct answer *answer);

/* The reply in one line, as it was said: "550 5.1.1 words". */
void answer_put(struct buffer *to, unsigned code, bool coded, struct status_code status,
                struct bytes words);

/* Take octets of *in up to the end of a line. LINE: a line of a reply that goes on; WHOLE: its last
   line; both with code, words and text. The next call begins the next reply. */
enum answer_state answer_step(struct answer *answer, struct bytes *in);

#endif
