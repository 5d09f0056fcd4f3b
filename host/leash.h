/* SPDX-License-Identifier: ISC
 *
 * host/leash.h: what master and each of its processes say to each other, over a socket of their
 * own: "here is your channel to that peer", "here is the log, opened anew", and back, "that peer
 * sent nonsense".
 */
#ifndef POSTERN_HOST_LEASH_H
#define POSTERN_HOST_LEASH_H

#include "base/event.h"

/* The two ends of a new one, non-blocking. False and errno: no descriptors. */
MUST_USE bool leash_pair(int ret_ends[static 2]);

/* To the child. The descriptor stays the caller's. False: it is stuck, or dead. */
MUST_USE bool leash_send_peer(int leash, struct role_name peer, int fd);
/* The same for the log; what cannot be told now writes on to the old one. */
void leash_send_log(int leash, int fd);
/* To master. */
MUST_USE bool leash_send_flaw(int leash, struct role_name peer);

enum leash_said {
    LEASH_NOTHING,      /* for now */
    LEASH_PEER,         /* *ret_peer, *ret_fd */
    LEASH_FLAW,         /* *ret_peer */
    LEASH_LOG,          /* *ret_fd */
    LEASH_ENDED,        /* the other side is dead */
};

/* The next thing the other side said. What does not read is nobody's: LEASH_ENDED. */
enum leash_said leash_read(int leash, struct role_name *ret_peer, int *ret_fd);

#endif
