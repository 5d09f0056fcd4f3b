/* SPDX-License-Identifier: ISC */
#include "crypt/digest.h"

#include "base/arena.h"
#include "crypt/md2_int.h"
#include "crypt/openssl_int.h"

#include <assert.h>
#include <string.h>

struct digest {
    enum digest_kind kind;
    struct md2 md2;
    EVP_MD_CTX *evp;        /* NULL for MD2 */
    bool bad;
};

/* The object identifiers of RFC 1423, 2.1 and 2.2, RFC 3279 and RFC 8017, each with its tag and
   length. */
static const struct {
    const char *name;
    size_t size;
    bool weak;
    struct bytes oid;
} kinds[] = {
    [DIGEST_MD2] = { "MD2", 16, true, BYTES_INIT("\x06\x08\x2A\x86\x48\x86\xF7\x0D\x02\x02") },
    [DIGEST_MD5] = { "MD5", 16, true, BYTES_INIT("\x06\x08\x2A\x86\x48\x86\xF7\x0D\x02\x05") },
    [DIGEST_SHA1] = { "SHA1", 20, true, BYTES_INIT("\x06\x05\x2B\x0E\x03\x02\x1A") },
    [DIGEST_SHA256] = { "SHA256", 32, false,
                        BYTES_INIT("\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01") },
};
_Static_assert(COUNT(kinds) == DIGEST_KINDS, "a digest without a row");

size_t digest_size(enum digest_kind kind)
{
    return kinds[kind].size;
}

const char *digest_name(enum digest_kind kind)
{
    return kinds[kind].name;
}

bool digest_is_weak(enum digest_kind kind)
{
    return kinds[kind].weak;
}

static const EVP_MD *evp_of(enum digest_kind kind)
{
    switch (kind) {
    case DIGEST_MD2: break;
    case DIGEST_MD5: return EVP_md5();
    case DIGEST_SHA1: return EVP_sha1();
    case DIGEST_SHA256: return EVP_sha256();
    case DIGEST_KINDS: break;
    }
    return NULL;
}

struct digest *digest_new(enum digest_kind kind)
{
    struct digest *digest = mem_new(sizeof(*digest));

    assert(kind < DIGEST_KINDS);
    if (digest == NULL)
        return NULL;
    digest->kind = kind;
    if (kind == DIGEST_MD2)
        return digest;
    digest->evp = OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL) == 1 ? EVP_MD_CTX_new()
                                                                             : NULL;
    if (digest->evp != NULL && EVP_DigestInit_ex(digest->evp, evp_of(kind), NULL) == 1)
        return digest;
    ERR_clear_error();
    digest_free(digest);
    return NULL;
}

void digest_free(struct digest *digest)
{
    if (digest == NULL)
        return;
    EVP_MD_CTX_free(digest->evp);
    mem_wipe(digest, sizeof(*digest));
    mem_free(digest);
}

struct digest *digest_copy(const struct digest *digest)
{
    struct digest *copy = mem_new(sizeof(*copy));

    if (copy == NULL)
        return NULL;
    *copy = *digest;
    if (digest->evp == NULL)
        return copy;
    copy->evp = EVP_MD_CTX_new();
    if (copy->evp != NULL && EVP_MD_CTX_copy_ex(copy->evp, digest->evp) == 1)
        return copy;
    digest_free(copy);
    return NULL;
}

void digest_put(struct digest *digest, struct bytes text)
{
    if (digest->evp == NULL)
        md2_put(&digest->md2, text);
    else if (EVP_DigestUpdate(digest->evp, text.at, text.n) != 1)
        digest->bad = true;
}

bool digest_end(struct digest *digest, uint8_t ret[static DIGEST_MOST])
{
    if (digest->evp == NULL)
        md2_end(&digest->md2, ret);
    else if (digest->bad || EVP_DigestFinal_ex(digest->evp, ret, NULL) != 1)
        return false;
    return true;
}

bool digest_of(enum digest_kind kind, struct bytes text, uint8_t ret[static DIGEST_MOST])
{
    struct digest *digest = digest_new(kind);
    bool done = false;

    if (digest != NULL) {
        digest_put(digest, text);
        done = digest_end(digest, ret);
    }
    digest_free(digest);
    return done;
}

size_t digest_info(enum digest_kind kind, const uint8_t *digest,
                   uint8_t ret[static DIGEST_INFO_MOST])
{
    struct bytes oid = kinds[kind].oid;
    size_t size = kinds[kind].size, n = 0;

    ret[n++] = 0x30;
    ret[n++] = (uint8_t)(2 + oid.n + 2 + 2 + size);
    ret[n++] = 0x30;
    ret[n++] = (uint8_t)(oid.n + 2);
    memcpy(ret + n, oid.at, oid.n);
    n += oid.n;
    ret[n++] = 0x05;
    ret[n++] = 0x00;
    ret[n++] = 0x04;
    ret[n++] = (uint8_t)size;
    memcpy(ret + n, digest, size);
    return n + size;
}
