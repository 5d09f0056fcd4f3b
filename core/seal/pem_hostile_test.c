/* SPDX-License-Identifier: ISC
 *
 * What people with bad intentions, and programs with bad habits, write.
 */
#include "seal/pem_int.h"
#include "seal/pem_world_test.h"
#include "seal/pem_write.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define BEGIN "-----BEGIN PRIVACY-ENHANCED MESSAGE-----\n"
#define END "-----END PRIVACY-ENHANCED MESSAGE-----\n"

static struct rsa_private *small, *large;

/* A message of one mode signed by a key that stands in it, for the same key. */
static void write(enum pem_type type, enum cipher_kind dek, struct bytes text, struct buffer *to)
{
    const struct rsa_private *key = dek == CIPHER_AES_256_GCM ? large : small;
    struct pem_to one = { BYTES("a@b.example"), rsa_private_public(key), BYTES_NONE, BYTES_NONE };
    struct pem_order order = { .profile = PEM_PROFILE_RIPEM3, .type = type, .key = key,
                               .from = BYTES("a@b.example"), .to = &one, .to_n = 1,
                               .has_dek = true, .dek = dek };
    struct pem_flaw flaw;

    memset(order.chance, 0x5A, sizeof(order.chance));
    order.profile = dek == CIPHER_AES_256_GCM ? PEM_PROFILE_MODERN : PEM_PROFILE_RIPEM3;
    pem_order_complete(&order);
    assert_true(pem_write(&order, text, to, &flaw));
}

static enum pem_verdict read(struct bytes input, struct world_read *ret_read)
{
    struct pem_own own[] = { { small, BYTES("a@b.example") }, { large, BYTES_NONE } };
    struct pem_keys with = { .own = own, .own_n = COUNT(own) };

    world_read(input, &with, 50, ret_read);
    return ret_read->found.verdict;
}

/* Boundaries: where a message ends, and what is said when it does not. SEAL-023, SEAL-024. */
static const struct {
    const char *text;
    size_t messages;
    uint32_t line;
    const char *words;
} rows[] = {
    { "", 0, 0, "" },
    { "Subject: PEM\n\nnothing here\n", 0, 0, "" },
    { BEGIN, 1, 2, "the END boundary is missing" },
    { BEGIN END, 1, 2, "Proc-Type is not the first field" },
    { BEGIN BEGIN END, 2, 2, "a BEGIN boundary inside a header" },
    { BEGIN "Proc-Type: 4,MIC-CLEAR\n" BEGIN, 2, 3, "a BEGIN boundary inside a header" },
    { BEGIN "Proc-Type: 4,MIC-CLEAR\n\ntext\n" END, 1, 2, "every Originator field is missing" },
    { BEGIN "Proc-Type: 4,MIC-CLEAR\nHello, this is text\n" END, 1, 3,
      "neither a field nor the blank line that ends the header" },
    { BEGIN "Proc-Type: 4,MIC-ONLY\nOriginator-Name: a\nMIC-Info: RSA-MD5,RSA,QUJD\n\nQUJD\n", 1,
      7, "the END boundary is missing" },
    { BEGIN "Proc-Type: 4,MIC-ONLY\nOriginator-Name: a\nMIC-Info: RSA-MD5,RSA,QUJD\n\nQUJD\n"
      "-----End Privacy-Enhanced Message-----\n", 1, 7, "the text is no base64" },
    { BEGIN "Proc-Type: 4,MIC-CLEAR\nOriginator-Name: a\nMIC-Info: RSA-MD5,RSA,QUJD\n\nQUJD\n"
      "-----End Privacy-Enhanced Message-----\n", 1, 7,
      "the END boundary is spelled otherwise, or does not begin its line" },
    { BEGIN "Proc-Type: 4,MIC-ONLY\nOriginator-Name: a\nMIC-Info: RSA-MD5,RSA,QUJD\n\nQ*JD\n" END,
      1, 6, "the text is no base64" },
    { "-----Begin privacyenhanced message-----\nProctype: 4,MIC-CLEAR\n", 1, 1,
      "a boundary spelled otherwise; it must read -----BEGIN PRIVACY-ENHANCED MESSAGE-----" },
    { BEGIN "Proc-Type: 4,ENCRYPTED\nDEK-Info: IDEA-CBC,00\nOriginator-Name: a\n"
      "MIC-Info: RSA-MD5,RSA,QUJD\nRecipient-Name: a@b.example\nKey-Info: RSA,QUJD\n\nQUJD\n" END,
      1, 1, "DEK-Info names a cipher that is not known here" },
    { BEGIN "Proc-Type: 4,MIC-ONLY\nOriginator-Name: a\nMIC-Info: RSA-MD9,RSA,QUJD\n\nQUJD\n" END,
      1, 1, "MIC-Info names an algorithm that is not known here" },
    { BEGIN "Proc-Type: 4,MIC-ONLY\nOriginator-Name: a\nMIC-Info: RSA-MD5,RSA,QUJD\n\nQUJD\n" END,
      1, 3, "the sender's key is not known here" },
};

static void test_boundaries(void **state)
{
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct world_read found;
        (void)read(bytes_of(rows[i].text), &found);
        assert_int_equal(found.messages, rows[i].messages);
        assert_string_equal(found.found.flaw.words, rows[i].words);
        assert_int_equal(found.found.flaw.line, rows[i].line);
        assert_true(rows[i].messages == 0 || !pem_is_good(found.found.verdict));
        world_read_done(&found);
    }
}

/* SEAL-013, SEAL-025: every octet of a text counts, and what is given is what was signed. */
static void test_each_octet(void **state)
{
    static const char text[] = "- Pay 100 dollars\n\nto Bob   \n";

    for (size_t type = PEM_ENCRYPTED; type <= PEM_MIC_CLEAR; type++) {
        struct buffer message = buffer_with_most(65536);
        struct world_read found;
        write((enum pem_type)type, CIPHER_DES_CBC, bytes_of(text), &message);
        assert_true(pem_is_good(read(buffer_bytes(&message), &found)));
        assert_true(bytes_equal(buffer_bytes(&found.text), bytes_of(text)));
        world_read_done(&found);
        size_t at = bytes_search(buffer_bytes(&message), BYTES("\n\n")) + 2;
        size_t end = bytes_search(buffer_bytes(&message), BYTES("\n-----END"));
        for (; at < end; at++) {
            char was = message.at[at];
            message.at[at] = was == 'x' ? 'y' : 'x';
            enum pem_verdict verdict = read(buffer_bytes(&message), &found);
            /* The last letter of base64 may hold bits that belong to no octet. */
            bool pad = at + 4 >= end && type != PEM_MIC_CLEAR;
            assert_true(verdict == PEM_ALTERED || pad);
            world_read_done(&found);
            message.at[at] = was;
        }
        buffer_done(&message);
    }
}

/* SEAL-017, SEAL-029: whatever is wrong behind a decryption has one answer: a wrong block, a key of
   wrong length, wrong padding, a text that was changed, a signature that was changed. */
static void test_one_answer(void **state)
{
    static const enum cipher_kind deks[] = { CIPHER_DES_CBC, CIPHER_DES_EDE_CBC,
                                             CIPHER_AES_256_GCM };

    for (size_t dek = 0; dek < COUNT(deks); dek++) {
        static const char *const places[] = { "Key-Info: ", "MIC-Info: ", "\n\n" };
        struct buffer message = buffer_with_most(65536);
        struct world_read found;
        write(PEM_ENCRYPTED, deks[dek], BYTES("a text of more than one block of any cipher\n"),
              &message);
        for (size_t i = 0; i < COUNT(places) * 2; i++) {
            struct bytes place = bytes_of(places[i / 2]);
            size_t at = bytes_search(buffer_bytes(&message), place) + place.n;
            if (i / 2 < 2)
                at += bytes_find(bytes_skip(buffer_bytes(&message), at), '\n') + 2;
            at += i % 2 * 10;
            char was = message.at[at];
            message.at[at] = was == 'A' ? 'B' : 'A';
            assert_int_equal(read(buffer_bytes(&message), &found), PEM_ALTERED);
            assert_string_equal(found.found.flaw.words,
                                "it cannot be opened: changed on its way, or not for the key at"
                                " hand");
            assert_int_equal(found.found.change, PEM_CHANGE_UNKNOWN);
            world_read_done(&found);
            message.at[at] = was;
        }
        buffer_done(&message);
    }
}

/* What mail systems do to a text is found out and said. */
static const struct {
    const char *signed_text, *from, *to;
    enum pem_change change;
} changes[] = {
    { "Hi\nFrom me\n", "\nFrom me", "\n>From me", PEM_CHANGE_FROM },
    { "Hi\n.dot\n", "\n.dot", "\n..dot", PEM_CHANGE_DOTS },
    { "Hi\nyou\n\n\n", "you\n\n\n-", "you\n-", PEM_CHANGE_END_LOST },
    { "Hi\nyou\n", "you\n-", "you\n\n\n-", PEM_CHANGE_END_ADDED },
    { "a  \nb\nc\nd\ne\nf\ng\nh\ni\nj\nk\n", "a  \n", "a\n", PEM_CHANGE_BLANKS },
    { "a=\n", "a=\n", "b=\n", PEM_CHANGE_QUOTED },
    { "Hi\n", "Hi\n", "Ho\n", PEM_CHANGE_UNKNOWN },
    { "Hi\n- x\n", "- - x", "- - x", PEM_CHANGE_NONE },
};

static void test_changes(void **state)
{
    for (size_t i = 0; i < COUNT(changes); i++) {
        struct buffer message = buffer_with_most(65536), changed = buffer_with_most(65536);
        struct bytes from = bytes_of(changes[i].from);
        struct world_read found;
        write(PEM_MIC_CLEAR, CIPHER_DES_CBC, bytes_of(changes[i].signed_text), &message);
        struct bytes all = buffer_bytes(&message);
        size_t at = bytes_search(all, BYTES("\n\n")) + 1;
        at += bytes_search(bytes_skip(all, at), from);
        buffer_put(&changed, bytes_first(all, at));
        buffer_put_text(&changed, changes[i].to);
        buffer_put(&changed, bytes_skip(all, at + from.n));
        (void)read(buffer_bytes(&changed), &found);
        assert_int_equal(found.found.change, changes[i].change);
        assert_int_equal(pem_is_good(found.found.verdict),
                         changes[i].change == PEM_CHANGE_NONE);
        world_read_done(&found);
        buffer_done(&message);
        buffer_done(&changed);
    }
}

/* Lines that begin with a hyphen, guarded in RIPEM's way: verified, and said. */
static void test_ripem_dashes(void **state)
{
    struct buffer message = buffer_with_most(65536), other = buffer_with_most(65536);
    struct world_read found;

    write(PEM_MIC_CLEAR, CIPHER_DES_CBC, BYTES("- x\n"), &message);
    struct bytes all = buffer_bytes(&message);
    size_t at = bytes_search(all, BYTES("\n- - x"));
    buffer_put(&other, bytes_first(all, at));
    buffer_put(&other, bytes_skip(all, at + 2));
    other.at[at] = '\n';
    assert_true(pem_is_good(read(buffer_bytes(&other), &found)));
    assert_int_equal(found.found.change, PEM_CHANGE_RIPEM_DASHES);
    world_read_done(&found);
    buffer_done(&message);
    buffer_done(&other);
}

/* SEAL-024: a message in a message: exactly one level is opened, each time. */
static void test_nesting(void **state)
{
    struct buffer levels[3] = { buffer_with_most(65536), buffer_with_most(65536),
                                buffer_with_most(65536) };
    struct world_read found;

    write(PEM_MIC_CLEAR, CIPHER_DES_CBC, BYTES("inside\n"), &levels[0]);
    write(PEM_MIC_CLEAR, CIPHER_DES_CBC, buffer_bytes(&levels[0]), &levels[1]);
    write(PEM_ENCRYPTED, CIPHER_DES_CBC, buffer_bytes(&levels[1]), &levels[2]);
    for (size_t i = 3; i-- > 1;) {
        assert_true(pem_is_good(read(buffer_bytes(&levels[i]), &found)));
        assert_int_equal(found.messages, 1);
        assert_true(bytes_equal(buffer_bytes(&found.text), buffer_bytes(&levels[i - 1])));
        world_read_done(&found);
    }
    /* Several side by side, with and without END between them. */
    struct buffer both = buffer_with_most(65536);
    struct bytes one = buffer_bytes(&levels[0]);
    buffer_put(&both, bytes_first(one, one.n - sizeof(END) + 1));
    buffer_put(&both, one);
    buffer_put(&both, BYTES("in between\n"));
    buffer_put(&both, one);
    assert_true(pem_is_good(read(buffer_bytes(&both), &found)));
    assert_int_equal(found.messages, 3);
    assert_true(bytes_equal(buffer_bytes(&found.text), BYTES("inside\ninside\ninside\n")));
    world_read_done(&found);
    buffer_done(&both);
    for (size_t i = 0; i < 3; i++)
        buffer_done(&levels[i]);
}

/* RFC 1423, 1.1 and 1.3: keys that both know. There is no peer; made from the parts. */
static void test_symmetric(void **state)
{
    struct ciphers ciphers = { 0 };
    static const uint8_t shared[16] = "sixteen octets!", dek[8] = { 1, 2, 3, 4, 5, 6, 7, 8 };
    static const uint8_t iv[8] = { 0x12, 0x34 };
    static const char digits[] = "0123456789ABCDEF";
    struct pem_interchange with = { BYTES("b@b.example"), BYTES("ptf"), BYTES("3"), { 0 }, 16 };
    struct pem_keys keys = { .interchange = &with, .interchange_n = 1 };
    uint8_t digest[DIGEST_MOST];

    memcpy(with.key, shared, sizeof(shared));
    for (int wrong = 0; wrong < 2; wrong++) {
        struct buffer body = buffer_with_most(4096), key_info = buffer_with_most(4096);
        struct buffer message = buffer_with_most(4096);
        struct world_read found;
        assert_true(digest_of(DIGEST_MD2, BYTES("text\r\n"), digest));
        digest[0] ^= (uint8_t)wrong;
        assert_true(cipher_run(&ciphers, CIPHER_DES_CBC, CIPHER_SEAL, dek, iv, BYTES("text\r\n"),
                               &body));
        assert_true(cipher_run(&ciphers, CIPHER_DES_EDE_ECB, CIPHER_SEAL, shared, NULL,
                               (struct bytes){ (const char *)dek, 8 }, &key_info));
        assert_true(cipher_run(&ciphers, CIPHER_DES_EDE_ECB, CIPHER_SEAL, shared, NULL,
                               (struct bytes){ (const char *)digest, 16 }, &key_info));
        buffer_put(&message, BYTES(BEGIN "Proc-Type: 4,ENCRYPTED\nDEK-Info: DES-CBC,"
                                   "1234000000000000\nOriginator-ID-Symmetric: a@b.example,,\n"
                                   "Recipient-ID-Symmetric: b@b.example,ptf,3\n"
                                   "Key-Info: DES-EDE,RSA-MD2,"));
        for (size_t i = 0; i < key_info.n; i++) {
            if (i == 8)
                buffer_put_char(&message, ',');
            buffer_put_char(&message, digits[octet(key_info.at[i]) >> 4]);
            buffer_put_char(&message, digits[octet(key_info.at[i]) & 15]);
        }
        buffer_put(&message, BYTES("\n\n"));
        pem_put_base64(&message, "", buffer_bytes(&body));
        pem_put_end(&message);
        world_read(buffer_bytes(&message), &keys, 7, &found);
        assert_int_equal(found.found.verdict, wrong ? PEM_ALTERED : PEM_GOOD_WEAK);
        assert_true(wrong || bytes_equal(buffer_bytes(&found.text), BYTES("text\n")));
        world_read_done(&found);
        buffer_done(&body);
        buffer_done(&key_info);
        buffer_done(&message);
    }
    ciphers_done(&ciphers);
}

/* Lines of every kind, many batches of them, then a second message. LF or CRLF at their ends. */
static void put_long(struct buffer *to, bool crlf)
{
    static const char *const lines[] = {
        "an ordinary line of a text, as long as lines are usually", "", "Everything", "-- two",
        "ends with a hyphen -", "a blank at its end ", "soft=", ".", ">From here", "..",
        "- a hyphen",
    };
    struct buffer text = buffer_with_most(1 << 20), message = buffer_with_most(1 << 20);
    struct bytes rest, line;

    for (size_t i = 0; text.n < 200000; i++) {  /* those that some take otherwise come late */
        size_t kinds = text.n < 120000 ? COUNT(lines) - 3 : COUNT(lines);
        buffer_put_text(&text, lines[i % 5 == 4 ? i / 5 % kinds : 0]);
        buffer_put_chars(&text, 'x', i == 500 ? 40000 : 0);
        buffer_put_char(&text, '\n');
    }
    write(PEM_MIC_CLEAR, CIPHER_AES_256_GCM, buffer_bytes(&text), &message);
    write(PEM_MIC_ONLY, CIPHER_DES_CBC, BYTES("second\n"), &message);
    rest = buffer_bytes(&message);
    while (bytes_cut(&rest, '\n', &line)) {
        buffer_put(to, line);
        buffer_put_text(to, crlf ? "\r\n" : "\n");
    }
    buffer_done(&text);
    buffer_done(&message);
}

/* A text is taken line by line or many lines at once, as the pieces of the input have it: what
   comes out does not show which, changed or not. */
static void test_pieces(void **state)
{
    static const size_t pieces[] = { 1, 50, 4096, 40001, 1 << 20 };

    for (size_t i = 0; i < 6; i++) {
        struct buffer input = buffer_with_most(1 << 20);
        struct world_read want, got;
        struct pem_keys none = { 0 };
        put_long(&input, i % 2 == 1);
        input.at[input.n / 3] = (char)(input.at[input.n / 3] ^ (i < 2 ? 0 : i < 4 ? 1 : 0x80));
        world_read(buffer_bytes(&input), &none, 1, &want);
        assert_int_equal(want.found.verdict, i < 2 ? PEM_GOOD_UNTRUSTED : PEM_ALTERED);
        assert_int_equal(want.messages, 2);
        for (size_t j = 1; j < COUNT(pieces); j++) {
            world_read(buffer_bytes(&input), &none, pieces[j], &got);
            assert_int_equal(got.messages, want.messages);
            assert_int_equal(got.found.verdict, want.found.verdict);
            assert_int_equal(got.found.change, want.found.change);
            assert_int_equal(got.found.to, want.found.to);
            assert_int_equal(got.found.text_octets, want.found.text_octets);
            assert_true(bytes_equal(buffer_bytes(&got.text), buffer_bytes(&want.text)));
            world_read_done(&got);
        }
        world_read_done(&want);
        buffer_done(&input);
    }
}

/* Every allocation fails once: a verdict that is not good, or none, and nothing lost. */
static void test_memory(void **state)
{
    struct buffer message = buffer_with_most(65536);
    struct pem_keys none = { 0 };
    unsigned good = 0;

    write(PEM_MIC_ONLY, CIPHER_DES_CBC, BYTES("text\n"), &message);
    for (uint64_t n = 1; n < 60; n++) {
        struct buffer text = buffer_with_most(4096);
        mem_fail_at(n);
        struct pem_reader *reader = pem_reader_new(&none, true);
        if (reader != NULL) {
            (void)pem_read(reader, buffer_bytes(&message), &text);
            pem_reader_end(reader, &text);
            const struct pem_found *found = pem_reader_found(reader);
            bool well = found != NULL && pem_is_good(found->verdict);
            good += well;
            assert_true(!well || bytes_equal(buffer_bytes(&text), BYTES("text\n")));
        }
        pem_reader_free(reader);
        buffer_done(&text);
    }
    mem_fail_at(0);
    assert_true(good > 0 && good < 59);
    buffer_done(&message);
}

static int set_up(void **state)
{
    small = rsa_private_make(1024);
    large = rsa_private_make(3072);
    return small == NULL || large == NULL ? -1 : 0;
}

static int tear_down(void **state)
{
    rsa_private_free(small);
    rsa_private_free(large);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_boundaries),
        cmocka_unit_test(test_each_octet),
        cmocka_unit_test(test_one_answer),
        cmocka_unit_test(test_changes),
        cmocka_unit_test(test_ripem_dashes),
        cmocka_unit_test(test_nesting),
        cmocka_unit_test(test_pieces),
        cmocka_unit_test(test_symmetric),
        cmocka_unit_test(test_memory),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
