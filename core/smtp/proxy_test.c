/* SPDX-License-Identifier: ISC */
#include "smtp/proxy.h"

#include "base/ip.h"
#include "base/limits.h"
#include "smtp/xclient.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#define SIGN "\r\n\r\n\0\r\nQUIT\n"
#define TCP4 "\xcb\x00\x71\x09" "\xc0\x00\x02\x01" "\x10\xe1" "\x00\x19"
#define V6 "\x20\x01\x0d\xb8" "\0\0\0\0\0\0\0\0\0\0\0"
#define TCP6 V6 "\x01" V6 "\x02" "\x10\xe1" "\x00\x19"

static const struct {
    const char *name;
    struct bytes in;
    enum proxy_taken taken;
    const char *client;
    size_t left;
} headers[] = {
    { "TCP4", BYTES_INIT(SIGN "\x21\x11\0\x0c" TCP4), PROXY_CLIENT, "203.0.113.9:4321", 0 },
    { "TCP4, then SMTP", BYTES_INIT(SIGN "\x21\x11\0\x0c" TCP4 "EHLO"), PROXY_CLIENT,
      "203.0.113.9:4321", 4 },
    { "TCP6", BYTES_INIT(SIGN "\x21\x21\0\x24" TCP6), PROXY_CLIENT, "[2001:db8::1]:4321", 0 },
    { "more behind the addresses", BYTES_INIT(SIGN "\x21\x11\0\x13" TCP4 "\x04\0\x04" "abcd"),
      PROXY_CLIENT, "203.0.113.9:4321", 0 },
    { "local", BYTES_INIT(SIGN "\x20\0\0\0"), PROXY_OWN, NULL, 0 },
    { "local with addresses all the same", BYTES_INIT(SIGN "\x20\x11\0\x0c" TCP4 "x"), PROXY_OWN,
      NULL, 1 },
    { "of an unknown family", BYTES_INIT(SIGN "\x21\0\0\x02xx"), PROXY_OWN, NULL, 0 },
    { "nothing yet", BYTES_INIT(""), PROXY_MORE, NULL, 0 },
    { "half a signature", BYTES_INIT("\r\n\r\n"), PROXY_MORE, NULL, 0 },
    { "half the addresses", BYTES_INIT(SIGN "\x21\x11\0\x0c\xcb"), PROXY_MORE, NULL, 0 },
    { "version 1", BYTES_INIT("PROXY TCP4 203.0.113.9 192.0.2.1 4321 25\r\n"), PROXY_BAD, NULL, 0 },
    { "SMTP", BYTES_INIT("EHLO x\r\n"), PROXY_BAD, NULL, 0 },
    { "another version", BYTES_INIT(SIGN "\x11\x11\0\x0c" TCP4), PROXY_BAD, NULL, 0 },
    { "another command", BYTES_INIT(SIGN "\x22\x11\0\x0c" TCP4), PROXY_BAD, NULL, 0 },
    { "UDP", BYTES_INIT(SIGN "\x21\x12\0\x0c" TCP4), PROXY_BAD, NULL, 0 },
    { "a unix socket", BYTES_INIT(SIGN "\x21\x31\0\x00"), PROXY_BAD, NULL, 0 },
    { "too short for its family", BYTES_INIT(SIGN "\x21\x11\0\x0b" TCP4), PROXY_BAD, NULL, 0 },
    { "IPv6 too short", BYTES_INIT(SIGN "\x21\x21\0\x0c" TCP4), PROXY_BAD, NULL, 0 },
    { "a field that runs over", BYTES_INIT(SIGN "\x21\x11\0\x10" TCP4 "\x04\0\x02" "a"), PROXY_BAD,
      NULL, 0 },
    { "half a field", BYTES_INIT(SIGN "\x21\x11\0\x0e" TCP4 "\x04\0"), PROXY_BAD, NULL, 0 },
    { "longer than the bound", BYTES_INIT(SIGN "\x21\x11\x07\xf1"), PROXY_BAD, NULL, 0 },
    { "the longest of all", BYTES_INIT(SIGN "\x21\x11\xff\xff"), PROXY_BAD, NULL, 0 },
};

static void reads_headers(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(headers); i++) {
        struct net_address client = { .port = 0 };
        struct buffer text = buffer_with_most(100);
        size_t used = 0;
        enum proxy_taken taken = proxy_take(headers[i].in, &used, &client);
        if (taken != headers[i].taken)
            fail_msg("%s: got %d", headers[i].name, (int)taken);
        if (taken == PROXY_CLIENT || taken == PROXY_OWN)
            assert_int_equal(headers[i].in.n - used, headers[i].left);
        if (headers[i].client != NULL) {
            net_address_put(&text, &client);
            assert_true(bytes_equal(buffer_bytes(&text), bytes_of(headers[i].client)));
        }
        buffer_done(&text);
    }
}

static const struct {
    const char *argument, *ip, *helo;
    unsigned port;
    bool well;
} arguments[] = {
    { "ADDR=192.0.2.1", "192.0.2.1", "", 0, true },
    { "NAME=mx.example ADDR=IPv6:2001:db8::7 PORT=999 PROTO=ESMTP HELO=x.example LOGIN=me "
      "DESTADDR=192.0.2.9 DESTPORT=25", "2001:db8::7", "x.example", 999, true },
    { "addr=192.0.2.1 helo=a+2Bb", "192.0.2.1", "a+b", 0, true },
    { "NAME=[UNAVAILABLE] ADDR=[TEMPUNAVAIL] HELO=[unavailable]", NULL, "", 0, true },
    { "", NULL, NULL, 0, false },
    { "ADDR", NULL, NULL, 0, false },
    { "ADDR=", NULL, NULL, 0, false },
    { "ADDR=2001:db8::7", NULL, NULL, 0, false },
    { "ADDR=192.0.2.256", NULL, NULL, 0, false },
    { "ADDR=192.0.2.1 ADDR=192.0.2.2", NULL, NULL, 0, false },
    { "ADDR=192.0.2.1  HELO=x", NULL, NULL, 0, false },
    { "PORT=65536", NULL, NULL, 0, false },
    { "PORT=-1", NULL, NULL, 0, false },
    { "PROTO=HTTP", NULL, NULL, 0, false },
    { "HELO=+0D+0AMAIL", NULL, NULL, 0, false },
    { "HELO=a+2", NULL, NULL, 0, false },
    { "NAME=a=b", NULL, NULL, 0, false },
    { "RIGHTS=all", NULL, NULL, 0, false },
    { "DESTADDR=here", NULL, NULL, 0, false },
};

static void reads_xclient(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(arguments); i++) {
        struct buffer helo = buffer_with_most(LIMIT_DOMAIN), ip = buffer_with_most(100);
        struct xclient xclient = { .port = 0 };
        bool well = xclient_parse(bytes_of(arguments[i].argument), &helo, &xclient);
        if (well != arguments[i].well)
            fail_msg("%s: got %d", arguments[i].argument, well);
        if (well) {
            assert_true(bytes_equal(buffer_bytes(&helo), bytes_of(arguments[i].helo)));
            assert_int_equal(xclient.port, arguments[i].port);
            assert_int_equal(xclient.has_ip, arguments[i].ip != NULL);
        }
        if (well && xclient.has_ip) {
            ip_put(&ip, xclient.ip);
            assert_true(bytes_equal(buffer_bytes(&ip), bytes_of(arguments[i].ip)));
        }
        buffer_done(&helo);
        buffer_done(&ip);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_headers), cmocka_unit_test(reads_xclient),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
