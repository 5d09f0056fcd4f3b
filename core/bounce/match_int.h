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
    MATCH_FORM_MOST = 1024,     /* of a text's normal form, before it is walked */
    MATCH_PIECES = 4,           /* of a form, walked side by side */
    MATCH_STARTS_MOST = 64,     /* lines in a form */
    MATCH_LOOK = 0x80,          /* in `run`: look before it is taken */
    MATCH_STOP = 0xff,          /* in `run`: here a run of ASCII ends */
};

/* One literal of a rule; a rule with gaps has several parts, in order. */
struct literal {
    struct bytes text;          /* in normal form */
    uint16_t rule;
    uint8_t part, parts;
    uint16_t same;              /* 1 + the next literal that ends in the same state; 0: none */
};

/* From a state by an octet above 127: few patterns have such octets, and a row of them for each
   state would be most of the memory. */
struct edge {
    uint32_t key;               /* state << 8 | octet */
    uint32_t to;                /* 0: a free place */
};

struct edges {
    struct edge *at;            /* a hash table of 1 << bits */
    unsigned bits;
};

/* Room for n edges; false: no memory. */
MUST_USE bool edges_init(struct edges *edges, size_t n);
/* The edge, or the free place for it. */
struct edge *edge_of(const struct edges *edges, uint32_t state, uint8_t c);

/* A literal that ends in a state. */
struct ending {
    uint16_t rule;
    uint16_t literal;           /* 1 + which, of a pattern with several parts; 0: it is all of it */
};

/* By `class` to `child`, by all others as the row says. */
struct state {
    uint16_t row, child;
    uint8_t class;
    bool wide;                  /* an edge leaves it by an octet above 127 */
    uint16_t depth;             /* how many letters lead to it from the root */
};

struct automaton {
    struct state *states;
    uint16_t *next;             /* [row << shift | class], by ASCII octets */
    uint16_t *rows;             /* what `next` lies in */
    uint32_t first_end;         /* from this state on something ends */
    unsigned shift;
    uint16_t *fail;             /* the state of the longest proper suffix that is `wide` */
    uint16_t root[128];         /* where the root goes by an octet above 127 */
    struct ending *endings;     /* those of each state from first_end on, longest first ... */
    uint32_t *ending_at;        /* ... begin here, and end where the next one's begin */
    struct edges edges;
    struct literal *literals;
    size_t rules_n;
    uint8_t class[128];         /* of ASCII octets; 0: no pattern has it */
    uint8_t run[256];           /* the class of ASCII, white space as one; "4" and "5", which may
                                   begin a code, have MATCH_LOOK, what is not ASCII MATCH_STOP */
};

/* Of these literals, which it takes over (mem_new); false: no memory, or too many. */
MUST_USE bool automaton_init(struct automaton *automaton, struct literal *literals, size_t n,
                             size_t rules);
void automaton_done(struct automaton *automaton);

/* Where a state goes by a class of ASCII octets. */
static inline uint32_t automaton_step(const struct state *states, const uint16_t *next,
                                      unsigned shift, uint32_t from, uint8_t class)
{
    struct state state = states[from];
    uint32_t other = next[((size_t)state.row << shift) + class];
    uint32_t same = 0 - (uint32_t)(class == state.class);   /* without a branch */

    return other ^ ((other ^ state.child) & same);
}

/* Where it goes by an octet above 127: as far back as needed to where a pattern goes on with it. */
uint32_t automaton_wide(const struct automaton *automaton, uint32_t state, uint8_t c);

struct hit {
    uint16_t rule;
    uint32_t line;
};

/* Behind which letter of the form something ends, and the state it ends in. */
struct match_end {
    uint16_t at, state;
};

/* From this letter on it is that line of that text. */
struct match_start {
    uint32_t at, line, walk;
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
    uint32_t walk, line, at;    /* of what ends now: its text, its line, behind which letter */
    uint32_t text, text_at;     /* the text that is taken, and where it began */
    uint32_t walked;            /* how many letters, of all texts */
    uint16_t state;
    bool space, wide;           /* a space is due; the last letter was an ideograph */
    bool form_wide;             /* the form holds octets above 127 */
    uint32_t form_n;            /* what is taken and not walked yet: */
    uint8_t form[MATCH_FORM_MOST];      /* classes, and octets above 127 */
    struct match_start starts[MATCH_STARTS_MOST];
    uint32_t starts_n, start;   /* `start` is the one that the walk has come to */
    uint32_t ends_n;
    struct match_end ends[MATCH_FORM_MOST + MATCH_PIECES];
};

MUST_USE bool match_init(struct match *match, const struct automaton *automaton);
void match_done(struct match *match);
/* Forget the hits, and begin. */
void match_begin(struct match *match);
/* Begin another text, with the hits so far kept. */
void match_gap(struct match *match);
/* A line, without its end; its hits get that number. Hits may come later, at match_end at last. */
void match_line(struct match *match, struct bytes line, uint32_t number);
/* A text whose addresses are words like others. */
void match_raw(struct match *match, struct bytes text);
/* All that was taken is walked now, and the last word ends. More lines may follow. */
void match_end(struct match *match);

/* walk.c: a text that goes on; the walk lags behind it, up to walk_flush. */
void walk_take(struct match *match, struct bytes text);
void walk_flush(struct match *match);
/* A word ends here, whatever comes next: what ends with its space is met, and no step is made. */
void walk_word_end(struct match *match);
/* The text ends, and another one begins in the same form. */
void walk_gap(struct match *match);
/* match.c: `at` letters have been walked, and something ends in that state. */
void match_ends(struct match *match, uint32_t at, uint32_t state);

/* The address that stands around the first "@" at or after `from`: true, and where it begins and
   ends. What has no letter on either side is none. */
bool address_in(struct bytes text, size_t from, size_t *ret_at, size_t *ret_end);

#endif
