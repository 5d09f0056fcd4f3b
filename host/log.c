/* SPDX-License-Identifier: ISC */
#include "host/log.h"

#include "base/clock.h"

#include "base/limits.h"
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CLOCK_MOST = 32, WAITING_MOST = 1 << 20, KEPT_MOST = 64 * 1024 };

struct log_sink {
    int fd;
    bool is_socket;
    char path[PATH_MAX];        /* "": standard error */
    struct buffer waiting;
    size_t waiting_whole;       /* octets of `waiting` up to the end of its last line */
    uint64_t lost;              /* lines that did not fit */
    uint64_t text_ms;           /* the millisecond that `text` shows */
    struct buffer text;         /* keeps its memory */
};

/* Standard error by a description of our own, so that making it non-blocking does not change it
   for the shell or the other roles. A socket cannot be opened again: send() is told not to wait
   instead. */
static int open_stderr(bool *ret_is_socket)
{
    struct stat found;
    int flags = O_WRONLY | O_APPEND | O_NONBLOCK | O_CLOEXEC | O_NOCTTY;

    if (fstat(STDERR_FILENO, &found) < 0)
        return -1;
    *ret_is_socket = S_ISSOCK(found.st_mode);
    int fd = *ret_is_socket ? -1 : open("/proc/self/fd/2", flags);
    return fd >= 0 ? fd : fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
}

static int open_file(const char *path)
{
    return open(path, O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK | O_CLOEXEC | O_NOCTTY, 0640);
}

struct log_sink *log_sink_new(struct bytes path)
{
    struct log_sink *sink = mem_new(sizeof(*sink));

    if (sink == NULL || path.n >= sizeof(sink->path)) {
        mem_free(sink);
        errno = sink == NULL ? ENOMEM : ENAMETOOLONG;
        return NULL;
    }
    if (path.n > 0)
        memcpy(sink->path, path.at, path.n);
    sink->waiting = buffer_with_most(WAITING_MOST);
    sink->text = buffer_with_most(CLOCK_MOST);
    sink->fd = path.n == 0 ? open_stderr(&sink->is_socket) : open_file(sink->path);
    if (sink->fd < 0 && path.n > 0) {
        int error = errno;
        mem_free(sink);
        errno = error;
        return NULL;
    }
    return sink;
}

void log_sink_free(struct log_sink *sink)
{
    if (sink == NULL)
        return;
    log_sink_flush(sink);
    buffer_done(&sink->waiting);
    buffer_done(&sink->text);
    if (sink->fd >= 0)
        close(sink->fd);
    mem_free(sink);
}

void log_sink_forget(struct log_sink *sink)
{
    buffer_clear(&sink->waiting);
    sink->waiting_whole = 0;
    sink->lost = 0;
}

int log_sink_fd(const struct log_sink *sink)
{
    return sink->fd;
}

static const char *level_name(enum log_level level)
{
    static const char *const names[] = {
        [LOG_DEBUG] = "debug", [LOG_INFO] = "info", [LOG_WARN] = "warn", [LOG_ERROR] = "error",
    };
    return names[level];
}

static void put_line(struct log_sink *sink, uint64_t wall_ms, enum log_level level,
                     struct bytes role, struct bytes line)
{
    struct buffer *to = &sink->waiting;

    if (sink->text_ms != wall_ms || wall_ms == 0) {
        buffer_clear(&sink->text);
        clock_put(&sink->text, wall_ms);
        sink->text_ms = wall_ms;
    }
    buffer_put(to, buffer_bytes(&sink->text));
    buffer_put(to, BYTES(" level="));
    buffer_put_text(to, level_name(level));
    buffer_put(to, BYTES(" role="));
    buffer_put(to, role);
    buffer_put_char(to, ' ');
    buffer_put(to, bytes_first(line, LIMIT_LOG_LINE));
    buffer_put_char(to, '\n');
    if (to->bad) {
        to->n = sink->waiting_whole;
        to->bad = false;
        sink->lost++;
    } else {
        sink->waiting_whole = to->n;
    }
}

void log_sink_put(struct log_sink *sink, uint64_t wall_ms, enum log_level level, struct bytes role,
                  struct bytes line)
{
    if (sink->lost > 0 && sink->waiting.n < WAITING_MOST / 2) {
        struct buffer said = buffer_with_most(LIMIT_LOG_LINE);
        uint64_t lost = sink->lost;
        log_begin(&said, "log-lines-lost");
        log_uint(&said, "lines", lost);
        sink->lost = 0;
        put_line(sink, wall_ms, LOG_WARN, role, buffer_bytes(&said));
        buffer_done(&said);
    }
    put_line(sink, wall_ms, level, role, line);
}

static ssize_t write_some(const struct log_sink *sink)
{
    const struct buffer *from = &sink->waiting;

    return sink->is_socket ? send(sink->fd, from->at, from->n, MSG_DONTWAIT | MSG_NOSIGNAL)
                           : write(sink->fd, from->at, from->n);
}

bool log_sink_flush(struct log_sink *sink)
{
    while (sink->waiting.n > 0) {
        ssize_t wrote = sink->fd < 0 ? (errno = EBADF, -1) : write_some(sink);
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote < 0 && (errno == EPIPE || errno == EBADF)) {
            log_sink_forget(sink);      /* nobody will ever read them there */
            return false;
        }
        if (wrote <= 0)
            break;
        buffer_drop(&sink->waiting, (size_t)wrote);
        sink->waiting_whole = sink->waiting.n;
    }
    if (sink->waiting.n == 0)
        buffer_shrink(&sink->waiting, KEPT_MOST);
    return sink->waiting.n > 0;
}

void log_sink_reopen(struct log_sink *sink)
{
    int fd = sink->path[0] == '\0' ? -1 : open_file(sink->path);

    if (fd >= 0)
        log_sink_turn(sink, fd);
}

void log_sink_turn(struct log_sink *sink, int fd)
{
    log_sink_flush(sink);
    if (sink->fd >= 0)
        close(sink->fd);
    sink->fd = fd;
}
