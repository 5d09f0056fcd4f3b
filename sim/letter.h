/* SPDX-License-Identifier: ISC
 *
 * sim/letter.h: the letters that clients send, made from dice, and what became of each as its
 * client saw it.
 *
 * Stands on base and mail's names of body kinds. Every line of a letter holds its token, so that
 * a text that crossed into another letter shows.
 */
#ifndef POSTERN_SIM_LETTER_H
#define POSTERN_SIM_LETTER_H

#include "base/buffer.h"
#include "mail/envelope.h"
#include "sim/dice.h"

/* An address that clients write to. */
struct mailbox {
    const char *address;        /* as in RCPT, without brackets */
    const char *folder;         /* below the mail root; NULL: refused with 550 */
    bool utf8;                  /* needs SMTPUTF8 */
    bool refuses;               /* fails for good after it was accepted: sim/refuser.h, sim/mx.h */
    bool away;                  /* elsewhere: sim/zone.h. No folder, and accepted all the same */
};

/* Whom letters are written to. */
enum letter_reach { REACH_HERE, REACH_BOTH, REACH_AWAY };

/* Where reports go: the sender of what may fail. Nobody writes to it. */
#define REPORTS_ADDRESS "reports@example.org"
#define REPORTS_FOLDER "example.org/reports"
enum { REPORT_ID = 64 };

extern const struct mailbox mailboxes[];
extern const size_t mailboxes_n;

enum letter_sort {
    SORT_GOOD,          /* is to be taken */
    SORT_BAD_ENDS,      /* has bare CR, bare LF or NUL where these must be refused */
    SORT_TOO_LARGE,     /* declares more than SIZE allows */
};

/* What the client knows in the end. */
enum letter_outcome {
    OUT_NEVER,          /* its end was never sent: must not be delivered */
    OUT_UNKNOWN,        /* its end was sent, no answer came: delivered whole, or not at all */
    OUT_ACKED,          /* 250: must be delivered to all accepted recipients */
    OUT_REFUSED,        /* 4xx or 5xx: must not be delivered */
};

enum { LETTER_RECIPIENTS = 8 };

struct letter_recipient {
    const struct mailbox *mailbox;
    unsigned code;              /* the reply to its RCPT, 0: none came */
    bool sent;
    const char *notify;         /* parameter of RCPT, or "" */
    char report[REPORT_ID];     /* the Message-ID of the report about it; "": none was seen */
    unsigned copies;            /* found, or taken by a reader */
    unsigned taken;             /* by a reader who took it away */
    unsigned moved;             /* by a reader into cur/ */
    bool failed;                /* the store heard that it failed for good */
    bool deleted;               /* the store heard an order to delete it: it may be gone */
    uint64_t held_us;           /* when it was last seen to be held */
    unsigned windows;           /* attempts that a fault hit between their beginning and their
                                   record */
    bool hit;                   /* the last one */
    bool over;                  /* it was not delivered: only its server may know better */
    uint64_t begun_us;                      /* of the last attempt; 0: none is under way */
    uint64_t told_us, told_groups;          /* the store heard that it went well; 0: not yet.
                                               Groups it had begun to write by then */
};

struct letter {
    uint32_t index;
    enum letter_sort sort;
    enum body_kind body;
    bool utf8, chunks;          /* chunks: by BDAT */
    bool secured;               /* its end went through TLS */
    bool require_tls;           /* RFC 8689; said only inside TLS */
    const char *sender;         /* "" is the null sender */
    struct bytes text;          /* as it is to arrive: no dots stuffed, no chunk frames */
    size_t flaw_at;             /* SORT_BAD_ENDS: from here on nothing is stuffed */
    struct letter_recipient recipients[LETTER_RECIPIENTS];
    size_t recipients_n;
    enum letter_outcome outcome;
    unsigned mail_code, code;   /* replies to MAIL and to the end; 0: none */
};

/* Fill in a letter of that index. */
void letter_make(struct letter *letter, uint64_t seed, uint32_t index, enum letter_reach reach,
                 struct dice *dice);
void letter_done(struct letter *letter);

/* The index that a token in the text names; false when there is none of this seed. */
bool letter_find_token(uint64_t seed, struct bytes text, uint32_t *ret_index);

#endif
