/* SPDX-License-Identifier: ISC
 *
 * smtp/restore_int.h: a letter that comes in its raw form, with the recipe in front
 * (mail/recipe.h): the text as it was, while it comes in.
 */
#ifndef POSTERN_SMTP_RESTORE_INT_H
#define POSTERN_SMTP_RESTORE_INT_H

#include "mail/recipe.h"
#include "smtp/reply.h"

struct restore;

/* The first `recipe_n` octets (1 .. RECIPE_MOST) will be the recipe. NULL: no memory. */
MUST_USE struct restore *restore_new(uint32_t recipe_n);
void restore_free(struct restore *restore);

/* Take some of *in, moved on. REPLY_NONE: *ret_text is what came of it (perhaps nothing yet) and
   lives until the next call. Else why the letter is refused. `size_most`: octets of a letter; 0: no
   bound. */
enum reply restore_take(struct restore *restore, uint64_t size_most, struct bytes *in,
                        struct bytes *ret_text);
/* The recipe was read: what it says of the letter; else NULL. */
const struct recipe *restore_recipe(const struct restore *restore);
/* All of the raw form came. */
bool restore_is_done(const struct restore *restore);

#endif
