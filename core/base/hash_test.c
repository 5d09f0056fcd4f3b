/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/hash.h"

#include <string.h>

/* RFC 3720, B.4, and the check value of CRC-32C's catalogue entry. */
static void crc32c_vectors(void **state)
{
    char zeroes[32], ones[32], up[32], down[32];
    static const unsigned char scsi[48] = {
        0x01, 0xC0, [16] = 0x14, [22] = 0x04, [27] = 0x14, [31] = 0x18, [32] = 0x28, [40] = 0x02,
    };
    const struct { const void *at; size_t n; uint32_t want; } cases[] = {
        { zeroes, 32, 0x8A9136AA }, { ones, 32, 0x62A8AB43 }, { up, 32, 0x46DD794E },
        { down, 32, 0x113FDB5C }, { scsi, 48, 0xD9963A56 }, { "123456789", 9, 0xE3069283 },
        { "a", 1, 0xC1D04330 }, { "", 0, 0 },
    };

    memset(zeroes, 0, 32);
    memset(ones, 0xFF, 32);
    for (int i = 0; i < 32; i++) {
        up[i] = (char)i;
        down[i] = (char)(31 - i);
    }
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct bytes data = { cases[i].at, cases[i].n };
        assert_int_equal(crc32c(0, data), cases[i].want);
        assert_int_equal(crc32c_plain(0, data), cases[i].want);
        for (size_t cut = 0; cut <= data.n; cut++) {
            uint32_t part = crc32c(0, bytes_first(data, cut));
            assert_int_equal(crc32c(part, bytes_skip(data, cut)), cases[i].want);
        }
    }
}

/* The key 00 01 .. 0f and texts 00 01 02 ..; computed by another program from the paper's text. */
static void siphash_vectors(void **state)
{
    static const struct { size_t n; uint64_t want; } cases[] = {
        { 0, 0xABAC0158050FC4DC }, { 1, 0xC9F49BF37D57CA93 }, { 7, 0xD3927D989BB11140 },
        { 8, 0x369095118D299A8E }, { 15, 0xD320D86D2A519956 }, { 63, 0x9D199062B7BBB3A8 },
    };
    uint8_t key[16], text[64];

    for (uint8_t i = 0; i < 64; i++)
        text[i] = i;
    memcpy(key, text, 16);
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct bytes some = { (const char *)text, cases[i].n };
        assert_true(siphash(key, some) == cases[i].want);
    }
    key[15] ^= 1;
    assert_true(siphash(key, BYTES_NONE) != cases[0].want);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(crc32c_vectors), cmocka_unit_test(siphash_vectors),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
