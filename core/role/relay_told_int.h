/* SPDX-License-Identifier: ISC
 *
 * role/relay_told_int.h: what relay counts to tell others (relay_tlsrpt.c), and what the store
 * keeps for it (relay_memory.c), for its other files.
 */
#ifndef POSTERN_ROLE_RELAY_TOLD_INT_H
#define POSTERN_ROLE_RELAY_TOLD_INT_H

#include "role/relay_int.h"

/* ---- relay_tlsrpt.c */

/* How TLS went on that connection; `result` "": well. */
void relay_tlsrpt_session(struct relay *relay, const struct link *link, const char *result,
                          struct bytes reason);
/* A host was not even dialled. */
void relay_tlsrpt_shunned(struct relay *relay, const struct place *place,
                          const struct target *target);
/* The domain's policy (MTA-STS) could not be had. */
void relay_tlsrpt_policy(struct relay *relay, const struct place *place, const char *result,
                         const char *reason);
/* Each step: what is due. */
void relay_tlsrpt_go(struct relay *relay);
uint64_t relay_tlsrpt_due(const struct relay *relay);
void relay_tlsrpt_ask(struct relay *relay, const struct wire_tlsrpt_ask *ask);
void relay_tlsrpt_record(struct relay *relay, uint32_t token, const struct dns_answer *answer);
/* The store took the letter, or a server the report; or not. */
void relay_tlsrpt_taken(struct relay *relay, uint32_t token, bool taken);
void relay_tlsrpt_done(struct relay *relay);
/* What was counted and not told yet, each; and back. */
struct relay_saved_report {
    uint64_t from_ms, to_ms;        /* wall clock */
    uint64_t due_ms;                /* 0: it is still being counted */
    struct bytes saved;
};
void relay_tlsrpt_save(const struct relay *relay, void *of,
                       void (*put)(void *of, const struct relay_saved_report *report));
void relay_tlsrpt_restore(struct relay *relay, const struct relay_saved_report *report);

/* ---- relay_memory.c */

/* It is to be kept: within seconds, or minutes. */
void relay_memory_changed(struct relay *relay, bool soon);
void relay_memory_go(struct relay *relay);
uint64_t relay_memory_due(const struct relay *relay);
/* The store says what it kept. */
void relay_memory_is(struct relay *relay, const struct wire_memory *is);
void relay_memory_done(struct relay *relay);
/* NULL: memory is short. */
struct ledger *relay_ledger(struct relay *relay);
void relay_peers_ask(struct relay *relay, const struct wire_peers_ask *ask);

#endif
