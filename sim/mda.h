/* SPDX-License-Identifier: ISC
 *
 * sim/mda.h: an LMTP server at a unix socket, with mailboxes on the same disk, for the relay role
 * to deliver to. What it answers 250 for lies safe in the mailbox, as if local had put it there.
 */
#ifndef POSTERN_SIM_MDA_H
#define POSTERN_SIM_MDA_H

#include "sim/server.h"

struct mda;

/* Its dialogue is that server's, which outlives it. Free it after the world. */
struct mda *mda_new(struct server *server);
void mda_free(struct mda *mda);

#endif
