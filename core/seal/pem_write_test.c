/* SPDX-License-Identifier: ISC
 *
 * What is written is read back, for every mode, algorithm and profile, and has the form that the
 * peers of old were seen to read: see the assertions of check_form.
 */
#include "seal/pem_write.h"

#include "crypt/x509.h"
#include "seal/pem_int.h"
#include "seal/pem_world_test.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { SMALL, MIDDLE, LARGE, KEYS };
static const size_t bits[KEYS] = { 1024, 2048, 3072 };
static struct rsa_private *keys[KEYS], *reader_keys[KEYS];
static struct buffer name, issuer_name;

static size_t key_of(enum pem_profile profile)
{
    return profile == PEM_PROFILE_RIPEM12 ? SMALL : profile == PEM_PROFILE_MODERN ? LARGE : MIDDLE;
}

static void put_certificate(unsigned version, enum digest_kind digest, size_t key,
                            struct buffer *to)
{
    struct x509_plan plan = {
        .version = version, .digest = digest, .key_form = RSA_SPKI_1989,
        .serial = BYTES("\x8F\x01"), .issuer = buffer_bytes(&issuer_name),
        .subject = buffer_bytes(&name), .not_before = 0, .not_after = 2000000000,
    };

    assert_true(x509_make(&plan, rsa_private_public(keys[key]), keys[key], to));
}

/* An order with all that the profile needs. */
static struct pem_order order_of(enum pem_profile profile, enum pem_type type,
                                 struct buffer *certificate, struct pem_to to[static 2])
{
    size_t key = key_of(profile);
    struct pem_order order = { .profile = profile, .type = type, .key = keys[key],
                               .from = BYTES("alice@alice.example"), .to = to, .to_n = 2 };

    for (size_t i = 0; i < 2; i++)
        to[i] = (struct pem_to){ BYTES("bob@bob.example"),
                                 rsa_private_public(i == 0 ? keys[key] : reader_keys[key]),
                                 buffer_bytes(&issuer_name),
                                 i == 0 ? BYTES("\x0F\x03") : BYTES("\x0F\x02") };
    put_certificate(profile == PEM_PROFILE_MODERN ? 3 : 1,
                    profile == PEM_PROFILE_RIPEM12 ? DIGEST_MD2
                    : profile == PEM_PROFILE_RIPEM3 ? DIGEST_MD5 : DIGEST_SHA256, key, certificate);
    order.certificate = buffer_bytes(certificate);
    memset(order.chance, 0x9C, sizeof(order.chance));
    order.chance[0] = 1;
    return order;
}

static const char *const texts[] = {
    "", "one line\n", "no line end", "two\r\nlines\r\n",
    "- dashes\n-----END of it\n.\n..\n\nFrom me\n",
    "trailing blanks   \n\t\n\n",
    "-----BEGIN PRIVACY-ENHANCED MESSAGE-----\nProc-Type: 4,MIC-CLEAR\n"
    "-----END PRIVACY-ENHANCED MESSAGE-----\n",
};

/* ---- the form */

static bool is_field(struct bytes line, enum pem_field_name ret_order[static 1])
{
    for (size_t i = 0; i < PEM_FIELD_UNKNOWN; i++) {
        struct bytes field = bytes_of(pem_field_text((enum pem_field_name)i));
        if (bytes_begins(line, field) && line.n > field.n && line.at[field.n] == ':') {
            *ret_order = (enum pem_field_name)i;
            return true;
        }
    }
    return false;
}

/* reference/pem.md, 1.6: LF on disk, first BEGIN, then Proc-Type, then Content-Domain; no unknown
   field; fields in their order; base64 in lines of 64, each but the last of a field full. */
static void check_header(struct bytes header, const struct pem_order *order)
{
    bool ripem = order->profile == PEM_PROFILE_RIPEM12 || order->profile == PEM_PROFILE_RIPEM3;
    enum pem_field_name last = PEM_FIELD_PROC_TYPE, now = last;
    struct bytes line;
    size_t n = 0, folded = PEM_LINE;

    for (; bytes_cut(&header, '\n', &line); n++) {
        if (line.at[0] == ' ') {
            assert_true(line.n <= 1u + PEM_LINE + bytes_ends(line, BYTES(",")));
            assert_int_equal(folded, PEM_LINE);
            folded = line.at[line.n - 1] == ',' ? PEM_LINE : line.n - 1;
            continue;
        }
        assert_true(is_field(line, &now));
        assert_true(n > 0 || now == PEM_FIELD_PROC_TYPE);
        assert_true(n != 1 || bytes_equal(line, BYTES("Content-Domain: RFC822")));
        assert_true(now >= last || last == PEM_FIELD_KEY_INFO);
        assert_true(!ripem || (now != PEM_FIELD_RECIPIENT_ID_ASYMMETRIC
                               && now != PEM_FIELD_ORIGINATOR_ID_ASYMMETRIC));
        last = now;
        folded = PEM_LINE;
    }
}

static void check_form(struct bytes message, const struct pem_order *order)
{
    bool ripem = order->profile == PEM_PROFILE_RIPEM12 || order->profile == PEM_PROFILE_RIPEM3;
    struct bytes begin = BYTES("-----BEGIN PRIVACY-ENHANCED MESSAGE-----\nProc-Type: ");
    struct bytes end = BYTES("-----END PRIVACY-ENHANCED MESSAGE-----\n"), line;
    size_t blank = bytes_search(message, BYTES("\n\n"));
    bool oaep = order->type == PEM_ENCRYPTED && order->profile == PEM_PROFILE_MODERN;

    assert_int_equal(bytes_search(message, BYTES("Key-Info: RSA-OAEP-SHA256,\n")) < blank, oaep);
    assert_int_equal(bytes_find(message, '\r'), message.n);
    assert_true(bytes_begins(message, begin) && bytes_ends(message, end));
    assert_true(bytes_begins(bytes_skip(message, begin.n), ripem ? BYTES("2001,") : BYTES("4,")));
    check_header(bytes_skip(bytes_first(message, blank + 1), bytes_find(message, '\n') + 1), order);
    struct bytes text = bytes_skip(bytes_first(message, message.n - end.n), blank + 2);
    while (bytes_cut(&text, '\n', &line)) {
        if (order->type == PEM_MIC_CLEAR)
            assert_true(line.n < 1023 && (line.n == 0 || line.at[0] != '-' || line.at[1] == ' '));
        else
            assert_true(line.n <= PEM_LINE && (text.n == 0 || line.n == PEM_LINE));
    }
}

static void check_back(struct bytes message, const struct pem_order *order, const char *text)
{
    struct keyring *ring = keyring_new();
    struct buffer mine = buffer_with_most(65536);
    size_t key = key_of(order->profile);
    struct pem_own own = { reader_keys[key], BYTES("nobody") };
    struct pem_keys with = { .ring = ring, .own = &own, .own_n = 1 };
    struct x509_plan plan = { .version = 1, .digest = DIGEST_SHA256, .serial = BYTES("\x0F\x02"),
                              .issuer = buffer_bytes(&issuer_name), .subject = buffer_bytes(&name),
                              .not_after = 2000000000 };
    struct world_read read;
    struct buffer want = buffer_with_most(4096);

    assert_true(x509_make(&plan, rsa_private_public(own.key), keys[key], &mine));
    assert_int_equal(keyring_add_cert(ring, buffer_bytes(&mine), NULL, 0), KEYRING_ADDED);
    world_read(message, &with, 100, &read);
    for (const char *c = text; *c != '\0'; c++)
        if (*c != '\r')
            buffer_put_char(&want, *c);
    if (want.n > 0 && want.at[want.n - 1] != '\n')
        buffer_put_char(&want, '\n');
    if (read.messages != 1 || !pem_is_good(read.found.verdict))
        print_message("%s: %s\n%.*s", pem_verdict_name(read.found.verdict), read.found.flaw.words,
                      (int)message.n, message.at);
    assert_true(read.messages == 1 && pem_is_good(read.found.verdict));
    assert_int_equal(read.found.verdict == PEM_GOOD_WEAK, pem_order_is_weak(order)
                     || read.found.weak_path);
    assert_true(bytes_equal(buffer_bytes(&read.text), buffer_bytes(&want)));
    world_read_done(&read);
    buffer_done(&want);
    buffer_done(&mine);
    keyring_free(ring);
}

static void check_one(const struct pem_order *order, const char *text, size_t *written)
{
    struct buffer message = buffer_with_most(1 << 20);
    struct pem_flaw flaw = { 0 };

    if (!pem_write(order, bytes_of(text), &message, &flaw))
        fail_msg("%s %s: %s", pem_profile_name(order->profile), pem_type_name(order->type),
                 flaw.words);
    check_form(buffer_bytes(&message), order);
    check_back(buffer_bytes(&message), order, text);
    ++*written;
    buffer_done(&message);
}

static bool has(enum pem_profile profile, enum digest_kind mic, enum cipher_kind dek)
{
    bool modern = profile == PEM_PROFILE_MODERN;

    return (mic != DIGEST_SHA256
            || (profile != PEM_PROFILE_RIPEM12 && profile != PEM_PROFILE_RIPEM3))
        && (mic != DIGEST_SHA1 || profile != PEM_PROFILE_RIPEM12)
        && (!modern || (mic == DIGEST_SHA256 && dek == CIPHER_AES_256_GCM))
        && (modern || dek == CIPHER_DES_CBC || dek == CIPHER_DES_EDE_CBC);
}

/* Every mode, MIC, cipher and profile, with every text; what a profile does not have is refused. */
static void test_matrix(void **state)
{
    size_t written = 0, refused = 0;

    for (size_t p = 0; p < PEM_PROFILES; p++) {
        for (size_t m = 0; m < DIGEST_KINDS * 3 * 3; m++) {
            static const enum cipher_kind deks[] = { CIPHER_DES_CBC, CIPHER_DES_EDE_CBC,
                                                     CIPHER_AES_256_GCM };
            struct buffer certificate = buffer_with_most(65536), none = buffer_with_most(65536);
            struct pem_flaw flaw;
            struct pem_to to[2];
            struct pem_order order = order_of((enum pem_profile)p, (enum pem_type)(m % 3),
                                              &certificate, to);
            order.has_mic = order.has_dek = true;
            order.mic = (enum digest_kind)(m / 9);
            order.dek = deks[m / 3 % 3];
            bool fits = has(order.profile, order.mic, order.type == PEM_ENCRYPTED ? order.dek
                            : p == PEM_PROFILE_MODERN ? CIPHER_AES_256_GCM : CIPHER_DES_CBC);
            if (order.type != PEM_ENCRYPTED && order.dek != CIPHER_DES_CBC)
                fits = false;
            else if (!fits)
                refused += !pem_write(&order, BYTES("text\n"), &none, &flaw);
            for (size_t i = 0; i < COUNT(texts) && fits; i++)
                check_one(&order, texts[i], &written);
            buffer_done(&certificate);
            buffer_done(&none);
        }
    }
    /* PLAIN and RFC1421: 4 MICs x (2 ciphers + 2 modes); RIPEM12: 2, RIPEM3: 3; MODERN: 1 x 3 */
    assert_int_equal(written, COUNT(texts) * (4 * 4 * 2 + 2 * 4 + 3 * 4 + 3));
    assert_int_equal(refused, 4 + 4 + (2 + 6 + 4) + (3 + 3 + 2) + (11 + 6));
}

/* ---- what is refused, and what is done instead */

static void refuse(struct pem_order order, struct bytes text, const char *words)
{
    struct buffer message = buffer_with_most(1 << 20);
    struct pem_flaw flaw = { 0 };

    pem_order_complete(&order);
    assert_false(pem_write(&order, text, &message, &flaw));
    assert_string_equal(flaw.words, words);
    buffer_done(&message);
}

static void test_refused(void **state)
{
    struct buffer certificate = buffer_with_most(65536), text = buffer_with_most(65536);
    struct pem_to to[2];
    struct pem_order order = order_of(PEM_PROFILE_RFC1421, PEM_MIC_CLEAR, &certificate, to);

    refuse(order, BYTES("8-bit \xC3\xA4\n"), "MIC-CLEAR is for ASCII; use MIC-ONLY for this text");
    order.certificate = BYTES_NONE;
    refuse(order, BYTES("a\n"), "this profile needs a certificate of the sender's key");
    order.profile = PEM_PROFILE_MODERN;
    refuse(order, BYTES("a\n"),
           "the sender's key has 2048 bits, and this profile takes 3072 to 8192");
    order.profile = PEM_PROFILE_RIPEM3;
    buffer_put_chars(&text, 'x', 1023);
    refuse(order, buffer_bytes(&text),
           "RIPEM reads no line of more than 1022 octets as MIC-CLEAR");
    order.profile = PEM_PROFILE_RIPEM12;
    refuse(order, BYTES("a\n"),
           "the sender's key has 2048 bits, and this profile takes 508 to 1024");
    /* SEAL-018: no random octets, no message */
    order.profile = PEM_PROFILE_RIPEM3;
    order.type = PEM_ENCRYPTED;
    memset(order.chance, 0, sizeof(order.chance));
    refuse(order, BYTES("a\n"), "there are no random octets");
    order.to_n = 0;
    refuse(order, BYTES("a\n"), "an enciphered message has 1 to 1000 recipients");
    buffer_done(&certificate);
    buffer_done(&text);
}

/* RIPEM 1.2a reads certificates of version 1 with MD2 only: for others it gets the key. */
static void test_ripem_certificates(void **state)
{
    static const struct { unsigned version; enum digest_kind digest; bool in12, in3; } rows[] = {
        { 1, DIGEST_MD2, true, true }, { 1, DIGEST_MD5, false, true },
        { 3, DIGEST_MD5, false, true }, { 1, DIGEST_SHA256, false, false },
    };

    for (size_t i = 0; i < COUNT(rows) * 2; i++) {
        struct buffer certificate = buffer_with_most(65536), old = buffer_with_most(65536);
        struct buffer message = buffer_with_most(65536);
        struct pem_flaw flaw;
        struct pem_to to[2];
        bool new = i % 2 == 1, want = new ? rows[i / 2].in3 : rows[i / 2].in12;
        struct pem_order order = order_of(new ? PEM_PROFILE_RIPEM3 : PEM_PROFILE_RIPEM12,
                                          PEM_MIC_CLEAR, &old, to);
        put_certificate(rows[i / 2].version, rows[i / 2].digest, new ? MIDDLE : SMALL,
                        &certificate);
        order.certificate = buffer_bytes(&certificate);
        pem_order_complete(&order);
        assert_true(pem_write(&order, BYTES("text\n"), &message, &flaw));
        bool certified = bytes_search(buffer_bytes(&message), BYTES("\nOriginator-Certificate:"))
                       < message.n;
        bool key = bytes_search(buffer_bytes(&message), BYTES("\nOriginator-Key-Asymmetric:\n "))
                 < message.n;
        assert_int_equal(certified, want);
        assert_int_equal(key, !want);
        buffer_done(&certificate);
        buffer_done(&old);
        buffer_done(&message);
    }
}

/* RFC 1421, 4.6.1.1.1: opened, then passed on with the signer's own MIC. */
static void test_convert(void **state)
{
    static const char text[] = "- passed on\n\nto others\n";

    for (size_t p = 0; p < PEM_PROFILES; p++) {
        struct buffer certificate = buffer_with_most(65536), message = buffer_with_most(1 << 20);
        struct pem_to to[2];
        struct pem_order order = order_of((enum pem_profile)p, PEM_ENCRYPTED, &certificate, to);
        struct pem_own own = { keys[key_of(order.profile)], BYTES("x") };
        struct keyring *ring = keyring_new();
        struct pem_keys with = { .own = &own, .own_n = 1, .ring = ring };
        struct pem_flaw flaw;
        to[0].serial = BYTES("\x8F\x01");       /* that of the sender's own certificate */
        assert_int_equal(keyring_add_cert(ring, order.certificate, NULL, 0), KEYRING_ADDED);
        pem_order_complete(&order);
        assert_true(pem_write(&order, bytes_of(text), &message, &flaw));
        for (size_t type = PEM_MIC_ONLY; type <= PEM_MIC_CLEAR; type++) {
            struct pem_reader *reader = pem_reader_new(&with, true);
            struct buffer clear = buffer_with_most(1 << 20), passed = buffer_with_most(1 << 20);
            struct world_read read;
            assert_int_equal(pem_read(reader, buffer_bytes(&message), &clear), message.n);
            assert_non_null(pem_reader_found(reader));
            assert_true(pem_convert(pem_reader_found(reader), (enum pem_type)type,
                                    buffer_bytes(&clear), &passed, &flaw));
            world_read(buffer_bytes(&passed), &with, 4096, &read);
            assert_true(pem_is_good(read.found.verdict));
            assert_int_equal(read.found.header.type, type);
            assert_true(bytes_equal(buffer_bytes(&read.text), bytes_of(text)));
            world_read_done(&read);
            buffer_done(&clear);
            buffer_done(&passed);
            pem_reader_free(reader);
        }
        keyring_free(ring);
        buffer_done(&certificate);
        buffer_done(&message);
    }
}

/* Keys that both know, of both lengths: each reader opens with his own, and with no other. */
static void test_shared(void **state)
{
    static const struct pem_interchange to[] = {
        { BYTES_INIT("b@b.example"), BYTES_INIT("ptf"), BYTES_INIT("3"), "8 octets", 8 },
        { BYTES_INIT("c@c.example"), BYTES_INIT(""), BYTES_INIT("4"), "sixteen octets!!", 16 },
    };
    static const enum cipher_kind deks[] = { CIPHER_DES_CBC, CIPHER_DES_EDE_CBC };
    size_t written = 0;

    for (size_t i = 0; i < DIGEST_KINDS * 4; i++) {
        struct pem_shared_order order = { .mic = (enum digest_kind)(i / 4), .dek = deks[i / 2 % 2],
                                          .from = BYTES("a@a.example"), .to = to, .to_n = 2 };
        struct pem_interchange own = to[i % 2];
        struct pem_keys with = { .interchange = &own, .interchange_n = 1 };
        struct buffer message = buffer_with_most(65536);
        struct pem_flaw flaw;
        struct world_read read;
        memset(order.chance, 0x3C, sizeof(order.chance));
        bool done = pem_write_shared(&order, BYTES("- shared\n"), &message, &flaw);
        assert_int_equal(done, order.mic != DIGEST_SHA1);
        if (done) {
            world_read(buffer_bytes(&message), &with, 10, &read);
            assert_int_equal(read.found.verdict, PEM_GOOD_WEAK);
            assert_true(bytes_equal(buffer_bytes(&read.text), BYTES("- shared\n")));
            world_read_done(&read);
            own.key[0] ^= 0x10;
            world_read(buffer_bytes(&message), &with, 10, &read);
            assert_int_equal(read.found.verdict, PEM_ALTERED);
            world_read_done(&read);
            written++;
        }
        buffer_done(&message);
    }
    assert_int_equal(written, 3 * 4);
}

static int set_up(void **state)
{
    for (size_t i = 0; i < KEYS; i++) {
        keys[i] = rsa_private_make(bits[i]);
        reader_keys[i] = rsa_private_make(bits[i]);
        assert_true(keys[i] != NULL && reader_keys[i] != NULL);
    }
    name = buffer_with_most(4096);
    issuer_name = buffer_with_most(4096);
    assert_true(dname_read_text(BYTES("CN=Alice, OU=People, O=Firm, C=US"), true, &name));
    assert_true(dname_read_text(BYTES("OU=People, O=Firm, C=US"), true, &issuer_name));
    return 0;
}

static int tear_down(void **state)
{
    for (size_t i = 0; i < KEYS; i++) {
        rsa_private_free(keys[i]);
        rsa_private_free(reader_keys[i]);
    }
    buffer_done(&name);
    buffer_done(&issuer_name);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_matrix),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_ripem_certificates),
        cmocka_unit_test(test_convert),
        cmocka_unit_test(test_shared),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
