/* SPDX-License-Identifier: ISC */
#include "role/store_world_int.h"

#include "mail/envelope.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct store_world world, *const w = &world;
static struct buffer frame;

static int begin(void **state)
{
    frame = buffer_with_most(LIMIT_FRAME_BYTES);
    store_world_begin(w);
    return 0;
}

static int end(void **state)
{
    store_world_end(w);
    buffer_done(&frame);
    return 0;
}

static void up(enum role_kind kind, bool is_up)
{
    store_world_step(w, (struct event){ .kind = is_up ? EV_PEER_UP : EV_PEER_DOWN,
                                        .peer = { kind, 0 } });
}

static struct bytes last(enum wire_kind kind)
{
    const struct store_frame *found = store_world_last(w, kind);

    assert_non_null(found);
    return (struct bytes){ found->octets, found->n };
}

static void letter_frame(uint32_t token, struct bytes text)
{
    struct buffer head = buffer_with_most(1000), entry = buffer_with_most(1000);
    struct buffer to = buffer_with_most(1000);

    envelope_put(&head, &(struct envelope){ .sender = BYTES("a@example.net"),
                                            .message_id = BYTES("m@example.net") });
    recipient_put(&entry, &(struct recipient){ .address = BYTES("b@example.org") });
    buffer_put_block(&to, buffer_bytes(&entry));
    buffer_clear(&frame);
    buffer_put_u8(&frame, WIRE_LETTER_MESSAGE);
    buffer_put_u32(&frame, token);
    buffer_put_u8(&frame, 0);
    buffer_put_block(&frame, buffer_bytes(&head));
    buffer_put_block(&frame, buffer_bytes(&to));
    buffer_put(&frame, text);
    buffer_done(&head);
    buffer_done(&entry);
    buffer_done(&to);
}

static void the_state_is_told(void **state)
{
    struct wire_store_state is;

    up(ROLE_FRONT, true);
    assert_true(wire_read_store_state(last(WIRE_STORE_STATE_MESSAGE), &is));
    assert_int_equal(is.state, STORE_OPEN);
}

static void a_letter_is_taken_and_handed_on(void **state)
{
    struct wire_letter_taken taken;
    struct wire_job_begin job;
    struct wire_job_part part;

    up(ROLE_FRONT, true);
    up(ROLE_LOCAL, true);
    letter_frame(77, BYTES("Subject: x\r\n\r\n"));
    store_world_tell(w, ROLE_FRONT, buffer_bytes(&frame));
    assert_true(wire_read_letter_taken(last(WIRE_LETTER_TAKEN_MESSAGE), &taken));
    assert_int_equal(taken.token, 77);
    assert_true(wire_read_job_begin(last(WIRE_JOB_BEGIN_MESSAGE), &job));
    assert_int_equal(job.letter, taken.id);
    assert_true(wire_read_job_part(last(WIRE_JOB_PART_MESSAGE), &part));
    assert_true(bytes_equal(part.text, BYTES("Subject: x\r\n\r\n")));
    assert_non_null(store_world_last(w, WIRE_JOB_END_MESSAGE));
}

/* SPL-006: a line of a megabyte is octets like others: nothing here reads lines. */
static void a_long_line_is_no_matter(void **state)
{
    static char line[60000];
    struct wire_letter_taken taken;

    memset(line, 'x', sizeof(line));
    up(ROLE_FRONT, true);
    letter_frame(5, (struct bytes){ line, sizeof(line) });
    store_world_tell(w, ROLE_FRONT, buffer_bytes(&frame));
    assert_true(wire_read_letter_taken(last(WIRE_LETTER_TAKEN_MESSAGE), &taken));
}

/* SPL-021: what a sibling process makes up is read as a stranger's: nothing comes of it. */
static void made_up_frames_come_to_nothing(void **state)
{
    up(ROLE_FRONT, true);
    letter_frame(1, BYTES("text"));
    size_t whole = frame.n - 4;
    for (size_t cut = 0; cut < whole; cut++)
        store_world_tell(w, ROLE_FRONT, bytes_first(buffer_bytes(&frame), cut));
    assert_null(store_world_last(w, WIRE_LETTER_TAKEN_MESSAGE));
    for (int kind = 0; kind < 256; kind++) {
        frame.at[0] = (char)kind;
        if (kind != WIRE_LETTER_MESSAGE)
            store_world_tell(w, ROLE_FRONT, buffer_bytes(&frame));
        store_world_tell(w, ROLE_LOCAL, buffer_bytes(&frame));
        store_world_tell(w, ROLE_ADMIN, buffer_bytes(&frame));
        store_world_tell(w, ROLE_MASTER, buffer_bytes(&frame));
    }
    assert_null(store_world_last(w, WIRE_LETTER_TAKEN_MESSAGE));
    assert_false(w->gone);
}

static void ask_mailbox(uint32_t token)
{
    buffer_clear(&frame);
    buffer_put_u8(&frame, WIRE_MAILBOX_ASK_MESSAGE);
    buffer_put_u32(&frame, token);
    buffer_put_block(&frame, BYTES("b@example.org"));
    store_world_tell(w, ROLE_FRONT, buffer_bytes(&frame));
}

static void a_question_is_passed_on_and_answered(void **state)
{
    struct wire_mailbox_ask ask;
    struct wire_mailbox_is is;

    up(ROLE_FRONT, true);
    ask_mailbox(9);
    assert_true(wire_read_mailbox_is(last(WIRE_MAILBOX_IS_MESSAGE), &is));
    assert_int_equal(is.verdict, MAILBOX_UNKNOWN);      /* local is not there */
    up(ROLE_LOCAL, true);
    ask_mailbox(10);
    assert_true(wire_read_mailbox_ask(last(WIRE_MAILBOX_ASK_MESSAGE), &ask));
    assert_true(bytes_equal(ask.address, BYTES("b@example.org")));
    for (int times = 0; times < 2; times++) {           /* a second answer is nobody's */
        buffer_clear(&frame);
        buffer_put_u8(&frame, WIRE_MAILBOX_IS_MESSAGE);
        buffer_put_u32(&frame, ask.token);
        buffer_put_u8(&frame, times == 0 ? MAILBOX_YES : MAILBOX_NO);
        store_world_tell(w, ROLE_LOCAL, buffer_bytes(&frame));
    }
    assert_true(wire_read_mailbox_is(last(WIRE_MAILBOX_IS_MESSAGE), &is));
    assert_int_equal(is.token, 10);
    assert_int_equal(is.verdict, MAILBOX_YES);
    ask_mailbox(11);
    up(ROLE_LOCAL, false);
    assert_true(wire_read_mailbox_is(last(WIRE_MAILBOX_IS_MESSAGE), &is));
    assert_int_equal(is.token, 11);
    assert_int_equal(is.verdict, MAILBOX_UNKNOWN);
}

static void an_empty_queue_is_listed(void **state)
{
    struct wire_answer_end answer;

    up(ROLE_ADMIN, true);
    buffer_clear(&frame);
    buffer_put_u8(&frame, WIRE_QUEUE_ASK_MESSAGE);
    buffer_put_u32(&frame, 3);
    buffer_put_u64(&frame, 0);
    buffer_put_u32(&frame, 10);
    store_world_tell(w, ROLE_ADMIN, buffer_bytes(&frame));
    assert_true(wire_read_answer_end(last(WIRE_ANSWER_END_MESSAGE), &answer));
    assert_int_equal(answer.token, 3);
    assert_int_equal(answer.result, 0);
}

/* One error as it lists its folders: it says so, refuses for a while, and ends so that another
   begins; a store on a disk that is well stays. */
static void a_store_that_cannot_begin_ends(void **state)
{
    static const struct { enum io_kind fails; enum fault fault; bool ends; } rows[] = {
        { IO_LIST, FAULT_IO, true }, { IO_SYNC_DIR, FAULT_IO, true }, { IO_LIST, OK, false },
    };
    struct wire_store_state is;

    for (size_t i = 0; i < COUNT(rows); i++) {
        store_world_end(w);
        store_world_begin_on(w, rows[i].fails, rows[i].fault);
        up(ROLE_FRONT, true);
        assert_true(wire_read_store_state(last(WIRE_STORE_STATE_MESSAGE), &is));
        assert_int_equal(is.state, rows[i].ends ? STORE_READ_ONLY : STORE_OPEN);
        assert_false(w->exited);
        w->now.mono_ms += 29 * 1000;
        store_world_step(w, (struct event){ .kind = EV_ALARM });
        assert_false(w->exited);
        w->now.mono_ms = rows[i].ends ? w->alarm : w->now.mono_ms + 3600 * 1000;
        store_world_step(w, (struct event){ .kind = EV_ALARM });
        assert_int_equal(w->exited, rows[i].ends);
        assert_int_equal(w->status, rows[i].ends ? 74 : 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_state_is_told, begin, end),
        cmocka_unit_test_setup_teardown(a_letter_is_taken_and_handed_on, begin, end),
        cmocka_unit_test_setup_teardown(a_long_line_is_no_matter, begin, end),
        cmocka_unit_test_setup_teardown(made_up_frames_come_to_nothing, begin, end),
        cmocka_unit_test_setup_teardown(a_question_is_passed_on_and_answered, begin, end),
        cmocka_unit_test_setup_teardown(an_empty_queue_is_listed, begin, end),
        cmocka_unit_test_setup_teardown(a_store_that_cannot_begin_ends, begin, end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
