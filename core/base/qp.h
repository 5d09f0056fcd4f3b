/* SPDX-License-Identifier: ISC
 *
 * base/qp.h: quoted-printable (RFC 2045, 6.7), in pieces of any size.
 *
 * Every input has one result. "=" and two hexadecimal digits of either case is an octet; "=", white
 * space and a line end (or the end of the text, for the line end before a MIME boundary is not the
 * part's) is a soft line break; any other "=" stands for itself and is named in `flaws`. White
 * space before a line end or the end of the text is taken away. Line ends stay as they are.
 */
#ifndef POSTERN_BASE_QP_H
#define POSTERN_BASE_QP_H

#include "base/buffer.h"

enum qp_flaw {
    QP_BAD_ESCAPE = 1 << 0,     /* "=" that begins neither an octet nor a soft line break */
    QP_8BIT = 1 << 1,           /* an octet above 127 or a control, raw */
    QP_LONG_SPACE = 1 << 2,     /* so much white space in a row that it was taken for text */
};

enum { QP_HELD_MOST = 1000 };   /* a line of RFC 5322, 2.1.1 */

/* Zero is ready. */
struct qp_decoder {
    char held[QP_HELD_MOST];    /* white space, or "=" and what stood behind it, not yet decided */
    uint16_t held_n;
    uint8_t flaws;              /* enum qp_flaw, all that were seen */
};

/* Put what the text gives behind what `to` holds. */
void qp_decode(struct qp_decoder *decoder, struct bytes text, struct buffer *to);
/* The text is over. */
void qp_decode_end(struct qp_decoder *decoder, struct buffer *to);

/* The value of a hexadecimal digit, or -1. */
int hex_value(char c);

#endif
