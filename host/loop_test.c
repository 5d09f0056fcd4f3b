/* SPDX-License-Identifier: ISC */
#include "host/actor.h"
#include "host/testing.h"
#include "host/testing_role.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>

struct ground {
    char folder[64], log[128];
    struct log_sink *sink;
    struct loop *loop;
    struct actor *actor;
    struct testing_role *role;
    int port;
};

static const struct conf conf = { .connections = 100 };

static int begin(void **state)
{
    struct ground *ground = test_calloc(1, sizeof(*ground));

    testing_folder(ground->folder, sizeof(ground->folder));
    snprintf(ground->log, sizeof(ground->log), "%s/log", ground->folder);
    ground->sink = log_sink_new(bytes_of(ground->log));
    ground->loop = loop_new(ground->sink);
    ground->actor = actor_new(ground->loop, (struct role_name){ ROLE_FRONT, 0 }, &testing_ops,
                              &conf);
    assert_non_null(ground->actor);
    ground->role = ground->actor->role;
    ground->port = testing_listen(&ground->actor->conns, AF_INET, 0);
    loop_turn(ground->loop, 0);
    *state = ground;
    return 0;
}

static int end(void **state)
{
    struct ground *ground = *state;

    loop_free(ground->loop);
    log_sink_free(ground->sink);
    testing_remove(ground->folder);
    test_free(ground);
    return 0;
}

/* Turns until the role has seen so many events of a kind. */
static void until(struct ground *ground, enum event_kind kind, unsigned n)
{
    for (unsigned i = 0; i < 5000 && ground->role->seen[kind] < n; i++)
        loop_turn(ground->loop, 1);
    assert_int_equal(ground->role->seen[kind], n);
}

static void until_octets(struct ground *ground, size_t n)
{
    for (unsigned i = 0; i < 5000 && ground->role->octets < n; i++)
        loop_turn(ground->loop, 1);
    assert_int_equal(ground->role->octets, n);
}

static void turns(struct ground *ground, unsigned n)
{
    while (n-- > 0)
        loop_turn(ground->loop, 1);
}

static void put(int fd, const char *text)
{
    assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

/* Read to the end while the loop goes on; the number of octets. */
static size_t drain(struct ground *ground, int fd, char *last, size_t room)
{
    static char octets[65536];
    size_t n = 0;

    for (unsigned i = 0; i < 20000; i++) {
        ssize_t got = recv(fd, octets, sizeof(octets), MSG_DONTWAIT);
        if (got == 0)
            return n;
        if (got < 0) {
            assert_int_equal(errno, EAGAIN);
            loop_turn(ground->loop, 1);
            continue;
        }
        n += (size_t)got;
        snprintf(last, room, "%.*s", (int)got, octets);
    }
    fail_msg("the end did not come");
    return n;
}

static void a_client_is_heard_and_answered(void **state)
{
    struct ground *ground = *state;
    char got[16] = "";
    int fd = testing_connect(ground->port);

    until(ground, EV_ACCEPT, 1);
    assert_int_equal(ground->role->last.listener, 0);
    assert_int_equal(ground->role->accepted.local.port, ground->port);
    assert_memory_equal(ground->role->accepted.remote.ip,
                        "\0\0\0\0\0\0\0\0\0\0\xff\xff\x7f\0\0\1", 16);
    put(fd, "echo");
    until_octets(ground, 4);
    assert_int_equal(recv(fd, got, sizeof(got), 0), 4);
    assert_string_equal(got, "echo");
    close(fd);
    until(ground, EV_END, 1);
    until(ground, EV_CLOSED, 1);
    assert_int_equal(ground->role->seen[EV_CLOSED], 1);
    assert_int_equal(ground->actor->conns.open, 0);
}

static void turn_comes_after_the_rest(void **state)
{
    struct ground *ground = *state;
    int a = testing_connect(ground->port), b = testing_connect(ground->port);

    until(ground, EV_ACCEPT, 2);
    put(a, "one");
    put(b, "two");
    turns(ground, 1);
    unsigned before = ground->role->seen[EV_TURN];
    put(a, "one");
    put(b, "two");
    until_octets(ground, 12);
    assert_int_equal(ground->role->last.kind, EV_TURN);
    /* Two for what came, when it came apart, and two for the answers that left. */
    assert_true(ground->role->seen[EV_TURN] - before <= 4);
    before = ground->role->seen[EV_TURN];
    turns(ground, 5);
    assert_int_equal(ground->role->seen[EV_TURN], before);    /* nothing happened, no turn */
    close(a);
    close(b);
}

static void half_closed_still_reads(void **state)
{
    struct ground *ground = *state;
    char got[16] = "";
    int fd = testing_connect(ground->port);

    ground->role->on_end = "bye";
    put(fd, "echo");
    shutdown(fd, SHUT_WR);
    assert_int_equal(drain(ground, fd, got, sizeof(got)), 7);
    until(ground, EV_CLOSED, 1);
    assert_int_equal(ground->role->seen[EV_END], 1);
    close(fd);
}

static void paused_is_not_read(void **state)
{
    struct ground *ground = *state;
    int fd = testing_connect(ground->port);

    until(ground, EV_ACCEPT, 1);
    ground->role->wants = "Pnn";
    put(fd, "first");
    until_octets(ground, 5);
    put(fd, "second");
    turns(ground, 5);
    assert_int_equal(ground->role->octets, 5);
    ground->role->resume = true;
    actor_post(ground->actor, &(struct event){ .kind = EV_ALARM });
    until_octets(ground, 11);
    close(fd);
}

static void a_reset_is_noticed_while_paused(void **state)
{
    struct ground *ground = *state;
    struct linger at_once = { .l_onoff = 1 };
    int fd = testing_connect(ground->port);

    until(ground, EV_ACCEPT, 1);
    ground->role->wants = "Pnn";
    put(fd, "first");
    until_octets(ground, 5);
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
    close(fd);
    until(ground, EV_CLOSED, 1);
}

/* A client that does not read is not read from, holds no more than was sent, and loses nothing. */
static void a_slow_reader_gets_all(void **state)
{
    struct ground *ground = *state;
    static char octets[65536];
    const size_t big = 8 << 20;
    size_t got = 0;
    int fd = testing_connect(ground->port);

    until(ground, EV_ACCEPT, 1);
    ground->role->answer = big;
    put(fd, "x");
    until_octets(ground, 1);
    turns(ground, 3);
    put(fd, "more");
    turns(ground, 10);
    assert_int_equal(ground->role->octets, 1);      /* not read: too much waits to be sent */
    assert_int_equal(ground->role->seen[EV_DRAINED], 0);
    ground->role->answer = 0;
    ground->role->wants = "nn";
    for (unsigned i = 0; i < 20000 && got < big; i++) {
        ssize_t n = recv(fd, octets, sizeof(octets), MSG_DONTWAIT);
        got += n > 0 ? (size_t)n : 0;
        loop_turn(ground->loop, 0);
    }
    assert_int_equal(got, big);
    until(ground, EV_DRAINED, 1);
    until_octets(ground, 5);
    close(fd);
    until(ground, EV_CLOSED, 1);
    assert_int_equal(ground->role->seen[EV_DRAINED], 1);
}

/* Whoever counts what is on its way must hear that it has left, also when nothing ever waited. */
static void a_fast_reader_drains_too(void **state)
{
    struct ground *ground = *state;
    int fd = testing_connect(ground->port);

    ground->role->answer = 5;
    put(fd, "x");
    until(ground, EV_DRAINED, 1);
    put(fd, "y");
    until(ground, EV_DRAINED, 2);
    turns(ground, 3);
    assert_int_equal(ground->role->seen[EV_DRAINED], 2);
    close(fd);
    until(ground, EV_CLOSED, 1);
}

/* The last reply is not lost though the client keeps sending and has not read it yet. */
static void the_last_word_arrives(void **state)
{
    static char flood[256 * 1024];
    struct ground *ground = *state;
    char last[8] = "";
    int fd = testing_connect(ground->port);

    ground->role->wants = "C";
    put(fd, "x");
    until_octets(ground, 1);
    for (unsigned i = 0; i < 20; i++) {
        ssize_t sent = send(fd, flood, sizeof(flood), MSG_DONTWAIT | MSG_NOSIGNAL);
        assert_true(sent > 0 || errno == EAGAIN);
        turns(ground, 2);
    }
    assert_int_equal(drain(ground, fd, last, sizeof(last)), 1);
    assert_int_equal(ground->role->octets, 1);      /* nothing is told after FX_CLOSE */
    assert_int_equal(ground->role->seen[EV_CLOSED], 0);
    close(fd);
    until(ground, EV_CLOSED, 1);
}

/* CTL-005: it goes away in the middle of a long answer: an error to handle, not a signal to die
   of. */
static void a_reader_that_dies_is_closed(void **state)
{
    struct ground *ground = *state;
    int fd = testing_connect(ground->port);

    until(ground, EV_ACCEPT, 1);
    ground->role->answer = 8 << 20;
    put(fd, "x");
    until_octets(ground, 1);
    turns(ground, 3);
    close(fd);
    until(ground, EV_CLOSED, 1);
    assert_int_equal(ground->role->seen[EV_DRAINED], 0);
    assert_int_equal(ground->actor->conns.open, 0);
}

static void lingering_ends(void **state)
{
    struct ground *ground = *state;
    int fd = testing_connect(ground->port);

    ground->role->wants = "C";
    put(fd, "x");
    until(ground, EV_CLOSED, 1);    /* though the client never closes */
    close(fd);
}

static void abort_closes_at_once(void **state)
{
    struct ground *ground = *state;
    char last[8];
    int fd = testing_connect(ground->port);

    ground->role->wants = "A";
    put(fd, "x");
    until(ground, EV_CLOSED, 1);
    assert_int_equal(recv(fd, last, sizeof(last), 0), 0);
    close(fd);
}

static void numbers_are_dense(void **state)
{
    struct ground *ground = *state;
    int fds[5];

    for (unsigned i = 0; i < 5; i++) {
        fds[i] = testing_connect(ground->port);
        until(ground, EV_ACCEPT, i + 1);
        assert_int_equal(ground->role->accepted.conn, i);
    }
    close(fds[2]);
    until(ground, EV_CLOSED, 1);
    fds[2] = testing_connect(ground->port);
    until(ground, EV_ACCEPT, 6);
    assert_int_equal(ground->role->accepted.conn, 2);
    for (unsigned i = 0; i < 5; i++)
        close(fds[i]);
    until(ground, EV_CLOSED, 6);
}

/* One that sends without pause does not keep the others waiting. */
static void a_flood_does_not_starve(void **state)
{
    static char flood[4 << 20];
    struct ground *ground = *state;
    int a = testing_connect(ground->port), b = testing_connect(ground->port);

    until(ground, EV_ACCEPT, 2);
    ground->role->wants = "n*";
    ssize_t sent = send(a, flood, sizeof(flood), MSG_DONTWAIT);
    assert_true(sent > 4 * LOOP_SCRATCH);
    put(b, "quiet");
    for (unsigned i = 0; i < 50 && ground->role->of[1] == 0; i++)
        loop_turn(ground->loop, 1);
    assert_int_equal(ground->role->of[1], 5);
    assert_true(ground->role->of[0] < (size_t)sent);
    close(a);
    close(b);
}

static size_t times_logged(struct ground *ground, const char *what)
{
    static char text[65536];
    size_t n = 0;
    int fd = open(ground->log, O_RDONLY | O_CLOEXEC);
    ssize_t got = read(fd, text, sizeof(text) - 1);

    close(fd);
    text[got < 0 ? 0 : got] = '\0';
    for (const char *at = text; (at = strstr(at, what)) != NULL; at++)
        n++;
    return n;
}

/* SRV-077, OS-003: without descriptors: one is turned away, one line is logged, no spinning; then
   on. */
static void without_descriptors_it_rests(void **state)
{
    struct ground *ground = *state;
    struct rlimit before, few;
    int fds[3], probe;
    uint64_t began = ground->loop->now.mono_ms;

    for (unsigned i = 0; i < 3; i++)
        fds[i] = testing_connect(ground->port);
    probe = dup(0);
    close(probe);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    few = (struct rlimit){ .rlim_cur = (rlim_t)probe, .rlim_max = before.rlim_max };
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
    for (unsigned i = 0; i < 20; i++)
        loop_turn(ground->loop, 20);
    uint64_t took = ground->loop->now.mono_ms - began;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_int_equal(ground->role->seen[EV_ACCEPT], 0);
    size_t lines = times_logged(ground, "event=accept-rests error=EMFILE");
    assert_true(lines >= 1 && lines <= 2 + took / ACCEPT_REST_MS);
    int late = testing_connect(ground->port);
    for (unsigned i = 0; i < 5000 && ground->role->seen[EV_ACCEPT] == 0; i++)
        loop_turn(ground->loop, 1);
    assert_true(ground->role->seen[EV_ACCEPT] >= 1);
    for (unsigned i = 0; i < 3; i++)
        close(fds[i]);
    close(late);
}

/* SRV-076: above the cap they wait in the backlog and come when there is room. */
static void the_cap_holds(void **state)
{
    struct ground *ground = *state;
    unsigned most = ground->actor->conns.most;
    int *fds = test_calloc(most + 1, sizeof(*fds));

    for (unsigned i = 0; i <= most; i++) {
        fds[i] = testing_connect(ground->port);
        loop_turn(ground->loop, 0);
    }
    until(ground, EV_ACCEPT, most);
    turns(ground, 3);
    assert_int_equal(ground->role->seen[EV_ACCEPT], most);
    close(fds[7]);
    until(ground, EV_ACCEPT, most + 1);
    for (unsigned i = 0; i <= most; i++)
        if (i != 7)
            close(fds[i]);
    test_free(fds);
}

/* SRV-114: an IPv4 client is an IPv4 client by whatever socket it came. */
static void both_families_and_unix(void **state)
{
    struct ground *ground = *state;
    int v6 = testing_listen(&ground->actor->conns, AF_INET6, 1);
    struct sockaddr_un name = { .sun_family = AF_UNIX };
    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    snprintf(name.sun_path, sizeof(name.sun_path), "%s/socket", ground->folder);
    assert_int_equal(bind(listener, (struct sockaddr *)&name, sizeof(name)), 0);
    assert_int_equal(listen(listener, 5), 0);
    assert_true(conns_listen(&ground->actor->conns, listener, 2));
    int a = v6 < 0 ? -1 : testing_connect6(v6);
    if (a >= 0) {
        until(ground, EV_ACCEPT, 1);
        assert_int_equal(ground->role->accepted.listener, 1);
        assert_int_equal(ground->role->accepted.remote.ip[15], 1);
        assert_int_equal(ground->role->accepted.remote.ip[11], 0);
        close(a);
        until(ground, EV_CLOSED, 1);
    }
    unsigned seen = ground->role->seen[EV_ACCEPT];
    int b = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(b, (struct sockaddr *)&name, sizeof(name)), 0);
    until(ground, EV_ACCEPT, seen + 1);
    assert_true(ground->role->accepted.remote.unix_peer);
    assert_int_equal(ground->role->accepted.remote.uid, getuid());
    int c = testing_connect(ground->port);      /* the first listener still works */
    until(ground, EV_ACCEPT, seen + 2);
    assert_int_equal(ground->role->accepted.listener, 0);
    close(b);
    close(c);
}

static void an_alarm_rings_once(void **state)
{
    struct ground *ground = *state;

    ground->actor->alarm_ms = ground->loop->now.mono_ms + 20;
    loop_turn(ground->loop, 0);
    until(ground, EV_ALARM, 1);
    turns(ground, 5);
    assert_int_equal(ground->role->seen[EV_ALARM], 1);
}

static void files_are_done_beside(void **state)
{
    struct ground *ground = *state;

    ground->actor->files.roots[IN_SPOOL] = open(ground->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_true(actor_open_lanes(ground->actor, 1));
    ground->role->io = (struct io){ .kind = IO_LIST, .token = 77, .name = BYTES("") };
    actor_post(ground->actor, &(struct event){ .kind = EV_ALARM });
    until(ground, EV_IO, 1);
    assert_int_equal(ground->role->io_token, 77);
    assert_string_equal(ground->role->io_text, "log\n");
}

/* OS-001: a role without memory ends; it does not crash, and nothing of the half list is done. */
static void without_memory_a_role_ends(void **state)
{
    struct ground *ground = *state;
    int fd = testing_connect(ground->port);

    until(ground, EV_ACCEPT, 1);
    ground->role->out_of_memory = true;
    put(fd, "x");
    assert_int_equal(loop_run(ground->loop, ground->actor), ACTOR_GAVE_UP);
    assert_int_equal(recv(fd, (char[1]){ 0 }, 1, MSG_DONTWAIT), -1);
    close(fd);
}

/* OS-001: the n-th allocation fails, for every n of a session: it ends sooner, nothing else. */
static void any_allocation_may_fail(void **state)
{
    struct ground *ground = *state;
    struct role_name name = { ROLE_STORE, 0 };
    char got[4];
    unsigned whole = 0;

    for (uint64_t at = 1; at <= 60; at++) {
        mem_fail_at(at);
        struct actor *actor = actor_new(ground->loop, name, &testing_ops, &conf);
        bool listens = actor != NULL && !actor->ended;
        int port = !listens ? -1 : testing_listen_softly(&actor->conns);
        int fd = port < 0 ? -1 : testing_connect(port);
        if (fd >= 0)
            put(fd, "echo");
        for (unsigned i = 0; fd >= 0 && i < 10; i++)
            loop_turn(ground->loop, 1);
        struct testing_role *role = listens ? actor->role : NULL;
        whole += role != NULL && role->octets == 4 && recv(fd, got, 4, MSG_DONTWAIT) == 4;
        mem_fail_at(0);
        if (fd >= 0)
            close(fd);
        actor_free(actor);
        loop_turn(ground->loop, 0);
    }
    assert_true(whole > 0 && whole < 60);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_client_is_heard_and_answered, begin, end),
        cmocka_unit_test_setup_teardown(turn_comes_after_the_rest, begin, end),
        cmocka_unit_test_setup_teardown(half_closed_still_reads, begin, end),
        cmocka_unit_test_setup_teardown(paused_is_not_read, begin, end),
        cmocka_unit_test_setup_teardown(a_reset_is_noticed_while_paused, begin, end),
        cmocka_unit_test_setup_teardown(a_slow_reader_gets_all, begin, end),
        cmocka_unit_test_setup_teardown(a_fast_reader_drains_too, begin, end),
        cmocka_unit_test_setup_teardown(the_last_word_arrives, begin, end),
        cmocka_unit_test_setup_teardown(a_reader_that_dies_is_closed, begin, end),
        cmocka_unit_test_setup_teardown(lingering_ends, begin, end),
        cmocka_unit_test_setup_teardown(abort_closes_at_once, begin, end),
        cmocka_unit_test_setup_teardown(numbers_are_dense, begin, end),
        cmocka_unit_test_setup_teardown(a_flood_does_not_starve, begin, end),
        cmocka_unit_test_setup_teardown(without_descriptors_it_rests, begin, end),
        cmocka_unit_test_setup_teardown(the_cap_holds, begin, end),
        cmocka_unit_test_setup_teardown(both_families_and_unix, begin, end),
        cmocka_unit_test_setup_teardown(an_alarm_rings_once, begin, end),
        cmocka_unit_test_setup_teardown(files_are_done_beside, begin, end),
        cmocka_unit_test_setup_teardown(without_memory_a_role_ends, begin, end),
        cmocka_unit_test_setup_teardown(any_allocation_may_fail, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
