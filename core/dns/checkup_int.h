/* SPDX-License-Identifier: ISC
 *
 * dns/checkup_int.h: words that the text and the JSON of a checkup share.
 */
#ifndef POSTERN_DNS_CHECKUP_INT_H
#define POSTERN_DNS_CHECKUP_INT_H

#include "dns/checkup.h"

/* "2026-11-10". */
void checkup_day_put(struct buffer *to, uint64_t wall_ms);

const char *checkup_mx_words(const struct checkup *checkup);
const char *checkup_end_word(enum checkup_end end);

struct checkup_fault_words { const char *word, *side, *what, *how; };
struct checkup_fault_words checkup_fault_words(enum checkup_fault fault);

#endif
