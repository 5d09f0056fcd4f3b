/* SPDX-License-Identifier: ISC */
#include "mail/received.h"

#include "mail/header.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <string.h>

static struct envelope sample(void)
{
    return (struct envelope){
        .sender = BYTES("\"a b\"@example.net"), .received_ms = 1795296481123,
        .protocol = BYTES("ESMTP"), .helo = BYTES("client.example.net"), .peer = BYTES("192.0.2.1"),
        .host = BYTES("mx.example.org"), .message_id = BYTES("1@x"),
    };
}

static void check(const struct envelope *envelope, const char *recipient, const char *want)
{
    struct buffer to = buffer_with_most(DELIVERY_FIELDS_MOST);

    delivery_put(&to, envelope, bytes_of(recipient), 1);
    assert_false(to.bad);
    if (!bytes_equal(buffer_bytes(&to), bytes_of(want)))
        fail_msg("%.*s", (int)to.n, to.at);
    buffer_done(&to);
}

static void fields_are_written(void **state)
{
    struct envelope envelope = sample();

    check(&envelope, "\".\"@example.org",
        "Return-Path: <\"a b\"@example.net>\r\n"
        "Delivered-To: \".\"@example.org\r\n"
        "Received: from client.example.net ([192.0.2.1])\r\n"
        "\tby mx.example.org with ESMTP id 0000000000001\r\n"
        "\tfor <\".\"@example.org>; Sat, 21 Nov 2026 21:28:01 +0000\r\n");
    envelope.sender = BYTES_NONE;
    envelope.peer = BYTES("2001:db8::1");
    envelope.helo = BYTES("x\r\nBcc: a@b (c) \"d\" \xc3\xbc\xff");
    check(&envelope, "a@example.org",
        "Return-Path: <>\r\n"
        "Delivered-To: a@example.org\r\n"
        "Received: from x??Bcc:?a?b??c???d???? ([IPv6:2001:db8::1])\r\n"
        "\tby mx.example.org with ESMTP id 0000000000001\r\n"
        "\tfor <a@example.org>; Sat, 21 Nov 2026 21:28:01 +0000\r\n");
    envelope.helo = BYTES("b\xc3\xbc.example");
    envelope.smtputf8 = true;
    envelope.protocol = BYTES("UTF8SMTP");
    envelope.peer = BYTES("uid:1000");
    check(&envelope, "\xc3\xbc@example.org",
        "Return-Path: <>\r\n"
        "Delivered-To: \xc3\xbc@example.org\r\n"
        "Received: from b\xc3\xbc.example (uid:1000)\r\n"
        "\tby mx.example.org with UTF8SMTP id 0000000000001\r\n"
        "\tfor <\xc3\xbc@example.org>; Sat, 21 Nov 2026 21:28:01 +0000\r\n");
}

static void the_longest_fits_its_lines(void **state)
{
    struct envelope envelope = sample();
    char helo[LIMIT_PATH], path[LIMIT_ADDRESS];
    struct buffer to = buffer_with_most(DELIVERY_FIELDS_MOST);

    memset(helo, 'h', sizeof(helo));
    memset(path, 'p', sizeof(path));
    envelope.helo = (struct bytes){ helo, sizeof(helo) };
    envelope.sender = (struct bytes){ path, sizeof(path) };
    envelope.host = bytes_first(envelope.helo, LIMIT_DOMAIN);
    delivery_put(&to, &envelope, envelope.sender, UINT64_MAX);
    assert_false(to.bad);

    struct header_reader reader = header_reader_for(NULL);
    struct header_field field;
    struct bytes piece = buffer_bytes(&to);
    unsigned fields = 0;
    while (header_next(&reader, &piece, &field) == HEADER_FIELD)
        fields++;
    assert_int_equal(fields, 2);
    assert_int_equal(header_finish(&reader, &field), HEADER_FIELD);
    assert_int_equal(reader.flaws, 0);
    header_reader_done(&reader);
    buffer_done(&to);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_are_written),
        cmocka_unit_test(the_longest_fits_its_lines),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
