/* SPDX-License-Identifier: ISC
 *
 * host/process.h: master's hands: a process for each role, channels between those that may speak,
 * and what became of them.
 *
 * A channel is made by master and its ends are passed to both; when one side died, the other is
 * given a new one, and so learns of it. Children die with master.
 */
#ifndef POSTERN_HOST_PROCESS_H
#define POSTERN_HOST_PROCESS_H

#include "host/estate.h"

/* Run the server, a process a role, until it has ended; the exit status. `began`, when not NULL,
   is called once the loop of master stands (for tests). signals_take must have been called. */
int processes_run(struct estate *estate,
                  void (*began)(void *of, struct loop *loop), void *of);

/* The same with all roles in one loop of this process; one front. */
int together_run(struct estate *estate);

#endif
