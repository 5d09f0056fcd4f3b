/* SPDX-License-Identifier: ISC */
#include "mail/status.h"

#include "base/reader.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct { const char *text, *want; size_t used; } texts[] = {
    { "5.1.1", "5.1.1", 5 },
    { "5.7.25 no PTR", "5.7.25", 6 },
    { "4.999.999", "4.999.999", 9 },
    { "2.0.0)", "2.0.0", 5 },
    { "5.1.1.", "5.1.1", 5 },
    { "5.01.001", "5.1.1", 8 },
    { "3.0.0", NULL, 0 },
    { "5.1", NULL, 0 },
    { "5.1.", NULL, 0 },
    { "5..1", NULL, 0 },
    { "5.1.1000", NULL, 0 },
    { "5.1.1.1", NULL, 0 },
    { "55.1.1", NULL, 0 },
    { "05.1.1", NULL, 0 },
    { " 5.1.1", NULL, 0 },
    { "X.1.1", NULL, 0 },
    { "", NULL, 0 },
};

static void codes_are_read_and_written(void **state)
{
    for (size_t i = 0; i < COUNT(texts); i++) {
        struct status_code code;
        size_t used = 0;
        bool taken = status_parse(bytes_of(texts[i].text), &code, &used);

        if (taken != (texts[i].want != NULL) || used != texts[i].used)
            fail_msg("%s: taken %d, used %zu", texts[i].text, taken, used);
        if (!taken)
            continue;
        struct buffer text = buffer_with_most(64);
        status_put(&text, code);
        if (!bytes_equal(buffer_bytes(&text), bytes_of(texts[i].want)))
            fail_msg("%s: written otherwise", texts[i].text);
        buffer_done(&text);
    }
}

static void names_are_codes(void **state)
{
    struct status_code code = status_of(5, STATUS_REVERSE_DNS_FAILED);

    assert_int_equal(code.class, 5);
    assert_int_equal(code.subject, 7);
    assert_int_equal(code.detail, 25);
    assert_string_equal(status_find(code)->name, "REVERSE_DNS_FAILED");
    assert_null(status_find(STATUS(5, 7, 999)));
    assert_string_equal(status_subject_text(9), "");
    assert_string_equal(status_class_text(3), "");
}

/* The row "X.1.1", "4.X.X" or "X.1.X" of the registry is in our list. */
static bool is_known(const char *code, size_t *details)
{
    unsigned class, subject, detail;

    if (code[0] != 'X')
        return status_class_text((uint8_t)(code[0] - '0'))[0] != '\0';
    const char *dot = strchr(code + 2, '.');
    subject = (unsigned)strtoul(code + 2, NULL, 10);
    if (dot[1] == 'X')
        return status_subject_text((uint16_t)subject)[0] != '\0';
    detail = (unsigned)strtoul(dot + 1, NULL, 10);
    class = 5;
    ++*details;
    return status_find(STATUS((uint8_t)class, (uint16_t)subject, (uint16_t)detail)) != NULL;
}

static void basic_codes_are_found(void **state)
{
    size_t rows = 0;
    uint16_t before = 0;

#define ROW(code, reference, text) \
    assert_ptr_equal(basic_find(code), basic_entry_at(rows++)); \
    assert_true((code) > before && (code) < 600 && text[0] != '\0'); \
    before = code;
    BASIC_LIST(ROW)
#undef ROW
    assert_null(basic_entry_at(rows));
    assert_null(basic_find(299));
    assert_string_equal(basic_find(550)->reference, "RFC 5321, 4.3.2");
    assert_string_equal(basic_find(571)->reference, "");
}

/* Whatever the registry names is in our list. */
static void codes_go_together(void **state)
{
    const struct status_entry *entry;
    const char *at;

    for (size_t i = 0; (entry = status_entry_at(i)) != NULL; i++) {
        for (at = entry->basic; *at != '\0'; at++) {
            if (!is_digit(at[0]) || !is_digit(at[1]) || !is_digit(at[2]))
                continue;
            uint16_t code = (uint16_t)strtoul(at, NULL, 10);
            if (basic_find(code) == NULL || !status_goes_with(entry, code))
                fail_msg("X.%u.%u and %u", entry->subject, entry->detail, code);
            at += 2;
        }
        assert_false(status_goes_with(entry, 999));
        assert_true(entry->title[0] != '\0' && entry->reference[0] != '\0');
    }
    assert_true(status_goes_with(status_find(STATUS(5, 7, 24)), 451));
    assert_true(status_goes_with(status_find(STATUS(5, 7, 24)), 550));
    assert_false(status_goes_with(status_find(STATUS(5, 1, 1)), 55));
}

static FILE *open_codes(const char *name, char *ret_path, size_t n)
{
    const char *shared = getenv("POSTERN_SHARED");

    snprintf(ret_path, n, "%s/codes/%s", shared == NULL ? "../shared" : shared, name);
    return fopen(ret_path, "r");
}

static FILE *open_registry(char *ret_path, size_t n)
{
    return open_codes("enhanced-status-codes.tsv", ret_path, n);
}

static void no_basic_code_is_missing(void **state)
{
    char path[4096], line[4096];
    size_t rows = 0;
    FILE *file = open_codes("basic-reply-codes.tsv", path, sizeof(path));

    assert_non_null(file);
    assert_non_null(fgets(line, sizeof(line), file));
    while (fgets(line, sizeof(line), file) != NULL) {
        if (basic_find((uint16_t)strtoul(line, NULL, 10)) == NULL)
            fail_msg("%.3s is not in basic.def", line);
        rows++;
    }
    fclose(file);
    assert_null(basic_entry_at(rows));
}

static void no_registered_code_is_missing(void **state)
{
    char path[4096], line[4096];
    size_t rows = 0, details = 0;
    FILE *file = open_registry(path, sizeof(path));

    assert_non_null(file);
    assert_non_null(fgets(line, sizeof(line), file));
    while (fgets(line, sizeof(line), file) != NULL) {
        line[strcspn(line, "\t")] = '\0';
        if (!is_known(line, &details))
            fail_msg("%s is not in status.def", line);
        rows++;
    }
    fclose(file);
    assert_null(status_entry_at(details));
    assert_non_null(status_entry_at(details - 1));
    print_message("# %zu rows of the registry, %zu of them details\n", rows, details);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(codes_are_read_and_written),
        cmocka_unit_test(names_are_codes),
        cmocka_unit_test(basic_codes_are_found),
        cmocka_unit_test(codes_go_together),
        cmocka_unit_test(no_registered_code_is_missing),
        cmocka_unit_test(no_basic_code_is_missing),
    };
    char path[4096];
    FILE *registry = open_registry(path, sizeof(path));
    size_t n = COUNT(tests);

    if (registry == NULL) {
        printf("# skipped: %s is absent\n", path);
        n -= 2;
    } else {
        fclose(registry);
    }
    return _cmocka_run_group_tests("status", tests, n, NULL, NULL);
}
