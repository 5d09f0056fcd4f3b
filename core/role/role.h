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
                             user_ops, names_ops, fetch_ops, master_ops;

/* What a child that shall be a system user found of that one, before it took its first letter. */
enum home_state {
    HOME_WELL,              /* it is that user now, and its root IN_MAIL is the home */
    HOME_NO_USER,           /* nobody has that name */
    HOME_NOT_SERVED,        /* an account of the system: below `system-uid-least` */
    HOME_UNKNOWN,           /* the system's tables could not be read */
    HOME_NOT_ROOT,          /* who was not started as root cannot become anybody */
    HOME_GONE,              /* its home is not there */
    HOME_FOREIGN,           /* ... belongs to somebody else */
    HOME_OPEN,              /* ... may be written by others */
    HOME_STATES
};

/* The row of that kind. */
const struct role_ops *role_ops_of(enum role_kind kind);

#endif
