/* SPDX-License-Identifier: ISC
 *
 * role/role.h: a process as a value: it is stepped with an event and answers with effects.
 */
#ifndef POSTERN_ROLE_ROLE_H
#define POSTERN_ROLE_ROLE_H

#include "base/effects.h"
#include "base/event.h"
#include "plan/conf.h"

/* What each kind of role is to a world. `make` returns NULL when memory is short; `conf` outlives
   the role. */
struct role_ops {
    const char *name;
    void *(*make)(const struct conf *conf, uint32_t index);
    void (*step)(void *role, const struct event *event, struct effects *ret_effects);
    void (*free)(void *role);
};

extern const struct role_ops front_ops, store_ops, local_ops, admin_ops, relay_ops, keys_ops,
                             master_ops;

/* The row of that kind. */
const struct role_ops *role_ops_of(enum role_kind kind);

#endif
