/* SPDX-License-Identifier: ISC
 *
 * sim/trace.h: events and effects as lines for people, on standard output.
 */
#ifndef POSTERN_SIM_TRACE_H
#define POSTERN_SIM_TRACE_H

#include "base/effects.h"

/* " write lane 0 slot 1 ..." */
void trace_print_io(const struct io *io);
/* The first octets, in quotes. */
void trace_print_text(struct bytes text);

#endif
