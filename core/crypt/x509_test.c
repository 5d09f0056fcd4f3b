/* SPDX-License-Identifier: ISC */
#include "crypt/x509.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <string.h>

enum { ROOM = 65536 };

static struct rsa_private *key, *other;
static struct buffer alice, root;

static int set_up(void **state)
{
    (void)state;
    key = rsa_private_make(512);
    other = rsa_private_make(512);
    alice = buffer_with_most(DNAME_MOST);
    root = buffer_with_most(DNAME_MOST);
    return key == NULL || other == NULL
        || !dname_read_text(BYTES("CN=alice@a.example, O=Example, C=US"), true, &alice)
        || !dname_read_text(BYTES("O=Example, C=US"), true, &root);
}

static int tear_down(void **state)
{
    (void)state;
    rsa_private_free(key);
    rsa_private_free(other);
    buffer_done(&alice);
    buffer_done(&root);
    return 0;
}

static struct x509_plan plan(unsigned version, enum digest_kind digest, struct bytes serial)
{
    return (struct x509_plan){
        .version = version, .digest = digest, .key_form = RSA_SPKI_1989, .serial = serial,
        .issuer = buffer_bytes(&root), .subject = buffer_bytes(&alice),
        .not_before = 0, .not_after = 0, .mailbox = BYTES("alice@a.example"),
    };
}

static const struct {
    unsigned version;
    enum digest_kind digest;
    struct bytes serial;
    const char *hex;
    bool authority;
    unsigned uses;
} made[] = {
    { 1, DIGEST_MD2, BYTES_INIT("\x00"), "00", false, 15 },
    { 1, DIGEST_MD5, BYTES_INIT("\x65"), "65", false, 15 },
    { 1, DIGEST_SHA1, BYTES_INIT("\x80"), "80", false, 15 },
    { 3, DIGEST_SHA256, BYTES_INIT("\xCA\x5D\x84\xFD\x25\x90\x9D\x86\x9B\xCB"
                                   "\xDF\x70\xA1\x86\x81\xDE\x00\x00\x00\x00"),
      "CA5D84FD25909D869BCBDF70A18681DE00000000", false, X509_MAY_SIGN | X509_MAY_ENCIPHER },
    { 3, DIGEST_SHA256, BYTES_INIT("\x01\x00"), "0100", true, 15 },
};

static void test_made(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(made); i++) {
        struct buffer der = buffer_with_most(ROOM), hex = buffer_with_most(256);
        struct x509_plan wish = plan(made[i].version, made[i].digest, made[i].serial);
        struct bytes rest, mailbox;
        struct x509 cert;
        wish.authority = made[i].authority;
        assert_true(x509_make(&wish, rsa_private_public(key), other, &der));
        assert_int_equal(x509_read(buffer_bytes(&der), &cert), X509_WELL);
        assert_int_equal(cert.version, made[i].version);
        assert_true(cert.digest_known && cert.digest == made[i].digest);
        assert_int_equal(cert.uses, made[i].uses);
        assert_true(cert.not_before == 0 && cert.not_after == 0);
        assert_true(rsa_equal(cert.key, rsa_private_public(key)));
        assert_true(x509_signed_by(&cert, rsa_private_public(other)));
        assert_false(x509_signed_by(&cert, cert.key));
        assert_true(x509_serial_equal(cert.serial, made[i].serial));
        x509_put_serial(&hex, cert.serial);
        assert_true(bytes_equal(buffer_bytes(&hex), bytes_of(made[i].hex)));
        rest = cert.alternative;
        assert_int_equal(x509_next_mailbox(&rest, &mailbox), made[i].version == 3);
        assert_false(x509_is_self_issued(&cert));
        buffer_done(&der);
        buffer_done(&hex);
    }
}

/* A certificate cut anywhere is none; with any octet changed its signature is wrong, or it is
   none. */
static void test_cut_and_changed(void **state)
{
    struct buffer der = buffer_with_most(ROOM);
    struct x509_plan wish = plan(3, DIGEST_SHA256, BYTES("\x01"));
    struct x509 cert;

    (void)state;
    assert_true(x509_make(&wish, rsa_private_public(key), other, &der));
    for (size_t n = 0; n < der.n; n++)
        assert_int_not_equal(x509_read(bytes_first(buffer_bytes(&der), n), &cert), X509_WELL);
    for (size_t i = 0; i < der.n; i++) {
        der.at[i] ^= 0x10;
        assert_false(x509_read(buffer_bytes(&der), &cert) == X509_WELL
                     && x509_signed_by(&cert, rsa_private_public(other)));
        der.at[i] ^= 0x10;
    }
    buffer_put_char(&der, 0);
    assert_int_equal(x509_read(buffer_bytes(&der), &cert), X509_NOT_DER);
    buffer_done(&der);
}

/* One part of a certificate replaced by another of the same length; what is said of it. */
static const struct {
    const char *what;
    struct bytes from, to;
    enum x509_flaw flaw;
} hostile[] = {
    { "version 4", BYTES_INIT("\xA0\x03\x02\x01\x02"), BYTES_INIT("\xA0\x03\x02\x01\x03"),
      X509_BAD_VERSION },
    { "a negative version", BYTES_INIT("\xA0\x03\x02\x01\x02"), BYTES_INIT("\xA0\x03\x02\x01\xFF"),
      X509_BAD_VERSION },
    { "a serial number not in its shortest form", BYTES_INIT("\x02\x02\x11\x22"),
      BYTES_INIT("\x02\x02\x00\x22"), X509_BAD_SERIAL },
    { "a serial number that is no number", BYTES_INIT("\x02\x02\x11\x22"),
      BYTES_INIT("\x04\x02\x11\x22"), X509_BAD_SERIAL },
    { "a negative serial number is taken", BYTES_INIT("\x02\x02\x11\x22"),
      BYTES_INIT("\x02\x02\x91\x22"), X509_WELL },
    { "an indefinite length", BYTES_INIT("\x02\x02\x11\x22"), BYTES_INIT("\x02\x80\x00\x00"),
      X509_BAD_SERIAL },
    { "a length beyond the end", BYTES_INIT("\x02\x02\x11\x22"), BYTES_INIT("\x02\x84\x7F\xFF"),
      X509_BAD_SERIAL },
    { "the 32nd of January", BYTES_INIT("700101000000Z"), BYTES_INIT("700132000000Z"),
      X509_BAD_TIME },
    { "no zone", BYTES_INIT("700101000000Z"), BYTES_INIT("7001010000000"), X509_BAD_TIME },
    { "an exponent of 1", BYTES_INIT("\x02\x03\x01\x00\x01"), BYTES_INIT("\x02\x01\x01\x05\x00"),
      X509_BAD_KEY },
    { "another kind of key", BYTES_INIT("\x06\x04\x55\x08\x01\x01"),
      BYTES_INIT("\x06\x04\x55\x08\x01\x02"), X509_BAD_KEY },
    { "algorithms that differ", BYTES_INIT("\x0D\x01\x01\x0B"), BYTES_INIT("\x0D\x01\x01\x04"),
      X509_BAD_ALGORITHM },
    { "a name that is none", BYTES_INIT("\x31\x0B\x30\x09\x06\x03\x55\x04\x06"),
      BYTES_INIT("\x31\x0B\x31\x09\x06\x03\x55\x04\x06"), X509_BAD_NAME },
    { "the same constraint twice", BYTES_INIT("\x06\x03\x55\x1D\x0F"),
      BYTES_INIT("\x06\x03\x55\x1D\x13"), X509_BAD_EXTENSION },
};

static void test_hostile(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(hostile); i++) {
        struct buffer der = buffer_with_most(ROOM);
        struct x509_plan wish = plan(3, DIGEST_SHA256, BYTES("\x11\x22"));
        struct x509 cert;
        assert_true(x509_make(&wish, rsa_private_public(key), other, &der));
        size_t at = bytes_search(buffer_bytes(&der), hostile[i].from);
        assert_true(at < der.n);
        memcpy(der.at + at, hostile[i].to.at, hostile[i].to.n);
        enum x509_flaw flaw = x509_read(buffer_bytes(&der), &cert);
        if (flaw != hostile[i].flaw)
            print_error("%s: %s\n", hostile[i].what, x509_flaw_words(flaw));
        assert_int_equal(flaw, hostile[i].flaw);
        buffer_done(&der);
    }
}

static void test_critical(void **state)
{
    struct buffer der = buffer_with_most(ROOM);
    struct x509_plan wish = plan(3, DIGEST_SHA256, BYTES("\x11"));
    struct x509 cert;

    (void)state;
    assert_true(x509_make(&wish, rsa_private_public(key), other, &der));
    size_t at = bytes_search(buffer_bytes(&der), BYTES("\x06\x03\x55\x1D\x0F"));
    der.at[at + 4] = 0x55;
    assert_int_equal(x509_read(buffer_bytes(&der), &cert), X509_WELL);
    assert_true(cert.critical);
    buffer_done(&der);
}

static void test_crl(void **state)
{
    static const struct x509_revoked gone[] = {
        { BYTES_INIT("\x65"), 1000 }, { BYTES_INIT("\xFF\x01"), 2000 },
    };
    struct x509_crl_plan wish = { DIGEST_MD5, buffer_bytes(&root), 5000, 9000, gone, 2 };
    struct buffer der = buffer_with_most(ROOM);
    struct x509_crl crl;
    int64_t when;

    (void)state;
    assert_true(x509_crl_make(&wish, key, &der));
    assert_int_equal(x509_crl_read(buffer_bytes(&der), &crl), X509_WELL);
    assert_true(crl.last_update == 5000 && crl.next_update == 9000 && crl.revoked_n == 2);
    assert_true(x509_crl_signed_by(&crl, rsa_private_public(key)));
    assert_false(x509_crl_signed_by(&crl, rsa_private_public(other)));
    assert_true(x509_crl_has(&crl, BYTES("\x00\xFF\x01"), &when) && when == 2000);
    assert_false(x509_crl_has(&crl, BYTES("\xFF"), &when));
    for (size_t n = 0; n < der.n; n++)
        assert_int_not_equal(x509_crl_read(bytes_first(buffer_bytes(&der), n), &crl), X509_WELL);
    buffer_clear(&der);
    wish.revoked_n = 0;
    assert_true(x509_crl_make(&wish, key, &der));
    assert_int_equal(x509_crl_read(buffer_bytes(&der), &crl), X509_WELL);
    assert_int_equal(crl.revoked_n, 0);
    buffer_done(&der);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_made), cmocka_unit_test(test_cut_and_changed),
        cmocka_unit_test(test_hostile), cmocka_unit_test(test_critical),
        cmocka_unit_test(test_crl),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
