/* SPDX-License-Identifier: ISC
 *
 * The side that dials. One SSL_CTX for all; what a session wants of its server is set on the
 * session. Judging a chain is OpenSSL's (X509_verify_cert with SSL_dane_*), its result is ours to
 * read: with `must` it ends the handshake, without it is a fact.
 */
#include "crypt/tls_int.h"

#include <string.h>

enum { CHAIN_MOST = 10, CHAIN_BYTES_MOST = 100 * 1024, AUTHORITIES_MOST = 2000 };

/* ---- the context */

static struct tls *session_of(X509_STORE_CTX *store)
{
    SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());

    return ssl == NULL ? NULL : SSL_get_app_data(ssl);
}

static enum tls_trouble trouble_of(int error)
{
    switch (error) {
    case X509_V_OK: return TLS_TROUBLE_NONE;
    case X509_V_ERR_CERT_HAS_EXPIRED: case X509_V_ERR_CERT_NOT_YET_VALID:
        return TLS_TROUBLE_EXPIRED;
    case X509_V_ERR_HOSTNAME_MISMATCH: return TLS_TROUBLE_NAME;
    case X509_V_ERR_DANE_NO_MATCH: return TLS_TROUBLE_TLSA;
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT: case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT: case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE: case X509_V_ERR_CERT_UNTRUSTED:
        return TLS_TROUBLE_UNTRUSTED;
    }
    return TLS_TROUBLE_OTHER;
}

static void note_verdict(struct tls *tls, int error)
{
    tls->verdict = (struct tls_verdict){
        .proved = error == X509_V_OK && tls->proof != TLS_PROVE_NOTHING,
        .trouble = trouble_of(error),
        .words = error == X509_V_OK ? "" : X509_verify_cert_error_string(error),
        .depth = -1,
    };
}

static int on_verify(X509_STORE_CTX *store, void *of)
{
    struct tls *tls = session_of(store);
    int error = X509_V_ERR_CERT_CHAIN_TOO_LONG;

    (void)of;
    if (tls == NULL)
        return 0;
    if (sk_X509_num(X509_STORE_CTX_get0_untrusted(store)) <= CHAIN_MOST) {
        (void)X509_verify_cert(store);
        error = X509_STORE_CTX_get_error(store);
    }
    X509_STORE_CTX_set_error(store, error);
    note_verdict(tls, error);
    return error == X509_V_OK || !tls->must;
}

static int on_session(SSL *ssl, SSL_SESSION *session)
{
    struct tls *tls = SSL_get_app_data(ssl);
    int n = i2d_SSL_SESSION(session, NULL);

    buffer_clear(&tls->ticket);
    unsigned char *at = n <= 0 ? NULL : (unsigned char *)buffer_grow(&tls->ticket, (size_t)n);
    if (at != NULL)
        (void)i2d_SSL_SESSION(session, &at);
    return 0;
}

/* RFC 9325: nothing below TLS 1.2. A peer with an old key or an old cipher suite is still better
   spoken with than in clear; a session that wants a proof is strict (set_up). */
static bool set_rules(SSL_CTX *ctx)
{
    SSL_CTX_set_options(ctx, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
    SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(ctx, on_session);
    SSL_CTX_set_max_cert_list(ctx, CHAIN_BYTES_MOST);
    SSL_CTX_set_verify_depth(ctx, CHAIN_MOST);
    SSL_CTX_set_cert_verify_callback(ctx, on_verify, NULL);
    SSL_CTX_set_cert_cb(ctx, tls_on_asked, NULL);
    return SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) == 1
        && SSL_CTX_set_cipher_list(ctx, "DEFAULT:!aNULL:!eNULL:!3DES:!SEED:!IDEA:!RC4") == 1
        && SSL_CTX_set1_groups_list(ctx, "X25519:P-256:P-384:P-521") == 1
        && SSL_CTX_dane_enable(ctx) > 0;
}

static size_t add_authorities(SSL_CTX *ctx, struct bytes pem)
{
    X509_STORE *store = SSL_CTX_get_cert_store(ctx);
    BIO *bio = pem.n > INT32_MAX ? NULL : BIO_new_mem_buf(pem.at, (int)pem.n);
    size_t n = 0;

    for (size_t i = 0; bio != NULL && i < AUTHORITIES_MOST; i++) {
        X509 *authority = PEM_read_bio_X509(bio, NULL, NULL, NULL);
        if (authority == NULL && ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE)
            break;
        ERR_clear_error();
        n += authority != NULL && X509_STORE_add_cert(store, authority) == 1;
        X509_free(authority);
    }
    BIO_free(bio);
    ERR_clear_error();
    return n;
}

struct tls_context *tls_context_new_client(struct bytes authorities, size_t *ret_n)
{
    struct tls_context *context = mem_new(sizeof(*context));

    if (context == NULL)
        return NULL;
    context->users = 1;
    if (OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG, NULL) == 1) {
        context->ctx = SSL_CTX_new(TLS_client_method());
        context->bio = tls_bio_method();
        context->methods = remote_methods_new();
    }
    if (context->ctx == NULL || context->bio == NULL || context->methods == NULL
        || !set_rules(context->ctx)) {
        ERR_clear_error();
        tls_context_free(context);
        return NULL;
    }
    *ret_n = add_authorities(context->ctx, authorities);
    return context;
}

/* ---- TLSA records */

/* Is it one that OpenSSL may see at all? What else is wrong with its data it says itself. */
static bool is_for_mail(struct bytes record)
{
    return record.n > 3 && (record.at[0] == 2 || record.at[0] == 3) && octet(record.at[1]) <= 1
        && octet(record.at[2]) <= 2;
}

static bool is_usable(struct bytes record)
{
    static const size_t digest[] = { [1] = 32, [2] = 64 };
    const unsigned char *at = (const unsigned char *)record.at + 3;
    long n = (long)record.n - 3;
    bool well = is_for_mail(record);

    if (!well || record.at[2] != 0)
        return well && record.n - 3 == digest[octet(record.at[2])];
    if (record.at[1] == 0) {
        X509 *whole = d2i_X509(NULL, &at, n);
        well = whole != NULL;
        X509_free(whole);
    } else {
        EVP_PKEY *key = d2i_PUBKEY(NULL, &at, n);
        well = key != NULL;
        EVP_PKEY_free(key);
    }
    ERR_clear_error();
    return well && at == (const unsigned char *)record.at + record.n;
}

size_t tls_tlsa_usable(const struct bytes *tlsa, size_t n)
{
    size_t usable = 0;

    for (size_t i = 0; i < n; i++)
        usable += is_usable(tlsa[i]);
    return usable;
}

static bool add_records(SSL *ssl, const struct tls_want *want)
{
    size_t added = 0;

    for (size_t i = 0; i < want->tlsa_n; i++) {
        struct bytes one = want->tlsa[i];
        if (!is_usable(one))
            continue;
        int said = SSL_dane_tlsa_add(ssl, octet(one.at[0]), octet(one.at[1]), octet(one.at[2]),
                                     (const unsigned char *)one.at + 3, one.n - 3);
        if (said < 0)
            return false;
        added += said > 0;
    }
    return added > 0;
}

/* ---- a session */

/* A name as C wants it; false when it has a NUL or is too long. */
static bool name_text(struct bytes name, char ret_text[static TLS_NAME_MOST + 1])
{
    if (name.n == 0 || name.n > TLS_NAME_MOST || bytes_find(name, '\0') != name.n)
        return false;
    memcpy(ret_text, name.at, name.n);
    ret_text[name.n] = '\0';
    return true;
}

static bool set_names(SSL *ssl, const struct tls_want *want)
{
    char name[TLS_NAME_MOST + 1];
    unsigned flags = X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS;

    /* RFC 8461, 4.2: only the names of the certificate's extension count. */
    if (want->proof == TLS_PROVE_NAME)
        flags |= X509_CHECK_FLAG_NEVER_CHECK_SUBJECT;
    SSL_set_hostflags(ssl, flags);
    if (!name_text(want->name, name))
        return want->proof == TLS_PROVE_NOTHING;
    if (want->proof == TLS_PROVE_DANE ? SSL_dane_enable(ssl, name) != 1
                                      : SSL_set_tlsext_host_name(ssl, name) != 1
                                        || SSL_set1_host(ssl, name) != 1)
        return false;
    for (size_t i = 0; i < want->more_n; i++)
        if (name_text(want->more[i], name) && SSL_add1_host(ssl, name) != 1)
            return false;
    return true;
}

/* A ticket that does not read is as none. */
static void set_ticket(SSL *ssl, struct bytes ticket)
{
    const unsigned char *at = (const unsigned char *)ticket.at;
    SSL_SESSION *session = ticket.n == 0 ? NULL : d2i_SSL_SESSION(NULL, &at, (long)ticket.n);

    if (session != NULL)
        (void)SSL_set_session(ssl, session);
    SSL_SESSION_free(session);
    ERR_clear_error();
}

static bool set_up(struct tls *tls, const struct tls_want *want)
{
    X509_VERIFY_PARAM *param = SSL_get0_param(tls->ssl);
    bool strict = want->proof != TLS_PROVE_NOTHING && want->must;

    tls->proof = want->proof;
    tls->must = strict;
    tls->presents = want->presents;
    X509_VERIFY_PARAM_set_time(param, (time_t)(want->now_ms / 1000));
    SSL_set_security_level(tls->ssl, strict ? 2 : 1);
    SSL_set_verify(tls->ssl, strict ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, NULL);
    if (!set_names(tls->ssl, want))
        return false;
    if (want->proof == TLS_PROVE_DANE) {
        SSL_dane_set_flags(tls->ssl, DANE_FLAG_NO_DANE_EE_NAMECHECKS);
        if (!add_records(tls->ssl, want))
            return false;
    }
    set_ticket(tls->ssl, want->ticket);
    SSL_set_connect_state(tls->ssl);
    return true;
}

struct tls *tls_client_new(struct tls_context *context, const struct tls_want *want)
{
    struct tls *tls = tls_begin(context);

    if (tls == NULL)
        return NULL;
    if (!set_up(tls, want)) {
        tls_free(tls);
        tls = NULL;
    }
    ERR_clear_error();
    return tls;
}

struct bytes tls_client_ticket(const struct tls *tls)
{
    return tls->ticket.bad ? BYTES_NONE : buffer_bytes(&tls->ticket);
}

/* ---- the verdict */

void tls_client_note(struct tls *tls)
{
    /* A session that goes on after another was proved with that one (tls_want.ticket). */
    if (tls->facts.resumed)
        note_verdict(tls, (int)SSL_get_verify_result(tls->ssl));
    else if (tls->proof == TLS_PROVE_DANE && tls->verdict.proved)
        tls->verdict.depth = SSL_get0_dane_authority(tls->ssl, NULL, NULL);
}

struct tls_verdict tls_client_verdict(const struct tls *tls)
{
    return tls->verdict;
}

const char *tls_trouble_name(enum tls_trouble trouble)
{
    switch (trouble) {
    case TLS_TROUBLE_NONE: return "";
    case TLS_TROUBLE_EXPIRED: return "certificate-expired";
    case TLS_TROUBLE_NAME: return "certificate-host-mismatch";
    case TLS_TROUBLE_UNTRUSTED: return "certificate-not-trusted";
    case TLS_TROUBLE_TLSA: case TLS_TROUBLE_OTHER: break;
    }
    return "validation-failure";
}

static STACK_OF(X509) *read_chain(struct bytes pem)
{
    STACK_OF(X509) *chain = sk_X509_new_null();
    BIO *bio = pem.n > INT32_MAX ? NULL : BIO_new_mem_buf(pem.at, (int)pem.n);
    X509 *one;

    while (chain != NULL && bio != NULL && sk_X509_num(chain) <= CHAIN_MOST
           && (one = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL)
        if (sk_X509_push(chain, one) <= 0)
            X509_free(one);
    BIO_free(bio);
    ERR_clear_error();
    return chain;
}

/* As OpenSSL does it in a handshake. */
static bool judge(struct tls *tls, STACK_OF(X509) *chain, X509_STORE_CTX *store)
{
    X509_STORE *authorities = SSL_CTX_get_cert_store(tls->context->ctx);

    if (chain == NULL || store == NULL || sk_X509_num(chain) == 0
        || X509_STORE_CTX_init(store, authorities, sk_X509_value(chain, 0), chain) != 1
        || X509_STORE_CTX_set_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx(), tls->ssl) != 1)
        return false;
    X509_STORE_CTX_set_default(store, "ssl_server");
    if (X509_VERIFY_PARAM_set1(X509_STORE_CTX_get0_param(store), SSL_get0_param(tls->ssl)) != 1)
        return false;
    if (tls->proof == TLS_PROVE_DANE)
        X509_STORE_CTX_set0_dane(store, SSL_get0_dane(tls->ssl));
    (void)on_verify(store, NULL);
    SSL_set_verify_result(tls->ssl, X509_STORE_CTX_get_error(store));
    tls_client_note(tls);
    return true;
}

struct tls_verdict tls_client_judge(struct tls *tls, struct bytes pem)
{
    STACK_OF(X509) *chain = read_chain(pem);
    X509_STORE_CTX *store = X509_STORE_CTX_new();

    if (!judge(tls, chain, store))
        tls->verdict = (struct tls_verdict){ .trouble = TLS_TROUBLE_OTHER, .depth = -1,
                                             .words = "no certificate" };
    X509_STORE_CTX_free(store);
    sk_X509_pop_free(chain, X509_free);
    ERR_clear_error();
    return tls->verdict;
}
