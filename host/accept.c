/* SPDX-License-Identifier: ISC */
#include "host/conn_int.h"

#include "base/arena.h"
#include "host/address.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

static void on_ready(struct watcher *watcher, uint32_t events)
{
    struct listener *listener = (struct listener *)watcher;

    (void)events;
    listener->ready = true;
}

bool conns_listen(struct conns *conns, int fd, uint32_t index)
{
    uint32_t n = conns->n_listeners;
    struct listener *grown = mem_resize(conns->listeners, (n + 1) * sizeof(*grown));
    struct listener listener = { .watch = { on_ready }, .conns = conns, .fd = fd, .index = index };

    if (conns->reserve_fd < 0)
        conns->reserve_fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);      /* no file: a box has none */
    if (grown == NULL || !address_of_socket(fd, &listener.local)) {
        conns->listeners = grown == NULL ? conns->listeners : grown;
        close(fd);
        return false;
    }
    listener.any_local = address_is_any(&listener.local);
    listener.ready = true;      /* whoever came before us is not told of again */
    grown[n] = listener;
    conns->listeners = grown;
    conns->n_listeners++;
    /* The list may have moved: what epoll knows must move with it. */
    for (uint32_t i = 0; i < n; i++)
        if (!loop_rewatch(conns->loop, grown[i].fd, EPOLLIN | EPOLLET, &grown[i].watch))
            return false;
    return loop_watch(conns->loop, fd, EPOLLIN | EPOLLET, &grown[n].watch);
}

static void begin(struct conns *conns, struct listener *listener, int fd,
                  const struct address_buffer *from)
{
    struct event event = { .kind = EV_ACCEPT, .listener = listener->index,
                           .local = listener->local };

    if (!address_read(from, fd, &event.remote)
        || (listener->any_local && !address_of_socket(fd, &event.local))) {
        close(fd);
        return;
    }
    event.conn = conn_open(conns, fd);
    if (event.conn != CONN_NONE)
        conns->tell(conns->of, &event);
}

/* No descriptor for one more: get rid of one client with the one kept for this, and rest, so that
   the others do not make us spin (SRV-077, OS-003). */
static void rest(struct conns *conns, struct listener *listener, int error)
{
    bool table_full = error == EMFILE || error == ENFILE;

    conns_log(conns, LOG_WARN, "accept-rests", error);
    listener->rests_until_ms = conns->loop->now.mono_ms + ACCEPT_REST_MS;
    if (!table_full || conns->reserve_fd < 0)
        return;
    close(conns->reserve_fd);
    int fd = accept4(listener->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0)
        close(fd);
    conns->reserve_fd = fcntl(listener->fd, F_DUPFD_CLOEXEC, 0);
}

/* Errors of that one client, or of the way to it: accept(2) says to treat them like EAGAIN. */
static bool is_the_clients(int error)
{
    static const int errors[] = {
        ECONNABORTED, EINTR, EPROTO, ENOPROTOOPT, ENETDOWN, EHOSTDOWN, ENONET, EHOSTUNREACH,
        EOPNOTSUPP, ENETUNREACH, ETIMEDOUT, EPERM,
    };
    for (size_t i = 0; i < COUNT(errors); i++)
        if (errors[i] == error)
            return true;
    return false;
}

void listener_turn(struct conns *conns, struct listener *listener)
{
    if (listener->rests_until_ms > conns->loop->now.mono_ms)
        return;
    listener->rests_until_ms = 0;
    for (unsigned i = 0; i < ACCEPT_AT_ONCE && conns->open < conns->most; i++) {
        struct address_buffer from = { .n = sizeof(from.at) };
        int fd = accept4(listener->fd, &from.at.any, &from.n, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            begin(conns, listener, fd, &from);
        } else if (errno == EAGAIN) {
            listener->ready = false;
            return;
        } else if (!is_the_clients(errno)) {
            rest(conns, listener, errno);
            return;
        }
    }
}
