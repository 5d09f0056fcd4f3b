/* SPDX-License-Identifier: ISC
 *
 * Certificates that servers had better not show, each in a whole handshake: with a proof wanted it
 * fails for the right reason (RFC 8460, 4.3); without one the session is only enciphered.
 */
#include "crypt/tls_client.h"

#include "crypt/tls_peer_int.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

enum { HOUR_S = 3600, LEVELS = 8, PIECE = 64 * 1024 };

static EVP_PKEY *root_key;
static X509 *root;
static uint64_t now_ms;

/* ---- certificates */

struct made {
    const char *what;
    const char *name;               /* DNS name in it, `name_n` octets or up to its NUL */
    size_t name_n;
    long from_s, until_s;           /* from now; 0: an hour */
    const EVP_MD *(*digest)(void);  /* NULL: SHA-256 */
    unsigned rsa_bits;              /* 0: P-256 */
    bool own_issuer;
    const char *constraint;         /* on the authority between */
    void (*more)(X509 *x509);
    bool proved, opens;             /* with a proof wanted; with none */
    enum tls_trouble trouble;
};

static void add_name(X509 *x509, const char *text, size_t n, int type)
{
    GENERAL_NAMES *list = X509_get_ext_d2i(x509, NID_subject_alt_name, NULL, NULL);
    GENERAL_NAME *name = GENERAL_NAME_new();
    ASN1_STRING *value = type == GEN_DNS ? ASN1_IA5STRING_new() : ASN1_OCTET_STRING_new();

    if (list == NULL)
        list = GENERAL_NAMES_new();
    ASN1_STRING_set(value, text, (int)n);
    GENERAL_NAME_set0_value(name, type, value);
    sk_GENERAL_NAME_push(list, name);
    assert_int_equal(X509_add1_ext_i2d(x509, NID_subject_alt_name, list, 0, X509V3_ADD_REPLACE), 1);
    GENERAL_NAMES_free(list);
}

static void add_text(X509 *x509, int nid, const char *text)
{
    CONF *conf = NCONF_new(NULL);
    X509V3_CTX context;

    X509V3_set_ctx(&context, NULL, x509, NULL, NULL, 0);
    X509V3_set_nconf(&context, conf);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, text);
    assert_non_null(extension);
    X509_add_ext(x509, extension, -1);
    X509_EXTENSION_free(extension);
    NCONF_free(conf);
}

static X509 *begin(EVP_PKEY *key, const char *subject, X509 *above)
{
    X509 *x509 = X509_new();

    X509_set_version(x509, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(x509), 9);
    X509_NAME_add_entry_by_NID(X509_get_subject_name(x509), NID_commonName, MBSTRING_UTF8,
                               (const unsigned char *)subject, -1, -1, 0);
    X509_set_issuer_name(x509, X509_get_subject_name(above == NULL ? x509 : above));
    X509_gmtime_adj(X509_getm_notBefore(x509), -HOUR_S);
    X509_gmtime_adj(X509_getm_notAfter(x509), HOUR_S);
    X509_set_pubkey(x509, key);
    return x509;
}

static X509 *authority(EVP_PKEY *key, const char *subject, X509 *above, EVP_PKEY *above_key,
                       const char *constraint)
{
    X509 *x509 = begin(key, subject, above);

    add_text(x509, NID_basic_constraints, "critical,CA:TRUE");
    if (constraint != NULL)
        add_text(x509, NID_name_constraints, constraint);
    assert_true(X509_sign(x509, above_key == NULL ? key : above_key, EVP_sha256()) > 0);
    return x509;
}

static X509 *leaf(const struct made *made, EVP_PKEY *key, X509 *above, EVP_PKEY *above_key)
{
    X509 *x509 = begin(key, "leaf", made->own_issuer ? NULL : above);

    if (made->from_s != 0)
        X509_gmtime_adj(X509_getm_notBefore(x509), made->from_s);
    if (made->until_s != 0)
        X509_gmtime_adj(X509_getm_notAfter(x509), made->until_s);
    if (made->name != NULL)
        add_name(x509, made->name, made->name_n > 0 ? made->name_n : strlen(made->name), GEN_DNS);
    if (made->more != NULL)
        made->more(x509);
    assert_true(X509_sign(x509, made->own_issuer ? key : above_key,
                          made->digest == NULL ? EVP_sha256() : made->digest()) > 0);
    return x509;
}

static void an_address(X509 *x509) { add_name(x509, "\xc0\0\2\1", 4, GEN_IPADD); }

/* TLS-005 */
static void a_thousand_names(X509 *x509)
{
    GENERAL_NAMES *list = GENERAL_NAMES_new();

    for (int i = 0; i < 1000; i++) {
        char text[] = "n000.example";
        text[1] = (char)('0' + i / 100);
        text[2] = (char)('0' + i / 10 % 10);
        text[3] = (char)('0' + i % 10);
        GENERAL_NAME *name = GENERAL_NAME_new();
        ASN1_IA5STRING *value = ASN1_IA5STRING_new();
        ASN1_STRING_set(value, text, -1);
        GENERAL_NAME_set0_value(name, GEN_DNS, value);
        sk_GENERAL_NAME_push(list, name);
    }
    X509_add1_ext_i2d(x509, NID_subject_alt_name, list, 0, X509V3_ADD_REPLACE);
    GENERAL_NAMES_free(list);
    add_name(x509, "mx.example", 10, GEN_DNS);
}

static void add_octets(X509 *x509, size_t oid_n, size_t n)
{
    static unsigned char octets[1 << 20];
    ASN1_OBJECT *oid = oid_n == 0 ? OBJ_txt2obj("1.2.3.4.5.6", 1)
                                  : ASN1_OBJECT_create(0, NULL, 0, NULL, NULL);
    ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();

    memset(octets, 0x81, sizeof(octets));
    octets[0] = 0x2A;
    if (oid_n > 0) {
        octets[oid_n - 1] = 1;
        ASN1_OBJECT_free(oid);
        oid = ASN1_OBJECT_create(0, octets, (int)oid_n, NULL, NULL);
    }
    ASN1_OCTET_STRING_set(value, octets, (int)n);
    X509_EXTENSION *extension = X509_EXTENSION_create_by_OBJ(NULL, oid, 0, value);
    assert_non_null(extension);
    X509_add_ext(x509, extension, -1);
    X509_EXTENSION_free(extension);
    ASN1_OCTET_STRING_free(value);
    ASN1_OBJECT_free(oid);
}

static void a_megabyte(X509 *x509) { add_octets(x509, 0, 1 << 20); }
static void a_huge_oid(X509 *x509) { add_octets(x509, 30000, 4); }

static const struct made rows[] = {
    /* CLI-013 */
    { "good", "mx.example", .proved = true, .opens = true },
    { "expired", "mx.example", .from_s = -2 * HOUR_S, .until_s = -HOUR_S, .opens = true,
      .trouble = TLS_TROUBLE_EXPIRED },
    { "of tomorrow", "mx.example", .from_s = HOUR_S, .until_s = 2 * HOUR_S, .opens = true,
      .trouble = TLS_TROUBLE_EXPIRED },
    { "another name", "mx.example.org", .opens = true, .trouble = TLS_TROUBLE_NAME },
    { "by itself", "mx.example", .own_issuer = true, .opens = true,
      .trouble = TLS_TROUBLE_UNTRUSTED },
    { "a wildcard for all of a top domain", "*.example", .opens = true,
      .trouble = TLS_TROUBLE_NAME },
    { "a wildcard for all", "*", .opens = true, .trouble = TLS_TROUBLE_NAME },
    { "a NUL in the name", "mx.example\0.evil.test", .name_n = 21, .opens = true,
      .trouble = TLS_TROUBLE_NAME },
    { "an address alone", NULL, .more = an_address, .opens = true, .trouble = TLS_TROUBLE_NAME },
    { "no name at all", NULL, .opens = true, .trouble = TLS_TROUBLE_NAME },
    { "a name that its authority may not give", "mx.example",
      .constraint = "critical,permitted;DNS:example.org", .opens = true,
      .trouble = TLS_TROUBLE_OTHER },
    { "a name that its authority may give", "mx.example",
      .constraint = "critical,permitted;DNS:example", .opens = true, .proved = true },
    { "signed by way of SHA-1", "mx.example", .digest = EVP_sha1, .opens = true,
      .trouble = TLS_TROUBLE_OTHER },
    { "RSA of 1024 bits", "mx.example", .rsa_bits = 1024, .opens = true,
      .trouble = TLS_TROUBLE_OTHER },
    /* TLS-005 */
    { "a thousand names and ours", NULL, .more = a_thousand_names, .opens = true, .proved = true },
    { "an extension of a megabyte", "mx.example", .more = a_megabyte },
    { "an OID of 30,000 octets", "mx.example", .more = a_huge_oid, .opens = true, .proved = true },
};

/* ---- a server of OpenSSL's own, and a session of ours */

struct ends {
    SSL_CTX *ctx;
    SSL *server;
    BIO *in, *out;
    struct tls *client;
    enum tls_said said;
    bool opened;
};

static bool turn(struct ends *ends)
{
    char part[PIECE];
    struct bytes ours = tls_cipher(ends->client);
    bool any = ours.n > 0;

    if (any)
        BIO_write(ends->in, ours.at, (int)ours.n);
    tls_cipher_sent(ends->client);
    (void)SSL_do_handshake(ends->server);
    ERR_clear_error();
    for (int n; (n = BIO_read(ends->out, part, sizeof(part))) > 0; any = true) {
        ends->said = tls_step(ends->client, (struct bytes){ part, (size_t)n });
        ends->opened = ends->opened || ends->said == TLS_OPENED;
    }
    return any;
}

static int on_status(SSL *ssl, void *of)
{
    (void)ssl;
    *(bool *)of = true;
    return SSL_TLSEXT_ERR_NOACK;
}

/* What came of it; the session is over. */
static struct tls_verdict shake(SSL_CTX *ctx, enum tls_proof proof, bool *ret_opened,
                                bool *ret_staple)
{
    struct buffer pem = buffer_with_most(PIECE);
    size_t n;

    peer_put_pem(&pem, root);
    struct tls_context *clients = tls_context_new_client(buffer_bytes(&pem), &n);
    struct tls_want want = { .proof = proof, .must = true, .name = BYTES("mx.example"),
                             .now_ms = now_ms };
    struct ends ends = { .ctx = ctx, .server = SSL_new(ctx), .in = BIO_new(BIO_s_mem()),
                         .out = BIO_new(BIO_s_mem()), .client = tls_client_new(clients, &want) };
    SSL_CTX_set_tlsext_status_cb(ctx, on_status);
    SSL_CTX_set_tlsext_status_arg(ctx, ret_staple);
    SSL_set_bio(ends.server, ends.in, ends.out);
    SSL_set_accept_state(ends.server);
    ends.said = tls_step(ends.client, BYTES_NONE);
    for (unsigned i = 0; i < 50 && turn(&ends); i++)
        ;
    struct tls_verdict verdict = tls_client_verdict(ends.client);
    *ret_opened = ends.opened;
    SSL_free(ends.server);
    tls_free(ends.client);
    tls_context_free(clients);
    buffer_done(&pem);
    ERR_clear_error();
    return verdict;
}

static SSL_CTX *server_with(X509 *own, EVP_PKEY *key, STACK_OF(X509) *above)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());

    SSL_CTX_set_security_level(ctx, 0);
    assert_int_equal(SSL_CTX_use_certificate(ctx, own), 1);
    assert_int_equal(SSL_CTX_use_PrivateKey(ctx, key), 1);
    for (int i = 0; i < sk_X509_num(above); i++)
        SSL_CTX_add1_chain_cert(ctx, sk_X509_value(above, i));
    return ctx;
}

static void run_row(const struct made *made)
{
    EVP_PKEY *key = made->rsa_bits > 0 ? EVP_RSA_gen(made->rsa_bits) : peer_key(PEER_P256);
    EVP_PKEY *between_key = peer_key(PEER_P256);
    X509 *between = authority(between_key, "between", root, root_key, made->constraint);
    X509 *own = leaf(made, key, between, between_key);
    STACK_OF(X509) *above = sk_X509_new_null();
    bool opened, staple = false;

    sk_X509_push(above, between);
    SSL_CTX *ctx = server_with(own, key, above);
    struct tls_verdict verdict = shake(ctx, TLS_PROVE_NAME, &opened, &staple);
    if (opened != made->proved || verdict.proved != made->proved
        || verdict.trouble != made->trouble)
        fail_msg("%s: opened %d, proved %d, trouble %d (%s)", made->what, opened, verdict.proved,
                 verdict.trouble, verdict.words);
    (void)shake(ctx, TLS_PROVE_NOTHING, &opened, &staple);
    if (opened != made->opens)
        fail_msg("%s: unproved it opened: %d", made->what, opened);
    assert_false(staple);               /* TLS-008: none is asked for, so none is read */
    sk_X509_free(above);
    X509_free(own);
    X509_free(between);
    EVP_PKEY_free(key);
    EVP_PKEY_free(between_key);
    SSL_CTX_free(ctx);
}

static void certificates_of_all_kinds(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        run_row(&rows[i]);
}

/* TLS-005 (CVE-2023-0464): each authority of many has policies, and maps them to others. */
static void a_tree_of_policies_has_an_end(void **state)
{
    const struct made plain = { .name = "mx.example" };
    EVP_PKEY *keys[LEVELS + 1] = { root_key };
    X509 *list[LEVELS + 1] = { root };
    STACK_OF(X509) *above = sk_X509_new_null();
    bool opened, staple = false;

    (void)state;
    for (unsigned i = 1; i <= LEVELS; i++) {
        char subject[] = "level 0";
        subject[6] = (char)('0' + i);
        keys[i] = peer_key(PEER_P256);
        list[i] = begin(keys[i], subject, list[i - 1]);
        add_text(list[i], NID_basic_constraints, "critical,CA:TRUE");
        add_text(list[i], NID_certificate_policies, "1.2.3.1,1.2.3.2,1.2.3.3,1.2.3.4");
        add_text(list[i], NID_policy_mappings,
                 "1.2.3.1:1.2.3.1,1.2.3.1:1.2.3.2,1.2.3.2:1.2.3.1,1.2.3.2:1.2.3.2");
        assert_true(X509_sign(list[i], keys[i - 1], EVP_sha256()) > 0);
        sk_X509_unshift(above, list[i]);
    }
    EVP_PKEY *key = peer_key(PEER_P256);
    X509 *own = leaf(&plain, key, list[LEVELS], keys[LEVELS]);
    SSL_CTX *ctx = server_with(own, key, above);
    assert_true(shake(ctx, TLS_PROVE_NAME, &opened, &staple).proved);
    SSL_CTX_free(ctx);
    for (unsigned i = 1; i <= LEVELS; i++) {
        X509_free(list[i]);
        EVP_PKEY_free(keys[i]);
    }
    sk_X509_free(above);
    X509_free(own);
    EVP_PKEY_free(key);
}

/* TLS-006 (CVE-2022-0778): a key that brings its curve along, whole, and with an octet of it
   changed: whatever numbers stand there, it is read to an end and proves nothing. */
static void curves_of_their_own_prove_nothing(void **state)
{
    const struct made plain = { .name = "mx.example" };
    EVP_PKEY *key = peer_key(PEER_P256);
    struct tls_want want = { .proof = TLS_PROVE_NAME, .name = BYTES("mx.example"),
                             .now_ms = now_ms };
    struct buffer authority_pem = buffer_with_most(PIECE), pem = buffer_with_most(PIECE);
    unsigned char *der = NULL;
    size_t trusted;

    (void)state;
    assert_int_equal(EVP_PKEY_set_utf8_string_param(key, OSSL_PKEY_PARAM_EC_ENCODING, "explicit"),
                     1);
    X509 *own = leaf(&plain, key, root, root_key);
    int n = i2d_X509(own, &der);
    assert_true(n > 300);
    peer_put_pem(&authority_pem, root);
    struct tls_context *clients = tls_context_new_client(buffer_bytes(&authority_pem), &trusted);
    for (int at = 0; at < n; at += at == 0 ? 100 : 1) {
        unsigned char *copy = OPENSSL_memdup(der, (size_t)n);
        const unsigned char *read = copy;
        copy[at] ^= at == 0 ? 0 : 0x15;
        X509 *changed = d2i_X509(NULL, &read, n);
        buffer_clear(&pem);
        if (changed != NULL)
            peer_put_pem(&pem, changed);
        struct tls *tls = tls_client_new(clients, &want);
        assert_false(tls_client_judge(tls, buffer_bytes(&pem)).proved);
        tls_free(tls);
        X509_free(changed);
        OPENSSL_free(copy);
        ERR_clear_error();
    }
    tls_context_free(clients);
    OPENSSL_free(der);
    X509_free(own);
    EVP_PKEY_free(key);
    buffer_done(&authority_pem);
    buffer_done(&pem);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(certificates_of_all_kinds),
        cmocka_unit_test(a_tree_of_policies_has_an_end),
        cmocka_unit_test(curves_of_their_own_prove_nothing),
    };
    struct timespec now;

    timespec_get(&now, TIME_UTC);
    now_ms = (uint64_t)now.tv_sec * 1000;
    root_key = peer_key(PEER_P256);
    root = authority(root_key, "root", NULL, NULL, NULL);
    cmocka_set_message_output(CM_OUTPUT_TAP);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    X509_free(root);
    EVP_PKEY_free(root_key);
    return failed;
}
