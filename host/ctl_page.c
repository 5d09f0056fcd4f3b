/* SPDX-License-Identifier: ISC
 *
 * postern page: the pages alone, on this machine, with no mail server behind them.
 */
#include "host/ctl_int.h"

#include "host/http.h"
#include "host/listen.h"

#include <string.h>
#include <sysexits.h>

static const char help[] =
    "usage: postern page [--listen ADDRESS:PORT | --listen unix:PATH]\n"
    "\n"
    "Serves the page where one pastes what came back and reads what became of the message, and a\n"
    "page for each status code, to browsers on this machine. No mail server need run. Ends with\n"
    "Ctrl-C.\n"
    "\n"
    "  --listen ADDRESS:PORT   127.0.0.1 or [::1], and a port; without it 127.0.0.1 and the first\n"
    "                          free port from 8025 on\n"
    "  --listen unix:PATH      a unix socket, for a web server in front\n";

enum { PORT_FIRST = 8025, PORTS = 100 };

/* The socket that was asked for; -1 and a line in reterr_words. */
static int open_asked(struct bytes where, struct conf_web *ret_web, struct buffer *reterr_words)
{
    if (conf_web_parse(where, ret_web) && !ret_web->off)
        return listen_web(ret_web, where, reterr_words);
    buffer_put_text(reterr_words, "--listen wants 127.0.0.1:PORT, [::1]:PORT or unix:PATH\n");
    return -1;
}

static int open_first_free(struct conf_web *ret_web, struct buffer *reterr_words)
{
    int fd = -1;

    for (unsigned i = 0; fd < 0 && i < PORTS; i++) {
        struct buffer where = buffer_with_most(64);
        buffer_put_text(&where, "127.0.0.1:");
        buffer_put_uint(&where, PORT_FIRST + i);
        buffer_clear(reterr_words);
        fd = open_asked(buffer_bytes(&where), ret_web, reterr_words);
        buffer_done(&where);
    }
    return fd;
}

static void say_where(const struct conf_web *web)
{
    bool v4 = web->at.ip[10] == 0xFF;

    if (web->path.n > 0)
        printf("The page is on the unix socket %.*s\n", (int)web->path.n, web->path.at);
    else
        printf("The page is at http://%s:%u/\n", v4 ? "127.0.0.1" : "[::1]", web->at.port);
    fflush(stdout);
}

int ctl_page_run(int argc, char **argv)
{
    struct buffer words = buffer_with_most(8192);
    struct conf_web web;
    const char *where = NULL;

    for (int i = 1; i < argc; i++) {
        if (ctl_is_help(argv[i])) {
            fputs(help, stdout);
            return ctl_end(EX_OK);
        }
        if (strcmp(argv[i], "--listen") != 0 || i + 1 == argc)
            return ctl_unknown("page", argv[i]);
        where = argv[++i];
    }
    int fd = where == NULL ? open_first_free(&web, &words)
                           : open_asked(bytes_of(where), &web, &words);
    if (fd < 0) {
        fputs("postern: ", stderr);
        ctl_print(stderr, &words);
        buffer_done(&words);
        return EX_UNAVAILABLE;
    }
    buffer_done(&words);
    say_where(&web);
    return http_alone(&fd, 1);
}
