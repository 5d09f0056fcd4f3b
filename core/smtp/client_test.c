/* SPDX-License-Identifier: ISC */
#include "smtp/client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

/* A whole dialogue: what the server says, split where it waits for us (a '|' between flights), and
   what came of it: one letter a recipient, T taken, L later, F failed, W later and in the window;
   then "." done, "!" close. The same must come out however the octets are cut. */
struct row {
    const char *name;
    const char *server;
    size_t recipients;
    const char *events;
    const char *said;           /* ours, whole */
    enum body_kind body;
    bool utf8, ask;
    const char *text;
    enum client_kind kind;
    enum client_tls tls;
    const char *user;           /* signs in, with the password "pw" */
    unsigned avoid;
    bool dsn, require_tls;
};

#define HELLO_ALL "220 x\r\n|250-x\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 SIZE 1000\r\n|"
#define HELLO_CHUNK "220 x\r\n|250-x\r\n250-PIPELINING\r\n250-CHUNKING\r\n250 8BITMIME\r\n|"
#define HELLO_PLAIN "220 x\r\n|250 x\r\n|"
#define LHLO "LHLO h\r\n"
#define MAIL "MAIL FROM:<s@x>\r\n"
#define R0 "RCPT TO:<r0@x>\r\n"
#define R1 "RCPT TO:<r1@x>\r\n"
#define R2 "RCPT TO:<r2@x>\r\n"
#define TEXT "a\r\n..b\r\n.\r\n"
#define BDAT "BDAT 7 LAST\r\na\r\n.b\r\n"

static const struct row rows[] = {
    { .name = "pipelined, all taken",
      HELLO_ALL "250 ok\r\n250 ok\r\n250 ok\r\n354 go\r\n|"
      "250 2.0.0 one\r\n250 2.0.0 two\r\n", 2, "TT.", LHLO MAIL R0 R1 "DATA\r\n" TEXT },
    { .name = "one refused at RCPT",
      HELLO_ALL "250 ok\r\n550 5.1.1 who\r\n250 ok\r\n354 go\r\n|"
      "250 two\r\n", 2, "FT.", LHLO MAIL R0 R1 "DATA\r\n" TEXT },
    { .name = "different fates at the end",
      HELLO_ALL "250 a\r\n250 b\r\n250 c\r\n250 d\r\n354 go\r\n|"
      "250 x\r\n452 4.2.2 full\r\n550 5.2.0 no\r\n", 3, "TLF.", LHLO MAIL R0 R1 R2 "DATA\r\n"
      TEXT },
    { .name = "MAIL refused in the flight",
      HELLO_ALL "550 5.7.1 no\r\n503 x\r\n503 x\r\n503 x\r\n", 2,
      "FF.", LHLO MAIL R0 R1 "DATA\r\n" },
    { .name = "nobody, and yet 354",
      HELLO_ALL "250 ok\r\n550 no\r\n451 later\r\n354 go\r\n", 2, "FL.!",
      LHLO MAIL R0 R1 "DATA\r\n.\r\n" },
    { .name = "DATA refused",
      HELLO_ALL "250 ok\r\n250 ok\r\n554 5.6.0 no\r\n", 1, "F.", LHLO MAIL R0
      "DATA\r\n" },
    { .name = "DATA answered with 250",
      HELLO_ALL "250 ok\r\n250 ok\r\n250 what\r\n", 1, "L.!",
      LHLO MAIL R0 "DATA\r\n" },
    { .name = "421 in the middle",
      HELLO_ALL "250 ok\r\n421 4.3.2 bye\r\n", 2, "LL.!", LHLO MAIL R0 R1
      "DATA\r\n" },
    { .name = "421 at the end is no window",
      HELLO_ALL "250 a\r\n250 b\r\n250 c\r\n354 go\r\n|"
      "250 one\r\n421 4.3.2 bye\r\n", 2, "TL.!", LHLO MAIL R0 R1 "DATA\r\n" TEXT },
    { .name = "nonsense",
      HELLO_ALL "250 a\r\nhello there\r\n", 1, "L.!", LHLO MAIL R0 "DATA\r\n" },
    { .name = "chunks in one flight",
      HELLO_CHUNK "250 a\r\n250 b\r\n250 c\r\n|", 1, "T.", LHLO MAIL R0
      BDAT },
    { .name = "chunks, one refused",
      HELLO_CHUNK "250 a\r\n550 b\r\n250 c\r\n250 d\r\n", 2, "FT.",
      LHLO MAIL R0 R1 BDAT },
    { .name = "chunks, all refused",
      HELLO_CHUNK "250 a\r\n550 b\r\n550 c\r\n503 d\r\n", 2, "FF.!",
      LHLO MAIL R0 R1 BDAT },
    { .name = "chunks, all refused, and the answer to the text is late",
      HELLO_CHUNK "250 a\r\n550 b\r\n", 1, "F.!", LHLO MAIL R0 BDAT },
    { .name = "plain, step by step",
      HELLO_PLAIN "250 a\r\n|250 b\r\n|354 c\r\n|250 d\r\n", 1, "T.",
      LHLO MAIL R0 "DATA\r\n" TEXT },
    { .name = "plain, RCPT refused",
      HELLO_PLAIN "250 a\r\n|550 b\r\n", 1, "F.", LHLO MAIL R0 },
    { .name = "plain, MAIL refused",
      HELLO_PLAIN "451 a\r\n", 1, "L.", LHLO MAIL },
    { .name = "lines that end with LF, codes alone",
      "220\n|250-x\n250\n|250\n|250\n|354\n|250\n", 1, "T.",
      LHLO MAIL R0 "DATA\r\n" TEXT },
    { .name = "binary without BINARYMIME",
      HELLO_ALL, 2, "FF.", LHLO, .body = BODY_BINARYMIME },
    { .name = "UTF-8 without SMTPUTF8",
      HELLO_ALL, 1, "F.", LHLO, .utf8 = true },
    { .name = "8 bits without 8BITMIME",
      HELLO_PLAIN, 1, "F.", LHLO, .body = BODY_8BITMIME },
    { .name = "asked only",
      HELLO_ALL "250 a\r\n250 b\r\n", 1, "T.", LHLO MAIL R0, .ask = true },
    { .name = "asked only, and no",
      HELLO_ALL "250 a\r\n550 5.1.1 b\r\n", 1, "F.", LHLO MAIL R0,
      .ask = true },
    { .name = "bare line ends are made whole",
      HELLO_ALL "250 a\r\n250 b\r\n354 c\r\n|250 d\r\n", 1, "T.",
      LHLO MAIL R0 "DATA\r\na\r\n..b\r\n\r\nc\r\n.\r\n", .text = "a\n.b\r\rc" },
    { .name = "no text at all",
      HELLO_ALL "250 a\r\n250 b\r\n354 c\r\n|250 d\r\n", 1, "T.",
      LHLO MAIL R0 "DATA\r\n.\r\n", .text = "" },
};

#define EHLO_ALL "220 x\r\n|250-x\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 SIZE 1000\r\n|"
#define EHLO_CHUNK "220 x\r\n|250-x\r\n250-PIPELINING\r\n250-CHUNKING\r\n250 8BITMIME\r\n|"
#define EHLO_TLS "220 x\r\n|250-x\r\n250-STARTTLS\r\n250 PIPELINING\r\n|"
#define EHLO "EHLO h\r\n"
#define SMTP .kind = CLIENT_SMTP

/* The same of SMTP. "*" in the events: STARTTLS, and the handshake is taken as done. */
static const struct row smtp_rows[] = {
    { "one answer for all",
      EHLO_ALL "250 a\r\n250 b\r\n250 c\r\n354 d\r\n|250 e\r\n", 2, "TT.",
      EHLO MAIL R0 R1 "DATA\r\n" TEXT, SMTP },
    { "one refused at RCPT, the other taken",
      EHLO_ALL "250 a\r\n550 5.1.1 b\r\n250 c\r\n354 d\r\n|250 e\r\n", 2, "FT.",
      EHLO MAIL R0 R1 "DATA\r\n" TEXT, SMTP },
    { "refused at the end", EHLO_ALL "250 a\r\n250 b\r\n250 c\r\n354 d\r\n|554 5.6.0 e\r\n", 2,
      "FF.", EHLO MAIL R0 R1 "DATA\r\n" TEXT, SMTP },
    { "nobody, and yet 354: it answers once, and the connection lives",
      EHLO_ALL "250 a\r\n550 b\r\n451 c\r\n354 d\r\n|554 e\r\n", 2, "FL.",
      EHLO MAIL R0 R1 "DATA\r\n.\r\n", SMTP },
    { "nobody, and 250 for nothing",
      EHLO_ALL "250 a\r\n550 b\r\n354 d\r\n|250 e\r\n", 1, "F.",
      EHLO MAIL R0 "DATA\r\n.\r\n", SMTP },
    { "chunks in one flight", EHLO_CHUNK "250 a\r\n250 b\r\n250 c\r\n", 1, "T.",
      EHLO MAIL R0 BDAT, SMTP },
    { "chunks, all refused: one answer comes", EHLO_CHUNK "250 a\r\n550 b\r\n503 c\r\n", 1, "F.",
      EHLO MAIL R0 BDAT, SMTP },
    { "no chunks where they are known to break",
      EHLO_CHUNK "250 a\r\n250 b\r\n354 c\r\n|250 d\r\n", 1, "T.", EHLO MAIL R0 "DATA\r\n" TEXT,
      SMTP, .avoid = CLIENT_CHUNKING },
    { "too many recipients for one letter (CLI-026)",
      EHLO_ALL "250 a\r\n250 b\r\n452 4.5.3 many\r\n452 many\r\n354 d\r\n|250 e\r\n", 3, "AAT.",
      EHLO MAIL R0 R1 R2 "DATA\r\n" TEXT, SMTP },
    { "452 of the first is about the server", EHLO_ALL "250 a\r\n452 4.3.1 b\r\n554 d\r\n", 1,
      "L.", EHLO MAIL R0 "DATA\r\n", SMTP },
    { "EHLO is not known",
      "220 x\r\n|502 what\r\n|250 x\r\n|250 a\r\n|250 b\r\n|354 c\r\n|250 d\r\n", 1, "T.",
      EHLO "HELO h\r\n" MAIL R0 "DATA\r\n" TEXT, SMTP },
    { "neither is HELO", "220 x\r\n|502 what\r\n|502 what\r\n", 1, "!", EHLO "HELO h\r\n",
      SMTP },
    { "a greeting hidden by a wall", "220 *****\r\n|250-x\r\n250 XXXXXXXA\r\n|250 a\r\n|250 b\r\n|"
      "354 c\r\n|250 d\r\n", 1, "T.", EHLO MAIL R0 "DATA\r\n" TEXT, SMTP },
    { "it speaks HTTP (CLI-044)", "HTTP/1.1 400 Bad Request\r\n", 1, "!", "", SMTP },
    /* STARTTLS */
    { "TLS where it is offered",
      EHLO_TLS "220 go\r\n|250-x\r\n250 8BITMIME\r\n|250 a\r\n|250 b\r\n|"
      "354 c\r\n|250 d\r\n", 1, "*T.", EHLO "STARTTLS\r\n" EHLO MAIL R0 "DATA\r\n" TEXT, SMTP,
      .tls = CLIENT_TLS_MAY },
    { "no TLS where it is not wanted", EHLO_TLS "250 a\r\n250 b\r\n354 c\r\n|250 d\r\n", 1, "T.",
      EHLO MAIL R0 "DATA\r\n" TEXT, SMTP },
    { "TLS is refused, and nobody minds",
      EHLO_TLS "454 no\r\n|250 a\r\n250 b\r\n354 c\r\n|250 d\r\n", 1, "T.",
      EHLO "STARTTLS\r\n" MAIL R0 "DATA\r\n" TEXT, SMTP, .tls = CLIENT_TLS_MAY },
    { "TLS is refused, and it must be (CLI-010)",
      EHLO_TLS "454 no\r\n", 1, "!", EHLO "STARTTLS\r\n", SMTP,
      .tls = CLIENT_TLS_MUST },
    { "TLS is not offered, and it must be (CLI-011)", EHLO_ALL, 1, "!", EHLO, SMTP,
      .tls = CLIENT_TLS_MUST },
    { "HELO has no TLS", "220 x\r\n|502 what\r\n|250 x\r\n", 1, "!", EHLO "HELO h\r\n", SMTP,
      .tls = CLIENT_TLS_MUST },
    { "REQUIRETLS goes on", EHLO_TLS "220 go\r\n|250-x\r\n250-PIPELINING\r\n250 REQUIRETLS\r\n|"
      "250 a\r\n250 b\r\n354 c\r\n|250 d\r\n", 1, "*T.",
      EHLO "STARTTLS\r\n" EHLO "MAIL FROM:<s@x> REQUIRETLS\r\n" R0 "DATA\r\n" TEXT, SMTP,
      .tls = CLIENT_TLS_MUST, .require_tls = true },
    { "REQUIRETLS is not offered inside (CLI-045)",
      EHLO_TLS "220 go\r\n|250-x\r\n250 PIPELINING\r\n|", 1, "*F.", EHLO "STARTTLS\r\n" EHLO, SMTP,
      .tls = CLIENT_TLS_MUST, .require_tls = true },
    { "REQUIRETLS that is offered in clear is no offer",
      "220 x\r\n|250-x\r\n250 REQUIRETLS\r\n|", 1, "F.", EHLO, SMTP, .require_tls = true },
    /* DSN, LIMITS */
    { "the sender's wishes for reports", "220 x\r\n|250-x\r\n250-PIPELINING\r\n250 DSN\r\n|"
      "250 a\r\n250 b\r\n354 c\r\n|250 d\r\n", 1, "T.",
      EHLO "MAIL FROM:<s@x> RET=HDRS ENVID=e+2B1\r\n"
      "RCPT TO:<r0@x> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;o@x\r\nDATA\r\n" TEXT, SMTP, .dsn = true },
    { "and to whom they mean nothing", EHLO_ALL "250 a\r\n250 b\r\n354 c\r\n|250 d\r\n", 1, "T.",
      EHLO MAIL R0 "DATA\r\n" TEXT, SMTP, .dsn = true },
    /* AUTH */
    { "signs in", "220 x\r\n|250-x\r\n250-PIPELINING\r\n250 AUTH LOGIN PLAIN\r\n|235 ok\r\n|"
      "250 a\r\n250 b\r\n354 c\r\n|250 d\r\n", 1, "T.",
      EHLO "AUTH PLAIN AHVzAHB3\r\n" MAIL R0 "DATA\r\n" TEXT, SMTP, .user = "us" },
    { "signs in the old way",
      "220 x\r\n|250-x\r\n250-PIPELINING\r\n250 AUTH=LOGIN\r\n|334 VX\r\n|334 UG\r\n|"
      "235 ok\r\n|250 a\r\n250 b\r\n354 c\r\n|250 d\r\n", 1, "T.",
      EHLO "AUTH LOGIN\r\ndXM=\r\ncHc=\r\n" MAIL R0 "DATA\r\n" TEXT, SMTP, .user = "us" },
    { "may not sign in", "220 x\r\n|250-x\r\n250 AUTH PLAIN\r\n|535 5.7.8 no\r\n", 1, "!",
      EHLO "AUTH PLAIN AHVzAHB3\r\n", SMTP, .user = "us" },
    { "cannot sign in", EHLO_ALL, 1, "!", EHLO, SMTP, .user = "us" },
};

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
        .require_tls = play->row->require_tls,
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
    return i < COUNT(rows) ? &rows[i] : &smtp_rows[i - COUNT(rows)];
}

static void each_row_however_cut(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows) + COUNT(smtp_rows); i++) {
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
   for that recipient, and a window only after the end of the text. */
static void the_truth_wherever_it_is_cut(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows) + COUNT(smtp_rows); i++) {
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
    struct play play = play_new(&rows[0]);

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_row_however_cut),
        cmocka_unit_test(the_truth_wherever_it_is_cut),
        cmocka_unit_test(a_lost_answer_to_the_end_is_the_window),
        cmocka_unit_test(nothing_in_clear_survives_starttls),
        cmocka_unit_test(an_early_no_is_heard),
        cmocka_unit_test(a_yes_before_the_end_is_none),
        cmocka_unit_test(limits_are_read),
        cmocka_unit_test(a_connection_serves_many_letters),
        cmocka_unit_test(quit_is_said_and_answered),
        cmocka_unit_test(a_reply_has_bounds),
        cmocka_unit_test(a_refused_greeting_says_why),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
