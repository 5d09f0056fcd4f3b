/* SPDX-License-Identifier: ISC
 *
 * smtp/server_int.h: the inside of the server machine, shared by the server_*.c files.
 *
 * States (what a command means) and modes (what the next octets are):
 *
 *   NEW --EHLO--> READY --MAIL--> SENDER --RCPT ok--> RCPTS --DATA, text, end--> READY
 *                                                       '--BDAT--> CHUNKS --BDAT LAST--> READY
 *   a refused chunk        RCPTS, CHUNKS, SENDER -> REFUSED   until its LAST, RSET or the next MAIL
 *   DATA where BDAT belongs       RCPTS, CHUNKS  -> STUCK     until RSET (RFC 3030, 2 and 3)
 *   RSET, EHLO, HELO                         any -> READY
 *
 *   MODE_UNGREETED --greet--> MODE_COMMAND --RCPT--> MODE_ASKING --answer--> MODE_COMMAND
 *                             MODE_COMMAND --DATA--> MODE_TEXT   --end-----> MODE_COMMAND
 *                             MODE_COMMAND --BDAT--> MODE_CHUNK  --length--> MODE_COMMAND
 *                             MODE_COMMAND --STARTTLS--> MODE_SECURING --secured--> MODE_COMMAND
 *                             MODE_COMMAND --XCLIENT--> MODE_UNGREETED
 *                             any          --QUIT, 421, end of input-------> MODE_CLOSING
 */
#ifndef POSTERN_SMTP_SERVER_INT_H
#define POSTERN_SMTP_SERVER_INT_H

#include "smtp/chunk.h"
#include "smtp/line.h"
#include "smtp/outbox.h"
#include "smtp/reply.h"
#include "smtp/server.h"
#include "smtp/transaction_int.h"

enum smtp_state {
    STATE_NEW, STATE_READY, STATE_SENDER, STATE_RCPTS, STATE_CHUNKS, STATE_REFUSED, STATE_STUCK,
    STATE_COUNT
};
#define IN(state) (1U << STATE_##state)
#define IN_ANY ((1U << STATE_COUNT) - 1)

enum smtp_mode {
    MODE_UNGREETED, MODE_COMMAND, MODE_ASKING, MODE_TEXT, MODE_CHUNK, MODE_SECURING, MODE_CLOSING
};

/* Events that are ready to be told, in this order. */
enum { DUE_NOTE = 1, DUE_DROP = 2, DUE_ASK = 4, DUE_END = 8, DUE_XCLIENT = 16 };

struct smtp_server {
    const struct smtp_settings *settings;
    struct line line;
    struct outbox outbox;
    struct transaction transaction;
    struct buffer helo;
    struct smtp_note note;
    struct address asked;           /* MODE_ASKING: slices of the transaction's names */
    struct chunk chunk;             /* MODE_CHUNK: its size, and in `left` what is still to come */
    uint64_t left;
    enum reply chunk_refusal;       /* said when the chunk is over; REPLY_NONE: it is taken */
    enum smtp_state state;
    enum smtp_mode mode;
    uint32_t tokens;                /* letters so far: the next one's token */
    uint32_t errors, junk, bad_recipients;
    uint32_t errors_most, bad_recipients_most;
    struct xclient xclient;
    uint8_t due;
    bool esmtp;                     /* EHLO was said last, not HELO */
    bool low, stopping, input_over;
    bool letter_told;               /* SMTP_END was given: the transaction goes at the next call */
    bool secure;                    /* inside TLS */
    bool starttls_told;             /* SMTP_STARTTLS was given */
    bool data_refused;              /* DATA was: text that comes all the same is not commands */
};

/* server.c. Say the reply, and note it as the answer to the command in hand. */
void server_say(struct smtp_server *server, enum reply reply, struct reply_words words);
/* The same for an error that counts: past LIMIT_HARD_ERRORS 421 takes its place. */
void server_refuse(struct smtp_server *server, enum reply reply, struct reply_words words);
/* The one way back to no transaction, to `state`; text that was given out is dropped. */
void server_reset(struct smtp_server *server, enum smtp_state state);
/* Take nothing more; when every letter is settled comes SMTP_CLOSE. */
void server_close(struct smtp_server *server);
void server_say_and_close(struct smtp_server *server, enum reply reply, struct reply_words words);

/* server_hello.c. May it stand as the name in EHLO? */
bool server_is_name(struct bytes text);

/* verb.c. One command line. */
void server_command(struct smtp_server *server, struct bytes line);

/* server_data.c. Take some of the text; true when *ret_event is to be told. */
bool server_take_text(struct smtp_server *server, struct bytes *in, struct smtp_event *ret_event);
/* server_bdat.c. The same for a chunk; an empty one ends without input. */
bool server_take_chunk(struct smtp_server *server, struct bytes *in,
                       struct smtp_event *ret_event);
/* server_data.c. Text that the recogniser gave out: to be told, unless it or its size is
   refused. */
bool server_text(struct smtp_server *server, struct bytes text, struct smtp_event *ret_event);
void server_refuse_text(struct smtp_server *server, enum reply reply);
enum reply server_flaw_reply(enum text_flaw flaw);
/* The numbers that the reply to a refused text speaks of. */
struct reply_words server_text_words(const struct smtp_server *server, enum reply reply);
/* The text is whole and well: leave a hole for its reply and tell SMTP_END. */
void server_letter(struct smtp_server *server);

/* What verb.def names. `argument` is without the space before it; it borrows from the line. */
void run_ehlo(struct smtp_server *server, struct bytes argument);
void run_helo(struct smtp_server *server, struct bytes argument);
void run_mail(struct smtp_server *server, struct bytes argument);
void run_rcpt(struct smtp_server *server, struct bytes argument);
void run_data(struct smtp_server *server, struct bytes argument);
void run_bdat(struct smtp_server *server, struct bytes argument);
void run_rset(struct smtp_server *server, struct bytes argument);
void run_noop(struct smtp_server *server, struct bytes argument);
void run_quit(struct smtp_server *server, struct bytes argument);
void run_vrfy(struct smtp_server *server, struct bytes argument);
void run_expn(struct smtp_server *server, struct bytes argument);
void run_help(struct smtp_server *server, struct bytes argument);
void run_starttls(struct smtp_server *server, struct bytes argument);
void run_xclient(struct smtp_server *server, struct bytes argument);
void run_not_offered(struct smtp_server *server, struct bytes argument);
void run_not_mail(struct smtp_server *server, struct bytes argument);

#endif
