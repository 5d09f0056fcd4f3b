/* SPDX-License-Identifier: ISC */
#include "host/keystore.h"

#include "base/arena.h"
#include "base/safe.h"
#include "seal/key_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

enum { FILES_MOST = 50000, PIECE = 65536 };

static int say(const char *path, const char *name, const char *why, int status)
{
    struct buffer words = buffer_with_most(16384);

    buffer_put(&words, BYTES("postern: "));
    safe_put_plain(&words, bytes_of(path));
    if (name[0] != '\0') {
        buffer_put_char(&words, '/');
        safe_put_plain(&words, bytes_of(name));
    }
    buffer_put(&words, BYTES(": "));
    buffer_put_text(&words, why);
    buffer_put_char(&words, '\n');
    fwrite(words.at, 1, words.n, stderr);
    buffer_done(&words);
    return status;
}

/* ---- the folder */

static bool default_path(char to[static 4096])
{
    const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
    int n = -1;

    if (config != NULL && config[0] == '/')
        n = snprintf(to, 4096, "%s/postern", config);
    else if (home != NULL && home[0] == '/')
        n = snprintf(to, 4096, "%s/.config/postern", home);
    return n > 0 && n < 4096;
}

/* The folder and those above it that are missing; for nobody else to read. */
static void make_folders(char *path)
{
    for (char *at = path + 1; (at = strchr(at, '/')) != NULL; at++) {
        *at = '\0';
        (void)mkdir(path, 0700);
        *at = '/';
    }
    (void)mkdir(path, 0700);
}

static void warn_of_others(const struct keystore *store)
{
    struct stat is;

    if (fstat(store->folder, &is) == 0
        && ((is.st_mode & (S_IWGRP | S_IWOTH)) != 0
            || (is.st_uid != geteuid() && is.st_uid != 0)))
        (void)say(store->path, "", "warning: others may write this folder, and so change whom"
                                   " you trust", 0);
}

int keystore_open(const char *path, bool make, struct keystore *ret_store)
{
    struct keystore store = { .folder = -1 };

    if (path == NULL ? !default_path(store.path)
                     : (size_t)snprintf(store.path, sizeof(store.path), "%s", path)
                       >= sizeof(store.path)) {
        fputs("postern: where keys are kept is not known; set HOME, or use --keys\n", stderr);
        return EX_USAGE;
    }
    if (make)
        make_folders(store.path);
    store.folder = open(store.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (store.folder < 0 && (make || errno != ENOENT || path != NULL))
        return say(store.path, "", strerror(errno), make ? EX_CANTCREAT : EX_NOINPUT);
    if (store.folder >= 0)
        warn_of_others(&store);
    *ret_store = store;
    return 0;
}

void keystore_close(struct keystore *store)
{
    if (store->folder >= 0)
        close(store->folder);
    store->folder = -1;
}

/* ---- reading */

static bool read_all(int fd, size_t most, struct buffer *to)
{
    for (ssize_t n = 1; n > 0;) {
        char *at = to->n > most ? NULL : buffer_grow(to, PIECE);
        if (at == NULL)
            return errno = to->n > most ? EFBIG : ENOMEM, false;
        do
            n = read(fd, at, PIECE);
        while (n < 0 && errno == EINTR);
        if (n < 0)
            return false;
        to->n -= PIECE - (size_t)n;
    }
    return true;
}

/* A file says so before it is read. */
static bool is_longer(int fd, size_t most)
{
    struct stat is;

    if (fstat(fd, &is) != 0 || !S_ISREG(is.st_mode) || (uintmax_t)is.st_size <= most)
        return false;
    errno = EFBIG;
    return true;
}

int keystore_input(const char *path, size_t most, struct buffer *ret_text)
{
    bool standard = strcmp(path, "-") == 0;
    int fd = standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

    *ret_text = buffer_with_most(most + 2 * PIECE);
    if (fd < 0)
        return say(path, "", strerror(errno), EX_NOINPUT);
    int status = 0;
    if (is_longer(fd, most) || !read_all(fd, most, ret_text))
        status = say(path, "", strerror(errno), errno == EFBIG ? EX_DATAERR : EX_IOERR);
    if (!standard)
        close(fd);
    return status;
}

static void say_line(const struct keystore *store, const char *name, uint32_t line,
                     const char *words)
{
    char text[200];

    snprintf(text, sizeof(text), "line %u: %s", line, words);
    (void)say(store->path, name, text, 0);
}

static void add_file(const struct keystore *store, const char *name, struct bytes text,
                     struct keyring *ring)
{
    struct arena arena = arena_with_ceiling(KEY_FILE_MEMORY);
    struct key_file file;

    key_file_read(text, &arena, &file);
    for (const struct key_item *item = file.first; item != NULL; item = item->next) {
        enum keyring_result result = key_item_add(ring, item);
        if (result == KEYRING_REFUSED)
            say_line(store, name, item->line,
                     item->words == NULL ? "what stands here cannot be used" : item->words);
        else if (result == KEYRING_FULL)
            (void)say(store->path, name, "too many keys, or memory is short", 0);
    }
    if (file.bad)
        (void)say(store->path, name, "it is too long, not all of it was read", 0);
    arena_done(&arena);
}

static bool is_ours(const char *name)
{
    static const char *const ends[] = { ".key", ".pub", ".crt", ".crl" };
    size_t n = strlen(name);

    for (size_t i = 0; i < COUNT(ends); i++)
        if (n > 4 && strcmp(name + n - 4, ends[i]) == 0)
            return true;
    return strcmp(name, "trust") == 0;
}

static void read_one(const struct keystore *store, const char *name, struct keyring *ring)
{
    int fd = openat(store->folder, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    struct buffer text = buffer_with_most(KEY_FILE_MOST + 2 * PIECE);
    struct stat is;

    if (fd < 0 || fstat(fd, &is) != 0 || !S_ISREG(is.st_mode)
        || !read_all(fd, KEY_FILE_MOST, &text)) {
        (void)say(store->path, name, fd >= 0 && errno == 0 ? "this is no file" : strerror(errno),
                  0);
    } else if (strcmp(name, "trust") == 0) {
        uint32_t line = key_trust_read(buffer_bytes(&text), ring);
        if (line != 0)
            say_line(store, name, line, "this says of no key how far to trust it");
    } else {
        add_file(store, name, buffer_bytes(&text), ring);
    }
    if (fd >= 0)
        close(fd);
    buffer_done(&text);
}

/* In the order of names, so that each run reads the same ring. */
static int by_name(const void *a, const void *b)
{
    const char *const *x = a, *const *y = b;

    return strcmp(*x, *y);
}

int keystore_read(const struct keystore *store, struct keyring *ring)
{
    static char *names[FILES_MOST];
    size_t n = 0;
    int fd = store->folder < 0 ? -1
           : openat(store->folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);

    if (store->folder < 0)
        return 0;
    if (dir == NULL)
        return say(store->path, "", strerror(errno), EX_NOINPUT);
    for (const struct dirent *entry; n < FILES_MOST && (entry = readdir(dir)) != NULL;) {
        size_t length = strlen(entry->d_name) + 1;
        names[n] = is_ours(entry->d_name) ? mem_new(length) : NULL;
        if (names[n] != NULL)
            memcpy(names[n++], entry->d_name, length);
    }
    closedir(dir);
    qsort(names, n, sizeof(*names), by_name);
    for (size_t i = 0; i < n; i++) {
        errno = 0;
        read_one(store, names[i], ring);
        mem_free(names[i]);
    }
    return 0;
}

/* ---- writing */

static bool write_all(int fd, struct bytes text)
{
    while (text.n > 0) {
        ssize_t n = write(fd, text.at, text.n);
        if (n < 0 && errno != EINTR)
            return false;
        text = bytes_skip(text, n < 0 ? 0 : (size_t)n);
    }
    return fsync(fd) == 0;
}

int keystore_write(const struct keystore *store, const char *name, struct bytes text)
{
    char fresh[300];

    snprintf(fresh, sizeof(fresh), ".%s.%ld", name, (long)getpid());
    int fd = openat(store->folder, fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
                    0600);
    if (fd < 0)
        return say(store->path, fresh, strerror(errno), EX_CANTCREAT);
    bool done = write_all(fd, text);
    int error = errno;
    if (close(fd) != 0 && done)
        error = errno, done = false;
    if (done && (renameat(store->folder, fresh, store->folder, name) != 0
                 || fsync(store->folder) != 0))
        error = errno, done = false;
    if (done)
        return 0;
    (void)unlinkat(store->folder, fresh, 0);
    return say(store->path, name, strerror(error), EX_IOERR);
}
