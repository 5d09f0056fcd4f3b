/* SPDX-License-Identifier: ISC */
#include "bench/load/octets.h"

#include "bench/load/tool.h"

#include <stdlib.h>
#include <string.h>

enum { ROOM_FIRST = 512 };

char *octets_room(struct octets *octets, size_t n)
{
    if (octets->begin == octets->end)
        octets_clear(octets);
    if (octets->end + n > octets->room && octets->begin > 0) {
        memmove(octets->at, octets_first(octets), octets_held(octets));
        octets->end -= octets->begin;
        octets->begin = 0;
    }
    if (octets->end + n > octets->room) {
        size_t room = octets->room == 0 ? ROOM_FIRST : octets->room;
        while (room < octets->end + n)
            room *= 2;
        octets->at = must_resize(octets->at, room);
        octets->room = room;
    }
    return octets->at + octets->end;
}

void octets_add(struct octets *octets, const void *from, size_t n)
{
    if (n == 0)
        return;
    memcpy(octets_room(octets, n), from, n);
    octets->end += n;
}

void octets_add_text(struct octets *octets, const char *text)
{
    octets_add(octets, text, strlen(text));
}

void octets_done(struct octets *octets)
{
    free(octets->at);
    *octets = (struct octets){ .at = NULL };
}
