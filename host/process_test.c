/* SPDX-License-Identifier: ISC */
#include "host/process.h"
#include "host/address.h"
#include "host/signals.h"
#include "host/testing.h"
#include "host/testing_role.h"
#include "role/wire.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <sysexits.h>

/* A whole server of tiny roles, with a process each, killed in all its parts. A client sends the
   front one letter: h: ask the store and answer "h" when it does; a: abort, as a failed assert
   does; b: tell the store what a front may not; x: exit. */

/* ---- the tiny roles ---- */

struct tiny {
    const char *name;
    struct role_name store;
    uint32_t asked;             /* the connection that waits for the store */
    bool up, waits;             /* the store's channel is open; a question waits for that */
};

static void say(struct effects *fx, const char *event, const struct event *from)
{
    struct buffer line = buffer_with_most(200);

    buffer_put_text(&line, "event=");
    buffer_put_text(&line, event);
    buffer_put_text(&line, " peer=");
    buffer_put_uint(&line, from->peer.kind);
    buffer_put_char(&line, '.');
    buffer_put_uint(&line, from->peer.index);
    fx_log(fx, LOG_INFO, fx_keep(fx, buffer_bytes(&line)));
    buffer_done(&line);
}

static void *tiny_make(const struct conf *conf, uint32_t index)
{
    struct tiny *tiny = mem_new(sizeof(*tiny));

    (void)conf, (void)index;
    tiny->store = (struct role_name){ ROLE_STORE, 0 };
    return tiny;
}

static void tiny_ask(struct tiny *tiny, struct effects *fx)
{
    tiny->waits = !tiny->up;
    if (tiny->up)
        wire_tell_letter_drop(fx, tiny->store, &(struct wire_letter_drop){ .token = 7 });
}

static void tiny_up(struct tiny *tiny, const struct event *event, struct effects *fx)
{
    say(fx, event->kind == EV_PEER_UP ? "up" : "down", event);
    tiny->up = event->kind == EV_PEER_UP;
    if (tiny->waits)
        tiny_ask(tiny, fx);
}

static void tiny_bytes(struct tiny *tiny, const struct event *event, struct effects *fx)
{
    switch (event->bytes.at[0]) {
    case 'a': abort();
    case 'x': fx_exit(fx, 3); break;
    case 'b': wire_tell_job_end(fx, tiny->store, &(struct wire_job_end){ .job = 1 }); break;
    default:
        tiny->asked = event->conn;
        tiny_ask(tiny, fx);
    }
}

static void tiny_step(void *of, const struct event *event, struct effects *fx)
{
    struct tiny *tiny = of;

    switch (event->kind) {
    case EV_START: say(fx, "start", event); break;
    case EV_PEER_UP: case EV_PEER_DOWN: tiny_up(tiny, event, fx); break;
    case EV_BYTES: tiny_bytes(tiny, event, fx); break;
    case EV_TOLD:
        if (wire_kind_of(event->bytes) == WIRE_LETTER_DROP_MESSAGE)
            wire_tell_letter_taken(fx, event->peer, &(struct wire_letter_taken){ .token = 7 });
        else
            fx_send(fx, tiny->asked, BYTES("h"));
        break;
    case EV_STOP: fx_exit(fx, 0); break;
    case EV_END: fx_close(fx, event->conn); break;
    case EV_ACCEPT: case EV_CLOSED: case EV_DRAINED: case EV_IO: case EV_ALARM: case EV_TURN:
    case EV_RELOAD: case EV_CHILD:
    case EV_CONNECTED: case EV_ASKED: case EV_RESOLVED: case EV_FETCHED:
        break;
    }
}

#define TINY(text) { .name = text, .make = tiny_make, .step = tiny_step, .free = mem_free }
static const struct role_ops tiny_front = TINY("front"), tiny_store = TINY("store"),
                             tiny_local = TINY("local"), tiny_admin = TINY("admin"),
                             tiny_relay = TINY("relay"), tiny_keys = TINY("keys"),
                             tiny_names = TINY("names"), tiny_fetch = TINY("fetch");

const struct role_ops *role_ops_of(enum role_kind kind)
{
    static const struct role_ops *const rows[] = {
        [ROLE_MASTER] = &master_ops, [ROLE_FRONT] = &tiny_front, [ROLE_STORE] = &tiny_store,
        [ROLE_LOCAL] = &tiny_local, [ROLE_ADMIN] = &tiny_admin,
        [ROLE_RELAY] = &tiny_relay, [ROLE_KEYS] = &tiny_keys,
        [ROLE_NAMES] = &tiny_names, [ROLE_FETCH] = &tiny_fetch,
    };
    return rows[kind];
}

/* ---- the ground ---- */

struct ground {
    char folder[64], log[128], spool[96], mail[96], control[96];
    struct bytes listen;
    struct conf conf;
    struct estate estate;
    int port;
    pid_t master;
    char text[256 * 1024];      /* the log */
};

static int begin_fronts(void **state, unsigned fronts)
{
    struct ground *ground = test_calloc(1, sizeof(*ground));
    struct buffer words = buffer_with_most(4096);
    struct net_address address;

    prctl(PR_SET_CHILD_SUBREAPER, 1);
    testing_folder(ground->folder, sizeof(ground->folder));
    snprintf(ground->log, sizeof(ground->log), "%s/log", ground->folder);
    snprintf(ground->spool, sizeof(ground->spool), "%s/spool", ground->folder);
    snprintf(ground->mail, sizeof(ground->mail), "%s/mail", ground->folder);
    snprintf(ground->control, sizeof(ground->control), "%s/control", ground->folder);
    ground->listen = BYTES("127.0.0.1:0");
    ground->conf = (struct conf){
        .fronts = fronts, .connections = 100, .listen = { &ground->listen, 1 },
        .spool = bytes_of(ground->spool), .mailboxes = bytes_of(ground->mail),
        .control = bytes_of(ground->control), .log = bytes_of(ground->log),
    };
    struct log_sink *log = log_sink_new(ground->conf.log);
    assert_int_equal(estate_open(&ground->estate, &ground->conf, log, &words), 0);
    assert_true(address_of_socket(ground->estate.fronts[0].fds[0], &address));
    ground->port = address.port;
    buffer_done(&words);
    *state = ground;
    return 0;
}

static int begin(void **state)
{
    return begin_fronts(state, 2);
}

static int begin_together(void **state)
{
    return begin_fronts(state, 1);
}

static void start(struct ground *ground, bool together)
{
    ground->master = fork();
    if (ground->master == 0) {
        signals_take();
        _exit(together ? together_run(&ground->estate)
                       : processes_run(&ground->estate, NULL, NULL));
    }
    assert_true(ground->master > 0);
}

/* Reap all that is left; nobody may live on. */
static int end(void **state)
{
    struct ground *ground = *state;

    if (ground->master > 0)
        kill(ground->master, SIGKILL);
    while (waitpid(-1, NULL, 0) > 0)
        continue;
    log_sink_free(ground->estate.log);
    estate_close(&ground->estate);
    testing_remove(ground->folder);
    test_free(ground);
    return 0;
}

static void read_log(struct ground *ground)
{
    int fd = open(ground->log, O_RDONLY | O_CLOEXEC);
    ssize_t n = read(fd, ground->text, sizeof(ground->text) - 1);

    close(fd);
    ground->text[n < 0 ? 0 : n] = '\0';
}

static unsigned logged(struct ground *ground, const char *what)
{
    unsigned n = 0;

    read_log(ground);
    for (const char *at = ground->text; (at = strstr(at, what)) != NULL; at++)
        n++;
    return n;
}

static void until(struct ground *ground, const char *what, unsigned times)
{
    for (unsigned i = 0; i < 3000 && logged(ground, what) < times; i++)
        poll(NULL, 0, 10);
    if (logged(ground, what) != times)
        fail_msg("%s: %u times, wanted %u\n%s", what, logged(ground, what), times, ground->text);
}

/* The pid that master logged last for that child. */
static pid_t pid_of(struct ground *ground, const char *child)
{
    char what[64];
    const char *found = NULL;

    snprintf(what, sizeof(what), "event=child-started child=%s pid=", child);
    read_log(ground);
    for (const char *at = ground->text; (at = strstr(at, what)) != NULL; at++)
        found = at + strlen(what);
    assert_non_null(found);
    return (pid_t)strtol(found, NULL, 10);
}

/* All channels of the start: each of two fronts, local, admin and relay with the store. */
static void until_ready(struct ground *ground)
{
    until(ground, "role=store event=up", 5);
    until(ground, "role=front.0 event=up peer=2.0", 1);
    until(ground, "role=front.1 event=up peer=2.0", 1);
}

/* 'h' when a front and the store answered, 0 when the connection ended. */
static char ask(struct ground *ground, char letter)
{
    int fd = testing_connect(ground->port);
    char answer = 0;

    assert_int_equal(send(fd, &letter, 1, MSG_NOSIGNAL), 1);
    struct pollfd wait = { .fd = fd, .events = POLLIN };
    if (poll(&wait, 1, 30000) != 1) {
        read_log(ground);
        fail_msg("no answer\n%s", ground->text);
    }
    if (recv(fd, &answer, 1, 0) != 1)
        answer = 0;
    close(fd);
    return answer;
}

static int master_status(struct ground *ground)
{
    int status;

    assert_int_equal(waitpid(ground->master, &status, 0), ground->master);
    ground->master = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

/* ---- the tests ---- */

static void it_serves_and_ends_cleanly(void **state)
{
    struct ground *ground = *state;

    start(ground, false);
    until_ready(ground);
    for (unsigned i = 0; i < 20; i++)
        assert_int_equal(ask(ground, 'h'), 'h');
    kill(ground->master, SIGTERM);
    assert_int_equal(master_status(ground), 0);
    assert_int_equal(waitpid(-1, NULL, 0), -1);     /* nobody is left */
    assert_int_equal(errno, ECHILD);
    assert_int_equal(logged(ground, "level=error"), 0);
}

static void interrupted_it_ends_cleanly(void **state)
{
    struct ground *ground = *state;

    start(ground, false);
    until_ready(ground);
    kill(ground->master, SIGINT);
    assert_int_equal(master_status(ground), 0);
}

/* A killed child is started anew at once; its peers see it go and come; the others live on. */
static void a_killed_child_comes_back(void **state)
{
    struct ground *ground = *state;

    start(ground, false);
    until_ready(ground);
    pid_t store = pid_of(ground, "store index=0"), local = pid_of(ground, "local index=0");
    kill(store, SIGKILL);
    until(ground, "role=store event=start", 2);
    until(ground, "role=front.0 event=down peer=2.0", 1);
    until(ground, "role=front.1 event=down peer=2.0", 1);
    until(ground, "role=local event=down peer=2.0", 1);
    until(ground, "role=front.0 event=up peer=2.0", 2);
    until(ground, "role=front.1 event=up peer=2.0", 2);
    until(ground, "role=store event=up", 10);
    until(ground, "event=child-ended child=store index=0 status=137", 1);
    assert_int_not_equal(pid_of(ground, "store index=0"), store);
    assert_int_equal(pid_of(ground, "local index=0"), local);
    assert_int_equal(logged(ground, "role=local event=start"), 1);
    for (unsigned i = 0; i < 20; i++)
        assert_int_equal(ask(ground, 'h'), 'h');
}

static void a_killed_front_keeps_its_backlog(void **state)
{
    struct ground *ground = *state;

    start(ground, false);
    until_ready(ground);
    kill(pid_of(ground, "front index=0"), SIGSTOP);
    kill(pid_of(ground, "front index=1"), SIGSTOP);
    int fd = testing_connect(ground->port);
    assert_int_equal(send(fd, "h", 1, 0), 1);
    kill(pid_of(ground, "front index=0"), SIGKILL);
    kill(pid_of(ground, "front index=1"), SIGKILL);
    struct pollfd wait = { .fd = fd, .events = POLLIN };
    if (poll(&wait, 1, 30000) != 1) {
        read_log(ground);
        fail_msg("no answer\n%s", ground->text);
    }
    char answer = 0;
    assert_int_equal(recv(fd, &answer, 1, 0), 1);
    assert_int_equal(answer, 'h');
    close(fd);
}

/* CVE-2025-62875 for siblings: nonsense on a channel ends the one that said it, nobody else. */
static void nonsense_ends_the_one_that_said_it(void **state)
{
    struct ground *ground = *state;

    start(ground, false);
    until_ready(ground);
    assert_int_equal(ask(ground, 'b'), 0);
    until(ground, "role=store event=channel-flaw peer=front", 1);
    until(ground, "event=child-flawed child=front", 1);
    until(ground, "role=store event=up", 6);
    assert_int_equal(logged(ground, "role=store event=start"), 1);
    assert_int_equal(ask(ground, 'h'), 'h');
}

static void an_assert_takes_only_its_process(void **state)
{
    struct ground *ground = *state;

    start(ground, false);
    until_ready(ground);
    assert_int_equal(ask(ground, 'a'), 0);
    until(ground, "event=child-ended child=front", 1);
    until(ground, "role=store event=up", 6);
    assert_int_equal(ask(ground, 'x'), 0);
    until(ground, "status=3", 1);
    until(ground, "role=store event=up", 7);
    assert_int_equal(logged(ground, "role=store event=start"), 1);
    assert_int_equal(ask(ground, 'h'), 'h');
}

/* OS-005: one that ends again and again is made to rest; the others live on. */
static void a_crash_loop_rests(void **state)
{
    struct ground *ground = *state;

    start(ground, false);
    until_ready(ground);
    for (unsigned i = 1; i <= 6; i++) {
        until(ground, "event=child-started child=admin", i);
        kill(pid_of(ground, "admin index=0"), SIGKILL);
        until(ground, "event=child-ended child=admin", i);
    }
    until(ground, "event=child-rests child=admin index=0 ms=1000", 1);
    until(ground, "event=child-started child=admin", 7);
    assert_int_equal(ask(ground, 'h'), 'h');
}

/* OS-003, OS-004: a machine that cannot make a process now: master rests, and goes on when it
   can. */
static void it_waits_for_better_times(void **state)
{
    struct ground *ground = *state;
    struct rlimit before, few;
    int epoll = dup(STDIN_FILENO), signals = dup(STDIN_FILENO);

    close(epoll);
    close(signals);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    /* Enough for its epoll and its signals, not for a socket to a child. */
    few = (struct rlimit){ .rlim_cur = (rlim_t)signals + 1, .rlim_max = before.rlim_max };
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
    start(ground, false);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    until(ground, "event=child-rests child=store index=0 ms=1000", 1);
    assert_int_equal(logged(ground, "event=child-started"), 0);
    assert_int_equal(prlimit(ground->master, RLIMIT_NOFILE, &before, NULL), 0);
    until_ready(ground);
    assert_int_equal(ask(ground, 'h'), 'h');
}

/* What ends a whole group must not hide master's own word from a process: none is killed. */
static void a_group_is_ended_in_order(void **state)
{
    struct ground *ground = *state;
    pid_t front;

    start(ground, false);
    until_ready(ground);
    front = pid_of(ground, "front index=0");
    kill(front, SIGSTOP);
    kill(front, SIGTERM);
    kill(ground->master, SIGTERM);
    poll(NULL, 0, 100);
    kill(front, SIGCONT);
    assert_int_equal(master_status(ground), 0);
    assert_int_equal(logged(ground, "event=child-killed"), 0);
}

static void children_die_with_master(void **state)
{
    struct ground *ground = *state;

    start(ground, false);
    until_ready(ground);
    kill(ground->master, SIGKILL);
    assert_int_equal(master_status(ground), -SIGKILL);
    for (unsigned i = 0; i < 9; i++)
        assert_true(waitpid(-1, NULL, 0) > 0);      /* ours now, and dead */
    assert_int_equal(waitpid(-1, NULL, 0), -1);
}

static void two_servers_do_not_share_a_spool(void **state)
{
    struct ground *ground = *state;
    struct buffer words = buffer_with_most(4096);
    struct estate second;

    assert_int_equal(estate_open(&second, &ground->conf, ground->estate.log, &words),
                     EX_UNAVAILABLE);
    assert_true(bytes_search(buffer_bytes(&words), BYTES("another server uses it")) < words.n);
    assert_true(bytes_begins(buffer_bytes(&words), BYTES("postern: spool ")));
    buffer_done(&words);
}

/* The log moved away: all processes go on in the new one. */
static void the_log_is_opened_anew(void **state)
{
    struct ground *ground = *state;
    char moved[160];

    start(ground, false);
    until_ready(ground);
    pid_t store = pid_of(ground, "store index=0");
    snprintf(moved, sizeof(moved), "%s.1", ground->log);
    assert_int_equal(rename(ground->log, moved), 0);
    kill(ground->master, SIGHUP);
    for (unsigned i = 0; i < 3000 && access(ground->log, F_OK) < 0; i++)
        poll(NULL, 0, 10);
    kill(store, SIGKILL);
    until(ground, "role=store event=start", 1);
    until(ground, "event=child-ended child=store", 1);
}

static void all_in_one_process(void **state)
{
    struct ground *ground = *state;

    start(ground, true);
    until(ground, "role=store event=up", 4);
    for (unsigned i = 0; i < 5; i++)
        assert_int_equal(ask(ground, 'h'), 'h');
    assert_int_equal(ask(ground, 'x'), 0);
    until(ground, "event=child-ended child=front index=0 status=3", 1);
    until(ground, "role=store event=down peer=1.0", 1);
    until(ground, "role=store event=up peer=1.0", 2);
    assert_int_equal(ask(ground, 'b'), 0);
    until(ground, "role=front.0 event=start", 3);
    assert_int_equal(ask(ground, 'h'), 'h');
    kill(ground->master, SIGTERM);
    assert_int_equal(master_status(ground), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(it_serves_and_ends_cleanly, begin, end),
        cmocka_unit_test_setup_teardown(interrupted_it_ends_cleanly, begin, end),
        cmocka_unit_test_setup_teardown(a_killed_child_comes_back, begin, end),
        cmocka_unit_test_setup_teardown(a_killed_front_keeps_its_backlog, begin, end),
        cmocka_unit_test_setup_teardown(nonsense_ends_the_one_that_said_it, begin, end),
        cmocka_unit_test_setup_teardown(an_assert_takes_only_its_process, begin, end),
        cmocka_unit_test_setup_teardown(a_crash_loop_rests, begin, end),
        cmocka_unit_test_setup_teardown(it_waits_for_better_times, begin, end),
        cmocka_unit_test_setup_teardown(a_group_is_ended_in_order, begin, end),
        cmocka_unit_test_setup_teardown(children_die_with_master, begin, end),
        cmocka_unit_test_setup_teardown(two_servers_do_not_share_a_spool, begin, end),
        cmocka_unit_test_setup_teardown(the_log_is_opened_anew, begin, end),
        cmocka_unit_test_setup_teardown(all_in_one_process, begin_together, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
