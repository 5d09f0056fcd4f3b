/* SPDX-License-Identifier: ISC */
#include "mail/words.h"

#include "base/utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <string.h>

#define FFFD "\xef\xbf\xbd"

static const struct { const char *text, *want; } rows[] = {
    { "", "" },
    { "plain text", "plain text" },
    { "folded\r\n text", "folded text" },
    { "=?utf-8?q?a=C3=BC_b?=", "a\xc3\xbc b" },
    { "=?UTF-8?B?w7w=?=", "\xc3\xbc" },
    { "=?iso-8859-1?q?=FC?=", "\xc3\xbc" },
    { "=?us-ascii?q?a=FC?=", "a" FFFD },
    { "=?utf-8*de?q?=C3=BC?=", "\xc3\xbc" },
    { "a =?utf-8?q?b?= c", "a b c" },
    { "=?utf-8?q?a?= =?utf-8?q?b?=", "ab" },
    { "=?utf-8?q?a?=\r\n\t =?iso-8859-1?q?=FC?=", "a\xc3\xbc" },
    { "=?utf-8?q?a?=  x  =?utf-8?q?b?=", "a  x  b" },
    { "=?utf-8?q?=C3?= =?utf-8?q?=BC?=", "\xc3\xbc" },          /* a character cut in two */
    { "=?utf-8?q?=C3?= =?iso-8859-1?q?=BC?=", FFFD "\xc2\xbc" },
    { "x=?utf-8?q?a?=y", "xay" },
    { "=?unknown-8?q?=FC?=", "=?unknown-8?q?=FC?=" },
    { "=?x-koi9-r?b?0w==?= =?utf-8?q?a?=", "=?x-koi9-r?b?0w==?= a" },
    { "=?utf-7?q?+AGE-?=", "=?utf-7?q?+AGE-?=" },               /* MIM-021: not decoded */
    { "=?iso-2022-jp?b?GyRCRnwbKEI=?=", "\xe6\x97\xa5" },
    { "=?iso-2022-jp?b?GyRCGyRC?=", "" },                        /* it only changes sets */
    { "=?utf-16?b?AA==?=", "=?utf-16?b?AA==?=" },
    { "=?utf-8?q?a=\r\n b?=", "a=b" },
    { "=?utf-8?x?a?=", "=?utf-8?x?a?=" },
    { "=?utf-8?q?a", "=?utf-8?q?a" },
    { "=?utf-8?q?a?", "=?utf-8?q?a?" },
    { "=??q?a?=", "=??q?a?=" },
    { "=?utf-8?q?" "?=", "" },
    { "=?utf-8?q?what?_yes?=", "what? yes" },
    { "=?utf-8?q?=?utf-8?q?a?=?=", "=?utf-8?q?a?=" },            /* nested: the inner one alone */
    { "=?utf-8?q?=0D=0ABcc:_x=00?=", FFFD FFFD "Bcc: x" FFFD },
    { "=?utf-8?b?DQo=?=", FFFD FFFD },
    { "=?utf-8?q?=C0=AF?=", FFFD FFFD },                         /* overlong */
    { "=?utf-8?q?=4?=", "=4" },
    { "=?utf-8?b?!!!!?=", "" },
    { "=?", "=?" },
    { "=?=?=?=", "=?=?=?=" },
};

static void mim_013_words_are_decoded_safely(void **state)
{
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct buffer to = buffer_with_most(1024);

        words_put(&to, bytes_of(rows[i].text));
        if (!bytes_equal(buffer_bytes(&to), bytes_of(rows[i].want)))
            fail_msg("%s: %.*s", rows[i].text, (int)to.n, to.at);
        buffer_done(&to);
    }
}

static void mim_013_long_charset_name(void **state)
{
    struct buffer text = buffer_with_most(32768), to = buffer_with_most(32768);

    buffer_put_text(&text, "=?");
    buffer_put_chars(&text, 'x', 10000);
    buffer_put_text(&text, "?q?a?=");
    words_put(&to, buffer_bytes(&text));
    assert_true(bytes_equal(buffer_bytes(&text), buffer_bytes(&to)));
    buffer_done(&text);
    buffer_done(&to);
}

/* Each prefix of a text that ends in a character: no octet behind it is looked at (the sanitizer
   sees). */
static void mim_019_truncated_utf8(void **state)
{
    const char *text = "Subject \xe2\x82\xac =?utf-8?b?4oKs?=";

    for (size_t n = 0; n <= strlen(text); n++) {
        struct buffer exact = buffer_with_most(64), to = buffer_with_most(256);
        buffer_put(&exact, bytes_first(bytes_of(text), n));
        words_put(&to, buffer_bytes(&exact));
        assert_true(to.n <= 4 * n);
        buffer_done(&exact);
        buffer_done(&to);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mim_013_words_are_decoded_safely),
        cmocka_unit_test(mim_013_long_charset_name),
        cmocka_unit_test(mim_019_truncated_utf8),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
