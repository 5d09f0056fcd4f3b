/* SPDX-License-Identifier: ISC
 *
 * How fast the reader is, on one core, with everything in memory before the clock starts:
 *
 *   bounce_speed corpus SECONDS < list of files      messages and octets a second, JSON included
 *   bounce_speed read SECONDS < list of files        the same without JSON
 *   bounce_speed texts SECONDS < lines               replies a second
 *   bounce_speed mbox SECONDS FILE                   octets a second of an mbox, mapped
 *
 * One line of JSON on stdout. For bench/; nothing here is a test of time.
 */
#include "bounce/card.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { FILES_MOST = 20000 };
static struct bytes files[FILES_MOST];
static size_t files_n;

static double now(void)
{
    struct timespec at;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &at);
    return (double)at.tv_sec + (double)at.tv_nsec / 1e9;
}

static struct bytes mapped(const char *name)
{
    struct stat is;
    int fd = open(name, O_RDONLY | O_CLOEXEC);

    if (fd < 0 || fstat(fd, &is) != 0 || is.st_size == 0)
        return BYTES_NONE;
    void *at = mmap(NULL, (size_t)is.st_size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
    close(fd);
    return at == MAP_FAILED ? BYTES_NONE : (struct bytes){ at, (size_t)is.st_size };
}

static void list_read(bool texts)
{
    static char line[1 << 16];

    while (files_n < FILES_MOST && fgets(line, sizeof(line), stdin) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        struct bytes file = mapped(line);
        if (texts)
            file = bytes_of(strdup(line));
        if (file.n > 0)
            files[files_n++] = file;
    }
}

/* The most memory the process had; getrusage would count what stood there before exec. */
static long peak_kib(void)
{
    FILE *file = fopen("/proc/self/status", "r");
    char line[256];
    long kib = 0;

    while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
        if (strncmp(line, "VmHWM:", 6) == 0)
            kib = strtol(line + 6, NULL, 10);
    }
    if (file != NULL)
        fclose(file);
    return kib;
}

static void said(const char *what, double count, double octets, double seconds)
{
    printf("{\"figure\":\"explain-%s\",\"per_s\":%.0f,\"mb_per_s\":%.1f,\"peak_kib\":%ld}\n", what,
           count / seconds, octets / seconds / 1e6, peak_kib());
}

static void write_json(struct buffer *to, const struct bounce_report *report)
{
    struct card_style style = { .lang = card_lang(BYTES("en"), report) };
    struct json json = json_to(to);

    buffer_clear(to);
    card_put_json(&json, report, &style, BYTES_NONE);
}

static void run_list(struct bounce_reader *reader, const char *what, double seconds)
{
    double from = now(), count = 0, octets = 0;
    struct bounce_report report;
    struct buffer to = buffer_with_most(16 << 20);
    bool texts = strcmp(what, "texts") == 0, write = strcmp(what, "corpus") == 0;

    while (files_n > 0 && now() - from < seconds) {
        for (size_t i = 0; i < files_n; i++) {
            if (texts)
                bounce_explain_reply(reader, files[i], &report);
            else
                bounce_read(reader, files[i], &report);
            if (write)
                write_json(&to, &report);
            octets += (double)files[i].n;
        }
        count += (double)files_n;
    }
    said(what, count, octets, now() - from);
    buffer_done(&to);
}

static void run_mbox(struct bounce_reader *reader, const char *name)
{
    struct bytes text = mapped(name), rest = text, message;
    struct bounce_report report;
    double from = now(), count = 0;

    while (bounce_mbox_next(&rest, &message)) {
        bounce_read(reader, message, &report);
        count++;
    }
    said("mbox", count, (double)text.n, now() - from);
}

int main(int argc, char **argv)
{
    double from = now();
    struct rules *rules = rules_builtin();
    struct bounce_reader *reader = rules == NULL ? NULL : bounce_reader_new(rules);

    if (reader == NULL || argc < 3)
        return fprintf(stderr, "bounce_speed corpus|read|texts|mbox SECONDS [FILE]\n"), 1;
    fprintf(stderr, "rules made in %.1f ms\n", (now() - from) * 1e3);
    bool texts = strcmp(argv[1], "texts") == 0;
    if (strcmp(argv[1], "mbox") == 0) {
        run_mbox(reader, argc > 3 ? argv[3] : "");
    } else {
        list_read(texts);
        run_list(reader, argv[1], strtod(argv[2], NULL));
    }
    bounce_reader_free(reader);
    rules_free(rules);
    return 0;
}
