/* SPDX-License-Identifier: ISC
 *
 * base/plant.h: planted faults. `meson setup -Dplanted=NAME` builds the product with one of them,
 * and the simulator must find it; without that option PLANTED(name) is a constant 0 and nothing
 * of it remains.
 */
#ifndef POSTERN_BASE_PLANT_H
#define POSTERN_BASE_PLANT_H

#define PLANT_LIST(P)           \
    P(ack_before_sync)          \
    P(no_folder_sync)           \
    P(torn_tail_accepted)       \
    P(damage_taken_for_tail)    \
    P(done_before_delivery)     \
    P(delivery_repeated)        \
    P(group_split)              \
    P(report_split)             \
    P(texts_crossed)            \
    P(taken_before_reply)       \
    P(report_lost)              \
    P(clear_octets_kept)        \
    P(gives_up_early)           \
    P(found_not_kept)           \
    P(names_unsure)             \
    P(mailbox_unsure)           \
    P(never_heals)              \
    P(failed_lookup_final)      \
    P(taken_at_rcpt)            \
    P(clear_after_tls)          \
    P(lost_reply_taken)         \
    P(retry_forgotten)          \
    P(answers_crossed)          \
    P(order_before_sync)

enum plant {
    PLANT_none,
#define P(name) PLANT_##name,
    PLANT_LIST(P)
#undef P
};

#ifdef POSTERN_PLANTS

/* The simulator's own build of core holds all of them and chooses as it starts. */
extern enum plant planted_fault;
#define PLANTED(name) (planted_fault == PLANT_##name)

#else

#ifndef PLANTED_FAULT
#define PLANTED_FAULT none
#endif
#define PLANT_JOIN(name) PLANT_##name
#define PLANT_OF(name) PLANT_JOIN(name)

/* Is this build the one with that fault? */
#define PLANTED(name) (PLANT_OF(PLANTED_FAULT) == PLANT_##name)

#endif

#endif
