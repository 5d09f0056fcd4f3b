/* SPDX-License-Identifier: ISC
 *
 * A certificate of our own, for a server that asks for one. The server is OpenSSL's, in memory.
 */
#include "crypt/tls_client.h"

#include "base/arena.h"
#include "crypt/tls_peer_int.h"

#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static X509 *ours[2], *theirs;              /* by kind: EC, RSA */
static EVP_PKEY *their_key;
static struct buffer chains[2];
static struct sign_key *keys[2];

enum { ASKS_NOT, ASKS, REQUIRES };
enum { SIGNS, SIGNS_NOT, SIGNS_RUBBISH, NEVER };

struct row {
    const char *what;
    int version, asks;
    const char *list;           /* signature algorithms that the server takes; NULL: all */
    bool presents, has[2];
    int signs;
    bool opened;
    int shown;                  /* which of ours the server saw; -1: none */
};

static const char *const EC_ONLY = "ECDSA+SHA256", *const RSA_ONLY = "RSA-PSS+SHA256:RSA+SHA256";

static const struct row rows[] = {
    { "1.3", TLS1_3_VERSION, ASKS, NULL, true, { true, false }, SIGNS, true, 0 },
    { "1.2", TLS1_2_VERSION, ASKS, NULL, true, { true, false }, SIGNS, true, 0 },
    { "1.3, it must", TLS1_3_VERSION, REQUIRES, NULL, true, { true, false }, SIGNS, true, 0 },
    { "1.2, it must", TLS1_2_VERSION, REQUIRES, NULL, true, { true, false }, SIGNS, true, 0 },
    { "1.3, RSA", TLS1_3_VERSION, REQUIRES, NULL, true, { false, true }, SIGNS, true, 1 },
    { "1.2, RSA", TLS1_2_VERSION, REQUIRES, NULL, true, { false, true }, SIGNS, true, 1 },
    { "1.3, both", TLS1_3_VERSION, ASKS, NULL, true, { true, true }, SIGNS, true, 0 },
    { "1.2, both", TLS1_2_VERSION, ASKS, NULL, true, { true, true }, SIGNS, true, 0 },
    { "1.3, what it can read", TLS1_3_VERSION, ASKS, RSA_ONLY, true, { true, true }, SIGNS, true,
      1 },
    { "it can read none", TLS1_3_VERSION, ASKS, RSA_ONLY, true, { true, false }, SIGNS, true, -1 },
    { "it can read none, 1.2", TLS1_2_VERSION, ASKS, EC_ONLY, true, { false, true }, SIGNS, true,
      -1 },
    { "not asked, 1.3", TLS1_3_VERSION, ASKS_NOT, NULL, true, { true, true }, SIGNS, true, -1 },
    { "not asked, 1.2", TLS1_2_VERSION, ASKS_NOT, NULL, true, { true, true }, SIGNS, true, -1 },
    { "not wanted, 1.3", TLS1_3_VERSION, ASKS, NULL, false, { true, true }, SIGNS, true, -1 },
    { "not wanted, 1.2", TLS1_2_VERSION, ASKS, NULL, false, { true, true }, SIGNS, true, -1 },
    { "there is none", TLS1_3_VERSION, ASKS, NULL, true, { false, false }, SIGNS, true, -1 },
    { "no signature, 1.3", TLS1_3_VERSION, ASKS, NULL, true, { true, false }, SIGNS_NOT, false,
      -1 },
    { "no signature, 1.2", TLS1_2_VERSION, ASKS, NULL, true, { true, false }, SIGNS_NOT, false,
      -1 },
    { "a false one, 1.2", TLS1_2_VERSION, ASKS, NULL, true, { true, false }, SIGNS_RUBBISH, false,
      -1 },
    { "freed meanwhile", TLS1_3_VERSION, ASKS, NULL, true, { true, false }, NEVER, false, -1 },
    { "freed meanwhile, RSA", TLS1_2_VERSION, ASKS, NULL, true, { false, true }, NEVER, false, -1 },
};

static int take_any(X509_STORE_CTX *store, void *of)
{
    (void)store, (void)of;
    return 1;
}

static SSL_CTX *server_new(const struct row *row)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());

    assert_int_equal(SSL_CTX_set_min_proto_version(ctx, row->version), 1);
    assert_int_equal(SSL_CTX_set_max_proto_version(ctx, row->version), 1);
    assert_int_equal(SSL_CTX_use_certificate(ctx, theirs), 1);
    assert_int_equal(SSL_CTX_use_PrivateKey(ctx, their_key), 1);
    SSL_CTX_set_cert_verify_callback(ctx, take_any, NULL);
    if (row->asks != ASKS_NOT)
        SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER
                           | (row->asks == REQUIRES ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0), NULL);
    if (row->list != NULL)
        assert_int_equal(SSL_CTX_set1_client_sigalgs_list(ctx, row->list), 1);
    return ctx;
}

struct ends {
    const struct row *row;
    struct tls *client;
    SSL *server;
    BIO *to_server, *from_server;
    bool opened, failed, waits;
    unsigned asked;
};

static void answer(struct ends *ends)
{
    struct buffer signature = buffer_with_most(SIGNATURE_MOST);
    struct tls_keyop keyop = tls_keyop(ends->client);

    ends->asked++;
    if (ends->row->signs == SIGNS)
        assert_true(sign_key_sign(keys[keyop.key], keyop.scheme, keyop.tbs, &signature));
    if (ends->row->signs == SIGNS_RUBBISH)
        buffer_put_text(&signature, "rubbish");
    tls_key_answer(ends->client, buffer_bytes(&signature));
    buffer_done(&signature);
}

static void step(struct ends *ends, struct bytes in)
{
    enum tls_said said = tls_step(ends->client, in);

    assert_false(tls_client_presented(ends->client) && ends->asked == 0);
    if (said == TLS_KEYOP && ends->row->signs == NEVER) {
        ends->waits = true;
        return;
    }
    if (said == TLS_KEYOP) {
        assert_int_equal(tls_step(ends->client, BYTES_NONE), TLS_MORE);     /* said once */
        answer(ends);
        said = tls_step(ends->client, BYTES_NONE);
    }
    if (said == TLS_OPENED) {
        ends->opened = true;
        said = tls_step(ends->client, BYTES_NONE);
    }
    ends->failed = ends->failed || said == TLS_FAILED;
    struct bytes out = tls_cipher(ends->client);
    if (out.n > 0)
        assert_int_equal(BIO_write(ends->to_server, out.at, (int)out.n), out.n);
    tls_cipher_sent(ends->client);
}

/* In pieces of so many octets, to us. */
static void run(struct ends *ends, int cut)
{
    char some[4096];

    step(ends, BYTES_NONE);
    for (unsigned i = 0; i < 10000 && !ends->failed && !ends->waits; i++) {
        char got[64];
        if (!SSL_is_init_finished(ends->server))
            (void)SSL_do_handshake(ends->server);
        else
            (void)SSL_read(ends->server, got, sizeof(got));
        ERR_clear_error();
        int n = BIO_read(ends->from_server, some, cut);
        if (n <= 0)
            break;
        step(ends, (struct bytes){ some, (size_t)n });
    }
}

static int which(const struct ends *ends)
{
    X509 *seen = SSL_get0_peer_certificate(ends->server);

    for (int i = 0; i < 2 && seen != NULL; i++)
        if (X509_cmp(seen, ours[i]) == 0)
            return i;
    assert_null(seen);
    return -1;
}

static void run_row(const struct row *row, int cut)
{
    struct tls_want want = { .name = BYTES("mx.example"), .presents = row->presents };
    size_t n;
    struct tls_context *clients = tls_context_new_client(BYTES_NONE, &n);
    SSL_CTX *ctx = server_new(row);
    struct ends ends = { .row = row, .server = SSL_new(ctx), .to_server = BIO_new(BIO_s_mem()),
                         .from_server = BIO_new(BIO_s_mem()) };

    for (uint32_t i = 0; i < 2; i++)
        if (row->has[i])
            assert_true(tls_context_add(clients, buffer_bytes(&chains[i]), i));
    ends.client = tls_client_new(clients, &want);
    assert_non_null(ends.client);
    tls_context_free(clients);          /* as when the settings are read anew meanwhile */
    SSL_set_bio(ends.server, ends.to_server, ends.from_server);
    SSL_set_accept_state(ends.server);
    run(&ends, cut);
    if (ends.waits) {
        assert_false(ends.opened);
    } else {
        bool well = ends.opened && !ends.failed && SSL_is_init_finished(ends.server) == 1;
        if (well != row->opened || (well && which(&ends) != row->shown)
            || (ends.asked > 0) != (row->shown >= 0 || row->signs != SIGNS)
            || tls_client_presented(ends.client) != (ends.asked > 0 && row->signs != SIGNS_NOT))
            fail_msg("%s: opened %d, shown %d, asked %u", row->what, well, which(&ends),
                     ends.asked);
    }
    tls_free(ends.client);
    SSL_free(ends.server);
    SSL_CTX_free(ctx);
    ERR_clear_error();
}

static void who_asks_is_shown_it(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        run_row(&rows[i], 4096);
        run_row(&rows[i], 7);
    }
}

static void a_name_of_a_certificate(void **state)
{
    struct bytes chain = buffer_bytes(&chains[0]);

    (void)state;
    assert_true(sign_chain_names(chain, BYTES("us.example")));
    assert_true(sign_chain_names(chain, BYTES("a.wild.example")));
    assert_false(sign_chain_names(chain, BYTES("a.b.wild.example")));
    assert_false(sign_chain_names(chain, BYTES("other.example")));
    assert_false(sign_chain_names(chain, BYTES("")));
    assert_false(sign_chain_names(chain, BYTES("us.example\0.other.example")));
    assert_false(sign_chain_names(BYTES("rubbish"), BYTES("us.example")));
    assert_false(sign_chain_names(BYTES_NONE, BYTES("us.example")));
}

static void short_memory_is_no_crash(void **state)
{
    (void)state;
    for (uint64_t at = 1; at < 200; at++) {
        size_t n;
        mem_fail_at(at);
        struct tls_context *clients = tls_context_new_client(BYTES_NONE, &n);
        if (clients != NULL)
            (void)!tls_context_add(clients, buffer_bytes(&chains[0]), 0);
        mem_fail_at(0);
        tls_context_free(clients);
    }
}

static int set_up(void **state)
{
    static const char *const us[] = { "us.example", "*.wild.example", NULL };
    static const char *const them[] = { "mx.example", NULL };
    static const enum peer_kind kinds[] = { PEER_P256, PEER_RSA };

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        EVP_PKEY *key = peer_key(kinds[i]);
        ours[i] = peer_certificate(key, us, NULL, NULL);
        keys[i] = peer_hold(key);
        chains[i] = buffer_with_most(65536);
        peer_put_pem(&chains[i], ours[i]);
        EVP_PKEY_free(key);
    }
    their_key = peer_key(PEER_P256);
    theirs = peer_certificate(their_key, them, NULL, NULL);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        X509_free(ours[i]);
        sign_key_free(keys[i]);
        buffer_done(&chains[i]);
    }
    X509_free(theirs);
    EVP_PKEY_free(their_key);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_asks_is_shown_it), cmocka_unit_test(a_name_of_a_certificate),
        cmocka_unit_test(short_memory_is_no_crash),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
