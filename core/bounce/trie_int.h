/* SPDX-License-Identifier: ISC
 *
 * bounce/trie_int.h: all patterns of all rules as one tree, with a full row for each state. It
 * lives only while the automaton is made of it.
 */
#ifndef POSTERN_BOUNCE_TRIE_INT_H
#define POSTERN_BOUNCE_TRIE_INT_H

#include "bounce/match_int.h"

struct trie {
    struct literal *literals;   /* the caller's; `same` is set */
    size_t literals_n;
    uint8_t class[128];         /* of ASCII octets; 0: no pattern has it */
    unsigned shift;
    uint32_t states;
    uint16_t *next;             /* [state << shift | class], by ASCII octets */
    uint16_t *ends;             /* 1 + the literal that ends in the state */
    uint16_t *shorter;          /* the next shorter ending's state; 0: none */
    uint16_t *fail;             /* the state of the longest proper suffix */
    uint16_t *depth;
    uint16_t *queue;            /* the states by distance from the root */
    uint32_t queue_n;
    uint8_t *has_wide;          /* does an edge by an octet above 127 leave it? */
    struct edges edges;
};

/* False: no memory, or too many states; done with trie_done either way. */
MUST_USE bool trie_init(struct trie *trie, struct literal *literals, size_t n);
void trie_done(struct trie *trie);

/* Where a state goes by a class of ASCII octets. */
static inline uint16_t *trie_cell(const struct trie *trie, uint32_t state, unsigned class)
{
    return &trie->next[((size_t)state << trie->shift) + class];
}

#endif
