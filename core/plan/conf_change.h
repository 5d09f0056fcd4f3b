/* SPDX-License-Identifier: ISC
 *
 * plan/conf_change.h: one configuration after another: what a running server may take over, and
 * the difference in words.
 */
#ifndef POSTERN_PLAN_CONF_CHANGE_H
#define POSTERN_PLAN_CONF_CHANGE_H

#include "plan/conf.h"

/* The differences, one line each, in the order of conf.def:
     size-limit: 50M -> 60M
     spool: /a -> /b (needs a restart)
   Nothing when there are none. Returns how many settings differ. */
size_t conf_put_changes(struct buffer *to, const struct conf *before, const struct conf *after);

/* Give those settings of `after` that only a restart can change the values of `before`, copied to
   the arena. False: no memory; `after` is not to be used. */
MUST_USE bool conf_keep_fixed(const struct conf *before, struct arena *arena, struct conf *after);

#endif
