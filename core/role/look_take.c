/* SPDX-License-Identifier: ISC */
#include "role/look_int.h"

#include "base/clock.h"
#include "base/id.h"
#include "base/reader.h"
#include "mail/envelope.h"

/* ---- which letter is next */

static struct look_want end_letters(struct look *look)
{
    look->phase = PHASE_OVER;
    if (look->what == LOOK_QUEUE)
        once_queue_end(&look->queue, &look->text);
    if (look->what == LOOK_EXPORT)
        return look_fails(look, "There is no such letter in the queue.\n", ONCE_FOUND_NOTHING);
    return look_says(look, LOOK_OUT);
}

static struct look_want next_letter(struct look *look)
{
    while (look->what == LOOK_EXPORT && look->letter < look->letters_n
           && look->letters[look->letter].id != look->id)
        look->letter++;
    if (look->letter == look->letters_n)
        return end_letters(look);
    if (inspect_open(look->inspect, look->letters[look->letter].id))
        look->phase = PHASE_TAKING;
    else
        look->letter++;
    return look_says(look, LOOK_OUT);
}

/* The one letter was said, or all but one: the next. */
static void letter_over(struct look *look)
{
    look->letter++;
    look->phase = look->what == LOOK_EXPORT ? PHASE_OVER : PHASE_TAKE;
}

/* ---- what is said of it */

static void name_file(struct look *look, const char *ending)
{
    char id[ID_TEXT];

    id_write(look->letters[look->letter].id, id);
    buffer_clear(&look->name);
    buffer_put(&look->name, (struct bytes){ id, ID_TEXT });
    buffer_put_text(&look->name, ending);
}

static void put_envelope(struct look *look, const struct inspect_piece *piece)
{
    static const char *const bodies[] = {
        [BODY_7BIT] = "7bit", [BODY_8BITMIME] = "8bitmime", [BODY_BINARYMIME] = "binarymime",
    };
    struct json json = json_to(&look->text);
    struct reader in = reader_of(piece->to);
    struct envelope envelope;

    json_put_object(&json);
    once_json_id(&json, "id", look->letters[look->letter].id);
    if (envelope_read(piece->head, &envelope)) {
        once_json_moment(&json, "received", envelope.received_ms);
        json_put_text(&json, "sender", envelope.sender);
        json_put_text(&json, "peer", envelope.peer);
        json_put_text(&json, "helo", envelope.helo);
        json_put_text(&json, "protocol", envelope.protocol);
        json_put_text(&json, "body", bytes_of(bodies[envelope.body]));
        json_put_bool(&json, "smtputf8", envelope.smtputf8);
    }
    once_json_recipients(&json, &in);
    json_put_object_end(&json);
    json_line_end(&json);
}

static struct look_want on_head(struct look *look, const struct inspect_piece *piece)
{
    const struct inspect_letter *letter = &look->letters[look->letter];

    if (look->what == LOOK_EXPORT)
        return look_says(look, LOOK_OUT);       /* nothing: the text follows */
    if (look->what == LOOK_EXPORT_ALL) {
        name_file(look, ".envelope");
        put_envelope(look, piece);
        return look_says(look, LOOK_FILE);
    }
    once_queue_letter(&look->queue, &(struct once_letter){
        .id = letter->id, .size = letter->size, .received_ms = letter->received_ms,
        .recipients = letter->recipients, .left = letter->left, .held = letter->held,
        .head = piece->head, .to = piece->to }, &look->text);
    letter_over(look);
    return look_says(look, LOOK_OUT);
}

static struct look_want on_text(struct look *look, struct bytes text)
{
    struct look_want want = look_says(look, LOOK_OUT);

    if (look->what == LOOK_EXPORT_ALL) {
        name_file(look, ".eml");
        want = look_says(look, LOOK_FILE);
    }
    want.text = text;
    return want;
}

static struct look_want on_damage(struct look *look)
{
    char id[ID_TEXT];

    id_write(look->letters[look->letter].id, id);
    buffer_put(&look->text, BYTES("damage: letter "));
    buffer_put(&look->text, (struct bytes){ id, ID_TEXT });
    buffer_put(&look->text, BYTES(" cannot be read whole\n"));
    look->status = ONCE_DAMAGE;
    letter_over(look);
    return look_says(look, LOOK_ERR);
}

struct look_want look_take(struct look *look)
{
    if (look->phase == PHASE_TAKE)
        return next_letter(look);
    struct inspect_piece piece = inspect_take(look->inspect);
    switch (piece.kind) {
    case TAKE_NEEDS_READ:
        return look_reads(piece.name, piece.offset, piece.count);
    case TAKE_HEAD:
        return on_head(look, &piece);
    case TAKE_TEXT:
        return on_text(look, piece.text);
    case TAKE_END:
        letter_over(look);
        return look_says(look, LOOK_OUT);
    case TAKE_DAMAGED:
        break;
    }
    return on_damage(look);
}
