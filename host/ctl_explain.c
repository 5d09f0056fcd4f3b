/* SPDX-License-Identifier: ISC
 *
 * postern explain: reads files, folders and standard input through one window of fixed size.
 */
#include "host/ctl_int.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/safe.h"
#include "host/clock.h"
#include "role/once_explain.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

enum { DEPTH_MOST = 16, SHOW_AFTER_MS = 2000, SHOW_EACH_MS = 200, BAR = 30, RULES_MOST = 1 << 20 };

struct explaining {
    struct once_explain explain;
    struct buffer window, out;
    uint64_t total, done;           /* octets: of all inputs (0: not known), and read of them */
    uint64_t begun_ms, shown_ms;
    bool shows;                     /* standard error is a terminal */
    int status;                     /* the worst so far */
};

/* ---- progress, on a terminal, when it takes long */

static void show_progress(struct explaining *run)
{
    uint64_t now_ms = run->shows ? clock_now().mono_ms : 0;
    struct buffer line = buffer_with_most(200);

    if (!run->shows || now_ms - run->begun_ms < SHOW_AFTER_MS
        || now_ms - run->shown_ms < SHOW_EACH_MS)
        return;
    run->shown_ms = now_ms;
    buffer_put_char(&line, '\r');
    if (run->total > 0) {
        uint64_t parts = run->done >= run->total ? BAR : run->done * BAR / run->total;
        buffer_put_char(&line, '[');
        buffer_put_chars(&line, '#', parts);
        buffer_put_chars(&line, '.', BAR - parts);
        buffer_put_text(&line, "] ");
    }
    octets_put(&line, run->done);
    buffer_put_text(&line, ", ");
    buffer_put_uint(&line, run->explain.texts);
    buffer_put_text(&line, " messages ");
    ctl_print(stderr, &line);
    fflush(stderr);
    buffer_done(&line);
}

static void hide_progress(struct explaining *run)
{
    if (run->shown_ms > 0)
        fputs("\r\x1b[K", stderr);
    run->shown_ms = 0;
}

static void put_out(struct explaining *run)
{
    if (run->out.n > 0 || run->out.bad) {
        hide_progress(run);
        ctl_print(stdout, &run->out);
    }
    buffer_clear(&run->out);
}

static void complain(struct explaining *run, const char *name, const char *why, int status)
{
    struct buffer words = buffer_with_most(2 * PATH_MAX);

    hide_progress(run);
    buffer_put_text(&words, "postern: ");
    safe_put_plain(&words, bytes_of(name));
    buffer_put_text(&words, ": ");
    buffer_put_text(&words, why);
    buffer_put_char(&words, '\n');
    ctl_print(stderr, &words);
    buffer_done(&words);
    run->status = status;
}

/* ---- one file */

/* More octets into the window; false at the file's end. */
static bool fill(struct explaining *run, int fd, const char *name)
{
    size_t room = ONCE_EXPLAIN_WINDOW - run->window.n;
    size_t n = room < 256 * 1024 ? room : 256 * 1024;
    char *at = buffer_grow(&run->window, n);
    ssize_t got = -1;

    if (at == NULL)
        return complain(run, name, "memory is short", EX_OSERR), false;
    do
        got = read(fd, at, n);
    while (got < 0 && errno == EINTR);
    run->window.n -= n - (got > 0 ? (size_t)got : 0);
    run->done += got > 0 ? (uint64_t)got : 0;
    if (got < 0)
        complain(run, name, strerror(errno), EX_IOERR);
    return got > 0;
}

static void explain_fd(struct explaining *run, int fd, const char *name, const char *shown)
{
    struct once_explain_file file = { .name = bytes_of(shown) };
    enum once_window next = ONCE_WINDOW_DROP;
    bool whole = false;
    size_t begin = 0;       /* of the window: what stands before it is dealt with */

    buffer_clear(&run->window);
    if (!fill(run, fd, name)) {
        if (run->status == EX_OK)
            complain(run, name, "there is nothing in it", EX_DATAERR);
        return;
    }
    while (next != ONCE_WINDOW_OVER) {
        size_t used = 0;
        struct bytes window = bytes_skip(buffer_bytes(&run->window), begin);
        bool full = window.n == ONCE_EXPLAIN_WINDOW;
        next = once_explain_window(&run->explain, &file, window, full, whole, &run->out, &used);
        put_out(run);
        begin += next == ONCE_WINDOW_DROP ? used : 0;
        if (next == ONCE_WINDOW_MORE) {
            buffer_drop(&run->window, begin);
            begin = 0;
            whole = !fill(run, fd, name);
        }
        show_progress(run);
    }
}

static void explain_file(struct explaining *run, const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

    if (fd < 0) {
        complain(run, path, strerror(errno), errno == EACCES ? EX_NOPERM : EX_NOINPUT);
        return;
    }
    explain_fd(run, fd, path, path);
    close(fd);
}

/* ---- folders */

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static int is_wanted(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

/* What to do with each file below: count its octets, or explain it. */
static void walk(struct explaining *run, const char *folder, unsigned depth, bool counts)
{
    struct dirent **entries = NULL;
    int n = depth > DEPTH_MOST ? 0 : scandir(folder, &entries, is_wanted, by_name);

    if (n < 0 && !counts)
        complain(run, folder, strerror(errno), errno == EACCES ? EX_NOPERM : EX_NOINPUT);
    for (int i = 0; i < n; i++) {
        char path[PATH_MAX];
        struct stat stat;
        int length = snprintf(path, sizeof(path), "%s/%s", folder, entries[i]->d_name);
        free(entries[i]);
        if (length < 0 || (size_t)length >= sizeof(path) || lstat(path, &stat) != 0)
            continue;
        if (S_ISDIR(stat.st_mode))
            walk(run, path, depth + 1, counts);
        else if (S_ISREG(stat.st_mode) && counts)
            run->total += (uint64_t)stat.st_size;
        else if (S_ISREG(stat.st_mode) && stat.st_size > 0)
            explain_file(run, path);
    }
    free(entries);
}

/* ---- inputs */

/* A name that is no file's: a code, or words. */
static bool is_text(struct bytes word)
{
    return bounce_input_of(word) == INPUT_CODE || bytes_find(word, ' ') < word.n
        || bytes_find(word, '\n') < word.n;
}

static void explain_text(struct explaining *run, struct bytes word)
{
    struct once_explain_file file = { .name = word };
    size_t used = 0;

    while (once_explain_window(&run->explain, &file, word, false, true, &run->out, &used)
           == ONCE_WINDOW_DROP)
        word = bytes_skip(word, used);
    put_out(run);
}

static void explain_input(struct explaining *run, const char *word)
{
    struct stat stat_of;

    if (strcmp(word, "-") == 0)
        explain_fd(run, STDIN_FILENO, "standard input", "-");
    else if (stat(word, &stat_of) == 0 && S_ISDIR(stat_of.st_mode))
        walk(run, word, 0, false);
    else if (stat(word, &stat_of) == 0)
        explain_file(run, word);
    else if (is_text(bytes_of(word)))
        explain_text(run, bytes_of(word));
    else
        complain(run, word, strerror(errno), EX_NOINPUT);
}

static void measure(struct explaining *run, const char *word)
{
    struct stat stat_of;

    if (strcmp(word, "-") == 0 || stat(word, &stat_of) != 0)
        return;
    if (S_ISDIR(stat_of.st_mode)) {
        run->explain.many = true;
        if (run->shows)
            walk(run, word, 0, true);
    } else if (S_ISREG(stat_of.st_mode)) {
        run->total += (uint64_t)stat_of.st_size;
    }
}

/* ---- settings */

/* The reader's language, as other programs take it from the environment. */
static struct bytes language_setting(void)
{
    static const char *const names[] = { "LC_ALL", "LC_MESSAGES", "LANG" };

    for (size_t i = 0; i < COUNT(names); i++) {
        const char *value = getenv(names[i]);
        if (value != NULL && value[0] != '\0')
            return bytes_of(value);
    }
    return BYTES_NONE;
}

static struct card_style style_here(void)
{
    const char *no = getenv("NO_COLOR");
    time_t now = time(NULL);
    struct tm local = { 0 };

    if (localtime_r(&now, &local) == NULL)
        local.tm_gmtoff = 0;
    return (struct card_style){
        .lang = lang_english(), .now = (int64_t)now,
        .zone_minutes = (int)(local.tm_gmtoff / 60),
        .colour = isatty(STDOUT_FILENO) == 1 && (no == NULL || no[0] == '\0'),
    };
}

/* The rules of the file named, or the program's own; NULL, and said why. */
static struct rules *rules_of(struct explaining *run, struct bytes path)
{
    struct buffer text = buffer_with_most(RULES_MOST);
    struct rules_error error = { 0 };
    char line[RULES_ERROR_MOST + 64];
    struct rules *rules = NULL;
    int fd = path.n == 0 ? -1 : open(path.at, O_RDONLY | O_CLOEXEC);
    char *at = fd < 0 ? NULL : buffer_grow(&text, RULES_MOST);
    ssize_t got = at == NULL ? -1 : read(fd, at, RULES_MOST);

    if (path.n == 0)
        rules = rules_builtin();
    else if (got < 0)
        complain(run, path.at, fd < 0 ? strerror(errno) : "cannot be read", EX_NOINPUT);
    else if ((rules = rules_with((struct bytes){ at, (size_t)got }, &error)) == NULL) {
        snprintf(line, sizeof(line), "line %u: %s", error.line, error.text);
        complain(run, path.at, line, EX_DATAERR);
    }
    if (fd >= 0)
        close(fd);
    buffer_done(&text);
    return rules;
}

static int explain_all(struct explaining *run, const struct bytes *inputs)
{
    size_t n = run->explain.request.inputs;

    run->explain.many = n > 1;
    for (size_t i = 0; i < n; i++)
        measure(run, inputs[i].at);
    once_explain_begin(&run->explain, &run->out);
    put_out(run);
    if (n == 0)
        explain_input(run, "-");
    for (size_t i = 0; i < n; i++)
        explain_input(run, inputs[i].at);
    enum once_exit status = once_explain_end(&run->explain, &run->out);
    put_out(run);
    hide_progress(run);
    return run->status != EX_OK ? run->status : (int)status;
}

static int explain_with(struct explaining *run, const struct bytes *inputs)
{
    struct rules *rules = rules_of(run, run->explain.request.rules);
    int status = run->status != EX_OK ? run->status : EX_OSERR;

    run->explain.reader = rules == NULL ? NULL : bounce_reader_new(rules);
    if (run->explain.reader != NULL)
        status = explain_all(run, inputs);
    else if (run->status == EX_OK)
        fputs("postern: memory is short\n", stderr);
    bounce_reader_free(run->explain.reader);
    rules_free(rules);
    return status;
}

int ctl_explain_run(int argc, char **argv)
{
    static struct explaining run;
    struct buffer flaw = buffer_with_most(4096);
    struct bytes *words = mem_new((size_t)argc * sizeof(*words));
    int status = EX_USAGE;

    run.window = buffer_with_most(ONCE_EXPLAIN_WINDOW);
    run.out = buffer_with_most(ONCE_EXPLAIN_ANSWER);
    run.shows = isatty(STDERR_FILENO) == 1;
    run.begun_ms = clock_now().mono_ms;
    for (int i = 0; words != NULL && i < argc; i++)
        words[i] = bytes_of(argv[i]);
    if (words == NULL) {
        status = EX_OSERR;
    } else if (!once_explain_read(words, (size_t)argc, &run.explain.request, &flaw)) {
        fputs("postern: ", stderr);
        ctl_print(stderr, &flaw);
    } else if (run.explain.request.help) {
        fputs(once_explain_help, stdout);
        status = EX_OK;
    } else {
        run.explain.setting = language_setting();
        run.explain.style = style_here();
        status = explain_with(&run, words);
    }
    buffer_done(&run.window);
    buffer_done(&run.out);
    buffer_done(&flaw);
    mem_free(words);
    return ctl_end(status);
}
