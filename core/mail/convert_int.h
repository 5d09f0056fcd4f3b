/* SPDX-License-Identifier: ISC
 *
 * mail/convert_int.h: what the files of the conversion share.
 *
 *   convert.c         the walk over the parts, and which need what
 *   convert_field.c   header fields with UTF-8 made ASCII
 *   convert_put.c     quoted-printable, base64 in lines, encoded words
 */
#ifndef POSTERN_MAIL_CONVERT_INT_H
#define POSTERN_MAIL_CONVERT_INT_H

#include "mail/convert.h"

/* A field (its name, and its body with folding, without the last line end) as ASCII, with its line
   end. What is no UTF-8 is taken as octets of an unknown charset (RFC 1428). */
void convert_field(struct buffer *to, struct bytes name, struct bytes body);

/* Quoted-printable (RFC 2045, 6.7): CRLF are line breaks, all else stays itself. */
void convert_put_qp(struct buffer *to, struct bytes text);
/* How many octets that will be. */
size_t convert_qp_size(struct bytes text);
/* Base64 in lines of 76, CRLF between them, none behind the last. */
void convert_put_base64(struct buffer *to, struct bytes data);
/* Encoded words (RFC 2047) with a fold between them; `column`: how much stands on the line. */
void convert_put_words(struct buffer *to, struct bytes text, size_t column);

static inline bool convert_is_ascii(struct bytes text)
{
    for (size_t i = 0; i < text.n; i++)
        if (octet(text.at[i]) > 127)
            return false;
    return true;
}

#endif
