/* SPDX-License-Identifier: ISC
 *
 * SEAL-022: when a private key was opened, used and given back, nothing of it, of its pass phrase
 * or of what it opened stands in this process's memory.
 */
#include "base/arena.h"
#include "crypt/pkcs8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { CANARY = 16, CANARIES = 8, MASK = 0xA5, PART = 1 << 20, REGION_MOST = 1 << 28 };

/* What must not be found: kept masked, so that it is not found here. */
static struct canary {
    const char *name;
    uint8_t masked[CANARY];
} canaries[CANARIES];
static size_t canaries_n;

static void watch(const char *name, const char *at, bool turned)
{
    assert_true(canaries_n < CANARIES);
    struct canary *one = &canaries[canaries_n++];
    one->name = name;
    for (size_t i = 0; i < CANARY; i++)
        one->masked[i] = (uint8_t)(at[turned ? CANARY - 1 - i : i] ^ MASK);
}

static size_t count_in(const uint8_t *at, size_t n, const struct canary *one)
{
    size_t found = 0, same;

    for (size_t i = 0; i + CANARY <= n; i++) {
        for (same = 0; same < CANARY && (at[i + same] ^ MASK) == one->masked[same]; same++)
            ;
        found += same == CANARY;
    }
    return found;
}

/* All that this process may write: heap, stack, data. Returns how many canaries stand there. */
static size_t scan(bool say)
{
    FILE *maps = fopen("/proc/self/maps", "r"), *memory = fopen("/proc/self/mem", "rb");
    uint8_t *copy = malloc(PART);
    unsigned long from, to;
    char rights[8], line[512];
    size_t found = 0;

    assert_true(maps != NULL && memory != NULL && copy != NULL);
    while (fgets(line, sizeof(line), maps) != NULL) {
        if (sscanf(line, "%lx-%lx %7s", &from, &to, rights) != 3 || rights[1] != 'w'
            || to - from > REGION_MOST)     /* a sanitizer's own */
            continue;
        for (unsigned long at = from; at < to; at += PART - CANARY) {
            size_t n = to - at < PART ? to - at : PART;
            if (at + n > (unsigned long)copy && at < (unsigned long)copy + PART)
                continue;
            n = fseek(memory, (long)at, SEEK_SET) == 0 ? fread(copy, 1, n, memory) : 0;
            for (size_t i = 0; i < canaries_n; i++) {
                size_t seen = count_in(copy, n, &canaries[i]);
                found += seen;
                if (seen > 0 && say)
                    print_message("%s at %s", canaries[i].name, line);
            }
        }
    }
    mem_wipe(copy, PART);
    free(copy);
    fclose(maps);
    fclose(memory);
    return found;
}

static void make(struct buffer *sealed, struct buffer *block, const char *phrase)
{
    struct rsa_private *key = rsa_private_make(1024);
    struct buffer plain = buffer_with_most(RSA_PKCS8_MOST);

    assert_true(buffer_reserve(&plain, RSA_PKCS8_MOST));
    rsa_private_put(key, &plain);
    /* the exponent and the first prime, as DER and as a number in memory has them */
    static const size_t places[] = { 180, 320 };
    for (size_t i = 0; i < COUNT(places); i++) {
        watch("the key's DER", plain.at + places[i], false);
        watch("a number of the key", plain.at + places[i], true);
    }
    assert_true(pkcs8_seal(key, PKCS8_MODERN, bytes_of(phrase), sealed));
    assert_true(rsa_encipher(rsa_private_public(key), RSA_WRAP_PKCS1, bytes_of(phrase), block));
    assert_true(scan(false) > 0);       /* the scan does find what is there */
    mem_wipe(plain.at, plain.room);
    buffer_done(&plain);
    rsa_private_free(key);
}

static void test_wiped(void **state)
{
    struct buffer sealed = buffer_with_most(RSA_PKCS8_MOST), block = buffer_with_most(4096);
    struct buffer signature = buffer_with_most(4096);
    char phrase[] = "x0123456789abcdefghijkl";
    uint8_t secret[sizeof(phrase) - 1];
    struct rsa_private *key;

    (void)state;
#ifdef __SANITIZE_ADDRESS__
    /* It keeps what was given back: so the copies that OpenSSL made of the new key, too. */
    print_message("skipped: the address sanitizer keeps freed memory\n");
    skip();
#endif
    for (size_t i = 0; i + 1 < sizeof(phrase); i++)
        phrase[i] = (char)(phrase[i] + 1);
    watch("the pass phrase", phrase + 3, false);
    make(&sealed, &block, phrase);
    assert_int_equal(pkcs8_open(buffer_bytes(&sealed), bytes_of(phrase), &key), PKCS8_OPENED);
    assert_true(rsa_sign(key, BYTES("what is signed"), &signature));
    assert_true(rsa_decipher(key, RSA_WRAP_PKCS1, buffer_bytes(&block), sizeof(secret), secret));
    assert_memory_equal(secret, phrase, sizeof(secret));
    rsa_private_free(key);
    mem_wipe(phrase, sizeof(phrase));
    mem_wipe(secret, sizeof(secret));
    assert_int_equal(scan(true), 0);
    buffer_done(&sealed);
    buffer_done(&block);
    buffer_done(&signature);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_wiped) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
