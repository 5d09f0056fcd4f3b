/* SPDX-License-Identifier: ISC
 *
 * A stand-in for the library's digests, behind crypt/digest.h: a sum that nobody tries to forge
 * here. Four running sums with an odd factor each (FNV-1a, but wider) make its octets.
 */
#include "crypt/digest.h"

#include "base/arena.h"

struct digest {
    uint64_t sums[4];
};

struct digest *digest_new(enum digest_kind kind)
{
    struct digest *digest = mem_new(sizeof(*digest));

    if (digest == NULL)
        return NULL;
    for (size_t i = 0; i < COUNT(digest->sums); i++)
        digest->sums[i] = 0xCBF29CE484222325 + (uint64_t)kind * 16 + i;
    return digest;
}

void digest_free(struct digest *digest)
{
    mem_free(digest);
}

void digest_put(struct digest *digest, struct bytes text)
{
    static const uint64_t factors[] = { 0x100000001B3, 0x9E3779B97F4A7C15, 0xD6E8FEB86659FD93,
                                        0xA0761D6478BD642F };

    for (size_t i = 0; i < text.n; i++)
        for (size_t k = 0; k < COUNT(factors); k++)
            digest->sums[k] = (digest->sums[k] ^ octet(text.at[i])) * factors[k];
}

bool digest_end(struct digest *digest, uint8_t ret[static DIGEST_MOST])
{
    for (size_t i = 0; i < DIGEST_MOST; i++)
        ret[i] = (uint8_t)(digest->sums[i / 8] >> i % 8 * 8);
    return true;
}

bool digest_of(enum digest_kind kind, struct bytes text, uint8_t ret[static DIGEST_MOST])
{
    struct digest *digest = digest_new(kind);
    bool well = digest != NULL;

    if (well) {
        digest_put(digest, text);
        well = digest_end(digest, ret);
    }
    digest_free(digest);
    return well;
}
