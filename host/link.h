/* SPDX-License-Identifier: ISC
 *
 * host/link.h: the ways from one role to the others: a channel to another process, or straight to
 * a role in the same loop. Which pairs have one is role/rights.def's to say, what may pass is
 * wire.def's.
 */
#ifndef POSTERN_HOST_LINK_H
#define POSTERN_HOST_LINK_H

#include "base/event.h"
#include "base/limits.h"

struct actor;
struct link;

struct links {
    struct link *list[LIMIT_FRONTS + ROLE_KINDS + LIMIT_USERS];    /* by peer; NULL: none */
};

/* The place of a role in a table of all there may be: fronts, users, and one of each other kind. */
static inline size_t link_place(struct role_name role)
{
    return role.kind == ROLE_FRONT ? role.index
         : role.kind == ROLE_USER ? (size_t)LIMIT_FRONTS + ROLE_KINDS + role.index
         : (size_t)LIMIT_FRONTS + role.kind;
}

/* The channel to `peer` is this descriptor, a stream socketpair's end; taken over. One that was
   there is read to its end, then EV_PEER_DOWN; EV_PEER_UP follows. */
void link_open(struct actor *actor, struct role_name peer, int fd);
/* Both live in this loop: what they tell each other is posted. EV_PEER_UP to both. */
void link_join(struct actor *a, struct actor *b);
/* `gone` has ended: EV_PEER_DOWN to all that it was joined with. */
void link_part(struct actor *gone);

/* One frame. Lost when there is no link. */
void link_tell(struct actor *actor, struct role_name to, struct bytes head, struct bytes body);
/* May this actor be told that by `from`? False is a flaw of the sender's. */
bool link_allows(const struct actor *actor, struct role_name from, struct bytes frame);
/* Send what was told in this turn, one call a channel. */
void links_flush(struct actor *actor);
void links_done(struct actor *actor);

#endif
