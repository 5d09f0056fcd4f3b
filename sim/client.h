/* SPDX-License-Identifier: ISC
 *
 * sim/client.h: the crowd of SMTP clients of one run: at least so many sessions, and letters
 * until enough of them were sent whole. An independent reader of replies; what a client learns is
 * written in its letters.
 */
#ifndef POSTERN_SIM_CLIENT_H
#define POSTERN_SIM_CLIENT_H

#include "sim/letter.h"
#include "sim/net.h"

enum { CROWD_SESSIONS_MOST = 400 };

struct crowd;

struct crowd_plan {
    uint64_t seed;
    uint32_t fronts;
    bool tls;                   /* half of the sessions want it */
    unsigned sessions, letters; /* at least */
    enum letter_reach reach;
};

/* They begin to dial within the first half minute. */
struct crowd *crowd_new(struct world *world, const struct crowd_plan *plan);
void crowd_free(struct crowd *crowd);
/* All sessions are over, and enough was sent. */
bool crowd_is_done(const struct crowd *crowd);

size_t crowd_letters(const struct crowd *crowd);
struct letter *crowd_letter(const struct crowd *crowd, size_t i);

#endif
