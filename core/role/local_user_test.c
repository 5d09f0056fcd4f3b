/* SPDX-License-Identifier: ISC
 *
 * local and its children, driven by events: the test is the store, and the children.
 */
#include "role/local_int.h"
#include "role/role.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

static const struct role_name store = { ROLE_STORE, 0 }, local_name = { ROLE_LOCAL, 0 };
static const struct bytes domain = BYTES_INIT("house.example.org");

/* What local asked for in all steps since the last look. */
struct seen {
    unsigned started, ended, to_child, results, answers, known_asks;
    uint32_t index;                     /* of the last child asked for, or told */
    char name[LIMIT_USER_NAME + 1];
    struct wire_job_result result;
    int verdict;
    uint64_t alarm;
};

struct house {
    void *local;
    struct conf conf;
    struct effects fx;
    struct seen seen;
    uint64_t now;
};

static void look(struct house *house, const struct effect *effect)
{
    struct buffer frame = buffer_with_most(LIMIT_FRAME_BYTES);
    struct wire_mailbox_is is;
    struct wire_known_ask known;
    struct seen *seen = &house->seen;

    buffer_put(&frame, effect->bytes);
    buffer_put(&frame, effect->more);
    if (effect->kind == FX_USER) {
        seen->started += effect->bytes.n > 0;
        seen->ended += effect->bytes.n == 0;
        seen->index = effect->to.index;
        memset(seen->name, 0, sizeof(seen->name));
        memcpy(seen->name, effect->bytes.at, effect->bytes.n);
    } else if (effect->kind == FX_TELL && effect->to.kind == ROLE_USER) {
        seen->to_child++;
        seen->index = effect->to.index;
    } else if (effect->kind == FX_TELL && wire_read_job_result(buffer_bytes(&frame),
                                                               &seen->result)) {
        seen->results++;
    } else if (effect->kind == FX_TELL && wire_read_mailbox_is(buffer_bytes(&frame), &is)) {
        seen->answers++;
        seen->verdict = is.verdict;
    } else if (effect->kind == FX_TELL && wire_read_known_ask(buffer_bytes(&frame), &known)) {
        seen->known_asks++;
    } else if (effect->kind == FX_ALARM) {
        seen->alarm = effect->number;
    }
    buffer_done(&frame);
}

static void step(struct house *house, struct event event)
{
    effects_clear(&house->fx);
    event.now.mono_ms = house->now;
    local_ops.step(house->local, &event, &house->fx);
    assert_false(house->fx.bad);
    for (size_t i = 0; i < house->fx.n; i++)
        look(house, &house->fx.list[i]);
}

static void start(struct house *house)
{
    *house = (struct house){ .fx = effects_none(), .now = 1000 };
    house->conf.domains = house->conf.system_domains = (struct conf_texts){ &domain, 1 };
    house->conf.host = BYTES("mx.example.org");
    house->local = local_ops.make(&house->conf, 0);
    assert_non_null(house->local);
    step(house, (struct event){ .kind = EV_START, .bytes = BYTES("0123456789abcdef") });
}

static void stop(struct house *house)
{
    local_ops.free(house->local);
    effects_done(&house->fx);
}

/* The frames in `fx`, from `from`. */
static void tell(struct house *house, struct role_name from, struct effects *fx)
{
    for (size_t i = 0; i < fx->n; i++) {
        struct buffer frame = buffer_with_most(LIMIT_FRAME_BYTES);
        buffer_put(&frame, fx->list[i].bytes);
        buffer_put(&frame, fx->list[i].more);
        step(house, (struct event){ .kind = EV_TOLD, .peer = from,
                                    .bytes = buffer_bytes(&frame) });
        buffer_done(&frame);
    }
    effects_done(fx);
}

static void begin(struct house *house, uint32_t number, const char *address)
{
    struct effects fx = effects_none();
    struct buffer head = buffer_with_most(ENVELOPE_MOST), to = buffer_with_most(RECIPIENT_MOST);
    struct envelope envelope = { .sender = BYTES("al@sender.example"), .received_ms = 1 };
    struct recipient recipient = { .address = bytes_of(address) };

    envelope_put(&head, &envelope);
    recipient_put(&to, &recipient);
    wire_tell_job_begin(&fx, local_name, &(struct wire_job_begin){
        .job = number, .letter = 7, .recipient = number, .attempt = 1,
        .head = buffer_bytes(&head), .to = buffer_bytes(&to) });
    wire_tell_job_part(&fx, local_name, &(struct wire_job_part){ number, BYTES("A: b\r\n") });
    wire_tell_job_end(&fx, local_name, &(struct wire_job_end){ number });
    tell(house, store, &fx);
    buffer_done(&head);
    buffer_done(&to);
}

static void ask(struct house *house, uint32_t token, const char *address)
{
    struct effects fx = effects_none();

    wire_tell_mailbox_ask(&fx, local_name, &(struct wire_mailbox_ask){ token, bytes_of(address) });
    tell(house, store, &fx);
}

static void child(struct house *house, enum event_kind kind, uint32_t index)
{
    step(house, (struct event){ .kind = kind, .peer = { ROLE_USER, index } });
}

static void child_says(struct house *house, uint32_t index, uint32_t job, uint8_t outcome)
{
    struct effects fx = effects_none();

    wire_tell_job_result(&fx, local_name, &(struct wire_job_result){
        .job = job, .outcome = outcome, .class = outcome == JOB_DELIVERED ? 2 : 4,
        .words = BYTES("Maildir: so it was") });
    tell(house, (struct role_name){ ROLE_USER, index }, &fx);
}

static void a_letter_goes_to_a_child_and_its_answer_back(void **state)
{
    struct house house;

    (void)state;
    start(&house);
    begin(&house, 5, "Anna@house.example.org");
    assert_int_equal(house.seen.started, 1);
    assert_string_equal(house.seen.name, "anna");
    assert_int_equal(house.seen.to_child, 0);
    child(&house, EV_PEER_UP, 0);
    assert_int_equal(house.seen.to_child, 3);           /* begin, part, end, as they came */
    child_says(&house, 0, 6, JOB_DELIVERED);            /* not what it was asked */
    assert_int_equal(house.seen.results, 0);
    child_says(&house, 0, 5, JOB_DELIVERED);
    assert_int_equal(house.seen.results, 1);
    assert_int_equal(house.seen.result.outcome, JOB_DELIVERED);
    child_says(&house, 0, 5, JOB_DELIVERED);
    child(&house, EV_PEER_DOWN, 0);
    assert_int_equal(house.seen.results, 1);
    stop(&house);
}

/* What a child asks about its own letter is handed on, and so is the answer. */
static void a_child_asks_what_is_known(void **state)
{
    struct house house;

    (void)state;
    start(&house);
    begin(&house, 5, "anna@house.example.org");
    child(&house, EV_PEER_UP, 0);
    for (uint32_t number = 5; number < 7; number++) {
        struct effects fx = effects_none();
        wire_tell_known_ask(&fx, local_name, &(struct wire_known_ask){
            .token = number, .by = TRACE_BY_MESSAGE_ID, .key = BYTES("m1@example.org") });
        tell(&house, (struct role_name){ ROLE_USER, 0 }, &fx);
        assert_int_equal(house.seen.known_asks, 1);         /* not about another's */
    }
    struct effects fx = effects_none();
    unsigned before = house.seen.to_child;
    wire_tell_known_is(&fx, local_name, &(struct wire_known_is){ 5, 1 });
    tell(&house, store, &fx);
    assert_int_equal(house.seen.to_child, before + 1);
    child_says(&house, 0, 5, JOB_DELIVERED);
    assert_int_equal(house.seen.results, 1);
    stop(&house);
}

/* However a child ends, its letter is told once, and not as delivered. */
static void a_child_that_ends_early(void **state)
{
    (void)state;
    for (unsigned up = 0; up < 2; up++) {
        struct house house;
        start(&house);
        begin(&house, 5, "anna@house.example.org");
        if (up)
            child(&house, EV_PEER_UP, 0);
        child(&house, EV_PEER_DOWN, 0);
        assert_int_equal(house.seen.results, 1);
        assert_int_equal(house.seen.result.outcome, JOB_LATER);
        begin(&house, 6, "anna@house.example.org");
        assert_int_equal(house.seen.started, 2);
        stop(&house);
    }
}

static void a_child_that_does_not_answer_is_ended(void **state)
{
    struct house house;

    (void)state;
    start(&house);
    begin(&house, 5, "anna@house.example.org");
    child(&house, EV_PEER_UP, 0);
    assert_true(house.seen.alarm > house.now);
    house.now = house.seen.alarm - 1;
    step(&house, (struct event){ .kind = EV_ALARM });
    assert_int_equal(house.seen.ended, 0);
    house.now++;
    step(&house, (struct event){ .kind = EV_ALARM });
    assert_int_equal(house.seen.ended, 1);
    assert_int_equal(house.seen.result.outcome, JOB_LATER);
    begin(&house, 5, "anna@house.example.org");         /* again: the old child may be at it yet */
    assert_int_equal(house.seen.started, 1);
    child(&house, EV_PEER_DOWN, 0);
    assert_int_equal(house.seen.started, 2);
    stop(&house);
}

static void children_are_bounded(void **state)
{
    struct house house;

    (void)state;
    start(&house);
    for (uint32_t i = 0; i < 3; i++)
        begin(&house, i, "anna@house.example.org");
    assert_int_equal(house.seen.started, USERS_EACH);
    for (uint32_t i = 0; i < 26; i++) {
        char address[] = "?@house.example.org";
        address[0] = (char)('a' + i);
        begin(&house, 100 + i, address);
    }
    assert_int_equal(house.seen.started, LIMIT_USERS);
    child(&house, EV_PEER_DOWN, 3);
    assert_int_equal(house.seen.started, LIMIT_USERS + 1);
    assert_int_equal(house.seen.index, 3);
    stop(&house);
}

/* LDA-007: a name that no user can have asks nobody. */
static void names_that_no_user_has(void **state)
{
    static const char *const addresses[] = {
        "\"-x\"@house.example.org", "\"a/b\"@house.example.org", "\"..\"@house.example.org",
        "a+b@house.example.org", "\xc3\xa4@house.example.org", "\"a b\"@house.example.org",
        "a23456789012345678901234567890123@house.example.org",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(addresses); i++) {
        struct house house;
        start(&house);
        ask(&house, 9, addresses[i]);
        assert_int_equal(house.seen.answers, 1);
        assert_int_equal(house.seen.verdict, MAILBOX_NO);
        begin(&house, 5, addresses[i]);
        assert_int_equal(house.seen.result.outcome, JOB_FAILED);
        assert_int_equal(house.seen.started, 0);
        stop(&house);
    }
}

static void the_store_dies(void **state)
{
    struct house house;

    (void)state;
    start(&house);
    begin(&house, 5, "anna@house.example.org");
    child(&house, EV_PEER_UP, 0);
    step(&house, (struct event){ .kind = EV_PEER_DOWN, .peer = store });
    assert_int_equal(house.seen.ended, 1);
    child_says(&house, 0, 5, JOB_DELIVERED);
    assert_int_equal(house.seen.results, 0);
    stop(&house);
}

/* ---- the child's side */

static void what_a_child_says_of_a_home(void **state)
{
    static const struct { enum home_state home; int verdict; enum job_outcome outcome; } rows[] = {
        { HOME_NO_USER, MAILBOX_NO, JOB_FAILED }, { HOME_NOT_SERVED, MAILBOX_NO, JOB_FAILED },
        { HOME_UNKNOWN, MAILBOX_UNKNOWN, JOB_LATER }, { HOME_NOT_ROOT, MAILBOX_UNKNOWN, JOB_LATER },
        { HOME_GONE, MAILBOX_YES, JOB_LATER }, { HOME_FOREIGN, MAILBOX_YES, JOB_LATER },
        { HOME_OPEN, MAILBOX_YES, JOB_LATER }, { HOME_STATES, MAILBOX_UNKNOWN, JOB_LATER },
    };

    (void)state;
    for (size_t i = 0; i < 2 * COUNT(rows); i++) {
        struct house house = { .fx = effects_none() };
        struct effects fx = effects_none();
        struct buffer head = buffer_with_most(ENVELOPE_MOST);
        house.local = user_ops.make(&house.conf, 0);
        step(&house, (struct event){ .kind = EV_START, .number = rows[i / 2].home });
        if (i % 2 == 0)
            wire_tell_mailbox_ask(&fx, local_name, &(struct wire_mailbox_ask){ 1, domain });
        else
            wire_tell_job_begin(&fx, local_name, &(struct wire_job_begin){ .job = 1 });
        tell(&house, local_name, &fx);
        if (i % 2 == 0)
            assert_int_equal(house.seen.verdict, rows[i / 2].verdict);
        else
            assert_int_equal(house.seen.result.outcome, rows[i / 2].outcome);
        assert_int_equal(house.fx.list[house.fx.n - 1].kind, FX_EXIT);
        buffer_done(&head);
        stop(&house);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_letter_goes_to_a_child_and_its_answer_back),
        cmocka_unit_test(a_child_asks_what_is_known),
        cmocka_unit_test(a_child_that_ends_early),
        cmocka_unit_test(a_child_that_does_not_answer_is_ended),
        cmocka_unit_test(children_are_bounded),
        cmocka_unit_test(names_that_no_user_has),
        cmocka_unit_test(the_store_dies),
        cmocka_unit_test(what_a_child_says_of_a_home),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
