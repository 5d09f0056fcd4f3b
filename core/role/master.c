/* SPDX-License-Identifier: ISC
 *
 * The role that starts the others, starts them again, and ends them. It reads nothing from outside.
 *
 * A child is in one of four states:
 *   RESTING -> RUNNING   spawned: at the start, or when its rest is over     [child_start]
 *   RUNNING -> RESTING   it ended and nobody asked it to                     [child_ended]
 *   RUNNING -> LEAVING   its turn has come after EV_STOP                     [stop_stage]
 *   RUNNING, LEAVING, RESTING -> GONE   it ended while all are ending        [child_ended]
 * A child that ended is started again at once, unless it keeps ending young: then it rests 1, 2,
 * 4 .. 60 s. All end in stages, so that a front can still have committed what it was sent:
 * fronts; then local, admin and keys; the store last.
 */
#include "role/role.h"

#include "base/log.h"

enum child_state { CHILD_RESTING, CHILD_RUNNING, CHILD_LEAVING, CHILD_GONE };

enum {
    YOUNG_MS = 1000,            /* a life shorter than that was no life */
    YOUNG_AT_ONCE = 5,          /* so many of those in a row are borne before it rests */
    REST_MS_LEAST = 1000,
    REST_MS_MOST = 60 * 1000,
    FRONT_GRACE_MS = 30 * 1000, /* to finish the letters under way; then SIGKILL */
    OTHER_GRACE_MS = 10 * 1000,
    IMPATIENT_MS = 1000,        /* asked again after that: somebody does not want to wait */
};

enum stage { STAGE_NONE, STAGE_FRONTS, STAGE_HELPERS, STAGE_STORE, STAGE_OVER };

struct child {
    struct role_name name;
    enum child_state state;
    uint64_t since_ms;          /* when it was started */
    uint64_t rests_until_ms;
    unsigned young_deaths;      /* in a row */
};

struct master {
    struct child children[LIMIT_FRONTS + ROLE_KINDS];
    size_t n;
    enum stage stage;
    uint64_t stop_ms;           /* when EV_STOP came first */
    uint64_t stage_ends_ms;     /* who is left then is killed */
};

static void add_child(struct master *master, enum role_kind kind, uint32_t index)
{
    master->children[master->n++] = (struct child){ .name = { kind, index } };
}

static void *master_make(const struct conf *conf, uint32_t index)
{
    struct master *master = mem_new(sizeof(*master));
    uint64_t fronts = conf->fronts == 0 ? 1 : conf->fronts;

    (void)index;
    if (master == NULL)
        return NULL;
    add_child(master, ROLE_STORE, 0);
    add_child(master, ROLE_LOCAL, 0);
    add_child(master, ROLE_ADMIN, 0);
    add_child(master, ROLE_RELAY, 0);
    add_child(master, ROLE_KEYS, 0);
    add_child(master, ROLE_NAMES, 0);
    add_child(master, ROLE_FETCH, 0);
    for (uint32_t i = 0; i < fronts && i < LIMIT_FRONTS; i++)
        add_child(master, ROLE_FRONT, i);
    return master;
}

static void master_free(void *role)
{
    mem_free(role);
}

static void put_child(struct buffer *line, const struct child *child)
{
    log_ours(line, "child", bytes_of(role_ops_of(child->name.kind)->name));
    log_uint(line, "index", child->name.index);
}

static void say(struct effects *fx, enum log_level level, const char *event,
                const struct child *child, const char *key, uint64_t number)
{
    struct buffer *line = fx_draft(fx);

    log_begin(line, event);
    put_child(line, child);
    if (key != NULL)
        log_uint(line, key, number);
    fx_log(fx, level, fx_keep(fx, buffer_bytes(line)));
}

static void child_start(struct child *child, const struct event *event, struct effects *fx)
{
    child->state = CHILD_RUNNING;
    child->since_ms = event->now.mono_ms;
    fx_spawn(fx, child->name);
}

static uint64_t rest_ms(unsigned young_deaths)
{
    unsigned doublings = young_deaths - YOUNG_AT_ONCE - 1;
    uint64_t rest = (uint64_t)REST_MS_LEAST << (doublings < 6 ? doublings : 6);

    return rest < REST_MS_MOST ? rest : REST_MS_MOST;
}

/* It ended though nobody asked it to: start it again, now or after a rest. */
static void child_again(struct child *child, const struct event *event, struct effects *fx)
{
    uint64_t now = event->now.mono_ms;

    child->young_deaths = now - child->since_ms < YOUNG_MS ? child->young_deaths + 1 : 0;
    if (child->young_deaths <= YOUNG_AT_ONCE) {
        child_start(child, event, fx);
        return;
    }
    child->state = CHILD_RESTING;
    child->rests_until_ms = now + rest_ms(child->young_deaths);
    say(fx, LOG_ERROR, "child-rests", child, "ms", child->rests_until_ms - now);
}

static struct child *child_of(struct master *master, struct role_name name)
{
    for (size_t i = 0; i < master->n; i++)
        if (master->children[i].name.kind == name.kind
            && master->children[i].name.index == name.index)
            return &master->children[i];
    return NULL;
}

static enum stage stage_of(const struct child *child)
{
    return child->name.kind == ROLE_FRONT ? STAGE_FRONTS
         : child->name.kind == ROLE_STORE ? STAGE_STORE : STAGE_HELPERS;
}

/* Ask all of this stage to end. True when there is somebody to wait for. */
static bool stop_stage(struct master *master, const struct event *event, struct effects *fx)
{
    bool waits = false;

    for (size_t i = 0; i < master->n; i++) {
        struct child *child = &master->children[i];
        if (stage_of(child) != master->stage)
            continue;
        if (child->state == CHILD_RUNNING) {
            child->state = CHILD_LEAVING;
            fx_kill(fx, child->name, false);
        }
        if (child->state == CHILD_RESTING)
            child->state = CHILD_GONE;
        waits = waits || child->state == CHILD_LEAVING;
    }
    master->stage_ends_ms = event->now.mono_ms
                          + (master->stage == STAGE_FRONTS ? FRONT_GRACE_MS : OTHER_GRACE_MS);
    return waits;
}

static bool stage_waits(const struct master *master)
{
    for (size_t i = 0; i < master->n; i++)
        if (stage_of(&master->children[i]) == master->stage
            && master->children[i].state == CHILD_LEAVING)
            return true;
    return false;
}

/* Go on to the next stage that has somebody in it; the end when there is none. */
static void next_stage(struct master *master, const struct event *event, struct effects *fx)
{
    do
        master->stage++;
    while (master->stage < STAGE_OVER && !stop_stage(master, event, fx));
    if (master->stage == STAGE_OVER)
        fx_exit(fx, 0);
}

static void on_child(struct master *master, const struct event *event, struct effects *fx)
{
    struct child *child = child_of(master, event->peer);

    if (child == NULL || child->state == CHILD_GONE || child->state == CHILD_RESTING)
        return;
    if (child->state == CHILD_RUNNING) {
        say(fx, LOG_ERROR, "child-ended", child, "status", event->number);
        if (master->stage == STAGE_NONE) {
            child_again(child, event, fx);
            return;
        }
    }
    child->state = CHILD_GONE;
    if (master->stage != STAGE_NONE && master->stage < STAGE_OVER && !stage_waits(master))
        next_stage(master, event, fx);
}

static void kill_leaving(struct master *master, struct effects *fx)
{
    for (size_t i = 0; i < master->n; i++)
        if (master->children[i].state == CHILD_LEAVING) {
            say(fx, LOG_WARN, "child-killed", &master->children[i], NULL, 0);
            fx_kill(fx, master->children[i].name, true);
        }
}

static void on_stop(struct master *master, const struct event *event, struct effects *fx)
{
    if (master->stage == STAGE_NONE) {
        master->stop_ms = event->now.mono_ms;
        next_stage(master, event, fx);
    } else if (event->now.mono_ms - master->stop_ms >= IMPATIENT_MS) {
        kill_leaving(master, fx);
    }
}

static void on_alarm(struct master *master, const struct event *event, struct effects *fx)
{
    uint64_t now = event->now.mono_ms;

    for (size_t i = 0; i < master->n && master->stage == STAGE_NONE; i++) {
        struct child *child = &master->children[i];
        if (child->state == CHILD_RESTING && child->rests_until_ms <= now)
            child_start(child, event, fx);
    }
    if (master->stage != STAGE_NONE && master->stage_ends_ms <= now) {
        kill_leaving(master, fx);
        master->stage_ends_ms = now + OTHER_GRACE_MS;
    }
}

static void set_alarm(const struct master *master, struct effects *fx)
{
    uint64_t at = master->stage == STAGE_NONE ? 0 : master->stage_ends_ms;

    for (size_t i = 0; i < master->n && master->stage == STAGE_NONE; i++) {
        const struct child *child = &master->children[i];
        if (child->state == CHILD_RESTING && (at == 0 || child->rests_until_ms < at))
            at = child->rests_until_ms;
    }
    fx_alarm(fx, at);
}

static void master_step(void *role, const struct event *event, struct effects *fx)
{
    struct master *master = role;

    switch (event->kind) {
    case EV_START:
        for (size_t i = 0; i < master->n; i++)
            child_start(&master->children[i], event, fx);
        break;
    case EV_CHILD: on_child(master, event, fx); break;
    case EV_STOP: on_stop(master, event, fx); break;
    case EV_ALARM: on_alarm(master, event, fx); break;
    case EV_RELOAD: case EV_ACCEPT: case EV_BYTES: case EV_END: case EV_CLOSED: case EV_DRAINED:
    case EV_TOLD: case EV_PEER_UP: case EV_PEER_DOWN: case EV_IO: case EV_TURN: case EV_CONNECTED:
    case EV_ASKED: case EV_RESOLVED: case EV_FETCHED:
        return;
    }
    set_alarm(master, fx);
}

const struct role_ops master_ops = {
    .name = "master", .make = master_make, .step = master_step, .free = master_free,
};
