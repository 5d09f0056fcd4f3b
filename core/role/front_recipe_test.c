/* SPDX-License-Identifier: ISC
 *
 * Letters that come with a recipe: the store gets the original, whole and proved, or nothing.
 */
#include "role/front_world_int.h"

#include "base/base64.h"
#include "crypt/digest.h"
#include "mail/envelope.h"
#include "mail/recipe.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

enum { ROOM = 16 << 20 };

/* A letter of about that size, and what a client of ours sends in its place. */
static void pack(size_t size, struct buffer *letter, struct buffer *said, bool lies)
{
    struct buffer recipe = buffer_with_most(RECIPE_MOST), raw = buffer_with_most(ROOM);
    uint8_t sum[DIGEST_MOST];
    uint32_t dice = 5;

    buffer_put_text(letter, "Message-ID: <m@x>\r\nDKIM-Signature: v=1; bh=...\r\n"
                            "content-transfer-encoding: Base64\r\n\r\n");
    while (letter->n < size) {
        char octets[57];
        for (size_t i = 0; i < sizeof(octets); i++)
            octets[i] = (char)((dice = dice * 1664525 + 1013904223) >> 8);
        base64_encode(letter, (struct bytes){ octets, sizeof(octets) });
        buffer_put_text(letter, "\r\n");
    }
    assert_true(recipe_make(buffer_bytes(letter), BODY_8BITMIME, &recipe, &raw));
    assert_true(digest_of(DIGEST_SHA256, buffer_bytes(letter), sum));
    recipe_set_sum(&recipe, sum);
    if (lies)
        raw.at[raw.n / 2] ^= 1;
    buffer_put_text(said, "RSET\r\nMAIL FROM:<al@x.example> BODY=BINARYMIME SIZE=");
    buffer_put_uint(said, letter->n);
    buffer_put_text(said, " CONTENT-RECIPE=");
    buffer_put_uint(said, recipe.n);
    buffer_put_text(said, "\r\nRCPT TO:<jo@example.org>\r\nBDAT ");
    buffer_put_uint(said, recipe.n + raw.n);
    buffer_put_text(said, " LAST\r\n");
    buffer_put(said, buffer_bytes(&recipe));
    buffer_put(said, buffer_bytes(&raw));
    buffer_done(&recipe);
    buffer_done(&raw);
}

static void start(struct world *w)
{
    world_prepare(w);
    w->conf.lossless_binary = true;
    world_open(w);
    client_comes(w, 0);
    client_begins(w, 0);
}

/* All that the store is told of the letter, until its end or its drop. */
static struct bytes gather(struct world *w, struct buffer *to, struct bytes *ret_head,
                           uint32_t *ret_token)
{
    struct wire_letter letter;
    struct wire_letter_begin begin;
    struct wire_letter_part part;
    struct bytes frame = store_hears(w);

    if (wire_read_letter(frame, &letter)) {
        assert_int_equal(letter.binary, 0);
        *ret_head = letter.head;
        *ret_token = letter.token;
        buffer_put(to, letter.text);
        return frame;
    }
    assert_true(wire_read_letter_begin(frame, &begin));
    assert_int_equal(begin.binary, 0);
    *ret_token = begin.token;
    (void)store_hears(w);
    while (wire_read_letter_part(frame = store_hears(w), &part)) {
        buffer_put(to, part.text);
        store_credits(w, part.token, (uint32_t)part.text.n);
        world_turn(w);
    }
    struct wire_letter_end end;
    if (wire_read_letter_end(frame, &end))
        *ret_head = end.head;
    return frame;
}

static void says_in_pieces(struct world *w, struct bytes text, size_t piece)
{
    for (size_t at = 0; at < text.n; at += piece) {
        client_says(w, 0, bytes_first(bytes_skip(text, at), piece));
        for (size_t rounds = 0; w->clients[0].paused && rounds < 1000; rounds++) {
            store_credits(w, 0, LIMIT_LETTER_CREDIT);
            world_turn(w);
        }
        assert_false(w->clients[0].paused);
    }
}

static const struct { size_t size, piece; } rows[] = {
    { 2000, SIZE_MAX / 2 }, { 2000, 1 }, { 45 * 1024, 100 }, { 45 * 1024, SIZE_MAX / 2 },
    { 60 * 1024, 7000 },
    { 3 << 20, 65536 }, { 3 << 20, 3 << 20 },
};

static void the_store_gets_the_original(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct buffer letter = buffer_with_most(ROOM), said = buffer_with_most(ROOM);
        struct buffer got = buffer_with_most(ROOM);
        struct bytes head = BYTES_NONE;
        struct envelope envelope;
        uint32_t token;
        struct world w;
        start(&w);
        pack(rows[i].size, &letter, &said, false);
        assert_true(said.n + 200 < letter.n);
        says_in_pieces(&w, buffer_bytes(&said), rows[i].piece);
        (void)gather(&w, &got, &head, &token);
        assert_true(bytes_equal(buffer_bytes(&got), buffer_bytes(&letter)));
        assert_true(envelope_read(head, &envelope));
        assert_int_equal(envelope.body, BODY_8BITMIME);
        assert_true(bytes_equal(envelope.message_id, BYTES("m@x")));
        store_takes(&w, token, 7);
        world_turn(&w);
        client_hears_last(&w, 0, "250 2.0.0");
        world_stop(&w);
        buffer_done(&letter);
        buffer_done(&said);
        buffer_done(&got);
    }
}

/* An octet is another one on the way: nothing is kept, and the session goes on. */
static void another_letter_is_never_kept(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct buffer letter = buffer_with_most(ROOM), said = buffer_with_most(ROOM);
        struct buffer got = buffer_with_most(ROOM);
        struct bytes head = BYTES_NONE;
        struct wire_letter_drop drop;
        struct wire_letter_begin begin;
        uint32_t token;
        struct world w;
        start(&w);
        pack(rows[i].size, &letter, &said, true);
        says_in_pieces(&w, buffer_bytes(&said), rows[i].piece);
        if (rows[i].size > 48 * 1024)
            assert_true(wire_read_letter_drop(gather(&w, &got, &head, &token), &drop));
        else
            assert_false(wire_read_letter_begin(store_hears(&w), &begin));
        client_hears_last(&w, 0, "554 5.6.5 ");
        assert_true(log_has(&w, "reply=554 code=5.6.5"));
        client_says(&w, 0, BYTES("MAIL FROM:<>\r\nRCPT TO:<jo@example.org>\r\nBDAT 6 LAST\r\n"
                                 "A: b\r\n"));
        assert_true(bytes_equal(store_gets_letter(&w).text, BYTES("A: b\r\n")));
        world_stop(&w);
        buffer_done(&letter);
        buffer_done(&said);
        buffer_done(&got);
    }
}

/* A client that is gone in the middle leaves nothing behind. */
static void a_client_that_goes(void **state)
{
    struct buffer letter = buffer_with_most(ROOM), said = buffer_with_most(ROOM);

    (void)state;
    pack(60 * 1024, &letter, &said, false);
    for (size_t n = 0; n < said.n; n += 1000) {
        struct world w;
        start(&w);
        client_says(&w, 0, bytes_first(buffer_bytes(&said), n));
        client_event(&w, 0, EV_CLOSED);
        struct bytes frame = store_hears(&w);
        struct wire_letter_begin begin;
        struct wire_letter_drop drop;
        bool begun = wire_read_letter_begin(frame, &begin), dropped = false;
        while ((frame = store_hears(&w)).n > 0)
            dropped |= wire_read_letter_drop(frame, &drop);
        assert_int_equal(dropped, begun);
        world_stop(&w);
    }
    buffer_done(&letter);
    buffer_done(&said);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_store_gets_the_original),
        cmocka_unit_test(another_letter_is_never_kept), cmocka_unit_test(a_client_that_goes),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
