/* SPDX-License-Identifier: ISC */
#include "host/path.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Several host threads come here; what is found out once is true for all of them. */
static atomic_bool no_openat2;

void path_without_openat2(bool without)
{
    atomic_store(&no_openat2, without);
}

static bool component_good(struct bytes part)
{
    return part.n > 0 && part.n <= NAME_MAX && bytes_find(part, '\0') == part.n
        && !bytes_equal(part, BYTES(".")) && !bytes_equal(part, BYTES(".."));
}

/* Sets errno when the name is none of ours. */
static bool name_good(struct bytes name)
{
    errno = EACCES;
    for (struct bytes rest = name; rest.n > 0;) {
        size_t n = bytes_find(rest, '/');
        if (n > NAME_MAX)
            errno = ENAMETOOLONG;
        if (!component_good(bytes_first(rest, n)) || n + 1 == rest.n)
            return false;
        rest = bytes_skip(rest, n + 1);
    }
    return true;
}

static bool copy_name(char *to, size_t room, struct bytes name)
{
    if (name.n >= room) {
        errno = ENAMETOOLONG;
        return false;
    }
    memcpy(to, name.at, name.n);
    to[name.n] = '\0';
    return true;
}

/* The kernel answers ENOTDIR for a link where a folder was asked for; openat2 would say ELOOP. */
static int link_error(int folder, const char *text, int error)
{
    struct stat found;

    if (error == ENOTDIR && fstatat(folder, text, &found, AT_SYMLINK_NOFOLLOW) == 0
        && S_ISLNK(found.st_mode))
        return ELOOP;
    return error;
}

/* One component at a time; a link anywhere fails with ELOOP, since each is opened O_NOFOLLOW. */
static int walk(int folder, struct bytes name, int flags, unsigned mode)
{
    int at = folder;

    for (;;) {
        struct bytes part = bytes_upto(name, '/');
        bool last = part.n == name.n;
        char text[NAME_MAX + 1];
        int next = -1;
        if (copy_name(text, sizeof(text), part))
            next = openat(at, text, last ? flags : O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC,
                          last ? mode : 0);
        int error = next < 0 ? link_error(at, text, errno) : 0;
        if (at != folder)
            close(at);
        errno = error;
        if (last || next < 0)
            return next;
        at = next;
        name = bytes_skip(name, part.n + 1);
    }
}

static int beneath(int folder, struct bytes name, int flags, unsigned mode)
{
    /* Without O_NOFOLLOW a link in a folder's place is ELOOP, with it only ENOTDIR. */
    struct open_how how = {
        .flags = (unsigned)(flags & O_DIRECTORY ? flags & ~O_NOFOLLOW : flags),
        .mode = flags & O_CREAT ? mode : 0,
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
    };
    char text[PATH_MAX];
    long fd = -1;

    if (!copy_name(text, sizeof(text), name))
        return -1;
    do
        fd = syscall(SYS_openat2, folder, text, &how, sizeof(how));
    while (fd < 0 && (errno == EINTR || errno == EAGAIN));
    return (int)fd;
}

int path_open(int folder, struct bytes name, int flags, unsigned mode)
{
    flags |= O_CLOEXEC | O_NOFOLLOW | (flags & O_PATH ? 0 : O_NOCTTY);
    if (!name_good(name))
        return -1;
    if (name.n == 0)
        return openat(folder, ".", flags, mode);
    if (!atomic_load(&no_openat2)) {
        int fd = beneath(folder, name, flags, mode);
        /* EPERM is what some containers answer to calls they do not know. */
        if (fd >= 0 || (errno != ENOSYS && errno != EPERM))
            return fd;
        if (errno == ENOSYS)
            atomic_store(&no_openat2, true);
    }
    return walk(folder, name, flags, mode);
}

struct path_end path_end_open(int folder, struct bytes name)
{
    struct path_end end = { .folder = -1 };
    size_t slash = bytes_find_last(name, '/');
    struct bytes leaf = slash == name.n ? name : bytes_skip(name, slash + 1);

    if (!name_good(name) || !copy_name(end.leaf, sizeof(end.leaf), leaf))
        return end;
    end.borrowed = slash == name.n;
    end.folder = end.borrowed ? folder
               : path_open(folder, bytes_first(name, slash), O_PATH | O_DIRECTORY, 0);
    if (name.n == 0) {
        end.folder = -1;
        errno = EACCES;
    }
    return end;
}

void path_end_close(struct path_end *end)
{
    if (end->folder >= 0 && !end->borrowed)
        close(end->folder);
    end->folder = -1;
}
