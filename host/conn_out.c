/* SPDX-License-Identifier: ISC */
#include "host/conn_int.h"

#include "base/arena.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { OUT_LEAST = 1000 };      /* with its head still a small block of the allocator */

static struct conn *used(struct conns *conns, uint32_t number)
{
    assert(number < conns->n && conns->list[number].flags & CONN_USED);
    return &conns->list[number];
}

static void dirty(struct conns *conns, uint32_t number)
{
    struct conn *conn = &conns->list[number];

    if (conn->flags & (CONN_DIRTY | CONN_BLOCKED))
        return;
    conn->flags |= CONN_DIRTY;
    conns->dirty[conns->n_dirty++] = number;
}

/* Room for n more octets, or NULL. */
static struct out *out_with_room(struct out *out, size_t n)
{
    size_t had = out == NULL ? 0 : out->n;
    size_t room = out == NULL ? OUT_LEAST : out->room;

    if (had + n > CONN_WAITING_MOST)
        return NULL;
    if (out != NULL && had + n <= room)
        return out;
    while (room < had + n)
        room *= 2;
    struct out *grown = mem_resize(out, sizeof(*out) + room);
    if (grown == NULL)
        return NULL;
    if (out == NULL)
        *grown = (struct out){ 0 };
    grown->room = (uint32_t)room;
    return grown;
}

void conns_send(struct conns *conns, uint32_t number, struct bytes bytes)
{
    struct conn *conn = used(conns, number);

    if (conn->flags & (CONN_GONE | CONN_CLOSING))
        return;
    if (conn->out != NULL && conn->out->sent > conn->out->n / 2) {
        conn->out->n -= conn->out->sent;
        memmove(conn->out->data, conn->out->data + conn->out->sent, conn->out->n);
        conn->out->sent = 0;
    }
    struct out *out = out_with_room(conn->out, bytes.n);
    if (out == NULL) {
        conns_log(conns, LOG_WARN, "connection-too-slow", ENOBUFS);
        conn_gone(conns, number);
        return;
    }
    memcpy(out->data + out->n, bytes.at, bytes.n);
    out->n += (uint32_t)bytes.n;
    conn->out = out;
    dirty(conns, number);
}

void conns_pause(struct conns *conns, uint32_t number, bool pause)
{
    struct conn *conn = used(conns, number);

    if (pause) {
        conn->flags |= CONN_PAUSED;
        return;
    }
    conn->flags &= (uint16_t)~CONN_PAUSED;
    if (conn_reads(conn))
        conn_queue(conns, number);
}

void conns_close(struct conns *conns, uint32_t number)
{
    struct conn *conn = used(conns, number);

    if (conn->flags & (CONN_GONE | CONN_CLOSING))
        return;
    conn_list_put(conns, &conns->flushing, number, CONN_FLUSH_MS);
    conn->flags |= CONN_CLOSING;
    dirty(conns, number);
}

void conns_abort(struct conns *conns, uint32_t number)
{
    used(conns, number);
    conn_gone(conns, number);
}

/* All is sent: say that no more comes, and wait a little for the client to say the same. */
static void linger(struct conns *conns, uint32_t number)
{
    struct conn *conn = &conns->list[number];

    if (conn->flags & CONN_ENDED || shutdown(conn->fd, SHUT_WR) < 0) {
        conn_gone(conns, number);
        return;
    }
    conn_list_remove(conns, number);
    conn->flags |= CONN_LINGERS;
    conn_list_put(conns, &conns->lingering, number, CONN_LINGER_MS);
    if (conn->flags & CONN_READABLE)
        conn_queue(conns, number);
    if (conns->lingering.n > CONN_LINGERING_MOST)
        conn_gone(conns, conns->lingering.first);
}

/* Ask epoll to say when it takes octets again; edge-triggered, so once is enough. */
static bool watch_out(struct conns *conns, uint32_t number)
{
    struct conn *conn = &conns->list[number];
    struct epoll_event event = {
        .events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
        .data.u64 = 1 | (uint64_t)conns->owner << 1 | (uint64_t)conn->generation << 16
                  | (uint64_t)number << 32,
    };

    if (conn->flags & CONN_OUT_WATCHED)
        return true;
    conn->flags |= CONN_OUT_WATCHED;
    return epoll_ctl(conns->loop->epoll, EPOLL_CTL_MOD, conn->fd, &event) == 0;
}

/* It takes no more now. One that is closing has its time begin anew whenever it takes something. */
static void blocked(struct conns *conns, uint32_t number, bool progress)
{
    struct conn *conn = &conns->list[number];

    conn->flags |= CONN_BLOCKED;
    if (!watch_out(conns, number)) {
        conn_gone(conns, number);
    } else if (conn->flags & CONN_CLOSING && progress) {
        conn_list_remove(conns, number);
        conn_list_put(conns, &conns->flushing, number, CONN_FLUSH_MS);
    }
}

bool conn_flush(struct conns *conns, uint32_t number)
{
    struct conn *conn = &conns->list[number];
    struct out *out = conn->out;
    bool progress = false, was_watched = conn->flags & CONN_OUT_WATCHED;

    while (out != NULL && out->sent < out->n) {
        ssize_t sent = send(conn->fd, out->data + out->sent, out->n - out->sent,
                            MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0 && (errno == EAGAIN || errno == ENOBUFS || errno == ENOMEM)) {
            blocked(conns, number, progress);
            return false;
        }
        if (sent < 0) {
            conn_gone(conns, number);
            return false;
        }
        out->sent += (uint32_t)sent;
        progress = true;
    }
    mem_free(out);
    conn->out = NULL;
    if (conn->flags & CONN_CLOSING && !(conn->flags & CONN_LINGERS)) {
        linger(conns, number);
        return false;
    }
    return was_watched;
}

/* All that was sent on it has left, and it goes on. */
static bool is_drained(const struct conn *conn)
{
    return conn->flags & CONN_USED && conn->out == NULL
        && !(conn->flags & (CONN_CLOSING | CONN_GONE));
}

void conns_flush(struct conns *conns)
{
    uint32_t n_drained = 0;

    for (uint32_t i = 0; i < conns->n_dirty; i++) {
        uint32_t number = conns->dirty[i];
        struct conn *conn = &conns->list[number];
        conn->flags &= (uint16_t)~CONN_DIRTY;
        if (!(conn->flags & CONN_USED) || conn->fd < 0 || conn->flags & CONN_BLOCKED)
            continue;
        conn_flush(conns, number);
        if (conn_reads(conn))
            conn_queue(conns, number);
        if (is_drained(conn))
            conns->serving[n_drained++] = number;   /* free between two turns */
    }
    conns->n_dirty = 0;
    for (uint32_t i = 0; i < n_drained; i++)
        if (is_drained(&conns->list[conns->serving[i]]))
            conns->tell(conns->of, &(struct event){ .kind = EV_DRAINED,
                                                    .conn = conns->serving[i] });
}
