/* SPDX-License-Identifier: ISC */
#include "host/ctl_int.h"

#include "base/safe.h"
#include "role/control.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sysexits.h>
#include <unistd.h>

bool ctl_words(int argc, char **argv, struct bytes ret_words[static CTL_WORDS_MOST], size_t *ret_n,
               const char **ret_conf_path)
{
    size_t n = 0;

    *ret_conf_path = NULL;
    for (int i = 0; i < argc; i++) {
        if (i > 0 && strcmp(argv[i], "-c") == 0) {
            if (++i == argc) {
                fputs("postern: -c wants the name of a file\n", stderr);
                return false;
            }
            *ret_conf_path = argv[i];
        } else if (n == CTL_WORDS_MOST) {
            fputs("postern: these are too many words; see --help\n", stderr);
            return false;
        } else {
            ret_words[n++] = bytes_of(argv[i]);
        }
    }
    *ret_n = n;
    return true;
}

int ctl_unknown(const char *command, const char *word)
{
    struct buffer words = buffer_with_most(4096);

    buffer_put(&words, BYTES("postern: "));
    buffer_put_text(&words, command);
    buffer_put(&words, BYTES(" does not know \""));
    safe_put(&words, bytes_first(bytes_of(word), 200));
    buffer_put(&words, BYTES("\"; see --help\n"));
    ctl_print(stderr, &words);
    buffer_done(&words);
    return EX_USAGE;
}

int ctl_conf(const char *path, struct conf_file *ret_file)
{
    struct buffer words = buffer_with_most(16 * 1024);
    int status = conf_file_read(path, ret_file, &words);

    ctl_print(stderr, &words);
    buffer_done(&words);
    return status;
}

void ctl_print(FILE *to, const struct buffer *text)
{
    fwrite(text->at, 1, text->n, to);
    if (text->bad)
        fputs("postern: a part of the answer is too long and was left out\n", stderr);
}

int ctl_end(int status)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return status;
    fprintf(stderr, "postern: standard output: %s\n", strerror(errno));
    return EX_IOERR;
}

int ctl_connect(struct bytes path)
{
    struct sockaddr_un to = { .sun_family = AF_UNIX };

    if (path.n >= sizeof(to.sun_path))
        return errno = ENAMETOOLONG, -1;
    memcpy(to.sun_path, path.at, path.n);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    if (connect(fd, (const struct sockaddr *)&to, sizeof(to)) != 0) {
        int error = errno;
        close(fd);
        return errno = error, -1;
    }
    return fd;
}

bool ctl_server_runs(const struct conf *conf)
{
    int fd = ctl_connect(conf->control);
    bool runs = fd >= 0 || (errno != ENOENT && errno != ECONNREFUSED && errno != ENOTDIR);

    if (fd >= 0)
        close(fd);
    return runs;
}

static bool send_all(int fd, struct bytes octets)
{
    while (octets.n > 0) {
        ssize_t n = send(fd, octets.at, octets.n, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        octets = bytes_skip(octets, (size_t)n);
    }
    return true;
}

/* Wait for more of the answer and put it behind what the buffer holds; false at its end. */
static bool receive(int fd, struct buffer *in)
{
    enum { PART = 65536 };
    struct pollfd watch = { .fd = fd, .events = POLLIN };
    char *at = buffer_grow(in, PART);
    ssize_t n = -1;

    if (at == NULL)
        return false;
    if (poll(&watch, 1, CTL_WAIT_MS) > 0)
        n = recv(fd, at, PART, 0);
    in->n -= PART - (n < 0 ? 0 : (size_t)n);
    return n > 0;
}

/* Print the frames that are whole. Returns the exit status, -1 when more is to come, -2 for a
   flaw. */
static int print_frames(struct buffer *in, FILE *out, FILE *err)
{
    struct control_frame frame;
    size_t used, at = 0;
    enum control_took took;

    while ((took = control_take(bytes_skip(buffer_bytes(in), at), &frame, &used)) == CONTROL_TOOK) {
        at += used;
        if (frame.kind == CONTROL_EXIT)
            return frame.status;
        fwrite(frame.octets.at, 1, frame.octets.n, frame.kind == CONTROL_OUT ? out : err);
    }
    buffer_drop(in, at);
    return took == CONTROL_NEEDS_MORE ? -1 : -2;
}

int ctl_ask(int fd, const struct bytes *words, size_t n, FILE *out, FILE *err)
{
    struct buffer request = buffer_with_most(LIMIT_CONTROL_FRAME + CONTROL_LENGTH);
    struct buffer in = buffer_with_most(4 * LIMIT_CONTROL_FRAME);
    int status = -1;

    control_put_request(&request, words, n);
    if (request.bad) {
        fputs("postern: these words are too long to ask\n", err);
        status = EX_USAGE;
    } else {
        /* A server that refuses us says why and closes, maybe before it read all. */
        (void)send_all(fd, buffer_bytes(&request));
    }
    while (status == -1 && receive(fd, &in))
        status = print_frames(&in, out, err);
    if (status < 0) {
        fputs("postern: the server's answer broke off\n", err);
        status = EX_PROTOCOL;
    }
    buffer_done(&request);
    buffer_done(&in);
    return status;
}

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
    if (!once_read(words, n, &request, &flaw)) {
        fputs("postern: ", stderr);
        ctl_print(stderr, &flaw);
        buffer_done(&flaw);
        return EX_USAGE;
    }
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
