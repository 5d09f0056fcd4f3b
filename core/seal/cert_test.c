/* SPDX-License-Identifier: ISC */
#include "seal/cert.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <string.h>

enum { ROOM = 65536, PEOPLE = 4, DAY = 86400, NOW = 1000 * DAY };

/* An IPRA, a PCA, a CA and a user: each certified by the one before. */
static struct rsa_private *keys[PEOPLE];
static struct buffer names[PEOPLE], certs[PEOPLE];

static void certify(size_t subject, size_t issuer, int64_t from, int64_t to, struct buffer *ret)
{
    struct x509_plan plan = {
        .version = 1, .digest = DIGEST_MD5, .key_form = RSA_SPKI_1989,
        .serial = { "\x01\x02\x03\x04" + subject, 1 },
        .issuer = buffer_bytes(&names[issuer]), .subject = buffer_bytes(&names[subject]),
        .not_before = from, .not_after = to,
    };

    *ret = buffer_with_most(ROOM);
    assert_true(x509_make(&plan, rsa_private_public(keys[subject]), keys[issuer], ret));
}

static int set_up(void **state)
{
    static const char *const said[PEOPLE] = {
        "O=Top, C=US", "OU=Policy, O=Elsewhere, C=US", "O=Firm, C=DE", "CN=u@firm.de, O=Firm, C=DE",
    };

    (void)state;
    for (size_t i = 0; i < PEOPLE; i++) {
        keys[i] = rsa_private_make(512);
        names[i] = buffer_with_most(DNAME_MOST);
        if (keys[i] == NULL || !dname_read_text(bytes_of(said[i]), true, &names[i]))
            return 1;
        certify(i, i == 0 ? 0 : i - 1, NOW - 10 * DAY, NOW + 10 * DAY, &certs[i]);
    }
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    for (size_t i = 0; i < PEOPLE; i++) {
        rsa_private_free(keys[i]);
        buffer_done(&names[i]);
        buffer_done(&certs[i]);
    }
    return 0;
}

static void trust(struct keyring *ring, size_t who, unsigned depth, unsigned free_levels)
{
    struct keyring_anchor anchor = { .depth = depth, .free_levels = free_levels };

    assert_true(keyring_digest(rsa_private_public(keys[who]), anchor.digest));
    assert_true(keyring_add_anchor(ring, &anchor) != KEYRING_FULL);
}

static void trust_cert(struct keyring *ring, size_t who)
{
    struct keyring_anchor anchor = { .depth = 0 };

    assert_true(digest_of(DIGEST_SHA256, buffer_bytes(&certs[who]), anchor.digest));
    assert_int_equal(keyring_add_anchor(ring, &anchor), KEYRING_ADDED);
}

/* A list by `who`, updated then, good until then, with or without the one below him on it. */
static void publish(struct keyring *ring, size_t who, int64_t last, int64_t next, bool revokes)
{
    struct x509_revoked gone = { { "\x01\x02\x03\x04" + who + 1, 1 }, last };
    struct x509_crl_plan plan = { DIGEST_MD5, buffer_bytes(&names[who]), last, next, &gone,
                                  revokes ? 1 : 0 };
    struct buffer der = buffer_with_most(ROOM);

    assert_true(x509_crl_make(&plan, keys[who], &der));
    assert_int_equal(keyring_add_crl(ring, buffer_bytes(&der)), KEYRING_ADDED);
    buffer_done(&der);
}

static struct keyring *ring_of(size_t people)
{
    struct keyring *ring = keyring_new();

    for (size_t i = 0; i < people; i++)
        assert_int_equal(keyring_add_cert(ring, buffer_bytes(&certs[i]), NULL, 0), KEYRING_ADDED);
    return ring;
}

static struct cert_path judge(const struct keyring *ring, size_t who, struct cert_rules rules)
{
    struct cert_path path;
    struct x509 leaf;

    assert_int_equal(x509_read(buffer_bytes(&certs[who]), &leaf), X509_WELL);
    cert_judge(ring, &leaf, NULL, 0, &rules, &path);
    return path;
}

static void check(struct cert_path path, enum cert_status status, size_t n, bool trusted)
{
    assert_string_equal(cert_status_name(path.status), cert_status_name(status));
    assert_int_equal(path.n, n);
    assert_int_equal(path.trusted, trusted);
}

/* Trust, from none to the whole hierarchy. */
static void test_trust(void **state)
{
    const struct cert_rules rules = { .now = NOW };
    struct keyring *ring = ring_of(PEOPLE);

    (void)state;
    struct cert_path path = judge(ring, 3, rules);
    check(path, CERT_UNVALIDATED, 4, false);
    assert_int_equal(path.steps[3].because, CERT_BECAUSE_UNTRUSTED);
    trust(ring, 0, 2, 2);
    path = judge(ring, 3, rules);
    check(path, CERT_UNVALIDATED, 4, false);
    assert_int_equal(path.steps[3].because, CERT_BECAUSE_DEPTH);
    trust(ring, 0, 3, 2);
    check(judge(ring, 3, rules), CERT_REVOCATION_UNKNOWN, 4, true);
    for (size_t i = 0; i < 3; i++)
        publish(ring, i, NOW - DAY, NOW + DAY, false);
    check(judge(ring, 3, rules), CERT_VALID, 4, true);
    keyring_free(ring);
    ring = ring_of(PEOPLE);
    trust(ring, 3, 0, 0);                       /* the key: but who says whose it is? */
    check(judge(ring, 3, rules), CERT_UNVALIDATED, 4, false);
    trust_cert(ring, 3);                        /* directly: no list is asked for */
    path = judge(ring, 3, rules);
    check(path, CERT_VALID, 1, true);
    assert_true(path.steps[0].weak);
    keyring_free(ring);
}

/* The issuers may come with the message. */
static void test_more(void **state)
{
    const struct cert_rules rules = { .now = NOW };
    struct keyring *ring = keyring_new();
    struct x509 all[PEOPLE];
    struct cert_path path;

    (void)state;
    for (size_t i = 0; i < PEOPLE; i++)
        assert_int_equal(x509_read(buffer_bytes(&certs[i]), &all[i]), X509_WELL);
    cert_judge(ring, &all[3], NULL, 0, &rules, &path);
    check(path, CERT_UNVALIDATED, 1, false);
    assert_int_equal(path.steps[0].because, CERT_BECAUSE_NO_ISSUER);
    trust(ring, 1, 5, 1);
    cert_judge(ring, &all[3], all, PEOPLE, &rules, &path);
    check(path, CERT_REVOCATION_UNKNOWN, 3, true);
    keyring_free(ring);
}

static void test_dates(void **state)
{
    static const struct {
        int64_t now;
        enum cert_status status;
    } rows[] = {
        { NOW - 11 * DAY, CERT_PENDING }, { NOW - 10 * DAY, CERT_VALID },
        { NOW + 10 * DAY, CERT_VALID }, { NOW + 10 * DAY + 1, CERT_EXPIRED },
    };
    struct keyring *ring = ring_of(1);

    (void)state;
    trust(ring, 0, 0, 0);
    for (size_t i = 0; i < COUNT(rows); i++)
        check(judge(ring, 0, (struct cert_rules){ .now = rows[i].now }), rows[i].status, 1, true);
    keyring_free(ring);
}

static void test_lists(void **state)
{
    static const struct {
        int64_t last, next;
        bool revokes;
        enum cert_status status;
    } rows[] = {
        { NOW - DAY, NOW + DAY, false, CERT_VALID },
        { NOW - 2 * DAY, NOW - DAY, false, CERT_CRL_EXPIRED },
        { NOW + DAY, NOW + 2 * DAY, false, CERT_CRL_OUT_OF_SEQUENCE },
        { NOW - DAY, NOW - 2 * DAY, false, CERT_CRL_OUT_OF_SEQUENCE },
        { NOW - DAY, NOW + DAY, true, CERT_REVOKED },
        { NOW - 3 * DAY, NOW - 2 * DAY, true, CERT_REVOKED },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct keyring *ring = ring_of(PEOPLE);
        trust(ring, 2, 1, 0);
        publish(ring, 0, NOW - DAY, NOW + DAY, true);           /* another's list says nothing */
        publish(ring, 2, rows[i].last, rows[i].next, rows[i].revokes);
        check(judge(ring, 3, (struct cert_rules){ .now = NOW }), rows[i].status, 2, true);
        keyring_free(ring);
    }
}

/* RFC 1422: below CAs, names are subordinate; IPRA and PCAs certify whom they like. */
static void test_names(void **state)
{
    const struct cert_rules strict = { .now = NOW, .subordinate = true };
    struct keyring *ring = ring_of(PEOPLE);

    (void)state;
    trust(ring, 0, 3, 2);
    check(judge(ring, 3, strict), CERT_REVOCATION_UNKNOWN, 4, true);
    trust(ring, 0, 3, 1);
    struct cert_path path = judge(ring, 3, strict);
    check(path, CERT_UNVALIDATED, 4, true);
    assert_int_equal(path.steps[1].because, CERT_BECAUSE_NAME);
    check(judge(ring, 3, (struct cert_rules){ .now = NOW }), CERT_REVOCATION_UNKNOWN, 4, true);
    keyring_free(ring);
}

/* SEAL-011: somebody certifies a trusted key under another name: what its owner signed is not that
   other's. */
static void test_stolen_name(void **state)
{
    const struct cert_rules rules = { .now = NOW };
    struct x509_plan plan = {
        .version = 1, .digest = DIGEST_MD5, .key_form = RSA_SPKI_1989, .serial = BYTES("\x09"),
        .issuer = buffer_bytes(&names[1]), .subject = buffer_bytes(&names[1]),
        .not_before = NOW - DAY, .not_after = NOW + DAY,
    };
    struct buffer der = buffer_with_most(ROOM);
    struct keyring *ring = ring_of(PEOPLE);
    struct cert_path path;
    struct x509 forged;

    (void)state;
    trust(ring, 0, 3, 2);
    assert_true(x509_make(&plan, rsa_private_public(keys[0]), keys[3], &der));
    assert_int_equal(x509_read(buffer_bytes(&der), &forged), X509_WELL);
    cert_judge(ring, &forged, NULL, 0, &rules, &path);
    assert_false(path.trusted);
    assert_int_equal(path.status, CERT_UNVALIDATED);
    buffer_done(&der);
    keyring_free(ring);
}

static void test_crl_comes_in(void **state)
{
    const struct cert_rules rules = { .now = NOW };
    struct x509_crl_plan plan = { .digest = DIGEST_MD5, .issuer = buffer_bytes(&names[2]),
                                  .last_update = NOW - 2 * DAY, .next_update = NOW + DAY };
    struct buffer der = buffer_with_most(ROOM);
    struct keyring *ring = ring_of(PEOPLE);
    struct x509_crl crl;

    (void)state;
    assert_true(x509_crl_make(&plan, keys[2], &der));
    assert_int_equal(x509_crl_read(buffer_bytes(&der), &crl), X509_WELL);
    assert_int_equal(cert_judge_crl(ring, &crl, NULL, 0, &rules), CERT_UNVALIDATED);
    trust(ring, 2, 1, 0);
    assert_int_equal(cert_judge_crl(ring, &crl, NULL, 0, &rules), CERT_VALID);
    publish(ring, 2, NOW - DAY, NOW + DAY, false);
    assert_int_equal(cert_judge_crl(ring, &crl, NULL, 0, &rules), CERT_CRL_OUT_OF_SEQUENCE);
    der.at[der.n - 1] ^= 1;
    assert_int_equal(x509_crl_read(buffer_bytes(&der), &crl), X509_WELL);
    assert_int_equal(cert_judge_crl(ring, &crl, NULL, 0, &rules), CERT_UNVALIDATED);
    buffer_done(&der);
    keyring_free(ring);
}

static void test_finding(void **state)
{
    struct keyring *ring = ring_of(PEOPLE);
    struct rsa_public key = rsa_private_public(keys[3]);
    struct x509 leaf;
    const struct keyring_key *found;

    (void)state;
    assert_int_equal(x509_read(buffer_bytes(&certs[3]), &leaf), X509_WELL);
    found = keyring_find(ring, &(struct keyring_query){ .name = BYTES("U@FIRM.DE") }, NULL);
    assert_non_null(found);
    assert_true(rsa_equal(found->key, key));
    assert_ptr_equal(keyring_find(ring, &(struct keyring_query){ .key = &key }, NULL), found);
    assert_ptr_equal(keyring_find(ring, &(struct keyring_query){ .issuer = leaf.issuer,
                                  .serial = BYTES("\x00\x04") }, NULL), found);
    assert_null(keyring_find(ring, &(struct keyring_query){ .issuer = leaf.issuer,
                             .serial = BYTES("\x05") }, NULL));
    assert_null(keyring_find(ring, &(struct keyring_query){ .name = BYTES("nobody") }, NULL));
    assert_null(keyring_find(ring, &(struct keyring_query){ .key = &key }, found));
    assert_int_equal(keyring_add_cert(ring, leaf.der, NULL, 0), KEYRING_KNOWN);
    assert_int_equal(keyring_add_cert(ring, BYTES("no"), NULL, 0), KEYRING_REFUSED);
    assert_int_equal(keyring_add_public(ring, leaf.key_der, &(struct bytes)BYTES_INIT("bare"), 1),
                     KEYRING_ADDED);
    found = keyring_find(ring, &(struct keyring_query){ .name = BYTES("bare") }, NULL);
    assert_true(found != NULL && !found->certified && rsa_equal(found->key, key));
    assert_int_equal(keyring_add_secret(ring, BYTES("sealed"), &key, NULL, 0), KEYRING_ADDED);
    /* through the names of the certificate of its other half */
    assert_non_null(keyring_find_secret(ring, &(struct keyring_query){ .name = BYTES("u@firm.de") },
                                        NULL));
    assert_null(keyring_find_secret(ring, &(struct keyring_query){ .name = BYTES("nobody") },
                                    NULL));
    keyring_free(ring);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_trust), cmocka_unit_test(test_more), cmocka_unit_test(test_dates),
        cmocka_unit_test(test_lists), cmocka_unit_test(test_names),
        cmocka_unit_test(test_crl_comes_in), cmocka_unit_test(test_stolen_name),
        cmocka_unit_test(test_finding),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
