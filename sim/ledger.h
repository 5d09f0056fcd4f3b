/* SPDX-License-Identifier: ISC
 *
 * sim/ledger.h: what a script has told the store about letters, and what the store has told it; a
 * plain value, so that each moment of a story can be kept and judged.
 */
#ifndef POSTERN_SIM_LEDGER_H
#define POSTERN_SIM_LEDGER_H

#include "base/buffer.h"

enum { LEDGER_LETTERS = 64, LEDGER_TO = 4, LEDGER_REPORT = 1700 };

struct ledger_to {
    bool told;          /* we told the store that it is delivered */
    bool lately;        /* ... in its present life */
    /* ... and it had all the time to write that down: it must not be asked for again */
    bool settled;
    bool held;          /* by an order, durably: nobody is to hear of it until it is released */
    enum { TO_SAME, TO_PERHAPS, TO_OTHER } moved;   /* by an order: another stands in its place */
};

struct ledger_letter {
    uint32_t size;      /* octets of text */
    uint32_t to_n;
    bool parts;         /* sent by LETTER_BEGIN and so on */
    bool reported;      /* it fails, and the next letter of the ledger is the report of that */
    /* it is such a report: no front sends it, and it has LEDGER_REPORT octets */
    bool report;
    bool sent, taken, refused;
    uint64_t id;        /* of the store's, when it is taken */
    struct ledger_to to[LEDGER_TO];
};

struct ledger {
    struct ledger_letter letters[LEDGER_LETTERS];
    uint32_t n;
};

/* Put the text, head, or recipients of that letter, always the same. */
void ledger_put_text(const struct ledger *ledger, uint32_t letter, struct buffer *to);
/* The same, for a letter of that size. */
void ledger_put_sized(uint32_t letter, uint32_t size, struct buffer *to);
void ledger_put_head(uint32_t letter, struct buffer *to);
void ledger_put_recipient(uint32_t letter, uint32_t recipient, struct buffer *to);
/* Which letter the first octets of a text claim to be of. */
bool ledger_number(struct bytes text, uint32_t *ret_letter);
/* Which letter's text this is; false when it is none's, or not octet for octet. */
bool ledger_find(const struct ledger *ledger, struct bytes text, uint32_t *ret_letter);

#endif
