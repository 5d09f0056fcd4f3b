/* SPDX-License-Identifier: ISC
 *
 * role/once_send_int.h: what the files of postern send share.
 *
 *   once_send_words.c    the words of the command
 *   once_send_letter.c   the letter
 *   once_send.c          octets in and out, replies to what they answer
 *   once_send_hello.c    how a dialogue begins: greeting, EHLO, STARTTLS, AUTH
 *   once_send_mail.c     the envelope and the text
 *   once_send_recipe.c   the text without its base64
 *   once_send_script.c   a dialogue as somebody wrote it down
 *   once_send_show.c     the transcript
 *   once_send_end.c      what a reply means, and the summary
 */
#ifndef POSTERN_ROLE_ONCE_SEND_INT_H
#define POSTERN_ROLE_ONCE_SEND_INT_H

#include "base/arena.h"
#include "base/json.h"
#include "bounce/card.h"
#include "role/once_send.h"
#include "smtp/answer.h"

/* What a reply will be about. They come in the order of the commands, so this is a queue. */
enum send_about {
    ABOUT_GREETING, ABOUT_HELLO, ABOUT_HELO, ABOUT_STARTTLS, ABOUT_AUTH, ABOUT_RAW,
    ABOUT_MAIL, ABOUT_RCPT, ABOUT_DATA,
    ABOUT_CHUNK,            /* of a BDAT that is not the last */
    ABOUT_END,              /* after the end of the text; LMTP: of the next recipient */
    ABOUT_SCRIPT, ABOUT_QUIT
};

struct send_expect {
    enum send_about about;
    size_t recipient;
    uint64_t said_us;
};

enum {
    SEND_EXPECTS = 2 * SEND_TO_MOST + SEND_LIST_MOST + 8,
    SEND_SHOW_MOST = 8 * 1024 * 1024, SEND_REPLY_MOST = ANSWER_LINE_MOST * ANSWER_LINES_MOST,
    SEND_SECRETS = 3, SEND_QUIT_WAIT_S = 5,
};

enum send_extension {
    SEND_PIPELINING = 1, SEND_CHUNKING = 2, SEND_8BITMIME = 4, SEND_BINARYMIME = 8,
    SEND_SMTPUTF8 = 16, SEND_SIZE = 32, SEND_DSN = 64, SEND_STARTTLS = 128, SEND_REQUIRETLS = 256,
    SEND_MT_PRIORITY = 512, SEND_DELIVERBY = 1024, SEND_AUTH_PLAIN = 2048, SEND_AUTH_LOGIN = 4096,
    SEND_RECIPE = 8192,
};

/* Where the dialogue is; what comes next is decided whenever no reply is waited for. */
enum send_place {
    PLACE_BEGIN,            /* connected */
    PLACE_GREETED,          /* EHLO is to be said */
    PLACE_READY,            /* and was answered: TLS, AUTH? */
    PLACE_RAW, PLACE_MAIL, PLACE_RCPT, PLACE_TEXT, PLACE_QUIT,
    PLACE_OVER,             /* nothing more is said */
    PLACE_SCRIPT,
};

enum send_outcome { OUTCOME_NONE, OUTCOME_TAKEN, OUTCOME_LATER, OUTCOME_REFUSED };

struct send_result {
    bool accepted;              /* by RCPT */
    enum send_outcome outcome;
    unsigned code;              /* 0: the words are ours */
    struct status_code status;
    struct bytes words;         /* the whole reply with its codes, lines parted by LF */
    struct bytes address;       /* that it is about; or empty */
};

/* A script on its way. */
struct send_script {
    struct bytes rest;
    unsigned line;
    struct bytes wants;         /* by `expect`; empty: nothing is waited for */
    uint64_t said_us;
};

struct sender {
    const struct send_means *means;
    const struct send_order *order;
    bool begun;
    uint64_t began_us, now_us;
    uint64_t patient_from_us, until_us, rests_until_us;

    /* this connection */
    struct send_peer peer;
    enum send_place place;
    bool connected, spoke, secure, proved, signed_in;
    bool wants_tls;             /* a handshake is due */
    bool envelope;              /* MAIL was said */
    bool text_over;             /* all of it is said */
    bool mail_refused;
    unsigned auth_steps;        /* of LOGIN that were said */
    unsigned extensions;
    uint64_t size_most;
    struct answer answer;
    struct buffer reply;        /* the one in hand: whole lines, secrets masked */
    struct buffer in, out;
    struct send_expect expects[SEND_EXPECTS];
    size_t expects_at, expects_n;
    size_t rcpt_said, raw_said, text_said;
    struct send_script script;
    struct bytes about;         /* the address that the reply in hand is about; or empty */

    /* by --recipe; see once_send_recipe.c */
    size_t recipe_n;            /* octets of it; 0: the letter goes as it is */
    const char *plain_why;      /* and why, once that is known; else NULL */
    struct buffer raw;          /* the recipe and the raw form */

    struct send_result results[SEND_TO_MOST];
    struct buffer secrets[SEND_SECRETS];

    /* what came of it */
    int status;
    struct buffer why;          /* it ended early: in words */
    struct arena memory;        /* of results' words */
    struct buffer show;
    bool lists;                 /* JSON: the list of steps is open */
    struct json json;
    struct rules *rules;
    struct bounce_reader *reader;
    struct buffer tls_line;     /* of the session, for the summary */
};

/* once_send.c. A command; its line end is added, and its reply waited for. */
void send_say(struct sender *sender, struct bytes line, enum send_about about, size_t recipient);
/* A line of which another stands in the transcript; no reply is waited for. */
void send_put_line(struct sender *sender, struct bytes line, struct bytes shown);
void send_expect(struct sender *sender, enum send_about about, size_t recipient);
/* Time counts from the first thing that is done. */
void send_begin_clock(struct sender *sender, uint64_t began_us);
static inline bool send_has(const struct sender *sender, enum send_extension extension)
{
    return (sender->extensions & extension) != 0;
}
static inline bool send_well(const struct sender *sender)
{
    return sender->answer.code / 100 == 2;
}
/* It ends early: the first status and words stay. QUIT is said, where that still has a sense. */
void send_fail(struct sender *sender, int status, const char *words);
/* The reply in hand is why. */
void send_fail_as_said(struct sender *sender);
/* The exit status that a reply code means. */
int send_status_of(unsigned code);

/* once_send_hello.c */
void send_next_hello(struct sender *sender);
void send_on_hello(struct sender *sender, enum send_about about);
/* A handshake is due; or the end, when more came in clear. */
void send_want_tls(struct sender *sender);
void send_take_extension(struct sender *sender, struct bytes line);
/* Into sender->secrets, for the transcript. */
void send_know_secrets(struct sender *sender);

/* once_send_mail.c */
void send_next_mail(struct sender *sender);
void send_on_mail(struct sender *sender, struct send_expect expect);
/* All recipients that have no result yet get this one; the words are kept. */
void send_result_all(struct sender *sender, enum send_outcome outcome, struct bytes words);

/* once_send_recipe.c. Before MAIL, once: the letter without its base64, if there is something to
   gain; or words in the transcript that there is not. */
void send_make_recipe(struct sender *sender);
/* The text that goes over the wire by BDAT. */
struct bytes send_wire_text(const struct sender *sender);
/* What it saved, once the text was said: a line of the summary, with its end; or fields. */
void send_put_saved(struct sender *sender, struct buffer *to);
void send_put_saved_json(struct sender *sender);

/* once_send_script.c */
void send_next_script(struct sender *sender);
void send_on_script(struct sender *sender);
/* The connection is gone; true: `expect close` says so. */
bool send_script_lost(struct sender *sender);

/* once_send_show.c */
void send_show_said(struct sender *sender, struct bytes line);
void send_show_octets(struct sender *sender, size_t n);
/* A line of a reply, which sender->reply holds; `first`: with its time. */
void send_show_heard(struct sender *sender, struct bytes line, bool first, uint64_t took_us);
/* All of a reply was heard. */
void send_show_reply(struct sender *sender, uint64_t took_us);
void send_show_note(struct sender *sender, struct bytes words, uint64_t took_us);
void send_show_tls(struct sender *sender, const struct send_tls_facts *facts, uint64_t took_us);
void send_put_peer(struct buffer *to, const struct send_peer *peer);
void send_put_masked(const struct sender *sender, struct buffer *to, struct bytes line);
/* The list of steps ends (JSON). */
void send_show_end(struct sender *sender);

/* once_send_end.c. What a reply about that address (or empty) means that is a failure: one line;
   and whose side must act. CAUSE_NONE: nothing can be said. */
enum cause_category send_put_meaning(struct sender *sender, struct bytes reply,
                                     struct bytes address, struct buffer *headline,
                                     struct buffer *who);

#endif
