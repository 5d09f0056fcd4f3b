/* SPDX-License-Identifier: ISC
 *
 * A bounce, and what is put in front of it.
 */
#include "bounce/cover.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <string.h>

#define HEAD(type) \
    "From: MAILER-DAEMON@mx.far.example\r\nTo: ann@example.org\r\nSubject: Undelivered Mail\r\n" \
    "MIME-Version: 1.0\r\nContent-Type: " type "\r\n\r\n"
#define REPORT \
    "--b\r\n\r\nYour message could not be delivered.\r\nSee http://evil.example/ for help.\r\n" \
    "--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.far.example\r\n" \
    "Original-Envelope-Id: QQ+1\r\n\r\n" \
    "Final-Recipient: rfc822; bob@far.example\r\nAction: failed\r\nStatus: 5.1.1\r\n" \
    "Diagnostic-Code: smtp; 550 5.1.1 no such user here <script>\r\n\r\n" \
    "--b\r\nContent-Type: text/rfc822-headers\r\n\r\nMessage-ID: <m1@example.org>\r\n" \
    "Subject: hello\r\n\r\n--b--\r\n"
#define BOUNCE HEAD("multipart/report; report-type=delivery-status; boundary=b") REPORT

static struct rules *rules;
static struct buffer id, envid, out;

static int begin(void **state)
{
    rules = rules_builtin();
    id = buffer_with_most(1000);
    envid = buffer_with_most(1000);
    out = buffer_with_most(COVER_LETTER_MOST + COVER_PARTS_MOST);
    return rules == NULL;
}

static int end(void **state)
{
    rules_free(rules);
    buffer_done(&id);
    buffer_done(&envid);
    buffer_done(&out);
    return 0;
}

static const struct {
    const char *sender, *protocol, *peer;
    bool may;
} senders[] = {
    { "", "ESMTP", "192.0.2.1", true }, { "mailer-daemon@far.example", "ESMTP", "::1", true },
    { "ann@far.example", "ESMTP", "::1", false }, { "", "LOCAL", "report", false },
    { "", "ESMTP", "report", true },    /* a client's name for itself is not ours */
};

static void test_may(void **state)
{
    for (size_t i = 0; i < COUNT(senders); i++) {
        struct envelope envelope = { .sender = bytes_of(senders[i].sender),
                                     .protocol = bytes_of(senders[i].protocol),
                                     .peer = bytes_of(senders[i].peer) };
        assert_int_equal(cover_may(&envelope), senders[i].may);
    }
}

static const struct {
    const char *text;
    bool wanted;
    const char *id, *envid;
} letters[] = {
    { BOUNCE, true, "m1@example.org", "QQ+1" },
    { HEAD("multipart/signed; boundary=b") REPORT, false, "", "" },
    { HEAD("\r\n\tMultipart/Signed; boundary=b") REPORT, false, "", "" },
    { HEAD("application/pkcs7-mime; smime-type=signed-data") "AAAA\r\n", false, "", "" },
    { "From: bob@far.example\r\nSubject: Friday\r\n\r\nShall we meet?\r\n", false, "", "" },
    { "", false, "", "" },
    { HEAD("text/plain") "Hi. This is the qmail-send program at far.example.\r\n"
      "I'm afraid I wasn't able to deliver your message to the following addresses.\r\n\r\n"
      "<bob@far.example>:\r\nno mailbox here by that name. (#5.1.1)\r\n", true, "", "" },
};

static void test_wanted(void **state)
{
    for (size_t i = 0; i < COUNT(letters); i++) {
        buffer_clear(&id);
        buffer_clear(&envid);
        assert_int_equal(cover_wanted(rules, bytes_of(letters[i].text), &id, &envid),
                         letters[i].wanted);
        assert_true(bytes_equal(buffer_bytes(&id), bytes_of(letters[i].id)));
        assert_true(bytes_equal(buffer_bytes(&envid), bytes_of(letters[i].envid)));
    }
}

static const struct envelope envelope = {
    .sender = { "", 0 }, .received_ms = 1790000000000, .protocol = { "ESMTP", 5 },
    .host = { "mx.example.org", 14 }, .message_id = { "", 0 },
};

static void put(struct bytes text, bool known)
{
    struct cover cover = { .envelope = &envelope, .recipient = BYTES("ann@example.org"),
                           .number = 3, .letter = 77, .text = text, .known = known };

    buffer_clear(&out);
    cover_put(&out, rules, &cover);
}

static size_t count(struct bytes text, const char *part)
{
    size_t n = 0;

    for (size_t at; (at = bytes_search(text, bytes_of(part))) < text.n; n++)
        text = bytes_skip(text, at + 1);
    return n;
}

/* All that stands in front of the bounce. */
static struct bytes front(struct bytes bounce)
{
    struct bytes all = buffer_bytes(&out);
    size_t at = bytes_search(all, bounce);

    assert_true(at < all.n);
    return bytes_first(all, at);
}

/* The second part holds the bounce octet for octet, and nothing else does. */
static void check_shape(struct bytes bounce, const char *coding)
{
    struct bytes all = buffer_bytes(&out), before = front(bounce);
    struct bytes behind = bytes_skip(all, before.n + bounce.n);
    size_t at = bytes_search(before, BYTES("\tboundary=\"")) + 11;
    struct bytes boundary = bytes_upto(bytes_skip(before, at), '"');
    char delimiter[100] = "\r\n--";

    assert_false(out.bad);
    memcpy(delimiter + 4, boundary.at, boundary.n);
    assert_int_equal(count(all, delimiter), 3);
    assert_int_equal(count(bounce, delimiter), 0);
    assert_true(bytes_begins(behind, bytes_of(delimiter)));
    assert_true(bytes_ends(behind, BYTES("--\r\n")));
    assert_int_equal(behind.n, strlen(delimiter) + 4);
    char field[60] = "Content-Transfer-Encoding: ";
    strcpy(field + strlen(field), coding);
    strcpy(field + strlen(field), "\r\n");
    assert_int_equal(count(before, field), 2);
    assert_true(count(before, "Content-Type: message/rfc822\r\n") == 1);
    assert_true(count(before, "Content-Type: multipart/alternative;") == 1);
    assert_int_equal(count(before, "\r\nMessage-ID: <card."), 1);
}

static void test_known(void **state)
{
    struct bytes bounce = BYTES(BOUNCE);

    put(bounce, true);
    check_shape(bounce, "7bit");
    struct bytes text = front(bounce);
    assert_true(count(text, "bob@far.example") > 0);
    assert_true(count(text, "In-Reply-To: <m1@example.org>\r\n") == 1);
    assert_true(count(text, "<script") == 1);      /* in the text; escaped in HTML */
    assert_true(count(text, "&lt;script") == 1);
    assert_true(count(text, "Subject: Your message could not be delivered\r\n") == 1);
    assert_true(count(text, "To: <ann@example.org>\r\n") == 1);
}

/* DSN-006: a report of a message that nobody here sent is shown as that, and none of its words,
   addresses and links stand in the card. */
static void test_unknown(void **state)
{
    struct bytes bounce = BYTES(BOUNCE);

    put(bounce, false);
    check_shape(bounce, "7bit");
    struct bytes text = front(bounce);
    assert_true(count(text, "Subject: We cannot confirm this report\r\n") == 1);
    static const char *const theirs[] = { "far.example", "evil", "http", "m1@", "5.1.1", "script",
                                          "no such user", "In-Reply-To", "hello" };
    for (size_t i = 0; i < COUNT(theirs); i++)
        assert_int_equal(count(text, theirs[i]), 0);
}

/* The same facts, the same octets. */
static void test_same(void **state)
{
    struct buffer first = buffer_with_most(out.most);

    put(BYTES(BOUNCE), true);
    buffer_put(&first, buffer_bytes(&out));
    put(BYTES(BOUNCE), true);
    assert_true(bytes_equal(buffer_bytes(&first), buffer_bytes(&out)));
    buffer_done(&first);
}

static const struct {
    struct bytes more;
    const char *coding;
} ends[] = {
    { { "", 0 }, "7bit" }, { { "\xc3\xa9\r\n", 4 }, "8bit" }, { { "a\0b", 3 }, "binary" },
    { { "a\rb", 3 }, "binary" }, { { "a\nb", 3 }, "binary" }, { { "\r\n--=_", 6 }, "7bit" },
    { { "no end", 6 }, "7bit" },
};

static void test_codings(void **state)
{
    struct buffer bounce = buffer_with_most(1 << 16);

    for (size_t i = 0; i < COUNT(ends); i++) {
        buffer_clear(&bounce);
        buffer_put(&bounce, BYTES(BOUNCE));
        buffer_put(&bounce, ends[i].more);
        put(buffer_bytes(&bounce), i % 2 == 0);
        check_shape(buffer_bytes(&bounce), ends[i].coding);
    }
    buffer_clear(&bounce);
    buffer_put(&bounce, BYTES(BOUNCE));
    buffer_put_chars(&bounce, 'x', 999);
    put(buffer_bytes(&bounce), true);
    check_shape(buffer_bytes(&bounce), "binary");
    buffer_done(&bounce);
}

/* A bounce that holds what would end its part gets another boundary. */
static void test_boundary(void **state)
{
    struct buffer bounce = buffer_with_most(1 << 16);

    put(BYTES(BOUNCE), true);
    struct bytes all = buffer_bytes(&out);
    struct bytes rest = bytes_skip(all, bytes_search(all, BYTES("boundary=\"")) + 10);
    buffer_put(&bounce, BYTES(BOUNCE "\r\n--"));
    buffer_put(&bounce, bytes_upto(rest, '"'));
    buffer_put(&bounce, BYTES("--\r\n"));
    put(buffer_bytes(&bounce), true);
    check_shape(buffer_bytes(&bounce), "7bit");
    buffer_done(&bounce);
}

/* What is no bounce, and what does not fit, is bad, so that the letter goes as it is. */
static void test_bad(void **state)
{
    struct buffer small = buffer_with_most(2000);
    struct cover cover = { .envelope = &envelope, .recipient = BYTES("ann@example.org"),
                           .letter = 77, .text = BYTES(BOUNCE), .known = true };

    cover_put(&small, rules, &cover);
    assert_true(small.bad);
    buffer_done(&small);
    put(BYTES("Subject: x\r\n\r\nhello\r\n"), true);
    assert_true(out.bad);
    out.bad = false;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_may), cmocka_unit_test(test_wanted), cmocka_unit_test(test_known),
        cmocka_unit_test(test_unknown), cmocka_unit_test(test_same),
        cmocka_unit_test(test_codings), cmocka_unit_test(test_boundary),
        cmocka_unit_test(test_bad),
    };

    return cmocka_run_group_tests(tests, begin, end);
}
