/* SPDX-License-Identifier: ISC */
#include "dns/answer.h"

#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define B(literal) BYTES_INIT(literal)

static const struct { struct bytes wire; const char *text; } names[] = {
    { B("\x02mx\x07" "Example\x03org\x00"), "mx.example.org" },
    { B("\x00"), "" },
    { B("\x04_25_\x01" "a\x00"), "_25_.a" },
    { B("\x05" "a.b\n\xff\x00"), "a\\046b\\010\\255" },
    { B(""), NULL },
    { B("\x03" "ab"), NULL },
    { B("\x01" "a"), NULL },
    { B("\xc0\x0c"), NULL },            /* compressed */
    { B("\x40" "a"), NULL },
};

static void names_are_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(names); i++) {
        struct buffer to = buffer_with_most(1024);
        struct reader in = reader_of(names[i].wire);
        buffer_put_char(&to, '<');
        assert_int_equal(dns_name_read(&in, &to), names[i].text != NULL);
        struct bytes got = bytes_skip(buffer_bytes(&to), 1);
        assert_true(bytes_equal(got, bytes_of(names[i].text == NULL ? "" : names[i].text)));
        buffer_done(&to);
    }
}

/* 255 octets on the wire are the longest name (RFC 1035, 2.3.4). */
static void a_name_has_its_longest(void **state)
{
    (void)state;
    for (size_t last = 61; last <= 62; last++) {
        struct buffer wire = buffer_with_most(512), to = buffer_with_most(2048);
        for (int i = 0; i < 3; i++) {
            buffer_put_u8(&wire, 63);
            buffer_put_chars(&wire, 'a', 63);
        }
        buffer_put_u8(&wire, (uint8_t)last);
        buffer_put_chars(&wire, 'b', last);
        buffer_put_u8(&wire, 0);
        struct reader in = reader_of(buffer_bytes(&wire));
        assert_int_equal(dns_name_read(&in, &to), last == 61);
        assert_int_equal(to.n, last == 61 ? DNS_NAME_MOST : 0);
        buffer_done(&wire);
        buffer_done(&to);
    }
}

static const struct { const char *text; bool plain; } plain[] = {
    { "mx.example.org", true }, { "_25._tcp.mx", true }, { "a", true }, { "", false },
    { ".", false }, { "a..b", false }, { "a.", false }, { ".a", false }, { "a b", false },
    { "a\\010", false }, { "m\xc3\xbcller.example", false },
    { "a123456789012345678901234567890123456789012345678901234567890123.x", false },
};

static void which_names_may_be_asked_for(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(plain); i++)
        assert_int_equal(dns_name_is_plain(bytes_of(plain[i].text)), plain[i].plain);
}

static void addresses_of_both_families(void **state)
{
    struct buffer records = buffer_with_most(1024);
    uint8_t ips[3][16];

    (void)state;
    buffer_put_block(&records, BYTES("\xc0\x00\x02\x07"));
    buffer_put_block(&records, BYTES("\xc0\x00\x02"));
    buffer_put_block(&records, BYTES("\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01"));
    struct dns_answer answer = { .verdict = DNS_SECURE, .records = buffer_bytes(&records) };
    assert_int_equal(dns_addresses(&answer, ips, 3), 2);
    assert_memory_equal(ips[0], "\0\0\0\0\0\0\0\0\0\0\xff\xff\xc0\x00\x02\x07", 16);
    assert_memory_equal(ips[1], "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01", 16);
    assert_int_equal(dns_addresses(&answer, ips, 1), 1);
    answer.records.n--;                 /* a block cut short ends the list */
    assert_int_equal(dns_addresses(&answer, ips, 3), 1);
    buffer_done(&records);
}

static const struct { struct bytes data; const char *text; } texts[] = {
    { B("\x07v=STSv1\x06; id=1"), "v=STSv1; id=1" },
    { B("\x00"), "" },
    { B("\x01" "a\x00\x01" "b"), "ab" },
    { B(""), NULL },
    { B("\x02" "a"), NULL },
    { B("\x01" "a\x05"), NULL },
    { B("\x14" "longer than may be put"), NULL },
};

static void strings_of_a_text_are_joined(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(texts); i++) {
        struct buffer to = buffer_with_most(16);
        assert_int_equal(dns_text(texts[i].data, &to), texts[i].text != NULL);
        assert_true(bytes_equal(buffer_bytes(&to),
                                bytes_of(texts[i].text == NULL ? "" : texts[i].text)));
        buffer_done(&to);
    }
}

/* DNS-030: 64 KiB of a text in strings of one octet are joined, or too long, as the reader says. */
static void a_text_of_many_strings_has_its_bound(void **state)
{
    static char data[65534];
    struct buffer wide = buffer_with_most(sizeof(data)), narrow = buffer_with_most(512);

    (void)state;
    for (size_t i = 0; i < sizeof(data); i += 2) {
        data[i] = 1;
        data[i + 1] = 'a';
    }
    assert_true(dns_text((struct bytes){ data, sizeof(data) }, &wide));
    assert_int_equal(wide.n, sizeof(data) / 2);
    assert_false(dns_text((struct bytes){ data, sizeof(data) }, &narrow));
    assert_int_equal(narrow.room <= 512, true);
    buffer_done(&wide);
    buffer_done(&narrow);
}

/* CLI-015: as short as a stranger may make them. */
static void tlsa_records_are_read(void **state)
{
    struct dns_tlsa tlsa = { .usage = 77 };

    (void)state;
    for (size_t n = 0; n < 4; n++)
        assert_false(dns_tlsa_read((struct bytes){ "\3\1\1", n }, &tlsa));
    assert_int_equal(tlsa.usage, 77);
    assert_true(dns_tlsa_read(BYTES("\3\1\2xyz"), &tlsa));
    assert_true(tlsa.usage == 3 && tlsa.selector == 1 && tlsa.matching == 2);
    assert_true(bytes_equal(tlsa.data, BYTES("xyz")));
}

static const struct { struct dns_answer answer; bool well; } coded[] = {
    { { DNS_SECURE, false, 300, B("mx.example"), B("\1\0\0\0x") }, true },
    { { DNS_INSECURE, false, 0, B(""), B("\1\0\0\0x") }, true },
    { { DNS_NXDOMAIN, true, 60, B(""), B("") }, true },
    { { DNS_NODATA, false, 60, B(""), B("") }, true },
    { { DNS_FAILED, false, 0, B(""), B("") }, true },
    { { DNS_BOGUS, false, 0, B(""), B("") }, true },
    { { DNS_BOGUS, false, 0, B(""), B("\1\0\0\0x") }, false },
    { { DNS_SECURE, false, 0, B(""), B("") }, false },
    { { DNS_SECURE, true, 0, B(""), B("\1\0\0\0x") }, false },
    { { DNS_VERDICTS, false, 0, B(""), B("") }, false },
    { { (enum dns_verdict)0, false, 0, B(""), B("") }, false },
    { { DNS_FAILED, false, 0, B("a b"), B("") }, false },
};

static void an_answer_comes_through(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(coded); i++) {
        struct buffer text = buffer_with_most(1024);
        struct dns_answer got;
        dns_answer_put(&text, &coded[i].answer);
        assert_int_equal(dns_answer_read(buffer_bytes(&text), &got), coded[i].well);
        if (coded[i].well) {
            assert_int_equal(got.verdict, coded[i].answer.verdict);
            assert_int_equal(got.proved, coded[i].answer.proved);
            assert_int_equal(got.ttl, coded[i].answer.ttl);
            assert_true(bytes_equal(got.canonical, coded[i].answer.canonical));
            assert_true(bytes_equal(got.records, coded[i].answer.records));
        }
        assert_false(dns_answer_read(bytes_first(buffer_bytes(&text), 5), &got));
        buffer_done(&text);
    }
}

static void a_verdict_has_a_name(void **state)
{
    (void)state;
    assert_string_equal(dns_verdict_name(DNS_BOGUS), "bogus");
    assert_string_equal(dns_verdict_name(DNS_FAILED), "failed");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_read), cmocka_unit_test(a_name_has_its_longest),
        cmocka_unit_test(which_names_may_be_asked_for),
        cmocka_unit_test(addresses_of_both_families),
        cmocka_unit_test(strings_of_a_text_are_joined),
        cmocka_unit_test(a_text_of_many_strings_has_its_bound),
        cmocka_unit_test(tlsa_records_are_read),
        cmocka_unit_test(an_answer_comes_through), cmocka_unit_test(a_verdict_has_a_name),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
