/* SPDX-License-Identifier: ISC
 *
 * host/log.h: where log lines go: standard error or a file. One write a turn; never waits, never
 * ends a role.
 *
 * Each process has one. What cannot be written now is kept up to a bound and tried again; what
 * does not fit is counted, and the count is logged when there is room again.
 */
#ifndef POSTERN_HOST_LOG_H
#define POSTERN_HOST_LOG_H

#include "base/effects.h"

struct log_sink;

/* An empty path: standard error. NULL and errno when the file cannot be opened, or memory is
   short. */
MUST_USE struct log_sink *log_sink_new(struct bytes path);
void log_sink_free(struct log_sink *sink);

/* One line: time, level and role in front of it. */
void log_sink_put(struct log_sink *sink, uint64_t wall_ms, enum log_level level, struct bytes role,
                  struct bytes line);
/* Write what was put. True when some of it has to be tried again. */
bool log_sink_flush(struct log_sink *sink);
/* Open the file anew, by its name (it was moved away). When that fails the old one stays. */
void log_sink_reopen(struct log_sink *sink);
/* Write to this descriptor from now on; it is taken over. */
void log_sink_turn(struct log_sink *sink, int fd);
/* Forget what waits: after a fork it is the parent's to write. */
void log_sink_forget(struct log_sink *sink);
/* For a process that keeps few descriptors open: its own, or -1. */
int log_sink_fd(const struct log_sink *sink);

#endif
