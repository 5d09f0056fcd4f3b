/* SPDX-License-Identifier: ISC */
#include "crypt/cipher.h"

#include "base/arena.h"
#include "crypt/openssl_int.h"

#include <assert.h>
#include <string.h>

static const struct {
    const char *name;
    uint8_t key, iv, block;
    bool weak, legacy, pads, tag;
} kinds[] = {
    [CIPHER_DES_CBC] = { "DES-CBC", 8, 8, 8, .weak = true, .legacy = true, .pads = true },
    [CIPHER_DES_EDE_CBC] = { "DES-EDE3-CBC", 24, 8, 8, .weak = true, .pads = true },
    [CIPHER_DES_ECB] = { "DES-ECB", 8, 0, 8, .weak = true, .legacy = true },
    [CIPHER_DES_EDE_ECB] = { "DES-EDE", 16, 0, 8, .weak = true },
    [CIPHER_AES_256_GCM] = { "AES-256-GCM", 32, 12, 1, .tag = true },
    [CIPHER_AES_256_CBC] = { "AES-256-CBC", 32, 16, 16, .pads = true },
};
_Static_assert(COUNT(kinds) == CIPHER_KINDS, "a cipher without a row");

struct cipher_legacy {
    OSSL_LIB_CTX *library;      /* our own, so that the provider is loaded nowhere else */
    OSSL_PROVIDER *provider;
};

struct cipher {
    EVP_CIPHER *type;
    EVP_CIPHER_CTX *evp;
    enum cipher_kind kind;
    enum cipher_way way;
    bool bad;
    uint8_t held[CIPHER_TAG];   /* GCM, opening: the last octets may be the tag */
    size_t held_n;
};

size_t cipher_key_size(enum cipher_kind kind)
{
    return kinds[kind].key;
}

size_t cipher_iv_size(enum cipher_kind kind)
{
    return kinds[kind].iv;
}

bool cipher_is_weak(enum cipher_kind kind)
{
    return kinds[kind].weak;
}

/* ---- the legacy provider */

void ciphers_done(struct ciphers *ciphers)
{
    struct cipher_legacy *legacy = ciphers->legacy;

    if (legacy == NULL)
        return;
    if (legacy->provider != NULL)
        OSSL_PROVIDER_unload(legacy->provider);
    OSSL_LIB_CTX_free(legacy->library);
    mem_free(legacy);
    ciphers->legacy = NULL;
}

static bool load(struct ciphers *ciphers)
{
    if (ciphers->legacy != NULL)
        return true;
    ciphers->legacy = mem_new(sizeof(*ciphers->legacy));
    if (ciphers->legacy == NULL)
        return false;
    ciphers->legacy->library = OSSL_LIB_CTX_new();
    if (ciphers->legacy->library != NULL)
        ciphers->legacy->provider = OSSL_PROVIDER_load(ciphers->legacy->library, "legacy");
    if (ciphers->legacy->provider != NULL)
        return true;
    ciphers_done(ciphers);
    return false;
}

static EVP_CIPHER *fetch(struct ciphers *ciphers, enum cipher_kind kind)
{
    if (OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL) != 1
        || (kinds[kind].legacy && !load(ciphers)))
        return NULL;
    return EVP_CIPHER_fetch(kinds[kind].legacy ? ciphers->legacy->library : NULL,
                            kinds[kind].name, NULL);
}

/* ---- one cipher */

struct cipher *cipher_new(struct ciphers *ciphers, enum cipher_kind kind, enum cipher_way way,
                          const uint8_t *key, const uint8_t *iv)
{
    struct cipher *cipher = mem_new(sizeof(*cipher));

    assert(kind < CIPHER_KINDS);
    if (cipher == NULL)
        return NULL;
    cipher->kind = kind;
    cipher->way = way;
    cipher->type = fetch(ciphers, kind);
    if (cipher->type != NULL && (cipher->evp = EVP_CIPHER_CTX_new()) != NULL
        && EVP_CipherInit_ex2(cipher->evp, cipher->type, key, kinds[kind].iv > 0 ? iv : NULL,
                              way == CIPHER_SEAL, NULL) == 1
        && EVP_CIPHER_CTX_set_padding(cipher->evp, kinds[kind].pads) == 1)
        return cipher;
    ERR_clear_error();
    cipher_free(cipher);
    return NULL;
}

void cipher_free(struct cipher *cipher)
{
    if (cipher == NULL)
        return;
    EVP_CIPHER_CTX_free(cipher->evp);
    EVP_CIPHER_free(cipher->type);
    mem_wipe(cipher, sizeof(*cipher));
    mem_free(cipher);
}

static void update(struct cipher *cipher, struct bytes text, struct buffer *to)
{
    enum { PART = 1 << 20, BLOCK_MOST = 16 };

    while (text.n > 0 && !cipher->bad) {
        struct bytes part = bytes_first(text, PART);
        char *at = buffer_grow(to, part.n + BLOCK_MOST);
        int n = 0;
        text = bytes_skip(text, part.n);
        if (at == NULL || EVP_CipherUpdate(cipher->evp, (uint8_t *)at, &n,
                                           (const uint8_t *)part.at, (int)part.n) != 1)
            cipher->bad = true;
        to->n -= at == NULL ? 0 : part.n + BLOCK_MOST - (size_t)n;
    }
}

/* All but the last 16 octets of what came so far: those may be the tag. */
static void update_before_tag(struct cipher *cipher, struct bytes text, struct buffer *to)
{
    size_t all = cipher->held_n + text.n, give = all > CIPHER_TAG ? all - CIPHER_TAG : 0;
    size_t old = give < cipher->held_n ? give : cipher->held_n;

    update(cipher, (struct bytes){ (const char *)cipher->held, old }, to);
    memmove(cipher->held, cipher->held + old, cipher->held_n - old);
    cipher->held_n -= old;
    update(cipher, bytes_first(text, give - old), to);
    text = bytes_skip(text, give - old);
    memcpy(cipher->held + cipher->held_n, text.at, text.n);
    cipher->held_n += text.n;
}

void cipher_put(struct cipher *cipher, struct bytes text, struct buffer *to)
{
    if (kinds[cipher->kind].tag && cipher->way == CIPHER_OPEN)
        update_before_tag(cipher, text, to);
    else
        update(cipher, text, to);
}

static bool put_tag(struct cipher *cipher, struct buffer *to)
{
    uint8_t tag[CIPHER_TAG];

    if (EVP_CIPHER_CTX_ctrl(cipher->evp, EVP_CTRL_AEAD_GET_TAG, sizeof(tag), tag) != 1)
        return false;
    buffer_put(to, (struct bytes){ (const char *)tag, sizeof(tag) });
    return !to->bad;
}

bool cipher_end(struct cipher *cipher, struct buffer *to)
{
    bool tag = kinds[cipher->kind].tag;
    uint8_t last[EVP_MAX_BLOCK_LENGTH];
    int n = 0;

    if (tag && cipher->way == CIPHER_OPEN
        && (cipher->held_n != CIPHER_TAG
            || EVP_CIPHER_CTX_ctrl(cipher->evp, EVP_CTRL_AEAD_SET_TAG, CIPHER_TAG, cipher->held)
                != 1))
        cipher->bad = true;
    if (!cipher->bad && EVP_CipherFinal_ex(cipher->evp, last, &n) == 1)
        buffer_put(to, (struct bytes){ (const char *)last, (size_t)n });
    else
        cipher->bad = true;
    mem_wipe(last, sizeof(last));
    if (!cipher->bad && tag && cipher->way == CIPHER_SEAL && !put_tag(cipher, to))
        cipher->bad = true;
    ERR_clear_error();
    return !cipher->bad && !to->bad;
}

bool cipher_run(struct ciphers *ciphers, enum cipher_kind kind, enum cipher_way way,
                const uint8_t *key, const uint8_t *iv, struct bytes text, struct buffer *to)
{
    struct cipher *cipher = cipher_new(ciphers, kind, way, key, iv);
    bool done = false;

    if (cipher != NULL) {
        cipher_put(cipher, text, to);
        done = cipher_end(cipher, to);
    }
    cipher_free(cipher);
    return done;
}

void cipher_set_parity(uint8_t *key, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        unsigned bits = key[i] & 0xFEu;
        bits ^= bits >> 4;
        bits ^= bits >> 2;
        bits ^= bits >> 1;
        key[i] = (uint8_t)((key[i] & 0xFE) | ((bits & 1) ^ 1));
    }
}
