/* SPDX-License-Identifier: ISC
 *
 * base/utf8.h: UTF-8 as RFC 3629 has it: no overlong forms, no surrogates, nothing above U+10FFFF.
 */
#ifndef POSTERN_BASE_UTF8_H
#define POSTERN_BASE_UTF8_H

#include "base/bytes.h"

/* Length (1..4) of the valid sequence the text begins with, and its code point; 0 when there is
   none. */
size_t utf8_take(struct bytes text, uint32_t *ret_point);
/* How many octets of ASCII the text begins with. */
size_t utf8_ascii(struct bytes text);
bool utf8_valid(struct bytes text);
/* Controls, bidirectional marks and invisible formatting that must not reach a terminal or a log
   raw. */
bool utf8_is_unsafe(uint32_t point);

#endif
