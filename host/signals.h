/* SPDX-License-Identifier: ISC
 *
 * host/signals.h: signals as something a loop waits for.
 */
#ifndef POSTERN_HOST_SIGNALS_H
#define POSTERN_HOST_SIGNALS_H

#include "host/loop.h"

struct signals {
    struct watcher watch;
    int fd;
    void *of;
    void (*came)(void *of, int signal, int from);
};

/* Block SIGTERM, SIGINT, SIGHUP and SIGCHLD, ignore SIGPIPE and SIGXFSZ. Before any thread is
   made. */
void signals_take(void);
/* Call back for each of the four that comes; `from` is the pid that sent it. */
MUST_USE bool signals_watch(struct signals *signals, struct loop *loop, void *of,
                            void (*came)(void *of, int signal, int from));
void signals_done(struct signals *signals);

#endif
