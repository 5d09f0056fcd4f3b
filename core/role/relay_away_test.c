/* SPDX-License-Identifier: ISC
 *
 * Relay and mail for elsewhere: who is asked, who is dialled, what is said to the store.
 */
#include "role/relay_world_int.h"

#include "role/role.h"

#include "base/ip.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

/* ---- tests */

static void the_hosts_are_asked_for_and_dialled(void **state)
{
    (void)state;
    private();
    a_host();
    give(1, "you@a.example");
    assert_int_equal(w.asked, 2);             /* and the record of MTA-STS */
    answer_names();
    assert_int_equal(w.asked, 4);
    assert_int_equal(w.dials_n, 1);
    assert_int_equal(w.dials[0].at.port, 25);
    connect(true);
    answer_all();
    result_is(1, JOB_DELIVERED, 2, 0, 0);
    assert_true(said("EHLO us.example\r\n"));
    assert_true(said("MAIL FROM:<s@us.example> SIZE="));
    assert_true(said(" RET=HDRS ENVID=E1\r\nRCPT TO:<you@a.example> NOTIFY=FAILURE\r\n"));
    assert_true(said("\tfor <you@a.example>; "));
    assert_int_equal(w.outcomes[1], JOB_PASSED);
    give(2, "me@a.example");                /* the same connection, and nothing asked again */
    answer_all();
    result_is(2, JOB_DELIVERED, 2, 0, 0);
    assert_int_equal(w.asked, 4);
    assert_int_equal(w.dialled, 1);
    end();
}

static void recipients_of_one_destination_go_together(void **state)
{
    static const char *const to[] = { "a@a.example", "b@A.example", "c@a.example", "d@a.example" };

    (void)state;
    private();
    a_host();
    w.rcpt_reply[1] = "550 5.1.1 who\r\n";
    w.rcpt_reply[2] = "450 4.2.2 full\r\n";
    give_with(1, to, 4, TEXT, false);
    answer_names();
    connect(true);
    answer_all();
    assert_int_equal(w.mails, 1);
    assert_int_equal(w.data_ends, 1);
    result_is(1, JOB_DELIVERED, 2, 0, 0);
    result_is(2, JOB_FAILED, 5, 1, 1);
    result_is(3, JOB_LATER, 4, 2, 2);
    result_is(4, JOB_DELIVERED, 2, 0, 0);
    assert_false(said("for <"));            /* each is none of the others' business */
    end();
}

/* RFC 5321, 4.5.3.1.10: too many, so the others at once in the next transaction. */
static void too_many_is_no_failure(void **state)
{
    static const char *const to[] = { "a@a.example", "b@a.example", "c@a.example" };

    (void)state;
    private();
    a_host();
    w.rcpt_reply[1] = w.rcpt_reply[2] = "452 4.5.3 too many\r\n";
    give_with(1, to, 3, TEXT, false);
    answer_names();
    connect(true);
    answer_all();
    assert_int_equal(w.results_n, 3);
    assert_int_equal(w.mails, 3);
    for (uint32_t i = 1; i <= 3; i++)
        result_is(i, JOB_DELIVERED, 2, 0, 0);
    end();
}

static void limits_are_kept(void **state)
{
    static const char *const to[] = { "a@a.example", "b@a.example", "c@a.example" };

    (void)state;
    private();
    a_host();
    w.ehlo = "250-x\r\n250 LIMITS RCPTMAX=2 MAILMAX=1\r\n";     /* and no DSN */
    give_with(1, to, 3, TEXT, false);
    answer_names();
    connect(true);
    answer_all();
    assert_int_equal(w.results_n, 2);
    assert_true(said("QUIT\r\n"));
    hang_up(0);
    connect(true);
    answer_all();
    assert_int_equal(w.results_n, 3);
    assert_int_equal(w.outcomes[3], JOB_RELAYED);
    end();
}

/* What the DNS says, and what becomes of a letter at once, and of another five minutes later. */
static const struct {
    enum dns_verdict mx;
    bool proved;
    const char *hosts;
    enum dns_verdict a;
    const char *ips;
    enum job_outcome first;
    unsigned code[3];
    enum job_outcome second;
} says[] = {
    { DNS_NXDOMAIN, true, "", DNS_NXDOMAIN, "", JOB_FAILED, { 5, 1, 2 }, JOB_FAILED },
    { DNS_NXDOMAIN, false, "", DNS_NXDOMAIN, "", JOB_LATER, { 4, 4, 3 }, JOB_FAILED },
    { DNS_NODATA, false, "", DNS_NODATA, "", JOB_LATER, { 4, 4, 3 }, JOB_FAILED },
    { DNS_NODATA, true, "", DNS_FAILED, "", JOB_LATER, { 4, 4, 3 }, JOB_LATER },
    { DNS_FAILED, false, "", DNS_INSECURE, "198.51.100.7", JOB_LATER, { 4, 4, 3 }, JOB_LATER },
    { DNS_BOGUS, false, "", DNS_INSECURE, "198.51.100.7", JOB_LATER, { 4, 4, 3 }, JOB_LATER },
    { DNS_INSECURE, false, ".", DNS_NODATA, "", JOB_FAILED, { 5, 1, 10 }, JOB_FAILED },
    { DNS_INSECURE, false, "us.example other.example", DNS_NODATA, "", JOB_FAILED, { 5, 4, 6 },
      JOB_FAILED },
    { DNS_INSECURE, false, "mx.other.example", DNS_NODATA, "", JOB_LATER, { 4, 4, 4 }, JOB_LATER },
};

static void only_what_is_sure_ends_for_good(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(says); i++) {
        private();
        zone("a.example", DNS_MX, says[i].mx, says[i].proved, says[i].hosts);
        zone("a.example", DNS_A, says[i].a, false, says[i].ips);
        zone("a.example", DNS_AAAA, says[i].a, false, "");
        give(1, "you@a.example");
        answer_names();
        result_is(1, says[i].first, says[i].code[0], says[i].code[1], says[i].code[2]);
        pass(5 * 60 * 1000);
        give(2, "you@a.example");
        answer_names();
        assert_int_equal(w.results[2].outcome, says[i].second);
        assert_int_equal(w.dialled, 0);
        end();
    }
}

static void where_there_is_no_mx_the_domain_is_the_host(void **state)
{
    (void)state;
    private();
    zone("a.example", DNS_AAAA, DNS_INSECURE, false, "2001:db8::1");
    give(1, "you@a.example");
    answer_names();
    connect(true);
    answer_all();
    result_is(1, JOB_DELIVERED, 2, 0, 0);
    end();
}

/* Host by host, address by address, the families in turn; what failed is not dialled again soon. */
static void the_next_address_is_tried(void **state)
{
    static const char *const order[] = { "2001:db8::1", "198.51.100.1", "2001:db8::2",
                                         "198.51.100.2", "198.51.100.3" };

    (void)state;
    private();
    zone("a.example", DNS_MX, DNS_INSECURE, false, "mx1.a.example mx2.a.example");
    zone("mx1.a.example", DNS_A, DNS_INSECURE, false, "198.51.100.1 198.51.100.2");
    zone("mx1.a.example", DNS_AAAA, DNS_INSECURE, false, "2001:db8::1 2001:db8::2");
    zone("mx2.a.example", DNS_A, DNS_INSECURE, false, "198.51.100.3");
    give(1, "you@a.example");
    answer_names();
    for (size_t i = 0; i < COUNT(order); i++) {
        struct buffer at = buffer_with_most(64);
        assert_int_equal(w.dials_n, 1);
        ip_put(&at, w.dials[0].at.ip);
        assert_true(bytes_equal(buffer_bytes(&at), bytes_of(order[i])));
        buffer_done(&at);
        connect(false);
        answer_names();
    }
    result_is(1, JOB_LATER, 4, 4, 1);
    give(2, "you@a.example");               /* it rests: at once, with the reason */
    result_is(2, JOB_LATER, 4, 4, 1);
    assert_int_equal(w.dialled, COUNT(order));
    pass(60 * 1000);
    give(3, "you@a.example");
    answer_names();
    connect(true);
    answer_all();
    result_is(3, JOB_DELIVERED, 2, 0, 0);
    end();
}

static void guarded_addresses_are_not_dialled(void **state)
{
    (void)state;
    begin();
    start();
    zone("a.example", DNS_MX, DNS_INSECURE, false, "mx.a.example");
    zone("mx.a.example", DNS_A, DNS_INSECURE, false, "127.0.0.1 10.0.0.1");
    give(1, "you@a.example");
    give(2, "you@[127.0.0.1]");
    answer_names();
    assert_int_equal(w.dialled, 0);
    result_is(1, JOB_LATER, 4, 4, 4);
    result_is(2, JOB_LATER, 4, 4, 4);
    end();
}

/* A hop is kept as "=HOST:PORT"; whoever reads of it has no use for the sign. */
static void a_hop_is_named_as_people_name_it(void **state)
{
    static const struct bytes route[] = { BYTES_INIT("a.example=127.0.0.1:2525") };

    (void)state;
    begin();
    w.conf.route = (struct conf_texts){ route, 1 };
    start();
    give(1, "you@a.example");
    connect(false);
    result_is(1, JOB_LATER, 4, 4, 1);
    assert_int_equal(strncmp(w.words[1], "127.0.0.1:2525: ", 16), 0);
    assert_true(logged("event=server-unreachable server=127.0.0.1:2525 "));
    assert_true(logged("event=delivery-waits") && !logged("\"=127"));
    end();
}

static void a_route_asks_nobody(void **state)
{
    static const struct bytes route[] = { BYTES_INIT("a.example=127.0.0.1:2525") };
    static const struct bytes smart[] = { BYTES_INIT("hub.example:587") };

    (void)state;
    begin();
    w.conf.route = (struct conf_texts){ route, 1 };
    w.conf.smarthost = (struct conf_texts){ smart, 1 };
    start();
    give(1, "you@a.example");
    assert_int_equal(w.asked, 0);
    assert_int_equal(w.dials_n, 1);
    assert_int_equal(w.dials[0].at.port, 2525);
    connect(true);
    answer_all();
    result_is(1, JOB_DELIVERED, 2, 0, 0);
    zone("hub.example", DNS_A, DNS_INSECURE, false, "127.0.0.2");
    give(2, "you@b.example");
    answer_names();
    assert_int_equal(w.dials[0].at.port, 587);
    end();
}

/* TLS that must be, and is not offered: not a word of the letter is said. */
static void what_must_be_is_not_done_without(void **state)
{
    static const char *const to[] = { "you@a.example" };
    static const struct bytes encrypt[] = { BYTES_INIT("encrypt") };

    (void)state;
    private();
    a_host();
    w.conf.tls_policy = (struct conf_texts){ encrypt, 1 };
    give(1, "you@a.example");
    answer_names();
    connect(true);
    answer_all();
    result_is(1, JOB_LATER, 4, 7, 10);
    assert_false(said("MAIL"));
    end();
    private();
    a_host();
    give_with(1, to, 1, TEXT, true);        /* REQUIRETLS over DNS that nobody signed */
    answer_names();
    result_is(1, JOB_FAILED, 5, 7, 10);
    assert_int_equal(w.dialled, 0);
    end();
}

/* The simulator found it (seed 321): a domain whose name could not be kept was "no name". */
static void want_of_memory_fails_nobody(void **state)
{
    static const char *const to[] = { "you@a.example", "me@a.example" };

    (void)state;
    for (uint64_t at = 1; at <= 20; at++) {
        private();
        a_host();
        w.short_at = at;
        give_with(1, to, COUNT(to), TEXT, false);
        assert_true(w.results[1].outcome != JOB_FAILED && w.results[2].outcome != JOB_FAILED);
        end();
    }
}

static void trouble_with_tlsa_waits(void **state)
{
    static const enum dns_verdict verdicts[] = { DNS_FAILED, DNS_BOGUS };
    static const char *const to[] = { "you@a.example" };

    (void)state;
    for (size_t i = 0; i < COUNT(verdicts); i++) {
        private();
        zone("a.example", DNS_MX, DNS_SECURE, false, "mx.a.example");
        zone("mx.a.example", DNS_A, DNS_SECURE, false, "198.51.100.1");
        zone("_25._tcp.mx.a.example", DNS_TLSA, verdicts[i], false, "");
        give(1, "you@a.example");
        answer_names();
        assert_int_equal(w.results[1].outcome, JOB_LATER);
        assert_int_equal(w.dialled, 0);
        /* whoever says TLS-Required: no goes in clear, and nobody else over that connection */
        give_with(2, to, 1, "TLS-Required: No\r\n\r\nx\r\n", false);
        answer_names();
        connect(true);
        answer_all();
        result_is(2, JOB_DELIVERED, 2, 0, 0);
        give(3, "you@a.example");
        answer_names();
        answer_all();
        assert_int_equal(w.results[3].outcome, JOB_LATER);
        assert_int_equal(w.mails, 1);
        end();
    }
}

/* Who keeps back one answer of the two for its addresses does not take the host's DANE away; and it
   counts for that host though its domain is not signed (RFC 7672, 2.2.1). */
static void a_missing_answer_takes_no_dane_away(void **state)
{
    static const enum dns_verdict others[] = { DNS_FAILED, DNS_BOGUS, DNS_NODATA };

    (void)state;
    for (size_t i = 0; i < 2 * COUNT(others); i++) {
        enum dns_verdict domain = i % 2 == 0 ? DNS_SECURE : DNS_INSECURE;
        private();
        zone("a.example", DNS_MX, domain, false, "mx.a.example");
        zone("mx.a.example", DNS_A, DNS_SECURE, false, "198.51.100.1");
        zone("mx.a.example", DNS_AAAA, others[i / 2], false, "");
        zone("_25._tcp.mx.a.example", DNS_TLSA, DNS_BOGUS, false, "");
        give(1, "you@a.example");
        answer_names();
        assert_int_equal(w.results[1].outcome, JOB_LATER);
        assert_int_equal(w.dialled, 0);
        end();
    }
}

/* dane-s24: the records at the end of the CNAMEs count; where there are none, the host's own. */
static void records_stand_at_the_end_of_an_alias(void **state)
{
    static const struct { enum dns_verdict alias, own; bool waits; unsigned asked; } tries[] = {
        { DNS_BOGUS, DNS_NODATA, true, 5 }, { DNS_NODATA, DNS_BOGUS, true, 6 },
        { DNS_NXDOMAIN, DNS_NODATA, false, 6 }, { DNS_FAILED, DNS_NODATA, true, 5 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(tries); i++) {
        private();
        zone("a.example", DNS_MX, DNS_SECURE, false, "mx.a.example");
        zone("mx.a.example", DNS_A, DNS_SECURE, false, "198.51.100.1");
        w.zone[w.zone_n - 1].alias = "real.b.example";
        zone("_25._tcp.real.b.example", DNS_TLSA, tries[i].alias, false, "");
        zone("_25._tcp.mx.a.example", DNS_TLSA, tries[i].own, false, "");
        give(1, "you@a.example");
        answer_names();
        assert_int_equal(w.asked, tries[i].asked);
        assert_int_equal(w.results[1].outcome == JOB_LATER, tries[i].waits);
        assert_int_equal(w.dials_n, tries[i].waits ? 0 : 1);
        end();
    }
}

static bool says_8_bits(void)
{
    struct bytes heard = buffer_bytes(&w.said);

    for (size_t i = 0; i < heard.n; i++)
        if (octet(heard.at[i]) > 127)
            return true;
    return false;
}

/* SRV-104: who takes no 8 bits gets seven, however long the letter is; what is signed comes
   back. */
static void letters_are_made_anew(void **state)
{
    static const struct { const char *text; size_t filler; bool goes; } tries[] = {
        { "Subject: x\r\n\r\nwords \xc3\xa4\r\n", 0, true },
        { "Subject: x\r\n\r\n", 900000, true },
        { "Content-Type: multipart/signed; boundary=b\r\n\r\n--b\r\n\r\n\xc3\xa4\r\n--b--\r\n", 0,
          false },
    };
    static const char *const to[] = { "you@a.example" };

    (void)state;
    for (size_t i = 0; i < COUNT(tries); i++) {
        private();
        a_host();
        w.ehlo = "250-x\r\n250 PIPELINING\r\n";
        give(2, "you@a.example");           /* a connection is there */
        answer_names();
        uint32_t conn = connect(true);
        answer_all();
        w.body = BODY_8BITMIME;
        w.filler = tries[i].filler;
        give_with(1, to, 1, tries[i].text, false);
        for (int k = 0; k < 10; k++) {
            answer_all();
            step((struct event){ .kind = EV_DRAINED, .conn = conn });
        }
        if (tries[i].goes)
            result_is(1, JOB_DELIVERED, 2, 0, 0);
        else
            result_is(1, JOB_FAILED, 5, 6, 3);
        assert_true(tries[i].goes || strstr(w.words[1], "it was not converted: ") != NULL);
        assert_false(says_8_bits());
        assert_false(said(" BODY="));
        assert_int_equal(said("Content-Transfer-Encoding: "), tries[i].goes);
        end();
    }
}

/* SRV-105: nobody fails for another's address, and no ASCII one at all. */
static void utf8_is_lowered(void **state)
{
    static const char *const to[] = { "you@a.example", "\xc3\xa4@a.example" };

    (void)state;
    private();
    a_host();
    w.utf8 = true;
    w.body = BODY_8BITMIME;
    give_with(1, to, 2, "Subject: Gr\xc3\xbc\xc3\x9f" "e\r\nTo: you@a.example\r\n\r\n\xc3\xa4\r\n",
              false);
    answer_names();
    connect(true);
    answer_all();
    result_is(1, JOB_DELIVERED, 2, 0, 0);
    result_is(2, JOB_FAILED, 5, 6, 7);
    assert_true(said("Subject: =?utf-8?Q?Gr=C3=BC=C3=9Fe?=\r\n"));
    assert_true(said(" BODY=8BITMIME"));
    assert_false(said("SMTPUTF8"));
    end();
}

static void a_suspended_destination_waits(void **state)
{
    struct effects fx = effects_none();

    (void)state;
    private();
    a_host();
    for (unsigned on = 2; on-- > 0;) {
        wire_tell_destination_hold(&fx, (struct role_name){ ROLE_RELAY, 0 },
            &(struct wire_destination_hold){ (uint8_t)on, BYTES("a.example"), BYTES("so") });
        tell(&fx, ROLE_STORE);
        fx = effects_none();
        give(1 + on, "you@a.example");
    }
    result_is(2, JOB_WAITS, 4, 3, 2);
    answer_names();
    connect(true);
    answer_all();
    result_is(1, JOB_DELIVERED, 2, 0, 0);
    end();
}

/* One dead destination holds one delivery, and the others go on. */
static void a_dead_destination_slows_nobody(void **state)
{
    (void)state;
    private();
    zone("dead.example", DNS_MX, DNS_INSECURE, false, "mx.dead.example");
    zone("mx.dead.example", DNS_A, DNS_INSECURE, false, "198.51.100.66");
    a_host();
    for (uint32_t i = 1; i <= 8; i++)
        give(i, "you@dead.example");
    answer_names();
    size_t dead = w.dials_n;
    assert_true(dead >= 1 && dead <= 2);
    pass(6000);
    assert_int_equal(w.results_n, 7);       /* back, as if they had not been begun */
    give(20, "you@dead.example");
    assert_int_equal(w.results[20].outcome, JOB_BUSY);
    give(21, "you@a.example");
    answer_names();
    for (size_t i = 0; i < dead; i++) {     /* these are never answered */
        uint64_t token = w.dials[0].token;
        memmove(w.dials, w.dials + 1, --w.dials_n * sizeof(w.dials[0]));
        (void)token;
    }
    connect(true);
    answer_all();
    result_is(21, JOB_DELIVERED, 2, 0, 0);
    pass(30 * 1000);
    assert_int_equal(w.results_n, 10);
    give(22, "you@dead.example");
    result_is(22, JOB_LATER, 4, 4, 1);
    end();
}

/* It hangs up on EHLO, twice: HELO from then on; and on what leaves in one flight. */
static void quirks_are_learned(void **state)
{
    (void)state;
    private();
    a_host();
    for (uint32_t i = 1; i <= 2; i++) {
        give(i, "you@a.example");
        answer_names();
        hang_up(connect(true));
        assert_int_equal(w.results[i].outcome, JOB_LATER);
        pass(10 * 60 * 1000);
    }
    assert_true(logged("event=server-quirk"));
    buffer_clear(&w.said);
    give(3, "you@a.example");
    answer_names();
    connect(true);
    answer_all();
    assert_true(said("HELO us.example"));
    result_is(3, JOB_DELIVERED, 2, 0, 0);
    end();
}

/* DNS-029: never "no such name". */
static void names_that_die_have_failed(void **state)
{
    (void)state;
    private();
    give(1, "you@a.example");
    step((struct event){ .kind = EV_PEER_DOWN, .peer = { ROLE_NAMES, 0 } });
    result_is(1, JOB_LATER, 4, 4, 3);
    give(2, "you@b.example");
    result_is(2, JOB_LATER, 4, 4, 3);
    end();
}

/* More destinations than are remembered: each is served. */
static void destinations_are_forgotten(void **state)
{
    (void)state;
    private();
    for (uint32_t i = 0; i < 5000; i++) {
        char to[32] = "you@d0000.example";
        for (uint32_t at = 8, n = i; at >= 5; at--, n /= 10)
            to[at] = (char)('0' + n % 10);
        memset(w.results, 0, sizeof(w.results));
        give(1, to);
        answer_names();
        assert_int_equal(w.results[1].outcome, JOB_LATER);
    }
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_hosts_are_asked_for_and_dialled),
        cmocka_unit_test(recipients_of_one_destination_go_together),
        cmocka_unit_test(too_many_is_no_failure), cmocka_unit_test(limits_are_kept),
        cmocka_unit_test(only_what_is_sure_ends_for_good),
        cmocka_unit_test(where_there_is_no_mx_the_domain_is_the_host),
        cmocka_unit_test(the_next_address_is_tried),
        cmocka_unit_test(guarded_addresses_are_not_dialled),
        cmocka_unit_test(a_hop_is_named_as_people_name_it),
        cmocka_unit_test(a_route_asks_nobody), cmocka_unit_test(what_must_be_is_not_done_without),
        cmocka_unit_test(want_of_memory_fails_nobody),
        cmocka_unit_test(trouble_with_tlsa_waits),
        cmocka_unit_test(a_missing_answer_takes_no_dane_away),
        cmocka_unit_test(records_stand_at_the_end_of_an_alias),
        cmocka_unit_test(letters_are_made_anew), cmocka_unit_test(utf8_is_lowered),
        cmocka_unit_test(a_suspended_destination_waits),
        cmocka_unit_test(a_dead_destination_slows_nobody), cmocka_unit_test(quirks_are_learned),
        cmocka_unit_test(names_that_die_have_failed), cmocka_unit_test(destinations_are_forgotten),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
