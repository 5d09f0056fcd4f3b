/* SPDX-License-Identifier: ISC
 *
 * sim/world_int.h: how a world lies in memory; for world.c, actor.c, channel.c, net.c and trace.c
 * only.
 */
#ifndef POSTERN_SIM_WORLD_INT_H
#define POSTERN_SIM_WORLD_INT_H

#include "sim/lane.h"
#include "sim/net.h"
#include "sim/world.h"

enum { WORLD_ACTORS = LIMIT_FRONTS + ROLE_KINDS, WORLD_CHANNELS = 2 * LIMIT_FRONTS + ROLE_KINDS };

/* A process, dead or alive. */
struct actor {
    struct world *world;
    struct role_name name;
    const struct role_ops *ops;
    void *role;                 /* NULL: dead */
    uint64_t life;              /* grows at each death */
    struct arena settings;      /* what `conf` is made of: gone after the next reload */
    struct conf *conf;
    struct effects fx;
    struct lanes *lanes;
    bool turn_due;
    uint64_t told_io_us;        /* the last report: they come in the order of the ends */
    uint64_t alarms;            /* asked for so far: the last one counts */
    struct conn **conns;        /* by number */
    size_t conns_room;
};

/* Text on its way, of one letter or job of one channel. */
struct flow {
    const void *channel;
    uint64_t epoch;
    uint32_t token;
    bool job;                   /* from the store to local, else from a front to the store */
    uint64_t sent, granted;     /* octets; granted counts when the sender has been told */
};

/* Between two actors. Frames and news of an older `epoch` are lost, but for those that the dead
   one had sent and that come before `cut_us`. */
struct channel {
    struct actor *side[2];
    bool open;
    bool told_up[2];
    uint64_t epoch;
    uint64_t last_us[2];        /* the latest arrival at that side */
    uint64_t cut_us;
    unsigned survivor;
};

struct conn {
    struct world *world;
    struct actor *actor;
    uint64_t life;              /* of the actor, when it accepted */
    uint32_t number;
    const struct net_client *ops;
    struct net_address at;      /* that a role dials; all 0: a unix socket */
    bool by_path;
    void *client;               /* NULL: it is gone */
    struct buffer in, out;      /* on their way to the role, and to the client */
    bool accepted, paused;
    bool in_due, out_due;       /* a delivery is on its way */
    bool client_ended, end_told;
    bool role_closes;           /* no event but EV_CLOSED any more */
    bool over;                  /* for the role, too */
    struct conn *next;          /* of all there ever were */
};

struct world {
    struct world_plan plan;
    struct dice order, disk_dice, net_dice, fate, others;
    struct futures futures;
    uint64_t now_us, boot_us;
    int64_t wall_jump_ms;
    struct disk *disk;
    struct actor actors[WORLD_ACTORS];
    size_t actors_n;
    struct channel channels[WORLD_CHANNELS];
    size_t channels_n;
    struct conn *conns;
    struct flow *flows;
    size_t flows_n, flows_room;
    struct net_server servers[2];       /* of unix sockets, and of addresses */
    struct world_outside outside;
    struct totals totals;
    struct world_watch watch;
    unsigned kills_left;
    uint64_t reloads;
    uint64_t kill_in_steps;
    bool full, calm, off;
    uint64_t hash;
    char broken[512];
};

/* actor.c */
void actor_start(struct actor *actor);
/* It dies: nothing of it is left but what it had asked of the disk, in part. `power`: no restart
   here. */
void actor_die(struct actor *actor, bool power);
/* The settings of now; those of before are no more when it has heard. */
void actor_reload(struct actor *actor);
/* It is told to end, and killed when it does not. */
void actor_stop(struct actor *actor);
void actor_step(struct actor *actor, struct event event);
/* The event, for that life of the actor, later. `bytes` is copied. */
void actor_later(struct actor *actor, uint64_t after_us, struct event event);
struct actor *actor_of(struct world *world, struct role_name name);
static inline bool actor_alive(const struct actor *actor) { return actor->role != NULL; }

/* channel.c */
void channels_make(struct world *world);
void channels_open(struct actor *actor);
void channels_cut(struct actor *actor);
void channel_tell(struct actor *from, const struct effect *effect);

/* credit.c: is sent what credit allows? Look at a frame when it is sent, and when it arrived. */
void credit_sent(struct world *world, const struct channel *channel, struct bytes frame);
void credit_arrived(struct world *world, const struct channel *channel, struct bytes frame);

/* outside.c */
void outside_effect(struct actor *actor, const struct effect *effect);

/* net.c */
void net_effect(struct actor *actor, const struct effect *effect);
void net_role_dials(struct actor *actor, const struct effect *effect);
/* All connections of an actor that died. */
void net_cut_all(struct actor *actor);
void net_done(struct world *world);

/* trace.c: hash it, and print it when that was asked for. */
void trace_event(const struct actor *actor, const struct event *event);
void trace_effect(const struct actor *actor, const struct effect *effect);
void trace_note(struct world *world, const char *what, const struct actor *actor);

#endif
