/* SPDX-License-Identifier: ISC */
#include "crypt/digest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void assert_hex(const uint8_t *octets, size_t n, const char *hex)
{
    static const char digits[] = "0123456789abcdef";
    char text[2 * DIGEST_INFO_MOST + 1] = "";

    for (size_t i = 0; i < n; i++) {
        text[2 * i] = digits[octets[i] >> 4];
        text[2 * i + 1] = digits[octets[i] & 15];
    }
    assert_string_equal(text, hex);
}

/* RFC 1319, A.5; RFC 1321, A.5; RFC 3174; FIPS 180-2. */
static const struct {
    enum digest_kind kind;
    const char *text, *digest;
} known[] = {
    { DIGEST_MD2, "", "8350e5a3e24c153df2275c9f80692773" },
    { DIGEST_MD2, "a", "32ec01ec4a6dac72c0ab96fb34c0b5d1" },
    { DIGEST_MD2, "abc", "da853b0d3f88d99b30283a69e6ded6bb" },
    { DIGEST_MD2, "message digest", "ab4f496bfb2a530b219ff33031fe06b0" },
    { DIGEST_MD2, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
      "da33def2a42df13975352846c30338cd" },
    { DIGEST_MD2, "1234567890123456789012345678901234567890123456789012345678901234567890123456"
                  "7890", "d5976f79d83d3a0dc9806c3c66f3efd8" },
    { DIGEST_MD5, "abc", "900150983cd24fb0d6963f7d28e17f72" },
    { DIGEST_SHA1, "abc", "a9993e364706816aba3e25717850c26c9cd0d89d" },
    { DIGEST_SHA256, "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
};

static void test_known(void **state)
{
    for (size_t i = 0; i < COUNT(known); i++) {
        uint8_t digest[DIGEST_MOST];
        assert_true(digest_of(known[i].kind, bytes_of(known[i].text), digest));
        assert_hex(digest, digest_size(known[i].kind), known[i].digest);
    }
}

static void test_pieces_and_copies(void **state)
{
    struct bytes text = BYTES("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789");

    for (size_t kind = 0; kind < DIGEST_KINDS; kind++) {
        uint8_t whole[DIGEST_MOST], pieces[DIGEST_MOST], copied[DIGEST_MOST];
        struct digest *digest = digest_new((enum digest_kind)kind), *copy;
        assert_non_null(digest);
        assert_true(digest_of((enum digest_kind)kind, text, whole));
        for (size_t i = 0; i < 20; i++)
            digest_put(digest, bytes_first(bytes_skip(text, i), 1));
        copy = digest_copy(digest);
        assert_non_null(copy);
        digest_put(digest, bytes_skip(text, 20));
        digest_put(copy, bytes_skip(text, 20));
        assert_true(digest_end(digest, pieces) && digest_end(copy, copied));
        assert_memory_equal(whole, pieces, digest_size((enum digest_kind)kind));
        assert_memory_equal(whole, copied, digest_size((enum digest_kind)kind));
        digest_free(digest);
        digest_free(copy);
    }
}

static void test_info(void **state)
{
    uint8_t digest[DIGEST_MOST] = { 0xAB }, info[DIGEST_INFO_MOST];

    assert_hex(info, digest_info(DIGEST_MD5, digest, info),
               "3020300c06082a864886f70d020505000410ab000000000000000000000000000000");
    assert_hex(info, digest_info(DIGEST_MD2, digest, info),
               "3020300c06082a864886f70d020205000410ab000000000000000000000000000000");
    assert_hex(info, digest_info(DIGEST_SHA1, digest, info),
               "3021300906052b0e03021a05000414ab00000000000000000000000000000000000000");
    assert_hex(info, digest_info(DIGEST_SHA256, digest, info),
               "3031300d060960864801650304020105000420"
               "ab00000000000000000000000000000000000000000000000000000000000000");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known),
        cmocka_unit_test(test_pieces_and_copies),
        cmocka_unit_test(test_info),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
