/* SPDX-License-Identifier: ISC */
#include "smtp/restore_int.h"

#include "base/arena.h"

struct restore {
    uint32_t left;                  /* octets of the recipe that are still to come */
    struct buffer octets;           /* those that came */
    struct recipe recipe;           /* when none are left; borrows from them */
    struct recipe_work work;
    struct buffer out;
};

struct restore *restore_new(uint32_t recipe_n)
{
    struct restore *restore = mem_new(sizeof(*restore));

    if (restore == NULL)
        return NULL;
    restore->left = recipe_n;
    restore->octets = buffer_with_most(RECIPE_MOST);
    restore->out = buffer_with_most(RECIPE_STEP_MOST);
    return restore;
}

void restore_free(struct restore *restore)
{
    if (restore == NULL)
        return;
    buffer_done(&restore->octets);
    buffer_done(&restore->out);
    mem_free(restore);
}

static enum reply take_recipe(struct restore *restore, uint64_t size_most, struct bytes *in)
{
    struct bytes part = bytes_first(*in, restore->left);

    buffer_put(&restore->octets, part);
    *in = bytes_skip(*in, part.n);
    if (restore->octets.bad)
        return REPLY_NOT_NOW;
    restore->left -= (uint32_t)part.n;
    if (restore->left > 0)
        return REPLY_NONE;
    if (!recipe_read(buffer_bytes(&restore->octets), &restore->recipe)) {
        restore->left = 1;              /* nobody may ask what it says */
        return REPLY_BAD_RECIPE;
    }
    restore->work = recipe_begin(&restore->recipe);
    return size_most > 0 && restore->recipe.size > size_most ? REPLY_TEXT_TOO_BIG : REPLY_NONE;
}

enum reply restore_take(struct restore *restore, uint64_t size_most, struct bytes *in,
                        struct bytes *ret_text)
{
    *ret_text = BYTES_NONE;
    if (restore->left > 0)
        return take_recipe(restore, size_most, in);
    buffer_clear(&restore->out);
    bool well = recipe_step(&restore->work, in, &restore->out);
    if (restore->out.bad)
        return REPLY_NOT_NOW;
    *ret_text = buffer_bytes(&restore->out);
    return well ? REPLY_NONE : REPLY_BAD_RECIPE;
}

const struct recipe *restore_recipe(const struct restore *restore)
{
    return restore->left > 0 ? NULL : &restore->recipe;
}

bool restore_is_done(const struct restore *restore)
{
    return restore->left == 0 && recipe_is_done(&restore->work);
}
