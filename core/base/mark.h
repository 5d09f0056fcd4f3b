/* SPDX-License-Identifier: ISC
 *
 * base/mark.h: MARK("a rare thing") stands where a branch is that tests might never reach.
 *
 * In the product it is nothing. The simulator's build of core counts them and prints which were
 * hit, so that it can be seen when it has gone blind somewhere. The name is a literal of ours,
 * unique in the tree.
 */
#ifndef POSTERN_BASE_MARK_H
#define POSTERN_BASE_MARK_H

#ifdef POSTERN_MARKS

#include <stdint.h>

struct mark {
    const char *name;
    uint64_t hits;
    struct mark *next;      /* of all that were hit at least once */
};

extern struct mark *marks_hit;

static inline void mark_hit(struct mark *mark)
{
    if (mark->hits++ == 0) {
        mark->next = marks_hit;
        marks_hit = mark;
    }
}

#define MARK(text) \
    do { static struct mark mark_ = { .name = "" text }; mark_hit(&mark_); } while (0)

#else

#define MARK(text) ((void)0)

#endif

#endif
