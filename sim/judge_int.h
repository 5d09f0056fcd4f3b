/* SPDX-License-Identifier: ISC
 *
 * sim/judge_int.h: what the files of the judge share.
 *
 *   judge.c          mailboxes, readers, and what is found at rest
 *   judge_hear.c     what is overheard between the roles, and what is on record
 *   judge_away.c     what servers elsewhere got, and how
 */
#ifndef POSTERN_SIM_JUDGE_INT_H
#define POSTERN_SIM_JUDGE_INT_H

#include "role/wire.h"
#include "sim/judge.h"
#include "sim/zone.h"

enum {
    FILE_MOST = 8 << 20,
    JOBS_MOST = 4096,
    MAILBOXES_MOST = 64, DOMAINS_MOST = 16, ROWS_MOST = 256,
};

/* A delivery that the store asked for, as overheard. */
struct overheard {
    uint32_t job, with;             /* with: the job whose text it goes with; its own number */
    uint32_t letter;
    char to[LIMIT_ADDRESS + 1];
    bool known;                     /* which letter it is */
};

struct judge {
    struct world *world;
    struct crowd *crowd;
    uint64_t seed;
    bool reports;                   /* promise 4 is to be kept */
    enum role_kind deliverer;
    const struct zone *zone;        /* NULL: nobody is elsewhere */
    uint64_t refused_us[MAILBOXES_MOST];    /* a server said 5xx about that address; 0: never */
    uint64_t turned_us[DOMAINS_MOST];       /* a server of that domain, before any was named */
    uint64_t policy_us;             /* since when relay holds the policy of MTA-STS; 0: not */
    struct judge_row {              /* seen in listings, the last ones */
        uint64_t id;
        uint32_t recipient;
        struct letter_recipient *is;
    } rows[ROWS_MOST];
    size_t rows_n;
    struct overheard *jobs;
    size_t jobs_n, jobs_room;
    uint64_t groups_begun, groups_safe;     /* of the log, in this life of the store */
    uint64_t log_asked, log_ended;  /* all operations on the writer's lane, in this life */
    uint64_t rest_us;               /* when the last one ended */
};

/* judge.c */
/* By a token in it. NULL: none of ours. */
struct letter *judge_letter_in(struct judge *judge, struct bytes text);
/* By the Message-ID in that field ("\nIn-Reply-To: <"), else as above: of a report's letter nothing
   may come back, when memory was short, and what is made anew for a server hides the token. */
struct letter *judge_letter_by(struct judge *judge, struct bytes field, struct bytes text);

/* judge_hear.c: for struct world_watch. */
void judge_frame(void *ctx, struct role_name from, struct role_name to, struct bytes frame);
void judge_asked(void *ctx, enum role_kind who, const struct io *io);
void judge_fault(void *ctx, enum role_kind who);
void judge_log_ended(struct judge *judge, const struct io *io, enum fault fault);

/* judge_order.c: the queue as admin sees it, and what it orders. */
void judge_row(struct judge *judge, const struct wire_queue_row *row);
void judge_order(struct judge *judge, const struct wire_queue_order *order);
/* It need not be there: it is held still, or was deleted. */
bool judge_is_excused(const struct judge *judge, const struct letter_recipient *recipient);

/* judge_away.c */
/* Is there a reason that this recipient failed for good just now? */
bool judge_may_fail(const struct judge *judge, const struct letter *letter,
                    const struct letter_recipient *recipient);
/* A copy came there. */
void judge_took(struct judge *judge, struct letter *letter, struct letter_recipient *recipient,
                const struct server_letter *taken);

#endif
