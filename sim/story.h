/* SPDX-License-Identifier: ISC
 *
 * sim/story.h: what happens to a store in the crash enumerator, step by step: twelve stories.
 */
#ifndef POSTERN_SIM_STORY_H
#define POSTERN_SIM_STORY_H

#include "sim/rig.h"

struct story {
    const char *name;
    const struct role_ops *store;
    /* The letters it will send, written in the ledger. */
    void (*prepare)(struct ledger *ledger);
    void (*play)(struct rig *rig, struct disk *disk, struct ledger *ledger);
    bool fails;         /* told again for each sync, with that one failing */
    bool troubled;      /* the store may say that something is wrong */
};

extern const struct story stories[];
extern const size_t stories_n;

#endif
