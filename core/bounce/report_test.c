/* SPDX-License-Identifier: ISC
 *
 * What must stand in a report, and what must not. Whole reports: tests/golden/report.
 */
#include "bounce/report.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <string.h>

static struct buffer out;
static struct report_needs needs;
static struct envelope envelope;
static struct report_group group;
static struct report report;

static int begin(void **state)
{
    envelope = (struct envelope){
        .sender = BYTES("ann@example.com"), .received_ms = 1790000000000,
        .protocol = BYTES("ESMTP"), .helo = BYTES("mail.example.com"), .peer = BYTES("192.0.2.1"),
        .host = BYTES("mx.example.org"), .message_id = BYTES("1@example.com"),
        .envid = BYTES("QQ+2B1"),
    };
    group = (struct report_group){
        .recipient = { .address = BYTES("bob@example.org"),
                       .orcpt = BYTES("rfc822;robert+2Bx@example.org") },
        .code = STATUS(5, 1, 1), .words = BYTES("the mailbox is gone"),
        .remote = BYTES_NONE, .attempt_ms = 1790000001000,
    };
    report = (struct report){
        .action = REPORT_FAILED, .envelope = &envelope, .letter = 1, .serial = 1,
        .host = BYTES("mx.example.org"), .now_ms = 1790000002000, .groups = &group, .groups_n = 1,
        .text = BYTES("Subject: hello\r\n\r\nbody text\r\n"), .whole = true, .most = 256 * 1024,
    };
    out = buffer_with_most(1 << 20);
    return 0;
}

static int end(void **state)
{
    buffer_done(&out);
    return 0;
}

static bool has(const char *part)
{
    struct bytes all = buffer_bytes(&out);

    return bytes_search(all, bytes_of(part)) < all.n;
}

static void write(void)
{
    buffer_clear(&out);
    report_write(&out, &report, &needs);
    assert_false(out.bad);
}

static void test_fields(void **state)
{
    write();
    assert_true(has("\r\nIn-Reply-To: <1@example.com>\r\nReferences: <1@example.com>\r\n"));
    assert_true(has("\r\nAuto-Submitted: auto-replied\r\n"));
    assert_true(has("\r\nTo: <ann@example.com>\r\n"));
    assert_true(has("\r\nOriginal-Envelope-Id: QQ+1\r\n"));
    assert_true(has("\r\nOriginal-Recipient: rfc822;robert+x@example.org\r\n"));
    assert_true(has("\r\nFinal-Recipient: rfc822; bob@example.org\r\n"));
    assert_true(has("\r\nAction: failed\r\nStatus: 5.1.1\r\n"));
    assert_true(has("\r\nDiagnostic-Code: x-postern; the mailbox is gone\r\n"));
    assert_true(has("message/rfc822\r\n\r\nSubject: hello\r\n\r\nbody text\r\n"));
    assert_false(needs.eight_bit || needs.utf8);
    assert_true(has("\r\nFinal-Log-ID: "));
    group.remote = BYTES("mx.example.net");
    group.reply = BYTES("550 5.1.1 no such user");
    write();
    assert_true(has("\r\nRemote-MTA: dns; mx.example.net\r\n"
                    "Diagnostic-Code: smtp; 550 5.1.1 no such user\r\n"));
    assert_false(has("\r\nFinal-Log-ID: "));        /* that server has its own */
    group.remote = BYTES("unix:/run/dovecot/lmtp");
    group.reply = BYTES_NONE;               /* it was lost before it said anything */
    write();
    assert_true(has("\r\nRemote-MTA: x-unix; /run/dovecot/lmtp\r\n"
                    "Diagnostic-Code: x-postern; the mailbox is gone\r\n"));
}

/* RFC 3461, 4.3 */
static void test_what_goes_back(void **state)
{
    static char large[100 * 1024];
    static const char head[] = "Subject: large\r\n\r\n";

    envelope.ret = DSN_RET_HDRS;
    write();
    assert_true(has("text/rfc822-headers\r\n\r\nSubject: hello\r\n"));
    assert_false(has("body text"));
    envelope.ret = DSN_RET_FULL;
    report.action = REPORT_DELIVERED;
    write();
    assert_false(has("body text"));
    report.action = REPORT_FAILED;
    memset(large, 'x', sizeof(large));
    for (size_t i = 75; i + 1 < sizeof(large); i += 76) {
        large[i] = '\r';
        large[i + 1] = '\n';
    }
    memcpy(large, head, sizeof(head) - 1);
    report.text = (struct bytes){ large, sizeof(large) };
    write();
    assert_true(out.n > sizeof(large));
    report.whole = false;
    write();
    assert_true(out.n < 24 * 1024);
    report.whole = true;
    envelope.ret = DSN_RET_UNSAID;
    write();
    assert_true(has("\r\nSubject: large\r\n"));
    assert_true(out.n < 24 * 1024);
    envelope.ret = DSN_RET_FULL;
    envelope.body = BODY_BINARYMIME;
    write();
    assert_true(out.n < 24 * 1024);
}

static void test_what_cannot_go_back_as_it_is(void **state)
{
    static char line[1200];

    report.text = BYTES("Subject: caf\xe9\r\nX: a\rb\r\n\r\nbare\nline\r\n");
    write();
    assert_true(has("Subject: caf=E9\r\nX: a=0Db\r\n"));
    assert_false(has("bare"));
    memset(line, 'y', sizeof(line));
    memcpy(line, "A: b\r\nB: ", 9);
    report.text = (struct bytes){ line, sizeof(line) };
    write();
    assert_true(has("A: b\r\nB: yyyy"));
    assert_true(has("yyy=\r\nyyy"));
    report.text = BYTES("A: b\r\n\r\n--=_0000000000001a--\r\nfoo: bar\r\n");
    write();
    assert_false(has("foo"));
    report.text = BYTES("--=_0000000000001a: b\r\n\r\n");
    write();
    assert_true(has("--=3D_0000000000001a: b\r\n"));
    report.text = BYTES("A: 8bit \xc3\xa9\r\n\r\nbody \xc3\xa9\r\n");
    write();                                /* in 7 bits: a signature of the report stays true */
    assert_false(needs.eight_bit);
    assert_true(has("message/rfc822\r\n\r\nA: =?utf-8?Q?8bit_=C3=A9?=\r\n"));
    assert_true(has("Content-Transfer-Encoding: base64\r\n\r\nYm9keSDDqQ0K\r\n"));
    report.text = BYTES("Subject: x\r\nContent-Type: multipart/signed; boundary=b\r\n\r\n"
                        "--b\r\n\r\n\xc3\xa9\r\n--b--\r\n");
    write();
    assert_false(needs.eight_bit);
    assert_true(has("text/rfc822-headers\r\n\r\nSubject: x\r\n"));
}

/* SRV-051 */
static void test_nothing_is_injected(void **state)
{
    envelope.message_id = BYTES("x@y>\r\nBcc: all@example.com");
    envelope.sender = BYTES("a\r\nBcc: b@c");
    envelope.helo = BYTES("x\r\n\r\nAction: delivered");
    envelope.envid = BYTES("a+0D+0AAction:+20delivered");
    group.recipient.orcpt = BYTES("rfc822;a+0D+0AStatus:+202.0.0");
    group.recipient.address = BYTES("\"\r\nAction: delivered\"@example.org");
    group.words = BYTES("550 no\r\n\r\nAction: delivered\x1b[31m\xff");
    write();
    assert_false(has("\nBcc"));
    assert_false(has("\nAction: delivered"));
    assert_false(has("\nStatus: 2"));
    assert_false(has("Original-"));
    assert_false(has("In-Reply-To"));
    assert_false(has("\x1b"));
}

static void test_delay(void **state)
{
    report.action = REPORT_DELAYED;
    group.code = STATUS(4, 2, 2);
    group.retry_until_ms = 1790100000000;
    write();
    assert_true(has("\r\nAction: delayed\r\nStatus: 4.2.2\r\n"));
    assert_true(has("\r\nWill-Retry-Until: Tue, 22 Sep 2026 "));
    assert_true(has("still being tried"));
    assert_false(has("body text"));
}

static void test_several_recipients(void **state)
{
    struct report_group groups[3] = { group, group, group };

    groups[1].recipient.address = BYTES("carol@example.org");
    groups[2].recipient.address = BYTES("dave@example.org");
    report.groups = groups;
    report.groups_n = COUNT(groups);
    write();
    assert_true(has("Final-Recipient: rfc822; carol@example.org\r\nAction: failed"));
    assert_true(has("\r\n  To: carol@example.org\r\n  To: dave@example.org\r\n"));
}

/* The card stands beside the text, in the language of the letter's sender; both say the same. */
static void test_words(void **state)
{
    report.text = BYTES("Subject: =?utf-8?Q?caf=C3=A9?=\r\n"
                        "Content-Language: de-AT\r\n\r\nx\r\n");
    write();
    assert_true(has("\r\nSubject: Ihre Nachricht konnte nicht zugestellt werden\r\n"));
    assert_true(has("\r\nContent-Type: multipart/alternative;\r\n\tboundary=\"=_+"));
    assert_true(has("\r\nContent-Type: text/plain; charset=utf-8\r\n"
                    "Content-Language: de\r\n"));
    assert_true(has("\r\nContent-Type: text/html; charset=utf-8\r\n"
                    "Content-Language: de\r\n"));
    assert_true(has("Adresse nicht gefunden: Dieses Postfach gibt es nicht\r\n-----"));
    assert_true(has("caf=C3=A9"));
    report.text = BYTES("Subject: x\r\nAccept-Language: tlh, ja\r\n\r\nx\r\n");
    write();
    assert_true(has("\r\nSubject: =?utf-8?B?"));
    assert_true(has("\r\nContent-Language: ja\r\n"));
    report.most = 32 * 1024;
    write();
    assert_false(has("multipart/alternative"));
    assert_true(has("\r\nContent-Type: text/plain; charset=utf-8\r\n"
                    "Content-Language: ja\r\n"));
    assert_false(out.bad);
}

/* Codes that say little: the words of the other server decide. */
static void test_words_decide(void **state)
{
    group.code = STATUS(5, 7, 1);
    group.remote = BYTES("mx.example.net");
    group.reply = BYTES("554 5.7.1 Client host [192.0.2.1] blocked using zen.spamhaus.org");
    write();
    assert_true(has("Message blocked: your mail server is not trusted\r\n"));
}

/* Quotation marks of a local part that a server took away: the report speaks of them, whatever the
   code says of the domain, unless the server's words do. */
static void test_quotes(void **state)
{
    static const struct {
        const char *sender, *recipient, *reply;
        struct status_code code;
        bool quotes;
    } rows[] = {
        { "a@b.example", "\".\"@far.example",
          "553-5.1.2 The recipient address <> is not a valid RFC-5321\n553 5.1.2 address. - gsmtp",
          { 5, 1, 2 }, true },
        { "a@b.example", "\".\"@far.example", "553 5.1.2 The address is no address at all",
          { 5, 1, 2 }, true },
        { "a@b.example", "\".\"@far.example", "501 5.1.3 Recipient address syntax error",
          { 5, 1, 3 }, true },
        { "\".\"@b.example", "x@far.example",
          "553-5.1.2 The sender address <> is not a valid RFC-5321\n553 5.1.2 address. - gsmtp",
          { 5, 1, 2 }, true },
        { "a@b.example", "x@far.example", "553 5.1.2 The address is no address at all",
          { 5, 1, 2 }, false },
        { "a@b.example", "\".\"@far.example", "550 5.1.2 Host unknown (DNS: host not found)",
          { 5, 1, 2 }, false },
        { "a@b.example", "\".\"@far.example", "550 5.1.1 User unknown", { 5, 1, 1 }, false },
        { "a@b.example", "\".\"@far.example", "552 5.2.2 mailbox full", { 5, 2, 2 }, false },
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        envelope.sender = bytes_of(rows[i].sender);
        group.recipient.address = bytes_of(rows[i].recipient);
        group.code = rows[i].code;
        group.reply = bytes_of(rows[i].reply);
        group.remote = BYTES("mx.far.example");
        write();
        if (has("does not take quotation marks") != rows[i].quotes
            || (rows[i].quotes && has("domain right of the @")))
            fail_msg("%s: %.*s", rows[i].reply, (int)out.n, out.at);
    }
}

static void test_utf8(void **state)
{
    envelope.smtputf8 = true;
    envelope.sender = BYTES("\xc3\xa9va@example.com");
    group.recipient = (struct recipient){
        .address = BYTES("jos\xc3\xa9@example.org"),
        .orcpt = BYTES("utf-8;jos\\x{E9}+@example.org") };
    group.recipient.orcpt = BYTES("utf-8;jos\\x{E9}@example.org");
    report.text = BYTES("Subject: \xc3\xa9\r\n\r\nx\r\n");
    write();
    assert_true(needs.utf8 && needs.eight_bit);
    assert_true(has("report-type=global-delivery-status;"));
    assert_true(has("\r\nContent-Type: message/global-delivery-status\r\n"));
    assert_true(has("\r\nFinal-Recipient: utf-8; jos\xc3\xa9@example.org\r\n"));
    assert_true(has("\r\nOriginal-Recipient: utf-8;jos\xc3\xa9@example.org\r\n"));
    assert_true(has("\r\nContent-Type: message/global\r\n"));
    envelope.ret = DSN_RET_HDRS;
    write();
    assert_true(has("message/global-headers\r\nContent-Transfer-Encoding: 8bit\r\n\r\nSubject"));
    envelope.smtputf8 = false;
    envelope.sender = BYTES("ann@example.com");
    group.recipient.address = BYTES("jose@example.org");
    write();
    assert_true(has("\r\nOriginal-Recipient: utf-8;jos\\x{E9}@example.org\r\n"));
    group.recipient.address = BYTES("jos\xc3\xa9@example.org");     /* an alias stands for it */
    report.text = BYTES("Subject: x\r\n\r\nx\r\n");
    write();
    assert_true(has("\r\nFinal-Recipient: utf-8;jos\\x{E9}@example.org\r\n"));
    assert_false(needs.eight_bit || needs.utf8);
}

int main(void)
{
#define WITH(test) cmocka_unit_test_setup_teardown(test, begin, end)
    const struct CMUnitTest tests[] = {
        WITH(test_fields), WITH(test_what_goes_back), WITH(test_what_cannot_go_back_as_it_is),
        WITH(test_nothing_is_injected), WITH(test_delay), WITH(test_several_recipients),
        WITH(test_words), WITH(test_words_decide), WITH(test_quotes),
        WITH(test_utf8),
    };
#undef WITH
    return cmocka_run_group_tests(tests, NULL, NULL);
}
