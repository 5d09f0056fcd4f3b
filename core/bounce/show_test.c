/* SPDX-License-Identifier: ISC
 *
 * Reads names of files on stdin and prints what the reader makes of each, one line of JSON a file:
 * for corpus.py, which compares. With --texts each line of stdin is itself a reply to explain.
 */
#include "bounce/read.h"

#include "base/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FILE_MOST = 64 * 1024 * 1024 };

static void put_code(struct json *json, struct status_code code)
{
    struct buffer text = buffer_with_most(32);

    if (code.class != 0)
        status_put(&text, code);
    json_put_text(json, "status", buffer_bytes(&text));
    buffer_done(&text);
}

static void put_recipient(struct json *json, const struct bounce_recipient *out)
{
    struct bytes category = bytes_of(cause_category_name(out->cause.category));

    json_put_object(json);
    json_put_text(json, "recipient", out->recipient);
    json_put_text(json, "original_recipient", out->original_recipient);
    json_put_text(json, "action", bytes_of(bounce_action_name(out->action)));
    put_code(json, out->status);
    json_put_uint(json, "reply_code", out->reply_code);
    json_put_text(json, "command", bytes_of(bounce_command_name(out->command)));
    json_put_text(json, "category", category);
    json_put_uint(json, "over", out->cause.over);
    json_put_uint(json, "retry_would_help", out->cause.retry_would_help);
    json_put_text(json, "who", bytes_of(cause_who_name(out->cause.who)));
    json_put_uint(json, "address_bad", out->cause.address_bad);
    json_put_text(json, "remote_mta", out->remote_mta);
    json_put_text(json, "diagnostic", out->diagnostic);
    json_put_uint(json, "confidence", out->confidence);
    json_put_uint(json, "rule", out->evidence_n > 0 ? out->evidence[0].rule : 0);
    json_put_text(json, "evidence", out->evidence_n > 0 ? out->evidence[0].text : BYTES_NONE);
    json_put_object_end(json);
}

static void put_report(const struct bounce_report *report, const char *name)
{
    struct buffer to = buffer_with_most(FILE_MOST);
    struct json json = json_to(&to);

    json_put_object(&json);
    json_put_text(&json, "file", bytes_of(name));
    json_put_text(&json, "kind", bytes_of(bounce_kind_name(report->kind)));
    json_put_uint(&json, "all", report->recipients_all);
    json_put_text(&json, "message_id", report->message_id);
    json_put_text(&json, "subject", report->subject);
    json_put_text(&json, "language", report->language);
    json_key(&json, "recipients");
    json_put_array(&json);
    for (uint32_t i = 0; i < report->recipients_n; i++)
        put_recipient(&json, &report->recipients[i]);
    json_put_array_end(&json);
    json_put_object_end(&json);
    json_line_end(&json);
    fwrite(to.at, 1, to.n, stdout);
    buffer_done(&to);
}

static char *file_read(const char *name, size_t *ret_n)
{
    FILE *file = fopen(name, "rb");
    char *text = NULL;

    if (file == NULL)
        return NULL;
    if (fseek(file, 0, SEEK_END) == 0) {
        long n = ftell(file);
        rewind(file);
        text = malloc((size_t)n + 1);
        if (text != NULL)
            *ret_n = fread(text, 1, (size_t)n, file);
    }
    fclose(file);
    return text;
}

int main(int argc, char **argv)
{
    bool texts = argc > 1 && strcmp(argv[1], "--texts") == 0;
    struct rules *rules = rules_builtin();
    struct bounce_reader *reader = rules == NULL ? NULL : bounce_reader_new(rules);
    static char line[1 << 20];

    if (reader == NULL)
        return fprintf(stderr, "no rules\n"), 1;
    while (fgets(line, sizeof(line), stdin) != NULL) {
        struct bounce_report report;
        size_t n = 0;
        line[strcspn(line, "\n")] = '\0';
        char *text = texts ? strdup(line) : file_read(line, &n);
        if (text == NULL)
            return fprintf(stderr, "%s: cannot be read\n", line), 1;
        if (texts)
            bounce_explain_reply(reader, bytes_of(text), &report);
        else
            bounce_read(reader, (struct bytes){ text, n }, &report);
        put_report(&report, texts ? "" : line);
        free(text);
    }
    bounce_reader_free(reader);
    rules_free(rules);
    return 0;
}
