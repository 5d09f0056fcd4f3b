/* SPDX-License-Identifier: ISC
 *
 * The store's word on an outcome: to whom a report goes, and that it is whole or not there.
 */
#include "role/store_int.h"

#include "base/arena.h"
#include "base/reader.h"
#include "mail/envelope.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static struct arena arena;
static struct conf conf;
static struct store *store;
static struct effects fx;
static struct buffer head, to;
static struct queue_verdict verdict;
static struct queue_letter letter;
static struct queue_keys keys;

static void set(struct bytes sender, uint8_t notify)
{
    buffer_clear(&head);
    envelope_put(&head, &(struct envelope){ .sender = sender, .received_ms = 1790000000000,
                                            .host = BYTES("mx.example.org"),
                                            .message_id = BYTES("1@example.com") });
    buffer_clear(&to);
    recipient_put(&to, &(struct recipient){ .address = BYTES("bob@example.org"),
                                            .notify = notify });
    verdict = (struct queue_verdict){
        .id = 5, .size = 18, .received_ms = 1790000000000, .at_ms = 1790000001000, .attempt = 1,
        .outcome = QUEUE_FAILED, .class = 5, .subject = 1, .detail = 1,
        .words = BYTES("no such mailbox"), .head = buffer_bytes(&head), .to = buffer_bytes(&to),
        .text = BYTES("Subject: x\r\n\r\nab\r\n"), .most = 256 * 1024,
    };
}

static int begin(void **state)
{
    struct conf_flaw flaw;

    arena = arena_with_ceiling(1 << 20);
    fx = effects_none();
    head = buffer_with_most(ENVELOPE_MOST);
    to = buffer_with_most(RECIPIENT_MOST);
    if (!conf_read(BYTES("host mx.example.org\ndomain example.org\nmailboxes /mail\n"
                         "reports-per-hour 3\n"), BYTES("/"), &arena, &conf, &flaw))
        return -1;
    store = store_ops.make(&conf, 0);
    store->fx = &fx;
    set(BYTES("ann@example.com"), 0);
    return 0;
}

static int end(void **state)
{
    mem_fail_at(0);
    store_ops.free(store);
    effects_done(&fx);
    buffer_done(&head);
    buffer_done(&to);
    arena_done(&arena);
    return 0;
}

static enum queue_report ask(void)
{
    return store_report(store, &verdict, &letter, &keys);
}

static void check_whole(void)
{
    struct envelope envelope;
    struct recipient recipient;
    struct reader in = reader_of(letter.to);

    assert_true(envelope_read(letter.head, &envelope));
    assert_int_equal(envelope.sender.n, 0);
    assert_true(bytes_begins(envelope.message_id, BYTES("report.")));
    assert_true(recipient_read(read_block(&in), &recipient));
    assert_true(reader_finished(&in));
    assert_true(bytes_equal(recipient.address, BYTES("ann@example.com")));
    assert_int_equal(recipient.notify, DSN_NEVER);
    assert_true(bytes_begins(letter.text, BYTES("Date: ")));
    assert_true(bytes_ends(letter.text, BYTES("--\r\n")));
    assert_true(keys.n >= 2);
}

static void a_failure_is_told(void **state)
{
    assert_int_equal(ask(), QUEUE_REPORT_WRITTEN);
    check_whole();
}

static void what_nobody_wants_to_know(void **state)
{
    set(BYTES("ann@example.com"), DSN_NEVER);
    assert_int_equal(ask(), QUEUE_REPORT_NONE);
    set(BYTES("ann@example.com"), 0);
    verdict.outcome = QUEUE_DELIVERED;
    assert_int_equal(ask(), QUEUE_REPORT_NONE);
    verdict.outcome = QUEUE_LATER;
    assert_int_equal(ask(), QUEUE_REPORT_NONE);
    verdict.at_ms += 4 * 3600 * 1000;
    assert_int_equal(ask(), QUEUE_REPORT_WRITTEN);
    verdict.text = BYTES("List-Id: x\r\n\r\nab\r\n");
    assert_int_equal(ask(), QUEUE_REPORT_NONE);
}

/* RFC 3461, 5.2: of a letter handed on to a server that reports nothing, that it was relayed; to
   one that reports, nothing. */
static void who_reports_of_success(void **state)
{
    set(BYTES("ann@example.com"), DSN_SUCCESS);
    verdict.outcome = QUEUE_DELIVERED;
    assert_int_equal(ask(), QUEUE_REPORT_WRITTEN);
    assert_true(bytes_search(letter.text, BYTES("Action: delivered")) < letter.text.n);
    verdict.beyond = JOB_RELAYED;
    assert_int_equal(ask(), QUEUE_REPORT_WRITTEN);
    assert_true(bytes_search(letter.text, BYTES("Action: relayed")) < letter.text.n);
    verdict.beyond = JOB_PASSED;
    assert_int_equal(ask(), QUEUE_REPORT_NONE);
}

static void the_null_sender_is_told_nothing(void **state)
{
    set(BYTES_NONE, DSN_NOTIFY_MOST);
    assert_int_equal(ask(), QUEUE_REPORT_HOLD);
    assert_int_equal(fx.n, 1);          /* the log says so */
    verdict.outcome = QUEUE_DELIVERED;
    assert_int_equal(ask(), QUEUE_REPORT_NONE);
}

/* SRV-106 */
static void beyond_the_limit_failures_are_held(void **state)
{
    set(BYTES("forged@example.com"), DSN_NOTIFY_MOST);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(ask(), QUEUE_REPORT_WRITTEN);
    assert_int_equal(ask(), QUEUE_REPORT_HOLD);
    verdict.outcome = QUEUE_DELIVERED;
    assert_int_equal(ask(), QUEUE_REPORT_NONE);
    verdict.outcome = QUEUE_FAILED;
    verdict.at_ms += 3600 * 1000;
    assert_int_equal(ask(), QUEUE_REPORT_WRITTEN);
}

/* Whatever allocation fails, there is a whole report or none. */
static void without_memory_there_is_no_half_a_report(void **state)
{
    unsigned refused = 0;

    for (uint64_t n = 1; n < 200; n++) {
        verdict.at_ms += 3600 * 1000;
        buffer_done(&store->report_text);
        buffer_done(&store->report_head);
        buffer_done(&store->report_to);
        buffer_done(&store->report_entry);
        buffer_done(&store->report_id);
        store_reports_init(store);
        mem_fail_at(n);
        enum queue_report answer = ask();
        mem_fail_at(0);
        assert_true(answer == QUEUE_REPORT_WRITTEN || answer == QUEUE_REPORT_NOT_NOW);
        if (answer == QUEUE_REPORT_WRITTEN)
            check_whole();
        refused += answer == QUEUE_REPORT_NOT_NOW;
    }
    assert_true(refused > 3 && refused < 150);
}

int main(void)
{
#define WITH(test) cmocka_unit_test_setup_teardown(test, begin, end)
    const struct CMUnitTest tests[] = {
        WITH(a_failure_is_told),
        WITH(what_nobody_wants_to_know),
        WITH(who_reports_of_success), WITH(the_null_sender_is_told_nothing),
        WITH(beyond_the_limit_failures_are_held),
        WITH(without_memory_there_is_no_half_a_report),
    };
#undef WITH

    return cmocka_run_group_tests(tests, NULL, NULL);
}
