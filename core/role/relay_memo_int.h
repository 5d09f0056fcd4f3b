/* SPDX-License-Identifier: ISC
 *
 * role/relay_memo_int.h: what relay remembers of hosts and addresses elsewhere.
 */
#ifndef POSTERN_ROLE_RELAY_MEMO_INT_H
#define POSTERN_ROLE_RELAY_MEMO_INT_H

#include "role/relay_int.h"

/* These three are NULL only without memory, and good until the next of them. */
struct memo *relay_memo_host(struct relay *relay, struct bytes host);
struct memo *relay_memo_at(struct relay *relay, const struct net_address *at);
/* Of a connection: its host's, or where it has no name its address's. */
struct memo *relay_memo_link(struct relay *relay, const struct link *link);
/* Has it not failed already since that connection was begun? Else that was counted. */
bool memo_is_news(const struct memo *memo, const struct link *link);
/* What that connection was made for failed there: others first, for so long. False: no news. */
bool memo_bad(struct relay *relay, struct memo *memo, const struct link *link, uint64_t rest_ms,
              struct status_code code, struct bytes why);
/* It went well. */
void memo_well(struct memo *memo);
/* host-rate: may it have a letter now? And it got one. */
bool memo_paces(const struct relay *relay, const struct memo *memo);
void memo_count(const struct relay *relay, struct memo *memo);
/* Not to be dialled for that letter: it failed since the letter came, or a moment ago, unless that
   was for an earlier attempt of the same letter. */
bool memo_is_spent(const struct relay *relay, const struct memo *memo, const struct relay_job *job);
void relay_memos_done(struct relay *relay);

#endif
