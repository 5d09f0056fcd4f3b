/* SPDX-License-Identifier: ISC
 *
 * sim/run.h: one seed from the first dial to the judgement.
 */
#ifndef POSTERN_SIM_RUN_H
#define POSTERN_SIM_RUN_H

#include "sim/server.h"

struct run_result {
    bool kept;              /* all promises */
    char words[512];        /* else which one is not */
    uint64_t hash;          /* of the whole trace */
    uint64_t virtual_us;
    struct totals totals;
    uint64_t replies, said, heard;      /* of the other servers */
};

struct run_options {
    uint64_t seed;
    const struct role_ops *store;
    bool trace;
    bool calm;              /* no faults and no kills */
    enum run_small {
        RUN_WHOLE,
        RUN_LMTP,           /* a few letters, to an LMTP server */
        RUN_SMTP,           /* a few, to servers elsewhere */
    } small;
    struct server_plan server;
};

struct run_result run_seed(const struct run_options *options);

#endif
