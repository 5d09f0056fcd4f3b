/* SPDX-License-Identifier: ISC
 *
 * What the world does to a session: it stops, is low, is silent, closes, settles late or never,
 * and has no memory left.
 */
#include "base/arena.h"
#include "smtp/dialogue_int.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#define AB "a@c.example>b@example.org 7BIT ESMTP 0: "

enum act { NOTHING, STOP, TIMEOUT, END, LOW, NOT_LOW };

static const struct {
    const char *name;
    struct bytes before;
    enum act act;
    struct bytes after;
    const char *replies, *letters;
} rows[] = {
#define ROW(name, before, act, after, replies, letters) \
    { name, BYTES_INIT(before), act, BYTES_INIT(after), replies, letters }
    ROW("SRV-110 stop at the greeting", "", STOP, D_EHLO, "220 421/4.3.2 close", ""),
    ROW("SRV-110 stop when idle", D_EHLO, STOP, "", R_EHLO " 421/4.3.2 close", ""),
    ROW("SRV-110 stop in an envelope", D_OPEN, STOP, "DATA\r\n", R_OPEN " 421/4.3.2 close", ""),
    ROW("SRV-110 stop in half a command", D_OPEN "DA", STOP, "TA\r\n", R_OPEN " 421/4.3.2 close",
        ""),
    ROW("SRV-110 stop in a text", D_OPEN "DATA\r\nab", STOP, "c\r\n.\r\n" D_MAIL,
        R_OPEN " 354 250/2.0.0 421/4.3.2 close", AB "abc\r\n\n"),
    ROW("SRV-110 stop in a chunk", D_OPEN "BDAT 3\r\na", STOP, "bcBDAT 1 LAST\r\nd" D_MAIL,
        R_OPEN " 250/2.0.0 250/2.0.0 421/4.3.2 close", AB "abcd\n"),
    ROW("stop twice", D_EHLO "QUIT\r\n", STOP, "", R_EHLO R_QUIT, ""),
    ROW("timeout when idle", D_EHLO, TIMEOUT, D_MAIL, R_EHLO " 421/4.4.2 close", ""),
    ROW("SRV-074 timeout in a text", D_OPEN "DATA\r\nabc", TIMEOUT, "\r\n.\r\n",
        R_OPEN " 354 421/4.4.2 close", ""),
    ROW("timeout in a chunk", D_OPEN "BDAT 9\r\nabc", TIMEOUT, "", R_OPEN " 421/4.4.2 close", ""),
    ROW("end without QUIT", D_OPEN "DATA\r\na\r\n.\r\n", END, "", R_OPEN " 354 250/2.0.0 close",
        AB "a\r\n\n"),
    ROW("SRV-079 the last letter and the end together", D_OPEN "BDAT 1 LAST\r\nx", END, "",
        R_OPEN " 250/2.0.0 close", AB "x\n"),
    ROW("SRV-023 end in a text", D_OPEN "DATA\r\nabc\r\n.\r", END, "", R_OPEN " 354 close", ""),
    ROW("end in a chunk", D_OPEN "BDAT 9 LAST\r\nabc", END, "", R_OPEN " close", ""),
    ROW("end between chunks", D_OPEN "BDAT 3\r\nabc", END, "", R_OPEN " 250/2.0.0 close", ""),
    ROW("end in a command", D_EHLO "QUI", END, "", R_EHLO " close", ""),
    ROW("SRV-096 low at MAIL", D_EHLO, LOW, D_MAIL "NOOP\r\n", R_EHLO " 452/4.3.1 250/2.0.0", ""),
    ROW("low, but the envelope was open", D_OPEN, LOW, "DATA\r\n.\r\n" D_MAIL,
        R_OPEN " 354 250/2.0.0 452/4.3.1", AB "\n"),
    ROW("not low any more", D_EHLO, NOT_LOW, D_MAIL, R_EHLO " 250/2.1.0", ""),
    ROW("silence for a letter", D_EHLO "MAIL FROM:<unsure@c.example>\r\n" D_RCPT
        "DATA\r\n.\r\nNOOP\r\n" D_MAIL, NOTHING, "", R_OPEN " 354 close",
        "unsure@c.example>b@example.org 7BIT ESMTP 0: \n"),
    ROW("silence for a recipient: nothing was kept, so it may be said", D_EHLO D_MAIL
        "RCPT TO:<hush@example.org>\r\nNOOP\r\n", NOTHING, "",
        R_EHLO " 250/2.1.0 451/4.3.0 250/2.0.0", ""),
#undef ROW
};

static void act(struct play *play, enum act act)
{
    switch (act) {
    case NOTHING: break;
    case STOP: smtp_server_stop(play->server); break;
    case TIMEOUT: smtp_server_timeout(play->server); break;
    case END: play_end(play); break;
    case LOW: smtp_server_set_low(play->server, true); break;
    case NOT_LOW:
        smtp_server_set_low(play->server, true);
        smtp_server_set_low(play->server, false);
        break;
    }
}

static void test_rows(void **state)
{
    for (size_t i = 0; i < 2 * COUNT(rows); i++) {
        size_t at = i / 2;
        struct play play = { .settings = dialogue_settings() };
        struct buffer summary = buffer_with_most(1 << 16);
        play_begin(&play);
        dialogue_play(&play, rows[at].before, i % 2 == 0 ? 1000 : 1, NULL);
        act(&play, rows[at].act);
        dialogue_play(&play, rows[at].after, i % 2 == 0 ? 1000 : 1, NULL);
        play_summary(&play, &summary);
        if (!bytes_equal(buffer_bytes(&summary), bytes_of(rows[at].replies))
            || !bytes_equal(buffer_bytes(&play.letters), bytes_of(rows[at].letters))
            || play.broken != NULL)
            fail_msg("%s: %.*s; letters %.*s (%s)", rows[at].name, (int)summary.n, summary.at,
                     (int)play.letters.n, play.letters.n > 0 ? play.letters.at : "",
                     play.broken == NULL ? "" : play.broken);
        buffer_done(&summary);
        play_done(&play);
    }
}

static struct smtp_server *ready(const struct smtp_settings *settings)
{
    struct smtp_server *server = smtp_server_new(settings);

    assert_non_null(server);
    smtp_server_greet(server);
    return server;
}

/* Until the machine says MORE or CLOSE; recipients are well, letters stay unsettled. */
static enum smtp_event_kind go(struct smtp_server *server, struct bytes in)
{
    for (;;) {
        struct smtp_event event = smtp_server_step(server, &in);
        if (event.kind == SMTP_ASK_RCPT)
            smtp_server_answer_rcpt(server, SMTP_YES);
        if (event.kind == SMTP_MORE || event.kind == SMTP_CLOSE)
            return event.kind;
    }
}

static bool output_is(struct smtp_server *server, const char *want)
{
    bool same = bytes_equal(smtp_server_output(server), bytes_of(want));

    if (!same)
        print_message("got: %.*s", (int)smtp_server_output(server).n,
                      smtp_server_output(server).at);
    smtp_server_sent(server);
    return same;
}

#define LETTER_BY_BDAT D_MAIL D_RCPT "BDAT 1 LAST\r\nx"
#define SAID_OPEN "250 2.1.0 Sender ok\r\n250 2.1.5 Recipient ok\r\n"
#define SAID_KEPT(id) "250 2.0.0 Ok, on disk as " id "\r\n"

/* Replies wait for the letters before them, in whatever order those are settled. */
static void test_order(void **state)
{
    const struct smtp_settings settings = dialogue_settings();
    struct smtp_server *server = ready(&settings);

    assert_int_equal(go(server, BYTES(D_EHLO)), SMTP_MORE);
    smtp_server_sent(server);
    assert_int_equal(go(server, BYTES(LETTER_BY_BDAT LETTER_BY_BDAT LETTER_BY_BDAT "NOOP\r\n")),
                     SMTP_MORE);
    assert_true(output_is(server, SAID_OPEN));
    smtp_server_settle(server, 2, SMTP_YES, BYTES("C"));
    smtp_server_settle(server, 2, SMTP_NO_SPACE, BYTES("twice"));
    assert_true(output_is(server, ""));
    smtp_server_settle(server, 0, SMTP_YES, BYTES("A"));
    assert_true(output_is(server, SAID_KEPT("A") SAID_OPEN));
    smtp_server_settle(server, 0, SMTP_NO_SPACE, BYTES("twice"));
    smtp_server_settle(server, 77, SMTP_YES, BYTES("nobody's"));
    assert_true(output_is(server, ""));
    smtp_server_settle(server, 1, SMTP_NO_SPACE, BYTES_NONE);
    assert_true(output_is(server, "452 4.3.1 No room on our side for the moment; send it again "
                          "later\r\n" SAID_OPEN SAID_KEPT("C") "250 2.0.0 Ok\r\n"));
    smtp_server_free(server);
}

/* Stopped while a recipient is asked for: the answer still counts, then comes the end. */
static void test_stop_while_asking(void **state)
{
    const struct smtp_settings settings = dialogue_settings();
    struct smtp_server *server = ready(&settings);
    struct bytes in = BYTES(D_MAIL D_RCPT "DATA\r\n");

    assert_int_equal(go(server, BYTES(D_EHLO)), SMTP_MORE);
    smtp_server_sent(server);
    assert_false(smtp_server_end(server));
    assert_int_equal(smtp_server_step(server, &in).kind, SMTP_ASK_RCPT);
    smtp_server_sent(server);
    assert_true(smtp_server_end(server));
    smtp_server_stop(server);
    assert_int_equal(smtp_server_step(server, &in).kind, SMTP_MORE);
    assert_int_equal(in.n, 6);
    smtp_server_answer_rcpt(server, SMTP_YES);
    assert_int_equal(smtp_server_step(server, &in).kind, SMTP_CLOSE);
    assert_true(output_is(server, "250 2.1.5 Recipient ok\r\n"
                          "421 4.3.2 mx.example.org is stopping; connect again later\r\n"));
    smtp_server_answer_rcpt(server, SMTP_YES);
    assert_true(output_is(server, ""));
    smtp_server_free(server);
}

/* QUIT and the end wait for the letters, too; after silence nothing more is said. */
static void test_close_waits(void **state)
{
    const struct smtp_settings settings = dialogue_settings();
    struct smtp_server *server = ready(&settings);

    assert_int_equal(go(server, BYTES(D_EHLO LETTER_BY_BDAT D_QUIT)), SMTP_MORE);
    smtp_server_sent(server);
    assert_true(smtp_server_end(server));
    struct bytes behind = BYTES(D_EHLO);        /* is passed over, so that nobody keeps it */
    assert_int_equal(smtp_server_step(server, &behind).kind, SMTP_MORE);
    assert_int_equal(behind.n, 0);
    smtp_server_settle(server, 0, SMTP_YES, BYTES("A"));
    assert_int_equal(go(server, BYTES_NONE), SMTP_CLOSE);
    assert_true(output_is(server, SAID_KEPT("A") "221 2.0.0 Bye\r\n"));
    assert_int_equal(go(server, BYTES(D_EHLO)), SMTP_CLOSE);
    assert_true(output_is(server, ""));
    smtp_server_free(server);
}

static void test_silence(void **state)
{
    const struct smtp_settings settings = dialogue_settings();
    struct smtp_server *server = ready(&settings);

    assert_int_equal(go(server, BYTES(D_EHLO LETTER_BY_BDAT LETTER_BY_BDAT LETTER_BY_BDAT)),
                     SMTP_MORE);
    smtp_server_sent(server);
    smtp_server_settle(server, 1, SMTP_SILENCE, BYTES_NONE);
    smtp_server_settle(server, 2, SMTP_YES, BYTES("C"));
    struct bytes in = BYTES(LETTER_BY_BDAT);
    assert_int_equal(smtp_server_step(server, &in).kind, SMTP_MORE);    /* not SMTP_ASK_RCPT */
    assert_true(output_is(server, ""));
    smtp_server_settle(server, 0, SMTP_YES, BYTES("A"));
    assert_int_equal(go(server, BYTES_NONE), SMTP_CLOSE);
    assert_true(output_is(server, SAID_KEPT("A") SAID_OPEN));
    smtp_server_free(server);
}

/* A letter that was told whole is not dropped, whatever comes before the next step. */
static void test_ended_is_not_dropped(void **state)
{
    const struct smtp_settings settings = dialogue_settings();
    struct smtp_server *server = ready(&settings);
    struct bytes in = BYTES("BDAT 1 LAST\r\nx");

    assert_int_equal(go(server, BYTES(D_OPEN)), SMTP_MORE);
    smtp_server_sent(server);
    assert_int_equal(smtp_server_step(server, &in).kind, SMTP_TEXT);
    assert_int_equal(smtp_server_step(server, &in).kind, SMTP_END);
    smtp_server_timeout(server);
    assert_int_equal(smtp_server_step(server, &in).kind, SMTP_MORE);
    smtp_server_settle(server, 0, SMTP_YES, BYTES("A"));
    assert_int_equal(smtp_server_step(server, &in).kind, SMTP_CLOSE);
    assert_true(output_is(server, SAID_KEPT("A")
                          "421 4.4.2 mx.example.org waited too long; connect again\r\n"));
    smtp_server_free(server);
}

/* No memory for what many letters let go at once: what may be sent is the beginning of it, in whole
   replies. */
static void test_no_memory_at_settling(void **state)
{
    enum { LETTERS = 30 };
    const struct smtp_settings settings = dialogue_settings();
    struct buffer want = buffer_with_most(1 << 16);
    unsigned shorter = 0;

    for (uint64_t nth = 0; nth < 4; nth++) {
        struct smtp_server *server = ready(&settings);
        assert_int_equal(go(server, BYTES(D_EHLO)), SMTP_MORE);
        for (unsigned i = 0; i < LETTERS; i++)
            assert_int_equal(go(server, BYTES(LETTER_BY_BDAT)), SMTP_MORE);
        smtp_server_sent(server);
        mem_fail_at(nth);
        for (uint32_t token = LETTERS; token > 0; token--)
            smtp_server_settle(server, token - 1, SMTP_YES, BYTES("A"));
        mem_fail_at(0);
        struct bytes got = smtp_server_output(server);
        if (nth == 0)
            buffer_put(&want, got);
        assert_true(got.n == 0 || bytes_ends(got, BYTES("\r\n")));
        assert_true(bytes_begins(buffer_bytes(&want), got));
        shorter += got.n < want.n;
        assert_int_equal(go(server, BYTES_NONE), got.n < want.n ? SMTP_CLOSE : SMTP_MORE);
        smtp_server_free(server);
    }
    assert_true(want.n > 2000);
    assert_in_range(shorter, 1, 3);
    buffer_done(&want);
}

static void test_refuse(void **state)
{
    const struct smtp_settings settings = dialogue_settings();
    struct smtp_server *server = smtp_server_new(&settings);
    struct bytes in = BYTES("EHLO early\r\n");

    assert_non_null(server);
    /* SRV-070, pipe-04: not an octet is taken before the greeting */
    assert_int_equal(smtp_server_step(server, &in).kind, SMTP_MORE);
    assert_int_equal(in.n, 12);
    smtp_server_refuse(server, 421, STATUS(4, 7, 0), BYTES("Too many connections; wait a minute"));
    assert_int_equal(smtp_server_step(server, &in).kind, SMTP_CLOSE);
    assert_true(output_is(server, "421 4.7.0 Too many connections; wait a minute\r\n"));
    smtp_server_free(server);
}

static void test_words(void **state)
{
    struct smtp_settings settings = dialogue_settings();
    struct smtp_server *server = ready(&settings);

    /* SRV-115: the name and nothing else */
    assert_true(output_is(server, "220 mx.example.org ESMTP\r\n"));
    assert_int_equal(go(server, BYTES("EHLO [192.0.2.1]\r\n")), SMTP_MORE);
    assert_true(output_is(server,
        "250-mx.example.org\r\n250-SIZE 100000\r\n250-8BITMIME\r\n250-BINARYMIME\r\n"
        "250-CHUNKING\r\n250-PIPELINING\r\n250-SMTPUTF8\r\n250-DSN\r\n"
        "250-DELIVERBY\r\n250-MT-PRIORITY\r\n"
        "250-ENHANCEDSTATUSCODES\r\n"
        "250 LIMITS RCPTMAX=5\r\n"));
    assert_true(bytes_equal(smtp_server_helo(server), BYTES("[192.0.2.1]")));
    assert_int_equal(go(server, BYTES("HELO x.example\r\n")), SMTP_MORE);
    assert_true(output_is(server, "250 mx.example.org\r\n"));
    assert_int_equal(go(server, BYTES("MAIL FROM:<a@@b>\r\n")), SMTP_MORE);
    assert_true(bytes_begins(smtp_server_output(server), BYTES("553 5.1.7 The sender address is "
                                                               "wrong at octet 4: expected ")));
    assert_false(smtp_server_annoyed(server));
    for (unsigned i = 0; i < 10; i++)
        assert_int_equal(go(server, BYTES("FOO\r\n")), SMTP_MORE);
    assert_true(smtp_server_annoyed(server));
    smtp_server_free(server);
}

/* RFC 6710: a stranger may only stand back. */
static void test_priority(void **state)
{
    static const struct { bool urgent; const char *said; int8_t priority; const char *reply; }
    said[] = {
        { false, "MT-PRIORITY=9", 0, "250 2.3.6 " }, { false, "MT-PRIORITY=1", 0, "250 2.3.6 " },
        { false, "MT-PRIORITY=0", 0, "250 2.1.0 " }, { false, "MT-PRIORITY=-9", -9, "250 2.1.0 " },
        { true, "MT-PRIORITY=9", 9, "250 2.1.0 " }, { true, "MT-PRIORITY=-1", -1, "250 2.1.0 " },
    };

    for (size_t i = 0; i < COUNT(said); i++) {
        struct smtp_settings settings = dialogue_settings();
        settings.urgent = said[i].urgent;
        struct smtp_server *server = ready(&settings);
        struct buffer line = buffer_with_most(100);
        assert_int_equal(go(server, BYTES(D_EHLO)), SMTP_MORE);
        smtp_server_sent(server);
        buffer_put(&line, BYTES("MAIL FROM:<a@b.example> "));
        buffer_put_text(&line, said[i].said);
        buffer_put(&line, BYTES("\r\n"));
        assert_int_equal(go(server, buffer_bytes(&line)), SMTP_MORE);
        assert_true(bytes_begins(smtp_server_output(server), bytes_of(said[i].reply)));
        assert_int_equal(smtp_server_priority(server), said[i].priority);
        buffer_done(&line);
        smtp_server_free(server);
    }
}

/* bdat-16: every octet there is, by chunks, as it came. */
static void test_binary(void **state)
{
    const struct smtp_settings settings = dialogue_settings();
    struct smtp_server *server = ready(&settings);
    char all[256];
    struct buffer text = buffer_with_most(1 << 16);
    struct bytes in = BYTES(D_EHLO "MAIL FROM:<a@b.example> BODY=BINARYMIME\r\n" D_RCPT
                            "BDAT 256 LAST\r\n");

    for (size_t i = 0; i < sizeof(all); i++)
        all[i] = (char)(uint8_t)(255 - i);
    assert_int_equal(go(server, in), SMTP_MORE);
    in = (struct bytes){ all, sizeof(all) };
    for (;;) {
        struct smtp_event event = smtp_server_step(server, &in);
        if (event.kind == SMTP_END)
            break;
        assert_int_equal(event.kind, SMTP_TEXT);
        buffer_put(&text, event.text);
    }
    assert_int_equal(smtp_server_body(server), BODY_BINARYMIME);
    assert_true(bytes_equal(buffer_bytes(&text), (struct bytes){ all, sizeof(all) }));
    buffer_done(&text);
    smtp_server_free(server);
}

static void test_notes(void **state)
{
    struct play play = { .settings = dialogue_settings() };

    play.settings.notes = true;
    play_begin(&play);
    dialogue_play(&play, BYTES("EHLO mail-yw1.example\r\nMAIL FROM:<> SIZE=7\r\nRCPT TO:<x>\r\n"
        "RCPT TO:<\".\"@example.org>\r\nRCPT TO:<nobody@example.org>\r\nBDAT 3\r\na\r\n"
        "BDAT 4 LAST\r\nbc\r\n" D_MAIL D_RCPT "DATA\r\nhi\r\n.\r\nFOO bar\r\na\nb\r\nBDAT x\r\n"),
        7, NULL);
    const char *want = "EHLO|mail-yw1.example|0|250\nMAIL|FROM:<> SIZE=7|0|250\n"
        "RCPT|TO:<x>|0|553\nRCPT|\".\"@example.org|0|250\nRCPT|nobody@example.org|0|550\n"
        "BDAT||3|250\nBDAT||4 LAST|0\nMAIL|FROM:<a@c.example>|0|250\nRCPT|b@example.org|0|250\n"
        "DATA||0|354\nDATA||4 LAST|0\n|FOO bar|0|500\n||0|500\n||0|500\nBDAT|x|0|501\n";
    if (!bytes_equal(buffer_bytes(&play.notes), bytes_of(want)))
        fail_msg("%.*s", (int)play.notes.n, play.notes.at);
    play_done(&play);
}

/* One session with the n-th allocation failing (0: none). What was said is put in `said`. */
static void play_failing(struct bytes in, uint64_t nth, struct buffer *said)
{
    struct smtp_settings settings = dialogue_settings();
    enum smtp_event_kind kind = SMTP_DROP;

    mem_fail_at(nth);
    struct smtp_server *server = smtp_server_new(&settings);
    if (server == NULL)
        return;
    smtp_server_greet(server);
    for (unsigned turn = 0; turn < 1000 && kind != SMTP_CLOSE; turn++) {
        struct smtp_event event = smtp_server_step(server, &in);
        kind = event.kind;
        if (kind == SMTP_ASK_RCPT)
            smtp_server_answer_rcpt(server, SMTP_YES);
        if (kind == SMTP_END)
            smtp_server_settle(server, event.token, SMTP_YES, BYTES("ID"));
        struct bytes out = smtp_server_output(server);
        memcpy(said->at + said->n, out.at, out.n);      /* made large enough before */
        said->n += out.n;
        smtp_server_sent(server);
        if (kind == SMTP_MORE && in.n == 0)
            break;
        assert_int_not_equal(kind, SMTP_MORE);
    }
    assert_true(kind == SMTP_CLOSE || kind == SMTP_MORE);
    mem_fail_at(0);
    smtp_server_free(server);
}

/* Whole lines of replies, and nothing said that would not have been said with memory, but a 4xx. */
static void check_said(struct bytes said, struct bytes want)
{
    struct bytes line, wanted;
    bool apart = false;

    assert_true(said.n == 0 || said.at[said.n - 1] == '\n');
    while (bytes_cut(&said, '\n', &line) && !apart) {
        bool more = bytes_cut(&want, '\n', &wanted);
        apart = !more || !bytes_equal(line, wanted);
        if (apart && (line.n < 5 || line.at[0] != '4' || line.at[line.n - 1] != '\r'))
            fail_msg("said in want of memory: %.*s", (int)line.n, line.at);
    }
}

static void test_no_memory(void **state)
{
    static const struct bytes inputs[] = {
        BYTES_INIT(D_OPEN "DATA\r\nx\r\n.\r\n" D_OPEN "RSET\r\n" D_QUIT),
        BYTES_INIT(D_OPEN D_RCPT D_RCPT D_RCPT "BDAT 1\r\nxBDAT 1 LAST\r\ny" D_OPEN "NO"),
        BYTES_INIT(D_EHLO LETTER_BY_BDAT LETTER_BY_BDAT LETTER_BY_BDAT LETTER_BY_BDAT D_QUIT),
    };
    enum { TRIES = 60, SAID_MOST = 1 << 16 };
    struct buffer said = buffer_with_most(SAID_MOST), want = said;

    assert_true(buffer_reserve(&said, SAID_MOST) && buffer_reserve(&want, SAID_MOST));
    for (size_t i = 0; i < COUNT(inputs); i++) {
        unsigned other = 0;
        buffer_clear(&want);
        play_failing(inputs[i], 0, &want);
        for (uint64_t nth = 1; nth <= TRIES; nth++) {
            buffer_clear(&said);
            play_failing(inputs[i], nth, &said);
            check_said(buffer_bytes(&said), buffer_bytes(&want));
            other += !bytes_equal(buffer_bytes(&said), buffer_bytes(&want));
        }
        assert_in_range(other, 5, TRIES - 5);
    }
    buffer_done(&said);
    buffer_done(&want);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_stop_while_asking),
        cmocka_unit_test(test_close_waits),
        cmocka_unit_test(test_silence),
        cmocka_unit_test(test_ended_is_not_dropped),
        cmocka_unit_test(test_no_memory_at_settling),
        cmocka_unit_test(test_refuse),
        cmocka_unit_test(test_words), cmocka_unit_test(test_priority),
        cmocka_unit_test(test_binary),
        cmocka_unit_test(test_notes),
        cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
