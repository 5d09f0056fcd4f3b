/* SPDX-License-Identifier: ISC */
#include "bounce/read.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static struct rules *rules;
static struct bounce_reader *reader;

static int begin(void **state)
{
    (void)state;
    rules = rules_builtin();
    reader = rules == NULL ? NULL : bounce_reader_new(rules);
    return reader == NULL;
}

static int end(void **state)
{
    (void)state;
    bounce_reader_free(reader);
    rules_free(rules);
    return 0;
}

static struct bounce_report read_text(struct bytes text)
{
    struct bounce_report report;

    bounce_read(reader, text, &report);
    return report;
}

static void is_text(struct bytes got, const char *want)
{
    if (!bytes_equal(got, bytes_of(want)))
        print_error("got \"%.*s\", want \"%s\"\n", (int)got.n, got.at, want);
    assert_true(bytes_equal(got, bytes_of(want)));
}

static void is_code(struct status_code got, const char *want)
{
    struct buffer text = buffer_with_most(32);

    if (got.class != 0)
        status_put(&text, got);
    is_text(buffer_bytes(&text), want);
    buffer_done(&text);
}

#define DAEMON "From: Mail Delivery System <MAILER-DAEMON@mx.example>\n"
#define REPORT_HEAD DAEMON "To: me@home.example\nSubject: Undelivered Mail Returned to Sender\n" \
    "MIME-Version: 1.0\nContent-Type: multipart/report; report-type=delivery-status;\n" \
    " boundary=\"b1\"\n\n"
#define STATUS_HEAD "--b1\nContent-Type: message/delivery-status\n\n"

/* A message and what must be read from its first recipient. */
static const struct {
    const char *text;
    enum bounce_kind kind;
    const char *recipient, *status;
    uint16_t reply;
    enum cause_category category;
    enum cause_answer over;
} messages[] = {
    /* RFC 3464 */
    { REPORT_HEAD "--b1\n\nNo luck.\n" STATUS_HEAD "Reporting-MTA: dns; mx.example\n\n"
      "Final-Recipient: rfc822; anna@far.example\nAction: failed\nStatus: 5.1.1\n"
      "Diagnostic-Code: smtp; 550 5.1.1 <anna@far.example>: no such user\n--b1--\n",
      BOUNCE_FAILURE, "anna@far.example", "5.1.1", 550, CAUSE_USER_MISSING, CAUSE_YES },
    /* it is still tried, whatever the words say */
    { REPORT_HEAD STATUS_HEAD "Final-Recipient: rfc822; anna@far.example\nAction: delayed\n"
      "Status: 4.2.2\nDiagnostic-Code: smtp; 452 4.2.2 mailbox is full\n--b1--\n",
      BOUNCE_DELAY, "anna@far.example", "4.2.2", 452, CAUSE_MAILBOX_FULL, CAUSE_NO },
    /* given up, though the code begins with 4 */
    { REPORT_HEAD STATUS_HEAD "Final-Recipient: rfc822; anna@far.example\nAction: failed\n"
      "Status: 4.4.7\nDiagnostic-Code: smtp; connect to far.example: Connection timed out\n"
      "--b1--\n",
      BOUNCE_FAILURE, "anna@far.example", "4.4.7", 0, CAUSE_NO_ANSWER, CAUSE_YES },
    /* delivered */
    { REPORT_HEAD STATUS_HEAD "Final-Recipient: rfc822; anna@far.example\nAction: delivered\n"
      "Status: 2.1.5\n--b1--\n",
      BOUNCE_SUCCESS, "anna@far.example", "2.1.5", 0, CAUSE_DELIVERED, CAUSE_YES },
    { REPORT_HEAD STATUS_HEAD "Final-Recipient: rfc822; anna@far.example\nAction: relayed\n"
      "Status: 2.1.9\n--b1--\n",
      BOUNCE_RELAYED, "anna@far.example", "2.1.9", 0, CAUSE_NONE, CAUSE_YES },
    /* RFC 6533 */
    { REPORT_HEAD "--b1\nContent-Type: message/global-delivery-status\n\n"
      "Final-Recipient: utf-8; gr\xc3\xbc\xc3\x9f" "e@far.example\nAction: failed\n"
      "Status: 5.2.2\n--b1--\n",
      BOUNCE_FAILURE, "gr\xc3\xbc\xc3\x9f" "e@far.example", "5.2.2", 0, CAUSE_MAILBOX_FULL,
      CAUSE_YES },
    /* qmail */
    { DAEMON "Subject: failure notice\n\nHi. This is the qmail-send program at mx.example.\n"
      "I'm afraid I wasn't able to deliver your message to the following addresses.\n\n"
      "<anna@far.example>:\n192.0.2.1 does not like recipient.\n"
      "Remote host said: 550 5.7.1 Blocked, your address is listed at zen.spamhaus.org\n"
      "Giving up on 192.0.2.1.\n\n--- Below this line is a copy of the message.\n\n"
      "Subject: hello\nMessage-ID: <1@home.example>\n\nspam virus quota\n",
      BOUNCE_FAILURE, "anna@far.example", "5.7.1", 550, CAUSE_BLOCKED_REPUTATION, CAUSE_YES },
    /* Exim, with the address in the header */
    { DAEMON "Subject: Mail delivery failed: returning message to sender\n"
      "X-Failed-Recipients: anna@far.example\n\nThis message was created automatically by mail "
      "delivery software.\n\n  anna@far.example\n    host mx.far.example [192.0.2.1]\n"
      "    SMTP error from remote mail server after RCPT TO:<anna@far.example>:\n"
      "    552 5.2.2 over quota\n",
      BOUNCE_FAILURE, "anna@far.example", "5.2.2", 552, CAUSE_MAILBOX_FULL, CAUSE_YES },
    /* an old Sendmail: what the server said stands before the line that names whom it is about,
       and the last line is about a host */
    { DAEMON "Subject: Returned mail: Deferred\n\n   ----- Transcript of session follows -----\n"
      "While talking to mx.far.example:\n>>> MAIL From:<me@home.example>\n"
      "<<< 550 Insecure Mail Relay\n554 <anna@far.example>... Remote protocol error\n"
      "421 near.example (smtp)... Deferred: Connection timed out\n",
      BOUNCE_FAILURE, "anna@far.example", "5.7.1", 550, CAUSE_NOT_PERMITTED, CAUSE_YES },
    /* a program ended with a number: what it means stands in the transcript */
    { REPORT_HEAD "--b1\n\n   ----- Transcript of session follows -----\n"
      "554 5.3.0 unknown mailer error 255\n" STATUS_HEAD
      "Final-Recipient: rfc822; anna@far.example\nAction: failed\nStatus: 5.0.0\n"
      "Diagnostic-Code: X-Unix; 255\n--b1--\n",
      BOUNCE_FAILURE, "anna@far.example", "5.3.0", 554, CAUSE_SERVER_PROBLEM, CAUSE_YES },
    /* "later" of a letter that is not tried any more */
    { REPORT_HEAD STATUS_HEAD "Final-Recipient: rfc822; anna@far.example\nAction: failed\n"
      "Status: 4.3.0\nDiagnostic-Code: smtp; 451 4.3.0 recipient error. Please try again later\n"
      "--b1--\n",
      BOUNCE_FAILURE, "anna@far.example", "4.3.0", 451, CAUSE_UNKNOWN, CAUSE_YES },
    /* Sendmail warns */
    { DAEMON "Subject: Warning: could not send message for past 4 hours\n\n"
      "    ** THIS IS A WARNING MESSAGE ONLY **\n    ** YOU DO NOT NEED TO RESEND YOUR MESSAGE **"
      "\n\nThe original message was received at Mon, 2 Nov 2026\n\n"
      "   ----- Transcript of session follows -----\n"
      "<anna@far.example>... Deferred: Connection refused by far.example.\n",
      BOUNCE_DELAY, "anna@far.example", "4.4.1", 0, CAUSE_NO_ANSWER, CAUSE_NO },
    /* given up; what the last attempt got stands in the text, below it */
    { REPORT_HEAD "--b1\n\nanna@far.example\n2.11.2026 8:05 - Remote Server at far.example "
      "returned '550 4.4.7 QUEUE.Expired; message expired'\n2.11.2026 7:58 - Remote Server "
      "at far.example returned '441 4.4.1 Failed to connect. Winsock error code: 10060'\n"
      STATUS_HEAD "Final-Recipient: rfc822; anna@far.example\nAction: failed\nStatus: 4.4.7\n"
      "Diagnostic-Code: smtp; 550 4.4.7 QUEUE.Expired; message expired\n--b1--\n",
      BOUNCE_FAILURE, "anna@far.example", "4.4.1", 550, CAUSE_NO_ANSWER, CAUSE_YES },
    /* a header folded without the space that folding needs */
    { DAEMON "Subject: failure notice\nContent-Type: multipart/mixed;\nboundary=\"b1\"\n\n--b1\n"
      "Content-Type: multipart/alternative;\nboundary=\"b2\"\n\n--b2\n\nError: Invalid user "
      "address\nRCPT TO: anna@far.example\n--b2--\n--b1--\n",
      BOUNCE_FAILURE, "anna@far.example", "5.1.1", 0, CAUSE_USER_MISSING, CAUSE_YES },
    /* the words of one who quotes another */
    { REPORT_HEAD STATUS_HEAD "Final-Recipient: rfc822; anna@far.example\nAction: failed\n"
      "Status: 5.0.0\nDiagnostic-Code: smtp; 5.1.0 - Unknown address error 550-'5.2.2 over quota'"
      "\n--b1--\n",
      BOUNCE_FAILURE, "anna@far.example", "5.2.2", 550, CAUSE_MAILBOX_FULL, CAUSE_YES },
    /* "unknown user" after the text was sent is a filter's word */
    { DAEMON "Subject: Undelivered Mail Returned to Sender\n\nThis is the mail system at host a.\n"
      "\n<anna@far.example>: host mx.far.example[192.0.2.1] said: 550 Unknown user\n"
      "    (in reply to end of DATA command)\n",
      BOUNCE_FAILURE, "anna@far.example", "", 550, CAUSE_BLOCKED_POLICY, CAUSE_YES },
    /* Japanese in ISO-2022-JP, and German in HTML */
    { DAEMON "Subject: Mail System Error - Returned Mail\n"
      "Content-Type: text/plain; charset=iso-2022-jp\n\n"
      "\033$B%a!<%k%\"%I%l%9$,8+$D$+$j$^$;$s\033(B\n<anna@far.example>\n",
      BOUNCE_FAILURE, "anna@far.example", "5.1.1", 0, CAUSE_USER_MISSING, CAUSE_YES },
    { DAEMON "Subject: Unzustellbar\nContent-Type: text/html; charset=utf-8\n\n"
      "<p>Ihre Nachricht konnte nicht zugestellt werden.</p><b>anna@far.example</b><br>"
      "Das Postfach ist voll.",
      BOUNCE_FAILURE, "anna@far.example", "5.2.2", 0, CAUSE_MAILBOX_FULL, CAUSE_YES },
    /* Chinese, without a space around the address */
    { DAEMON "Subject: \xe9\x80\x80\xe4\xbf\xa1\nContent-Type: text/plain; charset=gb2312\n\n"
      "\xca\xd5\xbc\xfe\xc8\xcb" "anna@far.example\xb2\xbb\xb4\xe6\xd4\xda\n"
      "\xd3\xc3\xbb\xa7\xb2\xbb\xb4\xe6\xd4\xda\n",
      BOUNCE_FAILURE, "anna@far.example", "5.1.1", 0, CAUSE_USER_MISSING, CAUSE_YES },
    /* a person sends a report on, as an attachment */
    { "From: Bob <bob@home.example>\nSubject: what is this?\n"
      "Content-Type: multipart/mixed; boundary=o\n\n--o\n\nLook.\n--o\n"
      "Content-Type: message/rfc822\n\n" REPORT_HEAD STATUS_HEAD
      "Final-Recipient: rfc822; anna@far.example\nAction: failed\nStatus: 5.1.1\n--b1--\n--o--\n",
      BOUNCE_FAILURE, "anna@far.example", "5.1.1", 0, CAUSE_USER_MISSING, CAUSE_YES },
    /* RFC 3834 */
    { "From: Anna <anna@far.example>\nSubject: Re: hello\nAuto-Submitted: auto-replied\n\n"
      "I am away until Monday.\n",
      BOUNCE_AUTOREPLY, "anna@far.example", "", 0, CAUSE_AUTO_REPLY, CAUSE_UNSURE },
};

static void messages_are_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(messages); i++) {
        struct bounce_report report = read_text(bytes_of(messages[i].text));
        const struct bounce_recipient *out = report.recipients;

        if (report.kind != messages[i].kind || out->cause.category != messages[i].category)
            print_error("message %zu: %s, %s\n", i, bounce_kind_name(report.kind),
                        cause_category_name(out->cause.category));
        assert_int_equal(report.kind, messages[i].kind);
        assert_int_equal(report.recipients_n, 1);
        is_text(out->recipient, messages[i].recipient);
        is_code(out->status, messages[i].status);
        assert_int_equal(out->reply_code, messages[i].reply);
        assert_int_equal(out->cause.category, messages[i].category);
        assert_int_equal(out->cause.over, messages[i].over);
    }
}

/* The same message with each way to end a line says the same, but for the ends themselves. */
static void line_ends_do_not_matter(void **state)
{
    (void)state;
    static const char *const ends[] = { "\r\n", "\r" };

    for (size_t i = 0; i < COUNT(messages); i++) {
        for (size_t e = 0; e < COUNT(ends); e++) {
            struct buffer text = buffer_with_most(1 << 20);
            for (const char *at = messages[i].text; *at != '\0'; at++) {
                if (*at == '\n')
                    buffer_put_text(&text, ends[e]);
                else
                    buffer_put_char(&text, *at);
            }
            struct bounce_report report = read_text(buffer_bytes(&text));
            assert_int_equal(report.kind, messages[i].kind);
            is_text(report.recipients->recipient, messages[i].recipient);
            assert_int_equal(report.recipients->cause.category, messages[i].category);
            buffer_done(&text);
        }
    }
}

static void ordinary_mail_stays_so(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "", "\n", "\0x", "hello", "From: Anna <anna@far.example>\nSubject: lunch\n\nAt noon?\n",
        "From: news@shop.example\nSubject: Why mail bounces\nList-Id: <news.shop.example>\n\n"
        "A bounce says: 550 5.1.1 user unknown. The mailbox may be full.\n",
        "From: News <newsletter@esp.example>\nSubject: Why mail bounces: delivery status "
        "notifications explained\n\nYour message could not be delivered to one or more "
        "recipients. This is the mail system at host a: 550 5.1.1 user unknown. "
        "<bob@home.example>\n",
        "From: Anna <anna@far.example>\nSubject: Re: Undelivered Mail Returned to Sender\n\n"
        "> <bob@home.example>: 550 user unknown\n\nOh dear.\n",
    };

    for (size_t i = 0; i < COUNT(texts); i++) {
        struct bounce_report report = read_text(bytes_of(texts[i]));
        assert_int_equal(report.kind, BOUNCE_NOT_A_REPORT);
        assert_int_equal(report.recipients_n, 0);
    }
}

/* A service that asks the sender to be confirmed, in the form of a failure; a server that is asked
   for a confirmation refused the letter. */
static void a_question_is_no_failure(void **state)
{
    (void)state;
    const char *asked = "From: noreply@guests.example\nTo: me@home.example\nSubject: Re: hello\n"
        "Content-Type: multipart/report; report-type=delivery-status; boundary=\"b1\"\n\n"
        "--b1\n\nYou are not on my Guest List yet.\n" STATUS_HEAD
        "Final-Recipient: rfc822; anna@far.example\nAction: failed\nStatus: 4.7.0\n"
        "Diagnostic-Code: X-Guests; Sender not pre-approved. Follow the notice above\n--b1--\n";
    const char *refused = REPORT_HEAD "--b1\n\nSee https://far.example/guest list\n" STATUS_HEAD
        "Final-Recipient: rfc822; anna@far.example\nAction: failed\nStatus: 5.0.0\n"
        "Diagnostic-Code: smtp; 550 Your server requires confirmation\n--b1--\n";
    struct bounce_report report = read_text(bytes_of(asked));

    assert_int_equal(report.kind, BOUNCE_CHALLENGE);
    assert_int_equal(report.recipients_n, 0);
    report = read_text(bytes_of(refused));
    assert_int_equal(report.kind, BOUNCE_FAILURE);
    assert_int_equal(report.recipients->cause.category, CAUSE_BLOCKED_POLICY);
}

static void several_recipients(void **state)
{
    (void)state;
    struct bounce_report report = read_text(bytes_of(
        DAEMON "Subject: Delivery failure\n\nUnable to deliver message to the following "
        "address(es).\n\n<anna@far.example>:\n550 5.1.1 no such user\n\n<bob@near.example>:\n"
        "552 5.2.2 mailbox full\n\n--- Original message follows.\n\nMessage-ID: <7@home.example>\n"
        "Subject: =?utf-8?q?gr=C3=BC=C3=9Fe?=\n\nx\n"));

    assert_int_equal(report.recipients_n, 2);
    is_text(report.recipients[0].recipient, "anna@far.example");
    assert_int_equal(report.recipients[0].cause.category, CAUSE_USER_MISSING);
    is_text(report.recipients[1].recipient, "bob@near.example");
    assert_int_equal(report.recipients[1].cause.category, CAUSE_MAILBOX_FULL);
    is_text(report.message_id, "7@home.example");
    is_text(report.subject, "gr\xc3\xbc\xc3\x9f" "e");
}

static void complaints(void **state)
{
    (void)state;
    struct bounce_report report = read_text(bytes_of(
        "From: fbl@far.example\nSubject: complaint\n"
        "Content-Type: multipart/report; report-type=feedback-report; boundary=b1\n\n"
        "--b1\n\nSomebody complained.\n--b1\nContent-Type: message/feedback-report\n\n"
        "Feedback-Type: abuse\nOriginal-Rcpt-To: <anna@far.example>\n--b1\n"
        "Content-Type: message/rfc822\n\nMessage-ID: <8@home.example>\n\nx\n--b1--\n"));

    assert_int_equal(report.kind, BOUNCE_COMPLAINT);
    is_text(report.feedback_type, "abuse");
    is_text(report.recipients->recipient, "anna@far.example");
    is_text(report.message_id, "8@home.example");
}

static const struct {
    const char *text, *status;
    uint16_t reply;
    enum cause_category category;
} replies[] = {
    { "550 5.1.1 <a@b.example>: Recipient address rejected: User unknown", "5.1.1", 550,
      CAUSE_USER_MISSING },
    { "550-5.1.1 The email account that you tried to reach does not exist. Please try\n"
      "550-5.1.1 double-checking the recipient's email address\n550 5.1.1 x - gsmtp", "5.1.1",
      550, CAUSE_USER_MISSING },
    { "550 #5.1.0 Address rejected.", "5.1.0", 550, CAUSE_USER_MISSING },
    { "550 relay not permitted!", "5.7.1", 550, CAUSE_NOT_PERMITTED },
    { "DNS Error: Domain name not found", "5.1.2", 0, CAUSE_DOMAIN_ISSUE },
    { "421 4.7.0 [TSS04] Messages from 192.0.2.1 temporarily deferred", "4.7.0", 421,
      CAUSE_BLOCKED_REPUTATION },
    /* alone they decide nothing */
    { "550 5.7.1", "5.7.1", 550, CAUSE_BLOCKED_POLICY },
    { "550", "", 550, CAUSE_UNKNOWN },
    { "5.2.2", "5.2.2", 0, CAUSE_MAILBOX_FULL },
    /* an address is no evidence */
    { "550 5.7.1 <mailbox-full@b.example>: blocked by spamhaus.org", "5.7.1", 550,
      CAUSE_BLOCKED_REPUTATION },
};

static void replies_are_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(replies); i++) {
        struct bounce_report report;
        bounce_explain_reply(reader, bytes_of(replies[i].text), &report);
        const struct bounce_recipient *out = report.recipients;
        if (out->cause.category != replies[i].category)
            print_error("%s: %s\n", replies[i].text, cause_category_name(out->cause.category));
        assert_int_equal(out->cause.category, replies[i].category);
        assert_int_equal(out->reply_code, replies[i].reply);
        is_code(out->status, replies[i].status);
    }
}

/* The four answers are kept apart. */
static void four_answers(void **state)
{
    (void)state;
    struct bounce_report report;

    bounce_explain_reply(reader, BYTES("552 5.2.2 mailbox full"), &report);
    assert_int_equal(report.recipients->cause.over, CAUSE_YES);
    assert_int_equal(report.recipients->cause.retry_would_help, CAUSE_YES);
    assert_int_equal(report.recipients->cause.address_bad, CAUSE_NO);
    assert_int_equal(report.recipients->cause.who, CAUSE_WHO_RECIPIENT);
    bounce_explain_reply(reader, BYTES("450 4.1.1 user unknown"), &report);
    assert_int_equal(report.recipients->cause.over, CAUSE_UNSURE);
    assert_int_equal(report.recipients->cause.address_bad, CAUSE_UNSURE);
    bounce_explain_reply(reader, BYTES("550 5.1.1 user unknown"), &report);
    assert_int_equal(report.recipients->cause.address_bad, CAUSE_YES);
    assert_int_equal(report.recipients->cause.retry_would_help, CAUSE_NO);
}

static void lines_of_logs(void **state)
{
    (void)state;
    struct bounce_report report;

    assert_true(bounce_explain_line(reader, BYTES(
        "Nov  1 10:00:00 a postfix/smtp[1]: 1A: to=<anna@far.example>, relay=mx.far.example"
        "[192.0.2.1]:25, delay=1, dsn=5.1.1, status=bounced (host mx.far.example[192.0.2.1] said: "
        "550 5.1.1 user unknown (in reply to RCPT TO command))"), &report));
    is_text(report.recipients->recipient, "anna@far.example");
    assert_int_equal(report.recipients->cause.category, CAUSE_USER_MISSING);
    assert_int_equal(report.recipients->command, COMMAND_RCPT);
    is_text(report.recipients->remote_mta, "mx.far.example");
    assert_true(bounce_explain_line(reader, BYTES(
        "2026-11-01 10:00:00 1a-2b-3c == anna@far.example R=dnslookup T=remote_smtp defer (-44): "
        "SMTP error: 452 4.2.2 mailbox full"), &report));
    assert_int_equal(report.kind, BOUNCE_DELAY);
    assert_int_equal(report.recipients->cause.category, CAUSE_MAILBOX_FULL);
    assert_int_equal(report.recipients->cause.over, CAUSE_NO);
    assert_false(bounce_explain_line(reader, BYTES("kernel: eth0 up"), &report));
}

static void inputs_are_told_apart(void **state)
{
    (void)state;
    static const struct { const char *text; enum bounce_input want; } rows[] = {
        { "", INPUT_EMPTY }, { " \n", INPUT_EMPTY }, { "5.7.7", INPUT_CODE },
        { "550\n", INPUT_CODE }, { "X.7.7", INPUT_CODE }, { "550 5.1.1 no", INPUT_REPLY },
        { "550-a\n550 b", INPUT_REPLY },
        { "user unknown", INPUT_REPLY }, { "From a@b Mon\nSubject: x\n\n", INPUT_MBOX },
        { "Subject: x\nFrom: a@b.example\n\ny", INPUT_MESSAGE },
        { "x: 1A: to=<a@b.example>, relay=none, dsn=4.4.1, status=deferred (time)", INPUT_LINE },
    };

    for (size_t i = 0; i < COUNT(rows); i++)
        assert_int_equal(bounce_input_of(bytes_of(rows[i].text)), rows[i].want);
}

static void an_mbox_is_parted(void **state)
{
    (void)state;
    struct bytes rest = BYTES("From a@b Mon\nSubject: 1\n\nFrom here\n\n"
                              "From c@d Tue\nSubject: 2\n\n");
    struct bytes message;
    unsigned n = 0;

    while (bounce_mbox_next(&rest, &message))
        n++;
    assert_int_equal(n, 3);     /* an unquoted "From " parts: nothing else can be known */
}

static void repeat(struct buffer *to, const char *text, unsigned times)
{
    for (unsigned i = 0; i < times; i++)
        buffer_put_text(to, text);
}

/* Processor time of one reading, in ms. It is printed, and bounded only far above what is asked:
   a machine may be busy. */
static double spent(struct bytes text, struct bounce_report *ret_report)
{
    clock_t from = clock();

    bounce_read(reader, text, ret_report);
    return (double)(clock() - from) * 1e3 / CLOCKS_PER_SEC;
}

static void dsn_001_parts_missing_or_thrice(void **state)
{
    (void)state;
    static const char group[] = STATUS_HEAD
        "Final-Recipient: rfc822; anna@far.example\nAction: failed\nStatus: 5.1.1\n";
    struct buffer text = buffer_with_most(1 << 16);
    struct bounce_report report = read_text(BYTES(REPORT_HEAD "--b1--\n"));

    assert_int_equal(report.kind, BOUNCE_FAILURE);      /* somebody's, for no known reason */
    assert_int_equal(report.recipients->cause.category, CAUSE_UNKNOWN);
    buffer_put_text(&text, REPORT_HEAD);
    buffer_put_text(&text, "--b1\nContent-Type: message/rfc822\n\nSubject: x\n\ny\n");
    repeat(&text, group, 3);
    report = read_text(buffer_bytes(&text));
    assert_int_equal(report.recipients_n, 3);
    assert_int_equal(report.recipients[2].cause.category, CAUSE_USER_MISSING);
    buffer_done(&text);
}

static void dsn_002_a_hundred_thousand_groups(void **state)
{
    (void)state;
    struct buffer text = buffer_with_most(64 << 20);
    struct bounce_report report;

    buffer_put_text(&text, REPORT_HEAD STATUS_HEAD);
    repeat(&text, "Final-Recipient: rfc822; a@far.example\nAction: failed\nStatus: 5.1.1\n\n",
           100 * 1000);
    print_message("100,000 groups: %.1f ms\n", spent(buffer_bytes(&text), &report));
    assert_int_equal(report.recipients_n, READ_RECIPIENTS_MOST);
    assert_int_equal(report.recipients_all, 100 * 1000);
    buffer_clear(&text);
    buffer_put_text(&text, REPORT_HEAD STATUS_HEAD
                    "Final-Recipient: rfc822; a@far.example\nStatus: 5.1.1\nDiagnostic-Code: ");
    repeat(&text, "550 no ", 1 << 18);
    print_message("a field of 1.8 MB: %.1f ms\n", spent(buffer_bytes(&text), &report));
    assert_int_equal(report.recipients_n, 1);
    assert_true(report.recipients->diagnostic.n <= 8192);
    buffer_done(&text);
}

static void dsn_003_odd_codes(void **state)
{
    (void)state;
    static const struct { const char *status, *want; } rows[] = {
        { "5.1.1 (user unknown; \r\n Bcc: x)", "5.1.1" }, { "5", "" }, { "5.1", "" },
        { "5.1.1.1", "" }, { "9.9.9", "" }, { "\xd9\xa5.\xd9\xa1.\xd9\xa1", "" },
        { "5.1234.1", "" }, { " 5.2.2", "5.2.2" },
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct buffer text = buffer_with_most(1 << 16);
        buffer_put_text(&text, REPORT_HEAD STATUS_HEAD "Final-Recipient: rfc822; a@far.example\n"
                        "Action: failed\nStatus: ");
        buffer_put_text(&text, rows[i].status);
        buffer_put_text(&text, "\nDiagnostic-Code: smtp; it did not work\n--b1--\n");
        struct bounce_report report = read_text(buffer_bytes(&text));
        assert_int_equal(report.recipients_n, 1);
        is_code(report.recipients->status, rows[i].want);
        buffer_done(&text);
    }
}

static void dsn_008_cut_at_every_octet(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(messages); i++) {
        struct bytes text = bytes_of(messages[i].text);
        for (size_t n = 0; n < text.n; n++) {
            char *exact = malloc(n + 1);
            memcpy(exact, text.at, n);
            (void)read_text((struct bytes){ exact, n });
            free(exact);
        }
    }
}

static void dsn_009_evil_texts_take_linear_time(void **state)
{
    (void)state;
    static const char *const pieces[] = {
        "aaaaaaaaaaaaaaaaaaaaaaaa", "user unknown ", "@", "a@b.example ", "<", "550-", "5.1.1",
        "user unknown\n", "a@b.example\n", "--b1\n", "=?utf-8?q?", "\033$B", "\n", "\r", " \n ",
        "From ", "&#", "over quota over quota \xc3\x9c", "Final-Recipient: rfc822; a@b.example\n",
    };

    for (size_t i = 0; i < COUNT(pieces); i++) {
        struct buffer text = buffer_with_most(64 << 20);
        struct bounce_report report;
        buffer_put_text(&text, REPORT_HEAD "--b1\n\n");
        repeat(&text, pieces[i], (unsigned)((10u << 20) / strlen(pieces[i])));
        double ms = spent(buffer_bytes(&text), &report);
        print_message("10 MiB of piece %zu: %.1f ms\n", i, ms);
        assert_true(ms < 5000);
        buffer_done(&text);
    }
}

static void dsn_011_the_letter_is_not_looked_at(void **state)
{
    (void)state;
    struct bounce_report report = read_text(BYTES(
        REPORT_HEAD "--b1\n\nNot delivered.\n" STATUS_HEAD
        "Final-Recipient: rfc822; a@far.example\nAction: failed\nStatus: 5.0.0\n--b1\n"
        "Content-Type: message/rfc822\n\nSubject: x\n\n<script>virus over quota user unknown\n"
        "--b1--\n"));

    assert_int_equal(report.recipients->cause.category, CAUSE_UNKNOWN);
    is_text(report.subject, "x");
}

static void dsn_012_a_complaint_in_odd_octets(void **state)
{
    (void)state;
    struct bounce_report report = read_text(BYTES(
        "Content-Type: multipart/report; report-type=feedback-report; boundary=b1\n\n--b1\n"
        "Content-Type: message/feedback-report\n\nFeedback-Type: \xff\xfe\nSource-IP: 999.1.1.1\n"
        "Original-Rcpt-To: \xff@\xff\n--b1--\n"));

    assert_int_equal(report.kind, BOUNCE_COMPLAINT);
    assert_int_equal(report.recipients_n, 1);
}

/* Twice the same, with another message between. */
static void readings_do_not_touch_each_other(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(messages); i++) {
        enum cause_category first = read_text(bytes_of(messages[i].text))
            .recipients->cause.category;
        (void)read_text(bytes_of(messages[(i + 1) % COUNT(messages)].text));
        assert_int_equal(read_text(bytes_of(messages[i].text)).recipients->cause.category, first);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_are_read),
        cmocka_unit_test(line_ends_do_not_matter),
        cmocka_unit_test(ordinary_mail_stays_so),
        cmocka_unit_test(a_question_is_no_failure),
        cmocka_unit_test(several_recipients),
        cmocka_unit_test(complaints),
        cmocka_unit_test(replies_are_read),
        cmocka_unit_test(four_answers),
        cmocka_unit_test(lines_of_logs),
        cmocka_unit_test(inputs_are_told_apart),
        cmocka_unit_test(an_mbox_is_parted),
        cmocka_unit_test(dsn_001_parts_missing_or_thrice),
        cmocka_unit_test(dsn_002_a_hundred_thousand_groups),
        cmocka_unit_test(dsn_003_odd_codes),
        cmocka_unit_test(dsn_008_cut_at_every_octet),
        cmocka_unit_test(dsn_009_evil_texts_take_linear_time),
        cmocka_unit_test(dsn_011_the_letter_is_not_looked_at),
        cmocka_unit_test(dsn_012_a_complaint_in_odd_octets),
        cmocka_unit_test(readings_do_not_touch_each_other),
    };

    return cmocka_run_group_tests(tests, begin, end);
}
