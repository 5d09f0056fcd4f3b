/* SPDX-License-Identifier: ISC */
#include "dns/sts_cache.h"

#include "base/arena.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

static const uint8_t key[16] = { 7 };
static struct sts_cache *cache;
static const struct bytes name = BYTES_INIT("example.org");

#define ENFORCE "version: STSv1\r\nmode: enforce\r\nmx: mx.example.org\r\nmax_age: 86400\r\n"
#define TESTING "version: STSv1\nmode: testing\nmx: *.example.org\nmax_age: 604800\n"

enum { DAY_MS = 24 * 60 * 60 * 1000 };

static void begin(void)
{
    cache = sts_cache_new(key);
    assert_non_null(cache);
}

/* Tells of TXT records, each one string; a NULL ends them. */
static void told_record(uint64_t now, enum dns_verdict verdict, const char *const *texts)
{
    struct buffer records = buffer_with_most(DNS_ANSWER_MOST), one = buffer_with_most(1100);

    for (; texts != NULL && *texts != NULL; texts++) {
        struct bytes rest = bytes_of(*texts);
        buffer_clear(&one);
        while (rest.n > 0) {
            struct bytes part = bytes_first(rest, 255);
            buffer_put_u8(&one, (uint8_t)part.n);
            buffer_put(&one, part);
            rest = bytes_skip(rest, part.n);
        }
        buffer_put_block(&records, buffer_bytes(&one));
    }
    sts_cache_record(cache, now, name, &(struct dns_answer){
        verdict, false, 300, BYTES_NONE, buffer_bytes(&records) });
    buffer_done(&records);
    buffer_done(&one);
}

static void told_id(uint64_t now, const char *text)
{
    told_record(now, DNS_INSECURE, (const char *const[]){ text, NULL });
}

static struct sts_flaw told_policy(uint64_t now, const char *text)
{
    return sts_cache_fetched(cache, now, name, FETCH_WELL, bytes_of(text));
}

static void is_view(uint64_t now, enum sts_want want, bool must_wait, enum sts_mode mode)
{
    struct sts_view view = sts_cache_look(cache, now, name);

    assert_int_equal(view.want, want);
    assert_int_equal(view.must_wait, must_wait);
    assert_int_equal(view.mode, mode);
    assert_int_equal(view.policy != NULL, view.text.n > 0);
}

static void a_policy_is_asked_for_and_holds(void **state)
{
    (void)state;
    begin();
    is_view(1000, STS_WANT_RECORD, true, STS_NONE);
    told_id(1000, "v=STSv1; id=1;");
    is_view(1000, STS_WANT_POLICY, true, STS_NONE);
    assert_null(told_policy(1000, ENFORCE).words);
    is_view(1000, STS_WANT_NOTHING, false, STS_ENFORCE);
    struct sts_view view = sts_cache_look(cache, 1000, name);
    assert_true(sts_allows(view.policy, BYTES("MX.example.org")));
    is_view(1000 + 300 * 1000, STS_WANT_RECORD, false, STS_ENFORCE);    /* its TTL is over */
    sts_cache_free(cache);
}

static void no_record_is_no_policy(void **state)
{
    (void)state;
    begin();
    told_record(0, DNS_NXDOMAIN, NULL);
    is_view(0, STS_WANT_NOTHING, false, STS_NONE);
    is_view(300 * 1000, STS_WANT_RECORD, true, STS_NONE);
    sts_cache_free(cache);
}

/* STS-007: a record that vanishes takes nothing away before max_age is over. */
static void a_policy_outlives_its_record(void **state)
{
    (void)state;
    begin();
    told_id(0, "v=STSv1; id=1;");
    (void)told_policy(0, ENFORCE);
    told_record(DAY_MS - 1000, DNS_NXDOMAIN, NULL);
    is_view(DAY_MS - 1000, STS_WANT_NOTHING, false, STS_ENFORCE);
    told_record(DAY_MS - 1000, DNS_FAILED, NULL);
    is_view(DAY_MS - 1, STS_WANT_NOTHING, false, STS_ENFORCE);
    told_record(DAY_MS - 1, DNS_NXDOMAIN, NULL);
    is_view(DAY_MS, STS_WANT_NOTHING, false, STS_NONE);
    sts_cache_free(cache);
}

/* STS-001: none of these is a record; an older policy is used all the same. */
static void a_wrong_record_takes_nothing_away(void **state)
{
    char id[1100] = "v=STSv1; id=";
    memset(id + strlen(id), 'a', 1000);
    const char *const rows[][3] = {
        { "v=STSv1; id=1;", "v=STSv1; id=2;", NULL }, { id, NULL }, { "id=1;", NULL },
        { "v=STSv2; id=1;", NULL }, { "v=STSv1; id=;", NULL }, { "v=STSv1;", NULL },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        begin();
        told_record(0, DNS_INSECURE, rows[i]);
        is_view(0, STS_WANT_NOTHING, false, STS_NONE);
        told_id(0, "v=STSv1; id=old;");
        (void)told_policy(0, ENFORCE);
        told_record(1000, DNS_SECURE, rows[i]);
        is_view(1000, STS_WANT_NOTHING, false, STS_ENFORCE);
        sts_cache_free(cache);
    }
}

/* STS-001: an id that is another each time costs no more than one fetch for each look at the
   record, which its TTL bounds. */
static void an_id_that_changes_is_fetched_in_measure(void **state)
{
    unsigned fetches = 0;

    (void)state;
    begin();
    told_id(0, "v=STSv1; id=0;");
    (void)told_policy(0, ENFORCE);
    for (uint64_t now = 1; now < 3600 * 1000; now += 1000) {
        struct sts_view view = sts_cache_look(cache, now, name);
        assert_int_equal(view.mode, STS_ENFORCE);
        assert_false(view.must_wait);
        if (view.want == STS_WANT_RECORD)
            told_id(now, fetches % 2 == 0 ? "v=STSv1; id=x;" : "v=STSv1; id=y;");
        if (view.want == STS_WANT_POLICY) {
            (void)told_policy(now, ENFORCE);
            fetches++;
        }
    }
    assert_in_range(fetches, 1, 12);
    sts_cache_free(cache);
}

/* STS-002: what cannot be fetched leaves what was held, and is told in a report. */
static void a_failed_fetch_keeps_the_policy(void **state)
{
    (void)state;
    begin();
    told_id(0, "v=STSv1; id=1;");
    (void)told_policy(0, ENFORCE);
    for (enum fetch_result result = FETCH_STATUS; result < FETCH_RESULTS; result++) {
        uint64_t now = (uint64_t)result * 600 * 1000;
        told_id(now, result % 2 == 0 ? "v=STSv1; id=2;" : "v=STSv1; id=3;");
        is_view(now, STS_WANT_POLICY, false, STS_ENFORCE);
        (void)sts_cache_fetched(cache, now, name, result, BYTES(TESTING));
        is_view(now, STS_WANT_NOTHING, false, STS_ENFORCE);
        assert_string_equal(sts_cache_look(cache, now, name).failure,
                            result == FETCH_UNTRUSTED ? "sts-webpki-invalid"
                            : result == FETCH_NOT_NOW ? "" : "sts-policy-fetch-error");
    }
    sts_cache_free(cache);
}

/* Too much of ours is under way: nothing is known, so nothing goes, and nobody asks in a circle. */
static void want_of_our_own_is_waited_for(void **state)
{
    (void)state;
    begin();
    told_id(0, "v=STSv1; id=1;");
    (void)sts_cache_fetched(cache, 0, name, FETCH_NOT_NOW, BYTES_NONE);
    is_view(0, STS_WANT_NOTHING, true, STS_NONE);
    is_view(60 * 1000, STS_WANT_POLICY, true, STS_NONE);
    (void)sts_cache_fetched(cache, 60 * 1000, name, FETCH_STATUS, BYTES_NONE);
    is_view(60 * 1000, STS_WANT_NOTHING, false, STS_NONE);
    sts_cache_free(cache);
}

static void what_is_no_policy_is_told(void **state)
{
    (void)state;
    begin();
    told_id(0, "v=STSv1; id=1;");
    assert_non_null(told_policy(0, "<html>404</html>").words);
    is_view(0, STS_WANT_NOTHING, false, STS_NONE);
    assert_string_equal(sts_cache_look(cache, 0, name).failure, "sts-policy-invalid");
    told_id(STS_RETRY_MS, "v=STSv1; id=1;");
    is_view(STS_RETRY_MS, STS_WANT_POLICY, true, STS_NONE);
    sts_cache_free(cache);
}

/* STS-011: a new policy takes the old one's place at once and whole. */
static void a_new_policy_counts_from_its_coming(void **state)
{
    (void)state;
    begin();
    told_id(0, "v=STSv1; id=1;");
    (void)told_policy(0, ENFORCE);
    told_id(1000, "v=STSv1; id=2;");
    is_view(1000, STS_WANT_POLICY, false, STS_ENFORCE);
    mem_fail_at(1);                                 /* no memory for it: the old one, whole */
    (void)told_policy(1000, TESTING);
    mem_fail_at(0);
    is_view(1000, STS_WANT_NOTHING, false, STS_ENFORCE);
    (void)told_policy(2000, TESTING);
    is_view(2000, STS_WANT_NOTHING, false, STS_TESTING);
    told_record(DAY_MS, DNS_NXDOMAIN, NULL);
    is_view(DAY_MS, STS_WANT_NOTHING, false, STS_TESTING);      /* by its own max_age */
    sts_cache_free(cache);
}

static void a_policy_is_refreshed_each_day(void **state)
{
    (void)state;
    begin();
    told_id(0, "v=STSv1; id=1;");
    (void)told_policy(0, TESTING);
    told_id(DAY_MS, "v=STSv1; id=1;");
    is_view(DAY_MS, STS_WANT_POLICY, false, STS_TESTING);
    sts_cache_free(cache);
}

static void the_table_is_bounded(void **state)
{
    char text[64] = "";

    (void)state;
    begin();
    told_id(0, "v=STSv1; id=1;");
    (void)told_policy(0, ENFORCE);
    for (unsigned i = 0; i < STS_DOMAINS_MOST + 1000; i++) {
        struct buffer other = buffer_with_most(sizeof(text));
        buffer_put_char(&other, 'd');
        buffer_put_uint(&other, i);
        sts_cache_record(cache, 0, buffer_bytes(&other),
                         &(struct dns_answer){ DNS_NXDOMAIN, false, 300, BYTES_NONE, BYTES_NONE });
        buffer_done(&other);
    }
    assert_int_equal(sts_cache_count(cache), STS_DOMAINS_MOST);
    is_view(0, STS_WANT_NOTHING, false, STS_ENFORCE);       /* those without one went first */
    sts_cache_free(cache);
}

static void the_url_is_where_the_rfc_says(void **state)
{
    struct buffer url = buffer_with_most(STS_URL_MOST);

    (void)state;
    sts_url_put(&url, name);
    assert_true(bytes_equal(buffer_bytes(&url),
                            BYTES("https://mta-sts.example.org/.well-known/mta-sts.txt")));
    buffer_done(&url);
}

/* RFC 8461, 5.1: who makes us begin anew does not make us forget (STS-007). */
static void what_is_held_is_kept_elsewhere_and_brought_back(void **state)
{
    const void *cursor = NULL;
    struct sts_kept kept;

    (void)state;
    begin();
    told_id(1000, "v=STSv1; id=1;");
    told_policy(1000, ENFORCE);
    assert_true(sts_cache_next(cache, 2000, &cursor, &kept));
    assert_true(bytes_equal(kept.domain, name) && bytes_equal(kept.id, BYTES("1")));
    assert_int_equal(kept.left_ms, DAY_MS - 1000);
    struct sts_cache *before = cache;
    begin();
    sts_cache_restore(cache, 50, &kept);
    sts_cache_free(before);
    is_view(60, STS_WANT_RECORD, false, STS_ENFORCE);       /* it is asked for, but nobody waits */
    told_record(60, DNS_NXDOMAIN, NULL);
    is_view(60 + DAY_MS - 1100, STS_WANT_RECORD, false, STS_ENFORCE);
    is_view(60 + DAY_MS, STS_WANT_RECORD, true, STS_NONE);
    sts_cache_free(cache);
}

static void what_cannot_be_is_not_brought_back(void **state)
{
    static const struct sts_kept rows[] = {
        { BYTES_INIT("example.org"), BYTES_INIT("1"), BYTES_INIT("mode: enforce"), 1000 },
        { BYTES_INIT("example org"), BYTES_INIT("1"), BYTES_INIT(TESTING), 1000 },
        { BYTES_INIT("example.org"), BYTES_INIT("123456789012345678901234567890123"),
          BYTES_INIT(TESTING), 1000 },
    };

    (void)state;
    begin();
    for (size_t i = 0; i < COUNT(rows); i++)
        sts_cache_restore(cache, 10, &rows[i]);
    assert_int_equal(sts_cache_count(cache), 0);
    told_policy(10, ENFORCE);
    sts_cache_restore(cache, 10, &(struct sts_kept){ name, BYTES("1"), BYTES(TESTING), 1000 });
    is_view(20, STS_WANT_RECORD, false, STS_ENFORCE);       /* what is known is newer */
    sts_cache_free(cache);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_policy_is_asked_for_and_holds), cmocka_unit_test(no_record_is_no_policy),
        cmocka_unit_test(a_policy_outlives_its_record),
        cmocka_unit_test(a_wrong_record_takes_nothing_away),
        cmocka_unit_test(an_id_that_changes_is_fetched_in_measure),
        cmocka_unit_test(a_failed_fetch_keeps_the_policy),
        cmocka_unit_test(what_is_no_policy_is_told),
        cmocka_unit_test(want_of_our_own_is_waited_for),
        cmocka_unit_test(a_new_policy_counts_from_its_coming),
        cmocka_unit_test(a_policy_is_refreshed_each_day), cmocka_unit_test(the_table_is_bounded),
        cmocka_unit_test(the_url_is_where_the_rfc_says),
        cmocka_unit_test(what_is_held_is_kept_elsewhere_and_brought_back),
        cmocka_unit_test(what_cannot_be_is_not_brought_back),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
