/* SPDX-License-Identifier: ISC
 *
 * queue/company_int.h: is it worth waiting for more letters before a sync?
 *
 * On a fast disk a sync ends before the clients that it answered are back with their next
 * letters: each group would then be the few stragglers of the one before, and every letter
 * would cost a fifth of a flush. While letters come thick and groups are few, the next waits until
 * it has some size, or until the clock's next millisecond. A letter that comes alone never waits.
 */
#ifndef POSTERN_QUEUE_COMPANY_INT_H
#define POSTERN_QUEUE_COMPANY_INT_H

#include "base/bytes.h"

enum {
    COMPANY_ENOUGH = 16,        /* letters that are worth a sync of their own */
    COMPANY_THICK = 12,         /* letters in a millisecond; from there on more are to come */
    COMPANY_SMALL = 3,          /* a group of so few came from few clients: nobody else will come */
};

struct company {
    uint64_t tick_ms;           /* monotonic: the millisecond being counted */
    uint32_t now_n, before_n;   /* letters in it, and in the one before */
    size_t last_n;              /* letters of the group synced last */
    uint64_t until_ms;          /* the gathered group waits until then, or 0 */
};

/* A letter was gathered. */
void company_came(struct company *company, uint64_t now_ms);
/* Shall a group of n letters wait now? Sets until_ms, at which the answer is no. */
bool company_waits(struct company *company, size_t n, uint64_t now_ms);
/* A group of n letters was sent to the disk. */
void company_went(struct company *company, size_t n);

#endif
