/* SPDX-License-Identifier: ISC */
#include "host/signals.h"

#include <signal.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

static sigset_t ours(void)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGUSR1);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    sigaddset(&set, SIGCHLD);
    return set;
}

void signals_take(void)
{
    sigset_t set = ours();

    sigprocmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
}

static void on_ready(struct watcher *watcher, uint32_t events)
{
    struct signals *signals = (struct signals *)watcher;
    struct signalfd_siginfo info;

    (void)events;
    while (read(signals->fd, &info, sizeof(info)) == (ssize_t)sizeof(info))
        signals->came(signals->of, (int)info.ssi_signo, (int)info.ssi_pid);
}

bool signals_watch(struct signals *signals, struct loop *loop, void *of,
                   void (*came)(void *of, int signal, int from))
{
    sigset_t set = ours();

    *signals = (struct signals){ .watch = { on_ready }, .of = of, .came = came,
                                 .fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC) };
    return signals->fd >= 0 && loop_watch(loop, signals->fd, EPOLLIN, &signals->watch);
}

void signals_done(struct signals *signals)
{
    if (signals->fd >= 0)
        close(signals->fd);
    signals->fd = -1;
}
