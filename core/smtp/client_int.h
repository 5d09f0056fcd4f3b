/* SPDX-License-Identifier: ISC
 *
 * smtp/client_int.h: what the files of the client machine share.
 *
 *   client.c        replies in, events out; what a reply decides
 *   client_hello.c  how a connection begins: greeting, EHLO, STARTTLS, AUTH
 *   client_say.c    commands and text out
 */
#ifndef POSTERN_SMTP_CLIENT_INT_H
#define POSTERN_SMTP_CLIENT_INT_H

#include "smtp/answer.h"
#include "smtp/client.h"
#include "smtp/stuff.h"

/* What a reply will be about. Replies come in the order of the commands, so this is a queue. */
enum expect_kind {
    EXPECT_GREETING, EXPECT_HELLO, EXPECT_HELO, EXPECT_STARTTLS, EXPECT_AUTH,
    EXPECT_MAIL, EXPECT_RCPT, EXPECT_DATA,
    EXPECT_CHUNK,           /* of a BDAT that is not the last */
    EXPECT_END,             /* after the end of the text; LMTP: of one recipient */
    EXPECT_RSET, EXPECT_QUIT
};

struct expect {
    enum expect_kind kind;
    size_t recipient;
};

enum {
    CLIENT_CHUNKS_AHEAD = 4,
    CLIENT_EXPECTS = 2 * CLIENT_RECIPIENTS + CLIENT_CHUNKS_AHEAD + 8,
    CLIENT_OUT_MOST = 4 * 1024 * 1024,
};

enum client_state {
    CLIENT_GREETS,          /* until LHLO or EHLO is answered, TLS begun and AUTH done */
    CLIENT_IDLE,
    CLIENT_SENDS,           /* a letter is under way */
    CLIENT_LEAVES,          /* QUIT was said */
    CLIENT_GONE,            /* nothing more can be said: CLIENT_CLOSE */
};

/* Of a letter: how far its text is. */
enum client_text {
    TEXT_WAITS,             /* for 354, or for the commands before it to be said */
    TEXT_GOES,
    TEXT_ENDED,
    TEXT_NONE,              /* it is not asked for, or not any more */
};

/* AUTH: what is said next. */
enum client_auth { AUTH_NONE, AUTH_PLAIN, AUTH_LOGIN, AUTH_LOGIN_USER, AUTH_LOGIN_PASSWORD };

struct smtp_client {
    enum client_kind kind;
    struct bytes host;
    enum client_state state;
    unsigned extensions, avoided;
    unsigned lied;                  /* offered, used, and not known */
    uint64_t size_most;             /* SIZE; 0: no bound */
    uint64_t rcpt_most, mail_most;  /* LIMITS; 0: not said */
    uint64_t by_least_s;            /* DELIVERBY */
    enum client_tls tls;
    bool plain_helo, secure, starts_tls, lacks_tls;
    struct bytes user, password;    /* user.n == 0: nobody signs in */
    enum client_auth auth;
    struct answer answer;
    struct buffer out;
    struct expect expects[CLIENT_EXPECTS];
    size_t expects_at, expects_n;
    bool greeted;                   /* CLIENT_READY is to be told */
    bool used;                      /* a letter was begun: RSET stands before the next */
    bool distrusted;                /* after this letter, close */

    struct client_letter letter;
    bool over[CLIENT_RECIPIENTS];   /* the result of that recipient was told */
    size_t said;                    /* without PIPELINING: RCPTs said so far */
    size_t left;                    /* recipients without a result */
    size_t taken;                   /* recipients that RCPT took */
    size_t ends;                    /* answers that came after the end of the text */
    size_t chunks;                  /* BDATs said and not answered */
    enum client_text text;
    struct stuff stuff;

    bool spreads;                   /* the same result for all that have none */
    struct client_result spread;
    struct buffer words;            /* of spread, and of why */
    struct status_code why;         /* it is the end */
};

/* client.c. The end, and why; as_said: in the server's own words. */
void client_leave(struct smtp_client *client, struct status_code code, struct bytes words);
void client_leave_as_said(struct smtp_client *client);

/* client_hello.c. A line of the reply to EHLO; the replies of the beginning. */
void client_take_extension(struct smtp_client *client, struct bytes line);
void client_on_greeting(struct smtp_client *client);
void client_on_hello(struct smtp_client *client, bool helo);
/* `in`: what lies behind the reply, where nothing may lie. */
void client_on_starttls(struct smtp_client *client, struct bytes in);
void client_on_auth(struct smtp_client *client);

/* client_say.c */
void client_expect(struct smtp_client *client, enum expect_kind kind, size_t recipient);
void client_say(struct smtp_client *client, const char *command, enum expect_kind kind);
void client_say_letter(struct smtp_client *client);
/* Without PIPELINING: what comes after the reply in hand. */
void client_say_next(struct smtp_client *client);
/* RCPT refused this one while the text is said already: nothing will be said of it again. */
void client_expect_no_end(struct smtp_client *client, size_t recipient);
/* DATA was answered with 354 and nobody is left to get the text. */
void client_say_no_text(struct smtp_client *client);

static inline bool client_has(const struct smtp_client *client, enum client_extension extension)
{
    return (client->extensions & extension) != 0;
}

#endif
