/* SPDX-License-Identifier: ISC
 *
 * Other projects' tables of encoded words, content fields, quoted-printable and dates. Rows about
 * charsets that are not known yet, about writing, or about what is not read here are passed over.
 */
#include "base/qp.h"
#include "mail/charset.h"
#include "mail/content.h"
#include "mail/date.h"
#include "mail/words.h"

#include "tests/suites/suite.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_MOST = 1 << 20 };

static void judge_same(struct suite *suite, const char *id, struct bytes ours, struct bytes theirs)
{
    char detail[512];

    snprintf(detail, sizeof(detail), "'%.*s', not '%.*s'", (int)ours.n, ours.at, (int)theirs.n,
        theirs.at);
    suite_judge(suite, id, bytes_equal(ours, theirs), detail);
}

static bool begins(const char *text, const char *start)
{
    return bytes_begins(bytes_of(text), bytes_of(start));
}

/* A word of a charset we do not know stands in it. */
static bool has_other_charset(struct bytes text)
{
    for (size_t at; (at = bytes_search(text, BYTES("=?"))) < text.n;) {
        text = bytes_skip(text, at + 2);
        struct bytes charset = bytes_upto(bytes_upto(text, '?'), '*');
        if (bytes_find(text, '?') < text.n && charset.n > 0 && !charset_known(charset)
            && charset.n < 20 && bytes_find(charset, ' ') == charset.n)
            return true;
    }
    return false;
}

static void judge_words(struct suite *suite, const char *id, struct bytes text, const char *want)
{
    struct buffer to = buffer_with_most(TEXT_MOST);

    words_put(&to, text);
    if (want == NULL || has_other_charset(text))
        suite->passed_over++;
    else
        judge_same(suite, id, buffer_bytes(&to), bytes_of(want));
    buffer_done(&to);
}

/* calls: [{fn, args: [text]}], expect: [{op: strictEqual, args: ["<r0>", want]}] or
   [{on: "<r0>", ops: [to, equal, {args: [want]}]}] with either side first. */
static void words_call(struct suite *suite, const json_t *row)
{
    const json_t *call = json_array_get(json_object_get(row, "calls"), 0);
    const json_t *expect = json_array_get(json_object_get(row, "expect"), 0);
    const json_t *args = json_object_get(expect, "args");
    const char *fn = suite_word(call, "fn");
    const char *text = json_string_value(json_array_get(json_object_get(call, "args"), 0));
    const char *want = json_string_value(json_array_get(args, 1));

    if (args == NULL) {
        const json_t *equal = json_array_get(json_object_get(expect, "ops"), 2);
        want = json_string_value(json_array_get(json_object_get(equal, "args"), 0));
        if (want != NULL && strcmp(want, "<r0>") == 0)
            want = suite_word(expect, "on");
    }
    if (!begins(fn + strcspn(fn, "d"), "de") || strstr(fn, "decodeWords") == NULL || text == NULL)
        suite->passed_over++;
    else
        judge_words(suite, suite_word(row, "id"), bytes_of(text), want);
}

static void libmime_words(void **state)
{
    struct suite suite = { .name = "mime/libmime", .exceptions = SUITE_EXCEPTIONS };

    suite_rows(&suite, "libmime.jsonl", words_call);
    suite_end(&suite);
}

static void postal_words(void **state)
{
    struct suite suite = { .name = "mime/postal-mime", .exceptions = SUITE_EXCEPTIONS };

    suite_rows(&suite, "decode-strings.jsonl", words_call);
    suite_end(&suite);
}

static unsigned unstructured_number;

static void unstructured_row(struct suite *suite, const json_t *row)
{
    char id[64];
    struct bytes text = bytes_trim(bytes_of(suite_word(row, "header")));

    snprintf(id, sizeof(id), "stalwart/unstructured/%u", unstructured_number++);
    judge_words(suite, id, text, suite_word(row, "expected"));
}

static void python_row(struct suite *suite, const json_t *row)
{
    const char *id = suite_word(row, "id");
    const json_t *args = json_object_get(row, "args");
    const char *text = json_string_value(json_array_get(args, 0));
    const char *want = json_string_value(json_array_get(args, 1));

    if (text == NULL || (!begins(id, "py/TestUnstructuredHeader")
                         && !begins(id, "py/_encoded_words/TestDecode.")))
        suite->passed_over++;
    else
        judge_words(suite, id, bytes_of(text), want);
}

static struct buffer previous;

/* Rows of an even number are texts, and the next odd one is what the text before it means. */
static void dovecot_row(struct suite *suite, const json_t *row)
{
    struct buffer text = buffer_with_most(TEXT_MOST), to = buffer_with_most(TEXT_MOST);
    json_int_t number = json_integer_value(json_object_get(row, "row"));
    static json_int_t last = -1;

    if (!suite_text(json_array_get(json_object_get(row, "args"), 0), &text)) {
        suite->passed_over++;
    } else if (number % 2 == 1 && number == last + 1 && number >= 7) {
        buffer_put_char(&text, '\0');
        judge_words(suite, suite_word(row, "id"), buffer_bytes(&previous), text.at);
    }
    last = number;
    buffer_clear(&previous);
    buffer_put(&previous, buffer_bytes(&text));
    buffer_done(&text);
    buffer_done(&to);
}

static void other_words(void **state)
{
    struct suite stalwart = { .name = "mime/stalwart-mail-parser", .exceptions = SUITE_EXCEPTIONS };
    struct suite python = { .name = "mime/python-email", .exceptions = SUITE_EXCEPTIONS };
    struct suite dovecot = { .name = "mime/dovecot", .exceptions = SUITE_EXCEPTIONS };

    suite_rows(&stalwart, "unstructured.json", unstructured_row);
    suite_end(&stalwart);
    suite_rows(&python, "headerregistry.jsonl", python_row);
    suite_rows(&python, "header-value-parser.jsonl", python_row);
    suite_end(&python);
    previous = buffer_with_most(TEXT_MOST);
    suite_rows(&dovecot, "message-header-decode.jsonl", dovecot_row);
    buffer_done(&previous);
    suite_end(&dovecot);
}

static bool parameter_is(const struct content *content, const char *name, const char *want)
{
    struct buffer to = buffer_with_most(TEXT_MOST);
    unsigned flaws = 0;
    bool there = content_parameter(content, name, &to, &flaws);
    bool same = there && bytes_equal(buffer_bytes(&to), bytes_of(want == NULL ? "" : want));

    buffer_done(&to);
    return same;
}

static bool type_is(struct bytes ours, const json_t *theirs)
{
    return bytes_equal_nocase(ours, json_is_string(theirs)
        ? bytes_of(json_string_value(theirs)) : BYTES_NONE);
}

static unsigned content_number;

static void stalwart_content(struct suite *suite, const json_t *row)
{
    struct content content = content_parse(bytes_of(suite_word(row, "header")));
    const json_t *want = json_object_get(row, "expected");
    const json_t *attributes = json_object_get(want, "attributes");
    bool same = type_is(content.type, json_object_get(want, "c_type"))
             && type_is(content.subtype, json_object_get(want, "c_subtype"));
    char id[64];

    snprintf(id, sizeof(id), "stalwart/content_type/%u", content_number++);
    for (size_t i = 0; i < json_array_size(attributes); i++) {
        const json_t *pair = json_array_get(attributes, i);
        const char *name = json_string_value(json_array_get(pair, 0));
        if (strstr(name, "-language") == NULL)
            same = same && parameter_is(&content, name,
                json_string_value(json_array_get(pair, 1)));
    }
    suite_judge(suite, id, same, suite_word(row, "header"));
}

static void python_content(struct suite *suite, const json_t *row)
{
    const char *id = suite_word(row, "id"), *key;
    json_t *args = json_object_get(row, "args"), *value;
    const char *text = json_string_value(json_array_get(args, 0));
    json_t *parameters = json_array_get(args, 4);

    if (!begins(id, "py/TestContentTypeHeader") || text == NULL) {
        suite->passed_over++;
        return;
    }
    struct content content = content_parse(bytes_of(text));
    bool bad = (content.flaws & CONTENT_BAD_TYPE) != 0;
    bool same = bad ? strcmp(json_string_value(json_array_get(args, 1)), "text/plain") == 0
        : type_is(content.type, json_array_get(args, 2))
          && type_is(content.subtype, json_array_get(args, 3));
    json_object_foreach(parameters, key, value)
        same = same && parameter_is(&content, key, json_string_value(value));
    suite_judge(suite, id, same, text);
}

static void content_fields(void **state)
{
    struct suite stalwart = { .name = "mime/stalwart-mail-parser", .exceptions = SUITE_EXCEPTIONS };
    struct suite python = { .name = "mime/python-email", .exceptions = SUITE_EXCEPTIONS };

    suite_rows(&stalwart, "content_type.json", stalwart_content);
    suite_end(&stalwart);
    suite_rows(&python, "headerregistry.jsonl", python_content);
    suite_end(&python);
}

/* Their decoder makes CRLF of every line end, ours leaves them: CR is set aside. */
static void put_without_cr(struct buffer *to, struct bytes text)
{
    for (size_t i = 0; i < text.n; i++) {
        if (text.at[i] != '\r')
            buffer_put_char(to, text.at[i]);
    }
}

static void qp_row(struct suite *suite, const json_t *row)
{
    const json_t *args = json_object_get(row, "args");
    struct buffer text = buffer_with_most(TEXT_MOST), want = buffer_with_most(TEXT_MOST);
    struct buffer to = buffer_with_most(TEXT_MOST), ours = buffer_with_most(TEXT_MOST);
    struct buffer theirs = buffer_with_most(TEXT_MOST);
    struct qp_decoder decoder = { .held_n = 0 };

    if (!suite_text(json_array_get(args, 0), &text)
        || !suite_text(json_array_get(args, 1), &want)) {
        suite->passed_over++;
    } else {
        qp_decode(&decoder, buffer_bytes(&text), &to);
        qp_decode_end(&decoder, &to);
        put_without_cr(&ours, buffer_bytes(&to));
        put_without_cr(&theirs, buffer_bytes(&want));
        judge_same(suite, suite_word(row, "id"), buffer_bytes(&ours), buffer_bytes(&theirs));
    }
    buffer_done(&text);
    buffer_done(&want);
    buffer_done(&to);
    buffer_done(&ours);
    buffer_done(&theirs);
}

/* A whole letter; <r1.text.trim()> is its body decoded. */
static void postal_qp_row(struct suite *suite, const json_t *row)
{
    const json_t *call = json_array_get(json_object_get(row, "calls"), 1);
    const json_t *expect = json_array_get(json_object_get(row, "expect"), 0);
    const json_t *args = json_object_get(expect, "args");
    const char *letter = json_string_value(json_array_get(json_object_get(call, "args"), 0));
    const char *want = json_string_value(json_array_get(args, 1));
    struct qp_decoder decoder = { .held_n = 0 };
    struct buffer to = buffer_with_most(TEXT_MOST);

    if (letter == NULL || want == NULL || strstr(letter, "flowed") != NULL
        || strcmp(json_string_value(json_array_get(args, 0)), "<r1.text.trim()>") != 0) {
        suite->passed_over++;
    } else {
        struct bytes text = bytes_of(letter);
        qp_decode(&decoder, bytes_skip(text, bytes_search(text, BYTES("\n\n")) + 2), &to);
        qp_decode_end(&decoder, &to);
        judge_same(suite, suite_word(row, "id"), bytes_trim(buffer_bytes(&to)), bytes_of(want));
    }
    buffer_done(&to);
}

static void quoted_printable(void **state)
{
    struct suite dovecot = { .name = "mime/dovecot", .exceptions = SUITE_EXCEPTIONS };
    struct suite postal = { .name = "mime/postal-mime", .exceptions = SUITE_EXCEPTIONS };

    suite_rows(&dovecot, "qp-decoder.jsonl", qp_row);
    suite_end(&dovecot);
    suite_rows(&postal, "qp-decoder.jsonl", postal_qp_row);
    suite_end(&postal);
}

static unsigned date_number;

static int64_t member(const json_t *object, const char *name)
{
    return json_integer_value(json_object_get(object, name));
}

static void stalwart_date(struct suite *suite, const json_t *row)
{
    const json_t *want = json_object_get(row, "expected");
    struct date date = { 0 };
    bool taken = date_parse(bytes_of(suite_word(row, "header")), &date);
    int64_t zone = member(want, "tz_hour") * 60 + member(want, "tz_minute");
    char id[64];

    snprintf(id, sizeof(id), "stalwart/date/%u", date_number++);
    if (json_is_true(json_object_get(want, "tz_before_gmt")))
        zone = -zone;
    int64_t seconds = date_days(member(want, "year"), (unsigned)member(want, "month"),
        (unsigned)member(want, "day")) * 86400 + member(want, "hour") * 3600
        + member(want, "minute") * 60 + member(want, "second") - zone * 60;
    suite_judge(suite, id, json_is_null(want) ? !taken
        : taken && date.seconds == seconds && date.zone_minutes == zone, suite_word(row, "header"));
}

static void dovecot_date(struct suite *suite, const json_t *row)
{
    const json_t *args = json_object_get(row, "args");
    const char *text = json_string_value(json_array_get(args, 0));
    long long seconds = strtoll(json_string_value(json_array_get(args, 1)), NULL, 10);
    bool valid = strcmp(json_string_value(json_array_get(args, 3)), "TRUE") == 0;
    struct date date = { 0 };
    bool taken = date_parse(bytes_of(text), &date);

    suite_judge(suite, suite_word(row, "id"), taken == valid && (!taken || date.seconds == seconds),
        text);
}

static void dates(void **state)
{
    struct suite stalwart = { .name = "mime/stalwart-mail-parser", .exceptions = SUITE_EXCEPTIONS };
    struct suite dovecot = { .name = "mime/dovecot", .exceptions = SUITE_EXCEPTIONS };

    suite_rows(&stalwart, "date.json", stalwart_date);
    suite_end(&stalwart);
    suite_rows(&dovecot, "message-date.jsonl", dovecot_date);
    suite_end(&dovecot);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(libmime_words),
        cmocka_unit_test(postal_words),
        cmocka_unit_test(other_words),
        cmocka_unit_test(content_fields),
        cmocka_unit_test(quoted_printable),
        cmocka_unit_test(dates),
    };

    if (suites_absent())
        return 0;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
