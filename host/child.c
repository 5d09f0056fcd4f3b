/* SPDX-License-Identifier: ISC */
#include "host/process_int.h"

#include "base/log.h"
#include "host/clock.h"
#include "host/leash.h"
#include "host/reload.h"
#include "host/signals.h"
#include "role/rights.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

struct child {
    struct watcher watch;       /* of the leash; first: a watcher is cast to its child */
    struct spawner spawner;
    int leash;
    struct actor *actor;
    struct log_sink *log;
    pid_t master;
    struct conf_file *file;     /* the settings in force, when they are not those of the start */
};

/* New settings: these sockets, and no others. What waits in the backlog of one that stays is not
   lost, for master holds it too. */
static bool listen_anew(struct actor *actor, const struct leash_word *word,
                        const struct reload_news *news)
{
    bool well = true;

    if (!(rights_of(actor->name.kind)->may & MAY_SMTP) || news->file == NULL)
        return true;
    conns_unlisten(&actor->conns);
    for (size_t i = 1; i < word->n && well; i++)
        well = conns_listen(&actor->conns, word->fds[i], news->entries[i - 1]);
    return well;
}

/* A child that cannot follow is started anew, with the new settings. */
static void on_reload(struct child *child, const struct leash_word *word)
{
    struct reload_news news;

    if (word->n == 0 || !reload_take(word->fds[0], word->n - 1, &news)) {
        actor_end(child->actor, EX_OSERR);
        return;
    }
    close(word->fds[0]);
    actor_reload(child->actor, news.file == NULL ? NULL : &news.file->conf,
                 buffer_bytes(&news.words), news.status);
    if (!listen_anew(child->actor, word, &news))
        actor_end(child->actor, EX_OSERR);
    if (news.file != NULL) {
        conf_file_free(child->file);
        child->file = news.file;
    }
    buffer_done(&news.words);
}

/* Master is gone: nothing that is begun now could be recorded as having a keeper. */
static void on_leash(struct watcher *watcher, uint32_t events)
{
    struct child *child = (struct child *)watcher;
    struct leash_word word;

    (void)events;
    for (;;) {
        switch (leash_read(child->leash, &word)) {
        case LEASH_NOTHING: return;
        case LEASH_PEER: link_open(child->actor, word.peer, word.fds[0]); break;
        case LEASH_LOG: log_sink_turn(child->log, word.fds[0]); break;
        case LEASH_RELOAD: on_reload(child, &word); break;
        case LEASH_FLAW: case LEASH_USER: case LEASH_ENDED: _exit(EX_UNAVAILABLE);
        }
    }
}

static struct child *child_of(struct spawner *spawner)
{
    return (struct child *)(void *)((char *)spawner - offsetof(struct child, spawner));
}

static void on_reload_asked(struct spawner *spawner)
{
    struct child *child = child_of(spawner);

    if (!leash_ask_reload(child->leash))
        actor_end(child->actor, EX_UNAVAILABLE);
}

static void on_user(struct spawner *spawner, uint32_t index, struct bytes name)
{
    struct child *child = child_of(spawner);

    if (!leash_ask_user(child->leash, index, name))
        actor_end(child->actor, EX_UNAVAILABLE);
}

static void on_flaw(struct spawner *spawner, struct role_name peer)
{
    struct child *child = child_of(spawner);

    if (!leash_send_flaw(child->leash, peer))
        actor_end(child->actor, EX_UNAVAILABLE);
}

/* What ends a whole group of processes (a terminal, a service manager) is for master, who ends us
   in its order. Its word is another signal: of two of the same kind only one would be seen, and
   that one could be the other's. */
static void on_signal(void *of, int signal, int from)
{
    struct child *child = of;

    if (signal == SIGUSR1 && from == child->master)
        actor_post(child->actor, &(struct event){ .kind = EV_STOP });
}

static int by_number(const void *a, const void *b)
{
    return *(const int *)a - *(const int *)b;
}

/* Close all but these; sorted in place. */
static void close_others(int *keep, size_t n)
{
    unsigned from = STDERR_FILENO + 1;

    qsort(keep, n, sizeof(*keep), by_number);
    for (size_t i = 0; i < n; i++) {
        if (keep[i] < (int)from)
            continue;
        if ((unsigned)keep[i] > from)
            close_range(from, (unsigned)keep[i] - 1, 0);
        from = (unsigned)keep[i] + 1;
    }
    close_range(from, ~0U, 0);
}

/* Ours ends with its master's. A change of user forgets it. */
static void tie_to(pid_t master)
{
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != master)
        _exit(EX_OSERR);
}

static void keep_share(const struct estate *estate, struct role_name role, int leash)
{
    int keep[LISTEN_MOST + HTTP_LISTEN_MOST + 6];
    size_t n = estate_share(estate, role, keep);

    keep[n++] = leash;
    keep[n++] = log_sink_fd(estate->log);
    if (estate->home != NULL)
        keep[n++] = estate->home->fd;
    close_others(keep, n);
}

static void become(const struct estate *estate, struct role_name role, int leash, pid_t master)
{
    char title[16];

    tie_to(master);
    snprintf(title, sizeof(title), role.kind == ROLE_FRONT || role.kind == ROLE_USER
             ? "postern:%s.%u" : "postern:%s", rights_of(role.kind)->name, role.index);
    prctl(PR_SET_NAME, title);
    keep_share(estate, role, leash);
    log_sink_forget(estate->log);
}

/* A role that cannot be shut in does not live. */
_Noreturn static void no_box(const struct estate *estate, struct role_name role, const char *step)
{
    struct buffer line = buffer_with_most(LIMIT_LOG_LINE);

    log_begin(&line, "box-failed");
    log_ours(&line, "step", bytes_of(step));
    log_uint(&line, "errno", (uint64_t)errno);
    log_sink_put(estate->log, clock_now().wall_ms, LOG_ERROR, bytes_of(rights_of(role.kind)->name),
                 buffer_bytes(&line));
    log_sink_flush(estate->log);
    _exit(EX_NOPERM);
}

/* The role with all its row gives it. */
static struct actor *settle(const struct estate *estate, struct role_name role, struct loop *loop)
{
    struct actor *actor = loop == NULL ? NULL
                        : actor_new(loop, role, estate->ops_of(role.kind), estate->conf);

    return actor != NULL && estate_equip(estate, actor) ? actor : NULL;
}

/* The role has copies: a socket that is listened on no more must not stay open in here, or the
   kernel goes on giving it clients. */
static void drop_listeners(const struct estate *estate, struct role_name role)
{
    const struct listen_set *set = &estate->fronts[role.index % LIMIT_FRONTS];

    for (size_t i = 0; i < set->n && rights_of(role.kind)->may & MAY_SMTP; i++)
        close(set->fds[i]);
    if (rights_of(role.kind)->may & MAY_SMTP && estate->submit_fd >= 0)
        close(estate->submit_fd);
}

/* What the libraries left open that read the tables of users is closed, too. */
static void find_home(struct estate *estate, struct role_name role, const char *user, int leash)
{
    static struct home home;

    home_find(user, estate->conf->system_uid_least, &home);
    estate->home = &home;
    keep_share(estate, role, leash);
}

void child_main(struct estate *estate, struct role_name role, const char *user, int leash,
                pid_t master)
{
    struct child child = { .watch = { on_leash }, .leash = leash,
                           .spawner = { .flaw = on_flaw, .reload = on_reload_asked,
                                        .user = on_user },
                           .log = estate->log, .master = master };
    struct box box;
    struct signals signals;
    struct loop *loop;
    int status;

    become(estate, role, leash, master);
    tzset();                    /* OpenSSL asks for the zone when it looks at dates: read it now */
    if (role.kind != ROLE_RELAY && estate->file != NULL)
        conf_file_forget_login(estate->file);
    if (role.kind == ROLE_USER)
        find_home(estate, role, user, leash);
    box = estate_box(estate, role.kind);
    if (!box_enter(&box))
        no_box(estate, role, "enter");
    tie_to(master);
    loop = loop_new(estate->log);
    if (loop != NULL && estate->home != NULL)
        loop->start_number = estate->home->state;
    child.actor = settle(estate, role, loop);
    if (child.actor == NULL || !loop_watch(loop, leash, EPOLLIN, &child.watch)
        || !signals_watch(&signals, loop, &child, on_signal))
        _exit(EX_OSERR);
    drop_listeners(estate, role);
    loop->spawner = &child.spawner;
    if (!box_close(&box))
        no_box(estate, role, "close");
    box_log(&box, estate->log, bytes_of(child.actor->label));
    status = loop_run(loop, child.actor);
    actor_free(child.actor);    /* what was handed to its threads is done first */
    log_sink_flush(estate->log);
    _exit(status);
}
