/* SPDX-License-Identifier: ISC
 *
 * The letter that tells postmaster what was refused: when it goes, and that it goes once.
 */
#include "base/arena.h"
#include "role/once_refused.h"
#include "role/store_int.h"
#include "role/store_world_int.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <string.h>

/* Of the world's conf: a span of three hours, from 1 January 2026, 00:00 UTC, when it begins. */
enum { SPAN_MS = 3 * 3600 * 1000 };

static struct store_world world, *w = &world;

static int begin(void **state)
{
    store_world_begin(w);
    return 0;
}

static int end(void **state)
{
    store_world_end(w);
    return 0;
}

static void refuse(const char *recipient)
{
    struct buffer frame = buffer_with_most(4096);

    buffer_put_u8(&frame, WIRE_REFUSED_NEWS_MESSAGE);
    buffer_put_text(&frame, "event=refused session=1 verb=RCPT text=");
    buffer_put_text(&frame, recipient);
    buffer_put_text(&frame, " reply=550 code=5.1.1");
    store_world_tell(w, ROLE_FRONT, buffer_bytes(&frame));
    buffer_done(&frame);
}

/* As the machine does: an alarm at each time that was asked for, until then. */
static void wait_until(uint64_t ms)
{
    uint64_t begun = w->now.mono_ms - 1000;

    for (int alarms = 0; w->alarm != 0 && w->alarm <= 1000 + ms; alarms++) {
        assert_true(alarms < 100000);
        if (w->alarm > w->now.mono_ms) {
            w->now.wall_ms += w->alarm - w->now.mono_ms;
            w->now.mono_ms = w->alarm;
        }
        store_world_step(w, (struct event){ .kind = EV_ALARM });
    }
    w->now.wall_ms += 1000 + ms - w->now.mono_ms;
    w->now.mono_ms = 1000 + ms;
    assert_true(ms >= begun);
}

/* Letters taken so far: reports are the only ones. */
static uint64_t letters(void)
{
    return ((struct store *)w->store)->accepted;
}

static bool last_letter_holds(const char *part)
{
    const struct store_frame *frame = store_world_last(w, WIRE_JOB_PART_MESSAGE);
    struct wire_job_part job;

    assert_non_null(frame);
    assert_true(wire_read_job_part((struct bytes){ frame->octets, frame->n }, &job));
    return bytes_search(job.text, bytes_of(part)) < job.text.n;
}

static void up(void)
{
    store_world_step(w, (struct event){ .kind = EV_PEER_UP, .peer = { ROLE_FRONT, 0 } });
    store_world_step(w, (struct event){ .kind = EV_PEER_UP, .peer = { ROLE_LOCAL, 0 } });
}

static void it_goes_when_the_span_ends(void **state)
{
    up();
    refuse("nobody@example.org");
    refuse("nobody@example.org");
    wait_until(SPAN_MS - 1);
    assert_int_equal(letters(), 0);
    wait_until(SPAN_MS);
    assert_int_equal(letters(), 1);
    assert_true(last_letter_holds("       2  nobody@example.org  550 5.1.1, last 2026-01-01T"));
    assert_true(last_letter_holds("Message-ID: <refused."));
    assert_true(last_letter_holds("\r\nTo: <postmaster@example.org>\r\n"));
    wait_until(3 * (uint64_t)SPAN_MS);
    assert_int_equal(letters(), 1);             /* nothing more was refused */
    refuse("else@example.org");
    wait_until(4 * (uint64_t)SPAN_MS);
    assert_int_equal(letters(), 2);
    assert_true(last_letter_holds("else@example.org"));
    assert_false(last_letter_holds("nobody@example.org"));
}

/* A store that begins anew writes no letter of what the one before it counted. */
static void a_restart_writes_no_second_one(void **state)
{
    up();
    refuse("nobody@example.org");
    wait_until(SPAN_MS);
    assert_int_equal(letters(), 1);
    struct moment now = w->now;
    store_world_end(w);
    store_world_begin(w);
    w->now = now;
    up();
    wait_until(2 * (uint64_t)SPAN_MS);
    assert_int_equal(letters(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(it_goes_when_the_span_ends, begin, end),
        cmocka_unit_test_setup_teardown(a_restart_writes_no_second_one, begin, end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
