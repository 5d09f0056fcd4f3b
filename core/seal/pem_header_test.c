/* SPDX-License-Identifier: ISC */
#include "seal/pem_int.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define TYPE "Proc-Type: 4,MIC-CLEAR\n"
#define FROM "Originator-Name: a@b.example\n"
#define MIC "MIC-Info: RSA-MD5,RSA,QUJD\n"
#define DEK "DEK-Info: DES-CBC,0123456789abCDEF\n"

static struct arena arena;

static bool read(struct bytes text, struct pem_header *ret_header, struct pem_flaw *reterr_flaw)
{
    arena_done(&arena);
    arena = arena_with_ceiling(2 * 1024 * 1024);
    return pem_header_read(text, 2, &arena, ret_header, reterr_flaw);
}

/* SEAL-023, SEAL-024: what is wrong is named, with its line. */
static const struct {
    const char *text;
    uint32_t line;
    enum pem_verdict verdict;
    const char *words;
} wrong[] = {
    { "", 2, PEM_MALFORMED, "Proc-Type is not the first field" },
    { FROM TYPE, 2, PEM_MALFORMED, "Proc-Type is not the first field" },
    { " folded\n", 2, PEM_MALFORMED, "a folded line before any field" },
    { "Proc-Type: 5,MIC-ONLY\n", 2, PEM_UNSUPPORTED,
      "Proc-Type has a version that is neither 4 nor 2001" },
    { "Proc-Type: 4,MIC-SOME\n", 2, PEM_UNSUPPORTED, "Proc-Type has a type that is not known" },
    { "Proc-Type: 4\n", 2, PEM_MALFORMED, "Proc-Type is not a version and a type" },
    { "Proc-Type: 4,MIC-ONLY,ENCRYPTED\n", 2, PEM_MALFORMED,
      "Proc-Type is not a version and a type" },
    { TYPE TYPE, 3, PEM_MALFORMED, "Proc-Type stands twice" },
    { TYPE FROM, 3, PEM_MALFORMED, "MIC-Info is missing" },
    { "Proc-Type: 4,ENCRYPTED\n" FROM MIC, 4, PEM_MALFORMED, "DEK-Info is missing" },
    { "Proc-Type: 4,ENCRYPTED\n" DEK FROM MIC, 5, PEM_MALFORMED,
      "every Recipient field is missing" },
    { TYPE MIC, 3, PEM_MALFORMED, "every Originator field is missing" },
    { TYPE FROM MIC MIC, 5, PEM_MALFORMED, "MIC-Info stands twice" },
    { TYPE FROM MIC "Key-Info: RSA,QUJD\n", 5, PEM_MALFORMED,
      "Key-Info before any Recipient" },
    { TYPE "Key-Info: RSA,QUJD\n", 3, PEM_MALFORMED, "Key-Info before any Recipient" },
    { TYPE FROM MIC "Recipient-Name: c\nKey-Info: RSA,QU*D\n", 6, PEM_MALFORMED,
      "Key-Info has a key that is no base64" },
    { TYPE FROM MIC "Recipient-Name: c\nKey-Info: RSA,QUJD\nKey-Info: RSA,QUJD\n", 7,
      PEM_MALFORMED, "Key-Info stands twice for one party" },
    { TYPE FROM MIC "Recipient-ID-Symmetric: c,,\nKey-Info: DES-ECB,RSA-MD2,00,11\n", 6,
      PEM_MALFORMED, "Key-Info has a key or a MIC of wrong length" },
    { TYPE FROM "Issuer-Certificate: QUJD\n", 4, PEM_MALFORMED,
      "Issuer-Certificate before any Originator-Certificate" },
    { TYPE FROM "MIC-Info: RSA-MD5,RSA\n", 4, PEM_MALFORMED, "MIC-Info has not three arguments" },
    { TYPE FROM "MIC-Info: RSA-MD5,RSA,\n", 4, PEM_MALFORMED,
      "MIC-Info has a signature that is no base64" },
    { TYPE FROM "MIC-Info: RSA-MD5,RSA,QU=D\n", 4, PEM_MALFORMED,
      "MIC-Info has a signature that is no base64" },
    { "Proc-Type: 4,ENCRYPTED\nDEK-Info: DES-CBC,00\n", 3, PEM_MALFORMED,
      "DEK-Info has no initialization vector of the right length" },
    { TYPE "no field at all\n", 3, PEM_MALFORMED,
      "neither a field nor the blank line that ends the header" },
    { "proctype: 4,MIC-CLEAR\n", 2, PEM_MALFORMED,
      "Proc-Type is spelled otherwise (case and colon aside, its hyphens count)" },
    { TYPE "MIC Info: RSA-MD5,RSA,QUJD\n", 3, PEM_MALFORMED,
      "MIC-Info is spelled otherwise (case and colon aside, its hyphens count)" },
    { "Proc-Type: 4,CRL\n", 2, PEM_MALFORMED, "CRL is missing" },
    { "Proc-Type: 4,CRL\nOriginator-Certificate: QUJD\n", 3, PEM_MALFORMED,
      "Originator-Certificate before any CRL" },
    { "Proc-Type: 4,CRL-RETRIEVAL-REQUEST\n", 2, PEM_MALFORMED, "Issuer is missing" },
};

static void test_wrong(void **state)
{
    for (size_t i = 0; i < COUNT(wrong); i++) {
        struct pem_header header;
        struct pem_flaw flaw = { 0 };
        assert_false(read(bytes_of(wrong[i].text), &header, &flaw));
        assert_string_equal(flaw.words, wrong[i].words);
        assert_int_equal(flaw.line, wrong[i].line);
        assert_int_equal(flaw.verdict, wrong[i].verdict);
    }
}

/* Folds, other case, X- before a name, a value on the folded line, commas that begin a line. */
static void test_folds(void **state)
{
    struct pem_header header;
    struct pem_flaw flaw = { 0 };

    assert_true(read(BYTES("proc-type: 2001 , encrypted\r\nX-Content-Domain: RFC822\r\n"
                           "DEK-Info:\r\n DES-EDE-CBC,\r\n\t0123456789abCDEF\r\n"
                           "Originator-Name: A. User\r\n\t<a@b.example>\r\n"
                           "MIC-Info: RSA, SHA1,\r\n QUJD\r\n RA==\r\nNew-Field: x\r\n"
                           "Recipient-Name: one\r\nRecipient-ID-Asymmetric:\r\n QUJD\r\n"
                           "  ,0fF\r\nKey-Info: RSA,\r\n AR==\r\n"
                           "Recipient-Name: two\r\nKey-Info: RSA,QUJE\r\n"), &header, &flaw));
    assert_int_equal(header.version, 2001);
    assert_int_equal(header.type, PEM_ENCRYPTED);
    assert_int_equal(header.dek, CIPHER_DES_EDE_CBC);
    assert_memory_equal(header.iv, "\x01\x23\x45\x67\x89\xAB\xCD\xEF", 8);
    assert_true(bytes_equal(header.originator.name, BYTES("A. User <a@b.example>")));
    assert_int_equal(header.mic, DIGEST_SHA1);
    assert_true(bytes_equal(header.signature, BYTES("ABCD")));
    assert_true(header.unknown_fields);
    assert_int_equal(header.recipients_n, 2);
    assert_true(bytes_equal(header.recipients[0].issued.issuer, BYTES("ABC")));
    assert_true(bytes_equal(header.recipients[0].issued.serial, BYTES("\xFF")));
    assert_int_equal(header.recipients[0].key.n, 1);
    assert_true(bytes_equal(header.recipients[1].name, BYTES("two")));
    assert_true(bytes_equal(header.recipients[1].key, BYTES("ABD")));
}

static void test_symmetric(void **state)
{
    struct pem_header header;
    struct pem_flaw flaw = { 0 };

    assert_true(read(BYTES("Proc-Type: 4,ENCRYPTED\n" DEK
                           "Originator-ID-Symmetric: linn@zendia.enet.dec.com,,\n"
                           "Recipient-ID-Symmetric: pem-dev@tis.com,ptf-kmc,4\n"
                           "Key-Info: DES-ECB,RSA-MD2,161A3F75DC82EF26,\n"
                           "          E2EF532C65CBCFF79F83A2658132DB47\n"), &header, &flaw));
    assert_true(bytes_equal(header.recipients[0].symmetric.issuer, BYTES("ptf-kmc")));
    assert_int_equal(header.recipients[0].way, PEM_KEY_DES_ECB);
    assert_int_equal(header.recipients[0].key.n, 8);
    assert_int_equal(header.recipients[0].key_mic.n, 16);
}

static void test_crl(void **state)
{
    struct pem_header header;
    struct pem_flaw flaw = { 0 };

    assert_true(read(BYTES("Proc-Type: 4,CRL\nCRL: QUJD\nOriginator-Certificate: QUJD\n"
                           "Issuer-Certificate: QUJE\nCRL: QUJF\n"
                           "Originator-Certificate: QUJG\n"), &header, &flaw));
    assert_int_equal(header.crls_n, 2);
    assert_int_equal(header.crls[0].count, 2);
    assert_int_equal(header.crls[1].first, 2);
    assert_int_equal(header.crls[1].count, 1);
}

/* 6.1: a header of 64 KiB, 1000 recipients, 32 certificates, and not one more. */
static void test_limits(void **state)
{
    struct pem_header header;
    struct pem_flaw flaw = { 0 };
    struct buffer text = buffer_with_most(1 << 20);

    for (size_t n = 999; n <= 1001; n++) {
        buffer_clear(&text);
        buffer_put(&text, BYTES("Proc-Type: 4,ENCRYPTED\n" DEK FROM MIC));
        for (size_t i = 0; i < n; i++)
            buffer_put(&text, BYTES("Recipient-Name: x\nKey-Info: RSA,QUJD\n"));
        assert_int_equal(read(buffer_bytes(&text), &header, &flaw), n <= 1000);
    }
    assert_string_equal(flaw.words, "Recipient-Name more than 1000 recipients");
    for (size_t n = 32; n <= 33; n++) {
        buffer_clear(&text);
        buffer_put(&text, BYTES(TYPE "Originator-Certificate: QUJD\n" MIC));
        for (size_t i = 0; i < n; i++)
            buffer_put(&text, BYTES("Issuer-Certificate: QUJD\n"));
        assert_int_equal(read(buffer_bytes(&text), &header, &flaw), n <= 32);
    }
    buffer_clear(&text);
    buffer_put(&text, BYTES(TYPE "New-Field: x\n"));
    while (text.n <= PEM_HEADER_MOST)
        buffer_put(&text, BYTES(" 10 KB of folds and more\n"));
    assert_false(read(buffer_bytes(&text), &header, &flaw));
    assert_string_equal(flaw.words, "the header is larger than 64 KiB");
    buffer_done(&text);
}

/* Each field of the list is known by its name in any case. */
static void test_names(void **state)
{
#define NAME_(NAME, text, owner, is_text) { PEM_FIELD_##NAME, text },
    static const struct { enum pem_field_name name; const char *text; } rows[] = {
        PEM_FIELD_LIST(NAME_)
    };
#undef NAME_

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct buffer text = buffer_with_most(100);
        struct pem_field *fields;
        struct pem_flaw flaw;
        size_t n;
        buffer_put(&text, BYTES("x-"));
        for (const char *c = rows[i].text; *c != '\0'; c++)
            buffer_put_char(&text, to_lower(*c));
        buffer_put(&text, BYTES(": value\n"));
        arena_done(&arena);
        arena = arena_with_ceiling(65536);
        assert_true(pem_fields_read(buffer_bytes(&text), 1, &arena, &fields, &n, &flaw));
        assert_int_equal(n, 1);
        assert_int_equal(fields[0].name, rows[i].name);
        assert_string_equal(pem_field_text(rows[i].name), rows[i].text);
        buffer_done(&text);
    }
}

static void test_lines(void **state)
{
    static const struct { const char *text; enum pem_line line; } lines[] = {
        { "-----BEGIN PRIVACY-ENHANCED MESSAGE-----", PEM_LINE_BEGIN },
        { "-----BEGIN PRIVACY-ENHANCED MESSAGE----- \t\r", PEM_LINE_BEGIN },
        { "-----END PRIVACY-ENHANCED MESSAGE-----\r", PEM_LINE_END },
        { "-----Begin Privacy-Enhanced Message-----", PEM_LINE_LIKE_BEGIN },
        { "-----BEGIN PRIVACY ENHANCED MESSAGE-----", PEM_LINE_LIKE_BEGIN },
        { " -----BEGIN PRIVACY-ENHANCED MESSAGE-----", PEM_LINE_LIKE_BEGIN },
        { "begin privacy-enhanced message proctype", PEM_LINE_LIKE_BEGIN },
        { "privacyenhanced message proctype", PEM_LINE_LIKE_BEGIN },
        { "begin privacyenhanced message", PEM_LINE_LIKE_BEGIN },
        { "begin privacy-enhanced message", PEM_LINE_LIKE_BEGIN },
        { "the end-----END PRIVACY-ENHANCED MESSAGE-----", PEM_LINE_LIKE_END },
        { "Privacy-Enhanced Mail messages often begin with", PEM_LINE_OTHER },
        { "", PEM_LINE_OTHER },
    };

    for (size_t i = 0; i < COUNT(lines); i++)
        assert_int_equal(pem_line_of(bytes_of(lines[i].text)), lines[i].line);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_wrong),
        cmocka_unit_test(test_folds),
        cmocka_unit_test(test_symmetric),
        cmocka_unit_test(test_crl),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_lines),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);

    arena_done(&arena);
    return failed;
}
