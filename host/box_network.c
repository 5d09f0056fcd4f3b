/* SPDX-License-Identifier: ISC */
#include "host/box_int.h"

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <unistd.h>

static bool wants_none(const struct box *box)
{
    return !(box->rights->may & (MAY_CONNECT | MAY_DNS | MAY_FETCH)) && !box->no_network;
}

/* Listeners that were made outside still accept. */
void box_network_as_master(struct box *box)
{
    if (wants_none(box))
        box->no_network = unshare(CLONE_NEWNET) == 0;
}

static bool put_line(const char *path, const char *line, int n)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    bool put = fd >= 0 && write(fd, line, (size_t)n) == n;

    if (fd >= 0)
        close(fd);
    return put;
}

static bool put_map(const char *path, unsigned id)
{
    char line[64];

    return put_line(path, line, snprintf(line, sizeof(line), "%u %u 1", id, id));
}

/* Without root, a network comes with a user namespace. There all users but our own look like
   nobody: not for the role that asks who its clients are. */
void box_network_as_user(struct box *box)
{
    uid_t uid = geteuid();
    gid_t gid = getegid();

    if (!wants_none(box) || box->rights->may & MAY_CONTROL)
        return;
    prctl(PR_SET_DUMPABLE, 1);          /* else the maps are root's */
    box->no_network = unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0
                   && put_map("/proc/self/uid_map", uid)
                   && put_line("/proc/self/setgroups", "deny", 4)
                   && put_map("/proc/self/gid_map", gid);
    if (!box->no_network)
        box_lack(box, "network-namespace");
}
