/* SPDX-License-Identifier: ISC
 *
 * mail/status.h: enhanced status codes (RFC 3463; the IANA registry) and the replies made from
 * them.
 *
 * status.def is the one list, and basic.def that of the three digits in front of them; every reply
 * of the program is made from them. A code is three numbers:
 * no digits are counted anywhere, so 5.7.25 can be said.
 */
#ifndef POSTERN_MAIL_STATUS_H
#define POSTERN_MAIL_STATUS_H

#include "base/buffer.h"
#include "base/bytes.h"

#include "mail/basic.def"
#include "mail/status.def"

struct status_code {
    uint8_t class;          /* 2 success, 4 for now, 5 for good */
    uint16_t subject, detail;
};

#define STATUS(c, s, d) ((struct status_code){ (c), (s), (d) })

/* STATUS_NO_SUCH_MAILBOX ...: subject and detail of each registered code, for status_of. */
#define STATUS_DETAIL_NAME_(s, d, NAME, ...) STATUS_##NAME = (s) << 10 | (d),
enum status_detail { STATUS_DETAIL_LIST(STATUS_DETAIL_NAME_) };
#undef STATUS_DETAIL_NAME_

/* The code of that name in that class: status_of(5, STATUS_NO_SUCH_MAILBOX) is 5.1.1. */
static inline struct status_code status_of(uint8_t class, enum status_detail detail)
{
    return STATUS(class, (uint16_t)(detail >> 10), (uint16_t)(detail & 1023));
}

/* A row of the registry. All texts are constant. */
struct status_entry {
    uint16_t subject, detail;
    const char *name;       /* as in the enum above, without STATUS_ */
    const char *basic;      /* the basic reply codes the registry names, or "" */
    const char *reference;
    const char *title;      /* its name in the registry */
    const char *text;       /* what it means, one sentence of ours */
};

/* The row of a code, whatever its class; NULL when it is not registered. */
const struct status_entry *status_find(struct status_code code);
/* The i-th row in order of the registry, for the manual; NULL past the last. */
const struct status_entry *status_entry_at(size_t i);
/* What a class (2, 4, 5) and a subject (0..7) mean, when the detail is not registered; "" when
   that is not registered either. */
const char *status_class_text(uint8_t class);
const char *status_subject_text(uint16_t subject);
/* Where the RFC says so; "" when it is not registered. */
const char *status_class_reference(uint8_t class);
const char *status_subject_reference(uint16_t subject);

/* A basic reply code. All texts are constant. */
struct basic_entry {
    uint16_t code;
    const char *reference;  /* who defines it; "" when nobody does */
    const char *text;       /* what it means, one sentence of ours */
};

/* The row of a basic reply code, NULL when nobody knows it; and the i-th, NULL past the last. */
const struct basic_entry *basic_find(uint16_t code);
const struct basic_entry *basic_entry_at(size_t i);
/* Does the registry name that basic reply code with that enhanced code? */
bool status_goes_with(const struct status_entry *entry, uint16_t basic);

/* "5.7.25". */
void status_put(struct buffer *to, struct status_code code);
/* Reads class "." subject "." detail from the start of the text (RFC 3463, 2: class 2, 4 or 5,
   subject and detail 1 to 3 digits); *ret_used is what it took. A digit or "." straight behind it
   is refused: it would be another number. */
MUST_USE bool status_parse(struct bytes text, struct status_code *ret_code, size_t *ret_used);

#endif
