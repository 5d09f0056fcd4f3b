/* SPDX-License-Identifier: ISC
 *
 * What we write, we read: each report gives back the recipients, actions and codes that it was
 * written from, whatever strangers put into addresses, replies and letters. And each is a message
 * that can be signed and sent on as it is.
 */
#include "bounce/read.h"
#include "bounce/report.h"
#include "mail/address.h"
#include "mail/date.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

enum { ROUNDS = 1000, GROUPS = 12, TEXT_MOST = 600 };

static uint64_t dice = 1;
static struct buffer out, texts;
static struct bounce_reader *reader;

static size_t roll(size_t most)
{
    dice = dice * 6364136223846793005u + 1442695040888963407u;
    return (size_t)(dice >> 33) % most;
}

#define PICK(list) (list)[roll(COUNT(list))]

/* ---- hostile texts; they live in `texts` until the next round */

static struct bytes kept(const char *at, size_t n)
{
    size_t begin = texts.n;

    buffer_put(&texts, (struct bytes){ at, n });
    return (struct bytes){ texts.at + begin, n };
}

static size_t put(char *to, size_t n, const char *words)
{
    memcpy(to + n, words, strlen(words));
    return n + strlen(words);
}

/* What a quoted string may hold (RFC 5321, 4.1.2). */
static size_t put_quoted(char *to, size_t n)
{
    static const char *const pieces[] = {
        ".", "..", " ", "@", "a@b", ";", "rfc822;", "<", ">", "(", ")", ",", ":", "\\\"", "\\\\",
        "x", "Action: delivered", "\\ ", "=_", "%", "5.1.1", "&lt;", "?", "+2B", "\\;", "[", "]",
    };

    n = put(to, n, "\"");
    for (size_t i = 0, most = 1 + roll(4); i < most; i++)
        n = put(to, n, PICK(pieces));
    return put(to, n, "\"");
}

static struct bytes some_address(size_t i, bool utf8)
{
    static const char *const locals[] = {
        "bob", "a.b.c", "!#$%&'*+-/=?^_`{|}~", "+", "user+tag=x", "5.1.1", "550", "x'y", "-",
        "postmaster", "mailer-daemon", "rfc822", "SMTP", "=?utf-8?Q?x?=",
    };
    static const char *const utf8_locals[] = {
        "j\xc3\xb6rg", "\xe4\xbd\xa0\xe5\xa5\xbd", "\xd8\xb9\xd9\x84\xd9\x8a", "a\xcc\x88",
        "\xf0\x9f\x93\xa7",
    };
    static const char *const domains[] = {
        "example.org", "a.b.c.example", "xn--4ca.example", "[192.0.2.1]", "[IPv6:2001:db8::1]",
        "5.1.1.example", "x-y.example", "example.museum", "EXAMPLE.COM",
    };
    static const char *const utf8_domains[] = {
        "\xc3\xa4.example", "\xe4\xbe\x8b\xe3\x81\x88.example", "example.org",
    };
    char text[TEXT_MOST];
    size_t n = 0, kind = roll(utf8 ? 4 : 3);

    if (kind == 0)
        n = put_quoted(text, n);
    else
        n = put(text, n, kind == 3 ? PICK(utf8_locals) : PICK(locals));
    n = put(text, n, "@r");                 /* each is another */
    text[n++] = (char)('a' + i);
    n = put(text, n, ".");
    const char *domain = utf8 && roll(2) == 0 ? PICK(utf8_domains) : PICK(domains);
    if (domain[0] == '[')                   /* a literal stands alone */
        n -= 3;
    n = put(text, n, domain);
    return kept(text, n);
}

static struct bytes some_words(void)
{
    static const char *const pieces[] = {
        "no such user ", "<bob@example.org> ", "5.7.1 ", "code 550 ", "\r\nAction: delivered\r\n",
        "\r\n\r\nFinal-Recipient: rfc822; eve@example.org\r\nAction: failed\r\nStatus: 5.1.1\r\n",
        "\xff\xfe", "\xc3\xa9", "\x1b[2J", "smtp; ", ";", "over quota ", "--=_", "<script>", "\t",
        "blocked using list.example; see https://list.example/q?ip=192.0.2.1 ", "(", ")", "4.2.2 ",
    };
    char text[16 * 128];
    size_t n = 0;

    for (size_t i = 0, most = roll(8); i < most; i++)
        n = put(text, n, PICK(pieces));
    if (roll(20) == 0) {
        memset(text + n, 'w', 500);
        n += 500;
    }
    return kept(text, n);
}

static struct bytes some_letter(void)
{
    static const char *const letters[] = {
        "Subject: hello\r\n\r\nbody\r\n",
        "Subject: caf\xc3\xa9\r\n\r\nbody \xc3\xa9\r\n",
        "Subject: caf\xe9\r\n\r\nbody \xe9\r\n",
        "Subject: x\r\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\r\n"
        "\r\n--b\r\n\r\nFailed.\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\n"
        "Reporting-MTA: dns; x\r\n\r\nFinal-Recipient: rfc822; eve@example.org\r\n"
        "Action: failed\r\nStatus: 5.1.1\r\n\r\n--b--\r\n",
        "Subject: x\r\nContent-Type: multipart/signed; protocol=x; boundary=b\r\n\r\n"
        "--b\r\n\r\n\xc3\xa9\r\n--b\r\n\r\nsignature\r\n--b--\r\n",
        "Subject: x\r\nContent-Type: text/plain; charset=utf-8\r\n"
        "Content-Transfer-Encoding: 8bit\r\n\r\n\xc3\xa9\xc3\xa9\xc3\xa9\r\n",
        "Subject: bare\r\nX: a\rb\r\n\r\nbare\nline\r\n",
        "Subject: x\r\n\r\n--=_0000000000002A--\r\n", "", "\r\n", "no header at all\r\n",
        "Final-Recipient: rfc822; eve@example.org\r\nAction: failed\r\n\r\n",
        "Subject: Undelivered Mail Returned to Sender\r\nX-Failed-Recipients: eve@example.org\r\n"
        "\r\n<eve@example.org>: host x said: 550 5.1.1 unknown\r\n",
        "Subject: nul\r\n\r\n\x01\x02\r\n",
        "Accept-Language: ja\r\nSubject: =?utf-8?Q?caf=C3=A9?=\r\n\r\nx\r\n",
        "Content-Language: ar\r\nSubject: x\r\n\r\nx\r\n",
    };
    static char large[3000];

    if (roll(12) != 0)
        return bytes_of(PICK(letters));
    memset(large, 'x', sizeof(large));
    memcpy(large, "A: ", 3);
    return (struct bytes){ large, sizeof(large) };
}

static struct status_code some_code(enum report_action action)
{
    static const uint16_t details[] = { 0, 1, 2, 3, 7, 10, 99 };
    bool bad = action == REPORT_FAILED || action == REPORT_DELAYED;
    uint8_t class = !bad ? 2 : action == REPORT_DELAYED || roll(4) == 0 ? 4 : 5;

    return STATUS(class, (uint16_t)roll(8), PICK(details));
}

/* As a server says it. */
static struct bytes some_reply(struct status_code code)
{
    struct bytes words = some_words();
    size_t begin = texts.n;

    buffer_put_uint(&texts, code.class * 100u + 50);
    buffer_put_char(&texts, ' ');
    status_put(&texts, code);
    buffer_put_char(&texts, ' ');
    buffer_put(&texts, words);
    return (struct bytes){ texts.at + begin, texts.n - begin };
}

static struct report_group some_group(size_t i, enum report_action action, bool utf8)
{
    static const char *const remotes[] = {
        "", "mx.example.net", "[192.0.2.7]", "[IPv6:2001:db8::7]", "unix:/run/lmtp",
    };
    struct report_group group = {
        .recipient = { .address = some_address(i, utf8 || roll(8) == 0), .notify = 0 },
        .code = some_code(action), .words = some_words(), .remote = bytes_of(PICK(remotes)),
        .attempt_ms = 1790000000000 + 1000 * roll(100000),
        .retry_until_ms = 1790200000000 + 1000 * roll(100000),
    };

    if (group.remote.n > 0 && roll(3) != 0)
        group.reply = some_reply(group.code);
    return group;
}

/* ---- the property */

static enum bounce_action read_as(enum report_action action)
{
    static const enum bounce_action actions[REPORT_ACTIONS] = {
        [REPORT_FAILED] = ACTION_FAILED, [REPORT_DELAYED] = ACTION_DELAYED,
        [REPORT_DELIVERED] = ACTION_DELIVERED, [REPORT_RELAYED] = ACTION_RELAYED,
        [REPORT_EXPANDED] = ACTION_EXPANDED,
    };

    return actions[action];
}

static void fails(const char *what, size_t round, struct bytes got, struct bytes want)
{
    fwrite(out.at, 1, out.n, stdout);
    fail_msg("round %zu: %s: \"%.*s\", not \"%.*s\"", round, what, (int)got.n, got.at, (int)want.n,
             want.at);
}

static void check_group(size_t round, const struct report *report, size_t i,
                        const struct bounce_recipient *got)
{
    const struct report_group *group = &report->groups[i];
    struct status_code code = group->code;

    if (!bytes_equal(got->recipient, group->recipient.address))
        fails("recipient", round, got->recipient, group->recipient.address);
    if (got->action != read_as(report->action))
        fails("action", round, bytes_of(bounce_action_name(got->action)), BYTES_NONE);
    if (group->remote.n > 0 && !bytes_begins(group->remote, BYTES("unix:"))
        && !bytes_equal(got->remote_mta, group->remote))
        fails("remote", round, got->remote_mta, group->remote);
    assert_int_equal(got->last_attempt, group->attempt_ms / 1000);
    assert_int_equal(got->retry_until, report->action == REPORT_DELAYED
                                     ? group->retry_until_ms / 1000 : 0);
    /* Of a code that says little, and of one that says that time ran out, a reader is told what
       the words say beside it. */
    bool vague = code.detail == 0 || (code.subject == 4 && code.detail == 7);
    if (vague)
        return;
    if (got->status.class != code.class || got->status.subject != code.subject
        || got->status.detail != code.detail || got->status_inferred)
        fail_msg("round %zu: %u.%u.%u%s, not %u.%u.%u", round, got->status.class,
                 got->status.subject, got->status.detail, got->status_inferred ? "?" : "",
                 code.class, code.subject, code.detail);
}

/* Nothing that anybody on the way could want to change: so a signature over it stays true. */
static void check_signable(size_t round, const struct report *report, struct report_needs needs)
{
    static const char *const fields[] = {
        "Date: ", "\r\nFrom: ", "\r\nTo: ", "\r\nSubject: ", "\r\nMessage-ID: <",
        "\r\nMIME-Version: 1.0\r\n", "\r\nContent-Type: multipart/report; ",
    };
    struct bytes text = buffer_bytes(&out);
    struct bytes head = bytes_first(text, bytes_search(text, BYTES("\r\n\r\n")) + 2);
    size_t begin = 0;

    for (size_t i = 0; i < COUNT(fields); i++)
        if (bytes_search(head, bytes_of(fields[i])) == head.n)
            fails("field", round, bytes_of(fields[i]), BYTES_NONE);
    for (size_t i = 0; i < text.n; i++) {
        bool crlf = text.at[i] == '\r' && i + 1 < text.n && text.at[i + 1] == '\n';
        if (text.at[i] == '\0' || (text.at[i] == '\r' && !crlf)
            || (text.at[i] == '\n' && (i == 0 || text.at[i - 1] != '\r')))
            fails("a line end, or NUL", round, bytes_first(bytes_skip(text, begin), i - begin),
                  BYTES_NONE);
        if (octet(text.at[i]) > 127 && !report->envelope->smtputf8)
            fails("8 bits", round, bytes_skip(text, begin), BYTES_NONE);
        if (text.at[i] != '\n')
            continue;
        if (i - begin > 999)
            fails("a long line", round, bytes_first(bytes_skip(text, begin), 80), BYTES_NONE);
        begin = i + 1;
    }
    assert_int_equal(begin, text.n);
    assert_true(report->envelope->smtputf8 || !needs.eight_bit);
}

static void one_round(size_t round)
{
    struct report_group groups[GROUPS];
    bool utf8 = roll(3) == 0;
    enum report_action action = (enum report_action)roll(REPORT_ACTIONS);
    static const enum dsn_ret rets[] = { DSN_RET_UNSAID, DSN_RET_FULL, DSN_RET_HDRS };
    struct envelope envelope = {
        .sender = utf8 ? BYTES("\xc3\xa9va@example.com") : BYTES("ann@example.com"),
        .received_ms = 1789999990000, .body = BODY_8BITMIME, .smtputf8 = utf8,
        .helo = some_words(), .message_id = BYTES("1@example.com"), .ret = PICK(rets),
        .envid = BYTES("QQ+2B1"),
    };
    struct report report = {
        .action = action, .envelope = &envelope, .letter = round, .serial = 1,
        .host = BYTES("mx.example.org"), .now_ms = 1790000002000, .groups = groups,
        .groups_n = 1 + roll(GROUPS), .text = some_letter(), .whole = roll(2) == 0,
        .most = roll(2) == 0 ? 256 * 1024 : 16 * 1024,
    };
    struct report_needs needs;
    struct bounce_report got;

    for (size_t i = 0; i < report.groups_n; i++)
        groups[i] = some_group(i, action, utf8);
    report_write(&out, &report, &needs);
    assert_false(out.bad);
    check_signable(round, &report, needs);
    bounce_read(reader, buffer_bytes(&out), &got);
    if (got.recipients_n != report.groups_n)
        fails("how many recipients", round, got.recipients_n == 0 ? BYTES_NONE
              : got.recipients[got.recipients_n - 1].recipient, BYTES_NONE);
    for (size_t i = 0; i < report.groups_n; i++)
        check_group(round, &report, i, &got.recipients[i]);
}

static void what_we_write_we_read(void **state)
{
    struct rules *rules = rules_builtin();

    (void)state;
    assert_non_null(rules);
    reader = bounce_reader_new(rules);
    assert_non_null(reader);
    out = buffer_with_most(1 << 20);
    texts = buffer_with_most(1 << 20);
    assert_true(buffer_reserve(&texts, 1 << 18));   /* so that it never moves */
    for (size_t round = 0; round < ROUNDS; round++) {
        buffer_clear(&out);
        buffer_clear(&texts);
        one_round(round);
    }
    buffer_done(&out);
    buffer_done(&texts);
    bounce_reader_free(reader);
    rules_free(rules);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(what_we_write_we_read) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
