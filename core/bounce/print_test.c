/* SPDX-License-Identifier: ISC
 *
 * Writes the reports that tests/golden/report holds: `print_test NAME`, on standard output.
 * golden.py compares them and takes them apart with another reader of mail.
 */
#include "bounce/report.h"

#include <stdio.h>
#include <string.h>

static const struct report_group bob = {
    .recipient = { .address = BYTES_INIT("bob@example.org"), .orcpt = BYTES_INIT("") },
    .code = { 5, 1, 1 }, .words = BYTES_INIT("the mailbox folder is not there any more"),
    .remote = BYTES_INIT(""), .attempt_ms = 1790000001000,
}, carol = {
    .recipient = { .address = BYTES_INIT("\"carol c\"@example.org"),
                   .orcpt = BYTES_INIT("rfc822;c+2Bc@example.net") },
    .code = { 5, 2, 2 }, .words = BYTES_INIT("552 5.2.2 <carol> quota exceeded"),
    .remote = BYTES_INIT("lmtp.example.org"),
    .reply = BYTES_INIT("552 5.2.2 <carol> quota exceeded"), .attempt_ms = 1790000001000,
}, late = {
    .recipient = { .address = BYTES_INIT("bob@example.org"), .orcpt = BYTES_INIT("") },
    .code = { 4, 2, 2 }, .words = BYTES_INIT("the mailbox is full"), .remote = BYTES_INIT(""),
    .attempt_ms = 1790000001000, .retry_until_ms = 1790172800000,
}, there = {
    .recipient = { .address = BYTES_INIT("bob@example.org"), .orcpt = BYTES_INIT("") },
    .code = { 2, 0, 0 }, .words = BYTES_INIT("delivered"), .remote = BYTES_INIT(""),
    .attempt_ms = 1790000001000,
}, joerg = {
    .recipient = { .address = BYTES_INIT("j\xc3\xb6rg@example.org"),
                   .orcpt = BYTES_INIT("utf-8;j\\x{F6}rg@example.org") },
    .code = { 5, 7, 1 }, .words = BYTES_INIT("nicht f\xc3\xbcr Fremde"), .remote = BYTES_INIT(""),
    .attempt_ms = 1790000001000,
}, hostile = {
    .recipient = { .address = BYTES_INIT("\"\r\nBcc: x\"@example.org"),
                   .orcpt = BYTES_INIT("rfc822;a+0D+0AStatus:+202.0.0") },
    .code = { 5, 0, 0 }, .words = BYTES_INIT("no\r\n\r\nAction: delivered\x1b[2J\xff"),
    .remote = BYTES_INIT("x\r\nStatus: 2.0.0"),
    .reply = BYTES_INIT("no\r\n\r\nAction: delivered\x1b[2J\xff"), .attempt_ms = 1790000001000,
};

static const struct {
    const char *name;
    enum report_action action;
    bool utf8;
    enum dsn_ret ret;
    struct bytes text;
    struct report_group groups[2];
    size_t groups_n;
} rows[] = {
    { "failed", REPORT_FAILED, false, DSN_RET_UNSAID,
      BYTES_INIT("Subject: hello\r\n\r\nthe body\r\n"), { bob, carol }, 2 },
    { "failed-headers", REPORT_FAILED, false, DSN_RET_HDRS,
      BYTES_INIT("Subject: caf\xe9\r\n\r\nthe body\r\n"), { carol }, 1 },
    { "delayed", REPORT_DELAYED, false, DSN_RET_FULL,
      BYTES_INIT("Subject: hello\r\n\r\nthe body\r\n"), { late }, 1 },
    { "delivered", REPORT_DELIVERED, false, DSN_RET_FULL,
      BYTES_INIT("Subject: hello\r\n\r\nthe body\r\n"), { there }, 1 },
    { "failed-utf8", REPORT_FAILED, true, DSN_RET_UNSAID,
      BYTES_INIT("Subject: \xc3\xa9t\xc3\xa9\r\n\r\nthe body\r\n"), { joerg }, 1 },
    { "hostile", REPORT_FAILED, false, DSN_RET_UNSAID,
      BYTES_INIT("Subject: x\r\n\r\n--=_0000000000002A--\r\n\0\r\n"), { hostile }, 1 },
};

static struct envelope envelope_of(size_t row)
{
    bool bad = strcmp(rows[row].name, "hostile") == 0;

    return (struct envelope){
        .sender = BYTES("ann@example.com"), .received_ms = 1790000000000,
        .smtputf8 = rows[row].utf8, .body = BODY_8BITMIME, .protocol = BYTES("ESMTP"),
        .helo = bad ? BYTES("x\r\nAction: delivered") : BYTES("mail.example.com"),
        .peer = BYTES("192.0.2.1"), .host = BYTES("mx.example.org"),
        .message_id = bad ? BYTES("x>\r\nBcc: y") : BYTES("1@example.com"),
        .ret = rows[row].ret, .envid = bad ? BYTES("+0D+0A") : BYTES("QQ+2B1"),
    };
}

static bool print(size_t row)
{
    struct buffer out = buffer_with_most(1 << 20);
    struct envelope envelope = envelope_of(row);
    struct report_needs needs;
    struct report report = {
        .action = rows[row].action, .envelope = &envelope, .letter = 1234567890123456789,
        .serial = 1, .host = BYTES("mx.example.org"), .now_ms = 1790000002000,
        .groups = rows[row].groups, .groups_n = rows[row].groups_n, .text = rows[row].text,
        .whole = true, .most = 256 * 1024,
    };

    report_write(&out, &report, &needs);
    bool well = !out.bad && fwrite(out.at, 1, out.n, stdout) == out.n;
    buffer_done(&out);
    return well;
}

int main(int argc, char **argv)
{
    for (size_t i = 0; argc == 2 && i < COUNT(rows); i++)
        if (strcmp(argv[1], rows[i].name) == 0)
            return print(i) ? 0 : 1;
    for (size_t i = 0; argc == 1 && i < COUNT(rows); i++)
        puts(rows[i].name);
    return argc == 1 ? 0 : 64;
}
