/* SPDX-License-Identifier: ISC
 *
 * EncryptedPrivateKeyInfo ::= SEQUENCE { AlgorithmIdentifier, OCTET STRING }. What its algorithm
 * says becomes one plan: how to make the key, and which cipher to run.
 */
#include "crypt/pkcs8.h"

#include "base/arena.h"
#include "crypt/cipher.h"
#include "crypt/der.h"
#include "crypt/digest.h"
#include "crypt/openssl_int.h"

#include <string.h>

enum { SALT_MOST = 64, SALT = 16, RIPEM_SALT = 8, RIPEM_ROUNDS = 100 };
enum { SCRYPT_N = 16384, SCRYPT_R = 8, SCRYPT_P = 5 };

#define OID_MD2_DES BYTES("\x2A\x86\x48\x86\xF7\x0D\x01\x05\x01")
#define OID_MD5_DES BYTES("\x2A\x86\x48\x86\xF7\x0D\x01\x05\x03")
#define OID_PBKDF2 BYTES("\x2A\x86\x48\x86\xF7\x0D\x01\x05\x0C")
#define OID_PBES2 BYTES("\x2A\x86\x48\x86\xF7\x0D\x01\x05\x0D")
#define OID_SCRYPT BYTES("\x2B\x06\x01\x04\x01\xDA\x47\x04\x0B")
#define OID_HMAC_SHA1 BYTES("\x2A\x86\x48\x86\xF7\x0D\x02\x07")
#define OID_HMAC_SHA256 BYTES("\x2A\x86\x48\x86\xF7\x0D\x02\x09")
#define OID_HMAC_SHA512 BYTES("\x2A\x86\x48\x86\xF7\x0D\x02\x0B")
#define OID_AES_256_CBC BYTES("\x60\x86\x48\x01\x65\x03\x04\x01\x2A")
#define OID_DES_EDE3_CBC BYTES("\x2A\x86\x48\x86\xF7\x0D\x03\x07")

enum derivation { BY_DIGEST, BY_PBKDF2, BY_SCRYPT };

struct plan {
    enum derivation derivation;
    enum digest_kind digest;            /* BY_DIGEST */
    const EVP_MD *hmac;                 /* BY_PBKDF2 */
    struct bytes salt;
    uint64_t rounds;                    /* BY_DIGEST, BY_PBKDF2 */
    uint64_t n, r, p;                   /* BY_SCRYPT */
    enum cipher_kind cipher;
    struct bytes iv;                    /* empty BY_DIGEST: it is derived too */
};

/* ---- reading the algorithm */

static bool read_by_digest(struct der *in, enum digest_kind digest, struct plan *plan)
{
    struct der params = der_enter(in, DER_SEQUENCE);

    plan->derivation = BY_DIGEST;
    plan->digest = digest;
    plan->salt = der_take(&params, DER_OCTETS);
    plan->rounds = der_take_small(&params);
    plan->cipher = CIPHER_DES_CBC;
    return der_finished(&params) && plan->salt.n == RIPEM_SALT;
}

/* AlgorithmIdentifier { hmacWithX, NULL }; absent it is SHA1. */
static bool read_hmac(struct der *in, struct plan *plan)
{
    plan->hmac = EVP_sha1();
    if (in->left.n == 0)
        return true;
    struct der algorithm = der_enter(in, DER_SEQUENCE);
    struct bytes oid = der_take(&algorithm, DER_OID);
    der_skip_null(&algorithm);
    if (bytes_equal(oid, OID_HMAC_SHA256))
        plan->hmac = EVP_sha256();
    else if (bytes_equal(oid, OID_HMAC_SHA512))
        plan->hmac = EVP_sha512();
    else if (!bytes_equal(oid, OID_HMAC_SHA1))
        return false;
    return der_finished(&algorithm);
}

static bool read_pbkdf2(struct der *params, struct plan *plan)
{
    plan->derivation = BY_PBKDF2;
    plan->salt = der_take(params, DER_OCTETS);
    plan->rounds = der_take_small(params);
    if (der_is(params, DER_INTEGER))
        (void)der_take_small(params);       /* the cipher says how long its key is */
    return read_hmac(params, plan) && der_finished(params);
}

static bool read_scrypt(struct der *params, struct plan *plan)
{
    plan->derivation = BY_SCRYPT;
    plan->salt = der_take(params, DER_OCTETS);
    plan->n = der_take_small(params);
    plan->r = der_take_small(params);
    plan->p = der_take_small(params);
    if (der_is(params, DER_INTEGER))
        (void)der_take_small(params);
    return der_finished(params);
}

static bool read_pbes2(struct der *in, struct plan *plan)
{
    struct der both = der_enter(in, DER_SEQUENCE);
    struct der kdf = der_enter(&both, DER_SEQUENCE), cipher = der_enter(&both, DER_SEQUENCE);
    struct bytes kdf_oid = der_take(&kdf, DER_OID), oid = der_take(&cipher, DER_OID);
    struct der params = der_enter(&kdf, DER_SEQUENCE);
    bool known = bytes_equal(kdf_oid, OID_PBKDF2) ? read_pbkdf2(&params, plan)
               : bytes_equal(kdf_oid, OID_SCRYPT) && read_scrypt(&params, plan);

    plan->iv = der_take(&cipher, DER_OCTETS);
    plan->cipher = bytes_equal(oid, OID_AES_256_CBC) ? CIPHER_AES_256_CBC : CIPHER_DES_EDE_CBC;
    return known && der_finished(&both) && der_finished(&kdf) && der_finished(&cipher)
        && (bytes_equal(oid, OID_AES_256_CBC) || bytes_equal(oid, OID_DES_EDE3_CBC))
        && plan->iv.n == cipher_iv_size(plan->cipher);
}

static bool read_frame(struct bytes der, struct der *ret_algorithm, struct bytes *ret_text)
{
    struct der in = der_of(der), whole = der_enter(&in, DER_SEQUENCE);

    *ret_algorithm = der_enter(&whole, DER_SEQUENCE);
    *ret_text = der_take(&whole, DER_OCTETS);
    return der_finished(&in) && der_finished(&whole) && der_is(ret_algorithm, DER_OID);
}

static bool read_plan(struct der algorithm, struct plan *plan)
{
    struct bytes oid = der_take(&algorithm, DER_OID);

    if (bytes_equal(oid, OID_MD2_DES))
        return read_by_digest(&algorithm, DIGEST_MD2, plan);
    if (bytes_equal(oid, OID_MD5_DES))
        return read_by_digest(&algorithm, DIGEST_MD5, plan);
    return bytes_equal(oid, OID_PBES2) && read_pbes2(&algorithm, plan);
}

/* What a file may ask of us. */
static bool is_modest(const struct plan *plan)
{
    bool power = plan->n > 1 && (plan->n & (plan->n - 1)) == 0;

    if (plan->salt.n > SALT_MOST)
        return false;
    if (plan->derivation != BY_SCRYPT)
        return plan->rounds >= 1 && plan->rounds <= PKCS8_ROUNDS_MOST;
    return power && plan->n <= 1 << 22 && plan->r >= 1 && plan->r <= 1024
        && 128 * plan->n * plan->r <= PKCS8_SCRYPT_MOST && plan->p >= 1
        && plan->p <= PKCS8_SCRYPT_WAYS_MOST;
}

/* ---- deriving */

/* RFC 8018, 5.1: PBKDF1; the first eight octets are the key, the next eight the IV. */
static bool derive_by_digest(const struct plan *plan, struct bytes password, uint8_t *key,
                             uint8_t *iv)
{
    struct digest *digest = digest_new(plan->digest);
    uint8_t octets[DIGEST_MOST];
    size_t n = digest_size(plan->digest);

    if (digest == NULL)
        return false;
    digest_put(digest, password);
    digest_put(digest, plan->salt);
    bool done = digest_end(digest, octets);
    digest_free(digest);
    for (uint64_t i = 1; done && i < plan->rounds; i++)
        done = digest_of(plan->digest, (struct bytes){ (const char *)octets, n }, octets);
    memcpy(key, octets, 8);
    memcpy(iv, octets + 8, 8);
    mem_wipe(octets, sizeof(octets));
    return done;
}

static bool derive(const struct plan *plan, struct bytes password, uint8_t *key, uint8_t *iv)
{
    const uint8_t *salt = (const uint8_t *)plan->salt.at;
    size_t n = cipher_key_size(plan->cipher);
    bool done = false;

    if (plan->iv.n > 0)
        memcpy(iv, plan->iv.at, plan->iv.n);
    switch (plan->derivation) {
    case BY_DIGEST: return derive_by_digest(plan, password, key, iv);
    case BY_PBKDF2:
        done = PKCS5_PBKDF2_HMAC(password.at, (int)password.n, salt, (int)plan->salt.n,
                                 (int)plan->rounds, plan->hmac, (int)n, key) == 1;
        break;
    case BY_SCRYPT:
        done = EVP_PBE_scrypt(password.at, password.n, salt, plan->salt.n, plan->n, plan->r,
                              plan->p, 2 * (uint64_t)PKCS8_SCRYPT_MOST, key, n) == 1;
        break;
    }
    ERR_clear_error();
    return done;
}

static bool run(const struct plan *plan, enum cipher_way way, struct bytes password,
                struct bytes text, struct buffer *to, bool *ret_derived)
{
    uint8_t key[CIPHER_KEY_MOST] = { 0 }, iv[CIPHER_IV_MOST] = { 0 };
    struct ciphers ciphers = { 0 };

    *ret_derived = OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL) == 1
                && derive(plan, password, key, iv);
    bool done = *ret_derived && cipher_run(&ciphers, plan->cipher, way, key, iv, text, to);
    ciphers_done(&ciphers);
    mem_wipe(key, sizeof(key));
    return done;
}

static void wipe(struct buffer *buffer)
{
    if (buffer->n > 0)
        mem_wipe(buffer->at, buffer->n);
    buffer_done(buffer);
}

/* ---- the whole */

bool pkcs8_is_sealed(struct bytes der)
{
    struct der algorithm;
    struct bytes text;

    return der.n <= RSA_PKCS8_MOST && read_frame(der, &algorithm, &text);
}

bool pkcs8_is_strong(struct bytes der)
{
    struct der algorithm;
    struct plan plan = { 0 };
    struct bytes text;

    return read_frame(der, &algorithm, &text) && read_plan(algorithm, &plan)
        && plan.derivation != BY_DIGEST;
}

enum pkcs8_result pkcs8_open(struct bytes der, struct bytes password,
                             struct rsa_private **ret_key)
{
    struct der algorithm;
    struct plan plan = { 0 };
    struct bytes text;
    struct rsa_private *key = NULL;
    bool derived;

    if (der.n > RSA_PKCS8_MOST || !read_frame(der, &algorithm, &text))
        return PKCS8_BROKEN;
    if (!read_plan(algorithm, &plan) || !is_modest(&plan))
        return PKCS8_UNSUPPORTED;
    if (password.n > PKCS8_PASSWORD_MOST)
        return PKCS8_WRONG_PASSWORD;
    /* all the room at once: no copy of the secret is left behind by growing */
    struct buffer opened = buffer_with_most(text.n + CIPHER_IV_MOST);
    if (!buffer_reserve(&opened, text.n + CIPHER_IV_MOST))
        return PKCS8_FAILED;
    if (run(&plan, CIPHER_OPEN, password, text, &opened, &derived))
        key = rsa_private_read(buffer_bytes(&opened));
    wipe(&opened);
    if (!derived)
        return PKCS8_FAILED;
    if (key == NULL)
        return PKCS8_WRONG_PASSWORD;
    *ret_key = key;
    return PKCS8_OPENED;
}

static void put_by_digest(const struct plan *plan, struct buffer *to)
{
    size_t begun = der_begin(to);

    der_put(to, DER_OID, OID_MD5_DES);
    size_t params = der_begin(to);
    der_put(to, DER_OCTETS, plan->salt);
    der_put_small(to, plan->rounds);
    der_end(to, params, DER_SEQUENCE);
    der_end(to, begun, DER_SEQUENCE);
}

static void put_scrypt(const struct plan *plan, struct buffer *to)
{
    size_t begun = der_begin(to);

    der_put(to, DER_OID, OID_PBES2);
    size_t both = der_begin(to);
    der_put(to, DER_OID, OID_SCRYPT);
    size_t params = der_begin(to);
    der_put(to, DER_OCTETS, plan->salt);
    der_put_small(to, plan->n);
    der_put_small(to, plan->r);
    der_put_small(to, plan->p);
    der_end(to, params, DER_SEQUENCE);
    der_end(to, both, DER_SEQUENCE);
    size_t cipher = der_begin(to);
    der_put(to, DER_OID, OID_AES_256_CBC);
    der_put(to, DER_OCTETS, plan->iv);
    der_end(to, cipher, DER_SEQUENCE);
    der_end(to, both, DER_SEQUENCE);
    der_end(to, begun, DER_SEQUENCE);
}

bool pkcs8_seal(const struct rsa_private *key, enum pkcs8_way way, struct bytes password,
                struct buffer *to)
{
    uint8_t dice[SALT + CIPHER_IV_MOST];
    struct buffer plain = buffer_with_most(RSA_PKCS8_MOST);
    struct buffer sealed = buffer_with_most(RSA_PKCS8_MOST);
    struct plan plan = {
        .derivation = way == PKCS8_RIPEM ? BY_DIGEST : BY_SCRYPT, .digest = DIGEST_MD5,
        .salt = { (const char *)dice, way == PKCS8_RIPEM ? RIPEM_SALT : SALT },
        .rounds = RIPEM_ROUNDS, .n = SCRYPT_N, .r = SCRYPT_R, .p = SCRYPT_P,
        .cipher = way == PKCS8_RIPEM ? CIPHER_DES_CBC : CIPHER_AES_256_CBC,
        .iv = { (const char *)dice + SALT, way == PKCS8_RIPEM ? 0 : CIPHER_IV_MOST },
    };
    bool derived, done = buffer_reserve(&plain, RSA_PKCS8_MOST)
                      && RAND_bytes(dice, sizeof(dice)) == 1;

    if (done)
        rsa_private_put(key, &plain);
    done = done && password.n <= PKCS8_PASSWORD_MOST && !plain.bad
        && run(&plan, CIPHER_SEAL, password, buffer_bytes(&plain), &sealed, &derived);
    if (done) {
        size_t begun = der_begin(to);
        way == PKCS8_RIPEM ? put_by_digest(&plan, to) : put_scrypt(&plan, to);
        der_put(to, DER_OCTETS, buffer_bytes(&sealed));
        der_end(to, begun, DER_SEQUENCE);
    }
    wipe(&plain);
    wipe(&sealed);
    return done && !to->bad;
}
