/* SPDX-License-Identifier: ISC */
#include "host/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { TRY_AGAIN_MS = 20 };

static bool make(const char *path, unsigned mode)
{
    return mkdir(path, mode) == 0 || errno == EEXIST;
}

bool folder_make_above(struct bytes path, unsigned mode)
{
    char text[PATH_MAX];

    if (path.n == 0 || path.n >= sizeof(text)) {
        errno = path.n == 0 ? ENOENT : ENAMETOOLONG;
        return false;
    }
    memcpy(text, path.at, path.n);
    for (size_t i = 1; i < path.n; i++) {
        if (path.at[i] != '/')
            continue;
        text[i] = '\0';
        if (!make(text, mode))
            return false;
        text[i] = '/';
    }
    return true;
}

int folder_open(struct bytes path, unsigned mode)
{
    char text[PATH_MAX];

    if (!folder_make_above(path, mode))
        return -1;
    memcpy(text, path.at, path.n);
    text[path.n] = '\0';
    return make(text, mode) ? open(text, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
}

bool folder_hold(int fd, unsigned wait_ms)
{
    const struct timespec pause = { .tv_nsec = TRY_AGAIN_MS * 1000000 };

    for (unsigned waited = 0;; waited += TRY_AGAIN_MS) {
        if (flock(fd, LOCK_EX | LOCK_NB) == 0)
            return true;
        if (waited >= wait_ms)
            return false;
        nanosleep(&pause, NULL);
    }
}
