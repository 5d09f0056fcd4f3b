/* SPDX-License-Identifier: ISC
 *
 * Which recipients front takes: our domains only, mailboxes that are there, answers remembered.
 */
#include "role/front_world_int.h"

#include "base/arena.h"
#include "base/reader.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

static void start(struct world *w)
{
    world_start(w);
    client_comes(w, 0);
    client_says(w, 0, BYTES("EHLO client.example\r\nMAIL FROM:<al@sender.example> SMTPUTF8\r\n"));
    client_hears_last(w, 0, "250 2.1.0");
}

static void say_rcpt(struct world *w, uint32_t conn, const char *path)
{
    struct buffer line = buffer_with_most(2000);

    buffer_put_text(&line, "RCPT TO:");
    buffer_put_text(&line, path);
    buffer_put_text(&line, "\r\n");
    client_says(w, conn, buffer_bytes(&line));
    buffer_done(&line);
}

/* SRV-060, SRV-061: the classic ways to make a stranger's relay of us; and what is ours in spite of
   its looks. `asked`: the question that is put for it, else it is refused with `reply`. */
static const struct { const char *path, *asked, *reply; } forms[] = {
    { "<jo@example.org>", "jo@example.org", NULL },
    { "<jo@EXAMPLE.org>", "jo@example.org", NULL },
    { "<\"jo\"@example.org>", "jo@example.org", NULL },
    { "<\".\"@example.org>", "\".\"@example.org", NULL },
    { "<jo@b\xc3\xbc" "cher.example>", "jo@xn--bcher-kva.example", NULL },
    { "<jo@XN--BCHER-KVA.example>", "jo@xn--bcher-kva.example", NULL },
    { "<Postmaster>", "postmaster@example.org", NULL },
    { "<POSTMASTER>", "postmaster@example.org", NULL },
    { "<postmaster@example.org>", "postmaster@example.org", NULL },
    { "<abuse@example.org>", "abuse@example.org", NULL },
    { "<@relay.example,@b.example:jo@example.org>", "jo@example.org", NULL },
    { "<victim%other.example@example.org>", "victim%other.example@example.org", NULL },
    { "<other.example!victim@example.org>", "other.example!victim@example.org", NULL },
    { "<\"victim@other.example\"@example.org>", "\"victim@other.example\"@example.org", NULL },
    { "<victim@other.example>", NULL, "550 5.7.1" },
    { "<victim@sub.example.org>", NULL, "550 5.7.1" },
    { "<victim@example.org.other.example>", NULL, "550 5.7.1" },
    { "<victim@example.or>", NULL, "550 5.7.1" },
    { "<victim@xexample.org>", NULL, "550 5.7.1" },
    { "<victim@mx.example.org>", NULL, "550 5.7.1" },
    { "<victim@[192.0.2.9]>", NULL, "550 5.7.1" },
    { "<victim@[127.0.0.1]>", NULL, "550 5.7.1" },
    { "<victim@[IPv6:::1]>", NULL, "550 5.7.1" },
    { "<victim@localhost>", NULL, "550 5.7.1" },
    { "<@example.org:victim@other.example>", NULL, "550 5.7.1" },
    { "<victim%example.org@other.example>", NULL, "550 5.7.1" },
    { "<example.org!victim@other.example>", NULL, "550 5.7.1" },
    { "<\"victim@example.org\"@other.example>", NULL, "550 5.7.1" },
    { "<victim@other.example@example.org>", NULL, "553 5.1.3" },
    { "<victim@example.org@other.example>", NULL, "553 5.1.3" },
    { "<victim>", NULL, "553 5.1.3" },
    { "<>", NULL, "5" },
};

static void only_our_domains_are_asked_for(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(forms); i++) {
        struct world w;
        start(&w);
        say_rcpt(&w, 0, forms[i].path);
        if (forms[i].asked != NULL) {
            mailbox_is(&w, store_is_asked(&w, forms[i].asked), MAILBOX_YES);
            world_turn(&w);
            client_hears_last(&w, 0, "250 2.1.5");
        } else {
            client_hears_last(&w, 0, forms[i].reply);
        }
        assert_true(store_hears_nothing(&w));
        world_stop(&w);
    }
}

/* Who may relay names any domain, and is asked for nothing; what is ours is asked for all the
   same. */
static void relaying_is_for_some(void **state)
{
    static const struct bytes nets[] = { BYTES_INIT("127.0.0.0/8") };
    static const struct { const char *peer, *path, *reply; } rows[] = {
        { "127.0.0.1", "<victim@other.example>", "250 2.1.5" },
        { "127.0.0.1", "<victim@[192.0.2.9]>", "250 2.1.5" },
        { "127.0.0.1", "<victim>", "553 5.1.3" },
        { "127.0.0.1", "<jo@example.org>", "" },
        { "192.0.2.7", "<victim@other.example>", "550 5.7.1" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct world w;
        world_prepare(&w);
        w.conf.relay_from = (struct conf_texts){ nets, 1 };
        world_open(&w);
        client_comes_from(&w, 0, rows[i].peer);
        client_says(&w, 0, BYTES("EHLO client.example\r\nMAIL FROM:<al@sender.example>\r\n"));
        client_hears_last(&w, 0, "250 2.1.0");
        say_rcpt(&w, 0, rows[i].path);
        if (rows[i].reply[0] == '\0')
            mailbox_is(&w, store_is_asked(&w, "jo@example.org"), MAILBOX_NO);
        world_turn(&w);
        client_hears_last(&w, 0, rows[i].reply[0] == '\0' ? "550 5.1.1" : rows[i].reply);
        world_stop(&w);
    }
}

static const struct { enum mailbox_is verdict; const char *reply; uint64_t remembered_ms; }
rows[] = {
    { MAILBOX_YES, "250 2.1.5", FRONT_CACHE_YES_MS },
    { MAILBOX_NO, "550 5.1.1", FRONT_CACHE_NO_MS },
    { MAILBOX_UNKNOWN, "451 4.3.0", 0 },
    { (enum mailbox_is)77, "451 4.3.0", 0 },
};

static void answers_are_remembered_for_a_while(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct world w;
        start(&w);
        say_rcpt(&w, 0, "<jo@example.org>");
        client_hears(&w, 0, "");
        mailbox_is(&w, store_is_asked(&w, "jo@example.org"), rows[i].verdict);
        world_turn(&w);
        client_hears_last(&w, 0, rows[i].reply);
        if (rows[i].remembered_ms > 0) {
            world_later(&w, rows[i].remembered_ms - 1);
            say_rcpt(&w, 0, "<jo@example.org>");
            assert_true(store_hears_nothing(&w));
            client_hears_last(&w, 0, rows[i].reply);
        }
        world_later(&w, 1);
        say_rcpt(&w, 0, "<jo@example.org>");
        store_is_asked(&w, "jo@example.org");
        client_hears(&w, 0, "");
        world_stop(&w);
    }
}

/* More addresses than are remembered: none gets another's answer. */
static void a_full_cache_confuses_nobody(void **state)
{
    struct world w;

    (void)state;
    world_start(&w);
    for (unsigned i = 0; i < 6000; i++) {
        struct buffer line = buffer_with_most(200);
        struct wire_mailbox_ask ask;
        if (i % 15 == 0) {
            if (i > 0)
                client_event(&w, 0, EV_CLOSED);
            client_comes(&w, 0);
            client_says(&w, 0, BYTES("EHLO c.example\r\nMAIL FROM:<al@s.example>\r\n"));
        }
        buffer_put_text(&line, "<x");
        buffer_put_uint(&line, i % 4500);
        buffer_put_text(&line, "@example.org>");
        buffer_put_char(&line, '\0');
        say_rcpt(&w, 0, line.at);
        if (wire_read_mailbox_ask(store_hears(&w), &ask)) {
            mailbox_is(&w, ask.token, i % 4500 % 3 == 0 ? MAILBOX_NO : MAILBOX_YES);
            world_turn(&w);
        } else {
            assert_true(i >= 4500);
        }
        client_hears_last(&w, 0, i % 4500 % 3 == 0 ? "550 5.1.1" : "250 2.1.5");
        buffer_done(&line);
    }
    world_stop(&w);
}

static void sessions_share_a_question(void **state)
{
    struct world w;

    (void)state;
    start(&w);
    for (uint32_t i = 1; i < 4; i++) {
        client_comes(&w, i);
        client_says(&w, i, BYTES("EHLO c.example\r\nMAIL FROM:<al@s.example>\r\n"));
    }
    for (uint32_t i = 0; i < 4; i++)
        say_rcpt(&w, i, i == 3 ? "<bo@example.org>" : "<jo@example.org>");
    uint32_t jo = store_is_asked(&w, "jo@example.org"), bo = store_is_asked(&w, "bo@example.org");
    assert_true(store_hears_nothing(&w));
    client_event(&w, 1, EV_CLOSED);             /* one of them does not wait for it */
    mailbox_is(&w, jo, MAILBOX_YES);
    mailbox_is(&w, bo, MAILBOX_NO);
    mailbox_is(&w, bo, MAILBOX_YES);            /* answered already: passed over */
    mailbox_is(&w, 4711, MAILBOX_YES);
    world_turn(&w);
    client_hears_last(&w, 0, "250 2.1.5");
    client_hears_last(&w, 2, "250 2.1.5");
    client_hears_last(&w, 3, "550 5.1.1");
    world_stop(&w);
}

/* What is pipelined behind a question waits for the answer, all of it, and in order. */
static void input_behind_a_question_waits(void **state)
{
    struct world w;

    (void)state;
    start(&w);
    client_says(&w, 0, BYTES("RCPT TO:<jo@example.org>\r\nRCPT TO:<no@example.org>\r\nNOO"));
    client_says(&w, 0, BYTES("P\r\nDATA\r\n"));
    client_hears(&w, 0, "");
    mailbox_is(&w, store_is_asked(&w, "jo@example.org"), MAILBOX_YES);
    world_turn(&w);
    client_hears_last(&w, 0, "250 2.1.5");
    mailbox_is(&w, store_is_asked(&w, "no@example.org"), MAILBOX_NO);
    world_turn(&w);
    client_hears_last(&w, 0, "354 ");
    assert_int_equal(w.clients[0].sends, 0);
    world_stop(&w);
}

/* OS-001: want of memory is never told as a refusal for good. */
static void short_memory_is_no_refusal(void **state)
{
    static const struct bytes lines[] = {
        BYTES_INIT("RCPT TO:<jo@example.org>\r\n"),
        BYTES_INIT("RCPT TO:<jo@b\xc3\xbc" "cher.example>\r\n"),
        BYTES_INIT("RCPT TO:<Postmaster>\r\n"),
    };

    (void)state;
    for (uint64_t n = 1; n < 20 * COUNT(lines); n++) {
        struct world w;
        struct wire_mailbox_ask ask;
        start(&w);
        mem_fail_at(1 + n / COUNT(lines));
        bool up = world_step(&w, (struct event){ .kind = EV_BYTES,
                                                 .bytes = lines[n % COUNT(lines)] });
        mem_fail_at(0);
        if (up) {
            world_turn(&w);
            if (wire_read_mailbox_ask(store_hears(&w), &ask)) {
                mailbox_is(&w, ask.token, MAILBOX_YES);
                world_turn(&w);
            }
            const struct client *client = &w.clients[0];
            if (!client->closed && (client->heard.n < 4 || client->heard.at[0] == '5'))
                fail_msg("n %u heard %.*s", (unsigned)n, (int)client->heard.n, client->heard.at);
        }
        world_stop(&w);
    }
}

/* SRV-096 and its like: what the store's state means for a new letter. */
static const struct { enum store_state state; const char *mail, *rcpt; } states[] = {
    { STORE_OPEN, "250 2.1.0", NULL },
    { STORE_LOW, "452 4.3.1", NULL },
    { STORE_READ_ONLY, "250 2.1.0", "451 4.3.0" },
    { STORE_CLOSED, "250 2.1.0", "451 4.3.0" },
};

static void the_stores_state_is_passed_on(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(states); i++) {
        struct world w;
        start(&w);
        store_state(&w, states[i].state);
        client_says(&w, 0, BYTES("RSET\r\nMAIL FROM:<al@sender.example>\r\n"));
        client_hears_last(&w, 0, states[i].mail);
        if (states[i].rcpt != NULL) {
            say_rcpt(&w, 0, "<jo@example.org>");
            client_hears_last(&w, 0, states[i].rcpt);
        }
        client_comes(&w, 1);
        client_hears_last(&w, 1, states[i].state == STORE_CLOSED ? "421 4.3.2" : "220 ");
        world_stop(&w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_our_domains_are_asked_for), cmocka_unit_test(relaying_is_for_some),
        cmocka_unit_test(answers_are_remembered_for_a_while),
        cmocka_unit_test(a_full_cache_confuses_nobody),
        cmocka_unit_test(sessions_share_a_question),
        cmocka_unit_test(input_behind_a_question_waits),
        cmocka_unit_test(short_memory_is_no_refusal),
        cmocka_unit_test(the_stores_state_is_passed_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
