/* SPDX-License-Identifier: ISC
 *
 * Relay and servers that fail or lack something: a letter's retry dials, nothing is dialled for it
 * twice, and nothing is final before all hosts were asked.
 */
#include "role/relay_world_int.h"

#include "role/role.h"

#include "base/ip.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

enum { SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE };

static void two_hosts(const char *first, const char *second)
{
    begin();
    w.conf.allow_private = true;
    start();
    zone("a.example", DNS_MX, DNS_INSECURE, false, "mx1.a.example mx2.a.example");
    zone("mx1.a.example", DNS_A, DNS_INSECURE, false, first);
    zone("mx2.a.example", DNS_A, DNS_INSECURE, false, second);
}

static void one_host(void)
{
    begin();
    w.conf.allow_private = true;
    start();
    zone("a.example", DNS_MX, DNS_INSECURE, false, "mx.a.example");
    zone("mx.a.example", DNS_A, DNS_INSECURE, false, "198.51.100.1");
}

/* That letter once more, as the store does when its next attempt is due. */
static void again(uint32_t letter)
{
    w.results[letter].job = 0;
    w.attempt++;
    give(letter, "you@a.example");
    answer_names();
}

static void fails(void)
{
    connect(false);
    answer_names();
}

static void fail_all(void)
{
    while (w.dials_n > 0)
        fails();
}

static void talks(void)
{
    connect(true);
    answer_all();
    answer_names();
}

static void dials(const char *ip)
{
    struct buffer at = buffer_with_most(64);

    assert_true(w.dials_n > 0);
    ip_put(&at, w.dials[0].at.ip);
    if (!bytes_equal(buffer_bytes(&at), bytes_of(ip)))
        fail_msg("not %s but %.*s", ip, (int)at.n, at.at);
    buffer_done(&at);
}

/* ---- servers of which nothing is heard */

static unsigned told_busy(void)
{
    unsigned n = 0;

    for (size_t i = 1; i < COUNT(w.results); i++)
        n += w.results[i].job != 0 && w.results[i].outcome == JOB_BUSY;
    return n;
}

/* When most deliveries are taken, a host that does not answer keeps one after half a second; when
   there are plenty, after five. */
static void a_silent_host_keeps_few_deliveries_where_few_are_left(void **state)
{
    one_host();
    for (uint32_t letter = 1; letter <= 7; letter++)
        again(letter);
    pass(SECOND);
    assert_int_equal(told_busy(), 0);
    again(8);
    pass(SECOND);
    assert_int_equal(told_busy(), 7);
    end();
}

/* ---- addresses that fail */

/* As the default schedule has them: whatever failed before, each attempt dials. */
static void each_retry_of_a_letter_dials(void **state)
{
    static const uint64_t waits[] = { 0, MINUTE, 5 * MINUTE, 15 * MINUTE, 30 * MINUTE, HOUR, HOUR };
    enum { LETTERS = 4 };

    (void)state;
    one_host();
    for (size_t i = 0; i < COUNT(waits); i++) {
        pass(waits[i]);
        size_t before = w.dialled;
        for (uint32_t letter = 1; letter <= LETTERS; letter++)
            again(letter);
        assert_true(w.dialled > before && w.dialled <= before + LETTERS);
        fail_all();
        for (uint32_t letter = 1; letter <= LETTERS; letter++)
            result_is(letter, JOB_LATER, 4, 4, 1);
    }
    end();
}

/* However short the schedule is; but for others it was tried a moment ago. */
static void a_retry_dials_though_it_failed_a_moment_ago(void **state)
{
    (void)state;
    one_host();
    again(1);
    fail_all();
    again(2);
    result_is(2, JOB_LATER, 4, 4, 1);
    assert_int_equal(w.dialled, 1);
    pass(SECOND);
    again(1);
    assert_int_equal(w.dialled, 2);
    fail_all();
    again(2);
    assert_int_equal(w.dialled, 2);
    pass(20 * SECOND);
    again(2);
    assert_int_equal(w.dialled, 3);
    fail_all();
    end();
}

/* Connections that were lost together are one failure, and shrink the number once. */
static void failures_at_the_same_time_are_one(void **state)
{
    (void)state;
    one_host();
    again(1);
    again(2);
    assert_int_equal(w.dials_n, 2);
    fail_all();
    assert_true(logged("last-for-ms=30000"));
    assert_false(logged("last-for-ms=60000"));
    pass(HOUR);
    again(1);
    fail_all();
    assert_true(logged("last-for-ms=60000"));
    end();
}

static void what_failed_goes_last_and_not_away(void **state)
{
    (void)state;
    two_hosts("198.51.100.1", "198.51.100.2");
    again(1);
    dials("198.51.100.1");
    fails();
    dials("198.51.100.2");
    hang_up(connect(true));
    result_is(1, JOB_LATER, 4, 4, 1);
    pass(25 * SECOND);                      /* both failed: in their order */
    again(2);
    dials("198.51.100.1");
    fails();
    dials("198.51.100.2");
    talks();
    result_is(2, JOB_DELIVERED, 2, 0, 0);
    pass(MINUTE - SECOND);                  /* the connection is gone; the first failed twice */
    for (uint32_t conn = 0; conn < CONNS; conn++)
        if (w.lines[conn].open)
            hang_up(conn);
    again(3);
    dials("198.51.100.2");
    fails();
    dials("198.51.100.1");
    talks();
    result_is(3, JOB_DELIVERED, 2, 0, 0);
    end();
}

/* Though each takes half a minute, and the first are no news any more when the last has failed. */
static void no_address_is_dialled_twice_for_an_attempt(void **state)
{
    (void)state;
    two_hosts("198.51.100.1 198.51.100.2", "198.51.100.3 198.51.100.4");
    again(1);
    for (unsigned i = 0; i < 10; i++) {
        pass(31 * SECOND);
        answer_names();
    }
    result_is(1, JOB_LATER, 4, 4, 1);
    assert_int_equal(w.dialled, 4);
    end();
}

/* A server that takes no more than one connection: whoever waits goes over that one. */
static void a_refused_connection_fails_nobody_who_has_another(void **state)
{
    (void)state;
    one_host();
    again(1);
    uint32_t first = connect(true);
    again(2);
    w.greeting = "421 4.3.2 too many connections\r\n";
    hang_up(connect(true));
    again(3);
    assert_int_equal(w.results_n, 0);
    assert_true(w.lines[first].open);
    answer_all();
    for (uint32_t letter = 1; letter <= 3; letter++)
        result_is(letter, JOB_DELIVERED, 2, 0, 0);
    end();
}

/* ---- slots, connections, rates */

static void many_domains(size_t n, const char *mx)
{
    static char names[32][16];

    for (size_t i = 0; i < n; i++) {
        memcpy(names[i], "d00.example", 12);
        names[i][1] = (char)('0' + i / 10);
        names[i][2] = (char)('0' + i % 10);
        zone(names[i], DNS_MX, DNS_INSECURE, false, mx);
    }
}

static void give_domain(uint32_t letter, size_t i)
{
    char to[] = "you@d00.example";

    to[5] = (char)('0' + i / 10);
    to[6] = (char)('0' + i % 10);
    w.results[letter].job = 0;
    give(letter, to);
    answer_names();
}

/* Those that are silent hold no more than half of the deliveries, however many they are; a letter
   that was given back for that is told of the failure when it comes again. */
static void dead_destinations_leave_room(void **state)
{
    enum { DEAD = 14, JOBS_MOST = 16 };

    (void)state;
    begin();
    w.conf.allow_private = true;
    start();
    many_domains(DEAD, "mx.dead.example");
    zone("mx.dead.example", DNS_A, DNS_INSECURE, false, "198.51.100.66");
    for (uint32_t i = 1; i <= DEAD; i++)
        give_domain(i, i - 1);
    assert_int_equal(w.results_n, 0);               /* they hold so many slots */
    pass(6 * SECOND);
    size_t held = DEAD - w.results_n;
    assert_true(held <= JOBS_MOST / 2);
    for (uint32_t i = 1; i <= DEAD; i++)
        assert_true(w.results[i].job == 0 || w.results[i].outcome == JOB_BUSY);
    while (w.dials_n > 0)
        connect(false);
    pass(10 * SECOND);
    for (uint32_t i = 1; i <= DEAD; i++)
        if (w.results[i].outcome == JOB_BUSY)
            give_domain(i, i - 1);
    for (uint32_t i = 1; i <= DEAD; i++)
        result_is(i, JOB_LATER, 4, 4, 1);
    end();
}

static void a_host_has_no_more_connections_than_it_may(void **state)
{
    (void)state;
    begin();
    w.conf.allow_private = true;
    w.conf.host_most = 2;
    start();
    many_domains(4, "mx.example");
    zone("mx.example", DNS_A, DNS_INSECURE, false, "198.51.100.1");
    for (uint32_t i = 1; i <= 4; i++)
        give_domain(i, i - 1);
    assert_int_equal(w.dialled, 2);
    assert_int_equal(w.results_n, 0);
    for (unsigned i = 0; i < 8 && w.results_n < 4; i++) {   /* those that are idle make room */
        if (w.dials_n > 0)
            connect(true);
        answer_all();
        for (uint32_t conn = 0; conn < CONNS; conn++)
            if (w.lines[conn].open && w.lines[conn].closing)
                hang_up(conn);
        size_t open = w.dials_n;
        for (uint32_t conn = 0; conn < CONNS; conn++)
            open += w.lines[conn].open;
        assert_true(open <= 2);
    }
    for (uint32_t i = 1; i <= 4; i++)
        result_is(i, JOB_DELIVERED, 2, 0, 0);
    end();
}

static void a_host_has_no_more_letters_than_it_may(void **state)
{
    (void)state;
    one_host();
    w.conf.host_rate = 2;
    for (uint32_t i = 1; i <= 3; i++)
        again(i);
    while (w.dials_n > 0)
        talks();
    result_is(1, JOB_DELIVERED, 2, 0, 0);
    result_is(2, JOB_DELIVERED, 2, 0, 0);
    assert_int_equal(w.results[3].outcome, JOB_BUSY);
    assert_int_equal(w.mails, 2);
    pass(MINUTE);
    answer_all();
    for (uint32_t conn = 0; conn < CONNS; conn++)
        if (w.lines[conn].open && w.lines[conn].closing)
            hang_up(conn);
    again(3);
    talks();
    result_is(3, JOB_DELIVERED, 2, 0, 0);
    end();
}

/* It begins with two, and one more for each letter that is taken. */
static void connections_grow_and_shrink(void **state)
{
    (void)state;
    one_host();
    for (uint32_t i = 1; i <= 8; i++)
        again(i);
    assert_int_equal(w.dials_n, 2);
    uint32_t first = connect(true);
    connect(false);                                 /* one of them is refused: one */
    answer_names();
    assert_int_equal(w.dials_n, 0);
    (void)first;
    answer_all();
    assert_true(w.dials_n > 0);                     /* it takes letters: more again */
    while (w.dials_n > 0)
        talks();
    for (uint32_t i = 1; i <= 8; i++)
        result_is(i, JOB_DELIVERED, 2, 0, 0);
    end();
}

static void settings_of_one_domain_hold_for_it_alone(void **state)
{
    static const struct bytes lines[] = {
        BYTES_INIT("a.example destination-connections 1 connection-letters 2") };

    (void)state;
    one_host();
    w.conf.for_domain = (struct conf_texts){ lines, 1 };
    zone("b.example", DNS_MX, DNS_INSECURE, false, "mx.b.example");
    zone("mx.b.example", DNS_A, DNS_INSECURE, false, "198.51.100.2");
    for (uint32_t i = 1; i <= 3; i++)
        again(i);
    assert_int_equal(w.dials_n, 1);
    connect(true);
    answer_all();
    assert_int_equal(w.results_n, 2);
    assert_true(said("QUIT"));
    for (uint32_t conn = 0; conn < CONNS; conn++)
        if (w.lines[conn].open)
            hang_up(conn);
    talks();
    result_is(3, JOB_DELIVERED, 2, 0, 0);
    for (uint32_t i = 4; i <= 6; i++)
        give(i, "you@b.example");
    answer_names();
    assert_int_equal(w.dials_n, 2);
    end();
}

/* ---- hosts that lack something */

static const char signed_text[] =
    "Content-Type: multipart/signed; boundary=b\r\n\r\n--b\r\n\r\n\xc3\xa4\r\n--b--\r\n";
static const char utf8_text[] = "Subject: Gr\xc3\xbc\xc3\x9f" "e\r\n\r\nx\r\n";

static const struct {
    const char *lacks, *has;            /* what the first host offers, and the second */
    const char *text, *to;
    enum body_kind body;
    bool utf8;
    unsigned code[3];                   /* when both lack it */
} needs[] = {
    { "250 PIPELINING\r\n", "250-x\r\n250 8BITMIME\r\n", signed_text, "you@a.example",
      BODY_8BITMIME, false, { 5, 6, 3 } },
    { "250-x\r\n250 SIZE 10\r\n", "250-x\r\n250 SIZE 10000\r\n", "Subject: x\r\n\r\nx\r\n",
      "you@a.example", BODY_7BIT, false, { 5, 3, 4 } },
    { "250-x\r\n250 8BITMIME\r\n", "250-x\r\n250-8BITMIME\r\n250 SMTPUTF8\r\n", utf8_text,
      "\xc3\xa4@a.example", BODY_8BITMIME, true, { 5, 6, 7 } },
};

static void give_needy(size_t i)
{
    w.results[1].job = 0;
    w.body = needs[i].body;
    w.utf8 = needs[i].utf8;
    give_with(1, &needs[i].to, 1, needs[i].text, false);
    answer_names();
}

static void all_hosts_are_asked_before_a_lack_is_final(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(needs); i++) {
        two_hosts("198.51.100.1", "198.51.100.2");
        w.ehlo = needs[i].lacks;
        give_needy(i);
        talks();
        assert_int_equal(w.results_n, 0);
        dials("198.51.100.2");
        w.ehlo = needs[i].has;
        talks();
        result_is(1, JOB_DELIVERED, 2, 0, 0);
        assert_int_equal(w.mails, 1);
        end();
    }
}

static void what_all_hosts_lack_is_final(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(needs); i++) {
        two_hosts("198.51.100.1", "198.51.100.2");
        w.ehlo = needs[i].lacks;
        give_needy(i);
        talks();
        talks();
        result_is(1, JOB_FAILED, needs[i].code[0], needs[i].code[1], needs[i].code[2]);
        assert_int_equal(w.mails, 0);
        assert_int_equal(w.dialled, 2);
        end();
    }
}

/* A host that cannot be reached may have it. */
static void a_lack_waits_for_hosts_that_cannot_be_reached(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(needs); i++) {
        two_hosts("198.51.100.1", "198.51.100.2");
        w.ehlo = needs[i].lacks;
        give_needy(i);
        talks();
        fail_all();
        result_is(1, JOB_LATER, 4, 4, 1);
        end();
    }
}

/* Nobody fails for another's address, though no host takes that one. */
static void the_others_go_when_all_hosts_lack_it(void **state)
{
    static const char *const to[] = { "you@a.example", "\xc3\xa4@a.example" };

    (void)state;
    two_hosts("198.51.100.1", "198.51.100.2");
    w.ehlo = "250-x\r\n250 8BITMIME\r\n";
    w.utf8 = true;
    w.body = BODY_8BITMIME;
    give_with(1, to, 2, utf8_text, false);
    answer_names();
    talks();
    assert_int_equal(w.results_n, 0);
    talks();
    result_is(1, JOB_DELIVERED, 2, 0, 0);
    result_is(2, JOB_FAILED, 5, 6, 7);
    end();
}

/* ---- suspended */

static void hold(bool on, const char *name)
{
    struct effects fx = effects_none();

    wire_tell_destination_hold(&fx, (struct role_name){ ROLE_RELAY, 0 },
        &(struct wire_destination_hold){ on, bytes_of(name), BYTES("they move") });
    tell(&fx, ROLE_STORE);
}

/* What waits for a connection comes back; what has one is not stopped. */
static void what_waits_comes_back_when_it_is_suspended(void **state)
{
    (void)state;
    one_host();
    again(1);
    uint32_t conn = connect(true);
    again(2);
    step((struct event){ .kind = EV_BYTES, .conn = conn,
                         .bytes = BYTES("250-x\r\n250 PIPELINING\r\n") });
    buffer_clear(&w.lines[conn].heard);             /* MAIL, RCPT, DATA of the first are said */
    hold(true, "a.example");
    result_is(2, JOB_WAITS, 4, 3, 2);
    assert_int_equal(w.results_n, 1);
    assert_true(strstr(w.words[2], "suspended here: they move") != NULL);
    step((struct event){ .kind = EV_BYTES, .conn = conn,
                         .bytes = BYTES("250 a\r\n250 b\r\n354 c\r\n") });
    step((struct event){ .kind = EV_BYTES, .conn = conn, .bytes = BYTES("250 d\r\n") });
    result_is(1, JOB_DELIVERED, 2, 0, 0);
    end();
}

/* By the recipient's domain, though its mail goes where all other mail goes. */
static void a_domain_is_suspended_behind_a_smart_host_too(void **state)
{
    static const struct bytes smart[] = { BYTES_INIT("127.0.0.1:2525") };
    static const char *const to[] = { "a@a.example", "b@B\303\274cher.example", "c@c.example" };

    (void)state;
    begin();
    w.conf.smarthost = (struct conf_texts){ smart, 1 };
    start();
    hold(true, "xn--bcher-kva.example");
    give_with(1, to, 3, TEXT, false);
    result_is(2, JOB_WAITS, 4, 3, 2);
    talks();
    result_is(1, JOB_DELIVERED, 2, 0, 0);
    result_is(3, JOB_DELIVERED, 2, 0, 0);
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_silent_host_keeps_few_deliveries_where_few_are_left),
        cmocka_unit_test(each_retry_of_a_letter_dials),
        cmocka_unit_test(a_retry_dials_though_it_failed_a_moment_ago),
        cmocka_unit_test(failures_at_the_same_time_are_one),
        cmocka_unit_test(what_failed_goes_last_and_not_away),
        cmocka_unit_test(no_address_is_dialled_twice_for_an_attempt),
        cmocka_unit_test(a_refused_connection_fails_nobody_who_has_another),
        cmocka_unit_test(dead_destinations_leave_room),
        cmocka_unit_test(a_host_has_no_more_connections_than_it_may),
        cmocka_unit_test(a_host_has_no_more_letters_than_it_may),
        cmocka_unit_test(connections_grow_and_shrink),
        cmocka_unit_test(settings_of_one_domain_hold_for_it_alone),
        cmocka_unit_test(all_hosts_are_asked_before_a_lack_is_final),
        cmocka_unit_test(what_all_hosts_lack_is_final),
        cmocka_unit_test(a_lack_waits_for_hosts_that_cannot_be_reached),
        cmocka_unit_test(the_others_go_when_all_hosts_lack_it),
        cmocka_unit_test(what_waits_comes_back_when_it_is_suspended),
        cmocka_unit_test(a_domain_is_suspended_behind_a_smart_host_too),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
