/* SPDX-License-Identifier: ISC */
#include "plan/limit.h"

#include "base/ip.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

static const uint8_t key[16] = "a key of a test";
static const struct limit_rules rules = {
    .address_open = 3, .network_open = 5, .address_new = 10, .address_bad = 4,
};

enum step { ENTER, LEAVE, BAD };

/* One line of a story: at that time, from that address, this happens. */
struct line {
    uint64_t ms;
    enum step step;
    const char *from;
    int wanted;             /* ENTER: enum limit_verdict; BAD: is it within? */
};

static void tell(const struct line *lines, size_t n)
{
    struct limits *limits = limits_new(&rules, key, 64);

    assert_non_null(limits);
    for (size_t i = 0; i < n; i++) {
        struct bytes text = bytes_of(lines[i].from);
        uint8_t ip[16];
        int got = -1;
        assert_true(ip_parse_v4(text, ip) || ip_parse_v6(text, ip));
        switch (lines[i].step) {
        case ENTER: got = (int)limits_enter(limits, ip, lines[i].ms); break;
        case BAD: got = limits_bad_recipient(limits, ip, lines[i].ms); break;
        case LEAVE:
            limits_leave(limits, ip, lines[i].ms);
            continue;
        }
        if (got != lines[i].wanted)
            fail_msg("line %zu: got %d, want %d", i, got, lines[i].wanted);
    }
    limits_free(limits);
}

/* SRV-075: the one above the limit is refused, others are not; who leaves makes room. */
static void open_connections_of_an_address(void **state)
{
    static const struct line lines[] = {
        { 1, ENTER, "192.0.2.1", LIMIT_WITHIN }, { 1, ENTER, "192.0.2.1", LIMIT_WITHIN },
        { 1, ENTER, "192.0.2.1", LIMIT_WITHIN }, { 1, ENTER, "192.0.2.1", LIMIT_ADDRESS_OPEN },
        { 1, ENTER, "192.0.2.2", LIMIT_WITHIN }, { 2, LEAVE, "192.0.2.1", 0 },
        { 2, ENTER, "192.0.2.1", LIMIT_WITHIN }, { 2, ENTER, "192.0.2.1", LIMIT_ADDRESS_OPEN },
    };

    (void)state;
    tell(lines, COUNT(lines));
}

/* SRV-114: of IPv6 a /64 is one address; an IPv4 address in IPv6's clothes is itself. */
static void what_is_one_address(void **state)
{
    static const struct line lines[] = {
        { 1, ENTER, "2001:db8:a:1::1", LIMIT_WITHIN },
        { 1, ENTER, "2001:db8:a:1::2", LIMIT_WITHIN },
        { 1, ENTER, "2001:db8:a:1:f::3", LIMIT_WITHIN },
        { 1, ENTER, "2001:db8:a:1::4", LIMIT_ADDRESS_OPEN },
        { 1, ENTER, "2001:db8:0:2::1", LIMIT_WITHIN },
        { 1, ENTER, "::ffff:192.0.2.1", LIMIT_WITHIN }, { 1, ENTER, "192.0.2.1", LIMIT_WITHIN },
        { 1, ENTER, "192.0.2.1", LIMIT_WITHIN },
        { 1, ENTER, "::ffff:192.0.2.1", LIMIT_ADDRESS_OPEN },
    };

    (void)state;
    tell(lines, COUNT(lines));
}

static void open_connections_of_a_network(void **state)
{
    static const struct line lines[] = {
        { 1, ENTER, "192.0.2.1", LIMIT_WITHIN }, { 1, ENTER, "192.0.2.2", LIMIT_WITHIN },
        { 1, ENTER, "192.0.2.3", LIMIT_WITHIN }, { 1, ENTER, "192.0.2.4", LIMIT_WITHIN },
        { 1, ENTER, "192.0.2.5", LIMIT_WITHIN }, { 1, ENTER, "192.0.2.6", LIMIT_NETWORK_OPEN },
        { 1, ENTER, "192.0.3.6", LIMIT_WITHIN }, { 1, LEAVE, "192.0.2.5", 0 },
        { 1, ENTER, "192.0.2.6", LIMIT_WITHIN },
        { 1, ENTER, "2001:db8:1:1::1", LIMIT_WITHIN },
        { 1, ENTER, "2001:db8:1:2::1", LIMIT_WITHIN },
        { 1, ENTER, "2001:db8:1:3::1", LIMIT_WITHIN },
        { 1, ENTER, "2001:db8:1:4::1", LIMIT_WITHIN },
        { 1, ENTER, "2001:db8:1:5::1", LIMIT_WITHIN },
        { 1, ENTER, "2001:db8:1:6::1", LIMIT_NETWORK_OPEN },
        { 1, ENTER, "2001:db8:2:6::1", LIMIT_WITHIN },
    };

    (void)state;
    tell(lines, COUNT(lines));
}

/* Ten at once, then one each six seconds; what was refused does not count. */
static void new_connections(void **state)
{
    struct limits *limits = limits_new(&rules, key, 64);
    uint8_t ip[16];
    unsigned taken = 0;

    (void)state;
    assert_non_null(limits);
    assert_true(ip_parse_v4(BYTES("192.0.2.1"), ip));
    for (uint64_t ms = 0; ms < 60000; ms += 100) {
        enum limit_verdict verdict = limits_enter(limits, ip, ms);
        assert_true(verdict == LIMIT_WITHIN || verdict == LIMIT_ADDRESS_NEW);
        if (verdict == LIMIT_WITHIN) {
            limits_leave(limits, ip, ms);
            taken++;
        }
        if (ms < 1000)
            assert_int_equal(verdict, LIMIT_WITHIN);
        if (ms == 1000)
            assert_int_equal(verdict, LIMIT_ADDRESS_NEW);
    }
    assert_int_equal(taken, 10 + 9);
    limits_free(limits);
}

/* SRV-109: over sessions; then the address itself is refused, until a part of it is forgiven. */
static void bad_recipients(void **state)
{
    static const struct line lines[] = {
        { 1, ENTER, "192.0.2.1", LIMIT_WITHIN }, { 1, BAD, "192.0.2.1", true },
        { 1, BAD, "192.0.2.1", true }, { 1, LEAVE, "192.0.2.1", 0 },
        { 2, ENTER, "192.0.2.1", LIMIT_WITHIN }, { 2, BAD, "192.0.2.1", true },
        { 2, BAD, "192.0.2.1", true }, { 2, BAD, "192.0.2.1", false },
        { 2, BAD, "192.0.2.2", true }, { 2, ENTER, "192.0.2.2", LIMIT_WITHIN },
        { 3, ENTER, "192.0.2.1", LIMIT_ADDRESS_BAD },
        { 899999, ENTER, "192.0.2.1", LIMIT_ADDRESS_BAD },
        { 900001, ENTER, "192.0.2.1", LIMIT_WITHIN },
        { 900001, BAD, "192.0.2.1", true }, { 900001, BAD, "192.0.2.1", false },
    };

    (void)state;
    tell(lines, COUNT(lines));
}

/* A crowd of addresses in a small table: nobody is refused that should not be, whoever is open
   keeps his place, and memory does not grow. */
static void a_crowd(void **state)
{
    struct limits *limits = limits_new(&rules, key, 8);
    uint8_t ip[16];

    (void)state;
    assert_non_null(limits);
    assert_true(ip_parse_v4(BYTES("192.0.2.1"), ip));
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(limits_enter(limits, ip, 1), LIMIT_WITHIN);
    for (unsigned i = 0; i < 10000; i++) {
        uint8_t other[16];
        assert_true(ip_parse_v6(BYTES("2001:db8::"), other));
        other[3] = (uint8_t)(i >> 8);
        other[5] = (uint8_t)i;
        assert_int_equal(limits_enter(limits, other, 2 + i), LIMIT_WITHIN);
        if (i % 2 == 0)
            limits_leave(limits, other, 2 + i);
    }
    assert_int_equal(limits_enter(limits, ip, 20000), LIMIT_ADDRESS_OPEN);
    limits_free(limits);
}

static void no_bound(void **state)
{
    static const struct limit_rules none;
    struct limits *limits = limits_new(&none, key, 64);
    uint8_t ip[16];

    (void)state;
    assert_non_null(limits);
    assert_true(ip_parse_v4(BYTES("192.0.2.1"), ip));
    for (unsigned i = 0; i < 10000; i++) {
        assert_int_equal(limits_enter(limits, ip, 1), LIMIT_WITHIN);
        assert_true(limits_bad_recipient(limits, ip, 1));
    }
    limits_free(limits);
}

static void shares(void **state)
{
    static const struct { uint64_t limit, fronts, wanted; } rows[] = {
        { 0, 4, 0 }, { 50, 0, 50 }, { 50, 1, 50 }, { 50, 2, 35 }, { 50, 8, 11 }, { 300, 4, 91 },
        { 1, 64, 1 }, { 3, 2, 3 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_int_equal(limit_share(rows[i].limit, rows[i].fronts), rows[i].wanted);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(open_connections_of_an_address), cmocka_unit_test(what_is_one_address),
        cmocka_unit_test(open_connections_of_a_network), cmocka_unit_test(new_connections),
        cmocka_unit_test(bad_recipients), cmocka_unit_test(a_crowd), cmocka_unit_test(no_bound),
        cmocka_unit_test(shares),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
