/* SPDX-License-Identifier: ISC */
#include "plan/conf.h"

#include "base/ip.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static const struct { const char *text, *domain, *host, *ip; uint16_t port; } hops[] = {
    { "mx.example", "", "mx.example", "", 25 },
    { "mx.example:587", "", "mx.example", "", 587 },
    { "a.example=mx.example:2525", "a.example", "mx.example", "", 2525 },
    { "a.example=192.0.2.1", "a.example", "", "192.0.2.1", 25 },
    { "a.example=[2001:db8::1]:26", "a.example", "", "2001:db8::1", 26 },
    { "[::1]", "", "", "::1", 25 },
};

static void hops_are_read(void **state)
{
    struct conf_hop hop;

    (void)state;
    for (size_t i = 0; i < COUNT(hops); i++) {
        struct buffer ip = buffer_with_most(64);
        assert_true(conf_hop_parse(bytes_of(hops[i].text), &hop));
        assert_true(bytes_equal(hop.domain, bytes_of(hops[i].domain)));
        assert_true(bytes_equal(hop.host, bytes_of(hops[i].host)));
        assert_int_equal(hop.at.port, hops[i].port);
        ip_put(&ip, hop.at.ip);
        if (hops[i].ip[0] != '\0')
            assert_true(bytes_equal(buffer_bytes(&ip), bytes_of(hops[i].ip)));
        buffer_done(&ip);
    }
}

static void what_is_no_hop(void **state)
{
    static const char *rows[] = { "", "=mx.example", "a.example=", "mx..example", "mx.example:0",
                                  "mx.example:65536", "mx.example:x", "[::1", "[::1]25", "[zz]",
                                  "mx.example.", "m x", "a=b=c", "mx.example:" };
    struct conf_hop hop;

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_false(conf_hop_parse(bytes_of(rows[i]), &hop));
}

static void the_nearest_hop_counts(void **state)
{
    static const struct bytes routes[] = { BYTES_INIT("a.example=one"),
                                           BYTES_INIT("b.example=two") };
    static const struct bytes smart[] = { BYTES_INIT("three:587") };
    struct conf conf = { .route = { routes, 2 } };
    struct conf_hop hop;

    (void)state;
    assert_true(conf_hop_find(&conf, BYTES("B.example"), &hop));
    assert_true(bytes_equal(hop.host, BYTES("two")));
    assert_false(conf_hop_find(&conf, BYTES("c.example"), &hop));
    conf.smarthost = (struct conf_texts){ smart, 1 };
    assert_true(conf_hop_find(&conf, BYTES("c.example"), &hop));
    assert_int_equal(hop.at.port, 587);
}

static void destinations_have_one_name(void **state)
{
    static const struct bytes routes[] = { BYTES_INIT("b.example=Two") };
    static const struct { const char *address, *name; } rows[] = {
        { "you@A.Example", "a.example" }, { "you@b.example", "=two:25" },
        { "you@b\xc3\xbc" "cher.example", "xn--bcher-kva.example" },
        { "you@[192.0.2.1]", "[192.0.2.1]" }, { "you@[IPv6:2001:DB8::1]", "[ipv6:2001:db8::1]" },
        { "postmaster", NULL }, { "no address", NULL },
    };
    struct buffer none = buffer_with_most(512);
    struct conf conf = { .route = { routes, 1 } };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct buffer name = buffer_with_most(512);
        bool well = conf_destination_put(&conf, bytes_of(rows[i].address), &name);
        assert_int_equal(well, rows[i].name != NULL);
        if (well)
            assert_true(bytes_equal_nocase(buffer_bytes(&name), bytes_of(rows[i].name)));
        buffer_done(&name);
    }
    assert_true(bytes_equal(conf_destination_shown(BYTES("=two:25")), BYTES("two:25")));
    assert_true(bytes_equal(conf_destination_shown(BYTES("a.example")), BYTES("a.example")));
    mem_fail_at(1);             /* that is no word about the address */
    assert_false(conf_destination_put(&conf, BYTES("you@a.example"), &none));
    mem_fail_at(0);
    assert_true(none.bad);
}

static void policies_of_domains(void **state)
{
    static const struct bytes rows[] = { BYTES_INIT("encrypt"), BYTES_INIT("a.example=dane") };
    struct conf conf = { .tls_policy = { rows, 2 } };
    struct bytes domain;
    enum conf_tls policy;

    (void)state;
    assert_int_equal(conf_tls_of(&conf, BYTES("A.example")), CONF_TLS_DANE);
    assert_int_equal(conf_tls_of(&conf, BYTES("b.example")), CONF_TLS_ENCRYPT);
    assert_int_equal(conf_tls_of(&(struct conf){ .jobs = 1 }, BYTES("b")), CONF_TLS_MAY);
    assert_false(conf_tls_parse(BYTES("=may"), &domain, &policy));
    assert_false(conf_tls_parse(BYTES("sometimes"), &domain, &policy));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hops_are_read), cmocka_unit_test(what_is_no_hop),
        cmocka_unit_test(the_nearest_hop_counts), cmocka_unit_test(policies_of_domains),
        cmocka_unit_test(destinations_have_one_name),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
