/* SPDX-License-Identifier: ISC
 *
 * postern send against servers that say what they are told, with a clock of our own.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "role/once_send.h"

#include "base/number.h"
#include "crypt/digest.h"
#include "mail/recipe.h"

#include <string.h>

enum { WORDS_MOST = 24, TEXT_MOST = 1 << 20, STEPS_MOST = 1000 };

struct talk {
    struct send_order order;
    struct send_means means;
    struct buffer said, shown;      /* to the server; to us */
    int status;
    unsigned flights;               /* times that something was sent */
    bool may_go_on;
};

static void set_words(const char *words, struct send_order *ret_order)
{
    struct bytes list[WORDS_MOST], rest = bytes_of(words), word;
    struct buffer flaw = buffer_with_most(1000);
    size_t n = 0;

    while (bytes_cut(&rest, '|', &word) && n < WORDS_MOST)
        list[n++] = word;
    if (!send_read(list, n, ret_order, &flaw))
        fail_msg("%s: %.*s", words, (int)flaw.n, flaw.at);
    buffer_done(&flaw);
}

static void secure(struct sender *sender, uint64_t now_us, bool proved)
{
    struct send_tls_facts facts = {
        .facts = { .version = BYTES("TLSv1.3"), .cipher = BYTES("TLS_X"), .bits = 256 },
        .verdict = { .proved = proved, .words = proved ? "" : "self-signed certificate",
                     .trouble = proved ? TLS_TROUBLE_NONE : TLS_TROUBLE_UNTRUSTED },
        .wanted = TLS_PROVE_NAME, .shown = true, .names = BYTES("\x02\0\0\0mx"),
        .issuer = BYTES("CN = an \x1b authority"), .until_ms = 86400000, .name = BYTES("mx"),
    };

    sender_secured(sender, &facts, now_us - 20000, now_us);
}

/* Each answer of `replies` (parted by "|") comes when one is waited for; then the line goes dead.
   "T" as an answer is a handshake with a proof, "t" one without. */
static void speak(struct talk *talk, const char *replies)
{
    struct sender *sender = sender_new(&talk->means);
    struct send_peer peer = { .name = BYTES("mx"), .address = BYTES("192.0.2.1"), .port = 25 };
    struct bytes rest = bytes_of(replies), reply;
    uint64_t now_us = 5000000;
    enum send_need need = SEND_NEED_OUT;

    assert_non_null(sender);
    sender_connected(sender, &peer, now_us, now_us + 1000);
    for (unsigned i = 0; i < STEPS_MOST && need != SEND_NEED_CLOSE; i++) {
        need = sender_step(sender, now_us);
        buffer_put(&talk->shown, sender_show(sender));
        sender_shown(sender);
        if (need == SEND_NEED_OUT) {
            buffer_put(&talk->said, sender_output(sender));
            talk->flights++;
            sender_sent(sender, now_us);
        } else if (need == SEND_NEED_REST) {
            now_us = sender_until_us(sender);
        } else if (need == SEND_NEED_IN || need == SEND_NEED_TLS) {
            now_us += 10000;
            if (!bytes_cut(&rest, '|', &reply))
                sender_lost(sender, now_us, ONCE_NOT_NOW, BYTES("gone \x1b"));
            else if (need == SEND_NEED_TLS)
                secure(sender, now_us, bytes_equal(reply, BYTES("T")));
            else
                sender_input(sender, reply);
        }
    }
    assert_int_equal(need, SEND_NEED_CLOSE);
    talk->may_go_on = sender_may_go_on(sender);
    talk->status = sender_end(sender, now_us);
    buffer_put(&talk->shown, sender_all(sender));
    sender_free(sender);
}

static struct talk talk_of(const char *words, const char *replies, const char *text,
                           const char *script)
{
    struct talk talk = { .said = buffer_with_most(TEXT_MOST),
                         .shown = buffer_with_most(TEXT_MOST) };

    set_words(words, &talk.order);
    talk.means = (struct send_means){
        .order = &talk.order, .host = BYTES("me.example"), .from = BYTES("a@b.example"),
        .text = bytes_of(text), .script = bytes_of(script), .password = BYTES("s3cret"),
    };
    if (talk.order.from_given)
        talk.means.from = talk.order.from;
    speak(&talk, replies);
    assert_false(talk.said.bad || talk.shown.bad);
    return talk;
}

static void talk_done(struct talk *talk)
{
    buffer_done(&talk->said);
    buffer_done(&talk->shown);
}

static void is(const struct buffer *got, const char *want, const char *of)
{
    if (!bytes_equal(buffer_bytes(got), bytes_of(want)))
        fail_msg("%s:\n%.*s\nwanted:\n%s", of, (int)got->n, got->at, want);
}

static void has(const struct buffer *got, const char *want, const char *of)
{
    if (bytes_search(buffer_bytes(got), bytes_of(want)) == got->n)
        fail_msg("%s:\n%.*s\nlacks: %s", of, (int)got->n, got->at, want);
}

#define EHLO "250-mx\r\n250-PIPELINING\r\n250-CHUNKING\r\n250-SMTPUTF8\r\n250-DSN\r\n250 SIZE 9\r\n"
#define OK "|250 2.0.0 ok\r\n"
#define POSTERN "250-mx\r\n250-CHUNKING\r\n250-BINARYMIME\r\n250-SIZE\r\n"

/* ---- the transcript, octet for octet */

static void shows_each_line_with_its_time(void **state)
{
    struct talk talk = talk_of("--to|x@y", "220 hi\r\n|250-mx\r\n250 \x1b[2JX\r\n" OK
                               "|550-5.1.1 no\r\n550 5.1.1 such user\r\n|221 bye\r\n", "hi\r\n",
                               "");

    is(&talk.shown,
       "  0.001  1.0 ms   * connected to mx [192.0.2.1] port 25\n"
       "  0.010   10 ms  S: 220 hi\n"
       "  0.010          C: EHLO me.example\n"
       "  0.020   10 ms  S: 250-mx\n"
       "                 S: 250 \\x1b[2JX\n"
       "  0.020          C: MAIL FROM:<a@b.example>\n"
       "  0.030   10 ms  S: 250 2.0.0 ok\n"
       "  0.030          C: RCPT TO:<x@y>\n"
       "  0.040   10 ms  S: 550-5.1.1 no\n"
       "                 S: 550 5.1.1 such user\n"
       "                  * Address not found: there is no such mailbox. You can put\n"
       "                    this right yourself.\n"
       "  0.040          C: QUIT\n"
       "  0.050   10 ms  S: 221 bye\n"
       "\n"
       "Refused by mx [192.0.2.1] port 25, in 0.05 s, in clear\n"
       "  x@y: refused\n"
       "      550-5.1.1 no\n"
       "      550 5.1.1 such user\n"
       "      Address not found: there is no such mailbox. You can put this right\n"
       "      yourself.\n", "transcript");
    assert_int_equal(talk.status, SEND_NO_USER);
    talk_done(&talk);
}

/* ---- what is said, and how it ends */

static const struct {
    const char *words, *replies, *text, *said, *shown;
    int status;
} talks[] = {
    { "--to|x@y", "220 hi\r\n|" EHLO OK OK "|354 go\r\n" OK "|221 bye\r\n", ".a\r\nb",
      "EHLO me.example\r\nMAIL FROM:<a@b.example> SIZE=5\r\nRCPT TO:<x@y>\r\nDATA\r\n"
      "..a\r\nb\r\n.\r\nQUIT\r\n", "Accepted by mx", 0 },
    { "--to|x@y|--bdat|3", "220 hi\r\n|" EHLO OK OK OK OK "|221 bye\r\n", ".a\r\nb",
      "EHLO me.example\r\nMAIL FROM:<a@b.example> SIZE=5\r\nRCPT TO:<x@y>\r\nBDAT 3\r\n.a\r"
      "BDAT 2 LAST\r\n\nbQUIT\r\n", "taken", 0 },
    { "--to|x@y|--to|z@y|--pipeline|--bdat", "220 hi\r\n|" EHLO OK OK "|450 4.2.0 greylisted\r\n"
      OK "|221 bye\r\n", "hi\r\n",
      "EHLO me.example\r\nMAIL FROM:<a@b.example> SIZE=4\r\nRCPT TO:<x@y>\r\nRCPT TO:<z@y>\r\n"
      "BDAT 4 LAST\r\nhi\r\nQUIT\r\n", "z@y: not now", ONCE_NOT_NOW },
    /* DATA was said ahead, and nobody is left: an empty text */
    { "--to|x@y|--pipeline", "220 hi\r\n|" EHLO OK "|550 5.1.1 no\r\n|354 go\r\n|554 5.5.1 none\r\n"
      "|221 bye\r\n", "hi\r\n",
      "EHLO me.example\r\nMAIL FROM:<a@b.example> SIZE=4\r\nRCPT TO:<x@y>\r\nDATA\r\n.\r\n"
      "QUIT\r\n", "x@y: refused\n      550 5.1.1 no", SEND_NO_USER },
    { "--to|x@y|--pipeline", "220 hi\r\n|" EHLO "|550 5.7.1 not you\r\n|503 5.5.1 no\r\n"
      "|503 5.5.1 no\r\n|221 bye\r\n", "hi\r\n",
      "EHLO me.example\r\nMAIL FROM:<a@b.example> SIZE=4\r\nRCPT TO:<x@y>\r\nDATA\r\nQUIT\r\n",
      "x@y: refused\n      550 5.7.1 not you", ONCE_UNAVAILABLE },
    { "--to|x@y|--lmtp|--to|z@y", "220 hi\r\n|" EHLO OK OK OK "|354 go\r\n" OK
      "|452 4.2.2 full\r\n|221 bye\r\n", "hi\r\n",
      "LHLO me.example\r\nMAIL FROM:<a@b.example> SIZE=4\r\nRCPT TO:<x@y>\r\nRCPT TO:<z@y>\r\n"
      "DATA\r\nhi\r\n.\r\nQUIT\r\n", "z@y: not now\n      452 4.2.2 full", ONCE_NOT_NOW },
    { "--to|x@y|--requiretls", "220 hi\r\n|" EHLO "|221 bye\r\n", "",
      "EHLO me.example\r\nQUIT\r\n", "does not offer REQUIRETLS", ONCE_UNAVAILABLE },
    { "--to|x@y|--recipe", "220 hi\r\n|" POSTERN "250 DSN\r\n|221 bye\r\n", "hi\r\n",
      "EHLO me.example\r\nQUIT\r\n", "does not offer CONTENT-RECIPE 1, which", ONCE_UNAVAILABLE },
    { "--to|x@y|--recipe", "220 hi\r\n|" POSTERN "250 CONTENT-RECIPE 2 11\r\n|221 bye\r\n", "",
      "EHLO me.example\r\nQUIT\r\n", "does not offer CONTENT-RECIPE 1, which", ONCE_UNAVAILABLE },
    { "--to|x@y|--recipe", "220 hi\r\n|250-mx\r\n250-CHUNKING\r\n250 CONTENT-RECIPE 1\r\n"
      "|221 bye\r\n", "", "EHLO me.example\r\nQUIT\r\n", "does not offer BINARYMIME",
      ONCE_UNAVAILABLE },
    { "--to|x@y|--recipe", "220 hi\r\n|" POSTERN "250 CONTENT-RECIPE 1\r\n" OK OK OK
      "|221 bye\r\n", "hi\r\n", "EHLO me.example\r\nMAIL FROM:<a@b.example> SIZE=4\r\n"
      "RCPT TO:<x@y>\r\nBDAT 4 LAST\r\nhi\r\nQUIT\r\n",
      "\nNothing was saved: there is no base64 in the letter", 0 },
    { "--to|x@y|--8bitmime", "220 hi\r\n|" EHLO "|221 bye\r\n", "",
      "EHLO me.example\r\nQUIT\r\n", "does not offer 8BITMIME", ONCE_UNAVAILABLE },
    { "--to|x@y|--requiretls|--force", "220 hi\r\n|" EHLO "|555 5.5.4 what\r\n|221 bye\r\n", "",
      "EHLO me.example\r\nMAIL FROM:<a@b.example> REQUIRETLS\r\nQUIT\r\n",
      "x@y: refused\n      555", ONCE_UNAVAILABLE },
    { "--to|\xc3\xbc@y", "220 hi\r\n|250 mx\r\n|221 bye\r\n", "",
      "EHLO me.example\r\nQUIT\r\n", "SMTPUTF8, which an address", ONCE_UNAVAILABLE },
    { "--to|\xc3\xbc@y|--from=", "220 hi\r\n|" EHLO OK OK "|354 go\r\n" OK "|221 bye\r\n", "",
      "EHLO me.example\r\nMAIL FROM:<> SMTPUTF8\r\nRCPT TO:<\xc3\xbc@y>\r\nDATA\r\n.\r\n"
      "QUIT\r\n", "\xc3\xbc@y: taken", 0 },
    { "--to|x@y|--ret|hdrs|--envid|a b|--notify|never|--orcpt|q@y", "220 hi\r\n|" EHLO OK OK
      "|354 go\r\n" OK "|221 bye\r\n", "",
      "EHLO me.example\r\nMAIL FROM:<a@b.example> RET=HDRS ENVID=a+20b\r\n"
      "RCPT TO:<x@y> NOTIFY=NEVER ORCPT=rfc822;q@y\r\nDATA\r\n.\r\nQUIT\r\n", "taken", 0 },
    /* what is known of the server in clear counts no more inside TLS */
    { "--to|x@y|--pipeline", "220 hi\r\n|250-mx\r\n250-PIPELINING\r\n250 STARTTLS\r\n|220 go\r\n|t"
      "|250 mx\r\n|221 bye\r\n", "",
      "EHLO me.example\r\nSTARTTLS\r\nEHLO me.example\r\nQUIT\r\n",
      "does not offer PIPELINING", ONCE_UNAVAILABLE },
    { "--to|x@y", "220 hi\r\n|250-mx\r\n250 STARTTLS\r\n|220 go\r\n250 evil\r\n", "",
      "EHLO me.example\r\nSTARTTLS\r\n", "spoke in clear behind its answer", ONCE_PROTOCOL },
    { "--to|x@y|--tls|starttls", "220 hi\r\n|" EHLO "|221 bye\r\n", "",
      "EHLO me.example\r\nQUIT\r\n", "does not offer STARTTLS", ONCE_UNAVAILABLE },
    { "--to|x@y|--quit-after|rcpt", "220 hi\r\n|" EHLO OK OK "|221 bye\r\n", "hi\r\n",
      "EHLO me.example\r\nMAIL FROM:<a@b.example> SIZE=4\r\nRCPT TO:<x@y>\r\nQUIT\r\n",
      "x@y: would be taken", 0 },
    { "--server|mx|--raw|VRFY x|--raw|NOOP", "220 hi\r\n|" EHLO "|252 may be\r\n|250 ok\r\n"
      "|221 bye\r\n", "", "EHLO me.example\r\nVRFY x\r\nNOOP\r\nQUIT\r\n",
      "All was answered well by mx", 0 },
    { "--server|mx|--raw|FOO", "220 hi\r\n|" EHLO "|500 what\r\n|221 bye\r\n", "",
      "EHLO me.example\r\nFOO\r\nQUIT\r\n", "does not take this command", ONCE_UNAVAILABLE },
    { "--to|x@y", "220 hi\r\n|502 old\r\n|250 mx\r\n" OK OK "|354 go\r\n" OK "|221 bye\r\n", "",
      "EHLO me.example\r\nHELO me.example\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<x@y>\r\nDATA\r\n"
      ".\r\nQUIT\r\n", "taken", 0 },
    /* the seed: a server takes the quotation marks away, and refuses what is left */
    { "--to|x@y|--from|\".\"@b.example", "220 hi\r\n|" EHLO "|553-5.1.2 The sender address <> is "
      "not a valid RFC-5321\r\n553 5.1.2 address. 81-v6si3174433pfz.334 - gsmtp\r\n|221 bye\r\n",
      "", "EHLO me.example\r\nMAIL FROM:<\".\"@b.example>\r\nQUIT\r\n",
      "does not take quotation marks in an\n", ONCE_UNAVAILABLE },
    { "--to|\".\"@y.example", "220 hi\r\n|" EHLO OK "|553 5.1.2 The address is no address\r\n"
      "|221 bye\r\n", "", "EHLO me.example\r\nMAIL FROM:<a@b.example>\r\n"
      "RCPT TO:<\".\"@y.example>\r\nQUIT\r\n", "does not take quotation marks",
      ONCE_UNAVAILABLE },
    { "--to|x@y", "554 5.7.1 go away\r\n|221 bye\r\n", "", "QUIT\r\n", "x@y: refused",
      ONCE_UNAVAILABLE },
    { "--to|x@y", "HTTP/1.1 400 \x1b[2JBad\r\n", "", "", "no reply of a mail server",
      ONCE_PROTOCOL },
    { "--to|x@y", "220 hi\r\n|" EHLO OK OK "|354 go\r\n", "hi\r\n",
      "EHLO me.example\r\nMAIL FROM:<a@b.example> SIZE=4\r\nRCPT TO:<x@y>\r\nDATA\r\nhi\r\n.\r\n",
      "whether the letter was taken nobody can tell", ONCE_NOT_NOW },
    { "--to|x@y", "", "", "", "gone \\x1b", ONCE_NOT_NOW },
    { "--to|x@y|--as-is", "220 hi\r\n|" EHLO OK OK "|354 go\r\n" OK "|221 bye\r\n", ".\r\n\nx",
      "EHLO me.example\r\nMAIL FROM:<a@b.example> SIZE=5\r\nRCPT TO:<x@y>\r\nDATA\r\n.\r\n\nx\r\n"
      ".\r\nQUIT\r\n", "taken", 0 },
};

static void says_and_ends(void **state)
{
    for (size_t i = 0; i < COUNT(talks); i++) {
        struct talk talk = talk_of(talks[i].words, talks[i].replies, talks[i].text, "");
        is(&talk.said, talks[i].said, talks[i].words);
        has(&talk.shown, talks[i].shown, talks[i].words);
        if (talk.status != talks[i].status
            || memchr(talk.shown.at, '\x1b', talk.shown.n) != NULL)
            fail_msg("%s: status %d\n%.*s", talks[i].words, talk.status, (int)talk.shown.n,
                     talk.shown.at);
        talk_done(&talk);
    }
}

/* In lock-step nothing is said before the last answer came; with --pipeline all of an envelope is
   one flight. */
static void flights(void **state)
{
    static const char replies[] = "220 hi\r\n|" EHLO OK OK OK OK "|221 bye\r\n";
    struct talk slow = talk_of("--to|x@y|--to|z@y|--bdat", replies, "hi\r\n", "");
    struct talk fast = talk_of("--to|x@y|--to|z@y|--bdat|--pipeline", replies, "hi\r\n", "");

    is(&fast.said, "EHLO me.example\r\nMAIL FROM:<a@b.example> SIZE=4\r\nRCPT TO:<x@y>\r\n"
       "RCPT TO:<z@y>\r\nBDAT 4 LAST\r\nhi\r\nQUIT\r\n", "the same is said");
    assert_true(bytes_equal(buffer_bytes(&fast.said), buffer_bytes(&slow.said)));
    assert_int_equal(slow.flights, 6);      /* EHLO, MAIL, RCPT, RCPT, BDAT, QUIT */
    assert_int_equal(fast.flights, 3);
    talk_done(&slow);
    talk_done(&fast);
}

/* ---- lossless binary */

/* 2052 octets as base64; every line holds a NUL, a CRLF and a dot. */
static void put_letter(struct buffer *to)
{
    buffer_put(to, BYTES("From: a@b.example\r\nMIME-Version: 1.0\r\n"
                         "Content-Transfer-Encoding: BASE64\r\n\r\n"));
    for (unsigned i = 0; i < 36; i++)
        buffer_put(to, BYTES("AA0KLg0KAAAAMDEyMzQ1Njc4OWFiY2RlZmdoaWprbG1ub3BxcnN0dXZ3eHl6QUJDREVG"
                             "R0hJSktM\r\n"));
    buffer_put_char(to, '\0');
    to->n--;
}

static uint64_t number_behind(struct bytes text, const char *words)
{
    struct bytes at = bytes_skip(text, bytes_search(text, bytes_of(words)) + strlen(words));
    size_t n = 0;
    uint64_t number;

    while (n < at.n && at.at[n] >= '0' && at.at[n] <= '9')
        n++;
    assert_true(number_parse(bytes_first(at, n), &number));
    return number;
}

/* What all BDAT brought. */
static void put_chunks(struct buffer *to, struct bytes said)
{
    bool last = false;

    while (!last) {
        struct bytes line;
        said = bytes_skip(said, bytes_search(said, BYTES("BDAT ")));
        assert_true(said.n > 0);
        size_t n = number_behind(said, "BDAT ");
        assert_true(bytes_cut(&said, '\n', &line));
        last = bytes_ends(line, BYTES(" LAST\r"));
        buffer_put(to, bytes_first(said, n));
        said = bytes_skip(said, n);
    }
}

/* The recipe and the raw form are there, and together they are the letter. */
static void is_restored(const struct buffer *said, struct bytes letter)
{
    struct buffer text = buffer_with_most(TEXT_MOST), restored = buffer_with_most(TEXT_MOST);
    size_t n = number_behind(buffer_bytes(said), " CONTENT-RECIPE=");
    uint8_t sum[DIGEST_MOST];
    struct recipe recipe;

    put_chunks(&text, buffer_bytes(said));
    assert_true(recipe_read(bytes_first(buffer_bytes(&text), n), &recipe));
    assert_true(recipe_apply(bytes_skip(buffer_bytes(&text), n), &recipe, &restored));
    assert_true(bytes_equal(buffer_bytes(&restored), letter));
    assert_true(digest_of(DIGEST_SHA256, letter, sum));
    assert_memory_equal(recipe.sum.at, sum, RECIPE_SUM);
    assert_int_equal(recipe.body, BODY_7BIT);
    assert_int_equal(number_behind(buffer_bytes(said), " SIZE="), letter.n);
    buffer_done(&text);
    buffer_done(&restored);
}

static void a_recipe_saves_what_base64_costs(void **state)
{
    static const char replies[] = "220 hi\r\n|" POSTERN "250 CONTENT-RECIPE 2 1\r\n" OK OK OK OK
        OK OK "|221 bye\r\n";
    struct buffer letter = buffer_with_most(TEXT_MOST);

    put_letter(&letter);
    struct talk whole = talk_of("--to|x@y|--recipe", replies, letter.at, "");
    struct talk parts = talk_of("--to|x@y|--recipe|--bdat|700|--json", replies, letter.at, "");
    is_restored(&whole.said, buffer_bytes(&letter));
    is_restored(&parts.said, buffer_bytes(&letter));
    has(&whole.said, "MAIL FROM:<a@b.example> SIZE=2883 BODY=BINARYMIME CONTENT-RECIPE=", "MAIL");
    uint64_t went = number_behind(buffer_bytes(&whole.said), "BDAT ");
    assert_true(went < 2300);
    has(&whole.shown, " octets went in place of 2883: ", "summary");
    assert_int_equal(number_behind(buffer_bytes(&whole.shown), "place of 2883: "), 2883 - went);
    assert_int_equal(number_behind(buffer_bytes(&parts.shown), "\"octets_saved\":"), 2883 - went);
    assert_int_equal(whole.status, 0);
    talk_done(&whole);
    talk_done(&parts);
    buffer_done(&letter);
}

/* ---- passwords */

static const struct {
    const char *words, *replies, *said, *shown;
    int status;
} signs[] = {
    { "--to|x@y|--auth|me|--quit-after|auth", "220 hi\r\n|250-mx\r\n250-AUTH PLAIN\r\n250 STARTTLS"
      "\r\n|220 go\r\n|T|250-mx\r\n250 AUTH LOGIN PLAIN\r\n|235 welcome me s3cret\r\n|221 bye\r\n",
      "AUTH PLAIN AG1lAHMzY3JldA==\r\nQUIT", "AUTH PLAIN ***\n", 0 },
    { "--to|x@y|--auth|me|--auth-with|login|--force", "220 hi\r\n|250-mx\r\n250 AUTH LOGIN\r\n"
      "|334 VXNlcm5hbWU6\r\n|334 UGFzc3dvcmQ6\r\n|535 5.7.8 no: czNjcmV0 AG1lAHMzY3JldA==\r\n"
      "|221 bye\r\n",
      "AUTH LOGIN\r\nbWU=\r\nczNjcmV0\r\nQUIT", "S: 535 5.7.8 no: *** ***\n", ONCE_DENIED },
    { "--to|x@y|--auth|me", "220 hi\r\n|250-mx\r\n250 AUTH PLAIN\r\n|221 bye\r\n",
      "EHLO me.example\r\nQUIT", "the connection is in clear", ONCE_DENIED },
    { "--to|x@y|--auth|me", "220 hi\r\n|250-mx\r\n250-AUTH PLAIN\r\n250 STARTTLS\r\n|220 go\r\n|t"
      "|250-mx\r\n250 AUTH PLAIN\r\n|221 bye\r\n",
      "EHLO me.example\r\nQUIT", "does not prove this server", ONCE_DENIED },
    { "--to|x@y|--auth|me|--force", "220 hi\r\n|250-mx\r\n250 AUTH PLAIN\r\n|334 more?\r\n",
      "AUTH PLAIN AG1lAHMzY3JldA==\r\n", "asks for more", ONCE_PROTOCOL },
};

static void no_password_is_shown(void **state)
{
    static const char *const secrets[] = { "s3cret", "czNjcmV0", "AG1lAHMzY3JldA==" };

    for (size_t i = 0; i < COUNT(signs); i++)
        for (unsigned json = 0; json < 2; json++) {
            struct buffer words = buffer_with_most(1000);
            buffer_put_text(&words, signs[i].words);
            buffer_put(&words, json == 0 ? BYTES("\0") : BYTES("|--json\0"));
            struct talk talk = talk_of(words.at, signs[i].replies, "hi\r\n", "");
            has(&talk.said, signs[i].said, words.at);
            if (json == 0)
                has(&talk.shown, signs[i].shown, words.at);
            assert_int_equal(talk.status, signs[i].status);
            for (size_t s = 0; s < COUNT(secrets); s++)
                assert_int_equal(bytes_search(buffer_bytes(&talk.shown), bytes_of(secrets[s])),
                                 talk.shown.n);
            talk_done(&talk);
            buffer_done(&words);
        }
}

/* ---- scripts */

static const struct {
    const char *script, *replies, *said, *shown;
    int status;
} scripts[] = {
    { "# early\nsay EHLO a\nsay EHLO b\nexpect 220\nexpect 250 5xx\nexpect any\n",
      "220 hi\r\n|503 no\r\n|250 x\r\n", "EHLO a\r\nEHLO b\r\n", "ran to its end", 0 },
    { "expect 220\r\noctets a\\x00\\r\\n.\\n\\\\\r\nwait 1.5\nexpect close\n", "220 hi\r\n",
      NULL, "gone, as expected", 0 },
    { "expect 250\n", "554 5.7.1 no\r\n", "", "line 1 of the script expected 250",
      ONCE_UNAVAILABLE },
    { "expect close\n", "220 hi\r\n", "", "expected close", ONCE_PROTOCOL },
    { "bdat 2\nbdat last\nexpect 250\nletter\nexpect 250\nclose\nsay no\n",
      "250 a\r\n|250 b\r\n", "BDAT 2\r\nhiBDAT 2 LAST\r\n\r\nhi\r\n.\r\n", "end", 0 },
    { "expect 220\nsay STARTTLS\nexpect 220\nstarttls\nsay EHLO a\nexpect 250\n",
      "220 hi\r\n|220 go\r\n|T|250 a\r\n", "STARTTLS\r\nEHLO a\r\n", "cipher=TLS_X bits=256\n", 0 },
    { "expect 220\nsay STARTTLS\nexpect 220\nstarttls\nsay EHLO a\nexpect 250\n",
      "220 hi\r\n|220 go\r\n250 evil\r\n|T|250 a\r\n", "STARTTLS\r\n", "spoke in clear",
      ONCE_PROTOCOL },
    { "say AUTH PLAIN AG1lAHMzY3JldA==\nexpect 235\n", "535 no\r\n",
      "AUTH PLAIN AG1lAHMzY3JldA==\r\n", "C: AUTH PLAIN ***\n", ONCE_UNAVAILABLE },
};

static void follows_a_script(void **state)
{
    for (size_t i = 0; i < COUNT(scripts); i++) {
        struct buffer flaw = buffer_with_most(1000);
        assert_true(send_script_check(bytes_of(scripts[i].script), &flaw));
        struct talk talk = talk_of("--server|mx|--script|x", scripts[i].replies, "hi\r\n",
                                   scripts[i].script);
        if (scripts[i].said != NULL)
            is(&talk.said, scripts[i].said, scripts[i].script);
        else
            assert_true(bytes_equal(buffer_bytes(&talk.said), BYTES("a\0\r\n.\n\\")));
        has(&talk.shown, scripts[i].shown, scripts[i].script);
        assert_int_equal(talk.status, scripts[i].status);
        talk_done(&talk);
        buffer_done(&flaw);
    }
}

static void refuses_what_is_no_script(void **state)
{
    static const char *const wrong[] = {
        "hello", "expect", "expect 199", "expect 2x0", "expect 250 nothing", "wait", "wait x",
        "wait 3601", "octets \\q", "octets \\x4", "bdat last 5", "bdat x", "close now", "SAY x",
        "say x\n\nexpect 250\nstarttls please",
    };

    for (size_t i = 0; i < COUNT(wrong); i++) {
        struct buffer flaw = buffer_with_most(1000);
        if (send_script_check(bytes_of(wrong[i]), &flaw) || flaw.n == 0)
            fail_msg("%s is taken", wrong[i]);
        buffer_done(&flaw);
    }
}

/* ---- words */

static void refuses_what_makes_no_sense(void **state)
{
    static const char *const wrong[] = {
        "", "--to", "--to|a@b\r\nDATA", "--from|a\nb|--to|x@y", "--nonsense", "--timeout|0|--to|x",
        "--timeout|3601|--to|x", "--tls|perhaps|--to|x", "--bdat=0|--to|x", "--json=1|--to|x",
        "--server|mx", "-4|-6|--to|x", "--script|f|--raw|x|--server|mx", "--file|f|--subject|s|x",
        "--quit-after|data|--to|x", "--auth|me|--auth-with|MD5|--to|x",
        "--script|f|--server|mx|--auth|me", "--script|f|--server|mx|--recipe",
    };

    for (size_t i = 0; i < COUNT(wrong); i++) {
        struct bytes list[WORDS_MOST], rest = bytes_of(wrong[i]), word;
        struct buffer flaw = buffer_with_most(1000);
        static struct send_order order;
        size_t n = 0;
        while (bytes_cut(&rest, '|', &word) && n < WORDS_MOST)
            list[n++] = word;
        if (send_read(list, n, &order, &flaw) || flaw.n == 0 || flaw.at[flaw.n - 1] != '\n')
            fail_msg("%s is taken", wrong[i]);
        buffer_done(&flaw);
    }
}

static void finds_the_domain(void **state)
{
    static const struct { const char *words, *domain; } rows[] = {
        { "a@x.example", "x.example" }, { "a@x.example|b@X.Example", "X.Example" },
        { "a@x.example|b@y.example", "" }, { "a", "" }, { "\"a@b\"@x.example", "x.example" },
        { "a@[192.0.2.1]", "[192.0.2.1]" },
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        static struct send_order order;
        set_words(rows[i].words, &order);
        struct bytes domain = send_domain(&order);
        assert_true(bytes_equal(domain, bytes_of(rows[i].domain)));
    }
}

/* Another host may be tried as long as MAIL was not said. */
static void goes_on_before_the_envelope(void **state)
{
    struct talk early = talk_of("--to|x@y", "421 busy\r\n|221 bye\r\n", "", "");
    struct talk late = talk_of("--to|x@y", "220 hi\r\n|" EHLO "|451 later\r\n|221 bye\r\n", "", "");

    assert_true(early.may_go_on);
    assert_false(late.may_go_on);
    assert_int_equal(early.status, ONCE_NOT_NOW);
    assert_int_equal(late.status, ONCE_NOT_NOW);
    talk_done(&early);
    talk_done(&late);
}

/* A line without end, and replies without end, are cut off. */
static void a_flood_is_bounded(void **state)
{
    static char line[5000], lines[40000];

    memset(line, 'x', sizeof(line) - 1);
    for (size_t at = 0; at + 12 < sizeof(lines); at += 10)
        memcpy(lines + at, "250-again\n", 10);
    struct talk one = talk_of("--to|x@y", line, "", "");
    struct talk many = talk_of("--to|x@y", lines, "", "");
    has(&one.shown, "does not end", "a line");
    assert_int_equal(one.status, ONCE_PROTOCOL);
    assert_int_equal(many.status, ONCE_PROTOCOL);
    assert_true(one.shown.n < 10000 && many.shown.n < 20000);
    talk_done(&one);
    talk_done(&many);
}

static void json_is_one_line(void **state)
{
    struct talk talk = talk_of("--json|--to|x@y", "220 hi\r\n|" EHLO OK "|550 5.1.1 \x1b no\r\n"
                               "|221 bye\r\n", "", "");

    has(&talk.shown, "{\"address\":\"x@y\",\"outcome\":\"refused\",\"code\":550,"
        "\"status\":\"5.1.1\",\"words\":\"550 5.1.1 \\u001b no\",\"meaning\":\"Address not found: "
        "there is no such mailbox\"", "recipient");
    has(&talk.shown, "\"exit\":67}\n", "the end");
    assert_int_equal(bytes_find(buffer_bytes(&talk.shown), '\n'), talk.shown.n - 1);
    talk_done(&talk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shows_each_line_with_its_time),
        cmocka_unit_test(says_and_ends),
        cmocka_unit_test(flights),
        cmocka_unit_test(a_recipe_saves_what_base64_costs),
        cmocka_unit_test(no_password_is_shown),
        cmocka_unit_test(follows_a_script),
        cmocka_unit_test(refuses_what_is_no_script),
        cmocka_unit_test(refuses_what_makes_no_sense),
        cmocka_unit_test(finds_the_domain),
        cmocka_unit_test(goes_on_before_the_envelope),
        cmocka_unit_test(a_flood_is_bounded),
        cmocka_unit_test(json_is_one_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
