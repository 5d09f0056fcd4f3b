/* SPDX-License-Identifier: ISC */
#include "role/look_int.h"

#include "base/clock.h"
#include "base/id.h"
#include "mail/envelope.h"

/* ---- the scan: flaws and letters */

static bool remember_letter(struct look *look, const struct inspect_letter *letter)
{
    if (look->letters_n == look->letters_room) {
        size_t room = look->letters_room == 0 ? 64 : look->letters_room * 2;
        struct inspect_letter *letters = mem_resize(look->letters, room * sizeof(*letters));
        if (letters == NULL)
            return false;
        look->letters = letters;
        look->letters_room = room;
    }
    look->letters[look->letters_n++] = *letter;
    return true;
}

static void put_flaw(struct buffer *to, const struct inspect_flaw *flaw)
{
    char id[ID_TEXT];

    buffer_put_text(to, flaw->torn ? "torn tail: segment " : "damage: segment ");
    buffer_put_uint(to, flaw->segment);
    buffer_put(to, BYTES(" at "));
    buffer_put_uint(to, flaw->offset);
    buffer_put(to, BYTES(", "));
    octets_put(to, flaw->octets);
    buffer_put(to, BYTES(": "));
    buffer_put_text(to, flaw->words);
    if (flaw->id != 0) {
        id_write(flaw->id, id);
        buffer_put(to, BYTES(" (letter "));
        buffer_put(to, (struct bytes){ id, ID_TEXT });
        buffer_put_char(to, ')');
    }
    buffer_put_char(to, '\n');
}

static void put_flaw_json(struct buffer *to, const struct inspect_flaw *flaw)
{
    struct json json = json_to(to);

    json_put_object(&json);
    json_put_text(&json, "flaw", flaw->torn ? BYTES("torn tail") : BYTES("damage"));
    json_put_uint(&json, "segment", flaw->segment);
    json_put_uint(&json, "offset", flaw->offset);
    json_put_uint(&json, "octets", flaw->octets);
    json_key(&json, "id");
    if (flaw->id == 0)
        json_put_null(&json);
    else {
        char id[ID_TEXT];
        id_write(flaw->id, id);
        json_text(&json, (struct bytes){ id, ID_TEXT });
    }
    json_put_text(&json, "text", bytes_of(flaw->words));
    json_put_object_end(&json);
    json_line_end(&json);
}

/* What a check is for it says on standard output; the others only warn of what they cannot tell. */
static struct look_want on_flaw(struct look *look, const struct inspect_flaw *flaw)
{
    if (look->what == LOOK_CHECK && look->style.json) {
        put_flaw_json(&look->text, flaw);
    } else if (look->what == LOOK_CHECK || !flaw->torn) {
        put_flaw(&look->text, flaw);
    }
    return look_says(look, look->what == LOOK_CHECK ? LOOK_OUT : LOOK_ERR);
}

static void put_totals(struct buffer *to, const struct inspect_totals *totals)
{
    once_put_count(to, totals->segments, "segment");
    buffer_put(to, BYTES(", "));
    octets_put(to, totals->octets);
    buffer_put(to, BYTES(", "));
    once_put_count(to, totals->records, "record");
    buffer_put(to, BYTES("; "));
    once_put_count(to, totals->letters, "letter");
    buffer_put(to, BYTES(" not finished.\n"));
    if (totals->bodies_missing > 0) {
        once_put_count(to, totals->bodies_missing, "body file");
        buffer_put(to, BYTES(" missing: the text of as many letters is lost.\n"));
    }
    if (totals->bodies_unknown > 0) {
        once_put_count(to, totals->bodies_unknown, "body file");
        buffer_put(to, BYTES(" of no letter: what a crash left; the server removes them.\n"));
    }
    if (totals->damage == 0 && totals->bodies_missing == 0)
        buffer_put(to, BYTES("No damage.\n"));
}

static void put_totals_json(struct buffer *to, const struct inspect_totals *totals)
{
    struct json json = json_to(to);

    json_put_object(&json);
    json_key(&json, "totals");
    json_put_object(&json);
    json_put_uint(&json, "segments", totals->segments);
    json_put_uint(&json, "octets", totals->octets);
    json_put_uint(&json, "records", totals->records);
    json_put_uint(&json, "letters", totals->letters);
    json_put_uint(&json, "states", totals->states);
    json_put_uint(&json, "flaws", totals->flaws);
    json_put_uint(&json, "damage", totals->damage);
    json_put_uint(&json, "bodies_missing", totals->bodies_missing);
    json_put_uint(&json, "bodies_unknown", totals->bodies_unknown);
    json_put_object_end(&json);
    json_put_object_end(&json);
    json_line_end(&json);
}

static struct look_want end_scan(struct look *look, const struct inspect_totals *totals)
{
    look->phase = PHASE_TAKE;
    if (look->what != LOOK_CHECK)
        return look_says(look, LOOK_OUT);
    if (look->style.json)
        put_totals_json(&look->text, totals);
    else
        put_totals(&look->text, totals);
    look->status = totals->damage > 0 || totals->bodies_missing > 0 ? ONCE_DAMAGE : ONCE_WELL;
    look->phase = PHASE_OVER;
    return look_says(look, LOOK_OUT);
}

struct look_want look_scan(struct look *look)
{
    if (look->inspect == NULL)
        return look_fails(look, "postern: memory is short\n", ONCE_OS);
    struct inspect_want want = inspect_next(look->inspect);
    switch (want.need) {
    case INSPECT_NEEDS_READ:
        return look_reads(want.name, want.offset, want.count);
    case INSPECT_FLAW:
        return on_flaw(look, &want.flaw);
    case INSPECT_LETTER:
        if (look->what != LOOK_CHECK && !remember_letter(look, &want.letter))
            return look_fails(look, "postern: memory is short\n", ONCE_OS);
        return look_says(look, LOOK_OUT);
    case INSPECT_ENDS:
        break;
    }
    return end_scan(look, &want.totals);
}
