/* SPDX-License-Identifier: ISC */
#include "role/once_explain.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <string.h>

/* ---- words */

static const struct {
    const char *words;          /* behind the command's name */
    bool well;
    size_t inputs;
    enum explain_form form;
    const char *lang;
} commands[] = {
    { "", true, 0, EXPLAIN_TEXT, "" },
    { "a b c", true, 3, EXPLAIN_TEXT, "" },
    { "--json a --lang de b", true, 2, EXPLAIN_JSON, "de" },
    { "--html --lang=pt-BR", true, 0, EXPLAIN_HTML, "pt-BR" },
    { "--text -", true, 1, EXPLAIN_TEXT, "" },
    { "-- --json", true, 1, EXPLAIN_TEXT, "" },
    { "--summary a", true, 1, EXPLAIN_TEXT, "" },
    { "--lang", false, 0, EXPLAIN_TEXT, "" },
    { "--lang tlh", false, 0, EXPLAIN_TEXT, "" },
    { "--rules", false, 0, EXPLAIN_TEXT, "" },
    { "--nonsense", false, 0, EXPLAIN_TEXT, "" },
};

static void test_words(void **state)
{
    for (size_t i = 0; i < COUNT(commands); i++) {
        struct bytes words[10] = { BYTES("explain") }, rest = bytes_of(commands[i].words);
        struct once_explain_request request = { 0 };
        struct buffer flaw = buffer_with_most(1000);
        size_t n = 1;
        while (bytes_cut(&rest, ' ', &words[n]))
            n++;
        assert_int_equal(once_explain_read(words, n, &request, &flaw), commands[i].well);
        assert_int_equal(flaw.n > 0, !commands[i].well);
        if (commands[i].well) {
            assert_int_equal(request.inputs, commands[i].inputs);
            assert_int_equal(request.form, commands[i].form);
            assert_true(bytes_equal(request.lang, bytes_of(commands[i].lang)));
        }
        buffer_done(&flaw);
    }
}

/* ---- files */

struct fixture {
    struct rules *rules;
    struct once_explain explain;
    struct buffer out;
};

static void begin(struct fixture *fixture, enum explain_form form)
{
    *fixture = (struct fixture){ .rules = rules_builtin(),
                                 .out = buffer_with_most(ONCE_EXPLAIN_ANSWER) };
    assert_non_null(fixture->rules);
    fixture->explain = (struct once_explain){
        .request = { .form = form, .lang = BYTES_NONE, .rules = BYTES_NONE },
        .reader = bounce_reader_new(fixture->rules), .setting = BYTES_NONE,
        .style = { .lang = lang_english() },
    };
    assert_non_null(fixture->explain.reader);
    once_explain_begin(&fixture->explain, &fixture->out);
}

static void end(struct fixture *fixture)
{
    bounce_reader_free(fixture->explain.reader);
    rules_free(fixture->rules);
    buffer_done(&fixture->out);
}

/* A file, `step` octets at a time, through a window of `room`. */
static void run(struct fixture *fixture, struct bytes file, size_t step, size_t room)
{
    struct once_explain_file state = { .name = BYTES("x") };
    struct buffer window = buffer_with_most(room);
    enum once_window next = ONCE_WINDOW_DROP;
    bool whole = false;

    while (next != ONCE_WINDOW_OVER) {
        size_t used = 0;
        next = once_explain_window(&fixture->explain, &state, buffer_bytes(&window),
                                   window.n == room, whole, &fixture->out, &used);
        if (next == ONCE_WINDOW_DROP)
            buffer_drop(&window, used);
        if (next == ONCE_WINDOW_MORE) {
            size_t left = room - window.n;
            struct bytes more = bytes_first(file, step < left ? step : left);
            whole = more.n == 0;
            buffer_put(&window, more);
            file = bytes_skip(file, more.n);
        }
    }
    buffer_done(&window);
}

static bool says(const struct fixture *fixture, const char *part)
{
    return bytes_search(buffer_bytes(&fixture->out), bytes_of(part)) < fixture->out.n;
}

static size_t lines(const struct fixture *fixture)
{
    size_t n = 0;

    for (size_t i = 0; i < fixture->out.n; i++)
        n += fixture->out.at[i] == '\n';
    return n;
}

#define DSN(address, code, words) \
    "From: MAILER-DAEMON@mx.example.org\nSubject: failure\nMIME-Version: 1.0\n" \
    "Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n" \
    "--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example.org\n\n" \
    "Final-Recipient: rfc822; " address "\nAction: failed\nStatus: " code "\n" \
    "Diagnostic-Code: smtp; " words "\n\n--b--\n"
#define MBOX "From x\n" DSN("a@example.com", "5.1.1", "550 5.1.1 no such user") \
    "\nFrom y\nSubject: hello\n\nan ordinary letter\n" \
    "\nFrom z\n" DSN("b@example.com", "5.2.2", "552 5.2.2 mailbox full")

static void test_mbox(void **state)
{
    for (size_t step = 7; step < 5000; step = step * 3 + 1) {
        struct fixture fixture;
        begin(&fixture, EXPLAIN_JSON);
        run(&fixture, BYTES(MBOX), step, 64 * 1024);
        assert_int_equal(lines(&fixture), 3);
        assert_int_equal(fixture.explain.reports, 2);
        assert_true(says(&fixture, "\"input\":\"x:1\"") && says(&fixture, "\"input\":\"x:3\""));
        assert_true(says(&fixture, "\"category\":\"user-missing\""));
        assert_true(says(&fixture, "\"category\":\"mailbox-full\""));
        assert_int_equal(once_explain_end(&fixture.explain, &fixture.out), ONCE_WELL);
        end(&fixture);
    }
}

/* In text the letters that are no reports are left out, and the others are named. */
static void test_mbox_text(void **state)
{
    struct fixture fixture;

    begin(&fixture, EXPLAIN_TEXT);
    run(&fixture, BYTES(MBOX), 4096, 64 * 1024);
    assert_true(says(&fixture, "== x:1\n\nAddress not found: "));
    assert_true(says(&fixture, "\n\n== x:3\n\nMessage not delivered: "));
    assert_false(says(&fixture, "x:2"));
    end(&fixture);
}

static void test_log(void **state)
{
    static const char log[] =
        "Nov 21 10:00:00 mx postfix/smtp[1]: 4ABC: to=<a@example.com>, "
        "relay=mx.example.com[192.0.2.1]:25, "
        "delay=1, delays=0/0/0/1, dsn=5.1.1, status=bounced (host mx.example.com[192.0.2.1] "
        "said: 550 5.1.1 <a@example.com>: User unknown (in reply to RCPT TO command))\n"
        "Nov 21 10:00:01 mx postfix/qmgr[1]: 4ABC: removed\n"
        "Nov 21 10:00:02 mx postfix/smtp[1]: 4ABD: to=<b@example.com>, relay=none, delay=1, "
        "delays=0/0/0/1, dsn=4.4.1, status=deferred (connect to mx.example.com[192.0.2.1]:25: "
        "Connection timed out)\n";

    for (size_t step = 10; step < 2000; step = step * 5) {
        struct fixture fixture;
        begin(&fixture, EXPLAIN_JSON);
        run(&fixture, bytes_of(log), step, 64 * 1024);
        assert_int_equal(lines(&fixture), 2);
        assert_true(says(&fixture, "\"recipient\":\"a@example.com\""));
        assert_true(says(&fixture, "\"recipient\":\"b@example.com\""));
        end(&fixture);
    }
}

static void test_reply(void **state)
{
    struct fixture fixture;

    begin(&fixture, EXPLAIN_HTML);
    run(&fixture, BYTES("550 5.1.1 <a@example.com>: User unknown"), 10, 64 * 1024);
    assert_int_equal(once_explain_end(&fixture.explain, &fixture.out), ONCE_WELL);
    assert_true(bytes_begins(buffer_bytes(&fixture.out),
                             BYTES("<!doctype html>\n<html lang=\"en\">")));
    assert_true(bytes_ends(buffer_bytes(&fixture.out), BYTES("</html>\n")));
    assert_true(says(&fixture, "<article class=\"card card-address\" lang=\"en\""));
    end(&fixture);
}

static void test_no_report(void **state)
{
    struct fixture fixture;

    begin(&fixture, EXPLAIN_TEXT);
    run(&fixture, BYTES("Subject: hello\nFrom: a@example.com\n\nhow are you?\n"), 10, 64 * 1024);
    assert_true(says(&fixture, "This is not a report about failed mail"));
    assert_int_equal(once_explain_end(&fixture.explain, &fixture.out), ONCE_FOUND_NOTHING);
    end(&fixture);
}

/* A window too small for the letter: its start is read, and that is the end of it. */
static void test_too_long(void **state)
{
    struct fixture fixture;

    begin(&fixture, EXPLAIN_JSON);
    run(&fixture, BYTES(DSN("a@example.com", "5.1.1", "550 5.1.1 no such user")
                        "0123456789012345678901234567890123456789"), 50, 380);
    assert_int_equal(lines(&fixture), 1);
    assert_true(says(&fixture, "\"category\":\"user-missing\""));
    assert_true(says(&fixture, "\"cut\":true"));
    end(&fixture);
}

static void test_summary(void **state)
{
    struct fixture fixture;

    begin(&fixture, EXPLAIN_TEXT);
    fixture.explain.request.summary = true;
    run(&fixture, BYTES(MBOX), 4096, 64 * 1024);
    assert_int_equal(fixture.out.n, 0);
    assert_int_equal(once_explain_end(&fixture.explain, &fixture.out), ONCE_WELL);
    assert_true(bytes_equal(buffer_bytes(&fixture.out), BYTES(
        "Messages read: 3\nReports among them: 2\n\n"
        "       Count  Cause\n"
        "           1  there is no such mailbox\n"
        "           1  the recipient's mailbox is full\n")));
    buffer_clear(&fixture.out);
    fixture.explain.request.form = EXPLAIN_JSON;
    (void)once_explain_end(&fixture.explain, &fixture.out);
    assert_true(bytes_equal(buffer_bytes(&fixture.out), BYTES(
        "{\"version\":1,\"messages\":3,\"reports\":2,\"recipients\":2,"
        "\"causes\":{\"user-missing\":1,\"mailbox-full\":1}}\n")));
    end(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_words), cmocka_unit_test(test_mbox),
        cmocka_unit_test(test_mbox_text), cmocka_unit_test(test_log),
        cmocka_unit_test(test_reply), cmocka_unit_test(test_no_report),
        cmocka_unit_test(test_too_long), cmocka_unit_test(test_summary),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
