/* SPDX-License-Identifier: ISC
 *
 * The words of postern key, and its work without files. What openssl says of the results is asked
 * in tests/e2e/keystore.py.
 */
#include "role/once_key.h"

#include "crypt/pkcs8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <string.h>

enum { WORDS_MOST = 12, NOW = 1795289924 };

static size_t split(const char *line, struct bytes words[static WORDS_MOST])
{
    struct bytes rest = bytes_of(line), word;
    size_t n = 0;

    while (n < WORDS_MOST && bytes_cut(&rest, ' ', &word))
        words[n++] = word;
    return n;
}

static const struct {
    const char *line;
    bool well;
} lines[] = {
    { "make --name a@b", true }, { "make", false }, { "make a@b", false },
    { "make --name a@b extra", false }, { "make --name", false },
    { "make --name a@b --bits 2048", true }, { "make --name a@b --bits 2049", false },
    { "make --name a@b --bits 508", false }, { "make --name a@b --bits 8192", true },
    { "make --name a@b --bits 9000", false }, { "make --name a@b --days 0", false },
    { "make --name a@b --days -1", false }, { "make --name a@b --profile ripem3", true },
    { "make --name a@b --profile ripem4", false }, { "make --name a@b --json", false },
    { "import -", true }, { "import", false }, { "import a b", false },
    { "export a --form der --private", true }, { "export a --form gif", false },
    { "list", true }, { "list a --json --strict", true }, { "list --private", false },
    { "trust a --depth 9 --role ipra", true }, { "trust a --depth 10", false },
    { "trust a --role king", false }, { "trust a --not", true }, { "trust", false },
    { "revoke a --by b", true }, { "revoke a", false }, { "revoke --by b", false },
    { "crl --by b --days 30", true }, { "crl file", true }, { "crl file --by b", false },
    { "crl", false }, { "crl --ask a", true }, { "crl --answer file", true },
    { "request a --clear", true }, { "request", false },
    { "issue f --by a --authority", true }, { "issue f", false },
    { "frobnicate", false }, { "", false }, { "--help", true }, { "make --help", true },
    { "list --keys x --password-file y --password-fd 3", true },
    { "list --new-password-fd 3", false },
};

static void test_words(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(lines); i++) {
        struct bytes words[WORDS_MOST];
        struct buffer flaw = buffer_with_most(4096);
        struct key_request request;
        size_t n = split(lines[i].line, words);
        bool well = key_words_read(words, n, &request, &flaw);
        if (well != lines[i].well)
            print_error("%s\n", lines[i].line);
        assert_int_equal(well, lines[i].well);
        assert_int_equal(flaw.n == 0, well);
        assert_true(well || bytes_find(buffer_bytes(&flaw), '\n') == flaw.n - 1);
        buffer_done(&flaw);
    }
}

static enum once_exit run(struct key_work *work, struct key_request *request, const char *line,
                          struct keyring *ring)
{
    struct bytes words[WORDS_MOST];
    struct buffer flaw = buffer_with_most(4096);
    bool well = key_words_read(words, split(line, words), request, &flaw);

    buffer_done(&flaw);
    assert_true(well);
    *work = key_work_begin(request, ring, NOW);
    work->password = BYTES("pass");
    return key_work_run(work);
}

/* What make writes, read as the store is: one private key, one certificate, trust. */
static void test_make(void **state)
{
    struct keyring *ring = keyring_new(), *again = keyring_new();
    struct key_request request;
    struct key_work work;
    unsigned files = 0;

    (void)state;
    assert_int_equal(run(&work, &request, "make --name a@b.example --profile ripem12 --bits 512",
                         ring), ONCE_WELL);
    for (const struct key_write *one = work.writes; one != NULL; one = one->next, files++) {
        struct key_file file;
        if (strcmp(one->name, "trust") == 0) {
            assert_int_equal(key_trust_read(one->text, again), 0);
            continue;
        }
        key_file_read(one->text, &work.arena, &file);
        for (const struct key_item *item = file.first; item != NULL; item = item->next)
            assert_int_equal(key_item_add(again, item), KEYRING_ADDED);
    }
    assert_int_equal(files, 3);
    const struct keyring_query query = { .name = BYTES("a@b.example") };
    const struct keyring_secret *secret = keyring_find_secret(again, &query, NULL);
    struct rsa_private *key;
    assert_true(secret != NULL && secret->half_known);
    assert_int_equal(pkcs8_open(secret->sealed, BYTES("pass"), &key), PKCS8_OPENED);
    assert_true(rsa_equal(rsa_private_public(key), secret->half));
    const struct keyring_anchor *anchor = keyring_trust(again, secret->half);
    assert_true(anchor != NULL && anchor->depth == 1);
    rsa_private_free(key);
    key_work_done(&work);
    keyring_free(ring);
    keyring_free(again);
}

/* An allocation fails, each third one in turn: no crash, no leak, and a status that says so, or
   success. */
static void test_short_of_memory(void **state)
{
    (void)state;
    for (uint64_t i = 1; i < 400; i += 3) {
        struct keyring *ring = keyring_new();
        struct key_request request;
        struct key_work work;
        mem_fail_at(i);
        enum once_exit status = run(&work, &request,
                                    "make --name a@b.example --profile ripem12 --bits 512", ring);
        mem_fail_at(0);
        key_work_done(&work);
        keyring_free(ring);
        if (status == ONCE_WELL)
            return;
    }
    fail();
}

static const struct {
    const char *line;
    uint32_t bad;
} trusts[] = {
    { "", 0 },
    { "# nobody\n\n", 0 },
    { "0123456789abcdef0123456789ABCDEF0123456789abcdef0123456789abcdef 3 pca # x\n", 0 },
    { "0123456789abcdef0123456789ABCDEF0123456789abcdef0123456789abcdef 10 pca\n", 1 },
    { "0123456789abcdef0123456789ABCDEF0123456789abcdef0123456789abcdef 3 king\n", 1 },
    { "0123456789abcdef0123456789ABCDEF0123456789abcdef0123456789abcde 3 ca\n", 1 },
    { "0123456789abcdef0123456789ABCDEF0123456789abcdef0123456789abcdeg 3 ca\n", 1 },
    { "\nwhom?\n", 2 },
};

static void test_trust_file(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(trusts); i++) {
        struct keyring *ring = keyring_new();
        assert_int_equal(key_trust_read(bytes_of(trusts[i].line), ring), trusts[i].bad);
        keyring_free(ring);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_words), cmocka_unit_test(test_make),
        cmocka_unit_test(test_short_of_memory), cmocka_unit_test(test_trust_file),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
