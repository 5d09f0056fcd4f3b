/* SPDX-License-Identifier: ISC
 *
 * host/io.h: the file lanes of one role: a host thread each, so that no step ever waits for a disk.
 *
 * The loop gathers what the steps of a turn ask for, then hands each lane its share at once: one
 * wake-up a batch. What is done comes back through one eventfd, which is written when there was
 * nothing before.
 */
#ifndef POSTERN_HOST_IO_H
#define POSTERN_HOST_IO_H

#include "host/file.h"

struct lanes;

/* n threads on these files, which must outlive them. NULL when memory or threads are short. Call
   it with all signals blocked: the threads inherit that. */
MUST_USE struct lanes *lanes_new(unsigned n, struct files *files);
/* Do all that was handed over, forget what is done, end the threads. */
void lanes_free(struct lanes *lanes);
/* Becomes readable when something is done; edge-triggered, so nobody needs to read it. */
int lanes_fd(const struct lanes *lanes);

/* Gather one operation: names are copied, io->data is the lane's from now on. False, and the data
   is freed, when memory is short or there is no such lane: the role cannot go on. */
MUST_USE bool lanes_add(struct lanes *lanes, const struct io *io);
/* A step is over: no chain goes on beyond it. */
void lanes_end_step(struct lanes *lanes);
/* Hand over what was gathered. */
void lanes_go(struct lanes *lanes);

/* Operations handed over or gathered and not yet taken back. */
size_t lanes_busy(const struct lanes *lanes);
/* Call back for each that is done and not silent. `data` is freed after the call. */
void lanes_take(struct lanes *lanes, void *of,
                void (*done)(void *of, uint64_t token, const struct file_result *result));

#endif
