/* SPDX-License-Identifier: ISC */
#include "host/home.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ENTRY_ROOM = 64 * 1024 };

/* Its owner is who shall be here, and nobody else may put links in the way. */
static enum home_state look_at(const struct home *home)
{
    struct stat found;

    if (fstat(home->fd, &found) < 0)
        return HOME_GONE;
    return found.st_uid != home->user.uid ? HOME_FOREIGN
         : (found.st_mode & (S_IWGRP | S_IWOTH)) != 0 ? HOME_OPEN : HOME_WELL;
}

/* As the user for as long as it takes: root's rights open nothing on the way. */
static bool open_as(struct home *home, const char *path)
{
    bool root = geteuid() == 0;

    if (root && (setgroups(home->n_groups, home->groups) < 0 || setegid(home->user.gid) < 0
                 || seteuid(home->user.uid) < 0))
        return false;
    home->fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    int error = errno;
    if (root && (seteuid(0) < 0 || setegid(0) < 0 || setgroups(0, NULL) < 0))
        return false;
    errno = error;
    return true;
}

static void find_groups(struct home *home, const struct passwd *entry)
{
    int n = HOME_GROUPS;

    home->n_groups = getgrouplist(entry->pw_name, entry->pw_gid, home->groups, &n) < 0
                   ? HOME_GROUPS : (size_t)n;
}

static enum home_state find(struct home *home, const char *name, uint64_t uid_least)
{
    char room[ENTRY_ROOM];
    struct passwd entry, *found = NULL;
    int error = getpwnam_r(name, &entry, room, sizeof(room), &found);

    if (found == NULL)
        return error == 0 || error == ENOENT || error == ESRCH ? HOME_NO_USER : HOME_UNKNOWN;
    /* -1 means "as it is" to those who change ids: root would stay root (LDA-009). */
    if (found->pw_uid == 0 || found->pw_uid < uid_least || found->pw_gid == 0
        || found->pw_uid == (uid_t)-1 || found->pw_gid == (gid_t)-1)
        return HOME_NOT_SERVED;
    if (geteuid() != 0 && found->pw_uid != geteuid())
        return HOME_NOT_ROOT;
    home->user = (struct user){ found->pw_uid, found->pw_gid };
    find_groups(home, found);
    if (found->pw_dir[0] != '/')
        return HOME_GONE;
    if (!open_as(home, found->pw_dir))
        return HOME_NOT_ROOT;
    return home->fd < 0 ? HOME_GONE : look_at(home);
}

void home_find(const char *name, uint64_t uid_least, struct home *ret_home)
{
    *ret_home = (struct home){ .fd = -1 };
    ret_home->state = find(ret_home, name, uid_least);
    if (ret_home->state != HOME_WELL && ret_home->fd >= 0) {
        close(ret_home->fd);
        ret_home->fd = -1;
    }
}
