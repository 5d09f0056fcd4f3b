/* SPDX-License-Identifier: ISC
 *
 * Reads the files that a look asks for, and prints or writes what it says.
 */
#include "host/ctl_int.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/safe.h"
#include "host/clock.h"
#include "host/path.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sysexits.h>
#include <unistd.h>

enum { READ_MOST = LIMIT_SEGMENT_BYTES, SHOW_AFTER_MS = 2000, SHOW_EACH_MS = 200 };

struct looking {
    const struct ctl_place *place;
    int spool;
    int reads;                      /* the file last read, and its name */
    struct buffer reads_name;
    int writes;                     /* the file last written, and its name */
    struct buffer writes_name;
    struct buffer octets;
    bool shows;                     /* standard error is a terminal */
    uint64_t begun_ms, shown_ms, total;
};

/* ---- progress, on a terminal, when it takes long */

static void show_progress(struct looking *looking)
{
    uint64_t now_ms = looking->shows ? clock_now().mono_ms : 0;
    struct buffer line = buffer_with_most(64);

    if (!looking->shows || now_ms - looking->begun_ms < SHOW_AFTER_MS
        || now_ms - looking->shown_ms < SHOW_EACH_MS)
        return;
    looking->shown_ms = now_ms;
    octets_put(&line, looking->total);
    fprintf(stderr, "\r%.*s read ", (int)line.n, line.at);
    fflush(stderr);
    buffer_done(&line);
}

static void hide_progress(struct looking *looking)
{
    if (looking->shown_ms > 0)
        fputs("\r\x1b[K", stderr);
    looking->shown_ms = 0;
}

/* ---- names and octets */

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Sorted, so that the same folder always looks the same. A name with a line end is none of ours. */
static void put_sorted(DIR *dir, struct buffer *to)
{
    char **names = NULL;
    size_t n = 0, room = 0;

    for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        if (entry->d_name[0] == '.' || strchr(entry->d_name, '\n') != NULL)
            continue;
        if (n == room) {
            char **wider = mem_resize(names, (room = room * 2 + 64) * sizeof(*names));
            if (wider == NULL)
                break;
            names = wider;
        }
        size_t size = strlen(entry->d_name) + 1;
        names[n] = mem_new(size);
        if (names[n] == NULL)
            break;
        memcpy(names[n++], entry->d_name, size);
    }
    if (n > 0)
        qsort(names, n, sizeof(*names), compare_names);
    for (size_t i = 0; i < n; i++) {
        buffer_put_text(to, names[i]);
        buffer_put_char(to, '\n');
        mem_free(names[i]);
    }
    mem_free(names);
}

static void list_names(struct looking *looking, struct bytes folder)
{
    int fd = path_open(looking->spool, folder, O_RDONLY | O_DIRECTORY, 0);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);

    buffer_clear(&looking->octets);
    if (dir == NULL && fd >= 0)
        close(fd);
    if (dir == NULL)
        return;
    put_sorted(dir, &looking->octets);
    closedir(dir);
}

/* The file by that name: the one that is open, or another in its place. */
static int open_again(int folder, struct bytes name, int flags, int *fd, struct buffer *fd_name)
{
    if (*fd >= 0 && bytes_equal(name, buffer_bytes(fd_name)))
        return *fd;
    if (*fd >= 0)
        close(*fd);
    buffer_clear(fd_name);
    buffer_put(fd_name, name);
    return *fd = path_open(folder, name, flags, 0600);
}

static void read_octets(struct looking *looking, const struct look_want *want)
{
    int fd = open_again(looking->spool, want->name, O_RDONLY | O_NONBLOCK, &looking->reads,
                        &looking->reads_name);
    size_t n = want->count < READ_MOST ? want->count : READ_MOST, done = 0;

    buffer_clear(&looking->octets);
    char *at = fd < 0 ? NULL : buffer_grow(&looking->octets, n);
    while (at != NULL && done < n) {
        ssize_t got = pread(fd, at + done, n - done, (off_t)(want->offset + done));
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            break;
        done += (size_t)got;
    }
    looking->octets.n = done;
    looking->total += done;
    show_progress(looking);
}

/* ---- what it says */

static bool write_file(struct looking *looking, const struct look_want *want)
{
    int fd = open_again(looking->place->into, want->name, O_WRONLY | O_CREAT | O_EXCL,
                        &looking->writes, &looking->writes_name);
    struct bytes left = want->text;

    while (fd >= 0 && left.n > 0) {
        ssize_t n = write(fd, left.at, left.n);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
        left = bytes_skip(left, (size_t)n);
    }
    if (left.n == 0)
        return true;
    fprintf(looking->place->err, "postern: %.*s: %s\n", (int)want->name.n, want->name.at,
            strerror(errno));
    return false;
}

static bool say(struct looking *looking, const struct look_want *want)
{
    hide_progress(looking);
    switch (want->to) {
    case LOOK_OUT:
        return fwrite(want->text.at, 1, want->text.n, looking->place->out) == want->text.n;
    case LOOK_ERR:
        return fwrite(want->text.at, 1, want->text.n, looking->place->err) == want->text.n;
    case LOOK_FILE:
        break;
    }
    return write_file(looking, want);
}

static int run(struct looking *looking, struct look *look)
{
    for (;;) {
        struct look_want want = look_next(look);
        switch (want.need) {
        case LOOK_NEEDS_NAMES:
            list_names(looking, want.name);
            look_give(look, buffer_bytes(&looking->octets));
            break;
        case LOOK_NEEDS_READ:
            read_octets(looking, &want);
            look_give(look, buffer_bytes(&looking->octets));
            break;
        case LOOK_SAYS:
            if (!say(looking, &want))
                return want.to == LOOK_FILE ? EX_CANTCREAT : EX_IOERR;
            break;
        case LOOK_ENDS:
            hide_progress(looking);
            return want.status;
        }
    }
}

static int refuse_spool(struct bytes spool, int error, FILE *err)
{
    struct buffer words = buffer_with_most(16384);

    buffer_put(&words, BYTES("postern: no server runs here, and its spool "));
    safe_put_plain(&words, spool);
    buffer_put(&words, BYTES(" cannot be read: "));
    buffer_put_text(&words, strerror(error));
    buffer_put_text(&words, error == EACCES ? "; ask as root or as the server's own user\n" : "\n");
    ctl_print(err, &words);
    buffer_done(&words);
    return error == EACCES ? EX_NOPERM : EX_UNAVAILABLE;
}

/* A server holds the folder of its spool exclusively (host/folder.h), so a shared hold tells. */
static bool is_free(int spool, bool hold)
{
    bool free_now = flock(spool, LOCK_SH | LOCK_NB) == 0;

    if (free_now && !hold)
        (void)flock(spool, LOCK_UN);
    return free_now;
}

static int refuse_held(FILE *err)
{
    fputs("postern: a server holds this queue, and its files change under the reader. If it runs,"
          " ask it (postern queue, postern trace) or end it first; if it is just starting, ask"
          " again.\n", err);
    return EX_TEMPFAIL;
}

static int open_spool(struct bytes spool)
{
    char path[PATH_MAX];

    if (spool.n >= sizeof(path))
        return errno = ENAMETOOLONG, -1;
    memcpy(path, spool.at, spool.n);
    path[spool.n] = '\0';
    return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

int ctl_look(const struct ctl_place *place, struct look *look)
{
    struct looking looking = {
        .place = place, .spool = open_spool(place->spool),
        .reads = -1, .reads_name = buffer_with_most(PATH_MAX),
        .writes = -1, .writes_name = buffer_with_most(PATH_MAX),
        .octets = buffer_with_most(READ_MOST),
        .shows = isatty(STDERR_FILENO), .begun_ms = clock_now().mono_ms,
    };
    int status = EX_OSERR;

    if (looking.spool < 0)
        status = refuse_spool(place->spool, errno, place->err);
    else if (!is_free(looking.spool, place->hold))
        status = refuse_held(place->err);
    else if (look == NULL)
        fputs("postern: memory is short\n", place->err);
    else
        status = run(&looking, look);
    for (size_t i = 0; i < 3; i++) {
        int fd = i == 0 ? looking.spool : i == 1 ? looking.reads : looking.writes;
        if (fd >= 0)
            close(fd);
    }
    buffer_done(&looking.reads_name);
    buffer_done(&looking.writes_name);
    buffer_done(&looking.octets);
    look_free(look);
    return status;
}
