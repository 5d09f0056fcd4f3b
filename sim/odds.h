/* SPDX-License-Identifier: ISC
 *
 * sim/odds.h: how likely each fault is in one run, and how often each came, from odds.def.
 */
#ifndef POSTERN_SIM_ODDS_H
#define POSTERN_SIM_ODDS_H

#include "sim/dice.h"
#include "sim/odds.def"

struct odds {
#define O(name, usual, most, words) uint32_t name;
    ODDS_LIST(O)
#undef O
};

/* Beside those of odds.def: what is planned, and how often the rare legal things came. */
#define TOTALS_LIST(T)                                                                         \
    T(kills_front, "kills of a front")                                                         \
    T(kills_store, "kills of the store")                                                       \
    T(kills_local, "kills of local")                                                           \
    T(kills_others, "kills of relay, keys and admin")                                         \
    T(stops, "roles told to end")                                                              \
    T(reloads, "reloads, each with other settings")                                            \
    T(handshakes, "TLS handshakes begun")                                                      \
    T(orders, "orders of the postmaster")                                                      \
    T(questions, "questions to the DNS")                                                       \
    T(away, "copies taken by servers elsewhere")                                               \
    T(away_tls, "of these through TLS")                                                        \
    T(power_cuts, "power cuts")                                                                \
    T(gave_up, "a role gave up (out of memory, or it ended) and was started again")            \
    T(sectors_lost, "unsynced sectors lost")                                                   \
    T(sectors_kept, "unsynced sectors kept")                                                   \
    T(sectors_torn, "unsynced sectors torn")                                                   \
    T(names_lost, "unsynced names lost")                                                       \
    T(names_kept, "unsynced names kept")                                                       \
    T(frames_lost, "frames between roles lost")                                                \
    T(steps, "steps of roles")                                                                 \
    T(operations, "file operations")                                                           \
    T(sessions, "sessions")                                                                    \
    T(letters, "letters sent")                                                                 \
    T(acked, "letters answered 250")                                                           \
    T(refused, "letters refused")                                                              \
    T(unknown, "letters whose answer was lost")                                                \
    T(delivered, "copies in mailboxes")                                                        \
    T(reports, "failures that their senders were told of")                                     \
    T(windows, "deliveries hit by a fault before they were on record")                         \
    T(twice, "letters delivered twice in such a window")

struct totals {
#define O(name, usual, most, words) uint64_t name;
    ODDS_LIST(O)
#undef O
#define T(name, words) uint64_t name;
    TOTALS_LIST(T)
#undef T
};

struct odds odds_usual(void);
struct odds odds_swarm(struct dice *dice);
/* No faults at all. */
struct odds odds_none(void);
void totals_add(struct totals *sum, const struct totals *more);
/* "  123 words" a line, on standard output. */
void totals_print(const struct totals *totals);

#endif
