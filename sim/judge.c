/* SPDX-License-Identifier: ISC */
#include "sim/judge.h"

#include "role/wire.h"
#include "sim/copy.h"
#include "sim/judge_report.h"
#include "sim/room.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

enum {
    SECOND = 1000 * 1000,
    GROUPS_MOST = 8,                /* that wait for the disk at once */
    GATHER_MOST = 2 * SECOND,       /* state changes wait no longer for company */
    FILE_MOST = 8 << 20,
    JOBS_MOST = 4096,
    MAILBOXES_MOST = 64,
};

/* A delivery that the store asked for, as overheard. */
struct overheard {
    uint32_t job;
    uint32_t letter;
    char to[LIMIT_ADDRESS + 1];
    bool known;                     /* which letter it is */
};

struct judge {
    struct world *world;
    struct crowd *crowd;
    uint64_t seed;
    bool reports;                   /* promise 4 is to be kept */
    enum role_kind deliverer;
    bool refused[MAILBOXES_MOST];   /* a server said 5xx about that address */
    struct overheard *jobs;
    size_t jobs_n, jobs_room;
    uint64_t groups_begun, groups_safe;     /* of the log, in this life of the store */
    uint64_t log_asked, log_ended;  /* all operations on the writer's lane, in this life */
    uint64_t rest_us;               /* when the last one ended */
};

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

static struct letter *letter_in(struct judge *judge, struct bytes text)
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

/* The letter whose Message-ID it answers: of the text itself nothing may come back, when memory was
   short. */
static struct letter *letter_reported(struct judge *judge, struct bytes text)
{
    const struct bytes field = BYTES("\nIn-Reply-To: <");
    struct bytes rest = bytes_skip(text, bytes_search(text, field));
    struct bytes id = bytes_upto(bytes_skip(rest, field.n), '@');
    char token[80];
    int n = snprintf(token, sizeof(token), "[%.*s]", (int)(id.n < 64 ? id.n : 0), id.at);

    return letter_in(judge, rest.n == 0 ? text : (struct bytes){ token, (size_t)n });
}

static void check_report(struct judge *judge, struct bytes text)
{
    struct letter *letter = letter_reported(judge, text);
    const char *flaw = report_seen(text, letter);

    if (flaw != NULL)
        world_break(judge->world, "promise 4: letter %d: %s",
                    letter == NULL ? -1 : (int)letter->index, flaw);
}

/* A file that a reader can see: whose copy is it? NULL, and the world is broken, when nobody's. */
static struct letter_recipient *check_file(struct judge *judge, struct bytes path)
{
    struct bytes text = read_file(world_disk(judge->world), path);
    struct letter *letter = letter_in(judge, text);
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

/* ---- what is on record */

/* The end of a group of the log: a sync on the writer's lane that nothing follows. */
static bool is_group(enum role_kind who, const struct io *io)
{
    return who == ROLE_STORE && io->kind == IO_SYNC && io->lane == 0 && !io->linked;
}

/* One of the groups that were begun after the store had heard holds it: the first, or, where
   segments end, one of those that waited behind it. When the writer rests, the last one did. */
static bool is_recorded(const struct judge *judge, const struct letter_recipient *recipient)
{
    uint64_t after = judge->groups_safe - recipient->told_groups;
    uint64_t since = judge->rest_us > recipient->told_us ? judge->rest_us : recipient->told_us;
    bool rests = judge->log_asked == judge->log_ended
        && world_now_us(judge->world) - since > GATHER_MOST;

    return judge->groups_safe > recipient->told_groups && (after >= GROUPS_MOST || rests);
}

/* What is on record cannot be asked for again: no fault takes it from now on. */
static void mark_recorded(struct judge *judge)
{
    for (size_t i = 0; i < crowd_letters(judge->crowd); i++) {
        struct letter *letter = crowd_letter(judge->crowd, i);
        for (size_t k = 0; k < letter->recipients_n; k++) {
            struct letter_recipient *recipient = &letter->recipients[k];
            if (recipient->told_us != 0 && is_recorded(judge, recipient))
                recipient->begun_us = recipient->told_us = 0;
        }
    }
}

static void on_asked(void *ctx, enum role_kind who, const struct io *io)
{
    struct judge *judge = ctx;

    if (who != ROLE_STORE || io->lane != 0)
        return;
    if (judge->log_asked == judge->log_ended)
        mark_recorded(judge);
    judge->groups_begun += is_group(who, io);
    judge->log_asked++;
}

static void log_ended(struct judge *judge, const struct io *io, enum fault fault)
{
    judge->log_ended++;
    judge->rest_us = world_now_us(judge->world);
    if (is_group(ROLE_STORE, io) && fault == OK) {
        judge->groups_safe++;
        mark_recorded(judge);
    }
}

static void on_operation(void *ctx, enum role_kind who, const struct io *io, enum fault fault)
{
    struct judge *judge = ctx;
    bool names = io->kind == IO_LINK_NEW || io->kind == IO_RENAME;

    if (who == ROLE_LOCAL && names && fault == OK && bytes_search(io->to, BYTES("/new/")) <
    io->to.n)
        on_delivery(judge, io->to);
    if (who == ROLE_STORE && io->lane == 0)
        log_ended(judge, io, fault);
}

/* ---- what is overheard between store and local */

static struct overheard *job_of(struct judge *judge, uint32_t job)
{
    for (size_t i = judge->jobs_n; i-- > 0;)
        if (judge->jobs[i].job == job)
            return &judge->jobs[i];
    return NULL;
}

static void hear_begin(struct judge *judge, const struct wire_job_begin *begin)
{
    struct recipient to;

    if (judge->jobs_n == JOBS_MOST)
        judge->jobs_n = 0;
    judge->jobs = room_for(judge->jobs, &judge->jobs_room, judge->jobs_n + 1,
                           sizeof(*judge->jobs));
    struct overheard *job = &judge->jobs[judge->jobs_n++];
    *job = (struct overheard){ .job = begin->job };
    if (recipient_read(begin->to, &to) && to.address.n < sizeof(job->to))
        memcpy(job->to, to.address.at, to.address.n);
}

static void open_window(struct judge *judge, struct letter_recipient *recipient)
{
    if (recipient->begun_us == 0 || recipient->hit
        || (recipient->told_us != 0 && is_recorded(judge, recipient)))
        return;
    recipient->hit = true;
    recipient->windows++;
    world_totals(judge->world)->windows++;
}

static struct letter_recipient *recipient_at(struct judge *judge, const struct overheard *job)
{
    struct letter *letter = crowd_letter(judge->crowd, job->letter);

    for (size_t i = 0; i < letter->recipients_n; i++)
        if (strcmp(letter->recipients[i].mailbox->address, job->to) == 0)
            return &letter->recipients[i];
    return NULL;
}

/* The first part of the text says which letter it is. */
static void hear_part(struct judge *judge, const struct wire_job_part *part)
{
    struct overheard *job = job_of(judge, part->job);
    struct letter *letter = letter_in(judge, part->text);
    struct letter_recipient *recipient;

    if (job == NULL || letter == NULL || job->known)
        return;
    job->known = true;
    job->letter = letter->index;
    recipient = recipient_at(judge, job);
    if (recipient == NULL)
        return;
    recipient->begun_us = world_now_us(judge->world);
    recipient->told_us = 0;
    recipient->hit = false;
    if (world_role(judge->world, (struct role_name){ ROLE_STORE, 0 }) == NULL)
        open_window(judge, recipient);      /* the last words of a store that is dead by now */
}

static void hear_failure(struct judge *judge, struct letter_recipient *recipient)
{
    const struct mailbox *mailbox = recipient->mailbox;

    if (!mailbox->refuses && !judge->refused[mailbox - mailboxes])
        world_break(judge->world, "promise 4: %s failed for good, and nobody refused it",
                    mailbox->address);
    recipient->failed = true;
}

static void hear_result(struct judge *judge, const struct wire_job_result *result)
{
    struct overheard *job = job_of(judge, result->job);
    struct letter_recipient *recipient = NULL;

    if (job != NULL && job->known)
        recipient = recipient_at(judge, job);
    if (recipient != NULL && result->outcome == JOB_FAILED)
        hear_failure(judge, recipient);
    if (recipient != NULL && result->outcome == JOB_DELIVERED) {
        recipient->told_us = world_now_us(judge->world);
        recipient->told_groups = judge->groups_begun;
    }
}

static void on_frame(void *ctx, struct role_name from, struct role_name to, struct bytes frame)
{
    struct wire_job_begin begin;
    struct wire_job_part part;
    struct wire_job_result result;

    if (wire_read_job_begin(frame, &begin))
        hear_begin(ctx, &begin);
    else if (wire_read_job_part(frame, &part))
        hear_part(ctx, &part);
    else if (wire_read_job_result(frame, &result))
        hear_result(ctx, &result);
}

/* A store that begins anew has written no group. */
static void forget_groups(struct judge *judge)
{
    judge->groups_begun = judge->groups_safe = judge->log_asked = judge->log_ended = 0;
}

static void on_fault(void *ctx, enum role_kind who)
{
    struct judge *judge = ctx;

    if (who != ROLE_STORE && who != judge->deliverer)
        return;
    for (size_t i = 0; i < crowd_letters(judge->crowd); i++) {
        struct letter *letter = crowd_letter(judge->crowd, i);
        for (size_t k = 0; k < letter->recipients_n; k++)
            open_window(judge, &letter->recipients[k]);
    }
    if (who == ROLE_STORE && world_role(judge->world, (struct role_name){ who, 0 }) == NULL)
        forget_groups(judge);
}

static struct letter_recipient *recipient_in(struct judge *judge, struct bytes text,
                                             const char *to)
{
    struct letter *letter = letter_in(judge, text);

    for (size_t i = 0; letter != NULL && i < letter->recipients_n; i++)
        if (strcmp(letter->recipients[i].mailbox->address, to) == 0)
            return &letter->recipients[i];
    return NULL;
}

void judge_reply_lost(void *ctx, struct bytes text, const char *to)
{
    struct letter_recipient *recipient = recipient_in(ctx, text, to);

    if (recipient != NULL)
        open_window(ctx, recipient);
}

/* Within one attempt relay may begin anew, on another connection: each copy has its own window. */
void judge_kept(void *ctx, struct bytes text, const char *to)
{
    struct letter_recipient *recipient = recipient_in(ctx, text, to);

    if (recipient != NULL)
        recipient->hit = false;
}

void judge_refused(void *ctx, const char *to)
{
    struct judge *judge = ctx;

    for (size_t i = 0; i < mailboxes_n; i++)
        if (strcmp(mailboxes[i].address, to) == 0)
            judge->refused[i] = true;
}

struct judge *judge_new(struct world *world, struct crowd *crowd, uint64_t seed,
                        enum role_kind deliverer, bool reports)
{
    struct judge *judge = room_new(sizeof(*judge));

    assert(mailboxes_n <= MAILBOXES_MOST);
    *judge = (struct judge){ .world = world, .crowd = crowd, .seed = seed, .reports = reports,
                             .deliverer = deliverer };
    world_watch(world, (struct world_watch){
        .ctx = judge, .power = make_mailboxes, .frame = on_frame, .asked = on_asked,
        .operation = on_operation, .fault = on_fault });
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

    bool borne = judge->deliverer == ROLE_RELAY;

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

    const char *flaw = report_judge(letter, recipient);
    if (flaw != NULL && judge->reports)
        world_break(judge->world, "promise 4: letter %u to %s: %s", letter->index, to, flaw);
    world_totals(judge->world)->reports += recipient->report[0] != '\0';
    if (recipient->mailbox->refuses || (recipient->failed && !there))
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
