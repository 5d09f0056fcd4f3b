/* SPDX-License-Identifier: ISC */
#include "sim/run.h"

#include "sim/asker.h"
#include "sim/judge.h"
#include "sim/mda.h"
#include "sim/mx.h"
#include "sim/refuser.h"
#include "sim/zone.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const uint64_t HOUR = 3600 * (uint64_t)1000 * 1000;

enum {
    TRAFFIC_HOURS = 12, DRAIN_HOURS = 12,
    EMPTY_ANSWERS = 3,
    SESSIONS = 20, LETTERS = 100,
    FEW = 3,
};

enum stream { STREAM_PLAN = 99, STREAM_FIXED = 200, STREAM_SETTINGS = 300 };

/* What a reload may change differs from one to the next. */
static bool settings(const struct world_plan *plan, uint64_t n, struct arena *arena,
                     struct conf *ret_conf)
{
    struct conf_flaw flaw;
    struct dice fixed = dice_of(plan->seed, STREAM_FIXED);
    struct dice dice = dice_of(plan->seed, STREAM_SETTINGS + n);
    static const char *const segments[] = { "64K", "64K", "128K", "256K", "1M" };
    char text[600];
    int size = snprintf(text, sizeof(text),
                        "host mx.example.org\ndomain example.org\nmailboxes /mail\n"
                        "spool /spool\nfronts %" PRIu32 "\njobs %" PRIu64 "\n"
                        "space-reserve 1M\nsize-limit 4M\nreports-per-hour 100000\n"
                        "segment-size %s\n%s%s%s", plan->fronts, dice_between(&dice, 1, 8),
                        segments[dice_below(&fixed, COUNT(segments))],
                        plan->lmtp ? "lmtp unix:/lmtp\n" : "",
                        plan->cast[ROLE_NAMES] == NULL ? ""
                            : "relay-from 192.0.2.0/24 ::/0\n",
                        dice_below(&fixed, 2) == 0 ? "" : "certificates /keys\n");

    if (conf_read((struct bytes){ text, (size_t)size }, BYTES("/"), arena, ret_conf, &flaw))
        return true;
    printf("line %u, column %u: %s\n", flaw.line, flaw.column, flaw.expected);
    return false;
}

static void make_keys(struct disk *disk)
{
    static const char *const names[] = { "a.pem", "a.key", "b.pem", "b.key", "ours.ca" };
    disk_file file;

    for (size_t i = 0; i < COUNT(names); i++) {
        if (disk_create(disk, IN_KEYS, bytes_of(names[i]), &file) != OK
            || disk_write(disk, file, 0, BYTES("stands for a key")) != OK)
            continue;
        disk_sync_end(disk, disk_sync_begin(disk, file));
        disk_drop(disk, file);
    }
    if (disk_sync_folder(disk, IN_KEYS, BYTES_NONE) != OK)
        printf("cannot make the certificates\n");
}

/* The clients say all they have to say, and all kills come. */
static void traffic(struct world *world, const struct crowd *crowd, bool orders)
{
    const struct role_name asker_name = { ROLE_ADMIN, 0 };
    uint64_t until = world_now_us(world) + TRAFFIC_HOURS * HOUR;

    while (!crowd_is_done(crowd) || world_kills_left(world) > 0) {
        void *asker = world_role(world, asker_name);
        if (asker != NULL)
            asker_set_orders(asker, orders);
        if (!world_next(world))
            return;
        if (world_now_us(world) > until) {
            world_break(world, "the clients are not done after %d hours", TRAFFIC_HOURS);
            return;
        }
    }
}

/* The faults stop; then the queue drains. A report that is on its way to the disk is in no answer:
   only several empty ones in a row say that nothing is left. */
static void drain(struct world *world)
{
    const struct role_name asker_name = { ROLE_ADMIN, 0 };
    uint64_t until = world_now_us(world) + DRAIN_HOURS * HOUR;
    const void *asker = world_role(world, asker_name);
    unsigned empty = 0;
    uint64_t answers = asker == NULL ? 0 : asker_answers(asker) + 1;    /* one may be on its way */

    while (world_next(world)) {
        asker = world_role(world, asker_name);
        if (world_now_us(world) > until) {
            world_break(world, "promise 7: the queue is not empty %d hours after the last fault: "
                        "%" PRIu64 " rows", DRAIN_HOURS, asker == NULL ? 0 : asker_rows(asker));
            return;
        }
        if (asker == NULL || !world_all_up(world) || asker_answers(asker) <= answers)
            continue;
        answers = asker_answers(asker);
        empty = asker_rows(asker) == 0 ? empty + 1 : 0;
        if (empty == EMPTY_ANSWERS)
            return;
    }
}

/* Some seeds deliver to an LMTP server instead of local; some have a world outside. */
static bool by_lmtp(const struct run_options *options)
{
    return options->store == &store_ops
        && (options->small == RUN_WHOLE ? options->seed % 4 == 3 : options->small == RUN_LMTP);
}

static bool has_away(const struct run_options *options)
{
    return options->store == &store_ops
        && (options->small == RUN_WHOLE ? options->seed % 3 == 0 : options->small == RUN_SMTP);
}

static struct world_plan plan_of(const struct run_options *options, struct dice *dice)
{
    struct world_plan plan = { .seed = options->seed, .trace = options->trace };

    plan.cast[ROLE_FRONT] = &front_ops;
    plan.cast[ROLE_STORE] = options->store;
    plan.cast[ROLE_LOCAL] = &refuser_ops;
    plan.cast[ROLE_ADMIN] = &asker_ops;
    plan.cast[ROLE_KEYS] = options->store == &store_ops ? &keys_ops : NULL;
    plan.settings = settings;
    plan.lmtp = by_lmtp(options);
    if (plan.lmtp || has_away(options))
        plan.cast[ROLE_RELAY] = &relay_ops;
    if (has_away(options)) {
        plan.cast[ROLE_NAMES] = &names_ops;
        plan.cast[ROLE_FETCH] = &fetch_ops;
    }
    plan.fronts = (uint32_t)dice_between(dice, 1, 3);
    plan.odds = options->seed % 2 == 0 ? odds_usual() : odds_swarm(dice);
    plan.order = (enum disk_order)dice_below(dice, DISK_ORDERS);
    plan.kills = (unsigned)dice_between(dice, 3, 8);
    if (options->calm) {
        plan.odds = odds_none();
        plan.kills = 0;
    }
    return plan;
}

/* All that is outside of the machine, and who judges it. */
struct others {
    struct crowd *crowd;
    struct zone *zone;
    struct judge *judge;
    struct server *server;
    struct mda *mda;
    struct mx *mx;
};

static struct others others_new(struct world *world, const struct world_plan *plan,
                                const struct run_options *options)
{
    bool small = options->small != RUN_WHOLE, away = has_away(options);
    struct others others;

    others.crowd = crowd_new(world, &(struct crowd_plan){
        .seed = plan->seed, .fronts = plan->fronts, .tls = plan->cast[ROLE_KEYS] != NULL,
        .sessions = small ? 1 : SESSIONS, .letters = small ? FEW : LETTERS,
        .reach = !away ? REACH_HERE : small ? REACH_AWAY : REACH_BOTH });
    others.zone = away ? zone_new(world) : NULL;
    others.judge = judge_new(world, others.crowd, plan->seed,
                             plan->lmtp ? ROLE_RELAY : ROLE_LOCAL,
                             plan->cast[ROLE_STORE] == &store_ops, others.zone);
    others.server = server_new(world, (struct server_watch){
        others.judge, judge_reply_lost, judge_kept, judge_refused, judge_turned_away },
        options->server);
    others.mda = plan->lmtp ? mda_new(others.server) : NULL;
    others.mx = away ? mx_new(others.server, (struct mx_watch){ others.judge, judge_named }) : NULL;
    return others;
}

static void others_free(struct others *others)
{
    server_free(others->server);
    mda_free(others->mda);
    mx_free(others->mx);
    zone_free(others->zone);
    judge_free(others->judge);
    crowd_free(others->crowd);
}

/* In some, the postmaster orders this and that while clients speak. */
static bool has_orders(const struct run_options *options)
{
    return options->store == &store_ops && options->small == RUN_WHOLE && options->seed % 5 == 2;
}

static void run_world(const struct world_plan *plan, const struct run_options *options,
                      struct run_result *result)
{
    struct world *world = world_new(plan);
    struct others others = others_new(world, plan, options);

    make_keys(world_disk(world));
    world_boot(world);
    traffic(world, others.crowd, has_orders(options));
    void *asker = world_role(world, (struct role_name){ ROLE_ADMIN, 0 });
    if (asker != NULL)
        asker_set_orders(asker, false);
    if (!options->calm && world_broken(world) == NULL)
        world_calm(world);
    if (world_broken(world) == NULL)
        drain(world);
    if (world_broken(world) == NULL)
        judge_rest(others.judge);
    result->kept = world_broken(world) == NULL;
    if (!result->kept)
        snprintf(result->words, sizeof(result->words), "%s", world_broken(world));
    result->hash = world_hash(world);
    result->virtual_us = world_now_us(world);
    result->totals = *world_totals(world);
    result->replies = server_replies(others.server);
    result->said = server_said(others.server);
    result->heard = server_heard(others.server);
    world_free(world);
    others_free(&others);
}

struct run_result run_seed(const struct run_options *options)
{
    struct run_result result = { .kept = false };
    struct dice dice = dice_of(options->seed, STREAM_PLAN);
    struct world_plan plan = plan_of(options, &dice);

    run_world(&plan, options, &result);
    return result;
}
