/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/ip.h"

static const struct {
    const char *text, *want;    /* want NULL: refused */
} cases[] = {
    { "192.0.2.1", "192.0.2.1" },
    { "0.0.0.0", "0.0.0.0" },
    { "255.255.255.255", "255.255.255.255" },
    { "256.0.0.1", NULL },
    { "1.2.3", NULL },
    { "1.2.3.4.5", NULL },
    { "1.2.3.4.", NULL },
    { ".1.2.3.4", NULL },
    { "1..2.3", NULL },
    { "01.2.3.4", NULL },
    { "0x1.2.3.4", NULL },
    { "1.2.3.4 ", NULL },
    { "", NULL },
    { "::", "::" },
    { "::1", "::1" },
    { "1::", "1::" },
    { "2001:DB8::1", "2001:db8::1" },
    { "2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1" },
    { "2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1" },
    { "1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8" },
    { "1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0" },
    { "::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8" },
    { "::ffff:192.0.2.1", "192.0.2.1" },
    { "0:0:0:0:0:ffff:192.0.2.1", "192.0.2.1" },
    { "64:ff9b::192.0.2.33", "64:ff9b::c000:221" },
    { "1:2:3:4:5:6:7", NULL },
    { "1:2:3:4:5:6:7:8:9", NULL },
    { "1:2:3:4:5:6:7:8::", NULL },
    { "::1:2:3:4:5:6:7:8", NULL },
    { "1::2::3", NULL },
    { ":::", NULL },
    { ":1::", NULL },
    { "1::2:", NULL },
    { "1:2:3:4:5:6:7:", NULL },
    { "12345::", NULL },
    { "g::", NULL },
    { "fe80::1%eth0", NULL },
    { "1.2.3.4::", NULL },
    { "::1.2.3", NULL },
};

static void reads_and_writes(void **state)
{
    for (size_t i = 0; i < COUNT(cases); i++) {
        uint8_t ip[16];
        struct bytes text = bytes_of(cases[i].text);
        bool read = ip_parse_v4(text, ip) || ip_parse_v6(text, ip);
        struct buffer out = buffer_with_most(64);

        if (read)
            ip_put(&out, ip);
        buffer_put_char(&out, '\0');
        if (read != (cases[i].want != NULL))
            fail_msg("%s: read %d", cases[i].text, read);
        if (read)
            assert_string_equal(out.at, cases[i].want);
        buffer_done(&out);
    }
}

static void writes_with_port(void **state)
{
    struct net_address v6 = { .ip = { [15] = 1 }, .port = 25 };
    struct net_address peer = { .unix_peer = true, .uid = 1000 };
    struct buffer out = buffer_with_most(64);

    net_address_put(&out, &v6);
    buffer_put_char(&out, ' ');
    net_address_put(&out, &peer);
    assert_true(bytes_equal(buffer_bytes(&out), BYTES("[::1]:25 uid:1000")));
    buffer_done(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_and_writes),
        cmocka_unit_test(writes_with_port),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
