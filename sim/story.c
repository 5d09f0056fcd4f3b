/* SPDX-License-Identifier: ISC */
#include "sim/story.h"

#include "sim/reporter.h"

enum { SOON_MS = 300, SMALL = 700, INLINE = 7000, FAT = 7500, LARGE = 60000 };

static void add(struct ledger *ledger, uint32_t n, uint32_t size, uint32_t to_n, bool parts)
{
    for (uint32_t i = 0; i < n; i++)
        ledger->letters[ledger->n++] = (struct ledger_letter){
            .size = size + 4 * i, .to_n = to_n, .parts = parts };
}

static void one_small(struct ledger *ledger) { add(ledger, 1, SMALL, 1, false); }
static void three_small(struct ledger *ledger) { add(ledger, 3, SMALL, 1, false); }
static void two_to_many(struct ledger *ledger) { add(ledger, 2, SMALL, LEDGER_TO, false); }

static void many(struct ledger *ledger)
{
    for (uint32_t i = 0; i < 4; i++)
        add(ledger, 1, SMALL + 150 * i, LEDGER_TO, false);
    add(ledger, 52, FAT, 1, false);
}

static void a_few(struct ledger *ledger) { add(ledger, 20, INLINE, 2, false); }

static void small_and_large(struct ledger *ledger)
{
    add(ledger, 1, SMALL, 1, false);
    add(ledger, 2, LARGE, 2, true);
    add(ledger, 1, SMALL, 1, false);
}

/* Each sent when the one before is safe. */
static void send_in_turn(struct rig *rig, struct disk *disk, struct ledger *ledger)
{
    for (uint32_t i = 0; i < ledger->n; i++) {
        rig_send(rig, i);
        if (!rig_run(rig, SOON_MS))
            return;
    }
}

/* All at once: they share a group, or several. */
static void send_together(struct rig *rig, struct disk *disk, struct ledger *ledger)
{
    for (uint32_t i = 0; i < ledger->n; i++)
        rig_send(rig, i);
    (void)rig_run(rig, SOON_MS);
}

static void deliver(struct rig *rig, struct disk *disk, struct ledger *ledger)
{
    send_together(rig, disk, ledger);
    rig_set_local(rig, RIG_DELIVERS);
    (void)rig_run(rig, SOON_MS);
}

static void defer(struct rig *rig, struct disk *disk, struct ledger *ledger)
{
    rig_set_local(rig, RIG_DEFERS);
    send_together(rig, disk, ledger);
    (void)rig_run(rig, 300 * 1000);
    rig_set_local(rig, RIG_DELIVERS);
    (void)rig_run(rig, 3 * 3600 * 1000);
}

/* The first letters stay while segment after segment is filled and emptied behind them. */
static void keep_stragglers(struct rig *rig, struct disk *disk, struct ledger *ledger)
{
    rig_set_local(rig, RIG_KEEPS_SOME);
    send_in_turn(rig, disk, ledger);
    (void)rig_run(rig, 10 * 1000);
}

static void fill_the_disk(struct rig *rig, struct disk *disk, struct ledger *ledger)
{
    rig_send(rig, 0);
    (void)rig_run(rig, SOON_MS);
    disk_set_space(disk, 5000);
    for (uint32_t i = 1; i < ledger->n; i++) {
        rig_send(rig, i);
        (void)rig_run(rig, 1500);
    }
    rig_set_local(rig, RIG_DELIVERS);
    (void)rig_run(rig, 1500);
    disk_set_space(disk, (uint64_t)4 << 30);
    (void)rig_run(rig, 3000);
}

static void some_that_fail(struct ledger *ledger)
{
    for (uint32_t i = 0; i < 10; i++) {
        ledger->letters[ledger->n++] = (struct ledger_letter){
            .size = SMALL + 170 * i, .to_n = 1, .reported = true };
        ledger->letters[ledger->n++] = (struct ledger_letter){
            .size = LEDGER_REPORT, .to_n = 1, .report = true };
    }
}

static void several_that_fail(struct ledger *ledger)
{
    some_that_fail(ledger);
    for (uint32_t i = 0; i < ledger->n; i += 2)
        ledger->letters[i].to_n = 2 + i % (LEDGER_TO - 1);
}

/* Their reports come in by the queue's own door, and are kept until somebody delivers them. */
static void fail_and_report(struct rig *rig, struct disk *disk, struct ledger *ledger)
{
    rig_set_local(rig, RIG_FAILS);
    for (uint32_t i = 0; i < ledger->n; i += 2) {
        rig_send(rig, i);
        if (!rig_run(rig, SOON_MS))
            return;
    }
}

/* What waits is deleted, held, sent elsewhere, and tried at once; what is held is released. */
static void order_about(struct rig *rig, struct disk *disk, struct ledger *ledger)
{
    static const struct { enum queue_verb verb; uint32_t letter, from, n; } orders[] = {
        { QUEUE_DELETE, 0, 0, 1 }, { QUEUE_KEEP, 0, 1, 2 }, { QUEUE_REDIRECT, 0, 2, 2 },
        { QUEUE_RETRY, 0, 3, 1 }, { QUEUE_KEEP, 1, 0, LEDGER_TO }, { QUEUE_RELEASE, 1, 0, 2 },
        { QUEUE_DELETE, 1, 2, 1 }, { QUEUE_REDIRECT, 1, 0, 1 },
    };

    rig_set_local(rig, RIG_DEFERS);
    send_together(rig, disk, ledger);
    (void)rig_run(rig, SOON_MS);
    for (size_t i = 0; i < COUNT(orders); i++) {
        rig_order(rig, orders[i].verb, orders[i].letter, orders[i].from, orders[i].n);
        if (!rig_run(rig, SOON_MS))
            return;
    }
    rig_set_local(rig, RIG_DELIVERS);
    (void)rig_run(rig, 600 * 1000);
}

/* Their reports are in one group with their end, though nobody tried to deliver them just then. */
static void send_back(struct rig *rig, struct disk *disk, struct ledger *ledger)
{
    rig_set_local(rig, RIG_DEFERS);
    for (uint32_t i = 0; i < ledger->n; i += 2) {
        rig_send(rig, i);
        if (!rig_run(rig, SOON_MS))
            return;
        rig_order(rig, QUEUE_BOUNCE, i, 0, ledger->letters[i].to_n);
        if (!rig_run(rig, SOON_MS))
            return;
    }
}

const struct story stories[] = {
    { "one letter", &store_ops, one_small, send_together, false, false },
    { "three pipelined letters", &store_ops, three_small, send_together, false, false },
    { "many recipients", &store_ops, two_to_many, deliver, false, false },
    { "large bodies", &store_ops, small_and_large, send_together, false, false },
    { "deliver and done", &store_ops, three_small, deliver, false, false },
    { "deferred, tried again", &store_ops, two_to_many, defer, false, false },
    { "segments roll over", &store_ops, a_few, send_in_turn, false, false },
    { "stragglers are moved", &store_ops, many, keep_stragglers, false, false },
    { "a sync fails", &store_ops, three_small, deliver, true, true },
    { "a sync fails, many recipients", &store_ops, two_to_many, deliver, true, true },
    { "a failure is reported", &reporter_ops, some_that_fail, fail_and_report, false, false },
    { "several fail, and have one report", &reporter_ops, several_that_fail, fail_and_report,
      false, false },
    { "several fail, and a sync fails", &reporter_ops, several_that_fail, fail_and_report, true,
      true },
    { "orders of the postmaster", &store_ops, two_to_many, order_about, false, false },
    { "sent back by order", &reporter_ops, several_that_fail, send_back, false, false },
    { "the disk is full", &store_ops, a_few, fill_the_disk, false, true },
};
const size_t stories_n = COUNT(stories);
