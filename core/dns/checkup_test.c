/* SPDX-License-Identifier: ISC */
#include "dns/checkup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

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
                               .n = 2, .sts_why = "" };

    checkup.hosts[0] = host_of("a.example.org");
    checkup.hosts[1] = host_of("b.example.org");
    return checkup;
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
    checkup.hosts[0].tlsa = DNS_BOGUS;
    assert_int_equal(checkup_judge(&checkup), CHECKUP_WAITS);
}

static void who_takes_no_mail_is_not_unknown(void **state)
{
    static const struct { enum mx_verdict mx; enum checkup_verdict verdict; } rows[] = {
        { MX_NULL, CHECKUP_NO_MAIL }, { MX_NO_DOMAIN, CHECKUP_NO_MAIL },
        { MX_LATER, CHECKUP_UNKNOWN }, { MX_UNUSABLE, CHECKUP_WAITS },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct checkup checkup = { .domain = BYTES("example.org"), .mx = rows[i].mx };
        assert_int_equal(checkup_judge(&checkup), rows[i].verdict);
    }
}

static void it_is_told(void **state)
{
    struct checkup checkup = domain_of();
    struct buffer text = buffer_with_most(4096), json = buffer_with_most(4096);
    enum checkup_verdict verdict = checkup_judge(&checkup);

    (void)state;
    checkup_put_text(&text, &checkup, verdict);
    assert_true(bytes_begins(buffer_bytes(&text), BYTES("example.org: mail to it is protected")));
    assert_true(bytes_search(buffer_bytes(&text),
                             BYTES("10 a.example.org: 1 address, signed; TLSA secure, 1 of use"))
                < text.n);
    checkup_put_json(&json, &checkup, verdict);
    assert_true(bytes_search(buffer_bytes(&json), BYTES("\"verdict\":\"dane\"")) < json.n);
    assert_true(bytes_ends(buffer_bytes(&json), BYTES("}\n")));
    buffer_done(&text);
    buffer_done(&json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_weakest_host_that_may_be_used_counts),
        cmocka_unit_test(who_takes_no_mail_is_not_unknown), cmocka_unit_test(it_is_told),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
