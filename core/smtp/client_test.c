/* SPDX-License-Identifier: ISC */
#include "smtp/client_rows_int.h"

#include "base/arena.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

struct play {
    struct smtp_client *client;
    const struct row *row;
    struct recipient recipients[3];
    char events[32], said[1024];
    size_t said_n;
    bool begun, closed;
};

static void take_output(struct play *play)
{
    struct bytes out = smtp_client_output(play->client);

    assert_true(play->said_n + out.n < sizeof(play->said));
    memcpy(play->said + play->said_n, out.at, out.n);
    play->said_n += out.n;
    smtp_client_sent(play->client);
}

static void note(struct play *play, char c)
{
    size_t n = strlen(play->events);

    assert_true(n + 1 < sizeof(play->events));
    play->events[n] = c;
}

static void begin(struct play *play)
{
    struct client_letter letter = {
        .sender = BYTES("s@x"), .recipients = play->recipients, .n = play->row->recipients,
        .body = play->row->body, .smtputf8 = play->row->utf8, .ask_only = play->row->ask,
        .require_tls = play->row->require_tls, .recipe = play->row->recipe,
        .by_s = play->row->by_s, .by_return = play->row->by_return,
        .by_trace = play->row->by_trace, .priority = play->row->priority,
        .has_priority = play->row->priority != 0,
    };

    if (play->row->dsn) {
        letter.ret = DSN_RET_HDRS;
        letter.envid = BYTES("e+2B1");
        play->recipients[0].notify = DSN_SUCCESS | DSN_DELAY;
        play->recipients[0].orcpt = BYTES("rfc822;o@x");
    }

    play->begun = true;
    smtp_client_begin(play->client, &letter);
}

/* Until nothing more comes of what is there. */
static void run(struct play *play, struct bytes in)
{
    static const char letters[] = "?TLF";
    const char *text = play->row->text == NULL ? "a\r\n.b\r\n" : play->row->text;

    while (!play->closed) {
        struct client_event event = smtp_client_step(play->client, &in);
        if (event.kind == CLIENT_RESULT)
            note(play, event.result.window ? 'W' : event.result.again ? 'A'
                       : letters[event.result.outcome]);
        else if (event.kind == CLIENT_STARTTLS)
            note(play, '*'), smtp_client_secured(play->client);
        else if (event.kind == CLIENT_DONE)
            note(play, '.');
        else if (event.kind == CLIENT_READY)
            begin(play);
        else if (event.kind == CLIENT_CLOSE)
            play->closed = true;
        else if (smtp_client_wants_text(play->client))
            smtp_client_text(play->client, bytes_of(text), true);
        else if (event.kind == CLIENT_MORE && in.n == 0)
            break;
    }
    if (play->closed)
        note(play, '!');
    take_output(play);
}

static struct play play_new(const struct row *row)
{
    struct play play = { .client = smtp_client_new(row->kind, BYTES("h")), .row = row };

    for (size_t i = 0; i < COUNT(play.recipients); i++)
        play.recipients[i].address = (struct bytes){ &"r0@xr1@xr2@x"[4 * i], 4 };

    assert_non_null(play.client);
    smtp_client_set_tls(play.client, row->tls);
    smtp_client_avoid(play.client, row->avoid);
    if (row->user != NULL)
        smtp_client_sign_in(play.client, bytes_of(row->user), BYTES("pw"));
    return play;
}

/* Up to `most` octets of the server's, in pieces; flights are handed over one after another. */
static void feed(struct play *play, size_t piece, size_t most)
{
    struct bytes server = bytes_of(play->row->server), flight;

    while (bytes_cut(&server, '|', &flight)) {
        flight = bytes_first(flight, most);
        most -= flight.n;
        while (flight.n > 0 && !play->closed) {
            run(play, bytes_first(flight, piece));
            flight = bytes_skip(flight, piece);
        }
    }
}

static const struct row *row_at(size_t i)
{
    return i < client_rows_n ? &client_rows[i] : &client_smtp_rows[i - client_rows_n];
}

static void each_row_however_cut(void **state)
{
    (void)state;
    for (size_t i = 0; i < client_rows_n + client_smtp_rows_n; i++) {
        const struct row *row = row_at(i);
        for (size_t piece = 1; piece <= 4096; piece = piece < 8 ? piece + 1 : piece * 8) {
            struct play play = play_new(row);
            feed(&play, piece, SIZE_MAX);
            if (strcmp(play.events, row->events) != 0 || strcmp(play.said, row->said) != 0)
                print_error("%s, pieces of %zu\n", row->name, piece);
            assert_string_equal(play.events, row->events);
            assert_string_equal(play.said, row->said);
            smtp_client_free(play.client);
        }
    }
}

/* A cut at every octet: one result a recipient all the same, TAKEN only if the server had said so
   for that recipient, and a window only after the end of the text (CLI-029). */
static void the_truth_wherever_it_is_cut(void **state)
{
    (void)state;
    for (size_t i = 0; i < client_rows_n + client_smtp_rows_n; i++) {
        const struct row *row = row_at(i);
        for (size_t most = 0; most <= strlen(row->server); most++) {
            struct play play = play_new(row);
            feed(&play, SIZE_MAX, most);
            bool ended = strstr(play.said, "\r\n.\r\n") != NULL || strstr(play.said, "LAST")
                         != NULL;
            if (!play.closed) {
                smtp_client_lost(play.client, BYTES("cut"));
                run(&play, BYTES_NONE);
            }
            const char *came = play.events + strspn(play.events, "*");
            const char *wanted = row->events + strspn(row->events, "*");
            size_t results = strcspn(came, ".!");
            assert_int_equal(results, play.begun ? row->recipients : 0);
            for (size_t k = 0; k < results; k++) {
                assert_true(strchr("LWA", came[k]) != NULL || strchr(wanted, came[k]) != NULL);
                assert_true(came[k] == wanted[k] || strchr("LW", came[k]) != NULL
                            || row->kind == CLIENT_SMTP);
                assert_true(came[k] != 'W' || ended);
            }
            smtp_client_free(play.client);
        }
    }
}

static void a_lost_answer_to_the_end_is_the_window(void **state)
{
    struct play play = play_new(&client_rows[0]);

    (void)state;
    feed(&play, SIZE_MAX, strlen(HELLO_ALL "250 ok\r\n250 ok\r\n250 ok\r\n354 go\r\n|"
                                 "250 2.0.0 one\r\n") - 3);
    smtp_client_lost(play.client, BYTES("cut"));
    run(&play, BYTES_NONE);
    assert_string_equal(play.events, "TW.!");
    smtp_client_free(play.client);
}

/* CLI-009: whatever stands behind "220" in clear is thrown away with the connection. */
static void nothing_in_clear_survives_starttls(void **state)
{
    struct play play = play_new(&(struct row){ "injected", "", 1, "", "", SMTP,
                                               .tls = CLIENT_TLS_MAY });
    struct status_code code;

    (void)state;
    run(&play, BYTES("220 x\r\n"));
    run(&play, BYTES("250-x\r\n250 STARTTLS\r\n"));
    run(&play, BYTES("220 ok\r\n250 fake\r\n"));
    assert_string_equal(play.events, "!");
    assert_false(smtp_client_is_secure(play.client));
    (void)smtp_client_why(play.client, &code);
    assert_int_equal(code.subject, 7);
    smtp_client_free(play.client);
}

/* CLI-030: who says no in the middle of the text is understood, and nothing is said any more. */
static void an_early_no_is_heard(void **state)
{
    struct play play = play_new(&(struct row){ "early", "", 1, "", "", SMTP });

    (void)state;
    run(&play, BYTES("220 x\r\n"));
    run(&play, BYTES("250 x\r\n"));
    run(&play, BYTES("250 a\r\n"));
    run(&play, BYTES("250 b\r\n"));
    struct bytes in = BYTES("354 c\r\n");
    assert_int_equal(smtp_client_step(play.client, &in).kind, CLIENT_MORE);
    assert_true(smtp_client_wants_text(play.client));
    smtp_client_text(play.client, BYTES("much text"), false);
    run(&play, BYTES("552 5.3.4 too much\r\n"));
    assert_string_equal(play.events, "F.!");
    assert_false(smtp_client_wants_text(play.client));
    smtp_client_free(play.client);
}

/* CLI-020: only what is said after the end of the text counts. */
static void a_yes_before_the_end_is_none(void **state)
{
    struct play play = play_new(&(struct row){ "eager", "", 1, "", "", SMTP });

    (void)state;
    run(&play, BYTES("220 x\r\n"));
    run(&play, BYTES("250 x\r\n"));
    run(&play, BYTES("250 a\r\n"));
    run(&play, BYTES("250 b\r\n"));
    run(&play, BYTES("354 c\r\n250 d\r\n"));
    assert_string_equal(play.events, "L.!");
    smtp_client_free(play.client);
}

/* RFC 9422: what one connection may carry. */
static void limits_are_read(void **state)
{
    struct play play = play_new(&(struct row){ "limits", "", 1, "", "", SMTP });

    (void)state;
    assert_int_equal(smtp_client_rcpt_most(play.client), CLIENT_RECIPIENTS);
    run(&play, BYTES("220 x\r\n"));
    struct bytes in = BYTES("250-x\r\n250-LIMITS RCPTMAX=7 MAILMAX=3 X=y\r\n250 weird.key=1\r\n");
    assert_int_equal(smtp_client_step(play.client, &in).kind, CLIENT_READY);
    assert_int_equal(smtp_client_rcpt_most(play.client), 7);
    assert_int_equal(smtp_client_mail_most(play.client), 3);
    smtp_client_free(play.client);
}

/* What somebody said in place of a reply: the connection ends and the letter waits (CLI-006,
   CLI-007). Each stands in memory of its own size, so that reading beyond it is seen. */
static void what_is_no_reply_is_none(void **state)
{
    static const char *const flaws[] = {
        "25\r\n", "2\r\n", "2500 x\r\n", "abc\r\n", "250X\r\n", "-\r\n", "\r\n", "\n", " 250 a\r\n",
        "250-a\r\n251 b\r\n", "250-a\r\n550 5.1.1 b\r\n", "250-a\r\nb\r\n", "150 x\r\n",
        "600 x\r\n", "000 x\r\n", "2\xff\x30 x\r\n", "250\tx\r\n", "+OK\r\n", "250-a\r\n-\r\n",
    };
    static const struct { const char *said, *events, *words; } replies[] = {
        { "550\r\n", "F.", "" }, { "550 \r\n", "F.", "" }, { "550 5.7.2\r\n", "F.", "" },
        { "550-no\r\n550\r\n", "F.", "no" }, { "550-\r\n550-\r\n550 no\r\n", "F.", "no" },
        { "550-5.7.2 a\r\n550-5.7.2\r\n550 5.7.2\r\n", "F.", "a" },
        { "450 5.7.2 a\r\n", "L.", "5.7.2 a" }, { "550 99999.1.1 a\r\n", "F.", "99999.1.1 a" },
        { "550 a\rRCPT TO:<b@x>\r\n", "F.", "a\rRCPT TO:<b@x>" },
    };
    const struct row row = { "at MAIL", "", 1, "", "", SMTP };

    (void)state;
    for (size_t i = 0; i < COUNT(flaws) + COUNT(replies); i++) {
        bool flawed = i < COUNT(flaws);
        const char *said = flawed ? flaws[i] : replies[i - COUNT(flaws)].said;
        struct play play = play_new(&row);
        run(&play, BYTES("220 x\r\n"));
        run(&play, BYTES("250 x\r\n"));
        char *alone = malloc(strlen(said));
        memcpy(alone, said, strlen(said));
        struct bytes in = { alone, strlen(said) };
        struct client_event event = smtp_client_step(play.client, &in);
        struct bytes words = event.result.words;
        assert_int_equal(event.kind, CLIENT_RESULT);
        assert_int_equal(bytes_find(words, '\n'), words.n);
        if (!flawed)
            assert_true(bytes_equal(words, bytes_of(replies[i - COUNT(flaws)].words)));
        note(&play, "?TLF"[event.result.outcome]);
        run(&play, in);
        free(alone);
        if (strcmp(play.events, flawed ? "L.!" : replies[i - COUNT(flaws)].events) != 0)
            fail_msg("%s: %s", said, play.events);
        smtp_client_free(play.client);
    }
}

/* CLI-004: ten million lines of one reply. */
static void a_reply_without_end_is_cut(void **state)
{
    struct play play = play_new(&(struct row){ "endless", "", 1, "", "", SMTP });
    unsigned lines = 0;

    (void)state;
    run(&play, BYTES("220 x\r\n"));
    run(&play, BYTES("250 x\r\n"));
    for (; lines < 10000000 && !play.closed; lines++)
        run(&play, BYTES("250-and another\r\n"));
    assert_int_equal(lines, 129);
    assert_string_equal(play.events, "L.!");
    smtp_client_free(play.client);
}

/* CLI-017: what turned out unknown is told once the letter is over. */
static void a_lie_is_told(void **state)
{
    struct play play = play_new(&(struct row){ "lies", "", 1, "", "", SMTP });

    (void)state;
    run(&play, BYTES("220 x\r\n"));
    run(&play, BYTES("250-x\r\n250-DSN\r\n250 CHUNKING\r\n"));
    run(&play, BYTES("250 a\r\n"));
    run(&play, BYTES("250 b\r\n"));
    assert_int_equal(smtp_client_lied(play.client), 0);
    run(&play, BYTES("502 5.5.1 what\r\n500 what\r\n"));
    assert_string_equal(play.events, "L.!");
    assert_int_equal(smtp_client_lied(play.client), CLIENT_CHUNKING | CLIENT_BINARYMIME);
    smtp_client_free(play.client);
}

/* A recipe goes to those alone who read the version that we write. */
static void recipes_are_offered(void **state)
{
    static const struct { const char *line; bool offered; } lines[] = {
        { "CONTENT-RECIPE 1", true }, { "content-recipe 3 2 1", true }, { "CONTENT-RECIPE", false },
        { "CONTENT-RECIPE 2", false }, { "CONTENT-RECIPE 11", false }, { "X-RECIPE 1", false },
    };

    (void)state;
    for (size_t i = 0; i < 2 * COUNT(lines); i++) {
        struct row row = { .name = lines[i / 2].line, .server = "", .said = "", .events = "",
                           SMTP, .avoid = i % 2 == 0 ? 0 : CLIENT_RECIPE };
        struct play play = play_new(&row);
        char reply[80] = "250-x\r\n250 ";
        run(&play, BYTES("220 x\r\n"));
        strcat(strcat(reply, row.name), "\r\n");
        struct bytes in = bytes_of(reply);
        assert_int_equal(smtp_client_step(play.client, &in).kind, CLIENT_READY);
        assert_int_equal((smtp_client_extensions(play.client) & CLIENT_RECIPE) != 0,
                         lines[i / 2].offered && i % 2 == 0);
        smtp_client_free(play.client);
    }
}

static void a_connection_serves_many_letters(void **state)
{
    static const struct row row = { .name = "twice", HELLO_ALL, 1, "", "" };
    struct play play = play_new(&row);

    (void)state;
    feed(&play, SIZE_MAX, SIZE_MAX);
    for (int i = 0; i < 3; i++) {
        run(&play, BYTES("250 a\r\n250 b\r\n354 c\r\n"));
        run(&play, BYTES("250 d\r\n"));
        assert_true(smtp_client_ready(play.client));
        begin(&play);
        run(&play, BYTES("250 reset\r\n"));
    }
    assert_string_equal(play.events, "T.T.T.");
    assert_non_null(strstr(play.said, "\r\n.\r\nRSET\r\nMAIL"));
    smtp_client_free(play.client);
}

static void quit_is_said_and_answered(void **state)
{
    static const struct row row = { .name = "quit",
                                    HELLO_ALL "250 a\r\n250 b\r\n354 c\r\n|250 d\r\n", 1,
                                    "", "" };
    struct play play = play_new(&row);

    (void)state;
    feed(&play, SIZE_MAX, SIZE_MAX);
    smtp_client_quit(play.client);
    run(&play, BYTES("221 bye\r\n"));
    assert_string_equal(play.events, "T.!");
    smtp_client_free(play.client);
}

static void a_reply_has_bounds(void **state)
{
    struct smtp_client *client = smtp_client_new(CLIENT_LMTP, BYTES("h"));
    static char line[4000];
    struct bytes in = { line, sizeof(line) };
    struct status_code code;

    (void)state;
    memset(line, '2', sizeof(line));
    assert_int_equal(smtp_client_step(client, &in).kind, CLIENT_CLOSE);
    (void)smtp_client_why(client, &code);
    assert_int_equal(code.class, 4);
    smtp_client_free(client);
}

static void a_refused_greeting_says_why(void **state)
{
    struct smtp_client *client = smtp_client_new(CLIENT_LMTP, BYTES("h"));
    struct bytes in = BYTES("554-5.7.1 not\r\n554 you\r\n");
    struct status_code code;

    (void)state;
    assert_int_equal(smtp_client_step(client, &in).kind, CLIENT_CLOSE);
    struct bytes why = smtp_client_why(client, &code);
    assert_true(bytes_equal(why, BYTES("554 5.7.1 not you")));
    assert_int_equal(code.class, 5);
    assert_int_equal(code.subject, 7);
    smtp_client_free(client);
}

/* A text that found no room whole is not ended: a server must not take what is left of it. */
static void want_of_memory_never_makes_a_shorter_letter(void **state)
{
    static char text[40000];

    (void)state;
    memset(text, 'x', sizeof(text));
    for (size_t i = 70; i + 1 < sizeof(text); i += 72)
        memcpy(text + i, "\r\n", 2);
    for (uint64_t nth = 1; nth < 12; nth++) {
        struct play play = play_new(&(struct row){ "short", "", 1, "", "", SMTP });
        run(&play, BYTES("220 x\r\n"));
        run(&play, BYTES("250 x\r\n"));
        run(&play, BYTES("250 a\r\n"));
        run(&play, BYTES("250 b\r\n"));
        struct bytes in = BYTES("354 c\r\n");
        assert_int_equal(smtp_client_step(play.client, &in).kind, CLIENT_MORE);
        take_output(&play);
        mem_fail_at(nth);
        smtp_client_text(play.client, (struct bytes){ text, sizeof(text) }, true);
        mem_fail_at(0);
        struct bytes out = smtp_client_output(play.client);
        if (smtp_client_lacks_memory(play.client)) {
            assert_int_equal(out.n, 0);
            run(&play, BYTES_NONE);
            assert_string_equal(play.events, "L.!");
        } else {
            assert_in_range(out.n, sizeof(text), sizeof(text) + 5);
        }
        smtp_client_free(play.client);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_row_however_cut),
        cmocka_unit_test(the_truth_wherever_it_is_cut),
        cmocka_unit_test(a_lost_answer_to_the_end_is_the_window),
        cmocka_unit_test(nothing_in_clear_survives_starttls),
        cmocka_unit_test(an_early_no_is_heard),
        cmocka_unit_test(a_yes_before_the_end_is_none),
        cmocka_unit_test(want_of_memory_never_makes_a_shorter_letter),
        cmocka_unit_test(what_is_no_reply_is_none),
        cmocka_unit_test(a_reply_without_end_is_cut), cmocka_unit_test(a_lie_is_told),
        cmocka_unit_test(limits_are_read), cmocka_unit_test(recipes_are_offered),
        cmocka_unit_test(a_connection_serves_many_letters),
        cmocka_unit_test(quit_is_said_and_answered),
        cmocka_unit_test(a_reply_has_bounds),
        cmocka_unit_test(a_refused_greeting_says_why),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
