/* SPDX-License-Identifier: ISC */
#include "host/link.h"

#include "base/log.h"
#include "host/actor.h"
#include "host/channel.h"
#include "host/drill.h"
#include "role/rights.h"
#include "role/wire.h"

#include <assert.h>
#include <sys/epoll.h>
#include <unistd.h>

struct link {
    struct watcher watch;       /* first: a watcher is cast to its link */
    struct actor *actor;        /* whose it is */
    struct role_name peer;
    struct actor *near;         /* in this loop; else NULL, and the channel is used */
    struct channel channel;
    bool blocked;               /* epoll will say when the socket takes octets again */
    bool dirty;                 /* told in this turn */
    bool stuck;                 /* too much waits: it is lost when the turn ends */
};

static struct link **place(struct actor *actor, struct role_name peer)
{
    size_t at = link_place(peer);

    assert(at < COUNT(actor->links.list));
    return &actor->links.list[at];
}

static void post_peer(struct actor *actor, enum event_kind kind, struct role_name peer)
{
    actor_post(actor, &(struct event){ .kind = kind, .peer = peer });
}

static void log_flaw(const struct actor *actor, const char *event, struct role_name peer)
{
    struct buffer line = buffer_with_most(LIMIT_LOG_LINE);

    log_begin(&line, event);
    log_ours(&line, "peer", bytes_of(rights_of(peer.kind)->name));
    log_uint(&line, "index", peer.index);
    actor_log(actor, LOG_ERROR, &line);
    buffer_done(&line);
}

static void report(struct actor *actor, struct role_name peer)
{
    if (actor->loop->spawner != NULL)
        actor->loop->spawner->flaw(actor->loop->spawner, peer);
}

/* It is no more. The memory stays until the turn is over: events of this turn may still name it.
   Later ones would, too, were it only closed: epoll watches until no process holds the socket. */
static void drop(struct link *link)
{
    link->watch.ready = NULL;
    if (link->near == NULL)
        loop_unwatch(link->actor->loop, link->channel.fd);
    channel_done(&link->channel);
    *place(link->actor, link->peer) = NULL;
    loop_bury(link->actor->loop, link);
}

static void lose(struct link *link)
{
    post_peer(link->actor, EV_PEER_DOWN, link->peer);
    drop(link);
}

static void lose_flawed(struct link *link, const char *event)
{
    struct actor *actor = link->actor;
    struct role_name peer = link->peer;

    log_flaw(actor, event, peer);
    lose(link);
    report(actor, peer);
}

bool link_allows(const struct actor *actor, struct role_name from, struct bytes frame)
{
    return wire_allowed(wire_kind_of(frame), from.kind, actor->name.kind);
}

static bool take(void *of, struct bytes frame)
{
    struct link *link = of;
    struct event event = { .kind = EV_TOLD, .peer = link->peer, .bytes = frame };

    if (drill_read(link->actor, frame))
        return true;
    if (!link_allows(link->actor, link->peer, frame))
        return false;
    actor_step(link->actor, &event);
    return true;
}

/* Events that were posted come before what is read now. */
static void on_ready(struct watcher *watcher, uint32_t events)
{
    struct link *link = (struct link *)watcher;

    if (events & EPOLLOUT)
        link->dirty = true;
    if (!(events & (EPOLLIN | EPOLLHUP | EPOLLERR)))
        return;
    actor_read_inbox(link->actor);
    switch (channel_read(&link->channel, link, take)) {
    case CHANNEL_FINE: case CHANNEL_MORE: break;
    case CHANNEL_ENDED: lose(link); break;
    case CHANNEL_FLAWED: lose_flawed(link, "channel-flaw"); break;
    }
}

/* What a dead peer had sent is still there; its end follows within a bounded number of reads. */
static void read_to_the_end(struct link *link)
{
    enum channel_state state = CHANNEL_MORE;

    for (unsigned i = 0; i < 64 && state == CHANNEL_MORE; i++)
        state = channel_read(&link->channel, link, take);
}

static struct link *link_new(struct actor *actor, struct role_name peer)
{
    struct link *link = mem_new(sizeof(*link));

    if (link == NULL) {
        actor_give_up(actor, "no memory for a channel");
        return NULL;
    }
    *link = (struct link){ .watch = { on_ready }, .actor = actor, .peer = peer,
                           .channel = channel_of(-1) };
    return link;
}

void link_open(struct actor *actor, struct role_name peer, int fd)
{
    struct link **at = place(actor, peer);
    struct link *link = link_new(actor, peer);

    if (link == NULL) {
        close(fd);
        return;
    }
    if (*at != NULL) {
        actor_read_inbox(actor);
        read_to_the_end(*at);
        lose(*at);
    }
    link->channel = channel_of(fd);
    *at = link;
    if (!loop_watch(actor->loop, fd, EPOLLIN, &link->watch)) {
        drop(link);
        actor_give_up(actor, "the machine waits for no more channels");
        return;
    }
    post_peer(actor, EV_PEER_UP, peer);
}

static void join_one(struct actor *actor, struct actor *near)
{
    struct link *link = link_new(actor, near->name);

    if (link == NULL)
        return;
    link->near = near;
    *place(actor, near->name) = link;
    post_peer(actor, EV_PEER_UP, near->name);
}

void link_join(struct actor *a, struct actor *b)
{
    if (!rights_talk(a->name.kind, b->name.kind))
        return;
    join_one(a, b);
    join_one(b, a);
}

void link_part(struct actor *gone)
{
    for (size_t i = 0; i < COUNT(gone->links.list); i++) {
        struct link *link = gone->links.list[i];
        struct link **back = link == NULL || link->near == NULL ? NULL
                           : place(link->near, gone->name);
        if (back != NULL && *back != NULL)
            lose(*back);
    }
}

/* In one loop a frame is an event like any other, in its order. */
static void tell_near(const struct link *link, struct bytes head, struct bytes body)
{
    struct buffer frame = buffer_with_most(LIMIT_FRAME_BYTES);

    buffer_put(&frame, head);
    buffer_put(&frame, body);
    if (frame.bad)
        actor_give_up(link->actor, "no memory for a frame, or it is too long");
    else
        actor_post(link->near, &(struct event){ .kind = EV_TOLD, .peer = link->actor->name,
                                                .bytes = buffer_bytes(&frame) });
    buffer_done(&frame);
}

void link_tell(struct actor *actor, struct role_name to, struct bytes head, struct bytes body)
{
    struct link *link = *place(actor, to);

    if (link == NULL)
        return;
    if (link->near != NULL)
        tell_near(link, head, body);
    else if (!link->stuck)
        link->stuck = !channel_put(&link->channel, head, body);
    link->dirty = true;
}

static void flush(struct link *link)
{
    enum channel_state state = link->stuck ? CHANNEL_FLAWED : channel_flush(&link->channel);
    bool more = state == CHANNEL_MORE;

    link->dirty = false;
    if (state == CHANNEL_FLAWED) {
        lose_flawed(link, "channel-stuck");
        return;
    }
    if (state == CHANNEL_ENDED)
        return;                 /* what it had sent before is read first; then comes its end */
    if (more != link->blocked
        && !loop_rewatch(link->actor->loop, link->channel.fd, more ? EPOLLIN | EPOLLOUT : EPOLLIN,
                         &link->watch))
        actor_give_up(link->actor, "the machine waits for no more channels");
    link->blocked = more;
}

void links_flush(struct actor *actor)
{
    for (size_t i = 0; i < COUNT(actor->links.list); i++) {
        struct link *link = actor->links.list[i];
        if (link != NULL && link->near == NULL && link->dirty)
            flush(link);
    }
}

void links_done(struct actor *actor)
{
    for (size_t i = 0; i < COUNT(actor->links.list); i++)
        if (actor->links.list[i] != NULL)
            drop(actor->links.list[i]);
}
