/* SPDX-License-Identifier: ISC */
#include "dns/sts.h"

#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

/* TXT records, divided by "|"; the id, or NULL. */
static const struct { const char *records, *id; } records[] = {
    { "v=STSv1; id=20160831085700Z;", "20160831085700Z" },
    { "v=STSv1;id=a", "a" },
    { "v=STSv1; \t id=a  \t; x=y", "a" },
    { "v=spf1 -all|v=STSv1; id=a", "a" },
    { "v=STSv1; id=a|v=STSv1; id=b", NULL },        /* STS-001 */
    { "v=STSv1; id=a|v=STSv10; id=b", "a" },
    { "v=STSv1", NULL }, { "v=STSv1; id=", NULL }, { "id=a", NULL }, { "v=STSv2; id=a", NULL },
    { "v=STSv1; id=a b", NULL }, { "v=STSv1; id=a;;", NULL }, { "v=STSv1; id=a-b", NULL },
    { "v=STSv1; id=123456789012345678901234567890123", NULL },
    { "", NULL },
};

static void the_record_that_announces(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(records); i++) {
        struct buffer list = buffer_with_most(4096), id = buffer_with_most(64);
        struct bytes rest = bytes_of(records[i].records), text;
        while (bytes_cut(&rest, '|', &text)) {
            struct buffer data = buffer_with_most(256);
            buffer_put_u8(&data, (uint8_t)text.n);
            buffer_put(&data, text);
            buffer_put_block(&list, buffer_bytes(&data));
            buffer_done(&data);
        }
        struct dns_answer answer = { .verdict = DNS_INSECURE, .records = buffer_bytes(&list) };
        bool found = sts_record_read(&answer, &id);
        if (found != (records[i].id != NULL))
            fail_msg("%s", records[i].records);
        assert_true(bytes_equal(buffer_bytes(&id), bytes_of(found ? records[i].id : "")));
        answer.verdict = DNS_BOGUS;
        assert_false(sts_record_read(&answer, &id));
        buffer_done(&list);
        buffer_done(&id);
    }
}

/* Why it is refused, "" when it is not; and the line. */
static const struct { const char *text; const char *why; unsigned line; } policies[] = {
    { "version: STSv1\r\nmode: enforce\r\nmx: mx.example\r\nmax_age: 604800\r\n", "", 0 },
    { "version:STSv1\nmode:none\nmax_age:0", "", 0 },
    { "version: STSv1\nmode: testing\nmode: rubbish\nmax_age: 1\nmx: *.a.example  \n\n", "", 0 },
    { "version: STSv1\nmode: testing\nmax_age: 1\nmx: a\nnew.field_1: what ever\n", "", 0 },
    { "", "it has no version", 0 },
    { "mode: none\nmax_age: 0", "it has no version", 0 },
    { "version: STSv1\nmax_age: 0", "it has no mode", 0 },
    { "version: STSv1\nmode: none", "it has no max_age", 0 },
    { "version: STSv1\nmode: enforce\nmax_age: 9", "it names no mx", 0 },
    { "version: STSv2\n", "version is not STSv1", 1 },
    { "version: STSv1\nmode: Enforce\n", "mode is none of enforce, testing, none", 2 },
    { "version: STSv1\nmax_age: 31557601\n", "max_age is not 0 to 31557600", 2 },
    { "version: STSv1\nmax_age: 01234567890\n", "max_age is not 1 to 10 digits", 2 },
    { "version: STSv1\nmax_age: -1\n", "max_age is not 1 to 10 digits", 2 },
    { "version: STSv1\nmx: *.*.example\n", "mx is no host name", 2 },
    { "version: STSv1\nmx: a b\n", "mx is no host name", 2 },
    { "<html>", "expected NAME: VALUE", 1 },
    { "version: STSv1\n: x\n", "expected NAME: VALUE", 2 },
};

static void policies_are_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(policies); i++) {
        struct sts_policy policy = { .max_age = 77 };
        struct sts_flaw flaw = { 0, "" };
        bool well = sts_policy_read(bytes_of(policies[i].text), &policy, &flaw);
        assert_int_equal(well, policies[i].why[0] == '\0');
        assert_string_equal(flaw.words, policies[i].why);
        assert_int_equal(flaw.line, policies[i].line);
        assert_true(well || policy.max_age == 77);
    }
}

/* STS-002: no policy is longer than 64 KiB, none has patterns without end. */
static void a_policy_has_its_bounds(void **state)
{
    struct buffer text = buffer_with_most(2 * STS_POLICY_MOST);
    struct sts_policy policy;
    struct sts_flaw flaw;

    (void)state;
    buffer_put_text(&text, "version: STSv1\nmode: testing\nmax_age: 1\n");
    for (int i = 0; i < STS_MX_MOST; i++)
        buffer_put_text(&text, "mx: a\n");
    assert_true(sts_policy_read(buffer_bytes(&text), &policy, &flaw));
    buffer_put_text(&text, "mx: a\n");
    assert_false(sts_policy_read(buffer_bytes(&text), &policy, &flaw));
    assert_int_equal(flaw.line, 4 + STS_MX_MOST);
    buffer_clear(&text);
    buffer_put_chars(&text, '\n', STS_POLICY_MOST + 1);
    assert_false(sts_policy_read(buffer_bytes(&text), &policy, &flaw));
    assert_string_equal(flaw.words, "it is longer than 64 KiB");
    buffer_done(&text);
}

static const struct { const char *pattern, *host; bool allowed; } hosts[] = {
    { "mx.example", "MX.example", true }, { "mx.example", "mx2.example", false },
    { "*.example", "mx.example", true }, { "*.example", "a.mx.example", false },
    { "*.example", "example", false }, { "*.example", ".example", false },
    { "*.mx.example", "a.MX.EXAMPLE", true }, { "*.xample", "example", false },
};

static void which_hosts_it_allows(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(hosts); i++) {
        struct sts_policy policy = { .n = 2, .mx = { BYTES("z.test") } };
        policy.mx[1] = bytes_of(hosts[i].pattern);
        assert_int_equal(sts_allows(&policy, bytes_of(hosts[i].host)), hosts[i].allowed);
    }
    assert_string_equal(sts_mode_name(STS_ENFORCE), "enforce");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_record_that_announces), cmocka_unit_test(policies_are_read),
        cmocka_unit_test(a_policy_has_its_bounds), cmocka_unit_test(which_hosts_it_allows),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
