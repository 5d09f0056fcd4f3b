/* SPDX-License-Identifier: ISC
 *
 * host/box.h: what shuts a role in: its user, limits, network, Landlock and system calls, all
 * made from its row of role/rights.def.
 *
 * In two steps, because some of it counts only for the thread that does it, and some only when
 * all threads and descriptors are there:
 *   box_enter   alone, before the role is made: limits, network, user, capabilities, Landlock
 *   box_close   when the role has all it needs, before its first event: threads, system calls
 * What the kernel lacks is left out and said in one line of the log; what was asked for by the
 * configuration (the user) is not.
 */
#ifndef POSTERN_HOST_BOX_H
#define POSTERN_HOST_BOX_H

#include "host/log.h"
#include "role/rights.h"

#include <sys/types.h>

enum { BOX_LACKS_MOST = 8 };

struct box {
    const struct role_rights *rights;
    bool change_user;           /* to uid and gid */
    uid_t uid;
    gid_t gid;
    const gid_t *groups;        /* besides */
    size_t n_groups;
    int folders[2];             /* what Landlock leaves open, besides what is open already */
    size_t n_folders;
    uint64_t descriptors;       /* how many it needs; 0: as many as master has */
    /* what came of it */
    bool no_network;            /* it is in a network of its own, an empty one */
    int landlock;               /* the kernel's ABI in use; 0: none */
    unsigned calls;             /* in its list; 0: none */
    const char *lacks[BOX_LACKS_MOST];
    size_t n_lacks;
};

/* False and errno: it cannot be made safe, and must not live. */
MUST_USE bool box_enter(struct box *box);
MUST_USE bool box_close(struct box *box);
/* The line that says what box it is. */
void box_log(const struct box *box, struct log_sink *log, struct bytes label);

/* What a process keeps that starts the others: no new privileges, and of root's only what that
   takes. */
MUST_USE bool box_master(void);

#endif
