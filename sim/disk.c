/* SPDX-License-Identifier: ISC
 *
 * Names: folders, entries, and the changes of them that are not safe yet. */
#include "sim/disk_int.h"

#include "base/buffer.h"
#include "sim/room.h"

#include <assert.h>
#include <string.h>

/* Nodes of the roots: 1 + enum io_root. */
static uint32_t node_new(struct disk *disk, bool folder)
{
    uint32_t index = 1;

    while (index < disk->nodes_n && disk->nodes[index].used)
        index++;
    disk->nodes = room_for(disk->nodes, &disk->nodes_room, index + 1u, sizeof(*disk->nodes));
    if (index >= disk->nodes_n)
        disk->nodes_n = index + 1u;
    disk->nodes[index] = (struct node){ .used = true, .folder = folder };
    return index;
}

struct disk *disk_new(enum disk_order order)
{
    struct disk *disk = room_new(sizeof(*disk));

    *disk = (struct disk){ .order = order, .most = UINT64_MAX };
    for (unsigned root = 0; root < IO_ROOTS; root++) {
        uint32_t index = node_new(disk, true);
        disk->nodes[index].refs = 1;
    }
    return disk;
}

static void entries_free(struct node *node)
{
    for (size_t i = 0; i < node->entries_n; i++)
        room_free(node->entries[i].name);
    room_free(node->entries);
}

void disk_free(struct disk *disk)
{
    if (disk == NULL)
        return;
    for (size_t i = 1; i < disk->nodes_n; i++) {
        node_forget_pages(&disk->nodes[i]);
        entries_free(&disk->nodes[i]);
    }
    for (size_t i = 0; i < disk->changes_n; i++)
        room_free(disk->changes[i].name);
    room_free(disk->changes);
    room_free(disk->nodes);
    room_free(disk);
}

static void *copy_of(const void *from, size_t n)
{
    return n == 0 ? NULL : memcpy(room_new(n), from, n);
}

static void node_own(struct node *node)
{
    node->sheets = copy_of(node->sheets, node->sheets_room * sizeof(*node->sheets));
    for (size_t i = 0; i < node->sheets_n; i++) {
        page_keep(node->sheets[i].now);
        page_keep(node->sheets[i].safe);
    }
    node->entries = copy_of(node->entries, node->entries_room * sizeof(*node->entries));
    for (size_t i = 0; i < node->entries_n; i++)
        node->entries[i].name = room_copy(bytes_of(node->entries[i].name));
}

struct disk *disk_copy(const struct disk *disk)
{
    struct disk *copy = copy_of(disk, sizeof(*disk));

    copy->nodes = copy_of(disk->nodes, disk->nodes_room * sizeof(*disk->nodes));
    for (size_t i = 1; i < copy->nodes_n; i++)
        node_own(&copy->nodes[i]);
    copy->changes = copy_of(disk->changes, disk->changes_room * sizeof(*disk->changes));
    for (size_t i = 0; i < copy->changes_n; i++)
        copy->changes[i].name = room_copy(bytes_of(copy->changes[i].name));
    return copy;
}

static bool takes_space(const struct node *node)
{
    return !node->folder && (node->links > 0 || node->held > 0);
}

void node_unref(struct disk *disk, uint32_t index)
{
    struct node *node = &disk->nodes[index];

    if (index == 0)
        return;
    assert(node->refs > 0);
    if (--node->refs > 0)
        return;
    if (takes_space(node))
        disk->used -= node->size;
    node_forget_pages(node);
    for (size_t i = 0; i < node->entries_n; i++) {
        struct entry entry = node->entries[i];
        if (entry.now != 0)
            disk->nodes[entry.now].links--;
        node_unref(disk, entry.now);
        node_unref(disk, entry.safe);
        node = &disk->nodes[index];
    }
    entries_free(node);
    *node = (struct node){ .used = false };
}

/* Where a name is, or would stand. */
static size_t entry_place(const struct node *folder, struct bytes name)
{
    size_t from = 0, to = folder->entries_n;

    while (from < to) {
        size_t middle = from + (to - from) / 2;
        if (bytes_compare(bytes_of(folder->entries[middle].name), name) < 0)
            from = middle + 1;
        else
            to = middle;
    }
    return from;
}

struct entry *entry_of(const struct node *folder, struct bytes name)
{
    size_t at = entry_place(folder, name);

    if (at < folder->entries_n && bytes_equal(bytes_of(folder->entries[at].name), name))
        return &folder->entries[at];
    return NULL;
}

struct entry *entry_make(struct node *folder, struct bytes name)
{
    struct entry *entry = entry_of(folder, name);
    size_t at = entry_place(folder, name);

    if (entry != NULL)
        return entry;
    folder->entries = room_for(folder->entries, &folder->entries_room, folder->entries_n + 1,
                               sizeof(*folder->entries));
    entry = &folder->entries[at];
    memmove(entry + 1, entry, (folder->entries_n - at) * sizeof(*entry));
    folder->entries_n++;
    *entry = (struct entry){ .name = room_copy(name) };
    return entry;
}

/* The folder in which the last part of a path stands, 0 when there is none; *ret_last is that
   part. */
static uint32_t walk(const struct disk *disk, enum io_root root, struct bytes path,
                     struct bytes *ret_last)
{
    uint32_t folder = 1 + (uint32_t)root;
    size_t slash;

    while ((slash = bytes_find(path, '/')) < path.n) {
        struct entry *entry = entry_of(&disk->nodes[folder], bytes_first(path, slash));
        if (entry == NULL || entry->now == 0 || !disk->nodes[entry->now].folder)
            return 0;
        folder = entry->now;
        path = bytes_skip(path, slash + 1);
    }
    *ret_last = path;
    return folder;
}

/* What stands at a path, 0 when nothing does. "" is the root. */
static uint32_t find(const struct disk *disk, enum io_root root, struct bytes path)
{
    struct bytes last;
    uint32_t folder = walk(disk, root, path, &last);

    if (folder == 0 || last.n == 0)
        return path.n == 0 ? folder : 0;
    struct entry *entry = entry_of(&disk->nodes[folder], last);
    return entry == NULL ? 0 : entry->now;
}

/* The one place where a name changes: now at once, safe later. Returns the change's number. */
static uint64_t set_entry(struct disk *disk, uint32_t folder, struct bytes name, uint32_t to,
                          uint64_t tie)
{
    struct entry *entry = entry_make(&disk->nodes[folder], name);
    uint32_t old = entry->now;

    entry->now = to;
    if (to != 0) {
        struct node *node = &disk->nodes[to];
        if (!takes_space(node) && !node->folder)
            disk->used += node->size;
        node->links++;
        node->refs += 2;        /* the entry, and the change */
    }
    disk->changes = room_for(disk->changes, &disk->changes_room, disk->changes_n + 1,
                             sizeof(*disk->changes));
    disk->changes[disk->changes_n++] = (struct change){
        .folder = folder, .to = to, .name = room_copy(name), .order = ++disk->changes_made,
        .tie = tie,
    };
    disk->nodes[folder].refs++;
    if (old != 0) {
        struct node *node = &disk->nodes[old];
        node->links--;
        if (!takes_space(node) && !node->folder)
            disk->used -= node->size;
        node_unref(disk, old);
    }
    return disk->changes_made;
}

void change_forget(struct disk *disk, size_t index)
{
    struct change change = disk->changes[index];

    memmove(&disk->changes[index], &disk->changes[index + 1],
            (disk->changes_n - index - 1) * sizeof(change));
    disk->changes_n--;
    room_free(change.name);
    node_unref(disk, change.to);
    node_unref(disk, change.folder);
}

static void entry_drop(struct node *folder, struct entry *entry)
{
    room_free(entry->name);
    folder->entries_n--;
    memmove(entry, entry + 1,
            (size_t)(folder->entries + folder->entries_n - entry) * sizeof(*entry));
}

void change_settle(struct disk *disk, size_t index)
{
    struct change *change = &disk->changes[index];
    struct entry *entry = entry_make(&disk->nodes[change->folder], bytes_of(change->name));
    uint32_t old = entry->safe;

    entry->safe = change->to;
    if (change->to != 0)
        disk->nodes[change->to].refs++;
    if (entry->now == 0 && entry->safe == 0)
        entry_drop(&disk->nodes[change->folder], entry);
    change_forget(disk, index);
    node_unref(disk, old);
}

static bool name_is_free(const struct disk *disk, uint32_t folder, struct bytes name)
{
    const struct entry *entry = entry_of(&disk->nodes[folder], name);

    return entry == NULL || entry->now == 0;
}

static disk_file hold(struct disk *disk, uint32_t index)
{
    disk->nodes[index].refs++;
    disk->nodes[index].held++;
    return index;
}

enum fault disk_create(struct disk *disk, enum io_root root, struct bytes name,
                       disk_file *ret_file)
{
    struct bytes last;
    uint32_t folder = walk(disk, root, name, &last);

    if (folder == 0 || last.n == 0)
        return FAULT_GONE;
    if (!name_is_free(disk, folder, last))
        return FAULT_EXISTS;
    uint32_t file = node_new(disk, false);
    (void)set_entry(disk, folder, last, file, 0);
    *ret_file = hold(disk, file);
    return OK;
}

enum fault disk_open(struct disk *disk, enum io_root root, struct bytes name, disk_file *ret_file)
{
    uint32_t file = find(disk, root, name);

    if (file == 0 || disk->nodes[file].folder)
        return FAULT_GONE;
    *ret_file = hold(disk, file);
    return OK;
}

void disk_drop(struct disk *disk, disk_file file)
{
    struct node *node = &disk->nodes[file];

    assert(node->held > 0);
    node->held--;
    if (!takes_space(node))
        disk->used -= node->size;
    node_unref(disk, file);
}

uint64_t disk_size(const struct disk *disk, disk_file file)
{
    return disk->nodes[file].size;
}

enum fault disk_rename(struct disk *disk, enum io_root root, struct bytes name, struct bytes to,
                       bool replace)
{
    struct bytes last, to_last;
    uint32_t folder = walk(disk, root, name, &last), to_folder = walk(disk, root, to, &to_last);
    uint32_t file = find(disk, root, name);

    if (folder == 0 || to_folder == 0 || file == 0 || last.n == 0 || to_last.n == 0)
        return FAULT_GONE;
    if (!replace && !name_is_free(disk, to_folder, to_last))
        return FAULT_EXISTS;
    if (find(disk, root, to) == file)
        return OK;              /* as POSIX has it: two names of one file, nothing is done */
    uint64_t tie = set_entry(disk, to_folder, to_last, file, 0);
    (void)set_entry(disk, folder, last, 0, tie);
    return OK;
}

enum fault disk_unlink(struct disk *disk, enum io_root root, struct bytes name)
{
    struct bytes last;
    uint32_t folder = walk(disk, root, name, &last), file = find(disk, root, name);

    if (file == 0 || last.n == 0)
        return FAULT_GONE;
    if (disk->nodes[file].folder)
        return FAULT_DENIED;
    (void)set_entry(disk, folder, last, 0, 0);
    return OK;
}

enum fault disk_mkdir(struct disk *disk, enum io_root root, struct bytes name)
{
    struct bytes last;
    uint32_t folder = walk(disk, root, name, &last), old = find(disk, root, name);

    if (old != 0)
        return disk->nodes[old].folder ? OK : FAULT_EXISTS;
    if (folder == 0 || last.n == 0)
        return FAULT_GONE;
    uint32_t made = node_new(disk, true);
    (void)set_entry(disk, folder, last, made, 0);
    return OK;
}

/* A removal whose other name is not safe yet takes that along. */
static void settle_tied(struct disk *disk, uint64_t tie)
{
    for (size_t i = 0; tie != 0 && i < disk->changes_n; i++)
        if (disk->changes[i].order == tie) {
            change_settle(disk, i);
            return;
        }
}

enum fault disk_sync_folder(struct disk *disk, enum io_root root, struct bytes name)
{
    uint32_t folder = find(disk, root, name);
    size_t i = 0;

    if (folder == 0 || !disk->nodes[folder].folder)
        return FAULT_GONE;
    while (i < disk->changes_n) {
        bool mine = disk->changes[i].folder == folder;
        uint64_t tie = disk->changes[i].tie;
        if (!mine) {
            i++;
            continue;
        }
        change_settle(disk, i);
        settle_tied(disk, tie);
        i = tie != 0 ? 0 : i;
    }
    return OK;
}

enum fault disk_list(const struct disk *disk, enum io_root root, struct bytes name,
                     struct bytes *ret_names)
{
    uint32_t index = find(disk, root, name);
    const struct node *folder = &disk->nodes[index];
    size_t n = 0;

    if (index == 0 || !folder->folder)
        return FAULT_GONE;
    for (size_t i = 0; i < folder->entries_n; i++)
        n += folder->entries[i].now == 0 ? 0 : strlen(folder->entries[i].name) + 1;
    char *names = room_new(n), *at = names;
    for (size_t i = 0; i < folder->entries_n; i++) {
        size_t length = strlen(folder->entries[i].name);
        if (folder->entries[i].now == 0)
            continue;
        memcpy(at, folder->entries[i].name, length);
        at[length] = '\n';
        at += length + 1;
    }
    *ret_names = (struct bytes){ names, n };
    return OK;
}

unsigned disk_stat(const struct disk *disk, enum io_root root, struct bytes name)
{
    uint32_t index = find(disk, root, name);

    if (index == 0)
        return 0;
    return disk->nodes[index].folder ? 1 : 2;
}

uint64_t disk_space(const struct disk *disk)
{
    return disk->most > disk->used ? disk->most - disk->used : 0;
}

void disk_set_space(struct disk *disk, uint64_t free_octets)
{
    bool fits = free_octets < UINT64_MAX - disk->used;

    disk->most = fits ? disk->used + free_octets : UINT64_MAX;
}
