/* SPDX-License-Identifier: ISC
 *
 * physlimit: what the machine can do, in the terms a mail queue cares about. One JSON line.
 */
#include "bench/load/histogram.h"
#include "bench/load/tool.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LOG_BYTES = 1 << 30, STEP = 1 << 20, WRITERS_MOST = 256, PATH_ROOM = 300 };

static struct histogram taken;
static pthread_mutex_t taken_lock = PTHREAD_MUTEX_INITIALIZER;

static bool over(uint64_t since, double seconds)
{
    return (double)(now_us() - since) / 1e6 >= seconds;
}

/* A log that was written once: later syncs move its data only, no metadata. */
static int open_log(const char *path)
{
    char *zeroes = must_have(STEP, 1);
    int fd = open(path, O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0600);

    if (fd < 0)
        give_up(path, 1);
    for (off_t at = 0; at < LOG_BYTES; at += STEP)
        if (pwrite(fd, zeroes, STEP, at) != STEP)
            give_up(path, 1);
    fsync(fd);
    free(zeroes);
    return fd;
}

/* Append `group` records, one fdatasync, again. */
static void measure_log(const char *folder, size_t bytes, size_t group, double seconds)
{
    char path[PATH_ROOM], *records = must_have(bytes, group);
    size_t n = bytes * group;
    uint64_t syncs = 0;
    off_t at = 0;

    snprintf(path, sizeof(path), "%s/physlimit.log", folder);
    int fd = open_log(path);
    uint64_t began = now_us(), last = began;
    for (; !over(began, seconds); syncs++) {
        if (at + (off_t)n > LOG_BYTES)
            at = 0;
        if (pwrite(fd, records, n, at) != (ssize_t)n || fdatasync(fd) != 0)
            give_up(path, 1);
        at += (off_t)n;
        uint64_t now = now_us();
        histogram_add(&taken, now - last);
        last = now;
    }
    double took = (double)(last - began) / 1e6, rate = (double)syncs / took;
    printf("{\"test\":\"log\",\"bytes\":%zu,\"group\":%zu,\"records_per_s\":%.0f,"
           "\"syncs_per_s\":%.0f,\"MB_per_s\":%.1f",
           bytes, group, rate * (double)group, rate, rate * (double)n / 1e6);
    histogram_json(stdout, "sync_us", &taken);
    puts("}");
    unlink(path);
    free(records);
}

struct writer {
    pthread_t thread;
    const char *folder;
    size_t bytes;
    double seconds;
    unsigned number;
    bool own_folder;
    uint64_t files;
};

static void name_file(const struct writer *writer, uint64_t file, const char *end, char *ret_path)
{
    snprintf(ret_path, PATH_ROOM, writer->own_folder ? "%s/%u/pl%llu%s" : "%s/pl%u.%llu%s",
             writer->folder, writer->number, (unsigned long long)file, end);
}

/* A new file for each record: create, write, fsync, rename: the classic queue file. */
static void *write_files(void *argument)
{
    struct writer *writer = argument;
    struct histogram *own = must_have(1, sizeof(*own));
    char *record = must_have(writer->bytes, 1), draft[PATH_ROOM], final[PATH_ROOM];
    uint64_t began = now_us(), last = began;

    for (; !over(began, writer->seconds); writer->files++) {
        name_file(writer, writer->files, ".tmp", draft);
        name_file(writer, writer->files, "", final);
        int fd = open(draft, O_CREAT | O_WRONLY | O_EXCL | O_CLOEXEC, 0600);
        if (fd < 0 || write(fd, record, writer->bytes) != (ssize_t)writer->bytes || fsync(fd) != 0
            || close(fd) != 0 || rename(draft, final) != 0)
            give_up(draft, 1);
        uint64_t now = now_us();
        histogram_add(own, now - last);
        last = now;
    }
    pthread_mutex_lock(&taken_lock);
    histogram_merge(&taken, own);
    pthread_mutex_unlock(&taken_lock);
    for (uint64_t i = 0; i < writer->files; i++) {
        name_file(writer, i, "", final);
        unlink(final);
    }
    free(own);
    free(record);
    return NULL;
}

static void measure_files(struct writer like, unsigned writers)
{
    struct writer *all = must_have(writers, sizeof(*all));
    uint64_t files = 0;
    char path[PATH_ROOM];

    for (unsigned i = 0; i < writers; i++) {
        all[i] = like;
        all[i].number = i;
        snprintf(path, sizeof(path), "%s/%u", like.folder, i);
        if (like.own_folder && mkdir(path, 0700) != 0)
            give_up(path, 1);
        if (pthread_create(&all[i].thread, NULL, write_files, &all[i]) != 0)
            give_up("thread", 1);
    }
    for (unsigned i = 0; i < writers; i++) {
        pthread_join(all[i].thread, NULL);
        files += all[i].files;
        snprintf(path, sizeof(path), "%s/%u", like.folder, i);
        if (like.own_folder)
            rmdir(path);
    }
    printf("{\"test\":\"file\",\"bytes\":%zu,\"split\":%s,\"writers\":%u,\"files_per_s\":%.0f",
           like.bytes, like.own_folder ? "true" : "false", writers, (double)files / like.seconds);
    histogram_json(stdout, "file_us", &taken);
    puts("}");
    free(all);
}

static void measure_memcpy(void)
{
    size_t n = (size_t)256 << 20;
    char *from = must_have(n, 1), *to = must_have(n, 1);
    uint64_t best = UINT64_MAX;

    memset(from, 1, n);
    memset(to, 2, n);
    for (int i = 0; i < 9; i++) {
        uint64_t began = now_us();
        memcpy(to, from, n);
        __asm__ volatile("" : : "r"(to) : "memory");
        uint64_t took = now_us() - began;
        best = took < best ? took : best;
    }
    printf("{\"test\":\"memcpy\",\"MB_per_s\":%.0f}\n", (double)n / (double)best);
    free(from);
    free(to);
}

static _Noreturn void answer(int listener)
{
    char text[64];
    int one = 1, fd = accept(listener, NULL, NULL);
    ssize_t n;

    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    while ((n = read(fd, text, sizeof(text))) > 0)
        if (write(fd, text, (size_t)n) < 0)
            break;
    _exit(0);
}

static void measure_echo(double seconds)
{
    struct sockaddr_in here = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t length = sizeof(here);
    int listener = socket(AF_INET, SOCK_STREAM, 0), fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;
    char text[64] = { 0 };

    if (bind(listener, (struct sockaddr *)&here, length) != 0 || listen(listener, 5) != 0
        || getsockname(listener, (struct sockaddr *)&here, &length) != 0)
        give_up("listener", 1);
    pid_t child = fork();
    if (child == 0)
        answer(listener);
    if (connect(fd, (struct sockaddr *)&here, sizeof(here)) != 0)
        give_up("connect", 1);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    uint64_t began = now_us(), last = began;
    while (!over(began, seconds)) {
        if (write(fd, text, 32) != 32 || read(fd, text, sizeof(text)) <= 0)
            give_up("echo", 1);
        uint64_t now = now_us();
        histogram_add(&taken, now - last);
        last = now;
    }
    close(fd);
    waitpid(child, NULL, 0);
    printf("{\"test\":\"echo\",\"round_trips_per_s\":%.0f", (double)taken.n / seconds);
    histogram_json(stdout, "rtt_us", &taken);
    puts("}");
}

static int usage(void)
{
    fputs("usage: physlimit log FOLDER BYTES GROUP SECONDS   records a second, GROUP a sync\n"
          "       physlimit file FOLDER BYTES WRITERS SECONDS [split]   a file for each record\n"
          "       physlimit memcpy\n"
          "       physlimit echo SECONDS                    round trips over loopback\n", stderr);
    return 2;
}

int main(int argc, char **argv)
{
    const char *test = argc > 1 ? argv[1] : "";

    if (argc == 6 && strcmp(test, "log") == 0) {
        measure_log(argv[2], argument_size(argv[3]), argument_count(argv[4]),
                    argument_seconds(argv[5]));
    } else if ((argc == 6 || argc == 7) && strcmp(test, "file") == 0) {
        uint64_t writers = argument_count(argv[4]);
        struct writer like = {
            .folder = argv[2], .bytes = argument_size(argv[3]),
            .seconds = argument_seconds(argv[5]), .own_folder = argc == 7,
        };
        if (writers < 1 || writers > WRITERS_MOST)
            return usage();
        measure_files(like, (unsigned)writers);
    } else if (argc == 2 && strcmp(test, "memcpy") == 0) {
        measure_memcpy();
    } else if (argc == 3 && strcmp(test, "echo") == 0) {
        measure_echo(argument_seconds(argv[2]));
    } else {
        return usage();
    }
    return 0;
}
