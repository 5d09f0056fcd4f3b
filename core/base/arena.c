/* SPDX-License-Identifier: ISC */
#include "base/arena.h"

#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

static uint64_t fail_at;

void mem_fail_at(uint64_t n)
{
    fail_at = n;
}

static bool fails_now(void)
{
    return fail_at != 0 && --fail_at == 0;
}

void *mem_new(size_t n)
{
    return fails_now() ? NULL : calloc(1, n == 0 ? 1 : n);
}

void *mem_resize(void *old, size_t n)
{
    return fails_now() ? NULL : realloc(old, n);
}

void mem_free(void *at)
{
    free(at);
}

void mem_wipe(void *at, size_t n)
{
    if (n > 0)
        memset(at, 0, n);
    __asm__ volatile("" : : "r"(at) : "memory");   /* the compiler must take the zeroes as read */
}

enum { BLOCK_BYTES = 4096 };

struct arena_block {
    struct arena_block *older;
    size_t used, room;
    alignas(max_align_t) char data[];
};

struct arena arena_with_ceiling(size_t ceiling)
{
    return (struct arena){ .ceiling = ceiling };
}

static struct arena_block *block_with_room(struct arena *arena, size_t n)
{
    struct arena_block *block = arena->blocks;

    if (block != NULL && block->room - block->used >= n)
        return block;
    size_t room = n > BLOCK_BYTES ? n : BLOCK_BYTES;
    block = mem_new(sizeof(*block) + room);
    if (block == NULL)
        return NULL;
    *block = (struct arena_block){ .older = arena->blocks, .room = room };
    arena->blocks = block;
    return block;
}

void *arena_take(struct arena *arena, size_t n)
{
    size_t align = alignof(max_align_t);

    if (n > arena->ceiling || arena->ceiling - n < arena->used) {
        arena->full = true;
        return NULL;
    }
    n = (n + align - 1) / align * align;
    struct arena_block *block = block_with_room(arena, n);
    if (block == NULL) {
        arena->full = true;
        return NULL;
    }
    void *taken = block->data + block->used;
    block->used += n;
    arena->used += n;
    return taken;
}

struct bytes arena_copy(struct arena *arena, struct bytes text)
{
    char *copy = arena_take(arena, text.n);

    if (copy != NULL && text.n > 0)
        memcpy(copy, text.at, text.n);
    return (struct bytes){ copy, copy == NULL ? 0 : text.n };
}

static void free_blocks(struct arena_block *block)
{
    while (block != NULL) {
        struct arena_block *older = block->older;
        mem_free(block);
        block = older;
    }
}

void arena_reset(struct arena *arena)
{
    struct arena_block *kept = arena->blocks;

    if (arena->used == 0 && !arena->full)
        return;                 /* nothing has been taken since */
    *arena = arena_with_ceiling(arena->ceiling);
    if (kept == NULL)
        return;
    free_blocks(kept->older);
    memset(kept->data, 0, kept->used);
    kept->older = NULL;
    kept->used = 0;
    arena->blocks = kept;
}

void arena_done(struct arena *arena)
{
    free_blocks(arena->blocks);
    *arena = arena_with_ceiling(arena->ceiling);
}
