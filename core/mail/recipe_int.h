/* SPDX-License-Identifier: ISC
 *
 * mail/recipe_int.h: what recipe.c (putting back) and recipe_make.c share.
 */
#ifndef POSTERN_MAIL_RECIPE_INT_H
#define POSTERN_MAIL_RECIPE_INT_H

#include "mail/recipe.h"

enum { RECIPE_VERSION = 1 };

/* The field of a leaf in the raw form. */
static inline struct bytes recipe_raw_field(void)
{
    return BYTES("Content-Transfer-Encoding: binary\r\n");
}

static inline struct bytes recipe_break(const struct recipe_leaf *leaf)
{
    return leaf->lf ? BYTES("\n") : BYTES("\r\n");
}

/* The next leaf of a recipe; what is no leaf has `octets` 0. */
struct recipe_leaf recipe_next_leaf(struct reader *in);
/* Octets of its body in the original. */
uint64_t recipe_coded_size(const struct recipe_leaf *leaf);

#endif
