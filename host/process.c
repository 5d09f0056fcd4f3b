/* SPDX-License-Identifier: ISC */
#include "host/process.h"

#include "base/log.h"
#include "host/leash.h"
#include "host/notify.h"
#include "host/process_int.h"
#include "host/reload.h"
#include "host/signals.h"
#include "role/rights.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

enum { CHANNEL_SOCKET_BYTES = 1 << 20, SIGNALLED = 128 };

struct supervisor;

struct process {
    struct watcher watch;       /* of the leash; first: a watcher is cast to its process */
    struct supervisor *of;
    struct role_name role;
    pid_t pid;                  /* 0: none */
    int leash;
    char user[LIMIT_USER_NAME + 1];     /* of a user: who comes when this one is no more */
};

struct supervisor {
    struct spawner spawner;     /* first: a spawner is cast to its supervisor */
    struct estate *estate;
    struct loop *loop;
    struct actor *master;
    struct signals signals;
    struct process processes[LOOP_ACTORS];
};

static struct process *process_of(struct supervisor *supervisor, struct role_name role)
{
    return &supervisor->processes[link_place(role)];
}

static void say(const struct supervisor *supervisor, enum log_level level, const char *event,
                const struct process *process, const char *key, uint64_t number)
{
    struct buffer line = buffer_with_most(LIMIT_LOG_LINE);

    log_begin(&line, event);
    log_ours(&line, "child", bytes_of(rights_of(process->role.kind)->name));
    log_uint(&line, "index", process->role.index);
    log_uint(&line, key, number);
    actor_log(supervisor->master, level, &line);
    buffer_done(&line);
}

static void drop_leash(struct process *process)
{
    if (process->leash >= 0) {
        loop_unwatch(process->of->loop, process->leash);
        close(process->leash);
    }
    process->leash = -1;
}

/* ---- reloading ---- */

static void say_reload(const struct supervisor *supervisor, struct bytes words, int status)
{
    struct bytes one;

    while (bytes_cut(&words, '\n', &one)) {
        struct buffer line = buffer_with_most(LIMIT_LOG_LINE);
        if (one.n == 0)
            continue;
        log_begin(&line, status == 0 ? "setting" : "reload-refused");
        log_theirs(&line, "is", one);
        actor_log(supervisor->master, status == 0 ? LOG_INFO : LOG_ERROR, &line);
        buffer_done(&line);
    }
    struct buffer line = buffer_with_most(LIMIT_LOG_LINE);
    log_begin(&line, "reload");
    log_uint(&line, "status", (uint64_t)status);
    actor_log(supervisor->master, LOG_INFO, &line);
    buffer_done(&line);
}

/* Who cannot be told is started anew, and so has the new settings. */
static void reload(struct supervisor *supervisor)
{
    struct buffer words = buffer_with_most(RELOAD_WORDS_MOST);
    int status = reload_read(supervisor->estate, &words);

    say_reload(supervisor, buffer_bytes(&words), status);
    for (size_t i = 0; i < COUNT(supervisor->processes); i++) {
        struct process *process = &supervisor->processes[i];
        if (process->pid <= 0 || process->leash < 0 || process->role.kind == ROLE_USER
            || (status != 0 && process->role.kind != ROLE_ADMIN))
            continue;
        if (!reload_send(supervisor->estate, process->role, process->leash, buffer_bytes(&words),
                         status))
            kill(process->pid, SIGKILL);
    }
    reload_done(supervisor->estate);
    buffer_done(&words);
}

/* ---- what children say ---- */

static void user_asked(struct supervisor *supervisor, struct role_name role, const char *name);

static void close_all(const struct leash_word *word)
{
    for (size_t i = 0; i < word->n; i++)
        close(word->fds[i]);
}

/* A child that says what it may not is flawed itself. */
static void on_leash(struct watcher *watcher, uint32_t events)
{
    struct process *process = (struct process *)watcher;
    struct spawner *spawner = &process->of->spawner;
    struct leash_word word;

    (void)events;
    switch (leash_read(process->leash, &word)) {
    case LEASH_NOTHING: break;
    case LEASH_FLAW:
        spawner->flaw(spawner, rights_talk(process->role.kind, word.peer.kind) ? word.peer
                                                                               : process->role);
        break;
    case LEASH_RELOAD:
        if (process->role.kind == ROLE_ADMIN && word.n == 0) {
            reload(process->of);
            break;
        }
        close_all(&word);
        spawner->flaw(spawner, process->role);
        break;
    case LEASH_USER:
        if (process->role.kind == ROLE_LOCAL && word.peer.index < LIMIT_USERS)
            user_asked(process->of, word.peer, word.user);
        else
            spawner->flaw(spawner, process->role);
        break;
    case LEASH_PEER: case LEASH_LOG:
        close_all(&word);
        spawner->flaw(spawner, process->role);
        break;
    case LEASH_ENDED: drop_leash(process); break;       /* SIGCHLD tells the rest */
    }
}

/* ---- starting ---- */

static void widen(int fd)
{
    int n = CHANNEL_SOCKET_BYTES;

    (void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &n, sizeof(n));     /* it works with less, too */
}

/* A channel between the two: an end to each. Whoever cannot be given one is started anew. */
static void connect_pair(struct supervisor *supervisor, struct process *a, struct process *b)
{
    int ends[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) < 0) {
        kill(a->pid, SIGKILL);
        return;
    }
    widen(ends[0]);
    widen(ends[1]);
    if (!leash_send_peer(a->leash, b->role, ends[0]))
        kill(a->pid, SIGKILL);
    if (!leash_send_peer(b->leash, a->role, ends[1]))
        kill(b->pid, SIGKILL);
    close(ends[0]);
    close(ends[1]);
}

static void connect_all(struct supervisor *supervisor, struct process *process)
{
    for (size_t i = 0; i < COUNT(supervisor->processes); i++) {
        struct process *peer = &supervisor->processes[i];
        if (peer != process && peer->pid > 0 && peer->leash >= 0
            && rights_talk(peer->role.kind, process->role.kind))
            connect_pair(supervisor, process, peer);
    }
}

static void could_not(struct supervisor *supervisor, const struct process *process)
{
    say(supervisor, LOG_ERROR, "fork-failed", process, "errno", (uint64_t)errno);
    actor_post(supervisor->master, &(struct event){ .kind = EV_CHILD, .peer = process->role,
                                                    .number = EX_OSERR });
}

static void start(struct supervisor *supervisor, struct role_name role, const char *user)
{
    struct process *process = process_of(supervisor, role);
    pid_t master = getpid();
    int ends[2];

    if (process->pid > 0)
        return;
    *process = (struct process){ .watch = { on_leash }, .of = supervisor, .role = role,
                                 .leash = -1 };
    if (!leash_pair(ends)) {
        could_not(supervisor, process);
        return;
    }
    log_sink_flush(supervisor->estate->log);
    process->pid = fork();
    if (process->pid == 0)
        child_main(supervisor->estate, role, user, ends[1], master);
    close(ends[1]);
    process->leash = ends[0];
    if (process->pid < 0 || !loop_watch(supervisor->loop, ends[0], EPOLLIN, &process->watch)) {
        if (process->pid > 0)
            kill(process->pid, SIGKILL);
        else
            could_not(supervisor, process);
        process->pid = process->pid < 0 ? 0 : process->pid;
        close(ends[0]);
        process->leash = -1;
        return;
    }
    say(supervisor, role.kind == ROLE_USER ? LOG_DEBUG : LOG_INFO, "child-started", process, "pid",
        (uint64_t)process->pid);
    connect_all(supervisor, process);
}

static void on_spawn(struct spawner *spawner, struct role_name role)
{
    start((struct supervisor *)spawner, role, NULL);
}

/* ---- children that are system users ---- */

/* local hears of every child it asked for, also of one that never was: a channel that ends. */
static void no_user(struct supervisor *supervisor, struct role_name role)
{
    struct process *local = process_of(supervisor, (struct role_name){ ROLE_LOCAL, 0 });
    int ends[2];

    if (local->pid <= 0 || local->leash < 0)
        return;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) < 0) {
        kill(local->pid, SIGKILL);
        return;
    }
    close(ends[1]);
    if (!leash_send_peer(local->leash, role, ends[0]))
        kill(local->pid, SIGKILL);
    close(ends[0]);
}

static void start_user(struct supervisor *supervisor, struct role_name role)
{
    struct process *process = process_of(supervisor, role);
    char name[LIMIT_USER_NAME + 1];

    memcpy(name, process->user, sizeof(name));
    process->user[0] = '\0';
    start(supervisor, role, name);
    if (process->leash < 0)
        no_user(supervisor, role);
}

/* local's word: a child that is that user, or the end of the one in that place. One that is still
   being ended is waited for. */
static void user_asked(struct supervisor *supervisor, struct role_name role, const char *name)
{
    struct process *process = process_of(supervisor, role);

    if (name[0] == '\0') {
        if (process->user[0] != '\0')
            no_user(supervisor, role);
        process->user[0] = '\0';
        if (process->pid > 0)
            kill(process->pid, SIGKILL);
        return;
    }
    memcpy(process->user, name, sizeof(process->user));
    if (process->pid <= 0)
        start_user(supervisor, role);
}

/* With local ends what it had begun. None of them may be taken by the next local for one of its
   own: they lose their leash at once, and so get no channel to it. */
static void end_users(struct supervisor *supervisor)
{
    for (uint32_t i = 0; i < LIMIT_USERS; i++) {
        struct process *process = process_of(supervisor, (struct role_name){ ROLE_USER, i });
        process->user[0] = '\0';
        if (process->pid <= 0)
            continue;
        drop_leash(process);
        kill(process->pid, SIGKILL);
    }
}

/* ---- ending ---- */

static void on_kill(struct spawner *spawner, struct role_name role, bool hard)
{
    struct process *process = process_of((struct supervisor *)spawner, role);

    if (process->pid > 0)
        kill(process->pid, hard ? SIGKILL : SIGUSR1);
}

static void on_flaw(struct spawner *spawner, struct role_name role)
{
    struct supervisor *supervisor = (struct supervisor *)spawner;
    struct process *process = process_of(supervisor, role);

    if (process->pid <= 0)
        return;
    say(supervisor, LOG_ERROR, "child-flawed", process, "pid", (uint64_t)process->pid);
    kill(process->pid, SIGKILL);
}

static uint64_t status_of(int status)
{
    return (uint64_t)(WIFSIGNALED(status) ? SIGNALLED + WTERMSIG(status) : WEXITSTATUS(status));
}

static void user_ended(struct supervisor *supervisor, const struct process *process, int status)
{
    if (status_of(status) != 0)
        say(supervisor, LOG_WARN, "child-ended", process, "status", status_of(status));
    if (process->user[0] != '\0')
        start_user(supervisor, process->role);
}

static void reap(struct supervisor *supervisor, struct process *process)
{
    int status;

    if (process->pid <= 0 || waitpid(process->pid, &status, WNOHANG) != process->pid)
        return;
    process->pid = 0;
    drop_leash(process);
    if (process->role.kind == ROLE_LOCAL)
        end_users(supervisor);
    if (process->role.kind == ROLE_USER) {
        user_ended(supervisor, process, status);
        return;
    }
    actor_post(supervisor->master, &(struct event){
        .kind = EV_CHILD, .peer = process->role,
        .number = status_of(status) });
}

/* None of them may open a file by its name. */
static void log_anew(struct supervisor *supervisor)
{
    log_sink_reopen(supervisor->estate->log);
    for (size_t i = 0; i < COUNT(supervisor->processes); i++)
        if (supervisor->processes[i].leash >= 0)
            leash_send_log(supervisor->processes[i].leash, log_sink_fd(supervisor->estate->log));
}

static void tell_all(struct supervisor *supervisor, int signal)
{
    for (size_t i = 0; i < COUNT(supervisor->processes); i++)
        if (supervisor->processes[i].pid > 0)
            kill(supervisor->processes[i].pid, signal);
}

static void on_signal(void *of, int signal, int from)
{
    struct supervisor *supervisor = of;

    (void)from;
    if (signal == SIGTERM || signal == SIGINT) {
        notify_send("STOPPING=1");
        actor_post(supervisor->master, &(struct event){ .kind = EV_STOP });
    }
    if (signal == SIGHUP) {
        log_anew(supervisor);
        reload(supervisor);
    }
    for (size_t i = 0; signal == SIGCHLD && i < COUNT(supervisor->processes); i++)
        reap(supervisor, &supervisor->processes[i]);
}

/* Only when master itself could not go on: nobody else would reap them. */
static void end_all(struct supervisor *supervisor)
{
    tell_all(supervisor, SIGKILL);
    for (size_t i = 0; i < COUNT(supervisor->processes); i++)
        if (supervisor->processes[i].pid > 0)
            waitpid(supervisor->processes[i].pid, NULL, 0);
}

static void supervisor_done(struct supervisor *supervisor)
{
    end_all(supervisor);
    for (size_t i = 0; i < COUNT(supervisor->processes); i++)
        if (supervisor->processes[i].leash >= 0)
            close(supervisor->processes[i].leash);
    signals_done(&supervisor->signals);
    loop_free(supervisor->loop);
    mem_free(supervisor);
}

int processes_run(struct estate *estate,
                  void (*began)(void *of, struct loop *loop), void *of)
{
    struct supervisor *supervisor = mem_new(sizeof(*supervisor));
    int status = EX_OSERR;

    if (supervisor == NULL)
        return EX_OSERR;
    *supervisor = (struct supervisor){
        .spawner = { .spawn = on_spawn, .kill = on_kill, .flaw = on_flaw },
        .estate = estate, .signals.fd = -1,
    };
    for (size_t i = 0; i < COUNT(supervisor->processes); i++)
        supervisor->processes[i].leash = -1;
    supervisor->loop = loop_new(estate->log);
    if (supervisor->loop != NULL && box_master()
        && signals_watch(&supervisor->signals, supervisor->loop, supervisor, on_signal))
        supervisor->master = actor_new(supervisor->loop, (struct role_name){ ROLE_MASTER, 0 },
                                       estate->ops_of(ROLE_MASTER), estate->conf);
    if (supervisor->master != NULL) {
        supervisor->loop->spawner = &supervisor->spawner;
        if (began != NULL)
            began(of, supervisor->loop);
        status = loop_run(supervisor->loop, supervisor->master);
    }
    supervisor_done(supervisor);
    return status;
}
