/* SPDX-License-Identifier: ISC */
#include "sim/judge_int.h"

#include "sim/copy.h"
#include "sim/judge_report.h"
#include "sim/room.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

enum { SECOND = 1000 * 1000 };

/* ---- mailboxes */

static void make_folder(struct judge *judge, const char *path)
{
    struct disk *disk = world_disk(judge->world);
    struct bytes name = bytes_of(path);
    size_t slash = bytes_find_last(name, '/');
    bool well = disk_mkdir(disk, IN_MAIL, name) == OK;

    if (well && judge->deliverer == ROLE_RELAY)
        well = disk_sync_folder(disk, IN_MAIL,
                                slash == name.n ? BYTES_NONE : bytes_first(name, slash)) == OK;
    if (!well)
        printf("cannot make %s\n", path);
}

/* By hand, and nobody waits for the disk: what a power cut takes away is made again before the
   roles start. Only the LMTP server's own are safe. */
static void make_mailboxes(void *ctx)
{
    static const char *const subs[] = { "tmp", "new", "cur" };
    struct judge *judge = ctx;
    char path[256];

    make_folder(judge, "example.org");
    make_folder(judge, REPORTS_FOLDER);
    for (size_t i = 0; i < mailboxes_n; i++) {
        /* Local makes what is missing in it. */
        bool bare = dice_below(world_dice(judge->world), 3) == 0;
        if (mailboxes[i].folder == NULL)
            continue;
        make_folder(judge, mailboxes[i].folder);
        for (size_t k = 0; k < COUNT(subs) && !bare; k++) {
            snprintf(path, sizeof(path), "%s/%s", mailboxes[i].folder, subs[k]);
            make_folder(judge, path);
        }
    }
}

/* The whole of a file; at is from room_new. */
static struct bytes read_file(struct disk *disk, struct bytes path)
{
    disk_file file = 0;

    if (disk_open(disk, IN_MAIL, path, &file) != OK)
        return BYTES_NONE;
    size_t n = (size_t)disk_size(disk, file);
    char *at = room_new(n);
    n = disk_read(disk, file, 0, n, at);
    disk_drop(disk, file);
    return (struct bytes){ at, n };
}

static struct letter_recipient *recipient_of(struct letter *letter, struct bytes folder)
{
    for (size_t i = 0; i < letter->recipients_n; i++) {
        const struct mailbox *mailbox = letter->recipients[i].mailbox;
        if (mailbox->folder != NULL && bytes_equal(bytes_of(mailbox->folder), folder))
            return &letter->recipients[i];
    }
    return NULL;
}

struct letter *judge_letter_in(struct judge *judge, struct bytes text)
{
    uint32_t index;

    if (!letter_find_token(judge->seed, text, &index) || index >= crowd_letters(judge->crowd))
        return NULL;
    return crowd_letter(judge->crowd, index);
}

/* The folder of a mailbox from the path of a file in its new/ or cur/. */
static struct bytes folder_of(struct bytes path)
{
    struct bytes sub = bytes_first(path, bytes_find_last(path, '/'));

    return bytes_first(sub, bytes_find_last(sub, '/'));
}

struct letter *judge_letter_by(struct judge *judge, struct bytes field, struct bytes text)
{
    struct bytes rest = bytes_skip(text, bytes_search(text, field));
    struct bytes id = bytes_upto(bytes_skip(rest, field.n), '@');
    char token[80];
    int n = snprintf(token, sizeof(token), "[%.*s]", (int)(id.n < 64 ? id.n : 0), id.at);

    return judge_letter_in(judge, rest.n == 0 ? text : (struct bytes){ token, (size_t)n });
}

static void check_report(struct judge *judge, struct bytes text)
{
    struct letter *letter = judge_letter_by(judge, BYTES("\nIn-Reply-To: <"), text);
    const char *flaw = report_seen(text, letter);

    if (flaw != NULL)
        world_break(judge->world, "promise 4: letter %d: %s",
                    letter == NULL ? -1 : (int)letter->index, flaw);
}

/* A file that a reader can see: whose copy is it? NULL, and the world is broken, when nobody's. */
static struct letter_recipient *check_file(struct judge *judge, struct bytes path)
{
    struct bytes text = read_file(world_disk(judge->world), path);
    struct letter *letter = judge_letter_in(judge, text);
    struct letter_recipient *recipient = NULL;
    const char *flaw = "no letter that was sent";
    bool report = bytes_begins(path, BYTES(REPORTS_FOLDER "/"));

    if (report) {
        check_report(judge, text);
        flaw = NULL;
    } else if (bytes_search(text, BYTES("\nMessage-ID: <refused.")) < text.n) {
        flaw = NULL;        /* what the server tells postmaster, when a week ends */
    } else if (letter != NULL) {
        flaw = "not its recipient";
        recipient = recipient_of(letter, folder_of(path));
    }
    if (recipient != NULL)
        flaw = copy_check(text, letter, recipient);
    if (flaw != NULL)
        world_break(judge->world, "promise 3: %.*s (letter %d): %s", (int)path.n, path.at,
                    letter == NULL ? -1 : (int)letter->index, flaw);
    room_free(text.n == 0 ? NULL : (void *)(uintptr_t)text.at);
    return flaw == NULL ? recipient : NULL;
}

/* ---- a reader */

static void take_away(struct judge *judge, struct bytes path, struct letter_recipient *recipient)
{
    struct disk *disk = world_disk(judge->world);
    struct bytes sub = bytes_first(path, bytes_find_last(path, '/'));

    if (disk_unlink(disk, IN_MAIL, path) == OK && disk_sync_folder(disk, IN_MAIL, sub) == OK) {
        recipient->taken++;
        recipient->copies++;
    }
}

static void mark_read(struct judge *judge, struct bytes path, struct letter_recipient *recipient)
{
    struct disk *disk = world_disk(judge->world);
    struct bytes folder = folder_of(path), name = bytes_skip(path, bytes_find_last(path, '/') + 1);
    char to[1024], cur[1024];
    int n = snprintf(to, sizeof(to), "%.*s/cur/%.*s:2,S", (int)folder.n, folder.at, (int)name.n,
                     name.at);
    int cur_n = snprintf(cur, sizeof(cur), "%.*s/cur", (int)folder.n, folder.at);
    struct bytes sub = bytes_first(path, bytes_find_last(path, '/'));

    recipient->moved++;
    if (disk_rename(disk, IN_MAIL, path, (struct bytes){ to, (size_t)n }, true) == OK
        && disk_sync_folder(disk, IN_MAIL, (struct bytes){ cur, (size_t)cur_n }) == OK
        && disk_sync_folder(disk, IN_MAIL, sub) != OK)
        world_break(judge->world, "the reader lost a folder");
}

static void reader_comes(struct world *world, struct future *future)
{
    struct judge *judge = future->who;
    struct bytes path = future->bytes;

    if (disk_stat(world_disk(world), IN_MAIL, path) != 2)
        return;
    world_totals(world)->reader++;
    struct letter_recipient *recipient = check_file(judge, path);
    if (recipient == NULL)
        return;
    if (future->a == 0)
        take_away(judge, path, recipient);
    else
        mark_read(judge, path, recipient);
}

static void on_delivery(struct judge *judge, struct bytes path)
{
    struct world *world = judge->world;
    struct dice *dice = world_dice(world);
    struct letter_recipient *recipient = check_file(judge, path);

    if (recipient == NULL)
        return;
    if (dice_chance(dice, world_odds(world)->reader))
        world_later(world, dice_below(dice, 5 * SECOND), (struct future){
            .run = reader_comes, .who = judge, .a = dice_below(dice, 2),
            .bytes = { room_copy(path), path.n } });
}

static void on_operation(void *ctx, enum role_kind who, const struct io *io, enum fault fault)
{
    struct judge *judge = ctx;
    bool names = io->kind == IO_LINK_NEW || io->kind == IO_RENAME;

    if (who == ROLE_LOCAL && names && fault == OK && bytes_search(io->to, BYTES("/new/")) <
    io->to.n)
        on_delivery(judge, io->to);
    if (who == ROLE_STORE && io->lane == 0)
        judge_log_ended(judge, io, fault);
}

struct judge *judge_new(struct world *world, struct crowd *crowd, uint64_t seed,
                        enum role_kind deliverer, bool reports, const struct zone *zone)
{
    struct judge *judge = room_new(sizeof(*judge));

    assert(mailboxes_n <= MAILBOXES_MOST);
    *judge = (struct judge){ .world = world, .crowd = crowd, .seed = seed, .reports = reports,
                             .deliverer = deliverer, .zone = zone };
    world_watch(world, (struct world_watch){
        .ctx = judge, .power = make_mailboxes, .frame = judge_frame, .asked = judge_asked,
        .operation = on_operation, .fault = judge_fault });
    return judge;
}

void judge_free(struct judge *judge)
{
    room_free(judge->jobs);
    room_free(judge);
}

/* ---- at rest */

static void count_folder(struct judge *judge, const char *folder, const char *sub)
{
    char path[1024];
    int n = snprintf(path, sizeof(path), "%s/%s", folder, sub);
    struct bytes names, rest, name;

    if (disk_list(world_disk(judge->world), IN_MAIL, (struct bytes){ path, (size_t)n }, &names) !=
    OK)
        return;
    rest = names;
    while (bytes_cut(&rest, '\n', &name)) {
        char file[1024];
        int file_n = snprintf(file, sizeof(file), "%s/%.*s", path, (int)name.n, name.at);
        struct letter_recipient *recipient =
            check_file(judge, (struct bytes){ file, (size_t)file_n });
        if (recipient != NULL) {
            recipient->copies++;
            world_totals(judge->world)->delivered++;
        }
    }
    room_free((void *)(uintptr_t)names.at);
}

static bool accepted(const struct letter_recipient *recipient)
{
    return recipient->code >= 200 && recipient->code <= 299;
}

/* By LMTP every copy is a new file; local knows what it has, and makes a second one only when a
   reader took or moved the first. */
static void judge_copies(struct judge *judge, const struct letter *letter,
                         const struct letter_recipient *recipient)
{
    const char *to = recipient->mailbox->address;
    unsigned there = recipient->copies - recipient->taken;

    bool borne = judge->deliverer == ROLE_RELAY || recipient->mailbox->away;

    if (there > 1 + recipient->moved && !borne)
        world_break(judge->world, "promise 2: letter %u lies %u times in the mailbox of %s",
                    letter->index, there, to);
    if (recipient->copies > 1 + recipient->windows)
        world_break(judge->world, "promise 2: letter %u was delivered %u times to %s, and %u "
                    "faults fell between", letter->index, recipient->copies, to,
                    recipient->windows);
    if (recipient->copies > 1)
        world_totals(judge->world)->twice++;
}

static void judge_recipient(struct judge *judge, const struct letter *letter,
                            const struct letter_recipient *recipient, bool some)
{
    const char *to = recipient->mailbox->address;
    bool there = recipient->copies > 0;

    const char *flaw = report_judge(letter, recipient, judge_is_excused(judge, recipient));
    if (flaw != NULL && judge->reports)
        world_break(judge->world, "promise 4: letter %u to %s: %s", letter->index, to, flaw);
    world_totals(judge->world)->reports += recipient->report[0] != '\0';
    if (recipient->mailbox->refuses || (recipient->failed && !there)
        || (!there && judge_is_excused(judge, recipient)))
        return;
    if (there && (letter->outcome == OUT_NEVER || letter->outcome == OUT_REFUSED))
        world_break(judge->world, "promise 3: letter %u was %s and is delivered to %s",
                    letter->index, letter->outcome == OUT_NEVER ? "not sent whole" : "refused", to);
    if (there && (!recipient->sent || recipient->code >= 400))
        world_break(judge->world, "promise 3: letter %u is delivered to %s, who was not accepted",
                    letter->index, to);
    if (!there && accepted(recipient) && letter->outcome == OUT_ACKED)
        world_break(judge->world, "promise 1: letter %u was answered 250, and %s does not have it",
                    letter->index, to);
    if (!there && accepted(recipient) && some)
        world_break(judge->world, "promise 3: letter %u is delivered, but not to %s",
                    letter->index, to);
    judge_copies(judge, letter, recipient);
}

static void count_letter(struct totals *totals, const struct letter *letter)
{
    totals->letters += letter->outcome != OUT_NEVER;
    totals->acked += letter->outcome == OUT_ACKED;
    totals->refused += letter->outcome == OUT_REFUSED;
    totals->unknown += letter->outcome == OUT_UNKNOWN;
}

void judge_rest(struct judge *judge)
{
    count_folder(judge, REPORTS_FOLDER, "new");
    count_folder(judge, REPORTS_FOLDER, "cur");
    for (size_t i = 0; i < mailboxes_n; i++)
        if (mailboxes[i].folder != NULL) {
            count_folder(judge, mailboxes[i].folder, "new");
            count_folder(judge, mailboxes[i].folder, "cur");
        }
    for (size_t i = 0; i < crowd_letters(judge->crowd); i++) {
        const struct letter *letter = crowd_letter(judge->crowd, i);
        bool some = false;
        for (size_t k = 0; k < letter->recipients_n; k++)
            some = some || letter->recipients[k].copies > 0;
        for (size_t k = 0; k < letter->recipients_n; k++)
            judge_recipient(judge, letter, &letter->recipients[k], some);
        count_letter(world_totals(judge->world), letter);
    }
}
