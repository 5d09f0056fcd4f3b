/* SPDX-License-Identifier: ISC */
#include "host/ctl_int.h"

#include "role/control.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sysexits.h>
#include <unistd.h>

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

bool ctl_send(int fd, struct bytes octets)
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
        (void)ctl_send(fd, buffer_bytes(&request));
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

int ctl_ask_held(int fd, const struct bytes *words, size_t n, void *of,
                 int (*held)(void *of, const char *text))
{
    struct buffer request = buffer_with_most(LIMIT_CONTROL_FRAME + CONTROL_LENGTH);
    struct buffer in = buffer_with_most(4 * LIMIT_CONTROL_FRAME);
    char *text = NULL;
    size_t text_n = 0;
    FILE *out = open_memstream(&text, &text_n);
    int status = out == NULL ? EX_OSERR : -1;
    bool told = false;

    control_put_request(&request, words, n);
    if (status == -1)
        (void)ctl_send(fd, buffer_bytes(&request));
    while (status == -1 && receive(fd, &in)) {
        status = print_frames(&in, out, stderr);
        fflush(out);
        if (status != -1 || told || text_n == 0)
            continue;
        told = true;
        int ours = held(of, text);
        if (ours != EX_OK)
            status = ours;
        else
            shutdown(fd, SHUT_WR);
    }
    if (status < 0) {
        fputs("postern: the server's answer broke off\n", stderr);
        status = EX_PROTOCOL;
    }
    if (out != NULL)
        fclose(out);
    free(text);
    buffer_done(&request);
    buffer_done(&in);
    return status;
}
