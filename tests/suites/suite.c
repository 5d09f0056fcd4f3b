/* SPDX-License-Identifier: ISC */
#include "tests/suites/suite.h"

#include "base/qp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FILE_MOST = 64 * 1024 * 1024, PATH_MOST = 4096 };

bool suite_read(const char *path, struct buffer *ret_text)
{
    FILE *file = fopen(path, "rb");
    char piece[65536];

    if (file == NULL)
        return false;
    for (size_t n; (n = fread(piece, 1, sizeof(piece), file)) > 0;)
        buffer_put(ret_text, (struct bytes){ piece, n });
    fclose(file);
    return !ret_text->bad;
}

bool suite_path(const struct suite *suite, const char *file, char *ret_path, size_t n)
{
    const char *shared = getenv("POSTERN_SHARED");

    snprintf(ret_path, n, "%s/suites/%s%s%s", shared == NULL ? "../shared" : shared, suite->name,
        file[0] == '\0' ? "" : "/", file);
    FILE *there = fopen(ret_path, "rb");
    if (there == NULL)
        return false;
    fclose(there);
    return true;
}

int suites_absent(void)
{
    struct suite all = { .name = "" };
    char path[PATH_MOST];

    if (suite_path(&all, "", path, sizeof(path)))
        return 0;
    printf("1..0 # SKIP nothing below POSTERN_SHARED/suites\n");
    return 1;
}

static json_t *load(struct bytes text)
{
    json_error_t error;
    json_t *value = json_loadb(text.at, text.n, JSON_ALLOW_NUL | JSON_DECODE_ANY, &error);

    if (value == NULL)
        fail_msg("not JSON: %s", error.text);
    return value;
}

static bool read_file(const struct suite *suite, const char *file, struct buffer *ret_text)
{
    char path[PATH_MOST];

    return suite_path(suite, file, path, sizeof(path)) && suite_read(path, ret_text);
}

bool suite_rows(struct suite *suite, const char *file, void (*row)(struct suite *, const json_t *))
{
    struct buffer text = buffer_with_most(FILE_MOST);
    bool lines = bytes_ends(bytes_of(file), BYTES(".jsonl"));

    if (!read_file(suite, file, &text)) {
        buffer_done(&text);
        return false;
    }
    struct bytes rest = buffer_bytes(&text), line;
    while (bytes_cut(&rest, lines ? '\n' : '\0', &line)) {
        json_t *value = load(line);
        size_t n = lines ? 1 : json_array_size(value);
        for (size_t i = 0; i < n; i++)
            row(suite, lines ? value : json_array_get(value, i));
        json_decref(value);
    }
    buffer_done(&text);
    return true;
}

bool suite_lines(struct suite *suite, const char *file,
                 void (*line)(struct suite *, unsigned, struct bytes))
{
    struct buffer text = buffer_with_most(FILE_MOST);
    bool there = read_file(suite, file, &text);
    struct bytes rest = buffer_bytes(&text), each;

    for (unsigned number = 1; there && bytes_cut(&rest, '\n', &each); number++)
        line(suite, number, each);
    buffer_done(&text);
    return there;
}

static bool is_excepted(const struct suite *suite, const char *id)
{
    struct buffer text = buffer_with_most(FILE_MOST);
    struct bytes line;
    bool found = false;

    if (!suite_read(suite->exceptions, &text))
        fail_msg("%s cannot be read", suite->exceptions);
    struct bytes rest = buffer_bytes(&text);
    while (!found && bytes_cut(&rest, '\n', &line))
        found = bytes_equal(bytes_upto(line, '\t'), bytes_of(id));
    buffer_done(&text);
    return found;
}

void suite_judge(struct suite *suite, const char *id, bool well, const char *detail)
{
    bool excepted = is_excepted(suite, id);

    suite->rows++;
    if (excepted && !well) {
        suite->excepted++;
    } else if (!well || excepted) {
        suite->failed++;
        print_message("# %s: %s%s\n", id, detail, excepted ? " (passes, but is excepted)" : "");
    }
}

const char *suite_word(const json_t *row, const char *name)
{
    const char *word = json_string_value(json_object_get(row, name));

    return word == NULL ? "" : word;
}

static bool put_hex(const char *digits, struct buffer *to)
{
    for (; digits[0] != '\0' && digits[1] != '\0'; digits += 2)
        buffer_put_char(to, (char)(uint8_t)(hex_value(digits[0]) << 4 | hex_value(digits[1])));
    return digits[0] == '\0';
}

bool suite_text(const json_t *value, struct buffer *to)
{
    if (json_is_array(value)) {
        for (size_t i = 0; i < json_array_size(value); i++) {
            const json_t *part = json_array_get(value, i);
            if (!json_is_object(part) || !suite_text(part, to))
                return false;
        }
        return true;
    }
    if (json_is_object(value) && json_object_get(value, "hex") != NULL)
        return put_hex(suite_word(value, "hex"), to);
    if (json_is_object(value))
        value = json_object_get(value, "s");
    if (!json_is_string(value))
        return false;
    buffer_put(to, (struct bytes){ json_string_value(value), json_string_length(value) });
    return true;
}

void suite_end(const struct suite *suite)
{
    print_message("# %s: %u rows, %u excepted, %u not ours, %u failed\n", suite->name, suite->rows,
        suite->excepted, suite->passed_over, suite->failed);
    assert_int_equal(suite->failed, 0);
}
