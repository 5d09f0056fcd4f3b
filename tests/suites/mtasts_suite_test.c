/* SPDX-License-Identifier: ISC
 *
 * Other projects' tables of MTA-STS: records, policies, and which hosts a policy allows.
 */
#include "dns/sts.h"

#include "tests/suites/suite.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <string.h>

static bool record_reads(struct bytes text)
{
    struct buffer list = buffer_with_most(1 << 16), data = buffer_with_most(1 << 16);
    struct buffer id = buffer_with_most(256);

    buffer_put_u8(&data, (uint8_t)text.n);
    buffer_put(&data, text);
    buffer_put_block(&list, buffer_bytes(&data));
    struct dns_answer answer = { .verdict = DNS_SECURE, .records = buffer_bytes(&list) };
    bool well = text.n < 256 && sts_record_read(&answer, &id);
    buffer_done(&list);
    buffer_done(&data);
    buffer_done(&id);
    return well;
}

static bool policy_reads(struct bytes text)
{
    struct sts_policy policy;
    struct sts_flaw flaw;

    return sts_policy_read(text, &policy, &flaw);
}

static bool allows(const json_t *patterns, struct bytes host)
{
    struct sts_policy policy = { .n = 0 };

    for (size_t i = 0; i < json_array_size(patterns) && i < STS_MX_MOST; i++)
        policy.mx[policy.n++] = bytes_of(json_string_value(json_array_get(patterns, i)));
    return sts_allows(&policy, host);
}

/* The value of `name` in a list of ["name", ":", value, ...]; NULL: none. */
static const json_t *member(const json_t *list, const char *name, size_t at)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *one = json_array_get(list, i);
        const char *word = json_string_value(json_array_get(one, 0));
        if (word != NULL && strcmp(word, name) == 0)
            return json_array_get(one, at);
    }
    return NULL;
}

static bool is_true(const json_t *value)
{
    const char *word = json_string_value(value);

    return word != NULL && strcmp(word, "true") == 0;
}

static void judge(struct suite *suite, const json_t *row, bool got, bool want)
{
    suite_judge(suite, suite_word(row, "id"), got == want, got ? "we say yes" : "we say no");
}

static void go_row(struct suite *suite, const json_t *row)
{
    const json_t *args = json_object_get(row, "args");
    const char *fn = suite_word(row, "fn");
    struct buffer text = buffer_with_most(1 << 16);
    bool well = suite_text(member(args, strcmp(fn, "TestPolicyMatch") == 0 ? "mx" : "value", 2),
                           &text);
    struct bytes value = buffer_bytes(&text);

    if (!well)
        suite->passed_over++;
    else if (strcmp(fn, "TestReadDNSRecord") == 0)
        judge(suite, row, record_reads(value), !is_true(member(args, "fail", 2)));
    else if (strcmp(fn, "TestReadPolicy") == 0)
        judge(suite, row, policy_reads(value), !is_true(member(args, "fail", 2)));
    else if (strcmp(fn, "TestPolicyMatch") == 0)
        judge(suite, row, allows(member(args, "validMXs", 4), value),
              is_true(member(args, "shouldMatch", 2)));
    else
        suite->passed_over++;
    buffer_done(&text);
}

static void mox_row(struct suite *suite, const json_t *row)
{
    const char *fn = suite_word(row, "fn");
    bool want = strcmp(suite_word(row, "call"), "good") == 0;
    struct buffer text = buffer_with_most(1 << 16);

    if (!suite_text(json_array_get(json_object_get(row, "args"), 0), &text))
        suite->passed_over++;
    else if (strcmp(fn, "TestRecord") == 0)
        judge(suite, row, record_reads(buffer_bytes(&text)), want);
    else if (strcmp(fn, "TestParsePolicy") == 0)
        judge(suite, row, policy_reads(buffer_bytes(&text)), want);
    else
        suite->passed_over++;
    buffer_done(&text);
}

static void chasquid_row(struct suite *suite, const json_t *row)
{
    const json_t *args = json_object_get(row, "args");
    struct buffer host = buffer_with_most(1 << 16);
    const char *pattern = json_string_value(json_array_get(args, 1));

    if (strcmp(suite_word(row, "fn"), "TestMatchDomain") != 0 || pattern == NULL
        || !suite_text(json_array_get(args, 0), &host)) {
        suite->passed_over++;
    } else {
        struct sts_policy policy = { .n = 1, .mx = { bytes_of(pattern) } };
        judge(suite, row, sts_allows(&policy, buffer_bytes(&host)),
              is_true(json_array_get(args, 2)));
    }
    buffer_done(&host);
}

static void stalwart_row(struct suite *suite, const json_t *row)
{
    const json_t *text = json_array_get(json_object_get(row, "args"), 0);

    if (strcmp(suite_word(row, "fn"), "mta_sts_record_parse") != 0 || !json_is_string(text))
        suite->passed_over++;
    else
        judge(suite, row, record_reads(bytes_of(json_string_value(text))), true);
}

static void each(const char *name, const char *file,
                 void (*row)(struct suite *, const json_t *))
{
    struct suite suite = { .name = name, .exceptions = SUITE_EXCEPTIONS };

    suite_rows(&suite, file, row);
    suite_end(&suite);
}

static void go_mtasts(void **state)
{
    (void)state;
    each("mtasts/go-mtasts", "vectors.jsonl", go_row);
}

static void mox(void **state)
{
    (void)state;
    each("mtasts/mox", "vectors.jsonl", mox_row);
}

static void chasquid(void **state)
{
    (void)state;
    each("mtasts/chasquid", "vectors.jsonl", chasquid_row);
}
static void stalwart(void **state)
{
    (void)state;
    each("mtasts/stalwart", "parse.jsonl", stalwart_row);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(go_mtasts), cmocka_unit_test(mox), cmocka_unit_test(chasquid),
        cmocka_unit_test(stalwart),
    };

    if (suites_absent())
        return 0;
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
