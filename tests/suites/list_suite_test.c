/* SPDX-License-Identifier: ISC
 *
 * Other projects' tables of address lists in headers: the addresses, in order, are compared; how a
 * name and its comments are put together is each reader's taste.
 */
#include "mail/list.h"

#include "tests/suites/suite.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

enum { TEXT_MOST = 1 << 20, DEPTH_MOST = 64 };

static void put_ours(struct buffer *to, struct bytes text)
{
    struct list_reader list = list_of(text);
    struct list_item item;

    while (list_next(&list, &item)) {
        buffer_put(to, item.address);
        buffer_put_text(to, item.address.n > 0 ? ";" : "");
    }
    list_done(&list);
}

/* Every "address" in a value, in order: arrays, and objects with "address", "addresses" or
   "group". */
static void put_theirs(struct buffer *to, const json_t *value, unsigned depth)
{
    const char *address = json_string_value(json_object_get(value, "address"));

    for (size_t i = 0; i < json_array_size(value) && depth < DEPTH_MOST; i++)
        put_theirs(to, json_array_get(value, i), depth + 1);
    if (address != NULL && address[0] != '\0') {
        buffer_put_text(to, address);
        buffer_put_char(to, ';');
    }
    if (json_is_object(value) && depth < DEPTH_MOST) {
        put_theirs(to, json_object_get(value, "addresses"), depth + 1);
        put_theirs(to, json_object_get(value, "group"), depth + 1);
    }
}

static void judge_list(struct suite *suite, const char *id, struct bytes text, struct bytes theirs)
{
    struct buffer ours = buffer_with_most(TEXT_MOST);
    char detail[512];

    put_ours(&ours, text);
    snprintf(detail, sizeof(detail), "%.*s, not %.*s", (int)ours.n, ours.at == NULL ? "" : ours.at,
        (int)theirs.n, theirs.at);
    suite_judge(suite, id, bytes_equal(buffer_bytes(&ours), theirs), detail);
    buffer_done(&ours);
}

static unsigned number;

static void stalwart_row(struct suite *suite, const json_t *row)
{
    const json_t *want = json_object_get(row, "expected");
    const json_t *list = json_object_get(want, "List");
    struct bytes text = bytes_of(suite_word(row, "header"));
    struct buffer theirs = buffer_with_most(TEXT_MOST);
    char id[64];

    snprintf(id, sizeof(id), "stalwart/address/%u", number++);
    /* a field ends at an empty line */
    text = bytes_first(text, bytes_search(text, BYTES("\n\n")));
    put_theirs(&theirs, list == NULL ? json_object_get(want, "Group") : list, 0);
    judge_list(suite, id, text, buffer_bytes(&theirs));
    buffer_done(&theirs);
}

static void stalwart(void **state)
{
    struct suite suite = { .name = "addr/stalwart-mail-parser", .exceptions = SUITE_EXCEPTIONS };

    suite_rows(&suite, "address.json", stalwart_row);
    suite_end(&suite);
}

/* The rows that write the whole result down, or the first address and that there is no other. */
static void nodemailer_row(struct suite *suite, const json_t *row)
{
    const json_t *calls = json_object_get(row, "calls"), *expect = json_object_get(row, "expect");
    const json_t *args = json_object_get(json_array_get(calls, 0), "args"), *first = NULL;
    const char *text = json_string_value(json_array_get(args, 0)), *id = suite_word(row, "id");
    bool alone = false;

    for (size_t i = 0; text != NULL && i < json_array_size(expect); i++) {
        const json_t *pair = json_object_get(json_array_get(expect, i), "args");
        const char *what = json_string_value(json_array_get(pair, 0));
        const json_t *want = json_array_get(pair, 1);
        if (what != NULL && strcmp(what, "<r0>") == 0 && json_array_size(calls) == 1) {
            struct buffer theirs = buffer_with_most(TEXT_MOST);
            put_theirs(&theirs, want, 0);
            judge_list(suite, id, bytes_of(text), buffer_bytes(&theirs));
            buffer_done(&theirs);
            return;
        }
        alone = alone || (what != NULL && strcmp(what, "<r0.length>") == 0
                          && json_integer_value(want) == 1);
        if (what != NULL && strcmp(what, "<r0.0.address>") == 0)
            first = want;
    }
    if (!alone || json_array_size(calls) != 1 || !json_is_string(first)) {
        suite->passed_over++;
        return;
    }
    struct buffer theirs = buffer_with_most(TEXT_MOST);
    buffer_put_text(&theirs, json_string_value(first));
    buffer_put_text(&theirs, theirs.n > 0 ? ";" : "");
    judge_list(suite, id, bytes_of(text), buffer_bytes(&theirs));
    buffer_done(&theirs);
}

static void nodemailer(void **state)
{
    struct suite suite = { .name = "addr/nodemailer", .exceptions = SUITE_EXCEPTIONS };

    suite_rows(&suite, "addressparser.jsonl", nodemailer_row);
    suite_end(&suite);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stalwart),
        cmocka_unit_test(nodemailer),
    };

    if (suites_absent())
        return 0;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
