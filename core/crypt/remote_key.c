/* SPDX-License-Identifier: ISC
 *
 * Keys whose private half is elsewhere. OpenSSL 3.0 still asks an RSA_METHOD and an EC_KEY_METHOD
 * before anything of its own; these two hand each request to tls_sign, which stops the handshake's
 * fibre until the answer is there. The public half is the certificate's.
 */
#include "crypt/tls_int.h"

struct remote_methods {
    RSA_METHOD *rsa;
    EC_KEY_METHOD *ec;
};

struct remote_key {
    struct tls_context *context;
    uint32_t number;
};

/* ---- RSA */

static int rsa_ask(RSA *rsa, enum sign_scheme scheme, const unsigned char *tbs, size_t n,
                   unsigned char *ret_signature)
{
    const struct remote_key *key = RSA_get_app_data(rsa);
    size_t most = (size_t)RSA_size(rsa);
    size_t got = tls_sign(key->context, key->number, scheme, tbs, n, ret_signature, most);

    return got == most ? (int)got : -1;
}

/* PKCS #1 v1.5 of a digest. */
static int rsa_sign(int type, const unsigned char *digest, unsigned int n,
                    unsigned char *ret_signature, unsigned int *ret_n, const RSA *rsa)
{
    enum sign_scheme scheme = type == NID_sha256 ? SIGN_RSA_SHA256
                            : type == NID_sha384 ? SIGN_RSA_SHA384
                            : type == NID_sha512 ? SIGN_RSA_SHA512 : SIGN_SCHEMES;
    int got;

    if (scheme == SIGN_SCHEMES)
        return 0;
    got = rsa_ask((RSA *)(uintptr_t)rsa, scheme, digest, n, ret_signature);
    if (got <= 0)
        return 0;
    *ret_n = (unsigned)got;
    return 1;
}

/* PSS: OpenSSL made the block, and wants it raised to the secret power. */
static int rsa_private(int n, const unsigned char *from, unsigned char *to, RSA *rsa, int padding)
{
    return padding == RSA_NO_PADDING ? rsa_ask(rsa, SIGN_RSA_PSS, from, (size_t)n, to) : -1;
}

/* Nothing is ever deciphered: key exchange is ephemeral. */
static int rsa_decrypt(int n, const unsigned char *from, unsigned char *to, RSA *rsa, int padding)
{
    (void)n, (void)from, (void)to, (void)rsa, (void)padding;
    return -1;
}

static int rsa_finish(RSA *rsa)
{
    mem_free(RSA_get_app_data(rsa));
    return 1;
}

/* ---- EC */

static int ec_sign(int type, const unsigned char *digest, int n, unsigned char *ret_signature,
                   unsigned int *ret_n, const BIGNUM *inverse, const BIGNUM *r, EC_KEY *ec)
{
    const struct remote_key *key = EC_KEY_get_ex_data(ec, 0);
    size_t got = tls_sign(key->context, key->number, SIGN_ECDSA, digest, (size_t)n, ret_signature,
                          (size_t)ECDSA_size(ec));

    (void)type, (void)inverse, (void)r;
    *ret_n = (unsigned)got;
    return got > 0;
}

static void ec_finish(EC_KEY *ec)
{
    mem_free(EC_KEY_get_ex_data(ec, 0));
}

/* ---- the methods */

static RSA_METHOD *make_rsa(void)
{
    RSA_METHOD *method = RSA_meth_dup(RSA_PKCS1_OpenSSL());

    if (method == NULL)
        return NULL;
    if (RSA_meth_set_sign(method, rsa_sign) && RSA_meth_set_priv_enc(method, rsa_private)
        && RSA_meth_set_priv_dec(method, rsa_decrypt) && RSA_meth_set_finish(method, rsa_finish)
        && RSA_meth_set_flags(method, RSA_METHOD_FLAG_NO_CHECK))
        return method;
    RSA_meth_free(method);
    return NULL;
}

static EC_KEY_METHOD *make_ec(void)
{
    EC_KEY_METHOD *method = EC_KEY_METHOD_new(EC_KEY_OpenSSL());

    if (method == NULL)
        return NULL;
    EC_KEY_METHOD_set_init(method, NULL, ec_finish, NULL, NULL, NULL, NULL);
    EC_KEY_METHOD_set_sign(method, ec_sign, NULL, NULL);
    return method;
}

struct remote_methods *remote_methods_new(void)
{
    struct remote_methods *methods = mem_new(sizeof(*methods));

    if (methods == NULL)
        return NULL;
    methods->rsa = make_rsa();
    methods->ec = make_ec();
    if (methods->rsa != NULL && methods->ec != NULL)
        return methods;
    remote_methods_free(methods);
    return NULL;
}

void remote_methods_free(struct remote_methods *methods)
{
    if (methods == NULL)
        return;
    RSA_meth_free(methods->rsa);
    EC_KEY_METHOD_free(methods->ec);
    mem_free(methods);
}

/* ---- a key */

/* The key takes `mark` only when this succeeds. */
static EVP_PKEY *wrap_rsa(const struct remote_methods *methods, EVP_PKEY *half,
                          struct remote_key *mark)
{
    RSA *whole = EVP_PKEY_get1_RSA(half), *rsa = whole == NULL ? NULL : RSAPublicKey_dup(whole);
    EVP_PKEY *key = EVP_PKEY_new();

    RSA_free(whole);
    if (rsa != NULL && key != NULL && RSA_set_method(rsa, methods->rsa)
        && RSA_set_app_data(rsa, mark)) {
        if (EVP_PKEY_assign_RSA(key, rsa))
            return key;
        RSA_set_app_data(rsa, NULL);
    }
    RSA_free(rsa);
    EVP_PKEY_free(key);
    return NULL;
}

static EVP_PKEY *wrap_ec(const struct remote_methods *methods, EVP_PKEY *half,
                         struct remote_key *mark)
{
    EC_KEY *whole = EVP_PKEY_get1_EC_KEY(half), *ec = whole == NULL ? NULL : EC_KEY_dup(whole);
    EVP_PKEY *key = EVP_PKEY_new();

    EC_KEY_free(whole);
    if (ec != NULL && key != NULL && EC_KEY_set_method(ec, methods->ec)
        && EC_KEY_set_ex_data(ec, 0, mark)) {
        if (EVP_PKEY_assign_EC_KEY(key, ec))
            return key;
        EC_KEY_set_ex_data(ec, 0, NULL);
    }
    EC_KEY_free(ec);
    EVP_PKEY_free(key);
    return NULL;
}

EVP_PKEY *remote_key_new(struct tls_context *context, EVP_PKEY *public_half, uint32_t number)
{
    struct remote_key *mark = mem_new(sizeof(*mark));
    EVP_PKEY *key = NULL;

    if (mark == NULL)
        return NULL;
    *mark = (struct remote_key){ context, number };
    if (EVP_PKEY_get_base_id(public_half) == EVP_PKEY_RSA)
        key = wrap_rsa(context->methods, public_half, mark);
    else if (EVP_PKEY_get_base_id(public_half) == EVP_PKEY_EC)
        key = wrap_ec(context->methods, public_half, mark);
    if (key == NULL)
        mem_free(mark);
    return key;
}
