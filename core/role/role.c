/* SPDX-License-Identifier: ISC */
#include "role/role.h"

const struct role_ops *role_ops_of(enum role_kind kind)
{
    static const struct role_ops *const rows[] = {
        [ROLE_MASTER] = &master_ops,
        [ROLE_FRONT] = &front_ops,
        [ROLE_STORE] = &store_ops,
        [ROLE_LOCAL] = &local_ops,
        [ROLE_ADMIN] = &admin_ops,
        [ROLE_RELAY] = &relay_ops,
        [ROLE_KEYS] = &keys_ops,
        [ROLE_USER] = &user_ops,
        [ROLE_NAMES] = &names_ops,
        [ROLE_FETCH] = &fetch_ops,
    };
    _Static_assert(COUNT(rows) == ROLE_KINDS, "a kind of role without a row");

    return rows[kind];
}
