/* SPDX-License-Identifier: ISC */
#include "role/local_int.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define A10 "aaaaaaaaaa"
#define A60 A10 A10 A10 A10 A10 A10
#define E10 "!!!!!!!!!!"
#define E60 E10 E10 E10 E10 E10 E10
#define X10 "%21%21%21%21%21%21%21%21%21%21"
#define X60 X10 X10 X10 X10 X10 X10

/* SRV-049, SRV-063, SRV-064, SRV-065: what strangers write does not lead out of the mail root, and
   no two mailboxes are one by accident. folder NULL: there can be no such mailbox. */
static const struct { const char *address, *folder; } paths[] = {
    { "jo@example.org", "example.org/jo" },
    { "Jo@Example.ORG", "example.org/jo" },
    { "jo.doe+tag_1-x@example.org", "example.org/jo.doe+tag_1-x" },
    { "postmaster", "home.example/postmaster" },
    { "PostMaster", "home.example/postmaster" },
    { "Postmaster@example.org", "example.org/postmaster" },
    { "\"jo\"@example.org", "example.org/jo" },
    { "\"j\\o\"@example.org", "example.org/jo" },
    { "\".\"@example.org", "example.org/%2E" },
    { "\"..\"@example.org", "example.org/%2E%2E" },
    { "\"...\"@example.org", "example.org/%2E%2E%2E" },
    { "\".a.b\"@example.org", "example.org/%2Ea.b" },
    { "\"a.\"@example.org", "example.org/a." },
    { "\"a/b\"@example.org", "example.org/a%2Fb" },
    { "a/b@example.org", "example.org/a%2Fb" },
    { "\"../../etc/passwd\"@example.org", "example.org/%2E%2E%2F..%2Fetc%2Fpasswd" },
    { "\"/\"@example.org", "example.org/%2F" },
    { "\"a\\\\b\"@example.org", "example.org/a%5Cb" },
    { "\"a\\\"b\"@example.org", "example.org/a%22b" },
    { "\"\\\".\\\"\"@example.org", "example.org/%22.%22" },
    { "\"a b\"@example.org", "example.org/a%20b" },
    { "\"a@b\"@example.org", "example.org/a%40b" },
    { "%2E@example.org", "example.org/%252e" },
    { "a%2fb@example.org", "example.org/a%252fb" },
    { "-odf@example.org", "example.org/-odf" },
    { "*@example.org", "example.org/%2A" },
    { "~root@example.org", "example.org/%7Eroot" },
    { "${run{/bin/sh}}@example.org", "example.org/%24%7Brun%7B%2Fbin%2Fsh%7D%7D" },
    { "j\xc3\xb6@example.org", "example.org/j%C3%B6" },
    { "J\xc3\x96@example.org", "example.org/j%C3%96" },
    { "jo@b\xc3\xbc" "cher.example", "xn--bcher-kva.example/jo" },
    { "jo@B\xc3\x9c" "CHER.example", "xn--bcher-kva.example/jo" },
    { "jo@[192.0.2.1]", "%5B192.0.2.1%5D/jo" },
    { "\"\"@example.org", NULL },
    { "jo", NULL },
    { "", NULL },
    { "@example.org", NULL },
    { "jo@", NULL },
    { "jo@..", NULL },
    { "jo@/", NULL },
    { "jo@../..", NULL },
    { "jo\xff@example.org", NULL },
    { A60 "@example.org", "example.org/" A60 },
    { E60 "@example.org", "example.org/" X60 },
};

static void each_address_has_its_folder(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(paths); i++) {
        struct buffer folder = buffer_with_most(LOCAL_FOLDER_MOST);
        bool well = local_folder(bytes_of(paths[i].address), BYTES("home.example"), &folder);
        if (well != (paths[i].folder != NULL)
            || (well && !bytes_equal(buffer_bytes(&folder), bytes_of(paths[i].folder))))
            fail_msg("%s gave %.*s", paths[i].address, (int)folder.n, folder.at);
        buffer_done(&folder);
    }
}

static void a_nul_has_no_folder(void **state)
{
    struct buffer folder = buffer_with_most(LOCAL_FOLDER_MOST);

    (void)state;
    assert_false(local_folder(BYTES("\"a\0b\"@example.org"), BYTES("home.example"), &folder));
    assert_false(local_folder(BYTES("a\0@example.org"), BYTES("home.example"), &folder));
    assert_int_equal(folder.n, 0);
    buffer_done(&folder);
}

/* Nobody may take a shortage for "no such mailbox". */
static void a_shortage_of_memory_says_so(void **state)
{
    bool well = false;

    (void)state;
    for (uint64_t n = 1; n < 20 && !well; n++) {
        struct buffer folder = buffer_with_most(LOCAL_FOLDER_MOST);
        mem_fail_at(n);
        well = local_folder(BYTES("jo@example.org"), BYTES("home.example"), &folder);
        mem_fail_at(0);
        assert_true(well || folder.bad);
        buffer_done(&folder);
    }
    assert_true(well);
}

/* SRV-064: the longest local part fits as %XX too; one longer, or too long a domain, is refused and
   not cut to somebody else's name. */
static void long_names_fit_or_are_refused(void **state)
{
    (void)state;
    for (size_t n = 60; n <= 66; n++) {
        struct buffer address = buffer_with_most(400), folder = buffer_with_most(LOCAL_FOLDER_MOST);
        buffer_put_chars(&address, '!', n);
        buffer_put(&address, BYTES("@example.org"));
        bool well = local_folder(buffer_bytes(&address), BYTES("h.example"), &folder);
        assert_int_equal(well, n <= 64);
        assert_int_equal(folder.n, n <= 64 ? 12 + 3 * n : 0);
        buffer_clear(&address);
        buffer_put(&address, BYTES("jo@"));
        for (size_t i = 0; i < 4 * n; i++)
            buffer_put(&address, i % 4 == 3 ? BYTES(".") : BYTES("a"));
        buffer_put_char(&address, 'a');
        buffer_clear(&folder);
        assert_int_equal(local_folder(buffer_bytes(&address), BYTES("h.example"), &folder),
                         address.n <= LIMIT_ADDRESS && address.n - 3 <= LIMIT_DOMAIN);
        buffer_done(&folder);
        buffer_done(&address);
    }
}

static void lines_are_converted_at_every_split(void **state)
{
    static const struct { struct bytes in, out; } rows[] = {
        { BYTES_INIT("a\r\nb\r\n"), BYTES_INIT("a\nb\n") },
        { BYTES_INIT("\r\n\r\n"), BYTES_INIT("\n\n") },
        { BYTES_INIT("a\rb\r\r\n\r"), BYTES_INIT("a\rb\r\n\r") },
        { BYTES_INIT("a\nb\n\r\n"), BYTES_INIT("a\nb\n\n") },
        { BYTES_INIT("no end"), BYTES_INIT("no end") },
        { BYTES_INIT("\r"), BYTES_INIT("\r") },
        { BYTES_INIT("\r\r\r\n\n\r"), BYTES_INIT("\r\r\n\n\r") },
        { BYTES_INIT(""), BYTES_INIT("") },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        for (size_t a = 0; a <= rows[i].in.n; a++) {
            for (size_t b = a; b <= rows[i].in.n; b++) {
                struct buffer out = buffer_with_most(64);
                struct line_ends ends = { 0 };
                line_ends_put(&ends, bytes_first(rows[i].in, a), &out);
                line_ends_put(&ends, bytes_first(bytes_skip(rows[i].in, a), b - a), &out);
                line_ends_put(&ends, bytes_skip(rows[i].in, b), &out);
                line_ends_finish(&ends, &out);
                assert_true(bytes_equal(buffer_bytes(&out), rows[i].out));
                buffer_done(&out);
            }
        }
    }
}

static int compare(const void *a, const void *b) { return strcmp(a, b); }

/* LDA-010: no chance and no clock is in a name but the letter's id and the recipient's number, so
   that a million deliveries of one second have a million names, whatever our host is called. */
static void names_of_deliveries_never_meet(void **state)
{
    enum { LETTERS = 10000, RECIPIENTS = 100, NAME = 64 };
    static struct job job;
    char (*names)[NAME] = malloc((size_t)LETTERS * RECIPIENTS * sizeof(*names));
    const struct envelope envelope = { .received_ms = 1795000000000,
                                       .host = BYTES("a/b:c\n\0..\xff") };

    (void)state;
    assert_non_null(names);
    for (size_t i = 0; i < (size_t)LETTERS * RECIPIENTS; i++) {
        job.letter = UINT64_C(1795000000000000) + i / RECIPIENTS;
        job.recipient = (uint32_t)(i % RECIPIENTS);
        job_name(&job, &envelope);
        assert_in_range(strlen(job.name), 20, NAME - 1);
        assert_null(strpbrk(job.name, "/:\n\xff"));
        memcpy(names[i], job.name, strlen(job.name) + 1);
    }
    qsort(names, (size_t)LETTERS * RECIPIENTS, sizeof(*names), compare);
    for (size_t i = 1; i < (size_t)LETTERS * RECIPIENTS; i++)
        if (strcmp(names[i - 1], names[i]) == 0)
            fail_msg("twice: %s", names[i]);
    free(names);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_address_has_its_folder),
        cmocka_unit_test(a_nul_has_no_folder),
        cmocka_unit_test(a_shortage_of_memory_says_so),
        cmocka_unit_test(long_names_fit_or_are_refused),
        cmocka_unit_test(lines_are_converted_at_every_split),
        cmocka_unit_test(names_of_deliveries_never_meet),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
