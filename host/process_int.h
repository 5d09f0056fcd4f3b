/* SPDX-License-Identifier: ISC
 *
 * host/process_int.h: what a child does after the fork (child.c).
 */
#ifndef POSTERN_HOST_PROCESS_INT_H
#define POSTERN_HOST_PROCESS_INT_H

#include "host/estate.h"

#include <sys/types.h>

/* Become that role; never returns. `leash` is the child's end, `master` the pid of its parent.
   `user`: for ROLE_USER, whose name; the estate is this process's own to change. */
_Noreturn void child_main(struct estate *estate, struct role_name role, const char *user, int leash,
                          pid_t master);

#endif
