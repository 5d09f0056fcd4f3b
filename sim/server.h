/* SPDX-License-Identifier: ISC
 *
 * sim/server.h: a mail server of somebody's, LMTP or SMTP, for the relay role to deliver to: what
 * it says, and what it says or does instead. By the odds of `server_lies` and `server_dies`, or at
 * one planned place of the dialogue, it dies, stalls, or says something else than it should.
 *
 * Whose mailboxes it has is its face's to say: sim/mda.h, sim/mx.h.
 */
#ifndef POSTERN_SIM_SERVER_H
#define POSTERN_SIM_SERVER_H

#include "sim/net.h"
#include "sim/world.h"

struct server;
struct server_line;

/* What it may do instead of saying its reply. */
enum server_lie {
    LIE_NONE,
    LIE_TWADDLE,        /* no reply at all */
    LIE_NOT_NOW,        /* 4xx */
    LIE_NEVER,          /* 5xx, where the face bears it; else 4xx */
    LIE_GOES,           /* 421, and then it is gone */
    LIE_GO_ON,          /* 354 */
    LIE_MUCH,           /* a reply of very many lines */
    LIE_TWICE,          /* a 4xx before what is due: all that follows is off by one */
    LIE_OCTETS,         /* NUL, 8-bit octets, a bare CR */
    LIE_STALL,          /* nothing, and nothing any more on that connection */
    LIES,
};

/* One planned misfortune; counted over all connections from 1, 0: never. */
struct server_plan {
    uint64_t lie_at;            /* this reply is another */
    enum server_lie lie;
    uint64_t dies_said;         /* it dies when it has sent so many octets */
    uint64_t dies_heard;        /* it dies when it has got so many octets */
};

/* How the octets came. */
enum server_level {
    LEVEL_CLEAR,
    LEVEL_STRANGER,     /* through TLS, to who showed a certificate of nobody's */
    LEVEL_PROVED,       /* through TLS, to the host that was meant */
};

struct server_letter {
    const char *sender;
    struct bytes text;
    bool binary, eight_bit;     /* eight_bit: it was told that this is taken here */
    enum server_level level;
    uint64_t since_us;          /* when that connection was made */
};

/* Who hears what nobody else can know. */
struct server_watch {
    void *ctx;
    /* A copy is kept for that address, and the reply to it is not sent, not the right one, or was
       still on its way when the connection ended. */
    void (*lost)(void *ctx, struct bytes text, const char *to);
    /* A copy was put into that mailbox. */
    void (*kept)(void *ctx, const struct server_letter *letter, const char *to);
    /* It said 5xx about that address. */
    void (*refused)(void *ctx, const char *to);
    /* It said 5xx before any address was named, or not what it can: at that place. */
    void (*turned_away)(void *ctx, const void *at);
};

enum server_rcpt { RCPT_WELL, RCPT_NOBODY, RCPT_REFUSED };

/* What it is the server of. `at`: the face's own, of that connection. */
struct server_face {
    bool lmtp;
    enum server_rcpt (*rcpt)(void *at, const char *to, enum server_level level,
                             uint64_t since_us);
    /* False: not now. */
    bool (*keep)(void *at, const struct server_letter *letter, const char *to);
    /* May it say "never" to a letter of that sender? */
    bool (*may_refuse)(void *at, const char *sender);
};

/* Of one connection. */
struct server_offers {
    const char *name;
    bool pipelining, chunking, eight_bit, dsn;
    bool require_tls;                   /* inside TLS */
    bool starttls;
    enum server_tls { TLS_WELL, TLS_LATER, TLS_GARBLED, TLS_HANGS_UP, TLS_DEAF } tls;
    bool stranger;                      /* it shows another's certificate */
    struct bytes certificate;           /* lives as long as the server */
};

struct server *server_new(struct world *world, struct server_watch watch,
                          struct server_plan plan);
void server_free(struct server *server);
struct world *server_world(const struct server *server);
/* Answer that connection; NULL: it does not, or no more. For struct net_server. */
void *server_accept(struct server *server, const struct server_face *face, void *at,
                    const struct server_offers *offers, struct conn *conn,
                    const struct net_client **ret_ops);
/* Replies, octets sent, octets received so far. */
uint64_t server_replies(const struct server *server);
uint64_t server_said(const struct server *server);
uint64_t server_heard(const struct server *server);

#endif
