/* SPDX-License-Identifier: ISC
 *
 * Letters that come in their raw form: what the machine gives out is the letter itself, held to all
 * that any text is held to.
 */
#include "smtp/dialogue_int.h"

#include "mail/recipe.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

enum { ROOM = 1 << 20 };

/* What a client of ours would say of a letter. */
struct parcel {
    struct buffer letter, recipe, raw;
};

static struct parcel pack(const char *before, size_t quanta, const char *after, enum body_kind body)
{
    struct parcel parcel = { buffer_with_most(ROOM), buffer_with_most(RECIPE_MOST),
                             buffer_with_most(ROOM) };

    buffer_put_text(&parcel.letter, before);
    for (size_t i = 0; i < quanta; i++)
        buffer_put_text(&parcel.letter, i % 19 == 18 ? "DQoA\r\n" : "DQoA");    /* CR LF NUL */
    buffer_put_text(&parcel.letter, after);
    assert_true(recipe_make(buffer_bytes(&parcel.letter), body, &parcel.recipe, &parcel.raw));
    return parcel;
}

static void unpack(struct parcel *parcel)
{
    buffer_done(&parcel->letter);
    buffer_done(&parcel->recipe);
    buffer_done(&parcel->raw);
}

#define HEAD "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n" \
    "content-transfer-encoding:\r\n (so) Base64\r\n\r\n"

static void put_chunk(struct buffer *to, struct bytes text, bool last)
{
    buffer_put_text(to, "BDAT ");
    buffer_put_uint(to, text.n);
    buffer_put_text(to, last ? " LAST\r\n" : "\r\n");
    buffer_put(to, text);
}

static void put_mail(struct buffer *to, const char *params, size_t recipe_n)
{
    buffer_put_text(to, D_EHLO "MAIL FROM:<a@c.example>");
    buffer_put_text(to, params);
    buffer_put_text(to, " CONTENT-RECIPE=");
    buffer_put_uint(to, recipe_n);
    buffer_put_text(to, "\r\n" D_RCPT);
}

/* However it is cut: those replies, those letters. */
static void assert_played(const char *what, struct bytes input, const char *replies,
                          const char *letters)
{
    struct dialogue row = { what, input, replies, letters };
    struct smtp_settings settings = dialogue_settings();
    struct buffer wrong = buffer_with_most(ROOM);

    settings.recipes = true;
    settings.size_most = 100000;
    if (dialogue_check(&row, settings, &wrong) != NULL)
        fail_msg("%s", wrong.at);
    buffer_done(&wrong);
}

/* However it is cut, on the wire and into chunks, the letter comes out, with the BODY it had. */
static void the_letter_comes_out(void **state)
{
    static const enum body_kind bodies[] = { BODY_7BIT, BODY_8BITMIME, BODY_BINARYMIME };
    static const char *const names[] = { "7BIT", "8BITMIME", "BINARYMIME" };

    (void)state;
    for (size_t i = 0; i < COUNT(bodies); i++) {
        struct parcel parcel = pack(HEAD, 999, "\r\n--b--\r\n", bodies[i]);
        struct buffer whole = buffer_with_most(ROOM), input = buffer_with_most(ROOM);
        struct buffer wanted = buffer_with_most(ROOM);
        buffer_put(&whole, buffer_bytes(&parcel.recipe));
        buffer_put(&whole, buffer_bytes(&parcel.raw));
        put_mail(&input, " BODY=BINARYMIME SIZE=4500", parcel.recipe.n);
        put_chunk(&input, bytes_first(buffer_bytes(&whole), i * 20), false);
        put_chunk(&input, bytes_first(bytes_skip(buffer_bytes(&whole), i * 20), 1000), false);
        put_chunk(&input, bytes_skip(buffer_bytes(&whole), i * 20 + 1000), true);
        buffer_put_text(&wanted, "a@c.example>b@example.org ");
        buffer_put_text(&wanted, names[bodies[i]]);
        buffer_put_text(&wanted, " ESMTP 4500: ");
        buffer_put(&wanted, buffer_bytes(&parcel.letter));
        buffer_put(&wanted, BYTES("\n\0"));
        assert_played(names[bodies[i]], buffer_bytes(&input),
                      "220 250 250/2.1.0 250/2.1.5 250/2.0.0 250/2.0.0 250/2.0.0", wanted.at);
        buffer_done(&whole);
        buffer_done(&input);
        buffer_done(&wanted);
        unpack(&parcel);
    }
}

/* One letter, told wrongly, then one as it is: that one is taken, and nothing else. */
static const struct {
    const char *what, *params;
    int recipe_n, cut, more;        /* said of the recipe; taken from the end; put behind */
    const char *before, *after;
    size_t quanta;
    int spoil;                      /* an octet of what is sent; -1: none, -2: the last is a
                                       NUL, -3: one in a field */
    const char *replies;
} wrongs[] = {
    { "without BINARYMIME", " BODY=8BITMIME", 0, 0, 0, HEAD, "\r\n--b--\r\n", 300, -1,
      "501/5.5.4 503/5.5.1 503/5.5.1" },
    { "a recipe of no octets", " BODY=BINARYMIME", -9999, 0, 0, HEAD, "\r\n--b--\r\n", 300, -1,
      "501/5.5.4 503/5.5.1 503/5.5.1" },
    { "a recipe that is too long", " BODY=BINARYMIME", 65537, 0, 0, HEAD, "\r\n--b--\r\n", 300,
      -1, "501/5.5.4 503/5.5.1 503/5.5.1" },
    { "another octet where it ends", " BODY=BINARYMIME", -1, 0, 0, HEAD, "\r\n--b--\r\n", 300,
      -1, "250/2.1.0 250/2.1.5 554/5.6.5" },
    { "more octets than there are", " BODY=BINARYMIME", 5000, 0, 0, HEAD, "\r\n--b--\r\n", 300,
      -1, "250/2.1.0 250/2.1.5 554/5.6.5" },
    { "a version of later", " BODY=BINARYMIME", 0, 0, 0, HEAD, "\r\n--b--\r\n", 300, 0,
      "250/2.1.0 250/2.1.5 554/5.6.5" },
    { "another size", " BODY=BINARYMIME", 0, 0, 0, HEAD, "\r\n--b--\r\n", 300, 3,
      "250/2.1.0 250/2.1.5 554/5.6.5" },
    { "another field in the raw form", " BODY=BINARYMIME", 0, 0, 0, HEAD, "\r\n--b--\r\n", 300,
      -3, "250/2.1.0 250/2.1.5 554/5.6.5" },
    { "cut off", " BODY=BINARYMIME", 0, 1, 0, HEAD, "\r\n--b--\r\n", 300, -1,
      "250/2.1.0 250/2.1.5 554/5.6.5" },
    { "an octet more", " BODY=BINARYMIME", 0, 0, 1, HEAD, "\r\n--b--\r\n", 300, -1,
      "250/2.1.0 250/2.1.5 554/5.6.5" },
    { "larger than any letter here", " BODY=BINARYMIME", 0, 0, 0, HEAD, "\r\n--b--\r\n", 25000,
      -1, "250/2.1.0 250/2.1.5 552/5.3.4" },
    { "SIZE says so at once", " BODY=BINARYMIME SIZE=100001", 0, 0, 0, HEAD, "\r\n--b--\r\n",
      300, -1, "552/5.3.4 503/5.5.1 503/5.5.1" },
    { "a bare LF that the recipe makes", " BODY=BINARYMIME", 0, 0, 0, HEAD, "\n--b--\r\n", 300,
      -1, "250/2.1.0 250/2.1.5 550/5.5.2" },
    { "a NUL in what is copied", " BODY=BINARYMIME", 0, 0, 0, HEAD, "\r\n--b--\r\n\x01", 300,
      -2, "250/2.1.0 250/2.1.5 550/5.6.0" },
};

static void what_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(wrongs); i++) {
        struct parcel parcel = pack(wrongs[i].before, wrongs[i].quanta, wrongs[i].after, BODY_7BIT);
        struct buffer whole = buffer_with_most(ROOM), input = buffer_with_most(ROOM);
        struct buffer replies = buffer_with_most(ROOM);
        int64_t recipe_n = wrongs[i].recipe_n > 0 ? wrongs[i].recipe_n
                         : (int64_t)parcel.recipe.n + wrongs[i].recipe_n;
        if (recipe_n < 0)
            recipe_n = 0;
        buffer_put(&whole, buffer_bytes(&parcel.recipe));
        buffer_put(&whole, buffer_bytes(&parcel.raw));
        whole.n -= (size_t)wrongs[i].cut;
        buffer_put_chars(&whole, 'x', (size_t)wrongs[i].more);
        if (wrongs[i].spoil == -2)
            whole.at[whole.n - 1] = '\0';
        else if (wrongs[i].spoil == -3)
            whole.at[bytes_search(buffer_bytes(&whole), BYTES(": binary\r\n"))] = ';';
        else if (wrongs[i].spoil >= 0)
            whole.at[wrongs[i].spoil] = (char)(whole.at[wrongs[i].spoil] + 1);
        put_mail(&input, wrongs[i].params, (size_t)recipe_n);
        put_chunk(&input, buffer_bytes(&whole), true);
        buffer_put_text(&input, "RSET\r\n" D_MAIL D_RCPT "BDAT 6 LAST\r\nplain\n");
        input.at[input.n - 1] = '!';
        buffer_put_text(&replies, R_EHLO " ");
        buffer_put_text(&replies, wrongs[i].replies);
        buffer_put_text(&replies, " 250/2.0.0 250/2.1.0 250/2.1.5 250/2.0.0");
        buffer_put_char(&replies, '\0');
        assert_played(wrongs[i].what, buffer_bytes(&input), replies.at,
                      "a@c.example>b@example.org 7BIT ESMTP 0: plain!\n");
        buffer_done(&whole);
        buffer_done(&input);
        buffer_done(&replies);
        unpack(&parcel);
    }
}

/* Who does not offer it knows no such parameter; and no DATA brings such a text. */
static void only_where_it_is_offered(void **state)
{
    static const char mail[] = D_EHLO "MAIL FROM:<a@c.example> BODY=BINARYMIME CONTENT-RECIPE=60"
                               "\r\n" D_RCPT "DATA\r\n";

    (void)state;
    for (int offered = 0; offered < 2; offered++) {
        struct play play = { .settings = dialogue_settings() };
        struct buffer summary = buffer_with_most(ROOM);
        play.settings.recipes = offered != 0;
        play_begin(&play);
        play_feed(&play, bytes_of(mail));
        play_summary(&play, &summary);
        assert_true(bytes_equal(buffer_bytes(&summary), bytes_of(offered == 0
            ? "220 250 555/5.5.4 503/5.5.1 503/5.5.1"
            : "220 250 250/2.1.0 250/2.1.5 503/5.5.1")));
        size_t at = bytes_search(buffer_bytes(&play.replies), BYTES("250-CONTENT-RECIPE 1\r\n"));
        assert_int_equal(at < play.replies.n, offered);
        buffer_done(&summary);
        play_done(&play);
    }
}

/* The sum is told when the recipe is read, and not of a letter without one. */
static void the_sum_is_told(void **state)
{
    struct parcel parcel = pack(HEAD, 300, "\r\n--b--\r\n", BODY_7BIT);
    struct smtp_settings settings = dialogue_settings();
    struct buffer input = buffer_with_most(ROOM), whole = buffer_with_most(ROOM);
    uint8_t sum[RECIPE_SUM];

    (void)state;
    settings.recipes = true;
    settings.size_most = 100000;
    memset(sum, 's', sizeof(sum));
    recipe_set_sum(&parcel.recipe, sum);
    struct smtp_server *server = smtp_server_new(&settings);
    assert_non_null(server);
    smtp_server_greet(server);
    put_mail(&input, " BODY=BINARYMIME", parcel.recipe.n);
    buffer_put(&whole, buffer_bytes(&parcel.recipe));
    buffer_put(&whole, buffer_bytes(&parcel.raw));
    put_chunk(&input, buffer_bytes(&whole), true);
    struct bytes in = buffer_bytes(&input);
    for (bool ended = false; !ended;) {
        struct smtp_event event = smtp_server_step(server, &in);
        bool known = event.kind == SMTP_TEXT || event.kind == SMTP_END;
        if (event.kind == SMTP_ASK_RCPT)
            smtp_server_answer_rcpt(server, SMTP_YES);
        assert_int_equal(smtp_server_sum(server).n, known ? RECIPE_SUM : 0);
        assert_true(event.kind != SMTP_MORE && event.kind != SMTP_CLOSE);
        ended = event.kind == SMTP_END;
        if (ended)
            assert_memory_equal(smtp_server_sum(server).at, sum, RECIPE_SUM);
        if (ended)
            smtp_server_settle(server, event.token, SMTP_BAD_RECIPE, BYTES_NONE);
    }
    (void)smtp_server_step(server, &in);
    assert_int_equal(smtp_server_sum(server).n, 0);
    assert_true(bytes_search(smtp_server_output(server), BYTES("554 5.6.5 "))
                < smtp_server_output(server).n);
    smtp_server_free(server);
    buffer_done(&input);
    buffer_done(&whole);
    unpack(&parcel);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_letter_comes_out), cmocka_unit_test(what_is_refused),
        cmocka_unit_test(only_where_it_is_offered), cmocka_unit_test(the_sum_is_told),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
