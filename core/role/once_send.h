/* SPDX-License-Identifier: ISC
 *
 * role/once_send.h: postern send as pure functions: its words read, a dialogue with a server led,
 * shown and summed up. host/ctl_send.c has the socket, the clock and the terminal.
 *
 * This is not smtp/client.h, which relays: that one promises never to do what a server did not
 * offer, and tells only what became of each recipient. A tester wants to say what is wrong, in any
 * order, and to see each line. What both need they share: replies are read by smtp/answer.h, text
 * is made ready by smtp/stuff.h.
 *
 * Whatever a server says leaves escaped, and secrets leave as "***".
 */
#ifndef POSTERN_ROLE_ONCE_SEND_H
#define POSTERN_ROLE_ONCE_SEND_H

#include "crypt/tls_client.h"
#include "role/once.h"

enum {
    SEND_TO_MOST = 100, SEND_LIST_MOST = 100, SEND_LINE_MOST = 8192,
    SEND_TEXT_MOST = 1 << 30, SEND_SCRIPT_MOST = 1 << 20, SEND_SCRIPT_LINES_MOST = 10000,
    SEND_SECRET_MOST = 1024,
    SEND_WAIT_S = 60, SEND_WAIT_MOST_S = 3600,
    SEND_NO_USER = 67, SEND_NO_HOST = 68,       /* as in sysexits.h */
};

enum send_tls { SEND_TLS_AUTO, SEND_TLS_STARTTLS, SEND_TLS_IMPLICIT, SEND_TLS_NONE };

/* Where to stop: that much is done, then QUIT. */
enum send_stage {
    SEND_GREETING, SEND_HELLO, SEND_TLS, SEND_AUTH, SEND_MAIL, SEND_RCPT, SEND_STAGES
};

/* A list of words; those beyond the most make `over`. */
struct send_list {
    struct bytes list[SEND_LIST_MOST];
    size_t n;
    bool over;
};

/* What is asked for. Slices borrow from the words; empty: not given. */
struct send_order {
    bool help, json, quiet;
    struct bytes server;            /* HOST, HOST:PORT, unix:PATH; empty: by MX */
    bool lmtp, only4, only6;
    uint64_t wait_s;                /* for each reply */
    /* who we are, and how */
    struct bytes helo;
    enum send_tls tls;
    bool verify;
    struct bytes ca_file, name;
    struct bytes user, password_file, mechanism;
    /* the envelope */
    struct bytes from;
    bool from_given;
    struct send_list to;
    struct bytes size, ret, envid, notify, orcpt, priority, by;
    struct send_list mail_params, rcpt_params;
    bool smtputf8, require_tls, eight_bit, binarymime;
    bool recipe;                    /* without its base64 (mail/recipe.h) */
    /* the letter */
    struct bytes file, subject, body;
    struct send_list headers;
    bool as_is;                     /* octet for octet: no line end mended, no dot doubled */
    /* the dialogue */
    bool pipeline, bdat, force;
    uint64_t chunk;                 /* octets of one BDAT; 0: all in one */
    struct send_list raw;
    struct bytes script;            /* a file */
    enum send_stage stop;           /* SEND_STAGES: nowhere */
};

/* The words behind the command's name. False: reterr_words says what is wrong, one line with its
   end, for ONCE_USAGE. */
MUST_USE bool send_read(const struct bytes *words, size_t n, struct send_order *ret_order,
                        struct buffer *reterr_words);
extern const char send_help[];

/* The one domain of all recipients, for the question who takes its mail; empty: they have several,
   or none. */
struct bytes send_domain(const struct send_order *order);

/* ---- the letter */

/* One that is made: a greeting, or what --subject, --header and --body say. `host` is our name,
   `chance` makes its Message-ID. */
void send_put_greeting(struct buffer *to, const struct send_order *order, struct bytes host,
                       uint64_t wall_ms, uint64_t chance);
/* As files have it to as SMTP has it, unless order says as it is: each line end is CRLF. */
void send_put_text(struct buffer *to, const struct send_order *order, struct bytes raw);

/* ---- the dialogue */

struct sender;

/* What all of it needs. Everything outlives the sender. */
struct send_means {
    const struct send_order *order;
    struct bytes host;              /* our name, for EHLO */
    struct bytes from;              /* the sender, without brackets */
    struct bytes text;              /* the letter, by send_put_* */
    struct bytes script;            /* what the file holds */
    struct bytes password;
    bool colour;
};

/* False: line `*ret_line` of the script reads wrong, and reterr_words says how. */
MUST_USE bool send_script_check(struct bytes script, struct buffer *reterr_words);

/* NULL when memory is short. `now_us`, below, is a clock that never goes back. */
MUST_USE struct sender *sender_new(const struct send_means *means);
void sender_free(struct sender *sender);

/* Of a connection, for the transcript and the summary. */
struct send_peer {
    struct bytes name;              /* as it was asked for */
    struct bytes address;           /* "192.0.2.1", "" for a unix socket */
    unsigned port;
    bool trusted_way;               /* nobody sits between: a unix socket, or this machine */
};

/* A line of ours in the transcript, such as which hosts the DNS names. */
void sender_note(struct sender *sender, uint64_t began_us, uint64_t now_us, struct bytes words);
/* Connected, after so long. A sender may be connected again when sender_may_go_on. */
void sender_connected(struct sender *sender, const struct send_peer *peer, uint64_t began_us,
                      uint64_t now_us);
/* It could not be done, or the connection is gone; `words`: why. */
void sender_lost(struct sender *sender, uint64_t now_us, int status, struct bytes words);
/* It could not be connected. */
void sender_unreached(struct sender *sender, const struct send_peer *peer, uint64_t began_us,
                      uint64_t now_us, struct bytes words);
/* Octets from the server; plain ones, inside TLS. */
void sender_input(struct sender *sender, struct bytes octets);

/* What a handshake brought. */
struct send_tls_facts {
    struct tls_facts facts;
    struct tls_verdict verdict;
    enum tls_proof wanted;
    bool shown;                     /* there was a certificate */
    struct bytes names;             /* of the certificate, each a block */
    struct bytes issuer;
    uint64_t from_ms, until_ms;     /* wall clock */
    struct bytes name;              /* that was to be proved */
};
void sender_secured(struct sender *sender, const struct send_tls_facts *facts, uint64_t began_us,
                    uint64_t now_us);

enum send_need {
    SEND_NEED_OUT,      /* send sender_output, then sender_sent, and step again */
    SEND_NEED_IN,       /* wait for octets, no longer than sender_until_us */
    SEND_NEED_TLS,      /* make a handshake, no longer than sender_until_us */
    SEND_NEED_REST,     /* do nothing until sender_until_us */
    SEND_NEED_CLOSE,    /* this connection is over */
};
enum send_need sender_step(struct sender *sender, uint64_t now_us);
struct bytes sender_output(const struct sender *sender);
void sender_sent(struct sender *sender, uint64_t now_us);
uint64_t sender_until_us(const struct sender *sender);

/* After CLOSE or lost: nothing was said of the letter yet, so another host may be tried. */
bool sender_may_go_on(const struct sender *sender);

/* What is to be shown now; forgotten by sender_shown. With --json nothing before sender_end. */
struct bytes sender_show(const struct sender *sender);
void sender_shown(struct sender *sender);
/* The summary, to be shown; the exit status. Then sender_all is all that --json wants shown. */
int sender_end(struct sender *sender, uint64_t now_us);
struct bytes sender_all(const struct sender *sender);

#endif
