/* SPDX-License-Identifier: ISC
 *
 * for-domain: what a line says, what it may not say, and whom it is about.
 */
#include "plan/conf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

enum { MINUTE = 60 * 1000, HOUR = 60 * MINUTE, DAY = 24 * HOUR };


static bool reads(const char *lines, struct conf *ret_conf, struct conf_flaw *ret_flaw)
{
    static const char start[] = "host mx.example\ndomain example.org\nmailboxes /m\n";
    static struct arena arena;
    struct buffer text = buffer_with_most(65536);

    arena_done(&arena);
    arena = arena_with_ceiling(LIMIT_CONF_MEMORY);
    buffer_put_text(&text, start);
    buffer_put_text(&text, lines);
    bool read = conf_read(buffer_bytes(&text), BYTES("/etc"), &arena, ret_conf, ret_flaw);
    buffer_done(&text);
    return read;
}

static void the_defaults_are_those_of_the_issue(void **state)
{
    static const uint64_t retry[] = { MINUTE, 5 * MINUTE, 15 * MINUTE, 30 * MINUTE, HOUR };
    struct conf conf;
    struct conf_flaw flaw;
    struct conf_for what;

    (void)state;
    assert_true(reads("", &conf, &flaw));
    conf_for_domain(&conf, BYTES("a.example"), &what);
    assert_int_equal(what.retry.n, COUNT(retry));
    assert_memory_equal(what.retry.ms, retry, sizeof(retry));
    assert_int_equal(what.give_up_ms, 2 * DAY);
    assert_int_equal(what.delay_report_ms, 4 * HOUR);
    assert_int_equal(what.destination_most, 20);
    assert_int_equal(what.destination_rate, 0);
}

static void one_domain_has_its_own(void **state)
{
    struct conf conf;
    struct conf_flaw flaw;
    struct conf_for what;

    (void)state;
    assert_true(reads("for-domain Slow.example retry 10m 2h give-up-after 4d delay-report 8h\n"
                      "retry 3m\nfor-domain slow.example destination-connections 2\n"
                      "for-domain b\xC3\xBC" "cher.example destination-rate 60 "
                      "connection-letters 5 tls-policy verify route [::1]:26\n", &conf, &flaw));
    conf_for_domain(&conf, BYTES("slow.EXAMPLE"), &what);
    assert_int_equal(what.retry.n, 2);
    assert_int_equal(what.retry.ms[0], 10 * MINUTE);
    assert_int_equal(what.retry.ms[1], 2 * HOUR);
    assert_int_equal(what.give_up_ms, 4 * DAY);
    assert_int_equal(what.delay_report_ms, 8 * HOUR);
    assert_int_equal(what.destination_most, 2);
    assert_int_equal(what.connection_letters, 0);
    conf_for_address(&conf, BYTES("you@B\xC3\x9C" "CHER.example"), &what);
    assert_int_equal(what.retry.n, 1);
    assert_int_equal(what.retry.ms[0], 3 * MINUTE);
    assert_int_equal(what.destination_rate, 60);
    assert_int_equal(what.connection_letters, 5);
    assert_int_equal(conf_tls_of(&conf, BYTES("xn--bcher-kva.example")), CONF_TLS_VERIFY);
    assert_int_equal(conf_tls_of(&conf, BYTES("slow.example")), CONF_TLS_MAY);
    struct conf_hop hop;
    assert_true(conf_hop_find(&conf, BYTES("xn--bcher-kva.example"), &hop));
    assert_int_equal(hop.at.port, 26);
    assert_false(conf_hop_find(&conf, BYTES("slow.example"), &hop));
}

static const struct { const char *line; unsigned column; } flaws[] = {
    { "for-domain", 11 }, { "for-domain a.example", 21 }, { "for-domain a..example retry 1m", 12 },
    { "for-domain a.example retry", 27 }, { "for-domain a.example 1m", 22 },
    { "for-domain a.example retry give-up-after 1d", 28 },
    { "for-domain a.example give-up-after 1d 2d", 39 },
    { "for-domain a.example retry 1x", 28 }, { "for-domain a.example host b.example", 22 },
    { "for-domain a.example destination-connections 65", 46 },
    { "for-domain a.example tls-policy perhaps", 33 },
    { "for-domain a.example tls-policy may none", 37 },
    { "for-domain \"a b\" retry 1m", 12 }, { "for-domain a.example retry \"\"", 28 },
    { "for-domain a.example retry 1m give-up-after", 44 },
};

static void what_it_may_not_say(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(flaws); i++) {
        struct conf conf;
        struct conf_flaw flaw = { .line = 0 };
        assert_false(reads(flaws[i].line, &conf, &flaw));
        if (flaw.line != 4 || flaw.column != flaws[i].column)
            fail_msg("%s: %u:%u", flaws[i].line, flaw.line, flaw.column);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_defaults_are_those_of_the_issue),
        cmocka_unit_test(one_domain_has_its_own), cmocka_unit_test(what_it_may_not_say),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
