/* SPDX-License-Identifier: ISC
 *
 * host/clock.h: the time of this machine, and its chance.
 */
#ifndef POSTERN_HOST_CLOCK_H
#define POSTERN_HOST_CLOCK_H

#include "base/event.h"

/* CLOCK_MONOTONIC and CLOCK_REALTIME, in milliseconds. */
struct moment clock_now(void);

/* n octets nobody can guess. A machine without them ends this process: weak ones are worse
   (OS-011). */
void entropy_fill(void *at, size_t n);

#endif
