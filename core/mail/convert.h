/* SPDX-License-Identifier: ISC
 *
 * mail/convert.h: makes of a letter one that the next server takes, when that lacks 8BITMIME,
 * BINARYMIME or SMTPUTF8 (RFC 6152, 3; RFC 3030; RFC 6857).
 *
 * Stands on base. What a reader sees of it stays the same: each part decodes to the same octets,
 * each field to the same characters. What is signed or encrypted is never touched, for then it
 * would be broken. The whole letter lies in memory; the caller bounds it.
 */
#ifndef POSTERN_MAIL_CONVERT_H
#define POSTERN_MAIL_CONVERT_H

#include "base/buffer.h"

/* What the next server takes. */
struct convert_for {
    bool eight_bit;         /* 8BITMIME */
    bool binary;            /* BINARYMIME and CHUNKING; means eight_bit too */
    bool utf8;              /* SMTPUTF8: UTF-8 in header fields */
};

enum convert_verdict {
    CONVERT_NOT_NEEDED,     /* it takes the letter as it is: nothing was put */
    CONVERT_DONE,
    CONVERT_SIGNED,         /* what needs it lies in a multipart/signed or multipart/encrypted */
    CONVERT_FLAWED,         /* a part says it is coded and is not, or its structure is broken */
    CONVERT_NO_MEMORY,      /* or `to` has no room */
};

/* The converted letter behind what `to` holds, only for CONVERT_DONE. `utf8_fields`: the letter
   came with SMTPUTF8; without, octets above 127 in its header fields are somebody's mistake, and
   stay unless eight_bit is missing too. */
enum convert_verdict convert_letter(struct bytes letter, bool utf8_fields,
                                    const struct convert_for *server, struct buffer *to);

/* Is any of it signed or encrypted, in whatever way, so that its octets are not to be others? */
bool convert_is_signed(struct bytes letter);

/* Why not, for a report; "" for the first two. */
const char *convert_why(enum convert_verdict verdict);

#endif
