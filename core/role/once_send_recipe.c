/* SPDX-License-Identifier: ISC
 *
 * postern send --recipe: the letter goes without its base64, with the recipe that puts it back in
 * front (mail/recipe.h).
 */
#include "role/once_send_int.h"

#include "base/utf8.h"
#include "crypt/digest.h"
#include "mail/recipe.h"
#include "mail/width.h"

static const char nothing[] = "there is no base64 in the letter that is worth it and could be put "
                              "back octet for octet";
static const char no_room[] = "the recipe would be too large, or memory is short";

/* BODY of the letter itself. */
static enum body_kind body_of(const struct sender *sender)
{
    const struct send_order *order = sender->order;
    struct bytes text = sender->means->text;

    return order->binarymime ? BODY_BINARYMIME
         : order->eight_bit || utf8_ascii(text) < text.n ? BODY_8BITMIME : BODY_7BIT;
}

/* The recipe and the raw form into sender->raw; false: neither. */
static bool make(struct sender *sender, struct buffer *recipe, struct buffer *raw)
{
    struct bytes text = sender->means->text;
    uint8_t sum[DIGEST_MOST];

    if (!recipe_make(text, body_of(sender), recipe, raw)
        || recipe->n + raw->n >= text.n || !digest_of(DIGEST_SHA256, text, sum))
        return false;
    recipe_set_sum(recipe, sum);
    buffer_put(&sender->raw, buffer_bytes(recipe));
    buffer_put(&sender->raw, buffer_bytes(raw));
    return !sender->raw.bad;
}

static void note(struct sender *sender)
{
    struct buffer words = buffer_with_most(400);

    if (sender->recipe_n == 0) {
        buffer_put_text(&words, sender->plain_why);
        buffer_put_text(&words, ": it goes as it is");
    } else {
        buffer_put_text(&words, "the letter goes without its base64, behind a recipe of ");
        buffer_put_uint(&words, sender->recipe_n);
        buffer_put_text(&words, " octets that puts it back");
    }
    send_show_note(sender, buffer_bytes(&words), 0);
    buffer_done(&words);
}

void send_make_recipe(struct sender *sender)
{
    struct buffer recipe = buffer_with_most(RECIPE_MOST), raw = buffer_with_most(SEND_TEXT_MOST);

    if (sender->order->recipe && sender->recipe_n == 0 && sender->plain_why == NULL) {
        if (make(sender, &recipe, &raw))
            sender->recipe_n = recipe.n;
        else
            sender->plain_why = recipe.bad || raw.bad || sender->raw.bad ? no_room : nothing;
        note(sender);
    }
    buffer_done(&recipe);
    buffer_done(&raw);
}

struct bytes send_wire_text(const struct sender *sender)
{
    return sender->recipe_n > 0 ? buffer_bytes(&sender->raw) : sender->means->text;
}

/* ---- what it saved */

static bool counts(const struct sender *sender)
{
    return sender->text_over && (sender->recipe_n > 0 || sender->plain_why != NULL);
}

/* "13120 octets went in place of 17500: 4380 saved" */
void send_put_saved(struct sender *sender, struct buffer *to)
{
    size_t went = send_wire_text(sender).n, all = sender->means->text.n;

    if (!counts(sender))
        return;
    if (sender->recipe_n == 0) {
        buffer_put_text(to, "Nothing was saved: ");
        width_put(to, bytes_of(sender->plain_why), 19, 2, 80, "\n");
    } else {
        buffer_put_uint(to, went);
        buffer_put_text(to, " octets went in place of ");
        buffer_put_uint(to, all);
        buffer_put_text(to, ": ");
        buffer_put_uint(to, all - went);
        buffer_put_text(to, " saved");
    }
    buffer_put_char(to, '\n');
}

void send_put_saved_json(struct sender *sender)
{
    size_t went = send_wire_text(sender).n, all = sender->means->text.n;

    if (!counts(sender))
        return;
    json_put_uint(&sender->json, "octets", all);
    json_put_uint(&sender->json, "octets_sent", went);
    json_put_uint(&sender->json, "octets_saved", all - went);
}
