/* SPDX-License-Identifier: ISC */
#include "host/file_int.h"

#include "host/path.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

/* Two names of one operation, both opened to their folders. */
struct pair {
    struct path_end from, to;
};

static bool pair_open(int root, const struct io *io, struct pair *pair)
{
    pair->to.folder = -1;
    pair->from = path_end_open(root, io->name);
    if (pair->from.folder >= 0)
        pair->to = path_end_open(root, io->to);
    return pair->to.folder >= 0;
}

static struct file_result pair_said(struct pair *pair, int result)
{
    struct file_result said = file_said(result);

    path_end_close(&pair->from);
    path_end_close(&pair->to);
    return said;
}

struct file_result file_rename(int root, const struct io *io)
{
    struct pair pair;

    if (!pair_open(root, io, &pair))
        return pair_said(&pair, -1);
    return pair_said(&pair, renameat(pair.from.folder, pair.from.leaf,
                                     pair.to.folder, pair.to.leaf));
}

/* In one step where the file system can; else as a link and an unlink, which a crash may leave
   with both names. */
struct file_result file_link_new(int root, const struct io *io)
{
    struct pair pair;
    int result;

    if (!pair_open(root, io, &pair))
        return pair_said(&pair, -1);
    result = renameat2(pair.from.folder, pair.from.leaf, pair.to.folder, pair.to.leaf,
                       RENAME_NOREPLACE);
    if (result < 0 && (errno == EINVAL || errno == ENOSYS)) {
        result = linkat(pair.from.folder, pair.from.leaf, pair.to.folder, pair.to.leaf, 0);
        if (result == 0)
            result = unlinkat(pair.from.folder, pair.from.leaf, 0);
    }
    return pair_said(&pair, result);
}

struct file_result file_unlink(int root, const struct io *io)
{
    struct path_end end = path_end_open(root, io->name);
    struct file_result said = file_said(end.folder < 0 ? -1 : unlinkat(end.folder, end.leaf, 0));

    path_end_close(&end);
    return said;
}

struct file_result file_mkdir(int root, const struct io *io)
{
    struct path_end end = path_end_open(root, io->name);
    int result = end.folder < 0 ? -1 : mkdirat(end.folder, end.leaf, 0700);
    struct stat found;

    if (result < 0 && end.folder >= 0 && errno == EEXIST) {
        result = fstatat(end.folder, end.leaf, &found, AT_SYMLINK_NOFOLLOW);
        if (result == 0 && !S_ISDIR(found.st_mode)) {
            result = -1;
            errno = EEXIST;
        }
    }
    struct file_result said = file_said(result);
    path_end_close(&end);
    return said;
}

struct file_result file_sync_dir(int root, const struct io *io)
{
    int fd = path_open(root, io->name, O_RDONLY | O_DIRECTORY, 0);

    if (fd < 0)
        return file_failed();
    struct file_result said = file_said(fsync(fd));
    close(fd);
    return said;
}

static int by_octets(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Names end with NUL in `all`; the list is sorted and put out again with line ends. */
static struct file_result sorted(const struct buffer *all, size_t names)
{
    char **order = mem_new((names + 1) * sizeof(*order));
    struct file_result result = { .fault = OK, .data = mem_new(all->n + 1), .data_n = all->n };
    size_t at = 0;

    if (order == NULL || result.data == NULL) {
        mem_free(order);
        mem_free(result.data);
        return (struct file_result){ .fault = FAULT_NO_MEMORY };
    }
    for (size_t i = 0; i < names; i++, at += strlen(all->at + at) + 1)
        order[i] = all->at + at;
    qsort(order, names, sizeof(*order), by_octets);
    at = 0;
    for (size_t i = 0; i < names; i++) {
        size_t n = strlen(order[i]);
        memcpy(result.data + at, order[i], n);
        result.data[at + n] = '\n';
        at += n + 1;
    }
    result.number = names;
    mem_free(order);
    return result;
}

/* A name with a line end in it is none of ours and could not be told from two: it is left out. */
static struct file_result list_all(DIR *folder)
{
    struct buffer all = buffer_with_most(LIMIT_LIST_BYTES);
    struct file_result result = { .fault = OK };
    size_t names = 0;
    struct dirent *entry;

    for (errno = 0; (entry = readdir(folder)) != NULL; errno = 0) {
        struct bytes name = bytes_of(entry->d_name);
        if (bytes_equal(name, BYTES(".")) || bytes_equal(name, BYTES(".."))
            || bytes_find(name, '\n') < name.n)
            continue;
        buffer_put(&all, name);
        buffer_put_char(&all, '\0');
        names++;
    }
    if (errno != 0)
        result = file_failed();
    else if (all.bad)
        result.fault = FAULT_TOO_MANY;
    else
        result = sorted(&all, names);
    buffer_done(&all);
    return result;
}

struct file_result file_list(int root, const struct io *io)
{
    int fd = path_open(root, io->name, O_RDONLY | O_DIRECTORY, 0);
    DIR *folder = fd < 0 ? NULL : fdopendir(fd);
    struct file_result result;

    if (folder == NULL) {
        result = file_failed();
        if (fd >= 0)
            close(fd);
        return result;
    }
    result = list_all(folder);
    closedir(folder);
    return result;
}

struct file_result file_stat(int root, const struct io *io)
{
    int fd = path_open(root, io->name, O_PATH, 0);
    struct file_result result = { .fault = OK };
    struct stat found;

    if (fd < 0)
        return file_failed();
    if (fstat(fd, &found) < 0)
        result = file_failed();
    else if (S_ISDIR(found.st_mode) || S_ISREG(found.st_mode))
        result.number = S_ISDIR(found.st_mode) ? 1 : 2;
    else
        result.fault = FAULT_DENIED;
    close(fd);
    return result;
}

struct file_result file_space(int root, const struct io *io)
{
    struct statvfs found;

    (void)io;
    if (fstatvfs(root, &found) < 0)
        return file_failed();
    return (struct file_result){ .number = (uint64_t)found.f_bavail * found.f_frsize };
}
