/* SPDX-License-Identifier: ISC
 *
 * smtp/stuff.h: a letter's text made ready to be sent behind DATA (RFC 5321, 4.5.2).
 */
#ifndef POSTERN_SMTP_STUFF_H
#define POSTERN_SMTP_STUFF_H

#include "base/buffer.h"

/* Over any split of the text. Zero is ready. */
struct stuff {
    bool inside;                /* of a line: else a dot is doubled */
    bool cr;                    /* a CR came last and is not written yet */
};

/* A dot at a line's beginning is doubled; a CR or LF that stands alone is made CRLF, so that no two
   readers can differ about where a line ends. */
void stuff_put(struct stuff *stuff, struct bytes text, struct buffer *to);
/* The end: a line end when one is missing, then the dot. */
void stuff_finish(struct stuff *stuff, struct buffer *to);

#endif
