/* SPDX-License-Identifier: ISC */
#include "host/loop.h"

#include "host/actor.h"
#include "host/clock.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <sys/epoll.h>
#include <unistd.h>

enum { LOG_AGAIN_MS = 100 };

/* Written over memory that waits to be freed; so it must be at least that large. */
struct grave {
    struct watcher dead;        /* what epoll may still point to */
    struct grave *next;
};

struct loop *loop_new(struct log_sink *log)
{
    struct loop *loop = mem_new(sizeof(*loop));

    if (loop == NULL)
        return NULL;
    loop->log = log;
    loop->now = clock_now();
    loop->scratch = mem_new(LOOP_SCRATCH);
    loop->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (loop->scratch == NULL || loop->epoll < 0) {
        int error = loop->scratch == NULL ? ENOMEM : errno;
        loop_free(loop);
        errno = error;
        return NULL;
    }
    return loop;
}

static void free_graves(struct loop *loop)
{
    while (loop->graves != NULL) {
        struct grave *next = loop->graves->next;
        mem_free(loop->graves);
        loop->graves = next;
    }
}

void loop_free(struct loop *loop)
{
    if (loop == NULL)
        return;
    for (size_t i = 0; i < LOOP_ACTORS; i++)
        actor_free(loop->actors[i]);
    free_graves(loop);
    if (loop->epoll >= 0)
        close(loop->epoll);
    mem_free(loop->scratch);
    mem_free(loop);
}

void loop_bury(struct loop *loop, void *memory)
{
    struct grave *grave = memory;

    *grave = (struct grave){ .next = loop->graves };
    loop->graves = grave;
}

static bool control(struct loop *loop, int what, int fd, uint32_t events, struct watcher *watcher)
{
    struct epoll_event event = { .events = events, .data.ptr = watcher };

    return epoll_ctl(loop->epoll, what, fd, &event) == 0;
}

bool loop_watch(struct loop *loop, int fd, uint32_t events, struct watcher *watcher)
{
    return control(loop, EPOLL_CTL_ADD, fd, events, watcher);
}

bool loop_rewatch(struct loop *loop, int fd, uint32_t events, struct watcher *watcher)
{
    return control(loop, EPOLL_CTL_MOD, fd, events, watcher);
}

void loop_unwatch(struct loop *loop, int fd)
{
    (void)epoll_ctl(loop->epoll, EPOLL_CTL_DEL, fd, NULL);
}

static uint64_t due_ms(const struct loop *loop)
{
    uint64_t due = loop->log_waits ? loop->now.mono_ms + LOG_AGAIN_MS : UINT64_MAX;

    for (size_t i = 0; i < LOOP_ACTORS; i++) {
        uint64_t at = loop->actors[i] == NULL ? UINT64_MAX : actor_due_ms(loop->actors[i]);
        due = at < due ? at : due;
    }
    if (loop->guest != NULL) {
        uint64_t at = loop->guest->due_ms(loop->guest);
        due = at < due ? at : due;
    }
    return due;
}

static int wait_ms(const struct loop *loop, int most)
{
    uint64_t due = due_ms(loop), now = loop->now.mono_ms;
    uint64_t left = due <= now ? 0 : due - now;

    if (due == UINT64_MAX || left > INT_MAX)
        return most;
    return most >= 0 && (uint64_t)most < left ? most : (int)left;
}

static void dispatch(struct loop *loop, const struct epoll_event *event)
{
    struct watcher *watcher = event->data.ptr;

    if (conn_tag_is(event->data.u64)) {
        struct actor *actor = loop->actors[conn_tag_owner(event->data.u64)];
        if (actor != NULL)
            conns_event(&actor->conns, event->data.u64, event->events);
    } else if (watcher->ready != NULL) {
        watcher->ready(watcher, event->events);
    }
}

static void see_who_ended(struct loop *loop)
{
    for (size_t i = 0; i < LOOP_ACTORS; i++)
        if (loop->actors[i] != NULL && loop->actors[i]->ended && loop->spawner != NULL
            && loop->spawner->ended != NULL)
            loop->spawner->ended(loop->spawner, loop->actors[i]);
}

void loop_turn(struct loop *loop, int wait_ms_most)
{
    struct epoll_event events[LOOP_EVENTS];
    int n = epoll_wait(loop->epoll, events, LOOP_EVENTS, wait_ms(loop, wait_ms_most));

    assert(n >= 0 || errno == EINTR);
    loop->now = clock_now();
    for (int i = 0; i < n; i++)
        dispatch(loop, &events[i]);
    if (loop->guest != NULL)
        loop->guest->turn(loop->guest);
    for (size_t i = 0; i < LOOP_ACTORS; i++)
        if (loop->actors[i] != NULL)
            actor_turn(loop->actors[i]);
    for (size_t i = 0; i < LOOP_ACTORS; i++)
        if (loop->actors[i] != NULL)
            actor_flush(loop->actors[i]);
    see_who_ended(loop);
    loop->log_waits = log_sink_flush(loop->log);
    free_graves(loop);
}

int loop_run(struct loop *loop, const struct actor *chief)
{
    while (!chief->ended)
        loop_turn(loop, -1);
    return chief->status;
}
