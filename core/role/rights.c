/* SPDX-License-Identifier: ISC */
#include "role/rights.h"

#include "role/rights.def"

#include <assert.h>

static const struct role_rights rows[] = {
#define R(ROLE, text, rights, threads, what) \
    [ROLE_##ROLE] = { .name = text, .may = (rights), .lanes = (threads), .holds = what },
    RIGHTS_LIST(R)
#undef R
};
_Static_assert(COUNT(rows) == ROLE_KINDS, "a role without a row");

const struct role_rights *rights_of(enum role_kind kind)
{
    assert(kind < ROLE_KINDS);
    return &rows[kind];
}

bool rights_talk(enum role_kind a, enum role_kind b)
{
    static const struct { enum role_kind a, b; } ways[] = {
#define T(A, B) { ROLE_##A, ROLE_##B },
        RIGHTS_WAYS(T)
#undef T
    };
    for (size_t i = 0; i < COUNT(ways); i++)
        if ((ways[i].a == a && ways[i].b == b) || (ways[i].a == b && ways[i].b == a))
            return true;
    return false;
}
