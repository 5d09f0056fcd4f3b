/* SPDX-License-Identifier: ISC */
#include "host/users.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DEPTH_MOST = 16, ENTRY_ROOM = 4096 };

void users_name(const char *role, char ret_name[static USER_NAME_MOST])
{
    snprintf(ret_name, USER_NAME_MOST, "postern-%s", role);
}

bool users_find(const char *role, struct user *ret_user)
{
    char name[USER_NAME_MOST], room[ENTRY_ROOM];
    struct passwd entry, *found = NULL;

    users_name(role, name);
    if (getpwnam_r(name, &entry, room, sizeof(room), &found) != 0 || found == NULL
        || found->pw_uid == 0 || found->pw_gid == 0)
        return false;
    *ret_user = (struct user){ found->pw_uid, found->pw_gid };
    return true;
}

static bool give_all(int folder, struct user user, unsigned depth);

/* Opened by its name once; whatever the name becomes meanwhile, this one is looked at and given. */
static bool give_one(int folder, const char *name, struct user user, unsigned depth)
{
    int fd = openat(folder, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    struct stat found;
    bool given = true;

    if (fd < 0)
        return errno == ENOENT;
    if (fstat(fd, &found) < 0 || (found.st_uid != 0 && found.st_uid != user.uid)) {
        close(fd);
        return true;
    }
    if (S_ISDIR(found.st_mode)) {
        int inner = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        /* A root that may not look into what is the user's has nothing in there, either. */
        given = inner < 0 ? errno == EACCES && found.st_uid == user.uid
                          : give_all(inner, user, depth + 1);
    }
    if (given && found.st_uid == 0
        && (S_ISDIR(found.st_mode) || (S_ISREG(found.st_mode) && found.st_nlink == 1)))
        given = fchownat(fd, "", user.uid, user.gid, AT_EMPTY_PATH) == 0;
    int error = errno;
    close(fd);
    errno = error;
    return given;
}

/* Closes the folder. */
static bool give_all(int folder, struct user user, unsigned depth)
{
    DIR *list = depth > DEPTH_MOST ? NULL : fdopendir(folder);
    struct dirent *entry;
    bool given = list != NULL;

    if (list == NULL) {
        errno = depth > DEPTH_MOST ? ELOOP : errno;
        close(folder);
        return false;
    }
    while (given && (entry = readdir(list)) != NULL) {
        struct bytes name = bytes_of(entry->d_name);
        if (!bytes_equal(name, BYTES(".")) && !bytes_equal(name, BYTES("..")))
            given = give_one(folder, entry->d_name, user, depth);
    }
    int error = errno;
    closedir(list);
    errno = error;
    return given;
}

bool users_give(int folder, struct user user)
{
    int inner = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct stat found;

    return inner >= 0 && give_all(inner, user, 0) && fstat(folder, &found) == 0
        && (found.st_uid == user.uid || fchown(folder, user.uid, user.gid) == 0);
}
