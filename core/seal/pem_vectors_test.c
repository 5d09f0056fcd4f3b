/* SPDX-License-Identifier: ISC
 *
 * Every message of the shared vectors, with the verdict that their notes state: made by RIPEM 1.2a
 * and 3.0b4, by the SEC, by people of 1993 and 1994, and by the authors of RFC 1421.
 */
#include "seal/pem_world_test.h"

#include "base/base64.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum who { NOBODY, ALICE, BOB, CAROL, ALICE3, BOB3, TEST, WHO };

static const struct { const char *key, *name; } people[WHO] = {
    [ALICE] = { "ripem/gen/alice@alice.example.pkcs8.pem", "alice@alice.example" },
    [BOB] = { "ripem/gen/bob@bob.example.pkcs8.pem", "bob@bob.example" },
    [CAROL] = { "ripem/gen/carol@carol.example.pkcs8.pem", "carol@carol.example" },
    [ALICE3] = { "ripem/gen3/alice.pkcs8.pem", "alice@alice.example" },
    [BOB3] = { "ripem/gen3/bob.pkcs8.pem", "bob@bob.example" },
    [TEST] = { "ripem/shipped-1.2a/test1.json", "test" },
};

static const struct {
    const char *file;
    enum pem_verdict verdict;
    enum who reads;
    const char *text;
} vectors[] = {
    { "edgar/0000912057-00-023442.txt", PEM_GOOD_WEAK, NOBODY, NULL },
    { "edgar/0000950129-95-001652.txt", PEM_GOOD_WEAK, NOBODY, NULL },
    { "edgar/0001094891-00-000193.txt", PEM_ALTERED, NOBODY, NULL },
    { "historical/fgmp-markh-1993.pem.txt", PEM_GOOD_WEAK, NOBODY, NULL },
    { "historical/ripem12-jefft-1994-mic-clear.eml", PEM_GOOD_WEAK, NOBODY, NULL },
    { "rfc1421/rfc1421-fig2-encrypted-symmetric.txt", PEM_NO_KEY, NOBODY, NULL },
    { "rfc1421/rfc1421-fig3-encrypted-asymmetric.txt", PEM_NO_KEY, NOBODY, NULL },
    { "rfc1421/rfc1421-fig4-mic-only-asymmetric.txt", PEM_GOOD_WEAK, NOBODY, NULL },
    { "rfc1421/rfc1424-example1.txt", PEM_MALFORMED, NOBODY, NULL },
    { "rfc1421/rfc1424-example2.txt", PEM_MALFORMED, NOBODY, NULL },
    { "rfc1421/rfc1424-example3.txt", PEM_MALFORMED, NOBODY, NULL },
    { "rfc1421/rfc1424-example4.txt", PEM_MALFORMED, NOBODY, NULL },
    { "rfc1421/rfc1424-example5.txt", PEM_MALFORMED, NOBODY, NULL },
    { "ripem/gen/alice-to-bob-des-cbc-plain1.pem", PEM_GOOD_WEAK, BOB, "ripem/gen/plain1.txt" },
    { "ripem/gen/bob-hipr-des-cbc-mail1.pem", PEM_GOOD_WEAK, ALICE, NULL },
    { "ripem/gen/bob-hipr-des-ede-cbc-mail1.pem", PEM_GOOD_WEAK, ALICE, NULL },
    { "ripem/gen/bob-hpr-des-cbc-mail1.pem", PEM_GOOD_WEAK, ALICE, NULL },
    { "ripem/gen/bob-hpr-des-ede-cbc-mail1.pem", PEM_GOOD_WEAK, ALICE, NULL },
    { "ripem/gen/bob-mic-clear-mail1-hi.pem", PEM_GOOD_WEAK, NOBODY, NULL },
    { "ripem/gen/bob-mic-clear-mail1-hp.pem", PEM_GOOD_WEAK, NOBODY, NULL },
    { "ripem/gen/bob-mic-clear-plain0.pem", PEM_GOOD_WEAK, NOBODY, "ripem/gen/plain0.txt" },
    { "ripem/gen/bob-mic-clear-plain1.pem", PEM_GOOD_WEAK, NOBODY, "ripem/gen/plain1.txt" },
    { "ripem/gen/bob-mic-clear-plain2.pem", PEM_GOOD_WEAK, NOBODY, "ripem/gen/plain2.txt" },
    { "ripem/gen/bob-mic-clear-plain8.pem", PEM_GOOD_WEAK, NOBODY, NULL },
    { "ripem/gen/bob-mic-only-plain0.pem", PEM_GOOD_WEAK, NOBODY, "ripem/gen/plain0.txt" },
    { "ripem/gen/bob-mic-only-plain1.pem", PEM_GOOD_WEAK, NOBODY, "ripem/gen/plain1.txt" },
    { "ripem/gen/bob-to-alice+carol+self-des-cbc-plain1.pem",
      PEM_GOOD_WEAK, ALICE, "ripem/gen/plain1.txt" },
    { "ripem/gen/bob-to-alice+carol+self-des-ede-cbc-plain1.pem",
      PEM_GOOD_WEAK, ALICE, "ripem/gen/plain1.txt" },
    { "ripem/gen/bob-to-alice-des-cbc-plain2.pem", PEM_GOOD_WEAK, ALICE, "ripem/gen/plain2.txt" },
    { "ripem/gen/bob-to-alice-des-ede-cbc-plain1.pem",
      PEM_GOOD_WEAK, ALICE, "ripem/gen/plain1.txt" },
    { "ripem/gen/bob-to-alice-des-ede-cbc-plain8.pem",
      PEM_GOOD_WEAK, ALICE, NULL },
    { "ripem/gen/bob-to-alice+carol+self-des-cbc-plain1.pem",
      PEM_GOOD_WEAK, BOB, "ripem/gen/plain1.txt" },
    { "ripem/gen/bob-to-alice+carol+self-des-ede-cbc-plain1.pem",
      PEM_GOOD_WEAK, BOB, "ripem/gen/plain1.txt" },
    { "ripem/gen/bob-to-alice+carol+self-des-cbc-plain1.pem",
      PEM_GOOD_WEAK, CAROL, "ripem/gen/plain1.txt" },
    { "ripem/gen/bob-to-alice+carol+self-des-ede-cbc-plain1.pem",
      PEM_GOOD_WEAK, CAROL, "ripem/gen/plain1.txt" },
    { "ripem/gen/bob-to-alice-des-cbc-plain2.pem", PEM_NO_KEY, CAROL, NULL },
    { "ripem/gen3/alice-pem-mic-clear-plain1.pem",
      PEM_GOOD_WEAK, NOBODY, "ripem/gen3/plain1.txt" },
    { "ripem/gen3/alice-pem-mic-clear-plain2.pem", PEM_MALFORMED, NOBODY, NULL },
    { "ripem/gen3/alice-pem-mic-clear-plain8.pem",
      PEM_GOOD_WEAK, NOBODY, "ripem/gen3/plain8.txt" },
    { "ripem/gen3/alice-pem-mic-only-plain0.pem", PEM_GOOD_WEAK, NOBODY, "ripem/gen3/plain0.txt" },
    { "ripem/gen3/alice-pem-mic-only-plain8.pem", PEM_GOOD_WEAK, NOBODY, "ripem/gen3/plain8.txt" },
    { "ripem/gen3/alice-pem-mic-only-rsa-md2.pem", PEM_GOOD_WEAK, NOBODY, NULL },
    { "ripem/gen3/alice-selfsigned-ripem1-mic-clear.pem", PEM_GOOD_WEAK, NOBODY, NULL },
    { "ripem/gen3/alice-to-bob-pem-des-cbc-plain1.pem", PEM_NO_KEY, BOB3, NULL },
    { "ripem/gen3/alice-to-bob-pem-des-cbc-plain2.pem", PEM_NO_KEY, BOB3, NULL },
    { "ripem/gen3/alice-to-bob-pem-des-cbc-plain8.pem", PEM_NO_KEY, BOB3, NULL },
    { "ripem/gen3/alice-to-bob-ripem1-des-cbc-plain2.pem",
      PEM_GOOD_WEAK, BOB3, "ripem/gen3/plain2.txt" },
    { "ripem/gen3/alice-to-bob-ripem1-des-cbc-plain8.pem",
      PEM_GOOD_WEAK, BOB3, "ripem/gen3/plain8.txt" },
    { "ripem/gen3/bob-selfsigned-pem-mic-clear.pem", PEM_GOOD_WEAK, NOBODY, NULL },
    { "ripem/gen3/ca-certreq.pem", PEM_GOOD_WEAK, NOBODY, NULL },
    { "ripem/gen3/ca-crl-empty.pem", PEM_GOOD_WEAK, NOBODY, NULL },
    { "ripem/gen3/carol-crl-retrieval-request.pem", PEM_GOOD_UNTRUSTED, NOBODY, NULL },
    { "ripem/gen3/carol-selfsigned-pem-mic-clear.pem", PEM_GOOD_WEAK, NOBODY, NULL },
    { "ripem/gen3/carol-selfsigned-ripem1-mic-clear.pem", PEM_GOOD_WEAK, NOBODY, NULL },
    { "ripem/gen3/dave-2level-pem-mic-clear.pem", PEM_GOOD_WEAK, NOBODY, NULL },
    { "ripem/gen3/dave-selfsigned-ripem1-mic-clear.pem", PEM_GOOD_WEAK, NOBODY, NULL },
    { "ripem/inbound-matrix/A1.pem", PEM_GOOD_WEAK, NOBODY, NULL },
    { "ripem/inbound-matrix/A2.pem", PEM_GOOD_WEAK, NOBODY, NULL },
    { "ripem/inbound-matrix/A3.pem", PEM_GOOD_WEAK, NOBODY, NULL },
    { "ripem/inbound-matrix/A4.pem", PEM_GOOD_WEAK, NOBODY, NULL },
    { "ripem/inbound-matrix/A5.pem", PEM_GOOD_WEAK, NOBODY, NULL },
    { "ripem/inbound-matrix/A6.pem", PEM_GOOD_WEAK, NOBODY, NULL },
    { "ripem/inbound-matrix/A7.pem", PEM_GOOD_WEAK, NOBODY, NULL },
    { "ripem/inbound-matrix/A8.pem", PEM_GOOD_WEAK, NOBODY, NULL },
    { "ripem/inbound-matrix/A9.pem", PEM_GOOD_WEAK, NOBODY, NULL },
    { "ripem/inbound-matrix/B1.pem", PEM_GOOD_WEAK, NOBODY, NULL },
    { "ripem/inbound-matrix/B10.pem", PEM_GOOD_WEAK, NOBODY, NULL },
    { "ripem/inbound-matrix/B11.pem", PEM_GOOD_WEAK, NOBODY, NULL },
    { "ripem/inbound-matrix/B12.pem", PEM_GOOD_WEAK, NOBODY, NULL },
    { "ripem/inbound-matrix/B2.pem", PEM_GOOD_WEAK, NOBODY, NULL },
    { "ripem/inbound-matrix/B3.pem", PEM_GOOD_WEAK, NOBODY, NULL },
    { "ripem/inbound-matrix/B4.pem", PEM_GOOD_WEAK, NOBODY, NULL },
    { "ripem/inbound-matrix/B5.pem", PEM_GOOD_WEAK, NOBODY, NULL },
    { "ripem/inbound-matrix/B6.pem", PEM_GOOD_WEAK, NOBODY, NULL },
    { "ripem/inbound-matrix/B7.pem", PEM_GOOD_WEAK, NOBODY, NULL },
    { "ripem/inbound-matrix/B8.pem", PEM_GOOD_WEAK, NOBODY, NULL },
    { "ripem/inbound-matrix/B9.pem", PEM_GOOD_WEAK, NOBODY, NULL },
    { "ripem/inbound-matrix/C-id+key.pem", PEM_GOOD_WEAK, ALICE, NULL },
    { "ripem/inbound-matrix/C-id.pem", PEM_NO_KEY, ALICE, NULL },
    { "ripem/inbound-matrix/C-key+id.pem", PEM_GOOD_WEAK, ALICE, NULL },
    { "ripem/inbound-matrix/C-key.pem", PEM_GOOD_WEAK, ALICE, NULL },
    { "ripem/inbound-matrix/C-name+key.pem", PEM_GOOD_WEAK, ALICE, NULL },
    { "ripem/inbound-matrix/C-name.pem", PEM_GOOD_WEAK, ALICE, NULL },
    { "ripem/inbound-matrix/C10.pem", PEM_GOOD_WEAK, ALICE, NULL },
    { "ripem/inbound-matrix/C11.pem", PEM_GOOD_WEAK, ALICE, NULL },
    { "ripem/inbound-matrix/C7.pem", PEM_GOOD_WEAK, ALICE, NULL },
    { "ripem/inbound-matrix/C8.pem", PEM_GOOD_WEAK, ALICE, NULL },
    { "ripem/inbound-matrix/C9.pem", PEM_GOOD_WEAK, ALICE, NULL },
    { "ripem/inbound-matrix-ripem3/A1.pem", PEM_GOOD_WEAK, NOBODY, NULL },
    { "ripem/inbound-matrix-ripem3/A10.pem", PEM_GOOD_WEAK, NOBODY, NULL },
    { "ripem/inbound-matrix-ripem3/A11.pem", PEM_GOOD_WEAK, NOBODY, NULL },
    { "ripem/inbound-matrix-ripem3/A12.pem", PEM_GOOD_WEAK, NOBODY, NULL },
    { "ripem/inbound-matrix-ripem3/A2.pem", PEM_GOOD_WEAK, NOBODY, NULL },
    { "ripem/inbound-matrix-ripem3/A3.pem", PEM_GOOD_WEAK, NOBODY, NULL },
    { "ripem/inbound-matrix-ripem3/A4.pem", PEM_GOOD_WEAK, NOBODY, NULL },
    { "ripem/inbound-matrix-ripem3/A5.pem", PEM_GOOD_WEAK, NOBODY, NULL },
    { "ripem/inbound-matrix-ripem3/A6.pem", PEM_GOOD_WEAK, NOBODY, NULL },
    { "ripem/inbound-matrix-ripem3/A7.pem", PEM_GOOD_WEAK, NOBODY, NULL },
    { "ripem/inbound-matrix-ripem3/A8.pem", PEM_GOOD_WEAK, NOBODY, NULL },
    { "ripem/inbound-matrix-ripem3/A9.pem", PEM_GOOD_WEAK, NOBODY, NULL },
    { "ripem/inbound-matrix-ripem3/B1.pem", PEM_GOOD_WEAK, NOBODY, NULL },
    { "ripem/inbound-matrix-ripem3/B10.pem", PEM_GOOD_WEAK, NOBODY, NULL },
    { "ripem/inbound-matrix-ripem3/B11.pem", PEM_GOOD_WEAK, NOBODY, NULL },
    { "ripem/inbound-matrix-ripem3/B12.pem", PEM_GOOD_WEAK, NOBODY, NULL },
    { "ripem/inbound-matrix-ripem3/B13.pem", PEM_GOOD_WEAK, NOBODY, NULL },
    { "ripem/inbound-matrix-ripem3/B14.pem", PEM_GOOD_WEAK, NOBODY, NULL },
    { "ripem/inbound-matrix-ripem3/B2.pem", PEM_GOOD_WEAK, NOBODY, NULL },
    { "ripem/inbound-matrix-ripem3/B3.pem", PEM_GOOD_WEAK, NOBODY, NULL },
    { "ripem/inbound-matrix-ripem3/B4.pem", PEM_GOOD_WEAK, NOBODY, NULL },
    { "ripem/inbound-matrix-ripem3/B5.pem", PEM_GOOD_WEAK, NOBODY, NULL },
    { "ripem/inbound-matrix-ripem3/B6.pem", PEM_GOOD_WEAK, NOBODY, NULL },
    { "ripem/inbound-matrix-ripem3/B7.pem", PEM_GOOD_WEAK, NOBODY, NULL },
    { "ripem/inbound-matrix-ripem3/B8.pem", PEM_GOOD_WEAK, NOBODY, NULL },
    { "ripem/inbound-matrix-ripem3/B9.pem", PEM_GOOD_WEAK, NOBODY, NULL },
    { "ripem/inbound-matrix-ripem3/C-id+key.pem", PEM_GOOD_WEAK, ALICE3, NULL },
    { "ripem/inbound-matrix-ripem3/C-id.pem", PEM_NO_KEY, ALICE3, NULL },
    { "ripem/inbound-matrix-ripem3/C-key+id.pem", PEM_GOOD_WEAK, ALICE3, NULL },
    { "ripem/inbound-matrix-ripem3/C-key.pem", PEM_GOOD_WEAK, ALICE3, NULL },
    { "ripem/inbound-matrix-ripem3/C-name+key.pem", PEM_GOOD_WEAK, ALICE3, NULL },
    { "ripem/inbound-matrix-ripem3/C-name.pem", PEM_GOOD_WEAK, ALICE3, NULL },
    { "ripem/inbound-matrix-ripem3/C10.pem", PEM_GOOD_WEAK, ALICE3, NULL },
    { "ripem/inbound-matrix-ripem3/C11.pem", PEM_GOOD_WEAK, ALICE3, NULL },
    { "ripem/inbound-matrix-ripem3/C12.pem", PEM_GOOD_WEAK, ALICE3, NULL },
    { "ripem/inbound-matrix-ripem3/C7.pem", PEM_GOOD_WEAK, ALICE3, NULL },
    { "ripem/inbound-matrix-ripem3/C8.pem", PEM_GOOD_WEAK, ALICE3, NULL },
    { "ripem/inbound-matrix-ripem3/C9.pem", PEM_GOOD_WEAK, ALICE3, NULL },
    { "ripem/shipped-1.2a/ede-msg.enc", PEM_GOOD_WEAK, TEST, "ripem/shipped-1.2a/ede-msg.msg" },
    { "ripem/shipped-1.2a/message.enc", PEM_GOOD_WEAK, TEST, "ripem/shipped-1.2a/message" },
    { "ripem/shipped-1.2a/message2.enc", PEM_GOOD_WEAK, TEST, NULL },
    { "ripem/shipped-1.2a/signed.txt", PEM_GOOD_WEAK, NOBODY, NULL },
    { "ripem/shipped-1.2a/signout2.txt", PEM_GOOD_WEAK, NOBODY, NULL },
    { "ripem/shipped-3.0b4/message.enc", PEM_GOOD_WEAK, TEST, "ripem/shipped-1.2a/message" },
    { "ripem/shipped-3.0b4/message2.enc", PEM_GOOD_WEAK, TEST, NULL },
    { "ripem/shipped-3.0b4/signed.txt", PEM_GOOD_WEAK, NOBODY, NULL },};

static struct rsa_private *keys[WHO];

/* Is there a shared folder at all? */
static bool has_vectors(void)
{
    struct buffer file = buffer_with_most(1 << 20);
    bool has = world_file("README", &file);

    buffer_done(&file);
    return has;
}

static struct pem_keys keys_of(enum who who, struct pem_own *own)
{
    *own = (struct pem_own){ keys[who], who == NOBODY ? BYTES_NONE
                                                      : bytes_of(people[who].name) };
    return (struct pem_keys){ .own = own, .own_n = who != NOBODY, .rules = { .now = 1795000000 } };
}

/* As the file; its last line end is the signer's (RIPEM 1.2a puts it, 3.0b4 does not). */
static bool is_text(const struct buffer *text, const char *file)
{
    struct buffer want = buffer_with_most(1 << 20);
    bool same = world_file(file, &want);

    if (want.n > 0 && want.n + 1 == text->n)
        buffer_put_char(&want, '\n');
    same = same && bytes_equal(buffer_bytes(&want), buffer_bytes(text));
    buffer_done(&want);
    return same;
}

static unsigned check(size_t i, size_t piece)
{
    struct buffer file = buffer_with_most(1 << 20);
    struct pem_own own;
    struct pem_keys with = keys_of(vectors[i].reads, &own);
    struct world_read read;

    assert_true(world_file(vectors[i].file, &file));
    world_read(buffer_bytes(&file), &with, piece, &read);
    bool well = read.messages == 1 && read.found.verdict == vectors[i].verdict
        && (vectors[i].text == NULL || is_text(&read.text, vectors[i].text));
    if (!well)
        print_message("%s, in pieces of %zu: %s, %s\n", vectors[i].file, piece,
                      pem_verdict_name(read.found.verdict), read.found.flaw.words);
    world_read_done(&read);
    buffer_done(&file);
    return !well;
}

static void test_verdicts(void **state)
{
    static const size_t pieces[] = { 1, 7, 4096, 1 << 20 };
    unsigned wrong = 0;

    if (!has_vectors())
        skip();
    for (size_t i = 0; i < COUNT(vectors); i++)
        for (size_t j = 0; j < COUNT(pieces); j++)
            wrong += check(i, pieces[j]);
    assert_int_equal(wrong, 0);
}

static void read_one(const char *name, enum who who, const struct keyring *ring,
                     struct world_read *ret_read)
{
    struct buffer file = buffer_with_most(1 << 20);
    struct pem_own own;
    struct pem_keys with = keys_of(who, &own);

    with.ring = ring;
    assert_true(world_file(name, &file));
    world_read(buffer_bytes(&file), &with, 4096, ret_read);
    buffer_done(&file);
}

/* The key of the SEC has 511 bits; the filing whose trailing blanks are gone says so. */
static void test_edgar(void **state)
{
    struct world_read read;

    if (!has_vectors())
        skip();
    read_one("edgar/0000912057-00-023442.txt", NOBODY, NULL, &read);
    assert_int_equal(read.found.bits, 511);
    assert_true(read.found.weak_key && read.found.weak_mic && !read.found.trusted);
    assert_true(bytes_equal(buffer_bytes(&read.sender), BYTES("webmaster@www.sec.gov")));
    world_read_done(&read);
    read_one("edgar/0001094891-00-000193.txt", NOBODY, NULL, &read);
    assert_int_equal(read.found.change, PEM_CHANGE_BLANKS);
    world_read_done(&read);
}

/* RFC 1421, figure 4: the MIC, and the certificate by the 700-bit key of its issuer. */
static void test_figure_4(void **state)
{
    struct buffer file = buffer_with_most(1 << 20);
    struct keyring *ring = keyring_new();
    struct keyring_anchor anchor = { .depth = 1 };
    struct pem_header header;
    struct pem_flaw flaw;
    struct arena arena = arena_with_ceiling(1 << 20);
    struct x509 issuer;
    struct world_read read;

    if (!has_vectors())
        skip();
    assert_true(world_file("rfc1421/rfc1421-fig4-mic-only-asymmetric.txt", &file));
    struct bytes text = bytes_skip(buffer_bytes(&file), bytes_find(buffer_bytes(&file), '\n') + 1);
    text.n = bytes_search(text, BYTES("\n\n")) + 1;
    assert_true(pem_header_read(text, 2, &arena, &header, &flaw));
    assert_int_equal(header.certificates_n, 1);
    assert_int_equal(x509_read(header.certificates[0], &issuer), X509_WELL);
    assert_int_equal(rsa_bits(issuer.key), 700);
    assert_true(keyring_digest(issuer.key, anchor.digest));
    assert_int_equal(keyring_add_cert(ring, issuer.der, NULL, 0), KEYRING_ADDED);
    assert_int_equal(keyring_add_anchor(ring, &anchor), KEYRING_ADDED);
    read_one("rfc1421/rfc1421-fig4-mic-only-asymmetric.txt", NOBODY, ring, &read);
    assert_int_equal(read.found.verdict, PEM_GOOD_WEAK);
    assert_int_equal(read.found.sender.path.n, 2);
    assert_int_equal(read.found.sender.path.status, CERT_EXPIRED);
    assert_true(read.found.sender.path.trusted);
    assert_true(bytes_begins(buffer_bytes(&read.text), BYTES("- A message for use in testing.\n")));
    world_read_done(&read);
    arena_done(&arena);
    keyring_free(ring);
    buffer_done(&file);
}

/* The certificates in a RIPEM file of public keys. */
static void add_certificates(const char *name, struct keyring *ring)
{
    struct buffer file = buffer_with_most(1 << 20), der = buffer_with_most(65536);
    struct bytes rest, line;
    bool inside = false;

    assert_true(world_file(name, &file));
    buffer_put(&file, BYTES("\n"));
    rest = buffer_bytes(&file);
    for (struct base64_decoder decoder = { 0 }; bytes_cut(&rest, '\n', &line);) {
        if (inside && !bytes_begins(line, BYTES(" "))) {
            (void)keyring_add_cert(ring, buffer_bytes(&der), NULL, 0);
            buffer_clear(&der);
            decoder = (struct base64_decoder){ 0 };
            inside = false;
        }
        if (inside)
            base64_decode(&decoder, line, &der);
        inside = inside || bytes_begins(line, BYTES("CertificateInfo:"));
    }
    buffer_done(&file);
    buffer_done(&der);
}

/* A recipient named by issuer and serial number is found by his certificate. */
static void test_recipient_id(void **state)
{
    static const char *const texts[] = { "plain1", "plain2", "plain8" };
    struct keyring *ring = keyring_new();

    if (!has_vectors())
        skip();
    add_certificates("ripem/gen3/home-bob/pubkeys", ring);
    for (size_t i = 0; i < COUNT(texts); i++) {
        char file[100], text[100];
        struct world_read read;
        snprintf(file, sizeof(file), "ripem/gen3/alice-to-bob-pem-des-cbc-%s.pem", texts[i]);
        snprintf(text, sizeof(text), "ripem/gen3/%s.txt", texts[i]);
        read_one(file, BOB3, ring, &read);
        assert_int_equal(read.found.verdict, PEM_GOOD_WEAK);
        assert_true(is_text(&read.text, text));
        world_read_done(&read);
    }
    keyring_free(ring);
}

/* The lines of the page that people find: no message, but none of its spellings is passed over. */
static void test_seeds(void **state)
{
    struct world_read read;
    struct pem_keys none = { 0 };

    world_read(BYTES("begin privacy-enhanced message proctype\n"
                     "privacyenhanced message proctype\n"
                     "begin privacyenhanced message\n"
                     "begin privacy-enhanced message"), &none, 5, &read);
    assert_int_equal(read.messages, 0);
    assert_int_equal(read.notes_n, 4);
    assert_int_equal(read.notes[3], 4);
    world_read_done(&read);
}

static int set_up(void **state)
{
    for (size_t i = NOBODY + 1; i < WHO && has_vectors(); i++) {
        keys[i] = world_key(people[i].key);
        assert_non_null(keys[i]);
    }
    return 0;
}

static int tear_down(void **state)
{
    for (size_t i = 0; i < WHO; i++)
        rsa_private_free(keys[i]);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_verdicts),
        cmocka_unit_test(test_edgar),
        cmocka_unit_test(test_figure_4),
        cmocka_unit_test(test_recipient_id),
        cmocka_unit_test(test_seeds),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
