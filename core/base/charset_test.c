/* SPDX-License-Identifier: ISC */
#include "base/charset.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <string.h>

static const struct { const char *charset, *octets, *want; } rows[] = {
    { "utf-8", "Gr\xc3\xbc\xc3\x9f" "e", "Gr\xc3\xbc\xc3\x9f" "e" },
    { "utf-8", "a\xff" "b", "a\xef\xbf\xbd" "b" },
    { "us-ascii", "a\x80", "a\xef\xbf\xbd" },
    { "ISO-8859-1", "Stra\xdf" "e", "Stra\xc3\x9f" "e" },
    { "iso-8859-15", "\xa4", "\xe2\x82\xac" },
    { "iso8859-2", "\xb3\xf3" "d\xbc", "\xc5\x82\xc3\xb3" "d\xc5\xba" },
    { "windows-1251", "\xcd\xe5\xf2", "\xd0\x9d\xd0\xb5\xd1\x82" },
    { "cp1252", "\x93" "a\x94", "\xe2\x80\x9c" "a\xe2\x80\x9d" },
    { "koi8-r", "\xee\xc5\xd4", "\xd0\x9d\xd0\xb5\xd1\x82" },
    { "Shift_JIS", "\x83\x81\x81[\x83\x8b", "\xe3\x83\xa1\xe3\x83\xbc\xe3\x83\xab" },
    { "shift_jis", "\xc0\x41", "\xef\xbe\x80" "A" },
    { "euc-jp", "\xc6\xfc\xcb\xdc", "\xe6\x97\xa5\xe6\x9c\xac" },
    { "iso-2022-jp", "a\033$BF|K\\\033(Bb", "a\xe6\x97\xa5\xe6\x9c\xac" "b" },
    { "iso-2022-jp", "\033$BF|\nb", "\xe6\x97\xa5\nb" },
    { "gb2312", "\xd3\xca\xcf\xe4", "\xe9\x82\xae\xe7\xae\xb1" },
    { "gb18030", "\x81\x30\x86\x38", "\xc3\x80" },
    { "gb18030", "\x94\x39\xda\x33", "\xf0\x9f\x92\xa9" },
    { "big5", "\xb6l\xa5\xf3", "\xe9\x83\xb5\xe4\xbb\xb6" },
    { "euc-kr", "\xb8\xde\xc0\xcf", "\xeb\xa9\x94\xec\x9d\xbc" },
    { "ks_c_5601-1987", "\xb8", "\xef\xbf\xbd" },
    { "utf-7", "Hi +AOQ-+-!", "Hi \xc3\xa4+!" },
    { "utf-7", "+2D3cqQ-", "\xf0\x9f\x92\xa9" },
};

static void octets_are_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct buffer to = buffer_with_most(1000);
        const struct charset *charset = charset_find(bytes_of(rows[i].charset));

        assert_non_null(charset);
        charset_put_text(&to, charset, bytes_of(rows[i].octets));
        assert_int_equal(to.n, strlen(rows[i].want));
        assert_memory_equal(to.at, rows[i].want, to.n);
        buffer_done(&to);
    }
    assert_null(charset_find(BYTES("x-unknown")));
    assert_null(charset_find(BYTES_NONE));
}

static void guesses(void **state)
{
    (void)state;
    static const struct { const char *octets, *want; } texts[] = {
        { "nicht zugestellt f\xfcr Sie, weil", "windows-1252" },
        { "\xd5\xe2\xca\xc7\xb7\xfe\xce\xf1\xc6\xf7\xb5\xc4\xcd\xb6\xb5\xdd", "gbk" },
        { "\xa5\xe1\xa1\xbc\xa5\xeb\xa4\xf2\xc1\xf7\xa4\xec\xa4\xde\xa4\xbb\xa4\xf3", "euc-jp" },
    };

    for (size_t i = 0; i < COUNT(texts); i++)
        assert_ptr_equal(charset_guess(bytes_of(texts[i].octets)),
                         charset_find(bytes_of(texts[i].want)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(octets_are_read),
        cmocka_unit_test(guesses),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
