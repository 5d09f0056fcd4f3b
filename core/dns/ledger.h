/* SPDX-License-Identifier: ISC
 *
 * dns/ledger.h: for each destination the best TLS ever seen there, what it has now, since when and
 * why: so that a destination that falls back is noticed, and may be waited for.
 *
 * Stands on base. Bounded: when LEDGER_MOST destinations are known, one that never had TLS is
 * forgotten for a new one, else the one longest not met. All moments are of the wall clock, in ms.
 */
#ifndef POSTERN_DNS_LEDGER_H
#define POSTERN_DNS_LEDGER_H

#include "base/buffer.h"

enum { LEDGER_MOST = 20000, LEDGER_NAME_MOST = 255, LEDGER_WHY_MOST = 120,
       LEDGER_SAVED_MOST = 512 };

enum ledger_level {
    LEDGER_UNKNOWN,
    LEDGER_CLEAR,
    LEDGER_TLS,             /* nobody was proved */
    LEDGER_NAME,            /* an authority vouches for the name */
    LEDGER_DANE,
};
const char *ledger_level_name(enum ledger_level level);

struct ledger_entry {
    struct bytes name;      /* of the destination */
    enum ledger_level best, now;
    uint64_t first_ms;      /* first met */
    uint64_t best_ms;       /* the best was last seen */
    uint64_t since_ms;      /* it is as it is now */
    uint64_t used_ms;       /* last met */
    uint64_t clear_ms;      /* first seen without TLS; 0: never */
    uint64_t missed_ms;     /* TLS is missed since then, and mail waits for it; 0: it is not */
    struct bytes why;       /* what was wrong then; may be empty */
};

struct ledger;

/* `key`: of chance, for its table. NULL: memory is short. */
MUST_USE struct ledger *ledger_new(const uint8_t key[static 16]);
void ledger_free(struct ledger *ledger);

/* A session with it came so far. `why`: what kept it from being better; may be empty. True: it is
   worth keeping: it is new, or better or worse than before. */
bool ledger_note(struct ledger *ledger, struct bytes name, enum ledger_level level,
                 struct bytes why, uint64_t now_ms);
/* TLS did not come about, and mail does not go without. True: it had not been missed before. */
bool ledger_miss(struct ledger *ledger, struct bytes name, struct bytes why, uint64_t now_ms);
/* Is there a reason to wait for TLS: it had it whenever it was met, and it has been missed for less
   than `most_ms` (0: however long)? */
bool ledger_holds(const struct ledger *ledger, struct bytes name, uint64_t most_ms,
                  uint64_t now_ms);

/* What is known of it; false: nothing. The slices live until the next call that changes it. */
bool ledger_entry_of(const struct ledger *ledger, struct bytes name,
                     struct ledger_entry *ret_entry);
size_t ledger_count(const struct ledger *ledger);
/* The i-th of them, in no order. */
struct ledger_entry ledger_at(const struct ledger *ledger, size_t i);

/* One of them as octets, behind what `to` holds; and what those say, borrowed. */
void ledger_entry_put(struct buffer *to, const struct ledger_entry *entry);
MUST_USE bool ledger_entry_read(struct bytes saved, struct ledger_entry *ret_entry);
/* Known from before. What is known already is better. */
void ledger_restore(struct ledger *ledger, const struct ledger_entry *entry);

#endif
