/* SPDX-License-Identifier: ISC
 *
 * smtp/server.h: the receiving side of RFC 5321, as a value.
 *
 * Stands on base and mail. Knows no socket, clock, file, TLS library or policy: it asks. Everything
 * a client can send is handled here and ends in a reply; nothing a client sends can reach an
 * assert.
 *
 * Use: put octets in with smtp_server_step until it says SMTP_MORE; do what each event asks; send
 * smtp_server_output whenever it is not empty. Replies leave in the order of the commands: those
 * behind a letter that is still on its way to the disk wait in here until smtp_server_settle.
 *
 * SMTP_MORE may leave input untaken: while a recipient is asked for, while LIMIT_COMMITS_AHEAD
 * letters are unsettled, and while LIMIT_HELD_REPLIES octets of replies wait. The caller keeps that
 * input, reads no more, and steps again with it after smtp_server_answer_rcpt, smtp_server_settle
 * or smtp_server_sent. Those calls, and stop, timeout and end, can bring events without any input:
 * step after each of them (an empty *in will do).
 */
#ifndef POSTERN_SMTP_SERVER_H
#define POSTERN_SMTP_SERVER_H

#include "base/buffer.h"
#include "base/bytes.h"
#include "mail/address.h"
#include "mail/envelope.h"
#include "mail/status.h"
#include "smtp/xclient.h"

/* What a site decides. Slices outlive every session; the rest may change between two calls. */
struct smtp_settings {
    struct bytes host;              /* our name, for the greeting and the replies */
    uint64_t size_most;             /* octets of a letter, as SIZE announces; 0: no bound */
    uint32_t recipients_most;       /* of one letter, as LIMITS RCPTMAX announces */
    bool notes;                     /* SMTP_NOTE is wanted */
    bool xclient;                   /* XCLIENT is offered: the client is a proxy that we trust */
    bool starttls;                  /* STARTTLS is offered to who speaks in clear */
    bool urgent;                    /* an MT-PRIORITY above 0 is taken; else it is 0 (RFC 6710) */
    bool recipes;                   /* CONTENT-RECIPE is offered: see mail/README.md */
};

enum smtp_event_kind {
    SMTP_MORE,          /* all input was taken, or it waits for an answer: nothing to do now */
    SMTP_ASK_RCPT,      /* may this recipient? Answer with smtp_server_answer_rcpt, now or later;
                           until then no input is taken. `address` lives until the answer, or
                           the end of the session. */
    SMTP_TEXT,          /* octets of the letter, decoded: dots unstuffed, chunk frames taken away.
                           Borrows from the input, of a letter with a recipe from the machine;
                           use it before the next call. */
    SMTP_END,           /* the letter is whole: keep it, then smtp_server_settle(token). The
                           transaction (smtp_server_sender ...) may be read until the next call. */
    SMTP_DROP,          /* throw away what SMTP_TEXT gave since the last SMTP_END or SMTP_DROP */
    SMTP_NOTE,          /* a command was dealt with: smtp_server_note says which, for the log. Comes
                           only when settings.notes; before the same command's SMTP_END */
    SMTP_STARTTLS,      /* may the client begin TLS (RFC 3207)? Answer with
                           smtp_server_answer_starttls; until smtp_server_secured no input is
                           taken, and what the caller still holds was sent in clear: throw it away.
                           Comes when every letter before it is settled */
    SMTP_XCLIENT,       /* smtp_server_xclient says for whom the client speaks from here on. The
                           session is as new: smtp_server_greet or smtp_server_refuse next */
    SMTP_CLOSE,         /* send the output, then close; nothing more is taken. A letter begun but
                           not ended was given up by an SMTP_DROP before. */
};

struct smtp_event {
    enum smtp_event_kind kind;
    struct address address;         /* ASK_RCPT */
    struct bytes text;              /* TEXT */
    uint32_t token;                 /* END: names the letter in smtp_server_settle */
};

/* What became of one command, for the log. Slices live until the next call. */
struct smtp_note {
    struct bytes verb;              /* our word for it ("MAIL"); empty: no command that we know */
    struct bytes text;              /* what stood behind the verb, or the line when `verb` is "": a
                                       stranger's octets, at most LIMIT_COMMAND_LINE of them. Of a
                                       RCPT that was asked for the address alone; of BDAT nothing */
    uint64_t octets;                /* DATA: of the text; BDAT: of the chunk */
    bool last;                      /* BDAT n LAST, and the end of DATA's text */
    unsigned reply;                 /* basic code of our answer; 0: comes later, under `token` */
    struct status_code code;        /* all zero when the reply has none (220, 250 to EHLO, 354) */
    uint32_t token;                 /* when reply is 0: the letter's */
};

struct smtp_server;

/* A session that has not greeted yet; NULL when memory is short. The caller frees. `settings`
   outlives it. */
MUST_USE struct smtp_server *smtp_server_new(const struct smtp_settings *settings);
void smtp_server_free(struct smtp_server *server);

/* Put the greeting, or a refusal in its place that then closes (e.g. 421 4.3.2 while stopping).
   `text` is in our own words, without controls. Until one of the two, no input is taken. */
void smtp_server_greet(struct smtp_server *server);
void smtp_server_refuse(struct smtp_server *server, unsigned reply, struct status_code code,
                        struct bytes text);

/* Take some of *in (moved on past what was taken) and say what comes of it. The octets stay where
   they are until the next call. After SMTP_CLOSE every step says SMTP_CLOSE. */
struct smtp_event smtp_server_step(struct smtp_server *server, struct bytes *in);
/* What SMTP_NOTE tells; only right after it. */
struct smtp_note smtp_server_note(const struct smtp_server *server);

/* What the world thinks of a recipient or of a letter; each row is a reply in reply.def. */
enum smtp_verdict {
    SMTP_YES,
    SMTP_NO_MAILBOX,        /* 550 5.1.1 */
    SMTP_NO_RELAY,          /* 550 5.7.1: not a domain of ours */
    SMTP_NOT_YOURS,         /* 550 5.7.1: the sender is somebody else */
    SMTP_NOT_NOW,           /* 451 4.3.0: could not be found out or kept; nothing was kept */
    SMTP_NO_SPACE,          /* 452 4.3.1 */
    SMTP_TOO_LARGE,         /* 552 5.3.4: with all that belongs to it, more than can be kept */
    SMTP_LOOP,              /* 554 5.4.6 */
    SMTP_BAD_HEADER,        /* 550 5.6.0 */
    SMTP_BAD_RECIPE,        /* 554 5.6.5: the text made by a recipe is not the original */
    SMTP_SILENCE,           /* for a letter: nobody knows whether it was kept: close, say nothing */
    SMTP_VERDICTS
};
void smtp_server_answer_rcpt(struct smtp_server *server, enum smtp_verdict verdict);
/* Yes: 220, the last words in clear. No: 454 4.7.0, and the dialogue goes on as it was. */
void smtp_server_answer_starttls(struct smtp_server *server, bool yes);
/* From here on all is enciphered. The dialogue begins anew: nothing said before counts (RFC 3207,
   4.2). For TLS from the first octet call it before smtp_server_greet. */
void smtp_server_secured(struct smtp_server *server);
/* The fate of a letter; for SMTP_YES `id` (at most SMTP_ID_MOST octets) is put in the 250. Letters
   may be settled in any order. A token that is unknown or settled already is passed over. */
enum { SMTP_ID_MOST = 32 };
void smtp_server_settle(struct smtp_server *server, uint32_t token, enum smtp_verdict verdict,
                        struct bytes id);

/* Replies that may be sent now. After sending, smtp_server_sent. */
struct bytes smtp_server_output(const struct smtp_server *server);
void smtp_server_sent(struct smtp_server *server);

/* The transaction in hand, between the first SMTP_ASK_RCPT and SMTP_END. Borrowed. */
struct bytes smtp_server_sender(const struct smtp_server *server);   /* no brackets; "": the null */
size_t smtp_server_recipients(const struct smtp_server *server);     /* accepted ones */
struct bytes smtp_server_recipient(const struct smtp_server *server, size_t i);
/* RFC 3461: NOTIFY= (enum dsn_notify) and ORCPT= of a recipient, RET= and ENVID= of the letter. */
uint8_t smtp_server_notify(const struct smtp_server *server, size_t i);
struct bytes smtp_server_orcpt(const struct smtp_server *server, size_t i);
enum dsn_ret smtp_server_ret(const struct smtp_server *server);
struct bytes smtp_server_envid(const struct smtp_server *server);
/* RFC 2852: BY=, its seconds counted from MAIL on; BY_NOT_GIVEN: the others say nothing. */
enum by_mode smtp_server_by(const struct smtp_server *server, int32_t *ret_seconds,
                            bool *ret_trace);
int8_t smtp_server_priority(const struct smtp_server *server);      /* RFC 6710 */
enum body_kind smtp_server_body(const struct smtp_server *server);
bool smtp_server_utf8(const struct smtp_server *server);
/* It comes with a recipe (mail/recipe.h): the SHA-256 that the text given by SMTP_TEXT must have,
   else it is to be settled with SMTP_BAD_RECIPE; empty: it comes without. */
struct bytes smtp_server_sum(const struct smtp_server *server);
bool smtp_server_require_tls(const struct smtp_server *server);         /* RFC 8689 */
uint64_t smtp_server_declared_size(const struct smtp_server *server);   /* SIZE=, or 0 */
struct bytes smtp_server_helo(const struct smtp_server *server);
struct bytes smtp_server_protocol(const struct smtp_server *server);    /* "SMTP", "ESMTP", ... */

/* The world's conditions, looked at when a command needs them. */
void smtp_server_set_low(struct smtp_server *server, bool low);         /* 452 4.3.1 at MAIL */
/* No new letter: a text that is under way is read to its end; then (at once, when there is none)
   come 421 4.3.2 and the end. */
void smtp_server_stop(struct smtp_server *server);
/* The client was silent too long: 421 4.4.2 and the end. */
void smtp_server_timeout(struct smtp_server *server);
/* The client closed its side: no input will come but what the caller still holds. True when letters
   are still to be settled, a recipient to be answered or replies to be sent. No QUIT is
   no fault. */
bool smtp_server_end(struct smtp_server *server);
/* After SMTP_XCLIENT. */
const struct xclient *smtp_server_xclient(const struct smtp_server *server);
/* Have done, whatever is under way: 421 4.3.2 and the end. A text that is not whole is dropped. */
void smtp_server_stop_now(struct smtp_server *server);
/* How many refused commands, and how many recipients that do not exist, are borne before 421 ends
   the session. At first LIMIT_HARD_ERRORS and LIMIT_BAD_RECIPIENTS. */
void smtp_server_set_patience(struct smtp_server *server, uint32_t errors, uint32_t recipients);
/* More than LIMIT_SOFT_ERRORS commands were refused: a front may hold the output back a while. */
bool smtp_server_annoyed(const struct smtp_server *server);

#endif
