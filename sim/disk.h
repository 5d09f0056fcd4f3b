/* SPDX-License-Identifier: ISC
 *
 * sim/disk.h: files and folders in memory, with a page cache that a power cut loses.
 *
 * Stands on base. Everything here happens at once and in full; what takes time, comes in lanes or
 * never ends is sim/lane.h's. There are two states of everything:
 *
 *   now    what programs see; a write, a new name, a removal is here at once
 *   safe   what is on the medium; a power cut makes this the new `now`
 *
 * Promise of the disk: after disk_sync_end of a file, what was in it when disk_sync_begin was
 * called is safe (its data and size, not its name); after disk_sync_folder the names of that
 * folder are. Anything else may be safe or not, in 512-octet sectors, at the disk's pleasure:
 * that pleasure is the `chooser`.
 *
 * An order for names: real file systems differ, so there are three.
 */
#ifndef POSTERN_SIM_DISK_H
#define POSTERN_SIM_DISK_H

#include "base/effects.h"
#include "sim/dice.h"

enum { DISK_SECTOR = 512, DISK_PAGE = 4096, DISK_PAGE_SECTORS = DISK_PAGE / DISK_SECTOR };

enum disk_order {
    /* ext4: changes of names become safe in the order they were made, everywhere */
    DISK_JOURNAL,
    DISK_PER_FOLDER,    /* in order within each folder */
    DISK_FREE,          /* in any order; only a rename never loses both of its names */
    DISK_ORDERS
};

struct disk;

/* An empty disk: the folders of enum io_root, safe. Never full until disk_set_space. */
struct disk *disk_new(enum disk_order order);
void disk_free(struct disk *disk);
/* The same again; shares pages until one of them is written. */
struct disk *disk_copy(const struct disk *disk);

/* A file, open or not, is named by a small number that stays its own until nothing refers to it.
   0: none. */
typedef uint32_t disk_file;

/* As the operations of base/effects.h. A file from create or open is held until disk_drop. */
MUST_USE enum fault disk_create(struct disk *disk, enum io_root root, struct bytes name,
                                disk_file *ret_file);
MUST_USE enum fault disk_open(struct disk *disk, enum io_root root, struct bytes name,
                              disk_file *ret_file);
void disk_drop(struct disk *disk, disk_file file);
uint64_t disk_size(const struct disk *disk, disk_file file);
MUST_USE enum fault disk_write(struct disk *disk, disk_file file, uint64_t offset, struct bytes
data); /* Up to n octets to ret; returns how many there were. */
size_t disk_read(const struct disk *disk, disk_file file, uint64_t offset, size_t n, char *ret);
MUST_USE enum fault disk_extend(struct disk *disk, disk_file file, uint64_t size);
void disk_truncate(struct disk *disk, disk_file file, uint64_t size);
MUST_USE enum fault disk_rename(struct disk *disk, enum io_root root, struct bytes name,
                                struct bytes to, bool replace);
MUST_USE enum fault disk_unlink(struct disk *disk, enum io_root root, struct bytes name);
MUST_USE enum fault disk_mkdir(struct disk *disk, enum io_root root, struct bytes name);
MUST_USE enum fault disk_sync_folder(struct disk *disk, enum io_root root, struct bytes name);
/* Names, each ended by '\n', sorted; `ret` is from room_new and the caller's. */
MUST_USE enum fault disk_list(const struct disk *disk, enum io_root root, struct bytes name,
                              struct bytes *ret_names);
/* 0 nothing there, 1 a folder, 2 a file. */
unsigned disk_stat(const struct disk *disk, enum io_root root, struct bytes name);

/* A sync covers what was written before it began, and may cover more. One at a time for each file
   in flight is remembered as `sync`; end or abandon it. */
struct disk_sync;
struct disk_sync *disk_sync_begin(struct disk *disk, disk_file file);
void disk_sync_end(struct disk *disk, struct disk_sync *sync);
/* It failed, as Linux fails: some of it is safe, none of it is dirty any more, so that no later
   sync will write it; programs go on seeing it until the next start, or not even that. */
void disk_sync_fail(struct disk *disk, struct disk_sync *sync, struct chooser chooser);
/* Its process died. */
void disk_sync_abandon(struct disk *disk, struct disk_sync *sync);

/* Room: free octets left, by the sum of sizes. */
uint64_t disk_space(const struct disk *disk);
void disk_set_space(struct disk *disk, uint64_t free_octets);

/* The disk writes back of its own accord: some unsafe sectors and names become safe. */
void disk_write_back(struct disk *disk, struct chooser chooser);

/* What a power cut may do to one sector that is not safe. */
enum disk_cut { CUT_LOST, CUT_KEPT, CUT_TORN, CUTS };
struct disk_losses { uint64_t sectors[CUTS], names[2]; };

/* The power goes: of all that is not safe the chooser keeps a legal part; nothing is held any
   more. How much was lost is added to *losses. `every`: ask about each sector and each name alone
   (for the enumerator); otherwise styles are chosen first (all, none, a prefix, each alone), as
   disks do. */
void disk_crash(struct disk *disk, struct chooser chooser, bool every, struct disk_losses *losses);
/* How many sectors, sizes and names are not safe now. */
size_t disk_unsafe(const struct disk *disk);

/* Flip a bit of a safe octet of the file, in both states. False when it is empty. */
bool disk_damage(struct disk *disk, disk_file file, struct chooser chooser);

/* A hash of all that is seen: names, sizes, octets. For comparing two disks in tests. */
uint64_t disk_hash(const struct disk *disk);

#endif
