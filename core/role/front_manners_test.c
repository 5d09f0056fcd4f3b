/* SPDX-License-Identifier: ISC
 *
 * front and its manners: who may come in and who is turned away, from whom a connection is, early
 * talkers, and a front that is nearly full.
 */
#include "role/front_world_int.h"

#include "base/arena.h"
#include "mail/envelope.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#define SIGN "\r\n\r\n\0\r\nQUIT\n"
/* From 203.0.113.9, port 4321. */
#define PROXIED SIGN "\x21\x11\0\x0c" "\xcb\x00\x71\x09" "\xc0\x00\x02\x01" "\x10\xe1" "\x00\x19"

static const struct bytes ten[] = { BYTES_INIT("10.0.0.0/8") };
static const struct conf_texts nets_of_ten = { ten, 1 };

static void prepare(struct world *w)
{
    world_prepare(w);
    w->conf.trust = nets_of_ten;
    w->conf.size_trusted = 77 << 20;
    w->conf.connections = 100;
}

static void client_goes(struct world *w, uint32_t conn)
{
    client_event(w, conn, EV_CLOSED);
}

/* Is he greeted? Forgets what he heard. */
static void comes(struct world *w, uint32_t conn, const char *ip, const char *heard)
{
    client_comes_from(w, conn, ip);
    client_hears_last(w, conn, heard);
    assert_int_equal(w->clients[conn].closed, strncmp(heard, "220", 3) != 0);
}

/* SRV-075, SRV-114: of one address, of one /64; those of trust are not bound. */
static void connections_of_an_address(void **state)
{
    struct world w;

    (void)state;
    prepare(&w);
    w.conf.address_open = 2;
    world_open(&w);
    comes(&w, 0, "192.0.2.1", "220 ");
    comes(&w, 1, "192.0.2.1", "220 ");
    comes(&w, 2, "192.0.2.1", "421 4.7.0 Too many connections from your address");
    assert_true(log_has(&w, "event=turned-away session=3 why=address-connections"));
    comes(&w, 3, "192.0.2.2", "220 ");
    client_goes(&w, 2);
    client_goes(&w, 0);
    comes(&w, 0, "192.0.2.1", "220 ");
    comes(&w, 2, "2001:db8::1", "220 ");
    comes(&w, 4, "2001:db8::2", "220 ");
    comes(&w, 5, "2001:db8::3", "421 4.7.0 ");
    client_goes(&w, 5);
    for (uint32_t i = 5; i < 8; i++)
        comes(&w, i, "10.0.0.1", "220 ");
    world_stop(&w);
}

static void connections_of_a_network_and_their_rate(void **state)
{
    struct world w;

    (void)state;
    prepare(&w);
    w.conf.network_open = 2;
    w.conf.address_new = 3;
    world_open(&w);
    comes(&w, 0, "192.0.2.1", "220 ");
    comes(&w, 1, "192.0.2.2", "220 ");
    comes(&w, 2, "192.0.2.3", "421 4.7.0 Too many connections from your network");
    client_goes(&w, 0);
    client_goes(&w, 2);
    for (unsigned i = 0; i < 2; i++) {
        comes(&w, 0, "192.0.2.1", "220 ");
        client_goes(&w, 0);
    }
    comes(&w, 0, "192.0.2.1", "421 4.7.0 Your address connects too often");
    client_goes(&w, 0);
    world_later(&w, 20 * 1000);
    comes(&w, 0, "192.0.2.1", "220 ");
    world_stop(&w);
}

static void say_bad_recipient(struct world *w, uint32_t conn)
{
    client_says(w, conn, BYTES("RCPT TO:<x@elsewhere.example>\r\n"));
}

/* SRV-109: names are guessed over many sessions; the address is remembered. */
static void guesses_over_many_sessions(void **state)
{
    struct world w;

    (void)state;
    prepare(&w);
    w.conf.address_bad = 5;
    world_open(&w);
    for (unsigned i = 0; i < 5; i++) {
        comes(&w, 0, "192.0.2.1", "220 ");
        client_says(&w, 0, BYTES("EHLO x\r\nMAIL FROM:<>\r\n"));
        say_bad_recipient(&w, 0);
        client_hears_last(&w, 0, "550 5.7.1");
        if (i < 4)
            client_goes(&w, 0);
    }
    say_bad_recipient(&w, 0);
    client_hears_last(&w, 0, "421 4.7.0 Too many recipients do not exist");
    assert_true(w.clients[0].closed);
    client_goes(&w, 0);
    comes(&w, 0, "192.0.2.1", "421 4.7.0 Your address named too many recipients");
    comes(&w, 1, "192.0.2.2", "220 ");
    client_goes(&w, 0);
    world_later(&w, 12 * 60 * 1000);
    comes(&w, 0, "192.0.2.1", "220 ");
    world_stop(&w);
}

static void size_by_trust(void **state)
{
    struct world w;

    (void)state;
    prepare(&w);
    world_open(&w);
    comes(&w, 0, "192.0.2.1", "220 ");
    comes(&w, 1, "10.0.0.1", "220 ");
    for (uint32_t i = 0; i < 2; i++) {
        client_says(&w, i, BYTES("EHLO x\r\nMAIL FROM:<> SIZE=70000000\r\n"));
        client_hears_last(&w, i, i == 0 ? "552 5.3.4" : "250 2.1.0");
    }
    world_stop(&w);
}

/* SRV-070: who speaks before the greeting. */
static const struct {
    const char *from, *wanted;
    size_t octets;
    bool refused;
} early[] = {
    { "192.0.2.1", "220 ", 0, true },
    { "192.0.2.1", "554 5.5.1 You spoke", 1, true },
    { "192.0.2.1", "554 5.5.1 You spoke", 1 << 20, true },
    { "192.0.2.1", "500 5.5.1", 8, false },
    { "192.0.2.1", "554 5.5.1 You spoke", 5000, false },
};

static void early_talkers(void **state)
{
    static char text[1 << 20];

    (void)state;
    memset(text, 'x', sizeof(text));
    memcpy(text, "NONSUCH\r\n", 8);
    text[6] = '\r';
    text[7] = '\n';
    for (size_t i = 0; i < COUNT(early); i++) {
        struct world w;
        prepare(&w);
        w.conf.greet_delay_ms = 2000;
        w.conf.early_refused = early[i].refused;
        world_open(&w);
        client_comes_from(&w, 0, early[i].from);
        client_says(&w, 0, (struct bytes){ text, early[i].octets });
        if (strncmp(early[i].wanted, "554", 3) != 0) {
            client_hears(&w, 0, "");
            world_later(&w, 1999);
            client_hears(&w, 0, "");
            world_later(&w, 1);
        }
        assert_int_equal(log_has(&w, "event=early-talker session=1 octets="),
                         early[i].octets > 0);
        client_hears_last(&w, 0, early[i].wanted);
        world_stop(&w);
    }
}

static void no_delay_for_the_trusted(void **state)
{
    struct world w;

    (void)state;
    prepare(&w);
    w.conf.greet_delay_ms = 2000;
    world_open(&w);
    comes(&w, 0, "10.0.0.1", "220 ");
    client_comes_from(&w, 1, "192.0.2.1");
    world_step(&w, (struct event){ .kind = EV_STOP });
    world_turn(&w);
    client_hears_last(&w, 1, "421 4.3.2");
    assert_true(w.clients[1].closed);
    world_stop(&w);
}

/* At four fifths of the places: short silence, one error; the trusted are spared. */
static void a_front_nearly_full(void **state)
{
    struct world w;

    (void)state;
    prepare(&w);
    w.conf.connections = 5;
    world_open(&w);
    for (uint32_t i = 0; i < 3; i++)
        comes(&w, i, i == 0 ? "10.0.0.1" : "192.0.2.1", "220 ");
    assert_false(log_has(&w, "event=stress-begins"));
    client_says(&w, 1, BYTES("FOO\r\n"));
    client_hears_last(&w, 1, "500 ");
    comes(&w, 3, "192.0.2.9", "220 ");
    assert_true(log_has(&w, "event=stress-begins connected=4 connections=5"));
    client_says(&w, 1, BYTES("FOO\r\n"));
    client_hears_last(&w, 1, "421 4.7.0");
    world_later(&w, 9999);
    client_hears(&w, 2, "");
    world_later(&w, 1);
    client_hears_last(&w, 2, "421 4.4.2");
    client_hears_last(&w, 3, "421 4.4.2");
    client_says(&w, 0, BYTES("FOO\r\nFOO\r\nFOO\r\nNOOP\r\n"));
    client_hears_last(&w, 0, "250 ");
    for (uint32_t i = 1; i < 4; i++)
        client_goes(&w, i);
    assert_true(log_has(&w, "event=stress-ends connected=3 connections=5"));
    comes(&w, 1, "192.0.2.1", "220 ");
    world_later(&w, 60 * 1000);
    client_hears(&w, 1, "");
    world_stop(&w);
}

/* ---- on behalf of another */

static bool peer_is(struct world *w, uint32_t conn, const char *peer, const char *helo)
{
    struct envelope envelope;

    client_says(w, conn, BYTES("MAIL FROM:<al@sender.example>\r\nRCPT TO:<jo@example.org>\r\n"));
    struct bytes frame = store_hears(w);
    struct wire_mailbox_ask ask;
    if (wire_read_mailbox_ask(frame, &ask))
        mailbox_is(w, ask.token, MAILBOX_YES);
    client_says(w, conn, BYTES("BDAT 6 LAST\r\nA: b\r\n"));
    struct wire_letter letter = store_gets_letter(w);
    assert_true(envelope_read(letter.head, &envelope));
    return bytes_equal(envelope.peer, bytes_of(peer))
        && bytes_equal(envelope.helo, bytes_of(helo));
}

static void xclient_from_a_proxy(void **state)
{
    struct world w;

    (void)state;
    prepare(&w);
    w.conf.xclient_from = nets_of_ten;
    w.conf.address_open = 1;
    world_open(&w);
    comes(&w, 0, "192.0.2.1", "220 ");
    client_says(&w, 0, BYTES("XCLIENT ADDR=10.0.0.1\r\n"));
    client_hears_last(&w, 0, "502 5.5.1");
    comes(&w, 1, "10.0.0.1", "220 ");
    client_says(&w, 1, BYTES("XCLIENT ADDR=203.0.113.9 PORT=999\r\n"));
    client_hears_last(&w, 1, "220 ");
    assert_true(log_has(&w, "event=xclient session=2 peer=203.0.113.9 port=999"));
    client_says(&w, 1, BYTES("XCLIENT ADDR=10.0.0.1\r\n"));     /* he is not the proxy */
    client_hears_last(&w, 1, "502 5.5.1");
    client_says(&w, 1, BYTES("EHLO c.example\r\n"));
    assert_true(peer_is(&w, 1, "203.0.113.9", "c.example"));
    comes(&w, 2, "10.0.0.1", "220 ");
    client_says(&w, 2, BYTES("XCLIENT ADDR=203.0.113.9\r\n"));
    client_hears_last(&w, 2, "421 4.7.0 Too many connections from your address");
    assert_true(w.clients[2].closed);
    client_goes(&w, 2);
    client_goes(&w, 1);
    comes(&w, 1, "10.0.0.1", "220 ");
    client_says(&w, 1, BYTES("XCLIENT ADDR=203.0.113.9 HELO=d.example\r\n"));
    client_hears_last(&w, 1, "220 ");
    assert_true(peer_is(&w, 1, "203.0.113.9", "d.example"));
    world_stop(&w);
}

/* XCLIENT stands in input that had to wait, and its client is not wanted: what is behind it is
   not looked at. */
static void xclient_within_a_pipeline(void **state)
{
    struct world w;

    (void)state;
    prepare(&w);
    w.conf.xclient_from = nets_of_ten;
    w.conf.address_open = 1;
    world_open(&w);
    comes(&w, 0, "203.0.113.9", "220 ");
    comes(&w, 1, "10.0.0.1", "220 ");
    client_says(&w, 1, BYTES("EHLO c.example\r\nMAIL FROM:<>\r\nRCPT TO:<jo@example.org>\r\n"
                             "RSET\r\nXCLIENT ADDR=203.0.113.9\r\nEHLO d.example\r\nNOOP\r\n"));
    mailbox_is(&w, store_is_asked(&w, "jo@example.org"), MAILBOX_YES);
    world_turn(&w);
    client_hears_last(&w, 1, "421 4.7.0 Too many connections from your address");
    assert_true(w.clients[1].closed);
    assert_false(log_has(&w, "name=d.example"));
    world_stop(&w);
}

static void proxy_header_cut_anywhere(void **state)
{
    static const char all[] = PROXIED "EHLO c.example\r\n";
    const size_t n = sizeof(all) - 1;

    (void)state;
    for (size_t cut = 0; cut <= n; cut++) {
        struct world w;
        prepare(&w);
        w.conf.proxy_from = nets_of_ten;
        world_open(&w);
        client_comes_from(&w, 0, "10.0.0.1");
        client_hears(&w, 0, "");
        client_says(&w, 0, (struct bytes){ all, cut });
        client_says(&w, 0, (struct bytes){ all + cut, n - cut });
        client_hears_last(&w, 0, "250 ");
        assert_true(log_has(&w, "event=proxied session=1 peer=203.0.113.9 port=4321"));
        assert_true(peer_is(&w, 0, "203.0.113.9", "c.example"));
        world_stop(&w);
    }
}

static const struct { struct bytes said; bool aborted; const char *logged; } bad_headers[] = {
    { BYTES_INIT("EHLO x\r\n"), true, "event=bad-proxy-header" },
    { BYTES_INIT("PROXY TCP4 203.0.113.9 192.0.2.1 4321 25\r\n"), true, "event=bad-proxy-header" },
    { BYTES_INIT(SIGN "\x21\x11\xff\xff"), true, "event=bad-proxy-header" },
    { BYTES_INIT(SIGN "\x21\x11"), false, "event=no-proxy-header" },
    { BYTES_INIT(""), false, "event=no-proxy-header" },
};

static void bad_proxy_headers(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(bad_headers); i++) {
        struct world w;
        prepare(&w);
        w.conf.proxy_from = nets_of_ten;
        world_open(&w);
        client_comes_from(&w, 0, "10.0.0.1");
        client_says(&w, 0, bad_headers[i].said);
        assert_int_equal(w.clients[0].aborted, bad_headers[i].aborted);
        world_later(&w, 5001);
        assert_true(w.clients[0].aborted);
        client_hears(&w, 0, "");
        assert_true(log_has(&w, bad_headers[i].logged));
        world_stop(&w);
    }
}

/* Others' headers are not believed; the balancer's own connections need no other name. */
static void whose_header_counts(void **state)
{
    struct world w;

    (void)state;
    prepare(&w);
    w.conf.proxy_from = nets_of_ten;
    w.conf.address_open = 1;
    world_open(&w);
    comes(&w, 0, "192.0.2.1", "220 ");
    client_says(&w, 0, BYTES(PROXIED));
    assert_false(log_has(&w, "event=proxied"));
    for (uint32_t i = 1; i < 4; i++) {
        client_comes_from(&w, i, "10.0.0.1");
        client_says(&w, i, i < 3 ? BYTES(PROXIED) : BYTES(SIGN "\x20\0\0\0"));
        client_hears_last(&w, i, i == 2 ? "421 4.7.0" : "220 ");
    }
    world_stop(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(connections_of_an_address),
        cmocka_unit_test(connections_of_a_network_and_their_rate),
        cmocka_unit_test(guesses_over_many_sessions), cmocka_unit_test(size_by_trust),
        cmocka_unit_test(early_talkers), cmocka_unit_test(no_delay_for_the_trusted),
        cmocka_unit_test(a_front_nearly_full), cmocka_unit_test(xclient_from_a_proxy),
        cmocka_unit_test(xclient_within_a_pipeline),
        cmocka_unit_test(proxy_header_cut_anywhere), cmocka_unit_test(bad_proxy_headers),
        cmocka_unit_test(whose_header_counts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
