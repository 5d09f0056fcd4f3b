/* SPDX-License-Identifier: ISC
 *
 * mail/cause.h: why a letter was not delivered, as one value for the whole system: SMTP replies,
 * DNS, TCP, TLS, policy, time-outs and the reports of others all end in a struct cause. Stands on
 * base; cause.def is the one list.
 *
 * Four answers are kept apart, and none is made from another: is it over; would the same letter
 * pass later; who must act; is the address bad.
 */
#ifndef POSTERN_MAIL_CAUSE_H
#define POSTERN_MAIL_CAUSE_H

#include "base/bytes.h"
#include "mail/cause.def"
#include "mail/status.h"

#define CAUSE_NAME_(NAME, ...) CAUSE_##NAME,
enum cause_category {
    CAUSE_NONE,                 /* nothing is known, or nothing failed */
    CAUSE_LIST(CAUSE_NAME_)
    CAUSE_OUTSIDE_LIST(CAUSE_NAME_)
    CAUSE_COUNT,
    CAUSE_FIRST = CAUSE_USER_MISSING, CAUSE_LAST = CAUSE_UNKNOWN    /* the twenty */
};
#undef CAUSE_NAME_

#define CAUSE_NAME_(NAME, text) CAUSE_FAMILY_##NAME,
enum cause_family { CAUSE_FAMILY_LIST(CAUSE_NAME_) CAUSE_FAMILIES };
#undef CAUSE_NAME_

#define CAUSE_NAME_(NAME, text) CAUSE_WHO_##NAME,
enum cause_who { CAUSE_WHO_LIST(CAUSE_NAME_) CAUSE_WHOS };
#undef CAUSE_NAME_

#define CAUSE_NAME_(NAME, text) CAUSE_##NAME,
enum cause_permanence { CAUSE_PERMANENCE_LIST(CAUSE_NAME_) CAUSE_PERMANENCES };
#undef CAUSE_NAME_

enum cause_answer { CAUSE_UNSURE, CAUSE_NO, CAUSE_YES };

struct cause {
    enum cause_category category;
    enum cause_who who;         /* must act */
    enum cause_permanence permanence;
    enum cause_answer over;     /* NO: a server still tries */
    enum cause_answer retry_would_help;
    enum cause_answer address_bad;      /* YES: take it off lists */
    int64_t retry_until;        /* seconds since 1970; 0: not known */
    struct status_code status;  /* class 0: none */
    uint16_t reply_code;        /* 0: none */
    bool quotes;                /* ADDRESS_INVALID: a server took the quotation marks of a local
                                   part away, and refused what was left */
};

/* The cause of that category, with the answers of cause.def; not over, as far as is known. */
struct cause cause_of(enum cause_category category);
/* The card it is shown under: what is still being tried is INCOMPLETE whatever its category. */
enum cause_family cause_family(const struct cause *cause);

/* Names as in JSON and files of rules; "" for CAUSE_NONE. */
const char *cause_category_name(enum cause_category category);
const char *cause_family_name(enum cause_family family);
const char *cause_who_name(enum cause_who who);
const char *cause_permanence_name(enum cause_permanence permanence);
/* The category of a name, "user-missing" or "USER_MISSING"; CAUSE_NONE for another. */
enum cause_category cause_category_of(struct bytes name);

#endif
