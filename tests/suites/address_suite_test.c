/* SPDX-License-Identifier: ISC
 *
 * Other projects' tables of addresses and domains, as an envelope has to take them
 * (tests/suites/suite.h). What a header may say beyond that (comments, folding, lists) is refused
 * here on purpose.
 */
#include "mail/address.h"
#include "mail/domain.h"

#include "tests/suites/suite.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#define SUITE(folder) { .name = "addr/" folder, .exceptions = SUITE_EXCEPTIONS }

static bool takes(struct bytes text, bool utf8)
{
    struct address address;

    return address_parse(text, utf8, &address, NULL);
}

static void judge(struct suite *suite, const char *id, struct bytes text, bool utf8, bool want)
{
    char detail[512];
    bool taken = takes(text, utf8);

    snprintf(detail, sizeof(detail), "%s %.*s", taken ? "took" : "refused", (int)text.n, text.at);
    suite_judge(suite, id, taken == want, detail);
}

static bool begins(const char *text, const char *start)
{
    return bytes_begins(bytes_of(text), bytes_of(start));
}

/* Valid by grammar; warnings about DNS are not about the grammar. */
static bool isemail_wants(const char *diagnosis)
{
    return strcmp(diagnosis, "ISEMAIL_VALID") == 0 || begins(diagnosis, "ISEMAIL_DNSWARN")
        || strcmp(diagnosis, "ISEMAIL_RFC5321_ADDRESSLITERAL") == 0
        || strcmp(diagnosis, "ISEMAIL_RFC5321_QUOTEDSTRING") == 0
        || strcmp(diagnosis, "ISEMAIL_RFC5321_TLD") == 0
        || strcmp(diagnosis, "ISEMAIL_RFC5321_TLDNUMERIC") == 0;
}

static void isemail_row(struct suite *suite, const json_t *row)
{
    struct buffer text = buffer_with_most(65536);

    if (suite_text(json_object_get(row, "address"), &text))
        judge(suite, suite_word(row, "id"), buffer_bytes(&text), false,
            isemail_wants(suite_word(row, "diagnosis")));
    buffer_done(&text);
}

static void isemail(void **state)
{
    struct suite suite = SUITE("isemail");

    suite_rows(&suite, "tests.jsonl", isemail_row);
    suite_rows(&suite, "tests-original.jsonl", isemail_row);
    suite_end(&suite);
}

static void validator_row(struct suite *suite, const json_t *row)
{
    const char *test = suite_word(row, "test"), *id = suite_word(row, "id");
    const json_t *args = json_object_get(row, "args");
    const json_t *first = json_is_array(args) ? json_array_get(args, 0) : args;
    struct buffer text = buffer_with_most(65536);

    if (!suite_text(first, &text))
        fail_msg("%s cannot be read", id);
    bool unsafe = strcmp(test, "test_email_unsafe_character") == 0;
    if (unsafe)
        buffer_put_text(&text, "test@example.org");
    if (strcmp(test, "test_pyisemail_tests") == 0)
        judge(suite, id, buffer_bytes(&text), false,
            isemail_wants(json_string_value(json_array_get(args, 1))));
    else
        judge(suite, id, buffer_bytes(&text),
            strcmp(test, "test_email_invalid_character_smtputf8_off") != 0,
            begins(test, "test_email_valid")
            || strcmp(test, "test_email_invalid_reserved_domain") == 0);
    buffer_done(&text);
}

static void email_validator(void **state)
{
    struct suite suite = SUITE("email-validator");

    suite_rows(&suite, "cases.jsonl", validator_row);
    suite_end(&suite);
}

static bool path_taken(struct bytes text, bool utf8)
{
    struct address address;
    size_t used;

    return address_parse_path(text, utf8, &address, &used, NULL) && used == text.n;
}

/* Rows with flags are about leniencies that nobody asked of an SMTP server. */
static void dovecot_row(struct suite *suite, const json_t *row)
{
    const char *table = suite_word(row, "table"), *id = suite_word(row, "id");
    const json_t *args = json_object_get(row, "args");
    bool mailbox = strstr(table, "mailbox_parse") != NULL;
    bool path = strstr(table, "path_parse") != NULL, valid = begins(table, "valid");
    bool utf8 = valid || strstr(suite_word(args, "flags"), "UTF8") != NULL;
    struct buffer text = buffer_with_most(65536);

    if ((!mailbox && !path) || (valid && json_object_get(args, "flags") != NULL)
        || !suite_text(json_object_get(args, "input"), &text)) {
        suite->passed_over++;
        buffer_done(&text);
        return;
    }
    bool taken = mailbox ? takes(buffer_bytes(&text), utf8)
                         : path_taken(buffer_bytes(&text), utf8);
    suite_judge(suite, id, taken == valid, taken ? "took it" : "refused it");
    buffer_done(&text);
}

static void dovecot(void **state)
{
    struct suite suite = SUITE("dovecot");

    suite_rows(&suite, "smtp-address.jsonl", dovecot_row);
    suite_end(&suite);
}

static void flanker_line(struct suite *suite, unsigned number, struct bytes line, const char *file,
                         bool want, bool local_only)
{
    char id[64];
    struct buffer text = buffer_with_most(65536);
    size_t comment = bytes_search(line, BYTES("  #"));

    if (line.n == 0 || line.at[0] == '#')
        return;
    snprintf(id, sizeof(id), "flanker/%s:%u", file, number);
    buffer_put(&text, bytes_trim(bytes_first(line, comment)));
    if (local_only)
        buffer_put_text(&text, "@example.org");
    judge(suite, id, buffer_bytes(&text), true, want);
    buffer_done(&text);
}

static void flanker_valid(struct suite *suite, unsigned number, struct bytes line)
{
    flanker_line(suite, number, line, "mailbox_valid", true, false);
}

static void flanker_invalid(struct suite *suite, unsigned number, struct bytes line)
{
    flanker_line(suite, number, line, "mailbox_invalid", false, false);
}

static void flanker_local_valid(struct suite *suite, unsigned number, struct bytes line)
{
    flanker_line(suite, number, line, "localpart_valid", true, true);
}

static void flanker_local_invalid(struct suite *suite, unsigned number, struct bytes line)
{
    flanker_line(suite, number, line, "localpart_invalid", false, true);
}

static void flanker(void **state)
{
    struct suite suite = SUITE("flanker");

    suite_lines(&suite, "mailbox_valid.txt", flanker_valid);
    suite_lines(&suite, "mailbox_invalid.txt", flanker_invalid);
    suite_lines(&suite, "abridged_localpart_valid.txt", flanker_local_valid);
    suite_lines(&suite, "abridged_localpart_invalid.txt", flanker_local_invalid);
    suite_end(&suite);
}

/* Does the domain become that A-label form ("" : is it refused)? */
static bool becomes(struct bytes domain, struct bytes ascii)
{
    struct buffer to = buffer_with_most(1024);
    bool taken = domain_to_ascii(domain, &to);
    bool same = taken ? bytes_equal_nocase(buffer_bytes(&to), ascii) : ascii.n == 0;

    buffer_done(&to);
    return same;
}

/* The first argument allows underscores, which a mail domain has none of. */
static void mox_domain(struct suite *suite, const char *id, const json_t *args)
{
    const json_t *ascii = json_array_get(json_array_get(json_array_get(args, 2), 1), 0);
    struct buffer text = buffer_with_most(65536);
    struct address address;

    buffer_put_text(&text, "a@");
    if (!suite_text(json_array_get(args, 1), &text)
        || strcmp(json_string_value(json_array_get(args, 0)), "false") != 0) {
        suite->passed_over++;
    } else {
        bool taken = address_parse(buffer_bytes(&text), true, &address, NULL);
        suite_judge(suite, id, json_is_string(ascii)
            ? taken && becomes(address.domain, bytes_of(json_string_value(ascii))) : !taken,
            taken ? "took it" : "refused it");
    }
    buffer_done(&text);
}

static void mox_row(struct suite *suite, const json_t *row)
{
    const char *fn = suite_word(row, "fn"), *id = suite_word(row, "id");
    const json_t *args = json_object_get(row, "args");
    struct buffer text = buffer_with_most(65536);
    bool good = strcmp(suite_word(row, "call"), "good") == 0;

    if (strcmp(fn, "TestParseDomain") == 0) {
        mox_domain(suite, id, args);
    } else if (strcmp(fn, "TestFrom") == 0 || !suite_text(json_array_get(args, 0), &text)) {
        suite->passed_over++;
    } else {
        if (strcmp(fn, "TestParseLocalpart") == 0)
            buffer_put_text(&text, "@example.org");
        judge(suite, id, buffer_bytes(&text), true, good);
    }
    buffer_done(&text);
}

static void mox(void **state)
{
    struct suite suite = SUITE("mox");

    suite_rows(&suite, "vectors.jsonl", mox_row);
    suite_end(&suite);
}

/* Two texts that chasquid makes one: equal here too, where we do not hold case to be nothing. */
static void chasquid_row(struct suite *suite, const json_t *row)
{
    const char *fn = suite_word(row, "fn"), *id = suite_word(row, "id");
    const json_t *args = json_object_get(row, "args");
    const char *first = json_string_value(json_array_get(args, 0));
    const char *second = json_string_value(json_array_get(args, 1));
    struct bytes one = bytes_of(first == NULL ? "" : first);
    struct bytes other = bytes_of(second == NULL ? "" : second);
    struct address a, b;

    if (strcmp(fn, "TestDomain") == 0) {
        suite_judge(suite, id, domain_equal(one, other), "not the same domain");
    } else if (strcmp(fn, "TestSplit") == 0) {
        suite_judge(suite, id, address_parse(one, true, &a, NULL) && bytes_equal(a.local, other),
            "split elsewhere");
    } else if ((strcmp(fn, "TestAddr") == 0 || strcmp(fn, "TestDomainToUnicode") == 0)
               && address_parse(one, true, &a, NULL) && address_parse(other, true, &b, NULL)
               && a.local.at[0] >= 'a') {
        suite_judge(suite, id, address_equal(a, b), "not the same address");
    } else {
        suite->passed_over++;
    }
}

static void chasquid(void **state)
{
    struct suite suite = SUITE("chasquid");

    suite_rows(&suite, "vectors.jsonl", chasquid_row);
    suite_end(&suite);
}

/* new Address("<...>") of an envelope path; rows without brackets are a leniency of theirs. */
static void haraka_row(struct suite *suite, const json_t *row)
{
    const json_t *calls = json_object_get(row, "calls"), *expect = json_object_get(row, "expect");
    const json_t *args = json_object_get(json_array_get(calls, 0), "args");
    const char *path = json_string_value(json_array_get(args, 0));
    const char *fn = suite_word(json_array_get(calls, 0), "fn");
    bool throws = begins(suite_word(json_array_get(expect, 0), "op"), "throws");

    if (path == NULL || path[0] != '<' || strcmp(fn, "new index.Address") != 0) {
        suite->passed_over++;
        return;
    }
    suite_judge(suite, suite_word(row, "id"), path_taken(bytes_of(path), true) == !throws, path);
}

static void haraka(void **state)
{
    struct suite suite = SUITE("haraka");

    suite_rows(&suite, "address-rfc2821.jsonl", haraka_row);
    suite_end(&suite);
}

static void uasg_domain(struct suite *suite, const json_t *row)
{
    suite_judge(suite, suite_word(row, "id"), becomes(bytes_of(suite_word(row, "domain")),
        bytes_of(suite_word(row, "alabel"))), suite_word(row, "domain"));
}

static void uasg_address(struct suite *suite, const json_t *row)
{
    struct address address;
    bool taken = address_parse(bytes_of(suite_word(row, "address")), true, &address, NULL);

    suite_judge(suite, suite_word(row, "id"), taken && becomes(address.domain,
        bytes_of(suite_word(row, "domain_alabel"))), suite_word(row, "address"));
}

static void uasg004(void **state)
{
    struct suite suite = SUITE("uasg004");

    suite_rows(&suite, "domains.jsonl", uasg_domain);
    suite_rows(&suite, "addresses.jsonl", uasg_address);
    suite_end(&suite);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(isemail),
        cmocka_unit_test(email_validator),
        cmocka_unit_test(dovecot),
        cmocka_unit_test(flanker),
        cmocka_unit_test(mox),
        cmocka_unit_test(chasquid),
        cmocka_unit_test(haraka),
        cmocka_unit_test(uasg004),
    };

    if (suites_absent())
        return 0;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
