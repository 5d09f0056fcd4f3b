/* SPDX-License-Identifier: ISC
 *
 * Bounces on their way into a mailbox: what local asks, and what stands in the file.
 */
#include "role/local_maildir_int.h"

#include "bounce/cover.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#define BOUNCE(more) \
    "From: MAILER-DAEMON@far.example\r\nSubject: Undelivered Mail\r\nMIME-Version: 1.0\r\n" \
    "Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n" \
    "--b\r\n\r\nIt failed.\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\n" \
    "Reporting-MTA: dns; far.example\r\n\r\nFinal-Recipient: rfc822; bob@far.example\r\n" \
    "Action: failed\r\nStatus: 5.1.1\r\n\r\n--b\r\nContent-Type: text/rfc822-headers\r\n\r\n" \
    more "Subject: hello\r\n\r\n--b--\r\n"
#define NAMED BOUNCE("Message-ID: <m1@example.org>\r\n")
#define PLAIN "Subject: Friday\r\n\r\nShall we meet?\r\n"

static struct world w;

static int begin(void **state)
{
    start(&w);
    w.conf.explain_bounces = true;
    return 0;
}

static int end(void **state)
{
    stop(&w);
    return 0;
}

static void bring_as(const char *text, struct order order)
{
    struct bytes all = bytes_of(text);

    order.to = "jo@example.org";
    tell_begin(&w, order);
    tell_part(&w, bytes_first(all, all.n / 2));
    tell_part(&w, bytes_skip(all, all.n / 2));
    tell_end(&w);
}

static void bring(const char *text)
{
    bring_as(text, (struct order){ .null_sender = true });
}

static void tell_known(bool known)
{
    struct effects fx = effects_none();

    wire_tell_known_is(&fx, (struct role_name){ ROLE_LOCAL, 0 },
                       &(struct wire_known_is){ JOB, known });
    tell(&w, &fx);
    effects_done(&fx);
}

static bool holds(const char *part)
{
    size_t i = file_of(&w, BYTES(IN("new")));

    assert_true(i < FILES);
    struct bytes all = { w.files[i].text, w.files[i].n };
    return bytes_search(all, bytes_of(part)) < all.n;
}

/* The letter as it came, with the line ends of a Maildir, or with its own. */
static bool holds_all(const char *text, bool binary)
{
    char lines[4096];
    size_t n = 0;

    for (size_t i = 0; text[i] != '\0'; i++)
        if (text[i] != '\r' || binary)
            lines[n++] = text[i];
    lines[n] = '\0';
    return holds(lines);
}

static void check_delivered(const char *text)
{
    assert_int_equal(w.results, 1);
    assert_int_equal(w.result.outcome, JOB_DELIVERED);
    assert_int_equal(count_files(&w, "/"), 1);
    assert_true(holds_all(text, false));
}

static void a_bounce_of_ours_gets_the_card(void **state)
{
    bring(NAMED);
    assert_int_equal(w.known_asks, 1);
    assert_int_equal(w.known_by, TRACE_BY_MESSAGE_ID);
    assert_string_equal(w.known_key, "m1@example.org");
    assert_string_equal(w.known_mailbox, "jo@example.org");
    assert_int_equal(w.results, 0);
    tell_known(true);
    check_delivered(NAMED);
    assert_true(holds("Subject: Your message could not be delivered\n"));
    assert_true(holds("\nIn-Reply-To: <m1@example.org>\n"));
    assert_true(holds("Content-Type: message/rfc822\nContent-Transfer-Encoding: 7bit\n"));
}

/* DSN-006: not a letter that was sent from here. */
static void another_bounce_is_not_confirmed(void **state)
{
    bring(NAMED);
    tell_known(false);
    check_delivered(NAMED);
    assert_true(holds("Subject: We cannot confirm this report\n"));
    assert_false(holds("In-Reply-To:"));
}

static void one_that_names_nothing_asks_nothing(void **state)
{
    bring(BOUNCE(""));
    assert_int_equal(w.known_asks, 0);
    check_delivered(BOUNCE(""));
    assert_true(holds("Subject: We cannot confirm this report\n"));
}

static void no_answer_is_no(void **state)
{
    w.now_ms = 5000;
    bring(NAMED);
    w.now_ms = 14999;
    step(&w, (struct event){ .kind = EV_ALARM });
    assert_int_equal(w.results, 0);
    assert_int_equal(w.alarm_ms, 15000);
    w.now_ms = 15000;
    step(&w, (struct event){ .kind = EV_ALARM });
    check_delivered(NAMED);
    assert_true(holds("Subject: We cannot confirm this report\n"));
    tell_known(true);       /* too late */
    assert_int_equal(w.results, 1);
}

static void binary_ones_keep_their_line_ends(void **state)
{
    bring_as(NAMED, (struct order){ .null_sender = true, .binary = true });
    tell_known(true);
    assert_int_equal(w.result.outcome, JOB_DELIVERED);
    assert_true(holds_all(NAMED, true));
    assert_true(holds("\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed;\r\n"));
}

static const struct {
    const char *text;
    struct order order;
    bool off;
} untouched[] = {
    { PLAIN, { .null_sender = true }, false },
    { NAMED, { .null_sender = false }, false },
    { NAMED, { .null_sender = true }, true },
    { NAMED, { .null_sender = true, .size = COVER_LETTER_MOST + 1 }, false },
};

static void what_is_none_stays_as_it_is(void **state)
{
    for (size_t i = 0; i < COUNT(untouched); i++) {
        if (i > 0)
            begin(NULL);
        w.conf.explain_bounces = !untouched[i].off;
        bring_as(untouched[i].text, untouched[i].order);
        assert_int_equal(w.known_asks, 0);
        check_delivered(untouched[i].text);
        assert_false(holds("postmaster@"));
        if (i + 1 < COUNT(untouched))
            stop(&w);
    }
}

/* One that turns out to be larger than was said goes as it came. */
static void one_that_grows_too_large_stays_as_it_is(void **state)
{
    static char text[COVER_LETTER_MOST + 100];

    w.counts_only = true;
    memset(text, 'x', sizeof(text));
    memcpy(text, NAMED, strlen(NAMED));
    tell_begin(&w, (struct order){ .to = "jo@example.org", .null_sender = true });
    for (size_t at = 0; at < sizeof(text); at += 1024)
        tell_part(&w, bytes_first(bytes_skip((struct bytes){ text, sizeof(text) }, at), 1024));
    tell_end(&w);
    assert_int_equal(w.known_asks, 0);
    assert_true(w.credit > COVER_LETTER_MOST);
    assert_int_equal(w.results, 1);
    size_t i = file_of(&w, BYTES(IN("new")));
    assert_true(i < FILES);
    assert_in_range(w.files[i].n, sizeof(text) - 100, sizeof(text) + 300);
}

/* An attempt that got there counts, whatever stands in its file. */
static void a_copy_that_is_there_counts(void **state)
{
    put_file(&w, IN("new"));
    bring_as(NAMED, (struct order){ .null_sender = true, .recovered = true });
    tell_known(true);
    assert_int_equal(w.results, 1);
    assert_int_equal(w.result.outcome, JOB_DELIVERED);
    assert_int_equal(count_files(&w, "/"), 1);
}

static void the_store_dies_meanwhile(void **state)
{
    bring(NAMED);
    step(&w, (struct event){ .kind = EV_PEER_DOWN, .peer = { ROLE_STORE, 0 } });
    assert_int_equal(w.results, 0);
    assert_int_equal(count_files(&w, "/"), 0);
    tell_known(true);
    bring_as(NAMED, (struct order){ .null_sender = true, .recovered = true });
    tell_known(true);
    check_delivered(NAMED);
}

static void memory_fails_at_each_place(void **state)
{
    bool done = false;

    for (unsigned at = 1; !done && at < 20; at++) {
        for (unsigned n = 1; n < 60; n++) {
            stop(&w);
            begin(NULL);
            w.fail_step = at;
            w.fail_memory = n;
            bring(NAMED);
            if (!w.dead && w.results == 0)
                tell_known(true);
            if (w.dead) {
                start_again(&w);
                w.conf.explain_bounces = true;
                w.results = 0;
                bring_as(NAMED, (struct order){ .null_sender = true, .recovered = true });
                if (w.results == 0)
                    tell_known(true);
            }
            assert_int_equal(w.results, 1);
            if (w.result.outcome == JOB_DELIVERED)
                assert_true(holds_all(NAMED, false));
        }
        done = w.steps < at;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_bounce_of_ours_gets_the_card, begin, end),
        cmocka_unit_test_setup_teardown(another_bounce_is_not_confirmed, begin, end),
        cmocka_unit_test_setup_teardown(one_that_names_nothing_asks_nothing, begin, end),
        cmocka_unit_test_setup_teardown(no_answer_is_no, begin, end),
        cmocka_unit_test_setup_teardown(binary_ones_keep_their_line_ends, begin, end),
        cmocka_unit_test_setup_teardown(what_is_none_stays_as_it_is, begin, end),
        cmocka_unit_test_setup_teardown(one_that_grows_too_large_stays_as_it_is, begin, end),
        cmocka_unit_test_setup_teardown(a_copy_that_is_there_counts, begin, end),
        cmocka_unit_test_setup_teardown(the_store_dies_meanwhile, begin, end),
        cmocka_unit_test_setup_teardown(memory_fails_at_each_place, begin, end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
