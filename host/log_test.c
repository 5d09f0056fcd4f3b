/* SPDX-License-Identifier: ISC */
#include "host/log.h"
#include "host/testing.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/socket.h>

static void put(struct log_sink *sink, const char *line)
{
    log_sink_put(sink, 1795295978123, LOG_INFO, BYTES("front.0"), bytes_of(line));
}

static size_t read_file(const char *path, char *text, size_t room)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = read(fd, text, room - 1);

    close(fd);
    text[n < 0 ? 0 : n] = '\0';
    return n < 0 ? 0 : (size_t)n;
}

static void a_line_is_whole(void **state)
{
    char folder[64], path[96], moved[96], text[4096];

    (void)state;
    testing_folder(folder, sizeof(folder));
    snprintf(path, sizeof(path), "%s/log", folder);
    snprintf(moved, sizeof(moved), "%s/log.1", folder);
    struct log_sink *sink = log_sink_new(bytes_of(path));
    put(sink, "event=one");
    log_sink_put(sink, 0, LOG_ERROR, BYTES("store"), BYTES("event=two"));
    assert_false(log_sink_flush(sink));
    read_file(path, text, sizeof(text));
    assert_string_equal(text, "2026-11-21T21:19:38.123Z level=info role=front.0 event=one\n"
                              "1970-01-01T00:00:00.000Z level=error role=store event=two\n");
    /* OS-013: moved away and opened anew, no line is lost. */
    assert_int_equal(rename(path, moved), 0);
    put(sink, "event=three");
    log_sink_reopen(sink);
    put(sink, "event=four");
    log_sink_free(sink);
    read_file(moved, text, sizeof(text));
    assert_non_null(strstr(text, "event=three\n"));
    read_file(path, text, sizeof(text));
    assert_string_equal(text, "2026-11-21T21:19:38.123Z level=info role=front.0 event=four\n");
    testing_remove(folder);
}

static void a_file_that_cannot_be_opened_is_said(void **state)
{
    (void)state;
    assert_null(log_sink_new(BYTES("/nonexistent/folder/log")));
}

/* Standard error replaced by this descriptor for a while. */
static struct log_sink *sink_on(int fd, int *ret_saved)
{
    *ret_saved = dup(STDERR_FILENO);
    assert_true(dup2(fd, STDERR_FILENO) >= 0);
    return log_sink_new(BYTES_NONE);
}

static void restore(int saved)
{
    assert_true(dup2(saved, STDERR_FILENO) >= 0);
    close(saved);
}

/* Nobody reads: nothing waits, what does not fit is counted, and the count is said later; no line
   is torn. */
static void check_full(int reader, int writer)
{
    static char text[8 << 20];
    size_t n = 0, lines = 0;
    int saved;
    struct log_sink *sink = sink_on(writer, &saved);

    restore(saved);
    for (unsigned i = 0; i < 40000; i++) {
        put(sink, "event=much");
        if (i % 100 == 0)
            log_sink_flush(sink);
    }
    assert_true(log_sink_flush(sink));
    for (unsigned i = 0; i < 10000; i++) {
        bool waits = log_sink_flush(sink);
        ssize_t got = read(reader, text + n, sizeof(text) - n);
        n += got > 0 ? (size_t)got : 0;
        if (got <= 0 && !waits)
            break;
    }
    put(sink, "event=last");
    log_sink_free(sink);
    ssize_t got = read(reader, text + n, sizeof(text) - n);
    n += got > 0 ? (size_t)got : 0;
    for (char *at = text, *stop; (stop = memchr(at, '\n', n - (size_t)(at - text))) != NULL;
         at = stop + 1, lines++)
        assert_int_equal(memcmp(at, "2026-11-21T21:19:38.123Z level=", 31), 0);
    assert_int_equal(text[n - 1], '\n');
    assert_non_null(memmem(text, n, "event=log-lines-lost lines=", 27));
    assert_non_null(memmem(text, n, "event=last", 10));
    assert_true(lines < 40000);
}

static void a_full_pipe_or_socket_never_blocks(void **state)
{
    int ends[2];

    (void)state;
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    check_full(ends[0], ends[1]);
    assert_int_equal(fcntl(ends[1], F_GETFL) & O_NONBLOCK, 0);  /* others' view is not changed */
    close(ends[0]);
    close(ends[1]);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    check_full(ends[0], ends[1]);
    close(ends[0]);
    close(ends[1]);
}

static void a_closed_stderr_or_a_full_disk_is_borne(void **state)
{
    int saved, full = open("/dev/full", O_WRONLY | O_CLOEXEC);
    struct log_sink *sink = sink_on(full, &saved);

    (void)state;
    restore(saved);
    put(sink, "event=x");
    assert_true(log_sink_flush(sink));
    log_sink_free(sink);
    close(full);
    saved = dup(STDERR_FILENO);
    close(STDERR_FILENO);
    sink = log_sink_new(BYTES_NONE);
    restore(saved);
    assert_non_null(sink);
    put(sink, "event=x");
    assert_false(log_sink_flush(sink));     /* not to be tried again */
    log_sink_free(sink);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_is_whole),
        cmocka_unit_test(a_file_that_cannot_be_opened_is_said),
        cmocka_unit_test(a_full_pipe_or_socket_never_blocks),
        cmocka_unit_test(a_closed_stderr_or_a_full_disk_is_borne),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
