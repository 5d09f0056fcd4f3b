/* SPDX-License-Identifier: ISC
 *
 * mail/charset.h: octets of a named charset as UTF-8, as an encoded word may hold them (RFC 2047).
 * Which charsets are known is base/charset.h's.
 */
#ifndef POSTERN_MAIL_CHARSET_H
#define POSTERN_MAIL_CHARSET_H

#include "base/buffer.h"

bool charset_known(struct bytes charset);
/* Behind what `to` holds. What is no character of the charset, and CR, LF and NUL, which would end
   a header or a C string somewhere, become U+FFFD. False, and nothing is put, for an unknown
   charset. At most four octets are put for one. */
bool charset_put(struct buffer *to, struct bytes charset, struct bytes octets);

#endif
