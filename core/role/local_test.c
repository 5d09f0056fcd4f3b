/* SPDX-License-Identifier: ISC
 *
 * local, driven by events.
 */
#include "role/local_maildir_int.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

static void a_letter_is_delivered(void **state)
{
    struct world w;

    (void)state;
    start(&w);
    deliver(&w, (struct order){ .to = "jo@example.org" });
    assert_int_equal(w.results, 1);
    assert_int_equal(w.result.outcome, JOB_DELIVERED);
    assert_int_equal(w.result.job, JOB);
    size_t i = file_of(&w, BYTES(IN("new")));
    assert_true(i < FILES);
    struct bytes content = { w.files[i].text, w.files[i].n };
    assert_true(bytes_begins(content, BYTES("Return-Path: <al@sender.example>\n"
                                             "Delivered-To: jo@example.org\nReceived: ")));
    assert_true(bytes_ends(content, BYTES("Subject: x\n\nhello\nbye\n")));
    assert_true(bytes_find(content, '\r') == content.n);
    assert_int_equal(count_files(&w, "/"), 1);
    /* text, sync, close, sync of the mailbox, its domain and the root, link, sync of new */
    assert_string_equal(w.ops, "CWWWWSXDDDLD");
    deliver(&w, (struct order){ .to = "jo@example.org" });
    /* that once is enough; the same name is replaced */
    assert_string_equal(w.ops + 12, "CWWWWSXLDND");
    copy(w.mailbox, BYTES("example.org/al"));
    deliver(&w, (struct order){ .to = "al@example.org" });
    /* the name of another mailbox is in the domain; that of the domain is known to be safe */
    assert_string_equal(w.ops + 23, "CWWWWSXDDLD");
    stop(&w);
}

static void binary_text_is_kept_as_it_came(void **state)
{
    struct world w;

    (void)state;
    start(&w);
    tell_begin(&w, (struct order){ .to = "jo@example.org", .binary = true });
    tell_part(&w, BYTES("A: b\r\n\r\n\0\n\r\r\n"));
    tell_end(&w);
    assert_int_equal(w.result.outcome, JOB_DELIVERED);
    size_t i = file_of(&w, BYTES(IN("new")));
    struct bytes content = { w.files[i].text, w.files[i].n };
    assert_true(bytes_begins(content, BYTES("Return-Path: <al@sender.example>\r\n")));
    assert_true(bytes_ends(content, BYTES("\r\nA: b\r\n\r\n\0\n\r\r\n")));
    stop(&w);
}

/* Credit comes back for every octet once it is written, so that a long text goes on. */
static void credit_comes_back_as_writes_end(void **state)
{
    struct world w;

    (void)state;
    start(&w);
    tell_begin(&w, (struct order){ .to = "jo@example.org" });
    tell_part(&w, BYTES("A: b\r\n"));
    assert_int_equal(w.credit, 6);
    tell_part(&w, BYTES("\r\n123"));
    assert_int_equal(w.credit, 11);
    tell_end(&w);
    assert_int_equal(w.results, 1);
    stop(&w);
}

/* OS-002: each operation of a delivery fails in turn, in each way. The letter is never told
   delivered unless it is, nothing stays in tmp or open unless the clearing itself failed, and the
   next attempt delivers once. */
static void each_operation_fails_in_turn(void **state)
{
    static const enum fault faults[] = { FAULT_NO_SPACE, FAULT_IO, FAULT_GONE, FAULT_EXISTS,
                                         FAULT_DENIED, FAULT_TOO_MANY, FAULT_NO_MEMORY,
                                         FAULT_QUOTA };
    bool reached = true;

    (void)state;
    for (unsigned at = 1; reached; at++) {
        for (size_t f = 0; f < COUNT(faults); f++) {
            struct world w;
            start(&w);
            w.fail_at = at;
            w.fault = faults[f];
            deliver(&w, (struct order){ .to = "jo@example.org", .recovered = true });
            assert_int_equal(w.results, 1);
            reached = w.done >= at;
            if (w.result.outcome != JOB_DELIVERED) {
                assert_int_equal(w.result.outcome, JOB_LATER);
                assert_int_equal(w.result.class, 4);
                assert_true(strlen(w.words) > 30);
                assert_true(count_files(&w, "/tmp/") == 0 || w.done == at);
            }
            for (size_t i = 0; i < LIMIT_IO_FILES; i++)
                assert_int_equal(w.open[i][0], 0);
            w.fail_at = 0;
            deliver(&w, (struct order){ .to = "jo@example.org", .recovered = true });
            assert_int_equal(w.results, 2);
            assert_int_equal(w.result.outcome, JOB_DELIVERED);
            assert_int_equal(count_files(&w, "/new/"), 1);
            assert_int_equal(count_files(&w, "/"), 1);
            stop(&w);
        }
    }
}

static const struct { enum fault fault; unsigned at; uint16_t subject, detail; } reasons[] = {
    { FAULT_NO_SPACE, 2, 3, 1 }, { FAULT_DENIED, 1, 3, 0 }, { FAULT_IO, 3, 3, 0 },
    { FAULT_TOO_MANY, 1, 3, 2 }, { FAULT_QUOTA, 2, 2, 2 },
};

static void the_reason_is_told(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(reasons); i++) {
        struct world w;
        start(&w);
        w.fail_at = reasons[i].at;
        w.fault = reasons[i].fault;
        deliver(&w, (struct order){ .to = "jo@example.org" });
        assert_int_equal(w.result.outcome, JOB_LATER);
        assert_int_equal(w.result.subject, reasons[i].subject);
        assert_int_equal(w.result.detail, reasons[i].detail);
        assert_true(bytes_begins(bytes_of(w.words), BYTES("example.org/jo: ")));
        stop(&w);
    }
}

/* The folder went after the letter was accepted: it waits (4.2.1), and comes when that does. */
static void a_mailbox_that_is_gone_keeps_the_letter_queued(void **state)
{
    struct world w;

    (void)state;
    start(&w);
    w.mailbox[0] = '\0';
    deliver(&w, (struct order){ .to = "jo@example.org" });
    assert_int_equal(w.result.outcome, JOB_LATER);
    assert_int_equal(w.result.subject, 2);
    assert_int_equal(w.result.detail, 1);
    copy(w.mailbox, BYTES("example.org/jo"));
    w.has_tmp = w.has_new = w.has_cur = false;
    deliver(&w, (struct order){ .to = "jo@example.org" });
    assert_int_equal(w.result.outcome, JOB_DELIVERED);
    assert_true(w.has_tmp && w.has_new && w.has_cur);
    stop(&w);
}

static void missing_new_is_made(void **state)
{
    struct world w;

    (void)state;
    start(&w);
    w.has_new = false;
    deliver(&w, (struct order){ .to = "jo@example.org" });
    assert_int_equal(w.result.outcome, JOB_DELIVERED);
    assert_int_equal(count_files(&w, "/new/"), 1);
    assert_int_equal(count_files(&w, "/tmp/"), 0);
    stop(&w);
}

/* What an attempt before a crash left: where, whether this one is told of it, how many there are
   after. */
static const struct { const char *path; bool recovered; const char *after; } leftovers[] = {
    { IN("tmp"), false, IN("new") },
    { IN("tmp"), true, IN("new") },
    { IN("new"), true, IN("new") },
    { IN("new"), false, IN("new") },            /* found by its name all the same, and replaced */
    { IN("cur"), true, IN("cur") },
    { IN("cur") ":2,", true, IN("cur") ":2," },
    { IN("cur") ":2,FRS", true, IN("cur") ":2,FRS" },
};

static void what_an_earlier_attempt_left_is_found(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(leftovers); i++) {
        struct world w;
        start(&w);
        put_file(&w, leftovers[i].path);
        deliver(&w, (struct order){ .to = "jo@example.org", .recovered = leftovers[i].recovered });
        assert_int_equal(w.results, 1);
        assert_int_equal(w.result.outcome, JOB_DELIVERED);
        assert_true(file_of(&w, bytes_of(leftovers[i].after)) < FILES);
        assert_int_equal(count_files(&w, "/"), 1);
        stop(&w);
    }
}

/* A crash may have taken cur/ away before it was durable; the letter is in new/ all the same. */
static void what_is_in_new_needs_no_cur(void **state)
{
    struct world w;

    (void)state;
    start(&w);
    put_file(&w, IN("new"));
    w.has_cur = false;
    deliver(&w, (struct order){ .to = "jo@example.org", .recovered = true });
    assert_int_equal(w.result.outcome, JOB_DELIVERED);
    assert_int_equal(count_files(&w, "/"), 1);
    stop(&w);
}

static void another_letters_name_is_not_taken_for_it(void **state)
{
    struct world w;

    (void)state;
    start(&w);
    put_file(&w, IN("cur") "x:2,");
    deliver(&w, (struct order){ .to = "jo@example.org", .recovered = true });
    assert_true(file_of(&w, BYTES(IN("new"))) < FILES);
    stop(&w);
}

/* The store dies in the middle: nothing half-written stays, nobody is told; what was ended is
   delivered all the same, and the next store's attempt finds it. */
static void the_stores_death_ends_deliveries(void **state)
{
    struct event down = { .kind = EV_PEER_DOWN, .peer = { ROLE_STORE, 0 } };
    struct world w;

    (void)state;
    start(&w);
    tell_begin(&w, (struct order){ .to = "jo@example.org" });
    tell_part(&w, BYTES("A: b\r\n"));
    step(&w, down);
    assert_int_equal(count_files(&w, "/"), 0);
    deliver(&w, (struct order){ .to = "jo@example.org", .recovered = true });
    assert_int_equal(w.results, 1);
    assert_int_equal(count_files(&w, "/new/"), 1);
    stop(&w);
}

static void a_dropped_job_leaves_nothing(void **state)
{
    struct effects fx = effects_none();
    struct world w;

    (void)state;
    start(&w);
    tell_begin(&w, (struct order){ .to = "jo@example.org" });
    tell_part(&w, BYTES("A: b\r\n"));
    wire_tell_job_drop(&fx, (struct role_name){ ROLE_LOCAL, 0 }, &(struct wire_job_drop){ JOB });
    tell(&w, &fx);
    tell_end(&w);
    assert_int_equal(w.results, 0);
    assert_int_equal(count_files(&w, "/"), 0);
    effects_done(&fx);
    stop(&w);
}

static void a_stop_waits_for_what_is_under_way(void **state)
{
    struct world w;

    (void)state;
    start(&w);
    tell_begin(&w, (struct order){ .to = "jo@example.org" });
    assert_false(w.exited);
    step(&w, (struct event){ .kind = EV_STOP });
    assert_true(w.exited);
    assert_int_equal(w.results, 0);
    assert_int_equal(count_files(&w, "/"), 0);
    stop(&w);
}

static const struct { const char *address; enum fault fault; int want; } asks[] = {
    { "jo@example.org", OK, MAILBOX_YES },
    { "JO@EXAMPLE.ORG", OK, MAILBOX_YES },
    { "nobody@example.org", OK, MAILBOX_NO },
    { "\"../jo\"@example.org", OK, MAILBOX_NO },
    { "not an address", OK, MAILBOX_NO },
    { "jo@example.org", FAULT_IO, MAILBOX_UNKNOWN },
    { "jo@example.org", FAULT_DENIED, MAILBOX_UNKNOWN },
    { "jo@example.org", FAULT_GONE, MAILBOX_NO },
};

static void mailboxes_are_looked_for(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(asks); i++) {
        struct effects fx = effects_none();
        struct wire_mailbox_ask ask = { 9, bytes_of(asks[i].address) };
        struct world w;
        start(&w);
        w.fail_at = asks[i].fault == OK ? 0 : 1;
        w.fault = asks[i].fault;
        wire_tell_mailbox_ask(&fx, (struct role_name){ ROLE_LOCAL, 0 }, &ask);
        tell(&w, &fx);
        assert_int_equal(w.asked, asks[i].want);
        effects_done(&fx);
        stop(&w);
    }
}

/* A file of that name is no mailbox. */
static void a_file_is_no_mailbox(void **state)
{
    struct effects fx = effects_none();
    struct wire_mailbox_ask ask = { 9, BYTES("file@example.org") };
    struct world w;

    (void)state;
    start(&w);
    put_file(&w, "example.org/file");
    wire_tell_mailbox_ask(&fx, (struct role_name){ ROLE_LOCAL, 0 }, &ask);
    tell(&w, &fx);
    assert_int_equal(w.asked, MAILBOX_NO);
    effects_done(&fx);
    stop(&w);
}

static size_t count_tells(const struct effects *fx)
{
    size_t n = 0;

    for (size_t i = 0; i < fx->n; i++)
        n += fx->list[i].kind == FX_TELL;
    return n;
}

/* The next store counts its questions from the start again: an answer that is late must not reach
   it. */
static void an_answer_is_for_the_store_that_asked(void **state)
{
    const struct role_name store = { ROLE_STORE, 0 };
    struct effects fx = effects_none(), ask_fx = effects_none();
    struct wire_mailbox_ask ask = { 9, BYTES("jo@example.org") };
    struct world w;

    (void)state;
    start(&w);
    wire_tell_mailbox_ask(&ask_fx, (struct role_name){ ROLE_LOCAL, 0 }, &ask);
    for (unsigned dies = 0; dies < 2; dies++) {
        effects_clear(&fx);
        local_ops.step(w.local, &(struct event){ .kind = EV_TOLD, .peer = store,
                                                 .bytes = ask_fx.list[0].bytes }, &fx);
        assert_int_equal(fx.n, 1);
        struct event answer = { .kind = EV_IO, .token = fx.list[0].io.token, .number = 1 };
        effects_clear(&fx);
        if (dies)
            local_ops.step(w.local, &(struct event){ .kind = EV_PEER_DOWN, .peer = store }, &fx);
        local_ops.step(w.local, &answer, &fx);
        assert_int_equal(count_tells(&fx), dies ? 0 : 1);
    }
    effects_done(&fx);
    effects_done(&ask_fx);
    stop(&w);
}

/* OS-001: in each step of a delivery the n-th allocation fails, for each n: it is told later, or
   the role gives up and is started again; never a crash, and the next attempt delivers once. */
static void memory_fails_at_each_place(void **state)
{
    enum { STEPS = 12, ALLOCATIONS = 30 };
    unsigned deaths = 0, later = 0;

    (void)state;
    for (unsigned at = 1; at <= STEPS; at++) {
        for (uint64_t n = 1; n <= ALLOCATIONS; n++) {
            struct world w;
            start(&w);
            w.steps = 0;
            w.fail_step = at;
            w.fail_memory = n;
            deliver(&w, (struct order){ .to = "jo@example.org", .recovered = true });
            deaths += w.dead;
            later += w.results > 0 && w.result.outcome == JOB_LATER;
            assert_true(w.dead || w.results == 1);
            start_again(&w);
            deliver(&w, (struct order){ .to = "jo@example.org", .recovered = true });
            assert_int_equal(w.result.outcome, JOB_DELIVERED);
            assert_int_equal(count_files(&w, "/new/"), 1);
            assert_int_equal(count_files(&w, "/"), 1);
            stop(&w);
        }
    }
    assert_in_range(deaths, 1, STEPS * ALLOCATIONS - 1);
    assert_in_range(later, 1, STEPS * ALLOCATIONS - 1);
}

/* A question at such a moment is answered "not known", never "no". */
static void short_memory_is_no_missing_mailbox(void **state)
{
    static const char *const addresses[] = { "jo@example.org", "\"jo\"@example.org",
                                             "JO@Example.org" };

    (void)state;
    for (uint64_t n = 0; n < 20 * COUNT(addresses); n++) {
        struct effects fx = effects_none();
        struct wire_mailbox_ask ask = { 9, bytes_of(addresses[n % COUNT(addresses)]) };
        struct world w;
        start(&w);
        w.steps = 0;
        w.fail_step = 1;
        w.fail_memory = 1 + n / COUNT(addresses);
        wire_tell_mailbox_ask(&fx, (struct role_name){ ROLE_LOCAL, 0 }, &ask);
        tell(&w, &fx);
        assert_true(w.dead || w.asked == MAILBOX_YES || w.asked == MAILBOX_UNKNOWN);
        effects_done(&fx);
        stop(&w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_letter_is_delivered),
        cmocka_unit_test(binary_text_is_kept_as_it_came),
        cmocka_unit_test(credit_comes_back_as_writes_end),
        cmocka_unit_test(each_operation_fails_in_turn),
        cmocka_unit_test(the_reason_is_told),
        cmocka_unit_test(a_mailbox_that_is_gone_keeps_the_letter_queued),
        cmocka_unit_test(missing_new_is_made),
        cmocka_unit_test(what_an_earlier_attempt_left_is_found),
        cmocka_unit_test(what_is_in_new_needs_no_cur),
        cmocka_unit_test(another_letters_name_is_not_taken_for_it),
        cmocka_unit_test(the_stores_death_ends_deliveries),
        cmocka_unit_test(a_dropped_job_leaves_nothing),
        cmocka_unit_test(a_stop_waits_for_what_is_under_way),
        cmocka_unit_test(mailboxes_are_looked_for),
        cmocka_unit_test(a_file_is_no_mailbox),
        cmocka_unit_test(an_answer_is_for_the_store_that_asked),
        cmocka_unit_test(memory_fails_at_each_place),
        cmocka_unit_test(short_memory_is_no_missing_mailbox),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
