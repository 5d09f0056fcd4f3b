/* SPDX-License-Identifier: ISC
 *
 * base/safe.h: a stranger's octets made fit for a log or a terminal.
 */
#ifndef POSTERN_BASE_SAFE_H
#define POSTERN_BASE_SAFE_H

#include "base/buffer.h"

/* What is not printable ASCII or valid UTF-8, and every control, bidirectional or invisible
   character, is written as \xHH, octet by octet; a quote and a backslash get a backslash. Nothing
   is cut. */
void safe_put(struct buffer *to, struct bytes text);
/* The same, but a quote stays as it is: for text that does not stand in quotes, such as an
   address. */
void safe_put_plain(struct buffer *to, struct bytes text);

#endif
