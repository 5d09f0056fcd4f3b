/* SPDX-License-Identifier: ISC
 *
 * The client of the control socket, against a server made of a thread that says what it is told.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "host/ctl_int.h"
#include "role/control.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sysexits.h>
#include <unistd.h>

struct server {
    int fd;
    struct bytes answer;
    size_t piece;               /* octets a write */
    bool reads;                 /* the request first */
    struct buffer request;
};

static void *serve(void *of)
{
    struct server *server = of;
    struct bytes words[CONTROL_WORDS_MOST];
    size_t n;

    while (server->reads && control_take_request(buffer_bytes(&server->request), words, &n)
                            == CONTROL_NEEDS_MORE) {
        char part[256];
        ssize_t got = recv(server->fd, part, sizeof(part), 0);
        if (got <= 0)
            break;
        buffer_put(&server->request, (struct bytes){ part, (size_t)got });
    }
    while (server->answer.n > 0) {
        size_t piece = server->piece < server->answer.n ? server->piece : server->answer.n;
        ssize_t sent = send(server->fd, server->answer.at, piece, MSG_NOSIGNAL);
        if (sent <= 0)
            break;
        server->answer = bytes_skip(server->answer, (size_t)sent);
    }
    close(server->fd);
    return NULL;
}

static int ask(struct server *server, char **ret_out, char **ret_err)
{
    struct bytes words[] = { BYTES("trace"), BYTES("a@b") };
    pthread_t thread;
    size_t out_n, err_n;
    int pair[2];
    FILE *out = open_memstream(ret_out, &out_n), *err = open_memstream(ret_err, &err_n);

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    server->fd = pair[1];
    server->request = buffer_with_most(4096);
    assert_int_equal(pthread_create(&thread, NULL, serve, server), 0);
    int status = ctl_ask(pair[0], words, COUNT(words), out, err);
    close(pair[0]);
    pthread_join(thread, NULL);
    fclose(out);
    fclose(err);
    return status;
}

static void copies_the_answer(void **state)
{
    for (size_t piece = 1; piece < 40; piece += 7) {
        struct buffer answer = buffer_with_most(4096);
        char *out, *err;

        control_put(&answer, CONTROL_OUT, BYTES("one\n"));
        control_put(&answer, CONTROL_ERR, BYTES("two\n"));
        control_put(&answer, CONTROL_OUT, BYTES("three\n"));
        control_put_exit(&answer, 69);
        struct server server = { .answer = buffer_bytes(&answer), .piece = piece, .reads = true };
        assert_int_equal(ask(&server, &out, &err), 69);
        assert_string_equal(out, "one\nthree\n");
        assert_string_equal(err, "two\n");
        assert_true(bytes_equal(buffer_bytes(&server.request), BYTES("\x0a\0\0\0trace\0a@b\0")));
        buffer_done(&server.request);
        buffer_done(&answer);
        free(out);
        free(err);
    }
}

static const struct {
    const char *name;
    struct bytes answer;
    const char *out;
} broken[] = {
    { "nothing", BYTES_INIT(""), "" },
    { "half a frame", BYTES_INIT("\x05\0\0\0\x01x"), "" },
    { "no status", BYTES_INIT("\x02\0\0\0\x01x"), "x" },
    { "a length that cannot be", BYTES_INIT("\x02\0\0\0\x01x\xff\xff\xff\xff"), "x" },
    { "garbage", BYTES_INIT("HTTP/1.1 400 Bad Request\r\n\r\n"), "" },
};

static void says_when_it_broke_off(void **state)
{
    for (size_t i = 0; i < COUNT(broken); i++) {
        struct server server = { .answer = broken[i].answer, .piece = 3, .reads = i % 2 == 0 };
        char *out, *err;

        if (ask(&server, &out, &err) != EX_PROTOCOL || strcmp(out, broken[i].out) != 0
            || strcmp(err, "postern: the server's answer broke off\n") != 0)
            fail_msg("%s: %s", broken[i].name, err);
        buffer_done(&server.request);
        free(out);
        free(err);
    }
}

static void takes_words_and_file(void **state)
{
    char *argv[] = { "queue", "-c", "file", "--json", NULL };
    struct bytes words[CTL_WORDS_MOST];
    const char *path;
    size_t n;

    assert_true(ctl_words(4, argv, words, &n, &path));
    assert_int_equal(n, 2);
    assert_true(bytes_equal(words[1], BYTES("--json")));
    assert_string_equal(path, "file");
    assert_false(ctl_words(2, argv, words, &n, &path));     /* -c without a name */
}

static void a_path_too_long_is_no_server(void **state)
{
    static char name[200];

    memset(name, 'a', sizeof(name));
    assert_int_equal(ctl_connect((struct bytes){ name, sizeof(name) }), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(copies_the_answer),
        cmocka_unit_test(says_when_it_broke_off),
        cmocka_unit_test(takes_words_and_file),
        cmocka_unit_test(a_path_too_long_is_no_server),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
