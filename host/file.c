/* SPDX-License-Identifier: ISC */
#include "host/file_int.h"

#include "host/path.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ZEROES = 1 << 20 };

void files_init(struct files *files)
{
    for (size_t i = 0; i < IO_ROOTS; i++)
        files->roots[i] = -1;
    for (size_t i = 0; i < LIMIT_IO_FILES; i++)
        atomic_init(&files->slots[i], -1);
}

void files_done(struct files *files)
{
    for (size_t i = 0; i < LIMIT_IO_FILES; i++) {
        int fd = atomic_exchange(&files->slots[i], -1);
        if (fd >= 0)
            close(fd);
    }
    for (size_t i = 0; i < IO_ROOTS; i++) {
        if (files->roots[i] >= 0)
            close(files->roots[i]);
        files->roots[i] = -1;
    }
}

/* A file of the certificates' folder: nobody else may have written it, and a private key nobody
   else may read (CFG-004). */
static bool is_kept_safe(int root, struct bytes name, const struct stat *file)
{
    mode_t others = bytes_ends(name, BYTES(".key")) ? S_IRWXG | S_IRWXO : S_IWGRP | S_IWOTH;
    struct stat folder;

    return fstat(root, &folder) == 0
        && (file->st_uid == geteuid() || file->st_uid == folder.st_uid || file->st_uid == 0)
        && (file->st_mode & others) == 0;
}

/* May this file, found where our own should be, be trusted? In the spool only what belongs to us
   or to the folder's owner, that nobody else may write, and that has one name. */
static bool is_ours(int root, enum io_root which, struct bytes name, const struct stat *file)
{
    struct stat folder;

    if (!S_ISREG(file->st_mode))
        return false;
    if (which == IN_KEYS)
        return is_kept_safe(root, name, file);
    if (which != IN_SPOOL)
        return true;
    return fstat(root, &folder) == 0
        && (file->st_uid == geteuid() || file->st_uid == folder.st_uid)
        && file->st_nlink == 1 && (file->st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

/* O_NONBLOCK, so that a FIFO or a device in our folder does not hold this thread for ever. */
static int open_existing(int root, struct bytes name, bool read_only)
{
    int fd = path_open(root, name, (read_only ? O_RDONLY : O_RDWR) | O_NONBLOCK, 0);

    if (!read_only && fd < 0 && (errno == EACCES || errno == EROFS || errno == EPERM))
        fd = path_open(root, name, O_RDONLY | O_NONBLOCK, 0);
    return fd;
}

static struct file_result keep_open(struct files *files, const struct io *io, int fd, uint64_t size)
{
    int before = atomic_exchange(&files->slots[io->file], fd);

    if (before >= 0)
        close(before);
    return (struct file_result){ .fault = OK, .number = size };
}

static struct file_result run_create(struct files *files, const struct io *io)
{
    int fd = path_open(files->roots[io->root], io->name, O_RDWR | O_CREAT | O_EXCL, 0600);

    return fd < 0 ? file_failed() : keep_open(files, io, fd, 0);
}

static struct file_result run_open(struct files *files, const struct io *io)
{
    int fd = open_existing(files->roots[io->root], io->name, io->root == IN_KEYS);
    struct stat file;

    if (fd < 0)
        return file_failed();
    if (fstat(fd, &file) < 0) {
        struct file_result failed = file_failed();
        close(fd);
        return failed;
    }
    if (!is_ours(files->roots[io->root], io->root, io->name, &file)) {
        close(fd);
        return (struct file_result){ .fault = FAULT_DENIED };
    }
    return keep_open(files, io, fd, (uint64_t)file.st_size);
}

/* All of it, however little a single write takes (SPL-015). */
static enum fault write_all(int fd, const char *at, size_t n, uint64_t offset)
{
    while (n > 0) {
        ssize_t wrote = pwrite(fd, at, n, (off_t)offset);
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote <= 0)
            return wrote < 0 ? fault_of(errno) : FAULT_NO_SPACE;
        at += wrote;
        n -= (size_t)wrote;
        offset += (uint64_t)wrote;
    }
    return OK;
}

static struct file_result run_read(int fd, const struct io *io)
{
    struct file_result result = { .fault = OK, .data = mem_resize(NULL, io->count + 1) };

    if (result.data == NULL)
        return (struct file_result){ .fault = FAULT_NO_MEMORY };
    while (result.data_n < io->count) {
        ssize_t got = pread(fd, result.data + result.data_n, io->count - result.data_n,
                            (off_t)(io->offset + result.data_n));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0) {
            struct file_result failed = file_failed();
            mem_free(result.data);
            return failed;
        }
        if (got == 0)
            break;
        result.data_n += (size_t)got;
    }
    result.number = result.data_n;
    return result;
}

static enum fault write_zeroes(int fd, uint64_t from, uint64_t to)
{
    static const char zeroes[ZEROES];
    enum fault fault = OK;

    while (from < to && fault == OK) {
        size_t n = to - from < ZEROES ? (size_t)(to - from) : ZEROES;
        fault = write_all(fd, zeroes, n, from);
        from += n;
    }
    return fault;
}

/* The room is reserved in one piece first; then every octet without data is written, because a
   sync of a write into room that was only reserved commits metadata each time. */
static struct file_result run_extend(int fd, const struct io *io)
{
    struct stat file;
    off_t hole;

    if (fstat(fd, &file) < 0)
        return file_failed();
    if ((uint64_t)file.st_size < io->count
        && fallocate(fd, 0, file.st_size, (off_t)io->count - file.st_size) < 0
        && errno != EOPNOTSUPP && errno != EINTR && errno != ENOSYS)
        return file_failed();
    hole = lseek(fd, 0, SEEK_HOLE);
    if (hole < 0)
        hole = file.st_size;
    while ((uint64_t)hole < io->count) {
        off_t data = lseek(fd, hole, SEEK_DATA);
        uint64_t until = data < 0 || (uint64_t)data > io->count ? io->count : (uint64_t)data;
        enum fault fault = write_zeroes(fd, (uint64_t)hole, until);
        if (fault != OK)
            return (struct file_result){ .fault = fault };
        hole = data < 0 ? (off_t)io->count : lseek(fd, data, SEEK_HOLE);
        if (hole < 0)
            return file_failed();
    }
    return (struct file_result){ .fault = OK };
}

/* Not tried again after EINTR alone would be safe, but a second sync of a failed one never is:
   what the first could not write counts as written afterwards. */
static struct file_result run_sync(int fd)
{
    return file_said(fdatasync(fd));
}

static struct file_result run_truncate(int fd, const struct io *io)
{
    int result;

    do
        result = ftruncate(fd, (off_t)io->count);
    while (result < 0 && errno == EINTR);
    return file_said(result);
}

/* The slot is empty afterwards, whatever close says. */
static struct file_result run_close(struct files *files, const struct io *io)
{
    int fd = atomic_exchange(&files->slots[io->file], -1);

    return fd < 0 ? (struct file_result){ .fault = FAULT_GONE } : file_said(close(fd));
}

static struct file_result run_on_slot(struct files *files, const struct io *io)
{
    int fd = atomic_load(&files->slots[io->file]);

    if (fd < 0)
        return (struct file_result){ .fault = FAULT_GONE };
    if (io->kind == IO_WRITE)
        return (struct file_result){ .fault = write_all(fd, io->data, io->data_n, io->offset) };
    if (io->kind == IO_READ)
        return run_read(fd, io);
    if (io->kind == IO_EXTEND)
        return run_extend(fd, io);
    if (io->kind == IO_TRUNCATE)
        return run_truncate(fd, io);
    return run_sync(fd);
}

struct file_result file_run(struct files *files, const struct io *io)
{
    int root = io->root < IO_ROOTS ? files->roots[io->root] : -1;

    switch (io->kind) {
    case IO_WRITE: case IO_READ: case IO_EXTEND: case IO_TRUNCATE: case IO_SYNC:
        return run_on_slot(files, io);
    case IO_CLOSE: return run_close(files, io);
    case IO_CREATE: case IO_OPEN: case IO_RENAME: case IO_LINK_NEW: case IO_UNLINK: case IO_MKDIR:
    case IO_SYNC_DIR: case IO_LIST: case IO_STAT: case IO_SPACE:
        break;
    }
    if (root < 0)
        return (struct file_result){ .fault = FAULT_DENIED };
    switch (io->kind) {
    case IO_CREATE: return run_create(files, io);
    case IO_OPEN: return run_open(files, io);
    case IO_RENAME: return file_rename(root, io);
    case IO_LINK_NEW: return file_link_new(root, io);
    case IO_UNLINK: return file_unlink(root, io);
    case IO_MKDIR: return file_mkdir(root, io);
    case IO_SYNC_DIR: return file_sync_dir(root, io);
    case IO_LIST: return file_list(root, io);
    case IO_STAT: return file_stat(root, io);
    case IO_SPACE: return file_space(root, io);
    case IO_WRITE: case IO_READ: case IO_EXTEND: case IO_TRUNCATE: case IO_SYNC: case IO_CLOSE:
        break;
    }
    return (struct file_result){ .fault = FAULT_IO };
}
