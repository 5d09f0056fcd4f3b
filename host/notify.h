/* SPDX-License-Identifier: ISC
 *
 * host/notify.h: what a service manager tells the program it starts, and wants to hear from it:
 * sd_listen_fds(3) and sd_notify(3), in our own words. Without one, nothing happens.
 */
#ifndef POSTERN_HOST_NOTIFY_H
#define POSTERN_HOST_NOTIFY_H

#include "base/event.h"

/* Tell it a line, such as "READY=1". */
void notify_send(const char *line);
/* A copy of the listening socket for that address which it handed over, non-blocking; -1: it has
   none, or there is no descriptor for the copy. */
MUST_USE int notify_socket(const struct net_address *address);

#endif
