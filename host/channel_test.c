/* SPDX-License-Identifier: ISC */
#include "host/channel.h"
#include "host/testing.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>

struct pair {
    struct channel a, b;
    struct buffer seen;     /* of each frame b took: its length, a blank, its first octet, ';' */
    size_t frames, octets;
    char refuse;                /* a frame that begins with it is refused */
};

static int begin(void **state)
{
    struct pair *pair = test_calloc(1, sizeof(*pair));
    int fds[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
    pair->a = channel_of(fds[0]);
    pair->b = channel_of(fds[1]);
    pair->seen = buffer_with_most(1 << 20);
    *state = pair;
    return 0;
}

static int end(void **state)
{
    struct pair *pair = *state;

    channel_done(&pair->a);
    channel_done(&pair->b);
    buffer_done(&pair->seen);
    test_free(pair);
    return 0;
}

static bool take(void *of, struct bytes frame)
{
    struct pair *pair = of;

    if (frame.at[0] == pair->refuse)
        return false;
    pair->frames++;
    pair->octets += frame.n;
    if (pair->seen.n < 4096) {
        buffer_put_uint(&pair->seen, frame.n);
        buffer_put_char(&pair->seen, ' ');
        buffer_put_char(&pair->seen, frame.at[0]);
        buffer_put_char(&pair->seen, ';');
    }
    return true;
}

static void raw(struct pair *pair, const void *octets, size_t n)
{
    assert_int_equal(send(pair->a.fd, octets, n, MSG_NOSIGNAL), n);
}

/* Every way to cut a stream of frames in two gives the same frames. */
static void a_stream_may_be_cut_anywhere(void **state)
{
    static const char stream[] = "\1\0\0\0a" "\3\0\0\0bcd" "\0\1\0\0";
    char whole[sizeof(stream) - 1 + 256];
    const char *want = "1 a;3 b;256 e;";

    (void)state;
    memcpy(whole, stream, sizeof(stream) - 1);
    memset(whole + sizeof(stream) - 1, 'e', 256);
    for (size_t cut = 0; cut <= sizeof(whole); cut++) {
        void *ground;
        begin(&ground);
        struct pair *pair = ground;
        raw(pair, whole, cut);
        assert_int_equal(channel_read(&pair->b, pair, take), CHANNEL_FINE);
        raw(pair, whole + cut, sizeof(whole) - cut);
        assert_int_equal(channel_read(&pair->b, pair, take), CHANNEL_FINE);
        assert_int_equal(pair->seen.n, strlen(want));
        assert_memory_equal(pair->seen.at, want, strlen(want));
        end(&ground);
    }
}

static void octet_by_octet(void **state)
{
    struct pair *pair = *state;

    for (size_t i = 0; i < 7; i++) {
        raw(pair, "\3\0\0\0abc" + i, 1);
        assert_int_equal(channel_read(&pair->b, pair, take), CHANNEL_FINE);
        assert_int_equal(pair->frames, i == 6);
    }
}

/* A sibling is a stranger: nothing it sends is more than a flaw of this one channel. */
static const struct { const char *name, *octets; size_t n; } flaws[] = {
    { "length 0", "\0\0\0\0", 4 },
    { "one more than the limit", "\1\0\1\0", 4 },
    { "2^32 - 1", "\xff\xff\xff\xff", 4 },
    { "a good one, then length 0", "\1\0\0\0a\0\0\0\0", 9 },
    { "one that is refused", "\1\0\0\0!", 5 },
};

static void a_bad_frame_is_a_flaw(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(flaws); i++) {
        void *ground;
        begin(&ground);
        struct pair *pair = ground;
        pair->refuse = '!';
        raw(pair, flaws[i].octets, flaws[i].n);
        if (channel_read(&pair->b, pair, take) != CHANNEL_FLAWED)
            fail_msg("%s", flaws[i].name);
        end(&ground);
    }
}

static void half_a_frame_then_the_end(void **state)
{
    struct pair *pair = *state;

    raw(pair, "\3\0\0\0a", 5);
    channel_done(&pair->a);
    assert_int_equal(channel_read(&pair->b, pair, take), CHANNEL_FINE);
    assert_int_equal(channel_read(&pair->b, pair, take), CHANNEL_ENDED);
    assert_int_equal(pair->frames, 0);
}

/* Far more than the socket takes: the writer keeps it, and all of it arrives in order. */
static void a_big_queue_passes_whole(void **state)
{
    struct pair *pair = *state;
    static char body[LIMIT_FRAME_BYTES - 1];
    enum channel_state sending = CHANNEL_MORE;
    size_t want = 0;

    for (size_t i = 0; i < 200; i++) {
        char head = (char)('a' + i % 26);
        size_t n = i % 3 == 0 ? sizeof(body) : i;
        assert_true(channel_put(&pair->a, (struct bytes){ &head, 1 }, (struct bytes){ body, n }));
        want += n + 1;
    }
    assert_int_equal(channel_flush(&pair->a), CHANNEL_MORE);
    for (unsigned turns = 0; pair->octets < want && turns < 100000; turns++) {
        assert_int_not_equal(channel_read(&pair->b, pair, take), CHANNEL_FLAWED);
        sending = channel_flush(&pair->a);
    }
    assert_int_equal(sending, CHANNEL_FINE);
    assert_int_equal(pair->frames, 200);
    assert_int_equal(pair->octets, want);
    assert_int_equal(pair->b.in_n, 0);
    assert_memory_equal(pair->seen.at, "65536 a;2 b;3 c;65536 d;5 e;", 28);
}

static void a_queue_has_a_bound(void **state)
{
    struct pair *pair = *state;
    static char body[LIMIT_FRAME_BYTES];
    size_t frames = 0;

    while (frames < 2000 && channel_put(&pair->a, (struct bytes){ body, sizeof(body) }, BYTES_NONE))
        frames++;
    assert_true(frames > 900 && frames <= CHANNEL_WAITING_MOST / LIMIT_FRAME_BYTES);
}

/* CTL-005 for siblings: writing to the dead is an answer, not a signal. */
static void the_dead_are_noticed(void **state)
{
    struct pair *pair = *state;

    channel_done(&pair->b);
    assert_true(channel_put(&pair->a, BYTES("x"), BYTES_NONE));
    assert_int_equal(channel_flush(&pair->a), CHANNEL_ENDED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stream_may_be_cut_anywhere),
        cmocka_unit_test_setup_teardown(octet_by_octet, begin, end),
        cmocka_unit_test(a_bad_frame_is_a_flaw),
        cmocka_unit_test_setup_teardown(half_a_frame_then_the_end, begin, end),
        cmocka_unit_test_setup_teardown(a_big_queue_passes_whole, begin, end),
        cmocka_unit_test_setup_teardown(a_queue_has_a_bound, begin, end),
        cmocka_unit_test_setup_teardown(the_dead_are_noticed, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
