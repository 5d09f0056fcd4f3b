/* SPDX-License-Identifier: ISC
 *
 * Too much of anything: what is said, that the session ends, and that memory stays small.
 */
#include "base/arena.h"
#include "base/limits.h"
#include "smtp/dialogue_int.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <malloc.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>

#define LABEL "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

static const struct {
    const char *name;
    struct bytes head, again;
    size_t times;
    struct bytes tail;
    size_t replies;             /* how many came, and how the last of them read */
    const char *last;
} rows[] = {
#define ROW(name, head, again, times, tail, replies, last) \
    { name, BYTES_INIT(head), BYTES_INIT(again), times, BYTES_INIT(tail), replies, last }
    ROW("SRV-040 512 octets", "NOOP ", "x", 505, "\r\n", 2, "250/2.0.0"),
    ROW("SRV-040 4096 octets", "NOOP ", "x", 4089, "\r\n", 2, "250/2.0.0"),
    ROW("SRV-040 4097 octets", "NOOP ", "x", 4090, "\r\nNOOP\r\n", 3, "500/5.5.2 250/2.0.0"),
    ROW("SRV-040 65536 octets", "NOOP ", "x", 65529, "\r\nNOOP\r\n", 3, "500/5.5.2 250/2.0.0"),
    ROW("SRV-040 100 MiB without a line end", "NOOP ", "xxxxxxxxxxxxxxxx", 6553600, "", 2,
        "421/4.7.0 close"),
    ROW("SRV-042 EHLO of 100 KB", "EHLO ", "x", 60000, "\r\n", 2, "500/5.5.2"),
    ROW("SRV-042 EHLO of 256 octets", "EHLO ", "x", 256, "\r\n", 2, "501/5.5.4"),
    ROW("SRV-045 HELO without end", "", "HELO x\r\n", 1000, "", 102, "421/4.7.0 close"),
    ROW("SRV-056 VRFY of many names", "", "VRFY a@example.org\r\n", 10000, "", 102,
        "421/4.7.0 close"),
    ROW("SRV-083 RSET without end", "", "RSET\r\n", 1000000, "", 102, "421/4.7.0 close"),
    ROW("junk ends with a letter", D_EHLO "NOOP\r\nNOOP\r\n", D_MAIL D_RCPT "BDAT 0 LAST\r\n"
        "RSET\r\nNOOP\r\n", 60, "NOOP\r\n", 305, "250/2.0.0"),
    ROW("refused commands", "", "FOO\r\n", 100, "", 22, "421/4.7.0 close"),
    ROW("refused commands, forgotten with a letter", D_EHLO, "FOO\r\n" D_MAIL D_RCPT
        "BDAT 0 LAST\r\n", 30, "NOOP\r\n", 123, "250/2.0.0"),
    ROW("lines that are too long", "", "\n", 100, "", 22, "421/4.7.0 close"),
    ROW("SRV-109 names that do not exist", D_EHLO D_MAIL, "RCPT TO:<nobody@example.org>\r\n", 100,
        "", 24, "421/4.7.0 close"),
    ROW("SRV-109 long names that do not exist",
        D_EHLO "MAIL FROM:<" LABEL "@" LABEL "." LABEL ".a>\r\n",
        "RCPT TO:<nobody@" LABEL "." LABEL "." LABEL ".a>\r\n", 100, "", 24, "421/4.7.0 close"),
    ROW("two chunks too large to be stepped over", D_OPEN "BDAT 200000000\r\n", "x", 200000000,
        "BDAT 200000000\r\nx", 6, "552/5.3.4 552/5.3.4 close"),
    ROW("SRV-067 text after DATA was refused", D_EHLO "DATA\r\n", "VRFY x\r\nnext line\r\n", 100,
        "", 43, "421/4.7.0 close"),
    ROW("SRV-058 more recipients than can be counted", D_EHLO D_MAIL, D_RCPT, 20000, "NOOP\r\n",
        20004, "452/4.5.3 250/2.0.0"),
    ROW("SRV-053 parameters by the hundred", D_EHLO "MAIL FROM:<>", " A=b", 1000, "\r\n", 3,
        "555/5.5.4"),
    ROW("SRV-064 a local part of 64", D_EHLO "MAIL FROM:<", "a", 64, "@c.example>\r\n", 3,
        "250/2.1.0"),
    ROW("SRV-064 a local part of 65", D_EHLO "MAIL FROM:<", "a", 65, "@c.example>\r\n", 3,
        "501/5.1.7"),
    ROW("SRV-064 a local part of 65 in RCPT", D_EHLO D_MAIL "RCPT TO:<", "a", 65, "@c.example>\r\n",
        4, "501/5.1.3"),
    ROW("SRV-064 a local part of 255", D_EHLO D_MAIL "RCPT TO:<", "a", 255, "@c.example>\r\n", 4,
        "501/5.1.3"),
    ROW("SRV-064 a local part of 1000", D_EHLO D_MAIL "RCPT TO:<", "a", 1000, "@c.example>\r\n", 4,
        "501/5.1.3"),
    ROW("SRV-064 a label of 63", D_EHLO D_MAIL "RCPT TO:<b@", "a", 63, ".org>\r\n", 4, "250/2.1.5"),
    ROW("SRV-064 a label of 64", D_EHLO D_MAIL "RCPT TO:<b@", "a", 64, ".org>\r\n", 4, "501/5.1.3"),
    ROW("SRV-064 a domain of 251, 253 octets in all", D_EHLO D_MAIL "RCPT TO:<b@", "a.", 124,
        "org>\r\n", 4, "250/2.1.5"),
    ROW("SRV-064 a domain of 253, 255 octets in all", D_EHLO D_MAIL "RCPT TO:<b@", "a.", 125,
        "org>\r\n", 4, "501/5.1.3"),
    ROW("SRV-064 a domain of 255", D_EHLO D_MAIL "RCPT TO:<b@", "a.", 126, "org>\r\n", 4,
        "501/5.1.3"),
    ROW("SRV-064 a domain of 257", D_EHLO D_MAIL "RCPT TO:<b@", "a.", 127, "org>\r\n", 4,
        "501/5.1.3"),
    ROW("SRV-064 a domain of 10000", D_EHLO D_MAIL "RCPT TO:<b@", "a.", 5000, "org>\r\n", 4,
        "500/5.5.2"),
    ROW("line-05 a line of 1000 octets", D_OPEN "DATA\r\n", "x", 998, "\r\n.\r\n", 6, "250/2.0.0"),
    ROW("line-06 a line of 90000 octets is taken", D_OPEN "DATA\r\n", "x", 90000, "\r\n.\r\n", 6,
        "250/2.0.0"),
    ROW("SRV-099 a first line of 1 MB", D_OPEN "DATA\r\nFrom ", "x", 90000, "\r\n.\r\n", 6,
        "250/2.0.0"),
    ROW("SRV-095 one octet under", D_OPEN "DATA\r\n", "x", 99997, "\r\n.\r\n", 6, "250/2.0.0"),
    ROW("SRV-095 just the size", D_OPEN "DATA\r\n", "x", 99998, "\r\n.\r\n", 6, "250/2.0.0"),
    ROW("SRV-095 one octet over", D_OPEN "DATA\r\n", "x", 99999, "\r\n.\r\nNOOP\r\n", 7,
        "552/5.3.4 250/2.0.0"),
    ROW("SRV-095 declared small, sent large", D_EHLO "MAIL FROM:<a@c.example> SIZE=1\r\n" D_RCPT
        "DATA\r\n", "xxxxxxxxx\r\n", 20000, ".\r\nNOOP\r\n", 7, "552/5.3.4 250/2.0.0"),
    ROW("SRV-095 just the size by chunks", D_OPEN, "BDAT 10000\r\n", 0, "", 4, "250/2.1.5"),
    ROW("many tiny chunks", D_OPEN, "BDAT 0\r\n", 10000, "BDAT 0 LAST\r\n", 10005, "554/5.5.0"),
    ROW("chunks without end", D_OPEN, "BDAT 0\r\n", 30000, "", 20005, "554/5.5.0 close"),
    ROW("just as many chunks as may be", D_OPEN, "BDAT 0\r\n", 9999, "BDAT 0 LAST\r\n", 10004,
        "250/2.0.0"),
    ROW("a text without end", D_OPEN "DATA\r\n", "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", 8400000, "", 6,
        "552/5.3.4 close"),
#undef ROW
};

static size_t words_in(struct bytes text)
{
    size_t n = text.n > 0;

    for (size_t i = 0; i < text.n; i++)
        n += text.at[i] == ' ';
    return n;
}

static void feed_many(struct play *play, struct bytes again, size_t times)
{
    static char block[65536];
    size_t per_block = sizeof(block) / again.n;

    for (size_t i = 0; i < per_block; i++)
        memcpy(block + i * again.n, again.at, again.n);
    for (; times > 0 && !play->closed; times -= times < per_block ? times : per_block) {
        size_t n = times < per_block ? times : per_block;
        play_feed(play, (struct bytes){ block, n * again.n });
        buffer_clear(&play->letters);
    }
}

static void test_rows(void **state)
{
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct play play = { .settings = dialogue_settings() };
        struct buffer summary = buffer_with_most(1 << 24);
        play.settings.notes = true;
        play_begin(&play);
        play_feed(&play, rows[i].head);
        feed_many(&play, rows[i].again, rows[i].times);
        play_feed(&play, rows[i].tail);
        play_turn(&play);
        play_summary(&play, &summary);
        struct bytes got = buffer_bytes(&summary), last = bytes_of(rows[i].last);
        size_t replies = words_in(got) - play.closed;
        if (!bytes_ends(got, last) || replies != rows[i].replies || play.broken != NULL)
            fail_msg("%s: %zu replies, the last %.*s; wanted %zu, %s (%s)", rows[i].name, replies,
                     40, got.at + (got.n > 40 ? got.n - 40 : 0), rows[i].replies, rows[i].last,
                     play.broken == NULL ? "" : play.broken);
        buffer_done(&summary);
        play_done(&play);
    }
}

/* Letters of 99 octets by BDAT, as many as the machine takes without one being settled. */
static void test_bounds_ahead(void **state)
{
    struct play play = { .settings = dialogue_settings(), .order = PLAY_LATE };
    struct smtp_server *server;
    size_t letters = 0;

    play_begin(&play);
    play_feed(&play, BYTES(D_EHLO));
    server = play.server;
    for (; letters < 1000; letters++) {
        struct bytes in = BYTES(D_MAIL D_RCPT "BDAT 1 LAST\r\nx");
        struct smtp_event event;
        do {
            event = smtp_server_step(server, &in);
            if (event.kind == SMTP_ASK_RCPT)
                smtp_server_answer_rcpt(server, SMTP_YES);
        } while (event.kind != SMTP_MORE);
        if (in.n > 0)
            break;
    }
    assert_int_equal(letters, LIMIT_COMMITS_AHEAD);
    assert_int_equal(smtp_server_output(server).n > 0, true);
    play_done(&play);
}

/* SRV-072: nobody reads the replies: input is refused long before memory is full. */
static void test_bounds_output(void **state)
{
    struct smtp_settings settings = dialogue_settings();
    struct smtp_server *server = smtp_server_new(&settings);
    struct bytes in = BYTES_NONE;
    size_t commands = 0;

    assert_non_null(server);
    smtp_server_greet(server);
    for (; commands < 100000; commands++) {
        in = commands == 0 ? BYTES(D_EHLO) : BYTES("BDAT 1\r\nx");
        if (commands == 1)
            in = BYTES(D_MAIL);
        if (commands == 2)
            in = BYTES(D_RCPT);
        while (smtp_server_step(server, &in).kind != SMTP_MORE)
            smtp_server_answer_rcpt(server, SMTP_YES);
        if (in.n > 0)
            break;
    }
    assert_in_range(commands, 100, 9000);
    assert_true(smtp_server_output(server).n <= LIMIT_HELD_REPLIES);
    smtp_server_sent(server);
    (void)smtp_server_step(server, &in);
    assert_int_equal(in.n, 0);
    smtp_server_free(server);
}

/* Behind a letter that is not settled replies wait, but not without bound, and none is lost. */
static void test_bounds_held(void **state)
{
    struct smtp_settings settings = dialogue_settings();
    struct smtp_server *server = smtp_server_new(&settings);
    struct bytes in = BYTES(D_OPEN "BDAT 1 LAST\r\nx" D_MAIL D_RCPT);
    size_t chunks = 0;

    assert_non_null(server);
    smtp_server_greet(server);
    while (smtp_server_step(server, &in).kind != SMTP_MORE)
        smtp_server_answer_rcpt(server, SMTP_YES);
    for (; chunks < 9000 && in.n == 0; chunks++) {
        in = BYTES("BDAT 1\r\nx");
        while (smtp_server_step(server, &in).kind != SMTP_MORE)
            smtp_server_answer_rcpt(server, SMTP_YES);
    }
    assert_in_range(chunks, 1000, 8000);
    smtp_server_sent(server);
    smtp_server_settle(server, 0, SMTP_YES, BYTES("A"));
    struct bytes out = smtp_server_output(server), line;
    for (size_t lines = 0; bytes_cut(&out, '\n', &line); lines++)
        assert_true(lines <= 2 || bytes_equal(line, BYTES("250 2.0.0 1 octets received\r")));
    assert_in_range(smtp_server_output(server).n, 50000, LIMIT_HELD_REPLIES);
    smtp_server_free(server);
}

/* What an idle session costs, before and after it has carried large things. */
static size_t idle_cost(struct bytes before)
{
    struct play play = { .settings = dialogue_settings() };

    play_begin(&play);
    play_feed(&play, BYTES(D_EHLO));
    dialogue_play(&play, before, 100, NULL);
    /* only what the machine holds */
    buffer_done(&play.replies);
    buffer_done(&play.letters);
    buffer_done(&play.notes);
    buffer_done(&play.text);
    buffer_done(&play.pending);
    size_t with = mallinfo2().uordblks;
    play_done(&play);
    return with - mallinfo2().uordblks;
}

static void test_idle(void **state)
{
    static const char *const befores[] = {
        "", D_MAIL D_RCPT "DATA\r\nx\r\n.\r\n",
        D_MAIL "RCPT TO:<bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb@example.org>\r\n"
        "RCPT TO:<cccccccccccccccccccccccccccccccccccccccccccccccccccc@example.org>\r\n"
        "RCPT TO:<dddddddddddddddddddddddddddddddddddddddddddddddddddd@example.org>\r\n"
        "RCPT TO:<eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee@example.org>\r\n"
        "DATA\r\nx\r\n.\r\n",
    };

    if (getenv("ASAN_OPTIONS") != NULL || mallinfo2().uordblks == 0)
        skip();
    for (size_t i = 0; i < COUNT(befores); i++) {
        size_t cost = idle_cost(bytes_of(befores[i]));
        if (cost > 1536)
            fail_msg("idle after row %zu: %zu octets", i, cost);
        print_message("# idle after row %zu: %zu octets\n", i, cost);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_bounds_ahead),
        cmocka_unit_test(test_bounds_output),
        cmocka_unit_test(test_bounds_held),
        cmocka_unit_test(test_idle),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
