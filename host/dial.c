/* SPDX-License-Identifier: ISC
 *
 * Connections that a role asks for. The number is taken at once and the answer comes in a later
 * turn, whether the kernel says yes, no or nothing yet: a role is never stepped inside its step. */
#include "host/conn_int.h"

#include "host/address.h"
#include "host/fault.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

/* Of a SYN after the first, at 1, 3, 7 and 15 s: who has not answered after 31 s will not, and each
   dial that is open is one less for others. */
enum { DIAL_TRIES = 4 };

static bool path_write(struct bytes path, struct address_buffer *ret_to)
{
    struct address_buffer to = { .n = sizeof(to.at.local) };

    if (path.n >= sizeof(to.at.local.sun_path))
        return false;
    to.at.local.sun_family = AF_UNIX;
    memcpy(to.at.local.sun_path, path.at, path.n);
    *ret_to = to;
    return true;
}

/* 0, EINPROGRESS, or why not. */
static int begin(int fd, const struct address_buffer *to)
{
    int on = 1, tries = DIAL_TRIES;

    if (fd < 0)
        return errno;
    if (to->at.any.sa_family != AF_UNIX) {
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
        (void)setsockopt(fd, IPPROTO_TCP, TCP_SYNCNT, &tries, sizeof(tries));
    }
    return connect(fd, &to->at.any, to->n) < 0 ? errno : 0;
}

bool conns_dial(struct conns *conns, uint32_t token, const struct net_address *address,
                struct bytes path)
{
    struct address_buffer to = address_write(address);
    bool writes = path.n == 0 || path_write(path, &to);
    uint32_t number = conn_take(conns);

    if (number == CONN_NONE)
        return false;
    struct conn *conn = &conns->list[number];
    conn->flags |= CONN_DIALS;
    conn->due_ms = token;
    conn->fd = writes ? socket(to.at.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)
                      : -1;
    int error = writes ? begin(conn->fd, &to) : ENAMETOOLONG;
    if ((error == 0 || error == EINPROGRESS) && !conn_watch(conns, number, EPOLLOUT))
        error = ENOMEM;
    conn->before = (uint32_t)(error == EINPROGRESS ? 0 : error);
    conn->flags |= CONN_OUT_WATCHED;
    if (error != 0 && error != EINPROGRESS)
        conn_queue(conns, number);
    return true;
}

void conn_dialled(struct conns *conns, uint32_t number)
{
    struct conn *conn = &conns->list[number];
    struct event event = { .kind = EV_CONNECTED, .conn = number, .token = conn->due_ms };
    int error = (int)conn->before;
    socklen_t n = sizeof(error);

    if (error == 0 && getsockopt(conn->fd, SOL_SOCKET, SO_ERROR, &error, &n) < 0)
        error = errno;
    conn->flags &= (uint16_t)~(CONN_DIALS | CONN_UNBLOCKED);
    conn->before = CONN_NONE;
    if (error != 0) {
        event.fault = fault_of(error);
        if (conn->fd >= 0)
            close(conn->fd);
        conn->fd = -1;
        conn_give_back(conns, number);
    } else {
        (void)!address_of_socket(conn->fd, &event.local);
        conn->flags |= CONN_READABLE;       /* the edge may have come while it was connecting */
        conn_queue(conns, number);
    }
    conns->tell(conns->of, &event);
}
