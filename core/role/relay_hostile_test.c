/* SPDX-License-Identifier: ISC
 *
 * Relay and servers that mean harm, or do not know what they do: silence at each step, windows that
 * stay shut, offers that are no offers. Hours pass in no time.
 */
#include "role/relay_world_int.h"

#include "role/role.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

enum { SECOND = 1000, MINUTE = 60 * SECOND };

static void one_host(void)
{
    begin();
    w.conf.allow_private = true;
    start();
    zone("a.example", DNS_MX, DNS_INSECURE, false, "mx.a.example");
    zone("mx.a.example", DNS_A, DNS_INSECURE, false, "198.51.100.1");
}

static void hear(uint32_t conn, const char *words)
{
    if (words[0] != '\0')
        step((struct event){ .kind = EV_BYTES, .conn = conn, .bytes = bytes_of(words) });
}

/* ---- patience */

/* CLI-001, CLI-022: a server that says nothing any more, from some step on. The letter waits, and
   not before its time; what was not answered after its end is in the window. */
static void silence_ends_with_patience(void **state)
{
    static const struct {
        const char *replies[4];     /* each after what went before was said */
        uint64_t bears_ms;
    } rows[] = {
        { { "" }, 5 * MINUTE },                                 /* no greeting at all */
        { { "220-x\r\n" }, 5 * MINUTE },
        { { "220 x\r\n" }, 5 * MINUTE },                        /* EHLO */
        { { "220 x\r\n", "250 x\r\n" }, 5 * MINUTE },           /* MAIL */
        { { "220 x\r\n", "250 x\r\n", "250 a\r\n" }, 5 * MINUTE },
        { { "220 x\r\n", "250-x\r\n250 PIPELINING\r\n", "250 a\r\n250 b\r\n354 c\r\n" },
          10 * MINUTE },                                        /* the end: RFC 5321, 4.5.3.2.6 */
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        one_host();
        w.greeting = "";
        give(1, "you@a.example");
        answer_names();
        uint32_t conn = connect(true);
        for (size_t r = 0; r < COUNT(rows[i].replies) && rows[i].replies[r] != NULL; r++)
            hear(conn, rows[i].replies[r]);
        pass(rows[i].bears_ms - SECOND);
        assert_int_equal(w.results_n, 0);
        pass(2 * SECOND);
        assert_true(w.lines[conn].closing);
        hang_up(conn);
        answer_names();             /* what was known of it has grown old meanwhile */
        assert_int_equal(w.results_n, 1);
        assert_int_equal(w.results[1].outcome, JOB_LATER);
        end();
    }
}

/* CLI-022: an answer to the end that comes late, but in time, counts. */
static void a_late_yes_is_a_yes(void **state)
{
    (void)state;
    one_host();
    w.greeting = "";
    give(1, "you@a.example");
    answer_names();
    uint32_t conn = connect(true);
    hear(conn, "220 x\r\n");
    hear(conn, "250-x\r\n250 PIPELINING\r\n");
    hear(conn, "250 a\r\n250 b\r\n354 c\r\n");
    pass(9 * MINUTE + 59 * SECOND);
    hear(conn, "250 2.0.0 well\r\n");
    result_is(1, JOB_DELIVERED, 2, 0, 0);
    end();
}

/* CLI-031: its window is shut, so nothing is drained: what is on its way to it stays bounded, and
   patience ends. */
static void a_shut_window_holds_little_and_ends(void **state)
{
    (void)state;
    one_host();
    w.body = BODY_8BITMIME;
    w.filler = 240 * 1000;
    w.unended = true;
    give(1, "you@a.example");
    answer_names();
    connect(true);
    answer_all();
    assert_true(said("DATA\r\n"));
    size_t sent = w.said.n;
    assert_in_range(sent, 100 * 1000, 300 * 1000);
    pass(5 * MINUTE - SECOND);
    assert_int_equal(w.results_n, 0);
    pass(2 * SECOND);
    assert_int_equal(w.results[1].outcome, JOB_LATER);
    assert_int_equal(w.said.n, sent);
    end();
}

/* CLI-047: the store gives a letter up in the middle of its text, as when a file is shorter than it
   should be: no end is ever said, and the connection is of no use any more. */
static void a_text_that_breaks_off_has_no_end(void **state)
{
    (void)state;
    one_host();
    w.body = BODY_8BITMIME;
    w.filler = 200 * 1000;
    w.unended = true;
    give(1, "you@a.example");
    answer_names();
    uint32_t conn = connect(true);
    answer_all();
    assert_true(said("DATA\r\n"));
    struct effects fx = effects_none();
    wire_tell_job_drop(&fx, (struct role_name){ ROLE_RELAY, 0 }, &(struct wire_job_drop){ 1 });
    tell(&fx, ROLE_STORE);
    assert_true(w.lines[conn].closing);
    assert_false(said("\r\n.\r\n"));
    assert_int_equal(w.data_ends, 0);
    end();
}

/* ---- what they offer */

/* CLI-017: BDAT turns out unknown, so the next time the text goes by DATA. */
static void an_offer_that_was_none_is_not_taken_again(void **state)
{
    (void)state;
    one_host();
    w.greeting = "";
    give(1, "you@a.example");
    answer_names();
    uint32_t conn = connect(true);
    hear(conn, "220 x\r\n");
    hear(conn, "250-x\r\n250-PIPELINING\r\n250 CHUNKING\r\n");
    assert_true(said("BDAT "));
    hear(conn, "250 a\r\n250 b\r\n502 5.5.1 what\r\n");
    assert_int_equal(w.results[1].outcome, JOB_LATER);
    assert_true(logged("event=server-quirk") && logged("no CHUNKING"));
    hang_up(conn);
    pass(10 * MINUTE);
    buffer_clear(&w.said);
    give(2, "you@a.example");
    answer_names();
    conn = connect(true);
    hear(conn, "220 x\r\n");
    hear(conn, "250-x\r\n250-PIPELINING\r\n250 CHUNKING\r\n");
    assert_true(said("DATA\r\n") && !said("BDAT "));
    hear(conn, "250 a\r\n250 b\r\n354 c\r\n");
    hear(conn, "250 2.0.0 well\r\n");
    result_is(2, JOB_DELIVERED, 2, 0, 0);
    end();
}

/* What is learned is believed for a day; then it is tried again, and learned again if need be. */
static void what_was_learned_is_forgotten_after_a_day(void **state)
{
    (void)state;
    one_host();
    w.greeting = "";
    for (uint32_t letter = 1; letter <= 2; letter++) {
        buffer_clear(&w.log);
        buffer_clear(&w.said);
        give(letter, "you@a.example");
        answer_names();
        uint32_t conn = connect(true);
        hear(conn, "220 x\r\n");
        hear(conn, "250-x\r\n250-PIPELINING\r\n250 CHUNKING\r\n");
        assert_true(said("BDAT "));
        hear(conn, "250 a\r\n250 b\r\n502 5.5.1 what\r\n");
        assert_true(logged("event=server-quirk"));
        hang_up(conn);
        pass(UINT64_C(25) * 60 * MINUTE);
    }
    end();
}

/* Once, and again when letters went well between: that is no quirk, but bad luck. */
static void bad_luck_now_and_then_is_no_quirk(void **state)
{
    (void)state;
    one_host();
    for (uint32_t letter = 1; letter <= 4; letter++) {
        give(letter, "you@a.example");
        answer_names();
        uint32_t conn = connect(true);
        if (letter % 2 == 0)
            answer_all();
        hang_up(conn);
        assert_int_equal(w.results[letter].outcome, letter % 2 == 0 ? JOB_DELIVERED : JOB_LATER);
        pass(10 * MINUTE);
    }
    assert_false(logged("event=server-quirk"));
    end();
}

/* ---- how often they are called on */

static const char *hosts_of(char *to, size_t n, const char *before, const char *after)
{
    to[0] = '\0';
    for (size_t i = 0; i < n; i++) {
        char number[4] = { (char)('0' + i / 100), (char)('0' + i / 10 % 10), (char)('0' + i % 10) };
        if (i > 0)
            strcat(to, " ");
        strcat(to, before);
        strcat(to, number[0] != '0' ? number : number[1] != '0' ? number + 1 : number + 2);
        strcat(to, after);
    }
    return to;
}

/* Dials until an attempt has its result; each connection is answered. */
static unsigned calls_of_an_attempt(uint32_t job, bool well)
{
    unsigned calls = 0;

    give(job, "you@a.example");
    answer_names();
    while (w.dials_n > 0 && calls < 1000) {
        connect(well);
        answer_all();
        answer_names();
        calls++;
    }
    assert_int_equal(w.results[job].outcome, JOB_LATER);
    return calls;
}

/* CLI-035: fifty hosts of which each says "later": one attempt calls on so many and no more. */
static void many_hosts_are_not_hammered(void **state)
{
    static char hosts[4096];

    (void)state;
    begin();
    w.conf.allow_private = true;
    start();
    zone("a.example", DNS_MX, DNS_INSECURE, false, hosts_of(hosts, 50, "mx", ".a.example"));
    for (size_t i = 0; i < 12; i++) {
        static char names[12][32];
        hosts_of(names[i], 1, "mx", ".a.example");
        names[i][2] = (char)('0' + i % 10);
        if (i < 10)
            zone(names[i], DNS_A, DNS_INSECURE, false, "198.51.100.1 198.51.100.2");
    }
    w.rcpt_reply[0] = "450 4.2.0 greylisted\r\n";
    assert_in_range(calls_of_an_attempt(1, true), 1, 20);
    assert_in_range(w.mails, 1, 20);
    end();
}

/* CLI-034: a host with three hundred addresses, all dead: five are dialled. */
static void many_addresses_are_not_all_dialled(void **state)
{
    static char addresses[8192];

    (void)state;
    begin();
    w.conf.allow_private = true;
    start();
    zone("a.example", DNS_MX, DNS_INSECURE, false, "mx.a.example");
    zone("mx.a.example", DNS_A, DNS_INSECURE, false, hosts_of(addresses, 250, "198.51.100.", ""));
    assert_int_equal(calls_of_an_attempt(1, false), 5);
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(silence_ends_with_patience), cmocka_unit_test(a_late_yes_is_a_yes),
        cmocka_unit_test(a_shut_window_holds_little_and_ends),
        cmocka_unit_test(a_text_that_breaks_off_has_no_end),
        cmocka_unit_test(an_offer_that_was_none_is_not_taken_again),
        cmocka_unit_test(what_was_learned_is_forgotten_after_a_day),
        cmocka_unit_test(bad_luck_now_and_then_is_no_quirk),
        cmocka_unit_test(many_hosts_are_not_hammered),
        cmocka_unit_test(many_addresses_are_not_all_dialled),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
