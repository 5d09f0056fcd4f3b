/* SPDX-License-Identifier: ISC
 *
 * base/base64.h: base64 (RFC 4648, 4; RFC 2045, 6.8), in pieces of any size.
 *
 * Every input has one result. Octets outside the alphabet are passed over, as RFC 2045 asks; "="
 * ends a quantum, and text behind it begins a new one; a last quantum without its "=" gives the
 * whole octets it holds. What another reader might have decoded differently is named in `flaws`.
 */
#ifndef POSTERN_BASE_BASE64_H
#define POSTERN_BASE_BASE64_H

#include "base/buffer.h"

enum base64_flaw {
    BASE64_ODD_OCTET = 1 << 0,      /* neither of the alphabet nor white space nor "=" */
    BASE64_INSIDE_PAD = 1 << 1,     /* more text behind "=" */
    BASE64_BAD_PAD = 1 << 2,        /* too many "=", too few, or where no quantum can end */
    BASE64_BITS_LEFT = 1 << 3,      /* bits set that belong to no octet, or a letter alone */
};

/* Zero is ready. */
struct base64_decoder {
    uint32_t bits;          /* of the quantum under way */
    uint8_t letters;        /* how many letters it has so far, 0..3 */
    uint8_t owed;           /* "=" still to come */
    bool padded;            /* a "=" was seen */
    uint8_t flaws;          /* enum base64_flaw, all that were seen */
};

/* Put what the text gives behind what `to` holds. */
void base64_decode(struct base64_decoder *decoder, struct bytes text, struct buffer *to);
/* The text is over: the octets of an unfinished quantum. */
void base64_decode_end(struct base64_decoder *decoder, struct buffer *to);

/* With padding, without line ends. */
void base64_encode(struct buffer *to, struct bytes data);

#endif
