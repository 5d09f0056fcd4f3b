/* SPDX-License-Identifier: ISC
 *
 * role/store_int.h: the store role: the queue, and those who speak with it.
 *
 * It translates: frames into calls of queue/queue.h, the queue's news into frames. What it adds
 * itself are the keys of the history (which need an eye for addresses, and the queue knows no mail)
 * the fronts' questions whether a mailbox exists, which it hands on to local, and the reports to
 * senders (bounce/), which it writes when the queue asks.
 */
#ifndef POSTERN_ROLE_STORE_INT_H
#define POSTERN_ROLE_STORE_INT_H

#include "base/buffer.h"
#include "bounce/decide.h"
#include "mail/envelope.h"
#include "plan/route.h"
#include "queue/queue.h"
#include "role/role.h"
#include "role/wire.h"
#include "web/figures.h"

/* The queue's deliverers. */
enum { STORE_LOCAL, STORE_RELAY };

enum { STORE_ASKS_MOST = 4096, STORE_KEYS_MOST = LIMIT_RECIPIENTS_MOST + 3 };

/* A question that local or relay has not answered. */
struct store_ask {
    bool used;
    uint32_t times;             /* how often this place was used: part of our token */
    uint32_t front, token;
    enum role_kind asked;       /* local or relay */
};

struct store_tls;
struct store_known;
struct store_refused;

/* Destinations that are suspended. */
struct store_held {
    struct buffer rows, next;       /* blocks; `next`: as they will be, when that is durable */
    bool writes;
    bool answers;                   /* admin waits for it, with this token */
    uint32_t token;
    bool on;                        /* what changes ... */
    struct buffer name;             /* ... for that destination */
};

/* What relay must not forget. */
struct store_memory {
    struct buffer octets, comes;    /* as last known; the parts of the next */
    bool known, writes;
    bool newer;                     /* than what is being written */
};

struct store {
    const struct conf *conf;
    struct store_tls *tls;      /* NULL: nothing to tell yet */
    struct queue *queue;
    struct routes *routes;
    bool fronts[LIMIT_FRONTS], admin, local, relay;
    struct store_ask *asks;     /* STORE_ASKS_MOST of them, made when first needed */
    uint32_t asks_n, asks_next;
    struct store_known *known;  /* NULL: never asked */
    struct store_refused *refused;      /* NULL: nothing was refused yet */
    struct store_held held;
    struct store_memory memory;
    struct buffer keys, normal;
    uint64_t alarm;             /* as last asked for */
    uint64_t end_by;            /* asked to end: at the latest then, monotonic; or 0 */
    uint64_t heal_at;           /* its disk failed: it ends then, to begin anew; or 0 */
    bool over;
    /* Reports: the limit, and what the one being written is made of. */
    struct bounce_limit *limit;
    struct rules *rules;        /* NULL: no report needed them yet */
    struct buffer report_head, report_to, report_entry, report_text, report_id;
    struct effects *fx;         /* of this step */
    struct moment now;
    /* For `postern status`: since this role began. */
    uint64_t since_ms, accepted, outcomes[JOB_WAITS + 1];
    struct web_store_figures figures;   /* of it: flushes, and roles that began */
};

/* store_keys.c: by what a letter shall be found in the history. Lives until the next call. */
struct queue_keys store_keys(struct store *store, struct bytes head, struct bytes to);

/* store_report.c: is a letter's sender to hear of a recipient's end, and what of those that end
   together; queue_conf.wants and queue_conf.report. */
enum queue_report store_wants(void *store, const struct queue_verdict *verdict);
enum queue_report store_report(void *store, const struct queue_verdict *verdict,
                               struct queue_letter *ret_letter, struct queue_keys *ret_keys);
void store_reports_init(struct store *store);
void store_reports_done(struct store *store);
/* The head of a letter of our own from the null sender, in report_head, and in report_to whom it is
   for: `address`, or those it stands for. False: no memory. */
bool store_put_head(struct store *store, struct envelope *envelope, struct bytes address);

/* store_ask.c */
/* Is its mailbox on this machine, local's to look after? */
bool store_keeps(const struct store *store, struct bytes address);
void store_ask(struct store *store, uint32_t front, const struct wire_mailbox_ask *ask,
               struct effects *fx);
void store_answer(struct store *store, enum role_kind from, const struct wire_mailbox_is *is,
                  struct effects *fx);
/* That role is gone: nobody answers, or nobody wants to know. */
void store_asks_down(struct store *store, struct role_name peer, struct effects *fx);

/* store_known.c: local asks whether a letter was sent from here; the history knows. Searches for it
   have tokens with this bit, which admin's never have. */
enum { STORE_KNOWN_BIT = 1 << 30 };
void store_known_ask(struct store *store, const struct wire_known_ask *ask, struct effects *fx);
/* What a search of it found, and that one ended. */
void store_known_event(struct store *store, uint32_t token, struct bytes event);
void store_known_end(struct store *store, uint32_t token, struct effects *fx);
/* The search under way was broken off; nobody waits for any answer any more. */
void store_known_lost(struct store *store, struct effects *fx);
void store_known_forget(struct store *store);
void store_known_done(struct store *store);

/* store_refused.c: the letter that tells postmaster what was refused. Its place among the fronts,
   as the queue sees them: */
enum { STORE_ITSELF = LIMIT_FRONTS };
void store_refused_line(struct store *store, struct bytes line, struct moment now);
/* After each step: is it time? Returns when to come again, monotonic; 0: need not. */
uint64_t store_refused_go(struct store *store, struct moment now, struct effects *fx);
/* The queue took it, or did not. */
void store_refused_taken(struct store *store, bool taken);
void store_refused_done(struct store *store);

/* store_held.c: suspend or resume a destination; all that are suspended. */
void store_held_order(struct store *store, const struct wire_hold_order *order, struct moment now,
                      struct effects *fx);
void store_held_ask(struct store *store, uint32_t token, struct effects *fx);
/* What was kept of them was read, or written. */
void store_held_kept(struct store *store, const struct queue_news *news, struct effects *fx);
/* Relay came up: before it gets any job. */
void store_held_tell(struct store *store, struct effects *fx);
/* After each step: those whose time is over. Returns when to come again, monotonic; 0: need not. */
uint64_t store_held_go(struct store *store, struct moment now, struct effects *fx);
/* A job for a mailbox here whose domain is suspended waits, and nobody is told of it. (Relay looks
   itself.) */
bool store_held_back(struct store *store, const struct queue_news *news, struct effects *fx);
/* Until when is mail for the recipient of that entry suspended, wall clock? UINT64_MAX: until
   somebody resumes it; 0: it is not. */
uint64_t store_held_until(const struct store *store, struct bytes to);
void store_held_done(struct store *store);

/* store_tlsrpt.c: reports of TLS. The token of such a letter, as the queue has it, is relay's and
   this: */
enum { STORE_TLSRPT_TOKEN = 2 };
void store_tlsrpt_letter(struct store *store, const struct wire_tlsrpt_letter *wanted,
                         struct moment now, struct effects *fx);
/* Is that the envelope of such a letter? */
bool store_tlsrpt_is(const struct envelope *envelope);
/* The queue took it, or did not. */
void store_tlsrpt_taken(struct store *store, uint32_t token, bool taken, struct effects *fx);
/* Admin asks relay; and relay's answers. False: this is none. */
void store_tlsrpt_ask(struct store *store, const struct wire_tlsrpt_ask *ask, struct effects *fx);
bool store_tlsrpt_told(const struct event *event, struct effects *fx);

/* store_memory.c: what relay must not forget. A part of it came; relay is gone; it was read, or
   written. */
void store_memory_part(struct store *store, const struct wire_memory *part, struct effects *fx);
void store_memory_lost(struct store *store);
void store_memory_kept(struct store *store, const struct queue_news *news, struct effects *fx);
/* Relay came up: before it gets any job. */
void store_memory_tell(struct store *store, struct effects *fx);
void store_memory_done(struct store *store);
/* Admin asks relay; and relay's answers. False: this is none. */
void store_peers_ask(struct store *store, const struct wire_peers_ask *ask, struct effects *fx);
bool store_peers_told(const struct event *event, struct effects *fx);

/* store_tls.c: what a front says of TLS, a letter that came, and all that is known. */
void store_tls_news(struct store *store, const struct wire_tls_news *news, struct moment now);
void store_tls_letter(struct store *store, struct bytes head, struct moment now);
void store_tls_tell(struct store *store, uint32_t token, struct effects *fx);

/* store_figures.c: all that is counted, for admin. */
void store_tell_figures(struct store *store, uint32_t token, struct moment now,
                        struct effects *fx);
/* A front's answer: handed on. False: it is not in order. */
bool store_front_figures(struct store *store, const struct event *event, struct effects *fx);
void store_counts_begin(struct store *store, enum role_kind peer);
/* queue_conf.flushed. */
void store_counts_flush(void *store, uint64_t ms);

/* store_news.c: tell everyone what the queue has to say. */
void store_tell_news(struct store *store, struct effects *fx);
void store_tell_state(struct store *store, struct role_name to, struct effects *fx);

#endif
