/* SPDX-License-Identifier: ISC
 *
 * bounce/card_int.h: what the three forms of a card share.
 */
#ifndef POSTERN_BOUNCE_CARD_INT_H
#define POSTERN_BOUNCE_CARD_INT_H

#include "bounce/card.h"

/* Recipients that share a card: the first of them, and whose turn comes next. */
struct card_group {
    const struct bounce_recipient *first;
    uint32_t at;                /* its index */
    uint32_t members;
};
/* The next card of the report, from *at on, which moves on; false: no more. */
bool card_next_group(const struct bounce_report *report, uint32_t *at,
                     struct card_group *ret_group);
bool card_is_in(const struct card_group *group, const struct bounce_recipient *recipient);

/* At most CARD_FIELD_MOST octets, and no half character at the end. */
struct bytes card_cut(struct bytes text, bool *ret_cut);

#endif
