/* SPDX-License-Identifier: ISC
 *
 * role/admin_world_int.h: the world in which the tests of the admin role step it: its clients, and
 * a store made of frames.
 */
#ifndef POSTERN_ROLE_ADMIN_WORLD_INT_H
#define POSTERN_ROLE_ADMIN_WORLD_INT_H

#include "mail/envelope.h"
#include "role/control.h"
#include "role/once.h"
#include "role/role.h"
#include "web/web.h"

enum { OURS = 500, NOW_WALL = 1000000000 };

struct world {
    void *role;
    struct effects fx;
    struct effects store;           /* what the store would tell: the frames are taken from here */
    uint64_t now_ms;
};

extern const struct role_name admin_name;

void world_begin(struct world *world);
void world_end(struct world *world);
void step(struct world *world, struct event event);
void store_up(struct world *world);
void accept_from(struct world *world, uint32_t conn, uint32_t uid);
void send_octets(struct world *world, uint32_t conn, struct bytes octets);
void send_words(struct world *world, uint32_t conn, const char *a, const char *b);
void tell(struct world *world);
void tell_row(struct world *world, uint32_t token, uint64_t letter);
void tell_end(struct world *world, uint32_t token, uint8_t result);
const struct effect *effect_of(const struct world *world, enum effect_kind kind, size_t n);
int sent(const struct world *world, uint32_t conn, enum control_kind kind,
    struct buffer *ret_text);
void check_sent(const struct world *world, uint32_t conn, enum control_kind kind,
    const char *want, int status);
void tell_figures(struct world *world, uint32_t token, uint32_t fronts);
void tell_front(struct world *world, uint32_t token, uint32_t front, uint64_t sessions);

#endif
