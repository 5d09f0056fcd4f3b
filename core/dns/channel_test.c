/* SPDX-License-Identifier: ISC */
#include "dns/channel.h"

#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

/* Facts in words: M the route is secure, A the addresses are, R REQUIRETLS, O TLS-Required: no,
   B its TLS is broken; then the TLSA answer (s secure, u secure and none usable, i insecure, x
   NXDOMAIN, d NODATA, b bogus, f failed, - not asked), MTA-STS (e enforce, n enforce and the host
   is not named, t testing, ? not found out, - none), configuration (m may, e encrypt, v verify,
   d DANE, c clear). */
static const struct {
    const char *flags;
    char tlsa, sts, policy;
    enum channel_need need;
    bool test;
    const char *result;
} rows[] = {
    { "", '-', '-', 'm', CHANNEL_ANY, false, "" },
    { "MA", 's', '-', 'm', CHANNEL_DANE, false, "" },           /* dane-s01 */
    { "A", 's', '-', 'm', CHANNEL_DANE, false, "" },            /* dane-s20: for that host */
    { "MA", 'u', '-', 'm', CHANNEL_ENCRYPT, false, "" },        /* CLI-015 */
    { "MA", 'x', '-', 'm', CHANNEL_ANY, false, "" },            /* dane-s16 */
    { "MA", 'd', '-', 'm', CHANNEL_ANY, false, "" },
    { "MA", 'i', '-', 'm', CHANNEL_ANY, false, "" },
    { "MA", 'b', '-', 'm', CHANNEL_WAIT, false, "dnssec-invalid" },  /* dane-s18, DNS-015 */
    { "MA", 'f', '-', 'm', CHANNEL_WAIT, false, "" },
    { "M", 's', '-', 'm', CHANNEL_ANY, false, "" },             /* dane-s22 */
    { "M", '-', '-', 'm', CHANNEL_ANY, false, "" },
    { "", '-', 'e', 'm', CHANNEL_NAME, false, "" },
    { "", '-', 'n', 'm', CHANNEL_NOT_HERE, false, "validation-failure" },
    { "", '-', 't', 'm', CHANNEL_ANY, true, "" },
    { "MA", 's', 'e', 'm', CHANNEL_DANE, false, "" },           /* DANE before MTA-STS */
    { "MA", 's', 'n', 'm', CHANNEL_DANE, false, "" },
    { "MA", 'b', 'e', 'm', CHANNEL_WAIT, false, "dnssec-invalid" },
    { "MA", 'u', 'e', 'm', CHANNEL_NAME, false, "" },
    { "MA", 'u', 't', 'm', CHANNEL_ENCRYPT, false, "" },
    { "MA", 'x', 'e', 'm', CHANNEL_NAME, false, "" },
    /* the configuration asks for more, never for less than the domain does, but for "clear" */
    { "", '-', '-', 'e', CHANNEL_ENCRYPT, false, "" },
    { "", '-', '-', 'v', CHANNEL_NAME, false, "" },
    { "", '-', '-', 'd', CHANNEL_NOT_HERE, false, "dane-required" },
    { "MA", 'x', '-', 'd', CHANNEL_NOT_HERE, false, "dane-required" },   /* dane-s17 */
    { "MA", 's', '-', 'd', CHANNEL_DANE, false, "" },
    { "MA", 's', '-', 'e', CHANNEL_DANE, false, "" },
    { "", '-', 'e', 'e', CHANNEL_NAME, false, "" },
    { "", '-', 't', 'e', CHANNEL_ENCRYPT, false, "" },
    { "", '-', 'n', 'v', CHANNEL_NOT_HERE, false, "validation-failure" },
    { "MA", 's', 'e', 'c', CHANNEL_CLEAR, false, "" },
    /* what was broken before counts only where nothing asks */
    { "B", '-', '-', 'm', CHANNEL_CLEAR, false, "" },
    { "B", '-', '-', 'e', CHANNEL_ENCRYPT, false, "" },
    { "B", '-', 'e', 'm', CHANNEL_NAME, false, "" },
    { "MAB", 's', '-', 'm', CHANNEL_DANE, false, "" },
    /* REQUIRETLS (dane-s33), and TLS-Required: no */
    { "R", '-', '-', 'm', CHANNEL_NOT_HERE, false, "" },
    { "RB", '-', '-', 'm', CHANNEL_NOT_HERE, false, "" },
    { "R", '-', '?', 'm', CHANNEL_WAIT, false, "" },            /* that is no "no" */
    { "RM", '-', '?', 'm', CHANNEL_NAME, false, "" },
    { "", '-', '?', 'm', CHANNEL_ANY, false, "" },              /* RFC 8461, 3.3 */
    { "RM", '-', '-', 'm', CHANNEL_NAME, false, "" },
    { "RMA", 's', '-', 'm', CHANNEL_DANE, false, "" },
    { "RA", 's', '-', 'm', CHANNEL_NOT_HERE, false, "" },       /* the way is not proved */
    { "R", '-', 'e', 'm', CHANNEL_NAME, false, "" },
    { "R", '-', 't', 'm', CHANNEL_NAME, false, "" },
    { "RMA", 'b', '-', 'm', CHANNEL_WAIT, false, "dnssec-invalid" },
    { "RM", '-', '-', 'c', CHANNEL_NAME, false, "" },
    { "O", '-', 'e', 'm', CHANNEL_ANY, false, "" },
    { "O", '-', 'n', 'm', CHANNEL_ANY, false, "" },
    { "MAO", 's', '-', 'm', CHANNEL_ANY, false, "" },
    { "MAO", 'b', '-', 'm', CHANNEL_ANY, false, "" },
    { "RMAO", 's', '-', 'm', CHANNEL_DANE, false, "" },         /* RFC 8689, 5: REQUIRETLS wins */
};

static enum dns_verdict verdict_of(char letter)
{
    switch (letter) {
    case 's': case 'u': return DNS_SECURE;
    case 'i': return DNS_INSECURE;
    case 'x': return DNS_NXDOMAIN;
    case 'd': return DNS_NODATA;
    case 'b': return DNS_BOGUS;
    }
    return DNS_FAILED;
}

static struct channel decide(size_t i)
{
    static const char policies[] = "mevdc";
    struct dns_answer tlsa = { .verdict = verdict_of(rows[i].tlsa) };
    struct channel_facts facts = {
        .route_secure = strchr(rows[i].flags, 'M') != NULL,
        .address_secure = strchr(rows[i].flags, 'A') != NULL,
        .tlsa = rows[i].tlsa == '-' ? NULL : &tlsa, .tlsa_usable = rows[i].tlsa == 's',
        .sts = strchr("-?", rows[i].sts) != NULL ? STS_NONE
             : rows[i].sts == 't' ? STS_TESTING : STS_ENFORCE,
        .sts_allows = rows[i].sts == 'e' || rows[i].sts == 't',
        .sts_unsure = rows[i].sts == '?',
        .require_tls = strchr(rows[i].flags, 'R') != NULL,
        .tls_optional = strchr(rows[i].flags, 'O') != NULL,
        .policy = (enum channel_policy)(strchr(policies, rows[i].policy) - policies),
        .broken = strchr(rows[i].flags, 'B') != NULL,
    };

    return channel_decide(&facts);
}

static void what_the_channel_must_be(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct channel channel = decide(i);
        if (channel.need != rows[i].need || channel.test != rows[i].test
            || strcmp(channel.result, rows[i].result) != 0)
            fail_msg("%s %c%c%c: %s %d %s, not %s", rows[i].flags, rows[i].tlsa, rows[i].sts,
                     rows[i].policy, channel_need_name(channel.need), channel.test, channel.result,
                     channel_need_name(rows[i].need));
        assert_true(channel.why[0] != '\0');
        assert_true(channel.code.class == 4 || channel.code.class == 5);
    }
}

/* Whatever the facts: a letter under REQUIRETLS, or for a host whose TLSA records are not known,
   never goes in clear. */
static void nothing_secret_goes_in_clear(void **state)
{
    (void)state;
    for (unsigned bits = 0; bits < 1 << 9; bits++)
        for (unsigned tlsa = DNS_SECURE; tlsa < DNS_VERDICTS; tlsa++)
            for (unsigned sts = STS_NONE; sts <= STS_ENFORCE; sts++)
                for (unsigned policy = 0; policy <= CHANNEL_POLICY_NONE; policy++) {
                    struct dns_answer answer = { .verdict = (enum dns_verdict)tlsa };
                    struct channel_facts facts = {
                        bits & 1, bits & 2, bits & 4 ? &answer : NULL, bits & 8 ? 1 : 0,
                        (enum sts_mode)sts, bits & 16, bits & 32, bits & 64,
                        (enum channel_policy)policy, true, bits & 128, bits & 256,
                    };
                    enum channel_need need = channel_decide(&facts).need;
                    bool clear = need == CHANNEL_CLEAR || need == CHANNEL_ANY;
                    bool unknown = facts.tlsa != NULL && facts.address_secure
                                && (tlsa == DNS_BOGUS || tlsa == DNS_FAILED);
                    if (facts.held && !facts.tls_optional && policy != CHANNEL_POLICY_NONE)
                        assert_false(clear);
                    if (facts.require_tls)
                        assert_false(clear || need == CHANNEL_ENCRYPT);
                    if (unknown && !facts.tls_optional && policy != CHANNEL_POLICY_NONE)
                        assert_int_equal(need, CHANNEL_WAIT);
                }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_the_channel_must_be), cmocka_unit_test(nothing_secret_goes_in_clear),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
