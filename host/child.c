/* SPDX-License-Identifier: ISC */
#include "host/process_int.h"

#include "base/log.h"
#include "host/clock.h"
#include "host/leash.h"
#include "host/signals.h"
#include "role/rights.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sysexits.h>
#include <unistd.h>

struct child {
    struct watcher watch;       /* of the leash; first: a watcher is cast to its child */
    struct spawner spawner;
    int leash;
    struct actor *actor;
    struct log_sink *log;
    pid_t master;
};

/* Master is gone: nothing that is begun now could be recorded as having a keeper. */
static void on_leash(struct watcher *watcher, uint32_t events)
{
    struct child *child = (struct child *)watcher;
    struct role_name peer;
    int fd;

    (void)events;
    for (;;) {
        switch (leash_read(child->leash, &peer, &fd)) {
        case LEASH_NOTHING: return;
        case LEASH_PEER: link_open(child->actor, peer, fd); break;
        case LEASH_LOG: log_sink_turn(child->log, fd); break;
        case LEASH_FLAW: case LEASH_ENDED: _exit(EX_UNAVAILABLE);
        }
    }
}

static void on_flaw(struct spawner *spawner, struct role_name peer)
{
    struct child *child =
        (struct child *)(void *)((char *)spawner - offsetof(struct child, spawner));

    if (!leash_send_flaw(child->leash, peer))
        actor_end(child->actor, EX_UNAVAILABLE);
}

/* What ends a whole group of processes (a terminal, a service manager) is for master, who ends us
   in its order. Its word is another signal: of two of the same kind only one would be seen, and
   that one could be the other's. */
static void on_signal(void *of, int signal, int from)
{
    struct child *child = of;

    if (signal == SIGUSR1 && from == child->master)
        actor_post(child->actor, &(struct event){ .kind = EV_STOP });
}

static int by_number(const void *a, const void *b)
{
    return *(const int *)a - *(const int *)b;
}

/* Close all but these; sorted in place. */
static void close_others(int *keep, size_t n)
{
    unsigned from = STDERR_FILENO + 1;

    qsort(keep, n, sizeof(*keep), by_number);
    for (size_t i = 0; i < n; i++) {
        if (keep[i] < (int)from)
            continue;
        if ((unsigned)keep[i] > from)
            close_range(from, (unsigned)keep[i] - 1, 0);
        from = (unsigned)keep[i] + 1;
    }
    close_range(from, ~0U, 0);
}

/* Ours ends with its master's. A change of user forgets it. */
static void tie_to(pid_t master)
{
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != master)
        _exit(EX_OSERR);
}

static void become(const struct estate *estate, struct role_name role, int leash, pid_t master)
{
    int keep[LISTEN_MOST + 4];
    size_t n = estate_share(estate, role, keep);
    char title[16];

    tie_to(master);
    snprintf(title, sizeof(title), role.kind == ROLE_FRONT ? "postern:%s.%u" : "postern:%s",
             rights_of(role.kind)->name, role.index);
    prctl(PR_SET_NAME, title);
    keep[n++] = leash;
    keep[n++] = log_sink_fd(estate->log);
    close_others(keep, n);
    log_sink_forget(estate->log);
}

/* A role that cannot be shut in does not live. */
_Noreturn static void no_box(const struct estate *estate, struct role_name role, const char *step)
{
    struct buffer line = buffer_with_most(LIMIT_LOG_LINE);

    log_begin(&line, "box-failed");
    log_ours(&line, "step", bytes_of(step));
    log_uint(&line, "errno", (uint64_t)errno);
    log_sink_put(estate->log, clock_now().wall_ms, LOG_ERROR, bytes_of(rights_of(role.kind)->name),
                 buffer_bytes(&line));
    log_sink_flush(estate->log);
    _exit(EX_NOPERM);
}

/* The role with all its row gives it. */
static struct actor *settle(const struct estate *estate, struct role_name role, struct loop *loop)
{
    struct actor *actor = loop == NULL ? NULL
                        : actor_new(loop, role, estate->ops_of(role.kind), estate->conf);

    return actor != NULL && estate_equip(estate, actor) ? actor : NULL;
}

void child_main(const struct estate *estate, struct role_name role, int leash, pid_t master)
{
    struct child child = { .watch = { on_leash }, .spawner = { .flaw = on_flaw }, .leash = leash,
                           .log = estate->log, .master = master };
    struct box box = estate_box(estate, role.kind);
    struct signals signals;
    struct loop *loop;
    int status;

    become(estate, role, leash, master);
    if (!box_enter(&box))
        no_box(estate, role, "enter");
    tie_to(master);
    loop = loop_new(estate->log);
    child.actor = settle(estate, role, loop);
    if (child.actor == NULL || !loop_watch(loop, leash, EPOLLIN, &child.watch)
        || !signals_watch(&signals, loop, &child, on_signal))
        _exit(EX_OSERR);
    loop->spawner = &child.spawner;
    if (!box_close(&box))
        no_box(estate, role, "close");
    box_log(&box, estate->log, bytes_of(child.actor->label));
    status = loop_run(loop, child.actor);
    actor_free(child.actor);    /* what was handed to its threads is done first */
    log_sink_flush(estate->log);
    _exit(status);
}
