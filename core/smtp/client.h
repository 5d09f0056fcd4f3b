/* SPDX-License-Identifier: ISC
 *
 * smtp/client.h: the sending side, as a value. It speaks SMTP (RFC 5321) and LMTP (RFC 2033).
 *
 * Stands on base and mail. Knows no socket and no clock: octets of the server go in with
 * smtp_client_step until it says CLIENT_MORE, smtp_client_output is sent whenever it is not empty.
 * Whatever the server says, and wherever the connection ends, each recipient of a letter gets
 * exactly one CLIENT_RESULT before CLIENT_DONE, and the result is true: TAKEN only when the server
 * answered for that recipient after the end of the text. The one thing that cannot be known is
 * whether a server that was cut off after our last octet took the letter: those results say
 * `window`, and the caller counts them.
 *
 * With PIPELINING, MAIL, all RCPT and DATA leave in one flight, or with CHUNKING (RFC 3030) the
 * text behind them too.
 *
 * It does no TLS itself: after CLIENT_STARTTLS the caller makes the handshake, feeds it plain
 * octets from then on, and says smtp_client_secured. Nothing said in clear counts after that.
 */
#ifndef POSTERN_SMTP_CLIENT_H
#define POSTERN_SMTP_CLIENT_H

#include "base/buffer.h"
#include "base/bytes.h"
#include "mail/envelope.h"
#include "mail/status.h"

enum { CLIENT_RECIPIENTS = 100 };   /* of one transaction; RFC 5321, 4.5.3.1.8 */

enum client_kind { CLIENT_LMTP, CLIENT_SMTP };

/* What EHLO or LHLO offered. */
enum client_extension {
    CLIENT_PIPELINING = 1, CLIENT_CHUNKING = 2, CLIENT_8BITMIME = 4, CLIENT_BINARYMIME = 8,
    CLIENT_SMTPUTF8 = 16, CLIENT_SIZE = 32, CLIENT_STATUS_CODES = 64, CLIENT_DSN = 128,
    CLIENT_STARTTLS_OFFERED = 256, CLIENT_REQUIRETLS = 512, CLIENT_MT_PRIORITY = 1024,
    CLIENT_DELIVERBY = 2048, CLIENT_AUTH_PLAIN = 4096, CLIENT_AUTH_LOGIN = 8192,
    CLIENT_RECIPE = 16384,          /* CONTENT-RECIPE, of a version that we know */
};

/* What is to be sent. Slices live until CLIENT_DONE. */
struct client_letter {
    struct bytes sender;            /* without brackets; empty: the null sender */
    const struct recipient *recipients;
    size_t n;                       /* 1 .. CLIENT_RECIPIENTS, and at most smtp_client_rcpt_most */
    enum body_kind body;
    bool smtputf8;
    bool require_tls;               /* RFC 8689: REQUIRETLS must be offered, inside TLS */
    enum dsn_ret ret;               /* RFC 3461; said only to who offers DSN */
    struct bytes envid;             /* in xtext; empty: none */
    bool has_priority;
    int priority;                   /* RFC 6710, -9 .. 9; said only to who offers MT-PRIORITY */
    int64_t by_s;                   /* RFC 2852: seconds left, not 0; 0: no BY was given */
    bool by_return;                 /* mode R: come back; else N: only tell */
    bool by_trace;
    uint64_t size;                  /* octets of the text, about; 0: not known */
    uint32_t recipe;                /* octets of it in front of the text, which is BINARYMIME; only
                                       to who offers CLIENT_RECIPE. 0: none (mail/recipe.h) */
    bool ask_only;                  /* no text: RCPT's reply is the result, then RSET */
};

/* May, must, or must not TLS begin on this connection? LMTP: never. */
enum client_tls { CLIENT_TLS_NEVER, CLIENT_TLS_MAY, CLIENT_TLS_MUST };

enum client_outcome { CLIENT_TAKEN = 1, CLIENT_LATER, CLIENT_FAILED };

struct client_result {
    size_t recipient;
    enum client_outcome outcome;
    struct status_code code;
    unsigned reply;             /* the server's own reply code; 0: the words are ours */
    bool coded;                 /* reply: it said `status` itself, which the words leave out */
    struct status_code status;
    bool window;                /* LATER, but the server may have taken it */
    bool again;                 /* LATER, but only since there were too many recipients: at once in
                                   the next transaction (RFC 5321, 4.5.3.1.10) */
    struct bytes words;         /* a stranger's octets, or ours; until the next call */
};

enum client_event_kind {
    CLIENT_MORE,        /* all input was taken */
    CLIENT_READY,       /* greeted: a letter may be begun */
    CLIENT_STARTTLS,    /* make the handshake now; see above */
    CLIENT_RESULT,      /* of one recipient */
    CLIENT_DONE,        /* the letter is over; another may be begun when smtp_client_ready */
    CLIENT_CLOSE,       /* send the output, then close: nothing more can be said here */
};

struct client_event {
    enum client_event_kind kind;
    struct client_result result;
};

struct smtp_client;

/* `host` is our name and outlives it. NULL when memory is short. */
MUST_USE struct smtp_client *smtp_client_new(enum client_kind kind, struct bytes host);

/* All before the first step. */
void smtp_client_set_tls(struct smtp_client *client, enum client_tls tls);
/* Extensions that are not to be used, though they be offered: a server is known to break there. */
void smtp_client_avoid(struct smtp_client *client, unsigned extensions);
/* HELO at once: a server is known to hang up at EHLO. */
void smtp_client_say_helo(struct smtp_client *client);
/* Sign in (RFC 4954) before READY; when that cannot be done, CLOSE. The caller says so only for a
   connection whose server it has proved: a password is no secret from whoever answers. Both outlive
   READY. */
void smtp_client_sign_in(struct smtp_client *client, struct bytes user, struct bytes password);

/* After CLIENT_STARTTLS, when the handshake is over: EHLO is said anew. */
void smtp_client_secured(struct smtp_client *client);
bool smtp_client_is_secure(const struct smtp_client *client);
/* CLIENT_CLOSE came since TLS was wanted (CLIENT_TLS_MUST) and not to be had. */
bool smtp_client_lacks_tls(const struct smtp_client *client);
/* Our name from now on. */
void smtp_client_set_host(struct smtp_client *client, struct bytes host);
void smtp_client_free(struct smtp_client *client);

/* Take some of *in and say what comes of it. After begin, text, lost and quit step too: events can
   come without input. */
struct client_event smtp_client_step(struct smtp_client *client, struct bytes *in);

/* Why this server cannot take the letter as it is; class 0: it can. Then *ret_words is NULL. */
struct status_code smtp_client_unfit(const struct smtp_client *client,
                                     const struct client_letter *letter, const char **ret_words);
/* Recipients that one transaction may have here (LIMITS RCPTMAX, RFC 9422), and letters that one
   connection may carry (MAILMAX; SIZE_MAX: no bound). */
size_t smtp_client_rcpt_most(const struct smtp_client *client);
size_t smtp_client_mail_most(const struct smtp_client *client);
/* May a letter be begun? */
bool smtp_client_ready(const struct smtp_client *client);
void smtp_client_begin(struct smtp_client *client, const struct client_letter *letter);
/* Does it take text now? Only then smtp_client_text may be called. `text` is as it was received:
   with CRLF at line ends; what stands alone of it is made CRLF unless CHUNKING takes it as it
   is. */
bool smtp_client_wants_text(const struct smtp_client *client);
void smtp_client_text(struct smtp_client *client, struct bytes text, bool last);
/* The connection is gone, or the caller's patience with it. `words`: why, in our own words. */
void smtp_client_lost(struct smtp_client *client, struct bytes words);
/* Why it said CLIENT_CLOSE: words of the server's, or ours. */
struct bytes smtp_client_why(const struct smtp_client *client, struct status_code *ret_code);
/* No more letters: QUIT, then CLIENT_CLOSE. Only when ready. */
void smtp_client_quit(struct smtp_client *client);

/* What the server offered, enum client_extension together. */
unsigned smtp_client_extensions(const struct smtp_client *client);
/* Of these, what it turned out not to know when it was used: the letter waits, and should be said
   without them (smtp_client_avoid). */
unsigned smtp_client_lied(const struct smtp_client *client);
/* Is a reply waited for? */
bool smtp_client_waits(const struct smtp_client *client);
/* Waits for what comes after the end of the text: the longest patience (RFC 5321, 4.5.3.2.6). */
bool smtp_client_at_end(const struct smtp_client *client);

/* A piece of what was to be said found no room, so none of it is said: the next step ends all. */
bool smtp_client_lacks_memory(const struct smtp_client *client);
struct bytes smtp_client_output(const struct smtp_client *client);
void smtp_client_sent(struct smtp_client *client);

#endif
