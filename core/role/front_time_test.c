/* SPDX-License-Identifier: ISC
 *
 * front and time: deadlines, the end, half-closed clients, too many of them; and what a header
 * says.
 */
#include "role/front_world_int.h"

#include "base/arena.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

static void start(struct world *w)
{
    world_start(w);
    client_comes(w, 0);
    client_begins(w, 0);
}

static void an_idle_client_is_sent_away(void **state)
{
    struct world w;

    (void)state;
    start(&w);
    world_later(&w, 299 * 1000);
    client_hears(&w, 0, "");
    client_says(&w, 0, BYTES("NOOP\r\n"));
    client_hears_last(&w, 0, "250 ");
    world_later(&w, 299 * 1000);
    client_hears(&w, 0, "");
    world_later(&w, 2 * 1000);
    client_hears_last(&w, 0, "421 4.4.2");
    assert_true(w.clients[0].closed);
    world_stop(&w);
}

/* SRV-073: single octets of a command do not put its deadline off. */
static void octets_do_not_put_off_a_deadline(void **state)
{
    struct world w;

    (void)state;
    start(&w);
    for (unsigned i = 0; i < 30; i++) {
        client_says(&w, 0, BYTES("N"));
        world_later(&w, 9900);
        client_hears(&w, 0, "");
    }
    world_later(&w, 5000);
    client_hears_last(&w, 0, "421 4.4.2");
    assert_true(w.clients[0].closed);
    world_stop(&w);
}

/* SRV-074: a text that comes too slowly. At 1 octet a second it ends after the grace; at 1000 a
   second it goes on; after a fast beginning silence ends it all the same. */
static const struct { size_t fast, octets; uint64_t each_ms, wanted_ms; } speeds[] = {
    { 0, 1, 1000, 61000 },
    { 0, 1000, 1000, 0 },
    { 40000, 0, 1000, 140000 },
    { 1000000, 0, 1000, 300000 },
};

static void a_slow_text_is_cut_off(void **state)
{
    static char text[1000000];

    (void)state;
    memset(text, 'x', sizeof(text));
    for (size_t i = 70; i < sizeof(text); i += 72) {
        text[i] = '\r';
        text[i + 1] = '\n';
    }
    for (size_t i = 0; i < COUNT(speeds); i++) {
        uint64_t ms = 0;
        struct world w;
        start(&w);
        client_says(&w, 0, BYTES("DATA\r\n"));
        client_hears_last(&w, 0, "354 ");
        client_says(&w, 0, (struct bytes){ text, speeds[i].fast });
        while (!store_hears_nothing(&w))
            store_credits(&w, 0, 65536);
        world_turn(&w);
        while (!w.clients[0].closed && ms < 600 * 1000) {
            if (speeds[i].octets > 0)
                client_says(&w, 0, (struct bytes){ text, speeds[i].octets });
            world_later(&w, speeds[i].each_ms);
            ms += speeds[i].each_ms;
            while (!store_hears_nothing(&w))
                store_credits(&w, 0, 65536);
        }
        assert_int_equal(w.clients[0].closed, speeds[i].wanted_ms > 0);
        if (speeds[i].wanted_ms > 0) {
            assert_in_range(ms, speeds[i].wanted_ms - 2000, speeds[i].wanted_ms + 2000);
            client_hears_last(&w, 0, "421 4.4.2");
        }
        world_stop(&w);
    }
}

/* SRV-072: a client that reads nothing is cut off after a minute. */
static void a_client_that_does_not_read(void **state)
{
    struct world w;

    (void)state;
    start(&w);
    w.clients[0].deaf = true;
    client_says(&w, 0, BYTES("NOOP\r\n"));
    world_later(&w, 59 * 1000);
    assert_false(w.clients[0].aborted);
    world_later(&w, 2 * 1000);
    assert_true(w.clients[0].aborted);
    assert_true(log_has(&w, "event=client-does-not-read session=1"));
    world_stop(&w);
}

/* ... and until then what waits for it is bounded: it is not read any more. */
static void unread_replies_are_bounded(void **state)
{
    static const char letter[] =
        "MAIL FROM:<>\r\nRCPT TO:<jo@example.org>\r\nBDAT 6 LAST\r\nA: b\r\n";
    size_t taken = 0;
    struct world w;

    (void)state;
    start(&w);
    client_says(&w, 0, BYTES("RSET\r\n"));
    client_hears_last(&w, 0, "250 ");
    w.clients[0].deaf = true;
    for (; taken < 4000 && !w.clients[0].paused; taken++) {
        client_says(&w, 0, bytes_of(letter));
        store_takes(&w, store_gets_letter(&w).token, taken);
        world_turn(&w);
    }
    assert_true(w.clients[0].paused);
    assert_in_range(w.clients[0].heard.n, FRONT_UNREAD_MOST, 256 * 1024);
    client_says(&w, 0, bytes_of(letter));       /* what was under way when it was paused */
    assert_true(store_hears_nothing(&w));
    w.clients[0].deaf = false;
    client_event(&w, 0, EV_DRAINED);
    assert_false(w.clients[0].paused);
    store_gets_letter(&w);
    world_stop(&w);
}

/* SRV-109: after ten refused commands each answer takes a second; then 421. What is pipelined is
   not answered faster. */
static void guessing_is_slowed_down(void **state)
{
    unsigned answers = 0;
    struct world w;

    (void)state;
    start(&w);
    for (unsigned i = 0; i < 40; i++)
        client_says(&w, 0, BYTES("NONSENSE\r\n"));
    assert_true(w.clients[0].paused);
    assert_int_equal(w.clients[0].sends, LIMIT_SOFT_ERRORS);
    for (; answers < 30 && !w.clients[0].closed; answers++) {
        size_t before = w.clients[0].heard.n;
        world_later(&w, 999);
        assert_int_equal(w.clients[0].heard.n, before);
        world_later(&w, 1);
        assert_true(w.clients[0].heard.n > before);
    }
    assert_in_range(answers, 1, 12);
    client_hears_last(&w, 0, "421 ");
    world_stop(&w);
}

/* SRV-079: a client that closed its side still hears the 250. */
static void a_half_closed_client_hears_its_250(void **state)
{
    struct world w;

    (void)state;
    start(&w);
    client_says(&w, 0, BYTES("DATA\r\nA: b\r\n.\r\n"));
    client_event(&w, 0, EV_END);
    assert_false(w.clients[0].closed);
    store_takes(&w, store_gets_letter(&w).token, 7);
    world_turn(&w);
    client_hears_last(&w, 0, "250 2.0.0");
    assert_true(w.clients[0].closed);
    world_stop(&w);
}

/* All that came before the end counts, also what waited for an answer then. */
static void input_before_the_end_counts(void **state)
{
    struct world w;

    (void)state;
    start(&w);
    client_says(&w, 0, BYTES("RCPT TO:<bo@example.org>\r\nBDAT 6 LAST\r\nA: b\r\n"));
    client_event(&w, 0, EV_END);
    assert_false(w.clients[0].closed);
    mailbox_is(&w, store_is_asked(&w, "bo@example.org"), MAILBOX_YES);
    world_turn(&w);
    store_takes(&w, store_gets_letter(&w).token, 7);
    world_turn(&w);
    client_hears_last(&w, 0, "250 2.0.0");
    assert_true(w.clients[0].closed);
    world_stop(&w);
}

static void an_end_in_the_text_keeps_nothing(void **state)
{
    struct world w;

    (void)state;
    start(&w);
    client_says(&w, 0, BYTES("DATA\r\nA: b\r\n"));
    client_event(&w, 0, EV_END);
    assert_true(store_hears_nothing(&w));
    assert_true(w.clients[0].closed);
    assert_true(log_has(&w, "event=closed-without-quit"));
    world_stop(&w);
}

/* SRV-076: beyond the limit a client is told so, and there is room again when one goes. */
static void too_many_clients(void **state)
{
    struct world w;

    (void)state;
    world_start(&w);
    for (uint32_t i = 0; i < 6; i++) {
        client_comes(&w, i);
        client_hears_last(&w, i, i < 4 ? "220 " : "421 4.7.0");
        assert_int_equal(w.clients[i].closed, i >= 4);
    }
    client_event(&w, 4, EV_CLOSED);
    client_event(&w, 5, EV_CLOSED);
    client_event(&w, 1, EV_CLOSED);
    client_comes(&w, 1);
    client_hears_last(&w, 1, "220 ");
    world_stop(&w);
}

/* SRV-110: in every state a session ends with 421 4.3.2, and what was on its way is finished. */
static void a_stop_ends_every_session(void **state)
{
    struct world w;

    (void)state;
    start(&w);                                  /* 0: between commands */
    for (uint32_t i = 1; i < 4; i++)
        client_comes(&w, i);
    client_begins(&w, 1);
    client_begins(&w, 2);
    client_says(&w, 1, BYTES("DATA\r\nA: b\r\n"));   /* in the text */
    client_says(&w, 2, BYTES("DATA\r\nA: b\r\n.\r\n"));  /* waits for its 250 */
    client_hears_last(&w, 3, "220 ");           /* has said nothing */
    struct wire_letter letter = store_gets_letter(&w);
    world_step(&w, (struct event){ .kind = EV_STOP });
    world_turn(&w);
    client_hears_last(&w, 0, "421 4.3.2");
    client_hears_last(&w, 3, "421 4.3.2");
    assert_true(w.clients[0].closed && w.clients[3].closed);
    client_says(&w, 1, BYTES(".\r\n"));
    store_takes(&w, letter.token, 1);
    store_takes(&w, store_gets_letter(&w).token, 2);
    world_turn(&w);
    client_hears_last(&w, 1, "421 4.3.2");
    client_hears_last(&w, 2, "421 4.3.2");
    assert_true(log_has(&w, "event=letter session=2") && log_has(&w, "event=letter session=3"));
    assert_false(w.exited);
    for (uint32_t i = 0; i < 4; i++)
        client_event(&w, i, EV_CLOSED);
    assert_true(w.exited);
    world_stop(&w);
}

static void a_stop_does_not_wait_for_ever(void **state)
{
    struct world w;

    (void)state;
    start(&w);
    client_says(&w, 0, BYTES("DATA\r\nA: b\r\n"));
    world_step(&w, (struct event){ .kind = EV_STOP });
    world_turn(&w);
    client_comes(&w, 1);
    client_hears_last(&w, 1, "421 4.3.2");
    world_later(&w, 9900);
    client_hears_last(&w, 0, "354 ");
    world_later(&w, 200);
    client_hears_last(&w, 0, "421 4.3.2");
    assert_true(w.clients[0].closed);
    assert_false(w.exited);
    world_later(&w, 1900);
    assert_true(w.exited);
    world_stop(&w);
}

/* ---- what a header says */

static void say_letter(struct world *w, const char *line, size_t times, struct bytes end)
{
    struct buffer text = buffer_with_most(1 << 16), all = buffer_with_most(1 << 17);

    for (size_t i = 0; i < times; i++)
        buffer_put_text(&text, line);
    buffer_put(&text, end);
    buffer_put_text(&all, "BDAT ");
    buffer_put_uint(&all, text.n);
    buffer_put_text(&all, " LAST\r\n");
    buffer_put(&all, buffer_bytes(&text));
    client_says(w, 0, buffer_bytes(&all));
    buffer_done(&text);
    buffer_done(&all);
}

/* SRV-101, SRV-102, SRV-015, SRV-098. reply NULL: it is taken. */
static const struct { const char *line; size_t times; struct bytes end; const char *reply; }
headers[] = {
    { "Received: x\r\n", 50, BYTES_INIT("\r\nb\r\n"), NULL },
    { "Received: x\r\n", 51, BYTES_INIT("\r\nb\r\n"), "554 5.4.6" },
    { "Received: x\r\n", 51, BYTES_INIT(""), "554 5.4.6" },
    { "\r\nReceived: x\r\n", 60, BYTES_INIT(""), NULL },
    { "Delivered-To: jo@example.org\r\n", 1, BYTES_INIT("\r\n"), "554 5.4.6" },
    { "delivered-to: JO@example.org\r\n", 1, BYTES_INIT(""), "554 5.4.6" },
    { "Delivered-To: other@example.org\r\n", 3, BYTES_INIT("\r\n"), NULL },
    { "A: b\r\n", 1, BYTES_INIT("B: \0\r\n\r\n"), "550 5.6.0" },
    { "A: b\r\n", 1, BYTES_INIT("B: x\ry\r\n\r\n"), "550 5.6.0" },
    { "A: b\r\n", 1, BYTES_INIT("\r\n\0\r\n\r\n"), NULL },
    { "no colon\r\n", 1, BYTES_INIT(""), NULL },
    { "", 0, BYTES_INIT(""), NULL },
};

static void headers_are_judged(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(headers); i++) {
        struct world w;
        start(&w);
        client_says(&w, 0, BYTES("RSET\r\nMAIL FROM:<> BODY=BINARYMIME\r\n"
                                 "RCPT TO:<jo@example.org>\r\n"));
        client_hears_last(&w, 0, "250 2.1.5");
        say_letter(&w, headers[i].line, headers[i].times, headers[i].end);
        if (headers[i].reply == NULL) {
            assert_int_equal(store_gets_letter(&w).binary, 1);
        } else {
            client_hears_last(&w, 0, headers[i].reply);
            assert_true(store_hears_nothing(&w));
        }
        world_stop(&w);
    }
}

/* A loop found in a letter that was begun already: the store forgets what it has of it. */
static void a_large_letter_in_a_loop_is_taken_back(void **state)
{
    struct wire_letter_drop drop;
    struct world w;

    (void)state;
    start(&w);
    say_letter(&w, "Received: from here to there and back again and again, and so on\r\n", 900,
               BYTES_NONE);
    client_hears_last(&w, 0, "554 5.4.6");
    struct bytes frame = store_hears(&w);
    while (!wire_read_letter_drop(frame, &drop)) {
        assert_true(frame.n > 0);
        frame = store_hears(&w);
    }
    assert_true(store_hears_nothing(&w));
    world_stop(&w);
}

/* More text than a front may hold: new letters get 452 4.3.1 until the store has taken some. */
static void too_much_text_is_put_off(void **state)
{
    static char text[45000];
    uint32_t tokens[2000];
    size_t n = 0;
    struct buffer all = buffer_with_most(1 << 17);
    struct world w;

    (void)state;
    world_start(&w);
    w.conf.connections = 1 << 20;
    memset(text, 'x', sizeof(text));
    memcpy(text, "\r\n", 2);
    memcpy(text + sizeof(text) - 2, "\r\n", 2);
    buffer_put_text(&all, "MAIL FROM:<>\r\nRCPT TO:<jo@example.org>\r\nBDAT 45000 LAST\r\n");
    buffer_put(&all, (struct bytes){ text, sizeof(text) });
    for (unsigned i = 0; i < 200 && n < COUNT(tokens); i++) {
        client_comes(&w, 0);
        client_begins(&w, 0);
        client_says(&w, 0, BYTES("RSET\r\n"));
        for (unsigned k = 0; k < 10; k++) {
            client_says(&w, 0, buffer_bytes(&all));
            struct bytes frame = store_hears(&w);
            struct wire_letter letter;
            if (wire_read_letter(frame, &letter))
                tokens[n++] = letter.token;
        }
        client_event(&w, 0, EV_CLOSED);         /* the store is slow, the clients go away */
    }
    assert_in_range(n * sizeof(text), LIMIT_FRONT_TEXT - (1 << 20), LIMIT_FRONT_TEXT + (1 << 20));
    assert_true(log_has(&w, "event=letter-refused session=180 size=45000 reply=452 code=4.3.1"));
    for (size_t i = 0; i < n; i++)
        store_takes(&w, tokens[i], i);
    client_comes(&w, 0);
    client_begins(&w, 0);
    client_says(&w, 0, BYTES("RSET\r\n"));
    client_says(&w, 0, buffer_bytes(&all));
    store_gets_letter(&w);
    world_stop(&w);
    buffer_done(&all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_idle_client_is_sent_away),
        cmocka_unit_test(octets_do_not_put_off_a_deadline),
        cmocka_unit_test(a_slow_text_is_cut_off),
        cmocka_unit_test(a_client_that_does_not_read),
        cmocka_unit_test(unread_replies_are_bounded),
        cmocka_unit_test(guessing_is_slowed_down),
        cmocka_unit_test(a_half_closed_client_hears_its_250),
        cmocka_unit_test(input_before_the_end_counts),
        cmocka_unit_test(an_end_in_the_text_keeps_nothing),
        cmocka_unit_test(too_many_clients),
        cmocka_unit_test(a_stop_ends_every_session),
        cmocka_unit_test(a_stop_does_not_wait_for_ever),
        cmocka_unit_test(headers_are_judged),
        cmocka_unit_test(a_large_letter_in_a_loop_is_taken_back),
        cmocka_unit_test(too_much_text_is_put_off),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
