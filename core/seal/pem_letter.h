/* SPDX-License-Identifier: ISC
 *
 * seal/pem_letter.h: a letter as RIPEM takes it apart before it seals it: the header, the body, and
 * whom its To and Cc name.
 */
#ifndef POSTERN_SEAL_PEM_LETTER_H
#define POSTERN_SEAL_PEM_LETTER_H

#include "base/arena.h"
#include "base/buffer.h"

/* The header with its blank line, and what is behind it. A text that does not begin with a field
   has no header. Borrow. */
void pem_letter_split(struct bytes text, struct bytes *ret_header, struct bytes *ret_body);
/* The addresses in To and Cc, each once, copied into the arena; at most `most` of them. */
size_t pem_letter_recipients(struct bytes header, struct arena *arena, struct bytes *ret,
                             size_t most);

#endif
