/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "host/conf_file.h"
#include "host/testing.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

static char folder[200];

static void path_of(const char *name, char ret_path[static 300])
{
    snprintf(ret_path, 300, "%s/%s", folder, name);
}

static void write_file(const char *name, const char *text, size_t n, unsigned mode)
{
    char path[300];

    path_of(name, path);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(fd >= 0 && write(fd, text, n) == (ssize_t)n && fchmod(fd, mode) == 0);
    close(fd);
}

static int read_file(const char *name, struct conf_file *ret_file, struct buffer *ret_words)
{
    char path[300];

    path_of(name, path);
    *ret_words = buffer_with_most(4096);
    int status = conf_file_read(path, ret_file, ret_words);
    if (status == 0)
        conf_file_put_risks(ret_words, ret_file);
    buffer_put_char(ret_words, '\0');
    return status;
}

/* CFG-004: who may write the file, and who may read it. */
static const char good[] = "host a.example\ndomain a.example\nmailboxes mail\n";

static void reads_and_warns(void **state)
{
    static const struct { unsigned mode, risks; } modes[] = {
        { 0600, 0 }, { 0644, 0 }, { 0664, CONF_FILE_WRITABLE }, { 0606, CONF_FILE_WRITABLE },
    };

    for (size_t i = 0; i < COUNT(modes); i++) {
        static struct conf_file file;
        struct buffer words;
        write_file("conf", good, strlen(good), modes[i].mode);
        assert_int_equal(read_file("conf", &file, &words), 0);
        assert_int_equal(file.risks, modes[i].risks);
        assert_true((words.n > 1) == (modes[i].risks != 0));
        assert_true(file.conf.mailboxes.at[0] == '/');
        assert_true(bytes_ends(file.conf.mailboxes, BYTES("/mail")));
        conf_file_done(&file);
        buffer_done(&words);
    }
}

static void says_why_not(void **state)
{
    static struct conf_file file;
    static char big[LIMIT_CONF_BYTES + 2];
    struct buffer words;
    char path[300];

    assert_int_equal(read_file("absent", &file, &words), EX_NOINPUT);
    assert_non_null(strstr(words.at, "/absent: No such file or directory\n"));
    buffer_done(&words);
    write_file("bad", "hots a\n", 7, 0600);
    assert_int_equal(read_file("bad", &file, &words), EX_CONFIG);
    assert_non_null(strstr(words.at, "/bad:1:1: expected a setting, found \"hots\"; did you mean"));
    buffer_done(&words);
    path_of("pipe", path);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(read_file("pipe", &file, &words), EX_NOINPUT);
    buffer_done(&words);
    assert_int_equal(read_file(".", &file, &words), EX_NOINPUT);
    buffer_done(&words);
    memset(big, '\n', sizeof(big));
    write_file("big", big, sizeof(big), 0600);
    assert_int_equal(read_file("big", &file, &words), EX_CONFIG);
    assert_non_null(strstr(words.at, "expected a file of at most 1 MiB"));
    buffer_done(&words);
}

static int begin(void **state)
{
    testing_folder(folder, sizeof(folder));
    return 0;
}

static int end(void **state)
{
    testing_remove(folder);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_and_warns),
        cmocka_unit_test(says_why_not),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
