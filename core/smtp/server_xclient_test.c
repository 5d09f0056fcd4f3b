/* SPDX-License-Identifier: ISC
 *
 * XCLIENT in the machine; and what a world that is short of time or patience does to a session.
 */
#include "smtp/dialogue_int.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#define X "XCLIENT ADDR=192.0.2.1"
#define LETTER(protocol) "a@c.example>b@example.org 7BIT " protocol " 0: \n"

static const struct dialogue offered[] = {
    DIALOGUE("a new session, with its own greeting", D_EHLO X "\r\n" D_OPEN "DATA\r\n.\r\n",
             "220 250 220 250 250/2.1.0 250/2.1.5 354 250/2.0.0", LETTER("ESMTP")),
    DIALOGUE("EHLO is needed again", D_EHLO X "\r\n" D_MAIL, "220 250 220 503/5.5.1", ""),
    DIALOGUE("... but not when its name came along",
             X " HELO=x.example\r\n" D_MAIL D_RCPT "DATA\r\n.\r\n",
             "220 220 250/2.1.0 250/2.1.5 354 250/2.0.0", LETTER("ESMTP")),
    DIALOGUE("... by HELO", X " HELO=x.example PROTO=SMTP\r\n" D_MAIL D_RCPT "DATA\r\n.\r\n",
             "220 220 250/2.1.0 250/2.1.5 354 250/2.0.0", LETTER("SMTP")),
    DIALOGUE("not within a letter", D_OPEN X "\r\nDATA\r\n.\r\n", R_OPEN " 503/5.5.1 354 250/2.0.0",
             LETTER("ESMTP")),
    DIALOGUE("not well formed", X " ADDR=1\r\nXCLIENT\r\nXCLIENT HELO=a+20b\r\n" D_QUIT,
             "220 501/5.5.4 501/5.5.4 501/5.5.4" R_QUIT, ""),
};

static void xclient(void **state)
{
    struct smtp_settings settings = dialogue_settings();
    struct buffer text = buffer_with_most(1 << 20);

    (void)state;
    settings.xclient = true;
    for (size_t i = 0; i < COUNT(offered); i++) {
        const char *wrong = dialogue_check(&offered[i], settings, &text);
        if (wrong != NULL)
            fail_msg("%s", wrong);
    }
    buffer_done(&text);
}

static bool said(const struct play *play, const char *text)
{
    struct bytes replies = buffer_bytes(&play->replies), wanted = bytes_of(text);

    for (size_t i = 0; i + wanted.n <= replies.n; i++)
        if (memcmp(replies.at + i, wanted.at, wanted.n) == 0)
            return true;
    return false;
}

/* It is named to those alone who may use it. */
static void who_is_told_of_it(void **state)
{
    (void)state;
    for (int allowed = 0; allowed < 2; allowed++) {
        struct play play = { .settings = dialogue_settings() };
        play.settings.xclient = allowed != 0;
        play_begin(&play);
        play_feed(&play, BYTES(D_EHLO));
        assert_int_equal(said(&play, "XCLIENT"), allowed);
        play_done(&play);
    }
}

/* The end comes at once, even in a text; the letter is dropped. */
static void a_stop_that_does_not_wait(void **state)
{
    static const char *const before[] = {
        "", D_EHLO, D_OPEN, D_OPEN "DATA\r\nhalf", D_OPEN "BDAT 10\r\nhalf", "half a comm",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(before); i++) {
        struct play play = { .settings = dialogue_settings() };
        play_begin(&play);
        play_feed(&play, bytes_of(before[i]));
        assert_false(play.closed);
        smtp_server_stop_now(play.server);
        play_turn(&play);
        assert_true(play.closed && said(&play, "421 4.3.2 "));
        assert_int_equal(play.letters.n, 0);
        play_done(&play);
    }
}

static const struct {
    const char *name, *input, *wanted;
    uint32_t errors, recipients;
} patience[] = {
    { "one error is borne, the next is not", "FOO\r\nFOO\r\n", "220 500/5.5.1 421/4.7.0 close",
      1, 20 },
    { "no recipient more", D_EHLO D_MAIL D_RCPT "RCPT TO:<nobody@example.org>\r\n",
      R_OPEN " 421/4.7.0 close", 20, 0 },
};

static void little_patience(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(patience); i++) {
        struct play play = { .settings = dialogue_settings() };
        struct buffer summary = buffer_with_most(1 << 16);
        play_begin(&play);
        smtp_server_set_patience(play.server, patience[i].errors, patience[i].recipients);
        play_feed(&play, bytes_of(patience[i].input));
        play_summary(&play, &summary);
        buffer_put_char(&summary, '\0');
        assert_string_equal(summary.at, patience[i].wanted);
        buffer_done(&summary);
        play_done(&play);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(xclient), cmocka_unit_test(who_is_told_of_it),
        cmocka_unit_test(a_stop_that_does_not_wait), cmocka_unit_test(little_patience),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
