/* SPDX-License-Identifier: ISC
 *
 * sim/disk_int.h: how a disk lies in memory; for disk*.c only.
 */
#ifndef POSTERN_SIM_DISK_INT_H
#define POSTERN_SIM_DISK_INT_H

#include "sim/disk.h"

/* Shared between states and between copies of a disk; written only when refs is 1. NULL stands
   for zeroes. */
struct page {
    uint32_t refs;
    char at[DISK_PAGE];
};

struct sheet {
    struct page *now, *safe;
    uint8_t dirty;              /* a bit a sector: will be written by the next sync */
};

/* A name in a folder, in both states; 0 means that it is not there. */
struct entry {
    char *name;                 /* NUL-ended, its own */
    uint32_t now, safe;
};

/* A file or folder. Alive while `refs` > 0: entries of both states, changes, holders. */
struct node {
    bool used, folder;
    bool split;                 /* a sync failed: a clean sector may differ from the safe one */
    uint32_t refs, links, held; /* links: names now; without links and holders it takes no space */
    uint64_t size, safe_size;
    struct sheet *sheets;
    size_t sheets_n, sheets_room;
    size_t dirty_from, dirty_to;    /* sheets that may be dirty */
    struct entry *entries;          /* of a folder, sorted by name */
    size_t entries_n, entries_room;
};

/* A change of one name that is not safe yet. */
struct change {
    uint32_t folder, to;        /* the entry's new value */
    char *name;
    uint64_t order;             /* of all changes */
    /* a removal that may not be safe before the change of that order is; or 0 */
    uint64_t tie;
};

struct disk {
    enum disk_order order;
    struct node *nodes;
    size_t nodes_n, nodes_room;
    struct change *changes;     /* oldest first */
    size_t changes_n, changes_room;
    uint64_t changes_made;
    uint64_t used, most;        /* octets */
};

struct disk_sync {
    disk_file file;
    uint64_t size;
    size_t from, to;
    uint8_t dirty[];            /* of sheets from .. to - 1, as they were */
};

/* disk_page.c: the octets of one file. */
struct page *page_keep(struct page *page);
void page_drop(struct page *page);
void node_forget_pages(struct node *node);
/* Make the sectors in `mask` of one sheet safe. */
void sheet_settle(const struct node *node, struct sheet *sheet, uint8_t mask);
/* Make the sheets equal to the safe ones, and the size. */
void node_revert(struct node *node);
/* A page that may be written, in *at. */
struct page *page_mine(struct page **at);

/* disk.c */
void node_unref(struct disk *disk, uint32_t index);
struct entry *entry_of(const struct node *folder, struct bytes name);
struct entry *entry_make(struct node *folder, struct bytes name);
/* Let the safe value of that change's entry be what it says, and remove it from the list. */
void change_settle(struct disk *disk, size_t index);
void change_forget(struct disk *disk, size_t index);

#endif
