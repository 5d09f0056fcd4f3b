/* SPDX-License-Identifier: ISC */
#include "host/ctl_dialogue.h"

#include "base/safe.h"
#include "host/ctl_int.h"

#include <errno.h>
#include <netdb.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sysexits.h>
#include <unistd.h>

static int connect_one(const struct addrinfo *to)
{
    struct timeval wait = { .tv_sec = DIALOGUE_WAIT_S };
    int fd = socket(to->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -1;
    /* Both also bound connect(2) and every later call. */
    if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)) == 0
        && setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait)) == 0
        && connect(fd, to->ai_addr, to->ai_addrlen) == 0)
        return fd;
    int error = errno;
    close(fd);
    return errno = error, -1;
}

/* HOST and PORT out of HOST:PORT, without brackets. */
static bool split_server(const char *server, char ret_host[static 256], char ret_port[static 16])
{
    struct bytes text = bytes_of(server);
    size_t colon = bytes_find_last(text, ':');
    struct bytes host = bytes_first(text, colon), port = bytes_skip(text, colon + 1);

    if (host.n > 2 && host.at[0] == '[' && host.at[host.n - 1] == ']')
        host = (struct bytes){ host.at + 1, host.n - 2 };
    if (host.n == 0 || host.n > 255 || port.n == 0 || port.n > 15)
        return false;
    memcpy(ret_host, host.at, host.n);
    ret_host[host.n] = '\0';
    memcpy(ret_port, port.at, port.n);
    ret_port[port.n] = '\0';
    return true;
}

int dialogue_open(struct dialogue *dialogue, const char *server, FILE *shown)
{
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *list = NULL;
    char host[256], port[16];
    int fd = -1;

    if (!split_server(server, host, port)) {
        fputs("postern: --server wants HOST:PORT\n", stderr);
        return EX_USAGE;
    }
    int failed = getaddrinfo(host, port, &hints, &list);
    if (failed != 0) {
        fprintf(stderr, "postern: %s: %s\n", server, gai_strerror(failed));
        return EX_NOHOST;
    }
    for (const struct addrinfo *to = list; to != NULL && fd < 0; to = to->ai_next)
        fd = connect_one(to);
    freeaddrinfo(list);
    if (fd < 0) {
        fprintf(stderr, "postern: %s: %s\n", server, strerror(errno));
        return EX_TEMPFAIL;
    }
    dialogue_begin(dialogue, fd, shown);
    return 0;
}

void dialogue_begin(struct dialogue *dialogue, int fd, FILE *shown)
{
    *dialogue = (struct dialogue){
        .fd = fd, .shown = shown,
        .in = buffer_with_most(DIALOGUE_REPLY_MOST),
        .reply = buffer_with_most(DIALOGUE_REPLY_MOST),
    };
}

void dialogue_close(struct dialogue *dialogue)
{
    close(dialogue->fd);
    buffer_done(&dialogue->in);
    buffer_done(&dialogue->reply);
}

static void show(struct dialogue *dialogue, const char *who, struct bytes line)
{
    struct buffer safe = buffer_with_most(8 * DIALOGUE_REPLY_MOST);

    if (dialogue->shown == NULL)
        return;
    safe_put_plain(&safe, line);
    fprintf(dialogue->shown, "%s %.*s\n", who, (int)safe.n, safe.n == 0 ? "" : safe.at);
    buffer_done(&safe);
}

bool dialogue_line(struct dialogue *dialogue, struct bytes line)
{
    struct buffer out = buffer_with_most(DIALOGUE_REPLY_MOST);

    show(dialogue, "C:", line);
    buffer_put(&out, line);
    buffer_put(&out, BYTES("\r\n"));
    bool sent = !out.bad && ctl_send(dialogue->fd, buffer_bytes(&out));
    buffer_done(&out);
    return sent;
}

bool dialogue_text(struct dialogue *dialogue, struct bytes text)
{
    if (dialogue->shown != NULL)
        fprintf(dialogue->shown, "C: (%zu octets of text)\n", text.n);
    return ctl_send(dialogue->fd, text);
}

/* One line of the server, without its end, which is left in `in` until the next call. */
static bool take_line(struct dialogue *dialogue, size_t *used, struct bytes *ret_line)
{
    enum { PART = 4096 };

    buffer_drop(&dialogue->in, *used);
    size_t end;
    while ((end = bytes_find(buffer_bytes(&dialogue->in), '\n')) == dialogue->in.n) {
        char *at = buffer_grow(&dialogue->in, PART);
        ssize_t n = at == NULL ? -1 : recv(dialogue->fd, at, PART, 0);
        if (at != NULL)
            dialogue->in.n -= PART - (n < 0 ? 0 : (size_t)n);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
    }
    *used = end + 1;
    *ret_line = bytes_trim(bytes_first(buffer_bytes(&dialogue->in), end));
    return true;
}

static int code_of(struct bytes line)
{
    if (line.n < 3 || line.at[0] < '2' || line.at[0] > '5' || !is_digit(line.at[1])
        || !is_digit(line.at[2]) || (line.n > 3 && line.at[3] != ' ' && line.at[3] != '-'))
        return -1;
    return (line.at[0] - '0') * 100 + (line.at[1] - '0') * 10 + (line.at[2] - '0');
}

int dialogue_reply(struct dialogue *dialogue)
{
    struct bytes line;
    size_t used = 0;
    bool more = true;
    int code = -1;

    buffer_clear(&dialogue->reply);
    while (more) {
        if (!take_line(dialogue, &used, &line)) {
            fputs("postern: the server says no more\n", stderr);
            return -1;
        }
        show(dialogue, "S:", line);
        code = code_of(line);
        more = code > 0 && line.n > 3 && line.at[3] == '-';
        buffer_put(&dialogue->reply, bytes_skip(line, 4));
        buffer_put_char(&dialogue->reply, '\n');
        if (dialogue->reply.bad)
            return -1;
    }
    buffer_drop(&dialogue->in, used);
    return code;
}
