/* SPDX-License-Identifier: ISC */
#include "crypt/dname.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static const struct {
    const char *text;
    const char *back;           /* NULL: refused */
} names[] = {
    { "CN=alice", "CN = alice" },
    { "cn = alice , ou=Sales, c=US", "CN = alice, OU = Sales, C = US" },
    { "CN = test, OU = Persona Certificate, O = RSA Data Security, Inc., C = US",
      "CN = test, OU = Persona Certificate, O = RSA Data Security, Inc., C = US" },
    { "O=RSA Data Security\\, Inc.,C=US", "O = RSA Data Security, Inc., C = US" },
    { "E=a@b.example, CN=x", "emailAddress = a@b.example, CN = x" },
    { "CN=J\xC3\xBCrgen", "CN = J\xC3\xBCrgen" },
    { "", NULL }, { "alice", NULL }, { "CN=", NULL }, { "CN=a,", "CN = a," },
    { "CN=a\\, CN\\=b, C=US", "CN = a, CN\\=b, C = US" },
    { "XX=a", NULL }, { "C=USA", NULL }, { "C=1A", NULL }, { "CN=a, FOO=b", NULL },
    { "CN=\xFF", NULL },
};

static void test_text(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(names); i++) {
        struct buffer der = buffer_with_most(DNAME_MOST), back = buffer_with_most(DNAME_MOST);
        bool well = dname_read_text(bytes_of(names[i].text), false, &der);
        assert_int_equal(well, names[i].back != NULL);
        dname_put_text(buffer_bytes(&der), &back);
        if (well)
            assert_true(bytes_equal(buffer_bytes(&back), bytes_of(names[i].back)));
        buffer_done(&der);
        buffer_done(&back);
    }
}

static void name(struct buffer *to, const char *text, bool old)
{
    *to = buffer_with_most(DNAME_MOST);
    assert_true(dname_read_text(bytes_of(text), old, to));
}

static void check(const char *a, const char *b, bool equal, bool below)
{
    struct buffer x, y;

    name(&x, a, true);
    name(&y, b, false);
    assert_int_equal(dname_equal(buffer_bytes(&x), buffer_bytes(&y)), equal);
    assert_int_equal(dname_is_below(buffer_bytes(&x), buffer_bytes(&y)), below);
    buffer_done(&x);
    buffer_done(&y);
}

static void test_compare(void **state)
{
    (void)state;
    check("CN=a@b, C=US", "CN=A@B, C=us", true, false);             /* T.61 and UTF-8 */
    check("CN=a   b, C=US", "CN=a b, C=US", true, false);
    check("CN=ab, C=US", "CN=a b, C=US", false, false);
    check("CN=a, OU=x, C=US", "OU=X, C=US", false, true);
    check("CN=a, C=US", "OU=x, C=US", false, false);
    check("OU=x, C=US", "CN=a, OU=x, C=US", false, false);
    check("CN=ab, C=US", "CN=a, C=US", false, false);
}

static void test_persona(void **state)
{
    struct buffer der = buffer_with_most(DNAME_MOST), text = buffer_with_most(DNAME_MOST);

    (void)state;
    assert_true(dname_persona(BYTES("a@b.example"), &der));
    dname_put_text(buffer_bytes(&der), &text);
    assert_true(bytes_equal(buffer_bytes(&text),
        BYTES("CN = a@b.example, OU = Persona Certificate, O = RSA Data Security, Inc.,"
              " C = US")));
    assert_true(bytes_equal(dname_mailbox(buffer_bytes(&der)), BYTES("a@b.example")));
    buffer_done(&der);
    buffer_done(&text);
}

/* DER that is no name: read by nobody, shown as such. */
static void test_hostile(void **state)
{
    static const struct bytes ders[] = {
        BYTES_INIT("\x30\x80\x00\x00"), BYTES_INIT("\x30\x02\x31\x00"), BYTES_INIT("\x31\x00"),
        BYTES_INIT("\x30\x04\x31\x02\x30\x00"), BYTES_INIT("\x30\x00\x00"), BYTES_INIT(""),
        BYTES_INIT("\x30\x09\x31\x07\x30\x05\x06\x03\x55\x04\x03"),
    };
    struct dname_part parts[DNAME_PARTS_MOST];
    size_t n;

    (void)state;
    for (size_t i = 0; i < COUNT(ders); i++) {
        struct buffer text = buffer_with_most(DNAME_MOST);
        assert_false(dname_read(ders[i], parts, &n));
        assert_int_equal(dname_mailbox(ders[i]).n, 0);
        dname_put_text(ders[i], &text);
        assert_true(bytes_equal(buffer_bytes(&text), BYTES("(no name)")));
        buffer_done(&text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text), cmocka_unit_test(test_compare),
        cmocka_unit_test(test_persona), cmocka_unit_test(test_hostile),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
