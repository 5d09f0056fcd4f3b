/* SPDX-License-Identifier: ISC
 *
 * mailstorm's threads: each has its share of the connections and an epoll of its own.
 */
#include "bench/load/storm.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

enum { EVENTS = 256, SWEEP_US = 100000, STOP_US = 1000000 };

static double seconds_since(uint64_t us, uint64_t now)
{
    return (double)(now - us) / 1e6;
}

static void watch(struct storm_worker *worker, struct storm_conn *conn, uint32_t events)
{
    struct epoll_event event = { .events = events, .data.ptr = conn };

    if (conn->events == events)
        return;
    epoll_ctl(worker->poll, conn->events == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, conn->stream.fd,
              &event);
    conn->events = events;
}

void storm_close(struct storm_worker *worker, struct storm_conn *conn)
{
    if (conn->state == STORM_OFF)
        return;
    stream_close(&conn->stream);
    conn->state = STORM_OFF;
    conn->events = 0;
    octets_clear(&conn->in);
    octets_clear(&conn->out);
    worker->held -= conn->held;
    conn->held = false;
    worker->live--;
}

void storm_fail(struct storm_worker *worker, struct storm_conn *conn, const char *where,
                const char *text, size_t n)
{
    unsigned lost = conn->letters_end - conn->letters_first;

    if (worker->samples < SAMPLES_MOST)
        snprintf(worker->sample[worker->samples++], SAMPLE_ROOM, "%s: %.*s", where,
                 (int)(n > 150 ? 150 : n), text);
    worker->failed += lost;
    worker->opens_failed += lost == 0;
    if (atomic_fetch_add(&storm_failed, lost == 0 ? 1 : lost) + 1 > storm.errors_most)
        ask_to_stop();
    storm_close(worker, conn);
}

static void fail_by_errno(struct storm_worker *worker, struct storm_conn *conn, const char *where,
                          int error)
{
    const char *text = strerror(error);

    storm_fail(worker, conn, where, text, strlen(text));
}

static void open_conn(struct storm_worker *worker, struct storm_conn *conn)
{
    struct octets in = conn->in, out = conn->out;
    int one = 1, fd = socket(storm_peer.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0)
        give_up("socket", 1);
    if (storm_peer.ss_family != AF_UNIX)
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    memset(conn, 0, offsetof(struct storm_conn, header));
    octets_clear(&in);
    octets_clear(&out);
    conn->in = in;
    conn->out = out;
    conn->stream.fd = fd;
    conn->connect_us = now_us();
    conn->state = STORM_CONNECT;
    worker->live++;
    worker->opens++;
    if (connect(fd, (struct sockaddr *)&storm_peer, storm_peer_length) != 0
        && errno != EINPROGRESS) {
        fail_by_errno(worker, conn, "connect", errno);
        return;
    }
    storm_await(conn, AWAIT_BANNER);
    watch(worker, conn, EPOLLIN | EPOLLOUT);
}

/* Writing failed: a reply that says why may be waiting. */
static void fail_to_write(struct storm_worker *worker, struct storm_conn *conn)
{
    int error = errno;
    ssize_t n = stream_read(&conn->stream, octets_room(&conn->in, READ_BYTES), READ_BYTES);

    if (n > 0) {
        conn->in.end += (size_t)n;
        if (!storm_take_replies(worker, conn))
            return;
    }
    fail_by_errno(worker, conn, "write", error);
}

/* False: the connection is gone. */
static bool drain(struct storm_worker *worker, struct storm_conn *conn)
{
    for (;;) {
        storm_generate(worker, conn);
        if (octets_held(&conn->out) == 0)
            break;
        ssize_t n = stream_write(&conn->stream, octets_first(&conn->out), octets_held(&conn->out));
        if (n < 0) {
            fail_to_write(worker, conn);
            return false;
        }
        if (n == 0) {
            watch(worker, conn, EPOLLIN | EPOLLOUT);
            return true;
        }
        conn->out.begin += (size_t)n;
    }
    if (storm.half_close && conn->state == STORM_QUIT && conn->stream.ssl == NULL && !conn->shut) {
        shutdown(conn->stream.fd, SHUT_WR);
        conn->shut = true;
    }
    watch(worker, conn, EPOLLIN);
    return true;
}

/* False: not yet, or the connection is gone. */
static bool handshake(struct storm_worker *worker, struct storm_conn *conn)
{
    bool write = false;
    int done = stream_handshake(&conn->stream, &write);

    if (done == 0)
        watch(worker, conn, write ? EPOLLIN | EPOLLOUT : EPOLLIN);
    if (done < 0) {
        char text[160];
        ERR_error_string_n(ERR_get_error(), text, sizeof(text));
        storm_fail(worker, conn, "TLS handshake", text, strlen(text));
    }
    if (done != 1)
        return false;
    histogram_add(&worker->tls, now_us() - conn->tls_us);
    worker->handshakes++;
    conn->state = STORM_CONNECT;            /* until the second EHLO is answered */
    storm_hello(conn, AWAIT_EHLO_AGAIN);
    return true;
}

static void on_end(struct storm_worker *worker, struct storm_conn *conn)
{
    unsigned awaited = conn->awaited_end - conn->awaited_first;
    const char *what = "";

    if (conn->state == STORM_QUIT && awaited <= 1) {
        storm_close(worker, conn);
        return;
    }
    if (awaited > 0)
        what = storm_await_names[conn->awaited[conn->awaited_first % AWAITED_MOST]];
    storm_fail(worker, conn, "connection closed", what, strlen(what));
}

/* False: the connection failed or has nothing to read yet. */
static bool connected(struct storm_worker *worker, struct storm_conn *conn, uint32_t events)
{
    int error = 0;
    socklen_t length = sizeof(error);

    getsockopt(conn->stream.fd, SOL_SOCKET, SO_ERROR, &error, &length);
    if (error != 0) {
        fail_by_errno(worker, conn, "connect", error);
        return false;
    }
    if ((events & EPOLLIN) == 0)
        watch(worker, conn, EPOLLIN);
    return (events & EPOLLIN) != 0;
}

static void serve(struct storm_worker *worker, struct storm_conn *conn, uint32_t events)
{
    if (conn->state == STORM_CONNECT && !connected(worker, conn, events))
        return;
    for (;;) {
        if (conn->state == STORM_HANDSHAKE && !handshake(worker, conn))
            return;
        ssize_t n = stream_read(&conn->stream, octets_room(&conn->in, READ_BYTES), READ_BYTES);
        if (n < 0) {
            on_end(worker, conn);
            return;
        }
        conn->in.end += (size_t)n;
        if ((n > 0 && !storm_take_replies(worker, conn)) || !drain(worker, conn))
            return;
        if (conn->state == STORM_HANDSHAKE)
            continue;
        if (n == 0 || (conn->stream.ssl == NULL && n < READ_BYTES))
            return;
    }
}

static bool more_work(void)
{
    return !asked_to_stop() && (storm.idle > 0 || atomic_load(&storm_tickets) < storm.total);
}

/* Open what may be open by now; true when some had to wait for --rate. */
static bool open_some(struct storm_worker *worker, uint64_t now)
{
    uint64_t may = worker->n;

    if (storm.idle > 0 ? worker->opened : !more_work())
        return false;
    if (storm.rate > 0) {
        double due = storm.rate / storm.threads * seconds_since(worker->started_us, now);
        may = (uint64_t)due > worker->opens ? (uint64_t)due - worker->opens : 0;
    }
    for (unsigned i = 0; i < worker->n && more_work(); i++) {
        if (worker->conns[i].state != STORM_OFF)
            continue;
        if (storm.idle > 0 && worker->opens >= worker->n)
            break;
        if (may == 0)
            return true;
        may--;
        open_conn(worker, &worker->conns[i]);
    }
    worker->opened = storm.idle > 0 && worker->opens >= worker->n;
    return false;
}

/* What a full listen queue leaves behind: connections that the other side does not know. */
static void sweep(struct storm_worker *worker, uint64_t now)
{
    for (unsigned i = 0; i < worker->n; i++) {
        struct storm_conn *conn = &worker->conns[i];
        if (conn->state == STORM_CONNECT && conn->awaited_first == 0
            && seconds_since(conn->connect_us, now) > storm.banner)
            storm_fail(worker, conn, "no banner in time", "", 0);
    }
}

static void keep_time(struct storm_worker *worker, uint64_t now)
{
    if (storm.idle > 0 && worker->held_since == 0 && worker->opened
        && worker->held == worker->live) {
        worker->held_since = now;
        fprintf(stderr, "mailstorm: holding %u connections\n", worker->held);
    }
    if ((worker->held_since != 0 && seconds_since(worker->held_since, now) >= storm.idle)
        || seconds_since(worker->started_us, now) > storm.limit)
        ask_to_stop();
}

/* Let dialogues in progress end, for at most a second. True: now it is over. */
static bool stopped(struct storm_worker *worker, uint64_t now)
{
    for (unsigned i = 0; i < worker->n; i++)
        if (worker->conns[i].state == STORM_UP && worker->conns[i].held)
            storm_close(worker, &worker->conns[i]);
    if (worker->stopped_us == 0)
        worker->stopped_us = now;
    return worker->live == 0 || now - worker->stopped_us > STOP_US;
}

static void wait_and_serve(struct storm_worker *worker, bool waiting)
{
    struct epoll_event events[EVENTS];
    int n = epoll_wait(worker->poll, events, EVENTS, waiting ? 1 : 20);

    for (int i = 0; i < n; i++) {
        struct storm_conn *conn = events[i].data.ptr;
        if (conn->state == STORM_OFF)
            continue;
        serve(worker, conn, events[i].events);
        /* a slot that has become free is used again at once */
        if (conn->state == STORM_OFF && storm.rate <= 0 && storm.idle <= 0 && more_work())
            open_conn(worker, conn);
    }
}

void *storm_run(void *argument)
{
    struct storm_worker *worker = argument;
    uint64_t now = now_us(), swept = now;

    for (worker->started_us = now;; now = now_us()) {
        bool waiting = open_some(worker, now);
        if (storm.banner > 0 && now - swept > SWEEP_US) {
            sweep(worker, now);
            swept = now;
        }
        keep_time(worker, now);
        if (asked_to_stop() ? stopped(worker, now)
                            : worker->live == 0 && !waiting && !more_work())
            break;
        wait_and_serve(worker, waiting);
    }
    for (unsigned i = 0; i < worker->n; i++) {
        struct storm_conn *conn = &worker->conns[i];
        if (conn->state != STORM_OFF)
            worker->failed += conn->letters_end - conn->letters_first;
        storm_close(worker, conn);
        octets_done(&conn->in);
        octets_done(&conn->out);
    }
    return NULL;
}
