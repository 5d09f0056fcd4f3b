/* SPDX-License-Identifier: ISC */
#include "dns/tlsrpt.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>
#include <zlib.h>

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
    assert_string_equal(id, "1700006400-1700092799.example.org@mx.us.example");
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

/* DANE's policies are those of hosts, and stand in the report of the domain (RFC 8460, 1.1). */
static void a_host_has_a_policy_of_its_own(void **state)
{
    struct tlsrpt *tlsrpt = tlsrpt_new(key);
    struct tlsrpt_session one = session_of("example.org", ""), two = one;
    const char *type, *first, *second;

    (void)state;
    one.policy = two.policy = TLSRPT_TLSA;
    one.text = two.text = BYTES("3 1 1 0123456789ABCDEF\n");
    one.policy_domain = BYTES("mx1.example.net");
    two.policy_domain = BYTES("mx2.example.net");
    tlsrpt_count(tlsrpt, &one);
    tlsrpt_count(tlsrpt, &two);
    json_t *report = report_of(tlsrpt, 0);
    assert_int_equal(json_unpack(report, "{s:[{s:{s:s,s:s,s:[s!]}}{s:{s:s}}!]}", "policies",
        "policy", "policy-type", &type, "policy-domain", &first, "policy-string", &second,
        "policy", "policy-domain", &second), 0);
    assert_string_equal(type, "tlsa");
    assert_string_equal(first, "mx1.example.net");
    assert_string_equal(second, "mx2.example.net");
    assert_null(json_object_get(json_object_get(json_array_get(json_object_get(report, "policies"),
                                                               0), "policy"), "mx-host"));
    json_decref(report);
    tlsrpt_free(tlsrpt);
}

static struct tlsrpt *some_counts(void)
{
    struct tlsrpt *tlsrpt = tlsrpt_new(key);
    struct tlsrpt_session good = session_of("example.org", "");
    struct tlsrpt_session late = session_of("example.org", "certificate-expired");
    struct tlsrpt_session other = late;

    other.ip = BYTES("192.0.2.9");
    for (unsigned i = 0; i < 5; i++)
        tlsrpt_count(tlsrpt, &good);
    for (unsigned i = 0; i < 3; i++)
        tlsrpt_count(tlsrpt, &late);
    tlsrpt_count(tlsrpt, &other);
    return tlsrpt;
}

static void what_was_counted_is_saved_and_read_again(void **state)
{
    struct tlsrpt *tlsrpt = some_counts(), *again = tlsrpt_new(key);
    struct buffer saved = buffer_with_most(TLSRPT_SAVED_MOST), twice = saved;
    struct buffer text = buffer_with_most(TLSRPT_TEXT_MOST), same = text;

    (void)state;
    tlsrpt_save_put(&saved, tlsrpt, 0);
    assert_true(tlsrpt_save_read(again, buffer_bytes(&saved)));
    tlsrpt_save_put(&twice, again, 0);
    assert_true(bytes_equal(buffer_bytes(&saved), buffer_bytes(&twice)));
    tlsrpt_put(&text, tlsrpt, 0, &sender);
    tlsrpt_put(&same, again, 0, &sender);
    assert_true(bytes_equal(buffer_bytes(&text), buffer_bytes(&same)));
    assert_int_equal(tlsrpt_failed(again, 0), 4);
    assert_true(tlsrpt_save_read(again, buffer_bytes(&saved)));     /* it adds */
    assert_int_equal(tlsrpt_failed(again, 0), 8);
    tlsrpt_free(again);
    for (size_t n = 0; n < saved.n; n++) {
        struct tlsrpt *part = tlsrpt_new(key);
        assert_false(tlsrpt_save_read(part, bytes_first(buffer_bytes(&saved), n)));
        tlsrpt_free(part);
    }
    buffer_done(&saved);
    buffer_done(&twice);
    buffer_done(&text);
    buffer_done(&same);
    tlsrpt_free(tlsrpt);
}

static void people_read_it_too(void **state)
{
    struct tlsrpt *tlsrpt = some_counts();
    struct buffer text = buffer_with_most(4096);

    (void)state;
    tlsrpt_summary_put(&text, tlsrpt, 0);
    assert_true(bytes_equal(buffer_bytes(&text), BYTES(
        "    MTA-STS: 5 went well, 4 failed\n"
        "        3 certificate-expired at mx.example.org [192.0.2.1]: it says \"no\"\n"
        "        1 certificate-expired at mx.example.org [192.0.2.9]: it says \"no\"\n")));
    buffer_done(&text);
    tlsrpt_free(tlsrpt);
}

static void words_of_strangers_are_plain(void **state)
{
    struct tlsrpt *tlsrpt = tlsrpt_new(key);
    struct tlsrpt_session bad = session_of("example.org", "validation-failure");
    struct buffer text = buffer_with_most(4096);

    (void)state;
    bad.reason = BYTES("one\r\nX: two\x1b[1m\xff");
    tlsrpt_count(tlsrpt, &bad);
    tlsrpt_summary_put(&text, tlsrpt, 0);
    static const char wanted[] = ": one??X: two?[1m?\n";
    assert_non_null(memmem(text.at, text.n, wanted, sizeof(wanted) - 1));
    buffer_done(&text);
    tlsrpt_free(tlsrpt);
}

/* The worst that strangers can make of it fits a frame all the same. */
static void the_longest_report_can_be_sent(void **state)
{
    struct tlsrpt *tlsrpt = tlsrpt_new(key);
    struct buffer text = buffer_with_most(TLSRPT_TEXT_MOST), zip = buffer_with_most(1024 * 1024);
    struct buffer saved = buffer_with_most(TLSRPT_SAVED_MOST);
    char reason[TLSRPT_WORDS_MOST], host[TLSRPT_WORDS_MOST], policy[TLSRPT_POLICY_MOST];
    uint32_t dice = 1;

    (void)state;
    for (unsigned i = 0; i < 1000; i++) {
        struct tlsrpt_session session = session_of("example.org", "validation-failure");
        for (size_t c = 0; c < sizeof(policy); c++) {
            dice = dice * 1664525 + 1013904223;
            policy[c] = (char)(' ' + dice % 95);
            reason[c % sizeof(reason)] = i % 2 == 0 ? '"' : (char)(' ' + dice % 95);
            host[c % sizeof(host)] = (char)('a' + (dice >> 8) % 26);
        }
        session.reason = (struct bytes){ reason, sizeof(reason) };
        session.host = (struct bytes){ host, sizeof(host) };
        if (i % 20 == 0)
            session.text = (struct bytes){ policy, sizeof(policy) };
        tlsrpt_count(tlsrpt, &session);
    }
    tlsrpt_put(&text, tlsrpt, 0, &sender);
    assert_false(text.bad);
    tlsrpt_gzip_put(&zip, buffer_bytes(&text));
    assert_false(zip.bad);
    assert_in_range(zip.n, 1000, TLSRPT_GZIP_MOST);
    tlsrpt_save_put(&saved, tlsrpt, 0);
    assert_false(saved.bad);
    buffer_done(&text);
    buffer_done(&zip);
    buffer_done(&saved);
    tlsrpt_free(tlsrpt);
}

static void what_is_compressed_is_the_same_octets(void **state)
{
    struct buffer zip = buffer_with_most(200 * 1000), text = buffer_with_most(100 * 1000);
    z_stream stream = { .zalloc = NULL };
    static char out[100 * 1000];

    (void)state;
    buffer_put_chars(&text, 'x', 90 * 1000);
    buffer_put_text(&text, "the end");
    tlsrpt_gzip_put(&zip, buffer_bytes(&text));
    assert_false(zip.bad);
    assert_int_equal(inflateInit2(&stream, 15 + 16), Z_OK);
    stream.next_in = (Bytef *)zip.at;
    stream.avail_in = (uInt)zip.n;
    stream.next_out = (Bytef *)out;
    stream.avail_out = sizeof(out);
    assert_int_equal(inflate(&stream, Z_FINISH), Z_STREAM_END);
    assert_true(bytes_equal((struct bytes){ out, stream.total_out }, buffer_bytes(&text)));
    inflateEnd(&stream);
    buffer_done(&zip);
    buffer_done(&text);
}

static void a_letter_has_the_form_of_the_rfc(void **state)
{
    struct buffer text = buffer_with_most(4096);
    static const struct tlsrpt_letter letter = {
        .domain = BYTES_INIT("example.org"), .id = BYTES_INIT("1.example.org@mx.us.example"),
        .file = BYTES_INIT("mx.us.example!example.org!1!2.json"),
        .organisation = BYTES_INIT("Example \"Post\"\r\nX: y"),
        .contact = BYTES_INIT("postmaster@us.example"), .host = BYTES_INIT("mx.us.example"),
        .address = BYTES_INIT("tls@example.org"), .gzip = BYTES_INIT("\x1f\x8b octets"),
        .now_ms = 1700092800000,
    };

    (void)state;
    tlsrpt_letter_put(&text, &letter);
    assert_true(bytes_equal(buffer_bytes(&text), BYTES(
        "From: \"Example  Post   X: y\" <postmaster@us.example>\r\n"
        "Date: Thu, 16 Nov 2023 00:00:00 +0000\r\n"
        "To: tls@example.org\r\n"
        "Subject: Report Domain: example.org\r\n"
        " Submitter: mx.us.example\r\n"
        " Report-ID: <1.example.org@mx.us.example>\r\n"
        "Message-ID: <1.example.org@mx.us.example>\r\n"
        "TLS-Report-Domain: example.org\r\n"
        "TLS-Report-Submitter: mx.us.example\r\n"
        "TLS-Required: No\r\n"
        "Auto-Submitted: auto-generated\r\n"
        "MIME-Version: 1.0\r\n"
        "Content-Type: multipart/report; report-type=\"tlsrpt\";\r\n"
        " boundary=\"postern-tlsrpt\"\r\n"
        "Content-Language: en\r\n\r\n"
        "--postern-tlsrpt\r\n"
        "Content-Type: text/plain; charset=us-ascii\r\n"
        "Content-Transfer-Encoding: 7bit\r\n\r\n"
        "This is an aggregate report of TLS (RFC 8460) from\r\n"
        "mx.us.example for example.org. It was asked for by the TXT record\r\n"
        "of _smtp._tls.example.org. A program reads the file\r\n"
        "beside this text best. Questions: postmaster@us.example\r\n\r\n"
        "--postern-tlsrpt\r\n"
        "Content-Type: application/tlsrpt+gzip\r\n"
        "Content-Transfer-Encoding: base64\r\n"
        "Content-Disposition: attachment;\r\n"
        " filename=\"mx.us.example!example.org!1!2.json.gz\"\r\n\r\n"
        "H4sgb2N0ZXRz\r\n\r\n--postern-tlsrpt--\r\n")));
    buffer_done(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_are_read), cmocka_unit_test(addresses_are_taken_from_uris),
        cmocka_unit_test(a_report_says_what_was_counted), cmocka_unit_test(all_of_it_is_bounded),
        cmocka_unit_test(a_file_has_the_name_of_the_rfc),
        cmocka_unit_test(a_host_has_a_policy_of_its_own),
        cmocka_unit_test(what_was_counted_is_saved_and_read_again),
        cmocka_unit_test(people_read_it_too), cmocka_unit_test(words_of_strangers_are_plain),
        cmocka_unit_test(the_longest_report_can_be_sent),
        cmocka_unit_test(what_is_compressed_is_the_same_octets),
        cmocka_unit_test(a_letter_has_the_form_of_the_rfc),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
