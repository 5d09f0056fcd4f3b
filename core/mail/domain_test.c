/* SPDX-License-Identifier: ISC */
#include "mail/domain.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <string.h>

#define LABEL63 "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

static const struct { const char *name, *text, *ascii, *unicode; } rows[] = {
    { "ASCII", "Example.ORG", "example.org", "example.org" },
    { "dot at the end", "example.org.", "example.org.", "example.org." },
    { "umlaut", "b\xc3\xbc.example", "xn--b-eha.example", "b\xc3\xbc.example" },
    { "capital umlaut", "B\xc3\x9c.example", "xn--b-eha.example", "b\xc3\xbc.example" },
    { "decomposed", "bu\xcc\x88.example", "xn--b-eha.example", "b\xc3\xbc.example" },
    { "A-label", "XN--B-EHA.example", "xn--b-eha.example", "b\xc3\xbc.example" },
    { "sharp s stays", "stra\xc3\x9f" "e.example", "xn--strae-oqa.example",
      "stra\xc3\x9f" "e.example" },
    { "ideographic full stop", "b\xc3\xbc\xe3\x80\x82" "example", "xn--b-eha.example",
      "b\xc3\xbc.example" },
    { "underscore", "_dmarc.example", "_dmarc.example", "_dmarc.example" },
    { "nothing", "", NULL, NULL },
    { "a dot", ".", NULL, NULL },
    { "empty label", "a..b", NULL, NULL },
    { "label of 63", LABEL63 ".org", LABEL63 ".org", LABEL63 ".org" },
    { "label of 64", "b" LABEL63 ".org", NULL, NULL },
    { "256 octets", LABEL63 "." LABEL63 "." LABEL63 "." LABEL63 ".", NULL, NULL },
    { "emoji", "\xf0\x9f\x98\x80.example", NULL, NULL },
    /* DNS-028 */
    { "A-label of ASCII", "xn--abc-.example", NULL, NULL },
    { "A-label of nothing", "xn--.example", NULL, NULL },
    { "A-label that is no punycode", "xn--a\x7f" "b.example", NULL, NULL },
    { "A-label that overflows", "xn--99999999999999.example", NULL, NULL },
    { "A-label that is too long in UTF-8", "xn--" LABEL63 ".example", NULL, NULL },
    { "both directions in a label", "a\xd7\x90.example", NULL, NULL },
    { "zero-width joiner", "a\xe2\x80\x8d" "b.example", NULL, NULL },
    { "A-label of a capital", "xn--lca.example", NULL, NULL },
    { "invalid UTF-8", "b\xff.example", NULL, NULL },
    { "right-to-left override", "a\xe2\x80\xae.example", NULL, NULL },
};

static void check(const char *name, bool known, const struct buffer *to, const char *want)
{
    if (known != (want != NULL) || (!known && to->n > 0)
        || (known && !bytes_equal(buffer_bytes(to), bytes_of(want))))
        fail_msg("%s: %d %.*s", name, known, (int)to->n, to->n == 0 ? "" : to->at);
}

static void both_forms_are_made(void **state)
{
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct buffer ascii = buffer_with_most(1024), unicode = buffer_with_most(1024);

        check(rows[i].name, domain_to_ascii(bytes_of(rows[i].text), &ascii), &ascii, rows[i].ascii);
        check(rows[i].name, domain_to_unicode(bytes_of(rows[i].text), &unicode), &unicode,
            rows[i].unicode);
        buffer_done(&ascii);
        buffer_done(&unicode);
    }
}

static void equality_is_of_a_labels(void **state)
{
    assert_true(domain_equal(BYTES("Example.org"), BYTES("eXample.ORG")));
    assert_true(domain_equal(BYTES("b\xc3\xbc.example"), BYTES("XN--B-EHA.Example")));
    assert_false(domain_equal(BYTES("b\xc3\xbc.example"), BYTES("bu.example")));
    assert_false(domain_equal(BYTES("example.org"), BYTES("example.net")));
    assert_false(domain_equal(BYTES("a\0b"), BYTES("a")));
    assert_true(domain_equal(BYTES("bad..Name"), BYTES("BAD..name")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_forms_are_made),
        cmocka_unit_test(equality_is_of_a_labels),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
