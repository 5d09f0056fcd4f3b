/* SPDX-License-Identifier: ISC
 *
 * sim/reporter.h: the queue with an owner that writes reports: as a role, for the crash
 * enumerator. It is to the queue what the store role is, and no more: letters, jobs and the
 * listing.
 */
#ifndef POSTERN_SIM_REPORTER_H
#define POSTERN_SIM_REPORTER_H

#include "role/role.h"

extern const struct role_ops reporter_ops;

#endif
