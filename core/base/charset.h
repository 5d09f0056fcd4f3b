/* SPDX-License-Identifier: ISC
 *
 * base/charset.h: the charsets that mail is written in, as UTF-8: ISO-8859, windows-125x, KOI8,
 * Shift_JIS, EUC-JP, ISO-2022-JP, GBK and GB18030, Big5, EUC-KR and ISO-2022-KR, UTF-7, UTF-8.
 *
 * Their tables are made at build time. What is no character of the charset becomes U+FFFD; nothing
 * fails, nothing recurses, and one octet gives at most four.
 */
#ifndef POSTERN_BASE_CHARSET_H
#define POSTERN_BASE_CHARSET_H

#include "base/buffer.h"

struct charset;

/* By a name of the IANA registry or one that is met in mail; NULL: none of ours. */
const struct charset *charset_find(struct bytes name);
/* Does its text use octets above 127? */
bool charset_is_8bit(const struct charset *charset);
/* Is a text in ASCII octets something else in it (UTF-7, ISO-2022-JP)? False for NULL. */
bool charset_needs_decoding(const struct charset *charset);
/* For octets above 127 that nobody named a charset of and that are no UTF-8: the likeliest. Never
   NULL. Looks at 512 octets of them. */
const struct charset *charset_guess(struct bytes text);
/* The text, behind what `to` holds. Line ends stay, NUL becomes U+FFFD. */
void charset_put_text(struct buffer *to, const struct charset *charset, struct bytes text);

#endif
