/* SPDX-License-Identifier: ISC
 *
 * smtp/play_int.h: a small world for the tests of the server machine: feeds it, answers it,
 * writes down what came out. Linked into tests and fuzz harnesses only.
 *
 * Recipients: local part nobody... -> no mailbox, later... -> not now, full... -> no space,
 * hush... -> silence; domain elsewhere... -> no relay; all others are well. Letters, by the
 * sender's local part: loop, badheader, notnow, nospace, unsure (silence); all others are kept,
 * as ID0, ID1, ...
 */
#ifndef POSTERN_SMTP_PLAY_INT_H
#define POSTERN_SMTP_PLAY_INT_H

#include "base/buffer.h"
#include "smtp/server.h"

enum play_order {
    PLAY_AT_ONCE,       /* settle each letter as soon as it is whole */
    PLAY_LATE,          /* when the machine takes no more, in order */
    PLAY_BACKWARDS,     /* the same, the newest first */
};

enum { PLAY_UNSETTLED_MOST = 64 };

struct play {
    struct smtp_settings settings;
    enum play_order order;
    bool moving;                /* each step gets its input at another place, for the sanitizer */
    struct smtp_server *server;
    struct buffer replies;      /* every octet that was sent */
    struct buffer letters;      /* "sender>recipient,recipient BODY UTF8 protocol size: text\n" */
    struct buffer notes;        /* "VERB text octets LAST reply\n" each */
    struct buffer text;         /* of the letter in hand */
    struct buffer pending;      /* input that was not taken yet */
    uint32_t unsettled[PLAY_UNSETTLED_MOST];
    enum smtp_verdict verdicts[PLAY_UNSETTLED_MOST];
    uint32_t unsettled_n, drops, letters_n;
    bool closed;
    char *place;                /* when `moving` */
    const char *broken;         /* a rule of server.h that the machine broke, or NULL */
};

/* Greeted and ready. server == NULL when there is no memory. */
void play_begin(struct play *play);
void play_done(struct play *play);
void play_feed(struct play *play, struct bytes input);
/* Nothing more will come. */
void play_end(struct play *play);
/* Pass on what is due without input: after stop, timeout, settle. */
void play_turn(struct play *play);

/* One word for each reply, "250" or "250/2.1.0", and "close" at last: what tests compare. */
void play_summary(const struct play *play, struct buffer *to);

#endif
