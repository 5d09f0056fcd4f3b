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

enum { CROWD_SESSIONS = 20, CROWD_LETTERS = 100, CROWD_SESSIONS_MOST = 400 };

struct crowd;

/* They begin to dial within the first half minute. */
struct crowd *crowd_new(struct world *world, uint64_t seed, uint32_t fronts);
void crowd_free(struct crowd *crowd);
/* All sessions are over, and enough was sent. */
bool crowd_is_done(const struct crowd *crowd);

size_t crowd_letters(const struct crowd *crowd);
struct letter *crowd_letter(const struct crowd *crowd, size_t i);

#endif
