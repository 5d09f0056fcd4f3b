/* SPDX-License-Identifier: ISC */
#include "base/base64.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <string.h>

static const struct { const char *text, *want; unsigned flaws; } rows[] = {
    { "", "", 0 },
    { "Zg==", "f", 0 },
    { "Zm8=", "fo", 0 },
    { "Zm9v", "foo", 0 },
    { "Zm9vYmFy", "foobar", 0 },
    { "Zm9v\r\nYmFy\r\n", "foobar", 0 },
    { "Zm\r\n9v", "foo", 0 },                                           /* CRLF in a quantum */
    { "Zm9v!Ym*Fy", "foobar", BASE64_ODD_OCTET },
    { "Zm9vYg", "foob", BASE64_BAD_PAD },                               /* padding left out */
    { "Zm9vYmE", "fooba", BASE64_BAD_PAD },
    { "Zm9vY", "foo", BASE64_BAD_PAD | BASE64_BITS_LEFT },
    { "Zg==Zm9v", "ffoo", BASE64_INSIDE_PAD },                          /* text behind padding */
    { "Zg=Zm9v", "ffoo", BASE64_INSIDE_PAD | BASE64_BAD_PAD },
    { "Z=g=", "f", BASE64_BAD_PAD | BASE64_INSIDE_PAD },
    { "=AAA", "\0\0", BASE64_BAD_PAD | BASE64_INSIDE_PAD },
    { "Zg===", "f", BASE64_BAD_PAD },
    { "Zg=", "f", BASE64_BAD_PAD },
    { "Zh==", "f", BASE64_BITS_LEFT },
    { "====", "", BASE64_BAD_PAD },
};

static void mim_010_every_input_has_one_result(void **state)
{
    for (size_t i = 0; i < COUNT(rows); i++) {
        for (size_t size = 1; size <= strlen(rows[i].text) + 1; size++) {
            struct base64_decoder decoder = { 0 };
            struct buffer to = buffer_with_most(256);
            struct bytes rest = bytes_of(rows[i].text);
            for (; rest.n > 0; rest = bytes_skip(rest, size))
                base64_decode(&decoder, bytes_first(rest, size), &to);
            base64_decode_end(&decoder, &to);
            size_t n = rows[i].text[0] == '=' && rows[i].text[1] == 'A' ? 2 : strlen(rows[i].want);
            if (!bytes_equal(buffer_bytes(&to), (struct bytes){ rows[i].want, n })
                || decoder.flaws != rows[i].flaws)
                fail_msg("%s: %.*s, flaws %x", rows[i].text, (int)to.n, to.at, decoder.flaws);
            buffer_done(&to);
        }
    }
}

static void what_was_encoded_is_decoded(void **state)
{
    char data[256];

    for (size_t i = 0; i < sizeof(data); i++)
        data[i] = (char)(uint8_t)(i * 7);
    for (size_t n = 0; n <= sizeof(data); n++) {
        struct buffer text = buffer_with_most(512), back = buffer_with_most(512);
        struct base64_decoder decoder = { 0 };
        base64_encode(&text, (struct bytes){ data, n });
        base64_decode(&decoder, buffer_bytes(&text), &back);
        base64_decode_end(&decoder, &back);
        assert_int_equal(text.n, (n + 2) / 3 * 4);
        assert_int_equal(decoder.flaws, 0);
        assert_true(bytes_equal(buffer_bytes(&back), (struct bytes){ data, n }));
        buffer_done(&text);
        buffer_done(&back);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mim_010_every_input_has_one_result),
        cmocka_unit_test(what_was_encoded_is_decoded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
