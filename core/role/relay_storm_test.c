/* SPDX-License-Identifier: ISC
 *
 * Relay in a storm: letters for several at many destinations, names that fail or change their mind,
 * servers that lie, hang up at any word, or are silent. Each recipient has exactly one result, and
 * nobody is told "delivered" for whom no server said so.
 */
#include "role/relay_world_int.h"

#include "role/role.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

enum { RUNS = 1500, STEPS = 250, LETTERS = 18 };

static void make_zones(void)
{
    static const char *const hosts[] = { "mx.a.example", "mx.b.example", "mx.c.example" };
    static const char *const ips[] = { "198.51.100.1 198.51.100.2", "198.51.100.3",
                                       "198.51.100.4 198.51.100.1" };
    static const enum dns_verdict verdicts[] = { DNS_INSECURE, DNS_INSECURE, DNS_INSECURE,
                                                 DNS_SECURE, DNS_FAILED, DNS_BOGUS, DNS_NXDOMAIN };
    static const char *const domains[] = { "a.example", "b.example", "c.example" };

    w.zone_n = 0;
    for (size_t i = 0; i < COUNT(domains); i++) {
        enum dns_verdict mx = verdicts[roll(COUNT(verdicts))], a = verdicts[roll(4)];
        bool found = mx == DNS_INSECURE || mx == DNS_SECURE;
        zone(domains[i], DNS_MX, mx, mx == DNS_NXDOMAIN && roll(2) == 0,
             found ? hosts[roll(COUNT(hosts))] : "");
        zone(hosts[i], DNS_A, a, false, ips[i]);
    }
}

static void give_some(uint32_t *next)
{
    static const char *const to[] = { "x@a.example", "y@a.example", "z@a.example", "x@b.example",
                                      "y@b.example", "x@c.example", "x@[198.51.100.9]" };
    const char *list[3];
    size_t n = 1 + roll(3);

    for (size_t i = 0; i < n; i++)      /* now and then of another destination than the first */
        list[i] = to[roll(COUNT(to))];
    give_with(*next, list, n, roll(4) == 0 ? "TLS-Required: No\r\n\r\nx\r\n" : TEXT,
              roll(8) == 0);
    *next += (uint32_t)n;
}

static void something_happens(uint32_t *next, unsigned *letters)
{
    uint32_t conn = (uint32_t)roll(CONNS);

    switch (roll(10)) {
    case 0: case 1:
        if (*letters > 0 && *next < JOBS - 3) {
            give_some(next);
            --*letters;
        }
        break;
    case 2: answer_names(); break;
    case 3: case 4:
        if (w.dials_n > 0)
            connect(roll(4) != 0);
        break;
    case 5:
        if (w.lines[conn].open && (w.lines[conn].closing || roll(8) == 0))
            hang_up(conn);
        break;
    case 6: pass(roll(30000)); break;
    case 7:
        if (roll(20) == 0)
            make_zones();
        break;
    default: answer_all();
    }
}

/* Everybody is gone, and time passes: whoever waits is told why. */
static void calm_down(void)
{
    for (unsigned i = 0; i < 60; i++) {
        answer_names();
        while (w.dials_n > 0)
            connect(false);
        for (uint32_t conn = 0; conn < CONNS; conn++)
            if (w.lines[conn].open)
                hang_up(conn);
        pass(60 * 1000);
    }
}

static void each_recipient_has_one_result(void **state)
{
    uint64_t taken = 0;

    (void)state;
    for (uint64_t seed = 1; seed <= RUNS; seed++) {
        uint32_t next = 1;
        unsigned letters = LETTERS;
        begin();
        w.conf.allow_private = true;
        w.conf.jobs = 4 + seed % 12;
        w.dice = seed;
        w.lies = seed % 3 == 0 ? 0 : 3 + seed % 20;
        if (seed % 2 == 0)
            w.ehlo = "250-x\r\n250-STARTTLS\r\n250 8BITMIME\r\n";
        start();
        make_zones();
        for (unsigned i = 0; i < STEPS; i++)
            something_happens(&next, &letters);
        calm_down();
        for (uint32_t job = 1; job < next; job++)
            assert_int_equal(w.results[job].job, job);
        assert_true(w.taken <= w.kept);
        taken += w.taken;
        end();
    }
    assert_true(taken > RUNS);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(each_recipient_has_one_result) };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
