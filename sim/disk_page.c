/* SPDX-License-Identifier: ISC */
#include "sim/disk_int.h"

#include "sim/room.h"

#include <assert.h>
#include <string.h>

struct page *page_keep(struct page *page)
{
    if (page != NULL)
        page->refs++;
    return page;
}

void page_drop(struct page *page)
{
    if (page != NULL && --page->refs == 0)
        room_free(page);
}

struct page *page_mine(struct page **at)
{
    struct page *old = *at;

    if (old != NULL && old->refs == 1)
        return old;
    struct page *mine = room_new(sizeof(*mine));
    if (old != NULL)
        memcpy(mine->at, old->at, DISK_PAGE);
    mine->refs = 1;
    page_drop(old);
    return *at = mine;
}

void node_forget_pages(struct node *node)
{
    for (size_t i = 0; i < node->sheets_n; i++) {
        page_drop(node->sheets[i].now);
        page_drop(node->sheets[i].safe);
    }
    room_free(node->sheets);
    node->sheets = NULL;
    node->sheets_n = node->sheets_room = 0;
}

static void copy_sectors(struct page **to, const struct page *from, uint8_t mask)
{
    struct page *page = page_mine(to);

    for (size_t i = 0; i < DISK_PAGE_SECTORS; i++) {
        char *at = page->at + i * DISK_SECTOR;
        if ((mask & (1u << i)) == 0)
            continue;
        if (from != NULL)
            memcpy(at, from->at + i * DISK_SECTOR, DISK_SECTOR);
        else
            memset(at, 0, DISK_SECTOR);
    }
}

void sheet_settle(const struct node *node, struct sheet *sheet, uint8_t mask)
{
    if (mask == 0)
        return;
    if (!node->split && (sheet->dirty & ~mask) == 0) {
        page_drop(sheet->safe);
        sheet->safe = page_keep(sheet->now);
    } else {
        copy_sectors(&sheet->safe, sheet->now, mask);
    }
    sheet->dirty = (uint8_t)(sheet->dirty & ~mask);
}

void node_revert(struct node *node)
{
    for (size_t i = 0; i < node->sheets_n; i++) {
        struct sheet *sheet = &node->sheets[i];
        if (sheet->now != sheet->safe) {
            page_drop(sheet->now);
            sheet->now = page_keep(sheet->safe);
        }
        sheet->dirty = 0;
    }
    node->size = node->safe_size;
    node->split = false;
    node->dirty_from = node->dirty_to = 0;
}

static void mark_dirty(struct node *node, size_t index, uint8_t mask)
{
    node->sheets[index].dirty |= mask;
    if (node->dirty_from == node->dirty_to) {
        node->dirty_from = index;
        node->dirty_to = index + 1;
    }
    if (index < node->dirty_from)
        node->dirty_from = index;
    if (index >= node->dirty_to)
        node->dirty_to = index + 1;
}

static uint8_t sectors_mask(size_t from, size_t to)
{
    unsigned mask = 0;

    for (size_t i = from / DISK_SECTOR; i * DISK_SECTOR < to; i++)
        mask |= 1u << i;
    return (uint8_t)mask;
}

static void sheets_up_to(struct node *node, uint64_t size)
{
    size_t want = (size_t)((size + DISK_PAGE - 1) / DISK_PAGE);

    node->sheets = room_for(node->sheets, &node->sheets_room, want, sizeof(*node->sheets));
    if (want > node->sheets_n)
        node->sheets_n = want;
}

/* More room for a file, or FAULT_NO_SPACE. */
static enum fault grow(struct disk *disk, struct node *node, uint64_t size)
{
    if (size <= node->size)
        return OK;
    if (size - node->size > disk_space(disk))
        return FAULT_NO_SPACE;
    disk->used += size - node->size;
    node->size = size;
    sheets_up_to(node, size);
    return OK;
}

enum fault disk_write(struct disk *disk, disk_file file, uint64_t offset, struct bytes data)
{
    struct node *node = &disk->nodes[file];
    enum fault fault = grow(disk, node, offset + data.n);

    if (fault != OK)
        return fault;
    while (data.n > 0) {
        size_t index = (size_t)(offset / DISK_PAGE), at = (size_t)(offset % DISK_PAGE);
        size_t n = data.n < DISK_PAGE - at ? data.n : DISK_PAGE - at;
        struct page *page = page_mine(&node->sheets[index].now);
        memcpy(page->at + at, data.at, n);
        mark_dirty(node, index, sectors_mask(at, at + n));
        data = bytes_skip(data, n);
        offset += n;
    }
    return OK;
}

size_t disk_read(const struct disk *disk, disk_file file, uint64_t offset, size_t n, char *ret)
{
    const struct node *node = &disk->nodes[file];
    size_t done = 0;

    if (offset >= node->size)
        return 0;
    if (n > node->size - offset)
        n = (size_t)(node->size - offset);
    while (done < n) {
        size_t index = (size_t)((offset + done) / DISK_PAGE);
        size_t at = (size_t)((offset + done) % DISK_PAGE);
        size_t part = n - done < DISK_PAGE - at ? n - done : DISK_PAGE - at;
        const struct page *page = node->sheets[index].now;
        if (page != NULL)
            memcpy(ret + done, page->at + at, part);
        else
            memset(ret + done, 0, part);
        done += part;
    }
    return n;
}

enum fault disk_extend(struct disk *disk, disk_file file, uint64_t size)
{
    return grow(disk, &disk->nodes[file], size);
}

/* What lies beyond the new end reads as zeroes should the file grow again. */
void disk_truncate(struct disk *disk, disk_file file, uint64_t size)
{
    struct node *node = &disk->nodes[file];

    if (size >= node->size) {
        disk->used += size - node->size;
        node->size = size;
        sheets_up_to(node, size);
        return;
    }
    for (size_t i = (size_t)(size / DISK_PAGE); i < node->sheets_n; i++) {
        struct sheet *sheet = &node->sheets[i];
        size_t from = i * DISK_PAGE >= size ? 0 : (size_t)(size % DISK_PAGE);
        if (sheet->now != NULL && from > 0) {
            memset(page_mine(&sheet->now)->at + from, 0, DISK_PAGE - from);
        } else {
            page_drop(sheet->now);
            sheet->now = NULL;
        }
        if (sheet->now != NULL || sheet->safe != NULL)
            mark_dirty(node, i, sectors_mask(from, DISK_PAGE));
    }
    disk->used -= node->size - size;
    node->size = size;
}

struct disk_sync *disk_sync_begin(struct disk *disk, disk_file file)
{
    struct node *node = &disk->nodes[file];
    size_t n = node->dirty_to - node->dirty_from;
    struct disk_sync *sync = room_new(sizeof(*sync) + n);

    *sync = (struct disk_sync){
        .file = file, .size = node->size, .from = node->dirty_from, .to = node->dirty_to,
    };
    for (size_t i = 0; i < n; i++)
        sync->dirty[i] = node->sheets[sync->from + i].dirty;
    node->refs++;
    return sync;
}

static void shrink_dirty(struct node *node)
{
    while (node->dirty_from < node->dirty_to && node->sheets[node->dirty_from].dirty == 0)
        node->dirty_from++;
    while (node->dirty_to > node->dirty_from && node->sheets[node->dirty_to - 1].dirty == 0)
        node->dirty_to--;
}

void disk_sync_end(struct disk *disk, struct disk_sync *sync)
{
    struct node *node = &disk->nodes[sync->file];

    for (size_t i = sync->from; i < sync->to && i < node->sheets_n; i++) {
        struct sheet *sheet = &node->sheets[i];
        sheet_settle(node, sheet, sync->dirty[i - sync->from] & sheet->dirty);
    }
    shrink_dirty(node);
    /* A size that changed again meanwhile is taken as it is now: later than promised is allowed. */
    node->safe_size = node->size;
    node_unref(disk, sync->file);
    room_free(sync);
}

static void fail_sheet(struct node *node, struct sheet *sheet, uint8_t mask, bool forget,
                       struct chooser chooser)
{
    unsigned written = 0;

    for (unsigned i = 0; i < DISK_PAGE_SECTORS; i++)
        if ((mask & (1u << i)) != 0 && choose(chooser, 2) == 1)
            written |= 1u << i;
    node->split = true;
    sheet_settle(node, sheet, (uint8_t)written);
    unsigned gone = mask & ~written;
    sheet->dirty = (uint8_t)(sheet->dirty & ~gone);
    if (forget && gone != 0)
        copy_sectors(&sheet->now, sheet->safe, (uint8_t)gone);
}

void disk_sync_fail(struct disk *disk, struct disk_sync *sync, struct chooser chooser)
{
    struct node *node = &disk->nodes[sync->file];
    bool forget = choose(chooser, 2) == 1;

    for (size_t i = sync->from; i < sync->to && i < node->sheets_n; i++) {
        struct sheet *sheet = &node->sheets[i];
        fail_sheet(node, sheet, sync->dirty[i - sync->from] & sheet->dirty, forget, chooser);
    }
    shrink_dirty(node);
    node_unref(disk, sync->file);
    room_free(sync);
}

void disk_sync_abandon(struct disk *disk, struct disk_sync *sync)
{
    node_unref(disk, sync->file);
    room_free(sync);
}
