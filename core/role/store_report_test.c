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
static struct queue_end one;
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
    one = (struct queue_end){
        .at_ms = 1790000001000, .attempt = 1, .outcome = QUEUE_FAILED, .class = 5, .subject = 1,
        .detail = 1, .words = BYTES("no such mailbox"), .to = buffer_bytes(&to),
    };
    verdict = (struct queue_verdict){
        .id = 5, .size = 18, .received_ms = 1790000000000, .head = buffer_bytes(&head),
        .text = BYTES("Subject: x\r\n\r\nab\r\n"), .most = 256 * 1024, .ends = &one,
        .ends_n = 1,
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
    enum queue_report answer = store_wants(store, &verdict);

    return answer != QUEUE_REPORT_WRITTEN ? answer
         : store_report(store, &verdict, &letter, &keys);
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
    one.outcome = QUEUE_DELIVERED;
    assert_int_equal(ask(), QUEUE_REPORT_NONE);
    one.outcome = QUEUE_LATER;
    assert_int_equal(ask(), QUEUE_REPORT_NONE);
    one.at_ms += 4 * 3600 * 1000;
    assert_int_equal(ask(), QUEUE_REPORT_WRITTEN);
    verdict.text = BYTES("List-Id: x\r\n\r\nab\r\n");
    assert_int_equal(ask(), QUEUE_REPORT_NONE);
}

/* RFC 3461, 5.2: of a letter handed on to a server that reports nothing, that it was relayed; to
   one that reports, nothing. */
static void who_reports_of_success(void **state)
{
    set(BYTES("ann@example.com"), DSN_SUCCESS);
    one.outcome = QUEUE_DELIVERED;
    assert_int_equal(ask(), QUEUE_REPORT_WRITTEN);
    assert_true(bytes_search(letter.text, BYTES("Action: delivered")) < letter.text.n);
    one.beyond = JOB_RELAYED;
    assert_int_equal(ask(), QUEUE_REPORT_WRITTEN);
    assert_true(bytes_search(letter.text, BYTES("Action: relayed")) < letter.text.n);
    one.beyond = JOB_PASSED;
    assert_int_equal(ask(), QUEUE_REPORT_NONE);
}

/* RFC 2852: N asks to hear when its time is over, and of a server that does not keep it. */
static void who_set_a_time_hears(void **state)
{
    struct envelope envelope = { .sender = BYTES("ann@example.com"), .by = BY_NOTIFY,
                                 .by_ms = 1790000000000 + 60000 };

    for (uint8_t notify = 0; notify < 3; notify++) {
        set(BYTES("ann@example.com"), notify);      /* nothing, NEVER, SUCCESS */
        buffer_clear(&head);
        envelope_put(&head, &envelope);
        verdict.head = buffer_bytes(&head);
        verdict.text = BYTES("List-Id: x\r\n\r\nab\r\n");
        enum queue_report told = notify == DSN_NEVER ? QUEUE_REPORT_NONE : QUEUE_REPORT_WRITTEN;
        one.outcome = QUEUE_LATER;
        one.at_ms = 1790000000000 + 59999;
        assert_int_equal(store_wants(store, &verdict), QUEUE_REPORT_NONE);
        one.at_ms++;
        assert_int_equal(store_wants(store, &verdict), told);
        one.outcome = QUEUE_DELIVERED;
        one.beyond = JOB_TRACED;
        assert_int_equal(store_wants(store, &verdict), told);
        one.beyond = JOB_PASSED;
        assert_int_equal(store_wants(store, &verdict), QUEUE_REPORT_NONE);
    }
}

static void the_null_sender_is_told_nothing(void **state)
{
    set(BYTES_NONE, DSN_NOTIFY_MOST);
    assert_int_equal(ask(), QUEUE_REPORT_HOLD);
    assert_int_equal(fx.n, 1);          /* the log says so */
    one.outcome = QUEUE_DELIVERED;
    assert_int_equal(ask(), QUEUE_REPORT_NONE);
}

/* SRV-106 */
static void beyond_the_limit_failures_are_held(void **state)
{
    set(BYTES("forged@example.com"), DSN_NOTIFY_MOST);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(ask(), QUEUE_REPORT_WRITTEN);
    assert_int_equal(ask(), QUEUE_REPORT_HOLD);
    one.outcome = QUEUE_DELIVERED;
    assert_int_equal(ask(), QUEUE_REPORT_NONE);
    one.outcome = QUEUE_FAILED;
    one.at_ms += 3600 * 1000;
    assert_int_equal(ask(), QUEUE_REPORT_WRITTEN);
}

static size_t count(struct bytes text, const char *part)
{
    size_t n = 0, at;

    while ((at = bytes_search(text, bytes_of(part))) < text.n) {
        text = bytes_skip(text, at + 1);
        n++;
    }
    return n;
}

/* Those that end together are one report, which counts once against the limit of an hour. */
static void many_are_one_report(void **state)
{
    enum { MANY = 5 };
    struct queue_end ends[MANY];

    set(BYTES("ann@example.com"), 0);
    for (uint32_t i = 0; i < MANY; i++) {
        ends[i] = one;
        ends[i].recipient = i;
    }
    verdict.ends = ends;
    verdict.ends_n = MANY;
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(store_report(store, &verdict, &letter, &keys), QUEUE_REPORT_WRITTEN);
        check_whole();
        assert_int_equal(count(letter.text, "\r\nFinal-Recipient: "), MANY);
        assert_int_equal(count(letter.text, "\r\nAction: failed"), MANY);
    }
    assert_int_equal(store_report(store, &verdict, &letter, &keys), QUEUE_REPORT_HOLD);
}

/* What does not fit into one is not counted, and is told in several. */
static void too_many_are_told_apart(void **state)
{
    enum { MANY = 1000 };
    static struct queue_end ends[MANY];
    size_t n = MANY;

    set(BYTES("ann@example.com"), 0);
    for (uint32_t i = 0; i < MANY; i++) {
        ends[i] = one;
        ends[i].recipient = i;
        ends[i].reply = BYTES("550 5.1.1 no such user here, whoever asks, and however often: this "
                              "is a long reply, so that not all of them fit into one report");
    }
    verdict.ends = ends;
    verdict.ends_n = n;
    for (unsigned i = 0; i < 2; i++)
        assert_int_equal(store_report(store, &verdict, &letter, &keys), QUEUE_REPORT_TOO_LARGE);
    enum queue_report answer = QUEUE_REPORT_TOO_LARGE;
    for (; answer == QUEUE_REPORT_TOO_LARGE && n > 0; n = n / 2) {
        verdict.ends_n = n;
        answer = store_report(store, &verdict, &letter, &keys);
    }
    assert_int_equal(answer, QUEUE_REPORT_WRITTEN);
    assert_true(letter.text.n <= verdict.most);
    check_whole();
    assert_true(verdict.ends_n > 50);
    assert_int_equal(count(letter.text, "\r\nFinal-Recipient: "), verdict.ends_n);
}

/* Whatever allocation fails, there is a whole report or none. */
static void without_memory_there_is_no_half_a_report(void **state)
{
    unsigned refused = 0;

    for (uint64_t n = 1; n < 200; n++) {
        one.at_ms += 3600 * 1000;
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
        WITH(who_set_a_time_hears),
        WITH(beyond_the_limit_failures_are_held),
        WITH(many_are_one_report), WITH(too_many_are_told_apart),
        WITH(without_memory_there_is_no_half_a_report),
    };
#undef WITH

    return cmocka_run_group_tests(tests, NULL, NULL);
}
