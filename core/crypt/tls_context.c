/* SPDX-License-Identifier: ISC
 *
 * What all sessions share: the rules (RFC 9325), the certificates, and who is shown which.
 */
#include "crypt/tls_int.h"

#include <string.h>

enum { CHAIN_MOST = 10, CHAIN_BYTES_MOST = 100 * 1024, RSA_BITS_LEAST = 2048 };

/* ECDHE and AEAD alone (RFC 9325, 4.2); what 1.3 has is well as it is. */
static const char suites[] =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
    "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
    "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";

/* ---- rules */

/* A client's chain: bounded first, then judged; a flaw is a fact to be noted, not a refusal. */
static int on_verify(X509_STORE_CTX *store, void *of)
{
    (void)of;
    if (sk_X509_num(X509_STORE_CTX_get0_untrusted(store)) > CHAIN_MOST) {
        X509_STORE_CTX_set_error(store, X509_V_ERR_CERT_CHAIN_TOO_LONG);
        return 0;
    }
    return X509_verify_cert(store) >= 0;
}

static bool set_rules(SSL_CTX *ctx)
{
    SSL_CTX_set_options(ctx, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION
                             | SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
    SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ASYNC);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_security_level(ctx, 2);
    SSL_CTX_set_max_cert_list(ctx, CHAIN_BYTES_MOST);
    SSL_CTX_set_verify_depth(ctx, CHAIN_MOST);
    SSL_CTX_set_cert_verify_callback(ctx, on_verify, NULL);
    SSL_CTX_set_client_hello_cb(ctx, tls_on_hello, NULL);
    SSL_CTX_set_cert_cb(ctx, tls_on_certificate, NULL);
    return SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) == 1
        && SSL_CTX_set_cipher_list(ctx, suites) == 1
        && SSL_CTX_set1_groups_list(ctx, "X25519:P-256:P-384") == 1
        && SSL_CTX_set_max_early_data(ctx, 0) == 1
        && SSL_CTX_set_num_tickets(ctx, 1) == 1
        && SSL_CTX_set_tlsext_ticket_key_evp_cb(ctx, tls_on_ticket) == 1;
}

static bool prepare(struct tls_context *context)
{
    /* Settings of the machine's openssl.cnf are not ours. */
    if (OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG, NULL) != 1)
        return false;
    context->ctx = SSL_CTX_new(TLS_server_method());
    context->bio = tls_bio_method();
    context->methods = remote_methods_new();
    context->hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    context->aes = EVP_CIPHER_fetch(NULL, "AES-256-CBC", NULL);
    return context->ctx != NULL && context->bio != NULL && context->methods != NULL
        && context->hmac != NULL && context->aes != NULL && set_rules(context->ctx);
}

struct tls_context *tls_context_new(struct bytes host)
{
    struct tls_context *context = mem_new(sizeof(*context));

    if (context == NULL)
        return NULL;
    context->users = 1;
    host = bytes_first(host, TLS_NAME_MOST);
    if (host.n > 0)
        memcpy(context->host, host.at, host.n);
    context->host_n = host.n;
    if (!prepare(context)) {
        tls_context_free(context);
        context = NULL;
    }
    ERR_clear_error();
    return context;
}

static void certificate_done(struct tls_certificate *certificate)
{
    X509_free(certificate->leaf);
    sk_X509_pop_free(certificate->above, X509_free);
    EVP_PKEY_free(certificate->key);
    buffer_done(&certificate->names);
}

void tls_context_free(struct tls_context *context)
{
    if (context == NULL || --context->users > 0)
        return;
    for (size_t i = 0; i < context->n; i++)
        certificate_done(&context->list[i]);
    SSL_CTX_free(context->ctx);
    BIO_meth_free(context->bio);
    remote_methods_free(context->methods);
    EVP_MAC_free(context->hmac);
    EVP_CIPHER_free(context->aes);
    mem_wipe(context, sizeof(*context));
    mem_free(context);
}

void tls_context_tickets(struct tls_context *context, struct bytes now, struct bytes before)
{
    context->has_now = now.n == TLS_TICKET_SECRET;
    context->has_before = before.n == TLS_TICKET_SECRET;
    if (context->has_now)
        memcpy(context->now, now.at, now.n);
    if (context->has_before)
        memcpy(context->before, before.at, before.n);
}

bool tls_context_ready(const struct tls_context *context)
{
    return context->n > 0;
}

/* ---- certificates */

static bool kind_of(EVP_PKEY *key, enum tls_key_kind *ret_kind)
{
    int bits = key == NULL ? 0 : EVP_PKEY_get_bits(key);
    char group[32];

    if (bits == 0)
        return false;
    if (EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA) {
        *ret_kind = TLS_KEY_RSA;
        return bits >= RSA_BITS_LEAST && bits <= 8192 && bits % 8 == 0;
    }
    *ret_kind = TLS_KEY_EC;
    return EVP_PKEY_get_base_id(key) == EVP_PKEY_EC
        && EVP_PKEY_get_group_name(key, group, sizeof(group), NULL) == 1
        && (strcmp(group, "prime256v1") == 0 || strcmp(group, "secp384r1") == 0);
}

/* Its names, each a block: what RFC 6125, 6.4.4, looks at first, and the common name when there is
   no other. */
static void note_names(struct tls_certificate *certificate)
{
    GENERAL_NAMES *names = X509_get_ext_d2i(certificate->leaf, NID_subject_alt_name, NULL, NULL);
    char common[TLS_NAME_MOST + 1];
    int n;

    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
        if (name->type != GEN_DNS)
            continue;
        buffer_put_block(&certificate->names,
                         (struct bytes){ (const char *)ASN1_STRING_get0_data(name->d.dNSName),
                                         (size_t)ASN1_STRING_length(name->d.dNSName) });
    }
    GENERAL_NAMES_free(names);
    if (certificate->names.n > 0)
        return;
    n = X509_NAME_get_text_by_NID(X509_get_subject_name(certificate->leaf), NID_commonName, common,
                                  sizeof(common));
    if (n > 0)
        buffer_put_block(&certificate->names, (struct bytes){ common, (size_t)n });
}

static bool read_chain(struct bytes chain, struct tls_certificate *certificate)
{
    BIO *in = BIO_new_mem_buf(chain.at, (int)chain.n);
    X509 *next;

    certificate->above = sk_X509_new_null();
    if (in == NULL || certificate->above == NULL) {
        BIO_free(in);
        return false;
    }
    certificate->leaf = PEM_read_bio_X509(in, NULL, NULL, NULL);
    while (certificate->leaf != NULL && sk_X509_num(certificate->above) < CHAIN_MOST
           && (next = PEM_read_bio_X509(in, NULL, NULL, NULL)) != NULL)
        if (!sk_X509_push(certificate->above, next))
            X509_free(next);
    BIO_free(in);
    return certificate->leaf != NULL;
}

bool tls_context_add(struct tls_context *context, struct bytes chain, uint32_t key)
{
    struct tls_certificate certificate = { .names = buffer_with_most(1024 * 1024) };
    bool added = false;

    if (context->n < TLS_CERTIFICATES_MOST && chain.n <= INT32_MAX
        && read_chain(chain, &certificate)
        && kind_of(X509_get0_pubkey(certificate.leaf), &certificate.kind)) {
        note_names(&certificate);
        certificate.key = remote_key_new(context, X509_get0_pubkey(certificate.leaf), key);
        added = certificate.key != NULL && !certificate.names.bad;
    }
    if (added)
        context->list[context->n++] = certificate;
    else
        certificate_done(&certificate);
    ERR_clear_error();
    return added;
}

bool tls_context_trust(struct tls_context *context, struct bytes authority)
{
    BIO *in = BIO_new_mem_buf(authority.at, (int)bytes_first(authority, INT32_MAX).n);
    X509 *one = in == NULL ? NULL : PEM_read_bio_X509(in, NULL, NULL, NULL);
    bool done = one != NULL && X509_STORE_add_cert(SSL_CTX_get_cert_store(context->ctx), one) == 1
             && SSL_CTX_add_client_CA(context->ctx, one) == 1;

    if (done)
        SSL_CTX_set_verify(context->ctx, SSL_VERIFY_PEER, NULL);
    X509_free(one);
    BIO_free(in);
    ERR_clear_error();
    return done;
}

/* ---- who is shown which */

/* "*.example.org" stands for one label before ".example.org". */
static bool is_under(struct bytes name, struct bytes pattern)
{
    size_t dot = bytes_find(name, '.');

    return pattern.n > 2 && pattern.at[0] == '*' && pattern.at[1] == '.' && dot > 0
        && bytes_equal_nocase(bytes_skip(name, dot), bytes_skip(pattern, 1));
}

static bool has_name(const struct tls_certificate *certificate, struct bytes name, bool wildcards)
{
    struct reader in = reader_of(buffer_bytes(&certificate->names));

    while (!reader_empty(&in) && reader_ok(&in)) {
        struct bytes one = read_block(&in);
        if (wildcards ? is_under(name, one) : bytes_equal_nocase(name, one))
            return true;
    }
    return false;
}

static bool choose_named(const struct tls_context *context, struct bytes name,
                         const struct tls_certificate *ret_list[TLS_KEY_KINDS])
{
    bool found = false;

    if (bytes_ends(name, BYTES(".")))
        name.n--;
    for (unsigned wild = 0; wild < 2 && name.n > 0; wild++)
        for (size_t i = 0; i < context->n; i++) {
            const struct tls_certificate *one = &context->list[i];
            if (ret_list[one->kind] == NULL && has_name(one, name, wild == 1)) {
                ret_list[one->kind] = one;
                found = true;
            }
        }
    return found;
}

bool tls_choose(const struct tls_context *context, struct bytes name,
                const struct tls_certificate *ret_list[TLS_KEY_KINDS])
{
    memset(ret_list, 0, TLS_KEY_KINDS * sizeof(*ret_list));
    if (choose_named(context, name, ret_list))
        return true;
    if (choose_named(context, (struct bytes){ context->host, context->host_n }, ret_list)
        || context->n == 0)
        return false;
    struct reader in = reader_of(buffer_bytes(&context->list[0].names));
    if (!choose_named(context, read_block(&in), ret_list))
        ret_list[context->list[0].kind] = &context->list[0];
    return false;
}

bool tls_context_serves(const struct tls_context *context, struct bytes name)
{
    const struct tls_certificate *list[TLS_KEY_KINDS];

    return tls_choose(context, name, list);
}
