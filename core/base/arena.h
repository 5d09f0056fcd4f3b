/* SPDX-License-Identifier: ISC
 *
 * base/arena.h: all the memory there is. arena.c is the one file of core/ that calls malloc.
 *
 * An arena serves one message, session or reading: nothing in it is freed alone, all goes at once,
 * and it has a ceiling, so that one stranger's message cannot starve the rest. mem_* is for what
 * must outlive a step and be given back alone (buffers, tables, sessions).
 */
#ifndef POSTERN_BASE_ARENA_H
#define POSTERN_BASE_ARENA_H

#include "base/bytes.h"

/* n octets, zeroed; or NULL when the machine has no more. The caller frees with mem_free. */
MUST_USE void *mem_new(size_t n);
/* As realloc: NULL leaves `old` as it was. New octets are not zeroed. n > 0. */
MUST_USE void *mem_resize(void *old, size_t n);
void mem_free(void *at);
/* Wipe n octets so that the compiler cannot leave it out; for secrets and for others' letters. */
void mem_wipe(void *at, size_t n);

/* For tests: let the n-th allocation from now fail once (0: never). */
void mem_fail_at(uint64_t n);

struct arena_block;
struct arena {
    struct arena_block *blocks;   /* newest first */
    size_t used, ceiling;         /* octets given out, and the most that may be */
    bool full;                    /* sticky: something was refused */
};

/* An empty arena that will give out at most `ceiling` octets. Costs nothing until first used. */
struct arena arena_with_ceiling(size_t ceiling);
/* n zeroed octets aligned for any type, alive until arena_done; NULL at the ceiling or out of
   memory. */
MUST_USE void *arena_take(struct arena *arena, size_t n);
/* A copy of the text in the arena; at == NULL when refused. */
struct bytes arena_copy(struct arena *arena, struct bytes text);
/* Forget all of it, but keep the newest block for what comes next. */
void arena_reset(struct arena *arena);
/* Free all of it; the arena is empty and may be used again. */
void arena_done(struct arena *arena);

#endif
