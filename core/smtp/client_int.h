/* SPDX-License-Identifier: ISC
 *
 * smtp/client_int.h: what the files of the client machine share.
 *
 *   client.c        replies in, events out; what a reply decides
 *   client_say.c    commands and text out
 */
#ifndef POSTERN_SMTP_CLIENT_INT_H
#define POSTERN_SMTP_CLIENT_INT_H

#include "smtp/answer.h"
#include "smtp/client.h"
#include "smtp/stuff.h"

/* What a reply will be about. Replies come in the order of the commands, so this is a queue. */
enum expect_kind {
    EXPECT_GREETING, EXPECT_HELLO, EXPECT_MAIL, EXPECT_RCPT, EXPECT_DATA,
    EXPECT_CHUNK,           /* of a BDAT that is not the last */
    EXPECT_END,             /* LMTP: of one recipient, after the end of the text */
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
    CLIENT_GREETS,          /* until LHLO is answered */
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

struct smtp_client {
    struct bytes host;
    enum client_state state;
    unsigned extensions;
    uint64_t size_most;             /* SIZE; 0: no bound */
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
    size_t ends;                    /* answers that came after the end of the text */
    size_t chunks;                  /* BDATs said and not answered */
    enum client_text text;
    struct stuff stuff;

    bool spreads;                   /* the same result for all that have none */
    struct client_result spread;
    struct buffer words;            /* of spread, and of why */
    struct status_code why;         /* it is the end */
};

/* client_say.c */
void client_expect(struct smtp_client *client, enum expect_kind kind, size_t recipient);
void client_say_hello(struct smtp_client *client);
/* Why this server cannot take the letter at all; class 0: it can. */
struct status_code client_unfit(const struct smtp_client *client,
                                const struct client_letter *letter, const char **ret_words);
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
