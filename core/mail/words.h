/* SPDX-License-Identifier: ISC
 *
 * mail/words.h: encoded words (RFC 2047), for people to read and never for deciding: an address is
 * what its octets are, whatever a word in it would decode to.
 */
#ifndef POSTERN_MAIL_WORDS_H
#define POSTERN_MAIL_WORDS_H

#include "base/buffer.h"

/* The text of an unstructured field or a phrase as UTF-8, behind what `to` holds. White space
   between two encoded words goes, and a character cut by their border is joined. A word of an
   unknown charset or encoding, or with a charset longer than anybody's, stays as it is. Line ends
   of folding are taken away. What was encoded never comes out as CR, LF or NUL. Linear; at most
   four octets for one. */
void words_put(struct buffer *to, struct bytes text);

#endif
