/* SPDX-License-Identifier: ISC
 *
 * sim/dialogue.h: every misfortune of the LMTP, or of the SMTP dialogue, one a run: each reply
 * replaced by each lie, and the server dead after each octet that it says or hears. Otherwise the
 * world is calm: a few letters, from the first dial to the reports that return to their senders.
 */
#ifndef POSTERN_SIM_DIALOGUE_H
#define POSTERN_SIM_DIALOGUE_H

#include "sim/run.h"

struct dialogue_options {
    uint64_t seed;
    enum run_small small;       /* RUN_LMTP or RUN_SMTP */
    uint64_t state;         /* that one alone; 0: all of them */
    bool trace;
};

struct dialogue_result {
    bool kept;
    char words[700];
    uint64_t state;         /* the one that is not kept */
    uint64_t states, replies, said, heard;
};

struct dialogue_result dialogue_walk(const struct dialogue_options *options);

#endif
