/* SPDX-License-Identifier: ISC */
#include "mail/xtext.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static const struct {
    struct bytes text;
    const char *wanted;         /* NULL: refused */
} xtexts[] = {
    { BYTES_INIT(""), "" },
    { BYTES_INIT("QQ314159"), "QQ314159" },
    { BYTES_INIT("a+2Bb+3Dc"), "a+b=c" },
    { BYTES_INIT("a+20b"), "a b" },
    { BYTES_INIT("+7E"), "~" },
    /* SRV-050, SRV-051 */
    { BYTES_INIT("+00"), NULL },
    { BYTES_INIT("+0D+0A"), NULL },
    { BYTES_INIT("a+0Aroot:"), NULL },
    { BYTES_INIT("+1F"), NULL },
    { BYTES_INIT("+7F"), NULL },
    { BYTES_INIT("+80"), NULL },
    { BYTES_INIT("+C3+A9"), NULL },
    { BYTES_INIT("+ZZ"), NULL },
    { BYTES_INIT("+"), NULL },
    { BYTES_INIT("a+"), NULL },
    { BYTES_INIT("+2"), NULL },
    { BYTES_INIT("+2b"), NULL },
    { BYTES_INIT("+/0"), NULL },
    { BYTES_INIT("a=b"), NULL },
    { BYTES_INIT("a b"), NULL },
    { BYTES_INIT("a\0b"), NULL },
    { BYTES_INIT("a\r\nb"), NULL },
    { BYTES_INIT("\xc3\xa9"), NULL },
    { BYTES_INIT("\x7f"), NULL },
}, orcpts[] = {
    { BYTES_INIT("rfc822;a@example.org"), "rfc822;a@example.org" },
    { BYTES_INIT("rfc822;a+2Bb@example.org"), "rfc822;a+b@example.org" },
    { BYTES_INIT("X-400;C+3Dus"), "X-400;C=us" },
    { BYTES_INIT("rfc822;a;b"), "rfc822;a;b" },
    { BYTES_INIT("utf-8;\\x{E9}t\\x{E9}@example.org"), "utf-8;\xc3\xa9t\xc3\xa9@example.org" },
    { BYTES_INIT("UTF-8;\\x{1F600}@x"), "UTF-8;\xf0\x9f\x98\x80@x" },
    { BYTES_INIT("utf-8;a\\x{2B}b\\x{5C}@x"), "utf-8;a+b\\@x" },
    { BYTES_INIT("utf-8;\\x{4E2D}@x"), "utf-8;\xe4\xb8\xad@x" },
    { BYTES_INIT(""), NULL },
    { BYTES_INIT(";"), NULL },
    { BYTES_INIT("a@example.org"), NULL },
    { BYTES_INIT("rfc822;"), NULL },
    { BYTES_INIT("rfc 822;a"), NULL },
    { BYTES_INIT("rfc822\r\n;a"), NULL },
    { BYTES_INIT("+00;a"), NULL },
    { BYTES_INIT("rfc822;a+00"), NULL },
    { BYTES_INIT("rfc822;a+0D+0Ab"), NULL },
    { BYTES_INIT("rfc822;\xc3\xa9"), NULL },
    { BYTES_INIT("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa;a"), NULL },
    { BYTES_INIT("utf-8;\xc3\xa9"), NULL },
    { BYTES_INIT("utf-8;a+2Bb@x"), NULL },
    { BYTES_INIT("utf-8;\\x{0A}@x"), NULL },
    { BYTES_INIT("utf-8;\\x{0D}\\x{0A}@x"), NULL },
    { BYTES_INIT("utf-8;\\x{1B}@x"), NULL },
    { BYTES_INIT("utf-8;\\x{85}@x"), NULL },
    { BYTES_INIT("utf-8;\\x{202E}@x"), NULL },
    { BYTES_INIT("utf-8;\\x{00E9}@x"), NULL },
    { BYTES_INIT("utf-8;\\x{D800}@x"), NULL },
    { BYTES_INIT("utf-8;\\x{110000}@x"), NULL },
    { BYTES_INIT("utf-8;\\x{1000000}@x"), NULL },
    { BYTES_INIT("utf-8;\\x{}@x"), NULL },
    { BYTES_INIT("utf-8;\\x{E9"), NULL },
    { BYTES_INIT("utf-8;\\x{ZZ}"), NULL },
    { BYTES_INIT("utf-8;\\xE9"), NULL },
    { BYTES_INIT("utf-8;a\\b"), NULL },
}, raw[] = {
    { BYTES_INIT("utf-8;\xc3\xa9@x"), "utf-8;\xc3\xa9@x" },
    { BYTES_INIT("utf-8;\xc3\xa9\\x{E9}@x"), "utf-8;\xc3\xa9\xc3\xa9@x" },
    { BYTES_INIT("utf-8;\xc3"), NULL },
    { BYTES_INIT("utf-8;\xe2\x80\xae@x"), NULL },
    { BYTES_INIT("utf-8;\xc2\x85"), NULL },
    { BYTES_INIT("rfc822;\xc3\xa9@x"), NULL },
};

static void check(struct bytes text, const char *wanted, bool well, struct buffer *out)
{
    if (well != (wanted != NULL))
        fail_msg("\"%.*s\" %s", (int)text.n, text.at, well ? "is taken" : "is refused");
    if (wanted != NULL && !bytes_equal(buffer_bytes(out), bytes_of(wanted)))
        fail_msg("\"%.*s\": \"%.*s\"", (int)text.n, text.at, (int)out->n, out->at);
    buffer_clear(out);
}

static void test_rows(void **state)
{
    struct buffer out = buffer_with_most(1000);

    for (size_t i = 0; i < COUNT(xtexts); i++) {
        check(xtexts[i].text, xtexts[i].wanted, xtext_decode(xtexts[i].text, &out), &out);
        assert_int_equal(xtext_decode(xtexts[i].text, NULL), xtexts[i].wanted != NULL);
    }
    for (size_t i = 0; i < COUNT(orcpts); i++) {
        check(orcpts[i].text, orcpts[i].wanted, orcpt_decode(orcpts[i].text, false, &out), &out);
        assert_int_equal(orcpt_decode(orcpts[i].text, false, NULL), orcpts[i].wanted != NULL);
    }
    for (size_t i = 0; i < COUNT(raw); i++)
        check(raw[i].text, raw[i].wanted, orcpt_decode(raw[i].text, true, &out), &out);
    buffer_done(&out);
}

static void test_there_and_back(void **state)
{
    struct buffer all = buffer_with_most(200), text = buffer_with_most(1000);
    struct buffer back = buffer_with_most(1000);

    for (char c = ' '; c <= '~'; c++)
        buffer_put_char(&all, c);
    xtext_put(&text, buffer_bytes(&all));
    assert_true(xtext_decode(buffer_bytes(&text), &back));
    assert_true(bytes_equal(buffer_bytes(&all), buffer_bytes(&back)));
    buffer_done(&all);
    buffer_done(&text);
    buffer_done(&back);
}

static void originals_are_written(void **state)
{
    static const struct { const char *address, *wanted; } rows[] = {
        { "anna@example.org", "rfc822;anna@example.org" },
        { "a+b=c@example.org", "rfc822;a+2Bb+3Dc@example.org" },
        { "j\xc3\xb6rg@example.org", "utf-8;j\\x{F6}rg@example.org" },
        { "\xe7\x94\xa8+\xe6\x88\xb7@\xe4\xbe\x8b.example",
          "utf-8;\\x{7528}\\x{2B}\\x{6237}@\\x{4F8B}.example" },
        { "\xf0\x9f\x93\xae\\@x.example", "utf-8;\\x{1F4EE}\\x{5C}@x.example" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct buffer out = buffer_with_most(200), back = buffer_with_most(200);
        orcpt_put(&out, bytes_of(rows[i].address));
        buffer_put_char(&out, '\0');
        assert_string_equal(out.at, rows[i].wanted);
        out.n--;
        assert_true(orcpt_decode(buffer_bytes(&out), false, &back));
        size_t type = bytes_find(buffer_bytes(&back), ';') + 1;
        assert_true(bytes_equal(bytes_skip(buffer_bytes(&back), type),
                                bytes_of(rows[i].address)));
        buffer_done(&out);
        buffer_done(&back);
    }
    struct buffer out = buffer_with_most(200);
    orcpt_put(&out, BYTES("a\xff@example.org"));
    assert_true(out.bad);
    buffer_done(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_there_and_back),
        cmocka_unit_test(originals_are_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
