/* SPDX-License-Identifier: ISC
 *
 * host/box_int.h: the parts of a box (box_files.c, box_calls.c, box_network.c, box_caps.c).
 */
#ifndef POSTERN_HOST_BOX_INT_H
#define POSTERN_HOST_BOX_INT_H

#include "host/box.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define BOX_IS_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) \
    || __has_feature(memory_sanitizer)
#define BOX_IS_SANITIZED 1
#endif
#endif
#ifndef BOX_IS_SANITIZED
#define BOX_IS_SANITIZED 0
#endif

/* This kernel does not have it. */
void box_lack(struct box *box, const char *what);

/* Only files below the folders may be opened or changed, for this thread and those it makes.
   False and errno: refused, though the kernel has it. */
MUST_USE bool box_files(struct box *box);
/* Only the calls of box_calls.def, for all threads. */
MUST_USE bool box_calls(struct box *box);
/* An empty network of its own. */
void box_network_as_master(struct box *box);
void box_network_as_user(struct box *box);

/* Nothing that is run may gain any; `keep` is a set of capability numbers. */
void box_bound(uint64_t keep);
MUST_USE bool box_capabilities(uint64_t keep);

#endif
