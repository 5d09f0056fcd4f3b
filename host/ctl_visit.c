/* SPDX-License-Identifier: ISC
 *
 * One poll(2) for all. A server that is dead, mute, or says an octet a minute costs the time of
 * its own visit, and no other's.
 */
#include "host/ctl_visit.h"

#include "host/address.h"
#include "host/clock.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PORT = 25, PART = 16 * 1024 };

struct call {
    struct visit_order *order;      /* NULL: it is free */
    struct probe *probe;
    int fd;
    bool connected;
    uint64_t until_ms;              /* monotonic */
};

/* ---- one visit */

static void end_early(struct visit_order *order, enum checkup_end end, const char *words)
{
    if (order->visit->end != CHECKUP_NOT_VISITED)
        return;
    order->visit->end = end;
    buffer_put_text(&order->visit->why, words);
}

static void hang_up(struct call *call)
{
    probe_free(call->probe);
    if (call->fd >= 0)
        close(call->fd);
    end_early(call->order, CHECKUP_SILENT, "memory is short here");
    call->order = NULL;
}

static void begin(struct call *call, struct visit_order *order)
{
    struct net_address to = { .port = PORT };

    memcpy(to.ip, order->visit->ip, sizeof(to.ip));
    struct address_buffer address = address_write(&to);
    *call = (struct call){ .order = order, .probe = probe_new(&order->want, order->visit),
                           .fd = socket(address.at.any.sa_family,
                                        SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0),
                           .until_ms = clock_now().mono_ms + VISIT_CONNECT_MS };
    bool began = call->fd >= 0 && call->probe != NULL
              && (connect(call->fd, &address.at.any, address.n) == 0 || errno == EINPROGRESS);
    if (!began) {
        end_early(order, CHECKUP_NOBODY, strerror(errno));
        hang_up(call);
    }
}

/* The kernel takes what we say, as it is little; if not, the visit is over. */
static void say(struct call *call)
{
    struct bytes out = probe_output(call->probe);

    if (out.n > 0 && send(call->fd, out.at, out.n, MSG_NOSIGNAL) != (ssize_t)out.n)
        probe_lost(call->probe, BYTES("it takes nothing"));
    probe_sent(call->probe);
}

static void is_connected(struct call *call)
{
    struct net_address ours;
    int error = 0;
    socklen_t n = sizeof(error);

    if (getsockopt(call->fd, SOL_SOCKET, SO_ERROR, &error, &n) < 0)
        error = errno;
    if (error != 0) {
        end_early(call->order, CHECKUP_NOBODY, strerror(error));
        hang_up(call);
        return;
    }
    call->connected = true;
    call->until_ms = clock_now().mono_ms + VISIT_MS;
    if (address_of_socket(call->fd, &ours)) {
        call->order->called = true;
        memcpy(call->order->from, ours.ip, sizeof(ours.ip));
    }
}

static void hear(struct call *call)
{
    char part[PART];
    ssize_t n = recv(call->fd, part, sizeof(part), 0);
    bool goes_on = n > 0;

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0)
        probe_lost(call->probe, n == 0 ? BYTES("it hung up") : bytes_of(strerror(errno)));
    else
        goes_on = probe_step(call->probe, (struct bytes){ part, (size_t)n });
    say(call);
    if (!goes_on)
        hang_up(call);
}

static void is_late(struct call *call)
{
    if (call->connected)
        probe_lost(call->probe, BYTES("it took too long"));
    else
        end_early(call->order, CHECKUP_NOBODY, "nobody answers there");
    hang_up(call);
}

/* ---- all of them */

static void turn(struct call *calls, uint64_t end_ms)
{
    struct pollfd watches[VISITS_AT_ONCE];
    uint64_t now = clock_now().mono_ms, next = end_ms;

    for (size_t i = 0; i < VISITS_AT_ONCE; i++) {
        struct call *call = &calls[i];
        watches[i] = (struct pollfd){ .fd = call->order == NULL ? -1 : call->fd,
                                      .events = call->connected ? POLLIN : POLLOUT };
        if (call->order != NULL && call->until_ms < next)
            next = call->until_ms;
    }
    int ready = poll(watches, VISITS_AT_ONCE, next <= now ? 0 : (int)(next - now));
    now = clock_now().mono_ms;
    for (size_t i = 0; i < VISITS_AT_ONCE; i++) {
        struct call *call = &calls[i];
        if (call->order == NULL)
            continue;
        if (ready > 0 && watches[i].revents != 0 && call->connected)
            hear(call);
        else if (ready > 0 && watches[i].revents != 0)
            is_connected(call);
        if (call->order != NULL && (now >= call->until_ms || now >= end_ms))
            is_late(call);
    }
}

void visit_all(struct visit_order *orders, size_t n)
{
    struct call *calls = calloc(VISITS_AT_ONCE, sizeof(*calls));
    uint64_t end_ms = clock_now().mono_ms + VISITS_MS;
    size_t next = 0, open = 1;

    while (calls != NULL && open > 0) {
        open = 0;
        for (size_t i = 0; i < VISITS_AT_ONCE; i++) {
            while (calls[i].order == NULL && next < n && clock_now().mono_ms < end_ms) {
                struct visit_order *order = &orders[next++];
                if (order->visit->end == CHECKUP_NOT_VISITED)
                    begin(&calls[i], order);
            }
            open += calls[i].order != NULL;
        }
        if (open > 0)
            turn(calls, end_ms);
    }
    for (; next < n; next++)
        end_early(&orders[next], CHECKUP_NOBODY, "no time was left to call there");
    free(calls);
}
