/* SPDX-License-Identifier: ISC
 *
 * sim/mda.h: an LMTP server with mailboxes on the same disk, for the relay role to deliver to. By
 * the odds of a cut it dies at any reply, stalls, talks nonsense, or says "not now"; what it
 * answered 250 for lies safe in the mailbox, as local would have put it there.
 */
#ifndef POSTERN_SIM_MDA_H
#define POSTERN_SIM_MDA_H

#include "sim/world.h"

struct mda;

/* It answers whoever dials in that world. Free it after the world. */
struct mda *mda_new(struct world *world);
void mda_free(struct mda *mda);

#endif
