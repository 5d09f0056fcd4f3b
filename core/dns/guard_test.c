/* SPDX-License-Identifier: ISC */
#include "dns/guard.h"

#include "base/ip.h"

#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

/* CLI-033, DNS-012. */
static const struct { const char *ip; enum guard_verdict want; } rows[] = {
    { "8.8.8.8", GUARD_OPEN }, { "2001:4860:4860::8888", GUARD_OPEN },
    { "0.0.0.0", GUARD_OURSELVES }, { "127.0.0.1", GUARD_OURSELVES },
    { "127.255.255.255", GUARD_OURSELVES }, { "::", GUARD_OURSELVES }, { "::1", GUARD_OURSELVES },
    { "::2", GUARD_OURSELVES },                     /* 0.0.0.2, compatible */
    { "::ffff:127.0.0.1", GUARD_OURSELVES }, { "64:ff9b::7f00:1", GUARD_OURSELVES },
    { "2002:7f00:1::", GUARD_OURSELVES },
    { "10.1.2.3", GUARD_PRIVATE }, { "11.0.0.0", GUARD_OPEN }, { "9.255.255.255", GUARD_OPEN },
    { "100.64.0.1", GUARD_PRIVATE }, { "100.127.255.255", GUARD_PRIVATE },
    { "100.128.0.0", GUARD_OPEN },
    { "169.254.169.254", GUARD_PRIVATE }, { "172.16.0.1", GUARD_PRIVATE },
    { "172.31.255.255", GUARD_PRIVATE }, { "172.32.0.0", GUARD_OPEN },
    { "192.168.1.1", GUARD_PRIVATE }, { "192.0.2.1", GUARD_NOBODY },
    { "198.19.0.1", GUARD_NOBODY }, { "198.51.100.1", GUARD_NOBODY },
    { "203.0.113.1", GUARD_NOBODY }, { "224.0.0.1", GUARD_NOBODY },
    { "255.255.255.255", GUARD_NOBODY }, { "223.255.255.255", GUARD_OPEN },
    { "fe80::1", GUARD_PRIVATE }, { "febf::1", GUARD_PRIVATE }, { "fec0::1", GUARD_PRIVATE },
    { "fd12::1", GUARD_PRIVATE }, { "fc00::", GUARD_PRIVATE }, { "fbff::1", GUARD_OPEN },
    { "ff02::1", GUARD_NOBODY }, { "2001:db8::1", GUARD_NOBODY }, { "100::1", GUARD_NOBODY },
};

static void where_nobody_leads_us(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        uint8_t ip[16];
        struct bytes text = bytes_of(rows[i].ip);
        assert_true(ip_parse_v4(text, ip) || ip_parse_v6(text, ip));
        assert_int_equal(guard_look(ip), rows[i].want);
        assert_true(strlen(guard_words(guard_look(ip))) > 10);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(where_nobody_leads_us) };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
