/* SPDX-License-Identifier: ISC
 *
 * sim/asker.h: a stand-in for the admin role, which asks the store every few seconds what is
 * queued.
 */
#ifndef POSTERN_SIM_ASKER_H
#define POSTERN_SIM_ASKER_H

#include "role/role.h"

extern const struct role_ops asker_ops;

/* Answers that came whole since this asker was started, and the rows of the last one that are
   not held. */
uint64_t asker_answers(const void *role);
uint64_t asker_rows(const void *role);
/* Order something of a row now and then, as the postmaster does: retry, hold, release, bounce,
   delete. */
void asker_set_orders(void *role, bool on);

#endif
