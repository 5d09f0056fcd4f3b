/* SPDX-License-Identifier: ISC */
#include "seal/pem_letter.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const struct { const char *text; size_t header; } splits[] = {
    { "", 0 }, { "\n", 0 }, { "no header\n", 0 }, { "To: a\nno end", 0 },
    { "To: a\n\nbody\n", 7 }, { "To: a\r\n b\r\n\r\nbody", 13 }, { "To: a\nHello you\n\n", 0 },
    { " folded\n\nbody", 0 },
};

static void test_split(void **state)
{
    for (size_t i = 0; i < COUNT(splits); i++) {
        struct bytes text = bytes_of(splits[i].text), header, body;
        pem_letter_split(text, &header, &body);
        assert_int_equal(header.n, splits[i].header);
        assert_int_equal(header.n + body.n, text.n);
    }
}

static void test_recipients(void **state)
{
    struct arena arena = arena_with_ceiling(65536);
    struct bytes to[4];

    assert_int_equal(pem_letter_recipients(BYTES("To: A <a@b.example>,\n c@d.example\nFrom: x@y\n"
                                                 "cc: A@B.example, e@f.example\nBcc: g@h\n\n"),
                                           &arena, to, COUNT(to)), 3);
    assert_true(bytes_equal(to[0], BYTES("a@b.example")));
    assert_true(bytes_equal(to[2], BYTES("e@f.example")));
    assert_int_equal(pem_letter_recipients(BYTES("To: a@b, c@d, e@f\n\n"), &arena, to, 2), 2);
    arena_done(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_split),
        cmocka_unit_test(test_recipients),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
