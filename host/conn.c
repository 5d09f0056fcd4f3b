/* SPDX-License-Identifier: ISC */
#include "host/conn_int.h"

#include "base/arena.h"
#include "base/log.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

/* epoll's data: 1 (a watcher's address is even), owner, generation, number. */
static uint64_t tag_of(const struct conns *conns, uint32_t number)
{
    return 1 | (uint64_t)conns->owner << 1 | (uint64_t)conns->list[number].generation << 16
         | (uint64_t)number << 32;
}

bool conn_tag_is(uint64_t tag)
{
    return tag & 1;
}

uint8_t conn_tag_owner(uint64_t tag)
{
    return (uint8_t)(tag >> 1);
}

void conns_init(struct conns *conns, struct loop *loop, uint8_t owner, void *of,
                void (*tell)(void *of, struct event *event), uint32_t most)
{
    *conns = (struct conns){
        .loop = loop, .owner = owner, .of = of, .tell = tell, .most = most, .free = CONN_NONE,
        .flushing = { CONN_NONE, CONN_NONE, 0 }, .lingering = { CONN_NONE, CONN_NONE, 0 },
        .reserve_fd = -1, .label = BYTES("?"),
    };
}

/* An event of this turn may still point into the list. */
void conns_unlisten(struct conns *conns)
{
    for (uint32_t i = 0; i < conns->n_listeners; i++) {
        loop_unwatch(conns->loop, conns->listeners[i].fd);
        close(conns->listeners[i].fd);
    }
    if (conns->listeners != NULL)
        loop_bury(conns->loop, conns->listeners);
    conns->listeners = NULL;
    conns->n_listeners = 0;
    if (conns->reserve_fd >= 0)         /* it is another of the same */
        close(conns->reserve_fd);
    conns->reserve_fd = -1;
}

void conns_done(struct conns *conns)
{
    for (uint32_t i = 0; i < conns->n; i++) {
        if (conns->list[i].fd >= 0)
            close(conns->list[i].fd);
        mem_free(conns->list[i].out);
    }
    conns_unlisten(conns);
    mem_free(conns->list);
    mem_free(conns->ready);
    mem_free(conns->serving);
    mem_free(conns->dirty);
    conns_init(conns, conns->loop, conns->owner, conns->of, conns->tell, conns->most);
}

void conns_log(const struct conns *conns, enum log_level level, const char *event, int error)
{
    struct buffer line = buffer_with_most(LIMIT_LOG_LINE);
    const char *name = strerrorname_np(error);

    log_begin(&line, event);
    log_ours(&line, "error", bytes_of(name == NULL ? "unknown" : name));
    log_sink_put(conns->loop->log, conns->loop->now.wall_ms, level, conns->label,
                 buffer_bytes(&line));
    buffer_done(&line);
}

/* ---- numbers ---- */

static bool grow_one(uint32_t **list, uint32_t room)
{
    uint32_t *grown = mem_resize(*list, room * sizeof(**list));

    *list = grown == NULL ? *list : grown;
    return grown != NULL;
}

static bool grow(struct conns *conns)
{
    uint32_t room = conns->room == 0 ? 64 : conns->room * 2;
    struct conn *list;

    if (!grow_one(&conns->ready, room) || !grow_one(&conns->serving, room)
        || !grow_one(&conns->dirty, room * 2))      /* a number may be used anew in one turn */
        return false;
    list = mem_resize(conns->list, room * sizeof(*list));
    if (list == NULL)
        return false;
    conns->list = list;
    conns->room = room;
    return true;
}

static uint32_t take_number(struct conns *conns)
{
    uint32_t number = conns->free;

    if (number != CONN_NONE) {
        conns->free = conns->list[number].after;
        return number;
    }
    if (conns->n == conns->room && !grow(conns))
        return CONN_NONE;
    conns->list[conns->n] = (struct conn){ .fd = -1 };
    return conns->n++;
}

void conn_give_back(struct conns *conns, uint32_t number)
{
    struct conn *conn = &conns->list[number];

    conn->flags = 0;
    conn->generation++;
    conn->after = conns->free;
    conns->free = number;
    conns->open--;
}

uint32_t conn_take(struct conns *conns)
{
    uint32_t number = take_number(conns);

    if (number == CONN_NONE)
        return CONN_NONE;
    struct conn *conn = &conns->list[number];
    *conn = (struct conn){ .fd = -1, .flags = CONN_USED, .generation = conn->generation,
                           .before = CONN_NONE, .after = CONN_NONE };
    conns->open++;
    return number;
}

bool conn_watch(struct conns *conns, uint32_t number, uint32_t events)
{
    struct epoll_event event = { .events = events | EPOLLIN | EPOLLRDHUP | EPOLLET,
                                 .data.u64 = tag_of(conns, number) };

    return epoll_ctl(conns->loop->epoll, EPOLL_CTL_ADD, conns->list[number].fd, &event) == 0;
}

uint32_t conn_open(struct conns *conns, int fd)
{
    uint32_t number = conn_take(conns);

    if (number == CONN_NONE) {
        close(fd);
        return CONN_NONE;
    }
    conns->list[number].fd = fd;
    if (!conn_watch(conns, number, 0)) {
        close(fd);
        conns->list[number].fd = -1;
        conn_give_back(conns, number);
        return CONN_NONE;
    }
    return number;
}

/* ---- the lists of those that are closing ---- */

static struct conn_list *list_of(struct conns *conns, uint32_t number)
{
    return conns->list[number].flags & CONN_LINGERS ? &conns->lingering : &conns->flushing;
}

void conn_list_put(struct conns *conns, struct conn_list *to, uint32_t number, uint32_t ms)
{
    struct conn *conn = &conns->list[number];

    conn->due_ms = (uint32_t)conns->loop->now.mono_ms + ms;
    conn->before = to->last;
    conn->after = CONN_NONE;
    if (to->last == CONN_NONE)
        to->first = number;
    else
        conns->list[to->last].after = number;
    to->last = number;
    to->n++;
}

void conn_list_remove(struct conns *conns, uint32_t number)
{
    struct conn *conn = &conns->list[number];
    struct conn_list *list = list_of(conns, number);

    if (conn->before == CONN_NONE)
        list->first = conn->after;
    else
        conns->list[conn->before].after = conn->after;
    if (conn->after == CONN_NONE)
        list->last = conn->before;
    else
        conns->list[conn->after].before = conn->before;
    list->n--;
}

/* ---- a turn ---- */

void conn_queue(struct conns *conns, uint32_t number)
{
    if (conns->list[number].flags & CONN_QUEUED)
        return;
    conns->list[number].flags |= CONN_QUEUED;
    conns->ready[conns->n_ready++] = number;
}

/* Close it now and tell the role in the next turn. */
void conn_gone(struct conns *conns, uint32_t number)
{
    struct conn *conn = &conns->list[number];

    if (conn->fd < 0)
        return;
    if (conn->flags & CONN_CLOSING)
        conn_list_remove(conns, number);
    close(conn->fd);
    conn->fd = -1;
    mem_free(conn->out);
    conn->out = NULL;
    conn->flags |= CONN_GONE;
    conn_queue(conns, number);
}

void conns_event(struct conns *conns, uint64_t tag, uint32_t events)
{
    uint32_t number = (uint32_t)(tag >> 32);
    struct conn *conn = &conns->list[number];

    assert(number < conns->n);
    if (!(conn->flags & CONN_USED) || conn->generation != (uint16_t)(tag >> 16) || conn->fd < 0)
        return;
    if (conn->flags & CONN_DIALS) {
        if (events & (EPOLLOUT | EPOLLERR | EPOLLHUP)) {
            conn->flags |= CONN_UNBLOCKED;
            conn_queue(conns, number);
        }
        return;
    }
    if (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP))
        conn->flags |= CONN_READABLE;
    if (events & (EPOLLRDHUP | EPOLLHUP))
        conn->flags |= CONN_HUNG;
    if (events & EPOLLHUP)
        conn->flags |= CONN_DEAD;
    if (events & EPOLLOUT && conn->flags & CONN_BLOCKED)
        conn->flags |= CONN_UNBLOCKED;
    if (events & EPOLLERR)
        conn_gone(conns, number);
    else
        conn_queue(conns, number);
}

static void tell(struct conns *conns, enum event_kind kind, uint32_t number, struct bytes bytes)
{
    struct event event = { .kind = kind, .conn = number, .bytes = bytes };

    conns->tell(conns->of, &event);
}

/* Read until it is empty, but at most one buffer full a turn, so that one client cannot hold up the
   others. A read that was not filled says that it is empty now; the end still has to be read. */
static void read_some(struct conns *conns, uint32_t number)
{
    struct conn *conn = &conns->list[number];

    while (conn_reads(conn)) {
        ssize_t got = recv(conn->fd, conns->loop->scratch, LOOP_SCRATCH, MSG_DONTWAIT);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0 && errno != EAGAIN) {
            conn_gone(conns, number);
            return;
        }
        if (got < LOOP_SCRATCH && !(conn->flags & CONN_HUNG && got > 0))
            conn->flags &= (uint16_t)~CONN_READABLE;
        if (got == 0) {
            conn->flags |= CONN_ENDED;
            tell(conns, EV_END, number, BYTES_NONE);
            if (conn->flags & CONN_DEAD)
                conn_gone(conns, number);
        } else if (got > 0) {
            tell(conns, EV_BYTES, number, (struct bytes){ conns->loop->scratch, (size_t)got });
        }
        if (got == LOOP_SCRATCH)
            break;
    }
    if (conn_reads(conn))
        conn_queue(conns, number);
}

/* Throw away what a client sends that we have said goodbye to: closing with octets unread would
   send a reset, and the client might lose our last reply. */
static void discard(struct conns *conns, uint32_t number)
{
    ssize_t got = recv(conns->list[number].fd, conns->loop->scratch, LOOP_SCRATCH, MSG_DONTWAIT);

    if (got > 0 || (got < 0 && errno == EINTR)) {
        conn_queue(conns, number);
    } else if (got == 0 || errno != EAGAIN) {
        conn_gone(conns, number);
    } else {
        conns->list[number].flags &= (uint16_t)~CONN_READABLE;
    }
}

static void serve(struct conns *conns, uint32_t number)
{
    struct conn *conn = &conns->list[number];

    conn->flags &= (uint16_t)~CONN_QUEUED;
    if (conn->flags & CONN_GONE) {
        conn_give_back(conns, number);
        tell(conns, EV_CLOSED, number, BYTES_NONE);
        return;
    }
    if (conn->flags & CONN_DIALS) {
        conn_dialled(conns, number);
        return;
    }
    if (conn->flags & CONN_UNBLOCKED) {
        conn->flags &= (uint16_t)~(CONN_UNBLOCKED | CONN_BLOCKED);
        if (conn_flush(conns, number))
            tell(conns, EV_DRAINED, number, BYTES_NONE);
    }
    if (conn->flags & CONN_LINGERS && conn->fd >= 0 && conn->flags & CONN_READABLE)
        discard(conns, number);
    else
        read_some(conns, number);
}

static void expire(struct conns *conns, const struct conn_list *list)
{
    while (list->first != CONN_NONE
           && (int32_t)(conns->list[list->first].due_ms - (uint32_t)conns->loop->now.mono_ms) <= 0)
        conn_gone(conns, list->first);
}

void conns_turn(struct conns *conns)
{
    uint32_t n = conns->n_ready;
    uint32_t *serving = conns->ready;

    conns->ready = conns->serving;
    conns->serving = serving;
    conns->n_ready = 0;
    for (uint32_t i = 0; i < n; i++)
        serve(conns, serving[i]);
    expire(conns, &conns->flushing);
    expire(conns, &conns->lingering);
    for (uint32_t i = 0; i < conns->n_listeners; i++)
        if (conns->listeners[i].ready)
            listener_turn(conns, &conns->listeners[i]);
}

static uint64_t earlier(uint64_t due, const struct conns *conns, const struct conn_list *list)
{
    uint64_t now = conns->loop->now.mono_ms, at;

    if (list->first == CONN_NONE)
        return due;
    int32_t left = (int32_t)(conns->list[list->first].due_ms - (uint32_t)now);
    at = left < 0 ? now : now + (uint32_t)left;
    return at < due ? at : due;
}

uint64_t conns_due_ms(const struct conns *conns)
{
    uint64_t due = UINT64_MAX;

    if (conns->n_ready > 0)
        return 0;
    due = earlier(due, conns, &conns->flushing);
    due = earlier(due, conns, &conns->lingering);
    for (uint32_t i = 0; i < conns->n_listeners && conns->open < conns->most; i++)
        if (conns->listeners[i].ready && conns->listeners[i].rests_until_ms < due)
            due = conns->listeners[i].rests_until_ms;
    return due;
}
