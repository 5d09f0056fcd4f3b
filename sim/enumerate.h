/* SPDX-License-Identifier: ISC
 *
 * sim/enumerate.h: the crash enumerator: each story of sim/story.h is stopped before every file
 * operation; there the power goes, in every legal way when these are few, else in a sample of
 * them; the store starts again, and again in the middle of that, three deep; and each time the
 * letters are counted.
 *
 * A start must come to rest and drain; hand out each recipient of an acknowledged letter that was
 * not delivered, once, octet for octet; nothing that was refused; of the rest all recipients or
 * none; nothing that was delivered with time to write it down. At the end of each story octets on
 * the medium are flipped, one at a time: then at most the letter that was hit may be missing, and
 * the log says so.
 */
#ifndef POSTERN_SIM_ENUMERATE_H
#define POSTERN_SIM_ENUMERATE_H

#include "base/bytes.h"

struct enumerated {
    uint64_t states, whole, nested, damaged;    /* whole: moments gone through exhaustively */
    bool kept;
    char words[512];            /* else what is wrong, and where */
};

struct enumerate_options {
    uint64_t seed;
    uint64_t story;             /* only that one, from 1; 0: all */
    uint64_t state;             /* print what happens in that one; 0: in none */
    bool trace;                 /* print what happens in the stories themselves */
};

/* A line for each story on standard output. */
struct enumerated enumerate(const struct enumerate_options *options);

#endif
