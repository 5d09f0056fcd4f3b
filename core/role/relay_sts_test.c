/* SPDX-License-Identifier: ISC
 *
 * Relay and MTA-STS (RFC 8461): what is asked, what a letter waits for, and where it may go.
 */
#include "role/relay_world_int.h"

#include "dns/fetch.h"
#include "role/role.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define POLICY(mode, mx) \
    "version: STSv1\nmode: " mode "\nmx: " mx "\nmax_age: 86400\n"

static void a_domain_with_a_record(void)
{
    begin();
    w.conf.allow_private = true;
    start();
    zone("a.example", DNS_MX, DNS_INSECURE, false, "mx.a.example");
    zone("mx.a.example", DNS_A, DNS_INSECURE, false, "198.51.100.1");
    zone("_mta-sts.a.example", DNS_TXT, DNS_INSECURE, false, "v=STSv1; id=1;");
}

static void a_policy_is_fetched_before_the_letter_goes(void **state)
{
    (void)state;
    a_domain_with_a_record();
    give(1, "you@a.example");
    answer_names();
    assert_int_equal(w.fetches_n, 1);
    assert_true(bytes_equal(buffer_bytes(&w.urls),
                            BYTES("https://mta-sts.a.example/.well-known/mta-sts.txt\n")));
    assert_int_equal(w.dials_n, 0);
    answer_fetch(FETCH_WELL, POLICY("enforce", "*.a.example"));
    answer_names();
    assert_int_equal(w.dials_n, 1);
    connect(true);
    answer_all();
    assert_int_equal(w.mails, 0);           /* no STARTTLS: nothing of the letter is said */
    assert_int_equal(w.results[1].outcome, JOB_LATER);
    assert_int_equal(w.results[1].subject, 7);
    end();
}

static void a_host_that_the_policy_does_not_name_is_not_dialled(void **state)
{
    (void)state;
    a_domain_with_a_record();
    give(1, "you@a.example");
    answer_names();
    answer_fetch(FETCH_WELL, POLICY("enforce", "mx.other.example"));
    answer_names();
    assert_int_equal(w.dialled, 0);
    assert_int_equal(w.results[1].outcome, JOB_LATER);
    end();
}

static void what_is_tested_or_off_goes_all_the_same(void **state)
{
    static const char *const policies[] = {
        POLICY("testing", "mx.other.example"), POLICY("testing", "mx.a.example"),
        POLICY("none", "mx.other.example"),
    };

    (void)state;
    for (size_t i = 0; i < COUNT(policies); i++) {
        a_domain_with_a_record();
        give(1, "you@a.example");
        answer_names();
        answer_fetch(FETCH_WELL, policies[i]);
        answer_names();
        connect(true);
        answer_all();
        result_is(1, JOB_DELIVERED, 2, 0, 0);
        end();
    }
}

/* RFC 8461, 3.3: without a policy as if there were none. */
static void what_cannot_be_fetched_is_no_policy(void **state)
{
    (void)state;
    for (enum fetch_result result = FETCH_STATUS; result < FETCH_NOT_NOW; result++) {
        a_domain_with_a_record();
        give(1, "you@a.example");
        answer_names();
        answer_fetch(result, "");
        answer_names();
        connect(true);
        answer_all();
        result_is(1, JOB_DELIVERED, 2, 0, 0);
        give(2, "you@a.example");
        answer_all();
        assert_int_equal(w.fetched, 1);     /* and not asked again for each letter */
        end();
    }
}

/* But what asks for a proved way waits for it: it does not come back for a time-out. */
static void what_cannot_be_found_out_fails_no_letter(void **state)
{
    static const char *const to[] = { "you@a.example" };

    (void)state;
    a_domain_with_a_record();
    give_with(1, to, 1, TEXT, true);
    answer_names();
    answer_fetch(FETCH_UNREACHED, "");
    answer_names();
    result_is(1, JOB_LATER, 4, 7, 10);
    end();
    a_domain_with_a_record();
    w.zone[2].verdict = DNS_FAILED;
    w.zone[2].data = "";
    give_with(1, to, 1, TEXT, true);
    answer_names();
    result_is(1, JOB_LATER, 4, 7, 10);
    assert_int_equal(w.dialled, 0);
    end();
}

/* STS-007 */
static void a_policy_outlives_its_record(void **state)
{
    (void)state;
    a_domain_with_a_record();
    give(1, "you@a.example");
    answer_names();
    answer_fetch(FETCH_WELL, POLICY("enforce", "mx.other.example"));
    answer_names();
    assert_int_equal(w.results[1].outcome, JOB_LATER);
    w.zone[2].verdict = DNS_NXDOMAIN;
    w.zone[2].data = "";
    pass(UINT64_C(23) * 60 * 60 * 1000);
    give(2, "you@a.example");
    answer_names();
    assert_int_equal(w.results[2].outcome, JOB_LATER);
    assert_int_equal(w.dialled, 0);
    pass(UINT64_C(2) * 60 * 60 * 1000);     /* its max_age is over */
    give(3, "you@a.example");
    answer_names();
    connect(true);
    answer_all();
    result_is(3, JOB_DELIVERED, 2, 0, 0);
    end();
}

/* Nobody but us is the cause: the letter waits, it does not go without. */
static void without_the_role_a_letter_waits(void **state)
{
    (void)state;
    a_domain_with_a_record();
    step((struct event){ .kind = EV_PEER_DOWN, .peer = { ROLE_FETCH, 0 } });
    give(1, "you@a.example");
    answer_names();
    result_is(1, JOB_LATER, 4, 4, 3);
    assert_int_equal(w.dialled, 0);
    step((struct event){ .kind = EV_PEER_UP, .peer = { ROLE_FETCH, 0 } });
    give(2, "you@a.example");
    answer_names();
    assert_int_equal(w.fetches_n, 1);
    step((struct event){ .kind = EV_PEER_DOWN, .peer = { ROLE_FETCH, 0 } });    /* while it asks */
    answer_names();
    result_is(2, JOB_LATER, 4, 4, 3);
    assert_int_equal(w.dialled, 0);
    step((struct event){ .kind = EV_PEER_UP, .peer = { ROLE_FETCH, 0 } });
    give(3, "you@a.example");
    answer_names();
    result_is(3, JOB_LATER, 4, 4, 3);               /* not at once again */
    pass(60 * 1000);
    give(4, "you@a.example");
    answer_names();
    assert_int_equal(w.fetches_n, 2);               /* the first is the dead one's */
    end();
}

static void addresses_and_routes_have_no_policy(void **state)
{
    (void)state;
    begin();
    w.conf.allow_private = true;
    start();
    give(1, "you@[198.51.100.7]");
    answer_names();
    assert_int_equal(w.asked, 0);
    assert_int_equal(w.dials_n, 1);
    end();
}

/* STS-007, and RFC 8461, 5.1: neither a new start nor a DNS that is silent makes us forget. */
static void a_policy_outlives_us(void **state)
{
    (void)state;
    a_domain_with_a_record();
    give(1, "you@a.example");
    answer_names();
    answer_fetch(FETCH_WELL, POLICY("enforce", "mx.other.example"));
    answer_names();
    assert_int_equal(w.results[1].outcome, JOB_LATER);
    pass(2000);
    assert_true(w.memory.n > 0);
    w.zone[2].verdict = DNS_NXDOMAIN;           /* who has the DNS takes the record away */
    w.zone[2].data = "";
    begin_anew(UINT64_C(12) * 60 * 60 * 1000);
    give(2, "you@a.example");
    answer_names();
    assert_int_equal(w.results[2].outcome, JOB_LATER);
    assert_int_equal(w.dialled, 0);
    begin_anew(UINT64_C(13) * 60 * 60 * 1000);  /* its max_age is over */
    give(3, "you@a.example");
    answer_names();
    connect(true);
    answer_all();
    result_is(3, JOB_DELIVERED, 2, 0, 0);
    end();
}

/* A store that died may have had it in hand; the next is told all of it. */
static void a_policy_outlives_the_store(void **state)
{
    (void)state;
    a_domain_with_a_record();
    give(1, "you@a.example");
    answer_names();
    answer_fetch(FETCH_WELL, POLICY("enforce", "mx.other.example"));
    answer_names();
    pass(2000);
    size_t n = w.memory.n;
    assert_true(n > 0);
    buffer_clear(&w.memory);
    step((struct event){ .kind = EV_PEER_DOWN, .peer = { ROLE_STORE, 0 } });
    step((struct event){ .kind = EV_PEER_UP, .peer = { ROLE_STORE, 0 } });
    pass(3000);
    assert_int_equal(w.memory.n, n);
    end();
}

/* Octets of the disk: nothing in them can stop relay, and what reads counts. */
static void a_memory_of_nonsense_is_none(void **state)
{
    (void)state;
    a_domain_with_a_record();
    give(1, "you@a.example");
    answer_names();
    answer_fetch(FETCH_WELL, POLICY("enforce", "mx.other.example"));
    answer_names();
    pass(2000);
    for (size_t i = 0; i < w.memory.n; i++) {
        char was = w.memory.at[i];
        w.memory.at[i] = (char)(was ^ 0x81);
        begin_anew(1);
        w.memory.at[i] = was;
    }
    size_t all = w.memory.n;
    for (w.memory.n = 0; w.memory.n < all; w.memory.n++)
        begin_anew(1);
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_policy_is_fetched_before_the_letter_goes),
        cmocka_unit_test(a_host_that_the_policy_does_not_name_is_not_dialled),
        cmocka_unit_test(what_is_tested_or_off_goes_all_the_same),
        cmocka_unit_test(what_cannot_be_fetched_is_no_policy),
        cmocka_unit_test(what_cannot_be_found_out_fails_no_letter),
        cmocka_unit_test(a_policy_outlives_its_record),
        cmocka_unit_test(a_policy_outlives_us), cmocka_unit_test(a_policy_outlives_the_store),
        cmocka_unit_test(a_memory_of_nonsense_is_none),
        cmocka_unit_test(without_the_role_a_letter_waits),
        cmocka_unit_test(addresses_and_routes_have_no_policy),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
