/* SPDX-License-Identifier: ISC */
#include "mail/recipe.h"

#include <assert.h>

enum { MOST = 1 << 22 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* As a letter: what is made of it comes back, octet for octet. */
static void as_a_letter(struct bytes letter, size_t size)
{
    struct buffer recipe = buffer_with_most(RECIPE_MOST), raw = buffer_with_most(MOST);
    struct buffer back = buffer_with_most(MOST);
    struct recipe read;

    if (recipe_make(letter, BODY_7BIT, &recipe, &raw)) {
        bool well = recipe_read(buffer_bytes(&recipe), &read);
        assert(well && read.size == letter.n);
        struct recipe_work work = recipe_begin(&read);
        for (struct bytes rest = buffer_bytes(&raw); rest.n > 0; rest = bytes_skip(rest, size))
            for (struct bytes in = bytes_first(rest, size); in.n > 0;) {
                well = recipe_step(&work, &in, &back);
                assert(well);
            }
        assert(recipe_is_done(&work) && bytes_equal(buffer_bytes(&back), letter));
    }
    buffer_done(&recipe);
    buffer_done(&raw);
    buffer_done(&back);
}

/* As a stranger's recipe with its raw form behind: nothing grows beyond what it states, and the
   pieces it comes in change nothing. */
static void as_a_recipe(struct bytes octets, struct bytes raw, size_t size)
{
    struct buffer whole = buffer_with_most(MOST), pieces = buffer_with_most(MOST);
    struct recipe recipe;

    if (!recipe_read(octets, &recipe))
        return;
    bool well = recipe_apply(raw, &recipe, &whole);
    assert(!well || whole.n == recipe.size);
    struct recipe_work work = recipe_begin(&recipe);
    bool going = true;
    for (struct bytes rest = raw; rest.n > 0 && going; rest = bytes_skip(rest, size))
        for (struct bytes in = bytes_first(rest, size); in.n > 0 && going;) {
            size_t before = pieces.n;
            going = recipe_step(&work, &in, &pieces);
            assert(pieces.n - before <= RECIPE_STEP_MOST);
        }
    assert(pieces.n <= recipe.size || pieces.n <= raw.n * 2 + RECIPE_MOST);
    assert(recipe_is_done(&work) == well);
    assert(!well || bytes_equal(buffer_bytes(&whole), buffer_bytes(&pieces)));
    buffer_done(&whole);
    buffer_done(&pieces);
}

/* The first octet: how long pieces are; the second, times four: octets of a recipe. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct bytes text = { (const char *)data, n };
    size_t size = n > 0 ? octet(text.at[0]) % 64 + 1u : 1;

    as_a_letter(bytes_skip(text, 1), size);
    if (n >= 2) {
        size_t recipe_n = octet(text.at[1]) * 4u;
        text = bytes_skip(text, 2);
        as_a_recipe(bytes_first(text, recipe_n), bytes_skip(text, recipe_n), size);
    }
    return 0;
}
