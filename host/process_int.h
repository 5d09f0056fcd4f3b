/* SPDX-License-Identifier: ISC
 *
 * host/process_int.h: what a child does after the fork (child.c).
 */
#ifndef POSTERN_HOST_PROCESS_INT_H
#define POSTERN_HOST_PROCESS_INT_H

#include "host/estate.h"

#include <sys/types.h>

/* Become that role; never returns. `leash` is the child's end, `master` the pid of its parent. */
_Noreturn void child_main(const struct estate *estate, struct role_name role, int leash,
                          pid_t master);

#endif
