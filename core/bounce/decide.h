/* SPDX-License-Identifier: ISC
 *
 * bounce/decide.h: who is told what (RFC 3461, 4.1 and 5.2; RFC 3834, 2). Stands on base and mail.
 *
 * The rules, first match:
 *   the null sender          nobody is told; a failed letter is held until somebody looks, for it
 *                            may be a report that somebody was promised
 *   failed                   told, unless NOTIFY is NEVER or leaves FAILURE out
 *   late                     told once, when it is older than `delay_ms`, if NOTIFY has DELAY, or
 *                            is not given and the letter is no bulk mail
 *   late, or handed on, and   told, unless NOTIFY is NEVER
 *   BY asks to hear of it
 *   delivered                told if NOTIFY has SUCCESS
 *   all of them              at most `reports-per-hour` to one sender; beyond it what failed is
 *                            held, of the rest nobody is told
 * A sender at a domain of ours is told like any other: a report goes by the door of all letters,
 * and when its mailbox does not exist, it is the report that fails, and is held.
 */
#ifndef POSTERN_BOUNCE_DECIDE_H
#define POSTERN_BOUNCE_DECIDE_H

#include "bounce/report.h"

enum bounce_answer { BOUNCE_TELL, BOUNCE_SILENT, BOUNCE_HOLD };

struct bounce_facts {
    enum report_action action;
    uint8_t notify;             /* enum dsn_notify */
    bool null_sender;
    bool bulk;                  /* bounce_is_bulk */
    bool by;                    /* the sender set a time, and asked with it to hear of this */
    uint64_t age_ms, delay_ms;
};

enum bounce_answer bounce_decide(const struct bounce_facts *facts);

/* Does its header say that the letter went to many: Precedence bulk, list or junk, or a List-Id?
   `text`: the start of the letter. */
bool bounce_is_bulk(struct bytes text);

/* How many reports each sender got in this hour: at most `most`. A table of fixed size: when it is
   full, no further sender is told in that hour. */
enum { BOUNCE_SENDERS = 4096 };
struct bounce_limit {
    uint64_t hour;              /* since 1970 */
    struct { uint64_t sender; uint32_t reports; } table[BOUNCE_SENDERS];
};
/* May one more go to that sender? Counts it when it may. */
bool bounce_limit_take(struct bounce_limit *limit, struct bytes sender, uint64_t now_ms,
                       uint32_t most);
/* It did not go after all. */
void bounce_limit_give_back(struct bounce_limit *limit, struct bytes sender, uint64_t now_ms);

#endif
