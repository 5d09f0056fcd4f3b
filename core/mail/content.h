/* SPDX-License-Identifier: ISC
 *
 * mail/content.h: the values of Content-Type and Content-Disposition (RFC 2045, 5.1; RFC 2183),
 * and their parameters in all the ways of RFC 2231.
 *
 * What is sent is read, not only what is allowed; wherever two readers could see different things,
 * the flaw says so and the choice is the same for everyone who asks here.
 */
#ifndef POSTERN_MAIL_CONTENT_H
#define POSTERN_MAIL_CONTENT_H

#include "base/buffer.h"

enum content_flaw {
    CONTENT_BAD_TYPE = 1 << 0,          /* no type "/" subtype */
    CONTENT_BAD_PARAMETER = 1 << 1,     /* something between ";" that is no parameter */
    CONTENT_OPEN_QUOTE = 1 << 2,
    CONTENT_TWO_VALUES = 1 << 3,        /* a parameter in two ways, or twice; a section twice */
    CONTENT_GAP = 1 << 4,               /* sections that do not follow each other from 0 on */
    CONTENT_TOO_MANY = 1 << 5,          /* sections beyond LIMIT_PARAMETER_SECTIONS */
    CONTENT_BAD_CHARSET = 1 << 6,       /* of an extended value: unknown, or none named */
    CONTENT_BAD_COMMENT = 1 << 7,
};

/* Slices of the value, as written; empty when it has none. */
struct content {
    struct bytes type, subtype;     /* of a Content-Disposition: its type alone */
    struct bytes parameters;        /* from the first ";" on */
    unsigned flaws;
};

/* Reads the unfolded or folded body of the field. Always gives something. */
struct content content_parse(struct bytes value);

/* The value of a parameter (its name in lower case) as UTF-8, behind what `to` holds; false when
   it is not there. `name*`, then `name*0...`, then `name` is taken, and of two the first. An
   extended value of an unknown charset stays as it is written. ORs what is odd into *flaws. Linear
   in the value's length. */
bool content_parameter(const struct content *content, const char *name, struct buffer *to,
                       unsigned *flaws);

#endif
