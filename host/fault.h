/* SPDX-License-Identifier: ISC
 *
 * host/fault.h: errno as one of the few faults that the core tells apart.
 */
#ifndef POSTERN_HOST_FAULT_H
#define POSTERN_HOST_FAULT_H

#include "base/event.h"

/* Never OK: what is not known is FAULT_IO. */
enum fault fault_of(int error);
/* For logs. */
const char *fault_name(enum fault fault);

#endif
