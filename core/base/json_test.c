/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/json.h"

static const struct {
    const char *name;
    struct bytes text;
    const char *want;
} texts[] = {
    { "empty", BYTES_INIT(""), "\"\"" },
    { "plain", BYTES_INIT("a b"), "\"a b\"" },
    { "quote, backslash", BYTES_INIT("\"\\"), "\"\\\"\\\\\"" },
    { "short escapes", BYTES_INIT("\r\n\t"), "\"\\r\\n\\t\"" },
    { "NUL and escape", BYTES_INIT("\0\x1b"), "\"\\u0000\\u001b\"" },
    { "DEL and a C1 control", BYTES_INIT("\x7f\xc2\x9b"), "\"\\u007f\\u009b\"" },
    { "UTF-8", BYTES_INIT("\xc3\xa9\xf0\x9f\x90\xa6"), "\"\xc3\xa9\xf0\x9f\x90\xa6\"" },
    { "line separator", BYTES_INIT("\xe2\x80\xa8"), "\"\\u2028\"" },
    { "right-to-left override", BYTES_INIT("\xe2\x80\xae"), "\"\\u202e\"" },
    { "tag character", BYTES_INIT("\xf3\xa0\x81\x81"), "\"\\udb40\\udc41\"" },
    { "Latin-1", BYTES_INIT("caf\xe9!"), "\"caf\\ufffd!\"" },
    { "surrogate in UTF-8", BYTES_INIT("\xed\xa0\x80"), "\"\\ufffd\\ufffd\\ufffd\"" },
    { "overlong", BYTES_INIT("\xc0\xaf"), "\"\\ufffd\\ufffd\"" },
    { "cut", BYTES_INIT("\xf0\x9f\x90"), "\"\\ufffd\\ufffd\\ufffd\"" },
};

static void writes_any_text(void **state)
{
    for (size_t i = 0; i < COUNT(texts); i++) {
        struct buffer out = buffer_with_most(256);
        struct json json = json_to(&out);

        json_text(&json, texts[i].text);
        if (!bytes_equal(buffer_bytes(&out), bytes_of(texts[i].want)))
            fail_msg("%s", texts[i].name);
        buffer_done(&out);
    }
}

static void nests(void **state)
{
    struct buffer out = buffer_with_most(1024);
    struct json json = json_to(&out);

    json_put_object(&json);
    json_key(&json, "list");
    json_put_array(&json);
    json_put_array(&json);
    json_put_array_end(&json);
    json_put_object(&json);
    json_put_object_end(&json);
    json_uint(&json, UINT64_MAX);
    json_int(&json, INT64_MIN);
    json_int(&json, 7);
    json_put_null(&json);
    json_put_array_end(&json);
    json_put_text(&json, "a", BYTES("b\""));
    json_put_uint(&json, "n", 0);
    json_put_bool(&json, "yes", true);
    json_put_object_end(&json);
    json_line_end(&json);
    json_put_object(&json);
    json_put_bool(&json, "yes", false);
    json_put_object_end(&json);
    json_line_end(&json);
    assert_true(bytes_equal(buffer_bytes(&out), BYTES(
        "{\"list\":[[],{},18446744073709551615,-9223372036854775808,7,null],\"a\":\"b\\\"\","
        "\"n\":0,"
        "\"yes\":true}\n{\"yes\":false}\n")));
    buffer_done(&out);
}

static void a_full_buffer_is_bad(void **state)
{
    struct buffer out = buffer_with_most(8);
    struct json json = json_to(&out);

    json_text(&json, BYTES("much too long"));
    assert_true(out.bad);
    buffer_done(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_any_text),
        cmocka_unit_test(nests),
        cmocka_unit_test(a_full_buffer_is_bad),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
