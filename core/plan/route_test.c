/* SPDX-License-Identifier: ISC */
#include "plan/route.h"

#include "base/reader.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static const struct bytes domains[] = { BYTES_INIT("example.org"), BYTES_INIT("example.com"),
                                        BYTES_INIT("b\xc3\xbc" "cher.example") };
static const struct bytes servers[] = { BYTES_INIT("example.com=unix:/run/lmtp") };

static struct conf conf_with(const char *aliases, const char *virtual)
{
    return (struct conf){
        .domains = { domains, COUNT(domains) }, .lmtp = { servers, 1 }, .subaddress = BYTES("+"),
        .postmaster = BYTES("root@example.org"), .aliases = BYTES("/aliases"),
        .virtual = BYTES("/virtual"), .aliases_text = bytes_of(aliases),
        .virtual_text = bytes_of(virtual),
    };
}

static const char aliases[] =
    "# people\n"
    "root: anna\n"
    "Team: anna, bob@elsewhere.example,\n"
    "  carl,\n"
    "\tanna\n"
    "\n"
    "# a comment inside changes nothing\n"
    "anna: anna, copy@example.com\n"
    "\"odd name\": anna\n"
    "loop-a: loop-b\n"
    "loop-b: loop-a\n"
    "webmaster:postmaster@elsewhere.example\n"
    "nested: team";           /* no line end: CFG-007 */

static const char virtual[] =
    "sales@example.com  anna@example.org bob@elsewhere.example\n"
    "@b\xc3\xbc" "cher.example anna\n"
    "@example.com       catch@example.org\n";

/* What stands for it: addresses with blanks between, or a word for the verdict. */
static const struct { const char *address; bool missing; const char *wanted; } rows[] = {
    { "nobody@example.org", false, "same" },
    { "root@example.org", false, "anna@example.org copy@example.com" },
    { "ROOT@EXAMPLE.ORG", false, "anna@example.org copy@example.com" },
    { "anna@example.org", false, "anna@example.org copy@example.com" },
    { "anna+shop@example.org", false, "anna@example.org copy@example.com copy@example.com" },
    { "team@example.org", false, "anna@example.org copy@example.com bob@elsewhere.example "
      "carl@example.org anna@example.org copy@example.com" },
    { "nested@example.com", false, "anna@example.org copy@example.com bob@elsewhere.example "
      "carl@example.org anna@example.org copy@example.com" },
    { "\"odd name\"@example.org", false, "anna@example.org copy@example.com" },
    { "loop-a@example.org", false, "loop" },
    { "webmaster@example.org", false, "postmaster@elsewhere.example" },
    { "team@elsewhere.example", false, "same" },
    { "sales@example.com", false, "anna@example.org copy@example.com bob@elsewhere.example" },
    { "sales@example.org", false, "same" },
    { "sales+x@example.com", false, "anna@example.org copy@example.com bob@elsewhere.example" },
    { "any@example.com", false, "same" },
    { "any@example.com", true, "catch@example.org" },
    { "any@b\xc3\xbc" "cher.example", true, "anna@example.org copy@example.com" },
    { "any@xn--bcher-kva.example", true, "anna@example.org copy@example.com" },
    { "any@example.org", true, "same" },
    { "postmaster@example.org", false, "same" },
    { "postmaster@example.org", true, "anna@example.org copy@example.com" },
    { "postmaster", true, "anna@example.org copy@example.com" },
    { "abuse@example.com", true, "anna@example.org copy@example.com" },
    { "@", false, "same" },
};

static void put_answer(enum route_verdict verdict, struct bytes blocks, struct buffer *to)
{
    static const char *const words[] = { "same", "", "loop", "many", "memory" };
    struct reader in = reader_of(blocks);

    buffer_put_text(to, words[verdict]);
    while (!reader_empty(&in)) {
        if (to->n > 0)
            buffer_put_char(to, ' ');
        buffer_put(to, read_block(&in));
    }
}

static void each_address_stands_for_its_own(void **state)
{
    struct conf conf = conf_with(aliases, virtual);
    struct route_flaw flaw;
    struct routes *routes = routes_new(&conf, &flaw);

    (void)state;
    assert_non_null(routes);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct buffer to = buffer_with_most(4096), came = buffer_with_most(4096);
        enum route_verdict verdict = routes_expand(routes, bytes_of(rows[i].address),
                                                   rows[i].missing, &to);
        put_answer(verdict, buffer_bytes(&to), &came);
        buffer_put_char(&came, '\0');
        assert_string_equal(came.at, rows[i].wanted);
        buffer_done(&to);
        buffer_done(&came);
    }
    routes_free(routes);
}

static void each_domain_has_its_place(void **state)
{
    struct conf conf = conf_with("", "");
    struct route_flaw flaw;
    struct routes *routes = routes_new(&conf, &flaw);
    struct conf_route route = { 0 };

    (void)state;
    assert_int_equal(routes_place(routes, BYTES("a@example.org"), NULL), ROUTE_MAILBOX);
    assert_int_equal(routes_place(routes, BYTES("postmaster"), NULL), ROUTE_MAILBOX);
    assert_int_equal(routes_place(routes, BYTES("a@EXAMPLE.com"), &route), ROUTE_LMTP);
    assert_true(bytes_equal(route.path, BYTES("/run/lmtp")));
    assert_int_equal(routes_place(routes, BYTES("a@example.net"), NULL), ROUTE_ELSEWHERE);
    assert_int_equal(routes_place(routes, BYTES("a@[192.0.2.1]"), NULL), ROUTE_ELSEWHERE);
    assert_int_equal(routes_place(routes, BYTES("\r\n"), NULL), ROUTE_ELSEWHERE);
    routes_free(routes);
}

static void a_detail_is_taken_off(void **state)
{
    static const struct { const char *address, *base; } details[] = {
        { "anna+shop@example.org", "anna@example.org" }, { "anna@example.org", NULL },
        { "+shop@example.org", NULL }, { "anna+@example.org", "anna@example.org" },
        { "a+b+c@example.org", "a@example.org" }, { "\"a+b\"@example.org", NULL },
        { "anna@ex+ample.org", NULL },
    };
    struct conf conf = conf_with("", "");
    struct route_flaw flaw;
    struct routes *routes = routes_new(&conf, &flaw);

    (void)state;
    for (size_t i = 0; i < COUNT(details); i++) {
        struct buffer to = buffer_with_most(100);
        assert_int_equal(routes_base(routes, bytes_of(details[i].address), &to),
                         details[i].base != NULL);
        if (details[i].base != NULL)
            assert_true(bytes_equal(buffer_bytes(&to), bytes_of(details[i].base)));
        buffer_done(&to);
    }
    routes_free(routes);
}

/* CFG-007: what may not stand in a file of aliases is refused by its line. */
static const struct {
    const char *aliases, *virtual;
    unsigned line;
    const char *words;
} wrongs[] = {
    { "a: |/bin/sh\n", "", 1, "programs and files" },
    { "a: \"|/bin/sh -c x\"\n", "", 1, "programs and files" },
    { "b: c\na: /var/mail/a\n", "", 2, "programs and files" },
    { "a: \"/dev/null\"\n", "", 1, "programs and files" },
    { "a: b,\n  :include:/etc/passwd\n", "", 1, ":include:" },
    { "a b\n", "", 1, "expected NAME:" },
    { "a:\n", "", 1, "without any address" },
    { "a: b@\n", "", 1, "a mail address" },
    { "a: b c d@@e\n", "", 1, "a mail address" },
    { ": b\n", "", 1, "expected NAME:" },
    { "a: b\n\nA: c\n", "", 3, "has an alias already" },
    { "  a: b\n", "", 1, "begins with a blank" },
    { "", "anna x@example.org\n", 1, "expected ADDRESS or @DOMAIN" },
    { "", "@ x@example.org\n", 1, "no domain" },
    { "", "a@example.org\n", 1, "without any address" },
    { "", "a@example.org |x\n", 1, "programs and files" },
};

static void what_may_not_stand_there_is_named(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(wrongs); i++) {
        struct conf conf = conf_with(wrongs[i].aliases, wrongs[i].virtual);
        struct route_flaw flaw;
        assert_null(routes_new(&conf, &flaw));
        assert_int_equal(flaw.line, wrongs[i].line);
        assert_non_null(strstr(flaw.words, wrongs[i].words));
    }
    struct conf conf = conf_with("", "");
    struct route_flaw flaw;
    conf.aliases_text = BYTES("a: b\0c\n");
    assert_null(routes_new(&conf, &flaw));
    assert_non_null(strstr(flaw.words, "NUL"));
}

/* CFG-007: ten to the power of five, and nesting without end. */
static void expansion_is_bounded(void **state)
{
    struct buffer text = buffer_with_most(1 << 20), to = buffer_with_most(8 << 20);
    struct route_flaw flaw;
    char line[64];

    (void)state;
    for (int i = 0; i < 5; i++) {
        snprintf(line, sizeof(line), "x%d: y", i);
        buffer_put_text(&text, line);
        for (int k = 0; k < 10; k++) {
            snprintf(line, sizeof(line), ", x%d", i + 1);
            buffer_put_text(&text, line);
        }
        buffer_put_text(&text, "\n");
    }
    for (int i = 0; i < 100; i++) {
        snprintf(line, sizeof(line), "deep%d: deep%d\n", i, i + 1);
        buffer_put_text(&text, line);
    }
    buffer_put_char(&text, '\0');
    struct conf conf = conf_with(text.at, "");
    struct routes *routes = routes_new(&conf, &flaw);
    assert_non_null(routes);
    assert_int_equal(routes_expand(routes, BYTES("x0@example.org"), false, &to), ROUTES_MANY);
    assert_int_equal(to.n, 0);
    assert_int_equal(routes_expand(routes, BYTES("deep0@example.org"), false, &to), ROUTES_LOOP);
    assert_int_equal(routes_expand(routes, BYTES("deep90@example.org"), false, &to),
                     ROUTES_CHANGED);
    routes_free(routes);
    buffer_done(&text);
    buffer_done(&to);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_address_stands_for_its_own),
        cmocka_unit_test(each_domain_has_its_place),
        cmocka_unit_test(a_detail_is_taken_off),
        cmocka_unit_test(what_may_not_stand_there_is_named),
        cmocka_unit_test(expansion_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
