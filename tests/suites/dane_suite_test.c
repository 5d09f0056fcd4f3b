/* SPDX-License-Identifier: ISC
 *
 * Other projects' tables of DANE: chains and records, judged by the call that sessions use. Rows
 * with the usages 0 and 1 are passed over: they are not for mail (RFC 7672, 3.1.3).
 */
#include "crypt/tls_client.h"

#include "tests/suites/suite.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

enum { RECORDS_MOST = 16, PEM_MOST = 1 << 20 };

struct records {
    struct bytes list[RECORDS_MOST];
    size_t n;
    struct buffer text;
    bool pkix;                  /* some has usage 0 or 1 */
};

static unsigned hex(char c)
{
    return is_digit(c) ? (unsigned)(c - '0') : (unsigned)(to_lower(c) - 'a' + 10);
}

/* "3 1 1 0a1b..." */
static void read_record(struct records *records, const char *text)
{
    char number[3] = { text[0] - '0', text[2] - '0', text[4] - '0' };
    struct bytes digits = bytes_skip(bytes_of(text), 6);
    size_t from = records->text.n;

    records->pkix |= number[0] < 2;
    buffer_put(&records->text, (struct bytes){ number, 3 });
    for (size_t i = 0; i + 1 < digits.n; i += 2)
        buffer_put_u8(&records->text, (uint8_t)(hex(digits.at[i]) << 4 | hex(digits.at[i + 1])));
    if (records->n < RECORDS_MOST)
        records->list[records->n++] = (struct bytes){ NULL, records->text.n - from };
}

static struct records read_records(const json_t *list)
{
    struct records records = { .text = buffer_with_most(1 << 20) };
    size_t at = 0;

    for (size_t i = 0; i < json_array_size(list); i++)
        read_record(&records, json_string_value(json_array_get(list, i)));
    for (size_t i = 0; i < records.n; i++) {
        records.list[i].at = records.text.at + at;
        at += records.list[i].n;
    }
    return records;
}

static struct tls_verdict judge(struct tls_context *context, const struct records *records,
                                const char *name, uint64_t now_ms, struct bytes chain)
{
    struct tls_want want = { .proof = TLS_PROVE_DANE, .must = true, .name = bytes_of(name),
                             .tlsa = records->list, .tlsa_n = records->n, .now_ms = now_ms };
    struct tls *tls = tls_client_new(context, &want);
    struct tls_verdict verdict = { .words = "no session", .depth = -2 };

    if (tls != NULL)
        verdict = tls_client_judge(tls, chain);
    tls_free(tls);
    return verdict;
}

static void openssl_row(struct suite *suite, const json_t *row)
{
    size_t n;
    struct tls_context *context = tls_context_new_client(BYTES_NONE, &n);
    struct records records = read_records(json_object_get(row, "tlsa"));
    struct buffer chain = buffer_with_most(PEM_MOST);
    bool good = json_integer_value(json_object_get(row, "expect_verify")) == 0;
    char detail[128];

    if (records.pkix) {
        suite->passed_over++;
    } else {
        const json_t *certs = json_object_get(row, "certs");
        for (size_t i = 0; i < json_array_size(certs); i++) {
            buffer_put_text(&chain, json_string_value(json_array_get(certs, i)));
            buffer_put_char(&chain, '\n');
        }
        /* The table's clock: its chains are valid until 3015. */
        struct tls_verdict got = judge(context, &records, "example.com", 1795000000000,
                                       buffer_bytes(&chain));
        int depth = (int)json_integer_value(json_object_get(row, "expect_depth"));
        snprintf(detail, sizeof(detail), "proved %d (%s), depth %d", got.proved, got.words,
                 got.depth);
        suite_judge(suite, suite_word(row, "id"),
                    got.proved == good && (!good || got.depth == depth), detail);
    }
    buffer_done(&chain);
    buffer_done(&records.text);
    tls_context_free(context);
}

static json_t *certificates;

static void maddy_row(struct suite *suite, const json_t *row)
{
    size_t n;
    struct tls_context *context = tls_context_new_client(BYTES_NONE, &n);
    struct records records = read_records(json_object_get(row, "tlsa"));
    const json_t *names = json_object_get(row, "chain");
    struct buffer chain = buffer_with_most(PEM_MOST);

    for (size_t i = 0; i < json_array_size(names); i++) {
        const char *name = json_string_value(json_array_get(names, i));
        buffer_put_text(&chain, json_string_value(json_object_get(certificates, name)));
        buffer_put_char(&chain, '\n');
    }
    /* Without a record that can be used nothing is asked of the server (RFC 7672, 2.2). */
    bool delivers = tls_tlsa_usable(records.list, records.n) == 0;
    struct tls_verdict got = { .words = "" };
    if (!delivers) {
        uint64_t now = (uint64_t)json_integer_value(json_object_get(row, "now")) * 1000;
        got = judge(context, &records, suite_word(row, "servername"), now, buffer_bytes(&chain));
        delivers = got.proved;
    }
    suite_judge(suite, suite_word(row, "id"),
                delivers == (strcmp(suite_word(row, "expect"), "deliver") == 0), got.words);
    buffer_done(&chain);
    buffer_done(&records.text);
    tls_context_free(context);
}

static void openssl(void **state)
{
    struct suite suite = { .name = "dane/openssl", .exceptions = SUITE_EXCEPTIONS };

    (void)state;
    suite_rows(&suite, "cases.jsonl", openssl_row);
    suite_end(&suite);
}

static void maddy(void **state)
{
    struct suite suite = { .name = "dane/maddy", .exceptions = SUITE_EXCEPTIONS };
    char path[4096];
    json_error_t flaw;

    (void)state;
    if (suite_path(&suite, "certs.json", path, sizeof(path)))
        certificates = json_load_file(path, 0, &flaw);
    suite_rows(&suite, "cases.jsonl", maddy_row);
    suite_end(&suite);
    json_decref(certificates);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(openssl), cmocka_unit_test(maddy) };

    if (suites_absent())
        return 0;
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
