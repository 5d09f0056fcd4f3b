/* SPDX-License-Identifier: ISC
 *
 * role/relay_int.h: what the files of relay share. Nobody else includes it.
 *
 *   relay.c         the role: frames, events, time
 *   relay_job.c     letters on their way, and questions whether a mailbox is there
 *   relay_link.c    connections: dialled, spoken on, kept, given up
 */
#ifndef POSTERN_ROLE_RELAY_INT_H
#define POSTERN_ROLE_RELAY_INT_H

#include "base/effects.h"
#include "base/limits.h"
#include "mail/envelope.h"
#include "plan/route.h"
#include "role/wire.h"
#include "smtp/client.h"

enum {
    RELAY_LINKS = 128,              /* connections of one relay */
    RELAY_KNOWN = 8192,
    RELAY_ASKS = 1024,              /* questions under way; more are answered with "not now" */
    RELAY_BEGIN_BYTES = 128 * 1024, /* a letter is begun when so much of it is here, or all */
    RELAY_AHEAD = 256 * 1024,       /* octets on their way to a server that has not drained them */
    RELAY_PIECE = 60 * 1024,
    RELAY_TEXT_MOST = LIMIT_LETTER_CREDIT + 16 * 1024,
    RELAY_DIAL_MS = 30 * 1000,
    RELAY_REPLY_MS = 5 * 60 * 1000,     /* RFC 5321, 4.5.3.2 */
    RELAY_END_MS = 10 * 60 * 1000,      /* 4.5.3.2.6 */
    RELAY_STALL_MS = 5 * 1000,          /* a server so long silent takes no more than its share */
    RELAY_IDLE_MS = 20 * 1000,          /* a connection without a letter is ended */
    RELAY_REST_MS = 1000,               /* after a server could not be reached; doubled up to */
    RELAY_REST_MOST_MS = 60 * 1000,
    RELAY_STOP_MS = 3 * 1000,
};

/* A letter for one recipient, or a question. */
struct relay_job {
    struct relay_job *next;         /* of the server's, in the order they came */
    uint32_t number;                /* the store's; of a question its token */
    bool ask;
    struct place *place;
    struct link *link;              /* NULL: it waits for one */
    uint64_t letter;
    uint32_t recipient, attempt;
    struct buffer kept;             /* sender and address, borrowed from below */
    struct bytes sender, address;
    struct recipient to;            /* the same address, as the client machine takes it */
    enum body_kind body;
    bool smtputf8, ended, told;
    uint64_t size;
    struct buffer text;             /* come and not yet handed on; `from` of it is */
    size_t from;
    size_t handed;                  /* the most that `from` was: credit was given up to there */
    bool cut;                       /* what was handed on is forgotten: it cannot begin anew */
    size_t owed;                    /* octets of the store's text for which no credit was given */
    size_t added;                   /* octets at its front that are ours */
};

/* A server that letters go to. */
struct place {
    struct conf_route route;
    struct bytes name;              /* as the configuration writes it */
    struct relay_job *jobs, **jobs_end;
    size_t letters;                 /* of those that are no questions */
    uint64_t rests_until_ms;        /* it could not be reached: not before then */
    unsigned failures;              /* in a row */
    struct buffer why;              /* the last one */
    struct buffer kept;             /* what `route` and `name` borrow from after a reload */
};

enum link_state { LINK_FREE, LINK_DIALS, LINK_OPEN, LINK_CLOSES };
struct link {
    enum link_state state;
    struct place *place;
    uint32_t conn;
    struct smtp_client *client;     /* OPEN */
    struct relay_job *job;
    size_t ahead;                   /* octets sent since it was drained */
    uint64_t since_ms;              /* of the last thing that happened */
    uint64_t due_ms;
    bool kept;                      /* a letter went over it before */
    bool heard;                     /* the server said something since its letter began */
    bool greeted;                   /* the server has said what it can */
    bool gone;                      /* EV_CLOSED came: nothing may be asked of it */
    bool late;                      /* DIALS: given up; what comes of it is closed */
};

struct relay {
    const struct conf *conf;
    struct routes *routes;
    struct place *places;
    size_t places_n;
    struct link links[RELAY_LINKS];
    size_t asks;
    uint8_t key[16];
    uint64_t known[RELAY_KNOWN];    /* hashes of addresses whose mailbox was there */
    struct moment now;
    struct effects *fx;             /* of the step in hand */
    uint64_t alarm_ms, stop_ms, windows;
    bool stopping, over;
};

/* ---- relay_job.c */

void relay_job_begin(struct relay *relay, const struct wire_job_begin *begin);
void relay_job_part(struct relay *relay, const struct wire_job_part *part);
void relay_job_end(struct relay *relay, uint32_t number);
void relay_job_drop(struct relay *relay, uint32_t number);
void relay_ask(struct relay *relay, const struct wire_mailbox_ask *ask);
/* The store died: nobody waits for anything. */
void relay_forget_all(struct relay *relay);
void relay_job_result(struct relay *relay, struct relay_job *job,
                      const struct client_result *result);
/* Back to the store: this was no attempt. Frees it. */
void relay_job_again(struct relay *relay, struct relay_job *job);
/* Out of its server's list, and freed. */
void relay_job_free(struct relay *relay, struct relay_job *job);
/* The first that waits for a connection and can be begun; NULL: none. */
struct relay_job *relay_job_next(struct place *place);
/* Those that wait have this result; `questions_too`. */
void relay_give_up_waiting(struct relay *relay, struct place *place, struct status_code code,
                           struct bytes words);
/* How many letters a server that is silent may hold. */
size_t relay_share(const struct relay *relay);
/* It is silent: letters beyond its share go back to the store, and who asks for a mailbox hears
   what was known of it before. */
void relay_shed(struct relay *relay, struct place *place);
/* Credit for what was handed on since. */
void relay_job_credit(struct relay *relay, struct relay_job *job, size_t handed);

/* ---- relay_link.c */

/* Begin what can be begun: letters on idle connections, new connections. */
void relay_place_turn(struct relay *relay, struct place *place);
void relay_connected(struct relay *relay, const struct event *event);
void relay_bytes(struct relay *relay, uint32_t conn, struct bytes bytes);
void relay_drained(struct relay *relay, uint32_t conn);
void relay_closed(struct relay *relay, uint32_t conn, bool end);
/* Go on with its letter, and send. */
void relay_link_go(struct relay *relay, struct link *link);
/* Break it off: what its letter's fate is was told, or nobody asks. */
void relay_link_abort(struct relay *relay, struct link *link);
/* Those whose time is over. */
void relay_links_late(struct relay *relay);
uint64_t relay_links_due(const struct relay *relay);
/* Has it been silent so long, with something to say, that it takes no more than its share? */
bool relay_is_stalled(const struct relay *relay, const struct place *place);
/* No letter is under way on any. */
bool relay_is_quiet(const struct relay *relay);
void relay_links_done(struct relay *relay);

#endif
