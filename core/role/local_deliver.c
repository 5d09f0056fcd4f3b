/* SPDX-License-Identifier: ISC
 *
 * role/local_deliver.c: one recipient's copy on its way into a Maildir.
 *
 * Promise: when "delivered" is told, the file lies in new/ (or was moved on by a reader), its
 * octets and its name are on stable storage, and it stands there once.
 *
 *   create tmp/NAME; write; fdatasync; close; link to new/NAME; fsync of new/; tell
 *
 * and before the link, once for each mailbox in the life of a process, fsync of the mailbox itself
 * and of the folders it stands in: whoever made it may not have waited for the disk.
 * tmp/ needs no fsync: its entry only has to be gone, and if a crash brings it back it is a
 * leftover that readers clear away, never a letter. NAME is the same at each attempt, so
 *   - a crash between link and tell is seen by the next attempt: a recovered job, and any second
 *     attempt, looks in new/ and cur/;
 *   - two attempts cannot both stand in new/;
 *   - what an attempt left in tmp/ is found, and removed, by the next.
 * After a failed fdatasync or fsync nothing of that attempt is trusted: the next one writes it
 * all anew and renames it over what may stand in new/.
 */
#include "role/local_int.h"

#include "base/id.h"
#include "base/mark.h"
#include "base/plant.h"

#include <assert.h>
#include <string.h>

/* ---- names */

static void put_host(struct buffer *to, struct bytes host)
{
    enum { HOST_MOST = 100 };

    host = bytes_first(host, HOST_MOST);
    for (size_t i = 0; i < host.n; i++)
        buffer_put_char(to, is_alnum(host.at[i]) || host.at[i] == '-' || host.at[i] == '.'
                        ? host.at[i] : '_');
}

void job_name(struct job *job, const struct envelope *envelope)
{
    struct buffer name = buffer_with_most(LOCAL_NAME_MOST);
    char id[ID_TEXT];

    id_write(job->letter, id);
    buffer_put_uint(&name, envelope->received_ms / 1000);
    buffer_put_char(&name, '.');
    buffer_put(&name, (struct bytes){ id, ID_TEXT });
    buffer_put_char(&name, '.');
    buffer_put_uint(&name, job->recipient);
    if (PLANTED(delivery_repeated)) {
        buffer_put_char(&name, '-');
        buffer_put_uint(&name, job->serial);
    }
    buffer_put_char(&name, '.');
    put_host(&name, envelope->host);
    if (name.bad)
        job->name[0] = '\0';
    else {
        memcpy(job->name, name.at, name.n);
        job->name[name.n] = '\0';
    }
    buffer_done(&name);
}

/* FOLDER, FOLDER/sub, or FOLDER/sub/NAME; alive until the next step. */
static struct bytes path(struct effects *fx, const struct job *job, const char *sub,
                         const char *name)
{
    struct buffer *draft = fx_draft(fx);

    buffer_put_text(draft, job->folder);
    if (sub != NULL) {
        buffer_put_char(draft, '/');
        buffer_put_text(draft, sub);
    }
    if (name != NULL) {
        buffer_put_char(draft, '/');
        buffer_put_text(draft, name);
    }
    if (draft->bad)
        fx->bad = true;
    return fx_keep(fx, buffer_bytes(draft));
}

/* ---- chains */

enum link { LINKED, LAST };

static void add(struct job *job, struct effects *fx, enum op op, enum link link, struct io io)
{
    io.root = IN_MAIL;
    io.lane = job->lane;
    io.file = job->lane;
    io.token = job_token(job, op);
    io.linked = io.quiet = link == LINKED;
    fx_io(fx, io);
    if (link == LAST) {
        job->busy = true;
        job->last = op;
        job->failed = OP_NONE;
        job->fault = OK;
    }
}

static void add_sync_dir(struct job *job, struct effects *fx, enum op op, const char *sub,
                         enum link link)
{
    add(job, fx, op, link, (struct io){ .kind = IO_SYNC_DIR, .name = path(fx, job, sub, NULL) });
}

static void add_sync_root(struct job *job, struct effects *fx)
{
    add(job, fx, OP_SYNC_ABOVE, LINKED, (struct io){ .kind = IO_SYNC_DIR });
}

/* DOMAIN, which has the mailbox's name, and the root, which has the domain's. */
static void add_sync_above(struct job *job, struct effects *fx)
{
    struct bytes folder = bytes_of(job->folder), domain = bytes_upto(folder, '/');

    if (PLANTED(mailbox_unsure))
        return;
    if (domain.n < folder.n)
        add(job, fx, OP_SYNC_ABOVE, LINKED,
            (struct io){ .kind = IO_SYNC_DIR, .name = fx_keep(fx, domain) });
    if (!job->sure_above)
        add_sync_root(job, fx);
}

/* Somebody made new/ once, and what it stands in. Until this process knows that each of these names
   is durable, a power cut could take it away with all that was delivered into it. */
static void add_sync_box(struct job *job, struct effects *fx)
{
    if (job->sure)
        return;
    add_sync_dir(job, fx, OP_SYNC_BOX, NULL, LINKED);
    add_sync_above(job, fx);
}

static void add_unlink(struct job *job, struct effects *fx, enum link link)
{
    add(job, fx, OP_UNLINK, link,
        (struct io){ .kind = IO_UNLINK, .name = path(fx, job, "tmp", job->name) });
}

static void add_mkdir(struct job *job, struct effects *fx, const char *sub)
{
    add(job, fx, OP_MKDIR, LINKED,
        (struct io){ .kind = IO_MKDIR, .name = path(fx, job, sub, NULL) });
}

static void look_in_new(struct job *job, struct effects *fx)
{
    job->stage = STAGE_LOOKS_IN_NEW;
    add(job, fx, OP_STAT_NEW, LAST,
        (struct io){ .kind = IO_STAT, .name = path(fx, job, "new", job->name) });
}

static void look_in_cur(struct job *job, struct effects *fx)
{
    job->stage = STAGE_LOOKS_IN_CUR;
    add(job, fx, OP_LIST_CUR, LAST,
        (struct io){ .kind = IO_LIST, .name = path(fx, job, "cur", NULL) });
}

/* The earlier attempt may have died between link and fsync; a reader's move needs no less. Where it
   was found in new/, cur/ may not even exist. */
static void found(struct job *job, bool in_cur, struct effects *fx)
{
    job->stage = STAGE_FOUND;
    add_sync_box(job, fx);
    if (in_cur)
        add_sync_dir(job, fx, OP_SYNC_CUR, "cur", LINKED);
    if (in_cur)
        MARK("a recovered delivery is found in cur");
    else
        MARK("a recovered delivery is found in new");
    add_sync_dir(job, fx, OP_SYNC_NEW, "new", LAST);
}

static void open_file(struct job *job, struct effects *fx)
{
    job->stage = STAGE_OPENS;
    job->made = true;
    if (job->reopened)
        add_unlink(job, fx, LINKED);
    add(job, fx, OP_CREATE, LAST,
        (struct io){ .kind = IO_CREATE, .name = path(fx, job, "tmp", job->name) });
}

static void repair(struct job *job, struct effects *fx)
{
    job->repaired = true;
    MARK("tmp, new and cur are made");
    job->stage = STAGE_REPAIRS;
    if (job->own)
        add_mkdir(job, fx, NULL);
    add_sync_above(job, fx);
    add_mkdir(job, fx, "tmp");
    add_mkdir(job, fx, "new");
    add_mkdir(job, fx, "cur");
    add_sync_dir(job, fx, OP_SYNC_BOX, NULL, LAST);
}

static void write_some(struct job *job, struct effects *fx, enum link link)
{
    struct io io = { .kind = IO_WRITE, .offset = job->offset, .data = job->text.at,
                     .data_n = job->text.n };

    job->offset += job->text.n;
    job->writing += job->taken;
    job->taken = 0;
    job->text = buffer_with_most(job->text.most);
    add(job, fx, OP_WRITE, link, io);
}

static void link_file(struct job *job, struct effects *fx)
{
    add_sync_box(job, fx);
    add(job, fx, OP_LINK, LINKED,
        (struct io){ .kind = IO_LINK_NEW, .name = path(fx, job, "tmp", job->name),
                     .to = path(fx, job, "new", job->name) });
    add_sync_dir(job, fx, OP_SYNC_NEW, "new", LAST);
}

static void end_file(struct job *job, struct effects *fx)
{
    job->stage = STAGE_ENDS;
    if (job->text.n > 0)
        write_some(job, fx, LINKED);
    add(job, fx, OP_SYNC, LINKED, (struct io){ .kind = IO_SYNC });
    add(job, fx, OP_CLOSE, LINKED, (struct io){ .kind = IO_CLOSE });
    link_file(job, fx);
}

/* Not LINK: what stands there is an earlier attempt of this same letter, perhaps not durable. */
static void replace_file(struct job *job, struct effects *fx)
{
    job->stage = STAGE_REPLACES;
    MARK("an uncertain copy is replaced");
    add(job, fx, OP_RENAME, LINKED,
        (struct io){ .kind = IO_RENAME, .name = path(fx, job, "tmp", job->name),
                     .to = path(fx, job, "new", job->name) });
    add_sync_dir(job, fx, OP_SYNC_NEW, "new", LAST);
}

/* ---- outcomes */

static void succeed(struct job *job, const char *words)
{
    job->outcome = JOB_DELIVERED;
    job->sure = job->sure_above = true;
    job->code = STATUS(2, 0, 0);
    job->words = words;
}

/* Why a delivery waits: never lost, whatever the machine's state. Words end the sentence
   "FOLDER: ...". */
static void give_reason(struct job *job, enum fault fault)
{
    static const struct { struct status_code code; const char *words; } rows[] = {
        [FAULT_NO_SPACE] = { { 4, 3, 1 }, "the disk of the mailbox is full; free some space, the "
                             "letter is tried again" },
        [FAULT_QUOTA] = { { 4, 2, 2 }, "the mailbox is full, for its user's quota is used up; once "
                          "some is free or the quota is raised, the letter is delivered" },
        [FAULT_IO] = { { 4, 3, 0 }, "the disk reported an error; look at the system's log, the "
                       "letter is tried again" },
        [FAULT_GONE] = { { 4, 2, 1 }, "the mailbox folder is not there any more; make it again and "
                         "the letter is delivered" },
        [FAULT_EXISTS] = { { 4, 3, 0 }, "something in the mailbox stands in the way; look for a "
                           "file or folder of the letter's id and remove it" },
        [FAULT_DENIED] = { { 4, 3, 0 }, "the mailbox may not be written; give its folder and tmp, "
                           "new, cur, none of them a link, to the user that delivers there" },
        [FAULT_TOO_MANY] = { { 4, 3, 2 }, "too many files are open; raise the limit of them" },
        [FAULT_NO_MEMORY] = { { 4, 3, 2 }, "memory is short; the letter is tried again" },
        [FAULT_SKIPPED] = { { 4, 3, 0 }, "the delivery was broken off; the letter is tried again" },
    };

    if (job->outcome != 0)
        return;
    if (fault == OK || fault >= COUNT(rows))
        fault = FAULT_SKIPPED;
    job->outcome = JOB_LATER;
    job->code = rows[fault].code;
    job->words = rows[fault].words;
    if (fault == FAULT_DENIED && job->failed == OP_SYNC_ABOVE)
        job->words = "the folders above the mailbox may not be read; give the user that delivers "
                     "there that right";
}

void job_fail(struct job *job, enum fault fault, struct effects *fx)
{
    assert(!job->busy);
    give_reason(job, fault);
    job->stage = STAGE_CLEARS;
    if (job->open)
        add(job, fx, OP_CLOSE, job->made ? LINKED : LAST, (struct io){ .kind = IO_CLOSE });
    if (job->made)
        add_unlink(job, fx, LAST);
    job->open = job->made = false;
}

/* ---- what follows the end of a chain; job->fault and job->failed say how it ended */

static void after_look_in_new(struct job *job, const struct event *event, struct effects *fx)
{
    enum { IS_FILE = 2 };

    if (job->fault == OK && event->number == IS_FILE)
        found(job, false, fx);
    else if (job->fault == OK || job->fault == FAULT_GONE)
        look_in_cur(job, fx);
    else
        job_fail(job, job->fault, fx);
}

/* NAME, or NAME:2,FLAGS as readers rename it. */
static bool lists_name(struct bytes list, struct bytes name)
{
    struct bytes line;

    while (bytes_cut(&list, '\n', &line))
        if (bytes_begins(line, name) && (line.n == name.n || line.at[name.n] == ':'))
            return true;
    return false;
}

static void after_look_in_cur(struct job *job, const struct event *event, struct effects *fx)
{
    if (job->fault == OK && lists_name(event->bytes, bytes_of(job->name)))
        found(job, true, fx);
    else if (job->fault == OK || job->fault == FAULT_GONE)
        open_file(job, fx);
    else
        job_fail(job, job->fault, fx);
}

static void after_found(struct job *job, const struct event *event, struct effects *fx)
{
    if (job->fault == OK)
        succeed(job, "was already there: an earlier attempt had delivered it");
    else
        job_fail(job, job->fault, fx);
}

static void after_open(struct job *job, const struct event *event, struct effects *fx)
{
    if (job->fault == OK) {
        job->open = true;
        job->stage = STAGE_WRITES;
        job_pump(job, fx);
    } else if (job->failed == OP_CREATE && job->fault == FAULT_EXISTS && !job->reopened) {
        job->reopened = true;
        open_file(job, fx);
    } else if (job->failed == OP_CREATE && job->fault == FAULT_GONE && !job->repaired) {
        repair(job, fx);
    } else {
        bool raced = job->failed == OP_UNLINK && job->fault == FAULT_GONE;
        job->made = false;
        job_fail(job, raced ? FAULT_SKIPPED : job->fault, fx);
    }
}

static void after_repair(struct job *job, const struct event *event, struct effects *fx)
{
    if (job->fault != OK) {
        job_fail(job, job->fault, fx);
        return;
    }
    job->sure = job->sure_above = true;
    if (job->offset == 0) {
        open_file(job, fx);
    } else {
        job->stage = STAGE_ENDS;
        link_file(job, fx);
    }
}

static void after_write(struct job *job, const struct event *event, struct effects *fx)
{
    if (job->fault == OK)
        job_pump(job, fx);
    else
        job_fail(job, job->fault, fx);
}

static void after_end(struct job *job, const struct event *event, struct effects *fx)
{
    if (job->failed != OP_WRITE && job->failed != OP_SYNC)
        job->open = false;
    if (job->fault == OK)
        succeed(job, "delivered");
    else if (job->failed == OP_LINK && job->fault == FAULT_EXISTS)
        replace_file(job, fx);
    else if (job->failed == OP_LINK && job->fault == FAULT_GONE && !job->repaired)
        repair(job, fx);
    else
        job_fail(job, job->fault, fx);
}

static void after_replace(struct job *job, const struct event *event, struct effects *fx)
{
    if (job->fault == OK)
        succeed(job, "delivered again in place of an earlier attempt that was not certain");
    else
        job_fail(job, job->fault, fx);
}

/* Whether the leftover went or not, the outcome stands; the next attempt removes it. */
static void after_clear(struct job *job, const struct event *event, struct effects *fx)
{
}

/* ---- in and out */

void job_start(struct job *job, struct effects *fx)
{
    if (job->orphan)
        job_fail(job, FAULT_SKIPPED, fx);
    else if ((job->recovered || job->attempt > 1) && !PLANTED(delivery_repeated))
        look_in_new(job, fx);
    else
        open_file(job, fx);
}

void job_pump(struct job *job, struct effects *fx)
{
    if (job->stage != STAGE_WRITES || job->busy)
        return;
    if (job->orphan)
        job_fail(job, FAULT_SKIPPED, fx);
    else if (job->cover != NULL)
        return;                 /* not known yet what stands first in the file */
    else if (job->text.bad)
        job_fail(job, FAULT_NO_MEMORY, fx);
    else if (job->ended)
        end_file(job, fx);
    else if (job->text.n > 0)
        write_some(job, fx, LAST);
}

void job_on_io(struct job *job, const struct event *event, struct effects *fx, size_t *credit)
{
    static void (*const after[])(struct job *, const struct event *, struct effects *) = {
        [STAGE_LOOKS_IN_NEW] = after_look_in_new,
        [STAGE_LOOKS_IN_CUR] = after_look_in_cur,
        [STAGE_FOUND] = after_found,
        [STAGE_OPENS] = after_open,
        [STAGE_REPAIRS] = after_repair,
        [STAGE_WRITES] = after_write,
        [STAGE_ENDS] = after_end,
        [STAGE_REPLACES] = after_replace,
        [STAGE_CLEARS] = after_clear,
    };
    _Static_assert(COUNT(after) == STAGES, "a stage without a row");
    enum op op = (enum op)(event->token & 0xFF);

    if (!job->busy)
        return;
    if (event->fault != OK && job->failed == OP_NONE) {
        job->failed = op;
        job->fault = event->fault;
    }
    if (op != job->last)
        return;
    job->busy = false;
    if (job->fault == OK)
        *credit += job->writing;
    job->writing = 0;
    after[job->stage](job, event, fx);
}
