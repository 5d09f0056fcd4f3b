/* SPDX-License-Identifier: ISC */
#include "mail/address.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <stdio.h>

#define AT64 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define LABEL63 "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

enum { NO, YES, UTF8 };     /* refused; taken; taken only with SMTPUTF8 */

static const struct { const char *name; struct bytes text; int want; } mailboxes[] = {
    { "plain", BYTES_INIT("a@example.org"), YES },
    { "dots", BYTES_INIT("a.b.c@example.org"), YES },
    { "all of atext", BYTES_INIT("!#$%&'*+-/=?^_`{|}~@example.org"), YES },
    { "quoted dot", BYTES_INIT("\".\"@example.org"), YES },
    { "quoted quotes", BYTES_INIT("\"\\\".\\\"\"@example.org"), YES },
    { "quoted space", BYTES_INIT("\" \"@example.org"), YES },
    { "quoted at", BYTES_INIT("\"a@b\"@example.org"), YES },
    { "quoted slash", BYTES_INIT("\"../../etc\"@example.org"), YES },
    { "empty quotes", BYTES_INIT("\"\"@example.org"), NO },
    { "open quote", BYTES_INIT("\"a@example.org"), NO },
    { "backslash at the end", BYTES_INIT("\"a\\\"@example.org"), NO },
    { "text behind quotes", BYTES_INIT("\"a\"b@example.org"), NO },
    { "quoted and dot", BYTES_INIT("\"a\".b@example.org"), NO },
    { "dot first", BYTES_INIT(".a@example.org"), NO },
    { "dot last", BYTES_INIT("a.@example.org"), NO },
    { "two dots", BYTES_INIT("a..b@example.org"), NO },
    { "no local part", BYTES_INIT("@example.org"), NO },
    { "no domain", BYTES_INIT("a@"), NO },
    { "no at", BYTES_INIT("a"), NO },
    { "nothing", BYTES_INIT(""), NO },
    { "space", BYTES_INIT("a b@example.org"), NO },
    { "space behind", BYTES_INIT("a@example.org "), NO },
    { "comment", BYTES_INIT("a(b)@example.org"), NO },
    { "NUL in the local part", BYTES_INIT("a\0b@example.org"), NO },
    { "NUL in quotes", BYTES_INIT("\"a\0b\"@example.org"), NO },
    { "tab in quotes", BYTES_INIT("\"a\tb\"@example.org"), NO },
    { "escaped LF", BYTES_INIT("\"a\\\nb\"@example.org"), NO },
    { "NUL in the domain", BYTES_INIT("a@exam\0ple.org"), NO },
    { "DEL", BYTES_INIT("a\x7f@example.org"), NO },
    { "MIM-014 encoded word", BYTES_INIT("=?utf-8?q?a?=@example.org"), YES },
    { "MIM-014 encoded word in quotes", BYTES_INIT("\"=?utf-8?q?a?=\"@example.org"), YES },
    { "one label", BYTES_INIT("a@localhost"), YES },
    { "digits", BYTES_INIT("a@1.2"), YES },
    { "dot at the end", BYTES_INIT("a@example.org."), NO },
    { "dot before the domain", BYTES_INIT("a@.org"), NO },
    { "empty label", BYTES_INIT("a@b..org"), NO },
    { "hyphen first", BYTES_INIT("a@-b.org"), NO },
    { "hyphen last", BYTES_INIT("a@b-.org"), NO },
    { "hyphens inside", BYTES_INIT("a@b--c.org"), YES },
    { "underscore", BYTES_INIT("a@b_c.org"), NO },
    { "local part of 64", BYTES_INIT(AT64 "@example.org"), YES },
    { "local part of 65", BYTES_INIT("a" AT64 "@example.org"), NO },
    { "label of 63", BYTES_INIT("a@" LABEL63 ".org"), YES },
    { "label of 64", BYTES_INIT("a@b" LABEL63 ".org"), NO },
    { "254 octets", BYTES_INIT(LABEL63 "@" LABEL63 "." LABEL63 "." "bb" AT64 ), NO },
    { "IPv4", BYTES_INIT("a@[192.0.2.1]"), YES },
    { "IPv4, 256", BYTES_INIT("a@[192.0.2.256]"), NO },
    { "IPv4, three", BYTES_INIT("a@[192.0.2]"), NO },
    { "IPv4, four digits", BYTES_INIT("a@[0192.0.2.1]"), NO },
    { "IPv4, something behind", BYTES_INIT("a@[192.0.2.1]x"), NO },
    { "IPv6", BYTES_INIT("a@[IPv6:2001:db8::1]"), YES },
    { "IPv6, lower case tag", BYTES_INIT("a@[ipv6:::]"), YES },
    { "IPv6 full", BYTES_INIT("a@[IPv6:1:2:3:4:5:6:7:8]"), YES },
    { "IPv6, nine", BYTES_INIT("a@[IPv6:1:2:3:4:5:6:7:8:9]"), NO },
    { "IPv6, seven", BYTES_INIT("a@[IPv6:1:2:3:4:5:6:7]"), NO },
    { "IPv6, six and ::", BYTES_INIT("a@[IPv6:1:2:3::4:5:6]"), YES },
    { "IPv6, seven and ::", BYTES_INIT("a@[IPv6:1:2:3::4:5:6:7]"), NO },
    { "IPv6, :: twice", BYTES_INIT("a@[IPv6:1::2::3]"), NO },
    { "IPv6, :::", BYTES_INIT("a@[IPv6:1:::3]"), NO },
    { "IPv6, colon last", BYTES_INIT("a@[IPv6:1:2:3:4:5:6:7:8:]"), NO },
    { "IPv6, colon first", BYTES_INIT("a@[IPv6::1:2:3:4:5:6:7:8]"), NO },
    { "IPv6, five digits", BYTES_INIT("a@[IPv6:12345::]"), NO },
    { "IPv6 and IPv4", BYTES_INIT("a@[IPv6:1:2:3:4:5:6:192.0.2.1]"), YES },
    { "IPv6 and IPv4, seven", BYTES_INIT("a@[IPv6:1:2:3:4:5:6:7:192.0.2.1]"), NO },
    { "IPv6 :: and IPv4", BYTES_INIT("a@[IPv6:::192.0.2.1]"), YES },
    { "IPv6, four, :: and IPv4", BYTES_INIT("a@[IPv6:1:2::3:4:192.0.2.1]"), YES },
    { "IPv6, five, :: and IPv4", BYTES_INIT("a@[IPv6:1:2::3:4:5:192.0.2.1]"), NO },
    { "IPv6, IPv4 not last", BYTES_INIT("a@[IPv6:::192.0.2.1:1]"), NO },
    { "IPv6 without its tag", BYTES_INIT("a@[2001:db8::1]"), NO },
    { "general, tag not registered", BYTES_INIT("a@[x-y:a.b/c]"), NO },
    { "general, nothing", BYTES_INIT("a@[x:]"), NO },
    { "general, hyphen last", BYTES_INIT("a@[x-:a]"), NO },
    { "general, bracket inside", BYTES_INIT("a@[x:a[b]"), NO },
    { "open bracket", BYTES_INIT("a@[192.0.2.1"), NO },
    { "UTF-8 local part", BYTES_INIT("\xc3\xbc@example.org"), UTF8 },
    { "UTF-8 in quotes", BYTES_INIT("\"\xc3\xbc b\"@example.org"), UTF8 },
    { "UTF-8 domain", BYTES_INIT("a@b\xc3\xbc.example"), UTF8 },
    { "UTF-8 escaped", BYTES_INIT("\"\\\xc3\xbc\"@example.org"), NO },
    { "Latin-1", BYTES_INIT("\xfc@example.org"), NO },
    { "overlong slash", BYTES_INIT("\xc0\xaf@example.org"), NO },
    { "surrogate", BYTES_INIT("\xed\xa0\x80@example.org"), NO },
    { "cut in a character", BYTES_INIT("\xe2\x82@example.org"), NO },
    { "right-to-left override", BYTES_INIT("a\xe2\x80\xae" "b@example.org"), NO },
    { "override in the domain", BYTES_INIT("a@b\xe2\x80\xae.example"), NO },
    { "C1 control", BYTES_INIT("a\xc2\x85@example.org"), NO },
    { "line separator", BYTES_INIT("a\xe2\x80\xa8@example.org"), NO },
    { "combining mark first in a label", BYTES_INIT("a@\xcc\x88" "b.example"), NO },
};

static void mailboxes_are_told_apart(void **state)
{
    for (size_t i = 0; i < COUNT(mailboxes); i++) {
        struct address address;
        struct flaw flaw = { 0 };
        bool plain = address_parse(mailboxes[i].text, false, &address, &flaw);
        bool wide = address_parse(mailboxes[i].text, true, &address, &flaw);

        if (plain != (mailboxes[i].want == YES) || wide != (mailboxes[i].want != NO))
            fail_msg("%s: taken %d, with SMTPUTF8 %d", mailboxes[i].name, plain, wide);
        if (wide && !bytes_equal(address.whole, mailboxes[i].text))
            fail_msg("%s: not kept as written", mailboxes[i].name);
        if (!wide && (flaw.expected == NULL || flaw.at > mailboxes[i].text.n))
            fail_msg("%s: no flaw named", mailboxes[i].name);
    }
}

static const struct { const char *text, *whole; } paths[] = {
    { "<a@b>", "a@b" },
    { "<>", "" },
    { "<Postmaster>", "Postmaster" },
    { "<postMASTER>", "postMASTER" },
    { "<postmaster@b>", "postmaster@b" },
    { "<@x,@y:a@b>", "a@b" },
    { "<@x.example:\"a>b\"@c>", "\"a>b\"@c" },
    { "<a@b> SIZE=1", "a@b" },
    { "a@b", NULL },
    { "<a@b", NULL },
    { "<a@b >", NULL },
    { "< a@b>", NULL },
    { "<a>", NULL },
    { "<@x>", NULL },
    { "<@x:>", NULL },
    { "<@x,a@b>", NULL },
    { "<@[1.2.3.4]:a@b>", NULL },
    { "<<a@b>>", NULL },
    { "", NULL },
};

static void paths_are_read(void **state)
{
    for (size_t i = 0; i < COUNT(paths); i++) {
        struct address address;
        size_t used = 0;
        bool taken = address_parse_path(bytes_of(paths[i].text), false, &address, &used, NULL);

        if (taken != (paths[i].whole != NULL)
            || (taken && !bytes_equal(address.whole, bytes_of(paths[i].whole))))
            fail_msg("%s: taken %d", paths[i].text, taken);
        if (taken)
            assert_int_equal(paths[i].text[used - 1], '>');
    }
}

static const struct { const char *one, *other; bool equal; } pairs[] = {
    { "a@b.example", "a@B.Example", true },
    { "a@b.example", "A@b.example", false },
    { "\"a\"@b.example", "a@b.example", true },
    { "\"\\a\"@b.example", "a@b.example", true },
    { "\"a.b\"@b.example", "a.b@b.example", true },
    { "\".\"@b.example", "\"\\.\"@b.example", true },
    { "\"a b\"@b.example", "\"a\\ b\"@b.example", true },
    { "\"a b\"@b.example", "\"a  b\"@b.example", false },
    { "\"a\\\"b\"@b.example", "\"a\\\\b\"@b.example", false },
    { "=?utf-8?q?a?=@b.example", "a@b.example", false },    /* MIM-014: never decoded */
    { "\"=?utf-8?q?a?=\"@b.example", "=?utf-8?q?a?=@b.example", true },
    { "postmaster@b", "PostMaster@b", true },
    { "\"POSTMASTER\"@b", "postmaster@b", true },
    { "postmaster@b", "postmaster@c", false },
    { "a@b\xc3\xbc.example", "a@xn--b-eha.EXAMPLE", true },
    { "a@B\xc3\x9c.example", "a@b\xc3\xbc.example", true },
    { "\xc3\xbc@b.example", "u\xcc\x88@b.example", true },
    { "\xc3\xbc@b.example", "u@b.example", false },
    { "a@[IPv6:::1]", "a@[ipv6:0:0:0:0:0:0:0:1]", true },
    { "a@[IPv6:::1.2.3.4]", "a@[IPv6:::102:304]", true },
    { "a@[1.2.3.4]", "a@[001.2.3.4]", true },
    { "a@[1.2.3.4]", "a@[IPv6:::1.2.3.4]", false },
};

static void equality_is_of_the_normal_form(void **state)
{
    for (size_t i = 0; i < COUNT(pairs); i++) {
        struct address one, other;

        assert_true(address_parse(bytes_of(pairs[i].one), true, &one, NULL));
        assert_true(address_parse(bytes_of(pairs[i].other), true, &other, NULL));
        if (address_equal(one, other) != pairs[i].equal
            || address_equal(other, one) != pairs[i].equal)
            fail_msg("%s and %s", pairs[i].one, pairs[i].other);
    }
}

static void empty_quotes_have_a_flaw_of_their_own(void **state)
{
    struct address address;
    struct flaw flaw;

    assert_false(address_parse(BYTES("\"\"@b"), false, &address, &flaw));
    assert_ptr_equal(flaw.expected, ADDRESS_EMPTY_LOCAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mailboxes_are_told_apart),
        cmocka_unit_test(paths_are_read),
        cmocka_unit_test(equality_is_of_the_normal_form),
        cmocka_unit_test(empty_quotes_have_a_flaw_of_their_own),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
