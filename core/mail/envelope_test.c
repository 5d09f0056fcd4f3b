/* SPDX-License-Identifier: ISC */
#include "mail/envelope.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <string.h>

static struct envelope sample(void)
{
    return (struct envelope){
        .sender = BYTES("\"a b\"@example.org"), .body = BODY_8BITMIME, .smtputf8 = true,
        .require_tls = true,
        .received_ms = 1234567890123, .protocol = BYTES("UTF8SMTP"), .helo = BYTES("[192.0.2.1]"),
        .peer = BYTES("192.0.2.1"), .host = BYTES("mx.example.org"), .message_id = BYTES("1@x"),
    };
}

static void what_was_put_is_read(void **state)
{
    struct buffer head = buffer_with_most(ENVELOPE_MOST);
    struct envelope in = sample(), out;

    envelope_put(&head, &in);
    assert_false(head.bad);
    assert_true(envelope_read(buffer_bytes(&head), &out));
    assert_true(bytes_equal(in.sender, out.sender) && bytes_equal(in.protocol, out.protocol));
    assert_true(bytes_equal(in.helo, out.helo) && bytes_equal(in.peer, out.peer));
    assert_true(bytes_equal(in.host, out.host) && bytes_equal(in.message_id, out.message_id));
    assert_int_equal(out.body, BODY_8BITMIME);
    assert_true(out.smtputf8 && out.require_tls);
    assert_int_equal(out.received_ms, in.received_ms);
    for (size_t n = 0; n < head.n; n++)
        assert_false(envelope_read(bytes_first(buffer_bytes(&head), n), &out));
    buffer_put_char(&head, 'x');
    assert_false(envelope_read(buffer_bytes(&head), &out));
    buffer_done(&head);
}

static void recipients_are_read(void **state)
{
    struct buffer entry = buffer_with_most(RECIPIENT_MOST);
    struct recipient in = { .address = BYTES("\".\"@example.org") }, out;

    recipient_put(&entry, &in);
    assert_false(entry.bad);
    assert_true(recipient_read(buffer_bytes(&entry), &out));
    assert_true(bytes_equal(in.address, out.address));
    assert_int_equal(out.notify, 0);
    assert_int_equal(out.orcpt.n, 0);
    entry.at[0] = 2;
    assert_false(recipient_read(buffer_bytes(&entry), &out));
    buffer_done(&entry);
}

static void what_reports_need_is_kept(void **state)
{
    struct buffer text = buffer_with_most(ENVELOPE_MOST);
    struct recipient in = { BYTES("a@example.org"), DSN_SUCCESS | DSN_DELAY,
                            BYTES("rfc822;a+2Bb@example.org") }, out;
    struct envelope head = sample(), head_out;

    recipient_put(&text, &in);
    assert_false(text.bad);
    assert_true(recipient_read(buffer_bytes(&text), &out));
    assert_int_equal(out.notify, DSN_SUCCESS | DSN_DELAY);
    assert_true(bytes_equal(out.orcpt, in.orcpt));
    size_t notify_at = 1 + 4 + in.address.n + 1 + 4;
    for (size_t n = 0; n < text.n; n++)
        assert_true(!recipient_read(bytes_first(buffer_bytes(&text), n), &out)
                    || n == notify_at + 1);
    const char bad[] = { 0, DSN_NEVER | DSN_FAILURE, 15, 127 };
    for (size_t i = 0; i < COUNT(bad); i++) {
        text.at[notify_at] = bad[i];
        assert_false(recipient_read(buffer_bytes(&text), &out));
    }
    buffer_clear(&text);
    head.ret = DSN_RET_HDRS;
    head.envid = BYTES("QQ314159");
    envelope_put(&text, &head);
    assert_false(text.bad);
    assert_true(envelope_read(buffer_bytes(&text), &head_out));
    assert_int_equal(head_out.ret, DSN_RET_HDRS);
    assert_true(bytes_equal(head_out.envid, head.envid));
    text.at[text.n - head.envid.n - 5] = 9;         /* a tag that nobody knows */
    assert_false(envelope_read(buffer_bytes(&text), &head_out));
    buffer_done(&text);
}

/* RFC 2852 */
static void the_time_it_has_is_kept(void **state)
{
    static const struct { enum by_mode by; bool trace; uint64_t ms; } rows[] = {
        { BY_NOTIFY, false, 0 }, { BY_NOTIFY, true, 1 }, { BY_RETURN, false, 1767225600123 },
        { BY_RETURN, true, ENVELOPE_BY_MOST },
    };
    static const char bad[] = { 0, 3, 4, 7, 8, 127 };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct buffer text = buffer_with_most(ENVELOPE_MOST);
        struct envelope in = sample(), out;
        in.by = rows[i].by;
        in.by_trace = rows[i].trace;
        in.by_ms = rows[i].ms;
        envelope_put(&text, &in);
        assert_false(text.bad);
        assert_true(envelope_read(buffer_bytes(&text), &out));
        assert_true(out.by == in.by && out.by_trace == in.by_trace && out.by_ms == in.by_ms);
        for (size_t n = text.n - 14 + 1; n < text.n; n++)
            assert_false(envelope_read(bytes_first(buffer_bytes(&text), n), &out));
        for (size_t b = 0; b < COUNT(bad); b++) {
            text.at[text.n - 9] = bad[b];
            assert_false(envelope_read(buffer_bytes(&text), &out));
        }
        in.by_ms = ENVELOPE_BY_MOST + 1;
        envelope_put(&text, &in);
        assert_true(text.bad);
        buffer_done(&text);
    }
}

/* RFC 6710 */
static void the_priority_is_kept(void **state)
{
    struct buffer text = buffer_with_most(ENVELOPE_MOST);
    struct envelope in = sample(), out;

    for (int priority = -PRIORITY_MOST; priority <= PRIORITY_MOST; priority++) {
        buffer_clear(&text);
        in.priority = (int8_t)priority;
        envelope_put(&text, &in);
        assert_false(text.bad);
        assert_true(envelope_read(buffer_bytes(&text), &out));
        assert_int_equal(out.priority, priority);
    }
    for (int bad = 0; bad < 256; bad++) {
        text.at[text.n - 1] = (char)(uint8_t)bad;
        assert_int_equal(envelope_read(buffer_bytes(&text), &out),
                         bad >= 1 && bad <= 19 && bad != 10);
    }
    in.priority = PRIORITY_MOST + 1;
    envelope_put(&text, &in);
    assert_true(text.bad);
    buffer_done(&text);
}

/* The same octets with one of them changed in every text in turn, behind the writer's back. */
static void spl_005_line_ends_and_nul(void **state)
{
    static const char bad[] = { '\r', '\n', '\0' };
    struct envelope in = sample(), out;

    for (size_t i = 0; i < sizeof(bad); i++) {
        struct buffer head = buffer_with_most(ENVELOPE_MOST);
        char text[] = "a?b";
        text[1] = bad[i];
        struct bytes *fields[] = { &in.sender, &in.protocol, &in.helo, &in.peer, &in.host,
                                   &in.message_id };
        for (size_t f = 0; f < COUNT(fields); f++) {
            struct bytes was = *fields[f];
            *fields[f] = BYTES("a~b");
            buffer_clear(&head);
            envelope_put(&head, &in);
            assert_true(envelope_read(buffer_bytes(&head), &out));
            head.at[bytes_find(buffer_bytes(&head), '~')] = bad[i];
            assert_false(envelope_read(buffer_bytes(&head), &out));
            *fields[f] = (struct bytes){ text, 3 };
            buffer_clear(&head);
            envelope_put(&head, &in);
            assert_true(head.bad);
            *fields[f] = was;
        }
        buffer_clear(&head);
        recipient_put(&head, &(struct recipient){ .address = { text, 3 } });
        assert_true(head.bad);
        buffer_done(&head);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_put_is_read),
        cmocka_unit_test(recipients_are_read),
        cmocka_unit_test(what_reports_need_is_kept),
        cmocka_unit_test(the_time_it_has_is_kept), cmocka_unit_test(the_priority_is_kept),
        cmocka_unit_test(spl_005_line_ends_and_nul),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
