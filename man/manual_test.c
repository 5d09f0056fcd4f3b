/* SPDX-License-Identifier: ISC
 *
 * usage: manual_test FOLDER POSTERN.CONF.5: every setting and every command has its line in the
 * manual.
 */
#include "plan/conf.h"
#include "role/once.h"
#include "seal/pem_words.h"

#include <stdio.h>
#include <string.h>

enum { PAGE_ROOM = 256 * 1024 };

static unsigned tests, failed;

static void check(bool well, const char *what, const char *of)
{
    printf("%s %u - %s %s\n", well ? "ok" : "not ok", ++tests, what, of);
    failed += !well;
}

static const char *read_page(const char *folder, const char *name)
{
    static char page[PAGE_ROOM];
    char path[4096];

    snprintf(path, sizeof(path), "%s%s%s", folder, folder[0] == '\0' ? "" : "/", name);
    FILE *file = fopen(path, "re");
    size_t n = file == NULL ? 0 : fread(page, 1, sizeof(page) - 1, file);
    if (file != NULL)
        fclose(file);
    page[n] = '\0';
    return page;
}

static void check_settings(const char *page)
{
    static const char *const words[] = {
#define C(kind, field, word, preset, least, most, about) word,
        CONF_LIST(C)
#undef C
    };
    char line[200];

    for (size_t i = 0; i < COUNT(words); i++) {
        snprintf(line, sizeof(line), "\n.It Ic %s Ar ", words[i]);
        const char *entry = strstr(page, line);
        /* And something is said of it before the next one. */
        const char *words_of_it = entry == NULL ? NULL : strchr(entry + 1, '\n');
        check(words_of_it != NULL && words_of_it[1] != '.' && words_of_it[1] != '\0',
              "postern.conf(5) tells of", words[i]);
    }
}

static void check_commands(const char *page)
{
    static const char *const words[] = {
        "serve", "check", "queue", "trace", "peers", "tlsrpt", "status", "top", "reload",
        "store check", "store export", "store backup", "code", "doctor", "explain", "page", "key",
        "refused", "send", "verify", "open", "convert", "seal",
    };
    char line[200];

    for (size_t i = 0; i < COUNT(words); i++) {
        snprintf(line, sizeof(line), "\n.Cm %s\n", words[i]);
        check(strstr(page, line) != NULL, "postern(1) tells of", words[i]);
    }
}

/* Every member that the JSON of one row has is named in its page. */
static void check_members(const char *page, const struct buffer *json, const char *of)
{
    struct bytes rest = buffer_bytes(json), piece;
    char name[200];

    while (bytes_cut(&rest, '"', &piece)) {
        if (rest.n == 0 || !bytes_cut(&rest, '"', &piece))
            break;
        if (rest.n == 0 || rest.at[0] != ':')
            continue;
        snprintf(name, sizeof(name), "Ql %.*s", (int)piece.n, piece.at);
        check(strstr(page, name) != NULL, of, name + 3);
    }
}

static void check_json(const char *folder)
{
    static struct once_trace trace = { .style.json = true };
    struct once_queue queue = { .style.json = true };
    struct buffer json = buffer_with_most(65536);
    struct history_event event = { .what = HISTORY_DEFERRED, .begun_ms = 1, .at_ms = 1,
                                   .head = BYTES_NONE, .to = BYTES_NONE, .words = BYTES_NONE };
    static const char empty_head[11 + 6 * 4] = { 1 };

    once_queue_row(&queue, &(struct wire_queue_row){ .letter = 1 }, &json);
    check_members(read_page(folder, "postern-queue.1"), &json, "postern-queue(1) tells of");
    buffer_clear(&json);
    once_trace_event(&trace, &event, &json);
    event.what = HISTORY_ACCEPTED;
    event.head = (struct bytes){ empty_head, sizeof(empty_head) };
    once_trace_event(&trace, &event, &json);
    check_members(read_page(folder, "postern-trace.1"), &json, "postern-trace(1) tells of");
    buffer_clear(&json);
    once_status(&queue.style, STORE_OPEN, &(struct wire_status_is){ 0 },
                &(struct web_figures){ .front_known[0] = true }, &json);
    check_members(read_page(folder, "postern.1"), &json, "postern(1) tells of");
    buffer_clear(&json);
    struct json verdict = json_to(&json);
    pem_put_json(&(struct pem_found){ .verdict = PEM_ALTERED }, &(struct pem_report){ 0 },
                 &verdict);
    check_members(read_page(folder, "postern-pem.1"), &json, "postern-pem(1) tells of");
    buffer_clear(&json);
    struct bytes words[] = { BYTES("code"), BYTES("--json"), BYTES("X.7.7"), BYTES("550") };
    struct buffer flaw = buffer_with_most(1024);
    check(once_code(words, COUNT(words), false, &json, &flaw) == ONCE_WELL, "postern code", "");
    check_members(read_page(folder, "postern-code.1"), &json, "postern-code(1) tells of");
    buffer_done(&flaw);
    buffer_done(&json);
}

int main(int argc, char **argv)
{
    if (argc != 3)
        return 64;
    check_settings(read_page("", argv[2]));
    check_commands(read_page(argv[1], "postern.1"));
    check_json(argv[1]);
    printf("1..%u\n", tests);
    return failed == 0 ? 0 : 1;
}
