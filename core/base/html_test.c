/* SPDX-License-Identifier: ISC */
#include "base/html.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static const struct {
    struct bytes text, html;
} rows[] = {
    { BYTES_INIT(""), BYTES_INIT("") },
    { BYTES_INIT("plain text\tand\nlines\r\n"), BYTES_INIT("plain text\tand&#10;lines&#10;") },
    { BYTES_INIT("<script>\"a\" & 'b'</script>"),
      BYTES_INIT("&lt;script&gt;&quot;a&quot; &amp; &#39;b&#39;&lt;/script&gt;") },
    { BYTES_INIT("\x1b[2J\0\x7f"), BYTES_INIT("\xef\xbf\xbd[2J\xef\xbf\xbd\xef\xbf\xbd") },
    { BYTES_INIT("a\xe2\x80\xae" "b"), BYTES_INIT("a\xef\xbf\xbd" "b") },
    { BYTES_INIT("\xff\xc3\xa9"), BYTES_INIT("\xef\xbf\xbd\xc3\xa9") },
};

static void test_rows(void **state)
{
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct buffer out = buffer_with_most(1000);
        html_put(&out, rows[i].text);
        assert_true(bytes_equal(buffer_bytes(&out), rows[i].html));
        buffer_done(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_rows) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
