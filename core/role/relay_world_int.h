/* SPDX-License-Identifier: ISC
 *
 * role/relay_world_int.h: for tests only: relay among names, servers and a store that are scripts;
 * time is virtual. No TLS is spoken here (tests/e2e/relay.py does).
 */
#ifndef POSTERN_ROLE_RELAY_WORLD_INT_H
#define POSTERN_ROLE_RELAY_WORLD_INT_H

#include "base/effects.h"
#include "dns/answer.h"
#include "mail/envelope.h"
#include "plan/conf.h"
#include "role/wire.h"

enum { CONNS = 32, JOBS = 64, ZONE = 32, DIALS = 256 };

struct line {
    bool open, closing, text;
    bool in_chunk, last;        /* of BDAT: so many octets are still to come */
    uint64_t chunk;
    unsigned rcpts;             /* that were taken since MAIL */
    struct buffer heard;        /* not yet answered */
};

/* What the names say; of what is not there that there are no such records. */
struct record {
    const char *name;
    uint16_t type;
    enum dns_verdict verdict;
    bool proved;
    const char *data;           /* addresses, or hosts best first, with blanks between; of TXT one
                                   record, as it is */
    const char *alias;          /* where its CNAMEs end; NULL: it has none */
};

struct relay_world {
    struct conf conf;
    void *relay;
    struct effects fx;
    struct moment now;
    struct line lines[CONNS];
    struct { uint64_t token; struct net_address at; } dials[DIALS];
    size_t dials_n, dialled;
    struct record zone[ZONE];
    size_t zone_n, asked;
    struct buffer questions;    /* NAME_ASK frames, as blocks */
    uint32_t fetches[8];        /* tokens of what was asked of fetch and is not answered */
    size_t fetches_n, fetched;
    struct buffer urls;         /* of all of them, a line each */
    struct buffer brought;      /* the body of the last */
    struct buffer memory;       /* what the store was told to keep, last */
    struct buffer comes;        /* of the next */
    struct buffer keyops;       /* KEYOP frames, as blocks */
    struct buffer reports;      /* frames to the store about reports of TLS, as blocks */
    struct wire_job_result results[JOBS];   /* JOB_DELIVERED also for the two that are like it */
    uint8_t outcomes[JOBS];                 /* as it was told */
    char words[JOBS][256], replies[JOBS][256];
    unsigned results_n, mails, transactions, rcpts, data_ends;
    uint64_t alarm_ms;
    const char *rcpt_reply[8];  /* to the n-th RCPT of a transaction; NULL: 250 */
    unsigned rcpt_at;
    const char *greeting, *ehlo;
    const char *chunk_reply;    /* to the next BDAT LAST; NULL: 250 */
    uint32_t attempt;           /* of the letters to come; 0: the first */
    uint64_t dice, lies;        /* lies: one reply of so many is another than it should; 0: none */
    uint64_t kept;              /* recipients for whom a server said 250 after the text */
    uint64_t taken;             /* results that say "delivered" */
    enum body_kind body;        /* of the letters to come */
    bool utf8;
    enum by_mode by;            /* of the letters to come, with so much time from now on */
    bool by_trace;
    int64_t by_ms;
    const char *orcpt;          /* of their recipients; NULL: none */
    const char *end_reply;      /* to the end of the text; NULL: 250 */
    size_t filler;              /* so many octets of 8 bits behind their text, in parts */
    bool unended;               /* their end is not told */
    uint64_t short_at;          /* of each step that allocation fails; 0: none */
    struct buffer said;         /* all that servers heard */
    struct buffer log;
};
extern struct relay_world w;


/* Relay dies, and another begins; time passes meanwhile. What the store kept is told to it. */
void begin_anew(uint64_t ms);
/* Before and after start() the settings in w.conf may be changed. */
void begin(void);
void start(void);
void end(void);
void step(struct event event);
/* One frame, from that role. */
void tell(struct effects *fx, enum role_kind from);
void pass(uint64_t ms);

/* One record more in the zones; and answer all that was asked. */
void zone(const char *name, uint16_t type, enum dns_verdict verdict, bool proved,
          const char *data);
void answer_names(void);

/* The oldest fetch ends so. */
void answer_fetch(unsigned result, const char *body);

/* a.example in the zones: one host, one address. */
void a_host(void);
/* begin and start; addresses that are nobody's may be dialled, as those of documentation are. */
void private(void);

uint64_t roll(uint64_t most);

/* The oldest dial ends; the connection. Servers answer until nobody has anything to say. */
uint32_t connect(bool well);
void answer_all(void);
void hang_up(uint32_t conn);

/* A letter of the store's, for so many recipients: jobs `number` and those after it. */
extern const char *const TEXT;
void give_with(uint32_t number, const char *const *to, size_t n, const char *text,
               bool require_tls);
void give(uint32_t number, const char *to);
/* Did a server hear that, does the log have it? */
bool said(const char *words);
bool logged(const char *words);
void result_is(uint32_t job, enum job_outcome outcome, unsigned class, unsigned subject,
               unsigned detail);

#endif
