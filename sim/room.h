/* SPDX-License-Identifier: ISC
 *
 * sim/room.h: memory of the simulated world itself, apart from that of the roles (base/arena.h),
 * so that a planned shortage hits only them. When the real machine has no more, the program ends.
 */
#ifndef POSTERN_SIM_ROOM_H
#define POSTERN_SIM_ROOM_H

#include "base/bytes.h"

/* n zeroed octets; never NULL. The caller gives them back with room_free. */
void *room_new(size_t n);
void room_free(void *at);
/* `old` with room for at least `want` items of `size` octets; *room is how many fit, grown by
   doubling. New octets are zeroed. */
void *room_for(void *old, size_t *room, size_t want, size_t size);
/* A copy of the text, ended by a NUL for printing. */
char *room_copy(struct bytes text);

#endif
