/* SPDX-License-Identifier: ISC */
#include "base/bytes.h"
#include "host/command.h"
#include "host/testing.h"
#include "host/testing_role.h"

#include <dirent.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sysexits.h>

struct ground {
    char folder[64], conf[96], said[96];
    char words[65536];
};

static int begin(void **state)
{
    struct ground *ground = test_calloc(1, sizeof(*ground));

    testing_folder(ground->folder, sizeof(ground->folder));
    snprintf(ground->conf, sizeof(ground->conf), "%s/conf", ground->folder);
    snprintf(ground->said, sizeof(ground->said), "%s/said", ground->folder);
    *state = ground;
    return 0;
}

static int end(void **state)
{
    struct ground *ground = *state;

    testing_remove(ground->folder);
    test_free(ground);
    return 0;
}

static void write_conf(struct ground *ground, const char *text)
{
    int fd = open(ground->conf, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
}

static void read_said(struct ground *ground)
{
    int fd = open(ground->said, O_RDONLY | O_CLOEXEC);
    ssize_t n = read(fd, ground->words, sizeof(ground->words) - 1);

    close(fd);
    ground->words[n < 0 ? 0 : n] = '\0';
}

/* serve_run in a process of its own, what it says kept in a file. */
static pid_t serve(struct ground *ground, const char *const *arguments, int n)
{
    pid_t pid = fork();

    if (pid == 0) {
        char *argv[8] = { (char[]){ "serve" } };
        int fd = open(ground->said, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0600);
        for (int i = 0; i < n; i++)
            argv[i + 1] = strcmp(arguments[i], "CONF") == 0 ? ground->conf
                        : test_malloc(strlen(arguments[i]) + 1);
        for (int i = 0; i < n; i++)
            if (argv[i + 1] != ground->conf)
                memcpy(argv[i + 1], arguments[i], strlen(arguments[i]) + 1);
        dup2(fd, STDOUT_FILENO);
        dup2(fd, STDERR_FILENO);
        int status = serve_run(n + 1, argv);
        fflush(stdout);
        _exit(status);
    }
    return pid;
}

static int status_of(pid_t pid)
{
    int status;

    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

#define WHOLE "host mx.example.org\ndomain example.org\nusers no\nmailboxes mail\nspool spool\n" \
              "control control\n"

static const struct { const char *arguments[4]; int n; const char *conf; int want;
                      const char *says; } refusals[] = {
    { { "--help" }, 1, NULL, EX_OK, "usage: postern serve" },
    { { "--bogus" }, 1, NULL, EX_USAGE, "usage: postern serve" },
    { { "-c" }, 1, NULL, EX_USAGE, "usage: postern serve" },
    { { "-c", "/nonexistent/conf" }, 2, NULL, EX_NOINPUT, "/nonexistent/conf: " },
    { { "-c", "CONF" }, 2, "hots mx.example.org\n", EX_CONFIG, "conf:1:1: " },
    { { "-c", "CONF" }, 2, "hots mx.example.org\n", EX_CONFIG, "host" },
    { { "-c", "CONF" }, 2, "", EX_CONFIG, "conf" },
    { { "-c", "CONF" }, 2, WHOLE "listen 192.0.2.1:2525\n", EX_UNAVAILABLE,
      "postern: listen 192.0.2.1:2525: " },
    { { "-c", "CONF" }, 2, WHOLE "listen 127.0.0.1:9\nlog none/log\n", EX_CANTCREAT,
      "postern: log " },
    { { "-c", "CONF" }, 2, "host a.example\ndomain a.example\nmailboxes conf/x\nspool spool\n"
      "users no\nlisten 127.0.0.1:9\ncontrol control\n", EX_CANTCREAT, "postern: mailboxes " },
    { { "--one-process", "-c", "CONF" }, 3, "host a.example\ndomain a.example\nmailboxes mail\n"
      "spool conf\nlisten 127.0.0.1:9\ncontrol control\n", EX_CANTCREAT, "postern: spool " },
};

/* CFG-002, CFG-010: a server that cannot start whole does not start, and says what is in the
   way. */
static void it_refuses_with_a_reason(void **state)
{
    struct ground *ground = *state;

    for (size_t i = 0; i < COUNT(refusals); i++) {
        write_conf(ground, refusals[i].conf == NULL ? "" : refusals[i].conf);
        int status = status_of(serve(ground, refusals[i].arguments, refusals[i].n));
        read_said(ground);
        if (status != refusals[i].want || strstr(ground->words, refusals[i].says) == NULL)
            fail_msg("row %zu: %d, %s", i, status, ground->words);
    }
}

/* A port that nobody has now. The configuration has no word for "any". */
static int free_port(void)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t n = sizeof(at);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &n), 0);
    close(fd);
    return ntohs(at.sin_port);
}

static void until_it_listens(struct ground *ground)
{
    for (unsigned i = 0; i < 3000; i++) {
        read_said(ground);
        if (strstr(ground->words, "event=listening address=127.0.0.1:") != NULL)
            return;
        poll(NULL, 0, 10);
    }
    fail_msg("%s", ground->words);
}

/* What expect read last. */
static char got[1024];

/* Send, then read until that was said. */
static void expect(int fd, const char *send_first, const char *want)
{
    size_t n = 0;

    got[0] = '\0';

    assert_int_equal(send(fd, send_first, strlen(send_first), MSG_NOSIGNAL), strlen(send_first));
    while (strstr(got, want) == NULL && n < sizeof(got) - 1) {
        struct pollfd wait = { .fd = fd, .events = POLLIN };
        assert_int_equal(poll(&wait, 1, 30000), 1);
        ssize_t more = recv(fd, got + n, sizeof(got) - 1 - n, 0);
        if (more <= 0)
            fail_msg("wanted %s, got %s", want, got);
        n += (size_t)more;
        got[n] = '\0';
    }
}

/* A session; until the store has read its log, the front answers 421. */
static int greeted(int port)
{
    char code[4] = "";

    for (unsigned i = 0; i < 3000; i++) {
        int fd = testing_connect(port);
        if (recv(fd, code, 3, MSG_PEEK | MSG_WAITALL) == 3 && strcmp(code, "220") == 0)
            return fd;
        close(fd);
        poll(NULL, 0, 10);
    }
    fail_msg("greeted with %s", code);
    return -1;
}

static unsigned files_in(const char *folder)
{
    DIR *dir = opendir(folder);
    unsigned n = 0;

    for (struct dirent *entry; dir != NULL && (entry = readdir(dir)) != NULL;)
        n += entry->d_name[0] != '.';
    if (dir != NULL)
        closedir(dir);
    return n;
}

static void make_mailbox(struct ground *ground)
{
    char path[160];

    snprintf(path, sizeof(path), "%s/mail", ground->folder);
    assert_int_equal(mkdir(path, 0700), 0);
    snprintf(path, sizeof(path), "%s/mail/example.org", ground->folder);
    assert_int_equal(mkdir(path, 0700), 0);
    snprintf(path, sizeof(path), "%s/mail/example.org/ann", ground->folder);
    assert_int_equal(mkdir(path, 0700), 0);
}

static void deliver(struct ground *ground, const char *const *arguments, int n)
{
    char box[160], conf[512];
    int port = free_port();

    snprintf(conf, sizeof(conf), WHOLE "listen 127.0.0.1:%d\nfronts 2\n", port);
    write_conf(ground, conf);
    make_mailbox(ground);
    pid_t server = serve(ground, arguments, n);
    until_it_listens(ground);
    int fd = greeted(port);
    expect(fd, "", "220 ");
    expect(fd, "EHLO client.example\r\n", "250 ");
    expect(fd, "MAIL FROM:<a@b.example>\r\n", "250 ");
    expect(fd, "RCPT TO:<ann@example.org>\r\n", "250 ");
    expect(fd, "RCPT TO:<nobody@example.org>\r\n", "550 5.1.1 ");
    expect(fd, "DATA\r\n", "354 ");
    expect(fd, "Subject: hello\r\n\r\nhello\r\n.\r\n", "250 ");
    expect(fd, "QUIT\r\n", "221 ");
    close(fd);
    snprintf(box, sizeof(box), "%s/mail/example.org/ann/new", ground->folder);
    for (unsigned i = 0; i < 3000 && files_in(box) == 0; i++)
        poll(NULL, 0, 10);
    assert_int_equal(files_in(box), 1);
    kill(server, SIGTERM);
    assert_int_equal(status_of(server), 0);
    snprintf(box, sizeof(box), "%s/control", ground->folder);
    assert_int_equal(access(box, F_OK), -1);
}

static void a_letter_comes_in_and_lies_in_its_mailbox(void **state)
{
    deliver(*state, (const char *const[]){ "-c", "CONF" }, 2);
}

static void all_in_one_process_too(void **state)
{
    deliver(*state, (const char *const[]){ "--one-process", "--config", "CONF" }, 3);
}

enum { SESSIONS = 500, STATES = 4 };

/* Bring a session into one of the states a client may be in. */
static int session_in(int port, unsigned at)
{
    int fd = greeted(port);

    expect(fd, "", "220 ");
    if (at > 0)
        expect(fd, "EHLO client.example\r\n", "250 ");
    if (at > 1)
        expect(fd, "MAIL FROM:<a@b.example>\r\n", "250 ");
    if (at > 2) {
        expect(fd, "RCPT TO:<ann@example.org>\r\n", "250 ");
        expect(fd, "DATA\r\n", "354 ");
    }
    return fd;
}

/* SRV-110: asked to end with 500 sessions in all states: those in a letter may finish it, the
   others are told 421; what was answered 250 lies in the mailbox or the queue; the exit status is
   0. */
static void it_ends_with_a_word_to_everyone(void **state)
{
    struct ground *ground = *state;
    static int fds[SESSIONS];
    char conf[512];
    int port = free_port();

    snprintf(conf, sizeof(conf), WHOLE "listen 127.0.0.1:%d\nfronts 2\ndeliver no\n", port);
    write_conf(ground, conf);
    make_mailbox(ground);
    pid_t server = serve(ground, (const char *const[]){ "-c", "CONF" }, 2);
    until_it_listens(ground);
    for (unsigned i = 0; i < SESSIONS; i++)
        fds[i] = session_in(port, i % STATES);
    kill(server, SIGTERM);
    for (unsigned i = 0; i < SESSIONS; i++) {
        bool in_letter = i % STATES == STATES - 1;
        expect(fds[i], in_letter ? "Subject: last\r\n\r\nlast\r\n.\r\n" : "", "421 4.3.2 ");
        assert_int_equal(strstr(got, "250 2.") != NULL, in_letter);
        close(fds[i]);
    }
    assert_int_equal(status_of(server), 0);
    read_said(ground);
    assert_null(strstr(ground->words, "child-killed"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(it_refuses_with_a_reason, begin, end),
        cmocka_unit_test_setup_teardown(a_letter_comes_in_and_lies_in_its_mailbox, begin, end),
        cmocka_unit_test_setup_teardown(all_in_one_process_too, begin, end),
        cmocka_unit_test_setup_teardown(it_ends_with_a_word_to_everyone, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
