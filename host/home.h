/* SPDX-License-Identifier: ISC
 *
 * host/home.h: a system user and that one's home, as a child looks for them that shall deliver
 * there. Everything is done before the child is shut in; the tables of users may be read by other
 * people's libraries (NSS), which neither master nor a role that lives on may run.
 */
#ifndef POSTERN_HOST_HOME_H
#define POSTERN_HOST_HOME_H

#include "host/users.h"
#include "role/role.h"

enum { HOME_GROUPS = 256 };

struct home {
    enum home_state state;
    struct user user;           /* only when that is HOME_WELL; the rest too */
    gid_t groups[HOME_GROUPS];  /* what the system's tables say; those beyond are left out */
    size_t n_groups;
    int fd;                     /* the home itself, or -1 */
};

/* Look for the user, and open the home with that user's rights and no other's. Nobody below
   `uid_least` is found, root never. */
void home_find(const char *name, uint64_t uid_least, struct home *ret_home);

#endif
