/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "role/control.h"

#define TEN_NULS "\0\0\0\0\0\0\0\0\0\0"

static const struct {
    const char *name;
    struct bytes text;
    enum control_took want;
    size_t words;
} requests[] = {
    { "nothing", BYTES_INIT(""), CONTROL_NEEDS_MORE, 0 },
    { "half a length", BYTES_INIT("\x05\0"), CONTROL_NEEDS_MORE, 0 },
    { "length 0", BYTES_INIT("\0\0\0\0"), CONTROL_FLAW, 0 },
    { "length 2^32-1", BYTES_INIT("\xff\xff\xff\xff"), CONTROL_FLAW, 0 },
    { "length 65537", BYTES_INIT("\x01\0\x01\0"), CONTROL_FLAW, 0 },
    { "half a request", BYTES_INIT("\x03\0\0\0a"), CONTROL_NEEDS_MORE, 0 },
    { "one word", BYTES_INIT("\x02\0\0\0a\0"), CONTROL_TOOK, 1 },
    { "an empty word", BYTES_INIT("\x03\0\0\0a\0\0"), CONTROL_TOOK, 2 },
    { "no NUL at the end", BYTES_INIT("\x02\0\0\0ab"), CONTROL_FLAW, 0 },
    { "octets behind it", BYTES_INIT("\x02\0\0\0a\0b"), CONTROL_FLAW, 0 },
    { "forty words", BYTES_INIT("\x28\0\0\0" TEN_NULS TEN_NULS TEN_NULS TEN_NULS), CONTROL_TOOK,
      40 },
    { "one more", BYTES_INIT("\x29\0\0\0" TEN_NULS TEN_NULS TEN_NULS TEN_NULS "\0"),
      CONTROL_FLAW, 0 },
    { "HTTP", BYTES_INIT("GET / HTTP/1.1\r\n\r\n"), CONTROL_FLAW, 0 },
};

static void reads_requests(void **state)
{
    for (size_t i = 0; i < COUNT(requests); i++) {
        struct bytes words[CONTROL_WORDS_MOST];
        size_t n = 0;

        if (control_take_request(requests[i].text, words, &n) != requests[i].want
            || n != requests[i].words)
            fail_msg("%s", requests[i].name);
    }
}

static void writes_what_it_reads(void **state)
{
    struct bytes given[] = { BYTES("trace"), BYTES(""), BYTES("a b") }, words[CONTROL_WORDS_MOST];
    struct buffer out = buffer_with_most(1024);
    size_t n = 0;

    control_put_request(&out, given, COUNT(given));
    assert_int_equal(control_take_request(buffer_bytes(&out), words, &n), CONTROL_TOOK);
    assert_int_equal(n, COUNT(given));
    for (size_t i = 0; i < n; i++)
        assert_true(bytes_equal(words[i], given[i]));
    for (size_t cut = 0; cut < out.n; cut++)
        assert_int_equal(control_take_request(bytes_first(buffer_bytes(&out), cut), words, &n),
                         CONTROL_NEEDS_MORE);
    buffer_done(&out);
}

static void refuses_to_write_what_it_could_not_read(void **state)
{
    static char huge[LIMIT_CONTROL_FRAME];
    struct bytes big[] = { BYTES("trace"), { huge, sizeof(huge) } };
    struct bytes nul[] = { BYTES("a\0b") };
    struct bytes many[CONTROL_WORDS_MOST + 1] = { BYTES_NONE };
    const struct { const struct bytes *words; size_t n; } cases[] = {
        { big, COUNT(big) }, { nul, COUNT(nul) }, { many, COUNT(many) }, { many, 0 },
    };

    memset(huge, 'a', sizeof(huge));
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct buffer out = buffer_with_most(1 << 20);
        control_put_request(&out, cases[i].words, cases[i].n);
        assert_true(out.bad);
        assert_int_equal(out.n, 0);
        buffer_done(&out);
    }
}

static void cuts_long_answers(void **state)
{
    static char text[3 * LIMIT_CONTROL_FRAME];
    struct buffer out = buffer_with_most(1 << 20);
    size_t at = 0, octets = 0, used = 0;
    struct control_frame frame = { .kind = CONTROL_OUT };

    control_put(&out, CONTROL_OUT, (struct bytes){ text, sizeof(text) });
    control_put(&out, CONTROL_ERR, BYTES_NONE);
    control_put_exit(&out, 75);
    while (frame.kind != CONTROL_EXIT) {
        assert_int_equal(control_take(bytes_skip(buffer_bytes(&out), at), &frame, &used),
                         CONTROL_TOOK);
        at += used;
        octets += frame.octets.n;
    }
    assert_int_equal(frame.status, 75);
    assert_int_equal(octets, sizeof(text) + 1);
    assert_int_equal(at, out.n);
    buffer_done(&out);
}

static const struct {
    struct bytes text;
    enum control_took want;
} frames[] = {
    { BYTES_INIT(""), CONTROL_NEEDS_MORE },
    { BYTES_INIT("\x02\0\0\0\x01"), CONTROL_NEEDS_MORE },
    { BYTES_INIT("\x02\0\0\0\x01x"), CONTROL_TOOK },
    { BYTES_INIT("\x01\0\0\0\x01"), CONTROL_TOOK },
    { BYTES_INIT("\x02\0\0\0\0x"), CONTROL_FLAW },
    { BYTES_INIT("\x02\0\0\0\x04x"), CONTROL_FLAW },
    { BYTES_INIT("\0\0\0\0"), CONTROL_FLAW },
    { BYTES_INIT("\x01\0\0\0\x03"), CONTROL_FLAW },
    { BYTES_INIT("\x03\0\0\0\x03xx"), CONTROL_FLAW },
    { BYTES_INIT("\xff\xff\xff\xff\x01"), CONTROL_FLAW },
};

static void reads_frames(void **state)
{
    for (size_t i = 0; i < COUNT(frames); i++) {
        struct control_frame frame;
        size_t used;

        if (control_take(frames[i].text, &frame, &used) != frames[i].want)
            fail_msg("frame %zu", i);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_requests),
        cmocka_unit_test(writes_what_it_reads),
        cmocka_unit_test(refuses_to_write_what_it_could_not_read),
        cmocka_unit_test(cuts_long_answers),
        cmocka_unit_test(reads_frames),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
