/* SPDX-License-Identifier: ISC */
#include "bounce/card.h"

#include "base/utf8.h"
#include "mail/width.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <string.h>

enum { NOW = 1795356300 };      /* 22 November 2026, 14:05 UTC */

static struct bounce_recipient recipient_of(enum cause_category category)
{
    struct bounce_recipient recipient = {
        .recipient = BYTES("jane@example.com"), .action = ACTION_FAILED,
        .diagnostic = BYTES("550 5.1.1 no such user"), .remote_mta = BYTES("mx.example.com"),
        .cause = cause_of(category), .confidence = 90, .evidence_n = 1,
        .evidence = { { PROOF_WORDS, BYTES("no such user"), 3 } },
    };

    recipient.cause.status = STATUS(5, 1, 1);
    recipient.cause.reply_code = 550;
    recipient.cause.over = CAUSE_YES;
    return recipient;
}

static struct bounce_report report_of(struct bounce_recipient *recipients, uint32_t n)
{
    return (struct bounce_report){
        .kind = BOUNCE_FAILURE, .recipients = recipients, .recipients_n = n, .recipients_all = n,
        .message_id = BYTES("1@example.org"), .subject = BYTES("Hello"),
    };
}

static struct card_style style_of(const char *code)
{
    return (struct card_style){ .lang = lang_find(bytes_of(code)), .now = NOW };
}

static bool holds(const struct buffer *text, const char *part)
{
    return bytes_search(buffer_bytes(text), bytes_of(part)) < text->n;
}

/* ---- the words */

static void test_one_card(void **state)
{
    struct bounce_recipient recipient = recipient_of(CAUSE_USER_MISSING);
    struct bounce_report report = report_of(&recipient, 1);
    struct card_style style = style_of("en");
    struct buffer text = buffer_with_most(CARD_MOST);

    card_put_text(&text, &report, &style);
    buffer_put_char(&text, '\0');
    assert_string_equal(text.at,
        "Address not found: there is no such mailbox\n"
        "-------------------------------------------\n"
        "\n"
        "  To: jane@example.com\n"
        "  Subject: Hello\n"
        "\n"
        "The mail server for this address answered, but it knows no mailbox with this\n"
        "name. Most often the address has a typing mistake, or the person no longer uses\n"
        "it.\n"
        "\n"
        "Who must act?\n"
        "  You can put this right yourself.\n"
        "\n"
        "What to do\n"
        "  You: Compare the part before the @ letter by letter with the address you were\n"
        "  given; look for missing dots and stray spaces. If it looks right, ask the\n"
        "  recipient by phone or another way for the current address.\n"
        "  The recipient's mail administrator: If the mailbox should exist, create or\n"
        "  restore it, and check the aliases and the user directory that the mail server\n"
        "  asks.\n"
        "  Do not use this address again before it has been corrected, and take it off\n"
        "  your mailing lists.\n"
        "\n"
        "Will it be tried again?\n"
        "  No. This message will not be tried again, and sending it again unchanged would\n"
        "  not help.\n"
        "\n"
        "Technical details\n"
        "  Status code: 5.1.1\n"
        "  Reply code: 550\n"
        "  Official meaning: Sending the same thing again will not work; the message,\n"
        "    address or destination must change. No such mailbox: the part left of the @\n"
        "    does not exist at that domain. (RFC 3463, 3.2)\n"
        "  Mail server: mx.example.com\n"
        "  The server's own words: 550 5.1.1 no such user\n"
        "  Message-ID: 1@example.org\n"
        "  What decided: no such user\n");
    buffer_done(&text);
}

static const struct {
    enum cause_answer over, helps;
    uint8_t class;
    int64_t until, now;
    const char *said;
} retries[] = {
    { CAUSE_YES, CAUSE_NO, 5, 0, NOW, "No. This message will not be tried again" },
    { CAUSE_YES, CAUSE_YES, 5, 0, NOW, "No, not by itself." },
    { CAUSE_YES, CAUSE_YES, 4, 0, NOW, "No, not by itself." },
    { CAUSE_YES, CAUSE_UNSURE, 5, 0, NOW, "No, not by itself." },
    { CAUSE_NO, CAUSE_YES, 4, 0, NOW, "Yes. Delivery is still being attempted" },
    { CAUSE_NO, CAUSE_YES, 4, NOW + 172800, NOW,
      "Yes, until 24 November 2026, 14:05 (UTC) (another 2 days)." },
    { CAUSE_NO, CAUSE_YES, 4, NOW + 172800, 0,
      "Yes, until 24 November 2026, 14:05 (UTC). You" },
    { CAUSE_NO, CAUSE_YES, 4, NOW - 1, NOW, "Attempts were to go on until 22 November 2026" },
    { CAUSE_UNSURE, CAUSE_YES, 4, 0, NOW, "Usually yes." },
    { CAUSE_UNSURE, CAUSE_NO, 5, 0, NOW, "No. This message will not be tried again" },
};

static void test_retry_sentences(void **state)
{
    for (size_t i = 0; i < COUNT(retries); i++) {
        struct card_style style = style_of("en");
        struct cause cause = cause_of(CAUSE_NO_ANSWER);
        struct buffer said = buffer_with_most(1000);
        style.now = retries[i].now;
        cause.over = retries[i].over;
        cause.retry_would_help = retries[i].helps;
        cause.status.class = retries[i].class;
        cause.retry_until = retries[i].until;
        card_put_retry(&said, &cause, &style);
        if (!bytes_begins(buffer_bytes(&said), bytes_of(retries[i].said)))
            fail_msg("row %zu: %.*s", i, (int)said.n, said.at);
        buffer_done(&said);
    }
}

/* What is still tried stands under "Delivery incomplete", whatever its cause. */
static void test_incomplete(void **state)
{
    struct bounce_recipient recipient = recipient_of(CAUSE_MAILBOX_FULL);
    struct bounce_report report = report_of(&recipient, 1);
    struct card_style style = style_of("de");
    struct buffer text = buffer_with_most(CARD_MOST);

    recipient.cause.over = CAUSE_NO;
    card_put_text(&text, &report, &style);
    assert_true(holds(&text, "Zustellung noch nicht abgeschlossen: Das Postfach des"));
    buffer_done(&text);
}

static const struct {
    enum bounce_kind kind;
    enum bounce_action action;
    enum cause_category category;
    const char *headline;
} kinds[] = {
    { BOUNCE_SUCCESS, ACTION_DELIVERED, CAUSE_DELIVERED, "Your message was delivered" },
    { BOUNCE_RELAYED, ACTION_RELAYED, CAUSE_NONE, "Your message was handed on" },
    { BOUNCE_AUTOREPLY, ACTION_UNKNOWN, CAUSE_AUTO_REPLY, "This is an automatic reply" },
    { BOUNCE_COMPLAINT, ACTION_UNKNOWN, CAUSE_COMPLAINT, "A recipient marked a message" },
    { BOUNCE_CHALLENGE, ACTION_UNKNOWN, CAUSE_CHALLENGE, "The recipient asks you to prove" },
    { BOUNCE_FAILURE, ACTION_DELIVERED, CAUSE_DELIVERED, "Your message was delivered" },
};

static void test_kinds(void **state)
{
    for (size_t i = 0; i < COUNT(kinds); i++) {
        struct bounce_recipient recipient = recipient_of(kinds[i].category);
        struct bounce_report report = report_of(&recipient, 1);
        struct card_style style = style_of("en");
        struct buffer text = buffer_with_most(CARD_MOST), out = buffer_with_most(CARD_MOST);
        struct json json = json_to(&out);
        recipient.action = kinds[i].action;
        report.kind = kinds[i].kind;
        card_put_text(&text, &report, &style);
        assert_true(bytes_begins(buffer_bytes(&text), bytes_of(kinds[i].headline)));
        assert_false(holds(&text, "Who must act?"));
        card_put_json(&json, &report, &style, BYTES("x"));
        assert_true(holds(&out, "\"category\":null,\"family\":null,"));
        assert_true(holds(&out, "\"fix\":[]"));
        buffer_done(&text);
        buffer_done(&out);
    }
}

static void test_no_report(void **state)
{
    struct bounce_report report = { .kind = BOUNCE_NOT_A_REPORT };
    struct card_style style = style_of("en");
    struct buffer text = buffer_with_most(CARD_MOST);
    struct json json = json_to(&text);

    card_put_text(&text, &report, &style);
    assert_true(bytes_begins(buffer_bytes(&text), BYTES("This is not a report about failed")));
    buffer_clear(&text);
    card_put_html(&text, &report, &style, 1);
    assert_true(holds(&text, "<h2 id=\"c1-0\">This is not a report about failed mail</h2>"));
    buffer_clear(&text);
    card_put_json(&json, &report, &style, BYTES("x"));
    assert_true(holds(&text, "\"kind\":\"not-a-report\""));
    assert_true(holds(&text, "\"recipients\":[],"));
    buffer_done(&text);
}

static void test_json(void **state)
{
    struct bounce_recipient recipient = recipient_of(CAUSE_USER_MISSING);
    struct bounce_report report = report_of(&recipient, 1);
    struct card_style style = style_of("en");
    struct buffer text = buffer_with_most(CARD_MOST);
    struct json json = json_to(&text);
    static const char *const parts[] = {
        "{\"version\":1,\"input\":\"a.eml\",\"kind\":\"bounce\",\"language\":\"en\",",
        "\"recipients\":[{\"recipient\":\"jane@example.com\",\"original_recipient\":null,"
        "\"action\":\"failed\",\"status\":\"5.1.1\",\"reply_code\":550,"
        "\"category\":\"user-missing\",\"family\":\"address-not-found\",\"over\":true,"
        "\"retry_would_help\":false,\"who\":\"sender\",\"address_bad\":true,\"retry_until\":null,"
        "\"headline\":\"Address not found: there is no such mailbox\",\"summary\":\"The mail",
        "\"fix\":[\"Compare the part", "\"official\":{\"text\":\"Sending the same",
        "\"reference\":\"RFC 3463, 3.2\"}", "\"remote_mta\":\"mx.example.com\"",
        "\"diagnostic\":\"550 5.1.1 no such user\"", "\"text\":\"no such user\"}]",
        "\"confidence\":90}],\"recipients_found\":1,",
        "\"original\":{\"message_id\":\"1@example.org\",\"subject\":\"Hello\"}",
    };

    card_put_json(&json, &report, &style, BYTES("a.eml"));
    assert_false(text.bad);
    for (size_t i = 0; i < COUNT(parts); i++)
        if (!holds(&text, parts[i]))
            fail_msg("no %s in %.*s", parts[i], (int)text.n, text.at);
    buffer_done(&text);
}

/* ---- many recipients */

static void test_groups(void **state)
{
    static struct bounce_recipient recipients[60];
    struct bounce_report report = report_of(recipients, COUNT(recipients));
    struct card_style style = style_of("en");
    struct buffer text = buffer_with_most(CARD_MOST);
    size_t cards = 0;

    for (size_t i = 0; i < COUNT(recipients); i++)
        recipients[i] = recipient_of(i % 2 == 0 ? CAUSE_USER_MISSING : CAUSE_MAILBOX_FULL);
    report.recipients_all = 100000;
    card_put_text(&text, &report, &style);
    for (struct bytes rest = buffer_bytes(&text), line; bytes_cut(&rest, '\n', &line);)
        cards += bytes_equal(line, BYTES("Who must act?"));
    assert_int_equal(cards, 2);
    assert_true(holds(&text, "and 10 more recipients\n"));
    assert_true(holds(&text, "and 99,940 more recipients\n"));
    buffer_done(&text);
}

/* ---- whatever a stranger wrote */

static const char *const hostile[] = {
    "\x1b[2J\x1b]0;x\x07", "\xe2\x80\xae" "evil\xe2\x81\xa6", "\xff\xfe\xc0\x80",
    "<script>alert(1)</script>", "\" onload=\"x", "'><img src=x>", "</samp></article>",
    "a\r\nb\nc\td", "\xe2\x80\x8b\xef\xbb\xbf\xf3\xa0\x80\x81", "\xc2\x9b" "31m", "{when}{family}",
    "&amp;&#x202e;", "\\u202e\\", "\x7f\x08\x0c",
};

static void put_hostile(struct bounce_recipient *recipient, struct bounce_report *report,
                        struct bytes text)
{
    recipient->recipient = recipient->original_recipient = text;
    recipient->diagnostic = recipient->remote_mta = recipient->reporting_mta = text;
    recipient->evidence[0].text = text;
    report->message_id = report->subject = report->from = text;
}

/* Only characters that are safe everywhere, and white space that is safe here. */
static void check_safe(struct bytes text, const char *white)
{
    uint32_t point;

    while (text.n > 0) {
        size_t n = utf8_take(text, &point);
        bool is_white = point > 0 && point < 128 && strchr(white, (int)point) != NULL;
        assert_true(n > 0 && (is_white || !utf8_is_unsafe(point)));
        text = bytes_skip(text, n);
    }
}

static size_t count(struct bytes text, char c)
{
    size_t n = 0;

    for (size_t i = 0; i < text.n; i++)
        n += text.at[i] == c;
    return n;
}

/* The card with harmless texts has as many tags and quotes. */
static void check_html(const struct bounce_report *report, struct bounce_recipient *recipient,
                       const struct card_style *style, struct bytes text)
{
    struct buffer good = buffer_with_most(CARD_MOST), bad = buffer_with_most(CARD_MOST);
    struct bounce_report said = *report;

    put_hostile(recipient, &said, BYTES("x"));
    card_put_html(&good, &said, style, 1);
    put_hostile(recipient, &said, text);
    card_put_html(&bad, &said, style, 1);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(count(buffer_bytes(&good), "<>\"'"[i]),
                         count(buffer_bytes(&bad), "<>\"'"[i]));
    check_safe(buffer_bytes(&bad), "\n\t");
    buffer_done(&good);
    buffer_done(&bad);
}

static void check_hostile(const struct lang *lang, struct bytes text)
{
    struct bounce_recipient recipient = recipient_of(CAUSE_BLOCKED_POLICY);
    struct bounce_report report = report_of(&recipient, 1);
    struct card_style style = { .lang = lang, .now = NOW, .codes = "/codes/" };
    struct buffer out = buffer_with_most(CARD_MOST);
    struct json json = json_to(&out);

    check_html(&report, &recipient, &style, text);
    put_hostile(&recipient, &report, text);
    card_put_text(&out, &report, &style);
    check_safe(buffer_bytes(&out), "\n");
    buffer_clear(&out);
    card_put_json(&json, &report, &style, text);
    assert_false(out.bad);
    check_safe(buffer_bytes(&out), "");
    buffer_done(&out);
}

/* DSN-004 */
static void test_hostile(void **state)
{
    char noise[300];
    uint64_t dice = 42;

    for (size_t l = 0; lang_at(l) != NULL; l++) {
        for (size_t i = 0; i < COUNT(hostile); i++)
            check_hostile(lang_at(l), bytes_of(hostile[i]));
        for (size_t turn = 0; turn < 100; turn++) {
            for (size_t i = 0; i < sizeof(noise); i++) {
                dice = dice * 6364136223846793005u + 1442695040888963407u;
                noise[i] = (char)(dice >> 56);
            }
            check_hostile(lang_at(l), (struct bytes){ noise, sizeof(noise) });
        }
    }
}

/* No line of any card in any language is wider than 80 columns. */
static void check_columns(const struct lang *lang, enum cause_category category, bool waiting)
{
    struct bounce_recipient recipient = recipient_of(category);
    struct bounce_report report = report_of(&recipient, 1);
    struct card_style style = { .lang = lang, .now = NOW };
    struct buffer text = buffer_with_most(CARD_MOST);
    char word[700];

    memset(word, 'w', sizeof(word));
    put_hostile(&recipient, &report, (struct bytes){ word, sizeof(word) });
    recipient.cause.over = waiting ? CAUSE_NO : CAUSE_YES;
    recipient.cause.retry_until = waiting ? NOW + 100000 : 0;
    card_put_text(&text, &report, &style);
    for (struct bytes rest = buffer_bytes(&text), line; bytes_cut(&rest, '\n', &line);) {
        assert_true(width_of(line) <= CARD_COLUMNS);
        assert_false(bytes_ends(line, BYTES(" ")));
    }
    buffer_done(&text);
}

static void test_columns(void **state)
{
    for (size_t l = 0; lang_at(l) != NULL; l++)
        for (enum cause_category one = CAUSE_FIRST; one <= CAUSE_LAST; one++) {
            check_columns(lang_at(l), one, false);
            check_columns(lang_at(l), one, true);
        }
}

static void test_language(void **state)
{
    struct bounce_report report = { .language = BYTES("ja") };

    assert_string_equal(card_lang(BYTES_NONE, &report)->code, "ja");
    assert_string_equal(card_lang(BYTES("de-DE, en"), &report)->code, "de");
    assert_string_equal(card_lang(BYTES("xx"), &report)->code, "ja");
    report.language = BYTES("tlh");
    assert_string_equal(card_lang(BYTES_NONE, &report)->code, "en");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_card), cmocka_unit_test(test_retry_sentences),
        cmocka_unit_test(test_incomplete), cmocka_unit_test(test_kinds),
        cmocka_unit_test(test_no_report), cmocka_unit_test(test_json),
        cmocka_unit_test(test_groups), cmocka_unit_test(test_hostile),
        cmocka_unit_test(test_columns), cmocka_unit_test(test_language),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
