/* SPDX-License-Identifier: ISC
 *
 * sim/refuser.h: the local role, but for one mailbox: it is there when it is asked for, and refuses
 * every letter for good, as a server behind us may. So senders must hear of it.
 */
#ifndef POSTERN_SIM_REFUSER_H
#define POSTERN_SIM_REFUSER_H

#include "role/role.h"

extern const struct role_ops refuser_ops;

#define REFUSER_ADDRESS "refuser@example.org"

#endif
