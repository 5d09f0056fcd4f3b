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
};

/* A pointer to each lies in a section of its own, so that those never hit are known too. */
#define MARK(text) \
    do { \
        static struct mark mark_ = { .name = "" text }; \
        static struct mark *const listed_ \
            __attribute__((section("postern_marks"), used)) = &mark_; \
        mark_.hits++; \
    } while (0)

#else

#define MARK(text) ((void)0)

#endif

#endif
