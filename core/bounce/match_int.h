/* SPDX-License-Identifier: ISC
 *
 * bounce/match_int.h: looks for all patterns of all rules in one walk over a text.
 *
 * The automaton is that of Aho and Corasick, made whole: one step a letter, never back. What it
 * walks is the text in a normal form: ASCII, Latin-1 and Cyrillic letters in lower case, white
 * space and line ends one space (none between ideographs), typographic quotes plain, an address a
 * single "@", so that no word of somebody's address decides anything.
 */
#ifndef POSTERN_BOUNCE_MATCH_INT_H
#define POSTERN_BOUNCE_MATCH_INT_H

#include "base/bytes.h"

enum {
    MATCH_STATES_MOST = 65535,
    MATCH_HITS_MOST = 4096,
    MATCH_GAP_MOST = 300,       /* between two parts of one pattern, in letters */
};

/* One literal of a rule; a rule with gaps has several parts, in order. */
struct literal {
    struct bytes text;          /* in normal form */
    uint16_t rule;
    uint8_t part, parts;
    uint16_t same;              /* 1 + the next literal that ends in the same state; 0: none */
};

/* From a state by an octet above 127. */
struct edge {
    uint32_t key;               /* state << 8 | octet */
    uint32_t to;                /* 0: a free place */
};

struct automaton {
    uint16_t *next;             /* [state << shift | class], by ASCII octets */
    uint16_t *ends;             /* 1 + the literal that ends in the state */
    uint16_t *shorter;          /* the next shorter ending's state; 0: none */
    uint16_t *fail;             /* the state of the longest proper suffix */
    struct edge *edges;         /* a hash table of 1 << edge_bits */
    struct literal *literals;
    size_t literals_n, rules_n;
    uint32_t states, edges_n;
    uint32_t first_end;         /* from this state on something ends */
    unsigned shift, edge_bits;
    uint8_t class[256];
    struct edge *edges_spare;   /* while it is made */
    uint8_t *has_wide;
};

/* Of these literals, which it takes over (mem_new); false: no memory, or too many. */
MUST_USE bool automaton_init(struct automaton *automaton, struct literal *literals, size_t n,
                             size_t rules);
void automaton_done(struct automaton *automaton);

/* Where a state goes by a class of ASCII octets. */
static inline uint16_t *automaton_cell(const struct automaton *automaton, uint32_t state,
                                       unsigned class)
{
    return &automaton->next[((size_t)state << automaton->shift) + class];
}
/* By an octet above 127: as far back as needed to where a pattern goes on with it. */
uint32_t automaton_wide(const struct automaton *automaton, uint32_t state, uint8_t c);

struct hit {
    uint16_t rule;
    uint32_t line;
};

/* How far a pattern of several parts has come. */
struct match_part {
    uint32_t walk, at;
    uint8_t done;
};

struct match {
    const struct automaton *automaton;
    struct match_part *parts;   /* of each rule */
    struct hit hits[MATCH_HITS_MOST];
    uint32_t hits_n;
    uint32_t walk, at, line;
    uint16_t state;
    bool space, wide;           /* a space is due; the last letter was an ideograph */
};

MUST_USE bool match_init(struct match *match, const struct automaton *automaton);
void match_done(struct match *match);
/* Forget the hits, and begin. */
void match_begin(struct match *match);
/* Begin another text, with the hits so far kept. */
void match_gap(struct match *match);
/* A line, without its end; its hits get that number. */
void match_line(struct match *match, struct bytes line, uint32_t number);

/* A text whose addresses are words like others. */
void match_raw(struct match *match, struct bytes text);

/* The address that stands around the first "@" at or after `from`: true, and where it begins and
   ends. What has no letter on either side is none. */
bool address_in(struct bytes text, size_t from, size_t *ret_at, size_t *ret_end);

#endif
