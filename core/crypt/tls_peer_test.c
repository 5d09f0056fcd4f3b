/* SPDX-License-Identifier: ISC */
#include "crypt/tls_peer_int.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* ---- certificates */

EVP_PKEY *peer_key(enum peer_kind kind)
{
    EVP_PKEY *key = kind == PEER_P256 ? EVP_EC_gen("P-256")
                  : kind == PEER_P384 ? EVP_EC_gen("P-384") : EVP_RSA_gen(2048);

    assert_non_null(key);
    return key;
}

static void add_names(X509 *x509, const char *const *names)
{
    GENERAL_NAMES *list = GENERAL_NAMES_new();

    for (; *names != NULL; names++) {
        GENERAL_NAME *name = GENERAL_NAME_new();
        ASN1_IA5STRING *text = ASN1_IA5STRING_new();
        ASN1_STRING_set(text, *names, -1);
        GENERAL_NAME_set0_value(name, GEN_DNS, text);
        sk_GENERAL_NAME_push(list, name);
    }
    assert_int_equal(X509_add1_ext_i2d(x509, NID_subject_alt_name, list, 0, 0), 1);
    GENERAL_NAMES_free(list);
}

X509 *peer_certificate(EVP_PKEY *key, const char *const *names, X509 *above, EVP_PKEY *above_key)
{
    X509 *x509 = X509_new();
    X509_NAME *name = X509_get_subject_name(x509);
    BASIC_CONSTRAINTS *may_sign = BASIC_CONSTRAINTS_new();

    X509_set_version(x509, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(x509), 7);
    X509_NAME_add_entry_by_NID(name, NID_commonName, MBSTRING_UTF8, (const unsigned char *)names[0],
                               -1, -1, 0);
    X509_set_issuer_name(x509, above == NULL ? name : X509_get_subject_name(above));
    X509_gmtime_adj(X509_getm_notBefore(x509), -60);
    X509_gmtime_adj(X509_getm_notAfter(x509), 3600);
    X509_set_pubkey(x509, key);
    add_names(x509, names);
    may_sign->ca = 0xFF;
    X509_add1_ext_i2d(x509, NID_basic_constraints, may_sign, 1, 0);
    BASIC_CONSTRAINTS_free(may_sign);
    assert_true(X509_sign(x509, above_key == NULL ? key : above_key, EVP_sha256()) > 0);
    return x509;
}

void peer_put_pem(struct buffer *to, X509 *x509)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *at;

    PEM_write_bio_X509(bio, x509);
    long n = BIO_get_mem_data(bio, &at);
    buffer_put(to, (struct bytes){ at, (size_t)n });
    BIO_free(bio);
}

struct sign_key *peer_hold(EVP_PKEY *key)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *at;

    PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL);
    long n = BIO_get_mem_data(bio, &at);
    struct sign_key *held = sign_key_read((struct bytes){ at, (size_t)n });
    BIO_free(bio);
    return held;
}

void holder_add(struct holder *holder, struct tls_context *context, enum peer_kind kind,
                const char *const *names)
{
    struct buffer pem = buffer_with_most(65536);
    EVP_PKEY *key = peer_key(kind);
    X509 *x509 = peer_certificate(key, names, NULL, NULL);

    assert_true(holder->n < PEER_KEYS);
    peer_put_pem(&pem, x509);
    holder->keys[holder->n] = peer_hold(key);
    assert_non_null(holder->keys[holder->n]);
    assert_true(sign_key_fits(holder->keys[holder->n], buffer_bytes(&pem)));
    assert_true(tls_context_add(context, buffer_bytes(&pem), holder->n));
    holder->n++;
    X509_free(x509);
    EVP_PKEY_free(key);
    buffer_done(&pem);
}

void holder_done(struct holder *holder)
{
    for (uint32_t i = 0; i < holder->n; i++)
        sign_key_free(holder->keys[i]);
}

/* ---- two ends */

SSL_CTX *client_new(int version, const char *suites)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());

    assert_non_null(ctx);
    SSL_CTX_set_security_level(ctx, 0);
    if (version != 0) {
        SSL_CTX_set_min_proto_version(ctx, version);
        SSL_CTX_set_max_proto_version(ctx, version);
    }
    if (suites != NULL)
        SSL_CTX_set_cipher_list(ctx, suites);
    return ctx;
}

struct pair pair_new(struct tls_context *context, struct holder *holder, SSL_CTX *ctx,
                     const char *name, uint32_t listener)
{
    struct pair pair = { .holder = holder, .got = buffer_with_most(64 * 1024 * 1024) };

    pair.server = tls_new(context, listener);
    pair.client = SSL_new(ctx);
    pair.from_server = BIO_new(BIO_s_mem());
    pair.from_client = BIO_new(BIO_s_mem());
    assert_non_null(pair.server);
    SSL_set_bio(pair.client, pair.from_server, pair.from_client);
    SSL_set_connect_state(pair.client);
    if (name != NULL)
        SSL_set_tlsext_host_name(pair.client, name);
    return pair;
}

void pair_done(struct pair *pair)
{
    SSL_free(pair->client);
    tls_free(pair->server);
    buffer_done(&pair->got);
    ERR_clear_error();
}

static void answer(struct pair *pair)
{
    struct tls_keyop keyop = tls_keyop(pair->server);
    struct buffer signature = buffer_with_most(SIGNATURE_MOST);

    assert_true(keyop.key < pair->holder->n);
    pair->holder->asked++;
    pair->holder->scheme = keyop.scheme;
    if (!pair->holder->refuses)
        assert_true(sign_key_sign(pair->holder->keys[keyop.key], keyop.scheme, keyop.tbs,
                                  &signature));
    tls_key_answer(pair->server, buffer_bytes(&signature));
    buffer_done(&signature);
}

static void gather(struct pair *pair)
{
    struct bytes cipher = tls_cipher(pair->server);

    if (cipher.n > 0)
        BIO_write(pair->from_server, cipher.at, (int)cipher.n);
    tls_cipher_sent(pair->server);
    buffer_put(&pair->got, tls_plain(pair->server));
    tls_plain_taken(pair->server);
}

void pair_feed(struct pair *pair, struct bytes in)
{
    for (unsigned i = 0; i < 16; i++) {
        enum tls_said said = tls_step(pair->server, in);
        in = BYTES_NONE;
        gather(pair);
        if (said == TLS_KEYOP)
            answer(pair);
        pair->opened = pair->opened || said == TLS_OPENED;
        pair->closed = pair->closed || said == TLS_CLOSED;
        pair->failed = pair->failed || said == TLS_FAILED;
        if (said != TLS_KEYOP && said != TLS_OPENED)
            return;
    }
    fail_msg("it never says TLS_MORE");
}

static void move_client(struct pair *pair)
{
    char octet;

    if (SSL_in_init(pair->client))
        SSL_do_handshake(pair->client);
    else
        (void)SSL_peek(pair->client, &octet, 1);      /* tickets, alerts */
    ERR_clear_error();
}

void pair_run(struct pair *pair, size_t cut)
{
    char octets[4096];
    int n;

    for (unsigned rounds = 0; rounds < 100000; rounds++) {
        move_client(pair);
        n = BIO_read(pair->from_client, octets,
                     (int)(cut < sizeof(octets) ? cut : sizeof(octets)));
        if (n <= 0)
            return;
        pair_feed(pair, (struct bytes){ octets, (size_t)n });
    }
}

bool pair_shown(const struct pair *pair, const char *name)
{
    X509 *shown = SSL_get0_peer_certificate(pair->client);

    return shown != NULL
        && X509_check_host(shown, name, 0, X509_CHECK_FLAG_NO_WILDCARDS, NULL) == 1;
}

bool pair_shown_rsa(const struct pair *pair)
{
    X509 *shown = SSL_get0_peer_certificate(pair->client);

    return shown != NULL && EVP_PKEY_get_base_id(X509_get0_pubkey(shown)) == EVP_PKEY_RSA;
}
