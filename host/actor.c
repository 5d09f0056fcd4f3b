/* SPDX-License-Identifier: ISC */
#include "host/actor.h"

#include "base/log.h"
#include "host/clock.h"
#include "host/drill.h"
#include "role/rights.h"

#include <assert.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

enum { INBOX_MOST = 128 * 1024 * 1024, INBOX_KEPT = 256 * 1024, START_OCTETS = 32 };

static void tell_conn(void *of, struct event *event)
{
    actor_step(of, event);
}

static void make_label(struct actor *actor)
{
    struct buffer label = buffer_with_most(sizeof(actor->label) - 1);

    buffer_put_text(&label, actor->ops->name);
    if (actor->name.kind == ROLE_FRONT || actor->name.kind == ROLE_USER) {
        buffer_put_char(&label, '.');
        buffer_put_uint(&label, actor->name.index);
    }
    memcpy(actor->label, buffer_bytes(&label).at, label.n);
    buffer_done(&label);
    actor->conns.label = bytes_of(actor->label);
}

static void post_start(struct actor *actor)
{
    char chance[START_OCTETS];

    entropy_fill(chance, sizeof(chance));
    actor_post(actor, &(struct event){ .kind = EV_START, .bytes = { chance, sizeof(chance) },
                                       .number = actor->loop->start_number });
    mem_wipe(chance, sizeof(chance));
}

static bool take_slot(struct loop *loop, struct actor *actor)
{
    for (size_t i = 0; i < LOOP_ACTORS; i++)
        if (loop->actors[i] == NULL) {
            loop->actors[i] = actor;
            actor->slot = (uint8_t)i;
            return true;
        }
    return false;
}

/* A few more than the role itself allows, so that it can tell them why they are turned away. */
static uint32_t most_connections(const struct conf *conf)
{
    uint64_t most = conf_connections(conf);

    return (uint32_t)(most + most / 8 + 16);
}

struct actor *actor_new(struct loop *loop, struct role_name name, const struct role_ops *ops,
                        const struct conf *conf)
{
    struct actor *actor = mem_new(sizeof(*actor));

    if (actor == NULL || !take_slot(loop, actor)) {
        mem_free(actor);
        return NULL;
    }
    actor->loop = loop;
    actor->name = name;
    actor->ops = ops;
    actor->fx = effects_none();
    actor->inbox = buffer_with_most(INBOX_MOST);
    actor->reading = buffer_with_most(INBOX_MOST);
    files_init(&actor->files);
    conns_init(&actor->conns, loop, actor->slot, actor, tell_conn, most_connections(conf));
    make_label(actor);
    actor->role = ops->make(conf, name.index);
    if (actor->role == NULL) {
        actor_free(actor);
        return NULL;
    }
    post_start(actor);
    return actor;
}

void actor_free(struct actor *actor)
{
    if (actor == NULL)
        return;
    actor->loop->actors[actor->slot] = NULL;
    link_part(actor);
    links_done(actor);
    lanes_free(actor->lanes);
    http_free(actor->http);
    resolver_free(actor->resolver);
    fetcher_free(actor->fetcher);
    conns_done(&actor->conns);
    files_done(&actor->files);
    if (actor->role != NULL)
        actor->ops->free(actor->role);
    effects_done(&actor->fx);
    buffer_done(&actor->inbox);
    buffer_done(&actor->reading);
    loop_bury(actor->loop, actor);
}

static void on_lanes(struct watcher *watcher, uint32_t events)
{
    struct actor *actor =
        (struct actor *)(void *)((char *)watcher - offsetof(struct actor, lanes_watch));

    (void)events;
    actor->io_done = true;
}

bool actor_open_lanes(struct actor *actor, unsigned n)
{
    actor->lanes = lanes_new(n, &actor->files);
    actor->lanes_watch = (struct watcher){ on_lanes };
    return actor->lanes != NULL
        && loop_watch(actor->loop, lanes_fd(actor->lanes), EPOLLIN | EPOLLET, &actor->lanes_watch);
}

void actor_log(const struct actor *actor, enum log_level level, const struct buffer *line)
{
    log_sink_put(actor->loop->log, actor->loop->now.wall_ms, level, bytes_of(actor->label),
                 buffer_bytes(line));
}

void actor_end(struct actor *actor, int status)
{
    if (actor->ended)
        return;
    actor->ended = true;
    actor->status = status;
}

void actor_give_up(struct actor *actor, const char *why)
{
    if (actor->ended)
        return;
    actor_end(actor, ACTOR_GAVE_UP);
    struct buffer line = buffer_with_most(LIMIT_LOG_LINE);
    log_begin(&line, "gives-up");
    log_ours(&line, "why", bytes_of(why));
    actor_log(actor, LOG_ERROR, &line);
    buffer_done(&line);
}

static void on_asked(void *of, uint64_t token, const struct web_request *request)
{
    actor_post(of, &(struct event){ .kind = EV_ASKED, .token = token, .web = request });
}

bool actor_open_web(struct actor *actor, int fd)
{
    if (actor->http == NULL)
        actor->http = http_new(actor->loop, actor, on_asked);
    if (actor->http != NULL)
        return http_listen(actor->http, fd);
    close(fd);
    return false;
}

static void on_resolved(void *of, uint64_t token, struct bytes answer)
{
    actor_post(of, &(struct event){ .kind = EV_RESOLVED, .token = token, .bytes = answer });
}

bool actor_open_resolver(struct actor *actor, struct conf_texts servers, struct bytes anchor)
{
    actor->resolver = resolver_new(actor->loop, servers, anchor, actor, on_resolved);
    return actor->resolver != NULL;
}

static void on_fetched(void *of, uint64_t token, enum fetch_result result, unsigned status,
                       struct bytes body)
{
    actor_post(of, &(struct event){ .kind = EV_FETCHED, .token = token, .bytes = body,
                                    .number = (uint64_t)result | (uint64_t)status << 8 });
}

bool actor_open_fetcher(struct actor *actor, struct bytes authorities)
{
    actor->fetcher = fetcher_new(actor->loop, authorities, actor, on_fetched);
    return actor->fetcher != NULL;
}

/* ---- posted events ---- */

void actor_post(struct actor *actor, const struct event *event)
{
    buffer_put(&actor->inbox, (struct bytes){ (const char *)event, sizeof(*event) });
    buffer_put(&actor->inbox, event->bytes);
    if (actor->inbox.bad)
        actor_give_up(actor, actor->inbox.n + sizeof(*event) + event->bytes.n > INBOX_MOST
                             ? "more was posted to it than it may keep" : "no memory to post");
}

/* A frame of a role in this loop; other events are the world's own. */
static void read_one(struct actor *actor, struct event *event)
{
    struct spawner *spawner = actor->loop->spawner;

    if (event->kind == EV_TOLD && !link_allows(actor, event->peer, event->bytes)) {
        if (spawner != NULL)
            spawner->flaw(spawner, event->peer);
        return;
    }
    actor_step(actor, event);
}

void actor_read_inbox(struct actor *actor)
{
    struct buffer now = actor->inbox;
    size_t at = 0;

    if (now.n == 0)
        return;
    actor->inbox = actor->reading;
    actor->reading = buffer_with_most(INBOX_MOST);
    while (at < now.n && !actor->ended) {
        struct event event;
        memcpy(&event, now.at + at, sizeof(event));
        event.bytes.at = now.at + at + sizeof(event);
        at += sizeof(event) + event.bytes.n;
        read_one(actor, &event);
    }
    buffer_shrink(&now, INBOX_KEPT);
    buffer_done(&actor->reading);
    actor->reading = now;
}

/* ---- effects ---- */

static void do_io(struct actor *actor, const struct io *io)
{
    if (!lanes_add(actor->lanes, io))
        actor_give_up(actor, "a file operation found no memory, or has no lane here");
}

static void do_spawner(struct actor *actor, const struct effect *effect)
{
    struct spawner *spawner = actor->loop->spawner;

    assert(actor->name.kind == ROLE_MASTER && spawner != NULL);
    if (effect->kind == FX_SPAWN)
        spawner->spawn(spawner, effect->to);
    else
        spawner->kill(spawner, effect->to, effect->number == 1);
}

static void do_dial(struct actor *actor, const struct effect *effect)
{
    assert(rights_of(actor->name.kind)->may & MAY_CONNECT);
    if (!conns_dial(&actor->conns, (uint32_t)effect->number, &effect->address, effect->bytes))
        actor_give_up(actor, "no memory for a new connection");
}

static void do_user(const struct actor *actor, const struct effect *effect)
{
    struct spawner *spawner = actor->loop->spawner;

    assert(actor->name.kind == ROLE_LOCAL);
    if (spawner != NULL && spawner->user != NULL)
        spawner->user(spawner, effect->to.index, effect->bytes);
}

static void do_reload(const struct actor *actor)
{
    struct spawner *spawner = actor->loop->spawner;

    assert(actor->name.kind == ROLE_ADMIN);
    if (spawner != NULL && spawner->reload != NULL)
        spawner->reload(spawner);
}

static void do_effect(struct actor *actor, const struct effect *effect)
{
    switch (effect->kind) {
    case FX_SEND: conns_send(&actor->conns, effect->conn, effect->bytes); break;
    case FX_DIAL: do_dial(actor, effect); break;
    case FX_PAUSE: conns_pause(&actor->conns, effect->conn, true); break;
    case FX_RESUME: conns_pause(&actor->conns, effect->conn, false); break;
    case FX_CLOSE: conns_close(&actor->conns, effect->conn); break;
    case FX_ABORT: conns_abort(&actor->conns, effect->conn); break;
    case FX_TELL: link_tell(actor, effect->to, effect->bytes, effect->more); break;
    case FX_ALARM: actor->alarm_ms = effect->number; break;
    case FX_IO: do_io(actor, &effect->io); break;
    case FX_LOG:
        log_sink_put(actor->loop->log, actor->loop->now.wall_ms, effect->level,
                     bytes_of(actor->label), effect->bytes);
        break;
    case FX_SPAWN: case FX_KILL: do_spawner(actor, effect); break;
    case FX_USER: do_user(actor, effect); break;
    case FX_RELOAD: do_reload(actor); break;
    case FX_RESOLVE:
        resolver_ask(actor->resolver, effect->number, (uint16_t)effect->conn, effect->bytes);
        break;
    case FX_FETCH: fetcher_ask(actor->fetcher, effect->number, effect->bytes); break;
    case FX_FETCH_END: fetcher_end(actor->fetcher, effect->number); break;
    case FX_ANSWER: http_answer(actor->http, effect->number, effect->web); break;
    case FX_EXIT: actor_end(actor, (int)effect->number); break;
    }
}

/* A list that is not whole is not begun: half a chain could say what was never meant. */
static void give_up(struct actor *actor)
{
    for (size_t i = 0; i < actor->fx.n; i++)
        if (actor->fx.list[i].kind == FX_IO)
            mem_free(actor->fx.list[i].io.data);
    actor_give_up(actor, actor->fx.draft.bad && actor->fx.draft.n >= actor->fx.draft.most
                         ? "what it asked for is longer than may be"
                         : "no memory for what it asked for");
}

void actor_step(struct actor *actor, struct event *event)
{
    if (actor->ended || (event->kind == EV_BYTES && drill_read(actor, event->bytes)))
        return;
    event->now = actor->loop->now;
    effects_clear(&actor->fx);
    actor->ops->step(actor->role, event, &actor->fx);
    actor->stepped = true;
    if (actor->fx.bad) {
        give_up(actor);
        return;
    }
    for (size_t i = 0; i < actor->fx.n; i++)
        do_effect(actor, &actor->fx.list[i]);
    if (actor->lanes != NULL)
        lanes_end_step(actor->lanes);
}

/* ---- the settings ---- */

void actor_reload(struct actor *actor, const struct conf *conf, struct bytes words, int status)
{
    actor_read_inbox(actor);
    if (conf != NULL)
        actor->conns.most = most_connections(conf);
    actor_step(actor, &(struct event){ .kind = EV_RELOAD, .conf = conf, .bytes = words,
                                       .number = (uint64_t)status });
}

/* ---- a turn ---- */

static void on_io(void *of, uint64_t token, const struct file_result *result)
{
    struct event event = {
        .kind = EV_IO, .token = token, .fault = result->fault, .number = result->number,
        .bytes = { result->data == NULL ? "" : result->data, result->data_n },
    };

    actor_step(of, &event);
}

void actor_turn(struct actor *actor)
{
    actor_read_inbox(actor);
    if (actor->io_done) {
        actor->io_done = false;
        lanes_take(actor->lanes, actor, on_io);
    }
    conns_turn(&actor->conns);
    if (actor->alarm_ms != 0 && actor->alarm_ms <= actor->loop->now.mono_ms) {
        actor->alarm_ms = 0;
        actor_step(actor, &(struct event){ .kind = EV_ALARM });
    }
    if (actor->stepped)
        actor_step(actor, &(struct event){ .kind = EV_TURN });
    actor->stepped = false;
}

void actor_flush(struct actor *actor)
{
    enum { ROUNDS = 8 };        /* what is left after them waits for the next turn of the loop */

    /* What is sent whole is told at once (EV_DRAINED), which may lead to more to send. */
    for (unsigned i = 0; i < ROUNDS; i++) {
        if (actor->lanes != NULL)
            lanes_go(actor->lanes);
        links_flush(actor);
        conns_flush(&actor->conns);
        if (!actor->stepped)
            return;
        actor_step(actor, &(struct event){ .kind = EV_TURN });
        actor->stepped = false;
    }
    if (actor->lanes != NULL)
        lanes_go(actor->lanes);
    links_flush(actor);
}

uint64_t actor_due_ms(const struct actor *actor)
{
    uint64_t due = conns_due_ms(&actor->conns);

    if (actor->inbox.n > 0 || actor->ended || actor->conns.n_dirty > 0)
        return 0;
    return actor->alarm_ms != 0 && actor->alarm_ms < due ? actor->alarm_ms : due;
}
