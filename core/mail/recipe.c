/* SPDX-License-Identifier: ISC */
#include "mail/recipe_int.h"

#include "base/base64.h"

#include <string.h>

enum {
    LINE_MOST = 65532,
    PUT_AT_ONCE = RECIPE_STEP_MOST - 2048,  /* a field and line ends come on top of it */
};
static const uint64_t octets_most = (uint64_t)1 << 40;  /* no sum of such numbers overflows */

/* ---- the recipe */

struct recipe_leaf recipe_next_leaf(struct reader *in)
{
    struct recipe_leaf leaf = { 0 };

    leaf.before = read_u64(in);
    leaf.field = read_block(in);
    leaf.between = read_u64(in);
    leaf.octets = read_u64(in);
    leaf.line = read_u32(in);
    uint8_t end = read_u8(in);
    leaf.breaks = read_u8(in);
    leaf.lf = end == 1;
    bool fits = reader_ok(in) && end <= 1 && leaf.breaks <= RECIPE_BREAKS_MOST
             && leaf.line % 4 == 0 && leaf.line <= LINE_MOST && leaf.field.n <= RECIPE_FIELD_MOST
             && leaf.before <= octets_most && leaf.between <= octets_most
             && leaf.octets <= octets_most;
    if (!fits)
        leaf.octets = 0;
    return leaf;
}

uint64_t recipe_coded_size(const struct recipe_leaf *leaf)
{
    uint64_t letters = (leaf->octets + 2) / 3 * 4, breaks = leaf->breaks;

    if (leaf->line > 0 && letters > 0)
        breaks += (letters - 1) / leaf->line;
    return letters + breaks * recipe_break(leaf).n;
}

bool recipe_read(struct bytes octets, struct recipe *ret_recipe)
{
    struct reader in = reader_of(octets);
    struct recipe recipe = { 0 };
    uint64_t size = 0, raw_size = 0;
    uint8_t version = read_u8(&in), body = read_u8(&in);

    recipe.size = read_u64(&in);
    recipe.raw_size = read_u64(&in);
    recipe.sum = read_bytes(&in, RECIPE_SUM);
    recipe.leaves = read_u16(&in);
    recipe.in = in;
    if (!reader_ok(&in) || version != RECIPE_VERSION || body > BODY_BINARYMIME
        || octets.n > RECIPE_MOST || recipe.leaves == 0 || recipe.leaves > RECIPE_LEAVES
        || recipe.size > octets_most || recipe.raw_size > octets_most)
        return false;
    for (uint16_t i = 0; i < recipe.leaves; i++) {
        struct recipe_leaf leaf = recipe_next_leaf(&in);
        if (leaf.octets == 0)
            return false;
        size += leaf.before + leaf.field.n + leaf.between + recipe_coded_size(&leaf);
        raw_size += leaf.before + recipe_raw_field().n + leaf.between + leaf.octets;
    }
    if (!reader_finished(&in) || raw_size > recipe.raw_size
        || size + (recipe.raw_size - raw_size) != recipe.size)
        return false;
    recipe.body = (enum body_kind)body;
    recipe.rest = recipe.raw_size - raw_size;
    *ret_recipe = recipe;
    return true;
}

/* ---- the work:  BEFORE -> FIELD -> BETWEEN -> BODY, for each leaf; then REST */

enum { STEP_BEFORE, STEP_FIELD, STEP_BETWEEN, STEP_BODY, STEP_REST };

static void begin_leaf(struct recipe_work *work)
{
    if (work->leaves == 0) {
        work->step = STEP_REST;
        work->left = work->recipe.rest;
        return;
    }
    work->leaves--;
    work->leaf = recipe_next_leaf(&work->recipe.in);
    work->step = STEP_BEFORE;
    work->left = work->leaf.before;
    work->column = 0;
    work->held_n = 0;
}

struct recipe_work recipe_begin(const struct recipe *recipe)
{
    struct recipe_work work = { .recipe = *recipe, .leaves = recipe->leaves };

    begin_leaf(&work);
    return work;
}

static void put_coded(struct recipe_work *work, struct bytes quanta, struct buffer *to)
{
    if (work->leaf.line > 0 && work->column == work->leaf.line) {
        buffer_put(to, recipe_break(&work->leaf));
        work->column = 0;
    }
    base64_encode(to, quanta);
    if (work->leaf.line > 0)
        work->column += (uint32_t)((quanta.n + 2) / 3 * 4);
}

/* Whole quanta that still fit on the line, of which one has no more than one line. */
static size_t quanta_that_fit(const struct recipe_work *work, size_t quanta)
{
    size_t room = work->leaf.line - (work->column == work->leaf.line ? 0 : work->column);

    return work->leaf.line == 0 || room / 4 > quanta ? quanta : room / 4;
}

static void put_body(struct recipe_work *work, struct bytes data, struct buffer *to)
{
    while (data.n > 0) {
        if (work->held_n == 0 && data.n >= 3) {
            struct bytes part = bytes_first(data, quanta_that_fit(work, data.n / 3) * 3);
            put_coded(work, part, to);
            data = bytes_skip(data, part.n);
            continue;
        }
        work->held[work->held_n++] = data.at[0];
        data = bytes_skip(data, 1);
        if (work->held_n == 3) {
            put_coded(work, (struct bytes){ work->held, 3 }, to);
            work->held_n = 0;
        }
    }
}

static void end_body(struct recipe_work *work, struct buffer *to)
{
    if (work->held_n > 0)
        put_coded(work, (struct bytes){ work->held, work->held_n }, to);
    for (uint8_t i = 0; i < work->leaf.breaks; i++)
        buffer_put(to, recipe_break(&work->leaf));
}

/* Nothing is left in this step: on to the next one that takes something. */
static void move_on(struct recipe_work *work, struct buffer *to)
{
    while (work->left == 0 && work->step != STEP_REST) {
        switch (work->step) {
        case STEP_BEFORE:
            work->step = STEP_FIELD;
            work->left = recipe_raw_field().n;
            break;
        case STEP_FIELD:
            buffer_put(to, work->leaf.field);
            work->step = STEP_BETWEEN;
            work->left = work->leaf.between;
            break;
        case STEP_BETWEEN:
            work->step = STEP_BODY;
            work->left = work->leaf.octets;
            break;
        case STEP_BODY:
            end_body(work, to);
            begin_leaf(work);
            break;
        }
    }
}

static void take(struct recipe_work *work, struct bytes part, struct buffer *to)
{
    struct bytes field = recipe_raw_field();

    if (work->step == STEP_BODY)
        put_body(work, part, to);
    else if (work->step != STEP_FIELD)
        buffer_put(to, part);
    else if (!bytes_equal(part, bytes_first(bytes_skip(field, field.n - (size_t)work->left),
                                            part.n)))
        work->flawed = true;
    work->left -= part.n;
}

bool recipe_step(struct recipe_work *work, struct bytes *in, struct buffer *to)
{
    size_t most = to->n + PUT_AT_ONCE;

    while (in->n > 0 && to->n < most && !work->flawed) {
        move_on(work, to);
        if (work->left == 0) {
            work->flawed = true;            /* more than the recipe speaks of */
            break;
        }
        size_t room = to->n < most ? most - to->n : 1;
        if (work->step == STEP_BODY)
            room = room / 2 + 1;            /* coded, and in lines, it is at most twice as long */
        struct bytes part = bytes_first(*in, work->left < room ? (size_t)work->left : room);
        take(work, part, to);
        *in = bytes_skip(*in, part.n);
    }
    if (!work->flawed)
        move_on(work, to);
    work->flawed |= to->bad;
    return !work->flawed;
}

bool recipe_is_done(const struct recipe_work *work)
{
    return !work->flawed && work->step == STEP_REST && work->left == 0;
}

bool recipe_apply(struct bytes raw, const struct recipe *recipe, struct buffer *to)
{
    struct recipe_work work = recipe_begin(recipe);
    size_t before = to->n;

    while (raw.n > 0)
        if (!recipe_step(&work, &raw, to))
            break;
    if (recipe_is_done(&work))
        return true;
    to->n = before;
    return false;
}
