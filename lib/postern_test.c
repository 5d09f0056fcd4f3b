/* SPDX-License-Identifier: ISC
 *
 * libpostern through its own header alone.
 */
#include "lib/postern.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <string.h>

static const char bounce[] =
    "From: MAILER-DAEMON@mx.example.org\nTo: me@example.org\nSubject: failed\nMIME-Version: 1.0\n"
    "Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n"
    "--b\nContent-Type: text/plain\n\nNo such user.\n\n"
    "--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example.org\n\n"
    "Final-Recipient: rfc822; jane@example.com\nAction: failed\nStatus: 5.1.1\n"
    "Diagnostic-Code: smtp; 550 5.1.1 <jane@example.com>: User unknown\n\n"
    "--b\nContent-Type: message/rfc822\n\nMessage-ID: <1@example.org>\nSubject: <b>hello</b>\n\n"
    "text\n--b--\n";

static void test_read(void **state)
{
    struct postern *postern = postern_new();

    assert_non_null(postern);
    assert_int_equal(postern_read(postern, bounce, strlen(bounce)), 1);
    assert_string_equal(postern_kind(postern), "bounce");
    assert_string_equal(postern_field(postern, 0, POSTERN_RECIPIENT), "jane@example.com");
    assert_string_equal(postern_field(postern, 0, POSTERN_CATEGORY), "user-missing");
    assert_string_equal(postern_field(postern, 0, POSTERN_STATUS), "5.1.1");
    assert_string_equal(postern_field(postern, 0, POSTERN_WHO), "sender");
    assert_int_equal(postern_answer(postern, 0, POSTERN_OVER), 1);
    assert_int_equal(postern_answer(postern, 0, POSTERN_ADDRESS_BAD), 1);
    assert_null(postern_field(postern, 1, POSTERN_RECIPIENT));
    assert_int_equal(postern_answer(postern, 1, POSTERN_OVER), -1);
    postern_free(postern);
}

static void test_show(void **state)
{
    struct postern *postern = postern_new();
    size_t n;

    assert_non_null(postern);
    (void)postern_read(postern, bounce, strlen(bounce));
    const char *html = postern_show(postern, POSTERN_HTML, &n);
    assert_non_null(html);
    assert_int_equal(strlen(html), n);
    assert_non_null(strstr(html, "<!doctype html>"));
    assert_non_null(strstr(html, "&lt;b&gt;hello&lt;/b&gt;"));
    assert_int_equal(postern_set_language(postern, "xx"), -1);
    assert_int_equal(postern_set_language(postern, "xx, de-AT"), 0);
    (void)postern_read(postern, bounce, strlen(bounce));
    assert_non_null(strstr(postern_show(postern, POSTERN_TEXT, NULL), "Adresse nicht gefunden"));
    assert_int_equal(strncmp(postern_show(postern, POSTERN_JSON, NULL), "{\"version\":1,", 13), 0);
    postern_free(postern);
}

static void test_before_anything(void **state)
{
    struct postern *postern = postern_new();

    assert_non_null(postern);
    assert_string_equal(postern_kind(postern), "not-a-report");
    assert_non_null(postern_show(postern, POSTERN_TEXT, NULL));
    assert_int_equal(postern_read(postern, NULL, 0), 0);
    assert_null(postern_field(postern, 0, POSTERN_HEADLINE));
    postern_free(postern);
    postern_free(NULL);
}

static void test_codes(void **state)
{
    struct postern *postern = postern_new();

    assert_non_null(postern);
    assert_non_null(strstr(postern_code(postern, "5.1.1", POSTERN_TEXT, NULL), "5.1.1"));
    assert_int_equal(postern_code(postern, "550", POSTERN_JSON, NULL)[0], '{');
    assert_null(postern_code(postern, "hello", POSTERN_TEXT, NULL));
    assert_null(postern_code(postern, NULL, POSTERN_TEXT, NULL));
    assert_string_not_equal(postern_version(), "");
    postern_free(postern);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_read), cmocka_unit_test(test_show),
        cmocka_unit_test(test_before_anything), cmocka_unit_test(test_codes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
