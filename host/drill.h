/* SPDX-License-Identifier: ISC
 *
 * host/drill.h: a role as if somebody had taken it over, to try its box. Only in the test program
 * postern-drill; in the product there is nothing of it.
 */
#ifndef POSTERN_HOST_DRILL_H
#define POSTERN_HOST_DRILL_H

#include "host/actor.h"

#ifdef POSTERN_DRILL
/* What came to a role, from a client or a peer. True: it was the magic message, "POSTERN-DRILL
   ROLE NUMBER ARGUMENT"; if the role is the one meant, it makes that attempt and logs what became
   of it, else passes it on. */
bool drill_read(struct actor *actor, struct bytes octets);
#else
static inline bool drill_read(const struct actor *actor, struct bytes octets)
{
    (void)actor, (void)octets;
    return false;
}
#endif

#endif
