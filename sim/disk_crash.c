/* SPDX-License-Identifier: ISC
 *
 * What becomes safe without being asked for, and what a power cut leaves. */
#include "sim/disk_int.h"

#include "sim/room.h"

#include <string.h>

enum style { ALL_LOST, ALL_KEPT, A_PREFIX, EACH_ALONE, STYLES };

/* Keeps or loses one thing after another, in a style. */
struct taste {
    struct chooser chooser;
    enum style style;
    uint64_t left;              /* A_PREFIX: how many more are kept */
};

static struct taste taste_of(struct chooser chooser, bool every, uint64_t n)
{
    struct taste taste = { .chooser = chooser, .style = EACH_ALONE };

    if (!every)
        taste.style = (enum style)choose(chooser, STYLES);
    if (taste.style == A_PREFIX)
        taste.left = choose(chooser, n + 1);
    return taste;
}

static bool keeps(struct taste *taste)
{
    switch (taste->style) {
    case ALL_LOST: return false;
    case ALL_KEPT: return true;
    case A_PREFIX: return taste->left > 0 && taste->left-- > 0;
    case EACH_ALONE: return choose(taste->chooser, 2) == 1;
    case STYLES: break;
    }
    return false;
}

static unsigned ones(uint8_t mask)
{
    return (unsigned)__builtin_popcount(mask);
}

static uint64_t dirty_sectors(const struct node *node)
{
    uint64_t n = 0;

    for (size_t i = node->dirty_from; i < node->dirty_to; i++)
        n += ones(node->sheets[i].dirty);
    return n;
}

size_t disk_unsafe(const struct disk *disk)
{
    size_t n = disk->changes_n;

    for (size_t i = 1; i < disk->nodes_n; i++) {
        const struct node *node = &disk->nodes[i];
        if (node->used && !node->folder)
            n += dirty_sectors(node) + (node->size != node->safe_size);
    }
    return n;
}

/* The sector's first part is the new one, the rest the old. */
static void tear(struct sheet *sheet, unsigned sector, size_t new_octets)
{
    char *to = page_mine(&sheet->safe)->at + sector * DISK_SECTOR;

    if (sheet->now != NULL)
        memcpy(to, sheet->now->at + sector * DISK_SECTOR, new_octets);
    else
        memset(to, 0, new_octets);
}

static void cut_sheet(struct node *node, struct sheet *sheet, struct taste *taste,
                      struct disk_losses *losses)
{
    unsigned kept = 0;

    for (unsigned i = 0; i < DISK_PAGE_SECTORS; i++) {
        if ((sheet->dirty & (1u << i)) == 0)
            continue;
        if (keeps(taste)) {
            kept |= 1u << i;
            losses->sectors[CUT_KEPT]++;
        } else if (taste->style == EACH_ALONE && choose(taste->chooser, 8) == 1) {
            tear(sheet, i, (size_t)choose(taste->chooser, DISK_SECTOR));
            losses->sectors[CUT_TORN]++;
        } else {
            losses->sectors[CUT_LOST]++;
        }
    }
    sheet_settle(node, sheet, (uint8_t)kept);
}

/* Sizes grow as pages are written back: anything between the two may be left. */
static void cut_size(struct node *node, struct chooser chooser, bool every)
{
    uint64_t less = node->safe_size, more = node->size;

    if (less == more)
        return;
    switch (choose(chooser, every ? 2 : 4)) {
    case 0: break;
    case 1: node->safe_size = more; break;
    case 2:
        if (more > less)
            node->safe_size = less + choose(chooser, more - less);
        break;
    case 3:
        if (more > less)
            node->safe_size = more - (more - less) % DISK_PAGE;
        break;
    }
}

/* Nothing lies beyond the end. */
static void trim(struct node *node)
{
    uint64_t end = node->safe_size;

    for (size_t i = (size_t)(end / DISK_PAGE); i < node->sheets_n; i++) {
        struct sheet *sheet = &node->sheets[i];
        size_t from = i * DISK_PAGE >= end ? 0 : (size_t)(end % DISK_PAGE);
        if (sheet->safe == NULL)
            continue;
        if (from > 0) {
            memset(page_mine(&sheet->safe)->at + from, 0, DISK_PAGE - from);
        } else {
            page_drop(sheet->safe);
            sheet->safe = NULL;
        }
    }
}

static void cut_file(struct node *node, struct chooser chooser, bool every,
                     struct disk_losses *losses)
{
    struct taste taste = taste_of(chooser, every, dirty_sectors(node));

    for (size_t i = node->dirty_from; i < node->dirty_to; i++)
        cut_sheet(node, &node->sheets[i], &taste, losses);
    cut_size(node, chooser, every);
    trim(node);
    node_revert(node);
}

/* May this change be kept, after what became of those before it? A removal by a rename waits for
   the name that the rename made, which stands straight before it. */
static bool may_keep(const struct disk *disk, const bool *kept, size_t index)
{
    const struct change *change = &disk->changes[index];

    if (index > 0 && change->tie == disk->changes[index - 1].order && !kept[index - 1])
        return false;
    for (size_t i = 0; i < index; i++) {
        bool behind = disk->order == DISK_JOURNAL
            || (disk->order == DISK_PER_FOLDER && disk->changes[i].folder == change->folder);
        if (!kept[i] && behind)
            return false;
    }
    return true;
}

static void cut_names(struct disk *disk, struct chooser chooser, bool every,
                      struct disk_losses *losses)
{
    size_t n = disk->changes_n;
    struct taste taste = taste_of(chooser, every, n);
    bool *kept = room_new(n);

    for (size_t i = 0; i < n; i++)
        kept[i] = may_keep(disk, kept, i) && keeps(&taste);
    for (size_t i = 0; i < n; i++) {
        losses->names[kept[i]]++;
        if (kept[i])
            change_settle(disk, 0);
        else
            change_forget(disk, 0);
    }
    room_free(kept);
}

static void forget_holders(struct disk *disk)
{
    for (uint32_t i = 1; i < disk->nodes_n; i++)
        while (disk->nodes[i].used && disk->nodes[i].held > 0)
            disk_drop(disk, i);
}

/* Every name that is not safe goes, every safe one is there again. */
static void revert_names(struct disk *disk, uint32_t index)
{
    for (size_t i = 0; i < disk->nodes[index].entries_n; i++) {
        struct entry *entry = &disk->nodes[index].entries[i];
        uint32_t old = entry->now;
        if (old == entry->safe)
            continue;
        entry->now = entry->safe;
        if (entry->now != 0) {
            disk->nodes[entry->now].links++;
            disk->nodes[entry->now].refs++;
        }
        if (old != 0) {
            disk->nodes[old].links--;
            node_unref(disk, old);
        }
    }
}

static void count_used(struct disk *disk)
{
    disk->used = 0;
    for (size_t i = 1; i < disk->nodes_n; i++)
        if (disk->nodes[i].used && !disk->nodes[i].folder && disk->nodes[i].links > 0)
            disk->used += disk->nodes[i].size;
}

void disk_crash(struct disk *disk, struct chooser chooser, bool every, struct disk_losses *losses)
{
    forget_holders(disk);
    cut_names(disk, chooser, every, losses);
    for (uint32_t i = 1; i < disk->nodes_n; i++)
        if (disk->nodes[i].used && disk->nodes[i].folder)
            revert_names(disk, i);
    for (uint32_t i = 1; i < disk->nodes_n; i++)
        if (disk->nodes[i].used && !disk->nodes[i].folder)
            cut_file(&disk->nodes[i], chooser, every, losses);
    count_used(disk);
}

static void write_back_file(struct node *node, struct chooser chooser)
{
    struct taste taste = taste_of(chooser, false, dirty_sectors(node));

    for (size_t i = node->dirty_from; i < node->dirty_to; i++) {
        struct sheet *sheet = &node->sheets[i];
        unsigned kept = 0;
        for (unsigned s = 0; s < DISK_PAGE_SECTORS; s++)
            if ((sheet->dirty & (1u << s)) != 0 && keeps(&taste))
                kept |= 1u << s;
        sheet_settle(node, sheet, (uint8_t)kept);
    }
}

void disk_write_back(struct disk *disk, struct chooser chooser)
{
    uint64_t names = choose(chooser, disk->changes_n + 1);

    while (names-- > 0 && disk->changes_n > 0)
        change_settle(disk, 0);
    for (uint32_t i = 1; i < disk->nodes_n; i++)
        if (disk->nodes[i].used && !disk->nodes[i].folder)
            write_back_file(&disk->nodes[i], chooser);
}

bool disk_damage(struct disk *disk, disk_file file, struct chooser chooser)
{
    struct node *node = &disk->nodes[file];

    if (node->safe_size == 0)
        return false;
    uint64_t at = choose(chooser, node->safe_size);
    struct sheet *sheet = &node->sheets[at / DISK_PAGE];
    unsigned sector = (unsigned)(at % DISK_PAGE / DISK_SECTOR);
    uint8_t bit = (uint8_t)(1u << choose(chooser, 8));
    char *safe = &page_mine(&sheet->safe)->at[at % DISK_PAGE];
    *safe = (char)(octet(*safe) ^ bit);
    if ((sheet->dirty & (1u << sector)) == 0) {
        char *now = &page_mine(&sheet->now)->at[at % DISK_PAGE];
        *now = (char)(octet(*now) ^ bit);
    }
    return true;
}

static uint64_t hash_file(uint64_t hash, const struct node *node)
{
    static const char zeroes[DISK_PAGE];

    hash = mix(hash, node->size);
    for (size_t i = 0; i * DISK_PAGE < node->size; i++) {
        const char *at = node->sheets[i].now == NULL ? zeroes : node->sheets[i].now->at;
        hash = mix_bytes(hash, (struct bytes){ at, DISK_PAGE });
    }
    return hash;
}

static uint64_t hash_folder(const struct disk *disk, uint64_t hash, uint32_t index)
{
    const struct node *folder = &disk->nodes[index];

    for (size_t i = 0; i < folder->entries_n; i++) {
        const struct entry *entry = &folder->entries[i];
        if (entry->now == 0)
            continue;
        hash = mix_bytes(hash, bytes_of(entry->name));
        if (disk->nodes[entry->now].folder)
            hash = mix(hash_folder(disk, hash, entry->now), 2);
        else
            hash = hash_file(hash, &disk->nodes[entry->now]);
    }
    return hash;
}

uint64_t disk_hash(const struct disk *disk)
{
    uint64_t hash = 1;

    for (uint32_t root = 0; root < IO_ROOTS; root++)
        hash = mix(hash_folder(disk, hash, root + 1), root);
    return hash;
}
