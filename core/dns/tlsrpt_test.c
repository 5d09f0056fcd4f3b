/* SPDX-License-Identifier: ISC */
#include "dns/tlsrpt.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

static const uint8_t key[16] = { 3 };

/* ---- the record */

/* Reads TXT records, each one string; returns how many URIs, -1: none. */
static int uris_of(const char *const *texts, struct buffer *text, struct tlsrpt_record *record)
{
    struct buffer records = buffer_with_most(DNS_ANSWER_MOST), one = buffer_with_most(256);

    for (; *texts != NULL; texts++) {
        buffer_clear(&one);
        buffer_put_u8(&one, (uint8_t)strlen(*texts));
        buffer_put_text(&one, *texts);
        buffer_put_block(&records, buffer_bytes(&one));
    }
    bool well = tlsrpt_record_read(&(struct dns_answer){ DNS_INSECURE, false, 1, BYTES_NONE,
                                                         buffer_bytes(&records) }, text, record);
    buffer_done(&records);
    buffer_done(&one);
    return well ? (int)record->n : -1;
}

static void records_are_read(void **state)
{
    static const struct { const char *texts[3]; int uris; } rows[] = {
        { { "v=TLSRPTv1;rua=mailto:a@example.org" }, 1 },
        { { "v=TLSRPTv1; rua=mailto:a@example.org,https://example.org/v1" }, 2 },
        { { "v=TLSRPTv1; rua=mailto:tlsrpt@mox.example; ext=yes" }, 1 },
        { { "v=TLSRPTv1; rua=mailto:a@example.org;" }, 1 },
        { { "v=spf1 -all", "v=TLSRPTv1; rua=mailto:a@example.org" }, 1 },
        { { "v=TLSRPTv1; rua=mailto:a@b.example", "v=TLSRPTv1; rua=mailto:c@b.example" }, -1 },
        { { "v=TLSRPTv0" }, -1 }, { { "v=TLSRPTv10" }, -1 }, { { "v=TLSRPTv1" }, -1 },
        { { "v=TLSRPTv1; rua=" }, -1 }, { { "v=TLSRPTv1; rua=noscheme" }, -1 },
        { { "v=TLSRPTv1; rua=mailto:x@x.example; 1%=a" }, -1 },
        { { "v=TLSRPTv1; rua=mailto:x@x.example; test==" }, -1 },
        { { "v=TLSRPTv1; rua=http://bad/%" }, -1 }, { { "v=TLSRPTv1; rua=https://bad/%" }, -1 },
        { { "rua=mailto:x@x.example; v=TLSRPTv1" }, -1 }, { { "" }, -1 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct buffer text = buffer_with_most(DNS_ANSWER_MOST);
        struct tlsrpt_record record;
        if (uris_of(rows[i].texts, &text, &record) != rows[i].uris)
            fail_msg("%s", rows[i].texts[0]);
        buffer_done(&text);
    }
}

static void addresses_are_taken_from_uris(void **state)
{
    static const struct { const char *uri, *address; } rows[] = {
        { "mailto:a@example.org", "a@example.org" },
        { "MAILTO:a%21b@example.org?subject=x", "a!b@example.org" },
        { "mailto:a%0d%0aRCPT@example.org", NULL }, { "mailto:a%3e@example.org", NULL },
        { "mailto:nobody", NULL }, { "mailto:@example.org", NULL }, { "mailto:", NULL },
        { "https://example.org/", NULL }, { "mailto:a%2", NULL },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct buffer text = buffer_with_most(256);
        bool well = tlsrpt_address_put(&text, bytes_of(rows[i].uri));
        if (well != (rows[i].address != NULL)
            || (well && !bytes_equal(buffer_bytes(&text), bytes_of(rows[i].address))))
            fail_msg("%s", rows[i].uri);
        buffer_done(&text);
    }
}

/* ---- the report */

static struct tlsrpt_session session_of(const char *domain, const char *result)
{
    return (struct tlsrpt_session){
        .domain = bytes_of(domain), .policy = TLSRPT_STS,
        .text = BYTES("version: STSv1\nmode: testing\nmx: *.example.org\nmax_age: 86400\n"),
        .result = bytes_of(result), .host = BYTES("mx.example.org"), .ip = BYTES("192.0.2.1"),
        .sending_ip = BYTES("192.0.2.2"), .reason = BYTES("it says \"no\""),
    };
}

static const struct tlsrpt_sender sender = {
    BYTES_INIT("Example Post"), BYTES_INIT("postmaster@us.example"), BYTES_INIT("mx.us.example"),
    1700006400000, 1700092799000,
};

static json_t *report_of(const struct tlsrpt *tlsrpt, size_t i)
{
    struct buffer text = buffer_with_most(1024 * 1024);

    tlsrpt_put(&text, tlsrpt, i, &sender);
    assert_false(text.bad);
    json_t *report = json_loadb(text.at, text.n, 0, NULL);
    assert_non_null(report);
    buffer_done(&text);
    return report;
}

static void a_report_says_what_was_counted(void **state)
{
    struct tlsrpt *tlsrpt = tlsrpt_new(key);
    struct tlsrpt_session good = session_of("example.org", "");
    struct tlsrpt_session late = session_of("example.org", "certificate-expired");
    const char *start, *end, *id, *type, *domain, *host, *result, *ip, *reason;
    json_int_t ok, failed, n;

    (void)state;
    for (unsigned i = 0; i < 5; i++)
        tlsrpt_count(tlsrpt, &good);
    for (unsigned i = 0; i < 3; i++)
        tlsrpt_count(tlsrpt, &late);
    assert_int_equal(tlsrpt_domains(tlsrpt), 1);
    json_t *report = report_of(tlsrpt, 0);
    assert_int_equal(json_unpack(report,
        "{s:{s:s,s:s},s:s,s:[{s:{s:s,s:s,s:[s]},s:{s:I,s:I},s:[{s:s,s:s,s:I,s:s}]}]}",
        "date-range", "start-datetime", &start, "end-datetime", &end, "report-id", &id,
        "policies", "policy", "policy-type", &type, "policy-domain", &domain, "mx-host", &host,
        "summary", "total-successful-session-count", &ok, "total-failure-session-count", &failed,
        "failure-details", "result-type", &result, "receiving-ip", &ip, "failed-session-count", &n,
        "failure-reason-code", &reason), 0);
    assert_string_equal(start, "2023-11-15T00:00:00Z");
    assert_string_equal(end, "2023-11-15T23:59:59Z");
    assert_string_equal(id, "1700006400.example.org@mx.us.example");
    assert_string_equal(type, "sts");
    assert_string_equal(domain, "example.org");
    assert_string_equal(host, "*.example.org");
    assert_string_equal(result, "certificate-expired");
    assert_string_equal(ip, "192.0.2.1");
    assert_string_equal(reason, "it says \"no\"");
    assert_int_equal(ok, 5);
    assert_int_equal(failed, 3);
    assert_int_equal(n, 3);
    assert_int_equal(json_array_size(json_object_get(json_object_get(json_array_get(
        json_object_get(report, "policies"), 0), "policy"), "policy-string")), 4);
    json_decref(report);
    tlsrpt_free(tlsrpt);
}

/* Strangers choose the domains, hosts and policies: none of it grows without end. */
static void all_of_it_is_bounded(void **state)
{
    struct tlsrpt *tlsrpt = tlsrpt_new(key);
    struct buffer name = buffer_with_most(64), host = buffer_with_most(64);
    json_int_t failed = 0;

    (void)state;
    for (unsigned i = 0; i < TLSRPT_DOMAINS_MOST + 100; i++) {
        struct tlsrpt_session session = session_of("", "validation-failure");
        buffer_clear(&name);
        buffer_put_uint(&name, i);
        session.domain = buffer_bytes(&name);
        tlsrpt_count(tlsrpt, &session);
    }
    assert_int_equal(tlsrpt_domains(tlsrpt), TLSRPT_DOMAINS_MOST);
    for (unsigned i = 0; i < 1000; i++) {
        struct tlsrpt_session session = session_of("0", "validation-failure");
        buffer_clear(&host);
        buffer_put_uint(&host, i);
        session.host = buffer_bytes(&host);
        tlsrpt_count(tlsrpt, &session);
    }
    json_t *report = report_of(tlsrpt, 0), *details = NULL;
    assert_int_equal(json_unpack(report, "{s:[{s:{s:I},s:o}]}", "policies", "summary",
                                 "total-failure-session-count", &failed, "failure-details",
                                 &details), 0);
    assert_int_equal(failed, 1001);                 /* the sum holds all of them */
    assert_int_equal(json_array_size(details), TLSRPT_FAILURES_MOST);
    json_decref(report);
    buffer_done(&name);
    buffer_done(&host);
    tlsrpt_free(tlsrpt);
}

static void a_file_has_the_name_of_the_rfc(void **state)
{
    struct buffer name = buffer_with_most(256);

    (void)state;
    tlsrpt_name_put(&name, BYTES("example.org"), &sender);
    assert_true(bytes_equal(buffer_bytes(&name),
                            BYTES("mx.us.example!example.org!1700006400!1700092799.json")));
    buffer_done(&name);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_are_read), cmocka_unit_test(addresses_are_taken_from_uris),
        cmocka_unit_test(a_report_says_what_was_counted), cmocka_unit_test(all_of_it_is_bounded),
        cmocka_unit_test(a_file_has_the_name_of_the_rfc),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
