/* SPDX-License-Identifier: ISC */
#include "sim/room.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

static void *or_end(void *at)
{
    if (at == NULL) {
        fputs("postern-sim: this machine has no more memory\n", stderr);
        exit(EX_OSERR);
    }
    return at;
}

void *room_new(size_t n)
{
    return or_end(calloc(1, n == 0 ? 1 : n));
}

void room_free(void *at)
{
    free(at);
}

void *room_for(void *old, size_t *room, size_t want, size_t size)
{
    size_t had = *room;

    if (want <= had)
        return old;
    size_t have = had == 0 ? 8 : had;
    while (have < want)
        have *= 2;
    char *at = or_end(realloc(old, have * size));
    memset(at + had * size, 0, (have - had) * size);
    *room = have;
    return at;
}

char *room_copy(struct bytes text)
{
    char *copy = room_new(text.n + 1);

    if (text.n > 0)
        memcpy(copy, text.at, text.n);
    return copy;
}
