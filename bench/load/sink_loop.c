/* SPDX-License-Identifier: ISC
 *
 * mailsink's threads: each has its own listener (SO_REUSEPORT), its own epoll and its own log.
 *
 * With a log this is the least that a durable mail server can do: parse SMTP, append to one file
 * that was written before, one fdatasync for all that came in a turn of the loop, then the replies.
 */
#include "bench/load/sink.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { EVENTS = 256, ACCEPTS = 64, READS = 16, LOG_STEP = 1 << 20 };
static const off_t log_bytes = (off_t)512 << 20;    /* written once, then used from the start */

static void want_write(struct sink_worker *worker, struct sink_conn *conn, bool want)
{
    struct epoll_event event = { .events = EPOLLIN | (want ? EPOLLOUT : 0), .data.ptr = conn };

    if (conn->wants_write == want)
        return;
    conn->wants_write = want;
    epoll_ctl(worker->poll, EPOLL_CTL_MOD, conn->stream.fd, &event);
}

static void drop(struct sink_worker *worker, struct sink_conn *conn)
{
    for (struct sink_conn **at = &worker->delayed; *at != NULL; at = &(*at)->next_delayed)
        if (*at == conn) {
            *at = conn->next_delayed;
            break;
        }
    for (size_t i = 0; conn->listed && i < worker->waiting_n; i++)
        if (worker->waiting[i] == conn)
            worker->waiting[i] = NULL;
    stream_close(&conn->stream);
    octets_done(&conn->letter);
    octets_done(&conn->in);
    octets_done(&conn->out);
    octets_done(&conn->head);
    free(conn);
    atomic_fetch_sub(&counts.open, 1);
}

static void begin_tls(struct sink_conn *conn)
{
    conn->tls_next = false;
    conn->stream.ssl = SSL_new(sink_tls);
    SSL_set_fd(conn->stream.ssl, conn->stream.fd);
    SSL_set_accept_state(conn->stream.ssl);
    conn->state = SINK_TLS;
}

/* False when the connection is over. */
static bool flush(struct sink_worker *worker, struct sink_conn *conn)
{
    if (conn->unsynced)
        return true;
    while (octets_held(&conn->out) > 0) {
        ssize_t n = stream_write(&conn->stream, octets_first(&conn->out), octets_held(&conn->out));
        if (n < 0)
            return false;
        if (n == 0) {
            want_write(worker, conn, true);
            return true;
        }
        conn->out.begin += (size_t)n;
    }
    want_write(worker, conn, false);
    if (conn->tls_next)
        begin_tls(conn);
    return !conn->closing;
}

static void delay(struct sink_worker *worker, struct sink_conn *conn)
{
    conn->next_delayed = worker->delayed;
    worker->delayed = conn;
}

/* Bounded, so that one sender cannot starve the rest. False: the connection is over. */
static bool read_some(struct sink_worker *worker, struct sink_conn *conn)
{
    for (int i = 0; i < READS; i++) {
        char *to = octets_room(&conn->in, READ_BYTES);
        ssize_t n = stream_read(&conn->stream, to, READ_BYTES);
        if (n < 0)
            return false;
        if (n == 0)
            return true;
        conn->in.end += (size_t)n;
        if (!sink_speak(worker, conn))
            return false;
        if (conn->wake_us != 0) {
            delay(worker, conn);
            return true;
        }
        if ((conn->stream.ssl == NULL && n < READ_BYTES) || octets_held(&conn->out) > READ_BYTES)
            return true;
    }
    return true;
}

static bool serve(struct sink_worker *worker, struct sink_conn *conn)
{
    if (conn->state == SINK_TLS) {
        bool write = false;
        int done = stream_handshake(&conn->stream, &write);
        if (done == 0)
            want_write(worker, conn, write);
        if (done != 1)
            return done == 0;
        atomic_fetch_add(&counts.tls, 1);
        if (SSL_session_reused(conn->stream.ssl))
            atomic_fetch_add(&counts.resumed, 1);
        conn->state = SINK_COMMAND;
    }
    if (conn->wake_us != 0)
        return true;
    return read_some(worker, conn) && (conn->wake_us != 0 || flush(worker, conn));
}

static bool take_client(struct sink_worker *worker)
{
    int fd = accept4(worker->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC), one = 1;

    if (fd < 0)
        return false;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    struct sink_conn *conn = must_have(1, sizeof(*conn));
    conn->stream.fd = fd;
    struct epoll_event event = { .events = EPOLLIN, .data.ptr = conn };
    epoll_ctl(worker->poll, EPOLL_CTL_ADD, fd, &event);
    atomic_fetch_add(&counts.connections, 1);
    int open = atomic_fetch_add(&counts.open, 1) + 1, most = atomic_load(&counts.open_most);
    while (open > most && !atomic_compare_exchange_weak(&counts.open_most, &most, open))
        continue;
    octets_add_text(&conn->out, sink.lmtp ? "220 mailsink LMTP\r\n" : "220 mailsink ESMTP\r\n");
    if (!flush(worker, conn))
        drop(worker, conn);
    return true;
}

/* One write and one fdatasync for all that came in this turn; then the replies may go. */
static void commit(struct sink_worker *worker)
{
    size_t n = octets_held(&worker->log);

    if (worker->waiting_n == 0)
        return;
    if (worker->log_at + (off_t)n > log_bytes)
        worker->log_at = 0;
    for (size_t done = 0; done < n;) {
        ssize_t put = pwrite(worker->log_file, octets_first(&worker->log) + done, n - done,
                             worker->log_at + (off_t)done);
        if (put < 0)
            give_up(sink.log, 1);
        done += (size_t)put;
    }
    if (fdatasync(worker->log_file) != 0)
        give_up(sink.log, 1);
    atomic_fetch_add(&counts.syncs, 1);
    worker->log_at += (off_t)n;
    octets_clear(&worker->log);
    for (size_t i = 0; i < worker->waiting_n; i++) {
        struct sink_conn *conn = worker->waiting[i];
        if (conn == NULL)
            continue;
        conn->unsynced = conn->listed = false;
        if (!flush(worker, conn))
            drop(worker, conn);
    }
    worker->waiting_n = 0;
}

/* Replies held back by --delay-ms whose time has come; the next letter may be held in its turn. */
static void answer_delayed(struct sink_worker *worker)
{
    struct sink_conn *list = worker->delayed;
    uint64_t now = now_us();

    worker->delayed = NULL;
    while (list != NULL) {
        struct sink_conn *conn = list;
        list = conn->next_delayed;
        if (conn->wake_us > now) {
            delay(worker, conn);
            continue;
        }
        conn->wake_us = 0;
        bool well = sink_speak(worker, conn);
        if (well && conn->wake_us != 0)
            delay(worker, conn);
        if (!well || !flush(worker, conn))
            drop(worker, conn);
    }
}

void *sink_run(void *argument)
{
    struct sink_worker *worker = argument;
    struct epoll_event events[EVENTS];

    while (!asked_to_stop()) {
        int n = epoll_wait(worker->poll, events, EVENTS, worker->delayed != NULL ? 1 : 50);
        for (int i = 0; i < n; i++) {
            struct sink_conn *conn = events[i].data.ptr;
            if (conn != NULL && !serve(worker, conn))
                drop(worker, conn);
            for (int k = 0; conn == NULL && k < ACCEPTS && take_client(worker); k++)
                continue;
        }
        if (sink.log != NULL)
            commit(worker);
        if (worker->delayed != NULL)
            answer_delayed(worker);
    }
    return NULL;
}

void sink_listen(struct sink_worker *worker)
{
    struct sockaddr_storage address;
    socklen_t length = resolve(sink.address, &address);
    int one = 1, fd = socket(address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0)
        give_up("socket", 1);
    if (address.ss_family == AF_UNIX) {
        unlink(sink.address + 5);
    } else {
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
        setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one));
    }
    if (bind(fd, (struct sockaddr *)&address, length) != 0 || listen(fd, 4096) != 0)
        give_up(sink.address, 1);
    if (address.ss_family == AF_UNIX)
        chmod(sink.address + 5, 0666);
    worker->listener = fd;
    worker->poll = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event event = { .events = EPOLLIN, .data.ptr = NULL };
    epoll_ctl(worker->poll, EPOLL_CTL_ADD, fd, &event);
}

void sink_open_log(struct sink_worker *worker, unsigned number)
{
    char path[512], *zeroes = must_have(LOG_STEP, 1);

    snprintf(path, sizeof(path), "%s.%u", sink.log, number);
    worker->log_file = open(path, O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0600);
    if (worker->log_file < 0)
        give_up(path, 1);
    for (off_t at = 0; at < log_bytes; at += LOG_STEP)   /* later syncs move data only */
        if (pwrite(worker->log_file, zeroes, LOG_STEP, at) != LOG_STEP)
            give_up(path, 1);
    free(zeroes);
    fsync(worker->log_file);
    unlink(path);
}
