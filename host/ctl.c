/* SPDX-License-Identifier: ISC */
#include "host/ctl_int.h"

#include <errno.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

static int say_no_way(const struct conf *conf, int error)
{
    struct buffer words = buffer_with_most(8192);

    buffer_put(&words, BYTES("postern: "));
    buffer_put(&words, conf->control);
    buffer_put(&words, BYTES(": "));
    buffer_put_text(&words, strerror(error));
    if (error == EACCES || error == EPERM)
        buffer_put(&words, BYTES("; ask as root or as the server's own user"));
    buffer_put_char(&words, '\n');
    ctl_print(stderr, &words);
    buffer_done(&words);
    return error == EACCES || error == EPERM ? EX_NOPERM : EX_UNAVAILABLE;
}

static int ask_or_look(const struct conf *conf, const struct once_request *request,
                       const struct bytes *words, size_t n)
{
    int fd = ctl_connect(conf->control);

    if (fd >= 0) {
        int status = ctl_ask(fd, words, n, stdout, stderr);
        close(fd);
        return status;
    }
    if (errno != ENOENT && errno != ECONNREFUSED && errno != ENOTDIR)
        return say_no_way(conf, errno);
    return ctl_offline(conf, request, stdout, stderr);
}

int ctl_ask_run(int argc, char **argv)
{
    struct bytes words[CTL_WORDS_MOST + 1];
    struct once_request request;
    struct buffer flaw = buffer_with_most(4096);
    static struct conf_file file;
    const char *path;
    size_t n;

    if (!ctl_words(argc, argv, words, &n, &path))
        return EX_USAGE;
    if (!once_read(words, n, &request, &flaw))
        return ctl_usage(&flaw);
    if (request.help) {
        fputs(once_help(request.command), stdout);
        return ctl_end(EX_OK);
    }
    if (!request.json && !request.relative && isatty(STDOUT_FILENO)) {
        request.relative = true;
        memmove(words + 2, words + 1, (n - 1) * sizeof(*words));
        words[1] = BYTES("--relative");
        n++;
    }
    int status = ctl_conf(path, &file);
    if (status != 0)
        return status;
    status = ask_or_look(&file.conf, &request, words, n);
    conf_file_done(&file);
    return ctl_end(status);
}
