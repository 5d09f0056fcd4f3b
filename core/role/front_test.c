/* SPDX-License-Identifier: ISC
 *
 * front with a store that the test plays: letters small and large, credit, settling, the store's
 * death.
 */
#include "role/front_world_int.h"

#include "base/arena.h"
#include "base/id.h"
#include "base/number.h"
#include "base/reader.h"
#include "mail/envelope.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

static void start(struct world *w)
{
    world_start(w);
    client_comes(w, 0);
    client_hears_last(w, 0, "220 ");
    client_begins(w, 0);
}

static void a_letter_is_told_and_answered_when_taken(void **state)
{
    struct world w;

    (void)state;
    start(&w);
    client_says(&w, 0, BYTES("DATA\r\n"));
    client_hears_last(&w, 0, "354 ");
    client_says(&w, 0, BYTES("Message-ID: <m@x>\r\n\r\nhello\r\n..\r\n.\r\n"));
    client_hears(&w, 0, "");
    struct wire_letter letter = store_gets_letter(&w);
    struct envelope envelope;
    assert_true(envelope_read(letter.head, &envelope));
    assert_true(bytes_equal(envelope.sender, BYTES("al@sender.example")));
    assert_true(bytes_equal(envelope.peer, BYTES("192.0.2.7")));
    assert_true(bytes_equal(envelope.message_id, BYTES("m@x")));
    assert_true(bytes_equal(envelope.helo, BYTES("client.example")));
    assert_int_equal(envelope.received_ms, w.now.wall_ms);
    assert_int_equal(letter.binary, 0);
    struct reader to = reader_of(letter.to);
    struct recipient recipient;
    assert_true(recipient_read(read_block(&to), &recipient));
    assert_true(bytes_equal(recipient.address, BYTES("jo@example.org")));
    assert_true(reader_finished(&to));
    assert_true(bytes_equal(letter.text, BYTES("Message-ID: <m@x>\r\n\r\nhello\r\n.\r\n")));
    store_takes(&w, letter.token, 77);
    world_turn(&w);
    client_hears_last(&w, 0, "250 2.0.0");
    assert_true(log_has(&w, "event=letter session=1 id=000000000002D size=31 reply=250 code=2.0.0"
                        " mail=FROM:<al@sender.example> rcpt=jo@example.org data=1\n"));
    client_says(&w, 0, BYTES("QUIT\r\n"));
    client_hears_last(&w, 0, "221 ");
    assert_true(w.clients[0].closed);
    world_stop(&w);
}

/* Many pipelined letters: each a frame in the very step, and one send for all the answers. */
static void pipelined_letters_share_a_step_and_a_send(void **state)
{
    static const char three[] =
        "BDAT 6 LAST\r\nA: b\r\n"
        "MAIL FROM:<>\r\nRCPT TO:<jo@example.org>\r\nBDAT 3\r\nA: BDAT 3 LAST\r\nc\r\n"
        "MAIL FROM:<al@x.example>\r\nRCPT TO:<jo@example.org>\r\nDATA\r\nA: d\r\n.\r\n";
    static const struct bytes texts[] = {
        BYTES_INIT("A: b\r\n"), BYTES_INIT("A: c\r\n"), BYTES_INIT("A: d\r\n"),
    };
    struct world w;
    uint32_t tokens[3];

    (void)state;
    start(&w);
    world_step(&w, (struct event){ .kind = EV_BYTES, .bytes = bytes_of(three) });
    for (size_t i = 0; i < 3; i++) {
        struct wire_letter letter = store_gets_letter(&w);
        assert_true(bytes_equal(letter.text, texts[i]));
        tokens[i] = letter.token;
    }
    world_turn(&w);
    client_hears(&w, 0, "");
    store_takes(&w, tokens[2], 3);
    store_takes(&w, tokens[1], 2);
    store_takes(&w, tokens[0], 1);
    world_turn(&w);
    assert_int_equal(w.clients[0].sends, 1);
    client_hears_last(&w, 0, "250 2.0.0");
    world_stop(&w);
}

/* SRV-010, SRV-011, SRV-013: however the input is cut, the same letter comes out. */
static void input_may_be_cut_anywhere(void **state)
{
    static const char said[] = "DATA\r\nA: b\r\n\r\n..\r\n.x\r\n...\r\ny\r\n.\r\nNOOP\r\n";
    static const char text[] = "A: b\r\n\r\n.\r\nx\r\n..\r\ny\r\n";
    struct bytes all = bytes_of(said);

    (void)state;
    for (size_t a = 0; a <= all.n; a++) {
        for (size_t b = a; b <= all.n; b += 1 + b % 3) {
            struct world w;
            start(&w);
            client_says(&w, 0, bytes_first(all, a));
            client_says(&w, 0, bytes_first(bytes_skip(all, a), b - a));
            client_says(&w, 0, bytes_skip(all, b));
            struct wire_letter letter = store_gets_letter(&w);
            assert_true(bytes_equal(letter.text, bytes_of(text)));
            store_takes(&w, letter.token, 1);
            world_turn(&w);
            client_hears_last(&w, 0, "250 2.0.0");
            world_stop(&w);
        }
    }
}

/* At the bound between one frame and parts nothing is lost. */
static void the_bound_of_small_letters(void **state)
{
    static char text[FRONT_SMALL_TEXT + 2];

    (void)state;
    memset(text, 'x', sizeof(text));
    memcpy(text, "\r\n", 2);
    for (size_t n = sizeof(text) - 4; n <= sizeof(text); n++) {
        struct buffer line = buffer_with_most(100), got = buffer_with_most(2 * sizeof(text));
        struct wire_letter letter;
        struct wire_letter_part part;
        struct world w;
        start(&w);
        buffer_put_text(&line, "BDAT ");
        buffer_put_uint(&line, n);
        buffer_put_text(&line, " LAST\r\n");
        client_says(&w, 0, buffer_bytes(&line));
        client_says(&w, 0, (struct bytes){ text, 7 });
        client_says(&w, 0, (struct bytes){ text + 7, n - 7 });
        struct bytes frame = store_hears(&w);
        assert_int_equal(wire_read_letter(frame, &letter), n <= FRONT_SMALL_TEXT);
        if (n <= FRONT_SMALL_TEXT)
            buffer_put(&got, letter.text);
        store_hears(&w);                        /* the recipients of the other kind */
        while (wire_read_letter_part(store_hears(&w), &part))
            buffer_put(&got, part.text);
        assert_true(bytes_equal(buffer_bytes(&got), (struct bytes){ text, n }));
        buffer_done(&line);
        buffer_done(&got);
        world_stop(&w);
    }
}

/* More pipelined letters than may be on their way at once: the rest waits in here, none is lost and
   the answers come in order. */
static void letters_beyond_the_bound_wait(void **state)
{
    enum { LETTERS = 150 };
    struct buffer all = buffer_with_most(1 << 16), answers = buffer_with_most(1 << 16);
    size_t told = 0, taken = 0;
    uint32_t tokens[LETTERS];
    struct world w;

    (void)state;
    start(&w);
    client_says(&w, 0, BYTES("RSET\r\n"));
    client_hears_last(&w, 0, "250 ");
    for (unsigned i = 0; i < LETTERS; i++) {
        buffer_put_text(&all, "MAIL FROM:<>\r\nRCPT TO:<jo@example.org>\r\nBDAT 6 LAST\r\n");
        buffer_put_uint_wide(&all, i, 4);
        buffer_put_text(&all, "\r\n");
        buffer_put_text(&answers, "250 2.1.0 Sender ok\r\n250 2.1.5 Recipient ok\r\n"
                                  "250 2.0.0 Ok, on disk as 0000000000");
        char id[13];
        id_write(i, id);
        buffer_put(&answers, (struct bytes){ id + 10, 3 });
        buffer_put_text(&answers, "\r\n");
    }
    client_says(&w, 0, buffer_bytes(&all));
    while (taken < LETTERS) {
        struct wire_letter letter;
        struct bytes frame = store_hears(&w);
        if (wire_read_letter(frame, &letter)) {
            uint64_t number;
            assert_true(number_parse(bytes_first(letter.text, 4), &number));
            assert_int_equal(number, told);
            tokens[told++] = letter.token;
            assert_true(told - taken <= LIMIT_COMMITS_AHEAD);
        } else {
            assert_true(taken < told);
            store_takes(&w, tokens[taken], taken);
            taken++;
            world_turn(&w);
        }
    }
    buffer_put_char(&answers, '\0');
    client_hears(&w, 0, answers.at);
    buffer_done(&all);
    buffer_done(&answers);
    world_stop(&w);
}

/* The text of a large letter, put together from what the store is told. `gives`: credit it gives
   back for each part at once. Ends at LETTER_END. */
static struct bytes gather(struct world *w, uint32_t conn, struct buffer *to, bool gives,
                           uint32_t *ret_token)
{
    struct wire_letter_begin begin;
    struct wire_letter_to recipients;
    struct wire_letter_part part;
    struct wire_letter_end end;

    assert_true(wire_read_letter_begin(store_hears(w), &begin));
    assert_true(wire_read_letter_to(store_hears(w), &recipients));
    *ret_token = begin.token;
    for (;;) {
        struct bytes frame = store_hears(w);
        if (!wire_read_letter_part(frame, &part)) {
            assert_true(wire_read_letter_end(frame, &end));
            assert_int_equal(end.size, to->n);
            return buffer_bytes(to);
        }
        assert_int_equal(part.token, begin.token);
        buffer_put(to, part.text);
        if (gives) {
            store_credits(w, part.token, (uint32_t)part.text.n);
            world_turn(w);
        }
    }
}

/* A text of n octets that is nowhere like itself, with line ends. */
static void make_text(struct buffer *to, size_t n)
{
    static const char line_end[] = "\r\n";
    uint32_t dice = 7;

    buffer_put(to, BYTES("A: b\r\n\r\n"));
    while (to->n < n) {
        for (size_t i = 0; i < 8 && to->n < n; i++) {
            dice = dice * 1103515245 + 12345;
            buffer_put_uint_wide(to, dice, 10);
        }
        buffer_put(to, bytes_of(line_end));
    }
}

static const struct { size_t size, piece; bool declared; } larges[] = {
    { 49 * 1024, 1000, false }, { 49 * 1024, 64 * 1024, false }, { 100 * 1024, 300, false },
    { 100 * 1024, 4096, true }, { 600 * 1024, 65536, true }, { 3 << 20, 200000, true },
    { 3 << 20, 3 << 20, false },
};

static void large_letters_go_in_parts(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(larges); i++) {
        struct buffer text = buffer_with_most(4 << 20), got = buffer_with_most(4 << 20);
        struct buffer line = buffer_with_most(200);
        uint32_t token;
        struct world w;
        world_start(&w);
        client_comes(&w, 0);
        client_begins(&w, 0);
        make_text(&text, larges[i].size);
        buffer_put_text(&line, "RSET\r\nMAIL FROM:<>");
        if (larges[i].declared) {
            buffer_put_text(&line, " SIZE=");
            buffer_put_uint(&line, text.n);
        }
        buffer_put_text(&line, "\r\nRCPT TO:<jo@example.org>\r\nBDAT ");
        buffer_put_uint(&line, text.n);
        buffer_put_text(&line, " LAST\r\n");
        client_says(&w, 0, buffer_bytes(&line));
        /* a client that is paused says no more; the store answers each part */
        for (size_t at = 0; at < text.n; at += larges[i].piece) {
            client_says(&w, 0, bytes_first(bytes_skip(buffer_bytes(&text), at), larges[i].piece));
            for (size_t rounds = 0; w.clients[0].paused && rounds < 1000; rounds++) {
                store_credits(&w, 0, LIMIT_LETTER_CREDIT);
                world_turn(&w);
            }
            assert_false(w.clients[0].paused);
        }
        struct bytes whole = gather(&w, 0, &got, true, &token);
        assert_true(bytes_equal(whole, buffer_bytes(&text)));
        store_takes(&w, token, 5);
        world_turn(&w);
        client_hears_last(&w, 0, "250 2.0.0");
        world_stop(&w);
        buffer_done(&line);
        buffer_done(&text);
        buffer_done(&got);
    }
}

/* Without credit no more than it allows is told, and the client is read no more until it comes. */
static void credit_is_kept_to(void **state)
{
    struct buffer text = buffer_with_most(4 << 20);
    struct wire_letter_part part;
    struct wire_letter_end end;
    size_t told = 0;
    struct world w;

    (void)state;
    start(&w);
    make_text(&text, 1 << 20);
    client_says(&w, 0, BYTES("DATA\r\n"));
    client_says(&w, 0, buffer_bytes(&text));
    store_hears(&w);
    store_hears(&w);
    while (wire_read_letter_part(store_hears(&w), &part))
        told += part.text.n;
    assert_int_equal(told, LIMIT_LETTER_CREDIT);
    assert_true(w.clients[0].paused);
    client_says(&w, 0, BYTES(".\r\n"));        /* what was on its way when it was paused */
    assert_true(store_hears_nothing(&w));
    /* 5 minutes and more of our making are not the client's silence */
    world_later(&w, 400 * 1000);
    client_hears_last(&w, 0, "354 ");
    store_credits(&w, 0, 100000);
    world_turn(&w);
    while (wire_read_letter_part(store_hears(&w), &part))
        told += part.text.n;
    assert_int_equal(told, LIMIT_LETTER_CREDIT + 100000);
    store_credits(&w, 0, 1 << 20);
    world_turn(&w);
    struct bytes frame = store_hears(&w);
    for (; wire_read_letter_part(frame, &part); frame = store_hears(&w))
        told += part.text.n;
    assert_true(wire_read_letter_end(frame, &end));
    assert_int_equal(told, text.n);
    assert_false(w.clients[0].paused);
    world_stop(&w);
    buffer_done(&text);
}

static const struct { enum refusal why; const char *reply; } refusals[] = {
    { REFUSED_NOT_NOW, "451 4.3.0" }, { REFUSED_NO_SPACE, "452 4.3.1" },
    { REFUSED_TOO_LARGE, "552 5.3.4" }, { REFUSED_UNKNOWN, NULL },
    { (enum refusal)99, "451 4.3.0" },
};

static void a_refusal_is_passed_on(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(refusals); i++) {
        struct world w;
        start(&w);
        client_says(&w, 0, BYTES("BDAT 6 LAST\r\nA: b\r\n"));
        store_refuses(&w, store_gets_letter(&w).token, refusals[i].why);
        world_turn(&w);
        if (refusals[i].reply != NULL)
            client_hears_last(&w, 0, refusals[i].reply);
        else
            client_hears(&w, 0, "");
        assert_int_equal(w.clients[0].closed, refusals[i].reply == NULL);
        world_stop(&w);
    }
}

/* The store refuses a letter of which a part came: the rest is read and thrown away. */
static void an_early_refusal_is_told_at_the_end(void **state)
{
    struct buffer text = buffer_with_most(1 << 20);
    struct wire_letter_begin begin;
    struct world w;

    (void)state;
    start(&w);
    make_text(&text, 200 * 1024);
    client_says(&w, 0, BYTES("DATA\r\n"));
    client_says(&w, 0, bytes_first(buffer_bytes(&text), 100 * 1024));
    assert_true(wire_read_letter_begin(store_hears(&w), &begin));
    store_refuses(&w, begin.token, REFUSED_NO_SPACE);
    world_turn(&w);
    client_hears_last(&w, 0, "354 ");
    while (!store_hears_nothing(&w))
        ;
    client_says(&w, 0, bytes_skip(buffer_bytes(&text), 100 * 1024));
    client_says(&w, 0, BYTES(".\r\n"));
    client_hears_last(&w, 0, "452 4.3.1");
    assert_true(store_hears_nothing(&w));
    client_says(&w, 0, BYTES("NOOP\r\n"));
    client_hears_last(&w, 0, "250 ");
    world_stop(&w);
    buffer_done(&text);
}

/* OS: the store dies. What it was given is uncertain: no word. What was not ended is refused. */
static void the_stores_death(void **state)
{
    struct buffer text = buffer_with_most(1 << 20);
    struct world w;

    (void)state;
    start(&w);
    make_text(&text, 100 * 1024);
    client_comes(&w, 1);
    client_begins(&w, 1);
    client_comes(&w, 2);
    client_begins(&w, 2);
    client_says(&w, 0, BYTES("BDAT 6 LAST\r\nA: b\r\n"));
    client_says(&w, 1, BYTES("DATA\r\n"));
    client_says(&w, 1, buffer_bytes(&text));
    client_hears_last(&w, 1, "354 ");
    client_says(&w, 2, BYTES("RCPT TO:<other@example.org>\r\n"));
    store_dies(&w);
    client_hears(&w, 0, "");
    assert_true(w.clients[0].closed);
    client_hears_last(&w, 2, "451 4.3.0");
    client_says(&w, 1, BYTES(".\r\n"));
    client_hears_last(&w, 1, "451 4.3.0");
    client_comes(&w, 3);
    client_hears_last(&w, 3, "421 4.3.2");
    assert_true(w.clients[3].closed);
    assert_true(log_has(&w, "event=letter-uncertain session=1"));
    /* it comes back: the same sessions go on */
    store_state(&w, STORE_OPEN);
    client_begins(&w, 1);
    world_stop(&w);
    buffer_done(&text);
}

/* Peers that vanish are normal: what the store has is kept, what is not whole is dropped. */
static void a_client_that_vanishes(void **state)
{
    struct buffer text = buffer_with_most(1 << 20);
    struct wire_letter_begin begin;
    struct wire_letter_drop drop;
    struct world w;

    (void)state;
    start(&w);
    make_text(&text, 100 * 1024);
    client_says(&w, 0, BYTES("BDAT 6 LAST\r\nA: b\r\n"));
    struct wire_letter letter = store_gets_letter(&w);
    client_event(&w, 0, EV_CLOSED);
    assert_true(log_has(&w, "event=closed-without-quit session=1"));
    client_comes(&w, 0);                        /* the same number, another client */
    store_takes(&w, letter.token, 9);
    world_turn(&w);
    client_hears_last(&w, 0, "220 ");
    assert_true(log_has(&w, "event=letter session=1 id=0000000000009"));
    assert_true(log_has(&w, "client=gone"));
    store_takes(&w, letter.token, 9);           /* twice, or of nobody: passed over */
    store_takes(&w, 12345, 9);
    client_begins(&w, 0);
    client_says(&w, 0, BYTES("DATA\r\n"));
    client_says(&w, 0, buffer_bytes(&text));
    struct bytes frame = store_hears(&w);
    assert_true(wire_read_letter_begin(frame, &begin));
    client_event(&w, 0, EV_CLOSED);
    for (frame = store_hears(&w); !wire_read_letter_drop(frame, &drop); frame = store_hears(&w))
        assert_true(frame.n > 0);
    assert_int_equal(drop.token, begin.token);
    world_stop(&w);
    buffer_done(&text);
}

/* Head and recipients can be too much for one frame though the text is small. */
static void many_recipients_go_in_frames_of_their_own(void **state)
{
    struct wire_letter_begin begin;
    struct wire_letter_to to;
    struct wire_letter_part part;
    size_t recipients = 0;
    struct world w;

    (void)state;
    start(&w);
    for (unsigned i = 0; i < 900; i++) {
        struct buffer line = buffer_with_most(400);
        buffer_put_text(&line, "RCPT TO:<");
        buffer_put_chars(&line, 'x', 50);
        buffer_put_uint_wide(&line, i, 10);
        buffer_put_text(&line, "@example.org>\r\n");
        client_says(&w, 0, buffer_bytes(&line));
        struct wire_mailbox_ask ask;
        assert_true(wire_read_mailbox_ask(store_hears(&w), &ask));
        mailbox_is(&w, ask.token, MAILBOX_YES);
        world_turn(&w);
        buffer_done(&line);
    }
    client_hears_last(&w, 0, "250 2.1.5");
    client_says(&w, 0, BYTES("BDAT 6 LAST\r\nA: b\r\n"));
    assert_true(wire_read_letter_begin(store_hears(&w), &begin));
    struct bytes frame = store_hears(&w);
    for (; wire_read_letter_to(frame, &to); frame = store_hears(&w)) {
        struct reader in = reader_of(to.to);
        while (!reader_empty(&in) && reader_ok(&in)) {
            read_block(&in);
            recipients++;
        }
        assert_true(reader_ok(&in));
    }
    assert_int_equal(recipients, 901);
    assert_true(wire_read_letter_part(frame, &part));
    assert_true(bytes_equal(part.text, BYTES("A: b\r\n")));
    world_stop(&w);
}

/* OS-001: the n-th allocation fails, for each n, in a session with a small letter: a clean 4xx, a
   close, or the front gives up and is started again; never a crash. */
static void memory_fails_at_each_place(void **state)
{
    unsigned whole = 0;

    (void)state;
    for (uint64_t n = 1; n < 300; n++) {
        struct world w;
        world_start(&w);
        struct event accept = { .kind = EV_ACCEPT };
        struct event says = { .kind = EV_BYTES,
                              .bytes = BYTES("EHLO c.example\r\nMAIL FROM:<>\r\nRCPT "
                                             "TO:<jo@example.org>\r\nRCPT TO:<no@relay.example>\r\n"
                                             "DATA\r\nA: b\r\n\r\n..x\r\n.\r\nQUIT\r\n") };
        struct event is = { .kind = EV_TOLD, .peer = { ROLE_STORE, 0 },
                            .bytes = BYTES("\3\0\0\0\0\1") };
        mem_fail_at(n);
        bool up = world_step(&w, accept) && world_step(&w, (struct event){ .kind = EV_TURN })
               && world_step(&w, says) && world_step(&w, (struct event){ .kind = EV_TURN })
               && world_step(&w, is) && world_step(&w, (struct event){ .kind = EV_TURN });
        mem_fail_at(0);
        whole += up;
        world_stop(&w);
    }
    assert_true(whole > 200);
}

/* The octets behind a RCPT that is asked about wait; where there is no memory for them, what comes
   behind is never taken for commands. */
static void lost_input_ends_the_session(void **state)
{
    (void)state;
    for (uint64_t n = 1; n < 40; n++) {
        struct world w;
        world_start(&w);
        client_comes(&w, 0);
        client_says(&w, 0, BYTES("EHLO c.example\r\n"));
        struct event first = { .kind = EV_BYTES,
                               .bytes = BYTES("MAIL FROM:<>\r\nRCPT TO:<jo@example.org>\r\n"
                                              "BDAT 18 LAST\r\nA: ") };
        struct event then = { .kind = EV_BYTES, .bytes = BYTES("b\r\nQUIT inside\r\n") };
        mem_fail_at(n);
        bool up = world_step(&w, first);
        mem_fail_at(0);
        struct event is = { .kind = EV_TOLD, .peer = { ROLE_STORE, 0 },
                            .bytes = BYTES("\3\0\0\0\0\1") };
        up = up && world_step(&w, is) && world_step(&w, then)
          && world_step(&w, (struct event){ .kind = EV_TURN });
        assert_false(up && log_has(&w, "inside"));
        world_stop(&w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_letter_is_told_and_answered_when_taken),
        cmocka_unit_test(pipelined_letters_share_a_step_and_a_send),
        cmocka_unit_test(input_may_be_cut_anywhere),
        cmocka_unit_test(the_bound_of_small_letters),
        cmocka_unit_test(letters_beyond_the_bound_wait),
        cmocka_unit_test(large_letters_go_in_parts),
        cmocka_unit_test(credit_is_kept_to),
        cmocka_unit_test(a_refusal_is_passed_on),
        cmocka_unit_test(an_early_refusal_is_told_at_the_end),
        cmocka_unit_test(the_stores_death),
        cmocka_unit_test(a_client_that_vanishes),
        cmocka_unit_test(many_recipients_go_in_frames_of_their_own),
        cmocka_unit_test(memory_fails_at_each_place),
        cmocka_unit_test(lost_input_ends_the_session),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
