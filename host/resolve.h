/* SPDX-License-Identifier: ISC
 *
 * host/resolve.h: the resolver of the role `names`: libunbound, which asks the servers of the DNS
 * and validates what they say. It has a thread of its own; what it found is told in the loop.
 */
#ifndef POSTERN_HOST_RESOLVE_H
#define POSTERN_HOST_RESOLVE_H

#include "host/loop.h"
#include "plan/conf.h"

struct resolver;

/* Does the text of a file of trust anchors hold at least one key (DNSKEY or DS record)? */
bool resolver_anchor_reads(struct bytes anchor);

/* Ready, its thread running: after this it opens no file. `servers` (conf.resolver): asked in place
   of the servers of the root. An empty anchor: nothing can be proved. `tell` is called from the
   loop, never within resolver_ask; the answer is as dns/answer.h codes it. NULL: memory is short,
   or a record of the anchor is none. */
MUST_USE struct resolver *resolver_new(struct loop *loop, struct conf_texts servers,
                                       struct bytes anchor, void *of,
                                       void (*tell)(void *of, uint64_t token,
                                                    struct bytes answer));
/* What is under way is told no more. */
void resolver_free(struct resolver *resolver);

/* Ask; `tell` follows with this token, once, unless memory was short. */
void resolver_ask(struct resolver *resolver, uint64_t token, uint16_t type, struct bytes name);

#endif
