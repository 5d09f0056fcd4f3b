/* SPDX-License-Identifier: ISC */
#include "base/hash.h"

#include <string.h>

static uint32_t crc_plain(uint32_t crc, struct bytes data)
{
    static const uint32_t nibble[16] = {   /* of the reflected polynomial 82F63B78 */
        0x00000000, 0x105EC76F, 0x20BD8EDE, 0x30E349B1, 0x417B1DBC, 0x5125DAD3, 0x61C69362,
        0x7198540D, 0x82F63B78, 0x92A8FC17, 0xA24BB5A6, 0xB21572C9, 0xC38D26C4, 0xD3D3E1AB,
        0xE330A81A, 0xF36E6F75,
    };

    for (size_t i = 0; i < data.n; i++) {
        crc ^= octet(data.at[i]);
        crc = (crc >> 4) ^ nibble[crc & 15];
        crc = (crc >> 4) ^ nibble[crc & 15];
    }
    return crc;
}

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) static uint32_t crc_fast(uint32_t crc, struct bytes data)
{
    uint64_t wide = crc;
    const char *at = data.at, *end = data.at + data.n;

    for (; end - at >= 8; at += 8) {    /* the hot loop of every record that is written or read */
        uint64_t word;
        memcpy(&word, at, sizeof(word));
        wide = __builtin_ia32_crc32di(wide, word);
    }
    crc = (uint32_t)wide;
    for (; at < end; at++)
        crc = __builtin_ia32_crc32qi(crc, octet(*at));
    return crc;
}

static bool has_fast(void)
{
    return __builtin_cpu_supports("sse4.2") != 0;
}
#else
static uint32_t crc_fast(uint32_t crc, struct bytes data) { return crc_plain(crc, data); }
static bool has_fast(void) { return false; }
#endif

uint32_t crc32c(uint32_t crc, struct bytes data)
{
    crc = ~crc;
    return ~(has_fast() ? crc_fast(crc, data) : crc_plain(crc, data));
}

uint32_t crc32c_plain(uint32_t crc, struct bytes data)
{
    return ~crc_plain(~crc, data);
}

struct sip { uint64_t v0, v1, v2, v3; };

static uint64_t rotate(uint64_t x, int by) { return x << by | x >> (64 - by); }

static inline __attribute__((always_inline)) void sip_round(struct sip *s)
{
    s->v0 += s->v1; s->v1 = rotate(s->v1, 13); s->v1 ^= s->v0; s->v0 = rotate(s->v0, 32);
    s->v2 += s->v3; s->v3 = rotate(s->v3, 16); s->v3 ^= s->v2;
    s->v0 += s->v3; s->v3 = rotate(s->v3, 21); s->v3 ^= s->v0;
    s->v2 += s->v1; s->v1 = rotate(s->v1, 17); s->v1 ^= s->v2; s->v2 = rotate(s->v2, 32);
}

static uint64_t little64(const void *at, size_t n)
{
    const unsigned char *octets = at;
    uint64_t word = 0;

    if (n == 8) {       /* the shape that compilers know as one load */
        for (unsigned i = 0; i < 8; i++)
            word |= (uint64_t)octets[i] << (8 * i);
        return word;
    }
    for (size_t i = n; i > 0; i--)
        word = word << 8 | octets[i - 1];
    return word;
}

uint64_t siphash(const uint8_t key[static 16], struct bytes data)
{
    uint64_t k0 = little64(key, 8), k1 = little64(key + 8, 8), last = (uint64_t)data.n << 56;
    struct sip s = { k0 ^ 0x736f6d6570736575, k1 ^ 0x646f72616e646f6d,
                     k0 ^ 0x6c7967656e657261, k1 ^ 0x7465646279746573 };

    const char *at = data.at, *end = data.at + data.n;
    for (; end - at >= 8; at += 8) {
        uint64_t word = little64(at, 8);
        s.v3 ^= word;
        sip_round(&s);
        s.v0 ^= word;
    }
    last |= little64(at, (size_t)(end - at));
    s.v3 ^= last;
    sip_round(&s);
    s.v0 ^= last;
    s.v2 ^= 0xff;
    for (int i = 0; i < 3; i++)
        sip_round(&s);
    return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}
