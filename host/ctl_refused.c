/* SPDX-License-Identifier: ISC
 *
 * postern refused: reads the log, line by line.
 */
#include "host/ctl_int.h"

#include "base/arena.h"
#include "base/safe.h"
#include "host/clock.h"
#include "role/once_refused.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

/* A line of the log is bounded (LIMIT_LOG_LINE); a longer one of another program is taken in
   pieces, which say nothing. */
static int read_log(struct refused *refused, const char *path)
{
    char line[8 * 1024];
    FILE *file = fopen(path, "re");

    if (file == NULL) {
        fprintf(stderr, "postern: %s: %s\n", path, strerror(errno));
        return errno == EACCES ? EX_NOPERM : EX_NOINPUT;
    }
    while (fgets(line, sizeof(line), file) != NULL)
        once_refused_line(refused, bytes_upto(bytes_of(line), '\n'));
    int status = ferror(file) ? EX_IOERR : EX_OK;
    fclose(file);
    return status;
}

/* The logs that are named, or that of the configuration. */
static int read_logs(struct refused *refused, const struct conf *conf, int argc, char **argv)
{
    int status = EX_OK;
    bool named = false;

    for (int i = 1; i < argc && status == EX_OK; i++) {
        if (argv[i][0] == '-') {
            i += strcmp(argv[i], "--since") == 0 || strcmp(argv[i], "--lang") == 0
                || ctl_is_conf(argv[i]);
            continue;
        }
        named = true;
        status = read_log(refused, argv[i]);
    }
    if (named || status != EX_OK)
        return status;
    if (conf->log.n == 0) {
        fputs("postern: the log goes to standard error; name a file that it was kept in\n", stderr);
        return EX_USAGE;
    }
    struct buffer path = buffer_with_most(4096);
    buffer_put(&path, conf->log);
    buffer_put_char(&path, '\0');
    status = path.bad ? EX_OSERR : read_log(refused, path.at);
    buffer_done(&path);
    return status;
}

static int tell(const struct conf *conf, const struct refused_request *request, int argc,
                char **argv)
{
    struct refused *refused = mem_new(sizeof(*refused));
    struct buffer answer = buffer_with_most(REFUSED_ANSWER_MOST);
    uint64_t now_ms = clock_now().wall_ms;
    const char *setting = getenv("LANG");
    const struct lang *lang = lang_find(request->lang.n > 0 ? request->lang
                                        : bytes_of(setting == NULL ? "" : setting));

    if (refused == NULL)
        return EX_OSERR;
    once_refused_begin(refused, now_ms > request->since_ms ? now_ms - request->since_ms : 0,
                       now_ms);
    int status = read_logs(refused, conf, argc, argv);
    if (status == EX_OK) {
        once_refused_put(refused, request, lang == NULL ? lang_english() : lang, now_ms,
                         conf->host, conf->postmaster, &answer);
        ctl_print(stdout, &answer);
    }
    buffer_done(&answer);
    mem_free(refused);
    return status;
}

int ctl_refused_run(int argc, char **argv)
{
    struct bytes words[CTL_WORDS_MOST];
    struct refused_request request;
    struct buffer flaw = buffer_with_most(4096);
    static struct conf_file file;
    const char *path;
    size_t n;

    if (!ctl_words(argc, argv, words, &n, &path))
        return EX_USAGE;
    if (!once_refused_read(words, n, &request, &flaw))
        return ctl_usage(&flaw);
    if (request.help) {
        fputs(once_refused_help, stdout);
        return ctl_end(EX_OK);
    }
    int status = ctl_conf(path, &file);
    if (status != 0)
        return status;
    status = tell(&file.conf, &request, argc, argv);
    conf_file_done(&file);
    return ctl_end(status);
}
