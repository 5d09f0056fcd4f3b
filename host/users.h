/* SPDX-License-Identifier: ISC
 *
 * host/users.h: the system users that roles run as, and what they must own. For a master that was
 * started as root.
 */
#ifndef POSTERN_HOST_USERS_H
#define POSTERN_HOST_USERS_H

#include "base/bytes.h"

#include <sys/types.h>

struct user {
    uid_t uid;
    gid_t gid;
};

enum { USER_NAME_MOST = 32 };

/* The user of the role with that name: "postern-NAME". */
void users_name(const char *role, char ret_name[static USER_NAME_MOST]);
/* False: the system has no user of that name, or it is root. */
MUST_USE bool users_find(const char *role, struct user *ret_user);

/* Give the folder and all below it that root owns to the user: what an earlier server, or who set
   it up, made as root. Follows no link; leaves alone what has a second name, and what belongs to
   somebody else and all below that. The folder itself comes last, so that what was cut short is
   done again. False and errno. */
MUST_USE bool users_give(int folder, struct user user);

#endif
