/* SPDX-License-Identifier: ISC
 *
 * mail/status.h: enhanced status codes (RFC 3463; the IANA registry) and the replies made from them.
 *
 * status.def is the one list; every reply of the program is made from it. A code is three numbers: no
 * digits are counted anywhere, so 5.7.25 can be said.
 */
#ifndef POSTERN_MAIL_STATUS_H
#define POSTERN_MAIL_STATUS_H

#include "base/buffer.h"
#include "base/bytes.h"

struct status_code {
    uint8_t class;          /* 2 success, 4 for now, 5 for good */
    uint16_t subject, detail;
};

#define STATUS(c, s, d) ((struct status_code){ (c), (s), (d) })

/* "5.7.25". */
void status_put(struct buffer *to, struct status_code code);
/* Reads class "." subject "." detail (each subject and detail 1 to 3 digits, as the RFC's grammar) from
   the start of the text; *ret_used is what it took. */
MUST_USE bool status_parse(struct bytes text, struct status_code *ret_code, size_t *ret_used);

#endif
