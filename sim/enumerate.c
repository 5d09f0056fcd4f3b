/* SPDX-License-Identifier: ISC */
#include "sim/enumerate.h"

#include "sim/room.h"
#include "sim/story.h"
#include "sim/walk.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum {
    FEW = 7,                /* so many unsafe things are gone through exhaustively */
    WHOLE_MOST = 160,        /* states of one moment */
    SAMPLES = 24,
    TORN_SAMPLES = 8,
    KILLS = 3,
    NAME_KILLS = 24,        /* before the sync of a folder */
    MORE = 3,               /* letters that the next store is sent */
    SOON_MS = 100,
    DEPTH = 3,
    FLIPS = 60,             /* of each story */
    IDLE_MS = 3000,         /* until the store has marked all of it as durable */
};

struct search {
    const struct conf *conf;
    const struct story *story;
    struct disk *disk;          /* of the story */
    struct ledger *ledger;
    struct ledger last;         /* as it was at the last moment judged */
    bool changed;               /* the disk, since then */
    uint64_t from_sync;         /* moments before that sync are known already */
    struct dice dice;
    const struct enumerate_options *options;
    struct enumerated *result;
};

static void tell(struct search *search, const char *words, uint32_t letter, unsigned depth)
{
    struct enumerated *result = search->result;

    if (!result->kept)
        return;
    result->kept = false;
    snprintf(result->words, sizeof(result->words),
             "%s: state %" PRIu64 " (start %u after the crash), letter %" PRIu32 ": %s",
             search->story->name, result->states, depth, letter, words);
}

/* ---- one start */

static const char *judge_to(const struct ledger_letter *letter, const struct ledger_to *to,
                            unsigned handed, bool some)
{
    if (handed > 1)
        return "a recipient is handed out twice in one life";
    if (handed > 0 && to->settled)
        return "a recipient is handed out again that was done";
    if (handed > 0 && letter->refused)
        return "it was refused, and is handed out";
    if (handed == 0 && !to->told && letter->taken)
        return "it was acknowledged, and is lost";
    if (handed == 0 && !to->told && some)
        return "it is there for some of its recipients only";
    return NULL;
}

/* A failed letter and the report of it are one group, however many recipients failed together: one
   of the two is there, never both, and all of its recipients are or none. */
static const char *judge_report(const struct ledger *before, const struct rig *rig, uint32_t i)
{
    const struct ledger_letter *letter = &before->letters[i], *report = &before->letters[i + 1];
    bool report_there = report->to[0].told || rig_handed(rig, i + 1, 0) > 0;
    uint32_t there = 0;

    for (uint32_t k = 0; k < letter->to_n; k++) {
        there += letter->to[k].told || rig_handed(rig, i, k) > 0;
        if (rig_handed(rig, i, k) > 1)
            return "a recipient is handed out twice in one life";
    }
    if (rig_handed(rig, i + 1, 0) > 1)
        return "the report is handed out twice in one life";
    if (there > 0 && report_there)
        return "it is there, and so is the report that it failed";
    if (there > 0 && there < letter->to_n)
        return "it is there for some of the recipients that failed together";
    if (letter->taken && there == 0 && !report_there)
        return "it failed, and there is no report of it";
    return NULL;
}

static bool judge_letter(struct search *search, const struct ledger *before, struct rig *rig,
                         uint32_t i, unsigned depth)
{
    const struct ledger_letter *letter = &before->letters[i];
    bool some = false;

    if (letter->reported) {
        const char *words = judge_report(before, rig, i);
        if (words != NULL)
            tell(search, words, i, depth);
        return words == NULL;
    }
    for (uint32_t k = 0; k < letter->to_n && !letter->report; k++)
        some = some || letter->to[k].told || rig_handed(rig, i, k) > 0;
    for (uint32_t k = 0; k < letter->to_n && !letter->report; k++) {
        const char *words = judge_to(letter, &letter->to[k], rig_handed(rig, i, k), some);
        if (words != NULL) {
            tell(search, words, i, depth);
            return false;
        }
    }
    return true;
}

static void judge(struct search *search, const struct ledger *before, struct rig *rig, bool drained,
                  unsigned depth)
{
    if (rig_flaw(rig) != NULL)
        tell(search, rig_flaw(rig), 0, depth);
    if (!drained)
        tell(search, "the queue does not drain", 0, depth);
    if (rig_alarms(rig) > 0 && !search->story->troubled)
        tell(search, "the store raises an alarm, though nothing was damaged", 0, depth);
    for (uint32_t i = 0; i < before->n; i++)
        if (!judge_letter(search, before, rig, i, depth))
            return;
}

static unsigned taken(const struct ledger *ledger)
{
    unsigned n = 0;

    for (uint32_t i = 0; i < ledger->n; i++)
        n += ledger->letters[i].taken;
    return n;
}

/* Where the next store is broken off: at that operation, or at the first one after a 250. */
struct stop {
    uint64_t at;
    bool at_taken;
    const struct ledger *ledger;
    unsigned taken;
};

static bool stop_there(void *ctx, struct rig *rig, const struct io *io)
{
    const struct stop *stop = ctx;

    if (stop->at_taken && taken(stop->ledger) > stop->taken)
        return false;
    return rig_operations(rig) < stop->at;
}

static void start_again(struct search *search, struct disk *disk, const struct ledger *before,
                        unsigned depth);

/* Some of the letters that were not sent when the one before died; at once: before the store has
   done anything but open. */
static void send_more(struct rig *rig, struct ledger *ledger, bool at_once)
{
    unsigned n = 0;

    if (at_once)
        (void)rig_run_to_opening(rig, SOON_MS);
    else
        (void)rig_run(rig, SOON_MS);
    for (uint32_t i = 0; i < ledger->n && n < MORE; i++)
        if (!ledger->letters[i].sent && !ledger->letters[i].report) {
            rig_send(rig, i);
            n++;
        }
}

/* The same start, broken off by another crash. */
static void crash_in_start(struct search *search, struct disk *disk, const struct ledger *before,
                           uint64_t operations, unsigned depth)
{
    struct ledger ledger = *before;
    bool at_once = dice_below(&search->dice, 2) == 0;
    struct stop stop = { at_once ? operations : dice_below(&search->dice, operations + 1),
                         at_once, &ledger, taken(&ledger) };
    struct disk_losses losses = { { 0 }, { 0 } };
    struct rig_plan plan = { .store = search->story->store, .conf = search->conf,
                             .disk = disk, .ledger = &ledger,
                             .local = RIG_DELIVERS, .before = stop_there, .ctx = &stop,
                             .seed = dice_throw(&search->dice),
                             .trace = search->result->states + 1 == search->options->state };
    struct rig *rig = rig_new(&plan);

    send_more(rig, &ledger, at_once);
    (void)rig_drain(rig);
    rig_free(rig);
    disk_crash(disk, dice_chooser(&search->dice), dice_below(&search->dice, 2) == 0, &losses);
    search->result->nested++;
    start_again(search, disk, &ledger, depth + 1);
}

/* What is on the disk is all there is. */
static void start_again(struct search *search, struct disk *disk, const struct ledger *before,
                        unsigned depth)
{
    struct ledger ledger = *before;
    bool shown = ++search->result->states == search->options->state;
    bool deeper = depth < DEPTH && dice_below(&search->dice, 3) == 0;
    struct disk *again = deeper ? disk_copy(disk) : NULL;
    struct rig_plan plan = { .store = search->story->store, .conf = search->conf,
                             .disk = disk, .ledger = &ledger,
                             .local = RIG_DELIVERS, .seed = dice_throw(&search->dice),
                             .trace = shown };
    struct rig *rig = rig_new(&plan);
    bool drained = rig_drain(rig);
    uint64_t operations = rig_operations(rig);

    judge(search, before, rig, drained, depth);
    rig_free(rig);
    if (deeper && search->result->kept)
        crash_in_start(search, again, before, operations, depth);
    disk_free(again);
}

/* ---- one moment of a story */

static uint64_t not_torn(void *ctx, uint64_t n)
{
    return n == 8 ? 0 : choose(*(struct chooser *)ctx, n);
}

static void crash(struct search *search, struct chooser chooser, bool every)
{
    struct disk *disk = disk_copy(search->disk);
    struct disk_losses losses = { { 0 }, { 0 } };

    disk_crash(disk, chooser, every, &losses);
    disk_set_space(disk, (uint64_t)4 << 30);
    start_again(search, disk, search->ledger, 1);
    disk_free(disk);
}

static void crash_every_way(struct search *search)
{
    struct walk walk = walk_start();
    struct chooser each = walk_chooser(&walk);
    unsigned n = 0;
    bool more;

    do {
        walk_round(&walk);
        crash(search, (struct chooser){ not_torn, &each }, true);
        more = walk_next(&walk);
    } while (more && ++n < WHOLE_MOST && search->result->kept);
    search->result->whole += !more;
}

/* The process alone dies: the next one finds all that was written, though a sync of it may have
   failed. In some of these the power goes after that. */
static void kill_store(struct search *search)
{
    struct disk *disk = disk_copy(search->disk);

    disk_set_space(disk, (uint64_t)4 << 30);
    start_again(search, disk, search->ledger, 1);
    disk_free(disk);
}

static bool moment(void *ctx, struct rig *rig, const struct io *io)
{
    struct search *search = ctx;
    bool told = memcmp(&search->last, search->ledger, sizeof(search->last)) != 0;
    bool fresh = told || search->changed;
    bool few = disk_unsafe(search->disk) <= FEW;

    search->changed = io->kind != IO_READ && io->kind != IO_LIST && io->kind != IO_STAT
        && io->kind != IO_SPACE && io->kind != IO_OPEN && io->kind != IO_CLOSE;
    if (!fresh || rig_syncs(rig) < search->from_sync)
        return true;
    search->last = *search->ledger;
    if (few)
        crash_every_way(search);
    for (unsigned i = 0; i < (few ? TORN_SAMPLES : SAMPLES) && search->result->kept; i++)
        crash(search, dice_chooser(&search->dice), few || i % 3 == 0);
    for (unsigned i = 0; i < (io->kind == IO_SYNC_DIR ? NAME_KILLS : KILLS)
                         && search->result->kept; i++)
        kill_store(search);
    return search->result->kept;
}

/* ---- damage */

static disk_file some_segment(struct search *search, struct disk *disk)
{
    struct bytes names, rest, name;
    disk_file found = 0;
    uint64_t n = 0;
    char path[64];

    if (disk_list(disk, IN_SPOOL, BYTES("log"), &names) != OK)
        return 0;
    rest = names;
    while (bytes_cut(&rest, '\n', &name))
        if (is_digit(name.at[0]) && dice_below(&search->dice, ++n) == 0) {
            int length = snprintf(path, sizeof(path), "log/%.*s", (int)name.n, name.at);
            if (disk_open(disk, IN_SPOOL, (struct bytes){ path, (size_t)length }, &found) != OK)
                found = 0;
            else
                disk_drop(disk, found);
        }
    room_free((void *)(uintptr_t)names.at);
    return found;
}

/* Letters of which something is missing that had to be there. */
static unsigned missing(const struct ledger *before, const struct rig *rig)
{
    unsigned n = 0;

    for (uint32_t i = 0; i < before->n; i++) {
        const struct ledger_letter *letter = &before->letters[i];
        bool lost = false;
        for (uint32_t k = 0; k < letter->to_n && letter->taken && !letter->reported; k++)
            lost = lost || (!letter->to[k].told && rig_handed(rig, i, k) == 0);
        n += lost;
    }
    return n;
}

static void damage(struct search *search)
{
    struct disk *disk = disk_copy(search->disk);
    struct ledger ledger = *search->ledger;
    struct disk_losses losses = { { 0 }, { 0 } };
    struct rig_plan plan = { .store = search->story->store, .conf = search->conf,
                             .disk = disk, .ledger = &ledger,
                             .local = RIG_DELIVERS };
    disk_file file;

    disk_crash(disk, dice_chooser(&search->dice), false, &losses);
    file = some_segment(search, disk);
    plan.trace = search->result->states + 1 == search->options->state;
    if (file != 0 && disk_damage(disk, file, dice_chooser(&search->dice))) {
        struct rig *rig = rig_new(&plan);
        bool drained = rig_drain(rig);
        unsigned lost = missing(search->ledger, rig);
        search->result->states++;
        search->result->damaged++;
        if (rig_flaw(rig) != NULL)
            tell(search, rig_flaw(rig), 0, 1);
        if (!drained)
            tell(search, "an octet was flipped: the queue does not drain", 0, 1);
        if (lost > 1)
            tell(search, "an octet was flipped: more than one letter is lost", 0, 1);
        if (lost == 1 && rig_alarms(rig) == 0)
            tell(search, "an octet was flipped: a letter is lost without an alarm", 0, 1);
        rig_free(rig);
    }
    disk_free(disk);
}

/* ---- a story */

static uint64_t play(struct search *search, uint64_t fail_at)
{
    struct ledger ledger = { .n = 0 };
    struct disk *disk = disk_new(DISK_FREE);
    struct rig_plan plan = { .store = search->story->store, .conf = search->conf,
                             .disk = disk, .ledger = &ledger,
                             .local = RIG_AWAY, .before = moment, .ctx = search,
                             .fail_at = fail_at, .seed = fail_at,
                             .trace = search->options->trace };
    uint64_t syncs;

    search->story->prepare(&ledger);
    search->disk = disk;
    search->ledger = &ledger;
    search->changed = true;
    search->from_sync = fail_at;
    struct rig *rig = rig_new(&plan);
    (void)rig_run(rig, 100);
    search->story->play(rig, disk, &ledger);
    if (search->result->kept && rig_flaw(rig) != NULL)
        tell(search, rig_flaw(rig), 0, 0);
    syncs = rig_syncs(rig);
    (void)rig_run(rig, IDLE_MS);
    rig_free(rig);
    for (unsigned i = 0; i < FLIPS && search->result->kept && !search->story->troubled; i++)
        damage(search);
    disk_free(disk);
    return syncs;
}

static void run_story(struct search *search)
{
    uint64_t syncs = play(search, 0);

    for (uint64_t at = 1; search->story->fails && at <= syncs && search->result->kept; at++)
        (void)play(search, at);
}

struct enumerated enumerate(const struct enumerate_options *options)
{
    static const char text[] = "host mx.example.org\ndomain example.org\nmailboxes /mail\n"
                               "spool /spool\nspace-reserve 1M\nsegment-size 64K\n";
    struct enumerated result = { .kept = true };
    struct arena arena = arena_with_ceiling(1 << 20);
    struct search search = { .result = &result, .options = options,
                             .dice = dice_of(options->seed, 3) };
    struct conf_flaw flaw;
    struct conf conf;

    result.kept = conf_read(bytes_of(text), BYTES("/"), &arena, &conf, &flaw);
    search.conf = &conf;
    for (size_t i = 0; i < stories_n && result.kept; i++) {
        struct enumerated before = result;
        if (options->story != 0 && options->story != i + 1)
            continue;
        search.story = &stories[i];
        run_story(&search);
        printf("%8" PRIu64 " states, %6" PRIu64 " nested, %4" PRIu64 " damaged, %5" PRIu64
               " moments whole  %s\n", result.states - before.states,
               result.nested - before.nested, result.damaged - before.damaged,
               result.whole - before.whole, stories[i].name);
    }
    arena_done(&arena);
    return result;
}
