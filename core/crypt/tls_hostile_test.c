/* SPDX-License-Identifier: ISC
 *
 * Clients that mean no good, or can do too little, and keys that are not there.
 */
#include "crypt/tls_peer_int.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct tls_context *context;
static struct holder holder;

static int set_up(void **state)
{
    static const char *const names[] = { "mx.test", NULL };

    (void)state;
    holder = (struct holder){ 0 };
    context = tls_context_new(BYTES("mx.test"));
    holder_add(&holder, context, PEER_P256, names);
    holder_add(&holder, context, PEER_RSA, names);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    tls_context_free(context);
    holder_done(&holder);
    return 0;
}

/* SRV-027 */
static void test_too_old(void **state)
{
    static const struct { int version; const char *suites; uint8_t alert; } rows[] = {
        { TLS1_VERSION, NULL, 70 }, { TLS1_1_VERSION, NULL, 70 },
        { TLS1_2_VERSION, "AES128-SHA", 40 }, { TLS1_2_VERSION, "AES128-GCM-SHA256", 40 },
        { TLS1_2_VERSION, "DHE-RSA-AES128-GCM-SHA256", 40 },
        { TLS1_2_VERSION, "ECDHE-RSA-AES128-SHA", 40 },
        { TLS1_2_VERSION, "ECDHE-RSA-AES128-SHA256", 40 }, { TLS1_2_VERSION, "eNULL", 40 },
        { TLS1_2_VERSION, "aNULL", 40 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        SSL_CTX *ctx = client_new(rows[i].version, rows[i].suites);
        struct pair pair = pair_new(context, &holder, ctx, "mx.test", 0);
        pair_run(&pair, 4096);
        struct tls_facts facts = tls_facts(pair.server);
        if (pair.opened || !pair.failed || !facts.alerted || !facts.alert_ours
            || facts.alert != rows[i].alert)
            fail_msg("row %zu: opened %d alert %d", i, pair.opened, facts.alert);
        assert_true(bytes_equal(facts.name, BYTES("mx.test")));
        assert_true(facts.offered.n >= 2);
        pair_feed(&pair, BYTES("EHLO x\r\n"));
        assert_true(pair.failed && pair.got.n == 0);
        pair_done(&pair);
        SSL_CTX_free(ctx);
    }
}

/* Octets that are no TLS, each cut: it fails at the latest when it has seen a whole record. */
static void test_no_tls(void **state)
{
    static const char *const texts[] = {
        "EHLO x\r\nMAIL FROM:<a@b.test>\r\nRCPT TO:<c@d.test>\r\n", "GET / HTTP/1.0\r\n\r\n",
        "\x16\x03\x01\xFF\xFF the rest of no record", "\x16\x03\x01\x00\x04\x01\x00\xFF\xFFxxxx",
        "\x80\x2E\x01\x00\x02\x00\x15\x00\x00\x00\x10 of a version two",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(texts); i++)
        for (size_t cut = 1; cut < 12; cut++) {
            struct tls *tls = tls_new(context, 0);
            struct bytes text = bytes_of(texts[i]);
            bool opened = false;
            for (; text.n > 0; text = bytes_skip(text, cut))
                opened = opened || tls_step(tls, bytes_first(text, cut)) == TLS_OPENED;
            assert_false(opened);
            assert_int_equal(tls_plain(tls).n, 0);
            assert_false(tls_write(tls, BYTES("250 ok\r\n")));
            tls_free(tls);
        }
}

/* SRV-025: the default certificate or an alert, and the name is noted, not believed. */
static void test_hostile_names(void **state)
{
    char longest[256], too_long[400];
    const char *names[] = { "a\\", "new\nline.test", "a\"b.test", "\xFF\xFE", ".", "..", "*", "",
                            longest, too_long };
    unsigned opened = 0;

    (void)state;
    memset(longest, 'a', 255);
    longest[255] = '\0';
    memset(too_long, 'a', 399);
    too_long[399] = '\0';
    for (size_t i = 0; i < COUNT(names); i++) {
        SSL_CTX *ctx = client_new(0, NULL);
        struct pair pair = pair_new(context, &holder, ctx, names[i], 0);
        pair_run(&pair, 4096);
        assert_true(pair.opened != pair.failed);
        assert_false(tls_facts(pair.server).name_known);
        opened += pair.opened;
        assert_true(!pair.opened || pair_shown(&pair, "mx.test"));
        pair_done(&pair);
        SSL_CTX_free(ctx);
    }
    assert_true(opened >= 7);
}

/* SRV-026 */
static void test_renegotiation(void **state)
{
    SSL_CTX *ctx = client_new(TLS1_2_VERSION, NULL);
    struct pair pair = pair_new(context, &holder, ctx, "mx.test", 0);

    (void)state;
    pair_run(&pair, 4096);
    assert_true(pair.opened);
    unsigned before = holder.asked;
    for (unsigned i = 0; i < 100 && !pair.failed; i++) {
        SSL_renegotiate(pair.client);
        SSL_do_handshake(pair.client);
        pair_run(&pair, 4096);
    }
    assert_int_equal(holder.asked, before);
    pair_done(&pair);
    SSL_CTX_free(ctx);
}

/* A client certificate below `depth` others. */
static void use_chain(SSL_CTX *ctx, unsigned depth, struct buffer *ret_root)
{
    EVP_PKEY *key = peer_key(PEER_P256), *above_key = NULL;
    X509 *above = NULL;

    for (unsigned i = 0; i <= depth; i++) {
        char name[32];
        snprintf(name, sizeof(name), "depth-%u.test", depth - i);
        X509 *x509 = peer_certificate(key, (const char *const[]){ name, NULL }, above, above_key);
        if (i == 0)
            peer_put_pem(ret_root, x509);
        else if (above != NULL && i > 1)
            SSL_CTX_add_extra_chain_cert(ctx, above);
        else
            X509_free(above);
        above = x509;
        above_key = key;
    }
    SSL_CTX_use_certificate(ctx, above);
    SSL_CTX_use_PrivateKey(ctx, key);
    X509_free(above);
    EVP_PKEY_free(key);
}

/* SRV-029 */
static void test_client_chains(void **state)
{
    static const struct { unsigned depth; bool trusted, opens, verified; } rows[] = {
        { 0, true, true, true }, { 3, true, true, true }, { 3, false, true, false },
        { 100, false, false, false },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        SSL_CTX *ctx = client_new(0, NULL);
        struct buffer root = buffer_with_most(65536);
        struct tls_context *asking = tls_context_new(BYTES("mx.test"));
        struct holder keys = { 0 };
        holder_add(&keys, asking, PEER_P256, (const char *const[]){ "mx.test", NULL });
        use_chain(ctx, rows[i].depth, &root);
        if (rows[i].trusted) {
            assert_true(tls_context_trust(asking, buffer_bytes(&root)));
        } else {
            struct buffer other = buffer_with_most(65536);
            EVP_PKEY *key = peer_key(PEER_P256);
            X509 *x509 = peer_certificate(key, (const char *const[]){ "o.test", NULL }, NULL, NULL);
            peer_put_pem(&other, x509);
            assert_true(tls_context_trust(asking, buffer_bytes(&other)));
            X509_free(x509);
            EVP_PKEY_free(key);
            buffer_done(&other);
        }
        struct pair pair = pair_new(asking, &keys, ctx, "mx.test", 0);
        pair_run(&pair, 4096);
        if (pair.opened != rows[i].opens
            || tls_facts(pair.server).verified != rows[i].verified)
            fail_msg("row %zu: opened %d verified %d", i, pair.opened,
                     tls_facts(pair.server).verified);
        pair_done(&pair);
        SSL_CTX_free(ctx);
        tls_context_free(asking);
        holder_done(&keys);
        buffer_done(&root);
    }
    assert_false(tls_context_trust(context, BYTES("no certificate")));
}

/* ---- keys that are not there */

static void test_key_refused(void **state)
{
    static const int versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };

    (void)state;
    for (size_t i = 0; i < COUNT(versions); i++) {
        SSL_CTX *ctx = client_new(versions[i], NULL);
        struct pair pair = pair_new(context, &holder, ctx, "mx.test", 0);
        holder.refuses = true;
        pair_run(&pair, 4096);
        assert_true(pair.failed && !pair.opened);
        pair_done(&pair);
        SSL_CTX_free(ctx);
    }
}

/* Octets of a client that has begun. */
static struct bytes hello_of(struct pair *pair)
{
    char *at;

    SSL_do_handshake(pair->client);
    long n = BIO_get_mem_data(pair->from_client, &at);
    return (struct bytes){ at, (size_t)n };
}

/* As many as may wait do; one more fails and nothing else comes of it; freed while they wait. */
static void test_waiting_is_bounded(void **state)
{
    static struct pair pairs[TLS_JOBS_MOST + 1];
    SSL_CTX *ctx = client_new(0, NULL);

    (void)state;
    for (size_t i = 0; i < COUNT(pairs); i++) {
        pairs[i] = pair_new(context, &holder, ctx, "mx.test", 0);
        enum tls_said said = tls_step(pairs[i].server, hello_of(&pairs[i]));
        assert_int_equal(said, i < TLS_JOBS_MOST ? TLS_KEYOP : TLS_FAILED);
    }
    assert_int_equal(tls_step(pairs[0].server, BYTES("more")), TLS_MORE);
    for (size_t i = 0; i < COUNT(pairs); i++)
        pair_done(&pairs[i]);
    struct pair again = pair_new(context, &holder, ctx, "mx.test", 0);
    pair_run(&again, 4096);
    assert_true(again.opened);
    pair_done(&again);
    SSL_CTX_free(ctx);
}

/* What comes while a signature is waited for is kept, but not without bound. */
static void test_flood_while_waiting(void **state)
{
    SSL_CTX *ctx = client_new(0, NULL);
    struct pair pair = pair_new(context, &holder, ctx, "mx.test", 0);
    static const char octets[4096];
    enum tls_said said = tls_step(pair.server, hello_of(&pair));

    (void)state;
    assert_int_equal(said, TLS_KEYOP);
    for (unsigned i = 0; i < 1000 && said != TLS_FAILED; i++)
        said = tls_step(pair.server, (struct bytes){ octets, sizeof(octets) });
    assert_int_equal(said, TLS_FAILED);
    pair_done(&pair);
    SSL_CTX_free(ctx);
}

/* A wrong signature is the client's to find out; nothing breaks here. */
static void test_wrong_signature(void **state)
{
    SSL_CTX *ctx = client_new(0, NULL);
    struct pair pair = pair_new(context, &holder, ctx, "mx.test", 0);
    struct pair unstepped = pair_new(context, &holder, ctx, "mx.test", 0);

    (void)state;
    assert_int_equal(tls_step(pair.server, hello_of(&pair)), TLS_KEYOP);
    assert_int_equal(tls_step(unstepped.server, hello_of(&unstepped)), TLS_KEYOP);
    tls_key_answer(unstepped.server, BYTES("answered, and never asked how it went"));
    pair_done(&unstepped);
    tls_key_answer(pair.server, BYTES("no signature at all"));
    tls_key_answer(pair.server, BYTES("and a second one"));
    pair_feed(&pair, BYTES_NONE);
    pair_run(&pair, 4096);
    assert_false(pair.opened);
    pair_done(&pair);
    SSL_CTX_free(ctx);
}

/* The context goes before its sessions, as at a reload. */
static void test_context_outlived(void **state)
{
    struct tls_context *old = tls_context_new(BYTES("mx.test"));
    struct holder keys = { 0 };
    SSL_CTX *ctx = client_new(0, NULL);

    (void)state;
    holder_add(&keys, old, PEER_P256, (const char *const[]){ "mx.test", NULL });
    struct pair pair = pair_new(old, &keys, ctx, "mx.test", 0);
    tls_context_free(old);
    pair_run(&pair, 4096);
    assert_true(pair.opened);
    pair_done(&pair);
    SSL_CTX_free(ctx);
    holder_done(&keys);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
        T(test_too_old), T(test_no_tls), T(test_hostile_names), T(test_renegotiation),
        T(test_client_chains), T(test_key_refused), T(test_waiting_is_bounded),
        T(test_flood_while_waiting), T(test_wrong_signature), T(test_context_outlived),
#undef T
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
