/* SPDX-License-Identifier: ISC */
#include "host/process.h"

#include "host/reload.h"
#include "host/signals.h"

#include <signal.h>
#include <fcntl.h>
#include <sysexits.h>
#include <unistd.h>

enum { KILLED = 128 + SIGKILL };

/* All roles in one loop: started, told and ended as processes would be, but nothing keeps one
   that fails from taking the others along. For development. */
struct together {
    struct spawner spawner;     /* first: a spawner is cast to its together */
    struct estate *estate;
    struct loop *loop;
    struct actor *master;
    struct signals signals;
};

static struct actor *actor_of(const struct together *all, struct role_name role)
{
    for (size_t i = 0; i < LOOP_ACTORS; i++) {
        struct actor *actor = all->loop->actors[i];
        if (actor != NULL && actor->name.kind == role.kind && actor->name.index == role.index)
            return actor;
    }
    return NULL;
}

static void on_spawn(struct spawner *spawner, struct role_name role)
{
    struct together *all = (struct together *)spawner;
    struct actor *actor = actor_new(all->loop, role, all->estate->ops_of(role.kind),
                                    all->estate->conf);

    if (actor == NULL || !estate_equip(all->estate, actor)) {
        if (actor != NULL)
            actor_end(actor, EX_OSERR);
        else
            actor_post(all->master, &(struct event){ .kind = EV_CHILD, .peer = role,
                                                     .number = EX_OSERR });
        return;
    }
    for (size_t i = 0; i < LOOP_ACTORS; i++)
        if (all->loop->actors[i] != NULL && all->loop->actors[i] != actor
            && !all->loop->actors[i]->ended)
            link_join(actor, all->loop->actors[i]);
}

static void on_kill(struct spawner *spawner, struct role_name role, bool hard)
{
    struct actor *actor = actor_of((struct together *)spawner, role);

    if (actor == NULL)
        return;
    if (hard)
        actor_end(actor, KILLED);
    else
        actor_post(actor, &(struct event){ .kind = EV_STOP });
}

static void on_flaw(struct spawner *spawner, struct role_name role)
{
    on_kill(spawner, role, true);
}

/* Who is somebody else needs a process of its own. */
static void on_user(struct spawner *spawner, uint32_t index, struct bytes name)
{
    struct together *all = (struct together *)spawner;
    struct role_name role = { ROLE_USER, index };

    (void)name;
    actor_post(actor_of(all, (struct role_name){ ROLE_LOCAL, 0 }),
               &(struct event){ .kind = EV_PEER_DOWN, .peer = role });
}

static void on_ended(struct spawner *spawner, struct actor *actor)
{
    struct together *all = (struct together *)spawner;
    struct event event = { .kind = EV_CHILD, .peer = actor->name,
                           .number = (uint64_t)actor->status };

    if (actor == all->master)
        return;
    actor_free(actor);
    actor_post(all->master, &event);
}

/* Not within a step: this process tells itself by a signal. */
static void on_reload_asked(struct spawner *spawner)
{
    (void)spawner;
    kill(getpid(), SIGHUP);
}

static bool listen_anew(const struct together *all, struct actor *actor)
{
    const struct listen_set *set = &all->estate->fronts[0];
    bool well = true;

    if (actor->name.kind != ROLE_FRONT)
        return true;
    conns_unlisten(&actor->conns);
    for (size_t i = 0; i < set->n && well; i++) {
        int copy = fcntl(set->fds[i], F_DUPFD_CLOEXEC, 3);
        well = copy >= 0 && conns_listen(&actor->conns, copy, set->entries[i]);
    }
    return well;
}

static void reload(struct together *all)
{
    struct buffer words = buffer_with_most(RELOAD_WORDS_MOST);
    int status = reload_read(all->estate, &words);

    for (size_t i = 0; i < LOOP_ACTORS; i++) {
        struct actor *actor = all->loop->actors[i];
        if (actor == NULL || actor == all->master
            || (status != 0 && actor->name.kind != ROLE_ADMIN))
            continue;
        actor_reload(actor, status == 0 ? all->estate->conf : NULL, buffer_bytes(&words), status);
        if (status == 0 && !listen_anew(all, actor))
            actor_end(actor, EX_OSERR);
    }
    reload_done(all->estate);
    buffer_done(&words);
}

static void on_signal(void *of, int signal, int from)
{
    struct together *all = of;

    (void)from;
    if (signal == SIGTERM || signal == SIGINT)
        actor_post(all->master, &(struct event){ .kind = EV_STOP });
    if (signal == SIGHUP) {
        log_sink_reopen(all->estate->log);
        reload(all);
    }
}

int together_run(struct estate *estate)
{
    struct together all = {
        .spawner = { .spawn = on_spawn, .kill = on_kill, .flaw = on_flaw, .ended = on_ended,
                     .reload = on_reload_asked, .user = on_user },
        .estate = estate, .signals.fd = -1,
    };
    int status = EX_OSERR;

    all.loop = loop_new(estate->log);
    if (all.loop != NULL && signals_watch(&all.signals, all.loop, &all, on_signal))
        all.master = actor_new(all.loop, (struct role_name){ ROLE_MASTER, 0 },
                               estate->ops_of(ROLE_MASTER), estate->conf);
    if (all.master != NULL) {
        all.loop->spawner = &all.spawner;
        status = loop_run(all.loop, all.master);
    }
    signals_done(&all.signals);
    loop_free(all.loop);
    return status;
}
