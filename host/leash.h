/* SPDX-License-Identifier: ISC
 *
 * host/leash.h: what master and each of its processes say to each other, over a socket of their
 * own: "here is your channel to that peer", "here is the log, opened anew", "here are new
 * settings", and back, "that peer sent nonsense", "somebody wants a reload", "I need a child that
 * is that user".
 */
#ifndef POSTERN_HOST_LEASH_H
#define POSTERN_HOST_LEASH_H

#include "base/event.h"
#include "base/limits.h"

/* The two ends of a new one, non-blocking. False and errno: no descriptors. */
MUST_USE bool leash_pair(int ret_ends[static 2]);

/* To the child. The descriptor stays the caller's. False: it is stuck, or dead. */
MUST_USE bool leash_send_peer(int leash, struct role_name peer, int fd);
/* The same for the log; what cannot be told now writes on to the old one. */
void leash_send_log(int leash, int fd);
/* To the child: a reload. fds[0] is a file that holds it (host/reload.h); the others, at most
   LEASH_FDS - 1, are all the sockets it shall listen on from now on. */
MUST_USE bool leash_send_reload(int leash, const int *fds, size_t n);
/* To master. */
MUST_USE bool leash_send_flaw(int leash, struct role_name peer);
MUST_USE bool leash_ask_reload(int leash);
/* A child that is that system user in that place; no name: end the one there. */
MUST_USE bool leash_ask_user(int leash, uint32_t index, struct bytes name);

enum { LEASH_FDS = 96 };

enum leash_said {
    LEASH_NOTHING,      /* for now */
    LEASH_PEER,         /* peer; fds[0] */
    LEASH_FLAW,         /* peer */
    LEASH_LOG,          /* fds[0] */
    LEASH_USER,         /* peer, user */
    LEASH_RELOAD,       /* master: the child wants one; child: fds, the file first */
    LEASH_ENDED,        /* the other side is dead */
};

/* The next thing the other side said; descriptors are the caller's from now on. What does not
   read is nobody's: LEASH_ENDED. */
struct leash_word {
    struct role_name peer;
    char user[LIMIT_USER_NAME + 1];
    int fds[LEASH_FDS];
    size_t n;
};
enum leash_said leash_read(int leash, struct leash_word *ret_word);

#endif
