/* SPDX-License-Identifier: ISC
 *
 * Reports of TLS become letters: what relay may say of one, and what the letter is.
 */
#include "dns/tlsrpt.h"
#include "mail/envelope.h"
#include "role/store_world_int.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static struct store_world world, *w = &world;

static int begin(void **state)
{
    store_world_begin(w);
    store_world_step(w, (struct event){ .kind = EV_PEER_UP, .peer = { ROLE_RELAY, 0 } });
    store_world_step(w, (struct event){ .kind = EV_PEER_UP, .peer = { ROLE_ADMIN, 0 } });
    return 0;
}

static int end(void **state)
{
    store_world_end(w);
    return 0;
}

static void tell(struct effects *fx, enum role_kind from)
{
    struct buffer frame = buffer_with_most(LIMIT_FRAME_BYTES);

    assert_int_equal(fx->n, 1);
    buffer_put(&frame, fx->list[0].bytes);
    buffer_put(&frame, fx->list[0].more);
    store_world_tell(w, from, buffer_bytes(&frame));
    buffer_done(&frame);
    effects_done(fx);
}

static struct bytes last(enum wire_kind kind)
{
    const struct store_frame *frame = store_world_last(w, kind);

    return frame == NULL ? BYTES_NONE : (struct bytes){ frame->octets, frame->n };
}

/* -1: no answer. */
static int told(struct wire_tlsrpt_letter letter)
{
    struct effects fx = effects_none();
    struct wire_tlsrpt_taken taken;

    wire_tell_tlsrpt_letter(&fx, (struct role_name){ ROLE_STORE, 0 }, &letter);
    tell(&fx, ROLE_RELAY);
    if (!wire_read_tlsrpt_taken(last(WIRE_TLSRPT_TAKEN_MESSAGE), &taken)
        || taken.token != letter.token)
        return -1;
    return taken.taken;
}

static const struct wire_tlsrpt_letter good = {
    .token = 77, .domain = BYTES_INIT("example.net"), .address = BYTES_INIT("tls@example.net"),
    .id = BYTES_INIT("1-2.example.net@us"), .file = BYTES_INIT("us!example.net!1!2.json"),
    .gzip = BYTES_INIT("\x1f\x8b"),
};

static void a_report_becomes_a_letter_whose_failure_nobody_hears_of(void **state)
{
    struct wire_job_begin job;
    struct wire_job_part part;
    struct recipient to;
    struct envelope envelope;

    assert_int_equal(told(good), 1);
    assert_true(wire_read_job_begin(last(WIRE_JOB_BEGIN_MESSAGE), &job));
    assert_true(envelope_read(job.head, &envelope) && recipient_read(job.to, &to));
    assert_int_equal(envelope.sender.n, 0);
    assert_true(bytes_equal(to.address, BYTES("tls@example.net")));
    assert_int_equal(to.notify, DSN_NEVER);
    assert_true(wire_read_job_part(last(WIRE_JOB_PART_MESSAGE), &part));
    assert_true(bytes_search(part.text, BYTES("\r\nTLS-Required: No\r\n")) < part.text.n);
    assert_true(bytes_search(part.text, BYTES("From: \"example.org\" <postmaster@example.org>"))
                < part.text.n);
    struct effects fx = effects_none();
    wire_tell_job_result(&fx, (struct role_name){ ROLE_STORE, 0 }, &(struct wire_job_result){
        .job = job.job, .outcome = JOB_FAILED, .class = 5, .subject = 1, .detail = 1 });
    size_t before = w->frames_n;
    tell(&fx, ROLE_RELAY);
    assert_int_equal(w->frames_n, before);          /* no report, and nothing is held: */
    fx = effects_none();
    wire_tell_queue_ask(&fx, (struct role_name){ ROLE_STORE, 0 },
                        &(struct wire_queue_ask){ 1, 0, 10 });
    tell(&fx, ROLE_ADMIN);
    assert_int_equal(last(WIRE_QUEUE_ROW_MESSAGE).n, 0);
    assert_true(last(WIRE_ANSWER_END_MESSAGE).n > 0);
}

/* relay speaks with strangers: it could be theirs. */
static void what_cannot_be_is_refused(void **state)
{
    static const struct { const char *domain, *address, *id, *file; } rows[] = {
        { "example.net\r\nBcc: all", NULL, NULL, NULL }, { "", NULL, NULL, NULL },
        { NULL, "tls", NULL, NULL }, { NULL, "tls@example.net\r\nRCPT TO:<x@y>", NULL, NULL },
        { NULL, "", NULL, NULL }, { NULL, NULL, "a\r\nb", NULL },
        { NULL, NULL, NULL, "a\"; name=\"b" }, { NULL, NULL, NULL, "a\nb" },
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct wire_tlsrpt_letter letter = good;
        letter.token = (uint32_t)i;
        if (rows[i].domain != NULL)
            letter.domain = bytes_of(rows[i].domain);
        if (rows[i].address != NULL)
            letter.address = bytes_of(rows[i].address);
        if (rows[i].id != NULL)
            letter.id = bytes_of(rows[i].id);
        if (rows[i].file != NULL)
            letter.file = bytes_of(rows[i].file);
        if (told(letter) != 0)
            fail_msg("row %zu", i);
    }
    assert_int_equal(last(WIRE_JOB_BEGIN_MESSAGE).n, 0);
}

static void questions_are_handed_on(void **state)
{
    struct effects fx = effects_none();
    struct wire_tlsrpt_ask ask;
    struct wire_tlsrpt_sent sent;
    struct wire_answer_end over;

    wire_tell_tlsrpt_ask(&fx, (struct role_name){ ROLE_STORE, 0 },
                         &(struct wire_tlsrpt_ask){ 3, 0, 1, BYTES("example.net") });
    tell(&fx, ROLE_ADMIN);
    assert_true(wire_read_tlsrpt_ask(last(WIRE_TLSRPT_ASK_MESSAGE), &ask));
    assert_true(ask.token == 3 && ask.send == 1 && bytes_equal(ask.domain, BYTES("example.net")));
    fx = effects_none();
    wire_tell_tlsrpt_sent(&fx, (struct role_name){ ROLE_STORE, 0 },
                          &(struct wire_tlsrpt_sent){ 3, 9 });
    tell(&fx, ROLE_RELAY);
    assert_true(wire_read_tlsrpt_sent(last(WIRE_TLSRPT_SENT_MESSAGE), &sent));
    assert_int_equal(sent.domains, 9);
    store_world_step(w, (struct event){ .kind = EV_PEER_DOWN, .peer = { ROLE_RELAY, 0 } });
    fx = effects_none();
    wire_tell_tlsrpt_ask(&fx, (struct role_name){ ROLE_STORE, 0 },
                         &(struct wire_tlsrpt_ask){ 4, 0, 1, BYTES_NONE });
    tell(&fx, ROLE_ADMIN);
    assert_true(wire_read_answer_end(last(WIRE_ANSWER_END_MESSAGE), &over));
    assert_true(over.token == 4 && over.result == 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_report_becomes_a_letter_whose_failure_nobody_hears_of,
                                        begin, end),
        cmocka_unit_test_setup_teardown(what_cannot_be_is_refused, begin, end),
        cmocka_unit_test_setup_teardown(questions_are_handed_on, begin, end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
