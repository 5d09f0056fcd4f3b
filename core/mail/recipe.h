/* SPDX-License-Identifier: ISC
 *
 * mail/recipe.h: a letter without its base64, and the recipe that puts it back octet for octet.
 *
 * Stands on base. README.md beside this file says what the raw form is, who sends it to whom, and
 * what makes sure that nothing is lost. Making needs the whole letter in memory; putting back is a
 * stream that holds the recipe and no text.
 *
 *   recipe := version u8, body u8, size u64, raw size u64, SHA-256 of the original (32 octets),
 *             leaves u16, leaf...
 *   leaf   := octets to copy before the field u64, the field block, octets to copy from the field
 *             to the body u64, octets of the body u64, letters in a line u32 (0: one line), line
 *             end u8 (0: CRLF, 1: LF), line ends behind the last line u8
 *
 * All numbers little-endian. What stands behind the last leaf is copied.
 */
#ifndef POSTERN_MAIL_RECIPE_H
#define POSTERN_MAIL_RECIPE_H

#include "base/buffer.h"
#include "base/reader.h"
#include "mail/envelope.h"

enum {
    RECIPE_MOST = 64 * 1024,            /* octets of one */
    RECIPE_LEAVES = 500,
    RECIPE_FIELD_MOST = 1000,           /* octets of the field that is kept */
    RECIPE_BREAKS_MOST = 16,            /* line ends behind a body */
    RECIPE_LEAST = 512,                 /* octets of base64 that are worth it */
    RECIPE_SUM = 32,                    /* SHA-256 */
    RECIPE_HEAD = 1 + 1 + 8 + 8 + RECIPE_SUM + 2,
    RECIPE_STEP_MOST = 32 * 1024,       /* octets that one recipe_step puts, at the most */
};

/* ---- making */

/* The recipe behind what `recipe` holds, without its sum, and the raw form behind what `raw` holds.
   False: there is nothing to gain, or the way back would not be exact, or a buffer has no room;
   then nothing was put. `body`: the letter's own BODY. */
MUST_USE bool recipe_make(struct bytes letter, enum body_kind body, struct buffer *recipe,
                          struct buffer *raw);
/* The sum of the original, into a recipe that was just made: all of `recipe`. */
void recipe_set_sum(struct buffer *recipe, const uint8_t sum[static RECIPE_SUM]);

/* ---- putting back */

struct recipe_leaf {
    uint64_t before, between;           /* octets that are copied */
    struct bytes field;
    uint64_t octets;                    /* of the body, raw */
    uint32_t line;
    uint8_t breaks;
    bool lf;                            /* line ends are LF */
};

/* What a recipe says of the letter. Borrows from its octets. */
struct recipe {
    enum body_kind body;
    uint64_t size, raw_size;
    uint64_t rest;                      /* of the raw form, behind the last leaf */
    struct bytes sum;
    uint16_t leaves;
    struct reader in;                   /* at the first leaf */
};

/* False: a stranger's octets that are no recipe, or one that does not fit together. */
MUST_USE bool recipe_read(struct bytes octets, struct recipe *ret_recipe);

/* The work under way. Borrows what the recipe borrows. */
struct recipe_work {
    struct recipe recipe;
    struct recipe_leaf leaf;
    uint16_t leaves;                    /* still to begin */
    uint8_t step;                       /* of recipe.c */
    uint64_t left;                      /* octets of the raw form in this step */
    uint32_t column;                    /* letters in the line under way */
    uint8_t held_n;                     /* octets of a quantum that is not whole */
    char held[3];
    bool flawed;
};

struct recipe_work recipe_begin(const struct recipe *recipe);
/* Take some of *in, moved on, and put what becomes of it behind what `to` holds, at most
   RECIPE_STEP_MOST octets. It stops before that bound is crossed: call again while *in is not
   empty. False: the raw form is not the one that the recipe is for, or it has ended, or `to` has
   no room. */
MUST_USE bool recipe_step(struct recipe_work *work, struct bytes *in, struct buffer *to);
/* All of the raw form was taken, so the original is whole; its sum is the caller's to compare. */
bool recipe_is_done(const struct recipe_work *work);

/* All at once: the original behind what `to` holds. False, and nothing put: as recipe_step. */
MUST_USE bool recipe_apply(struct bytes raw, const struct recipe *recipe, struct buffer *to);

#endif
