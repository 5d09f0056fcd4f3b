/* SPDX-License-Identifier: ISC */
#include "web/form.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <string.h>

#define MULTI "multipart/form-data; boundary=b"
#define PART(name, text) "--b\r\nContent-Disposition: form-data; name=" name "\r\n\r\n" text "\r\n"

static const struct {
    const char *type, *body, *name, *value;     /* value NULL: none */
} rows[] = {
    { "application/x-www-form-urlencoded", "text=a+b&x=1", "text", "a b" },
    { "application/x-www-form-urlencoded; charset=utf-8", "text=%41", "text", "A" },
    { "application/x-www-form-urlencoded", "x=1", "text", NULL },
    { "text/plain", "text=a", "text", NULL },
    { MULTI, PART("\"text\"", "one\r\ntwo") "--b--\r\n", "text", "one\r\ntwo" },
    { MULTI, PART("text", "bare") "--b--\r\n", "text", "bare" },
    { MULTI, PART("\"a\"", "1") PART("\"text\"", "2") "--b--", "text", "2" },
    { MULTI, PART("\"text\"", "") "--b--", "text", "" },
    { "Multipart/Form-Data; BOUNDARY=\"b\"", PART("\"text\"; filename=\"x\"", "f") "--b--", "text",
      "f" },
    { MULTI, PART("\"a\"", "1") "--b--", "text", NULL },
    { MULTI, "x" PART("\"text\"", "1") "--b--", "text", NULL },
    { MULTI, "--b\r\nContent-Disposition: form-data; name=\"text\"\r\n", "text", NULL },
    { MULTI, "--b--", "text", NULL },
    { MULTI, "", "text", NULL },
    { "multipart/form-data", PART("\"text\"", "1") "--b--", "text", NULL },
    { "multipart/form-data; boundary=", PART("\"text\"", "1") "--b--", "text", NULL },
};

static void test_rows(void **state)
{
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct buffer room = buffer_with_most(1000);
        struct bytes value = BYTES_NONE;
        bool found = form_field(bytes_of(rows[i].type), bytes_of(rows[i].body),
                                bytes_of(rows[i].name), &room, &value);
        if (found != (rows[i].value != NULL)
            || (found && !bytes_equal(value, bytes_of(rows[i].value))))
            fail_msg("row %zu: %.*s", i, (int)value.n, value.at);
        buffer_done(&room);
    }
}

/* A boundary longer than the standard allows is none; more parts than may be are not looked at. */
static void test_bounds(void **state)
{
    struct buffer body = buffer_with_most(100000), room = buffer_with_most(1000);
    char type[200] = "multipart/form-data; boundary=";
    struct bytes value;

    memset(type + strlen(type), 'b', 80);
    assert_false(form_field(bytes_of(type), BYTES("--x"), BYTES("text"), &room, &value));
    for (size_t i = 0; i < 40; i++)
        buffer_put_text(&body, PART("\"a\"", "1"));
    buffer_put_text(&body, PART("\"text\"", "1") "--b--");
    assert_false(form_field(BYTES(MULTI), buffer_bytes(&body), BYTES("text"), &room, &value));
    buffer_done(&body);
    buffer_done(&room);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows), cmocka_unit_test(test_bounds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
