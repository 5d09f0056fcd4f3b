/* SPDX-License-Identifier: ISC
 *
 * Relay and reports of TLS (RFC 8460): what is counted, when it is told, to whom, and how often it
 * is tried. What a report says is held to the RFC member by member.
 */
#include "role/relay_world_int.h"

#include "base/hash.h"
#include "base/reader.h"
#include "dns/fetch.h"
#include "dns/tlsrpt.h"
#include "role/role.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <zlib.h>

enum { HOUR_MS = 60 * 60 * 1000 };

static const char RUA[] = "v=TLSRPTv1; rua=mailto:tls@a.example,https://report.a.example/v1/in";

static void a_domain_that_asks(const char *rua)
{
    begin();
    w.conf.allow_private = w.conf.tlsrpt = true;
    w.conf.tlsrpt_contact = BYTES("post@us.example");
    start();
    zone("a.example", DNS_MX, DNS_INSECURE, false, "mx.a.example");
    zone("mx.a.example", DNS_A, DNS_INSECURE, false, "198.51.100.1");
    if (rua != NULL)
        zone("_smtp._tls.a.example", DNS_TXT, DNS_INSECURE, false, rua);
}

/* One letter, over a connection of its own. */
static void a_letter(uint32_t number, const char *text)
{
    const char *to = "you@a.example";

    give_with(number, &to, 1, text, false);
    answer_names();
    uint32_t conn = connect(true);
    answer_all();
    assert_int_equal(w.results[number].outcome, JOB_DELIVERED);
    hang_up(conn);
}

/* The n-th frame of that kind since the last forget(). */
static struct bytes frame(enum wire_kind kind, unsigned n)
{
    struct reader in = reader_of(buffer_bytes(&w.reports));

    while (!reader_empty(&in)) {
        struct bytes one = read_block(&in);
        if (wire_kind_of(one) == kind && n-- == 0)
            return one;
    }
    return BYTES_NONE;
}

static struct wire_tlsrpt_letter letter(unsigned n)
{
    struct wire_tlsrpt_letter one;

    assert_true(wire_read_tlsrpt_letter(frame(WIRE_TLSRPT_LETTER_MESSAGE, n), &one));
    return one;
}

static bool no_letter(unsigned n)
{
    return frame(WIRE_TLSRPT_LETTER_MESSAGE, n).n == 0;
}

static void taken(uint32_t token, bool well)
{
    struct effects fx = effects_none();

    wire_tell_tlsrpt_taken(&fx, (struct role_name){ ROLE_RELAY, 0 },
                           &(struct wire_tlsrpt_taken){ token, well });
    tell(&fx, ROLE_STORE);
}

static void ask(bool send, const char *domain)
{
    struct effects fx = effects_none();

    buffer_clear(&w.reports);
    wire_tell_tlsrpt_ask(&fx, (struct role_name){ ROLE_RELAY, 0 },
                         &(struct wire_tlsrpt_ask){ 7, 0, send, bytes_of(domain) });
    tell(&fx, ROLE_STORE);
}

/* What was counted since midnight, for people; none for "". */
static void counted(const char *wanted)
{
    static const uint8_t key[16];
    struct buffer text = buffer_with_most(4096);
    struct wire_tlsrpt_row row;

    ask(false, "");
    if (wire_read_tlsrpt_row(frame(WIRE_TLSRPT_ROW_MESSAGE, 0), &row) && row.due_ms == 0) {
        struct tlsrpt *counts = tlsrpt_new(key);
        assert_true(tlsrpt_save_read(counts, row.saved));
        tlsrpt_summary_put(&text, counts, 0);
        tlsrpt_free(counts);
    }
    if (!bytes_equal(buffer_bytes(&text), bytes_of(wanted)))
        fail_msg("%.*s", (int)text.n, text.at);
    assert_true(frame(WIRE_ANSWER_END_MESSAGE, 0).n > 0);
    buffer_done(&text);
    buffer_clear(&w.reports);
}

static json_t *report_of(struct bytes gzip)
{
    z_stream stream = { .zalloc = NULL };
    static char out[TLSRPT_TEXT_MOST];
    struct buffer in = buffer_with_most(TLSRPT_GZIP_MOST);

    buffer_put(&in, gzip);
    assert_int_equal(inflateInit2(&stream, 15 + 16), Z_OK);
    stream.next_in = (Bytef *)in.at;
    stream.avail_in = (uInt)in.n;
    stream.next_out = (Bytef *)out;
    stream.avail_out = sizeof(out);
    assert_int_equal(inflate(&stream, Z_FINISH), Z_STREAM_END);
    json_t *report = json_loadb(out, stream.total_out, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(report);
    inflateEnd(&stream);
    buffer_done(&in);
    return report;
}

/* When its report is due after midnight: at a moment of its own. */
static uint64_t jitter(const char *domain)
{
    return siphash((const uint8_t *)"0123456789abcdef", bytes_of(domain)) % (4 * HOUR_MS);
}

static bool asked_for_record(void)
{
    struct reader in = reader_of(buffer_bytes(&w.questions));
    struct wire_name_ask question;

    while (!reader_empty(&in))
        if (wire_read_name_ask(read_block(&in), &question)
            && bytes_begins(question.name, BYTES("_smtp._tls.")))
            return true;
    return false;
}

/* To the moment when the day's report is due, and its record is there. */
static void a_day_ends(void)
{
    pass(24 * HOUR_MS - w.now.wall_ms % (24 * HOUR_MS) + jitter("a.example"));
    answer_names();
}

/* ---- what a session is counted as */

static void clear_sessions_are_counted(void **state)
{
    (void)state;
    a_domain_that_asks(NULL);
    counted("");
    a_letter(1, TEXT);
    a_letter(2, TEXT);
    counted("    no policy: 0 went well, 2 failed\n"
            "        2 starttls-not-supported at mx.a.example [198.51.100.1]\n");
    end();
}

/* Our own reports go so: else each would be counted, and be told in the next. */
static void letters_that_need_no_tls_are_not_counted(void **state)
{
    (void)state;
    a_domain_that_asks(NULL);
    a_letter(1, "TLS-Required: No\r\nSubject: x\r\n\r\ntext\r\n");
    counted("");
    end();
}

static void nothing_is_counted_when_it_is_off(void **state)
{
    (void)state;
    a_domain_that_asks(RUA);
    w.conf.tlsrpt = false;
    a_letter(1, TEXT);
    counted("");
    end();
}

static void a_policy_that_is_not_to_be_had_is_counted(void **state)
{
    (void)state;
    a_domain_that_asks(NULL);
    zone("_mta-sts.a.example", DNS_TXT, DNS_INSECURE, false, "v=STSv1; id=1;");
    give(1, "you@a.example");
    answer_names();
    answer_fetch(FETCH_UNTRUSTED, "");
    answer_names();
    connect(true);
    answer_all();
    counted("    MTA-STS: 0 went well, 1 failed\n"
            "        1 sts-webpki-invalid: no authority vouches for its host\n"
            "    no policy: 0 went well, 1 failed\n"
            "        1 starttls-not-supported at mx.a.example [198.51.100.1]\n");
    end();
}

static void a_policy_that_is_none_is_counted(void **state)
{
    (void)state;
    a_domain_that_asks(NULL);
    zone("_mta-sts.a.example", DNS_TXT, DNS_INSECURE, false, "v=STSv1; id=1;");
    give(1, "you@a.example");
    answer_names();
    answer_fetch(FETCH_WELL, "version: STSv1\nmode: enforce\nmax_age: 86400\n");
    ask(false, "");
    struct wire_tlsrpt_row row;
    assert_true(wire_read_tlsrpt_row(frame(WIRE_TLSRPT_ROW_MESSAGE, 0), &row));
    assert_true(bytes_search(row.saved, BYTES("sts-policy-invalid")) < row.saved.n);
    end();
}

static void a_host_that_a_policy_does_not_name_is_counted(void **state)
{
    static const char *const modes[] = { "enforce", "testing" };

    (void)state;
    for (size_t i = 0; i < COUNT(modes); i++) {
        char policy[200];
        a_domain_that_asks(NULL);
        zone("_mta-sts.a.example", DNS_TXT, DNS_INSECURE, false, "v=STSv1; id=1;");
        give(1, "you@a.example");
        answer_names();
        snprintf(policy, sizeof(policy), "version: STSv1\nmode: %s\nmx: mx.b.example\n"
                                         "max_age: 86400\n", modes[i]);
        answer_fetch(FETCH_WELL, policy);
        answer_names();
        if (i == 1) {
            connect(true);
            answer_all();
            counted("    MTA-STS: 0 went well, 1 failed\n"
                    "        1 starttls-not-supported at mx.a.example [198.51.100.1]\n");
        } else {
            counted("    MTA-STS: 0 went well, 1 failed\n"
                    "        1 validation-failure at mx.a.example: the domain's policy (MTA-STS)"
                    " does not name this host\n");
        }
        end();
    }
}

static void signatures_that_are_wrong_are_counted(void **state)
{
    (void)state;
    begin();
    w.conf.allow_private = w.conf.tlsrpt = true;
    start();
    zone("a.example", DNS_MX, DNS_SECURE, false, "mx.a.example");
    zone("mx.a.example", DNS_A, DNS_SECURE, false, "198.51.100.1");
    zone("_25._tcp.mx.a.example", DNS_TLSA, DNS_BOGUS, false, "");
    give(1, "you@a.example");
    answer_names();
    result_is(1, JOB_LATER, 4, 7, 5);
    counted("    DANE of mx.a.example: 0 went well, 1 failed\n"
            "        1 dnssec-invalid at mx.a.example: the signatures of its TLSA records are"
            " wrong\n");
    end();
}

/* ---- a day ends */

static void a_report_is_due_after_midnight_at_a_moment_of_its_own(void **state)
{
    (void)state;
    a_domain_that_asks(RUA);
    a_letter(1, TEXT);
    pass(24 * HOUR_MS - w.now.wall_ms % (24 * HOUR_MS) + jitter("a.example") - 1);
    assert_false(asked_for_record());
    pass(1);
    assert_true(asked_for_record());
    end();
}

/* RFC 8460, 4.4: each member, and no other. */
static void a_report_says_what_the_rfc_wants(void **state)
{
    const char *org, *contact, *id, *start, *end_at, *type, *domain, *result, *mx, *ip;
    json_int_t good, bad, n;

    (void)state;
    a_domain_that_asks(RUA);
    a_letter(1, TEXT);
    a_letter(2, TEXT);
    a_day_ends();
    struct wire_tlsrpt_letter one = letter(0);
    assert_true(bytes_equal(one.domain, BYTES("a.example")));
    assert_true(bytes_equal(one.address, BYTES("tls@a.example")));
    assert_true(bytes_equal(one.id, BYTES("1767225600-1767311999.a.example@us.example")));
    assert_true(bytes_equal(one.file,
                            BYTES("us.example!a.example!1767225600!1767311999.json")));
    json_t *report = report_of(one.gzip);
    json_error_t error;
    if (json_unpack_ex(report, &error, JSON_STRICT,
            "{s:s,s:{s:s,s:s!},s:s,s:s,s:[{s:{s:s,s:s!},s:{s:I,s:I!},s:[{s:s,s:s,s:s,s:I!}!]!}!]}",
            "organization-name", &org, "date-range", "start-datetime", &start, "end-datetime",
            &end_at, "contact-info", &contact, "report-id", &id, "policies",
            "policy", "policy-type", &type, "policy-domain", &domain,
            "summary", "total-successful-session-count", &good, "total-failure-session-count",
            &bad, "failure-details", "result-type", &result, "receiving-mx-hostname", &mx,
            "receiving-ip", &ip, "failed-session-count", &n) != 0)
        fail_msg("%s", error.text);
    assert_string_equal(org, "us.example");
    assert_string_equal(contact, "post@us.example");
    assert_string_equal(id, "1767225600-1767311999.a.example@us.example");
    assert_string_equal(start, "2026-01-01T00:00:00Z");
    assert_string_equal(end_at, "2026-01-01T23:59:59Z");
    assert_string_equal(type, "no-policy-found");
    assert_string_equal(domain, "a.example");
    assert_string_equal(result, "starttls-not-supported");
    assert_string_equal(mx, "mx.a.example");
    assert_string_equal(ip, "198.51.100.1");
    assert_int_equal(good, 0);
    assert_int_equal(bad, 2);
    assert_int_equal(n, 2);
    json_decref(report);
    end();
}

static void a_report_goes_to_each_address_once(void **state)
{
    (void)state;
    a_domain_that_asks(RUA);
    a_letter(1, TEXT);
    a_day_ends();
    assert_int_equal(w.fetches_n, 1);
    assert_true(bytes_equal(buffer_bytes(&w.urls), BYTES("https://report.a.example/v1/in\n")));
    assert_true(bytes_equal(buffer_bytes(&w.brought), letter(0).gzip));
    assert_true(no_letter(1));
    taken(letter(0).token, true);
    answer_fetch(FETCH_WELL, "");
    assert_true(logged("event=tls-report domain=\"a.example\" result=sent")
                || logged("result=sent"));
    buffer_clear(&w.reports);
    pass(23 * HOUR_MS);
    answer_names();
    assert_true(no_letter(0));
    assert_int_equal(w.fetched, 1);
    end();
}

/* RFC 8460, 5.5: only what failed, for a day, at growing distances. */
static void what_failed_is_tried_again_for_a_day(void **state)
{
    (void)state;
    a_domain_that_asks(RUA);
    a_letter(1, TEXT);
    a_day_ends();
    taken(letter(0).token, true);
    answer_fetch(FETCH_UNREACHED, "");
    buffer_clear(&w.reports);
    pass(15 * 60 * 1000 - 1);
    answer_names();
    assert_int_equal(w.fetched, 1);
    unsigned tries = 1;
    for (unsigned minute = 0; minute < 48 * 60; minute++) {
        pass(60 * 1000);
        answer_names();
        if (w.fetches_n > 0) {
            tries++;
            answer_fetch(FETCH_UNREACHED, "");
        }
    }
    assert_true(no_letter(0));                      /* that one was taken */
    assert_in_range(tries, 6, 12);
    assert_int_equal(w.fetched, tries);
    end();
}

static void who_does_not_ask_is_told_nothing(void **state)
{
    static const struct { const char *record; enum dns_verdict verdict; bool again; } rows[] = {
        { "", DNS_NXDOMAIN, false }, { "v=TLSRPTv1; rua=noscheme", DNS_INSECURE, false },
        { "v=TLSRPTv1; rua=mailto:a@b.example\nv=TLSRPTv1; rua=mailto:a@b.example", DNS_INSECURE,
          false },
        { "", DNS_FAILED, true }, { "", DNS_BOGUS, true },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        a_domain_that_asks(NULL);
        zone("_smtp._tls.a.example", DNS_TXT, rows[i].verdict, false, rows[i].record);
        a_letter(1, TEXT);
        a_day_ends();
        assert_true(no_letter(0));
        assert_int_equal(w.fetched, 0);
        pass(15 * 60 * 1000);
        if (asked_for_record() != rows[i].again)
            fail_msg("row %zu", i);
        end();
    }
}

/* Nobody's answer is waited for without end. */
static void a_store_that_forgets_does_not_stop_reports(void **state)
{
    (void)state;
    a_domain_that_asks("v=TLSRPTv1; rua=mailto:tls@a.example");
    a_letter(1, TEXT);
    a_day_ends();
    uint32_t before = letter(0).token;
    buffer_clear(&w.reports);
    pass(HOUR_MS);
    answer_names();
    assert_false(no_letter(0));
    taken(before, true);                            /* too late: that was the other's turn */
    taken(letter(0).token, true);
    assert_true(logged("result=sent"));
    end();
}

/* Reports bring letters, letters bring sessions; but those are no reason for a report. */
static void reports_do_not_bring_reports(void **state)
{
    (void)state;
    a_domain_that_asks("v=TLSRPTv1; rua=mailto:tls@a.example");
    a_letter(1, TEXT);
    a_day_ends();
    taken(letter(0).token, true);
    a_letter(2, "TLS-Required: No\r\nSubject: Report Domain: a.example\r\n\r\nreport\r\n");
    counted("");
    a_day_ends();
    assert_true(no_letter(0));
    end();
}

static void an_operator_ends_the_day(void **state)
{
    struct wire_tlsrpt_sent sent;

    (void)state;
    a_domain_that_asks(RUA);
    a_letter(1, TEXT);
    pass(HOUR_MS);
    ask(true, "b.example");
    assert_true(wire_read_tlsrpt_sent(frame(WIRE_TLSRPT_SENT_MESSAGE, 0), &sent));
    assert_int_equal(sent.domains, 0);
    ask(true, "a.example");
    assert_true(wire_read_tlsrpt_sent(frame(WIRE_TLSRPT_SENT_MESSAGE, 0), &sent));
    assert_int_equal(sent.domains, 1);
    answer_names();
    taken(letter(0).token, true);
    answer_fetch(FETCH_WELL, "");
    counted("");
    a_letter(2, TEXT);
    counted("    no policy: 0 went well, 1 failed\n"
            "        1 starttls-not-supported at mx.a.example [198.51.100.1]\n");
    ask(true, "");
    assert_true(wire_read_tlsrpt_sent(frame(WIRE_TLSRPT_SENT_MESSAGE, 0), &sent));
    assert_int_equal(sent.domains, 1);
    end();
}

static void counts_outlive_us(void **state)
{
    (void)state;
    a_domain_that_asks("v=TLSRPTv1; rua=mailto:tls@a.example");
    a_letter(1, TEXT);
    pass(5 * 60 * 1000);
    begin_anew(HOUR_MS);
    counted("    no policy: 0 went well, 1 failed\n"
            "        1 starttls-not-supported at mx.a.example [198.51.100.1]\n");
    a_letter(2, TEXT);
    counted("    no policy: 0 went well, 2 failed\n"
            "        2 starttls-not-supported at mx.a.example [198.51.100.1]\n");
    pass(5 * 60 * 1000);
    begin_anew(24 * HOUR_MS);                       /* the day ended meanwhile */
    counted("");
    pass(1);
    answer_names();
    assert_true(bytes_begins(letter(0).id, BYTES("1767225600-1767311999.a.example@")));
    assert_true(no_letter(1));
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clear_sessions_are_counted),
        cmocka_unit_test(letters_that_need_no_tls_are_not_counted),
        cmocka_unit_test(nothing_is_counted_when_it_is_off),
        cmocka_unit_test(a_policy_that_is_not_to_be_had_is_counted),
        cmocka_unit_test(a_policy_that_is_none_is_counted),
        cmocka_unit_test(a_host_that_a_policy_does_not_name_is_counted),
        cmocka_unit_test(signatures_that_are_wrong_are_counted),
        cmocka_unit_test(a_report_is_due_after_midnight_at_a_moment_of_its_own),
        cmocka_unit_test(a_report_says_what_the_rfc_wants),
        cmocka_unit_test(a_report_goes_to_each_address_once),
        cmocka_unit_test(what_failed_is_tried_again_for_a_day),
        cmocka_unit_test(who_does_not_ask_is_told_nothing),
        cmocka_unit_test(a_store_that_forgets_does_not_stop_reports),
        cmocka_unit_test(reports_do_not_bring_reports),
        cmocka_unit_test(an_operator_ends_the_day), cmocka_unit_test(counts_outlive_us),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
