/* SPDX-License-Identifier: ISC
 *
 * sim/judge.h: the promises, told from outside: what clients saw against what lies in the
 * mailboxes.
 *
 *   1  what was answered 250 is, at rest, in the mailbox of each accepted recipient, octet for
 * octet
 *   2  no copy lies there twice, but for one more for each fault that fell between the beginning
 *      of a delivery and the record of it: by local only when a reader had taken the first one
 *      away or moved it, by LMTP whenever the reply to the final dot, or our record of it, was lost
 *   3  no text crosses into another letter or mailbox; no recipient is added or left out; what
 * was refused
 *      is not delivered; what was never answered is delivered whole and to all, or not at all
 *      A server elsewhere is a mailbox like any other; only the reply to the final dot can be lost
 *      Who is held by order, and is in the queue still, or was deleted by order, need not be there
 *   4  of a recipient that failed for good its sender hears exactly once, if NOTIFY allows and it
 *      is not the null sender; nobody hears of anything that did not fail. Nothing fails for good
 *      but what a server refused, or what the DNS proved or said twice
 *   5  no address is named, and no letter said, to a server elsewhere but through TLS to the very
 *      host, where its domain has TLSA records, where a policy of MTA-STS is held, or the letter
 *      came with REQUIRETLS
 *
 * Drained in bounded time and the same trace for the same seed are judged by sim/run.c; frames,
 * slots, connections and credit by the world as it goes.
 */
#ifndef POSTERN_SIM_JUDGE_H
#define POSTERN_SIM_JUDGE_H

#include "sim/client.h"
#include "sim/server.h"

struct zone;

struct judge;

/* Makes the mailboxes on the disk and begins to watch. `deliverer`: of our mailboxes, local or
   relay. `reports`: the store writes them. `zone`: what lies elsewhere, or NULL. */
struct judge *judge_new(struct world *world, struct crowd *crowd, uint64_t seed,
                        enum role_kind deliverer, bool reports, const struct zone *zone);
/* For struct server_watch and struct mx_watch; ctx is the judge. */
void judge_reply_lost(void *ctx, struct bytes text, const char *to);
void judge_kept(void *ctx, const struct server_letter *taken, const char *to);
void judge_refused(void *ctx, const char *to);
void judge_turned_away(void *ctx, const void *at);
void judge_named(void *ctx, const char *to, size_t domain, enum server_level level,
                 uint64_t since_us);
void judge_free(struct judge *judge);
/* All is at rest: look into every mailbox. What is wrong breaks the world. */
void judge_rest(struct judge *judge);

#endif
