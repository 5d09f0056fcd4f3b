/* SPDX-License-Identifier: ISC
 *
 * Whole letters of other projects (tests/suites/suite.h): each is read whole, octet by octet and
 * in odd pieces, and must give one tree; where the project wrote down the tree, it must be that
 * one.
 */
#include "mail/mime.h"
#include "mail/scan.h"

#include "tests/suites/suite.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { LETTER_MOST = 64 * 1024 * 1024, PATH_MOST = 4096, NAMES_MOST = 1000 };

static void put_numbers(struct buffer *to, uint64_t depth, uint64_t header_at, uint64_t body_at,
                        uint64_t end)
{
    const uint64_t numbers[] = { depth, header_at, body_at, end };

    for (size_t i = 0; i < COUNT(numbers); i++) {
        buffer_put_uint(to, numbers[i]);
        buffer_put_char(to, i == 3 ? ';' : ',');
    }
}

/* Every part as "depth,header,body,end;", and with `all` its type and flaws, and the header's
   scan. */
static void describe(struct buffer *to, struct bytes text, size_t size, bool all)
{
    struct mime mime;
    struct header_scan scan = header_scan_new();

    assert_true(mime_init(&mime));
    for (struct bytes rest = text; rest.n > 0; rest = bytes_skip(rest, size)) {
        mime_feed(&mime, bytes_first(rest, size));
        header_scan_feed(&scan, bytes_first(rest, size));
    }
    mime_finish(&mime);
    header_scan_finish(&scan);
    for (uint32_t i = 0; i < mime.n; i++) {
        const struct mime_part *part = &mime.parts[i];
        put_numbers(to, part->depth, part->header_at, part->body_at, part->end);
        if (all) {
            buffer_put(to, part->type);
            buffer_put(to, part->subtype);
            buffer_put_uint(to, part->flaws);
        }
    }
    if (all)
        put_numbers(to, scan.reader.flaws, scan.reader.body_at, scan.received, scan.reader.fields);
    mime_done(&mime);
    header_scan_done(&scan);
}

static void judge_letter(struct suite *suite, const char *id, struct bytes text)
{
    static const size_t sizes[] = { 1, 7, 4096 };
    struct buffer whole = buffer_with_most(LETTER_MOST), pieces = buffer_with_most(LETTER_MOST);
    bool same = true;

    describe(&whole, text, text.n + 1, true);
    for (size_t i = 0; i < COUNT(sizes); i++) {
        buffer_clear(&pieces);
        describe(&pieces, text, sizes[i], true);
        same = same && bytes_equal(buffer_bytes(&whole), buffer_bytes(&pieces));
    }
    suite_judge(suite, id, same && !whole.bad, "another tree when it comes in pieces");
    buffer_done(&whole);
    buffer_done(&pieces);
}

/* Every regular file below the folder, in at most three levels of folders. */
static void each_file(struct suite *suite, const char *path, unsigned levels)
{
    DIR *dir = opendir(path);
    struct stat about;
    char name[PATH_MOST];

    for (struct dirent *entry; dir != NULL && (entry = readdir(dir)) != NULL;) {
        if (entry->d_name[0] == '.' || strncmp(entry->d_name, "LICENSE", 7) == 0)
            continue;
        snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);
        if (stat(name, &about) == 0 && S_ISDIR(about.st_mode) && levels > 0) {
            each_file(suite, name, levels - 1);
        } else if (S_ISREG(about.st_mode)) {
            struct buffer text = buffer_with_most(LETTER_MOST);
            assert_true(suite_read(name, &text));
            judge_letter(suite, strstr(name, "mime/"), buffer_bytes(&text));
            buffer_done(&text);
        }
    }
    if (dir != NULL)
        closedir(dir);
}

static void every_letter_has_one_tree(void **state)
{
    struct suite suite = { .name = "mime", .exceptions = SUITE_EXCEPTIONS };
    char path[PATH_MOST];

    if (suite_path(&suite, "", path, sizeof(path)))
        each_file(&suite, path, 4);
    suite_end(&suite);
}

static uint64_t number(const json_t *part, const char *name)
{
    return (uint64_t)json_integer_value(json_object_get(part, name));
}

/* Their parts in the order of ours: a part, then what lies in it. A stack of what is still to
   come. */
struct pending {
    const json_t *parts, *part;
    unsigned depth;
};

static void put_theirs(struct buffer *to, const json_t *letter)
{
    static struct pending stack[NAMES_MOST];
    const json_t *parts = json_object_get(letter, "parts");
    size_t n = 1;

    stack[0] = (struct pending){ parts, json_array_get(parts, 0), 0 };
    while (n > 0) {
        struct pending at = stack[--n];
        const json_t *body = json_object_get(at.part, "body");
        const json_t *inside = json_object_get(body, "Multipart");
        const json_t *message = json_object_get(body, "Message");
        put_numbers(to, at.depth, number(at.part, "offset_header"), number(at.part, "offset_body"),
            number(at.part, "offset_end"));
        for (size_t i = json_array_size(inside); i > 0; i--) {
            size_t index = (size_t)json_integer_value(json_array_get(inside, i - 1));
            assert_true(n < NAMES_MOST);
            stack[n] = (struct pending){ at.parts, NULL, at.depth + 1 };
            stack[n++].part = json_array_get(at.parts, index);
        }
        parts = json_object_get(message, "parts");
        if (parts != NULL)
            stack[n++] = (struct pending){ parts, json_array_get(parts, 0), at.depth + 1 };
    }
}

/* The letters whose offsets they counted: where the end they give is the end of the file. */
static void judge_stalwart(struct suite *suite, const char *path, const char *ending)
{
    struct buffer text = buffer_with_most(LETTER_MOST), ours = buffer_with_most(LETTER_MOST);
    struct buffer theirs = buffer_with_most(LETTER_MOST);
    char other[PATH_MOST];
    json_error_t error;

    snprintf(other, sizeof(other), "%.*s%s", (int)(strlen(path) - strlen(".eml")), path, ending);
    json_t *letter = json_load_file(other, 0, &error);
    const json_t *root = json_array_get(json_object_get(letter, "parts"), 0);
    assert_true(suite_read(path, &text));
    if (root == NULL || number(root, "offset_end") != text.n) {
        suite->passed_over++;
    } else {
        describe(&ours, buffer_bytes(&text), text.n, false);
        put_theirs(&theirs, letter);
        buffer_put_char(&ours, '\0');
        suite_judge(suite, strstr(path, "stalwart"),
            bytes_equal(bytes_first(buffer_bytes(&ours), ours.n - 1), buffer_bytes(&theirs)),
            ours.at);
    }
    json_decref(letter);
    buffer_done(&text);
    buffer_done(&ours);
    buffer_done(&theirs);
}

static void stalwart_offsets(void **state)
{
    static const char *const folders[] = { "rfc", "legacy", "thirdparty", "malformed" };
    struct suite suite = { .name = "mime/stalwart-mail-parser", .exceptions = SUITE_EXCEPTIONS };
    char path[PATH_MOST], file[64];

    for (size_t i = 0; i < COUNT(folders); i++) {
        for (unsigned n = 0; n < 100; n++) {
            snprintf(file, sizeof(file), "eml/%s/%03u.eml", folders[i], n);
            if (!suite_path(&suite, file, path, sizeof(path)))
                continue;
            judge_stalwart(&suite, path, ".json");
            judge_stalwart(&suite, path, ".crlf.json");
        }
    }
    suite_end(&suite);
}

/* Python's tree of the torture test as "depth type;". */
static void put_python(struct buffer *to, const json_t *part, unsigned depth)
{
    const json_t *inside = json_object_get(part, "parts");

    buffer_put_uint(to, depth);
    buffer_put_text(to, suite_word(part, "type"));
    buffer_put_char(to, ';');
    for (size_t i = 0; i < json_array_size(inside) && depth < LIMIT_MIME_DEPTH; i++)
        put_python(to, json_array_get(inside, i), depth + 1);
}

static void crispin_torture(void **state)
{
    struct suite suite = { .name = "mime/crispin-torture", .exceptions = SUITE_EXCEPTIONS };
    struct buffer text = buffer_with_most(LETTER_MOST), ours = buffer_with_most(LETTER_MOST);
    struct buffer theirs = buffer_with_most(LETTER_MOST);
    char path[PATH_MOST];
    json_error_t error;
    struct mime mime;

    /* The text is 1.8 MB; where only its beginning is given, its tree is not that tree. */
    if (suite_path(&suite, "torture-part.eml", path, sizeof(path)) && suite_read(path, &text)
        && text.n > 1024 * 1024) {
        assert_true(suite_path(&suite, "structure-by-python-email.json", path, sizeof(path)));
        json_t *tree = json_load_file(path, 0, &error);
        put_python(&theirs, tree, 0);
        json_decref(tree);
        assert_true(mime_init(&mime));
        mime_feed(&mime, buffer_bytes(&text));
        mime_finish(&mime);
        for (uint32_t i = 0; i < mime.n; i++) {
            buffer_put_uint(&ours, mime.parts[i].depth);
            buffer_put(&ours, mime.parts[i].type);
            buffer_put_char(&ours, '/');
            buffer_put(&ours, mime.parts[i].subtype);
            buffer_put_char(&ours, ';');
        }
        mime_done(&mime);
        suite_judge(&suite, "crispin-torture", bytes_equal(buffer_bytes(&ours),
            buffer_bytes(&theirs)), "another tree");
    } else {
        print_message("# skipped: the torture test is absent, or only its beginning is there\n");
    }
    buffer_done(&text);
    buffer_done(&ours);
    buffer_done(&theirs);
    suite_end(&suite);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_letter_has_one_tree),
        cmocka_unit_test(stalwart_offsets),
        cmocka_unit_test(crispin_torture),
    };

    if (suites_absent())
        return 0;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
