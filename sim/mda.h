/* SPDX-License-Identifier: ISC
 *
 * sim/mda.h: an LMTP server with mailboxes on the same disk, for the relay role to deliver to.
 * What it answers 250 for lies safe in the mailbox, as local would have put it there. By the odds
 * of `server_lies` and `server_dies`, or at one planned place of the dialogue, it dies, stalls, or
 * says something else than it should.
 */
#ifndef POSTERN_SIM_MDA_H
#define POSTERN_SIM_MDA_H

#include "sim/world.h"

struct mda;

/* What it may do instead of saying its reply. */
enum mda_lie {
    LIE_NONE,
    LIE_TWADDLE,        /* no reply at all */
    LIE_NOT_NOW,        /* 4xx */
    LIE_NEVER,          /* 5xx, where a report could be delivered; else 4xx */
    LIE_GOES,           /* 421, and then it is gone */
    LIE_GO_ON,          /* 354 */
    LIE_MUCH,           /* a reply of very many lines */
    LIE_TWICE,          /* a 4xx before what is due: all that follows is off by one */
    LIE_OCTETS,         /* NUL, 8-bit octets, a bare CR */
    LIE_STALL,          /* nothing, and nothing any more on that connection */
    LIES,
};

/* One planned misfortune; counted over all connections from 1, 0: never. */
struct mda_plan {
    uint64_t lie_at;            /* this reply is another */
    enum mda_lie lie;
    uint64_t dies_said;         /* it dies when it has sent so many octets */
    uint64_t dies_heard;        /* it dies when it has got so many octets */
};

/* Who hears what nobody else can know. */
struct mda_watch {
    void *ctx;
    /* A copy is kept for that address, and the reply to it is not sent, not the right one, or was
       still on its way when the connection ended. */
    void (*lost)(void *ctx, struct bytes text, const char *to);
    /* A copy was put into that mailbox. */
    void (*kept)(void *ctx, struct bytes text, const char *to);
    /* It said 5xx about that address. */
    void (*refused)(void *ctx, const char *to);
};

/* It answers whoever dials in that world. Free it after the world. */
struct mda *mda_new(struct world *world, struct mda_watch watch, struct mda_plan plan);
void mda_free(struct mda *mda);
/* Replies, octets sent, octets received so far. */
uint64_t mda_replies(const struct mda *mda);
uint64_t mda_said(const struct mda *mda);
uint64_t mda_heard(const struct mda *mda);

#endif
