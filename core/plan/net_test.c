/* SPDX-License-Identifier: ISC */
#include "plan/net.h"

#include "base/ip.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static const struct { const char *net, *in, *out; } good[] = {
    { "192.0.2.0/24", "192.0.2.255", "192.0.3.0" },
    { "192.0.2.7", "192.0.2.7", "192.0.2.6" },
    { "10.0.0.0/8", "10.255.0.1", "11.0.0.0" },
    { "128.0.0.0/1", "255.255.255.255", "127.255.255.255" },
    { "0.0.0.0/0", "203.0.113.9", "::1" },
    { "::1", "::1", "::2" },
    { "2001:db8::/33", "2001:db8:7fff::1", "2001:db8:8000::" },
    { "::/0", "2001:db8::1", NULL },
    { "::ffff:192.0.2.0/120", "192.0.2.9", "192.0.3.9" },
};

static const char *const bad[] = {
    "", "/", "/8", "10.0.0.1/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/08", "10.0.0.0/-1",
    "10.0.0.0/8/8", "10.0.0", "2001:db8::/129", "2001:db8::1/64", "fe80::1%lo", "localhost",
    "10.0.0.0 /8", "10.0.0.0/8 ",
};

static void read_ip(const char *text, uint8_t ip[static 16])
{
    assert_true(ip_parse_v4(bytes_of(text), ip) || ip_parse_v6(bytes_of(text), ip));
}

static void what_a_network_holds(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(good); i++) {
        struct net net;
        uint8_t ip[16];
        assert_true(net_parse(bytes_of(good[i].net), &net));
        read_ip(good[i].in, ip);
        assert_true(net_holds(&net, ip));
        if (good[i].out == NULL)
            continue;
        read_ip(good[i].out, ip);
        assert_false(net_holds(&net, ip));
    }
}

static void what_is_no_network(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct net net = { .bits = 77 };
        assert_false(net_parse(bytes_of(bad[i]), &net));
        assert_int_equal(net.bits, 77);
    }
}

static void a_list_of_them(void **state)
{
    static const struct bytes texts[] = { BYTES_INIT("127.0.0.0/8"), BYTES_INIT("::1") };
    struct arena arena = arena_with_ceiling(4096);
    struct nets nets, none;
    uint8_t ip[16];

    (void)state;
    assert_true(nets_take((struct conf_texts){ texts, COUNT(texts) }, &arena, &nets));
    assert_true(nets_take((struct conf_texts){ NULL, 0 }, &arena, &none));
    assert_int_equal(nets.n, 2);
    read_ip("127.1.2.3", ip);
    assert_true(nets_hold(&nets, ip));
    assert_false(nets_hold(&none, ip));
    read_ip("::1", ip);
    assert_true(nets_hold(&nets, ip));
    read_ip("192.0.2.1", ip);
    assert_false(nets_hold(&nets, ip));
    arena_done(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_network_holds), cmocka_unit_test(what_is_no_network),
        cmocka_unit_test(a_list_of_them),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
