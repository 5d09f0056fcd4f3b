/* SPDX-License-Identifier: ISC
 *
 * Lossless binary: which letters go raw, to whom, and that a letter that does not get through that
 * way goes as it is, at once and once.
 */
#include "role/relay_world_int.h"

#include "base/arena.h"
#include "base/base64.h"
#include "base/number.h"
#include "crypt/digest.h"
#include "mail/recipe.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

enum { ROOM = 1 << 20, PIECE = 50000 };

#define BINARY "250-x\r\n250-CHUNKING\r\n250-BINARYMIME\r\n"
#define POSTERN BINARY "250-CONTENT-RECIPE 1\r\n250 PIPELINING\r\n"
#define OTHER BINARY "250 PIPELINING\r\n"
#define PLAIN "250-x\r\n250-8BITMIME\r\n250 PIPELINING\r\n"
#define SIGNED "DKIM-Signature: v=1; b=a\r\n"

static void open_world(const char *ehlo)
{
    begin();
    w.conf.allow_private = w.conf.lossless_binary = true;
    start();
    zone("a.example", DNS_MX, DNS_INSECURE, false, "mx.a.example");
    zone("mx.a.example", DNS_A, DNS_INSECURE, false, "198.51.100.1");
    w.ehlo = ehlo;
}

/* A letter with n octets as base64, and these octets. */
static void make(struct buffer *letter, struct buffer *octets, const char *fields, size_t n)
{
    uint32_t dice = 3;

    for (size_t i = 0; i < n; i++)
        buffer_put_char(octets, (char)((dice = dice * 1664525 + 1013904223) >> 8));
    buffer_put_text(letter, fields);
    buffer_put_text(letter, "Content-Transfer-Encoding: BASE64\r\n\r\n");
    for (struct bytes rest = buffer_bytes(octets); rest.n > 0; rest = bytes_skip(rest, 57)) {
        base64_encode(letter, bytes_first(rest, 57));
        buffer_put_text(letter, "\r\n");
    }
}

static void give_letter(uint32_t number, const struct buffer *letter, size_t recipients)
{
    static const char *const to[] = { "a@a.example", "b@a.example", "c@a.example" };
    static const struct role_name relay = { ROLE_RELAY, 0 };
    struct buffer first = buffer_with_most(ROOM);
    struct effects fx = effects_none();

    if (letter->n < PIECE) {
        buffer_put(&first, buffer_bytes(letter));
        buffer_put_char(&first, '\0');
        give_with(number, to, recipients, first.at, false);
        buffer_done(&first);
        return;
    }
    struct buffer head = buffer_with_most(4096), entry = buffer_with_most(4096);
    envelope_put(&head, &(struct envelope){ .sender = BYTES("s@us.example") });
    recipient_put(&entry, &(struct recipient){ .address = BYTES("a@a.example") });
    wire_tell_job_begin(&fx, relay, &(struct wire_job_begin){ .job = number, .letter = number,
        .attempt = 1, .size = letter->n, .head = buffer_bytes(&head),
        .to = buffer_bytes(&entry) });
    tell(&fx, ROLE_STORE);
    for (size_t at = 0; at < letter->n; at += PIECE) {
        fx = effects_none();
        wire_tell_job_part(&fx, relay, &(struct wire_job_part){ number,
            bytes_first(bytes_skip(buffer_bytes(letter), at), PIECE) });
        tell(&fx, ROLE_STORE);
        answer_all();
    }
    fx = effects_none();
    wire_tell_job_end(&fx, relay, &(struct wire_job_end){ number });
    tell(&fx, ROLE_STORE);
    buffer_done(&head);
    buffer_done(&entry);
}

static void deliver(void)
{
    answer_names();
    while (w.dials_n > 0)
        connect(true);
    for (int k = 0; k < 10; k++) {
        answer_all();
        for (uint32_t conn = 0; conn < CONNS; conn++)
            if (w.lines[conn].open)
                step((struct event){ .kind = EV_DRAINED, .conn = conn });
    }
}

/* The octets of the last letter's chunks, from the last MAIL on. */
static void chunks_of(struct buffer *to)
{
    struct bytes rest = buffer_bytes(&w.said), line;
    uint64_t n;

    for (size_t at; (at = bytes_search(rest, BYTES("MAIL FROM"))) < rest.n;)
        rest = bytes_skip(rest, at + 1);
    for (bool last = false; !last && bytes_cut(&rest, '\n', &line);) {
        line = bytes_trim(line);
        if (!bytes_begins(line, BYTES("BDAT ")))
            continue;
        last = bytes_ends(line, BYTES(" LAST"));
        assert_true(number_parse(bytes_upto(bytes_skip(line, 5), ' '), &n));
        buffer_put(to, bytes_first(rest, n));
        rest = bytes_skip(rest, n);
    }
}

/* What a Postern makes of them ends with the letter, and its sum is right. */
static void assert_made_again(const struct buffer *letter)
{
    struct buffer chunks = buffer_with_most(ROOM), made = buffer_with_most(ROOM);
    struct bytes said_n = bytes_skip(buffer_bytes(&w.said),
        bytes_search(buffer_bytes(&w.said), BYTES(" CONTENT-RECIPE=")) + 16);
    uint8_t sum[DIGEST_MOST];
    struct recipe recipe;
    uint64_t n;

    chunks_of(&chunks);
    assert_true(number_parse(bytes_upto(said_n, '\r'), &n));
    assert_true(recipe_read(bytes_first(buffer_bytes(&chunks), n), &recipe));
    assert_true(recipe_apply(bytes_skip(buffer_bytes(&chunks), n), &recipe, &made));
    assert_true(bytes_begins(buffer_bytes(&made), BYTES("Received: ")));
    assert_true(bytes_ends(buffer_bytes(&made), buffer_bytes(letter)));
    assert_true(digest_of(DIGEST_SHA256, buffer_bytes(&made), sum));
    assert_memory_equal(recipe.sum.at, sum, RECIPE_SUM);
    assert_int_equal(recipe.body, BODY_7BIT);
    buffer_done(&chunks);
    buffer_done(&made);
}

/* Small ones, and those that come in parts and are waited for. */
static void raw_to_who_reads_recipes(void **state)
{
    static const size_t sizes[] = { 2000, 30000, 150000, 500000 };

    (void)state;
    for (size_t i = 0; i < COUNT(sizes); i++) {
        struct buffer letter = buffer_with_most(ROOM), octets = buffer_with_most(ROOM);
        open_world(POSTERN);
        make(&letter, &octets, SIGNED, sizes[i]);
        give(9, "x@a.example");             /* a connection is there */
        deliver();
        give_letter(1, &letter, 1);
        deliver();
        result_is(1, JOB_DELIVERED, 2, 0, 0);
        assert_true(said(" BODY=BINARYMIME CONTENT-RECIPE="));
        assert_made_again(&letter);
        assert_true(w.results[1].saved > sizes[i] / 4);
        assert_true(w.said.n + w.results[1].saved < letter.n + 1500);
        assert_true(logged(" saved="));
        end();
        buffer_done(&letter);
        buffer_done(&octets);
    }
}

/* Each who lets it go as it is, with not an octet changed. */
static void as_it_is_to_all_others(void **state)
{
    static const struct {
        const char *what, *ehlo, *fields;
        bool unsigned_too, off;
        uint32_t attempt;
        size_t size;
        bool raw;
    } rows[] = {
        { "a server that knows no such thing", OTHER, "", false, false, 1, 3000, false },
        { "one without CHUNKING", PLAIN, "", true, false, 1, 3000, false },
        { "not without BINARYMIME", "250-x\r\n250-CHUNKING\r\n250-CONTENT-RECIPE 1\r\n250 SIZE\r\n",
          "", true, false, 1, 3000, false },
        { "switched off here", POSTERN, "", false, true, 1, 3000, false },
        { "a second attempt", POSTERN, "", true, false, 2, 3000, false },
        { "nothing to gain", POSTERN, "", true, false, 1, 300, false },
        { "another version", BINARY "250 CONTENT-RECIPE 2\r\n", "", false, false, 1, 3000, false },
        { "signed", OTHER, SIGNED, true, false, 1, 3000, false },
        { "unsigned, and wanted", OTHER, "", true, false, 1, 3000, true },
        { "unsigned, and wanted, again", OTHER, "", true, false, 2, 3000, false },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct buffer letter = buffer_with_most(ROOM), octets = buffer_with_most(ROOM);
        open_world(rows[i].ehlo);
        w.conf.lossless_binary = !rows[i].off;
        w.conf.lossless_unsigned = rows[i].unsigned_too;
        w.attempt = rows[i].attempt;
        make(&letter, &octets, rows[i].fields, rows[i].size);
        give_letter(1, &letter, 1);
        deliver();
        result_is(1, JOB_DELIVERED, 2, 0, 0);
        assert_false(said("CONTENT-RECIPE="));
        bool plain = bytes_search(buffer_bytes(&w.said), buffer_bytes(&letter)) < w.said.n;
        bool raw = bytes_search(buffer_bytes(&w.said), buffer_bytes(&octets)) < w.said.n;
        if (plain == rows[i].raw || raw != rows[i].raw || said(" BODY=BINARYMIME") != raw
            || (w.results[1].saved > 0) != raw)
            fail_msg("%s", rows[i].what);
        end();
        buffer_done(&letter);
        buffer_done(&octets);
    }
}

/* A refusal that may be of the form is nobody's failure: the letter goes as it is, at once; one
   that is of something else is told. */
static void a_refusal_of_the_form(void **state)
{
    static const struct {
        const char *ehlo, *reply;
        bool again, remembered;
    } rows[] = {
        { POSTERN, "554 5.6.5 no\r\n", true, true }, { POSTERN, "554 5.6.0 no\r\n", true, false },
        { POSTERN, "554 no\r\n", true, false }, { POSTERN, "552 5.3.4 no\r\n", true, false },
        { POSTERN, "501 5.5.4 no\r\n", true, true }, { POSTERN, "550 5.7.1 no\r\n", false, false },
        { POSTERN, "550 5.1.1 no\r\n", false, false }, { OTHER, "554 5.6.1 no\r\n", true, false },
        { OTHER, "555 5.5.4 no\r\n", true, true }, { OTHER, "550 5.2.1 no\r\n", false, false },
        { POSTERN, "451 4.3.0 not now\r\n", false, false },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct buffer letter = buffer_with_most(ROOM), octets = buffer_with_most(ROOM);
        open_world(rows[i].ehlo);
        w.conf.lossless_unsigned = strcmp(rows[i].ehlo, OTHER) == 0;
        w.chunk_reply = rows[i].reply;
        make(&letter, &octets, "", 3000);
        give_letter(1, &letter, 2);
        deliver();
        assert_int_equal(w.results_n, 2);
        assert_int_equal(w.data_ends, rows[i].again ? 2 : 1);
        for (uint32_t job = 1; job < 3; job++) {
            assert_int_equal(w.results[job].saved, 0);
            assert_int_equal(w.results[job].outcome == JOB_DELIVERED, rows[i].again);
        }
        bool plain = bytes_search(buffer_bytes(&w.said), buffer_bytes(&letter)) < w.said.n;
        if (plain != rows[i].again)
            fail_msg("%s", rows[i].reply);
        assert_int_equal(logged("event=server-quirk"), rows[i].remembered);
        give_letter(5, &letter, 1);         /* is the next one tried raw? */
        deliver();
        result_is(5, JOB_DELIVERED, 2, 0, 0);
        if ((w.results[5].saved > 0) == rows[i].remembered)
            fail_msg("%s", rows[i].reply);
        end();
        buffer_done(&letter);
        buffer_done(&octets);
    }
}

/* A saving is counted once in a transaction, with somebody who was served. */
static void a_saving_is_counted_once(void **state)
{
    struct buffer letter = buffer_with_most(ROOM), octets = buffer_with_most(ROOM);

    (void)state;
    open_world(POSTERN);
    w.rcpt_reply[0] = "550 5.1.1 who\r\n";
    make(&letter, &octets, "", 3000);
    give_letter(1, &letter, 3);
    deliver();
    result_is(1, JOB_FAILED, 5, 1, 1);
    assert_int_equal(w.results[1].saved, 0);
    assert_true(w.results[2].saved > 0);
    assert_int_equal(w.results[3].saved, 0);
    end();
    buffer_done(&letter);
    buffer_done(&octets);
}

/* What was made for one server is the letter itself again for the next. */
static void another_server_gets_its_own(void **state)
{
    struct buffer letter = buffer_with_most(ROOM), octets = buffer_with_most(ROOM);

    (void)state;
    open_world(POSTERN);
    make(&letter, &octets, SIGNED, 500000);
    give(9, "x@a.example");                 /* a connection is there, and kept */
    deliver();
    give_letter(1, &letter, 1);             /* some of it left on it, and that is dead */
    assert_true(said("CONTENT-RECIPE="));
    w.ehlo = PLAIN;
    hang_up(0);
    deliver();
    assert_true(logged("event=kept-connection-lost"));
    result_is(1, JOB_DELIVERED, 2, 0, 0);
    assert_true(bytes_search(buffer_bytes(&w.said), buffer_bytes(&letter)) < w.said.n);
    end();
    buffer_done(&letter);
    buffer_done(&octets);
}

/* Want of memory at any place makes it go as it is, or later; never another letter. */
static void want_of_memory(void **state)
{
    struct buffer letter = buffer_with_most(ROOM), octets = buffer_with_most(ROOM);

    (void)state;
    make(&letter, &octets, SIGNED, 3000);
    for (uint64_t at = 1; at < 120; at++) {
        open_world(POSTERN);
        give(9, "x@a.example");
        deliver();
        give_letter(1, &letter, 1);
        mem_fail_at(at);
        answer_all();
        mem_fail_at(0);
        deliver();
        if (w.results[1].outcome == JOB_DELIVERED && w.results[1].saved > 0)
            assert_made_again(&letter);
        else if (w.results[1].outcome == JOB_DELIVERED)
            assert_true(bytes_search(buffer_bytes(&w.said), buffer_bytes(&letter)) < w.said.n);
        end();
    }
    buffer_done(&letter);
    buffer_done(&octets);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(raw_to_who_reads_recipes), cmocka_unit_test(as_it_is_to_all_others),
        cmocka_unit_test(a_refusal_of_the_form), cmocka_unit_test(a_saving_is_counted_once),
        cmocka_unit_test(another_server_gets_its_own), cmocka_unit_test(want_of_memory),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
