/* SPDX-License-Identifier: ISC
 *
 * role/once.h: the commands that ask: their words read, their answers written, as pure functions.
 *
 * A test can run the whole command line here without a process. The admin role and host/ctl.c
 * both use it: one through the control socket, the other on the files while no server runs.
 * Everything that a stranger sent leaves escaped, in text (base/safe.h) as in JSON (base/json.h).
 */
#ifndef POSTERN_ROLE_ONCE_H
#define POSTERN_ROLE_ONCE_H

#include "base/buffer.h"
#include "base/limits.h"
#include "queue/history.h"
#include "role/wire.h"
#include "web/figures.h"

/* Exit statuses, with the values of sysexits.h. */
enum once_exit {
    ONCE_WELL = 0,
    ONCE_FOUND_NOTHING = 1,
    ONCE_DAMAGE = 1,
    ONCE_USAGE = 64,            /* EX_USAGE */
    ONCE_DATA = 65,             /* EX_DATAERR */
    ONCE_NO_INPUT = 66,         /* EX_NOINPUT */
    ONCE_UNAVAILABLE = 69,      /* EX_UNAVAILABLE */
    ONCE_SOFTWARE = 70,         /* EX_SOFTWARE */
    ONCE_OS = 71,               /* EX_OSERR */
    ONCE_CANNOT_CREATE = 73,    /* EX_CANTCREAT */
    ONCE_IO = 74,               /* EX_IOERR */
    ONCE_NOT_NOW = 75,          /* EX_TEMPFAIL */
    ONCE_PROTOCOL = 76,         /* EX_PROTOCOL */
    ONCE_DENIED = 77,           /* EX_NOPERM */
    ONCE_CONFIG = 78,           /* EX_CONFIG */
};

enum once_command {
    ONCE_QUEUE, ONCE_TRACE, ONCE_STATUS, ONCE_TOP, ONCE_BACKUP, ONCE_RELOAD, ONCE_TLSRPT,
    ONCE_PEERS, ONCE_COMMANDS
};

/* Which recipients of the queue: all that is said must hold. */
struct once_filter {
    bool some;                  /* something is said; `all` counts */
    bool all, held, waiting;
    uint64_t id, older_ms;      /* 0: any */
    bool by_from, by_to;
    struct bytes from, to;      /* an address, or "@domain"; from "": the null sender */
    struct bytes domain;        /* of the recipient; empty: any */
};

/* What to do with them; the values are those of queue/queue.h's enum queue_verb. */
enum once_verb {
    ONCE_LIST, ONCE_RETRY, ONCE_HOLD, ONCE_RELEASE, ONCE_BOUNCE, ONCE_DELETE, ONCE_REDIRECT,
    ONCE_SUSPEND, ONCE_RESUME,  /* of a whole destination */
    ONCE_VERBS
};

struct once_request {
    enum once_command command;
    struct once_filter filter;  /* queue */
    enum once_verb verb;        /* queue */
    bool dry_run;
    struct bytes reason;        /* queue: of a verb */
    struct bytes redirect;      /* queue redirect: the address */
    struct bytes destination;   /* queue suspend, resume: the domain, as it was given */
    uint64_t for_ms;            /* queue suspend: 0: until it is resumed */
    bool destinations;          /* queue: gathered by destination */
    bool help, json;
    bool tls;                   /* trace: what went wrong with TLS, in place of a subject */
    bool relative;              /* "3 minutes ago" beside each moment */
    bool send;                  /* tlsrpt: end the day here */
    struct bytes subject;       /* trace: an id, Message-ID or address, as given; tlsrpt: a domain,
                                   or empty: all */
};

/* The words of one command, its name first. False: reterr_words says what is wrong, one line with
   its end, for the exit status ONCE_USAGE. Slices borrow from the words. */
MUST_USE bool once_read(const struct bytes *words, size_t n, struct once_request *ret_request,
                        struct buffer *reterr_words);
/* What --help prints. */
const char *once_help(enum once_command command);

/* What a word to trace may be, in the order to try them, or 0 when it has none of the forms: an id
   is 13 characters; the others hold an "@"; in brackets a Message-ID is likelier, else an address.
   */
size_t once_trace_ways(struct bytes word, enum trace_by ret_ways[static 2]);
/* The word as queue/history keeps it: the id in upper case, the Message-ID without its brackets,
   the address in normal form. */
void once_trace_key(struct bytes word, enum trace_by by, struct buffer *to);

/* How to write: set by the caller, the same for a whole answer. */
struct once_style {
    bool json, relative;
    uint64_t now_ms;            /* wall clock; for `relative` and for ages */
};

/* postern queue: rows in order of letter, then the end. */
struct once_queue {
    struct once_style style;
    uint64_t letter;            /* of the last row */
    uint64_t letters, recipients, octets;
};
void once_queue_row(struct once_queue *queue, const struct wire_queue_row *row, struct buffer *to);
/* A letter as the files alone tell it, while no server runs: who is not finished is not known. */
struct once_letter {
    uint64_t id, size, received_ms;
    uint32_t recipients, left;
    bool held;
    struct bytes head, to;      /* as in a trace row: the envelope, and blocks of entries */
};
void once_queue_letter(struct once_queue *queue, const struct once_letter *letter,
                       struct buffer *to);
void once_queue_end(const struct once_queue *queue, struct buffer *to);

/* 90, 90s, 15m, 2h, 3d. */
MUST_USE bool once_span_read(struct bytes word, uint64_t *ret_ms);
/* once_filter.c: words of a filter. *at is that of the option, and afterwards the last it took.
   False: it is none of a filter's; or (reterr_words has words) its value is wrong. */
MUST_USE bool once_filter_take(struct once_filter *filter, const struct bytes *words, size_t n,
                               size_t *at, struct buffer *reterr_words);
bool once_filter_matches(const struct once_filter *filter, const struct wire_queue_row *row,
                         uint64_t now_ms);
/* "retry", or ONCE_LIST when it is no verb; and back. */
enum once_verb once_verb_of(struct bytes word);
const char *once_verb_word(enum once_verb verb);
/* May that verb change a recipient like this one? */
bool once_verb_fits(enum once_verb verb, const struct wire_queue_row *row);
/* The entry that stands in this one's place when it goes to another address (RFC 3461, 5.2.7.1:
   what the sender asked for goes with it). */
void once_redirect_put(struct buffer *to, struct bytes entry, struct bytes address);
/* How a verb went. */
struct once_orders {
    uint64_t letters, recipients, busy, unanswered, unreported;
    bool dry_run;
};
void once_orders_put(const struct once_style *style, enum once_verb verb,
                     const struct once_orders *orders, struct buffer *to);

/* once_dests.c: the queue by destination: rows and holds come in, in any order, and lines go out.
   NULL: no memory. */
struct once_dests;
MUST_USE struct once_dests *once_dests_new(void);
void once_dests_free(struct once_dests *dests);
void once_dests_add(struct once_dests *dests, const struct wire_queue_row *row);
void once_dests_hold(struct once_dests *dests, const struct wire_hold_row *hold);
/* The i-th, from 0; false: there is none. */
bool once_dests_put(const struct once_dests *dests, const struct once_style *style, size_t i,
                    struct buffer *to);
/* A domain as the store names it: A-labels in lower case, or an address literal. False: it is
   none. */
bool once_destination_put(struct buffer *to, struct bytes domain);
/* That destination is suspended, or resumed; until 0: for good. */
void once_held_put(const struct once_style *style, const struct once_request *request,
                   uint64_t until_ms, struct buffer *to);

/* postern trace: events letter by letter, in order of time, then the end. */
struct once_trace {
    struct once_style style;
    uint64_t letters, letter;
    uint32_t recipients;        /* of this letter, as far as known */
    uint8_t ends[LIMIT_RECIPIENTS_MOST];    /* the last enum history_what of each recipient */
};
void once_trace_event(struct once_trace *trace, const struct history_event *event,
                      struct buffer *to);
/* `more`: older letters were left out. */
void once_trace_end(struct once_trace *trace, bool more, struct buffer *to);

/* postern trace --tls: one row. */
void once_tls_row(const struct once_style *style, const struct wire_tls_row *row,
                  struct buffer *to);

/* postern peers: one row, as dns/ledger.h has it. */
void once_peer_row(const struct once_style *style, struct bytes saved, struct buffer *to);

/* postern tlsrpt: one row; and with --send how many domains there were. */
void once_tlsrpt_row(const struct once_style *style, const struct wire_tlsrpt_row *row,
                     struct buffer *to);
void once_tlsrpt_sent(const struct once_style *style, uint32_t domains, struct buffer *to);

/* postern status. What is not known of the figures is left out. */
void once_status(const struct once_style *style, enum store_state state,
                 const struct wire_status_is *status, const struct web_figures *figures,
                 struct buffer *to);

/* postern code: all of it, its words read and its answer written. `colour`: for a terminal. What is
   wrong with the words stands in reterr_words, a line each with its end; the answer may still have
   something. */
enum once_exit once_code(const struct bytes *words, size_t n, bool colour, struct buffer *to,
                         struct buffer *reterr_words);

#endif
