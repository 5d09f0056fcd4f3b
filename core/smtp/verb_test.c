/* SPDX-License-Identifier: ISC
 *
 * Every command of verb.def in every state: the reply, and that no row is missing here.
 */
#include "smtp/dialogue_int.h"
#include "smtp/verb.def"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <stdio.h>

enum { NEW, READY, SENDER, RCPTS, CHUNKS, REFUSED, STUCK, STATES };

static const struct { struct bytes input; size_t replies; } ways[STATES] = {
    [NEW] = { BYTES_INIT(""), 1 },
    [READY] = { BYTES_INIT(D_EHLO), 2 },
    [SENDER] = { BYTES_INIT(D_EHLO D_MAIL), 3 },
    [RCPTS] = { BYTES_INIT(D_OPEN), 4 },
    [CHUNKS] = { BYTES_INIT(D_OPEN "BDAT 1\r\nx"), 5 },
    [REFUSED] = { BYTES_INIT(D_OPEN "BDAT 1\r\n\n"), 5 },
    [STUCK] = { BYTES_INIT(D_OPEN "BDAT 1\r\nxDATA\r\n"), 6 },
};

#define ALL(code) { code, code, code, code, code, code, code }
#define REFUSED_502(NAME) { #NAME, BYTES_INIT(#NAME " x\r\n"), ALL("502/5.5.1") }
#define CLOSED_421(NAME) { #NAME, BYTES_INIT(#NAME " / HTTP/1.1\r\n"), ALL("421/4.7.0 close") }
#define N "503/5.5.1"
static const struct {
    const char *verb;
    struct bytes line;
    const char *replies[STATES];
} rows[] = {
    { "BDAT", BYTES_INIT("BDAT 2\r\nxx"),
      { N, N, "554/5.5.1", "250/2.0.0", "250/2.0.0", "550/5.5.2", N } },
    { "BDAT", BYTES_INIT("BDAT 2 LAST\r\nxx"),
      { N, N, "554/5.5.1", "250/2.0.0", "250/2.0.0", "550/5.5.2", N } },
    { "BDAT", BYTES_INIT("BDAT 2 FIRST\r\nxx"),
      { N, N, "554/5.5.1", "501/5.5.4", "501/5.5.4", "550/5.5.2", N } },
    { "BDAT", BYTES_INIT("BDAT\r\n"), ALL("501/5.5.4 close") },
    { "MAIL", BYTES_INIT(D_MAIL), { N, "250/2.1.0", N, N, N, "250/2.1.0", N } },
    { "MAIL", BYTES_INIT("MAIL\r\n"), { N, "501/5.5.4", N, N, N, "501/5.5.4", N } },
    { "RCPT", BYTES_INIT(D_RCPT), { N, N, "250/2.1.5", "250/2.1.5", N, N, N } },
    { "DATA", BYTES_INIT("DATA\r\n"), { N, N, "554/5.5.1", "354", N, N, N } },
    { "DATA", BYTES_INIT("DATA x\r\n"), ALL("501/5.5.4") },
    { "EHLO", BYTES_INIT(D_EHLO), ALL("250") },
    { "EHLO", BYTES_INIT("EHLO\r\n"), ALL("501/5.5.4") },
    { "HELO", BYTES_INIT("HELO c.example\r\n"), ALL("250") },
    { "RSET", BYTES_INIT("RSET\r\n"), ALL("250/2.0.0") },
    { "QUIT", BYTES_INIT("QUIT\r\n"), ALL("221/2.0.0 close") },
    { "NOOP", BYTES_INIT("NOOP\r\n"), ALL("250/2.0.0") },
    { "VRFY", BYTES_INIT("VRFY b\r\n"), ALL("252/2.5.2") },
    { "VRFY", BYTES_INIT("VRFY\r\n"), ALL("501/5.5.4") },
    { "EXPN", BYTES_INIT("EXPN b\r\n"), ALL("502/5.5.1") },
    { "HELP", BYTES_INIT("HELP\r\n"), ALL("214/2.0.0") },
    { "STARTTLS", BYTES_INIT("STARTTLS\r\n"), ALL("502/5.5.1") },     /* where it is not offered */
    { "STARTTLS", BYTES_INIT("STARTTLS x\r\n"), ALL("501/5.5.4") },
    REFUSED_502(AUTH), REFUSED_502(ETRN), REFUSED_502(ATRN),
    REFUSED_502(TURN), REFUSED_502(BURL), REFUSED_502(LHLO), REFUSED_502(SEND),
    REFUSED_502(SOML), REFUSED_502(SAML), REFUSED_502(XCLIENT), REFUSED_502(XFORWARD),
    CLOSED_421(GET), CLOSED_421(POST), CLOSED_421(PUT), CLOSED_421(HEAD), CLOSED_421(DELETE),
    CLOSED_421(OPTIONS), CLOSED_421(CONNECT), CLOSED_421(TRACE), CLOSED_421(PATCH),
    CLOSED_421(PRI),
};

/* The summary without its first `skip` words. */
static struct bytes from_word(struct bytes summary, size_t skip)
{
    struct bytes word;

    for (size_t i = 0; i < skip; i++)
        (void)(bytes_cut(&summary, ' ', &word) && word.n > 0);
    return summary;
}

static void test_every_state(void **state)
{
    for (size_t i = 0; i < COUNT(rows); i++) {
        for (size_t in = 0; in < STATES; in++) {
            struct play play = { .settings = dialogue_settings() };
            struct buffer summary = buffer_with_most(1 << 16);
            play_begin(&play);
            play_feed(&play, ways[in].input);
            play_feed(&play, rows[i].line);
            play_turn(&play);
            play_summary(&play, &summary);
            struct bytes got = from_word(buffer_bytes(&summary), ways[in].replies);
            if (!bytes_equal(got, bytes_of(rows[i].replies[in])) || play.broken != NULL)
                fail_msg("%.*s in state %zu: %.*s, wanted %s", (int)rows[i].line.n,
                         rows[i].line.at, in, (int)got.n, got.at, rows[i].replies[in]);
            buffer_done(&summary);
            play_done(&play);
        }
    }
}

static const char *const names[] = {
#define NAME(NAME, states, argument, junk, run) #NAME,
    VERB_LIST(NAME)
#undef NAME
};

static void test_no_row_is_missing(void **state)
{
    for (size_t i = 0; i < COUNT(names); i++) {
        bool found = false;
        for (size_t j = 0; j < COUNT(rows); j++)
            found = found || bytes_equal(bytes_of(names[i]), bytes_of(rows[j].verb));
        if (!found)
            fail_msg("%s has no row", names[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_state),
        cmocka_unit_test(test_no_row_is_missing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
