/* SPDX-License-Identifier: ISC */
#include "sim/lane.h"

#include "sim/room.h"

#include <assert.h>
#include <string.h>

struct operation {
    struct io io;               /* names and data are its own */
    char *name, *to;
    struct disk_sync *sync;     /* IO_SYNC that has begun */
    struct operation *next;
};

struct lane {
    struct operation *first, *last;
    struct operation *newest;   /* the last one put in this step, or NULL */
    bool busy;                  /* `first` has begun */
    size_t n;
};

struct lanes {
    struct disk *disk;
    struct lane lane[LIMIT_IO_LANES];
    disk_file files[LIMIT_IO_FILES];
    struct lane_report *reports;
    size_t reports_from, reports_n, reports_room;
    const char *misuse;
};

struct lanes *lanes_new(struct disk *disk)
{
    struct lanes *lanes = room_new(sizeof(*lanes));

    lanes->disk = disk;
    return lanes;
}

static void operation_free(struct lanes *lanes, struct operation *op)
{
    if (op->sync != NULL)
        disk_sync_abandon(lanes->disk, op->sync);
    mem_free(op->io.data);
    room_free(op->name);
    room_free(op->to);
    room_free(op);
}

void lanes_put(struct lanes *lanes, const struct io *io)
{
    struct lane *lane = &lanes->lane[io->lane];
    struct operation *op = room_new(sizeof(*op));

    op->io = *io;
    op->name = room_copy(io->name);
    op->to = room_copy(io->to);
    op->io.name.at = op->name;
    op->io.to.at = op->to;
    if (lane->last != NULL)
        lane->last->next = op;
    else
        lane->first = op;
    lane->last = lane->newest = op;
    lane->n++;
}

void lanes_step(struct lanes *lanes)
{
    for (unsigned i = 0; i < LIMIT_IO_LANES; i++) {
        if (lanes->lane[i].newest != NULL)
            lanes->lane[i].newest->io.linked = false;   /* nothing of this step comes after it */
        lanes->lane[i].newest = NULL;
    }
}

const struct io *lanes_next(const struct lanes *lanes, unsigned lane)
{
    const struct lane *it = &lanes->lane[lane];

    return it->busy || it->first == NULL ? NULL : &it->first->io;
}

const struct io *lanes_busy(const struct lanes *lanes, unsigned lane)
{
    return lanes->lane[lane].busy ? &lanes->lane[lane].first->io : NULL;
}

void lanes_begin(struct lanes *lanes, unsigned lane)
{
    struct lane *it = &lanes->lane[lane];
    struct operation *op = it->first;

    assert(!it->busy && op != NULL);
    it->busy = true;
    if (op->io.kind == IO_SYNC && lanes->files[op->io.file] != 0)
        op->sync = disk_sync_begin(lanes->disk, lanes->files[op->io.file]);
}

static enum fault open_slot(struct lanes *lanes, const struct io *io, uint64_t *ret_number)
{
    disk_file *slot = &lanes->files[io->file];
    enum fault fault;

    if (*slot != 0) {
        lanes->misuse = "a file is opened in a slot that is taken";
        return FAULT_TOO_MANY;
    }
    if (io->kind == IO_CREATE)
        fault = disk_create(lanes->disk, io->root, io->name, slot);
    else
        fault = disk_open(lanes->disk, io->root, io->name, slot);
    if (fault == OK)
        *ret_number = disk_size(lanes->disk, *slot);
    return fault;
}

static void close_slot(struct lanes *lanes, uint32_t slot)
{
    disk_drop(lanes->disk, lanes->files[slot]);
    lanes->files[slot] = 0;
}

static void read_slot(struct lanes *lanes, const struct io *io, struct lane_report *report)
{
    uint64_t size = disk_size(lanes->disk, lanes->files[io->file]);
    uint64_t most = io->offset < size ? size - io->offset : 0;
    size_t n = (size_t)(io->count < most ? io->count : most);
    char *at = room_new(n);

    report->bytes = (struct bytes){
        at, disk_read(lanes->disk, lanes->files[io->file], io->offset, n, at)
    };
    report->number = report->bytes.n;
}

/* Operations on an open slot. */
static enum fault with_slot(struct lanes *lanes, struct operation *op, struct lane_report *report)
{
    const struct io *io = &op->io;
    disk_file file = lanes->files[io->file];

    if (file == 0)
        return FAULT_GONE;          /* something before it failed; host says the same */
    if (io->kind == IO_WRITE)
        return disk_write(lanes->disk, file, io->offset, (struct bytes){ io->data, io->data_n });
    if (io->kind == IO_EXTEND)
        return disk_extend(lanes->disk, file, io->count);
    if (io->kind == IO_READ)
        read_slot(lanes, io, report);
    else if (io->kind == IO_TRUNCATE)
        disk_truncate(lanes->disk, file, io->count);
    else if (io->kind == IO_CLOSE)
        close_slot(lanes, io->file);
    else if (io->kind == IO_SYNC)
        disk_sync_end(lanes->disk, op->sync != NULL ? op->sync : disk_sync_begin(lanes->disk,
        file));
    op->sync = NULL;
    return OK;
}

static enum fault perform(struct lanes *lanes, struct operation *op, struct lane_report *report)
{
    const struct io *io = &op->io;
    struct disk *disk = lanes->disk;

    switch (io->kind) {
    case IO_CREATE:
    case IO_OPEN:
        return open_slot(lanes, io, &report->number);
    case IO_WRITE:
    case IO_READ:
    case IO_EXTEND:
    case IO_TRUNCATE:
    case IO_SYNC:
    case IO_CLOSE:
        return with_slot(lanes, op, report);
    case IO_RENAME:
        return disk_rename(disk, io->root, io->name, io->to, true);
    case IO_LINK_NEW:
        return disk_rename(disk, io->root, io->name, io->to, false);
    case IO_UNLINK:
        return disk_unlink(disk, io->root, io->name);
    case IO_MKDIR:
        return disk_mkdir(disk, io->root, io->name);
    case IO_SYNC_DIR:
        return disk_sync_folder(disk, io->root, io->name);
    case IO_LIST:
        return disk_list(disk, io->root, io->name, &report->bytes);
    case IO_STAT:
        report->number = disk_stat(disk, io->root, io->name);
        return report->number == 0 ? FAULT_GONE : OK;
    case IO_SPACE:
        report->number = disk_space(disk);
        return OK;
    }
    return FAULT_IO;
}

/* Some first part of a write is there, as when it was interrupted. */
static void write_part(struct lanes *lanes, const struct io *io, struct chooser chooser)
{
    size_t n = (size_t)choose(chooser, io->data_n + 1);
    disk_file file = lanes->files[io->file];

    if (file != 0 && disk_write(lanes->disk, file, io->offset, (struct bytes){ io->data, n }) != OK)
        return;
}

static enum fault fail(struct lanes *lanes, struct operation *op, enum lane_luck luck,
                       struct chooser chooser)
{
    if (op->sync != NULL)
        disk_sync_fail(lanes->disk, op->sync, chooser);
    op->sync = NULL;
    if (op->io.kind == IO_WRITE)
        write_part(lanes, &op->io, chooser);
    if (op->io.kind == IO_CLOSE && lanes->files[op->io.file] != 0)
        close_slot(lanes, op->io.file);         /* close frees the slot whatever it says */
    return luck == LUCK_NO_SPACE ? FAULT_NO_SPACE : FAULT_IO;
}

static void add_report(struct lanes *lanes, struct lane_report report)
{
    lanes->reports = room_for(lanes->reports, &lanes->reports_room, lanes->reports_n + 1,
                              sizeof(report));
    lanes->reports[lanes->reports_n++] = report;
}

static void pop(struct lanes *lanes, struct lane *lane)
{
    struct operation *op = lane->first;

    lane->first = op->next;
    lane->n--;
    if (lane->first == NULL)
        lane->last = NULL;
    if (lane->newest == op)
        lane->newest = NULL;
    operation_free(lanes, op);
}

static void skip_chain(struct lanes *lanes, struct lane *lane)
{
    bool linked = true;

    while (linked && lane->first != NULL) {
        const struct io *io = &lane->first->io;
        linked = io->linked;
        if (!io->quiet)
            add_report(lanes, (struct lane_report){
                .token = io->token, .fault = FAULT_SKIPPED, .kind = io->kind });
        pop(lanes, lane);
    }
}

enum fault lanes_end(struct lanes *lanes, unsigned lane, enum lane_luck luck, struct chooser
chooser) {
    struct lane *it = &lanes->lane[lane];
    struct operation *op = it->first;
    struct lane_report report = { .token = op->io.token, .kind = op->io.kind };
    bool linked = op->io.linked;

    assert(it->busy);
    report.fault = luck == LUCK_GOOD ? perform(lanes, op, &report)
                                     : fail(lanes, op, luck, chooser);
    if (report.fault != OK || !op->io.quiet)
        add_report(lanes, report);
    else
        room_free((void *)(uintptr_t)report.bytes.at);
    it->busy = false;
    pop(lanes, it);
    if (report.fault != OK && linked)
        skip_chain(lanes, it);
    return report.fault;
}

bool lanes_report(struct lanes *lanes, struct lane_report *ret_report)
{
    if (lanes->reports_from == lanes->reports_n) {
        lanes->reports_from = lanes->reports_n = 0;
        return false;
    }
    *ret_report = lanes->reports[lanes->reports_from++];
    return true;
}

/* The process is killed while this was under way: all of it, a part, or nothing. */
static void leave(struct lanes *lanes, struct operation *op, struct chooser chooser)
{
    struct lane_report report = { .fault = OK };

    if (choose(chooser, 2) == 1)
        (void)perform(lanes, op, &report);
    else if (op->io.kind == IO_WRITE)
        write_part(lanes, &op->io, chooser);
    room_free((void *)(uintptr_t)report.bytes.at);
}

void lanes_free(struct lanes *lanes, const struct chooser *chooser)
{
    struct lane_report report;

    if (lanes == NULL)
        return;
    for (unsigned i = 0; i < LIMIT_IO_LANES; i++) {
        struct lane *lane = &lanes->lane[i];
        if (lane->busy && chooser != NULL)
            leave(lanes, lane->first, *chooser);
        while (lane->first != NULL)
            pop(lanes, lane);
    }
    for (uint32_t i = 0; i < LIMIT_IO_FILES; i++)
        if (lanes->files[i] != 0)
            close_slot(lanes, i);
    while (lanes_report(lanes, &report))
        room_free((void *)(uintptr_t)report.bytes.at);
    room_free(lanes->reports);
    room_free(lanes);
}

size_t lanes_count(const struct lanes *lanes)
{
    size_t n = 0;

    for (unsigned i = 0; i < LIMIT_IO_LANES; i++)
        n += lanes->lane[i].n;
    return n;
}

disk_file lanes_file(const struct lanes *lanes, uint32_t slot)
{
    return lanes->files[slot];
}

const char *lanes_misuse(const struct lanes *lanes)
{
    return lanes->misuse;
}
