/* SPDX-License-Identifier: ISC
 *
 * bounce/report.h: writes the reports that tell a sender what became of a letter: RFC 3464, and RFC
 * 6533 for letters that came with SMTPUTF8. Stands on base and mail.
 *
 * A report is a multipart/report (RFC 6522) of three parts: a text for people (and, where there is
 * room, the same in HTML beside it), the facts for programs, and what is given back of the letter.
 * All octets of strangers are made safe first: whatever an envelope or a letter holds, the report
 * has exactly these three parts, no line of it is a stranger's own, and none is longer than 998
 * octets.
 */
#ifndef POSTERN_BOUNCE_REPORT_H
#define POSTERN_BOUNCE_REPORT_H

#include "base/buffer.h"
#include "bounce/rules.h"
#include "mail/envelope.h"
#include "mail/status.h"

/* Action (RFC 3464, 2.3.3). */
enum report_action {
    REPORT_FAILED, REPORT_DELAYED, REPORT_DELIVERED, REPORT_RELAYED, REPORT_EXPANDED,
    REPORT_ACTIONS
};

/* One of the recipients that the report is about. */
struct report_group {
    struct recipient recipient;
    struct status_code code;
    struct bytes words;         /* of whoever decided: our own, or what a peer said */
    struct bytes remote;        /* the server it was: a name, an address literal, or "unix:" and a
                                   path; empty: we did it ourselves */
    struct bytes reply;         /* what that server replied, with its code; empty: nothing */
    uint64_t attempt_ms;        /* the last attempt, wall clock; 0: none */
    uint64_t retry_until_ms;    /* DELAYED: it is tried until then; 0: not known */
};

struct report {
    enum report_action action;  /* of all groups */
    const struct envelope *envelope;    /* of the letter */
    uint64_t letter;            /* its id */
    uint32_t serial;            /* another for each report about that letter */
    struct bytes host;          /* our name now */
    uint64_t now_ms;            /* wall clock */
    const struct report_group *groups;
    size_t groups_n;            /* at least 1 */
    struct bytes text;          /* the start of the letter's text */
    bool whole;                 /* and that is all of it */
    uint64_t most;              /* about so many octets a report may have; at least 4096 */
    struct rules **rules;       /* what reads replies: made when first needed and left there for the
                                   next report, since it takes long; NULL: for this one alone */
};

enum {
    REPORT_WHOLE_MOST = 50 * 1024,      /* of a text that goes back whole though nobody asked */
    REPORT_HEADERS_MOST = 64 * 1024,
    REPORT_FIELD_MOST = 900,            /* of one stranger's text in a field */
};

/* What the letter that carries the report must be sent as. */
struct report_needs {
    bool eight_bit, utf8;
};

/* The whole report, header and body, behind what `to` holds; to->bad when it does not fit. */
void report_write(struct buffer *to, const struct report *report, struct report_needs *ret_needs);
/* Its Message-ID, without brackets. */
void report_id_put(struct buffer *to, const struct report *report);

/* Printable ASCII, and with `utf8` other safe characters, as they are; "?" for anything else; at
   most REPORT_FIELD_MOST octets. */
void report_put_safe(struct buffer *to, struct bytes text, bool utf8);

#endif
