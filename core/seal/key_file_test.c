/* SPDX-License-Identifier: ISC
 *
 * Every file of keys among the vectors (POSTERN_SHARED): how much is in it, and that the pass
 * phrase opens it to the very key. And files made to hurt.
 */
#include "crypt/pkcs8.h"
#include "seal/cert.h"
#include "seal/key_file.h"
#include "seal/pem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FILE_ROOM = 256 * 1024, KINDS = KEY_ITEM_BROKEN + 1 };

static const struct {
    const char *path;
    unsigned certs, publics, crls, sealed, broken;
    const char *password;
    const char *same;           /* the same key in clear */
} files[] = {
#define GEN "ripem/gen/"
    { GEN "home-alice@alice.example/privkey", 0, 0, 0, 1, 0, "pw-alice@alice.example",
      GEN "alice@alice.example.pkcs8.pem" },
    { GEN "home-bob@bob.example/privkey", 0, 0, 0, 1, 0, "pw-bob@bob.example",
      GEN "bob@bob.example.pkcs8.pem" },
    { GEN "home-carol@carol.example/privkey", 0, 0, 0, 1, 0, "pw-carol@carol.example",
      GEN "carol@carol.example.pkcs8.pem" },
    { GEN "home-dave@dave.example/privkey", 0, 0, 0, 1, 0, "pw-dave@dave.example",
      GEN "dave@dave.example.pkcs8.pem" },
    { GEN "home-alice@alice.example/pubkeys", 3, 1, 0, 0, 0, NULL, NULL },
    { GEN "home-bob@bob.example/pubkeys", 3, 1, 0, 0, 0, NULL, NULL },
    { GEN "home-carol@carol.example/pubkeys", 1, 1, 0, 0, 0, NULL, NULL },
    { GEN "home-dave@dave.example/pubkeys", 1, 1, 0, 0, 0, NULL, NULL },
#define GEN3 "ripem/gen3/"
    { GEN3 "home-alice/privkey", 0, 0, 0, 1, 0, "pw-alice", GEN3 "alice.pkcs8.pem" },
    { GEN3 "home-bob/privkey", 0, 0, 0, 1, 0, "pw-bob", GEN3 "bob.pkcs8.pem" },
    { GEN3 "home-ca/privkey", 0, 0, 0, 1, 0, "pw-ca", GEN3 "ca.pkcs8.pem" },
    { GEN3 "home-dave/privkey", 0, 0, 0, 1, 0, "pw-dave", GEN3 "dave.pkcs8.pem" },
    { GEN3 "home-root/privkey", 0, 0, 0, 1, 0, "pw-root", GEN3 "root.pkcs8.pem" },
    { GEN3 "home-carol/privkey", 0, 0, 0, 1, 0, "pw-carol", GEN3 "carol.pkcs8.pem" },
    { GEN3 "home-alice/pubkeys", 7, 0, 0, 0, 0, NULL, NULL },
    { GEN3 "home-bob/pubkeys", 6, 0, 0, 0, 0, NULL, NULL },
    { GEN3 "home-ca/pubkeys", 7, 0, 0, 0, 0, NULL, NULL },
    { GEN3 "home-carol/pubkeys", 8, 0, 0, 0, 0, NULL, NULL },
    { GEN3 "home-dave/pubkeys", 5, 0, 0, 0, 0, NULL, NULL },
    { GEN3 "home-root/pubkeys", 3, 0, 0, 0, 0, NULL, NULL },
    { GEN3 "home-alice/crls", 0, 0, 1, 0, 0, NULL, NULL },
    { GEN3 "home-bob/crls", 0, 0, 1, 0, 0, NULL, NULL },
    { GEN3 "home-ca/crls", 0, 0, 2, 0, 0, NULL, NULL },
    { GEN3 "home-carol/crls", 0, 0, 3, 0, 0, NULL, NULL },
    { GEN3 "home-dave/crls", 0, 0, 1, 0, 0, NULL, NULL },
    { GEN3 "home-root/crls", 0, 0, 1, 0, 0, NULL, NULL },
    { GEN3 "home-alice/preferen", 0, 0, 0, 0, 0, NULL, NULL },
    { "ripem/shipped-1.2a/test1.prv", 0, 0, 0, 1, 0, "test1pw", NULL },
    { "ripem/shipped-1.2a/test112.prv", 0, 0, 0, 1, 0, "test1pw", NULL },
    { "ripem/shipped-1.2a/test1o.prv", 0, 0, 0, 1, 0, "test1pw", NULL },
    { "ripem/shipped-1.2a/privb", 0, 0, 0, 1, 0, NULL, NULL },
    { "ripem/shipped-1.2a/test1.pub", 1, 1, 0, 0, 0, NULL, NULL },
    { "ripem/shipped-1.2a/test1o.pub", 0, 1, 0, 0, 0, NULL, NULL },
    { "ripem/shipped-1.2a/pubb", 0, 1, 0, 0, 0, NULL, NULL },
    { "ripem/shipped-1.2a/test1bad.pub", 0, 0, 0, 0, 1, NULL, NULL },
    { "ripem/shipped-3.0b4/privkey", 0, 0, 0, 1, 0, "test1pw", NULL },
    { "ripem/shipped-3.0b4/test1.prv", 0, 0, 0, 1, 0, "test1pw", NULL },
    /* its last line of base64 was lost before it came here */
    { "ripem/shipped-3.0b4/test112.prv", 0, 0, 0, 1, 0, NULL, NULL },
    { "ripem/shipped-3.0b4/pubkeys.org", 1, 0, 0, 0, 0, NULL, NULL },
    { "ripem/shipped-3.0b4/test1.pub", 1, 1, 0, 0, 0, NULL, NULL },
    { "ripem/shipped-3.0b4/crls", 0, 0, 4, 0, 0, NULL, NULL },
};

/* The text of a vector; at == NULL when there are no vectors. The caller frees. */
static struct bytes read_vector(const char *name)
{
    const char *shared = getenv("POSTERN_SHARED");
    char path[4096];
    char *text = mem_new(FILE_ROOM);

    snprintf(path, sizeof(path), "%s/vectors/%s", shared == NULL ? "" : shared, name);
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        mem_free(text);
        return (struct bytes){ NULL, 0 };
    }
    size_t n = fread(text, 1, FILE_ROOM, file);
    fclose(file);
    return (struct bytes){ text, n };
}

static void free_vector(struct bytes text)
{
    union { const char *from; void *to; } at = { .from = text.at };

    mem_free(at.to);
}

/* The one private key of a file, or NULL. */
static struct rsa_private *open_vector(const char *name, const char *password)
{
    struct arena arena = arena_with_ceiling(KEY_FILE_MEMORY);
    struct rsa_private *key = NULL;
    struct bytes text = read_vector(name);
    struct key_file file;

    assert_non_null(text.at);
    key_file_read(text, &arena, &file);
    for (const struct key_item *item = file.first; item != NULL && key == NULL; item = item->next) {
        if (item->kind == KEY_ITEM_PRIVATE)
            key = rsa_private_read(item->der);
        else if (item->kind == KEY_ITEM_SEALED
                 && pkcs8_open(item->der, bytes_of(password), &key) != PKCS8_OPENED)
            key = NULL;
    }
    arena_done(&arena);
    free_vector(text);
    return key;
}

static void check_secret(const char *path, const char *password, const char *same)
{
    struct rsa_private *key = open_vector(path, password), *clear;

    if (key == NULL)
        print_error("%s\n", path);
    assert_non_null(key);
    assert_null(open_vector(path, "no"));
    clear = same == NULL ? NULL : open_vector(same, "");
    assert_true(same == NULL || (clear != NULL && rsa_equal(rsa_private_public(key),
                                                            rsa_private_public(clear))));
    rsa_private_free(clear);
    rsa_private_free(key);
}

static void test_vectors(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(files); i++) {
        struct arena arena = arena_with_ceiling(KEY_FILE_MEMORY);
        struct bytes text = read_vector(files[i].path);
        struct keyring *ring = keyring_new();
        struct key_file file;
        unsigned counts[KINDS] = { 0 };
        if (text.at == NULL && i == 0) {
            keyring_free(ring);
            skip();
        }
        assert_non_null(text.at);
        key_file_read(text, &arena, &file);
        assert_false(file.bad);
        for (const struct key_item *item = file.first; item != NULL; item = item->next) {
            counts[item->kind]++;
            assert_int_equal(key_item_add(ring, item) == KEYRING_REFUSED,
                             item->kind == KEY_ITEM_BROKEN);
        }
        const unsigned wanted[KINDS] = {
            [KEY_ITEM_CERT] = files[i].certs, [KEY_ITEM_PUBLIC] = files[i].publics,
            [KEY_ITEM_CRL] = files[i].crls, [KEY_ITEM_SEALED] = files[i].sealed,
            [KEY_ITEM_BROKEN] = files[i].broken,
        };
        for (size_t kind = 0; kind < KINDS; kind++) {
            if (counts[kind] != wanted[kind])
                print_error("%s: %u of kind %zu\n", files[i].path, counts[kind], kind);
        }
        assert_memory_equal(counts, wanted, sizeof(counts));
        if (files[i].password != NULL)
            check_secret(files[i].path, files[i].password, files[i].same);
        keyring_free(ring);
        arena_done(&arena);
        free_vector(text);
    }
}

static void add_vector(struct keyring *ring, const char *name)
{
    struct arena arena = arena_with_ceiling(KEY_FILE_MEMORY);
    struct bytes text = read_vector(name);
    struct key_file file;

    assert_non_null(text.at);
    key_file_read(text, &arena, &file);
    for (const struct key_item *item = file.first; item != NULL; item = item->next)
        assert_int_not_equal(key_item_add(ring, item), KEYRING_REFUSED);
    arena_done(&arena);
    free_vector(text);
}

static void trust_vector(struct keyring *ring, const char *name, unsigned depth)
{
    struct keyring_anchor anchor = { .depth = depth };
    struct rsa_private *key = open_vector(name, "");

    assert_true(key != NULL && keyring_digest(rsa_private_public(key), anchor.digest));
    (void)keyring_add_anchor(ring, &anchor);
    rsa_private_free(key);
}

/* All certificates and lists that a message brings. */
static void add_message(struct keyring *ring, const char *name)
{
    struct arena arena = arena_with_ceiling(1 << 20);
    struct bytes text = read_vector(name);
    struct pem_header header;
    struct pem_flaw flaw;

    assert_non_null(text.at);
    struct bytes rest = bytes_skip(text, bytes_search(text, BYTES("-----BEGIN PRIVACY")));
    rest = bytes_skip(rest, bytes_find(rest, '\n') + 1);
    rest = bytes_first(rest, bytes_search(rest, BYTES("-----END PRIVACY")));
    rest = bytes_first(rest, bytes_search(rest, BYTES("\n\n")) + 1);
    if (!pem_header_read(rest, 2, &arena, &header, &flaw)) {
        print_error("%s: line %u: %s\n", name, flaw.line, flaw.words);
        fail();
    }
    if (header.originator.certificate.n > 0)
        assert_int_not_equal(keyring_add_cert(ring, header.originator.certificate, NULL, 0),
                             KEYRING_REFUSED);
    for (size_t i = 0; i < header.certificates_n; i++)
        assert_int_not_equal(keyring_add_cert(ring, header.certificates[i], NULL, 0),
                             KEYRING_REFUSED);
    for (size_t i = 0; i < header.crls_n; i++)
        assert_int_equal(keyring_add_crl(ring, header.crls[i].der), KEYRING_ADDED);
    arena_done(&arena);
    free_vector(text);
}

/* The path of the one certificate of that name that leads to somebody trusted. */
static struct cert_path trusted_path(const struct keyring *ring, const char *name, int64_t now)
{
    const struct cert_rules rules = { .now = now };
    struct keyring_query query = { .name = bytes_of(name) };
    struct cert_path path = { .n = 0 };

    for (const struct keyring_key *key = keyring_find(ring, &query, NULL);
         key != NULL && !path.trusted; key = keyring_find(ring, &query, key))
        cert_judge(ring, &key->cert, NULL, 0, &rules, &path);
    assert_true(path.trusted);
    return path;
}

static bool has_vectors(void)
{
    struct bytes there = read_vector(GEN3 "ca-crl-empty.pem");

    free_vector(there);
    return there.at != NULL;
}

/* What RIPEM 3.0 measured: carol, who trusts the authority, found bob VALID before she had read
   that he was revoked, and REVOKED afterwards. */
static void test_ripem_path(void **state)
{
    const int64_t before = 1795290030, after = 1795290100;     /* of 21 November 2026 */
    struct keyring *ring;

    (void)state;
    if (!has_vectors())
        skip();
    ring = keyring_new();
    add_vector(ring, GEN3 "home-carol/pubkeys");
    add_vector(ring, GEN3 "home-bob/pubkeys");
    trust_vector(ring, GEN3 "ca.pkcs8.pem", 1);
    struct cert_path path = trusted_path(ring, "bob@bob.example", before);
    assert_string_equal(cert_status_name(path.status), "REVOCATION UNKNOWN");
    assert_int_equal(path.n, 2);
    add_message(ring, GEN3 "ca-crl-empty.pem");
    path = trusted_path(ring, "bob@bob.example", before);
    assert_string_equal(cert_status_name(path.status), "VALID");
    add_vector(ring, GEN3 "home-carol/crls");
    path = trusted_path(ring, "bob@bob.example", after);
    assert_string_equal(cert_status_name(path.status), "REVOKED");
    keyring_free(ring);
}

/* Certificates of 1991 and 1994, of messages that people sent: who signed whom. */
static void test_old_certificates(void **state)
{
    static const struct {
        const char *path, *subject;
        size_t n;               /* certificates of the path that are known */
        enum cert_because because;
    } rows[] = {
        { "rfc1421/rfc1421-fig4-mic-only-asymmetric.txt", "Test User 1", 2,
          CERT_BECAUSE_NO_ISSUER },
        { "rfc1421/rfc1421-fig3-encrypted-asymmetric.txt", "Test User 1", 2,
          CERT_BECAUSE_NO_ISSUER },
        { "historical/ripem12-jefft-1994-mic-clear.eml", "jefft", 1,
          CERT_BECAUSE_UNTRUSTED },
        { GEN3 "ca-certreq.pem", "ca@ca.example", 1, CERT_BECAUSE_UNTRUSTED },
        { GEN3 "dave-2level-pem-mic-clear.pem", "dave@dave.example", 2, CERT_BECAUSE_NO_ISSUER },
    };
    const struct cert_rules rules = { .now = 0 };
    struct cert_path path;

    (void)state;
    if (!has_vectors())
        skip();
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct keyring *ring = keyring_new();
        struct buffer name = buffer_with_most(DNAME_MOST);
        add_message(ring, rows[i].path);
        const struct keyring_key *leaf
            = keyring_find(ring, &(struct keyring_query){ .name = BYTES_NONE }, NULL);
        assert_non_null(leaf);
        cert_judge(ring, &leaf->cert, NULL, 0, &rules, &path);
        dname_put_text(leaf->cert.subject, &name);
        if (path.n != rows[i].n || path.steps[path.n - 1].because != rows[i].because)
            print_error("%s: %zu certificates, %s\n", rows[i].path, path.n,
                        cert_because_words(path.steps[path.n - 1].because));
        assert_true(bytes_search(buffer_bytes(&name), bytes_of(rows[i].subject)) < name.n);
        assert_int_equal(path.n, rows[i].n);
        assert_int_equal(path.steps[path.n - 1].because, rows[i].because);
        assert_int_equal(path.status, CERT_UNVALIDATED);
        buffer_done(&name);
        keyring_free(ring);
    }
}

/* ---- SEAL-026: files made to hurt, or only broken */

static const struct {
    const char *text;
    unsigned items, broken;
} hostile[] = {
    { "", 0, 0 },
    { "nothing of the kind\n", 0, 0 },
    { "-----BEGIN CERTIFICATE-----\n", 1, 1 },
    { "-----BEGIN CERTIFICATE-----\n-----BEGIN CERTIFICATE-----\n", 2, 2 },
    { "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n", 1, 1 },
    { "-----BEGIN CERTIFICATE-----\n!!!!\n-----END CERTIFICATE-----\n", 1, 1 },
    { "-----BEGIN CERTIFICATE-----\nMAA=\n-----END X509 CRL-----\n", 1, 1 },
    { "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nMAA=\n"
      "-----END RSA PRIVATE KEY-----\n", 1, 1 },
    { "User: a\nCertificateInfo:\n MAA=\n\nUser: b\nPublicKeyInfo:\n !\n", 2, 1 },
    { "User: a\nCertificateInfo:\n MAA=\nCertificateInfo:\n MAA=\n", 1, 1 },
    { "User: a\nCertificateInfo:", 1, 1 },
    { "CertificateInfo:\n MA\n\tA=\n # not base64\n", 1, 1 },
    { "# CertificateInfo: MAA=\n", 0, 0 },
    { "User: a\nUser: b\nUser: c\n", 0, 0 },
    { "User: a\nSomething-Else: x\n MAA=\nCRLInfo: MAA=\n", 1, 0 },
};

static void test_hostile(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(hostile); i++) {
        struct arena arena = arena_with_ceiling(KEY_FILE_MEMORY);
        struct keyring *ring = keyring_new();
        struct key_file file;
        unsigned broken = 0;
        key_file_read(bytes_of(hostile[i].text), &arena, &file);
        for (const struct key_item *item = file.first; item != NULL; item = item->next) {
            broken += item->kind == KEY_ITEM_BROKEN;
            assert_int_equal(key_item_add(ring, item), KEYRING_REFUSED);
        }
        if (file.n != hostile[i].items || broken != hostile[i].broken)
            print_error("row %zu: %zu items, %u broken\n", i, file.n, broken);
        assert_int_equal(file.n, hostile[i].items);
        assert_int_equal(broken, hostile[i].broken);
        keyring_free(ring);
        arena_done(&arena);
    }
}

/* SEAL-020: a file of nothing but names, as long as may be, is read in one pass; a longer one not
   at all. */
static void test_long(void **state)
{
    struct arena arena = arena_with_ceiling(KEY_FILE_MEMORY);
    struct buffer text = buffer_with_most(KEY_FILE_MOST + 1);
    struct key_file file;

    (void)state;
    while (text.n + 8 <= KEY_FILE_MOST)
        buffer_put(&text, BYTES("User: a\n"));
    key_file_read(buffer_bytes(&text), &arena, &file);
    assert_true(!file.bad && file.n == 0);
    buffer_put(&text, BYTES("\n"));
    while (text.n <= KEY_FILE_MOST)
        buffer_put_char(&text, '\n');
    key_file_read(buffer_bytes(&text), &arena, &file);
    assert_true(file.bad);
    buffer_done(&text);
    arena_done(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectors), cmocka_unit_test(test_ripem_path),
        cmocka_unit_test(test_old_certificates), cmocka_unit_test(test_hostile),
        cmocka_unit_test(test_long),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
