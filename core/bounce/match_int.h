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
    MATCH_STATES_MOST = 32767,
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

struct automaton {
    uint16_t *next;             /* [state << shift | class]; bit 15: something ends there */
    uint16_t *wide;             /* [state * wide_classes + class]: by octets above 127 */
    uint16_t *ends;             /* 1 + the literal that ends in the state */
    uint16_t *shorter;          /* the next shorter ending's state; 0: none */
    struct literal *literals;
    size_t literals_n, rules_n;
    uint32_t states, wide_classes;
    unsigned shift;
    uint8_t class[256];
};

/* Of these literals, which it takes over (mem_new); false: no memory, or too many. */
MUST_USE bool automaton_init(struct automaton *automaton, struct literal *literals, size_t n,
                             size_t rules);
void automaton_done(struct automaton *automaton);

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
