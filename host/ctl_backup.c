/* SPDX-License-Identifier: ISC
 *
 * postern store backup: a copy of the spool while the server runs. The store says which segments
 * hold all that is safe on disk, and keeps them and the body files until the copy is made
 * (queue/README.md, Backup).
 */
#include "host/ctl_int.h"

#include "base/number.h"
#include "host/path.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

enum { PART = 1 << 20, NAME_ROOM = 32 };

struct copying {
    int from, to;               /* the spool, and the folder of the copy */
    char *part;
    uint64_t octets, files;
};

static bool complain(const char *what)
{
    fprintf(stderr, "postern: %s: %s\n", what, strerror(errno));
    return false;
}

static bool write_all(int fd, const char *at, size_t n)
{
    while (n > 0) {
        ssize_t done = write(fd, at, n);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return false;
        at += done;
        n -= (size_t)done;
    }
    return true;
}

/* At most `most` octets of one file into another. */
static bool copy_octets(struct copying *copying, int from, int to, uint64_t most)
{
    while (most > 0) {
        ssize_t n = read(from, copying->part, most < PART ? (size_t)most : PART);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 || (n > 0 && !write_all(to, copying->part, (size_t)n)))
            return false;
        if (n == 0)
            return true;
        most -= (uint64_t)n;
        copying->octets += (uint64_t)n;
    }
    return true;
}

/* A file by its name below both folders: `most` octets of it, then zeroes up to its size, safe on
   disk. One that went meanwhile is well when it `may_go`. */
static bool copy_file(struct copying *copying, const char *name, uint64_t most, bool may_go)
{
    int from = path_open(copying->from, bytes_of(name), O_RDONLY, 0), to;
    struct stat stat = { 0 };
    bool well;

    if (from < 0)
        return (may_go && errno == ENOENT) || complain(name);
    if (fstat(from, &stat) < 0 || !S_ISREG(stat.st_mode)) {
        close(from);
        return complain(name);
    }
    to = path_open(copying->to, bytes_of(name), O_WRONLY | O_CREAT | O_EXCL, 0600);
    well = to >= 0 && copy_octets(copying, from, to, most)
        && (most == UINT64_MAX || ftruncate(to, stat.st_size) == 0) && fsync(to) == 0;
    if (!well)
        complain(name);
    if (to >= 0)
        close(to);
    close(from);
    copying->files++;
    return well;
}

static bool sync_folder(const struct copying *copying, const char *name)
{
    int fd = path_open(copying->to, bytes_of(name), O_RDONLY | O_DIRECTORY, 0);
    bool well = fd >= 0 && fsync(fd) == 0;

    if (fd >= 0)
        close(fd);
    return well || complain(name);
}

static bool copy_segments(struct copying *copying, unsigned first, unsigned last, uint64_t octets)
{
    char name[NAME_ROOM];

    for (unsigned number = first; number <= last; number++) {
        /* Of the last nothing may be there yet. */
        if (number == last && octets == 0)
            break;
        snprintf(name, sizeof(name), "log/%010u", number);
        if (!copy_file(copying, name, number == last ? octets : UINT64_MAX, false))
            return false;
    }
    return sync_folder(copying, "log");
}

/* All plain files of a folder whose names end so. */
static bool copy_folder(struct copying *copying, const char *folder, const char *end)
{
    int fd = path_open(copying->from, bytes_of(folder), O_RDONLY | O_DIRECTORY, 0);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    char name[NAME_MAX + NAME_ROOM];
    bool well = true;

    if (dir == NULL) {
        if (fd >= 0)
            close(fd);
        return errno == ENOENT || complain(folder);
    }
    for (struct dirent *entry; well && (entry = readdir(dir)) != NULL;) {
        if (entry->d_name[0] == '.' || !bytes_ends(bytes_of(entry->d_name), bytes_of(end)))
            continue;
        snprintf(name, sizeof(name), "%s/%s", folder, entry->d_name);
        well = copy_file(copying, name, UINT64_MAX, true);
    }
    closedir(dir);
    return well && sync_folder(copying, folder);
}

static bool make_folders(const struct copying *copying)
{
    static const char *const names[] = { "log", "body", "history", "quarantine" };

    for (size_t i = 0; i < COUNT(names); i++)
        if (mkdirat(copying->to, names[i], 0700) < 0)
            return complain(names[i]);
    return true;
}

/* The index of a day's history must not name what its log does not hold: so it is copied first. */
static bool copy_all(struct copying *copying, unsigned first, unsigned last, uint64_t octets)
{
    return make_folders(copying) && copy_segments(copying, first, last, octets)
        && copy_folder(copying, "body", "") && copy_folder(copying, "quarantine", "")
        && copy_folder(copying, "history", ".idx") && copy_folder(copying, "history", ".log")
        && copy_file(copying, "kept", UINT64_MAX, true)
        && copy_file(copying, "memory", UINT64_MAX, true)
        && sync_folder(copying, "");
}

/* "FIRST LAST OCTETS": the store keeps these from now on. */
static int on_held(void *of, const char *text)
{
    struct copying *copying = of;
    struct bytes rest = bytes_trim(bytes_of(text)), word;
    uint64_t numbers[3];

    for (size_t i = 0; i < COUNT(numbers); i++)
        if (!bytes_cut(&rest, ' ', &word) || !number_parse(word, &numbers[i]))
            return EX_PROTOCOL;
    if (numbers[0] > numbers[1] || numbers[1] > UINT32_MAX || numbers[2] > LIMIT_SEGMENT_BYTES)
        return EX_PROTOCOL;
    return copy_all(copying, (unsigned)numbers[0], (unsigned)numbers[1], numbers[2]) ? EX_OK
                                                                                     : EX_IOERR;
}

static int copy_held(const struct conf *conf, struct copying *copying)
{
    struct bytes word = BYTES("store-backup");
    int fd = ctl_connect(conf->control), status;

    if (fd < 0) {
        fprintf(stderr, "postern: %.*s: %s; while no server runs, copy the folder\n",
                (int)conf->control.n, conf->control.at, strerror(errno));
        return EX_UNAVAILABLE;
    }
    status = ctl_ask_held(fd, &word, 1, copying, on_held);
    close(fd);
    return status;
}

static int open_both(const struct conf *conf, const char *partial, struct copying *copying)
{
    char spool[PATH_MAX];

    snprintf(spool, sizeof(spool), "%.*s", (int)conf->spool.n, conf->spool.at);
    copying->from = open(spool, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (copying->from < 0)
        return complain(spool), EX_NOINPUT;
    if (mkdir(partial, 0700) == 0)
        copying->to = open(partial, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (copying->to < 0)
        return complain(partial), EX_CANTCREAT;
    return EX_OK;
}

/* The copy gets its name when it is whole, and that too is safe on disk. */
static int give_name(const char *partial, const char *name)
{
    char above[PATH_MAX];
    char *slash;
    int fd;

    snprintf(above, sizeof(above), "%s", name);
    slash = strrchr(above, '/');
    if (slash != NULL)
        slash[slash == above ? 1 : 0] = '\0';
    fd = open(slash == NULL ? "." : above, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || rename(partial, name) < 0 || fsync(fd) < 0) {
        complain(name);
        if (fd >= 0)
            close(fd);
        return EX_CANTCREAT;
    }
    close(fd);
    return EX_OK;
}

int ctl_backup(const struct conf *conf, const char *name)
{
    struct copying copying = { .from = -1, .to = -1, .part = mem_new(PART) };
    char partial[PATH_MAX];
    struct stat there;
    size_t n = strlen(name);
    int status = EX_OSERR;

    while (n > 1 && name[n - 1] == '/')
        n--;
    snprintf(partial, sizeof(partial), "%.*s.partial", (int)n, name);
    if (lstat(name, &there) == 0) {
        errno = EEXIST;
        complain(name);
        status = EX_CANTCREAT;
    } else if (copying.part != NULL) {
        status = open_both(conf, partial, &copying);
    }
    if (status == EX_OK) {
        status = copy_held(conf, &copying);
        if (status == EX_OK)
            status = give_name(partial, name);
        else
            fprintf(stderr, "postern: %s: this copy is not whole; remove it\n", partial);
    }
    if (status == EX_OK)
        printf("%llu files, %llu octets.\n", (unsigned long long)copying.files,
               (unsigned long long)copying.octets);
    if (copying.from >= 0)
        close(copying.from);
    if (copying.to >= 0)
        close(copying.to);
    mem_free(copying.part);
    return status;
}
