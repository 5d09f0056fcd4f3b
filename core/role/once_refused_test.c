/* SPDX-License-Identifier: ISC */
#include "role/once_refused.h"

#include "base/arena.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <string.h>

enum { DAY_MS = 86400 * 1000 };

static const struct {
    const char *words;
    bool well;
    uint64_t since_ms;
} commands[] = {
    { "", true, (uint64_t)7 * DAY_MS }, { "--since 12h", true, DAY_MS / 2 },
    { "--since 2w --json", true, (uint64_t)14 * DAY_MS }, { "log --lang de", true, 7ull * DAY_MS },
    { "--since", false, 0 }, { "--since 7", false, 0 }, { "--since d", false, 0 },
    { "--since 0d", false, 0 }, { "--since 7y", false, 0 }, { "--bogus", false, 0 },
    { "--lang xx", false, 0 }, { "--json --letter", false, 0 },
};

static void test_words(void **state)
{
    for (size_t i = 0; i < COUNT(commands); i++) {
        struct bytes words[8] = { BYTES("refused") }, rest = bytes_of(commands[i].words);
        struct refused_request request = { 0 };
        struct buffer flaw = buffer_with_most(1000);
        size_t n = 1;
        while (bytes_cut(&rest, ' ', &words[n]))
            n++;
        assert_int_equal(once_refused_read(words, n, &request, &flaw), commands[i].well);
        assert_int_equal(flaw.n == 0, commands[i].well);
        if (commands[i].well)
            assert_int_equal(request.since_ms, commands[i].since_ms);
        buffer_done(&flaw);
    }
}

#define AT(day, words) "2026-11-" day "T10:00:00.000Z level=info role=front.0 " words
static const char *const lines[] = {
    AT("21", "event=refused session=1 verb=RCPT text=\"TO:<bob@example.org>\" reply=550 "
       "code=5.1.1"),
    AT("22", "event=refused session=2 verb=RCPT text=\"TO:<Bob@example.org> NOTIFY=NEVER\" "
       "reply=550 code=5.1.1"),
    AT("21", "event=refused session=1 verb=RCPT text=TO:<eve@other.example> reply=550 code=5.7.1"),
    AT("21", "event=letter-refused session=1 size=9 reply=552 code=5.3.4 mail=FROM:<a@b.example> "
       "rcpt=TO:<carol@example.org> rcpt=\"TO:<dave@example.org>\" data=1"),
    /* not for us */
    AT("21", "event=refused session=1 verb=MAIL text=FROM:<x@y.example> reply=550 code=5.1.8"),
    AT("21", "event=letter session=1 size=9 reply=250 code=2.0.0 rcpt=ann@example.org"),
    AT("01", "event=refused session=1 verb=RCPT text=TO:<old@example.org> reply=550 code=5.1.1"),
    AT("29", "event=refused session=1 verb=RCPT text=TO:<new@example.org> reply=550 code=5.1.1"),
    AT("21", "event=refused verb=RCPT text=\"TO:<x"), "", " ", "event=refused",
};

static struct refused *taken(void)
{
    struct refused *refused = mem_new(sizeof(*refused));

    assert_non_null(refused);
    once_refused_begin(refused, 1794700800000, 1795392000000);  /* 15 to 23 November 2026 */
    for (size_t i = 0; i < COUNT(lines); i++)
        once_refused_line(refused, bytes_of(lines[i]));
    return refused;
}

static void check(struct refused_request request, const char *wanted)
{
    struct refused *refused = taken();
    struct buffer out = buffer_with_most(REFUSED_ANSWER_MOST);

    once_refused_put(refused, &request, lang_english(), 1795392000000, BYTES("mx.example.org"),
                     BYTES("root@example.org"), &out);
    buffer_put_char(&out, '\0');
    assert_false(out.bad);
    assert_string_equal(out.at, wanted);
    buffer_done(&out);
    mem_free(refused);
}

#define DENIED "you are not allowed to send this way"
#define TEXT \
    "Between 2026-11-15T00:00:00.000Z and 2026-11-23T00:00:00.000Z\n" \
    "the mail server mx.example.org refused 5 recipients.\n" \
    "\nthere is no such mailbox: 2\n" \
    "       2  bob@example.org  550 5.1.1, last 2026-11-22T10:00:00.000Z\n" \
    "\nthe message is too large: 2\n" \
    "       1  carol@example.org  552 5.3.4, last 2026-11-21T10:00:00.000Z\n" \
    "       1  dave@example.org  552 5.3.4, last 2026-11-21T10:00:00.000Z\n"

static void test_text(void **state)
{
    check((struct refused_request){ 0 }, TEXT
          "\n" DENIED ": 1\n"
          "       1  eve@other.example  550 5.7.1, last 2026-11-21T10:00:00.000Z\n");
}

static void test_letter(void **state)
{
    struct refused *refused = taken();
    struct buffer out = buffer_with_most(REFUSED_ANSWER_MOST);
    struct refused_request request = { .letter = true };

    once_refused_line(refused, BYTES(AT("21", "event=refused verb=RCPT text=a&b@example.org "
                                        "reply=550 code=5.1.1")));
    once_refused_put(refused, &request, lang_english(), 1795392000000, BYTES("mx.example.org"),
                     BYTES("root@example.org"), &out);
    struct bytes all = buffer_bytes(&out);
    assert_true(bytes_begins(all, BYTES(
        "From: Mail server <postmaster@mx.example.org>\nTo: <root@example.org>\n"
        "Date: Mon, 23 Nov 2026 00:00:00 +0000\nSubject: Mail that was refused: 6\n"
        "Auto-Submitted: auto-generated\nMIME-Version: 1.0\n"
        "Content-Type: multipart/alternative; boundary=\"=_refused\"\n"
        "Content-Transfer-Encoding: 8bit\n\n--=_refused\nContent-Type: text/plain")));
    static const char *const parts[] = {
        "\n\nthere is no such mailbox: 3\n       2  bob@example.org  550 5.1.1, last 2026-11-22",
        "\n--=_refused\nContent-Type: text/html; charset=utf-8\n", "<h1>Refused by mx.example.org",
        "<h2>" DENIED "</h2>", "<tr><td>2<td>bob@example.org<td>550 5.1.1<td>2026-11-22T10",
        "<td>a&amp;b@example.org<td>", "</html>\n\n--=_refused--\n",
    };
    for (size_t i = 0; i < COUNT(parts); i++)
        assert_true(bytes_search(all, bytes_of(parts[i])) < all.n);
    buffer_done(&out);
    mem_free(refused);
}

static void test_json(void **state)
{
    struct refused *refused = taken();
    struct buffer out = buffer_with_most(REFUSED_ANSWER_MOST);
    struct refused_request request = { .json = true };

    once_refused_put(refused, &request, lang_english(), 0, BYTES_NONE, BYTES_NONE, &out);
    assert_true(bytes_begins(buffer_bytes(&out), BYTES(
        "{\"recipient\":\"bob@example.org\",\"reply\":550,\"code\":\"5.1.1\","
        "\"category\":\"user-missing\",\"count\":2,\"last\":\"2026-11-22T10:00:00.000Z\"}\n")));
    buffer_done(&out);
    mem_free(refused);
}

/* More recipients than are kept are counted, and long addresses are cut. */
static void test_bounds(void **state)
{
    struct refused *refused = mem_new(sizeof(*refused));
    struct buffer line = buffer_with_most(4096);

    assert_non_null(refused);
    once_refused_begin(refused, 0, 1795392000000);
    for (uint64_t i = 0; i < REFUSED_ROWS + 10; i++) {
        buffer_clear(&line);
        buffer_put_text(&line, AT("21", "event=refused verb=RCPT text=TO:<"));
        buffer_put_uint(&line, i);
        buffer_put_chars(&line, 'x', 1000);
        buffer_put_text(&line, "> reply=550 code=5.1.1");
        once_refused_line(refused, buffer_bytes(&line));
    }
    assert_int_equal(refused->rows_n, REFUSED_ROWS);
    assert_int_equal(refused->count, REFUSED_ROWS + 10);
    assert_int_equal(refused->left_out, 10);
    assert_int_equal(strlen(refused->rows[0].recipient), LIMIT_ADDRESS);
    buffer_done(&line);
    mem_free(refused);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_words), cmocka_unit_test(test_text), cmocka_unit_test(test_letter),
        cmocka_unit_test(test_json), cmocka_unit_test(test_bounds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
