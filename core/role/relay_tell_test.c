/* SPDX-License-Identifier: ISC
 *
 * What reports need of the relay: the server's words, whom the sender named, and the time it set.
 */
#include "role/relay_world_int.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

/* RFC 6533, 3: whoever reports of it can name the address as its sender wrote it. */
static void the_original_recipient_stays(void **state)
{
    static const struct { const char *to, *orcpt, *said; } tries[] = {
        { "you@\xc3\xa4.example", NULL,
          "RCPT TO:<you@xn--4ca.example> NOTIFY=FAILURE ORCPT=utf-8;you@\\x{E4}.example\r\n" },
        { "you@\xc3\xa4.example", "utf-8;me@\\x{F6}.example",
          "RCPT TO:<you@xn--4ca.example> NOTIFY=FAILURE ORCPT=utf-8;me@\\x{F6}.example\r\n" },
        { "you@\xc3\xa4.example", "utf-8;me@\xc3\xb6.example",
          "RCPT TO:<you@xn--4ca.example> NOTIFY=FAILURE ORCPT=utf-8;me@\\x{F6}.example\r\n" },
        { "you@\xc3\xa4.example", "rfc822;a+2Bb@c.example",
          "RCPT TO:<you@xn--4ca.example> NOTIFY=FAILURE ORCPT=rfc822;a+2Bb@c.example\r\n" },
        { "you@a.example", "utf-8;\xe4\xbd\xa0@a.example",
          "RCPT TO:<you@a.example> NOTIFY=FAILURE ORCPT=utf-8;\\x{4F60}@a.example\r\n" },
        { "you@a.example", NULL, "RCPT TO:<you@a.example> NOTIFY=FAILURE\r\n" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(tries); i++) {
        private();
        a_host();
        zone("xn--4ca.example", DNS_MX, DNS_INSECURE, false, "mx.a.example");
        w.utf8 = true;
        w.body = BODY_8BITMIME;
        w.orcpt = tries[i].orcpt;
        give(1, tries[i].to);
        answer_names();
        connect(true);
        answer_all();
        result_is(1, JOB_DELIVERED, 2, 0, 0);
        assert_true(said(tries[i].said));
        end();
    }
}

/* All lines, with its code where it said one: a report shows it (RFC 3464, 2.3.6). */
static void what_it_said_is_told_whole(void **state)
{
    static const struct { const char *rcpt, *end, *told; } tries[] = {
        { "550 5.1.1 <x> who\r\n", NULL, "550 5.1.1 <x> who" },
        { "550-5.1.1 no such\r\n550-5.1.1 user;\r\n550 5.1.1 see z\r\n", NULL,
          "550 5.1.1 no such user; see z" },
        { "550 who\r\n", NULL, "550 who" },
        { "550-who\r\n550 5.1.1 is that\r\n", NULL, "550 who 5.1.1 is that" },
        { "550 4.1.1 odd\r\n", NULL, "550 4.1.1 odd" },
        { "550 5.1.1\r\n", NULL, "550 5.1.1" },
        { NULL, "554-5.7.1 spam\r\n554 5.7.0 yes\r\n", "554 5.7.1 spam 5.7.0 yes" },
        { NULL, "250 2.0.0 kept as 7\r\n", "250 2.0.0 kept as 7" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(tries); i++) {
        private();
        a_host();
        w.rcpt_reply[0] = tries[i].rcpt;
        w.end_reply = tries[i].end;
        give(1, "you@a.example");
        answer_names();
        connect(true);
        answer_all();
        assert_int_equal(w.results_n, 1);
        assert_string_equal(w.replies[1], tries[i].told);
        end();
    }
}

/* RFC 2852, 4.1.3 and 4.1.4 */
static void the_time_that_is_left_goes_on(void **state)
{
    static const struct {
        enum by_mode by;
        bool trace, offered;
        int64_t ms;
        const char *words;
        enum job_outcome outcome;
    } rows[] = {
        { BY_RETURN, false, true, 90999, " BY=90;R\r\n", JOB_PASSED },
        { BY_RETURN, true, true, 90999, " BY=90;RT\r\n", JOB_TRACED },
        { BY_RETURN, false, true, 59999, NULL, JOB_FAILED },    /* it wants a minute */
        { BY_RETURN, false, true, 999, NULL, JOB_FAILED },
        { BY_RETURN, false, true, -5000, NULL, JOB_FAILED },
        { BY_RETURN, false, false, 90000, NULL, JOB_FAILED },
        { BY_NOTIFY, false, true, 5000, " BY=5;N\r\n", JOB_PASSED },
        { BY_NOTIFY, false, true, 0, " BY=-1;N\r\n", JOB_PASSED },
        { BY_NOTIFY, false, true, -5000, " BY=-5;N\r\n", JOB_PASSED },
        { BY_NOTIFY, false, false, 5000, " ENVID=E1\r\n", JOB_TRACED },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        private();
        a_host();
        w.ehlo = rows[i].offered ? "250-x\r\n250-DSN\r\n250 DELIVERBY 60\r\n"
                                 : "250-x\r\n250 DSN\r\n";
        w.by = rows[i].by;
        w.by_trace = rows[i].trace;
        w.by_ms = rows[i].ms;
        give(1, "you@a.example");
        answer_names();
        connect(true);
        answer_all();
        assert_int_equal(w.outcomes[1], rows[i].outcome);
        if (rows[i].words == NULL)
            result_is(1, JOB_FAILED, 5, 4, 7);
        else
            assert_true(said(rows[i].words));
        assert_int_equal(said("MAIL FROM"), rows[i].words != NULL);
        end();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_original_recipient_stays),
        cmocka_unit_test(what_it_said_is_told_whole),
        cmocka_unit_test(the_time_that_is_left_goes_on),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
