/* SPDX-License-Identifier: ISC
 *
 * STARTTLS and REQUIRETLS in the machine alone: what is said, when, and what is forgotten. Octets
 * sent in clear behind the command are the caller's to throw away; that the machine takes none of
 * them until it is told is tested here.
 */
#include "smtp/server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static const struct smtp_settings settings = {
    .host = BYTES_INIT("mx.test"), .size_most = 1000, .recipients_most = 100, .starttls = true,
};

static struct smtp_server *server;
static struct bytes input;
static struct buffer said;

static int set_up(void **state)
{
    (void)state;
    server = smtp_server_new(&settings);
    said = buffer_with_most(65536);
    smtp_server_greet(server);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    smtp_server_free(server);
    buffer_done(&said);
    return 0;
}

/* Feed, answer recipients with yes, stop at what else there is. */
static struct smtp_event feed(const char *text)
{
    struct smtp_event event;

    if (text != NULL)
        input = bytes_of(text);
    do {
        event = smtp_server_step(server, &input);
        if (event.kind == SMTP_ASK_RCPT)
            smtp_server_answer_rcpt(server, SMTP_YES);
        buffer_put(&said, smtp_server_output(server));
        smtp_server_sent(server);
    } while (event.kind == SMTP_ASK_RCPT || event.kind == SMTP_TEXT);
    return event;
}

static bool was_said(const char *text)
{
    bool found = bytes_search(buffer_bytes(&said), bytes_of(text)) < said.n;

    buffer_clear(&said);
    return found;
}

static void secure(void)
{
    assert_int_equal(feed("EHLO c.test\r\nSTARTTLS\r\n").kind, SMTP_STARTTLS);
    smtp_server_answer_starttls(server, true);
    assert_int_equal(feed("").kind, SMTP_MORE);
    assert_true(was_said("220 2.0.0 "));
    smtp_server_secured(server);
}

/* SRV-016, SRV-020 */
static void test_all_is_forgotten(void **state)
{
    (void)state;
    assert_int_equal(feed("EHLO c.test\r\nMAIL FROM:<a@c.test>\r\nRCPT TO:<b@d.test>\r\n"
                          "STARTTLS\r\nMAIL FROM:<evil@c.test>\r\nNOOP\r\n").kind, SMTP_STARTTLS);
    size_t left = input.n;
    buffer_clear(&said);
    smtp_server_answer_starttls(server, true);
    assert_int_equal(feed(NULL).kind, SMTP_MORE);
    assert_int_equal(input.n, left);
    assert_string_equal((buffer_put_char(&said, '\0'), said.at), "220 2.0.0 Begin TLS\r\n");
    buffer_clear(&said);
    smtp_server_secured(server);
    assert_int_equal(smtp_server_recipients(server), 0);
    assert_int_equal(smtp_server_helo(server).n, 0);
    feed("DATA\r\n");
    assert_true(was_said("503 5.5.1 Say EHLO first"));
    feed("MAIL FROM:<a@c.test>\r\n");
    assert_true(was_said("503 5.5.1 Say EHLO first"));
    feed("EHLO c.test\r\nDATA\r\n");
    assert_true(was_said("503 5.5.1 Say MAIL FROM first"));
}

static void test_half_a_line_is_forgotten(void **state)
{
    (void)state;
    feed("EHLO c.test\r\nMAIL FROM:<a@c.te\n");
    assert_int_equal(feed("st>\r\nSTARTTLS\r\n").kind, SMTP_STARTTLS);
    smtp_server_answer_starttls(server, true);
    feed("");
    smtp_server_secured(server);
    buffer_clear(&said);
    feed("EHLO c.test\r\n");
    assert_true(was_said("250-mx.test"));
}

static void test_offer(void **state)
{
    (void)state;
    feed("EHLO c.test\r\n");
    assert_true(was_said("250-STARTTLS\r\n"));
    feed("EHLO c.test\r\n");
    assert_false(was_said("REQUIRETLS"));
    secure();
    feed("EHLO c.test\r\n");
    assert_false(was_said("STARTTLS"));
    feed("EHLO c.test\r\n");
    assert_true(was_said("250-REQUIRETLS\r\n"));
}

/* SRV-018, SRV-019 */
static void test_at_the_wrong_time(void **state)
{
    (void)state;
    feed("EHLO c.test\r\nSTARTTLS now\r\n");
    assert_true(was_said("501 5.5.4 "));
    secure();
    feed("STARTTLS\r\n");
    assert_true(was_said("503 5.5.1 "));
    feed("EHLO c.test\r\nMAIL FROM:<a@c.test>\r\n");
    assert_true(was_said("250 2.1.0 "));
}

static void test_not_now(void **state)
{
    (void)state;
    assert_int_equal(feed("EHLO c.test\r\nSTARTTLS\r\nMAIL FROM:<a@c.test>\r\n").kind,
                     SMTP_STARTTLS);
    smtp_server_answer_starttls(server, false);
    feed(NULL);
    assert_true(was_said("454 4.7.0 "));
    smtp_server_answer_starttls(server, true);      /* nothing is asked any more */
    feed("RCPT TO:<b@d.test>\r\n");
    assert_true(was_said("250 2.1.5 "));
}

/* The 220 is the last that is said in clear: it waits for the letter before it. */
static void test_waits_for_letters(void **state)
{
    (void)state;
    feed("EHLO c.test\r\nMAIL FROM:<a@c.test>\r\nRCPT TO:<b@d.test>\r\n");
    assert_int_equal(feed("BDAT 1 LAST\r\nxSTARTTLS\r\n").kind, SMTP_END);
    buffer_clear(&said);
    assert_int_equal(feed(NULL).kind, SMTP_MORE);
    assert_int_equal(feed(NULL).kind, SMTP_MORE);
    smtp_server_settle(server, 0, SMTP_YES, BYTES("ID"));
    assert_int_equal(feed(NULL).kind, SMTP_STARTTLS);
    assert_true(was_said("ID"));
}

/* A text begun is dropped, not carried over. */
static void test_drops_a_begun_text(void **state)
{
    (void)state;
    feed("EHLO c.test\r\nMAIL FROM:<a@c.test>\r\nRCPT TO:<b@d.test>\r\nBDAT 3\r\nabc");
    assert_int_equal(feed("STARTTLS\r\n").kind, SMTP_STARTTLS);
    smtp_server_answer_starttls(server, true);
    feed("");
    smtp_server_secured(server);
    assert_int_equal(feed("").kind, SMTP_DROP);
}

static void test_requiretls(void **state)
{
    (void)state;
    feed("EHLO c.test\r\nMAIL FROM:<a@c.test> REQUIRETLS\r\n");
    assert_true(was_said("555 5.5.4 "));
    secure();
    feed("EHLO c.test\r\nMAIL FROM:<a@c.test> REQUIRETLS=1\r\n");
    assert_true(was_said("501 5.5.4 "));
    feed("MAIL FROM:<a@c.test> REQUIRETLS\r\nRCPT TO:<b@d.test>\r\n");
    assert_true(was_said("250 2.1.5 "));
    assert_true(smtp_server_require_tls(server));
    assert_true(bytes_equal(smtp_server_protocol(server), BYTES("ESMTPS")));
    feed("RSET\r\nMAIL FROM:<a@c.test> SMTPUTF8\r\n");
    assert_false(smtp_server_require_tls(server));
    assert_true(bytes_equal(smtp_server_protocol(server), BYTES("UTF8SMTPS")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
        T(test_all_is_forgotten), T(test_half_a_line_is_forgotten), T(test_offer),
        T(test_at_the_wrong_time), T(test_not_now), T(test_waits_for_letters),
        T(test_drops_a_begun_text), T(test_requiretls),
#undef T
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
