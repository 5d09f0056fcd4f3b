/* SPDX-License-Identifier: ISC
 *
 * base/id.h: the name of a letter, as people see and type it: 13 characters of Crockford's base 32
 * of a 64-bit number, e.g. 06CQ4KZ0R2J8M. Reading takes lower case and I, L, O for 1, 1, 0.
 */
#ifndef POSTERN_BASE_ID_H
#define POSTERN_BASE_ID_H

#include "base/bytes.h"

enum { ID_TEXT = 13 };

void id_write(uint64_t id, char ret_text[static ID_TEXT]);
/* Exactly 13 characters of the alphabet; else false. */
MUST_USE bool id_parse(struct bytes text, uint64_t *ret_id);

#endif
