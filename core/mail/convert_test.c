/* SPDX-License-Identifier: ISC */
#include "mail/convert.h"
#include "mail/convert_int.h"

#include "base/arena.h"
#include "base/base64.h"
#include "base/qp.h"
#include "mail/mime.h"

#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

enum { ROOM = 1 << 20 };

static const struct convert_for seven = { false, false, false }, eight = { true, false, false },
                                all = { true, true, true };

struct row {
    const char *what;
    const struct convert_for *server;
    bool utf8;
    const char *letter;
    enum convert_verdict verdict;
    const char *wanted;
};

#define TEXT "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
#define CTE "Content-Transfer-Encoding: "
#define MULTI(type) "MIME-Version: 1.0\r\nContent-Type: multipart/" type "; boundary=b\r\n"

static const struct row rows[] = {
    { "nothing to do", &seven, false, "Subject: a\r\n\r\nplain\r\n", CONVERT_NOT_NEEDED, "" },
    { "whoever takes all", &all, true, "Subject: \xc3\xa4\r\n\r\n\xc3\xa4\r\n", CONVERT_NOT_NEEDED,
      "" },
    { "8 bits for 8BITMIME", &eight, false, TEXT CTE "8bit\r\n\r\n\xc3\xa4\r\n",
      CONVERT_NOT_NEEDED, "" },
    { "8 bits for who has 7", &seven, false,
      TEXT CTE "8bit\r\n\r\n.\xc3\xa4 = a line of words mostly \r\nFrom here\r\n",
      CONVERT_DONE, TEXT CTE "quoted-printable\r\n\r\n"
      "=2E=C3=A4 =3D a line of words mostly=20\r\n=46rom here\r\n" },
    { "mostly 8 bits", &seven, false,
      TEXT CTE "8bit\r\n\r\n\xd0\x9f\xd1\x80\xd0\xb8\xd0\xb2\xd0\xb5\xd1\x82\r\n", CONVERT_DONE,
      TEXT CTE "base64\r\n\r\n0J/RgNC40LLQtdGCDQo=\r\n" },
    { "no MIME at all (RFC 1428)", &seven, false, "Subject: a\r\n\r\ntext \xe4 is mostly ASCII\r\n",
      CONVERT_DONE,
      "Subject: a\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=unknown-8bit\r\n"
      CTE "quoted-printable\r\n\r\ntext =E4 is mostly ASCII\r\n" },
    { "a label that is no longer true", &seven, false, TEXT CTE "8bit\r\n\r\nplain\r\n",
      CONVERT_DONE, TEXT CTE "7bit\r\n\r\nplain\r\n" },
    { "a binary one for 8 bits", &eight, false, TEXT CTE "binary\r\n\r\na\rb\xc3\xa4 and words\r\n",
      CONVERT_DONE, TEXT CTE "quoted-printable\r\n\r\na=0Db=C3=A4 and words\r\n" },
    { "parts, and what lies between", &seven, false,
      MULTI("mixed") CTE "8bit\r\n\r\npre\xe4\r\n--b\r\n\r\nplain\r\n--b\r\n"
      "Content-Type: application/x\r\n" CTE "8bit\r\n\r\n\xff\xfe\r\n--b--\r\nend\r\n",
      CONVERT_DONE,
      MULTI("mixed") CTE "7bit\r\n\r\npre?\r\n--b\r\n\r\nplain\r\n--b\r\n"
      "Content-Type: application/x\r\n" CTE "base64\r\n\r\n//4=\r\n--b--\r\nend\r\n" },
    { "signed: never", &seven, false,
      MULTI("signed") "\r\n--b\r\nContent-Type: text/plain\r\n" CTE "8bit\r\n\r\n\xe4\r\n--b--\r\n",
      CONVERT_SIGNED, "" },
    { "signed, and only a word says 8 bits", &seven, false,
      MULTI("signed") "\r\n--b\r\nContent-Type: text/plain\r\n" CTE "8bit\r\n\r\na\r\n--b--\r\n",
      CONVERT_NOT_NEEDED, "" },
    { "signed, with 8 bits between parts inside", &seven, false,
      MULTI("signed") "\r\n--b\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\npre\xe4\r\n"
      "--c\r\n\r\na\r\n--c--\r\n--b\r\nContent-Type: text/plain\r\n\r\nb\r\n--b--\r\n",
      CONVERT_SIGNED, "" },
    { "... behind the last part inside", &seven, false,
      MULTI("signed") "\r\n--b\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n"
      "--c\r\n\r\na\r\n--c--\r\nend\xe4\r\n--b\r\nContent-Type: application/pgp-signature\r\n\r\nb"
      "\r\n--b--\r\n", CONVERT_SIGNED, "" },
    { "... outside of what is signed", &seven, false,
      MULTI("signed") "\r\npre\xe4\r\n--b\r\n\r\na\r\n--b\r\n\r\nb\r\n--b--\r\nend\xe4\r\n",
      CONVERT_DONE,
      MULTI("signed") "\r\npre?\r\n--b\r\n\r\na\r\n--b\r\n\r\nb\r\n--b--\r\nend?\r\n" },
    { "encrypted: never", &seven, false,
      MULTI("encrypted") "\r\n--b\r\n\r\na\r\n--b\r\n" CTE "8bit\r\n\r\n\xe4\r\n--b--\r\n",
      CONVERT_SIGNED, "" },
    { "8 bits between parts alone", &seven, false,
      MULTI("mixed") "\r\npre\xe4\r\n--b\r\n\r\na\r\n--b--\r\n", CONVERT_DONE,
      MULTI("mixed") "\r\npre?\r\n--b\r\n\r\na\r\n--b--\r\n" },
    { "a multipart without a boundary", &seven, false,
      "MIME-Version: 1.0\r\nContent-Type: multipart/mixed\r\n\r\nall of it \xe4\r\n",
      CONVERT_FLAWED, "" },
    { "a multipart without parts", &seven, false, MULTI("mixed") "\r\nall of it \xe4\r\n",
      CONVERT_FLAWED, "" },
    { "a piece of a letter", &seven, false,
      "MIME-Version: 1.0\r\nContent-Type: message/partial; id=a; number=1\r\n\r\n\xe4\r\n",
      CONVERT_FLAWED, "" },
    { "a signed part that needs nothing", &seven, false,
      MULTI("mixed") "\r\n--b\r\nContent-Type: multipart/signed; boundary=c\r\n\r\n"
      "--c\r\n\r\nplain\r\n--c--\r\n--b\r\n\r\nand \xe4\r\n--b--\r\n", CONVERT_DONE,
      MULTI("mixed") "\r\n--b\r\nContent-Type: multipart/signed; boundary=c\r\n\r\n"
      "--c\r\n\r\nplain\r\n--c--\r\n--b\r\n" CTE "quoted-printable\r\n\r\nand =E4\r\n--b--\r\n" },
    { "coded, and yet 8 bits", &seven, false, TEXT CTE "base64\r\n\r\n\xe4\xe4\r\n",
      CONVERT_FLAWED, "" },
    { "a line of a mailbox in front", &seven, false,
      "From \xe4 today\r\nSubject: a\r\n\r\nplain\r\n", CONVERT_DONE,
      "From ? today\r\nSubject: a\r\n\r\nplain\r\n" },
    { "no empty line behind the header", &seven, false,
      "Subject: a\r\nContent-Transfer-Encoding: 8bit\r\n--- \xe4 ---\r\n", CONVERT_DONE,
      "Subject: a\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=unknown-8bit\r\n"
      CTE "quoted-printable\r\n\r\n--- =E4 ---\r\n" },
    /* header fields (RFC 6857) */
    { "a subject", &eight, true, "Subject: Gr\xc3\xbc\xc3\x9f" "e\r\n\r\nx\r\n", CONVERT_DONE,
      "Subject: =?utf-8?Q?Gr=C3=BC=C3=9Fe?=\r\n\r\nx\r\n" },
    { "names and domains", &eight, true,
      "To: J\xc3\xbcrgen <j@m\xc3\xbcller.example>,\r\n Anna <anna@example.org>\r\n\r\nx\r\n",
      CONVERT_DONE,
      "To: =?utf-8?Q?J=C3=BCrgen?= <j@xn--mller-kva.example>, \"Anna\" <anna@example.org>\r\n"
      "\r\nx\r\n" },
    { "a local part that has no ASCII form", &eight, true,
      "From: \xc3\xa4@example.org\r\n\r\nx\r\n", CONVERT_DONE,
      "From: =?utf-8?Q?=C3=A4=40example=2Eorg?= :;\r\n\r\nx\r\n" },
    { "a file's name", &eight, true,
      "MIME-Version: 1.0\r\nContent-Type: text/plain; name=\"\xc3\xa4;b.txt\"; "
      "charset=utf-8\r\n\r\n"
      "x\r\n", CONVERT_DONE,
      "MIME-Version: 1.0\r\nContent-Type: text/plain;\r\n name*=utf-8''%C3%A4%3Bb.txt;\r\n "
      "charset=utf-8\r\n\r\nx\r\n" },
    { "what programs read", &eight, true, "Message-ID: <\xc3\xa4@x>\r\n\r\nx\r\n", CONVERT_DONE,
      "Downgraded-Message-ID: =?utf-8?B?PMOkQHg+?=\r\n\r\nx\r\n" },
    { "somebody's mistake stays for 8 bits", &eight, false, "Subject: \xe4\r\n\r\nx\r\n",
      CONVERT_NOT_NEEDED, "" },
    { "and is named for 7", &seven, false, "Subject: \xe4\r\n\r\nx\r\n", CONVERT_DONE,
      "Subject: =?unknown-8bit?Q?=E4?=\r\n\r\nx\r\n" },
};

static void each_row(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct buffer to = buffer_with_most(ROOM);
        buffer_put_char(&to, '<');
        enum convert_verdict verdict = convert_letter(bytes_of(rows[i].letter), rows[i].utf8,
                                                      rows[i].server, &to);
        struct bytes got = bytes_skip(buffer_bytes(&to), 1);
        if (verdict != rows[i].verdict || !bytes_equal(got, bytes_of(rows[i].wanted)))
            fail_msg("%s: verdict %d, %.*s", rows[i].what, verdict, (int)got.n, got.at);
        assert_int_equal(convert_why(verdict)[0] != '\0', verdict > CONVERT_DONE);
        buffer_done(&to);
    }
}

/* ---- what comes out is what the server takes, and says the same */

static void put_decoded(struct buffer *to, const struct mime_part *part, struct bytes body)
{
    struct qp_decoder qp = { .held_n = 0 };
    struct base64_decoder base64 = { .bits = 0 };

    if (part->coding == CODING_QUOTED_PRINTABLE) {
        qp_decode(&qp, body, to);
        qp_decode_end(&qp, to);
    } else if (part->coding == CODING_BASE64) {
        base64_decode(&base64, body, to);
        base64_decode_end(&base64, to);
    } else {
        buffer_put(to, body);
    }
}

/* The decoded leaves, one after another. */
static struct buffer leaves_of(struct bytes letter)
{
    struct buffer leaves = buffer_with_most(ROOM);
    struct mime mime;

    assert_true(mime_init(&mime));
    mime_feed(&mime, letter);
    mime_finish(&mime);
    for (uint32_t i = 0; i < mime.n; i++) {
        const struct mime_part *part = &mime.parts[i];
        if (part->kind != MIME_LEAF)
            continue;
        put_decoded(&leaves, part, bytes_first(bytes_skip(letter, (size_t)part->body_at),
                                               (size_t)(part->end - part->body_at)));
        buffer_put(&leaves, BYTES("|"));
    }
    mime_done(&mime);
    return leaves;
}

static uint32_t draw(uint32_t *seed)
{
    *seed = *seed * 1664525 + 1013904223;
    return *seed >> 8;
}

/* A letter of some parts, with octets of every kind in them. */
static void make_letter(struct buffer *to, uint32_t *seed)
{
    static const char *const types[] = { "text/plain", "text/html", "application/x", "image/png" };
    uint32_t parts = 1 + draw(seed) % 4;

    buffer_put_text(to, "Subject: x\r\n" MULTI("mixed") "\r\n");
    for (uint32_t i = 0; i < parts; i++) {
        uint32_t n = draw(seed) % 3000, kind = draw(seed) % 4;
        buffer_put_text(to, "--b\r\nContent-Type: ");
        buffer_put_text(to, types[draw(seed) % COUNT(types)]);
        buffer_put_text(to, "\r\n" CTE "binary\r\n\r\n");
        for (uint32_t k = 0; k < n; k++) {
            uint32_t octets = draw(seed);
            if (kind < 3 && octets % 40 == 0)
                buffer_put_text(to, "\r\n");
            else
                buffer_put_char(to, (char)(kind == 0 ? 'a' + octets % 26 : octets));
        }
        buffer_put_text(to, "\r\n");
    }
    buffer_put_text(to, "--b--\r\n");
}

static void nothing_is_changed_but_its_form(void **state)
{
    uint32_t seed = 7;

    (void)state;
    for (int i = 0; i < 300; i++) {
        struct buffer letter = buffer_with_most(ROOM), to = buffer_with_most(ROOM);
        make_letter(&letter, &seed);
        const struct convert_for *server = i % 2 == 0 ? &seven : &eight;
        enum convert_verdict verdict = convert_letter(buffer_bytes(&letter), false, server, &to);
        assert_true(verdict == CONVERT_DONE);
        struct buffer before = leaves_of(buffer_bytes(&letter));
        struct buffer after = leaves_of(buffer_bytes(&to));
        assert_true(bytes_equal(buffer_bytes(&before), buffer_bytes(&after)));
        struct bytes rest = buffer_bytes(&to), line;
        while (bytes_cut(&rest, '\n', &line)) {
            assert_true(line.n <= 999 && bytes_ends(line, BYTES("\r")));
            assert_true(server->eight_bit || convert_is_ascii(line));
            assert_true(bytes_find(bytes_first(line, line.n - 1), '\r') == line.n - 1);
        }
        buffer_done(&letter);
        buffer_done(&to);
        buffer_done(&before);
        buffer_done(&after);
    }
}

static void short_memory_is_said(void **state)
{
    struct buffer letter = buffer_with_most(ROOM), to = buffer_with_most(ROOM);
    uint32_t seed = 3;

    (void)state;
    make_letter(&letter, &seed);
    for (uint64_t at = 1; at < 60; at++) {
        mem_fail_at(at);
        enum convert_verdict verdict = convert_letter(buffer_bytes(&letter), false, &seven, &to);
        mem_fail_at(0);
        assert_true(verdict == CONVERT_DONE || verdict == CONVERT_NO_MEMORY
                    || verdict == CONVERT_FLAWED);
        buffer_done(&to);
        to = buffer_with_most(ROOM);
    }
    struct buffer little = buffer_with_most(100);
    assert_int_equal(convert_letter(buffer_bytes(&letter), false, &seven, &little),
                     CONVERT_NO_MEMORY);
    assert_int_equal(little.n, 0);
    buffer_done(&little);
    buffer_done(&letter);
    buffer_done(&to);
}

/* What counts as signed or encrypted, at whatever depth; and what does not. */
static void what_is_signed(void **state)
{
    static const struct { const char *letter; bool is; } letters[] = {
        { "Subject: a\r\n\r\nDKIM-Signature: in the text\r\n", false },
        { "", false },
        { "dkim-signature : v=1;\r\n b=a\r\n\r\nx\r\n", true },
        { "Subject: a\r\nARC-Seal: i=1\r\n\r\nx\r\n", true },
        { "ARC-Message-Signature: i=1", true },
        { "DomainKey-Signature: a\r\n\r\n", true },
        { "Authentication-Results: x; dkim=pass\r\n\r\nx\r\n", false },
        { MULTI("signed") "\r\n--b\r\n\r\nx\r\n--b--\r\n", true },
        { MULTI("ENCRYPTED") "\r\n--b\r\n\r\nx\r\n--b--\r\n", true },
        { MULTI("mixed") "\r\n--b\r\nContent-Type: application/pkcs7-mime\r\n\r\nx\r\n--b--\r\n",
          true },
        { MULTI("mixed") "\r\n--b\r\nContent-Type: application/X-pkcs7-signature\r\n\r\nx\r\n"
          "--b--\r\n", true },
        { MULTI("mixed") "\r\n--b\r\nContent-Type: application/pgp-keys\r\n\r\nx\r\n--b--\r\n",
          true },
        { MULTI("mixed") "\r\n--b\r\nContent-Type: application/pdf\r\n\r\nx\r\n--b--\r\n", false },
        { MULTI("mixed") "\r\n--b\r\nContent-Type: message/rfc822\r\n\r\nDKIM-Signature: a\r\n"
          "\r\nx\r\n--b--\r\n", true },
        { "Subject: a\r\n\r\n-----BEGIN PGP SIGNED MESSAGE-----\r\n", true },
        { "Subject: a\r\n\r\n-----BEGIN PRIVACY-ENHANCED MESSAGE-----\r\n", true },
        { "Subject: a\r\n\r\n----- BEGIN of nothing -----\r\n", false },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(letters); i++)
        if (convert_is_signed(bytes_of(letters[i].letter)) != letters[i].is)
            fail_msg("%s", letters[i].letter);
    mem_fail_at(1);
    assert_true(convert_is_signed(BYTES("Subject: a\r\n\r\nx\r\n")));
    mem_fail_at(0);
}

/* No encoded word is longer than 75, no line than 76, and no character is cut. */
static void words_keep_their_bounds(void **state)
{
    struct buffer text = buffer_with_most(ROOM), to = buffer_with_most(ROOM);

    (void)state;
    for (int i = 0; i < 200; i++)
        buffer_put_text(&text, i % 3 == 0 ? "\xe6\x97\xa5\xe6\x9c\xac" : "word ");
    convert_field(&to, BYTES("Subject"), buffer_bytes(&text));
    struct bytes rest = buffer_bytes(&to), line;
    while (bytes_cut(&rest, '\n', &line))
        assert_true(line.n <= 78);
    assert_true(convert_is_ascii(buffer_bytes(&to)));
    buffer_done(&text);
    buffer_done(&to);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_row), cmocka_unit_test(nothing_is_changed_but_its_form),
        cmocka_unit_test(short_memory_is_said), cmocka_unit_test(words_keep_their_bounds),
        cmocka_unit_test(what_is_signed),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
