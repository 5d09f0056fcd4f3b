/* SPDX-License-Identifier: ISC
 *
 * role/store_world_int.h: for tests and fuzz harnesses: the store role with a disk that says yes.
 */
#ifndef POSTERN_ROLE_STORE_WORLD_INT_H
#define POSTERN_ROLE_STORE_WORLD_INT_H

#include "role/role.h"
#include "role/wire.h"

enum { STORE_FRAMES = 64 };

struct store_frame {
    struct role_name to;
    size_t n;
    char octets[1024];          /* the rest is cut off */
};

struct store_world {
    void *store;
    struct effects fx;
    struct moment now;
    struct store_frame frames[STORE_FRAMES];    /* the newest */
    size_t frames_n;
    bool gone;                  /* it gave up: memory */
    enum io_kind fails;         /* operations of this kind ... */
    enum fault fault;           /* ... end so, unless OK */
    bool exited;                /* FX_EXIT, with this status */
    uint64_t status, alarm;     /* alarm: as it asked last, monotonic ms */
};

void store_world_begin(struct store_world *w);
/* The same on a disk whose operations of that kind fail. */
void store_world_begin_on(struct store_world *w, enum io_kind fails, enum fault fault);
void store_world_end(struct store_world *w);
/* One event, then a turn, and all that the disk answers. */
void store_world_step(struct store_world *w, struct event event);
void store_world_tell(struct store_world *w, enum role_kind from, struct bytes frame);
/* The newest frame of that kind; NULL when there was none. */
const struct store_frame *store_world_last(const struct store_world *w, enum wire_kind kind);

#endif
