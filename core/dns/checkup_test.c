/* SPDX-License-Identifier: ISC */
#include "dns/checkup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#define DAY_MS (86400ull * 1000)
#define NOW_MS (20000 * DAY_MS)

/* A host that all is well with: signed, with a record of use, named by the policy. */
static struct checkup_host host_of(const char *name)
{
    return (struct checkup_host){ .name = bytes_of(name), .preference = 10, .addresses = 1,
                                  .address_secure = true, .tlsa = DNS_SECURE, .tlsa_usable = 1,
                                  .sts_allows = true };
}

static struct checkup domain_of(void)
{
    struct checkup checkup = { .domain = BYTES("example.org"), .mx = MX_HOSTS, .mx_secure = true,
                               .n = 2, .sts_why = "", .now_ms = NOW_MS, .hello = BYTES("us.org") };

    checkup.hosts[0] = host_of("a.example.org");
    checkup.hosts[1] = host_of("b.example.org");
    return checkup;
}

/* Each host was called on at one address, and all is well. */
static void visit(struct checkup *checkup)
{
    checkup->visited = true;
    for (size_t i = 0; i < checkup->n; i++) {
        struct checkup_host *host = &checkup->hosts[i];
        const uint8_t ip[16] = { [10] = 255, [11] = 255, 192, 0, 2, (uint8_t)(i + 1) };
        host->visits_n = 1;
        host->visits[0] = checkup_visit_of(ip);
        struct checkup_visit *one = &host->visits[0];
        one->end = CHECKUP_SPOKEN;
        one->tls_offered = one->tls = one->names_it = true;
        one->chain = 2;
        one->from_ms = NOW_MS - 30 * DAY_MS;
        one->until_ms = NOW_MS + 30 * DAY_MS;
        one->by_name.well = one->by_tlsa.well = true;
        buffer_put(&one->greeting, BYTES("220 hello"));
        buffer_put(&one->extensions, BYTES("PIPELINING XNEW "));
        buffer_put(&one->version, BYTES("TLSv1.3"));
        buffer_put(&one->cipher, BYTES("TLS_X"));
        buffer_put_block(&one->names, host->name);
    }
}

static void done(struct checkup *checkup)
{
    for (size_t i = 0; i < checkup->n; i++)
        for (size_t v = 0; v < checkup->hosts[i].visits_n; v++)
            checkup_visit_done(&checkup->hosts[i].visits[v]);
}

static void the_weakest_host_that_may_be_used_counts(void **state)
{
    struct checkup checkup = domain_of();

    (void)state;
    assert_int_equal(checkup_judge(&checkup), CHECKUP_DANE);
    checkup.hosts[1].tlsa = DNS_NODATA;
    checkup.hosts[1].tlsa_usable = 0;
    assert_int_equal(checkup_judge(&checkup), CHECKUP_OPEN);
    checkup.sts_held = true;
    checkup.sts = STS_ENFORCE;
    assert_int_equal(checkup_judge(&checkup), CHECKUP_STS);
    checkup.sts = STS_TESTING;
    assert_int_equal(checkup_judge(&checkup), CHECKUP_OPEN);
    checkup.sts = STS_ENFORCE;
    checkup.hosts[1].sts_allows = false;            /* not used at all then */
    assert_int_equal(checkup_judge(&checkup), CHECKUP_DANE);
    checkup.mx_secure = false;                      /* who forges it leads elsewhere */
    assert_int_equal(checkup_judge(&checkup), CHECKUP_OPEN);
    checkup.hosts[0].tlsa = DNS_BOGUS;
    assert_int_equal(checkup_judge(&checkup), CHECKUP_WAITS);
}

static void who_takes_no_mail_is_not_unknown(void **state)
{
    static const struct {
        enum mx_verdict mx;
        bool bogus;
        enum checkup_verdict verdict;
        enum checkup_fault fault;
    } rows[] = {
        { MX_NULL, false, CHECKUP_NO_MAIL, CHECKUP_FAULT_NULL_MX },
        { MX_NO_DOMAIN, false, CHECKUP_NO_MAIL, CHECKUP_FAULT_NO_DOMAIN },
        { MX_LATER, false, CHECKUP_UNKNOWN, CHECKUP_FAULT_DNS_FAILED },
        { MX_LATER, true, CHECKUP_UNKNOWN, CHECKUP_FAULT_DNS_BOGUS },
        { MX_UNUSABLE, false, CHECKUP_WAITS, CHECKUP_FAULT_MX_UNUSABLE },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct checkup checkup = { .domain = BYTES("example.org"), .mx = rows[i].mx,
                                   .mx_bogus = rows[i].bogus, .visited = true };
        assert_int_equal(checkup_judge(&checkup), rows[i].verdict);
        assert_int_equal(checkup.findings_n, 1);
        assert_int_equal(checkup.findings[0].fault, rows[i].fault);
    }
}

/* ---- visits: one thing is changed in a domain that all is well with */

enum needs { BY_DANE, BY_STS, BY_NOTHING };

struct row {
    const char *what;
    enum needs needs;
    void (*change)(struct checkup_visit *visit);
    enum checkup_verdict verdict;
    enum checkup_fault fault;       /* CHECKUP_FAULTS: none */
};

static void nothing(struct checkup_visit *visit) { (void)visit; }
static void no_connection(struct checkup_visit *visit) { visit->end = CHECKUP_NOBODY; }
static void silence(struct checkup_visit *visit) { visit->end = CHECKUP_SILENT; }
static void refusal(struct checkup_visit *visit) { visit->end = CHECKUP_REFUSED; }
static void broken_tls(struct checkup_visit *visit) { visit->end = CHECKUP_TLS_BROKE; }
static void no_tls(struct checkup_visit *visit) { visit->tls = visit->tls_offered = false; }
static void no_fit(struct checkup_visit *visit) { visit->by_tlsa.well = false; }
static void barred(struct checkup_visit *visit) { visit->end = CHECKUP_BARRED; }
static void expired(struct checkup_visit *visit)
{
    visit->by_name.well = false;
    visit->until_ms = NOW_MS - 1;
}
static void not_yet(struct checkup_visit *visit)
{
    visit->by_name.well = false;
    visit->from_ms = NOW_MS + 1;
}
static void wrong_name(struct checkup_visit *visit)
{
    visit->by_name.well = visit->names_it = false;
}
static void untrusted(struct checkup_visit *visit) { visit->by_name.well = false; }
static void ends_soon(struct checkup_visit *visit) { visit->until_ms = NOW_MS + DAY_MS; }

static const struct row rows[] = {
    { "all well", BY_DANE, nothing, CHECKUP_DANE, CHECKUP_FAULTS },
    { "all well, by a policy", BY_STS, nothing, CHECKUP_STS, CHECKUP_FAULTS },
    { "all well, unproved", BY_NOTHING, nothing, CHECKUP_OPEN, CHECKUP_FAULTS },
    { "dead", BY_NOTHING, no_connection, CHECKUP_UNREACHED, CHECKUP_FAULT_UNREACHED },
    { "silent", BY_STS, silence, CHECKUP_UNREACHED, CHECKUP_FAULT_SILENT },
    { "inside", BY_NOTHING, barred, CHECKUP_WAITS, CHECKUP_FAULT_ADDRESS_BARRED },
    { "refuses us", BY_DANE, refusal, CHECKUP_SHUT, CHECKUP_FAULT_REFUSED },
    { "TLS breaks", BY_NOTHING, broken_tls, CHECKUP_CLEAR, CHECKUP_FAULT_TLS_BROKE },
    { "TLS breaks and is needed", BY_STS, broken_tls, CHECKUP_WAITS, CHECKUP_FAULT_TLS_BROKE },
    { "no TLS", BY_NOTHING, no_tls, CHECKUP_CLEAR, CHECKUP_FAULT_CLEAR },
    { "no TLS, and a policy", BY_STS, no_tls, CHECKUP_WAITS, CHECKUP_FAULT_TLS_LACKS },
    { "no TLS, and DANE", BY_DANE, no_tls, CHECKUP_WAITS, CHECKUP_FAULT_TLS_LACKS },
    { "no record fits", BY_DANE, no_fit, CHECKUP_WAITS, CHECKUP_FAULT_TLSA_MISFIT },
    { "no record fits, and none is asked", BY_STS, no_fit, CHECKUP_STS, CHECKUP_FAULTS },
    { "expired", BY_STS, expired, CHECKUP_WAITS, CHECKUP_FAULT_CERT_EXPIRED },
    { "of tomorrow", BY_STS, not_yet, CHECKUP_WAITS, CHECKUP_FAULT_CERT_EXPIRED },
    { "expired, and DANE (RFC 7671, 5.1)", BY_DANE, expired, CHECKUP_DANE, CHECKUP_FAULTS },
    { "expired, and nothing asks", BY_NOTHING, expired, CHECKUP_OPEN, CHECKUP_FAULT_CERT_LOOSE },
    { "another name", BY_STS, wrong_name, CHECKUP_WAITS, CHECKUP_FAULT_CERT_NAME },
    { "nobody vouches", BY_STS, untrusted, CHECKUP_WAITS, CHECKUP_FAULT_CERT_UNTRUSTED },
    { "ends soon", BY_STS, ends_soon, CHECKUP_STS, CHECKUP_FAULT_CERT_SOON },
};

static void a_visit_is_judged_as_a_letter_would_be(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct checkup checkup = domain_of();
        for (size_t h = 0; h < checkup.n && rows[i].needs != BY_DANE; h++) {
            checkup.hosts[h].tlsa = DNS_NODATA;
            checkup.hosts[h].tlsa_usable = 0;
        }
        checkup.sts_held = checkup.sts_announced = rows[i].needs == BY_STS;
        checkup.sts = STS_ENFORCE;
        visit(&checkup);
        for (size_t h = 0; h < checkup.n; h++)
            rows[i].change(&checkup.hosts[h].visits[0]);
        enum checkup_verdict verdict = checkup_judge(&checkup);
        bool none = rows[i].fault == CHECKUP_FAULTS;
        if (verdict != rows[i].verdict || checkup.findings_n != (none ? 0 : 2)
            || (!none && checkup.findings[0].fault != rows[i].fault))
            fail_msg("%s: verdict %d, %zu findings, the first %d", rows[i].what, verdict,
                     checkup.findings_n, checkup.findings[0].fault);
        done(&checkup);
    }
}

/* One host of two answers: mail goes, and the other is told of. */
static void a_dead_host_beside_a_living_one_is_told(void **state)
{
    struct checkup checkup = domain_of();

    (void)state;
    visit(&checkup);
    no_connection(&checkup.hosts[0].visits[0]);
    assert_int_equal(checkup_judge(&checkup), CHECKUP_DANE);
    assert_int_equal(checkup.findings_n, 1);
    assert_ptr_equal(checkup.findings[0].host, &checkup.hosts[0]);
    done(&checkup);
}

static void how_we_look_is_told(void **state)
{
    static const struct {
        struct checkup_ours ours;
        size_t n;
        enum checkup_fault fault;
    } of_us[] = {
        { { .known = false }, 0, 0 },
        { { .known = true, .ptr = DNS_INSECURE, .confirmed = true, .hello = DNS_INSECURE,
            .hello_fits = true }, 0, 0 },
        { { .known = true, .ptr = DNS_NXDOMAIN, .hello = DNS_SECURE, .hello_fits = true }, 1,
          CHECKUP_FAULT_OURS_NO_PTR },
        { { .known = true, .ptr = DNS_SECURE, .hello = DNS_SECURE, .hello_fits = true }, 1,
          CHECKUP_FAULT_OURS_PTR_ASTRAY },
        { { .known = true, .ptr = DNS_SECURE, .confirmed = true, .hello = DNS_NODATA }, 1,
          CHECKUP_FAULT_OURS_HELLO },
        { { .known = true, .inside = true, .ptr = DNS_NXDOMAIN, .hello = DNS_NODATA }, 1,
          CHECKUP_FAULT_OURS_INSIDE },
        /* what could not be found out is no fault */
        { { .known = true, .ptr = DNS_FAILED, .hello = DNS_BOGUS }, 0, 0 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(of_us); i++) {
        struct checkup checkup = domain_of();
        checkup.ours[1] = of_us[i].ours;
        assert_int_equal(checkup_judge(&checkup), CHECKUP_DANE);
        assert_int_equal(checkup.findings_n, of_us[i].n);
        if (of_us[i].n > 0)
            assert_int_equal(checkup.findings[0].fault, of_us[i].fault);
    }
}

/* A sentence each, of which the first may stand for itself; the word is its own. */
static void each_fault_is_told_in_words(void **state)
{
#define THEIRS 1
#define OURS 1
#define SENDER 1
#define NOBODY 1
    static const struct { const char *word; int side; const char *what, *how; } faults[] = {
#define F(fault, word, side, what, how) { word, side, what, how },
        CHECKUP_FAULT_LIST(F)
#undef F
    };

    (void)state;
    assert_int_equal(COUNT(faults), CHECKUP_FAULTS);
    for (size_t i = 0; i < COUNT(faults); i++) {
        bool alone = faults[i].what[0] >= 'A' && faults[i].what[0] <= 'Z';
        assert_int_equal(bytes_ends(bytes_of(faults[i].what), BYTES(".")), alone);
        assert_false(bytes_ends(bytes_of(faults[i].how), BYTES(".")));
        assert_true(strlen(faults[i].how) > 10 && strlen(faults[i].what) > 10);
        for (size_t before = 0; before < i; before++)
            assert_string_not_equal(faults[i].word, faults[before].word);
    }
}

static void names_of_ptr_records(void **state)
{
    static const uint8_t v4[16] = { [10] = 255, [11] = 255, 192, 0, 2, 13 };
    static const uint8_t v6[16] = { 0x20, 1, 0xd, 0xb8, [15] = 0xa1 };
    struct buffer name = buffer_with_most(DNS_NAME_MOST);

    (void)state;
    checkup_ptr_name_put(&name, v4);
    assert_true(bytes_equal(buffer_bytes(&name), BYTES("13.2.0.192.in-addr.arpa")));
    buffer_clear(&name);
    checkup_ptr_name_put(&name, v6);
    assert_true(bytes_equal(buffer_bytes(&name), BYTES(
        "1.a.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa")));
    buffer_done(&name);
}

/* ---- what is printed */

static bool has(const struct buffer *text, const char *words)
{
    return bytes_search(buffer_bytes(text), bytes_of(words)) < text->n;
}

static void it_is_told(void **state)
{
    struct checkup checkup = domain_of();
    struct buffer text = buffer_with_most(65536), json = buffer_with_most(65536);

    (void)state;
    visit(&checkup);
    no_fit(&checkup.hosts[1].visits[0]);
    checkup.hosts[1].visits[0].by_tlsa.words = "no matching DANE TLSA records";
    enum checkup_verdict verdict = checkup_judge(&checkup);
    checkup_put_text(&text, &checkup, verdict);
    assert_true(bytes_begins(buffer_bytes(&text), BYTES("example.org\n")));
    assert_true(has(&text, "10 a.example.org: 1 address, signed; TLSA secure, 1 of use\n"
                           "             letters go only by TLS, to a host that is proved: "));
    assert_true(has(&text, "      offers     PIPELINING (commands in one flight), XNEW\n"
                           "      TLS        TLSv1.3, TLS_X\n"
                           "      names      a.example.org; the MX record's is among them\n"
                           "      dates      2024-09-04 to 2024-11-03\n"));
    assert_true(has(&text, "TLSA       no record fits: no matching DANE TLSA records\n"));
    assert_true(has(&text, "\nMail to example.org: it is protected on its way: DANE says who may "
                           "receive it.\n  - b.example.org[192.0.2.2] shows a certificate that "
                           "none of its TLSA records fits"));
    assert_true(has(&text, "\n    Their side must act: publish a record for the certificate"));
    checkup_put_json(&json, &checkup, verdict);
    assert_true(has(&json, "\"verdict\":\"dane\""));
    assert_true(has(&json, "\"fault\":\"tlsa-mismatch\",\"host\":\"b.example.org\","
                           "\"address\":\"192.0.2.2\""));
    assert_true(bytes_ends(buffer_bytes(&json), BYTES("}\n")));
    buffer_done(&text);
    buffer_done(&json);
    done(&checkup);
}

/* Whatever a server, a certificate or a PTR record says, no control octet comes out. */
static void strangers_do_not_write_on_the_terminal(void **state)
{
    static const char nasty[] = "220 \x1b[2J\r\b\x9b\xc2\x9b\xe2\x80\xae\0\nx";
    struct bytes octets = { nasty, sizeof(nasty) - 1 };
    struct checkup checkup = domain_of();
    struct buffer text = buffer_with_most(65536), json = buffer_with_most(65536);

    (void)state;
    visit(&checkup);
    struct checkup_visit *first = &checkup.hosts[0].visits[0];
    buffer_put(&first->greeting, octets);
    buffer_put_block(&first->names, octets);
    refusal(&checkup.hosts[1].visits[0]);
    buffer_put(&checkup.hosts[1].visits[0].why, octets);
    checkup.ours[0] = (struct checkup_ours){ .known = true, .ptr = DNS_INSECURE,
                                             .name = buffer_with_most(256) };
    buffer_put(&checkup.ours[0].name, octets);
    enum checkup_verdict verdict = checkup_judge(&checkup);
    checkup_put_text(&text, &checkup, verdict);
    checkup_put_json(&json, &checkup, verdict);
    assert_false(text.bad || json.bad);
    for (size_t i = 0; i < text.n; i++)
        assert_true((text.at[i] >= ' ' && text.at[i] < 127) || text.at[i] == '\n');
    for (size_t i = 0; i + 1 < json.n; i++)
        assert_true((unsigned char)json.at[i] >= ' ' && json.at[i] != 127);
    assert_false(has(&json, "\xc2\x9b"));
    assert_false(has(&json, "\xe2\x80\xae"));
    buffer_done(&checkup.ours[0].name);
    buffer_done(&text);
    buffer_done(&json);
    done(&checkup);
}

/* Twenty hosts with six addresses each that are all wrong: the worst is told, the rest is cut. */
static void there_is_a_most_of_what_is_told(void **state)
{
    static struct checkup checkup;
    static const uint8_t ip[16] = { 0x20, 1 };

    (void)state;
    checkup = (struct checkup){ .domain = BYTES("example.org"), .mx = MX_HOSTS, .visited = true,
                                .n = MX_HOSTS_MOST, .sts_announced = true, .sts_why = "",
                                .hello = BYTES("us.org") };
    checkup.ours[0] = checkup.ours[1] =
        (struct checkup_ours){ .known = true, .ptr = DNS_NXDOMAIN, .hello = DNS_NODATA };
    for (size_t i = 0; i < checkup.n; i++) {
        checkup.hosts[i] = host_of("mx.example.org");
        checkup.hosts[i].visits_n = CHECKUP_VISITS_MOST;
        for (size_t v = 0; v < CHECKUP_VISITS_MOST; v++) {
            checkup.hosts[i].visits[v] = checkup_visit_of(ip);
            no_connection(&checkup.hosts[i].visits[v]);
        }
    }
    assert_int_equal(checkup_judge(&checkup), CHECKUP_UNREACHED);
    assert_int_equal(checkup.findings_n, CHECKUP_FINDINGS_MOST);
    done(&checkup);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_weakest_host_that_may_be_used_counts),
        cmocka_unit_test(who_takes_no_mail_is_not_unknown),
        cmocka_unit_test(a_visit_is_judged_as_a_letter_would_be),
        cmocka_unit_test(a_dead_host_beside_a_living_one_is_told),
        cmocka_unit_test(how_we_look_is_told), cmocka_unit_test(names_of_ptr_records),
        cmocka_unit_test(each_fault_is_told_in_words),
        cmocka_unit_test(it_is_told), cmocka_unit_test(strangers_do_not_write_on_the_terminal),
        cmocka_unit_test(there_is_a_most_of_what_is_told),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
