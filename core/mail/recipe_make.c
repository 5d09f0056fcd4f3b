/* SPDX-License-Identifier: ISC
 *
 * A letter's raw form and its recipe, from the letter; then the proof that the way back is exact.
 */
#include "mail/recipe_int.h"

#include "base/base64.h"
#include "mail/mime.h"

#include <string.h>

enum { LEAF_COST = 64 };                /* octets that a leaf takes in the recipe, about */

struct making {
    struct bytes letter;
    struct mime mime;
    struct buffer *recipe, *raw;
    uint64_t at;                        /* octets of the letter that are in the raw form */
    uint16_t leaves;
};

static struct bytes slice(const struct making *making, uint64_t from, uint64_t end)
{
    return bytes_first(bytes_skip(making->letter, (size_t)from), (size_t)(end - from));
}

/* ---- a body */

/* How its lines are: of one length, all ended alike. *ret_text: without what ends the last. */
static bool look_at_lines(struct bytes body, struct recipe_leaf *leaf, struct bytes *ret_text)
{
    size_t end = bytes_find(body, '\n');
    struct bytes text = body;

    leaf->lf = end < body.n && (end == 0 || body.at[end - 1] != '\r');
    struct bytes line_end = recipe_break(leaf);
    while (leaf->breaks < RECIPE_BREAKS_MOST && bytes_ends(text, line_end)) {
        text.n -= line_end.n;
        leaf->breaks++;
    }
    size_t line = end == body.n ? text.n : end + 1 - line_end.n;
    *ret_text = text;
    if (line >= text.n)
        return text.n > 0;                  /* one line, of whatever length */
    leaf->line = (uint32_t)line;
    return line > 0 && line % 4 == 0 && line <= UINT16_MAX;
}

/* False: it is not what an encoder makes of these octets, line by line. White space that the
   decoder passes over shows in the sum. */
static bool decode(struct bytes body, struct recipe_leaf *leaf, struct buffer *to)
{
    struct base64_decoder decoder = { 0 };
    size_t before = to->n, letters = 0;
    struct bytes text;

    if (!look_at_lines(body, leaf, &text))
        return false;
    struct bytes line_end = recipe_break(leaf);
    for (;;) {
        struct bytes line = leaf->line == 0 ? text : bytes_first(text, leaf->line);
        base64_decode(&decoder, line, to);
        letters += line.n;
        text = bytes_skip(text, line.n);
        if (text.n == 0)
            break;
        if (!bytes_begins(text, line_end) || text.n == line_end.n || decoder.padded)
            return false;
        text = bytes_skip(text, line_end.n);
    }
    base64_decode_end(&decoder, to);
    leaf->octets = to->n - before;
    return decoder.flaws == 0 && leaf->octets > 0 && letters == (leaf->octets + 2) / 3 * 4;
}

/* ---- a leaf */

/* Where its Content-Transfer-Encoding stands in the letter. */
static bool find_field(const struct making *making, const struct mime_part *part,
                       uint64_t *ret_from, uint64_t *ret_end)
{
    struct bytes section = slice(making, part->header_at, part->body_at);
    struct header_reader reader = header_reader_for(NULL);
    struct header_field field;
    bool found = false;

    while (!found && header_next(&reader, &section, &field) == HEADER_FIELD) {
        found = bytes_equal_nocase(field.name, BYTES("Content-Transfer-Encoding"));
        *ret_from = part->header_at + field.at;
        *ret_end = part->header_at + field.end;
    }
    header_reader_done(&reader);
    return found && *ret_end <= part->body_at && *ret_end - *ret_from <= RECIPE_FIELD_MOST
        && bytes_ends(slice(making, *ret_from, *ret_end), BYTES("\n"));
}

static bool may_be_raw(const struct mime_part *part)
{
    return part->kind == MIME_LEAF && part->coding == CODING_BASE64 && part->flaws == 0
        && !bytes_equal(part->type, BYTES("multipart"))
        && !bytes_equal(part->type, BYTES("message"))
        && part->end - part->body_at >= RECIPE_LEAST;
}

static void put_leaf(struct buffer *recipe, const struct recipe_leaf *leaf)
{
    buffer_put_u64(recipe, leaf->before);
    buffer_put_block(recipe, leaf->field);
    buffer_put_u64(recipe, leaf->between);
    buffer_put_u64(recipe, leaf->octets);
    buffer_put_u32(recipe, leaf->line);
    buffer_put_u8(recipe, leaf->lf ? 1 : 0);
    buffer_put_u8(recipe, leaf->breaks);
}

/* Raw from here on, if that can be taken back; else it is copied with what comes next. */
static void make_leaf(struct making *making, const struct mime_part *part)
{
    size_t before = making->raw->n;
    struct recipe_leaf leaf = { 0 };
    uint64_t from, end;

    if (making->leaves == RECIPE_LEAVES || !may_be_raw(part)
        || !find_field(making, part, &from, &end))
        return;
    leaf.before = from - making->at;
    leaf.field = slice(making, from, end);
    leaf.between = part->body_at - end;
    buffer_put(making->raw, slice(making, making->at, from));
    buffer_put(making->raw, recipe_raw_field());
    buffer_put(making->raw, slice(making, end, part->body_at));
    uint64_t size = part->end - part->body_at;
    if (!decode(slice(making, part->body_at, part->end), &leaf, making->raw)
        || size < leaf.octets + leaf.field.n + LEAF_COST) {
        making->raw->n = before;
        return;
    }
    put_leaf(making->recipe, &leaf);
    making->at = part->end;
    making->leaves++;
}

/* ---- the proof */

/* What stands where in the raw form: how far it has moved, up to the next edge. */
struct shift {
    struct reader in;
    struct recipe_leaf leaf;
    uint16_t left;
    bool in_body;                       /* the edge ends the leaf's body, else its field */
    uint64_t edge;
    int64_t by;
};

static void next_edge(struct shift *shift)
{
    if (!shift->in_body && shift->leaf.octets > 0) {
        shift->by += (int64_t)recipe_raw_field().n - (int64_t)shift->leaf.field.n;
        shift->edge += shift->leaf.between + recipe_coded_size(&shift->leaf);
        shift->in_body = true;
        return;
    }
    if (shift->in_body)
        shift->by += (int64_t)shift->leaf.octets - (int64_t)recipe_coded_size(&shift->leaf);
    shift->in_body = false;
    if (shift->left == 0) {
        shift->edge = UINT64_MAX;
        return;
    }
    shift->left--;
    shift->leaf = recipe_next_leaf(&shift->in);
    shift->edge += shift->leaf.before + shift->leaf.field.n;
}

static bool stands(struct shift *shift, uint64_t at, uint64_t raw_at)
{
    while (at >= shift->edge)
        next_edge(shift);
    return (int64_t)at + shift->by == (int64_t)raw_at;
}

static bool same_parts(const struct making *making, const struct recipe *recipe,
                       const struct mime *raw)
{
    struct shift shift = { .in = recipe->in, .left = recipe->leaves };

    if (raw->n != making->mime.n)
        return false;
    next_edge(&shift);
    for (uint32_t i = 0; i < raw->n; i++) {
        const struct mime_part *a = &making->mime.parts[i], *b = &raw->parts[i];
        if (a->kind != b->kind || a->parent != b->parent
            || !stands(&shift, a->header_at, b->header_at)
            || !stands(&shift, a->body_at, b->body_at)
            || (a->kind == MIME_LEAF && !stands(&shift, a->end, b->end)))
            return false;
    }
    return true;
}

/* No octet of it may be taken for a boundary by whoever reads the raw form. */
static bool reads_alike(const struct making *making, const struct recipe *recipe, struct bytes raw)
{
    struct mime mime;
    bool alike = mime_init(&mime);

    if (alike) {
        mime_feed(&mime, raw);
        mime_finish(&mime);
        alike = (mime_flaws(&mime) & MIME_NO_MEMORY) == 0 && same_parts(making, recipe, &mime);
    }
    mime_done(&mime);
    return alike;
}

static bool comes_back(struct bytes letter, const struct recipe *recipe, struct bytes raw)
{
    struct buffer piece = buffer_with_most(RECIPE_STEP_MOST);
    struct recipe_work work = recipe_begin(recipe);
    bool same = true;

    while (raw.n > 0 && same) {
        buffer_clear(&piece);
        same = recipe_step(&work, &raw, &piece) && bytes_begins(letter, buffer_bytes(&piece));
        letter = bytes_skip(letter, piece.n);
    }
    buffer_done(&piece);
    return same && letter.n == 0 && recipe_is_done(&work);
}

/* ---- all of it */

static void put_head(struct making *making, enum body_kind body)
{
    static const char no_sum[RECIPE_SUM];

    buffer_put_u8(making->recipe, RECIPE_VERSION);
    buffer_put_u8(making->recipe, (uint8_t)body);
    buffer_put_u64(making->recipe, making->letter.n);
    buffer_put_u64(making->recipe, 0);
    buffer_put(making->recipe, (struct bytes){ no_sum, sizeof(no_sum) });
    buffer_put_u16(making->recipe, 0);
}

/* What was not known before. `at`: where the recipe begins, `size`: of the raw form. */
static void fill_head(struct making *making, size_t at, uint64_t size)
{
    struct buffer head = buffer_with_most(16);

    buffer_put_u64(&head, size);
    buffer_put_u16(&head, making->leaves);
    if (!head.bad) {
        memcpy(making->recipe->at + at + 10, head.at, 8);
        memcpy(making->recipe->at + at + RECIPE_HEAD - 2, head.at + 8, 2);
    }
    making->recipe->bad |= head.bad;
    buffer_done(&head);
}

static bool make(struct making *making, enum body_kind body)
{
    size_t recipe_at = making->recipe->n, raw_at = making->raw->n;
    struct recipe recipe;

    if (!mime_init(&making->mime))
        return false;
    mime_feed(&making->mime, making->letter);
    mime_finish(&making->mime);
    if (mime_flaws(&making->mime) & MIME_NO_MEMORY)
        return false;
    put_head(making, body);
    for (uint32_t i = 0; i < making->mime.n; i++)
        make_leaf(making, &making->mime.parts[i]);
    buffer_put(making->raw, slice(making, making->at, making->letter.n));
    if (making->leaves == 0 || making->recipe->bad || making->raw->bad)
        return false;
    struct bytes raw = bytes_skip(buffer_bytes(making->raw), raw_at);
    fill_head(making, recipe_at, raw.n);
    return !making->recipe->bad
        && recipe_read(bytes_skip(buffer_bytes(making->recipe), recipe_at), &recipe)
        && comes_back(making->letter, &recipe, raw) && reads_alike(making, &recipe, raw);
}

bool recipe_make(struct bytes letter, enum body_kind body, struct buffer *recipe,
                 struct buffer *raw)
{
    struct making making = { .letter = letter, .recipe = recipe, .raw = raw };
    size_t recipe_n = recipe->n, raw_n = raw->n;
    bool made = make(&making, body);

    mime_done(&making.mime);
    if (!made) {
        recipe->n = recipe_n;
        raw->n = raw_n;
    }
    return made;
}

void recipe_set_sum(struct buffer *recipe, const uint8_t sum[static RECIPE_SUM])
{
    if (recipe->n >= RECIPE_HEAD)
        memcpy(recipe->at + RECIPE_HEAD - 2 - RECIPE_SUM, sum, RECIPE_SUM);
}
