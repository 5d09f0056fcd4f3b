/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "plan/conf.h"

#define WHOLE "host mx.example.org\ndomain example.org\nmailboxes /var/lib/postern/mail\n"

static bool read_text(struct bytes text, struct arena *arena, struct conf *ret_conf,
                      struct buffer *ret_words)
{
    struct conf_flaw flaw;

    *arena = arena_with_ceiling(LIMIT_CONF_MEMORY);
    *ret_words = buffer_with_most(4096);
    if (conf_read(text, BYTES("/etc"), arena, ret_conf, &flaw))
        return true;
    conf_flaw_put(ret_words, BYTES("f"), &flaw);
    return false;
}

static void three_lines_are_a_file(void **state)
{
    struct arena arena;
    struct conf conf;
    struct buffer words;

    assert_true(read_text(BYTES(WHOLE), &arena, &conf, &words));
    assert_true(bytes_equal(conf.host, BYTES("mx.example.org")));
    assert_int_equal(conf.domains.n, 1);
    assert_true(bytes_equal(conf.domains.list[0], BYTES("example.org")));
    assert_true(bytes_equal(conf.mailboxes, BYTES("/var/lib/postern/mail")));
    assert_true(bytes_equal(conf.spool, BYTES("/var/spool/postern")));
    assert_int_equal(conf.listen.n, 1);
    assert_int_equal(conf.size_most, 50 << 20);
    assert_int_equal(conf.idle_ms, 300000);
    assert_true(conf.deliver);
    assert_int_equal(conf.log.n, 0);
    arena_done(&arena);
}

/* What stands behind the three lines, and what the reader says of it; NULL: well. */
static const struct {
    const char *name;
    struct bytes text;
    const char *want;
} cases[] = {
    { "CFG-001 nothing", BYTES_INIT(""), NULL },
    { "comments and blanks", BYTES_INIT("\n  # a comment\n\t\nspool /s # another\n"), NULL },
    { "CRLF", BYTES_INIT("spool /s\r\n\r\n"), NULL },
    { "no final newline", BYTES_INIT("spool /s"), NULL },
    { "Latin-1 in a comment", BYTES_INIT("# caf\xe9\n"), NULL },
    { "quotes", BYTES_INIT("spool \"/a b/\\\"c\\\\\"\n"), NULL },
    { "UTF-8", BYTES_INIT("spool /b\xc3\xbc""cher\n"), NULL },
    { "domain in UTF-8", BYTES_INIT("domain b\xc3\xbc""cher.example\n"), NULL },
    { "domain with full-width dot at its end", BYTES_INIT("domain a\xe3\x80\x82\n"),
      "f:4:8: expected a domain name such as mx.example.org, found \"a\xe3\x80\x82\"" },
    { "domain of a forbidden character", BYTES_INIT("domain \xe2\x98\x83\xe2\x83\xa3.example\n"),
      "f:4:8: expected a domain name such as mx.example.org, "
      "found \"\xe2\x98\x83\xe2\x83\xa3.example\"" },
    { "TLS from the first octet", BYTES_INIT("listen *:25 [::1]:465 tls *:26\n"), NULL },
    { "several on a line", BYTES_INIT("domain a.example b.example\nlisten *:25 [::1]:26\n"), NULL },
    { "unknown word", BYTES_INIT("  hots a\n"),
      "f:4:3: expected a setting, found \"hots\"; did you mean \"host\"?" },
    { "unknown word, far from all", BYTES_INIT("virtual_alias_maps a\n"),
      "f:4:1: expected a setting, found \"virtual_alias_maps\"" },
    { "upper case", BYTES_INIT("SPOOL /s\n"),
      "f:4:1: expected a setting, found \"SPOOL\"; did you mean \"spool\"?" },
    { "quoted setting", BYTES_INIT("\"spool\" /s\n"),
      "f:4:1: expected a setting, found \"\\\"spool\\\"\"; did you mean \"spool\"?" },
    { "twice", BYTES_INIT("host b.example\n"),
      "f:4:1: expected host only once; it stands already in line 1, found \"host\"" },
    { "no value", BYTES_INIT("spool\n"),
      "f:4:6: expected a value after spool, found the end of the line" },
    { "no value but a comment", BYTES_INIT("spool # x\n"),
      "f:4:10: expected a value after spool, found the end of the line" },
    { "two values", BYTES_INIT("spool /a b\n"),
      "f:4:10: expected one value for spool (in quotes when it holds blanks), found \"b\"" },
    { "column in characters", BYTES_INIT("spool /\xc3\xa9 b\n"),
      "f:4:10: expected one value for spool (in quotes when it holds blanks), found \"b\"" },
    { "CFG-005 no macros", BYTES_INIT("spool \"/${a}\"\n"), NULL },
    { "hash in a word", BYTES_INIT("spool /a#b\n"),
      "f:4:9: expected a blank, or quotes around a value that holds this, found \"#\"" },
    { "quote in a word", BYTES_INIT("spool /a\"b\"\n"),
      "f:4:9: expected a blank, or quotes around a value that holds this, found \"\\\"\"" },
    { "open quote", BYTES_INIT("spool \"/a\n"),
      "f:4:10: expected a closing quote before the line ends, found the end of the line" },
    { "text behind a quote", BYTES_INIT("spool \"/a\"b\n"),
      "f:4:11: expected a blank after the closing quote, found \"b\"" },
    { "unknown escape", BYTES_INIT("spool \"/a\\n\"\n"),
      "f:4:10: expected \\\\ or \\\" inside quotes, found \"\\\\n\"" },
    { "escape at the end", BYTES_INIT("spool \"/a\\\n"),
      "f:4:10: expected \\\\ or \\\" inside quotes, found \"\\\\\"" },
    { "empty value", BYTES_INIT("spool \"\"\n"), "f:4:7: expected a path, found \"\\\"\\\"\"" },
    { "NUL", BYTES_INIT("spool /a\0b\n"),
      "f:4:9: expected text without control characters, found \"\\x00\"" },
    { "NUL in a comment", BYTES_INIT("#\0\n"),
      "f:4:2: expected text without control characters, found \"\\x00\"" },
    { "escape character", BYTES_INIT("spool /\x1b[2J\n"),
      "f:4:8: expected text without control characters, found \"\\x1b\"" },
    { "bare CR", BYTES_INIT("spool /a\rb\n"),
      "f:4:9: expected text without control characters, found \"\\x0d\"" },
    { "two CR", BYTES_INIT("spool /a\r\r\n"),
      "f:4:9: expected text without control characters, found \"\\x0d\"" },
    { "Latin-1 in a value", BYTES_INIT("spool /caf\xe9\n"),
      "f:4:11: expected text in UTF-8, found \"\\xe9\"" },
    { "no-break space", BYTES_INIT("spool\xc2\xa0/s\n"),
      "f:4:1: expected a setting, found \"spool\xc2\xa0/s\"" },
    { "right-to-left override", BYTES_INIT("spool /\xe2\x80\xae\n"),
      "f:4:8: expected a character that can be seen, found \"\\xe2\\x80\\xae\"" },
    { "count", BYTES_INIT("jobs 12\n"), NULL },
    { "negative", BYTES_INIT("jobs -1\n"), "f:4:6: expected a number from 1 to 128, found \"-1\"" },
    { "plus", BYTES_INIT("jobs +1\n"), "f:4:6: expected a number from 1 to 128, found \"+1\"" },
    { "overflow", BYTES_INIT("jobs 99999999999999999999\n"),
      "f:4:6: expected a number from 1 to 128, found \"99999999999999999999\"" },
    { "octal", BYTES_INIT("jobs 010\n"), "f:4:6: expected a number from 1 to 128, found \"010\"" },
    { "hexadecimal", BYTES_INIT("jobs 0x10\n"),
      "f:4:6: expected a number from 1 to 128, found \"0x10\"" },
    { "fraction", BYTES_INIT("jobs 1.5\n"),
      "f:4:6: expected a number from 1 to 128, found \"1.5\"" },
    { "too small", BYTES_INIT("jobs 0\n"), "f:4:6: expected a number from 1 to 128, found \"0\"" },
    { "too large", BYTES_INIT("jobs 129\n"),
      "f:4:6: expected a number from 1 to 128, found \"129\"" },
    { "word for number", BYTES_INIT("jobs many\n"),
      "f:4:6: expected a number from 1 to 128, found \"many\"" },
    { "size", BYTES_INIT("size-limit 1G\n"), NULL },
    { "size without unit", BYTES_INIT("size-limit 65536\n"), NULL },
    { "size too small", BYTES_INIT("size-limit 1K\n"),
      "f:4:12: expected a number of octets such as 65536, 64K, 50M or 1G, at least 64K, "
      "found \"1K\"" },
    { "size overflows by its unit", BYTES_INIT("size-limit 18446744073709551615G\n"),
      "f:4:12: expected a number of octets such as 65536, 64K, 50M or 1G, at least 64K, found "
      "\"18446744073709551615G\"" },
    { "span", BYTES_INIT("idle-limit 90s\nretry 1500ms\nhistory-keep 2d\n"), NULL },
    { "span without unit", BYTES_INIT("idle-limit 5\n"),
      "f:4:12: expected a time such as 500ms, 30s, 5m, 2h or 7d from 1s to 1h, found \"5\"" },
    { "doubled unit", BYTES_INIT("history-keep 5dd\n"),
      "f:4:14: expected a time such as 500ms, 30s, 5m, 2h or 7d, at least 1d, found \"5dd\"" },
    { "unit alone", BYTES_INIT("idle-limit m\n"),
      "f:4:12: expected a time such as 500ms, 30s, 5m, 2h or 7d from 1s to 1h, found \"m\"" },
    { "flag", BYTES_INIT("deliver no\n"), NULL },
    { "no flag", BYTES_INIT("deliver true\n"), "f:4:9: expected yes or no, found \"true\"" },
    { "nearly a flag", BYTES_INIT("deliver yess\n"),
      "f:4:9: expected yes or no, found \"yess\"; did you mean \"yes\"?" },
    { "no domain", BYTES_INIT("domain -a.example\n"),
      "f:4:8: expected a domain name such as mx.example.org, found \"-a.example\"" },
    { "domain with final dot", BYTES_INIT("domain a.example.\n"),
      "f:4:8: expected a domain name such as mx.example.org, found \"a.example.\"" },
    { "domain with empty label", BYTES_INIT("domain a..example\n"),
      "f:4:8: expected a domain name such as mx.example.org, found \"a..example\"" },
    { "domain is an address", BYTES_INIT("domain 192.0.2.1\n"),
      "f:4:8: expected a domain name such as mx.example.org, found \"192.0.2.1\"" },
    { "domain is a mailbox", BYTES_INIT("domain a@b.example\n"),
      "f:4:8: expected a domain name such as mx.example.org, found \"a@b.example\"" },
    { "tls of nothing", BYTES_INIT("listen tls\n"),
      "f:4:8: expected ADDRESS:PORT, [IPV6]:PORT or *:PORT, with a port from 1 to 65535, found "
      "\"tls\"" },
    { "no port", BYTES_INIT("listen 192.0.2.1\n"),
      "f:4:8: expected ADDRESS:PORT, [IPV6]:PORT or *:PORT, with a port from 1 to 65535, found "
      "\"192.0.2.1\"" },
    { "port 0", BYTES_INIT("listen *:0\n"),
      "f:4:8: expected ADDRESS:PORT, [IPV6]:PORT or *:PORT, with a port from 1 to 65535, "
      "found \"*:0\"" },
    { "control path too long", BYTES_INIT("control /123456789012345678901234567890"
      "123456789012345678901234567890123456789012345678901234567890123456789012345678\n"),
      "f:4:9: expected a path of at most 107 octets, found \"/12345678901234567890"
      "1234567890123456789012345678901234567890123...\"" },
};

static void says_what_is_wrong(void **state)
{
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct buffer text = buffer_with_most(8192), words;
        struct arena arena;
        struct conf conf;

        buffer_put(&text, BYTES(WHOLE));
        buffer_put(&text, cases[i].text);
        bool read = read_text(buffer_bytes(&text), &arena, &conf, &words);
        buffer_put_char(&words, '\0');
        if (read != (cases[i].want == NULL))
            fail_msg("%s: %s", cases[i].name, words.at);
        if (!read)
            assert_string_equal(words.at, cases[i].want);
        buffer_done(&words);
        buffer_done(&text);
        arena_done(&arena);
    }
}

/* Whole files. */
static const struct {
    const char *name;
    struct bytes text;
    const char *want;
} files[] = {
    { "empty", BYTES_INIT(""), "f: expected a line that sets host" },
    { "no domain", BYTES_INIT("host a.example\nmailboxes /m\n"),
      "f: expected a line that sets domain" },
    { "no mailboxes", BYTES_INIT("host a.example\ndomain a.example\n"),
      "f: expected a line that sets mailboxes, or lmtp for all domains" },
    { "byte order mark", BYTES_INIT("\xEF\xBB\xBF" WHOLE), NULL },
    { "UTF-16", BYTES_INIT("\xFF\xFEh\0o\0s\0t\0"),
      "f:1:4: expected text without control characters, found \"\\x00\"" },
    { "a program", BYTES_INIT("\x7f""ELF\2\1\1"),
      "f:1:5: expected text without control characters, found \"\\x02\"" },
    { "bad host", BYTES_INIT("host mx_1\n"),
      "f:1:6: expected a domain name such as mx.example.org, found \"mx_1\"" },
};

static void judges_whole_files(void **state)
{
    for (size_t i = 0; i < COUNT(files); i++) {
        struct buffer words;
        struct arena arena;
        struct conf conf;
        bool read = read_text(files[i].text, &arena, &conf, &words);

        buffer_put_char(&words, '\0');
        if (read != (files[i].want == NULL) || (!read && strcmp(words.at, files[i].want) != 0))
            fail_msg("%s: %s", files[i].name, words.at);
        buffer_done(&words);
        arena_done(&arena);
    }
}

static void keeps_what_was_given(void **state)
{
    struct arena arena;
    struct conf conf;
    struct buffer words;

    assert_true(read_text(BYTES("host MX.Example.org\ndomain A.example b.example\n"
                                "domain b\xc3\xbc""cher.example\nmailboxes "
                                "\"m/a \\\"b\\\"\"\nlisten *:25\nlisten [::1]:2525\n"
                                "idle-limit 90s\nretry 1500ms\nspace-reserve 0\n"),
                          &arena, &conf, &words));
    assert_true(bytes_equal(conf.host, BYTES("MX.Example.org")));
    assert_true(bytes_equal(conf.host_ascii, BYTES("mx.example.org")));
    assert_int_equal(conf.domains.n, 3);
    assert_true(bytes_equal(conf.domains.list[0], BYTES("A.example")));
    assert_true(bytes_equal(conf.domains_ascii.list[0], BYTES("a.example")));
    assert_true(bytes_equal(conf.domains.list[2], BYTES("b\xc3\xbc""cher.example")));
    assert_true(conf_serves(&conf, BYTES("XN--BCHER-kva.example")));
    assert_false(conf_serves(&conf, BYTES("d.example")));
    assert_true(bytes_equal(conf.mailboxes, BYTES("/etc/m/a \"b\"")));
    assert_int_equal(conf.listen.n, 2);
    assert_int_equal(conf.idle_ms, 90000);
    assert_int_equal(conf.retry.n, 1);
    assert_int_equal(conf.retry.ms[0], 1500);
    assert_int_equal(conf.space_least, 0);
    arena_done(&arena);
}

static const struct {
    const char *text;
    bool read, any;
    uint16_t port;
} listens[] = {
    { "*:25", true, true, 25 },
    { "127.0.0.1:2525", true, false, 2525 },
    { "0.0.0.0:65535", true, false, 65535 },
    { "[::1]:25", true, false, 25 },
    { "[::ffff:192.0.2.1]:25", true, false, 25 },
    { "::1:25", false, false, 0 },
    { "[127.0.0.1]:25", false, false, 0 },
    { "127.0.0.1", false, false, 0 },
    { ":25", false, false, 0 },
    { "*:", false, false, 0 },
    { "*:025", false, false, 0 },
    { "*:65536", false, false, 0 },
    { "*:smtp", false, false, 0 },
    { "localhost:25", false, false, 0 },
    { "[]:25", false, false, 0 },
    { "[::1:25", false, false, 0 },
    { "", false, false, 0 },
};

static void reads_listens(void **state)
{
    for (size_t i = 0; i < COUNT(listens); i++) {
        struct conf_listen listen = { 0 };

        if (conf_listen_parse(bytes_of(listens[i].text), &listen) != listens[i].read
            || listen.any != listens[i].any || listen.at.port != listens[i].port)
            fail_msg("%s", listens[i].text);
    }
}

static const struct {
    const char *text;
    bool read, off;
    const char *path;
} webs[] = {
    { "no", true, true, "" },
    { "unix:/run/postern/web", true, false, "/run/postern/web" },
    { "127.0.0.1:8025", true, false, "" },
    { "127.9.9.9:80", true, false, "" },
    { "[::1]:8025", true, false, "" },
    { "0.0.0.0:80", false, false, "" },
    { "*:80", false, false, "" },
    { "128.0.0.1:80", false, false, "" },
    { "192.0.2.1:80", false, false, "" },
    { "[::]:80", false, false, "" },
    { "[2001:db8::1]:80", false, false, "" },
    { "unix:web", false, false, "" },
    { "example.org=127.0.0.1:80", false, false, "" },
    { "yes", false, false, "" },
    { "", false, false, "" },
};

static void reads_webs(void **state)
{
    for (size_t i = 0; i < COUNT(webs); i++) {
        struct conf_web web = { .off = false, .path = BYTES_NONE };

        if (conf_web_parse(bytes_of(webs[i].text), &web) != webs[i].read || web.off != webs[i].off
            || !bytes_equal(web.path, bytes_of(webs[i].path)))
            fail_msg("%s", webs[i].text);
    }
}

static const struct {
    uint64_t connections, total, fronts, most;
} shares[] = {
    { 2000, 0, 8, 2000 }, { 2000, 4000, 8, 500 }, { 100, 4000, 8, 100 }, { 2000, 3, 8, 1 },
    { 2000, 1000, 0, 1000 }, { 0, 0, 1, LIMIT_CONNECTIONS },
};

static void shares_connections(void **state)
{
    for (size_t i = 0; i < COUNT(shares); i++) {
        struct conf conf = { .connections = shares[i].connections, .fronts = shares[i].fronts,
                             .connections_total = shares[i].total };

        assert_int_equal(conf_connections(&conf), shares[i].most);
    }
}

static void put_lines(struct buffer *text, const char *line, size_t count)
{
    for (size_t i = 0; i < count; i++)
        buffer_put_text(text, line);
}

static void bounds_its_input(void **state)
{
    static const struct { const char *line; size_t count; const char *want; } big[] = {
        { "\n", 1000000, NULL },
        { "domain a.b\n", 95000, NULL },
        { "#23456789012345\n", 65537, "f: expected a file of at most 1 MiB" },
        { "#234567890", 500, "f:4:4097: expected a line of at most 4096 octets, found \"7\"" },
        { "x", 1000000, "f:4:4097: expected a line of at most 4096 octets, found \"x\"" },
    };

    for (size_t i = 0; i < COUNT(big); i++) {
        struct buffer text = buffer_with_most(4 << 20), words;
        struct arena arena;
        struct conf conf;

        buffer_put(&text, BYTES(WHOLE));
        put_lines(&text, big[i].line, big[i].count);
        bool read = read_text(buffer_bytes(&text), &arena, &conf, &words);
        buffer_put_char(&words, '\0');
        if (read != (big[i].want == NULL) || (!read && strcmp(words.at, big[i].want) != 0))
            fail_msg("%zu: %s", i, words.at);
        buffer_done(&words);
        buffer_done(&text);
        arena_done(&arena);
    }
}

/* Short memory is a flaw like any other, at every step. */
static void survives_short_memory(void **state)
{
    bool read = false;

    for (uint64_t at = 1; !read; at++) {
        struct arena arena;
        struct conf conf;
        struct buffer words;
        mem_fail_at(at);
        read = read_text(BYTES(WHOLE "domain a b c d e f g\nspool \"/x y\"\n"), &arena, &conf,
                         &words);
        mem_fail_at(0);
        assert_true(at < 1000);
        buffer_done(&words);
        arena_done(&arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(three_lines_are_a_file),
        cmocka_unit_test(says_what_is_wrong),
        cmocka_unit_test(judges_whole_files),
        cmocka_unit_test(keeps_what_was_given),
        cmocka_unit_test(reads_listens),
        cmocka_unit_test(reads_webs),
        cmocka_unit_test(shares_connections),
        cmocka_unit_test(bounds_its_input),
        cmocka_unit_test(survives_short_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
