/* SPDX-License-Identifier: ISC
 *
 * postern top: the figures of the server, live on a terminal; elsewhere once.
 */
#include "host/ctl_int.h"

#include "role/control.h"
#include "web/top.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sysexits.h>
#include <termios.h>
#include <unistd.h>

enum { EVERY_MS = 1000, SCREEN_BYTES = 1 << 18, PLAIN_COLUMNS = 80,
       PLAIN_ROWS = 24 };

struct look_at {
    struct top top;
    struct web_figures figures;
};

static volatile sig_atomic_t ended, resized;

static void on_end(int signal)
{
    ended = signal;
}

static void on_size(int signal)
{
    resized = signal;
}

/* What the server says now; its exit status. Its words are for `err`. */
static int ask(const struct conf *conf, struct look_at *ret_look)
{
    char *text = NULL;
    size_t n = 0;
    struct bytes word = BYTES("top");
    int fd = ctl_connect(conf->control), status = EX_OSERR;
    FILE *out = fd < 0 ? NULL : open_memstream(&text, &n);

    if (fd < 0) {
        fprintf(stderr, "postern: %.*s: %s\n", (int)conf->control.n, conf->control.at,
                strerror(errno));
        return errno == EACCES || errno == EPERM ? EX_NOPERM : EX_UNAVAILABLE;
    }
    if (out != NULL) {
        status = ctl_ask(fd, &word, 1, out, stderr);
        fclose(out);
        if (status == EX_OK && !top_read((struct bytes){ text, n }, &ret_look->top,
                                         &ret_look->figures)) {
            fputs("postern: the server's figures cannot be read: is it of this version?\n",
                  stderr);
            status = EX_PROTOCOL;
        }
    }
    close(fd);
    free(text);
    return status;
}

static void show(const struct look_at *now, const struct look_at *before, bool live)
{
    struct buffer screen = buffer_with_most(SCREEN_BYTES);
    struct winsize size = { .ws_col = PLAIN_COLUMNS, .ws_row = PLAIN_ROWS };
    struct top_frame frame = {
        .now = &now->top, .figures = &now->figures, .columns = PLAIN_COLUMNS, .colour = live,
        .before = before == NULL ? NULL : &before->top,
        .figures_before = before == NULL ? NULL : &before->figures,
    };

    if (live && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        frame.columns = size.ws_col;
    if (live)
        frame.rows = size.ws_row > 1 ? size.ws_row - 1U : PLAIN_ROWS - 1;
    top_show(&screen, &frame);
    if (!live) {
        ctl_print(stdout, &screen);
    } else {
        struct bytes rest = buffer_bytes(&screen), line;
        fputs("\x1b[H", stdout);
        while (bytes_cut(&rest, '\n', &line))
            printf("%.*s\x1b[K\r\n", (int)line.n, line.at);
        fputs("\x1b[J", stdout);
        fflush(stdout);
    }
    buffer_done(&screen);
}

/* Until it is time for the next look. False: a key or a signal ended it. */
static bool wait_for_next(void)
{
    struct pollfd keys = { .fd = STDIN_FILENO, .events = POLLIN };
    struct timespec begun, at;
    long left = EVERY_MS;

    clock_gettime(CLOCK_MONOTONIC, &begun);
    while (left > 0 && !ended) {
        char key = 0;
        int n = poll(&keys, 1, (int)left);
        if (n > 0 && (read(STDIN_FILENO, &key, 1) <= 0 || key == 'q' || key == 'Q'))
            return false;
        if (resized) {
            resized = 0;        /* another look, at once */
            return true;
        }
        clock_gettime(CLOCK_MONOTONIC, &at);
        left = EVERY_MS - ((at.tv_sec - begun.tv_sec) * 1000
                           + (at.tv_nsec - begun.tv_nsec) / 1000000);
    }
    return !ended;
}

static int live(const struct conf *conf, struct look_at *looks)
{
    size_t at = 0;
    int status = ask(conf, &looks[0]);
    const struct look_at *before = NULL;

    if (status != EX_OK)
        return status;
    fputs("\x1b[?1049h\x1b[?25l", stdout);     /* another page, no cursor */
    do {
        if (status == EX_OK) {
            show(&looks[at], before, true);
            before = &looks[at];
            at = 1 - at;
        }
        if (!wait_for_next())
            break;
        status = ask(conf, &looks[at]);
    } while (status == EX_OK || status == EX_TEMPFAIL || status == EX_UNAVAILABLE);
    fputs("\x1b[?25h\x1b[?1049l", stdout);
    fflush(stdout);
    return ended ? EX_OK : status;
}

static void take_signals(void)
{
    struct sigaction end = { .sa_handler = on_end }, size = { .sa_handler = on_size };

    sigaction(SIGINT, &end, NULL);
    sigaction(SIGTERM, &end, NULL);
    sigaction(SIGHUP, &end, NULL);
    sigaction(SIGWINCH, &size, NULL);
}

/* With the terminal as it must be for single keys, and as it was afterwards. */
static int on_terminal(const struct conf *conf, struct look_at *looks)
{
    struct termios was, raw;
    bool known = tcgetattr(STDIN_FILENO, &was) == 0;
    int status;

    take_signals();
    if (known) {
        raw = was;
        raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
        tcsetattr(STDIN_FILENO, TCSANOW, &raw);
    }
    status = live(conf, looks);
    if (known)
        tcsetattr(STDIN_FILENO, TCSANOW, &was);
    return status;
}

static int once(const struct conf *conf, struct look_at *look, bool json)
{
    struct buffer text = buffer_with_most(SCREEN_BYTES);
    int status = ask(conf, look);

    if (status == EX_OK && json) {
        top_json(&text, &look->top, &look->figures);
        ctl_print(stdout, &text);
    } else if (status == EX_OK) {
        show(look, NULL, false);
    }
    buffer_done(&text);
    return status;
}

int ctl_top_run(int argc, char **argv)
{
    static struct look_at looks[2];
    static struct conf_file file;
    struct bytes words[CTL_WORDS_MOST];
    struct once_request request;
    struct buffer flaw = buffer_with_most(4096);
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
    int status = ctl_conf(path, &file);
    if (status != 0)
        return status;
    bool terminal = isatty(STDOUT_FILENO) && isatty(STDIN_FILENO) && !request.json;
    status = terminal ? on_terminal(&file.conf, looks) : once(&file.conf, looks, request.json);
    conf_file_done(&file);
    return ctl_end(status);
}
